"""What the starts are held to: their own amplitudes, corrected by what their blurred ones miss."""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.ops.blur import GaussianBlur

WIDEST = 2.0  # pixels: the fringes of objects on half the grid are about two wide, and then gone
LONGEST_STEP = 0.5  # pixels^2
COUNT = 0.01  # the part of the pixels above 0 that is no brighter than a single count
DARK = 0.1  # counts, see Target._step
RIDGE = 1e-6  # of the curvature: keeps a step finite where an axis has no say


class Target:
    """The measured amplitudes of a few items, each for several starts.

    Args:
        amplitude: ``(items, *M)``; what it holds where nothing was measured is ignored.
        measured: bool ``(items, *M)``.
        starts: Of each item; image k is one of item k // starts.
    """

    def __init__(self, amplitude: Tensor, measured: Tensor, starts: int) -> None:
        self.measured, self.starts = measured, starts
        grid = tuple(range(1, amplitude.dim()))
        known = torch.where(measured, amplitude, 0)
        # Below 2 by a power of two, which changes no digit: no square overflows.
        self.unit = torch.exp2(torch.frexp(known.amax(grid)).exponent.to(known) - 1)
        self.amplitude = known / self.unit.reshape(-1, *[1] * len(grid))
        self.power = self.amplitude.double().square().sum(grid)
        self.dark = [DARK * _single(a).square() for a in self.amplitude]

    def corrected(self, x: Tensor, variances: Tensor, *, fit: bool) -> tuple[Tensor, Tensor]:
        """The amplitudes to hold the images to, and the errors of the images.

        Args:
            x: complex ``(images, *M)``, 0 outside the supports.
            variances: Of the blur, float64 ``(images, ndim)``; refined in place if ``fit``.
            fit: Whether they are.

        Returns:
            ``(images, *M)`` and ``(images,)``.
        """
        held, errors = torch.empty_like(x.real), self.amplitude.new_empty(len(x))
        for k, image in enumerate(x):
            item = k // self.starts
            blur = GaussianBlur(variances[k], image.shape, held.dtype)
            coherent = self._pattern(item, image)
            blurred, spectrum = blur.blurred(coherent)
            errors[k] = self._error(item, blurred)
            if fit:  # for the next correction: one more FFT would be needed to use it in this
                slopes = [blur.derivative(spectrum, axis) for axis in range(image.dim())]
                variances[k] += self._step(item, blurred, torch.stack(slopes))
                variances[k].clamp_(0, WIDEST**2)
            # a sqrt(J / B): B(J) >= peak J bounds the quotient, whatever rounding makes of B.
            torch.maximum(blurred, blur.peak * coherent, out=blurred)
            quotient = torch.where(blurred > 0, coherent.div_(blurred), 0).sqrt_()
            # Of an object that is 0 nothing can be said: it is held to what was measured.
            quotient = torch.where((quotient > 0).any(), quotient, 1)
            torch.mul(self.amplitude[item], quotient.mul_(self.unit[item]), out=held[k])
        return held, errors

    def errors(self, x: Tensor, variances: Tensor) -> Tensor:
        """sqrt(sum (sqrt(B) - a)^2 / sum a^2) of every image, ``(images,)``."""
        found = self.amplitude.new_empty(len(x))
        for k, image in enumerate(x):
            item = k // self.starts
            blur = GaussianBlur(variances[k], image.shape, found.dtype)
            found[k] = self._error(item, blur.blurred(self._pattern(item, image))[0])
        return found

    def _pattern(self, item: int, x: Tensor) -> Tensor:
        """J = |F x|^2, in units of the item."""
        waves = torch.view_as_real(torch.fft.fftn(x)).div_(self.unit[item])
        return waves.square_().sum(-1)

    def _error(self, item: int, blurred: Tensor) -> Tensor:
        missed = blurred.clamp(min=0).sqrt_().sub_(self.amplitude[item])
        missed.masked_fill_(~self.measured[item], 0)
        return (missed.square_().sum(dtype=torch.float64) / self.power[item]).sqrt()

    def _step(self, item: int, blurred: Tensor, slopes: Tensor) -> Tensor:
        """One Gauss-Newton step of the variances towards the least sum of (B - I)^2 / (I + 0.1).

        An object that is not found yet is mistaken in B, and mistakes that are blurred are smaller:
        weights by the expected counts, 1 / B, find a blur where there is none (0.3 pixels at 10^6
        photons, with results twice as far from the truth). Weights by the measured counts hold
        against it, as they overrate what was counted too low; how much, the addend decides. A tenth
        of a count was the best of 0.1, 0.3 and 1 on simulated crystals of 10^4 to 10^7 photons; a
        hundredth found none of the blur of a volume of 10^5.

        Args:
            item: Whose amplitude is meant.
            blurred: B, ``(*M)``.
            slopes: Its derivatives by the variances, ``(ndim, *M)``.

        Returns:
            float64 ``(ndim,)``.
        """
        intensity = self.amplitude[item].square()
        weight = (intensity + self.dark[item]).reciprocal_().masked_fill_(~self.measured[item], 0)
        by_variance = slopes.flatten(1)
        weighted = by_variance * weight.flatten()
        # Sums over pixels, of which single precision keeps more digits than a step needs.
        rest = (weighted @ (intensity - blurred).flatten()).double()
        curvature = (weighted @ by_variance.T).double()
        curvature = curvature + RIDGE * curvature.diagonal().diag()
        step, failed = torch.linalg.solve_ex(curvature, rest)
        step = torch.where(failed.bool() | ~step.isfinite(), 0, step)
        return step.clamp(-LONGEST_STEP, LONGEST_STEP)


def _single(amplitude: Tensor) -> Tensor:
    """The amplitude of a single count: that of the darkest pixels which hold any."""
    above = amplitude[amplitude > 0]
    return above.kthvalue(max(1, int(COUNT * len(above)))).values
