"""Write arrays as VTK image data (.vti) or structured grids (.vts).

ParaView, VisIt and PyVista open both, Slicer images. The format is XML with the numbers appended as
plain bytes (VTK file formats, docs.vtk.org). It is written here because the small library for it,
pyevtk 1.7, packs the numbers one by one: measured 2 s and 220 MiB of memory for an array of 16 MiB,
where plain bytes take 0.04 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.atomic import replacing

COMPONENTS = {3: ("x", "y", "z"), 6: ("xx", "yy", "zz", "xy", "yz", "xz")}  # as VTK orders them
TYPES = {"f4": "Float32", "f8": "Float64", "u1": "UInt8", "i4": "Int32", "u4": "UInt32"}
COUNT = np.dtype("<u8")  # what precedes every array: its bytes


def write_vti(
    path: str | Path,
    arrays: Mapping[str, NDArray[Any]],
    *,
    spacing: float | Sequence[float] = 1.0,
    origin: Sequence[float] | None = None,
) -> None:
    """Write fields on one grid as point data; the first, a scalar, is what viewers show.

    The last axis of an array is x, the one before y, the one before that z. A 2D array becomes an
    image of one layer.

    Args:
        path: The file.
        arrays: float32, float64, uint8, int32 or uint32 by name, ``(*grid)``, 2D or 3D; after the
            first also ``(*grid, 3)``, vectors x, y, z, and ``(*grid, 6)``, symmetric tensors xx,
            yy, zz, xy, yz, xz.
        spacing: Distance between points, one number or one per axis in the order of the arrays'.
        origin: Position of the first point, in the same order; None puts the middle of the grid,
            index ``size // 2``, at 0.

    Raises:
        TypeError: An array is not one of NumPy.
        ValueError: There is no array, they differ in shape or hold numbers of another type, or
            ``spacing`` or ``origin`` is not one number per axis, finite, spacing > 0.
        OSError: The file cannot be written.
    """
    shape = _check("write_vti", arrays)
    if not isinstance(spacing, (Sequence, np.ndarray)):
        spacing = [spacing] * len(shape)
    steps = tuple(map(float, spacing))
    if len(steps) != len(shape) or not all(np.isfinite(s) and s > 0 for s in steps):
        raise ValueError(f"write_vti: spacing must be {len(shape)} numbers > 0, got {steps}.")
    middle = [-(n // 2) * step for n, step in zip(shape, steps, strict=True)]
    first = tuple(map(float, middle if origin is None else origin))
    if len(first) != len(shape) or not np.isfinite(first).all():
        raise ValueError(f"write_vti: origin must be {len(shape)} finite numbers, got {first}.")

    def xyz(values: Sequence[float], layer: float) -> str:
        return " ".join(repr(float(v)) for v in (*reversed(values), layer)[:3])

    _write(Path(path), "ImageData", f'Origin="{xyz(first, 0)}" Spacing="{xyz(steps, 1)}"', arrays)


def write_vts(
    path: str | Path, arrays: Mapping[str, NDArray[Any]], positions: NDArray[np.floating[Any]]
) -> None:
    """Write fields on a grid whose points lie anywhere: a skewed one keeps its shape.

    Args:
        path: The file.
        arrays: As in :func:`write_vti`, ``(*grid)``; the last axis runs first.
        positions: x, y and z of every point, ``(*grid, 3)``; written as float32.

    Raises:
        TypeError: An array is not one of NumPy.
        ValueError: There is no array, they differ in shape or hold numbers of another type, or
            ``positions`` does not fit them.
        OSError: The file cannot be written.
    """
    shape = _check("write_vts", arrays)
    _check_array("write_vts", "positions", positions)
    if positions.shape != (*shape, 3):
        raise ValueError(
            f"write_vts: positions must be {(*shape, 3)} for arrays {shape}, got {positions.shape}."
        )
    _write(Path(path), "StructuredGrid", "", arrays, positions.astype(np.float32))


def _write(
    path: Path,
    kind: str,
    attributes: str,
    arrays: Mapping[str, NDArray[Any]],
    points: NDArray[np.float32] | None = None,
) -> None:
    """The header, then every array, preceded by its length in bytes."""
    blocks = [*arrays.values()] if points is None else [*arrays.values(), points]
    plain = [
        np.ascontiguousarray(block).astype(block.dtype.newbyteorder("<"), copy=False)
        for block in blocks
    ]
    offsets = np.cumsum([0, *(COUNT.itemsize + block.nbytes for block in plain)])
    shape = blocks[0].shape
    fields = [
        _field(name, array, f'{_components(array.shape[len(shape) :])}offset="{offset}"')
        for (name, array), offset in zip(arrays.items(), offsets, strict=False)
    ]
    if points is not None:
        place = _field("positions", points, f'NumberOfComponents="3" offset="{offsets[-2]}"')
        fields = ["<Points>", place, "</Points>", *_active(arrays, fields)]
    else:
        fields = _active(arrays, fields)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(_header(kind, attributes, shape, fields).encode())
        for array in plain:
            file.write(COUNT.type(array.nbytes).astype(COUNT).tobytes())
            file.write(array.data)
        file.write(b"\n</AppendedData>\n</VTKFile>\n")


def _field(name: str, array: NDArray[Any], more: str) -> str:
    kind = TYPES[array.dtype.str[1:]]
    return f'<DataArray type="{kind}" Name={quoteattr(name)} format="appended" {more}/>'


def _components(more: tuple[int, ...]) -> str:
    """Of the axis behind the grid's."""
    if not more:
        return ""
    names = " ".join(f'ComponentName{k}="{name}"' for k, name in enumerate(COMPONENTS[more[0]]))
    return f'NumberOfComponents="{more[0]}" {names} '


