"""How well objects agree with the data: R factor and phase retrieval transfer function."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from symbreak.ops.blur import expected_amplitude
from symbreak.ops.checks import check_beside, check_count, check_object, dtype_name, measured
from symbreak.ops.free_pixels import free_log_likelihood
from symbreak.shells import Shells, first_below


class TransferFunction(NamedTuple):
    """What :func:`transfer_function` returns, one entry per shell of spatial frequency."""

    frequency: Tensor
    """Mean |f| of the shell's pixels in cycles per pixel of the object, float64, up to 0.5."""
    transfer: Tensor
    """PRTF of the shell, float64; NaN where no photon was measured."""
    pixels: Tensor
    """How many measured pixels the shell holds, int64."""

    def resolution(self, level: float = 1 / 2.718281828459045) -> float:
        """Frequency at which the PRTF first falls below a level.

        Args:
            level: Of the PRTF; a common one is 1/e, the default.

        Returns:
            Cycles per pixel of the object, interpolated linearly between shells; 0.5 if it never
            falls, the first shell's if it is below from the start.
        """
        return first_below(self.frequency, self.transfer, level, 0.5)


def r_factor(
    objects: Tensor,
    amplitude: Tensor,
    valid: Tensor | None = None,
    *,
    blur: Tensor | None = None,
    ndim: int = 2,
) -> Tensor:
    """R = sum ||F x| - a| / sum a over the measured pixels.

    Args:
        objects: complex ``(*batch, *grid)`` on the measurement's grid, 0 outside the support.
        amplitude: Measured amplitudes a, floating point ``(*grid)``, DC at index 0; what it holds
            where nothing was measured is ignored.
        valid: bool ``(*grid)``, False = not measured; None: all were.
        blur: Standard deviations of the blur that partial coherence makes of the intensities, in
            pixels, ``(*batch, ndim)``; sqrt(B(|F x|^2)) then takes the place of |F x|; None
            for a coherent beam.
        ndim: 2 or 3.

    Returns:
        float64 ``(*batch)``, without unit; NaN where nothing was measured above 0.

    Raises:
        TypeError: ``objects`` is not complex, ``amplitude`` not real or ``valid`` not bool.
        ValueError: The grids or devices differ, or ``ndim`` is not 2 or 3.

    Differentiable in ``objects`` and ``amplitude``, but not where |F x| = a. Cost: one FFT per
    object, by torch; memory: the spectra of the batch.
    """
    ndim, valid = _check("r_factor", objects, amplitude, valid, ndim)
    axes = tuple(range(-ndim, 0))
    a = torch.where(valid, amplitude, 0).double()
    calculated = expected_amplitude(objects, blur, ndim=ndim)
    return torch.where(valid, (calculated - a).abs(), 0).sum(axes) / a.sum()


def counting_r_factor(
    estimate: Tensor,
    valid: Tensor | None = None,
    *,
    blur: Tensor | None = None,
    ndim: int = 2,
    seed: int = 0,
) -> float:
    """R that the true object would have: counts are drawn from |F x|^2 and compared with it.

    Where most pixels hold a count or none, as in rocking curves, R is large however good the
    object is; this is the part of it that no object can take away.

    Args:
        estimate: complex ``(*grid)``, such that |F x|^2 are counts.
        valid: bool ``(*grid)``, False = not measured; None: all were.
        blur: Standard deviations of the blur that partial coherence makes of the intensities, in
            pixels, ``(ndim,)``, see :func:`r_factor`; None for a coherent beam.
        ndim: 2 or 3.
        seed: Of the counts, >= 0; on a GPU it gives other ones than on the CPU.

    Returns:
        sum |sqrt(n) - |F x|| / sum sqrt(n), n Poisson of mean |F x|^2, over the measured pixels.

    Raises:
        TypeError: ``estimate`` is not complex, ``valid`` not bool, ``ndim`` or ``seed`` no integer.
        ValueError: ``estimate`` is not one object, the grids or devices differ, or ``ndim`` or
            ``seed`` is out of its range.

    Not differentiable. Cost: two FFTs, and a Poisson number per pixel.
    """
    name = "counting_r_factor"
    drawn = _drawn(name, estimate, blur, ndim, seed)
    return float(r_factor(estimate, drawn, valid, blur=blur, ndim=ndim))


