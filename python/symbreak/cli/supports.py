"""Try shrinkwraps before phasing, one after another, and keep what is done beside the result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import symbreak
from symbreak.cli.coherence import Coherence
from symbreak.cli.output import element, note, out, progress, table
from symbreak.cli.phasing import digest, show, starts_at_once
from symbreak.data.streaming.chunks import Arrays, Chunks, Fitting
from symbreak.data.streaming.resumable import Shapes, resuming
from symbreak.ops.schedule import total_iterations
from symbreak.supports import (
    FACTORS,
    THRESHOLDS,
    SupportChoice,
    SupportTrial,
    TrialStarts,
    best_of,
    judge,
    next_rule,
    phase_trial,
)


@contextmanager
def choose_resumably(
    output: Path,
    amplitude: torch.Tensor,
    schedule: str,
    *,
    shrinkwrap: symbreak.Shrinkwrap,
    valid: torch.Tensor,
    support: torch.Tensor | None,
    starts: int,
    saturated: torch.Tensor | None = None,
    coherence: Coherence | None = None,
    **options: Any,
) -> Iterator[SupportChoice]:
    """Do what `symbreak.supports.choose` does, and keep each trial beside ``output``.

    When the block, which is to write ``output``, ends, they are removed.

    Raises:
        OSError: The trials cannot be written.
        ValueError: No trial leaves a determined support.
        KeyboardInterrupt: With a message that says what is kept.
    """
    bounded = {} if saturated is None else {"saturated": saturated}
    most = len(THRESHOLDS[shrinkwrap.relative_to]) + len(FACTORS)
    settings = {
        "amplitude": digest(amplitude),
        "valid": digest(valid),
        "support": None if support is None else digest(support),
        "saturated": None if saturated is None else digest(saturated),
        "shrinkwrap": asdict(shrinkwrap),
        "schedule": schedule,
        "starts": starts,
        "device": amplitude.device.type,
        **options,
    }
    if coherence is not None:
        settings["coherence"] = asdict(coherence)
    shapes: Shapes = {
        "cross_validated": ((most, starts), "f8"),
        "pixels": ((most, starts), "i8"),
        "mean_error": ((most,), "f8"),
    }
    beside = output.with_name(f"{output.stem}.supports{output.suffix}")
    iterations = total_iterations(schedule)
    known = None if coherence is None else coherence.blur(amplitude.shape, amplitude.device)
    with resuming(
        beside, shapes, most, settings, what="trials of supports", intermediate=True
    ) as kept:
        trials: list[SupportTrial] = []
        with progress("trying supports", most * starts * iterations) as bar:

            def attempt(rule: symbreak.Shrinkwrap) -> None:
                """Fill the next row of the file, a few starts at a time."""

                def phase(part: Arrays) -> dict[str, Any]:
                    first = int(part["start"][0])
                    before = (len(trials) * starts + first) * iterations
                    found = phase_trial(
                        amplitude,
                        rule,
                        schedule,
                        valid=valid,
                        support=support,
                        starts=len(part["start"]),
                        first_start=first,
                        partly_coherent=coherence is not None,
                        blur=known,
                        progress=partial(show, bar, before),
                        **options,
                        **bounded,
                    )
                    values = {name: x for name, x in found._asdict().items() if x is not None}
                    return {name: x.cpu().numpy() for name, x in values.items()}

                kinds = _starts_of(amplitude, starts, blurred=coherence is not None)
                row = {name: np.empty(shape, kind) for name, (shape, kind) in kinds.items()}
                Chunks(
                    Fitting(phase),
                    lambda rows: {"start": np.arange(rows.start, rows.stop)},
                    starts_at_once(amplitude.device),
                    report=lambda rows, notes: note(notes),
                ).fill(row, 0, starts)
                whole = {name: torch.from_numpy(x).to(amplitude.device) for name, x in row.items()}
                blur = whole.pop("blur", None)
                trial = judge(rule, TrialStarts(**whole, blur=blur), amplitude, valid)
                for name in shapes:
                    kept.file[name][len(trials)] = getattr(trial, name)
                kept.advance(1)

            while rule := next_rule(trials, amplitude.numel(), shrinkwrap):
                if len(trials) == kept.done:
                    attempt(rule)
                mean_error = float(kept.file["mean_error"][len(trials)])
                crossed, pixels = (
                    torch.from_numpy(kept.file[name][len(trials)])
                    for name in ("cross_validated", "pixels")
                )
                trials.append(SupportTrial(rule, crossed, pixels, mean_error))
            bar.update(bar.task_ids[0], completed=most * starts * iterations)
        yield best_of(trials)


def _starts_of(amplitude: torch.Tensor, starts: int, *, blurred: bool) -> Shapes:
    """What the starts of a trial are put together in, in memory."""
    wide = "c8" if amplitude.dtype == torch.float32 else "c16"
    return {
        "objects": ((starts, *amplitude.shape), wide),
        "cross_validated": ((starts,), "f8"),
        "pixels": ((starts,), "i8"),
        **({"blur": ((starts, amplitude.dim()), "f8")} if blurred else {}),
    }


def print_trials(choice: SupportChoice, ndim: int) -> None:
    """One row a trial; the one that is chosen says so."""
    sized = f"support ({element(ndim)}s)"
    told = ("cross-validated error", "error of the mean", "of both")
    rows = table("supports tried", "shrinkwrap", sized, *told)
    for k, trial in enumerate(choice.trials):
        rows.add_row(
            f"{option(trial.shrinkwrap)}{' (chosen)' if k == choice.best else ''}",
            str(trial.size or "undetermined"),
            f"{trial.lowest:.4g}",
            f"{trial.mean_error:.4g}",
            f"{trial.criterion:.4g}",
        )
    out().print(rows)


def option(rule: symbreak.Shrinkwrap) -> str:
    """The rule as it is given to `symbreak reconstruct`."""
    return f"--threshold {rule.threshold:g}" if rule.areas is None else f"--area {area_text(rule)}"


def area_text(rule: symbreak.Shrinkwrap) -> str | None:
    """The rule's areas as it is given to --area."""
    return None if rule.areas is None else ",".join(f"{fraction:g}" for fraction in rule.areas)


def trials_as_results(choice: SupportChoice) -> dict[str, torch.Tensor]:
    """What a CXI file keeps of the trials; NaN where a rule has no threshold, or no area."""
    rules = [trial.shrinkwrap for trial in choice.trials]
    nan = float("nan")
    columns = {
        "threshold": [rule.threshold if rule.areas is None else nan for rule in rules],
        "area": [rule.areas or [nan, nan] for rule in rules],
    }
    found = {name: torch.tensor(values, dtype=torch.float64) for name, values in columns.items()}
    for name in ("cross_validated", "pixels"):
        found[name] = torch.stack([getattr(trial, name) for trial in choice.trials])
    for name in ("mean_error", "criterion"):
        values = [getattr(trial, name) for trial in choice.trials]
        found[name] = torch.tensor(values, dtype=torch.float64)
    return {f"trial_{name}": values for name, values in found.items()}
