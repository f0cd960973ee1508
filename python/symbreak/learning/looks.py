"""What the numbers of a file look like, told where networks would take them for something else."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from symbreak import fourier_amplitude
from symbreak.data.detector.looks import look_at_origin, look_at_values
from symbreak.learning.datasets import PairSource

FEW = 16  # of a set; whoever mistook the layout did so for all of it
CLEARLY = 0.02  # of a cosine; where the mistake is made it is 0.1 and more

SHIFTED = "zero frequency seems to be in the middle; networks take it at index 0: ifftshift"
SQUARED = "these seem to be intensities; networks take amplitudes, their square roots"


def first_bad(values: Tensor, *, least: float | None = None) -> int | None:
    """The first item that holds NaN, infinity or a number below ``least``.

    Args:
        values: ``(items, *grid)``.
        least: Of real values.

    Returns:
        Its number; None if all are good.
    """
    good = values.isfinite()
    if least is not None:
        good = good & (values >= least)
    bad = ~good.flatten(1).all(1)
    return int(bad.nonzero()[0]) if bool(bad.any()) else None


def look_at_amplitudes(amplitude: Tensor) -> list[str]:
    """Say so if patterns look like another layout than DC at index 0, or like counts.

    Args:
        amplitude: Real ``(items, *M)``.

    Returns:
        list[str]: Notes.
    """
    data = amplitude.double().cpu().numpy()
    everywhere = torch.ones(amplitude.shape, dtype=torch.bool).numpy()
    found = [SHIFTED] if look_at_origin(data.mean(0), everywhere[0], "corner") else []
    return found + ([SQUARED] if look_at_values(data, everywhere, "amplitudes") else [])


def look_at_pairs(pairs: PairSource) -> list[str]:
    """Say so if amplitudes fit their objects better in another layout, or as intensities.

    Pixels that are 0 in all of them do not count: a mask.

    Args:
        pairs: Of which the first few are read.

    Returns:
        list[str]: Notes.
    """
    amplitude, objects, _ = pairs.__getitems__(range(min(FEW, len(pairs))))
    expected = fourier_amplitude(objects, shape=amplitude.shape[1:], ndim=amplitude.dim() - 1)
    moved = torch.fft.ifftshift(amplitude, dim=tuple(range(1, amplitude.dim())))
    kinds = {
        (): amplitude,
        (SHIFTED,): moved,
        (SQUARED,): amplitude.sqrt(),
        (SHIFTED, SQUARED): moved.sqrt(),
    }
    fit = {notes: _cosine(values, expected) for notes, values in kinds.items()}
    best = max(fit, key=lambda notes: fit[notes])
    return list(best) if fit[best] > fit[()] + CLEARLY else []


def _cosine(values: Tensor, expected: Tensor) -> float:
    measured = expected.where((values > 0).any(0), 0)
    return float(cosine_similarity(values.flatten(1), measured.flatten(1)).mean())
