"""Shrinkwrap: how the support follows the object while it is reconstructed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from symbreak.ops.checks import check_count, shown
from symbreak.ops.numbers import is_number, keep_plain


@dataclass(frozen=True)
class Shrinkwrap:
    """The support update of Marchesini et al., Phys. Rev. B 68, 140101 (2003).

    After iteration ``every``, ``2 every``, ... (counted over the whole schedule, not after the last
    one), |x| is blurred by a periodic Gaussian, and the support becomes where the blur is bright.
    In the last ``hold`` iterations it stays as it is by then.

    With ``average_iterates`` these go on from the mean of the iterates before them, and with a
    support that is taken from it: the mean of so many, every tenth, lacks most of what noise moves
    about, so a blur of one pixel is enough to find its edges. Averages of iterates are those of the
    difference map in Thibault et al., Acta Cryst. A 62, 248 (2006); that the support is taken from
    them, and that projections go on from there, is measured in bench/mean_iterates.py.

    Args:
        every: Iterations from one update to the next, from 1 to what 64 bits hold.
        sigma: Standard deviation of the Gaussian in pixels; update j = 0, 1, ... uses
            ``max(sigma * decay**j, sigma_min)``.
        sigma_min: Where it stops shrinking, in pixels, at most ``sigma``.
        decay: In (0, 1].
        threshold: Bright means above this fraction of what ``relative_to`` says, in (0, 1).
        area: Instead of ``threshold``, keep this fraction of the grid's pixels, the brightest, in
            (0, 1]; with equal ones at the limit, all of these. A pair goes linearly from the first
            fraction, at the first update, to the second, at the last; a lone update uses the first.
        hold: Iterations at the end of the schedule, from 0 to what 64 bits hold, within which the
            support is not updated: ER then goes on towards the object without eating from it. 0 and
            1 are the same.
        relative_to: ``"max"``, the maximum of the blur, as in the paper above; or ``"rms"``, the
            root mean square of |x| within the support so far, kept between a third of the maximum
            and all of it. A bright pixel, of which noise makes many, moves the maximum and the
            support with it, the root mean square hardly; a threshold of 0.4 of it suits, see the
            site's page on the support.
        average_iterates: How many iterations before the held ones are averaged, every tenth iterate
            and the last, from 0, none, to all of them; then ``hold`` must be 1 or more. The mean's
            magnitude is blurred by 1 pixel, or ``sigma_min`` if that is less, and the support is
            where it is above 7/8 of the threshold, or among the last fraction of ``area``.

    Raises:
        TypeError: An argument is not a number, or ``every``, ``hold`` or ``average_iterates`` not a
            whole one.
        ValueError: An argument is out of range, ``area`` neither one fraction nor a pair,
            ``relative_to`` none of these, or nothing goes on from the mean.

    Cost: two FFTs an update, and with ``area`` a search for the limit, linear in the pixels. A mean
    costs a pass over the object for every iterate in it, three FFTs at the end, and the memory of
    one object for every thread, on a GPU for every start that is iterated at once.
    """

    every: int = 20
    sigma: float = 3.0
    sigma_min: float = 1.5
    decay: float = 0.99
    threshold: float = 0.2
    area: float | tuple[float, float] | None = None
    hold: int = 0
    relative_to: Literal["max", "rms"] = "max"
    average_iterates: int = 0

    def __post_init__(self) -> None:
        keep_plain(self)
        check_count("Shrinkwrap", "every", self.every, 1)
        check_count("Shrinkwrap", "hold", self.hold, 0)
        check_count("Shrinkwrap", "average_iterates", self.average_iterates, 0)
        if self.average_iterates and not self.hold:
            raise ValueError(
                "Shrinkwrap: hold must be 1 or more where iterates are averaged: iterations that "
                "go on from their mean; got 0."
            )
        for name in ("sigma", "sigma_min", "decay", "threshold"):
            _check_number(name, getattr(self, name))
        if not 0 <= self.sigma_min <= self.sigma < math.inf:
            raise ValueError(
                "Shrinkwrap: sigma and sigma_min must be pixels with 0 <= sigma_min <= sigma, "
                f"got sigma {self.sigma} and sigma_min {self.sigma_min}."
            )
        if not 0 < self.decay <= 1:
            raise ValueError(f"Shrinkwrap: decay must be in (0, 1], got {self.decay}.")
        if not 0 < self.threshold < 1:
            raise ValueError(f"Shrinkwrap: threshold must be in (0, 1), got {self.threshold}.")
        if self.relative_to not in ("max", "rms"):
            raise ValueError(
                f"Shrinkwrap: relative_to must be 'max' or 'rms', got {shown(self.relative_to)}."
            )
        self._check_area()

    def _check_area(self) -> None:
        if self.area is None:
            return
        if isinstance(self.area, (tuple, list)) and len(self.area) != 2:
            raise ValueError(
                f"Shrinkwrap: area must be one fraction or a pair of them, got {shown(self.area)}."
            )
        for fraction in self.areas or ():
            _check_number("area", fraction)
            if not 0 < fraction <= 1:
                raise ValueError(f"Shrinkwrap: area must be in (0, 1], got {shown(self.area)}.")

    @property
    def areas(self) -> list[float] | None:
        """``area`` as two fractions, from and to; None in threshold mode."""
        if self.area is None:
            return None
        if isinstance(self.area, (tuple, list)):
            return list(self.area)
        return [self.area, self.area]


def check_averaged(rule: Shrinkwrap, total: int) -> None:
    """Check that a schedule of ``total`` iterations has those that are averaged and held."""
    if rule.average_iterates and rule.average_iterates + rule.hold > total:
        raise ValueError(
            f"reconstruct: schedule must have the {rule.average_iterates} iterations that are "
            f"averaged and the {rule.hold} that go on from their mean, got {total} iterations."
        )


def _check_number(name: str, value: float) -> None:
    if not is_number(value):
        raise TypeError(f"Shrinkwrap: {name} must be a number, got {shown(value)}.")
    try:
        float(value)
    except OverflowError:
        raise ValueError(f"Shrinkwrap: {name} must be finite, got {shown(value)}.") from None
