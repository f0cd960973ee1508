"""Write simulated pairs amplitude -> object to HDF5, chunk by chunk, with every parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import h5py
import torch

import symbreak
from symbreak.data.simulation.crystals import crystals
from symbreak.data.simulation.noise import beamstop, detector_gaps, poisson_amplitude
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.data.streaming.chunks import Chunks, Done
from symbreak.data.streaming.distribute import HERE, Runner
from symbreak.data.streaming.resumable import Shapes, is_made, resuming
from symbreak.ops.checks import check_count, check_integer, shown
from symbreak.ops.numbers import integers, keep_plain

# Item k of a split is crystal FIRST[split] + k of the seed: splits never share a crystal, and a
# larger training set begins with the smaller one.
FIRST = {"train": 0, "validation": 2**40, "test": 2**41}


@dataclass(frozen=True)
class Simulation:
    """What `write_pairs` simulates; nothing is checked before it does."""

    size: int = 64
    """N: pixels per axis of the objects, >= 8."""
    seed: int = 0
    """Of the crystals and of the noise, >= 0."""
    ndim: int = 2
    """Axes of an object, 2 or 3."""
    oversampling: int = 2
    """M / N, >= 1."""
    photons: float | None = None
    """Expected photons per pattern, counted with Poisson noise; None: no noise."""
    settings: CrystalSettings | None = None
    """Shapes and defects; None: the defaults of `symbreak.data.crystals`."""
    beamstop: float | None = None
    """Radius of a round beamstop in pixels of the pattern; None: no beamstop."""
    gaps: tuple[int, int] | None = None
    """Pixels of a detector module and of the gap to the next; None: no gaps."""

    def __post_init__(self) -> None:
        """Keep NumPy's numbers as Python's, for arithmetic and JSON; `write_pairs` checks all."""
        keep_plain(self)

    @property
    def measured_shape(self) -> tuple[int, ...]:
        """M per axis."""
        return (self.oversampling * self.size,) * self.ndim

    def valid(self) -> torch.Tensor | None:
        """Make the mask of measured pixels.

        Returns:
            bool ``(*M)``, DC at index 0; None: all of them were.

        Raises:
            TypeError: ``beamstop`` is not a number.
            ValueError: ``beamstop`` or ``gaps`` is out of its range, or leaves no pixel.
            MemoryError: The pattern is larger than the memory.
        """
        masks = []
        if self.beamstop is not None:
            masks.append(beamstop(self.measured_shape, self.beamstop))
        if self.gaps is not None:
            module, gap = self.gaps
            # DC in the middle of a module, as the detector would be placed.
            offset = module // 2 - self.measured_shape[0] // 2
            masks.append(detector_gaps(self.measured_shape, module=module, gap=gap, offset=offset))
        if not masks:
            return None
        valid = torch.stack(masks).all(0)
        if not bool(valid.any()):
            raise ValueError(
                "Simulation: beamstop and gaps must leave a pixel of the pattern, "
                f"{self.measured_shape}, got beamstop={self.beamstop!r}, gaps={self.gaps!r}."
            )
        return valid


def write_pairs(
    path: str | Path,
    split: str,
    count: int,
    simulation: Simulation,
    *,
    chunk: int = 256,
    runner: Runner = HERE,
    command: str = "",
    advance: Callable[[int], None] = lambda items: None,
) -> None:
    """Simulate a split and write it: complex64 ``object``, float32 ``amplitude`` (DC at index 0).

    With a beamstop or gaps there is a bool ``valid``, False where a pixel was not measured; the
    amplitude there is 0. The file appears whole or not at all, in the place of a file of other
    pairs. Where an earlier call for the same pairs was interrupted, its finished chunks are kept
    and this one goes on; where it had ended, nothing is left to do. Memory: one chunk.

    Args:
        path: HDF5 file.
        split: ``"train"``, ``"validation"`` or ``"test"``.
        count: Number of pairs, >= 1.
        simulation: What to simulate.
        chunk: Pairs in memory at a time, >= 1.
        runner: Where the chunks are computed, see `symbreak.data.streaming.distribute.running`.
        command: Kept in the file's attributes.
        advance: Called with the number of pairs of every chunk written, also earlier.

    Raises:
        TypeError: ``simulation`` is no `Simulation`, or one of its fields of the wrong type.
        ValueError: A number is out of its range, or there is no such split.
        MemoryError: A chunk is larger than the memory.
        ImportError: shapely (2D) or scipy (3D) is not installed.
        OSError: The file cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed; the message says what is kept.
    """
    path = Path(path)
    if not isinstance(simulation, Simulation):
        raise TypeError(f"write_pairs: simulation must be a Simulation, got {shown(simulation)}.")
    if split not in FIRST:
        raise ValueError(f"write_pairs: split must be one of {', '.join(FIRST)}, got {split!r}.")
    count = check_integer("write_pairs", "count", count, 1)
    chunk = check_integer("write_pairs", "chunk", chunk, 1)
    for name in ("size", "oversampling"):
        check_integer("write_pairs", name, getattr(simulation, name), 1)
    check_count("write_pairs", "seed", check_integer("write_pairs", "seed", simulation.seed, 0), 0)
    gaps = simulation.gaps
    if gaps is not None and len(integers(gaps) or ()) != 2:
        raise ValueError(f"write_pairs: gaps must be two integers (module, gap), got {gaps!r}.")
    settings = {"split": split, "count": count, **asdict(simulation)}
    if is_made(path, settings):
        advance(count)
        return
    valid = simulation.valid()

    def describe(file: h5py.File) -> None:
        if valid is not None:
            file["valid"] = valid.numpy()
        _describe(file, split, simulation, command)

    with resuming(path, _shapes(count, simulation), count, settings, describe) as unfinished:
        advance(unfinished.done)
        pieces = Chunks(
            partial(_pairs, simulation),
            lambda rows: (FIRST[split] + rows.start, rows.stop - rows.start),
            chunk,
            runner=runner,
            report=lambda rows, notes: advance(rows),
        )
        pieces.fill(unfinished.file, unfinished.done, count, advance=unfinished.advance)


def _shapes(count: int, simulation: Simulation) -> Shapes:
    grid = (simulation.size,) * simulation.ndim
    return {
        "object": ((count, *grid), "c8"),
        "amplitude": ((count, *simulation.measured_shape), "f4"),
    }


def _pairs(simulation: Simulation, which: tuple[int, int]) -> Done:
    """Crystals, the number of the first and how many, and their amplitudes as a detector counts."""
    first, count = which
    size, seed, ndim = simulation.size, simulation.seed, simulation.ndim
    objects = crystals(count, size, seed, ndim=ndim, first=first, settings=simulation.settings)
    amplitude = symbreak.fourier_amplitude(objects, oversampling=simulation.oversampling, ndim=ndim)
    if simulation.photons is not None:
        amplitude = poisson_amplitude(amplitude, simulation.photons, seed, ndim=ndim, first=first)
    valid = simulation.valid()
    if valid is not None:
        amplitude = amplitude.where(valid, 0)
    return Done({"object": objects.numpy(), "amplitude": amplitude.numpy()})


def _describe(file: h5py.File, split: str, simulation: Simulation, command: str) -> None:
    file.attrs["default"] = "object"
    file.attrs["program"] = f"symbreak {symbreak.__version__}"
    file.attrs["version"] = symbreak.__version__
    file.attrs["command"] = command
    file.attrs["split"] = split
    file.attrs["first"] = FIRST[split]
    for name in ("size", "seed", "ndim", "oversampling"):
        file.attrs[name] = getattr(simulation, name)
    for name in ("photons", "beamstop", "gaps"):
        if getattr(simulation, name) is not None:
            file.attrs[name] = getattr(simulation, name)
    settings = simulation.settings
    if settings is None:  # the default of `crystals`
        settings = CrystalSettings(defects=(0, 1)) if simulation.ndim == 3 else CrystalSettings()
    for name, value in asdict(settings).items():
        file.attrs[name] = value
