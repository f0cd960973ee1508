"""Pairs amplitude -> object to learn from, in memory or in HDF5, symmetries broken or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from symbreak import break_symmetry, fourier_amplitude

Ambiguous = Literal["drop", "keep", "raise"]
Batch = tuple[Tensor, Tensor, Tensor]

# Objects of a file looked at together for ambiguity.
CHUNK = 1024


class PairSource(Protocol):
    """What a training needs of its data; also a map-style dataset of PyTorch."""

    @property
    def object_shape(self) -> tuple[int, ...]:
        """N per axis."""

    @property
    def measurement_shape(self) -> tuple[int, ...]:
        """M per axis."""

    def __len__(self) -> int:
        """Number of pairs."""

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch: amplitudes ``(batch, *M)``, objects ``(batch, *N)``, the indices as int64.

        All on one device.

        A negative index counts from the end, as with a list.
        """


@dataclass(frozen=True)
class Pairs:
    """Pairs held in memory, on any device."""

    amplitude: Tensor
    """Real ``(items, *M)``, DC at index 0."""
    object: Tensor
    """Complex ``(items, *N)``."""

    def __post_init__(self) -> None:
        """Check that there are as many amplitudes as objects, on one device."""
        if len(self.amplitude) != len(self.object):
            raise ValueError(
                f"Pairs: amplitude and object must have as many items, got {len(self.amplitude)} "
                f"and {len(self.object)}."
            )

    @property
    def object_shape(self) -> tuple[int, ...]:
        """N per axis."""
        return tuple(self.object.shape[1:])

    @property
    def measurement_shape(self) -> tuple[int, ...]:
        """M per axis."""
        return tuple(self.amplitude.shape[1:])

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.object)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One pair."""
        return self.amplitude[index], self.object[index]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch, see `PairSource`; one gather on the device where the data are."""
        here = torch.tensor(indices, dtype=torch.int64)
        if self.object.is_cuda:  # a copy from pinned memory waits for nothing the GPU still does
            here = here.pin_memory().to(self.object.device, non_blocking=True)
        return self.amplitude[here], self.object[here], here

    def to(self, device: torch.device | str) -> Pairs:
        """Copy to a device."""
        return Pairs(self.amplitude.to(device), self.object.to(device))

    def head(self, count: int) -> Pairs:
        """Take the first ``count`` pairs, without a copy."""
        return Pairs(self.amplitude[:count], self.object[:count])


def make_pairs(
    objects: Tensor,
    *,
    broken: bool = False,
    rule: str = "angle",
    ambiguous: Ambiguous = "drop",
    oversampling: int = 2,
) -> Pairs:
    """Simulate the amplitudes of objects and pair both.

    Args:
        objects: complex64 ``(items, *N)`` in 2 or 3 dimensions.
        broken: Replace the objects by their canonical forms, as `symbreak.break_symmetry` does.
            Their amplitudes are the same.
        rule: Rule of the conjugate flip.
        ambiguous: What to do, if ``broken``, with objects that have no canonical form, whose label
            would be an accident of rounding: ``"drop"`` them, ``"keep"`` them or ``"raise"``.
        oversampling: M / N.

    Raises:
        ValueError: An object is ambiguous and should raise, none is left, or ``objects`` has
            another number of axes.

    Not differentiable. Memory: amplitudes and objects.
    """
    if not isinstance(objects, Tensor) or objects.dim() not in (3, 4):
        given = tuple(objects.shape) if isinstance(objects, Tensor) else type(objects).__name__
        raise ValueError(f"make_pairs: objects must be a tensor (items, *N), got {given}.")
    ndim = objects.dim() - 1
    amplitude = fourier_amplitude(objects, oversampling=oversampling, ndim=ndim)
    if not broken:
        return Pairs(amplitude, objects)
    found = break_symmetry(objects, ndim=ndim, rule=rule)
    keep = _kept("make_pairs", found.ambiguous, ambiguous)
    return Pairs(amplitude[keep], found.object[keep])


