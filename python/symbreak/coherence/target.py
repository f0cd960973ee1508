"""What the starts are held to: their own amplitudes, corrected by what their blurred ones miss."""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.ops.blur import GaussianBlur

WIDEST = 2.0  # pixels: the fringes of objects on half the grid are about two wide, and then gone
LONGEST_STEP = 0.5  # pixels^2
COUNT = 0.01  # the part of the pixels above 0 that is no brighter than a single count
DARK = 0.1  # counts, see Target._refined
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
        self.amplitude = torch.where(measured, amplitude, 0)
        # Patterns are compared in units of their largest amplitude: no square overflows.
        self.unit = self.amplitude.amax(tuple(range(1, amplitude.dim())))
        self.dark = [
            DARK * (_single(a) / u).square() for a, u in zip(self.amplitude, self.unit, strict=True)
        ]

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
            coherent, spectrum, blur = self._pattern(k, image, variances[k])
            blurred = blur.blurred(spectrum)
            errors[k] = self._error(k, blurred)
            if fit:  # for the next correction: one more FFT would be needed to use it in this
                variances[k] += self._step(k, blurred, blur.derivatives(spectrum))
                variances[k].clamp_(0, WIDEST**2)
            # a sqrt(J / B): B(J) >= peak J bounds the quotient, whatever rounding makes of B.
            blurred = torch.maximum(blurred, blur.peak * coherent)
            quotient = torch.where(blurred > 0, coherent / blurred, 0).sqrt()
            a = self.amplitude[k // self.starts]
            # Of an object that is 0 nothing can be said: it is held to what was measured.
            held[k] = a * torch.where((quotient > 0).any(), quotient, 1)
        return held, errors

    def errors(self, x: Tensor, variances: Tensor) -> Tensor:
        """sqrt(sum (sqrt(B) - a)^2 / sum a^2) of every image, ``(images,)``."""
        found = self.amplitude.new_empty(len(x))
        for k, image in enumerate(x):
            _, spectrum, blur = self._pattern(k, image, variances[k])
            found[k] = self._error(k, blur.blurred(spectrum))
        return found

    def _pattern(self, k: int, x: Tensor, variances: Tensor) -> tuple[Tensor, Tensor, GaussianBlur]:
        """J = |F x|^2 in units of the item, the transform of J, and the blur."""
        blur = GaussianBlur(variances, x.shape, x.real.dtype)
        waves = torch.fft.fftn(x) / self.unit[k // self.starts]
        coherent = waves.real.square() + waves.imag.square()
        return coherent, blur.transform(coherent), blur

    def _error(self, k: int, blurred: Tensor) -> Tensor:
        item = k // self.starts
        a = self.amplitude[item] / self.unit[item]
        missed = torch.where(self.measured[item], blurred.clamp(min=0).sqrt() - a, 0)
        power = a.square().sum(dtype=torch.float64)
        return (missed.square().sum(dtype=torch.float64) / power).sqrt()

    def _step(self, k: int, blurred: Tensor, derivatives: list[Tensor]) -> Tensor:
        """One Gauss-Newton step of the variances towards the least sum of (B - I)^2 / (I + 0.1).

        An object that is not found yet is mistaken in B, and mistakes that are blurred are smaller:
        weights by the expected counts, 1 / B, find a blur where there is none (0.3 pixels at 10^6
        photons, with results twice as far from the truth). Weights by the measured counts hold
        against it, as they overrate what was counted too low; how much, the addend decides. A tenth
        of a count was the best of 0.01 to 1 on simulated crystals of 10^4 to 10^7 photons.
        """
        item = k // self.starts
        intensity = (self.amplitude[item] / self.unit[item]).square()
        weight = torch.where(self.measured[item], 1 / (intensity + self.dark[item]), 0)
        missed = weight * (intensity - blurred)
        slopes = torch.stack([(missed * d).sum(dtype=torch.float64) for d in derivatives])
        curvature = torch.zeros_like(slopes).diag()
        for i, d in enumerate(derivatives):
            weighted = weight * d
            for j, e in enumerate(derivatives[: i + 1]):
                curvature[i, j] = curvature[j, i] = (weighted * e).sum(dtype=torch.float64)
        curvature = curvature + RIDGE * curvature.diagonal().diag()
        step, failed = torch.linalg.solve_ex(curvature, slopes)
        step = torch.where(failed.bool() | ~step.isfinite(), 0, step)
        return step.clamp(-LONGEST_STEP, LONGEST_STEP)


def _single(amplitude: Tensor) -> Tensor:
    """The amplitude of a single count: that of the darkest pixels which hold any."""
    above = amplitude[amplitude > 0]
    return above.kthvalue(max(1, int(COUNT * len(above)))).values
