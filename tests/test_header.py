"""Energy, distance and pixel out of the file of the frames; and all that must not be taken for it.

Units as they were met in measured files: bytes, arrays of bytes, "A", "Angstroms", none.
"""

import h5py
import numpy as np
import pytest
from stored_frames import COUNTS

from symbreak.data.detector.frames import open_frames
from symbreak.data.files.arrays import Source

ENTRY = "entry/instrument"
WAVELENGTH = 1.2398419843  # nm keV


def put(file, name, value, units=None):
    file[name] = value
    if units is not None:
        file[name].attrs["units"] = units


@pytest.fixture
def path(tmp_path):
    """Frames in a NeXus file that says all."""
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file[f"{ENTRY}/eiger/data"] = COUNTS
        file["entry/data/data"] = h5py.SoftLink(f"/{ENTRY}/eiger/data")
        put(file, f"{ENTRY}/source/energy", 7.0, "GeV")
        put(file, f"{ENTRY}/source/distance", -40.0, "m")
        put(file, f"{ENTRY}/monochromator/energy", [8500.0], np.bytes_(b"eV"))
        put(file, f"{ENTRY}/eiger/distance", 1850.0, "mm")
        put(file, f"{ENTRY}/eiger/x_pixel_size", [7.5e-5], np.array([b"m"]))
        put(file, f"{ENTRY}/eiger/y_pixel_size", 0.172, "mm")
    return tmp_path / "scan.nxs"


def header(path, chosen=None):
    with open_frames([Source.parse(str(path))], chosen=chosen) as opened:
        return opened.header


def test_nexus(path):
    found = header(path)
    assert found.values["energy"] == pytest.approx(8.5)
    assert found.values["distance"] == pytest.approx(1.85)
    assert found.values["pixel"] == (0.000172, 75e-6)  # a row's height first, no 0.00017199999...
    assert found.said_by["energy"] == f"/{ENTRY}/monochromator/energy"
    assert found.said_by["distance"] == f"/{ENTRY}/eiger/distance"
    assert not found.lacking


def test_cxi_needs_no_units(tmp_path):
    with h5py.File(tmp_path / "run.cxi", "w") as file:
        file["entry_1/instrument_1/detector_1/data"] = COUNTS
        file["entry_1/data_1/data"] = file["entry_1/instrument_1/detector_1/data"]
        joules = 1.602176634e-16 * np.array([7.0, 7.1, 7.2, 7.3, 7.4])
        file["entry_1/instrument_1/source_1/energy"] = joules
        file["entry_1/instrument_1/detector_1/distance"] = 0.738
        for name in ("x_pixel_size", "y_pixel_size"):
            file[f"entry_1/instrument_1/detector_1/{name}"] = 75e-6
    found = header(tmp_path / "run.cxi", chosen=slice(2, 3))
    assert found.values["energy"] == pytest.approx(7.2)
    assert found.values["distance"] == pytest.approx(0.738)
    assert found.values["pixel"] == pytest.approx((75e-6, 75e-6))
    assert (
        "energy is from 1.12152e-15 to 1.18561e-15"
        in header(tmp_path / "run.cxi").lacking["energy"]
    )


@pytest.mark.parametrize(
    ("wavelength", "units"), [(1.55, "A"), (1.55, "Angstroms"), (0.155, "nm"), (1.55e-10, b"m")]
)
def test_a_wavelength_is_an_energy(tmp_path, wavelength, units):
    """Dectris' master file has it in the beam; Diamond's in the sample's beam."""
    with h5py.File(tmp_path / "scan_master.h5", "w") as file:
        file["entry/data/data_000001"] = COUNTS
        put(file, f"{ENTRY}/beam/incident_wavelength", wavelength, units)
        put(file, f"{ENTRY}/detector/detector_distance", 2.0, "m")
    found = header(tmp_path / "scan_master.h5")
    assert found.values == {
        "energy": pytest.approx(WAVELENGTH / 0.155, rel=1e-9),
        "distance": 2.0,
    }
    assert found.lacking == {"pixel": "it is not there"}


