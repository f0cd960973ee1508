"""Phase one pattern while a progress bar runs, and put the outcome into a CXI file's form."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress

import symbreak
from symbreak.cli.output import command_line, element, note, out, progress, table
from symbreak.cli.verdict import doubts, moved_line, transfer_line
from symbreak.data.files.cxi import Parameter, Phasing
from symbreak.data.streaming.chunks import Arrays, Chunks, Fitting
from symbreak.data.streaming.resumable import Shapes, resuming
from symbreak.evaluation import StartComparison
from symbreak.ops import phasing_checks as checks
from symbreak.ops.schedule import total_iterations

ON_A_GPU = 32  # starts of one piece; on the CPU as many as there are threads


def run(
    amplitude: torch.Tensor,
    schedule: str,
    *,
    beta: float,
    valid: torch.Tensor,
    support: torch.Tensor | None,
    shrinkwrap: symbreak.Shrinkwrap | None,
    starts: int,
    seed: int,
    record_every: int,
) -> symbreak.Reconstruction:
    """Call :func:`symbreak.reconstruct` on one pattern with a progress bar."""
    with progress("phasing", None) as bar:
        task = bar.task_ids[0]
        return symbreak.reconstruct(
            amplitude,
            schedule,
            beta=beta,
            valid=valid,
            support=support,
            shrinkwrap=shrinkwrap,
            starts=starts,
            seed=seed,
            ndim=amplitude.dim(),
            record_every=record_every,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


@contextmanager
def run_resumably(
    output: Path,
    amplitude: torch.Tensor,
    schedule: str,
    *,
    support: torch.Tensor | None,
    valid: torch.Tensor,
    shrinkwrap: symbreak.Shrinkwrap | None,
    starts: int,
    record_every: int,
    **options: Any,
) -> Iterator[symbreak.Reconstruction]:
    """Phase one pattern, as `run` does, a few starts at a time, kept beside ``output`` until then.

    A start's result depends on the data, the seed and its number alone, so those that an
    interrupted call left are taken over. The block is to write ``output``: when it ends, the kept
    starts are removed.

    Raises:
        OSError: The starts cannot be written.
        KeyboardInterrupt: With a message that says what is kept.
    """
    shared = {**options, "record_every": record_every, "valid": valid, "shrinkwrap": shrinkwrap}
    settings = {
        "amplitude": digest(amplitude),
        "valid": digest(valid),
        "support": None if support is None else digest(support),
        "shrinkwrap": None if shrinkwrap is None else asdict(shrinkwrap),
        "schedule": schedule,
        "starts": starts,
        "record_every": record_every,
        "device": amplitude.device.type,
        **options,
    }
    iterations = total_iterations(schedule)
    checks.check_result(amplitude, starts, iterations // record_every, amplitude.dim())
    step = starts_at_once(amplitude.device)
    shapes = _shapes(amplitude, starts, iterations // record_every)
    with resuming(output, shapes, starts, settings, what="starts", intermediate=True) as kept:
        with progress("phasing", starts * iterations) as bar:

            def phase(part: Arrays) -> dict[str, NDArray[Any]]:
                first = int(part["start"][0])
                found = symbreak.reconstruct(
                    amplitude,
                    schedule,
                    support=support,
                    starts=len(part["start"]),
                    first_start=first,
                    ndim=amplitude.dim(),
                    progress=partial(show, bar, first * iterations),
                    **shared,
                )
                return {name: value.cpu().numpy() for name, value in found._asdict().items()}

            pieces = Chunks(
                Fitting(phase),
                lambda rows: {"start": np.arange(rows.start, rows.stop)},
                step,
                report=lambda rows, notes: note(notes),
            )
            pieces.fill(kept.file, kept.done, starts, advance=kept.advance)
            bar.update(bar.task_ids[0], completed=starts * iterations)
        whole = {name: torch.from_numpy(kept.file[name][()]) for name in shapes}
        whole["support"] = whole["support"].bool()
        yield symbreak.Reconstruction(**{k: x.to(amplitude.device) for k, x in whole.items()})


def starts_at_once(device: torch.device) -> int:
    """Starts of one piece of work: what is kept after an interruption is counted in pieces."""
    return torch.get_num_threads() if device.type == "cpu" else ON_A_GPU


def show(bar: Progress, before: int, done: int, total: int) -> None:
    """Move a bar that counts iterations of all starts, ``before`` of which are of earlier ones."""
    bar.update(bar.task_ids[0], completed=before + done)


def _shapes(amplitude: torch.Tensor, starts: int, records: int) -> Shapes:
    stack = (starts, *amplitude.shape)
    real, wide = ("f4", "c8") if amplitude.dtype == torch.float32 else ("f8", "c16")
    return {
        "object": (stack, wide),
        "support": (stack, "u1"),
        "error": ((starts,), real),
        "history": ((starts, records), real),
    }


def digest(x: torch.Tensor) -> str:
    """What tells an array from another, for the settings of what is kept."""
    return hashlib.sha256(x.cpu().contiguous().numpy().data).hexdigest()


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
        "r_factor": starts.r_factor,
        "distance": starts.distance,
        "twin": starts.twin,
        "good": starts.good,
        **({} if starts.subpixel is None else {"subpixel": starts.subpixel}),
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


def print_starts(starts: StartComparison) -> None:
    """One row a start, then what speaks against them, the mean and the resolution."""
    sized = f"support ({element(starts.objects.dim() - 1)}s)"
    likelihood = starts.free_log_likelihood
    by_free = () if likelihood is None else ("free LLK",)
    columns = ("error", *by_free, "R", sized, "distance to best", "twin of best", "in mean")
    rows = table("starts", "start", *columns)
    sizes = starts.supports.flatten(1).sum(1).tolist()
    for k in range(len(starts.error)):
        rows.add_row(
            f"{k} (best)" if k == starts.best else str(k),
            f"{float(starts.error[k]):.4f}",
            *(() if likelihood is None else (f"{float(likelihood[k]):.4g}",)),
            f"{float(starts.r_factor[k]):.4f}",
            str(sizes[k]),
            f"{float(starts.distance[k]):.4f}",
            "yes" if bool(starts.twin[k]) else "no",
            "yes" if bool(starts.good[k]) else "no",
        )
    screen = out()
    screen.print(rows)
    note(doubts(starts))
    count, twins = int(starts.good.sum()), int((starts.twin & starts.good).sum())
    if likelihood is not None:
        ranks = "it ranks the starts" if starts.by_free else "supports of one size: the error ranks"
        screen.print(
            f"free log-likelihood ({ranks}): best {float(likelihood[starts.best]):.4g}, median "
            f"{float(likelihood.median()):.4g}; lower is better, also between settings",
            markup=False,
            soft_wrap=True,
        )
    limit = f"error <= {starts.factor:g}"
    if starts.by_free:
        limit = f"free log-likelihood <= {starts.factor**2:.4g}"
    screen.print(
        f"mean of the starts with {limit} x the best: {count}; twins among them, flipped back: "
        f"{twins}",
        markup=False,
        soft_wrap=True,
    )
    if starts.subpixel is not None:
        screen.print(moved_line(starts.subpixel[starts.good]), markup=False, soft_wrap=True)
    screen.print(transfer_line(starts), markup=False, soft_wrap=True)


def print_chance(starts: StartComparison) -> None:
    """What the statistics of counting make of the best start's figures, if the data are counts."""
    if not isfinite(starts.counting_r):
        return
    line = f"if these intensities are counts, chance alone makes R = {starts.counting_r:.3f}"
    if starts.counting_free is not None:
        line += f" and a free log-likelihood of {starts.counting_free:.3f}"
    out().print(line, soft_wrap=True)
