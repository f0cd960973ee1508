"""Simulated Bragg CDI crystals: unit magnitude inside a random shape, phase Q.u of dislocations."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from symbreak.data.simulation.dislocations import bragg_phase
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.ops.checks import check_integer, check_ndim, shown
from symbreak.ops.memory import check_memory

# Crystals a worker process makes at a time.
CHUNK = 64


def crystals(
    count: int,
    size: int = 64,
    seed: int = 0,
    *,
    ndim: int = 2,
    first: int = 0,
    workers: int = 1,
    settings: CrystalSettings | None = None,
) -> torch.Tensor:
    """Simulate Bragg CDI crystals in the manner of the data of arXiv:2211.00799.

    x = exp(i (Q.u + c)) inside a random shape and 0 outside: u is the displacement field of
    randomly placed dislocations in an isotropic elastic medium (`dislocation_displacement`), Q a
    reciprocal-lattice vector, c a random constant. Shapes are rounded polygons, convex or not, in
    2D and convex polyhedra in 3D, anywhere in the frame but never across its edge.

    Item k depends on ``(seed, first + k)``, ``size``, ``ndim`` and ``settings`` alone, so
    ``crystals(10)[4:7]`` equals ``crystals(3, first=4)``, whatever ``workers`` is.

    Args:
        count: Number of crystals, >= 0.
        size: Pixels per axis of the frame, >= 8.
        seed: Seed of the data set, >= 0.
        ndim: 2 or 3.
        first: Index of the first crystal, >= 0; for making a large set in pieces.
        workers: Processes, >= 1. One is this one; more start new interpreters, so a script needs
            the usual ``if __name__ == "__main__":``.
        settings: Shape and defect parameters; None takes the defaults, with the range of
            ``defects`` cut to 0..1 in 3D.

    Returns:
        complex64 tensor ``(count, *(size,) * ndim)`` on the CPU; magnitude 0, or 1 to rounding.

    Raises:
        ValueError: An argument is out of its range, or more than one defect is asked for in 3D.
        TypeError: ``settings`` or ``ndim`` is of the wrong type.
        MemoryError: The result is larger than the memory.
        ImportError: shapely (2D) or scipy (3D) is not installed.

    Example:
        >>> symbreak.data.crystals(2, 32).shape
        torch.Size([2, 32, 32])

    Note:
        Not differentiable. Memory: the result. Time: 4 ms per crystal of 64 x 64 and 0.2 s per
        crystal of 64 x 64 x 64 on one core of a Zen 4.
    """
    if settings is None:
        settings = CrystalSettings(defects=(0, 1)) if ndim == 3 else CrystalSettings()
    count, size, seed, ndim, first, workers = _check(
        count, size, seed, ndim, first, workers, settings
    )
    output = np.empty((count, *(size,) * ndim), dtype=np.complex64)
    starts = range(first, first + count, CHUNK)
    jobs = [(seed, k, min(CHUNK, first + count - k), size, ndim, settings) for k in starts]
    done = 0
    for part in _run(jobs, workers):
        output[done : done + len(part)] = part
        done += len(part)
    return torch.from_numpy(output)


Job = tuple[int, int, int, int, int, CrystalSettings]


def _run(jobs: list[Job], workers: int) -> Iterator[NDArray[np.complex64]]:
    """Yield the pieces in order, made here or in worker processes."""
    if workers == 1 or len(jobs) < 2:
        yield from map(_piece, jobs)
        return
    # Not fork: a forked child of a process with torch's threads can deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        yield from pool.map(_piece, jobs)


def _piece(job: Job) -> NDArray[np.complex64]:
    """Make consecutive crystals."""
    seed, first, count, size, ndim, settings = job
    return np.stack([_crystal(seed, k, size, ndim, settings) for k in range(first, first + count)])


def _crystal(
    seed: int, index: int, size: int, ndim: int, settings: CrystalSettings
) -> NDArray[np.complex64]:
    """Make the crystal ``index`` of the set ``seed``."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(index,))))
    mask = _mask(rng, size, ndim, settings)
    defects = int(rng.integers(settings.defects[0], settings.defects[1] + 1))
    points = np.argwhere(mask).astype(np.float64)
    cores = points
    if settings.cores == "frame":
        cores = np.argwhere(np.ones_like(mask)).astype(np.float64)
    phase = bragg_phase(rng, points, defects, settings.miller, settings.poisson_ratio, cores)
    if settings.rigid_phase:
        phase += rng.uniform(0.0, 2.0 * np.pi)
    crystal = np.zeros(mask.shape, dtype=np.complex64)
    crystal[mask] = np.exp(1j * phase)
    return crystal


def _mask(
    rng: np.random.Generator, size: int, ndim: int, settings: CrystalSettings
) -> NDArray[np.bool_]:
    """Draw the shape; the libraries it needs are imported with the first one."""
    try:
        if ndim == 2:
            from symbreak.data.simulation.polygons import polygon_mask

            return polygon_mask(rng, size, settings)
        from symbreak.data.simulation.polyhedra import polyhedron_mask
    except ImportError as error:
        raise ImportError(
            f"crystals: simulating {ndim}D crystals needs {error.name}: "
            "pip install 'symbreak[data]'."
        ) from error
    return polyhedron_mask(rng, size, settings)


def _check(
    count: int, size: int, seed: int, ndim: int, first: int, workers: int, settings: CrystalSettings
) -> tuple[int, int, int, int, int, int]:
    """Raise for an argument out of its range; return the others as Python's integers."""
    count = check_integer("crystals", "count", count, 0)
    size = check_integer("crystals", "size", size, 8)
    seed = check_integer("crystals", "seed", seed, 0)
    first = check_integer("crystals", "first", first, 0)
    workers = check_integer("crystals", "workers", workers, 1)
    ndim = check_ndim("crystals", ndim)
    if not isinstance(settings, CrystalSettings):
        raise TypeError(f"crystals: settings must be CrystalSettings, got {shown(settings)}.")
    cause = f"count = {count} of size = {size}"
    shape = (count, *(size,) * ndim)
    check_memory("crystals", cause, shape, torch.complex64, torch.device("cpu"))
    if ndim == 3 and settings.defects[1] > 1:
        raise ValueError(
            f"crystals: settings.defects must be within [0, 1] in 3D, got {settings.defects!r}."
        )
    return count, size, seed, ndim, first, workers
