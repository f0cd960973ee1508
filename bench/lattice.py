"""A strained crystal seen by four Bragg reflections, from noisy frames to its strain tensor.

    python bench/lattice.py [--photons 1e6] [--plot lattice.png]

simulates four rocking curves of one crystal, each with circles of its own, and runs what a user
would: `symbreak prepare --geometry`, `reconstruct`, `combine` of the first three and of all four.
Then it compares with the lattice that was put in; of every single reflection also the strain along
Q, in all of the support and in the crystal that `crystal_mask` sees in it, beside the spread of the
starts and what two halves of the photons say. Nothing is taken from the truth on the way.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scale_data import markdown
from scipy.ndimage import distance_transform_edt
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.data.files.cxi import read_cxi
from symbreak.data.files.reflections import read_reflection
from symbreak.geometry import (
    Circle,
    Instrument,
    crystal_mask,
    halves_strain_error,
    match_reflections,
    strain_spread,
    strain_tensor,
)
from symbreak.geometry import strain as strain_along_q
from symbreak.geometry.circles import rotation
from symbreak.geometry.instrument_text import instrument_text
from symbreak.halves import compare_halves

Real = NDArray[np.float64]
SIZE = 64
HALVES = ("-half1", "-half2")  # of the photons, phased too
ANGLES = (  # delta, gamma; theta, chi, phi, degrees
    ((32.2, 12.6), (0.2, 90.0, -5.0)),
    ((33.0, -9.0), (-25.0, 40.0, 20.0)),
    ((30.0, 16.0), (15.0, 140.0, 55.0)),
    ((34.5, 4.0), (-10.0, 20.0, -75.0)),
)


def instrument(number: int) -> Instrument:
    """That of a rocking curve; voxels of some 10 nm."""
    (delta, gamma), (theta, chi, phi) = ANGLES[number]
    return Instrument(
        energy=9.0,
        distance=0.25,
        pixel=(55e-6, 55e-6),
        detector=(Circle("delta", "y+", delta), Circle("gamma", "x-", gamma)),
        sample=(Circle("theta", "y+", theta), Circle("chi", "z-", chi), Circle("phi", "y+", phi)),
        scan="theta",
        step=0.02,
    )


def inside(place: Real) -> NDArray[np.bool_]:
    """A ball of 110 nm with facets and no centre of symmetry; ``place``: ``(3, ...)``, nm."""
    x, y, z = place
    return (x**2 + y**2 + z**2 < 110**2) & (x < 70) & (y + z < 90) & (z - 0.4 * x > -65)


def center() -> Real:
    """The middle of the crystal, ``(3, 1, 1, 1)``, nm."""
    fine = np.stack(np.meshgrid(*3 * [np.arange(-110, 111, 4.0)], indexing="ij"))
    return fine[:, inside(fine)].mean(-1).reshape(3, 1, 1, 1)


def moved(place: Real) -> Real:
    """Displacement of the lattice, nm."""
    x, y, z = place
    return 1e-5 * np.stack([x**2 + 1.5 * z**2, x * y - y**2, 1.5 * y * z])


def strain(place: Real) -> Real:
    """Its strain, ``(3, 3, ...)``, from the derivatives of `moved`."""
    x, y, z = 1e-5 * place
    zero = np.zeros_like(x)
    jacobian = np.stack(
        [
            np.stack([2 * x, zero, 3 * z]),
            np.stack([y, x - 2 * y, zero]),
            np.stack([zero, 1.5 * z, 1.5 * y]),
        ]
    )
    found: Real = (jacobian + jacobian.swapaxes(0, 1)) / 2
    return found


def frames(number: int, photons: float) -> NDArray[np.uint32]:
    """Counts of a rocking curve, the crystal somewhere in its grid."""
    told = instrument(number)
    grid, turn = told.reciprocal(), rotation(told.sample)
    place = np.moveaxis(grid.positions((SIZE,) * 3) @ turn, -1, 0)
    x = inside(place) * np.exp(-1j * np.tensordot(grid.center @ turn, moved(place), 1))
    intensity = np.abs(np.fft.fftshift(np.fft.fftn(x))) ** 2
    rng = np.random.default_rng(number)
    return rng.poisson(intensity * photons / intensity.sum()).astype(np.uint32)


def command(*words: Any) -> str:
    """Run a command of symbreak."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def phase(folder: Path, photons: float) -> list[Path]:
    """The results of all reflections."""
    results = []
    for number in range(len(ANGLES)):
        raw, scan = folder / f"{number}.npy", folder / f"{number}.toml"
        pattern, result = folder / f"{number}.h5", folder / f"{number}.cxi"
        np.save(raw, frames(number, photons))
        scan.write_text(instrument_text(instrument(number)))
        words = ("prepare", raw, "-o", pattern, "--stack", "volume", "--geometry", scan)
        command(*words, "--size", f"{SIZE},{SIZE},{SIZE}", "--halves")
        for seed, part in enumerate(("", *HALVES)):
            files = folder / f"{number}{part}.h5", "-o", folder / f"{number}{part}.cxi"
            command("reconstruct", *files, "--seed", seed)
        results.append(result)
    return results


