"""What a detector does to a diffraction pattern: photon noise, beamstop, gaps between modules."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from symbreak.ops.checks import check_dense, check_integer, check_tensor, shown
from symbreak.ops.memory import check_memory
from symbreak.ops.numbers import integers, is_number, whole

# Larger counts, and squares of larger amplitudes, leave the range of NumPy's Poisson generator.
MOST_PHOTONS, MOST_AMPLITUDE = 1e18, 1e150
# Pixels; sums of such numbers stay within 64 bits.
MOST_PIXELS = 2**40


def poisson_amplitude(
    amplitude: torch.Tensor, photons: float, seed: int = 0, *, ndim: int = 2, first: int = 0
) -> torch.Tensor:
    """Replace amplitudes by those of a photon-counting measurement.

    With s = photons / sum a^2 of the item: n ~ Poisson(s a^2), result sqrt(n / s). So the unit of
    the amplitude stays, and ``photons`` is the expected count over the whole pattern.

    Item k (of the batch axes taken together) depends on its data and ``(seed, first + k)`` alone.
    The draws are made on the CPU, so every device gives the same ones.

    Args:
        amplitude: float32 or float64 ``(*batch, *grid)``, >= 0 and at most 1e150; DC anywhere.
        photons: Expected photons per pattern, > 0 and at most 1e18.
        seed: >= 0.
        ndim: Trailing axes that are the grid, 2 or 3.
        first: Index of the first item, >= 0; for treating a large set in pieces.

    Returns:
        Noisy amplitude, shape, dtype and device of ``amplitude``. An all-zero item stays zero.

    Raises:
        TypeError: ``amplitude`` is not float32 or float64, or ``photons`` not a number.
        ValueError: An argument is out of its range, or an amplitude negative or not finite.

    Example:
        >>> a = symbreak.fourier_amplitude(torch.ones(8, 8, dtype=torch.complex64))
        >>> symbreak.data.poisson_amplitude(a, 1e6).shape
        torch.Size([16, 16])

    Note:
        Not differentiable: the result carries no gradient. Time: 0.05 to 0.1 ms per 1000 pixels.
        Memory: the amplitudes twice in float64.
    """
    check_tensor("poisson_amplitude", "amplitude", amplitude)
    if amplitude.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"poisson_amplitude: amplitude must be float32 or float64, got {amplitude.dtype}."
        )
    check_dense("poisson_amplitude", "amplitude", amplitude)
    if amplitude.is_meta:
        raise ValueError("poisson_amplitude: amplitude must hold data, got a tensor on meta.")
    axes = whole(ndim)
    if axes not in (2, 3) or amplitude.ndim < axes:
        raise ValueError(
            "poisson_amplitude: ndim must be 2 or 3 and at most the number of axes "
            f"({amplitude.ndim}), got {shown(ndim)}."
        )
    photons = check_photons(photons)
    seed = check_integer("poisson_amplitude", "seed", seed, 0)
    first = check_integer("poisson_amplitude", "first", first, 0)
    clean = amplitude.detach().to("cpu", torch.float64).numpy()
    if not ((clean >= 0) & (clean <= MOST_AMPLITUDE)).all():
        raise ValueError(
            f"poisson_amplitude: amplitude must be finite and >= 0, at most {MOST_AMPLITUDE:g}, "
            "got other values."
        )
    grid = clean.shape[clean.ndim - axes :]
    if 0 in grid:
        raise ValueError(
            "poisson_amplitude: the grid of amplitude must not be empty, got shape "
            f"{tuple(amplitude.shape)}."
        )
    items = clean.reshape(-1, *grid)
    noisy = np.zeros_like(items)
    for k, item in enumerate(items):
        # A second word, so that the stream is not that of crystal k of a set with this seed. It is
        # that of crystal 2^32 + k, whose number has the same two words: a training set would need
        # 2^32 crystals to come there, and the other splits begin far beyond (pairs.py).
        key = np.random.SeedSequence(seed, spawn_key=(first + k, 1))
        rng = np.random.Generator(np.random.Philox(key))
        intensity = item**2
        total = intensity.sum()
        if total > 0:
            noisy[k] = np.sqrt(rng.poisson(intensity * (photons / total)) * (total / photons))
    return torch.from_numpy(noisy).reshape(amplitude.shape).to(amplitude)


def check_photons(photons: float) -> float:
    """Check and return how many photons are expected per pattern."""
    _check_number("poisson_amplitude", "photons", photons)
    if not 0 < photons <= MOST_PHOTONS:
        raise ValueError(
            f"poisson_amplitude: photons must be finite and > 0, at most {MOST_PHOTONS:g}, got "
            f"{shown(photons)}."
        )
    return float(photons)


def beamstop(shape: Sequence[int], radius: float, *, arm: int = 0) -> torch.Tensor:
    """Make the mask of measured pixels behind a round beamstop, DC at index 0.

    Args:
        shape: Pixels of the pattern per axis, 2 or 3 of them: of a batch of patterns the shape of
            one, as three axes are a volume.
        radius: Pixels at a distance <= ``radius`` from DC are not measured; >= 0, in pixels.
        arm: Width in pixels of the holder, a strip from DC along the positive half of axis 0
            (index 0 to (shape[0] - 1) // 2); 0 for none.

    Returns:
        bool tensor of ``shape`` on the CPU, False where nothing is measured: ``valid`` of
        `reconstruct`.

    Raises:
        TypeError: ``radius`` is not a number.
        ValueError: An argument is out of its range.
        MemoryError: ``shape`` is larger than the memory.

    Example:
        >>> int((~symbreak.data.beamstop((64, 64), 2)).sum())
        13
    """
    shape = _check_shape("beamstop", shape)
    _check_number("beamstop", "radius", radius)
    if not 0 <= radius < math.inf:
        raise ValueError(f"beamstop: radius must be finite and >= 0, got {shown(radius)}.")
    radius = float(min(radius, sum(shape)))  # covers all as any larger one does, and can be squared
    arm = _check_pixels("beamstop", "arm", arm, 0)
    # Signed frequency of every index: 0, 1, ..., -2, -1.
    axes = [torch.fft.fftfreq(n, d=1.0 / n, dtype=torch.float64).round() for n in shape]
    grids = torch.meshgrid(*axes, indexing="ij")
    valid = sum((g * g for g in grids), torch.zeros(shape, dtype=torch.float64)) > radius**2
    across = torch.stack([2 * g for g in grids[1:]])  # doubled: even widths have no middle pixel
    in_strip = ((across > -arm) & (across <= arm)).all(dim=0)
    return valid & ~(in_strip & (grids[0] >= 0)) if arm else valid


def detector_gaps(
    shape: Sequence[int],
    *,
    module: int,
    gap: int,
    offset: int = 0,
    axes: Sequence[int] | None = None,
) -> torch.Tensor:
    """Make the mask of measured pixels of a detector of square modules with gaps, DC at index 0.

    On the detector (DC in the middle, at index n // 2) modules of ``module`` pixels alternate with
    gaps of ``gap`` pixels; the first module begins ``offset`` pixels before the edge.

    Args:
        shape: Pixels of the pattern per axis, 2 or 3 of them.
        module: Pixels of a module along an axis, >= 1.
        gap: Pixels of a gap, >= 0.
        offset: Pixels of the first module that lie outside, any integer.
        axes: Axes along which there are gaps; None for all.

    Returns:
        bool tensor of ``shape`` on the CPU, False in the gaps: ``valid`` of `reconstruct`.

    Raises:
        ValueError: An argument is out of its range.
        MemoryError: ``shape`` is larger than the memory.

    Example:
        >>> valid = symbreak.data.detector_gaps((8, 8), module=3, gap=1, axes=[1])
        >>> torch.fft.fftshift(valid)[0].int()
        tensor([1, 1, 1, 0, 1, 1, 1, 0], dtype=torch.int32)
    """
    shape = _check_shape("detector_gaps", shape)
    module = _check_pixels("detector_gaps", "module", module, 1)
    gap = _check_pixels("detector_gaps", "gap", gap, 0)
    offset = _check_pixels("detector_gaps", "offset", offset, -MOST_PIXELS)
    chosen = list(range(len(shape))) if axes is None else integers(axes)
    if chosen is None or any(axis not in range(-len(shape), len(shape)) for axis in chosen):
        raise ValueError(f"detector_gaps: axes must be axes of {shape}, got {shown(axes)}.")
    valid = torch.ones(shape, dtype=torch.bool)
    for axis in chosen:
        n = shape[axis]
        measured = (torch.arange(n) + offset).remainder(module + gap) < module
        view = [1] * len(shape)
        view[axis] = n
        valid &= torch.fft.ifftshift(measured).reshape(view)
    return valid


def _check_shape(function: str, shape: Sequence[int]) -> tuple[int, ...]:
    """Return ``shape`` as a tuple of 2 or 3 positive integers, or raise."""
    values = tuple(integers(shape) or ())
    if len(values) not in (2, 3) or min(values) < 1:
        raise ValueError(f"{function}: shape must be 2 or 3 integers >= 1, got {shown(shape)}.")
    check_memory(function, f"shape = {values}", values, torch.float64, torch.device("cpu"))
    return values


def _check_number(function: str, name: str, value: float) -> None:
    if not is_number(value):
        raise TypeError(f"{function}: {name} must be a number, got {shown(value)}.")


def _check_pixels(function: str, name: str, value: int, least: int) -> int:
    """Return ``value`` if it is an integer of pixels from ``least`` on, or raise."""
    pixels = whole(value)
    if pixels is None or not least <= pixels <= MOST_PIXELS:
        limit = f" >= {least}" if least >= 0 else ""
        raise ValueError(f"{function}: {name} must be an integer{limit}, got {shown(value)}.")
    return pixels
