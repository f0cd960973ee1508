"""By how much repeated measurements of one pattern have drifted."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import scipy_ndimage
from symbreak.data.detector.repeat_moves import Part
from symbreak.subpixel import refine

BOX = {2: 256, 3: 64}  # edge of the middle part in which shifts are looked for, by axes
CLOSE = 1e-3  # pixels
ROUNDS = 30


def _registration() -> Any:
    try:
        from skimage.registration import phase_cross_correlation
    except ImportError as error:
        raise ImportError(
            "merge_patterns: scikit-image is not installed: pip install 'symbreak[data]'."
        ) from error
    return phase_cross_correlation


def _middle(part: Part) -> tuple[slice, ...]:
    """The box in which shifts are looked for."""
    edge = BOX[part.counts.ndim]
    return tuple(slice(max(0, m // 2 - edge // 2), m // 2 + edge // 2) for m in part.counts.shape)


def whole_shift(reference: Part, other: Part, number: int) -> tuple[int, ...]:
    """By how many pixels to move ``other``."""
    register, box = _registration(), _middle(reference)
    images = [np.sqrt(part.counts[box].clip(min=0)) for part in (reference, other)]
    masks = [part.valid[box] for part in (reference, other)]
    if not all(image[mask].any() for image, mask in zip(images, masks, strict=True)):
        raise ValueError(
            f"merge_patterns: pattern {number} or the first one has no counts in its middle, "
            "by which it could be aligned."
        )
    found = register(*images, reference_mask=masks[0], moving_mask=masks[1], overlap_ratio=0.5)
    return tuple(round(float(step)) for step in found[0])


def part_shift(reference: Part, other: Part) -> tuple[float, ...]:
    """By how many parts of a pixel to move ``other``, which lies right but for these.

    What one of them has not measured is taken from the other, moved by what has been found. So a
    wrong shift is half believed, and the fixed point of this is approached by secants (Anderson, J.
    ACM 12, 547 (1965), with one step of memory).
    """
    box = _middle(reference)
    a, b = (np.sqrt(part.counts[box].clip(min=0)) for part in (reference, other))
    known, there = reference.valid[box], other.valid[box]
    both = known & there
    b = b * (a[both].sum() / max(b[both].sum(), 1e-30))
    first = np.where(known, a, np.where(there, b, 0))
    second = np.where(there, b, np.where(known, a, 0))
    shift, last = np.zeros(a.ndim), None
    move = scipy_ndimage().shift
    for _ in range(ROUNDS):
        found = refine(_complex(second), _complex(first), ndim=a.ndim).shift.numpy()
        rest = found - shift
        if both.all() or np.abs(rest).max() < CLOSE:
            return tuple(found.tolist())
        step = found
        if last is not None and (change := rest - last[1]).any():
            step = found - (rest @ change) / (change @ change) * (found - last[0])
        shift, last = np.clip(step, -1, 1), (found, rest)
        first = np.where(known, a, move(second, shift, order=3, mode="nearest"))
        second = np.where(there, b, move(first, -shift, order=3, mode="nearest"))
    return tuple(shift.tolist())


def _complex(image: NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(image.astype(np.complex128))
