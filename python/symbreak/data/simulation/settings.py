"""CrystalSettings: every choice of the crystal simulation in one frozen dataclass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from symbreak.ops.checks import shown
from symbreak.ops.numbers import integers, is_number, keep_plain, whole

Range = tuple[float, float]
Cores = Literal["crystal", "frame"]


@dataclass(frozen=True)
class CrystalSettings:
    """How simulated crystals are drawn; see ``docs/experiments/choices.md`` for the reasons.

    A pair is a closed range from which each crystal draws its own value, uniformly. The defaults
    give a mean filled fraction, and so a mean ``|x|^2``, of 0.278.

    Attributes:
        area: Filled fraction of the frame (3D: of its volume), within [0.02, 0.6].
        nonconvex: Probability in [0, 1] that an outline is non-convex. 2D only.
        vertices: Corners drawn per outline (3D: facets drawn per polyhedron), within [4, 64].
            Fewer may remain: a convex hull drops corners, a far facet does not cut.
        rounding: Radius of the rounded corners in units of sqrt(area of the crystal), within
            [0, 0.3]. 2D only.
        aspect: Stretch of the shape along a random direction, within [1, 3].
        defects: Dislocations per crystal, within [0, 64]. 3D: at most 1.
        cores: Where the dislocation lines pierce the plane (3D: a point of each), uniformly:
            ``"crystal"``, within the outline; ``"frame"``, anywhere in the frame. Those outside
            strain the crystal, as those in the grains around it would, without a vortex in it.
        miller: Largest Miller index of the reflection Q = 2 pi (h, k[, l]), in [1, 3].
        poisson_ratio: Poisson ratio of the isotropic medium, in [0, 0.5).
        rigid_phase: Add a constant phase, uniform in [0, 2 pi): the rigid displacement of the
            crystal is unknown to elasticity. Without it a crystal without defects is real.

    Raises:
        ValueError: A value is outside the range given above, or of another kind.
    """

    area: Range = (0.116, 0.44)
    nonconvex: float = 0.5
    vertices: tuple[int, int] = (5, 10)
    rounding: Range = (0.04, 0.2)
    aspect: Range = (1.0, 1.7)
    defects: tuple[int, int] = (0, 6)
    cores: Cores = "crystal"
    miller: int = 1
    poisson_ratio: float = 0.3
    rigid_phase: bool = True

    def __post_init__(self) -> None:
        """Check every field, and keep numbers as Python's."""
        keep_plain(self)
        _check_range("area", self.area, 0.02, 0.6)
        self._keep("vertices", _check_integers("vertices", self.vertices, 4, 64))
        _check_range("rounding", self.rounding, 0.0, 0.3)
        _check_range("aspect", self.aspect, 1.0, 3.0)
        self._keep("defects", _check_integers("defects", self.defects, 0, 64))
        if not is_number(self.nonconvex) or not 0.0 <= self.nonconvex <= 1.0:
            raise ValueError(
                f"CrystalSettings: nonconvex must be within [0, 1], got {shown(self.nonconvex)}."
            )
        if not isinstance(self.cores, str) or self.cores not in get_args(Cores):
            raise ValueError(
                f"CrystalSettings: cores must be crystal or frame, got {shown(self.cores)}."
            )
        if whole(self.miller) not in (1, 2, 3):
            raise ValueError(
                f"CrystalSettings: miller must be 1, 2 or 3, got {shown(self.miller)}."
            )
        if not is_number(self.poisson_ratio) or not 0.0 <= self.poisson_ratio < 0.5:
            raise ValueError(
                "CrystalSettings: poisson_ratio must be in [0, 0.5), got "
                f"{shown(self.poisson_ratio)}."
            )
        if not isinstance(self.rigid_phase, bool):
            given = shown(self.rigid_phase)
            raise ValueError(f"CrystalSettings: rigid_phase must be True or False, got {given}.")

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # frozen


def _check_range(name: str, value: Range, low: float, high: float) -> None:
    """Raise unless ``value`` is a pair with ``low <= value[0] <= value[1] <= high``."""
    numbers = isinstance(value, (tuple, list)) and all(map(is_number, value))
    _check_pair(name, "two numbers", value if numbers else None, value, low, high)


def _check_integers(name: str, value: tuple[int, int], low: int, high: int) -> tuple[int, ...]:
    """Raise unless it is such a pair of integers; return them as a tuple."""
    found = integers(value)
    _check_pair(name, "two integers", found, value, low, high)
    return tuple(found or ())


def _check_pair(
    name: str, kind: str, pair: Sequence[float] | None, given: object, low: float, high: float
) -> None:
    if pair is None or len(pair) != 2 or not low <= pair[0] <= pair[1] <= high:
        raise ValueError(
            f"CrystalSettings: {name} must be {kind} (low, high) within [{low}, {high}], "
            f"got {shown(given)}."
        )
