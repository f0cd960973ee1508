"""Phasing that goes on from the mean of its iterates, with a support that is taken from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from symbreak.ops.phasing_call import PhasingCall
from symbreak.ops.progress import Report, of_piece, reporter, run_watched
from symbreak.ops.schedule import cut, parse_schedule
from symbreak.ops.shrinkwrap import Shrinkwrap

STEP = 10  # iterations from one iterate that counts to the next: neighbours are nearly the same
SIGMA = 1.0  # pixels: the mean has less noise than an iterate, so it needs less of a blur
LEVEL = 7 / 8  # of the threshold: where iterates differ, as at edges, their mean is less than they

Found: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]  # object, support, error, history

Op: TypeAlias = Callable[..., Found]
"""Takes a monitor and, as :func:`symbreak.reconstruct` has them, ``schedule``, ``part`` and
``record_every``; what else is given takes the place of the call's options."""


@torch.compiler.disable
def phase_averaged(op: Op, call: PhasingCall, record_every: int, progress: bool | Report) -> Found:
    """Run a schedule in pieces between which iterates are added up, and go on from their mean.

    Args:
        op: Runs a piece.
        call: What to phase, with a rule that averages.
        record_every: As :func:`symbreak.reconstruct` has it.
        progress: As :func:`symbreak.reconstruct` has it.

    Raises:
        ValueError: The schedule is shorter than what is averaged and held.
    """
    rule, ndim = call.shrinkwrap, call.options["ndim"]
    assert rule is not None
    steps = parse_schedule(call.schedule)
    total = sum(count for _, count in steps)
    ends = counted(rule, total)
    call.check(total // record_every if record_every else 0)
    pieces = list(recording([*ends, total], record_every))
    schedules = cut(steps, (end - begin for begin, end, _ in pieces))
    given: dict[str, Tensor] = {}
    histories = []
    with reporter(progress) as report:
        for (begin, end, every), schedule in zip(pieces, schedules, strict=True):
            run = partial(
                op, schedule=schedule, part=(begin, total - end), record_every=every, **given
            )
            told = of_piece(report, begin * call.images, total * call.images)
            x, support, error, history = run_watched(
                run, (end - begin) * call.images, told, call.amplitude.device
            )
            histories.append(history)
            if end == ends[0]:
                mean = x / len(ends)
            elif end in ends:
                mean.add_(x, alpha=1 / len(ends))
            if end == ends[-1]:
                x, support = mean, support_of_mean(mean, support, rule, ndim)
            given = {"initial": x, "support": support}
    return x, support, error, torch.cat(histories, -1)


def counted(rule: Shrinkwrap, total: int) -> list[int]:
    """After which iterations the iterate counts: every tenth until those that are held."""
    if not rule.average_iterates:
        return []
    if rule.average_iterates + rule.hold > total:
        raise ValueError(
            f"reconstruct: schedule must have the {rule.average_iterates} iterations that are "
            f"averaged and the {rule.hold} that go on from their mean, got {total} iterations."
        )
    last = total - rule.hold
    return [last - STEP * k for k in reversed(range(max(1, rule.average_iterates // STEP)))]


def recording(ends: Sequence[int], every: int) -> Iterator[tuple[int, int, int]]:
    """Begin, end and record_every of pieces, whose records are those of the whole.

    A piece counts from its own beginning: where that is between two records, it is cut at the next.
    """
    begin = 0
    for end in ends:
        if not every:
            yield begin, end, 0
        else:
            record = math.ceil(begin / every) * every  # the next, or where it begins
            if begin < record <= end:
                yield begin, record, record - begin
                begin = record
            if begin < end:
                yield begin, end, 0 if begin % every else every
        begin = end


def support_of_mean(x: Tensor, support: Tensor, rule: Shrinkwrap, ndim: int) -> Tensor:
    """Where the mean, blurred by a pixel or less, is bright; ``support``: of the iterates."""
    axes = tuple(range(-ndim, 0))
    blurred = _blurred(x.abs(), min(rule.sigma_min, SIGMA), axes)
    if rule.areas is not None:
        pixels = math.prod(x.shape[-ndim:])
        kept = max(1, math.floor(rule.areas[1] * pixels + 0.5))
        flat = blurred.flatten(-ndim)
        least = flat.kthvalue(pixels - kept + 1, -1, keepdim=True).values
        return (flat >= least).reshape(x.shape)
    reference = blurred.amax(axes, keepdim=True)
    if rule.relative_to == "rms":
        inside = torch.where(support, x, 0)
        power = (inside.real.square() + inside.imag.square()).sum(axes, keepdim=True)
        rms = (power / support.sum(axes, keepdim=True).clamp(min=1)).sqrt()
        reference = torch.minimum(torch.maximum(rms, reference / 3), reference)
    bright: Tensor = blurred > LEVEL * rule.threshold * reference
    return bright


def _blurred(image: Tensor, sigma: float, axes: tuple[int, ...]) -> Tensor:
    """Convolve with a periodic Gaussian, by its transfer function, as the support updates do."""
    spectrum = torch.fft.rfftn(image, dim=axes)
    grid = [image.shape[axis] for axis in axes]
    for axis, size in zip(axes, grid, strict=True):
        frequencies = torch.fft.rfftfreq if axis == -1 else torch.fft.fftfreq
        f = frequencies(size, dtype=image.dtype, device=image.device)
        factor = torch.exp(-2 * math.pi**2 * sigma**2 * f**2)
        spectrum = spectrum * factor.reshape([-1] + [1] * (-1 - axis))
    blurred: Tensor = torch.fft.irfftn(spectrum, s=grid, dim=axes)
    return blurred
