"""Phase one pattern while a progress bar runs, and put the outcome into a CXI file's form."""

from __future__ import annotations

from collections.abc import Mapping

import torch

import symbreak
from symbreak.cli.output import command_line, note, out, progress, table
from symbreak.data.cxi import Parameter, Phasing
from symbreak.evaluation import StartComparison


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


def as_phasing(
    starts: StartComparison,
    history: torch.Tensor,
    parameters: Mapping[str, Parameter],
) -> Phasing:
    """Collect what a CXI file keeps of one pattern's starts."""
    best = starts.best
    numbers = {
        "error": starts.error,
        "r_factor": starts.r_factor,
        "distance": starts.distance,
        "twin": starts.twin,
        "good": starts.good,
    }
    results = {
        "prtf_frequency": starts.transfer.frequency,
        "prtf": starts.transfer.transfer,
        "prtf_pixels": starts.transfer.pixels,
    }
    if history.shape[-1]:
        results["history"] = history
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
    )


def print_starts(starts: StartComparison) -> None:
    """One row a start, then the mean and the resolution."""
    rows = table(
        "starts", "start", "error", "R", "support", "distance to best", "twin of best", "in mean"
    )
    sizes = starts.supports.flatten(1).sum(1).tolist()
    for k in range(len(starts.error)):
        rows.add_row(
            f"{k} (best)" if k == starts.best else str(k),
            f"{float(starts.error[k]):.4f}",
            f"{float(starts.r_factor[k]):.4f}",
            f"{sizes[k]} px",
            f"{float(starts.distance[k]):.4f}",
            "yes" if bool(starts.twin[k]) else "no",
            "yes" if bool(starts.good[k]) else "no",
        )
    screen = out()
    screen.print(rows)
    loose = int((~starts.determined).sum())
    if loose:
        note(
            [
                f"{loose} starts left out: a support of more pixels than half the measured ones "
                "fits anything. A higher --threshold, or --area, keeps supports small."
            ]
        )
    count, twins = int(starts.good.sum()), int((starts.twin & starts.good).sum())
    resolution = starts.transfer.resolution()
    reach = (
        f"falls below 1/e at {resolution:.3f} cycles/pixel ({0.5 / resolution:.1f} px half period)"
        if resolution < 0.5
        else "stays above 1/e to the edge of the pattern"
    )
    screen.print(
        f"mean of {count} starts with error <= {starts.factor:g} x the best ({twins} of them "
        f"twins, flipped back)",
        markup=False,
    )
    if count > 1:
        screen.print(f"PRTF of these {reach}", markup=False)
    else:
        screen.print("PRTF: needs two good starts to mean something", markup=False)
