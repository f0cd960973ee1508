"""Pairs amplitude -> object to learn from, in memory, symmetries broken or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor

from symbreak import break_symmetry, fourier_amplitude
from symbreak.learning.positions import in_all_positions
from symbreak.ops.checks import check_flag, check_tensor, dtype_name, shown

Ambiguous = Literal["drop", "keep", "raise"]
Batch = tuple[Tensor, Tensor, Tensor]


class PairSource(Protocol):
    """What a training needs of its data; also a map-style dataset of PyTorch.

    Whole batches are made at once, so a loader of one's own has nothing to collate:
    ``DataLoader(pairs, batch_size=8, collate_fn=lambda batch: batch)``.
    """

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
    """Pairs held in memory, on any device.

    Raises:
        TypeError: One of the two is no tensor, or of another kind.
        ValueError: There are not as many amplitudes as objects, or they are on two devices.
    """

    amplitude: Tensor
    """Real, floating point ``(items, *M)``, DC at index 0."""
    object: Tensor
    """Complex ``(items, *N)``."""

    def __post_init__(self) -> None:
        """Check that there are as many amplitudes as objects, on one device."""
        for name, x in (("amplitude", self.amplitude), ("object", self.object)):
            kind = "complex" if name == "object" else "floating point"
            check_tensor("Pairs", name, x)
            if not (x.is_complex() if name == "object" else x.is_floating_point()):
                raise TypeError(f"Pairs: {name} must be {kind}, got {dtype_name(x.dtype)}.")
        if self.amplitude.device != self.object.device:
            raise ValueError(
                f"Pairs: amplitude and object must be on one device, got {self.amplitude.device} "
                f"and {self.object.device}."
            )
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
        """A batch, see `PairSource`; one gather on the device where the data are.

        Args:
            indices: Integers; a negative one counts from the end.

        Returns:
            Amplitudes ``(batch, *M)``, objects ``(batch, *N)`` and the indices as they came, int64.
        """
        here = rows_on(self.object.device, indices)
        return self.amplitude[here], self.object[here], here

    def to(self, device: torch.device | str) -> Pairs:
        """Copy to a device.

        Args:
            device: As PyTorch names it; the pairs as they are where they are there already.

        Returns:
            Pairs: On that device.
        """
        return Pairs(self.amplitude.to(device), self.object.to(device))

    def head(self, count: int) -> Pairs:
        """Take the first pairs, without a copy.

        Args:
            count: How many; all, if there are fewer.

        Returns:
            Pairs: Views of these.
        """
        return Pairs(self.amplitude[:count], self.object[:count])


def rows_on(device: torch.device, indices: Sequence[int]) -> Tensor:
    """Indices as int64 on a device."""
    here = torch.tensor(indices, dtype=torch.int64)
    if device.type == "cuda":  # a copy from pinned memory waits for nothing the GPU still does
        here = here.pin_memory().to(device, non_blocking=True)
    return here


def make_pairs(
    objects: Tensor,
    *,
    broken: bool = False,
    rule: str = "angle",
    ambiguous: Ambiguous = "drop",
    positions: bool = False,
    oversampling: int = 2,
) -> Pairs:
    """Simulate the amplitudes of objects and pair both.

    Args:
        objects: complex64 or complex128 ``(items, *N)`` in 2 or 3 dimensions, on any device.
        broken: Whether to replace the objects by their canonical forms, as
            `symbreak.break_symmetry` does. Their amplitudes are the same.
        rule: Rule of the conjugate flip, ``"angle"`` or ``"circulation"``, if ``broken``.
        ambiguous: What to do, if ``broken``, with objects that have no canonical form, whose label
            would be an accident of rounding: ``"drop"`` them, ``"keep"`` them or ``"raise"``.
        positions: Whether to take every object in all eight positions, turned by 90 degrees and
            mirrored, before symmetries are broken: of 2D square objects, more training pairs for
            nothing where a turned object is as likely as the object. Let an epoch draw as many as
            there are objects (`TrainSettings(epoch_items=)`).
        oversampling: M / N, an integer >= 1.

    Returns:
        Pairs: On the device of ``objects``; positions follow one another as whole sets.

    Raises:
        TypeError: ``objects`` are not complex, or ``broken`` or ``positions`` neither True nor
            False.
        ValueError: An object is ambiguous and should raise, none is left, ``objects`` is no tensor
            or has another number of axes, or another argument is out of its range.
        MemoryError: The amplitudes are larger than the memory of the device.

    Example:
        >>> pairs = make_pairs(symbreak.data.crystals(6, 16), broken=True)
        >>> pairs.amplitude.shape, pairs.object.shape
        (torch.Size([6, 32, 32]), torch.Size([6, 16, 16]))

    Differentiable in ``objects`` as long as their symmetries are not broken. Memory: amplitudes and
    objects, twice if some are dropped.
    """
    broken = check_flag("make_pairs", "broken", broken)
    check_choice("make_pairs", ambiguous)
    if not isinstance(objects, Tensor) or objects.dim() not in (3, 4):
        given = tuple(objects.shape) if isinstance(objects, Tensor) else type(objects).__name__
        raise ValueError(f"make_pairs: objects must be a tensor (items, *N), got {given}.")
    ndim = objects.dim() - 1
    if check_flag("make_pairs", "positions", positions):
        objects = in_all_positions(objects)
    amplitude = fourier_amplitude(objects, oversampling=oversampling, ndim=ndim)
    if not broken:
        return Pairs(amplitude, objects)
    found = break_symmetry(objects, ndim=ndim, rule=rule)
    keep = kept("make_pairs", found.ambiguous, ambiguous)
    return Pairs(amplitude[keep], found.object[keep])


def check_choice(who: str, choice: str) -> None:
    """Check what is to be done with ambiguous objects."""
    if not isinstance(choice, str) or choice not in get_args(Ambiguous):
        raise ValueError(f"{who}: ambiguous must be drop, keep or raise, got {shown(choice)}.")


def kept(who: str, ambiguous: Tensor, choice: str) -> Tensor:
    """Which items stay, bool ``(items)``."""
    count = int(ambiguous.sum())
    if choice == "raise" and count:
        raise ValueError(f"{who}: {count} of {len(ambiguous)} objects are ambiguous.")
    keep = torch.ones_like(ambiguous) if choice == "keep" else ~ambiguous
    if len(keep) and not bool(keep.any()):
        raise ValueError(f"{who}: every object is ambiguous, none is left.")
    return keep
