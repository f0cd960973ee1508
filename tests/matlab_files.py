"""Files as MATLAB writes them: of version 7.3, HDF5 behind a header, and old ones by hand."""

import io
import struct

import h5py
import numpy as np

HEADER = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Nov 30 2026 HDF5 schema 1.00 ."


def in_matlab(frames):
    """(frames, rows, columns) as MATLAB has it: (rows, columns, frames)."""
    return np.moveaxis(frames, 0, -1) if frames.ndim == 3 else frames


def mark(data, kind):
    data.attrs["MATLAB_class"] = np.bytes_(kind)
    return data


def version_7_3(**arrays):
    """The bytes of a file of version 7.3; a dictionary is a structure, a text a text."""
    target = io.BytesIO()
    with h5py.File(target, "w", userblock_size=512) as file:
        fill(file, arrays)
    content = bytearray(target.getvalue())
    content[:128] = HEADER.ljust(116).ljust(124, b"\0") + b"\0\2IM"
    return bytes(content)


def fill(group, arrays):
    kinds = {"float64": "double", "float32": "single", "bool": "logical"}
    for name, value in arrays.items():
        if isinstance(value, dict):
            fill(mark(group.create_group(name), "struct"), value)
        elif isinstance(value, str):
            mark(group.create_dataset(name, data=[[ord(c)] for c in value]), "char")
        elif np.iscomplexobj(value):
            kind = value.real.dtype
            pairs = np.empty(value.T.shape, [("real", kind), ("imag", kind)])
            pairs["real"], pairs["imag"] = value.T.real, value.T.imag
            mark(group.create_dataset(name, data=pairs), kinds[kind.name])
        else:
            stored = value.T.astype(np.uint8) if value.dtype == bool else value.T
            data = group.create_dataset(name, data=stored)
            mark(data, kinds.get(value.dtype.name, value.dtype.name))


def version_5(name, array, *, order="<", stored="u1"):
    """The bytes of a file with one array of doubles, its numbers stored in a smaller type."""
    kinds = {"i1": 1, "u1": 2, "u2": 4, "f4": 7, "f8": 9}

    def piece(kind, data):
        if len(data) <= 4 and kind != 14:
            return struct.pack(order + "I", len(data) << 16 | kind) + data.ljust(4, b"\0")
        return struct.pack(order + "II", kind, len(data)) + data + b"\0" * (-len(data) % 8)

    inner = piece(6, struct.pack(order + "II", 6, 0))
    inner += piece(5, struct.pack(f"{order}{array.ndim}i", *array.shape))
    inner += piece(1, name.encode())
    inner += piece(kinds[stored], array.astype(order + stored).tobytes(order="F"))
    version = struct.pack(order + "H", 0x100)
    mark = b"IM" if order == "<" else b"MI"
    return b"MATLAB 5.0 MAT-file".ljust(124) + version + mark + piece(14, inner)
