"""Partial coherence: phase a blurred pattern, and find by how much it is blurred."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

import symbreak
from symbreak.coherence.target import Target
from symbreak.ops import phasing_checks as checks
from symbreak.ops.blur import blur_widths
from symbreak.ops.checks import check_count
from symbreak.ops.progress import Report, reporter
from symbreak.ops.reconstruction import Reconstruction
from symbreak.ops.schedule import (
    SCHEDULE,
    Schedule,
    parse_schedule,
    schedule_text,
    total_iterations,
)
from symbreak.ops.shrinkwrap import Shrinkwrap

Steps: TypeAlias = list[tuple[str, int]]
EVERY = 10
FIRST_VARIANCE = 0.0025  # pixels^2: nearly coherent


class PartlyCoherent(NamedTuple):
    """What :func:`reconstruct` returns."""

    found: Reconstruction
    """The starts as :func:`symbreak.reconstruct` returns them, but for the errors, which are those
    of the blurred pattern: sqrt(sum (sqrt(B(|F x|^2)) - a)^2 / sum a^2), x within its support; in
    ``history`` from the first correction on."""
    blur: Tensor
    """Standard deviation of the Gaussian that blurs the intensities along each axis, in pixels of
    the pattern, float64 ``(*batch, starts, ndim)``."""


def reconstruct(
    amplitude: Tensor,
    schedule: Schedule = SCHEDULE,
    *,
    blur: Tensor | None = None,
    first: int | None = None,
    every: int = EVERY,
    beta: float = 0.9,
    valid: Tensor | None = None,
    support: Tensor | None = None,
    initial: Tensor | None = None,
    shrinkwrap: Shrinkwrap | None = Shrinkwrap(),
    starts: int = 1,
    first_start: int = 0,
    seed: int | Tensor = 0,
    ndim: int = 2,
    progress: bool | Report = False,
) -> PartlyCoherent:
    r"""Recover objects from patterns whose fringes partial coherence has washed out.

    A source of finite size, its bandwidth, and the detector's point spread leave of the intensity
    a blurred one, B(\|F x\|^2). Here B convolves with a periodic Gaussian, as for a Gaussian
    Schell-model beam. It multiplies the object's autocorrelation by exp(-u^2 / (2 xi^2)), with xi
    the :func:`coherence_length`.

    The schedule runs as in :func:`symbreak.reconstruct`, but from iteration ``first`` on, every few
    iterations, the amplitude that it is held to becomes

        a' = \|F P_S x\| sqrt( a^2 / B(\|F P_S x\|^2) ) ,

    the amplitude of the present object corrected by what its blurred pattern misses; P_S restricts
    to the support. Where the object is found, a' is its amplitude. The quotient is that of Clark,
    Huang, Harder and Robinson, Nat. Commun. 3, 993 (2012), who form it in every iteration, of x
    itself, and find a blur of any shape by Richardson-Lucy. Between corrections the iterations are
    those of the fused kernels, at their speed.

    The widths are found along the way: with each correction the variances make one Gauss-Newton
    step, from nearly 0, towards the least sum of (B(\|F P_S x\|^2) - a^2)^2 / (a^2 + 0.1 counts);
    the darkest hundredth of the pixels that are not 0 tells what a count is. What it is worth is
    measured in bench/coherence.py.

    Args:
        amplitude: Measured amplitudes a, square roots of intensities, DC at index 0, float32 or
            float64 ``(*batch, *M)``; any batch axes, also none.
        schedule: As :func:`symbreak.reconstruct` takes it.
        blur: Standard deviations that are known, in pixels of the pattern, >= 0, floating point,
            broadcastable to ``(*batch, starts, ndim)``; they are kept. Default: they are fitted,
            from 0 to 2.
        first: Iterations before the first correction, a multiple of ``every``, >= 1. Default: about
            a third of the schedule.
        every: Iterations from one correction to the next, and from one entry of ``history`` to the
            next, >= 1.
        beta: As :func:`symbreak.reconstruct` takes it, like all that follow.
        valid: bool, broadcastable to ``(*batch, *M)``; False = not measured.
        support: The first support, bool, broadcastable to ``(*batch, *M)`` or, with one axis more,
            to ``(*batch, starts, *M)``.
        initial: The first iterate, complex, shaped like ``support``.
        shrinkwrap: How the support follows the object.
        starts: How many reconstructions of each item, each with a blur of its own.
        first_start: Number of the first of them.
        seed: Seed of the random phases, an integer or an integer tensor broadcastable to
            ``(*batch)``.
        ndim: How many trailing axes are the grid, 2 or 3.
        progress: Whether, or by which function, progress is shown.

    Returns:
        PartlyCoherent: the starts, and their blur.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is out of range or of the wrong shape, or the data of an item make
            no reconstruction possible.
        MemoryError: The result is larger than the memory of the device.
        KeyboardInterrupt: Ctrl-C was pressed.

    Not differentiable. A start's result depends on its own data, seed and number alone, but for
    rounding, which on the CPU depends on the number of threads. Cost beside that of the iterations:
    for each correction one complex FFT and ``ndim + 2`` real ones (2 if the blur is known), by
    torch, one start after another; memory: one amplitude more for every start.

    Example:
        >>> x = torch.zeros(24, 24, dtype=torch.complex64)
        >>> x[:7, :9] = 1 + torch.arange(63).reshape(7, 9)
        >>> from symbreak.coherence import blurred_intensity, reconstruct
        >>> a = blurred_intensity(x, torch.tensor([0.6, 0.3])).sqrt()
        >>> done = reconstruct(a, starts=4)
        >>> done.found.object.shape, done.blur.shape
        (torch.Size([4, 24, 24]), torch.Size([4, 2]))
    """
    ndim = checks.check_amplitude(amplitude, ndim)
    starts, first_start = checks.check_starts(starts, first_start)
    every = check_count("reconstruct", "every", every, 1)
    steps = parse_schedule(schedule_text(schedule))
    total = total_iterations(schedule_text(schedule))
    if first is None:
        first = every * max(1, total // (3 * every))
    first = check_count("reconstruct", "first", first, 1)
    if first % every:
        raise ValueError(f"reconstruct: first must be a multiple of every = {every}, got {first}.")
    checks.check_result(amplitude, starts, total // every, ndim)
    batch, grid = amplitude.shape[:-ndim], amplitude.shape[-ndim:]
    variances = _variances(blur, (*batch, starts, ndim), amplitude.device)
    images = len(variances)
    pieces = cut(steps, first, every)
    with reporter(progress) as report:

        def run(a: Tensor, piece: Steps, done: int, **options: Any) -> Reconstruction:
            after = total - done - sum(count for _, count in piece)
            told = partial(_tell, report, done * images, total * images) if report else False
            return symbreak.reconstruct(
                a,
                piece,
                beta=beta,
                shrinkwrap=shrinkwrap,
                part=(done, after),
                ndim=ndim,
                progress=told,
                **options,
            )

        begun = run(
            amplitude,
            next(pieces),
            0,
            record_every=every,
            valid=valid,
            support=support,
            initial=initial,
            starts=starts,
            first_start=first_start,
            seed=seed,
        )
        measured = torch.ones_like(amplitude, dtype=torch.bool) if valid is None else valid
        measured = measured.expand(amplitude.shape).reshape(-1, *grid)
        target = Target(amplitude.reshape(-1, *grid), measured, starts)
        everywhere = measured.repeat_interleave(starts, 0)
        x, inside = begun.object.reshape(-1, *grid), begun.support.reshape(-1, *grid)
        errors: list[Tensor] = []  # at each correction, and at the end
        for k, piece in enumerate(pieces):
            # Every start has an amplitude of its own now: it is an item with one start.
            held, error = target.corrected(x.where(inside, 0), variances, fit=blur is None)
            errors.append(error)
            done = first + k * every
            later = run(held, piece, done, valid=everywhere, support=inside, initial=x)
            x, inside = later.object[:, 0], later.support[:, 0]
        errors.append(target.errors(x.where(inside, 0), variances))
    shape = (*batch, starts)
    begin = begun.history.reshape(images, begun.history.shape[-1])
    history = torch.cat([begin, *(error[:, None] for error in errors[1:])], 1)
    found = Reconstruction(
        x.reshape(*shape, *grid),
        inside.reshape(*shape, *grid),
        errors[-1].reshape(shape),
        history[:, : total // every].reshape(*shape, total // every),
    )
    return PartlyCoherent(found, variances.sqrt().reshape(*shape, ndim))


def cut(steps: Steps, first: int, every: int) -> Iterator[Steps]:
    """A schedule in pieces: of ``first`` iterations, then of ``every``, the last of the rest."""
    piece: Steps = []
    room = first
    for name, count in steps:
        while count:
            taken = min(count, room)
            piece.append((name, taken))
            count, room = count - taken, room - taken
            if not room:
                yield piece
                piece, room = [], every
    if piece:
        yield piece


def _variances(blur: Tensor | None, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Of every image, ``(images, ndim)``, to be changed in place."""
    if blur is None:
        found = torch.full(shape, FIRST_VARIANCE, dtype=torch.float64, device=device)
    else:
        found = blur_widths("reconstruct", blur, shape, device).square()
    return found.reshape(-1, shape[-1]).clone()


def _tell(report: Report, before: int, total: int, done: int, _: int) -> None:
    report(before + done, total)
