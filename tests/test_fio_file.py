"""Scans of FIO files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scans import FRAMES, STILL, THETA, damage, write_fio

from symbreak.data.files.fio import read_fio
from symbreak.data.files.readers import DataError


def test_a_scan(tmp_path):
    write_fio(tmp_path / "a.fio")
    before, columns = read_fio(tmp_path / "a.fio")
    assert {name: before[name] for name in STILL} == STILL
    assert before["Theta"] == 0.2
    assert np.isnan([before["broken"], before["state"]]).all()
    assert list(columns) == ["Theta", "eiger_roi 1", "mca", "timestamp"]
    np.testing.assert_allclose(columns["Theta"], THETA, atol=1e-6)
    np.testing.assert_array_equal(columns["timestamp"], np.arange(FRAMES))
    assert np.isnan(columns["mca"]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a FIO file: no section %p or %d"),
        ("!\n%c\n a scan\n", "not a FIO file"),
        ("%d\n Col 1 x DOUBLE\n 1 2\n", "a row of 2 values, there are 1 columns"),
        ("%d\n 1 2\n", "a row of 2 values, there are 0 columns"),
    ],
)
def test_what_is_no_scan(tmp_path, text, message):
    (tmp_path / "a.fio").write_text(text)
    with pytest.raises(DataError, match=message):
        read_fio(tmp_path / "a.fio")


def test_a_scan_that_was_stopped_before_its_first_point(tmp_path):
    (tmp_path / "a.fio").write_text("%p\nmu = 1\n%d\n Col 1 mu DOUBLE\n")
    before, columns = read_fio(tmp_path / "a.fio")
    assert before == {"mu": 1.0}
    assert columns["mu"].shape == (0,)


@settings(max_examples=200, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 900), st.binary(max_size=12), st.integers(0, 30))))
def test_a_damaged_file_is_read_or_refused_in_one_line(edits, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "damaged.fio"
    write_fio(path)
    damage(path, edits)
    said = ""
    try:
        read_fio(path)
    except DataError as error:
        said = str(error)
    assert "\n" not in said
