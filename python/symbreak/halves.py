"""Reconstructions of two halves of the photons: how far they agree, and what follows from it."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from symbreak import align
from symbreak.ops.checks import check_beside, check_object, dtype_name
from symbreak.shells import ShellCorrelation, fourier_shell_correlation
from symbreak.subpixel import refine


class HalvesComparison(NamedTuple):
    """What :func:`compare_halves` returns."""

    first: Tensor
    """As it was given, complex ``(*grid)``."""
    second: Tensor
    """Aligned to the first: shift to parts of a pixel, twin and phase."""
    flipped: bool
    """Whether the second came out as the twin of the first."""
    correlation: ShellCorrelation
    """Fourier shell correlation of the two."""
    phase_error: float
    """Radians: what the phase of the object from all the photons is off by, rms."""


def compare_halves(
    first: Tensor, second: Tensor, *, steps: Tensor | None = None, ndim: int = 2
) -> HalvesComparison:
    """Compare the objects that two halves of the photons lead to, each phased by itself.

    Starts of one pattern share its noise: they may agree to the last digit, and their transfer
    function be 1, where the photons say nothing. Halves (`symbreak.data.split_counts`, `symbreak
    prepare --halves`) share nothing but the instrument and the choices made in phasing.

    The phase error is half the difference of the two phases, weighted by both magnitudes,

        sqrt(sum |a| |b| arg(a conj(b))^2 / sum |a| |b|) / 2 ,

    the standard error of a mean of two, which is about what all photons together lead to.

    Args:
        first: complex ``(*grid)`` on the measurement's grid, 0 outside its support.
        second: The same of the other half.
        steps: ``(ndim, d)``, see :func:`symbreak.shells.fourier_shell_correlation`.
        ndim: 2 or 3.

    Returns:
        HalvesComparison: the second aligned, the correlation and the error of the phase.

    Raises:
        TypeError: ``first`` is not complex, ``second`` of another dtype, or ``steps`` are no
            floating point tensor.
        ValueError: They are not ``(*grid)``, the grids or devices differ, or ``steps`` are out of
            their range.

    Not differentiable. Cost: one `align`, one `refine`, two FFTs in complex128.

    Example:
        >>> x = torch.nn.functional.pad(symbreak.data.crystals(1, 32)[0], (16, 16, 16, 16))
        >>> found = compare_halves(x, x.roll(3, 0).flip(0, 1).conj())
        >>> found.flipped, found.phase_error < 1e-3
        (True, True)
    """
    ndim = check_object("compare_halves", "first", first, ndim)
    if first.dim() != ndim:
        raise ValueError(
            f"compare_halves: first must be one object, got shape {tuple(first.shape)}."
        )
    check_beside("compare_halves", "second", second, first, ndim)
    if second.dtype != first.dtype:
        raise TypeError(
            "compare_halves: second must have the dtype of first, "
            f"{dtype_name(first.dtype)}, got {dtype_name(second.dtype)}."
        )
    first, second = first.detach(), second.detach()
    filled = max(float((x != 0).double().mean()) for x in (first, second))
    found = align(second, first, wrap=True, ndim=ndim)
    moved = refine(found.object, first, ndim=ndim).object
    weight = first.abs().double() * moved.abs().double()
    turned = (first * moved.conj()).angle().double().square()
    error = (weight * turned).sum() / weight.sum()
    # Objects that are zero: nothing is filled, and the correlation is NaN all over.
    correlation = fourier_shell_correlation(
        first, moved, filled=filled or 1.0, steps=steps, ndim=ndim
    )
    return HalvesComparison(first, moved, bool(found.flipped), correlation, float(error.sqrt()) / 2)
