"""The Gaussian blur that partial coherence makes of a diffraction pattern."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from symbreak.ops.checks import check_data, check_object, dtype_name, shown
from symbreak.ops.numbers import integers

WIDEST = 1e6  # pixels: nothing is left of any pattern, and no square overflows


class GaussianBlur:
    """Convolution of images with periodic Gaussians.

    The blurred image is found as B(J) = J + F^-1 (G - 1) F J, G the transform of the Gaussian, so
    that rounding is as small as the change is: what is hardly blurred keeps its dark pixels, and
    without a blur every digit.

    Args:
        variances: float64 ``(*batch, ndim)``, in pixels^2, one Gaussian for each image.
        grid: M per axis.
        dtype: Of the images.
    """

    def __init__(self, variances: Tensor, grid: Sequence[int], dtype: torch.dtype) -> None:
        self.grid = tuple(grid)
        self.axes = tuple(range(-len(self.grid), 0))
        self._slopes = []  # d log G / d variance, along each axis
        exponent = torch.zeros((), dtype=dtype, device=variances.device)
        self.peak = torch.ones((), dtype=dtype, device=variances.device)
        """The Gaussian at 0, shaped as one pixel of each image: a blurred image J of no negative
        value is nowhere below ``peak * J``."""
        for axis, size in zip(self.axes, self.grid, strict=True):
            f = torch.fft.fftfreq(size, dtype=torch.float64, device=variances.device)
            slope = -2 * math.pi**2 * f.square()
            exponents = variances[..., axis, None] * slope
            batch, shape = exponents.shape[:-1], [1] * len(self.grid)
            self.peak = self.peak * exponents.exp().mean(-1).reshape(*batch, *shape).to(dtype)
            shape[axis] = kept = size // 2 + 1 if axis == -1 else size  # as rfftn keeps them
            self._slopes.append(slope[:kept].reshape(shape).to(dtype))
            exponent = exponent + exponents[..., :kept].reshape(*batch, *shape).to(dtype)
        self._change = torch.expm1(exponent)  # G - 1

    def blurred(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Blur real images ``(*batch, *grid)``.

        Returns:
            The blurred images, where rounding may make dark pixels negative, and their spectra.
        """
        spectra = torch.fft.rfftn(images, dim=self.axes)
        change = spectra * self._change
        return images + self._inverse(change), spectra.add_(change)

    def derivative(self, spectra: Tensor, axis: int) -> Tensor:
        """Of blurred images, given by their spectra, by their variance along an axis 0, 1, ..."""
        return self._inverse(spectra * self._slopes[axis])

    def _inverse(self, spectra: Tensor) -> Tensor:
        images: Tensor = torch.fft.irfftn(spectra, s=self.grid, dim=self.axes)
        return images


def blurred_intensity(objects: Tensor, blur: Tensor, *, ndim: int = 2) -> Tensor:
    r"""The diffraction pattern of objects as a partly coherent beam shows it: B(\|F x\|^2).

    B convolves with a periodic Gaussian of the given standard deviations.

    Args:
        objects: complex64 or complex128 ``(*batch, *M)`` on the grid of the pattern.
        blur: Standard deviations along the axes, in pixels of the pattern, >= 0, floating point
            ``(*batch, ndim)`` or broadcastable to it; 0 = coherent.
        ndim: 2 or 3.

    Returns:
        Intensities >= 0, float32 or float64 ``(*batch, *M)``, DC at index 0.

    Raises:
        TypeError: A tensor is of the wrong type.
        ValueError: Shapes do not fit, or a standard deviation is not from 0 to 1e6.

    Differentiable in ``objects``. Cost: one complex and two real FFTs of each, by torch.

    Example:
        >>> from symbreak.coherence import blurred_intensity
        >>> x = torch.zeros(16, 16, dtype=torch.complex64)
        >>> x[:2, :4] = 1
        >>> blurred = blurred_intensity(x, torch.tensor([0.0, 0.8]))
        >>> bool(blurred.min() < blurred.max() < (2 * 4) ** 2)
        True
    """
    ndim = check_object("blurred_intensity", "objects", objects, ndim)
    shape = (*objects.shape[:-ndim], ndim)
    widths = blur_widths("blurred_intensity", blur, shape, objects.device)
    coherent = torch.fft.fftn(objects, dim=tuple(range(-ndim, 0)))
    coherent = coherent.real.square() + coherent.imag.square()
    gaussian = GaussianBlur(widths.square(), objects.shape[-ndim:], coherent.dtype)
    return gaussian.blurred(coherent)[0].clamp(min=0)