def counting_log_likelihood(
    estimate: Tensor,
    free: Tensor,
    *,
    blur: Tensor | None = None,
    ndim: int = 2,
    seed: int = 0,
) -> float:
    """Free log-likelihood that the true object would have, of counts drawn as for the R factor.

    Args:
        estimate: complex ``(*grid)``, such that |F x|^2 are counts.
        free: bool ``(*grid)``, see :func:`symbreak.free_log_likelihood`.
        blur: Standard deviations of the blur that partial coherence makes of the intensities, in
            pixels, ``(ndim,)``, see :func:`r_factor`; None for a coherent beam.
        ndim: 2 or 3.
        seed: Of the counts, >= 0.

    Returns:
        :func:`symbreak.free_log_likelihood` of n, Poisson of mean |F x|^2: about 1/2 where there
        are many counts, less where there are few.

    Raises:
        TypeError: ``estimate`` is not complex, ``free`` not bool, ``ndim`` or ``seed`` no integer.
        ValueError: ``estimate`` is not one object, the grids differ, no pixel is free, or ``ndim``
            or ``seed`` is out of its range.

    Not differentiable. Cost: two FFTs, and a Poisson number per pixel.
    """
    drawn = _drawn("counting_log_likelihood", estimate, blur, ndim, seed)
    return float(free_log_likelihood(estimate, drawn, free, blur=blur, ndim=ndim))


def _drawn(function: str, estimate: Tensor, blur: Tensor | None, ndim: int, seed: int) -> Tensor:
    """Roots of counts from the pattern of the estimate."""
    ndim = check_object(function, "estimate", estimate, ndim)
    if estimate.dim() != ndim:
        raise ValueError(
            f"{function}: estimate must be one object, got shape {tuple(estimate.shape)}."
        )
    seed = check_count(function, "seed", seed, 0)
    expected = expected_amplitude(estimate, blur, ndim=ndim)
    generator = torch.Generator(expected.device).manual_seed(seed)
    return torch.poisson(expected.square(), generator=generator).sqrt()


def transfer_function(
    objects: Tensor,
    amplitude: Tensor,
    valid: Tensor | None = None,
    *,
    blur: Tensor | None = None,
    ndim: int = 2,
) -> TransferFunction:
    """Phase retrieval transfer function of independent, mutually aligned reconstructions.

    PRTF(q) = sum_shell |<F x_k>| / sum_shell a,  <> the mean over the reconstructions k: 1 where
    all starts agree in phase, towards sqrt(pi / (4 K)) where their phases are random. The ratio is
    formed of the sums over a shell, not per pixel, so that pixels with hardly a photon do not
    dominate. After Shapiro et al., PNAS 102, 15343 (2005) and Chapman et al., JOSA A 23, 1179
    (2006).

    Shells are one pixel of frequency wide, 1 / min(M), and end at |f| = 0.5, the edge of the
    pattern; only measured pixels count.

    Args:
        objects: complex ``(K, *grid)``, K >= 1, aligned to each other on the measurement's grid, 0
            outside the support. Twins must have been flipped, or they spoil the mean.
        amplitude: Measured amplitudes a, floating point ``(*grid)``, DC at index 0.
        valid: bool ``(*grid)``, False = not measured; None: all were.
        blur: Standard deviations of the blur that partial coherence makes of the intensities, in
            pixels, ``(ndim,)``, see :func:`r_factor`; None for a coherent beam.
        ndim: 2 or 3.

    Returns:
        TransferFunction: per shell frequency, PRTF and number of pixels; empty shells are left out.

    Raises:
        TypeError: ``objects`` is not complex, ``amplitude`` not real or ``valid`` not bool.
        ValueError: The grids or devices differ, ``ndim`` is not 2 or 3, or ``objects`` is not a
            stack of one at least.

    Not meant to be differentiated. Cost: one FFT.
    """
    ndim, valid = _check("transfer_function", objects, amplitude, valid, ndim)
    if objects.dim() != ndim + 1 or not len(objects):
        raise ValueError(
            "transfer_function: objects must be (K, *grid) with K >= 1, got shape "
            f"{tuple(objects.shape)}."
        )
    mean = expected_amplitude(objects.mean(0), blur, ndim=ndim)
    shells = Shells(amplitude.shape, valid=valid, device=amplitude.device)
    measured = shells.total(amplitude)
    transfer = torch.where(measured > 0, shells.total(mean) / measured, torch.nan)
    kept = shells.pixels > 0
    found = (shells.frequency, transfer, shells.pixels.long())
    return TransferFunction(*(values[kept].cpu() for values in found))


def _check(
    function: str, objects: Tensor, amplitude: Tensor, valid: Tensor | None, ndim: int
) -> tuple[int, Tensor]:
    ndim = check_object(function, "objects", objects, ndim)
    valid = measured(valid, objects, ndim)
    for name, other in (("amplitude", amplitude), ("valid", valid)):
        check_beside(function, name, other, objects, ndim)
    if not amplitude.is_floating_point():
        raise TypeError(
            f"{function}: amplitude must be floating point, got {dtype_name(amplitude.dtype)}."
        )
    if valid.dtype != torch.bool:
        raise TypeError(f"{function}: valid must be bool, got {dtype_name(valid.dtype)}.")
    return ndim, valid