def compare(results: list[Path], deep: float) -> list[str]:
    """How far the strain is from the true one, all components, deeper than so many cubes."""
    matched = match_reflections([read_reflection(path) for path in results])
    tensor = strain_tensor(matched.gradient, matched.q, matched.covariance)
    side = matched.magnitude.shape[1]
    along = (np.arange(side) - side // 2) * matched.voxel
    place = np.stack(np.meshgrid(along, along, along, indexing="ij")[::-1])
    known = np.isfinite(tensor.misfit)
    known &= distance_transform_edt(known) > deep
    gaps = []
    for sense in (1, -1):
        gap = (tensor.strain - strain(sense * place + center()))[..., known]
        gaps.append(gap - gap.mean(-1, keepdims=True))
    errors = [np.sqrt(np.mean(gap**2)) for gap in gaps]
    assert tensor.spread is not None
    ratio = np.abs(min(gaps, key=np.std)) / tensor.spread[..., known]
    true = strain(place)[..., known]
    spread = np.sqrt(np.mean((true - true.mean(-1, keepdims=True)) ** 2))
    misfit = np.sqrt(np.mean(tensor.misfit[known] ** 2))
    return [
        str(len(results)),
        "all" if deep < 1 else f"{deep:g} cubes deep",
        f"{known.sum()}",
        f"{spread:.1e}",
        f"{min(errors):.1e}",
        f"{max(errors):.1e}",
        f"{misfit:.1e}" if len(results) > 3 else "-",
        f"{np.sqrt(np.nanmean(tensor.spread[..., known] ** 2)):.1e}",
        *(f"{np.mean(ratio < times):.2f}" for times in (1, 2)),
    ]


def along_q(result: Path, number: int) -> list[str]:
    """How far the strain along Q of one reflection is from the true one, in support and crystal."""
    found = read_cxi(result)
    assert found.mean is not None
    assert found.reciprocal is not None
    x, grid, turn = found.mean, found.reciprocal, rotation(instrument(number).sample)
    q = grid.center @ turn / np.linalg.norm(grid.center)
    indices, power = np.indices(x.shape), np.where(found.support, np.abs(x) ** 2, 0)
    middle = np.array([(index * power).sum() for index in indices]) / power.sum()
    place = np.moveaxis((np.moveaxis(indices, 0, -1) - middle) @ grid.voxel(x.shape) @ turn, -1, 0)
    row = [str(number + 1)]
    crystal = crystal_mask(x, found.support)
    for taken in (found.support, crystal):
        stretched = strain_along_q(x, taken, grid)
        known = np.isfinite(stretched)
        gaps = []
        for sense in (1, -1):  # or the twin, at the opposite place
            true = np.einsum("i,ij...,j", q, strain(sense * place + center()), q)
            gaps.append((stretched - true)[known])
        error = min(gaps, key=np.std)
        row += [str(known.sum()), f"{np.std(error):.1e}"]
    spread = strain_spread(found.good_starts, crystal, grid)[known]
    error = np.abs(error - error.mean())[spread > 0]
    spread = spread[spread > 0]
    row.append(f"{np.sqrt(np.mean(spread**2)):.1e}")
    row += [f"{np.mean(error < times * spread):.2f}" for times in (1, 2)]
    halves = [read_cxi(result.with_stem(result.stem + part)) for part in HALVES]
    first, second = (torch.from_numpy(half.mean) for half in halves)
    second = compare_halves(first, second, ndim=3).second
    row.append(f"{halves_strain_error(first.numpy(), second.numpy(), grid):.1e}")
    at = place + center()
    true = np.einsum("i,ij...,j", q, strain(at), q)[inside(at)]
    return [*row, str(true.size), f"{true.std():.1e}"]


def main(photons: float, plot: Path | None) -> None:
    with tempfile.TemporaryDirectory() as name:
        results = phase(Path(name), photons)
        print(command("combine", *results, "-o", plot or Path(name) / "lattice.vti"))
        head = ("reflections", "where", "cubes", "strain", "error", "of the other twin", "misfit")
        head += ("spread", "error below it", "below twice")
        found = [compare(results[:count], deep) for count in (3, 4) for deep in (0.5, 2.5)]
        print(markdown(head, found))
        head = ("reflection", "support", "error", "crystal", "error ", "spread")
        head += ("error below it", "below twice", "halves", "true crystal", "strain")
        print(markdown(head, [along_q(result, k) for k, result in enumerate(results)]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photons", type=float, default=1e6)
    parser.add_argument("--plot", type=Path, help="picture of all four")
    words = parser.parse_args()
    main(words.photons, words.plot)
