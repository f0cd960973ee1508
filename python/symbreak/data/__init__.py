"""Simulated Bragg CDI crystals, photon noise, detector masks; modules that read and write files."""

from symbreak.data.centering import find_center
from symbreak.data.crystals import crystals
from symbreak.data.noise import beamstop, detector_gaps, poisson_amplitude
from symbreak.data.prepare import prepare_pattern
from symbreak.data.settings import CrystalSettings
from symbreak.data.stacks import ArrayStack

__all__ = [
    "ArrayStack",
    "CrystalSettings",
    "beamstop",
    "crystals",
    "detector_gaps",
    "find_center",
    "poisson_amplitude",
    "prepare_pattern",
]