@pytest.mark.parametrize(
    ("name", "value", "units", "what", "reason"),
    [
        ("monochromator/energy", 8.5, None, "energy", "has no units"),
        ("monochromator/energy", 8.5, 3, "energy", "has no units"),
        ("monochromator/energy", 8500.0, "mm", "energy", "has units 'mm'"),
        ("monochromator/energy", 130.0, "meV", "energy", "has units 'meV'"),
        ("monochromator/energy", 0.0, "eV", "energy", "is 0"),
        ("monochromator/energy", [8.5, -1.0], "keV", "energy", "is not above 0"),
        ("monochromator/energy", np.nan, "keV", "energy", "is not above 0"),
        ("monochromator/energy", [8.4, 8.5, 8.6], "keV", "energy", "is from 8.4 to 8.6"),
        ("monochromator/energy", "high", "keV", "energy", "is no number"),
        ("monochromator/energy", np.zeros(0), "keV", "energy", "is no number"),
        ("eiger/distance", 0, "m", "distance", "is 0"),
        ("eiger/x_pixel_size", 75.0, "pixel", "pixel", "has units 'pixel'"),
        ("eiger/y_pixel_size", 75.0, None, "pixel", "has no units"),
    ],
)
def test_what_says_nothing_is_named(path, name, value, units, what, reason):
    with h5py.File(path, "a") as file:
        del file[f"{ENTRY}/{name}"]
        put(file, f"{ENTRY}/{name}", value, units)
    found = header(path)
    assert found.lacking == {what: f"/{ENTRY}/{name} {reason}"}
    assert set(found.values) == {"energy", "distance", "pixel"} - {what}


def test_another_dataset_may_say_it_instead(path):
    with h5py.File(path, "a") as file:
        put(file, "entry/sample/beam/incident_energy", 8.5)  # no units
        put(file, "entry/sample/beam/incident_wavelength", WAVELENGTH / 8.5 * 10, "angstrom")
    assert header(path).values["energy"] == pytest.approx(8.5)
    with h5py.File(path, "a") as file:
        file["entry/sample/beam/incident_wavelength"][()] = 1.4
    assert "incident_wavelength and " in header(path).lacking["energy"]
    assert "differ, 8.85601 and 8.5" in header(path).lacking["energy"]


def test_the_detector_is_that_of_the_frames(path):
    """Another detector's numbers count only where nothing tells whose the frames are."""
    with h5py.File(path, "a") as file:
        for name, value in (("distance", 3.0), ("x_pixel_size", 1e-5), ("y_pixel_size", 1e-5)):
            put(file, f"{ENTRY}/camera/{name}", value, "m")
    assert header(path).values["distance"] == pytest.approx(1.85)  # found through a link
    assert header(f"{path}:/{ENTRY}/eiger/data").values["distance"] == pytest.approx(1.85)
    with h5py.File(path, "a") as file:
        file[f"{ENTRY}/camera/data"] = h5py.SoftLink("/nowhere")
        del file["entry/data/data"]
        file["entry/data/data"] = COUNTS + 1
        del file[f"{ENTRY}/eiger/data"]
    assert "camera/distance and " in header(path).lacking["distance"]
    assert "eiger/distance differ, 3 and 1.85" in header(path).lacking["distance"]


def test_other_files_say_nothing(tmp_path):
    np.save(tmp_path / "frames.npy", COUNTS)
    assert header(tmp_path / "frames.npy").values == {}
    np.savez(tmp_path / "frames.npz", frames=COUNTS, incident_energy=8.0, distance=1.0)
    assert header(tmp_path / "frames.npz").values == {}


def test_a_dataset_that_cannot_be_read(path):
    with h5py.File(path, "a") as file:
        del file[f"{ENTRY}/eiger/distance"]
        layout = h5py.VirtualLayout((3,), float)
        layout[:] = h5py.VirtualSource("absent.h5", "d", (3,))
        file.create_virtual_dataset(f"{ENTRY}/eiger/distance", layout, fillvalue=np.nan)
    assert "eiger/distance is not above 0" in header(path).lacking["distance"]
