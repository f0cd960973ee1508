"""Simulated phasing problems: compact complex objects on an oversampled grid, their amplitudes."""

import torch
from conftest import threads

from symbreak import Shrinkwrap
from symbreak.reference.reconstruct import reconstruct as reference_reconstruct


def objects(count, grid, *, generator):
    """Smooth complex content in a lopsided convex region, at the corner of the grid; complex128."""
    axes = torch.meshgrid(*[torch.arange(n, dtype=torch.float64) for n in grid], indexing="ij")
    inside = sum(k / (0.45 * n) for k, n in zip(axes, grid, strict=True)) <= 1.0
    inside &= axes[0] < 0.3 * grid[0]
    modulus = 0.5 + torch.rand((count, *grid), dtype=torch.float64, generator=generator)
    slope = torch.rand((count, len(grid)), dtype=torch.float64, generator=generator)
    phase = sum(
        2 * slope[:, i].reshape(-1, *[1] * len(grid)) * axis / grid[i] * 3.1
        for i, axis in enumerate(axes)
    )
    return torch.polar(modulus, phase) * inside, inside


def noisy_patterns(grid, dtype, *, generator):
    """Amplitudes of two noisy patterns on a grid, where they were measured, and their support."""
    x, inside = objects(2, grid, generator=generator)
    a = amplitudes(x, len(grid))
    a = a * (1 + 0.05 * torch.rand(a.shape, dtype=a.dtype, generator=generator))
    valid = torch.rand(a.shape, generator=generator) > 0.1
    return a.to(dtype), valid, inside


def amplitudes(x, ndim=2):
    return torch.fft.fftn(x, dim=tuple(range(-ndim, 0))).abs()


def relative(found, expected, ndim=2):
    """Largest relative L2 difference of any image."""
    return float(relative_each(found, expected, ndim).max())


def relative_each(found, expected, ndim=2):
    """Relative L2 difference of every image."""
    axes = tuple(range(-ndim, 0))
    difference = (found - expected).abs().square().sum(axes).sqrt()
    return difference / expected.abs().square().sum(axes).sqrt()


def in_parts(reconstruct, a, schedule, counts, **options):
    """A schedule of one algorithm, ``counts`` iterations at a time."""
    done, found = 0, None
    for count in counts:
        if found is not None:
            options |= {"initial": found.object, "support": found.support}
        part = (done, sum(counts) - done - count)
        found = reconstruct(a, f"{count}*{schedule}", part=part, **options)
        done += count
    return found


def oracle(amplitude, schedule, **options):
    """The reference in float64, whatever the type of the problem."""
    if options.get("initial") is not None:
        options["initial"] = options["initial"].to(torch.complex128)
    with threads(1):  # those of torch mostly wait for one another where other tests run beside
        return reference_reconstruct(amplitude.double(), schedule, **options)


# Shrinkwrap, whether zero frequency is measured, and above which part the first support is.
FIRST_SUPPORTS = [(Shrinkwrap(), False, 0.15), (Shrinkwrap(), True, 0.04), (None, False, 0.04)]


def first_support(amplitude, valid, part, starts, ndim):
    """Where each item's autocorrelation is above this part of its maximum, for every start."""
    axes = tuple(range(-ndim, 0))
    a = torch.where(valid, amplitude.double(), 0)
    autocorrelation = torch.fft.ifftn(a.square(), dim=axes).abs()
    inside = autocorrelation > part * autocorrelation.amax(axes, keepdim=True)
    return torch.stack(starts * [inside], dim=-ndim - 1)
