"""Repeated measurements of one pattern: moved onto one another by whole pixels, and added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import Bits, Counts
from symbreak.data.detector.layouts import MISSING, SATURATED
from symbreak.ops.checks import check_flag, shown

BOX = {2: 256, 3: 64}  # edge of the middle part in which shifts are looked for, by axes
ENOUGH = 10.0  # counts from which on the root of a Poisson count has the variance 1/4


class Measured(Protocol):
    """A pattern on its grid, zero frequency at index M // 2, as `prepare_pattern` returns it."""

    @property
    def intensity(self) -> NDArray[np.float32]:
        """Counts ``(*grid)``, 0 where not measured."""

    @property
    def mask(self) -> Bits:
        """CXI bits ``(*grid)``, 0 = measured."""

    @property
    def least(self) -> NDArray[np.float32]:
        """Counts ``(*grid)`` that saturated pixels have at least; else 0."""


@dataclass(frozen=True)
class Sum:
    """Measurements added up; itself a pattern like those."""

    intensity: NDArray[np.float32]
    """What all exposures together would have counted ``(*grid)``; 0 where none measured."""
    mask: Bits
    """CXI bits ``(*grid)``: 0 where one or more measured, else what the others say."""
    least: NDArray[np.float32]
    """Counts ``(*grid)`` that there were at least where all that know anything were saturated."""


@dataclass(frozen=True)
class Merged:
    """What :func:`merge_patterns` returns."""

    total: Sum
    """All of them."""
    halves: tuple[Sum, Sum] | None
    """The first, third, ... and the second, fourth, ..., where asked for."""
    shifts: tuple[tuple[int, ...], ...]
    """By how many pixels of the grid each was moved."""
    exposures: tuple[float, ...]
    """Share of each in the counts where all measured."""
    differences: tuple[float, ...]
    """How far each is from the others, beyond photon noise: root of the squared distance of their
    amplitudes over its counts, where there are enough. 0: the same but for noise."""


def merge_patterns(
    patterns: Sequence[Measured], *, align: bool = True, halves: bool = False
) -> Merged:
    r"""Add up repeated measurements of one pattern: scans of one crystal, exposures of any length.

    Each is moved by whole pixels to where its amplitudes correlate best with those of the first
    one, both masks considered (Padfield, IEEE Trans. Image Process. 21, 2706 (2012), as
    scikit-image has it; in the middle of the pattern, 256 pixels in 2D and 64 in 3D). Parts of a
    pixel are left, since interpolation would spread the noise of bright pixels over faint ones.

    With w_k the share of measurement k in the counts of all, the sum is the most likely value of
    Poisson counts, of a pixel that some measured

        I = sum_k I_k / sum_k w_k,  over those k that measured it.

    So a long exposure and a short one, which saturates less, make one pattern without a hole.

    Args:
        patterns: Two or more on the same grid, `Prepared` or anything with ``intensity``, ``mask``
            and ``least``; raw counts, so that their noise is that of photons.
        align: Whether to look for shifts.
        halves: Whether to add up every other one by itself as well: two measurements that share no
            photon, to be phased and compared (:func:`symbreak.halves.compare_halves`).

    Returns:
        Merged: the sum, and how well its parts agree.

    Raises:
        TypeError: ``patterns`` are none, or ``align`` or ``halves`` is neither True nor False.
        ValueError: There is one alone, they have different grids, or one has no counts, or none
            where all measured.
        ImportError: scikit-image is not installed.

    Memory: five arrays of the grid for each pattern.
    """
    align = check_flag("merge_patterns", "align", align)
    halves = check_flag("merge_patterns", "halves", halves)
    parts = _checked(patterns)
    first, *others = parts
    zero = (0,) * first.counts.ndim
    shifts = [zero]
    for number, other in enumerate(others, 2):
        shifts.append(_shift(first, other, number) if align else zero)
    moved = [part.moved(shift) for part, shift in zip(parts, shifts, strict=True)]
    common = np.logical_and.reduce([part.valid for part in moved])
    counts = np.array([part.counts[common].sum() for part in moved])
    if not (counts > 0).all():
        which = int(np.flatnonzero(counts <= 0)[0]) + 1
        raise ValueError(
            f"merge_patterns: pattern {which} has no counts where all of them measured."
        )
    shares = counts / counts.sum()
    both = (_sum(moved[::2], shares[::2]), _sum(moved[1::2], shares[1::2])) if halves else None
    return Merged(
        total=_sum(moved, shares),
        halves=both,
        shifts=tuple(shifts),
        exposures=tuple(shares.tolist()),
        differences=_differences([part.counts[common] for part in moved], shares),
    )


