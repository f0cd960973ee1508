"""Partial coherence: phase blurred patterns, and find by how much they are blurred."""

from symbreak.coherence.phasing import PartlyCoherent, reconstruct
from symbreak.ops.blur import blurred_intensity, coherence_length

__all__ = ["PartlyCoherent", "blurred_intensity", "coherence_length", "reconstruct"]
