"""Phase one pattern while a progress bar runs, some starts at a time, kept until the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress

import symbreak
from symbreak.cli.coherence import Coherence
from symbreak.cli.output import note, progress
from symbreak.coherence import reconstruct as partly_coherent
from symbreak.data.streaming.chunks import Arrays, Chunks, Fitting
from symbreak.data.streaming.resumable import Shapes, resuming
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
    saturated: torch.Tensor | None = None,
    initial: torch.Tensor | None = None,
    coherence: Coherence | None = None,
    **options: Any,
) -> Iterator[tuple[symbreak.Reconstruction, torch.Tensor | None]]:
    """Phase one pattern, as `run` does, a few starts at a time, kept beside ``output`` until then.

    What the block gets are the starts and, with ``coherence``, the blur of each. With ``initial``,
    ``(starts, *grid)``, they begin there, and ``support`` may have as many.

    A start's result depends on the data, the seed and its number alone, so those that an
    interrupted call left are taken over. The block is to write ``output``: when it ends, the kept
    starts are removed.

    Raises:
        OSError: The starts cannot be written.
        KeyboardInterrupt: With a message that says what is kept.
    """
    shared = {**options, "valid": valid, "shrinkwrap": shrinkwrap}
    settings = {
        "amplitude": digest(amplitude),
        "valid": digest(valid),
        "support": None if support is None else digest(support),
        "initial": None if initial is None else digest(initial),
        "saturated": None if saturated is None else digest(saturated),
        "shrinkwrap": None if shrinkwrap is None else asdict(shrinkwrap),
        "schedule": schedule,
        "starts": starts,
        "record_every": record_every,
        "device": amplitude.device.type,
        **options,
    }
    iterations = total_iterations(schedule)
    records = iterations // record_every
    if coherence is not None:
        settings["coherence"] = asdict(coherence)
    checks.check_result(amplitude, starts, records, amplitude.dim())
    step = starts_at_once(amplitude.device)
    shapes = _shapes(amplitude, starts, records, blurred=coherence is not None)
    with resuming(output, shapes, starts, settings, what="starts", intermediate=True) as kept:
        with progress("phasing", starts * iterations) as bar:

            def phase(part: Arrays) -> dict[str, NDArray[Any]]:
                first, count = int(part["start"][0]), len(part["start"])

                def theirs(each: torch.Tensor | None) -> torch.Tensor | None:
                    if each is None or each.dim() == amplitude.dim():
                        return each
                    return each[first : first + count]

                own: dict[str, Any] = {
                    "starts": count,
                    "first_start": first,
                    "support": theirs(support),
                    "initial": theirs(initial),
                    "ndim": amplitude.dim(),
                    "progress": partial(show, bar, first * iterations),
                }
                if coherence is None:
                    found = symbreak.reconstruct(
                        amplitude,
                        schedule,
                        record_every=record_every,
                        saturated=saturated,
                        **own,
                        **shared,
                    )
                    values = found._asdict()
                else:
                    widths = coherence.blur(amplitude.shape, amplitude.device)
                    phased = partly_coherent(
                        amplitude, schedule, blur=widths, every=record_every, **own, **shared
                    )
                    values = {**phased.found._asdict(), "blur": phased.blur}
                return {name: value.cpu().numpy() for name, value in values.items()}

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
        moved = {name: x.to(amplitude.device) for name, x in whole.items()}
        blur = moved.pop("blur", None)
        yield symbreak.Reconstruction(**moved), blur


def starts_at_once(device: torch.device) -> int:
    """Starts of one piece of work: what is kept after an interruption is counted in pieces."""
    return torch.get_num_threads() if device.type == "cpu" else ON_A_GPU


def show(bar: Progress, before: int, done: int, total: int) -> None:
    """Move a bar that counts iterations of all starts, ``before`` of which are of earlier ones."""
    bar.update(bar.task_ids[0], completed=before + done)


def _shapes(amplitude: torch.Tensor, starts: int, records: int, *, blurred: bool) -> Shapes:
    stack = (starts, *amplitude.shape)
    real, wide = ("f4", "c8") if amplitude.dtype == torch.float32 else ("f8", "c16")
    return {
        "object": (stack, wide),
        "support": (stack, "u1"),
        "error": ((starts,), real),
        "history": ((starts, records), real),
        **({"blur": ((starts, amplitude.dim()), "f8")} if blurred else {}),
    }


def digest(x: torch.Tensor) -> str:
    """What tells an array from another, for the settings of what is kept."""
    return hashlib.sha256(x.cpu().contiguous().numpy().data).hexdigest()
