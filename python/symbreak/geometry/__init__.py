"""From pixels to nanometres: where a diffractometer looks, voxels of the object, Bragg strain.

    circles, instrument, instrument_file    what a scan was
    grid                                    where its pixels lie, and those of the object
    bragg                                   what the phase of a Bragg reconstruction says
    boxes, cubes                            part of a grid; fields at right angles

Plain NumPy in float64: this runs once a reconstruction.
"""

from symbreak.geometry.bragg import displacement, strain
from symbreak.geometry.circles import Circle
from symbreak.geometry.cubes import orthogonal
from symbreak.geometry.grid import ReciprocalGrid
from symbreak.geometry.instrument import Instrument
from symbreak.geometry.instrument_file import read_instrument

__all__ = [
    "Circle",
    "Instrument",
    "ReciprocalGrid",
    "displacement",
    "orthogonal",
    "read_instrument",
    "strain",
]
