"""Compare the starts of one reconstruction: who is a twin, who is good, what is their mean."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from symbreak import align, apply_symmetry, break_symmetry, center, free_log_likelihood
from symbreak.ops.blur import blur_widths
from symbreak.ops.checks import (
    check_flag,
    check_mask,
    check_object,
    check_tensor,
    dtype_name,
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
EQUAL = 1.05  # supports whose numbers of pixels differ by less are of one size


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
    """Index of the determined start with the smallest ``criterion``."""
    error: Tensor
    """float64 ``(starts,)``: sqrt(sum (|F x| - a)^2 / sum a^2) on the pixels phasing saw."""
    r_factor: Tensor
    """float64 ``(starts,)``: sum ||F x| - a| / sum a on the pixels phasing saw."""
    counting_r: float
    """R that chance alone makes of the best start, if the squared amplitudes are counts."""
    twin: Tensor
    """bool ``(starts,)``: came out as the conjugate-flipped twin of the best."""
    distance: Tensor
    """float64 ``(starts,)``: min over the symmetries of ||x - best||^2 / ||best||^2."""
    good: Tensor
    """bool ``(starts,)``: determined, and error at most ``factor`` times that of the best, or free
    log-likelihood at most ``factor^2`` times if that ranks."""
    determined: Tensor
    """bool ``(starts,)``: at least two measured pixels for each pixel of the support."""
    factor: float
    """As it was given."""
    transfer: TransferFunction
    """Phase retrieval transfer function of the good starts."""
    free_log_likelihood: Tensor | None = None
    """float64 ``(starts,)``: :func:`symbreak.free_log_likelihood`, None without free pixels."""
    counting_free: float | None = None
    """What chance alone makes of it at the best start, if the squared amplitudes are counts."""

    by_free: bool = False
    """Whether the free log-likelihood ranks the starts, see :func:`compare_starts`."""
    subpixel: Tensor | None = None
    """By how many pixels each good start was moved before they were averaged, float64
    ``(starts, ndim)``, NaN for those left out; None where whole pixels were to do."""
    blur: Tensor | None = None
    """As it was given, float64 ``(starts, ndim)``."""

    @property
    def criterion(self) -> Tensor:
        """What ranks the starts, ``(starts,)``: the error or the free log-likelihood."""
        likelihood = self.free_log_likelihood
        return likelihood if self.by_free and likelihood is not None else self.error


def compare_starts(
    objects: Tensor,
    supports: Tensor,
    error: Tensor,
    amplitude: Tensor,
    valid: Tensor,
    *,
    free: Tensor | None = None,
    factor: float = GOOD,
    subpixel: bool = False,
    blur: Tensor | None = None,
    ndim: int = 2,
) -> StartComparison:
    """Align all starts of one pattern to the best one, and average the good ones.

    The best start (smallest error of the determined ones) is moved to the middle of the grid and
    brought to the canonical form of :func:`symbreak.break_symmetry`, so that another seed shows
    the same twin; the others are aligned to it over circular shifts, conjugate flip and phase
    (`align` with ``wrap=True``).
    A start is good if its error is at most ``factor`` times the best one's.

    With ``free``, the pixels that phasing did not see, the free log-likelihood takes the place of
    the error wherever the supports differ by more than 5 % in size. It goes with the square of an
    amplitude's error, hence by ``factor^2``.

    A support of more pixels than half the measured ones leaves more unknowns (real and imaginary
    parts) than data (Elser and Millane, Acta Cryst. A 64, 273 (2008)): such a start fits anything,
    so its small error says nothing, and it is neither best nor good. Only where all starts are so,
    errors alone decide.

    Args:
        objects: complex ``(starts, *grid)``, as :func:`symbreak.reconstruct` returns them.
        supports: bool ``(starts, *grid)``.
        error: Real ``(starts,)``; a start where it is not finite is not good.
        amplitude: Measured amplitudes, float ``(*grid)``, DC at index 0.
        valid: bool ``(*grid)``, False = not measured.
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
    by_free = likelihood is not None and not bool(same_size(supports, ndim))
    criterion = likelihood if by_free and likelihood is not None else error
    finite = error.isfinite() & criterion.isfinite()
    if not bool(finite.any()):
        raise ValueError("compare_starts: no start has a finite error.")
    known = determined(supports, valid, ndim)
    eligible = finite & known
    if not bool(eligible.any()):
        eligible = finite
    best = int(torch.where(eligible, criterion, torch.inf).argmin())
    reference = break_symmetry(center(inside[best], wrap=True, ndim=ndim).object, ndim=ndim).object
    found = align(inside, reference.expand_as(inside).contiguous(), wrap=True, ndim=ndim)
    moved = apply_symmetry(
        supports.to(objects.dtype), shift=found.shift, flipped=found.flipped, wrap=True, ndim=ndim
    )
    power = reference.abs().double().square().mean()
    limit = factor**2 if by_free else factor
    good = eligible & (criterion <= limit * criterion[best])
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
        r_factor=r_factor(inside, amplitude, valid, blur=blur, ndim=ndim),
        counting_r=counting_r_factor(reference, valid, blur=of_best, ndim=ndim),
        twin=found.flipped != found.flipped[best],
        distance=found.sa_mse.double() / power,
        good=good,
        determined=known,
        factor=factor,
        transfer=transfer_function(averaged, amplitude, valid, blur=of_good, ndim=ndim),
        subpixel=parts,
        by_free=by_free,
        free_log_likelihood=likelihood,
        counting_free=None
        if free is None
        else counting_log_likelihood(reference, free, blur=of_best, ndim=ndim),
        blur=blur,
    )


def determined(supports: Tensor, valid: Tensor, ndim: int) -> Tensor:
    """Whether there are at least two measured pixels for each pixel of a start's support.

    Args:
        supports: bool ``(*batch, starts, *grid)``.
        valid: bool ``(*batch, *grid)``.
        ndim: 2 or 3.

    Returns:
        bool ``(*batch, starts)``.
    """
    unknown = supports.flatten(-ndim).sum(-1)
    return 2 * unknown <= valid.flatten(-ndim).sum(-1)[..., None]


def same_size(supports: Tensor, ndim: int) -> Tensor:
    """Whether all supports of an item have the same number of pixels, to 5 %.

    Then their errors are no better for a looser support, and rank the starts by all pixels that
    phasing saw, where the free log-likelihood has a few per cent of them. Measured in
    bench/free_log_likelihood.py.

    Args:
        supports: bool ``(*batch, starts, *grid)``.
        ndim: 2 or 3.

    Returns:
        bool ``(*batch)``.
    """
    sizes = supports.flatten(-ndim).sum(-1)
    return sizes.amax(-1) <= EQUAL * sizes.amin(-1)