def _active(arrays: Mapping[str, NDArray[Any]], fields: list[str]) -> list[str]:
    """The fields of the points, the first of them shown."""
    shown = quoteattr(next(iter(arrays)))
    return [f"<PointData Scalars={shown}>", *fields, "</PointData>"]


def _header(kind: str, attributes: str, shape: tuple[int, ...], fields: list[str]) -> str:
    """Everything up to the underscore after which the bytes follow."""
    last = [n - 1 for n in reversed(shape)] + [0]
    extent = f"0 {last[0]} 0 {last[1]} 0 {last[2]}"
    return "\n".join(
        [
            '<?xml version="1.0"?>',
            f'<VTKFile type="{kind}" version="1.0" byte_order="LittleEndian" header_type="UInt64">',
            f'<{kind} WholeExtent="{extent}" {attributes}>'.replace(" >", ">"),
            f'<Piece Extent="{extent}">',
            *fields,
            "</Piece>",
            f"</{kind}>",
            '<AppendedData encoding="raw">',
            "_",
        ]
    )


def _check_array(function: str, name: str, array: NDArray[Any]) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{function}: {name} must be a NumPy array, got {type(array).__name__}.")


def _check(function: str, arrays: Mapping[str, NDArray[Any]]) -> tuple[int, ...]:
    """Check the arrays and return the shape of the grid, that of the first."""
    for name, array in arrays.items():
        _check_array(function, name, array)
    if not arrays:
        raise ValueError(f"{function}: arrays must hold at least one, got none.")
    shape = next(iter(arrays.values())).shape
    for name, array in arrays.items():
        parts = array.shape[len(shape) :]
        whole = not parts or (len(parts) == 1 and parts[0] in COMPONENTS)
        if array.shape[: len(shape)] != shape or not whole or len(shape) not in (2, 3):
            raise ValueError(
                f"{function}: arrays must be 2D or 3D of one shape, or that and 3 or 6 components, "
                f"{name} has {array.shape}, the first {shape}."
            )
        if array.dtype.str[1:] not in TYPES:
            raise ValueError(
                f"{function}: {name} must be one of {', '.join(TYPES)}, got {array.dtype}."
            )
    return shape