@dataclass(frozen=True)
class _Part:
    counts: Counts
    bits: Bits
    least: Counts

    @property
    def valid(self) -> NDArray[np.bool_]:
        valid: NDArray[np.bool_] = self.bits == 0
        return valid

    def moved(self, shift: Sequence[int]) -> _Part:
        """What comes in at the edges was not measured."""
        if not any(shift):
            return self
        bits = _moved(self.bits, shift, MISSING)
        return _Part(_moved(self.counts, shift, 0), bits, _moved(self.least, shift, 0))


def _checked(patterns: Sequence[Measured]) -> list[_Part]:
    if not isinstance(patterns, Sequence) or isinstance(patterns, str):
        raise TypeError(f"merge_patterns: patterns must be a list, got {shown(patterns)}.")
    if len(patterns) < 2:
        raise ValueError(f"merge_patterns: two patterns or more are needed, got {len(patterns)}.")
    parts = []
    for k, given in enumerate(patterns, 1):
        try:
            arrays = tuple(np.asarray(x) for x in (given.intensity, given.mask, given.least))
        except AttributeError as error:
            raise TypeError(
                f"merge_patterns: pattern {k} must have intensity, mask and least, got "
                f"{type(given).__name__}."
            ) from error
        counts, bits, least = arrays
        grid = np.shape(patterns[0].intensity)
        if counts.ndim not in BOX or any(array.shape != grid for array in arrays):
            raise ValueError(
                f"merge_patterns: patterns must be 2D or 3D, on one grid, got {counts.shape} for "
                f"pattern {k} and {grid} for the first."
            )
        part = _Part(counts.astype(np.float64), bits.astype(np.uint32), least.astype(np.float64))
        parts.append(part)
        if not part.counts[part.valid].any():
            raise ValueError(f"merge_patterns: pattern {k} has no counts.")
    return parts


def _shift(reference: _Part, other: _Part, number: int) -> tuple[int, ...]:
    """By how many pixels to move ``other``."""
    try:
        from skimage.registration import phase_cross_correlation
    except ImportError as error:
        raise ImportError(
            "merge_patterns: scikit-image is not installed: pip install 'symbreak[data]'."
        ) from error
    edge = BOX[reference.counts.ndim]
    box = tuple(slice(max(0, m // 2 - edge // 2), m // 2 + edge // 2) for m in other.counts.shape)
    images = [np.sqrt(part.counts[box]) for part in (reference, other)]
    masks = [part.valid[box] for part in (reference, other)]
    if not all(image[mask].any() for image, mask in zip(images, masks, strict=True)):
        raise ValueError(
            f"merge_patterns: pattern {number} or the first one has no counts in its middle, "
            "by which it could be aligned."
        )
    register: Any = phase_cross_correlation
    found = register(*images, reference_mask=masks[0], moving_mask=masks[1], overlap_ratio=0.5)
    return tuple(round(float(step)) for step in found[0])


def _moved(array: NDArray[Any], shift: Sequence[int], empty: int) -> NDArray[Any]:
    """The array moved, ``empty`` where nothing comes in."""
    moved = np.full_like(array, empty)
    to = tuple(slice(max(0, s), n + min(0, s)) for s, n in zip(shift, array.shape, strict=True))
    of = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(shift, array.shape, strict=True))
    moved[to] = array[of]
    return moved


def _sum(parts: Sequence[_Part], shares: NDArray[np.float64]) -> Sum:
    """All of them, in the counts that they would have together; the docstring has the formula."""
    whole = shares.sum()
    exposed, counts = (np.zeros(parts[0].counts.shape) for _ in range(2))
    full, least = (np.zeros(parts[0].counts.shape) for _ in range(2))
    bits = np.zeros_like(parts[0].bits)
    for part, share in zip(parts, shares, strict=True):
        exposed += share * part.valid
        counts += np.where(part.valid, part.counts, 0)
        saturated = (part.bits == SATURATED) & (part.least > 0)
        full += share * saturated
        least += np.where(saturated, part.least, 0)
        bits |= part.bits
    measured, bounded = exposed > 0, (exposed == 0) & (full > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        counts = np.where(measured, counts * whole / exposed, 0)
        least = np.where(bounded, least * whole / full, 0)
    bits[measured] = 0
    bits[bounded] = SATURATED
    return Sum(counts.astype(np.float32), bits, least.astype(np.float32))


def _differences(parts: Sequence[Counts], shares: NDArray[np.float64]) -> tuple[float, ...]:
    """See `Merged.differences`; the variance of the root of a Poisson count is 1/4."""
    total, found = np.sum(parts, axis=0), []
    for part, share in zip(parts, shares, strict=True):
        ratio = share / (1 - share)
        rest = (total - part).clip(min=0)
        enough = total * share >= ENOUGH
        squared = (np.sqrt(part[enough].clip(min=0)) - np.sqrt(ratio * rest[enough])) ** 2
        excess = squared.sum() - enough.sum() * (1 + ratio) / 4
        counted = part[enough].sum()
        found.append(float(np.sqrt(max(0.0, excess) / counted)) if counted > 0 else 0.0)
    return tuple(found)
