"""Partial coherence: phase a blurred pattern, and find by how much it is blurred."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from symbreak.coherence.fused import phase_fused
from symbreak.coherence.pieces import phase_in_pieces
from symbreak.ops.blur import blur_widths
from symbreak.ops.checks import check_count
from symbreak.ops.phasing_call import phasing_call
from symbreak.ops.progress import Report, check_progress
from symbreak.ops.reconstruct_blurred import is_reached
from symbreak.ops.reconstruction import Reconstruction, best_start, pick
from symbreak.ops.schedule import SCHEDULE, Schedule, total_iterations
from symbreak.ops.shrinkwrap import Shrinkwrap

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

    def best(self, *, valid: Tensor | None = None) -> PartlyCoherent:
        """Pick the best start of each item and its blur, as :meth:`symbreak.Reconstruction.best`.

        Args:
            valid: Which pixels phasing saw, bool, broadcastable to ``(*batch, *grid)``; the start
                of the lowest cross-validated error is then picked. None: of the lowest error.

        Returns:
            PartlyCoherent: Without the axis of the starts.

        Raises:
            TypeError: ``valid`` is not a bool tensor.
            ValueError: There is no axis before the grid, or ``valid`` does not fit it.
        """
        chosen = best_start("PartlyCoherent.best", self.found, valid)
        found = Reconstruction(*(pick(x, chosen) for x in self.found))
        return PartlyCoherent(found, pick(self.blur, chosen))


torch.serialization.add_safe_globals([PartlyCoherent])  # as those of symbreak


def reconstruct(
    amplitude: Tensor,
    schedule: Schedule = SCHEDULE,
    *,
    blur: Tensor | None = None,
    first: int | None = None,
    every: int = EVERY,
    beta: float = 0.9,
    phase_limit: float | None = None,
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
        phase_limit: The object's phase is at most so far from 0, in radians; P_S is then P_C.
        valid: bool, broadcastable to ``(*batch, *M)``; False = not measured.
        support: The first support, bool, broadcastable to ``(*batch, *M)`` or, with one axis more,
            to ``(*batch, starts, *M)``.
        initial: The first iterate, complex, shaped like ``support``.
        shrinkwrap: How the support follows the object; without ``average_iterates``.
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

    Not differentiable. A start's result depends on its own data, seed and number alone; on a GPU
    its rounding also on how many images there are, which choose the plans of cuFFT. On the CPU, for
    grids whose transforms are fused (axes of 16 to 2048 with prime factors up to 13), the
    corrections are sweeps of the same engine: one costs what 2 to 4 iterations do (2D and 3D, the
    blur fitted), so that all of it takes 1.1 to 1.3 times as long as
    :func:`symbreak.reconstruct`; memory: two amplitudes more for each thread. Elsewhere they are
    made by torch between calls of the engine, on a GPU many starts at once: one complex FFT and
    ``ndim + 2`` real ones each (2 if the blur is known), and on the CPU rounding depends on the
    number of threads; memory: one amplitude more for every start.

    Example:
        >>> x = torch.zeros(24, 24, dtype=torch.complex64)
        >>> x[:7, :9] = 1 + torch.arange(63).reshape(7, 9)
        >>> from symbreak.coherence import blurred_intensity, reconstruct
        >>> a = blurred_intensity(x, torch.tensor([0.6, 0.3])).sqrt()
        >>> done = reconstruct(a, starts=4)
        >>> done.found.object.shape, done.blur.shape
        (torch.Size([4, 24, 24]), torch.Size([4, 2]))
    """
    call = phasing_call(
        amplitude,
        schedule,
        beta=beta,
        phase_limit=phase_limit,
        valid=valid,
        support=support,
        initial=initial,
        shrinkwrap=shrinkwrap,
        starts=starts,
        first_start=first_start,
        seed=seed,
        ndim=ndim,
    )
    if shrinkwrap is not None and shrinkwrap.average_iterates:
        raise ValueError(
            "reconstruct: shrinkwrap must not average iterates of a partly coherent beam, got "
            f"average_iterates {shrinkwrap.average_iterates}."
        )
    progress = check_progress(progress)
    every = check_count("reconstruct", "every", every, 1)
    total = total_iterations(call.schedule)
    if first is None:
        first = every * max(1, total // (3 * every))
    first = check_count("reconstruct", "first", first, 1)
    if first % every:
        raise ValueError(f"reconstruct: first must be a multiple of every = {every}, got {first}.")
    starts, ndim = call.options["starts"], call.options["ndim"]
    shape = (*amplitude.shape[:-ndim], starts, ndim)
    call.check(total // every)
    variances = _variances(blur, shape, amplitude.device)
    phase = phase_fused if is_reached(amplitude, ndim) else phase_in_pieces
    found, variances = phase(
        call, variances, fit=blur is None, first=first, every=every, progress=progress
    )
    return PartlyCoherent(found, variances.sqrt())


def _variances(blur: Tensor | None, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Of every image, a tensor of its own."""
    if blur is None:
        return torch.full(shape, FIRST_VARIANCE, dtype=torch.float64, device=device)
    return blur_widths("reconstruct", blur, shape, device).square()
