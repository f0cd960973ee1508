"""Simulated Bragg CDI crystals, Poisson noise and detector masks."""

from symbreak.data.crystals import crystals
from symbreak.data.noise import beamstop, detector_gaps, poisson_amplitude
from symbreak.data.settings import CrystalSettings

__all__ = ["CrystalSettings", "beamstop", "crystals", "detector_gaps", "poisson_amplitude"]
