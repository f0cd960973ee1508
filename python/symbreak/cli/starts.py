"""What the starts of one pattern gave: a table, and the form of a CXI file."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import torch

import symbreak
from symbreak.cli.output import command_line, element, note, out, table
from symbreak.cli.verdict import coherence_line, doubts, moved_line, transfer_line
from symbreak.data.files.cxi import Parameter, Phasing
from symbreak.evaluation import StartComparison


def as_phasing(
    starts: StartComparison,
    history: torch.Tensor,
    parameters: Mapping[str, Parameter],
    free: torch.Tensor | None = None,
    further: Mapping[str, torch.Tensor] | None = None,
) -> Phasing:
    """Collect what a CXI file keeps of one pattern's starts.

    Args:
        starts: The starts, compared.
        history: Their errors, ``(starts, records)``.
        parameters: Everything that was set.
        free: The free pixels.
        further: More results by name.
    """
    best, likelihood = starts.best, starts.free_log_likelihood
    numbers = {
        "error": starts.error,
        "cross_validated": starts.cross_validated,
        "r_factor": starts.r_factor,
        "distance": starts.distance,
        "twin": starts.twin,
        "good": starts.good,
        **({} if starts.subpixel is None else {"subpixel": starts.subpixel}),
        **({} if starts.blur is None else {"blur": starts.blur}),
    }
    results = {
        **(further or {}),
        "prtf_frequency": starts.transfer.frequency,
        "prtf": starts.transfer.transfer,
        "prtf_pixels": starts.transfer.pixels,
    }
    if history.shape[-1]:
        results["history"] = history
    if likelihood is not None:
        numbers["free_log_likelihood"] = likelihood
    if free is not None:
        results["free_pixels"] = torch.fft.fftshift(free).byte()
    return Phasing(
        object=starts.objects[best].cpu().numpy(),
        support=starts.supports[best].cpu().numpy(),
        error=float(starts.error[best]),
        parameters=parameters,
        version=symbreak.__version__,
        command=command_line(),
        mean=starts.mean.cpu().numpy(),
        starts={
            "data": starts.objects.cpu().numpy(),
            "support": starts.supports.cpu().numpy(),
            **{name: value.cpu().numpy() for name, value in numbers.items()},
        },
        results={name: value.cpu().numpy() for name, value in results.items()},
        free_log_likelihood=None if likelihood is None else float(likelihood[best]),
    )


def print_starts(starts: StartComparison, *, middle_missing: bool = False) -> None:
    """One row a start, then what speaks against them, the mean and the resolution."""
    sized = f"support ({element(starts.objects.dim() - 1)}s)"
    likelihood = starts.free_log_likelihood
    free = () if likelihood is None else ("free LLK",)
    told = ("R", sized, "distance to best", "twin of best", "in mean")
    rows = table("starts", "start", "error", "cross-validated", *free, *told)
    sizes = starts.supports.flatten(1).sum(1).tolist()
    for k in range(len(starts.error)):
        rows.add_row(
            f"{k} (best)" if k == starts.best else str(k),
            f"{float(starts.error[k]):.4f}",
            f"{float(starts.cross_validated[k]):.4f}",
            *(() if likelihood is None else (f"{float(likelihood[k]):.4g}",)),
            f"{float(starts.r_factor[k]):.4f}",
            str(sizes[k]),
            f"{float(starts.distance[k]):.4f}",
            "yes" if bool(starts.twin[k]) else "no",
            "yes" if bool(starts.good[k]) else "no",
        )
    screen = out()
    screen.print(rows)
    note(doubts(starts, middle_missing=middle_missing))
    count, twins = int(starts.good.sum()), int((starts.twin & starts.good).sum())
    if likelihood is not None:
        screen.print(
            f"free log-likelihood: best start {float(likelihood[starts.best]):.4g}, median "
            f"{float(likelihood.quantile(0.5)):.4g}; lower is better, also between settings",
            markup=False,
            soft_wrap=True,
        )
    crossed = "cross-validated " if bool(starts.determined.any()) else ""
    screen.print(
        f"mean of the starts with {crossed}error <= {starts.factor:g} x the best: {count}; twins "
        f"among them, flipped back: {twins}",
        markup=False,
        soft_wrap=True,
    )
    if starts.subpixel is not None:
        screen.print(moved_line(starts.subpixel[starts.good]), markup=False, soft_wrap=True)
    if starts.blur is not None:
        screen.print(coherence_line(starts), markup=False, soft_wrap=True)
    screen.print(transfer_line(starts), markup=False, soft_wrap=True)


def print_chance(starts: StartComparison) -> None:
    """What the statistics of counting make of the best start's figures, if the data are counts."""
    if not isfinite(starts.counting_r):
        return
    line = f"if these intensities are counts, chance alone makes R = {starts.counting_r:.3f}"
    if starts.counting_free is not None:
        line += f" and a free log-likelihood of {starts.counting_free:.3f}"
    out().print(line, soft_wrap=True)
