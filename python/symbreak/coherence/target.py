"""What the starts are held to: their own amplitudes, corrected by what their blurred ones miss."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from symbreak.ops.blur import GaussianBlur

WIDEST = 2.0  # pixels: the fringes of objects on half the grid are about two wide, and then gone
LONGEST_STEP = 0.5  # pixels^2
COUNT = 0.01  # the part of the pixels above 0 that is no brighter than a single count
DARK = 0.1  # counts, see Target._step
RIDGE = 1e-6  # of the curvature: keeps a step finite where an axis has no say
GPU_PIXELS = 1 << 24  # corrected at once: few kernels to launch; some 50 bytes each


class Target:
    """The measured amplitudes of a few items, each for several starts.

    The images are corrected a few at a time: on the CPU one, which stays in the cache.

    Args:
        amplitude: ``(items, *M)``; what it holds where nothing was measured is ignored.
        measured: bool ``(items, *M)``.
        starts: Of each item; image k is one of item k // starts.
        at_once: Images that are corrected together; default: by the device.
    """

    def __init__(
        self, amplitude: Tensor, measured: Tensor, starts: int, at_once: int | None = None
    ) -> None:
        self.measured, self.starts = measured, starts
        self.grid = tuple(amplitude.shape[1:])
        self.axes = tuple(range(-len(self.grid), 0))
        self.pixel = (1,) * len(self.grid)
        if at_once is None:
            on_cpu = amplitude.device.type == "cpu"
            at_once = 1 if on_cpu else max(1, GPU_PIXELS // max(1, math.prod(self.grid)))
        self.at_once = at_once
        known = torch.where(measured, amplitude, 0)
        # Below 2 by a power of two, which changes no digit: no square overflows.
        self.unit = torch.exp2(torch.frexp(known.amax(self.axes)).exponent.to(known) - 1)
        self.amplitude = known / self.unit.reshape(-1, *self.pixel)
        self.power = self.amplitude.double().square().sum(self.axes)
        dark = [dark_amplitude(a).square() for a in self.amplitude]
        self.dark = torch.stack(dark) if dark else self.unit.new_empty(0)

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
        for these, items in self._chunks(x):
            blur = GaussianBlur(variances[these], self.grid, held.dtype)
            coherent = self._patterns(items, x[these])
            blurred, spectra = blur.blurred(coherent)
            errors[these] = self._errors(items, blurred)
            if fit:  # for the next correction: one more FFT would be needed to use it in this
                slopes = [blur.derivative(spectra, axis) for axis in range(len(self.grid))]
                variances[these] += self._step(items, blurred, torch.stack(slopes, 1))
                variances[these].clamp_(0, WIDEST**2)
            # a sqrt(J / B): B(J) >= peak J bounds the quotient, whatever rounding makes of B.
            torch.maximum(blurred, blur.peak * coherent, out=blurred)
            quotient = torch.where(blurred > 0, coherent.div_(blurred), 0).sqrt_()
            # Of an object that is 0 nothing can be said: it is held to what was measured.
            something = (quotient > 0).flatten(1).any(1).reshape(-1, *self.pixel)
            quotient = torch.where(something, quotient, 1)
            quotient.mul_(self.unit[items].reshape(-1, *self.pixel))
            torch.mul(self.amplitude[items], quotient, out=held[these])
        return held, errors

    def errors(self, x: Tensor, variances: Tensor) -> Tensor:
        """sqrt(sum (sqrt(B) - a)^2 / sum a^2) of every image, ``(images,)``."""
        found = self.amplitude.new_empty(len(x))
        for these, items in self._chunks(x):
            blur = GaussianBlur(variances[these], self.grid, found.dtype)
            blurred, _ = blur.blurred(self._patterns(items, x[these]))
            found[these] = self._errors(items, blurred)
        return found

    def _chunks(self, x: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Images that are taken together, and the items that they are of."""
        for begin in range(0, len(x), self.at_once):
            end = min(begin + self.at_once, len(x))
            items = torch.arange(begin, end, device=x.device) // self.starts
            yield slice(begin, end), items

    def _patterns(self, items: Tensor, x: Tensor) -> Tensor:
        """J = |F x|^2, in units of the items."""
        waves = torch.view_as_real(torch.fft.fftn(x, dim=self.axes))
        waves.div_(self.unit[items].reshape(-1, *self.pixel, 1))
        return waves.square_().sum(-1)

    def _errors(self, items: Tensor, blurred: Tensor) -> Tensor:
        missed = blurred.clamp(min=0).sqrt_().sub_(self.amplitude[items])
        missed.masked_fill_(~self.measured[items], 0)
        squares = missed.square_().sum(self.axes, dtype=torch.float64)
        return (squares / self.power[items]).sqrt().to(blurred.dtype)

    def _step(self, items: Tensor, blurred: Tensor, slopes: Tensor) -> Tensor:
        """One Gauss-Newton step of the variances towards the least sum of (B - I)^2 / (I + 0.1).

        An object that is not found yet is mistaken in B, and mistakes that are blurred are smaller:
        weights by the expected counts, 1 / B, find a blur where there is none (0.3 pixels at 10^6
        photons, with results twice as far from the truth). Weights by the measured counts hold
        against it, as they overrate what was counted too low; how much, the addend decides. A tenth
        of a count was the best of 0.1, 0.3 and 1 on simulated crystals of 10^4 to 10^7 photons; a
        hundredth found none of the blur of a volume of 10^5.

        Args:
            items: Whose amplitudes are meant, ``(few,)``.
            blurred: B, ``(few, *M)``.
            slopes: Its derivatives by the variances, ``(few, ndim, *M)``.

        Returns:
            float64 ``(few, ndim)``.
        """
        intensity = self.amplitude[items].square()
        weight = (intensity + self.dark[items].reshape(-1, *self.pixel)).reciprocal_()
        weight.masked_fill_(~self.measured[items], 0)
        by_variance = slopes.flatten(2)
        weighted = by_variance * weight.flatten(1).unsqueeze(1)
        missed = (intensity - blurred).flatten(1)
        product = torch.empty_like(missed)

        # Sums over pixels, of which single precision keeps more digits than a step needs; one after
        # the other, as matrix products are refused on a GPU that is to be deterministic.
        def sums(values: Tensor) -> Tensor:
            rows = [torch.mul(row, values, out=product).sum(-1) for row in weighted.unbind(1)]
            return torch.stack(rows, 1).double()

        rest = sums(missed).unsqueeze(-1)
        curvature = torch.stack([sums(slope) for slope in by_variance.unbind(1)], 2)
        curvature = curvature + RIDGE * curvature.diagonal(dim1=1, dim2=2).diag_embed()
        step, failed = torch.linalg.solve_ex(curvature, rest)
        usable = (failed == 0).reshape(-1, 1) & step[..., 0].isfinite().all(1, keepdim=True)
        return torch.where(usable, step[..., 0], 0).clamp(-LONGEST_STEP, LONGEST_STEP)


def dark_amplitude(amplitude: Tensor) -> Tensor:
    """What the weights of the fit add to one item's amplitudes: the root of a tenth of a count.

    A single count is what the darkest pixels have which hold any.

    Args:
        amplitude: ``(*M)``, 0 where nothing was measured.

    Returns:
        A tensor without axes, of the same dtype.
    """
    if amplitude.device.type == "cpu":  # torch would wake its pool, which goes on spinning
        values = amplitude.detach().numpy()
        bright = values[values > 0]
        rank = max(1, int(COUNT * len(bright))) - 1
        return torch.tensor(math.sqrt(DARK) * np.partition(bright, rank)[rank]).to(amplitude)
    # kthvalue would be refused where a GPU is to be deterministic.
    above = amplitude[amplitude > 0].sort().values
    return math.sqrt(DARK) * above[max(1, int(COUNT * len(above))) - 1]
