"""Pairs of objects turned by many angles, and mirrored, simulated as a batch asks for them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from symbreak import break_symmetry, center, fourier_amplitude
from symbreak.learning.datasets import Batch, Pairs, rows_on
from symbreak.learning.positions import check_square
from symbreak.ops.break_symmetry import check_rule
from symbreak.ops.checks import check_flag, check_integer, dtype_name

CHECKED = 256  # pairs whose amplitudes are held against their objects


class RotatedPairs:
    """Every object turned by all multiples of 360 degrees / ``angles``, as it is and mirrored.

    More training pairs for nothing where a turned object is as likely as the object: `TurnedPairs`
    turns by 90 degrees only. The objects are moved to the middle first. Between the pixels the
    magnitude is that of the nearest one, so that edges stay sharp, and the phase that of linear
    interpolation; corners that leave the frame are cut off. Amplitudes are simulated anew, so they
    have neither noise nor masks. Turned and mirrored sets follow one another as whole sets. Let an
    epoch draw as many pairs as there are objects (`TrainSettings(epoch_items=)`).

    Args:
        objects: complex64 or complex128 ``(items, N, N)``, on any device.
        angles: How many, >= 1.
        broken: Whether to replace the turned objects by their canonical forms, as
            `symbreak.break_symmetry` does. What is ambiguous stays.
        rule: Rule of the conjugate flip, ``"angle"`` or ``"circulation"``, if ``broken``.
        oversampling: M / N, an integer >= 1.

    Attributes:
        object_shape: N per axis.
        measurement_shape: M per axis.

    Raises:
        TypeError: ``objects`` are not complex, or ``broken`` is neither True nor False.
        ValueError: ``objects`` are no tensor ``(items, N, N)``, ``angles`` or ``oversampling`` are
            no integers >= 1, or there is no such rule.

    Cost per batch: an interpolation, a `break_symmetry`, a `fourier_amplitude`.

    Example:
        >>> pairs = RotatedPairs(symbreak.data.crystals(6, 16), angles=12, broken=True)
        >>> len(pairs)
        144
    """

    def __init__(
        self,
        objects: Tensor,
        *,
        angles: int = 64,
        broken: bool = False,
        rule: str = "angle",
        oversampling: int = 2,
    ) -> None:
        if not isinstance(objects, Tensor) or objects.dim() != 3:
            given = tuple(objects.shape) if isinstance(objects, Tensor) else type(objects).__name__
            raise ValueError(f"RotatedPairs: objects must be a tensor (items, N, N), got {given}.")
        if not objects.is_complex():
            raise TypeError(
                f"RotatedPairs: objects must be complex, got {dtype_name(objects.dtype)}."
            )
        self.object_shape = tuple(objects.shape[1:])
        check_square("RotatedPairs", "objects", self.object_shape)
        self.angles = check_integer("RotatedPairs", "angles", angles, 1)
        self.broken = check_flag("RotatedPairs", "broken", broken)
        check_rule("RotatedPairs", rule)
        self.rule = rule
        self.oversampling = check_integer("RotatedPairs", "oversampling", oversampling, 1)
        self.measurement_shape = tuple(self.oversampling * n for n in self.object_shape)
        self.objects = center(objects, ndim=2).object

    @classmethod
    def of(
        cls, pairs: Pairs, *, angles: int = 64, broken: bool = False, rule: str = "angle"
    ) -> RotatedPairs:
        """Turn the objects of pairs whose amplitudes can be simulated anew.

        Args:
            pairs: Square 2D objects and their amplitudes, without noise or masks.
            angles: As above.
            broken: As above.
            rule: As above.

        Returns:
            RotatedPairs: On the device of ``pairs``.

        Raises:
            TypeError: ``broken`` is neither True nor False.
            ValueError: The amplitudes (of the first 256) are not those of the objects to 1e-3, or
                an argument is out of its range.
        """
        n, m = pairs.object_shape, pairs.measurement_shape
        check_square("RotatedPairs", "pairs", n, m)
        some = pairs.head(CHECKED)
        times = m[0] // n[0]
        if times * n[0] == m[0]:
            expected = fourier_amplitude(some.object, oversampling=times, ndim=2)
            off = (some.amplitude - expected).abs().amax()
        if times * n[0] != m[0] or not float(off) <= 1e-3 * float(expected.amax()):
            raise ValueError(
                "RotatedPairs: pairs must hold the amplitudes of their objects, for they are "
                "simulated anew; these have noise, masks or another grid."
            )
        return cls(pairs.object, angles=angles, broken=broken, rule=rule, oversampling=times)

    def __len__(self) -> int:
        """Twice ``angles`` times the objects."""
        return 2 * self.angles * len(self.objects)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One pair."""
        amplitude, objects, _ = self.__getitems__([index])
        return amplitude[0], objects[0]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch, see `PairSource`.

        Args:
            indices: Integers; a negative one counts from the end.

        Returns:
            Amplitudes ``(batch, *M)``, objects ``(batch, *N)`` and the indices as they came, int64.
        """
        here = rows_on(self.objects.device, indices)
        wanted = here % len(self)
        position = torch.div(wanted, len(self.objects), rounding_mode="floor")
        objects = self.objects[wanted % len(self.objects)]
        mirrored = (position >= self.angles)[:, None, None]
        objects = torch.where(mirrored, objects.flip(1), objects)
        objects = rotate(objects, (position % self.angles) * (2 * math.pi / self.angles))
        if self.broken:
            objects = break_symmetry(objects, ndim=2, rule=self.rule).object
        amplitude = fourier_amplitude(objects, oversampling=self.oversampling, ndim=2)
        return amplitude, objects, here

    def to(self, device: torch.device | str) -> RotatedPairs:
        """Copy to a device.

        Args:
            device: As PyTorch names it.

        Returns:
            RotatedPairs: Of the same objects there.
        """
        return RotatedPairs(
            self.objects.to(device),
            angles=self.angles,
            broken=self.broken,
            rule=self.rule,
            oversampling=self.oversampling,
        )


def rotate(objects: Tensor, angle: Tensor) -> Tensor:
    """Turn objects about the middle of their frame, from axis 0 towards axis 1.

    Args:
        objects: complex ``(items, N, N)``.
        angle: radians, real ``(items,)``.

    Returns:
        Tensor: ``(items, N, N)``: the magnitude of the nearest pixel, 0 outside the frame, with the
        phase of linear interpolation.
    """
    kind = objects.real.dtype
    cosine, sine = angle.to(kind).cos(), angle.to(kind).sin()
    turn = torch.stack([cosine, -sine, sine, cosine], -1).reshape(-1, 2, 2)
    matrix = functional.pad(turn, (0, 1))  # about the middle: no shift
    size = [len(objects), 2, *objects.shape[1:]]
    grid = functional.affine_grid(matrix, size, align_corners=False)
    channels = torch.view_as_real(objects).permute(0, 3, 1, 2)
    between = functional.grid_sample(channels, grid, mode="bilinear", align_corners=False)
    magnitude = functional.grid_sample(
        objects.abs()[:, None], grid, mode="nearest", align_corners=False
    )[:, 0]
    phase = torch.complex(between[:, 0], between[:, 1]).angle()
    return torch.polar(magnitude, phase)
