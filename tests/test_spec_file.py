"""Scans of SPEC files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scans import FRAMES, STILL, THETA, damage, write_spec

from symbreak.data.files.readers import DataError
from symbreak.data.files.spec import read_spec

HEADER = "#F a\n#O0 Two Words  Theta\n#O1 Chi\n"


@pytest.fixture
def file(tmp_path):
    def write(text):
        (tmp_path / "a.spec").write_text(text)
        return tmp_path / "a.spec"

    return write


def test_a_scan(tmp_path):
    write_spec(tmp_path / "run")
    scan = read_spec(tmp_path / "run", "8")
    assert scan.key == "8.1"
    assert scan.before() == {"Theta": 0.2, **STILL}
    assert list(scan.columns()) == ["Theta", "Seconds", "Monitor"]
    np.testing.assert_allclose(scan.columns()["Theta"], THETA, atol=1e-6)
    np.testing.assert_array_equal(scan.columns()["Monitor"], 10.0 * np.arange(FRAMES))
    assert read_spec(tmp_path / "run", "9.2").key == "9.2"


def test_names_of_two_words_spectra_and_comments_between(file):
    path = file(
        f"{HEADER}\n#S 3 ascan th 0 1 1 1\n#P0 1 2\n#P1 3\n#N 2\n#L Theta  Lab X  Theta\n"
        "#C a comment\n@A 1 2 \\\n3 4 \\\n5\n0.5 7 1\n@A 1\n0.6 8 2\n#R result\n"
    )
    scan = read_spec(path, "3")
    assert scan.before() == {"Two Words": 1.0, "Theta": 2.0, "Chi": 3.0}
    columns = {name: list(values) for name, values in scan.columns().items()}
    assert columns == {"Theta": [0.5, 0.6], "Lab X": [7.0, 8.0]}


def test_names_with_one_space_between(file):
    path = file("#O0 Theta  Chi\n#S 1 x\n#P0 1 2\n#L Theta Chi Mon\n0 1 2\n")
    assert list(read_spec(path, "1").columns()) == ["Theta", "Chi", "Mon"]


def test_a_file_that_was_begun_again(file):
    """The numbers begin again, the motors are others, and the scan before has ended."""
    again = "#E 2\n#O0 Mu\n#S 1 x\n#P0 5\n#L Mu\n5\n"
    path = file(f"{HEADER}#S 1 x\n#P0 1 2\n#P1 3\n#L Theta\n0\n{again}")
    first, second = read_spec(path, "1.1"), read_spec(path, "1.2")
    assert first.before() == {"Two Words": 1.0, "Theta": 2.0, "Chi": 3.0}
    assert second.before() == {"Mu": 5.0}
    with pytest.raises(DataError, match=r"several scans; there are 1\.1, 1\.2\.$"):
        read_spec(path, "1")


def test_a_scan_without_points_or_motors(file):
    scan = read_spec(file("#S 1 x\n#L Theta\n"), "1")
    assert (scan.before(), scan.columns()) == ({}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "neither a SPEC nor a FIO file, nor HDF5"),
        ("\x00\x01", "neither a SPEC nor a FIO file, nor HDF5"),
        ("#F a\n#O0 Theta\n", "neither a SPEC nor a FIO file, nor HDF5"),
        ("#S 2 x\n", "no scan '1'; there are 2.1"),
        ("#S 1 x\n#L Theta\n0 x\n", "scan 1.1: not a row of numbers .*'x'"),
        ("#S 1 x\n#P0 1 y\n", "scan 1.1: not a row of numbers .*'y'"),
    ],
)
def test_what_is_no_scan(file, text, message):
    path = file(text)
    with pytest.raises(DataError, match=f"{path}: {message}"):
        read_spec(path, "1")


@pytest.mark.parametrize(
    "text", ["#O0 Theta\n#S 1 x\n#P0 1 2\n", "#S 1 x\n#L A  B\n1 2 3\n", "#S 1 x\n#L A\n1\n1 2\n"]
)
def test_a_scan_that_does_not_fit_together(file, text):
    scan = read_spec(file(text), "1")
    with pytest.raises(ValueError, match=r"zip|inhomogeneous"):
        scan.before(), scan.columns()


@settings(max_examples=300, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=12), st.integers(0, 30))))
def test_a_damaged_file_is_read_or_refused_in_one_line(edits, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "damaged.spec"
    write_spec(path)
    damage(path, edits)
    said = ""
    try:
        scan = read_spec(path, "8")
        scan.before(), scan.columns()
    except ValueError as error:  # DataError among them
        said = str(error)
    assert "\n" not in said


def test_silx_reads_the_same(tmp_path):
    specfile = pytest.importorskip("silx.io.specfile", reason="silx is not installed")
    write_spec(tmp_path / "run")
    file = specfile.SpecFile(str(tmp_path / "run"))
    assert file.keys() == ["7.1", "8.1", "9.1", "9.2"]
    for key in file.keys():  # it is no mapping
        theirs = file[key]
        ours = read_spec(tmp_path / "run", key)
        pairs = zip(theirs.motor_names, map(float, theirs.motor_positions), strict=True)
        assert ours.before() == dict(pairs)
        assert list(ours.columns()) == theirs.labels
        for name, values in ours.columns().items():
            np.testing.assert_array_equal(values, theirs.data_column_by_name(name))
