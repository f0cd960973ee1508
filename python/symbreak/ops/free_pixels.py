"""Pixels left out of phasing, and how well an object predicts what was counted on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.ops.blur import blurred_intensity
from symbreak.ops.checks import (
    check_count,
    check_dense,
    check_mask,
    check_object,
    check_tensor,
    dtype_name,
    shown,
)
from symbreak.ops.frequencies import frequency_radius
from symbreak.ops.memory import check_memory
from symbreak.ops.numbers import integers, is_number

MOST = 0.2  # balls that must not overlap find no place beyond some 0.3 of a volume
TRIES = 100  # places tried for each island that is wanted
LEAST_COUNT = 1e-12  # expected counts are taken as no less: log 0 would let one pixel decide


def free_pixels(
    shape: Sequence[int],
    *,
    valid: Tensor | None = None,
    fraction: float = 0.05,
    radius: int = 3,
    exclude: float = 0.05,
    seed: int = 0,
) -> Tensor:
    """Choose the pixels of a pattern that phasing is not to see, for `free_log_likelihood`.

    They are islands, discs (balls in 3D), scattered evenly over the measured pixels: what a single
    pixel holds follows from its neighbours, since the pattern of an object of n pixels varies over
    some M / n of them; the islands should be wider than that. They do not overlap. The middle of
    the pattern, without which the size of the object is lost, is left alone. An island ends at the
    edge of the pattern, where its neighbour on the periodic grid is the opposite end of the
    detector. Pixels without a count are pixels like any other.

    After Favre-Nicolin, Leake and Chushkin, Sci. Rep. 10, 2664 (2020); islands, and the defaults of
    ``fraction``, ``radius`` and ``exclude``, are those of the authors' program, PyNX.

    Args:
        shape: Pixels of the pattern per axis, 2 or 3 of them: of a batch of patterns the shape of
            one, as three axes are a volume.
        valid: bool of ``shape``, DC at index 0, False = not measured; such pixels are never free.
        fraction: The part of the measured pixels that is to be free, in (0, 0.2]; met within half
            an island, but there is always one.
        radius: Of an island, in pixels, >= 1.
        exclude: Pixels below this spatial frequency are never free; cycles per pixel of the object,
            in [0, 0.5): 0.5 is the edge of the pattern.
        seed: >= 0. The same arguments give the same pixels, on every device.

    Returns:
        bool tensor of ``shape``, DC at index 0, True = free; on the device of ``valid``, else on
        the CPU. Phase with ``valid=valid & ~free``.

    Raises:
        TypeError: ``valid`` is not a bool tensor, or ``fraction`` or ``exclude`` not a number.
        ValueError: An argument is out of range, or the islands find no place.
        MemoryError: The grid is larger than the memory.

    Where a pattern was made symmetric, each pixel the mean of itself and its Friedel mate, the mate
    of a free pixel tells phasing the counts of both: leave out ``free`` mirrored about DC too.

    Not differentiable. Cost: 20 bytes a pixel, and some 20 microseconds an island.

    Example:
        >>> free = symbreak.free_pixels((128, 128))
        >>> free.shape, round(float(free.float().mean()), 2), bool(free[0, 0])
        (torch.Size([128, 128]), 0.05, False)
    """
    grid = tuple(integers(shape) or ())
    if len(grid) not in (2, 3) or min(grid) < 1:
        raise ValueError(f"free_pixels: shape must be 2 or 3 integers >= 1, got {shown(shape)}.")
    check_fraction(fraction)
    radius = check_count("free_pixels", "radius", radius, 1)
    _check_number("exclude", exclude)
    if not 0 <= exclude < 0.5:
        raise ValueError(f"free_pixels: exclude must be in [0, 0.5), got {shown(exclude)}.")
    seed = check_count("free_pixels", "seed", seed, 0)
    device = torch.device("cpu")
    check_memory("free_pixels", f"shape = {grid}", grid, torch.float64, device)
    allowed = frequency_radius(grid) >= exclude
    measured = math.prod(grid)
    if valid is not None:
        check_mask("free_pixels", "valid", valid)
        if valid.shape != grid:
            raise ValueError(
                f"free_pixels: valid must have shape {grid}, got {tuple(valid.shape)}."
            )
        if valid.is_meta:
            raise ValueError("free_pixels: valid must hold data, got a tensor on meta.")
        device = valid.device
        allowed &= valid.cpu()
        measured = int(valid.sum())
    if not bool(allowed.any()):
        raise ValueError(
            "free_pixels: valid must leave a measured pixel outside the excluded middle, got none."
        )
    shifted = np.fft.fftshift(allowed.numpy())
    free = _islands(shifted, fraction * measured, min(radius, max(grid)), seed)
    return torch.from_numpy(np.fft.ifftshift(free)).to(device)


def _islands(
    allowed: NDArray[np.bool_], wanted: float, radius: int, seed: int
) -> NDArray[np.bool_]:
    """Balls around random allowed pixels, of ``wanted`` allowed pixels in all; DC in the middle."""
    axes = np.indices((2 * radius + 1,) * allowed.ndim) - radius
    ball = (axes**2).sum(0) <= radius**2
    centres = np.flatnonzero(allowed)
    # Much that is not measured makes islands small, so the whole grid says how many it takes.
    tries = TRIES * math.ceil(1 + MOST * allowed.size / ball.sum())
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    free = np.zeros_like(allowed)
    count = 0
    for chosen in centres[random.integers(len(centres), size=tries)]:
        centre = np.unravel_index(chosen, allowed.shape)
        low = [max(c - radius, 0) for c in centre]
        high = [min(c + radius + 1, n) for c, n in zip(centre, allowed.shape, strict=True)]
        box = tuple(map(slice, low, high))
        inside = tuple(
            slice(a - c + radius, b - c + radius) for a, b, c in zip(low, high, centre, strict=True)
        )
        if (free[box] & ball[inside]).any():
            continue
        island = ball[inside] & allowed[box]
        free[box] |= island
        count += int(island.sum())
        if count > wanted - ball.sum() / 2:
            return free
    raise ValueError(
        f"free_pixels: islands must find place for fraction = {wanted:.0f} pixels, got {count}; "
        "a smaller fraction, radius or exclude."
    )


def free_log_likelihood(
    objects: Tensor,
    amplitude: Tensor,
    free: Tensor,
    *,
    blur: Tensor | None = None,
    ndim: int = 2,
) -> Tensor:
    r"""How badly objects predict the counts that phasing did not see; the smallest is the best.

    The negative Poisson log-likelihood, per free pixel, above that of a perfect prediction:

        mean over the free pixels of  c - n + n log(n / c),  n = a^2 counted, c = \|F x\|^2 expected

    (c where n = 0). A looser support always fits the measured pixels better, but not these. Exactly
    predicted counts give 0; the true object gives about 1/2 where there are many counts, and less
    where there are hardly any. Other units of a^2 multiply every value alike, so they rank the same
    objects alike; 1/2 means something for counts only.

    Favre-Nicolin, Leake and Chushkin, Sci. Rep. 10, 2664 (2020); this form of the likelihood is
    that of the authors' program, PyNX. An expected count below 1e-12 is taken as 1e-12:
    units in which most of a pattern is below that rank nothing.

    Args:
        objects: complex64 or complex128 ``(*batch, *M)`` on the grid of the pattern, 0 outside
            their supports: ``found.object * found.support``, which has the starts as its last batch
            axis.
        amplitude: Measured amplitudes a >= 0, square roots of counts, DC at index 0, float32 or
            float64; ``(*batch, *M)`` or broadcastable to it, or, without the axis of the starts, as
            `reconstruct` took it.
        free: bool, shaped as ``amplitude`` may be: ``(*M)`` for one mask. True on the pixels that
            phasing did not see; what ``amplitude`` holds elsewhere is ignored.
        blur: Standard deviations of the blur that partial coherence makes of the intensities, in
            pixels, floating point, broadcastable to ``(*batch, ndim)``; what is expected is then
            B(\|F x\|^2), see :func:`symbreak.coherence.blurred_intensity`. None: a coherent beam.
        ndim: 2 or 3.

    Returns:
        float64 ``(*batch)``; NaN where an object is not finite.

    Raises:
        TypeError: A tensor is of the wrong type.
        ValueError: Shapes or devices do not fit, an item has no free pixel, or an amplitude on one
            is negative or not finite.

    Differentiable in ``objects``. Cost: one FFT of each, in their precision.

    Example:
        >>> x = torch.zeros(32, 32, dtype=torch.complex64)
        >>> x[:5, :7] = 9
        >>> a, free = torch.fft.fft2(x).abs(), symbreak.free_pixels((32, 32))
        >>> found = symbreak.reconstruct(a, valid=~free, starts=4)
        >>> symbreak.free_log_likelihood(found.object * found.support, a, free).shape
        torch.Size([4])
    """
    function = "free_log_likelihood"
    ndim = check_object(function, "objects", objects, ndim)
    check_tensor(function, "amplitude", amplitude)
    if amplitude.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"{function}: amplitude must be float32 or float64, got {dtype_name(amplitude.dtype)}."
        )
    check_mask(function, "free", free)
    a = _like("amplitude", amplitude, objects, ndim)
    free = _like("free", free, objects, ndim)
    axes = tuple(range(-ndim, 0))
    pixels = free.sum(axes)
    if bool((pixels == 0).any()):
        raise ValueError(f"{function}: free must hold at least one pixel of every item, got none.")
    counts = torch.where(free, a, 0).double().square()
    if not bool((torch.where(free, a, 0) >= 0).all() & counts.isfinite().all()):
        raise ValueError(
            f"{function}: amplitude must be finite and not negative on the free pixels, got other "
            "values."
        )
    if blur is None:
        spectrum = torch.fft.fftn(objects, dim=axes)
        expected = spectrum.real.double().square() + spectrum.imag.double().square()
    else:
        expected = blurred_intensity(objects, blur, ndim=ndim).double()
    expected = expected.clamp(min=LEAST_COUNT)
    ratio = torch.where(counts > 0, counts, 1).log() - expected.log()
    above = torch.where(free, expected - counts + counts * ratio, 0).sum(axes) / pixels
    return above.clamp(min=0)  # no less but by rounding


def _like(name: str, x: Tensor, objects: Tensor, ndim: int) -> Tensor:
    """Bring ``(*batch, *M)``, the axis of the starts missing or not, to the shape of objects."""
    check_dense("free_log_likelihood", name, x)
    if x.device != objects.device:
        raise ValueError(
            f"free_log_likelihood: {name} must be on the device of objects, {objects.device}, got "
            f"{x.device}."
        )
    wide = x.unsqueeze(-ndim - 1) if ndim <= x.dim() < objects.dim() else x
    try:
        return wide.expand(objects.shape)
    except RuntimeError:
        raise ValueError(
            f"free_log_likelihood: {name} must be broadcastable to objects, "
            f"{tuple(objects.shape)}, or so without the starts, got shape {tuple(x.shape)}."
        ) from None


def check_fraction(fraction: float) -> None:
    """Check the part of the pixels that is to be free."""
    _check_number("fraction", fraction)
    if not 0 < fraction <= MOST:
        raise ValueError(f"free_pixels: fraction must be in (0, {MOST}], got {shown(fraction)}.")


def _check_number(name: str, value: float) -> None:
    if not is_number(value):
        raise TypeError(f"free_pixels: {name} must be a number, got {shown(value)}.")
