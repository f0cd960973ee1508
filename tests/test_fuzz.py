"""Arbitrary text as a schedule, arbitrary bytes as data: an answer or one kind of error."""

import io

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from symbreak.data.detector.cleaning import clean
from symbreak.data.detector.frames import open_frames
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.detector.stacks import EVERYTHING
from symbreak.data.files.arrays import DataError, Source
from symbreak.data.files.cxi import read_cxi
from symbreak.data.files.objects import read_objects
from symbreak.ops.schedule import parse_schedule

PIECES = st.sampled_from([*"0123456789*+() ", "ER", "hio", "RAAR", "Dm", "99999999999", "é", "\0"])


@given(st.text() | st.lists(PIECES).map("".join))
@example("(" * 100_000 + "ER" + ")" * 100_000)
@example("9223372036854775807*(9223372036854775807*ER)")
@example("1000*(1000*(ER+HIO)+1000*(ER+DM))")
@example("31622*(31622*(ER+HIO))")
@example("+".join(["ER+HIO"] * 400_000))
def test_any_text_is_a_schedule_or_a_value_error(text):
    try:
        steps = parse_schedule(text)
    except ValueError as error:
        if not str(error).startswith("schedule: expected"):
            raise
    else:
        assert 1 <= sum(count for _, count in steps) <= 10**9
        assert len(steps) <= 10**6


COUNTS = (np.arange(64).reshape(8, 8) % 7 + 1).astype(np.uint16)


def hdf5(**options):
    """A file, and where in it the values lie.

    The structure around them is not damaged here: HDF5 2.0 itself crashes over some broken heaps.
    """
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        data = file.create_dataset("entry/data", data=COUNTS, **options)
        file["entry/mask"] = COUNTS > 6
        file.attrs["default"] = "entry"
        file["entry"].attrs["signal"] = "data"
        file.flush()
        start, size = data.id.get_offset(), data.id.get_storage_size()
        if data.chunks:
            chunk = data.id.get_chunk_info(0)
            start, size = chunk.byte_offset, chunk.size
    return target.getvalue(), range(start, start + size)


def saved(write):
    target = io.BytesIO()
    write(target)
    return target.getvalue(), range(len(target.getvalue()))


WHOLE = {
    ".h5": hdf5(),
    ".cxi": hdf5(chunks=(4, 4), compression="gzip", fletcher32=True),
    ".npy": saved(lambda target: np.save(target, COUNTS)),
    ".npz": saved(lambda target: np.savez_compressed(target, data=COUNTS)),
    ".mat": saved(lambda target: scipy.io.savemat(target, {"data": COUNTS})),
    ".tif": saved(lambda target: tifffile.imwrite(target, COUNTS)),
}


@st.composite
def damaged(draw):
    """A file's kind and its bytes: some of them changed, or cut, or all of them arbitrary."""
    suffix = draw(st.sampled_from(sorted(WHOLE)))
    if draw(st.integers(0, 9)) == 0:
        return suffix, draw(st.binary(max_size=200))
    content, places = WHOLE[suffix]
    content = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        content[draw(st.sampled_from(places))] ^= 1 << draw(st.integers(0, 7))
    if draw(st.booleans()):
        del content[draw(st.integers(0, len(content))) :]
    return suffix, bytes(content)


def read_frames(source):
    with open_frames([source]) as frames:
        for k in range(frames.shape[0]):
            clean(frames.read(k, EVERYTHING), frames.rejected(k, EVERYTHING))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore")  # readers may warn of what they skip
@given(damaged())
def test_any_bytes_are_data_or_a_data_error(tmp_path, file):
    suffix, content = file
    path = tmp_path / f"data{suffix}"
    path.write_bytes(content)
    readers = (
        lambda: read_pattern(Source(path)),
        lambda: read_objects(Source(path)),
        lambda: read_frames(Source(path)),
    )
    for read in readers:
        try:
            read()
        except (DataError, OSError) as error:
            if len(str(error).splitlines()) != 1:
                raise
    if suffix == ".cxi":
        with pytest.raises((DataError, OSError)):
            read_cxi(path)
