"""From pixels to nanometres: where a diffractometer looks, voxels of the object, Bragg strain.

    circles, instrument, instrument_file    what a scan was
    grid                                    where its pixels lie, and those of the object
    extent                                  where there is crystal
    bragg                                   what the phase of a Bragg reconstruction says
    spread                                  how far starts or halves disagree about it
    boxes, cubes                            part of a grid; fields at right angles
    reflections, matching, tensor           several of them, in one frame; strain in all directions

Plain NumPy in float64: this runs once a reconstruction.
"""

from symbreak.geometry.bragg import displacement, strain
from symbreak.geometry.circles import Circle
from symbreak.geometry.cubes import orthogonal
from symbreak.geometry.extent import crystal_mask
from symbreak.geometry.grid import ReciprocalGrid
from symbreak.geometry.instrument import Instrument
from symbreak.geometry.instrument_file import read_instrument
from symbreak.geometry.matching import Matched, match_reflections
from symbreak.geometry.reflections import Reflection
from symbreak.geometry.spread import halves_strain_error, strain_spread
from symbreak.geometry.tensor import StrainTensor, displacement_vector, strain_tensor

__all__ = [
    "Circle",
    "Instrument",
    "Matched",
    "ReciprocalGrid",
    "Reflection",
    "StrainTensor",
    "crystal_mask",
    "displacement",
    "displacement_vector",
    "halves_strain_error",
    "match_reflections",
    "orthogonal",
    "read_instrument",
    "strain",
    "strain_spread",
    "strain_tensor",
]
