"""Pairs amplitude -> object read batch by batch from HDF5, symmetries broken or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symbreak import break_symmetry, fourier_amplitude
from symbreak.learning.datasets import Ambiguous, Batch, Pairs, check_choice, kept
from symbreak.learning.looks import first_bad
from symbreak.ops.checks import check_flag, check_ndim

# Objects of a file looked at together for ambiguity.
CHUNK = 1024
# Of a file that holds no pairs, so many datasets are named.
HELD = 6


class FilePairs:
    """Pairs read batch by batch from an HDF5 file, such as `symbreak simulate` writes.

    The file holds ``object``, complex ``(items, *N)``, and ``amplitude``, real ``(items, *M)``;
    without the latter, as `symbreak break` leaves it, amplitudes are simulated twofold
    oversampled. Where there is a dataset ``ambiguous``, it tells the ambiguous objects. A real
    ``object`` is refused, as it may be the modulus of what made the patterns; of objects that are
    real the imaginary part is stored, too, as zeros.

    Args:
        path: The file.
        broken: Whether to break the symmetries of every batch as it is read.
        rule: Rule of the conjugate flip, ``"angle"`` or ``"circulation"``, if ``broken``.
        ambiguous: As in `make_pairs`, for objects marked in the file or found by one pass through
            it if ``broken``.
        ndim: Axes of one object, 2 or 3.

    Attributes:
        object_shape: N per axis.
        measurement_shape: M per axis.
        dropped: How many objects were dropped as ambiguous.

    Raises:
        TypeError: ``broken`` is neither True nor False, or ``ndim`` not an integer.
        OSError: The file cannot be read.
        ValueError: It does not hold such data (of a batch: NaN, infinity or a negative amplitude in
            it, when it is read), or see `make_pairs`.

    Memory: one batch at a time; it is read in complex64 and float32, whatever the file has.
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
        self.ndim = check_ndim("FilePairs", ndim)
        self.path, self.rule = Path(path), rule
        self.broken = check_flag("FilePairs", "broken", broken)
        check_choice(str(path), ambiguous)
        self._file: Any = None
        try:
            self._look(ambiguous)
        finally:
            self._close()  # so that a copy in another process opens its own

    def _look(self, ambiguous: Ambiguous) -> None:
        """Check what the file holds, and choose the rows to read."""
        path, ndim = self.path, self.ndim
        datasets = self._open()
        objects, amplitude = datasets.get("object"), datasets.get("amplitude")
        if not _is_stack(objects, "c", ndim):
            other = 5 - ndim
            hint = f"; of {other}D objects: ndim={other}" if _is_stack(objects, "c", other) else ""
            real = _is_stack(objects, "fiu", ndim)
            cast = "; store objects that are real as object.astype('complex64')" if real else ""
            raise ValueError(
                f"{path}: needs a complex dataset 'object' with {ndim + 1} axes{hint}; it holds "
                f"{_held(datasets)}{cast}."
            )
        if amplitude is not None:
            if not _is_stack(amplitude, "fiu", ndim):
                raise ValueError(
                    f"{path}: 'amplitude' must be real, with {ndim + 1} axes; it holds "
                    f"{_held(datasets)}."
                )
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
        keep = kept(str(path), self._ambiguous(), ambiguous)
        self._rows = keep.nonzero().flatten().numpy()
        self.dropped = int((~keep).sum())

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._rows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One pair."""
        amplitude, objects, _ = self.__getitems__([index])
        return amplitude[0], objects[0]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch, see `PairSource`.

        Args:
            indices: Integers; a negative one counts from the end.

        Returns:
            Amplitudes, float32 ``(batch, *M)``, objects, complex64 ``(batch, *N)``, on the CPU, and
            the indices as they came, int64.

        Raises:
            ValueError: One of them holds NaN or infinity, or a negative amplitude.
        """
        datasets = self._open()
        # HDF5 reads increasing rows, each once.
        rows, back = np.unique(self._rows[np.asarray(indices)], return_inverse=True)
        objects = torch.from_numpy(datasets["object"][rows].astype(np.complex64)[back])
        if "amplitude" in datasets:
            amplitude = torch.from_numpy(datasets["amplitude"][rows].astype(np.float32)[back])
        else:
            amplitude = fourier_amplitude(objects, ndim=self.ndim)
        for name, values, least in (("amplitude", amplitude, 0.0), ("object", objects, None)):
            bad = first_bad(values, least=least)
            if bad is not None:
                item = int(self._rows[np.asarray(indices)[bad]])
                kind = "finite" if least is None else "finite and >= 0"
                raise ValueError(f"{self.path}: {name} must be {kind}, item {item} is not.")
        if self.broken:
            objects = break_symmetry(objects, ndim=self.ndim, rule=self.rule).object
        return amplitude, objects, torch.tensor(indices, dtype=torch.int64)

    def load(self) -> Pairs:
        """Read everything into memory.

        Returns:
            Pairs: On the CPU.

        Raises:
            ValueError: A pair holds NaN or infinity, or a negative amplitude.
        """
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
        if self._file is not None:
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


def _held(file: Any) -> str:
    """The first few things in a file, by name, shape and type."""
    names = list(file)[:HELD]
    things = [(name, file.get(name)) for name in names]  # None: a link that leads nowhere
    told = [
        f"/{name} {thing.shape} {thing.dtype}" if hasattr(thing, "dtype") else f"/{name}"
        for name, thing in things
    ]
    return ", ".join(told) + (", ..." if len(file) > HELD else "") or "nothing"