class FilePairs:
    """Pairs read batch by batch from an HDF5 file, such as `symbreak simulate` writes.

    The file holds ``object``, complex ``(items, *N)``, and ``amplitude``, real ``(items, *M)``;
    without the latter, as `symbreak break` leaves it, amplitudes are simulated twofold
    oversampled. Where there is a dataset ``ambiguous``, it tells the ambiguous objects.

    Args:
        path: The file.
        broken: Break the symmetries of every batch as it is read.
        rule: Rule of the conjugate flip.
        ambiguous: As in `make_pairs`, for objects marked in the file or found by one pass through
            it if ``broken``.
        ndim: Axes of one object, 2 or 3.

    Raises:
        OSError: The file cannot be read.
        ValueError: It does not hold such data, or see `make_pairs`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        broken: bool = False,
        rule: str = "angle",
        ambiguous: Ambiguous = "drop",
        ndim: int = 2,
    ) -> None:
        self.path, self.broken, self.rule, self.ndim = Path(path), broken, rule, ndim
        self._file: Any = None
        datasets = self._open()
        objects, amplitude = datasets.get("object"), datasets.get("amplitude")
        if not _is_stack(objects, "c", ndim):
            other = 5 - ndim
            hint = f"; of {other}D objects: ndim={other}" if _is_stack(objects, "c", other) else ""
            raise ValueError(
                f"{path}: needs a complex dataset 'object' with {ndim + 1} axes{hint}."
            )
        if amplitude is not None:
            if not _is_stack(amplitude, "fiu", ndim):
                raise ValueError(f"{path}: 'amplitude' must be real, with {ndim + 1} axes.")
            if len(amplitude) != len(objects):
                raise ValueError(f"{path}: 'amplitude' does not fit 'object', {amplitude.shape}.")
        self.object_shape: tuple[int, ...] = objects.shape[1:]
        self.measurement_shape: tuple[int, ...] = (
            tuple(2 * n for n in self.object_shape) if amplitude is None else amplitude.shape[1:]
        )
        least = tuple(2 * n - 1 for n in self.object_shape)
        if any(m < n for m, n in zip(self.measurement_shape, least, strict=True)):
            raise ValueError(
                f"{path}: amplitudes need M >= 2N - 1 = {least}, got {self.measurement_shape}."
            )
        keep = _kept(str(path), self._ambiguous(), ambiguous)
        self._rows = keep.nonzero().flatten().numpy()
        self.dropped = int((~keep).sum())
        self._close()  # so that a copy in another process opens its own

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._rows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One pair."""
        amplitude, objects, _ = self.__getitems__([index])
        return amplitude[0], objects[0]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch, see `PairSource`."""
        datasets = self._open()
        # HDF5 reads increasing rows, each once.
        rows, back = np.unique(self._rows[np.asarray(indices)], return_inverse=True)
        objects = torch.from_numpy(datasets["object"][rows].astype(np.complex64)[back])
        if "amplitude" in datasets:
            amplitude = torch.from_numpy(datasets["amplitude"][rows].astype(np.float32)[back])
        else:
            amplitude = fourier_amplitude(objects, ndim=self.ndim)
        for name, values in (("amplitude", amplitude), ("object", objects)):
            good = values.isfinite().flatten(1).all(1)
            if not bool(good.all()):
                item = int(self._rows[np.asarray(indices)[int((~good).nonzero()[0])]])
                raise ValueError(f"{self.path}: {name} must be finite, item {item} is not.")
        if self.broken:
            objects = break_symmetry(objects, ndim=self.ndim, rule=self.rule).object
        return amplitude, objects, torch.tensor(indices, dtype=torch.int64)

    def load(self) -> Pairs:
        """Read everything into memory."""
        amplitude, objects, _ = self.__getitems__(range(len(self)))
        return Pairs(amplitude, objects)

    def __getstate__(self) -> dict[str, Any]:
        """An open file does not travel to another process."""
        return {**self.__dict__, "_file": None}

    def _open(self) -> Any:
        if self._file is None:
            from symbreak.data.files.arrays import open_hdf5

            self._file = open_hdf5(self.path)
        return self._file

    def _close(self) -> None:
        self._file.close()
        self._file = None

    def _ambiguous(self) -> Tensor:
        datasets = self._open()
        found = torch.zeros(len(datasets["object"]), dtype=torch.bool)
        if "ambiguous" in datasets:
            marks = datasets["ambiguous"]
            if getattr(marks, "shape", None) != tuple(found.shape) or marks.dtype.kind not in "biu":
                raise ValueError(
                    f"{self.path}: 'ambiguous' must be {len(found)} booleans, one per object."
                )
            found |= torch.from_numpy(datasets["ambiguous"][()].astype(bool))
        if self.broken:
            for start in range(0, len(found), CHUNK):
                rows = slice(start, start + CHUNK)
                part = torch.from_numpy(datasets["object"][rows].astype(np.complex64))
                found[rows] |= break_symmetry(part, ndim=self.ndim, rule=self.rule).ambiguous
        return found


def _is_stack(dataset: Any, kinds: str, ndim: int) -> bool:
    """Whether it is a dataset (not a group) of numbers, of ``ndim`` axes and one for the items."""
    kind = getattr(getattr(dataset, "dtype", None), "kind", "-")
    return kind in kinds and dataset.shape is not None and len(dataset.shape) == ndim + 1


def _kept(who: str, ambiguous: Tensor, choice: str) -> Tensor:
    """Which items stay, bool ``(items)``."""
    if choice not in ("drop", "keep", "raise"):
        raise ValueError(f"{who}: ambiguous must be drop, keep or raise, got {choice!r}.")
    count = int(ambiguous.sum())
    if choice == "raise" and count:
        raise ValueError(f"{who}: {count} of {len(ambiguous)} objects are ambiguous.")
    keep = torch.ones_like(ambiguous) if choice == "keep" else ~ambiguous
    if len(keep) and not bool(keep.any()):
        raise ValueError(f"{who}: every object is ambiguous, none is left.")
    return keep
