"""symbreak combine: strain in all directions out of several Bragg reflections of one crystal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from symbreak.cli import options
from symbreak.cli.output import note, out, table, wrote
from symbreak.data.files.readers import DataError
from symbreak.data.files.reflections import read_reflection
from symbreak.data.files.vtk import COMPONENTS, write_vti
from symbreak.geometry import (
    Matched,
    displacement_vector,
    match_reflections,
    strain_tensor,
)
from symbreak.geometry.bragg import widened
from symbreak.geometry.checks import check_number
from symbreak.geometry.extent import LEVEL
from symbreak.geometry.tensor import FLAT

Array = NDArray[Any]
PAIRS = tuple(tuple(map("xyz".index, name)) for name in COMPONENTS[6])  # of a symmetric tensor
ALIKE = 0.02  # difference of two correlations below which they choose nothing
WEAK = 3.0  # times the error of vectors in all directions alike from which on a note says so
NEEDED = "three reflections are needed that do not lie in one plane"
EXAMPLES = (
    "symbreak combine 111.cxi 1-11.cxi 200.cxi -o lattice.vti",
    "symbreak combine 111.cxi 1-11.cxi 200.cxi -o lattice.png --voxel 5",
)


def combine(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Three results of `symbreak reconstruct` or more, prepared with --geometry.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="VTK image data, .vti, or a picture, .png ...")
    ],
    voxel: Annotated[
        float | None,
        typer.Option(
            metavar="NM",
            callback=options.checked(lambda edge: check_number("voxel", edge, "nm", positive=True)),
            help="Edge of the cubes; default: the shortest step of all.",
        ),
    ] = None,
    level: options.Level = LEVEL,
) -> None:
    """Combine Bragg reflections of one crystal: displacement, strain, rotation of its lattice.

    Results are turned into the frame of the sample, x, y, z as in the laboratory with all circles
    of the sample at 0, and put on the first one, twins flipped back; of each the mean of the good
    starts is taken, where there is one. A .vti holds, on cubes: amplitude and support, displacement
    (nm), the six components of strain, rotation (radians), how far the good starts disagree about
    strain, and how far the reflections do, all relative to the crystal's mean lattice.
    """
    options.result_path(
        output,
        (".vti", *options.PICTURES),
        inputs=tuple(options.source(str(result)) for result in results),
    )
    if len(results) < 3:
        raise typer.BadParameter(f"three results or more are needed, got {len(results)}")
    reflections = [read_reflection(path, level) for path in results]
    _check_directions(results, np.stack([reflection.q for reflection in reflections]))
    matched = match_reflections(reflections, voxel)
    arrays = _fields(matched)
    _tell(results, matched)
    note(_weak(matched.q))
    if output.suffix.lower() == ".vti":
        write_vti(output, arrays, spacing=matched.voxel)
        what = "VTK image data"
    else:
        _draw(output, arrays, matched)
        what = "picture"
    rows = table("lattice", "field", "5 %", "95 %")
    known = arrays["support"] != 0
    for name, array in _scalars(arrays).items():
        low, high = np.percentile(array[known], (5, 95)) if known.any() else (0.0, 0.0)
        rows.add_row(name, f"{low:.2e}", f"{high:.2e}")
    out().print(rows)
    wrote(output, f"{what}, cubes of {matched.voxel:g} nm")


def _check_directions(results: list[Path], q: Array) -> None:
    """Say which files are to blame where the strain in some direction is not to be had."""
    directions = q / np.linalg.norm(q, axis=1)[:, None]
    if np.linalg.svd(directions)[1][2] >= FLAT:
        return
    alike = np.linalg.norm(np.cross(directions[:, None], directions), axis=-1) < FLAT
    same = {tuple(np.flatnonzero(row)) for row in alike if row.sum() > 1}
    if same:
        groups = "; ".join(", ".join(str(results[k]) for k in group) for group in sorted(same))
        raise DataError(f"{groups}: the same reflection, or along it; {NEEDED}.")
    names = ", ".join(map(str, results))
    raise DataError(f"{names}: their scattering vectors lie in one plane; {NEEDED}.")


def _weak(q: Array) -> list[str]:
    """Say so where the vectors lie so near a plane that strain across it is hardly known.

    Errors of strain along Q become errors of the tensor by the inverse of the vectors' directions:
    across their plane by one over the least singular value, which is sqrt(K / 3) for K vectors
    spread out alike.
    """
    directions = q / np.linalg.norm(q, axis=1)[:, None]
    _, singular, axes = np.linalg.svd(directions)
    factor = float(np.sqrt(len(q) / 3) / singular[2])
    if factor < WEAK:
        return []
    x, y, z = axes[2] * np.sign(axes[2][np.abs(axes[2]).argmax()])
    return [
        f"the scattering vectors lie near a plane: across it, along ({x:.2f}, {y:.2f}, {z:.2f}), "
        f"errors of the displacement are {factor:.1f} times those of vectors in all directions; a "
        "reflection further out of the plane helps."
    ]


def _fields(matched: Matched) -> dict[str, Array]:
    """What is written, by name, ``(*cube)`` or ``(*cube, components)``, axes z, y, x."""
    tensor = strain_tensor(matched.gradient, matched.q, matched.covariance)
    moved = displacement_vector(matched.displacement, matched.q)
    arrays: dict[str, Array] = {
        "amplitude": matched.magnitude.mean(0).astype(np.float32),
        "support": np.isfinite(tensor.misfit).astype(np.uint8),
    }
    fields: dict[str, Any] = {
        "displacement": moved,
        "strain": [tensor.strain[pair] for pair in PAIRS],
        "rotation": tensor.rotation,
    }
    if tensor.spread is not None:
        fields["strain_spread"] = [tensor.spread[pair] for pair in PAIRS]
    for name, parts in fields.items():
        arrays[name] = np.stack([widened(part) for part in parts], -1)
    return {**arrays, "misfit": widened(tensor.misfit)}


def _scalars(arrays: dict[str, Array]) -> dict[str, Array]:
    """All components by a name of their own, but for amplitude and support."""
    found = {}
    for name, array in list(arrays.items())[2:]:
        if array.ndim == 3:
            found[name] = array
        else:
            names = COMPONENTS[array.shape[-1]]
            found |= {f"{name} {part}": array[..., k] for k, part in enumerate(names)}
    return found


def _tell(results: list[Path], matched: Matched) -> None:
    """How the reflections lie to one another, and what the magnitudes leave open."""
    rows = table(
        "reflections",
        *("result", "planes (nm)", "angle to the first", "twin of it", "correlation"),
    )
    lengths = np.linalg.norm(matched.q, axis=1)
    cosines = np.clip(matched.q @ matched.q[0] / (lengths * lengths[0]), -1, 1)
    for k, path in enumerate(results):
        rows.add_row(
            path.name,
            f"{2 * np.pi / lengths[k]:.4f}",
            f"{np.degrees(np.arccos(cosines[k])):.1f}",
            "yes" if matched.twin[k] else "no",
            f"{matched.overlap[k, 0]:.3f}",
        )
    out().print(rows)
    margins = matched.overlap[1:, 0] - matched.overlap[1:, 1]
    for path, margin in zip(results[1:], margins, strict=True):
        if margin < ALIKE:
            note(
                [f"{path.name}: its twin fits the first nearly as well; the wrong one spoils all."]
            )


def _draw(output: Path, arrays: dict[str, Array], matched: Matched) -> None:
    from symbreak.plotting import laboratory_figure, save

    drawn = {"object": arrays["amplitude"] + 0j, "support": arrays["support"] != 0}
    drawn |= _scalars({name: array for name, array in arrays.items() if name != "misfit"})
    fields = [(name, name, "") for name in drawn if name.startswith("strain ")]
    first = np.full(3, -(matched.magnitude.shape[1] // 2) * matched.voxel)
    figure = laboratory_figure(
        drawn, first, matched.voxel, np.zeros(3), fields=fields, title=output.stem
    )
    save(figure, output)
