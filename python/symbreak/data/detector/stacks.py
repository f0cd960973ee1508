"""Frames of one detector, read one at a time; and what they are once they are cleaned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import Bits, Counts, clean_with_least, hot_pixels
from symbreak.data.detector.layouts import BAD, HOT

Box = tuple[slice, slice]
EVERYTHING: Box = (slice(None), slice(None))


class Stack(Protocol):
    """Frames in a file (`symbreak.data.detector.frames`) or in memory (:class:`ArrayStack`)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""

    def read(self, frame: int, box: Box) -> NDArray[Any]:
        """Counts of a part of one frame, any real type."""

    def rejected(self, frame: int, box: Box) -> Bits:
        """CXI bits of what the detector's mask says, 0 = measured."""


@dataclass(frozen=True)
class ArrayStack:
    """Frames in memory, for `prepare_pattern`.

    Attributes:
        frames: Counts, real ``(rows, columns)`` or ``(frames, rows, columns)``; NumPy's, or an HDF5
            dataset, of which one frame at a time is read.
        valid: bool ``(rows, columns)`` or like ``frames``, False = not measured; None = all were.

    Raises:
        TypeError: One of them is no array.
        ValueError: They are not of this kind, or empty.
    """

    frames: NDArray[Any]
    valid: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Check the kinds and the shapes."""
        for name, array in (("frames", self.frames), ("valid", self.valid)):
            if array is not None and not isinstance(getattr(array, "dtype", None), np.dtype):
                raise TypeError(
                    f"ArrayStack: {name} must be a NumPy array, got {type(array).__name__}."
                )
        shape = self.frames.shape
        if len(shape) not in (2, 3) or 0 in shape or self.frames.dtype.kind not in "iuf":
            raise ValueError(
                "ArrayStack: frames must be real, with 2 or 3 axes, and not empty, got "
                f"{self.frames.dtype} {shape}."
            )
        if self.valid is not None and self.valid.shape not in (shape, shape[-2:]):
            raise ValueError(
                f"ArrayStack: valid must have the shape of frames, {shape}, or of one of them, "
                f"got {self.valid.shape}."
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        rows, columns = self.frames.shape[-2:]
        return (len(self.frames) if self.frames.ndim == 3 else 1, rows, columns)

    def read(self, frame: int, box: Box) -> NDArray[Any]:
        """Counts of a part of one frame."""
        return (self.frames if self.frames.ndim == 2 else self.frames[frame])[box]

    def rejected(self, frame: int, box: Box) -> Bits:
        """`BAD` where ``valid`` is False."""
        if self.valid is None:
            return np.zeros(self.read(frame, box).shape, dtype=np.uint32)
        valid = self.valid if self.valid.ndim == 2 else self.valid[frame]
        return np.where(valid[box], 0, BAD).astype(np.uint32)


@dataclass(frozen=True)
class Cleaner:
    """The same cleaning for every frame; arguments as those of `clean`."""

    background: float | Counts = 0.0
    flat: float | Counts = 1.0
    saturation: float | None = None

    def __call__(
        self, stack: Stack, frame: int, box: Box = EVERYTHING
    ) -> tuple[Counts, Bits, Counts]:
        """Read and clean a part of a frame, as `clean_with_least`."""
        under, flat = (
            values[box] if isinstance(values, np.ndarray) else values
            for values in (self.background, self.flat)
        )
        return clean_with_least(
            stack.read(frame, box),
            stack.rejected(frame, box),
            background=under,
            flat=flat,
            saturation=self.saturation,
        )


@dataclass(frozen=True)
class Survey:
    """What all frames together show, ``(rows, columns)``."""

    image: Counts
    """Sum of the frames, each without its pixels that were not measured; below 0 where more
    background was subtracted than there was."""
    least: Counts
    """The same with what saturated pixels had at least."""
    ever: Bits
    """CXI bits that a pixel has in any frame."""
    always: Bits
    """The same where it was measured in no frame, else 0."""
    hot: NDArray[np.bool_]
    """Pixels found to be hot, in ``ever`` and ``always`` already."""
    unmeasured: tuple[int, ...]
    """Frames of which no pixel was measured."""
    empty: tuple[int, ...]
    """Frames of which no measured pixel is above 0."""


def survey(
    stack: Stack, cleaner: Cleaner, hot: float | None, tell: Callable[[int], None]
) -> Survey:
    """Read every frame once.

    Args:
        stack: The frames.
        cleaner: What to do with each.
        hot: See `hot_pixels`; None marks none.
        tell: Called with the number of frames read.
    """
    count, rows, columns = stack.shape
    image, least = np.zeros((rows, columns)), np.zeros((rows, columns))
    ever = np.zeros((rows, columns), dtype=np.uint32)
    seen = np.zeros((rows, columns), dtype=bool)
    unmeasured, empty = [], []
    for frame in range(count):
        counts, bits, at_least = cleaner(stack, frame)
        image += counts
        least += at_least
        ever |= bits
        seen |= bits == 0
        if bits.all():
            unmeasured.append(frame)
        elif not (counts > 0).any():
            empty.append(frame)
        tell(frame + 1)
    found = np.zeros_like(seen)
    if hot is not None:
        found = hot_pixels(image, np.where(seen, 0, ever).astype(np.uint32), hot)
        image[found] = 0
        ever[found] |= HOT
        seen &= ~found
    always = np.where(seen, 0, ever).astype(np.uint32)
    return Survey(image, least, ever, always, found, tuple(unmeasured), tuple(empty))
