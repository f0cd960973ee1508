"""Compare the starts of one reconstruction: who is a twin, who is good, what is their mean."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from symbreak import align, apply_symmetry, break_symmetry, center, free_log_likelihood
from symbreak.cross_validation import cross_validated_error, ranking
from symbreak.ops.blur import blur_widths
from symbreak.ops.checks import (
    check_flag,
    check_mask,
    check_object,
    check_tensor,
    dtype_name,
    measured,
    shown,
)
from symbreak.ops.numbers import is_number
from symbreak.subpixel import refine
from symbreak.transfer import (
    TransferFunction,
    counting_log_likelihood,
    counting_r_factor,
    r_factor,
    transfer_function,
)

GOOD = 1.1


@dataclass(frozen=True)
class StartComparison:
    """What :func:`compare_starts` returns. Objects are 0 outside their supports."""

    objects: Tensor
    """complex ``(starts, *grid)``, each aligned to the best and in the middle of the grid."""
    supports: Tensor
    """bool ``(starts, *grid)``, moved and flipped along with the objects."""
    mean: Tensor
    """Mean of the good starts, complex ``(*grid)``."""
    best: int
    """Index of the start with the smallest ``criterion``."""
    error: Tensor
    """float64 ``(starts,)``: sqrt(sum (|F x| - a)^2 / sum a^2) on the pixels phasing saw."""
    cross_validated: Tensor
    """float64 ``(starts,)``: :func:`symbreak.cross_validation.cross_validated_error`, infinite
    where the support leaves at least as many unknowns as data."""
    r_factor: Tensor
    """float64 ``(starts,)``: sum ||F x| - a| / sum a on the pixels phasing saw."""
    counting_r: float
    """R that chance alone makes of the best start, if the squared amplitudes are counts."""
    twin: Tensor
    """bool ``(starts,)``: came out as the conjugate-flipped twin of the best."""
    distance: Tensor
    """float64 ``(starts,)``: min over the symmetries of ||x - best||^2 / ||best||^2."""
    good: Tensor
    """bool ``(starts,)``: ``criterion`` at most ``factor`` times that of the best."""
    determined: Tensor
    """bool ``(starts,)``: more than two measured pixels for each pixel of the support."""
    factor: float
    """As it was given."""
    transfer: TransferFunction
    """Phase retrieval transfer function of the good starts."""
    free_log_likelihood: Tensor | None = None
    """float64 ``(starts,)``: :func:`symbreak.free_log_likelihood`, None without free pixels."""
    counting_free: float | None = None
    """What chance alone makes of it at the best start, if the squared amplitudes are counts."""
    subpixel: Tensor | None = None
    """By how many pixels each good start was moved before they were averaged, float64
    ``(starts, ndim)``, NaN for those left out; None where whole pixels were to do."""
    blur: Tensor | None = None
    """As it was given, float64 ``(starts, ndim)``."""

    @property
    def criterion(self) -> Tensor:
        """What ranks the starts, ``(starts,)``: the cross-validated error.

        The error where no start that is determined has one.
        """
        return self.cross_validated if bool(self.cross_validated.isfinite().any()) else self.error


def compare_starts(
    objects: Tensor,
    supports: Tensor,
    error: Tensor,
    amplitude: Tensor,
    valid: Tensor | None = None,
    *,
    free: Tensor | None = None,
    factor: float = GOOD,
    subpixel: bool = False,
    blur: Tensor | None = None,
    ndim: int = 2,
) -> StartComparison:
    """Align all starts of one pattern to the best one, and average the good ones.

    The best start, that of the smallest cross-validated error (see
    :func:`symbreak.cross_validation.cross_validated_error`), is moved to the middle of the grid and
    brought to the canonical form of :func:`symbreak.break_symmetry`, so that another seed shows
    the same twin; the others are aligned to it over circular shifts, conjugate flip and phase
    (`align` with ``wrap=True``).
    A start is good if its own is at most ``factor`` times that.

    The error itself favours loose supports. A support of half the measured pixels or more leaves as
    many unknowns as data: such a start fits anything, and is neither best nor good. Only where all
    starts are so, errors alone decide. What the starts predict on ``free`` pixels, which phasing
    did not see, is told beside; it ranks worse (bench/free_log_likelihood.py).

    Args:
        objects: complex ``(starts, *grid)``, as :func:`symbreak.reconstruct` returns them.
        supports: bool ``(starts, *grid)``.
        error: Real ``(starts,)``; a start where it is not finite is not good.
        amplitude: Measured amplitudes, float ``(*grid)``, DC at index 0.
        valid: bool ``(*grid)``, False = not measured; None: all were.
        free: bool ``(*grid)``, True = measured, but left out of phasing; None for no such pixels.
        factor: >= 1.
        subpixel: Whether the good starts are moved by the parts of a pixel that are left, see
            :func:`symbreak.subpixel.refine`, for ``mean`` and ``transfer`` only.
        blur: Standard deviations of the blur that :func:`symbreak.coherence.reconstruct` found, or
            broadcastable to ``(starts, ndim)``: the patterns of the objects are so blurred before
            they are compared with the data, that of the mean by the mean of the good starts. None
            for a coherent beam.
        ndim: 2 or 3.

    Returns:
        StartComparison.

    Raises:
        TypeError: An argument is no tensor, ``objects`` not complex, ``amplitude`` not real,
            ``valid`` not bool, or ``subpixel`` neither True nor False.
        ValueError: Not one stack of starts, shapes that do not fit it, ``factor`` < 1, or no start
            is finite.

    Not differentiable. Cost: one `align` over all starts, and an FFT of each; with ``subpixel`` one
    `refine` over the good ones.
    """
    ndim = check_object("compare_starts", "objects", objects, ndim)
    for name, given in (("supports", supports), ("error", error)):
        check_tensor("compare_starts", name, given)
    valid = measured(valid, objects, ndim)
    check_mask("compare_starts", "valid", valid)
    if objects.dim() != ndim + 1 or not len(objects):
        raise ValueError(
            "compare_starts: objects must be (starts, *grid) of one pattern, got shape "
            f"{tuple(objects.shape)}."
        )
    if supports.dtype != torch.bool or supports.shape != objects.shape:
        raise ValueError(
            f"compare_starts: supports must be bool of shape {tuple(objects.shape)}, got "
            f"{dtype_name(supports.dtype)} of shape {tuple(supports.shape)}."
        )
    if error.shape != objects.shape[:1]:
        raise ValueError(
            f"compare_starts: error must have shape ({len(objects)},), got {tuple(error.shape)}."
        )
    if not is_number(factor) or not factor >= 1:
        raise ValueError(f"compare_starts: factor must be >= 1, got {shown(factor)}.")
    check_flag("compare_starts", "subpixel", subpixel)
    if blur is not None:
        blur = blur_widths("compare_starts", blur, (len(objects), ndim), objects.device)
    error = error.double()
    inside = torch.where(supports, objects, 0)
    likelihood = None
    if free is not None:
        likelihood = free_log_likelihood(inside, amplitude, free, blur=blur, ndim=ndim)
        valid = valid & ~free
    misfit = r_factor(inside, amplitude, valid, blur=blur, ndim=ndim)
    if not bool(error.isfinite().any()):
        raise ValueError("compare_starts: no start has a finite error.")
    crossed = cross_validated_error(error, supports, valid, ndim=ndim)
    criterion = ranking(error, supports, valid, ndim=ndim)
    best = int(criterion.argmin())
    reference = break_symmetry(center(inside[best], wrap=True, ndim=ndim).object, ndim=ndim).object
    found = align(inside, reference.expand_as(inside).contiguous(), wrap=True, ndim=ndim)
    moved = apply_symmetry(
        supports.to(objects.dtype), shift=found.shift, flipped=found.flipped, wrap=True, ndim=ndim
    )
    power = reference.abs().double().square().mean()
    good = criterion <= factor * criterion[best]
    of_best, of_good = (None, None) if blur is None else (blur[best], blur[good].mean(0))
    averaged, parts = found.object[good], None
    if subpixel:
        averaged, moves = refine(averaged, found.object[best], ndim=ndim)
        parts = moves.new_full((len(objects), ndim), torch.nan)
        parts[good] = moves
    return StartComparison(
        objects=found.object,
        supports=moved.real > 0.5,
        mean=averaged.mean(0),
        best=best,
        error=error,
        cross_validated=crossed,
        r_factor=misfit,
        counting_r=counting_r_factor(reference, valid, blur=of_best, ndim=ndim),
        twin=found.flipped != found.flipped[best],
        distance=found.sa_mse.double() / power,
        good=good,
        determined=~crossed.isposinf(),
        factor=factor,
        transfer=transfer_function(averaged, amplitude, valid, blur=of_good, ndim=ndim),
        subpixel=parts,
        free_log_likelihood=likelihood,
        counting_free=None
        if free is None
        else counting_log_likelihood(reference, free, blur=of_best, ndim=ndim),
        blur=blur,
    )
