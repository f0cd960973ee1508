"""Simulated Bragg CDI crystals, photon noise, detector masks; the way from raw frames to a pattern.

Four rooms, each of which imports only from those above it:

    files       arrays, reconstructions and volumes in files
    streaming   data sets chunk by chunk, on many workers, continued when interrupted
    detector    raw frames to a pattern: masks, centre, crop, binning
    simulation  crystals, noise, simulated data sets

`tests/test_architecture.py` holds them to it.
"""

from symbreak.data.detector.centering import find_center
from symbreak.data.detector.halves import prepare_halves, split_counts
from symbreak.data.detector.prepare import prepare_pattern
from symbreak.data.detector.repeats import merge_patterns
from symbreak.data.detector.stacks import ArrayStack
from symbreak.data.simulation.crystals import crystals
from symbreak.data.simulation.noise import beamstop, detector_gaps, poisson_amplitude
from symbreak.data.simulation.settings import CrystalSettings

__all__ = [
    "ArrayStack",
    "CrystalSettings",
    "beamstop",
    "crystals",
    "detector_gaps",
    "find_center",
    "merge_patterns",
    "poisson_amplitude",
    "prepare_halves",
    "prepare_pattern",
    "split_counts",
]
