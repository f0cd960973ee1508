"""Simulated Bragg CDI crystals, photon noise, detector masks; modules that read and write files."""

from symbreak.data.crystals import crystals
from symbreak.data.noise import beamstop, detector_gaps, poisson_amplitude
from symbreak.data.settings import CrystalSettings

__all__ = ["CrystalSettings", "beamstop", "crystals", "detector_gaps", "poisson_amplitude"]
