"""Arrays of numbers in MATLAB files of versions 5 to 7, by MathWorks' "MAT-File Format".

SciPy (1.17.1) reads these files too, but some damaged ones end the process there, in a segmentation
fault; here every length that a file tells is checked.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = 128  # bytes; the last two tell the order of all others
ORDERS = {b"IM": "<", b"MI": ">"}
MATRIX, COMPRESSED = 14, 15
STORED = dict(enumerate("i1 u1 i2 u2 i4 u4 f4".split(), 1)) | {9: "f8", 12: "i8", 13: "u8"}
# What an array is in MATLAB, which may store it in any type that holds its numbers.
STRUCTURE = 2
NUMBERS = dict(enumerate("f8 f4 i1 u1 i2 u2 i4 u4 i8 u8".split(), 6))
LOGICAL, COMPLEX = 0x200, 0x800

Piece = tuple[int, memoryview]
Arrays = Iterator[tuple[str, NDArray[Any]]]


def arrays_of(content: bytes) -> Arrays:
    """The arrays of numbers, axes as in MATLAB; those of a structure as ``STRUCTURE/FIELD``.

    Raises:
        ValueError: It is no such file, or damaged; `struct.error` and `zlib.error` likewise.
    """
    order = ORDERS.get(content[HEADER - 2 : HEADER])
    if order is None:
        raise ValueError("without the mark of versions 5 to 7.3; save it with -v7")
    reader = _Reader(order)
    for kind, data in reader.elements(memoryview(content)[HEADER:]):
        if kind == COMPRESSED:
            for kind, inner in reader.elements(memoryview(zlib.decompress(data))):
                yield from reader.arrays(kind, inner)
        else:
            yield from reader.arrays(kind, data)


@dataclass(frozen=True)
class _Reader:
    order: str

    def elements(self, data: memoryview) -> Iterator[Piece]:
        """The pieces that follow one another, with what kind each is of."""
        place = 0
        while place < len(data):
            (kind,) = struct.unpack_from(f"{self.order}I", data, place)
            if kind >> 16:  # four bytes or less, beside their length
                kind, size, begin, end = kind & 0xFFFF, kind >> 16, place + 4, place + 8
            else:
                (size,) = struct.unpack_from(f"{self.order}I", data, place + 4)
                begin = place + 8
                end = begin + (size if kind == COMPRESSED else -(-size // 8) * 8)
            if begin + size > min(end, len(data)):
                raise ValueError(f"a piece of {size} bytes where {len(data) - begin} are left")
            yield kind, data[begin : begin + size]
            place = end

    def arrays(self, kind: int, data: memoryview, within: str = "") -> Arrays:
        """Those of one piece: itself, or the fields of a structure; texts and cells hold none."""
        if kind != MATRIX or not data:
            return
        pieces = self.elements(data)
        what = int(self.numbers(pieces)[0])
        shape = tuple(int(n) for n in self.numbers(pieces))
        name = within + bytes(_next(pieces)[1]).decode()
        if what & 0xFF in NUMBERS:
            yield name, self.array(pieces, NUMBERS[what & 0xFF], what, shape)
        elif what & 0xFF == STRUCTURE and prod(shape) == 1:
            length, names = int(self.numbers(pieces)[0]), bytes(_next(pieces)[1])
            for k, (kind, value) in enumerate(pieces):
                field = names[k * length : (k + 1) * length].split(b"\0")[0].decode()
                yield from self.arrays(kind, value, f"{name}/{field}")

    def array(
        self, pieces: Iterator[Piece], dtype: str, what: int, shape: tuple[int, ...]
    ) -> NDArray[Any]:
        array = self.numbers(pieces).astype(dtype)
        if what & COMPLEX:
            both = np.empty(array.shape, np.result_type(dtype, np.complex64))
            both.real, both.imag = array, self.numbers(pieces)
            array = both
        if what & LOGICAL:
            array = array.astype(bool)
        return array.reshape(shape, order="F")

    def numbers(self, pieces: Iterator[Piece]) -> NDArray[Any]:
        kind, data = _next(pieces)
        if kind not in STORED:
            raise ValueError(f"a piece of kind {kind} where numbers should be")
        return np.frombuffer(data, self.order + STORED[kind])


def _next(pieces: Iterator[Piece]) -> Piece:
    for piece in pieces:
        return piece
    raise ValueError("it ends within an array")
