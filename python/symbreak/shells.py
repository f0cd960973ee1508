"""Shells of spatial frequency: sums over them, and how far two spectra agree in each."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from symbreak.ops.checks import check_beside, check_object, dtype_name, shown
from symbreak.ops.frequencies import frequency_radius
from symbreak.ops.numbers import is_number

HALF_BIT = 0.2071  # signal over noise of each half: half a bit per pixel of both together
FEWEST = 2  # independent pixels; of one the threshold is 1, which noise alone falls short of


class ShellCorrelation(NamedTuple):
    """What :func:`fourier_shell_correlation` returns, one entry per shell."""

    frequency: Tensor
    """Mean |f| of the shell's pixels, float64: cycles per pixel of the object, or per unit of
    length where ``steps`` were given."""
    correlation: Tensor
    """Fourier shell correlation, float64 in [-1, 1]; NaN where one of the two is zero."""
    threshold: Tensor
    """Half-bit threshold of the shell, float64; NaN where too few pixels are independent."""
    pixels: Tensor
    """How many pixels the shell holds, int64."""
    limit: float
    """Frequency up to which shells are whole: 0.5 cycles per pixel, or that of the coarsest voxel
    axis per unit of length."""

    @property
    def expected(self) -> Tensor:
        """Correlation with the truth of what all the photons show, float64 per shell.

        C = sqrt(2 FSC / (1 + FSC)), 0 where the FSC is below 0, if the errors of the two halves are
        independent (Rosenthal and Henderson, J. Mol. Biol. 333, 721 (2003)). What both halves get
        wrong in the same way is not in it.
        """
        shared = self.correlation.clamp(min=0)
        return (2 * shared / (1 + shared)).sqrt()

    def resolution(self) -> float:
        """Frequency at which the correlation first falls below the half-bit threshold.

        Returns:
            In the unit of ``frequency``, interpolated linearly between shells; ``limit`` if it
            never falls, the first shell's if it is below from the start.
        """
        return first_below(self.frequency, self.correlation - self.threshold, 0.0, self.limit)


def fourier_shell_correlation(
    first: Tensor,
    second: Tensor,
    *,
    filled: float = 1.0,
    steps: Tensor | None = None,
    ndim: int = 2,
) -> ShellCorrelation:
    """Correlation of two aligned objects in shells of spatial frequency; in 2D that of rings.

        FSC(q) = Re sum_shell F a conj(F b) / sqrt(sum_shell |F a|^2  sum_shell |F b|^2)

    1 where both agree, about 0 where they have nothing in common (Saxton and Baumeister, J.
    Microsc. 127, 127 (1982)). Of reconstructions of independent data it tells up to which frequency
    they can be trusted: down to the half-bit threshold (van Heel and Schatz, J. Struct. Biol. 151,
    250 (2005)),

        T = (s + (2 sqrt(s) + 1) / sqrt(n)) / (s + 1 + 2 sqrt(s / n)),  s = 0.2071,

    n the independent pixels of the shell, where these are 2 or more. Shells are one pixel of the
    pattern wide, by its longest step, and end where the first axis does.

    Args:
        first: complex ``(*grid)``, 0 outside its support.
        second: The same, aligned to ``first``: shift, twin and phase (`symbreak.align` and
            `symbreak.subpixel.refine`).
        filled: Part of the grid that the object fills, in (0, 1]: of the pixels of an oversampled
            spectrum only so many are independent.
        steps: From one pixel of the pattern to the next along every axis, floating point
            ``(ndim, d)``, cycles per unit of length; they need not be at right angles. None:
            frequencies in cycles per pixel of the object.
        ndim: 2 or 3.

    Returns:
        ShellCorrelation: per shell frequency, correlation, threshold and number of pixels.

    Raises:
        TypeError: ``first`` is not complex, ``second`` of another dtype, or ``steps`` are no
            floating point tensor.
        ValueError: They are not ``(*grid)``, the grids or devices differ, or ``filled`` or
            ``steps`` are out of their range.

    Not meant to be differentiated. Cost: two FFTs in complex128.

    Example:
        >>> x = symbreak.data.crystals(1, 32)[0]
        >>> round(fourier_shell_correlation(x, x).resolution(), 2)
        0.5
    """
    name = "fourier_shell_correlation"
    ndim = check_object(name, "first", first, ndim)
    if first.dim() != ndim:
        raise ValueError(f"{name}: first must be one object, got shape {tuple(first.shape)}.")
    check_beside(name, "second", second, first, ndim)
    if second.dtype != first.dtype:
        raise TypeError(
            f"{name}: second must have the dtype of first, {dtype_name(first.dtype)}, got "
            f"{dtype_name(second.dtype)}."
        )
    if not is_number(filled) or not 0 < filled <= 1:
        raise ValueError(f"{name}: filled must be in (0, 1], got {shown(filled)}.")
    if steps is not None:
        _check_steps(name, steps, ndim)
    shells = Shells(tuple(first.shape), steps=steps, device=first.device)
    a, b = (torch.fft.fftn(x.to(torch.complex128)) for x in (first, second))
    power = shells.total(a.abs().square()) * shells.total(b.abs().square())
    correlation = shells.total((a * b.conj()).real) / power.sqrt()
    pixels = shells.pixels
    kept = pixels > 0
    return ShellCorrelation(
        frequency=shells.frequency[kept].cpu(),
        correlation=correlation[kept].cpu(),
        threshold=half_bit(filled * pixels[kept]).cpu(),
        pixels=pixels[kept].long().cpu(),
        limit=shells.limit,
    )


def half_bit(independent: Tensor) -> Tensor:
    """The half-bit threshold T of shells with so many independent pixels, see above; or NaN."""
    noise = 1 / independent.double().sqrt()
    root = HALF_BIT**0.5
    threshold: Tensor = (HALF_BIT + (2 * root + 1) * noise) / (HALF_BIT + 1 + 2 * root * noise)
    return torch.where(independent >= FEWEST, threshold, torch.nan)


class Shells:
    """Shells one pixel of frequency wide around zero frequency, DC at index 0.

    Args:
        grid: M per axis.
        valid: bool ``(*grid)``, the pixels that count; None: all.
        steps: See `fourier_shell_correlation`; None: cycles per pixel of the object, shells
            1 / min(M) wide, up to 0.5.
        device: Of what will be summed.
    """

    def __init__(
        self,
        grid: tuple[int, ...] | torch.Size,
        *,
        valid: Tensor | None = None,
        steps: Tensor | None = None,
        device: torch.device | None = None,
    ) -> None:
        if steps is None:
            radius, scale, self.limit = frequency_radius(grid, device), float(min(grid)), 0.5
        else:
            radius = _radius(grid, steps.to(device, torch.float64))
            scale = 1 / float(torch.linalg.vector_norm(steps.double(), dim=1).max())
            # Planes of the pattern's edge lie at half a cycle per voxel.
            voxel = torch.linalg.pinv(steps.double()).T / torch.tensor(grid).to(steps)[:, None]
            self.limit = 0.5 / float(torch.linalg.vector_norm(voxel, dim=1).max())
        inside = radius <= self.limit
        shell = (radius * scale).round().long()
        self._inside = inside if valid is None else inside & valid
        self._shell = shell[self._inside]
        self._count = int(self.limit * scale) + 2
        self.pixels = self.total(torch.ones_like(radius))
        """How many pixels each shell holds, float64."""
        self.frequency = self.total(radius) / self.pixels
        """Their mean |f|, float64; NaN where there are none."""

    def total(self, values: Tensor) -> Tensor:
        """Sum real values ``(*grid)`` over each shell, float64."""
        sums = torch.zeros(self._count, dtype=torch.float64, device=values.device)
        return sums.index_add_(0, self._shell, values[self._inside].double())


def first_below(frequency: Tensor, values: Tensor, level: float, limit: float) -> float:
    """Where a curve first falls below a level, interpolated linearly; ``limit`` if nowhere.

    Args:
        frequency: float64 ``(shells,)``, increasing.
        values: The same; what is NaN is left out.
        level: The level.
        limit: What is said of a curve that stays above.
    """
    known = ~values.isnan()
    f, t = frequency[known], values[known]
    below = (t < level).nonzero().flatten()
    if not len(below):
        return limit
    k = int(below[0])
    if k == 0:
        return float(f[0])
    part = (t[k - 1] - level) / (t[k - 1] - t[k])
    return float(f[k - 1] + part * (f[k] - f[k - 1]))


def _radius(grid: tuple[int, ...] | torch.Size, steps: Tensor) -> Tensor:
    """|sum_i n_i steps_i|, float64 ``(*grid)``."""
    place = torch.zeros(steps.shape[1], dtype=torch.float64, device=steps.device)
    for axis, size in enumerate(grid):
        n = torch.fft.fftfreq(size, 1 / size, dtype=torch.float64, device=steps.device)
        along = [1] * len(grid) + [1]
        along[axis] = size
        place = place + n.reshape(along) * steps[axis]
    radius: Tensor = torch.linalg.vector_norm(place, dim=-1)
    return radius


def _check_steps(function: str, steps: Tensor, ndim: int) -> None:
    if not isinstance(steps, Tensor) or not steps.is_floating_point():
        given = dtype_name(steps.dtype) if isinstance(steps, Tensor) else type(steps).__name__
        raise TypeError(f"{function}: steps must be a floating point tensor, got {given}.")
    if steps.dim() != 2 or len(steps) != ndim or steps.shape[1] < ndim:
        raise ValueError(
            f"{function}: steps must have {ndim} rows of as many numbers at least, got shape "
            f"{tuple(steps.shape)}."
        )
    if not bool(steps.isfinite().all()) or int(torch.linalg.matrix_rank(steps.double())) < ndim:
        raise ValueError(f"{function}: steps must be finite and span {ndim} dimensions.")
