"""Phase the patterns of a chunk and keep the best start of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

import symbreak
from symbreak.cli.coherence import Coherence
from symbreak.cli.initial import fitted
from symbreak.coherence import reconstruct as partly_coherent
from symbreak.cross_validation import ranking
from symbreak.data.streaming.chunks import Arrays
from symbreak.data.streaming.resumable import Shapes
from symbreak.ops.ranking import NoSupportError
from symbreak.supports import choose

TYPES = {
    "c8": torch.complex64,
    "u1": torch.bool,
    "f4": torch.float32,
    "f8": torch.float64,
    "i8": torch.int64,
}
# Of a dark pattern; object and support are 0.
EMPTY: dict[str, float] = {"start": -1}
EMPTY |= dict.fromkeys(
    ("error", "errors", "free_log_likelihood", "blur", "threshold", "area"), math.nan
)


@dataclass(frozen=True)
class Phaser:
    """How to phase the patterns of a chunk; workers are sent one."""

    device: torch.device
    rules: dict[str, Any]
    """What `reconstruct` is told of the iteration: ``schedule``, ``starts``, ``shrinkwrap`` ..."""
    free: float | None = None
    """Part of the pixels to hide, which then judge; None: none."""
    beam: Coherence | None = None
    """Of a beam that is not coherent."""
    choose: bool = False
    """Whether to try supports on every pattern first."""

    def __call__(self, part: Arrays) -> dict[str, NDArray[Any]]:
        """Phase patterns and keep the best start of each.

        Args:
            part: ``amplitude``, ``valid`` and ``least``, ``(items, *grid)``, DC at index 0, as
                `PatternStack.read` has them; where phasing begins from objects, ``initial``,
                complex ``(items, *grid)``.

        Returns:
            What `shapes` lists; of a dark pattern object 0 and NaN.
        """
        amplitude, valid, least = (
            torch.from_numpy(part[name]) for name in ("amplitude", "valid", "least")
        )
        bright = ((amplitude > 0) & valid).flatten(1).any(1)
        found = {
            name: torch.full(shape, EMPTY.get(name, 0), dtype=TYPES[kind])
            for name, (shape, kind) in self.shapes(len(amplitude), amplitude.shape[1:]).items()
        }
        given = [amplitude + least, valid, least > 0]
        if "initial" in part:
            given.append(torch.from_numpy(part["initial"]))
        if bool(bright.any()):
            done = self._bright(*(x[bright].to(self.device) for x in given))
            for name, value in done.items():
                found[name][bright] = value.to(found[name].dtype).cpu()
        return {name: value.numpy() for name, value in found.items()}

    def shapes(self, count: int, grid: Sequence[int]) -> Shapes:
        """Names, shapes and dtypes of what is found for ``count`` patterns."""
        starts = self.rules["starts"]
        likelihood = {"free_log_likelihood": ((count, starts), "f8")}
        chosen = {"threshold": ((count,), "f8"), "area": ((count, 2), "f8")}
        return {
            **({} if self.free is None else likelihood),
            **({} if self.beam is None else {"blur": ((count, len(grid)), "f8")}),
            **(chosen if self.choose else {}),
            "object": ((count, *grid), "c8"),
            "support": ((count, *grid), "u1"),
            "error": ((count,), "f4"),
            "start": ((count,), "i8"),
            "errors": ((count, starts), "f4"),
        }

    def _bright(
        self, a: Tensor, valid: Tensor, saturated: Tensor, initial: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The same of patterns that are not dark."""
        grid, ndim = a.shape[1:], a.dim() - 1
        hidden = torch.zeros_like(valid)
        if self.free is not None:
            choose = partial(symbreak.free_pixels, grid, fraction=self.free)
            hidden = torch.stack([choose(valid=mask) for mask in valid])
        measured = valid & ~hidden
        known = None if self.beam is None else self.beam.blur(grid, a.device)
        values: dict[str, Tensor] = {}
        if self.choose:
            patterns = zip(a, measured, saturated, strict=True)
            chosen = [self._choice(*pattern, known) for pattern in patterns]
            values |= _as_arrays(chosen)
            several = [
                self._phase(
                    a[k : k + 1], measured[k : k + 1], saturated[k : k + 1], known, shrinkwrap=rule
                )
                for k, rule in enumerate(chosen)
            ]
            phased = symbreak.Reconstruction(
                *map(torch.cat, zip(*(one for one, _ in several), strict=True))
            )
            blurs = [blur for _, blur in several if blur is not None]
            blur = torch.cat(blurs) if blurs else None
        else:
            phased, blur = self._phase(a, measured, saturated, known, initial=initial)
        if self.free is not None:
            objects = torch.where(phased.support, phased.object, 0)
            values["free_log_likelihood"] = symbreak.free_log_likelihood(
                objects, a, hidden, blur=blur, ndim=ndim
            )
        best = phased.best(valid=measured).centered()
        start = ranking(phased.error, phased.support, measured, ndim=ndim).argmin(1)
        if blur is not None:
            values["blur"] = blur[torch.arange(len(blur), device=blur.device), start]
        return values | {
            "object": best.object.where(best.support, 0),
            "support": best.support,
            "error": best.error,
            "start": start,
            "errors": phased.error,
        }

    def _phase(
        self,
        a: Tensor,
        measured: Tensor,
        saturated: Tensor,
        blur: Tensor | None,
        shrinkwrap: symbreak.Shrinkwrap | None = None,
        initial: Tensor | None = None,
    ) -> tuple[symbreak.Reconstruction, Tensor | None]:
        """All starts, and their blurs."""
        rules = {**self.rules, "valid": measured, "ndim": a.dim() - 1}
        if shrinkwrap is not None:
            rules["shrinkwrap"] = shrinkwrap
        if initial is not None:
            limited = self.rules["phase_limit"] is not None
            rules["initial"] = fitted(initial, a, measured, limited=limited)
            rules["support"] = initial != 0
        if self.beam is None:
            bounded = saturated if bool(saturated.any()) else None
            return symbreak.reconstruct(a, saturated=bounded, **rules), None
        return partly_coherent(a, blur=blur, **rules)

    def _choice(
        self, a: Tensor, measured: Tensor, saturated: Tensor, blur: Tensor | None
    ) -> symbreak.Shrinkwrap:
        """The support of one pattern; the given one where no trial leaves a determined support."""
        given = {**self.rules, "valid": measured, "blur": blur}
        given["partly_coherent"] = self.beam is not None
        given["saturated"] = saturated if self.beam is None else None
        try:
            return choose(a, **given).shrinkwrap
        except NoSupportError:
            rule: symbreak.Shrinkwrap = self.rules["shrinkwrap"]
            return rule


def _as_arrays(rules: Sequence[symbreak.Shrinkwrap]) -> dict[str, Tensor]:
    """Threshold or area of every rule, NaN where it has none."""
    thresholds = [rule.threshold if rule.area is None else math.nan for rule in rules]
    areas = [(math.nan, math.nan) if rule.area is None else rule.area for rule in rules]
    return {
        "threshold": torch.tensor(thresholds, dtype=torch.float64),
        "area": torch.tensor(areas, dtype=torch.float64),
    }
