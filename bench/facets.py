"""Is a measured crystal's geometry right? An fcc crystal's facets must be planes of its lattice.

    python bench/facets.py RESULT.cxi

RESULT.cxi is a {111} reflection of an fcc crystal, phased by `symbreak reconstruct` from a pattern
of `symbreak prepare --geometry`. Its surface (marching cubes of the mean's magnitude, smoothed, at
45 % of the crystal's) is compared with the eight {111} and six {100} planes of a lattice that has
Q along [111], turned about Q until they fit best. The controls are the same data with the senses of
rows, columns or scan reversed, and with voxels of the same lengths at right angles, then with the
lattice in any orientation: what a viewer shows without the geometry.

Expected before the first run, for the gold crystal of APS 34-ID-C (docs/phasing/measured-data.md):
facets along Q and at 70.5 and 54.7 degrees from it, so that more of the surface lies within 10
degrees of these planes than in the controls; of a sphere 11 % would. It came as expected.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scale_data import markdown
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation
from skimage.measure import marching_cubes

from symbreak.data.files.cxi import Phasing, read_cxi
from symbreak.geometry import ReciprocalGrid, orthogonal
from symbreak.geometry.instrument_file import parse_instrument

Array = NDArray[np.float64]
VOXEL = 8.0  # nm
SMOOTH, LEVEL = 2.0, 0.45
NEAR = np.cos(np.radians(10))
PLANES = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / np.sqrt(3)
PLANES = np.concatenate([PLANES, np.eye(3)])  # {111} and {100}, up to the sign
TURNS = np.radians(np.arange(0, 120, 2))
ORIENTATIONS = 300


def main(path: str) -> None:
    """Print the table of one result."""
    found = read_cxi(path)
    given = parse_instrument(found.instrument.encode(), path)
    bins = _lengths(found.reciprocal.steps) / _lengths(given.reciprocal().steps)
    rows = []
    for rows_as, columns_as, step in product((1, -1), repeat=3):
        changed = replace(
            given,
            rows=_sense(given.rows, rows_as),
            columns=_sense(given.columns, columns_as),
            step=step * given.step,
        )
        senses = zip(("rows", "columns", "scan"), (rows_as, columns_as, step), strict=True)
        reversed_ = [name for name, sign in senses if sign < 0]
        grid = changed.reciprocal()
        grid = ReciprocalGrid(grid.steps * bins[:, None], grid.center)
        share = max(shares(*surface(found, grid), grid.center))
        rows.append([", ".join(reversed_) + " reversed" if reversed_ else "as measured", share])
    lengths = _lengths(found.reciprocal.voxel(found.object.shape))
    flat = 2 * np.pi / (np.array(found.object.shape) * lengths)
    square = ReciprocalGrid(np.diag(flat), found.reciprocal.center)
    normals, area = surface(found, square)
    anywhere = Rotation.random(ORIENTATIONS, random_state=0).apply([1, 1, 1])
    rows.append(
        [
            "right angles, lattice in any orientation",
            max(max(shares(normals, area, q)) for q in anywhere),
        ]
    )
    table = [[name, f"{share:.2f}"] for name, share in rows]
    print(markdown(["geometry", "surface within 10 degrees of {111} or {100}"], table))


def surface(found: Phasing, grid: ReciprocalGrid) -> tuple[Array, Array]:
    """Outward normals of the crystal's surface, ``(triangles, 3)``, and their areas."""
    image = np.abs(found.object if found.mean is None else found.mean)
    cubes, _ = orthogonal({"image": image}, grid, VOXEL)
    smooth = gaussian_filter(cubes["image"], SMOOTH)
    level = LEVEL * np.percentile(smooth[smooth > 0.3 * smooth.max()], 80)
    corners, faces, *_ = marching_cubes(smooth, level)
    a, b, c = (corners[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    area = np.linalg.norm(normals, axis=1)
    return (normals / np.maximum(area, 1e-12)[:, None])[:, ::-1], area  # x, y, z


def shares(normals: Array, area: Array, q: Array) -> Iterator[float]:
    """Of the surface, what lies near a plane of the lattice, for every turn of it about Q."""
    onto, _ = Rotation.align_vectors(q[None], PLANES[:1])
    for turn in TURNS:
        planes = Rotation.from_rotvec(turn * q / np.linalg.norm(q)).apply(onto.apply(PLANES))
        near = np.abs(normals @ planes.T).max(1) > NEAR
        yield float(area[near].sum() / area.sum())


def _sense(axis: str, sign: int) -> str:
    return axis if sign > 0 else axis.translate(str.maketrans("+-", "-+"))


def _lengths(vectors: Array) -> Array:
    return np.linalg.norm(vectors, axis=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
