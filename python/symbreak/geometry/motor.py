"""Where a motor stood while the frames of a scan were taken."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

DISTANCE_UNITS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}
"""Units of a distance, in m."""
STILL = {
    "degrees": 1e-2,
    "keV": 1e-4,
    **{unit: 1e-4 / metres for unit, metres in DISTANCE_UNITS.items()},
}
"""What an encoder's last digits may differ by while nothing moves, for each unit."""
UNEVEN = 0.5  # of a step: frames farther from their places belong to no even scan
WORTH_TELLING = 0.1


@dataclass(frozen=True)
class Motor:
    """A motor's positions as a file tells them."""

    name: str
    positions: tuple[float, ...]
    """One for each frame, or a single one."""
    unit: str
    """``degrees``, ``keV``, or one of `DISTANCE_UNITS`."""
    said_by: str
    """File and dataset."""

    def still(self) -> float:
        """Where it stood all the time.

        Raises:
            ValueError: It moved.
        """
        low, high = min(self.positions), max(self.positions)
        if high - low > STILL[self.unit]:
            raise ValueError(
                f"{self.name} moved from {low:g} to {high:g} {self.unit} ({self.said_by}), "
                "and is not what scan names."
            )
        return self.middle()

    def moved(self) -> tuple[float, float]:
        """Where it was in the middle of the scan, and its step from frame to frame.

        Raises:
            ValueError: It has a single position, did not move, or not in even steps.
        """
        if len(self.positions) < 2:
            raise ValueError(
                f"{self.name} has a single position ({self.said_by}), not one for each frame: give "
                "its angle in the middle of the scan, and step, as numbers."
            )
        step, off = self._step()
        if step == 0 or off > UNEVEN:
            first, last = self.positions[0], self.positions[-1]
            raise ValueError(
                f"{self.name} did not move in even steps ({self.said_by}): from {first:g} to "
                f"{last:g} {self.unit} in {len(self.positions)} frames."
            )
        return self.middle(), _decimal(step)

    def middle(self) -> float:
        """Its mean position."""
        return _decimal(fmean(self.positions))

    def __str__(self) -> str:
        low, high = self.positions[0], self.positions[-1]
        if abs(high - low) <= STILL[self.unit]:
            return f"{self.name} {self.middle():.6g} {self.unit}, as {self.said_by} says"
        step, off = self._step()
        uneven = f" (uneven by {off:.0%} of one)" if off > WORTH_TELLING else ""
        return (
            f"{self.name} {low:.6g} to {high:.6g} {self.unit} in steps of {step:.6g}{uneven}, "
            f"as {self.said_by} says"
        )

    def _step(self) -> tuple[float, float]:
        """The mean step, and how far a frame is from its place, in steps."""
        first, last, count = self.positions[0], self.positions[-1], len(self.positions)
        step = (last - first) / (count - 1)
        if step == 0:
            return 0.0, 0.0
        away = (abs(value - first - k * step) for k, value in enumerate(self.positions))
        return step, max(away) / abs(step)


def _decimal(value: float) -> float:
    """Without what sums of decimal fractions leave in the last bits."""
    return float(f"{value:.12g}")
