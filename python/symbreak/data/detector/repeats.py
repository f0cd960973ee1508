"""Repeated measurements of one pattern: moved onto one another, and added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import Bits, Counts, scipy_ndimage
from symbreak.data.detector.layouts import SATURATED
from symbreak.data.detector.repeat_moves import Part, interpolated
from symbreak.data.detector.repeat_shifts import BOX, part_shift, whole_shift
from symbreak.ops.checks import check_flag, shown

ENOUGH = 10.0  # counts from which on the root of a Poisson count has the variance 1/4
PASSES = 2

Align = Literal["parts", "whole", "none"]


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
    shifts: tuple[tuple[float, ...], ...]
    """By how many pixels of the grid each was moved."""
    exposures: tuple[float, ...]
    """Share of each in the counts where all measured."""
    differences: tuple[float, ...]
    """How far each is from the others, beyond photon noise: root of the squared distance of their
    amplitudes over its counts, where there are enough. 0: the same but for noise."""


def merge_patterns(
    patterns: Sequence[Measured], *, align: Align = "parts", halves: bool = False
) -> Merged:
    r"""Add up repeated measurements of one pattern: scans of one crystal, exposures of any length.

    Each is moved to where its amplitudes correlate best with those of the first one: by whole
    pixels, both masks considered (Padfield, IEEE Trans. Image Process. 21, 2706 (2012), as
    scikit-image has it), then by parts of a pixel (:func:`symbreak.subpixel.refine`), in the middle
    of the pattern, 256 pixels in 2D and 64 in 3D. Parts of a pixel are interpolated by splines of
    fifth order, which an oversampled pattern bears; what was not measured is filled in from the
    others for that, and together with its neighbours still counts as not measured. So the sum is
    worth all its photons; by whole pixels alone it is, where photons are many, worth less than a
    single scan (bench/merged_scans.py). A gap of the detector through the brightest speckles holds
    the scans back: by 0.1 pixels and more where it is as wide as they are.

    With w_k the share of measurement k in the counts of all, the sum is the most likely value of
    Poisson counts, of a pixel that some measured

        I = sum_k I_k / sum_k w_k,  over those k that measured it.

    So a long exposure and a short one, which saturates less, make one pattern without a hole.

    Args:
        patterns: Two or more on the same grid, `Prepared` or anything with ``intensity``, ``mask``
            and ``least``; raw counts, so that their noise is that of photons.
        align: ``"parts"`` of a pixel, ``"whole"`` pixels, or ``"none"``: they are added as they
            are.
        halves: Whether to add up every other one by itself as well: two measurements that share no
            photon but what fills gaps in for interpolation, to be phased and compared
            (:func:`symbreak.halves.compare_halves`).

    Returns:
        Merged: the sum, and how well its parts agree.

    Raises:
        TypeError: ``patterns`` are none, or ``halves`` is neither True nor False.
        ValueError: ``align`` is none of these, there is one pattern alone, they have different
            grids, or one has no counts, or none where all measured.
        ImportError: scikit-image or SciPy is not installed.

    Memory: some six arrays of the grid for each pattern.
    """
    if not isinstance(align, str) or align not in get_args(Align):
        known = ", ".join(get_args(Align))
        raise ValueError(f"merge_patterns: align must be one of {known}, got {shown(align)}.")
    halves = check_flag("merge_patterns", "halves", halves)
    parts = _checked(patterns)
    first, *others = parts
    zero = (0,) * first.counts.ndim
    whole = [zero]
    for number, other in enumerate(others, 2):
        whole.append(zero if align == "none" else whole_shift(first, other, number))
    moved = [part.moved(shift) for part, shift in zip(parts, whole, strict=True)]
    shares = _shares(moved)
    shifts: list[tuple[float, ...]] = [*whole]
    if align == "parts":
        for k, there in enumerate(whole[1:], 1):
            rest = part_shift(first, moved[k])
            shifts[k] = tuple(one + other for one, other in zip(there, rest, strict=True))
        for _ in range(PASSES):
            about = _filled(_sum(moved, shares))
            for k, share in enumerate(shares):
                moved[k] = interpolated(parts[k], shifts[k], about * share)
            shares = _shares(moved)
    both = (_sum(moved[::2], shares[::2]), _sum(moved[1::2], shares[1::2])) if halves else None
    return Merged(
        total=_sum(moved, shares),
        halves=both,
        shifts=tuple(shifts),
        exposures=tuple(shares.tolist()),
        differences=_differences(moved, shares),
    )


def _checked(patterns: Sequence[Measured]) -> list[Part]:
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
        part = Part(counts.astype(np.float64), bits.astype(np.uint32), least.astype(np.float64))
        parts.append(part)
        if not part.counts[part.valid].any():
            raise ValueError(f"merge_patterns: pattern {k} has no counts.")
    return parts


def _common(parts: Sequence[Part]) -> NDArray[np.bool_]:
    """Where all measured."""
    common: NDArray[np.bool_] = np.logical_and.reduce([part.valid for part in parts])
    return common


def _shares(parts: Sequence[Part]) -> NDArray[np.float64]:
    """The share of each in the counts where all measured."""
    common = _common(parts)
    counts = np.array([part.counts[common].sum() for part in parts])
    if not (counts > 0).all():
        which = int(np.flatnonzero(counts <= 0)[0]) + 1
        raise ValueError(
            f"merge_patterns: pattern {which} has no counts where all of them measured."
        )
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def _filled(total: Sum) -> Counts:
    """The sum, and where none measured the nearest pixel's."""
    unknown = total.mask != 0
    if not unknown.any():
        return total.intensity.astype(np.float64)
    transform = scipy_ndimage().distance_transform_edt
    nearest = transform(unknown, return_distances=False, return_indices=True)
    found: Counts = total.intensity.astype(np.float64)[tuple(nearest)]
    return found


def _sum(parts: Sequence[Part], shares: NDArray[np.float64]) -> Sum:
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
        counts = np.where(measured, counts * whole / exposed, 0).clip(min=0)
        least = np.where(bounded, least * whole / full, 0)
    bits[measured] = 0
    bits[bounded] = SATURATED
    return Sum(counts.astype(np.float32), bits, least.astype(np.float32))


def _differences(parts: Sequence[Part], shares: NDArray[np.float64]) -> tuple[float, ...]:
    """See `Merged.differences`; the variance of the root of a Poisson count is 1/4."""
    common, found = _common(parts), []
    total = np.sum([part.counts[common] for part in parts], axis=0)
    for part, share in zip(parts, shares, strict=True):
        ratio, counts = share / (1 - share), part.counts[common]
        rest = (total - counts).clip(min=0)
        enough = total * share >= ENOUGH
        squared = (np.sqrt(counts[enough].clip(min=0)) - np.sqrt(ratio * rest[enough])) ** 2
        excess = squared.sum() - enough.sum() * (1 + ratio) / 4
        counted = counts[enough].sum()
        found.append(float(np.sqrt(max(0.0, excess) / counted)) if counted > 0 else 0.0)
    return tuple(found)