def expected_amplitude(objects: Tensor, blur: Tensor | None, *, ndim: int) -> Tensor:
    """What is to be compared with measured amplitudes: the root of the blurred intensity.

    Args:
        objects: complex ``(*batch, *M)``.
        blur: As `blurred_intensity` takes it, or None for a coherent beam.
        ndim: 2 or 3.

    Returns:
        float64 ``(*batch, *M)``.
    """
    if blur is None:
        spectra: Tensor = torch.fft.fftn(objects, dim=tuple(range(-ndim, 0)))
        return spectra.abs().double()
    intensity = blurred_intensity(objects, blur, ndim=ndim).double()
    dark = intensity == 0  # a root has no slope there, and one NaN would spoil the whole gradient
    root: Tensor = torch.where(dark, 1, intensity).sqrt()
    return torch.where(dark, 0, root)


def blur_widths(
    function: str, blur: Tensor, shape: tuple[int, ...], device: torch.device
) -> Tensor:
    """Check standard deviations and bring them to float64 of ``shape``, on ``device``."""
    if not isinstance(blur, Tensor):
        raise TypeError(f"{function}: blur must be a tensor, got {shown(blur)}.")
    if not blur.is_floating_point():
        raise TypeError(f"{function}: blur must be floating point, got {dtype_name(blur.dtype)}.")
    check_data(function, "blur", blur, "objects", device)
    try:
        widths = blur.to(device, torch.float64).expand(shape)
    except RuntimeError:
        raise ValueError(
            f"{function}: blur must be broadcastable to {shape}, got shape {tuple(blur.shape)}."
        ) from None
    if not bool(((widths >= 0) & (widths <= WIDEST)).all()):
        raise ValueError(f"{function}: blur must be from 0 to {WIDEST:g} pixels, got other values.")
    return widths


def coherence_length(blur: Tensor, grid: Sequence[int]) -> Tensor:
    """Coherence lengths xi, in pixels of the object: xi = M / (2 pi sigma).

    The blur multiplies the object's autocorrelation at the distance u, in pixels of the object, by
    exp(-u^2 / (2 xi^2)), which for a Gaussian Schell-model beam is the degree of coherence of two
    points so far apart. Of lengths it gives the standard deviations sigma, by the same formula.

    Args:
        blur: Standard deviations in pixels of the pattern, >= 0, floating point ``(..., ndim)``.
        grid: M per axis, ``ndim`` integers.

    Returns:
        Tensor like ``blur``; infinite where the blur is 0.

    Raises:
        TypeError: ``blur`` is not a floating point tensor.
        ValueError: ``grid`` does not fit it, or ``blur`` is below 0.
    """
    if not isinstance(blur, Tensor) or not blur.is_floating_point():
        raise TypeError(
            f"coherence_length: blur must be a floating point tensor, got {shown(blur)}."
        )
    sizes = integers(grid)
    if sizes is None or blur.dim() < 1 or blur.shape[-1] != len(sizes) or min(sizes) < 1:
        raise ValueError(
            f"coherence_length: grid must have the {blur.shape[-1] if blur.dim() else 1} axes of "
            f"blur, integers >= 1, got {shown(grid)}."
        )
    if bool((blur < 0).any()):
        raise ValueError("coherence_length: blur must be >= 0, got other values.")
    return torch.tensor(sizes, dtype=blur.dtype, device=blur.device) / (2 * math.pi * blur)
