"""Where motors were, as HDF5 and SPEC files tell it."""

import h5py
import numpy as np
import pytest
from command_line import run
from instruments import TOML, instrument, write_rocking_curve
from scans import FRAMES, STILL, THETA, naming, write_bliss, write_fio, write_spec

from symbreak.data.detector.motors import read_motors, scan_of
from symbreak.data.files.arrays import DataError, Source
from symbreak.data.files.reciprocal import reciprocal_of
from symbreak.geometry.instrument_file import InstrumentFile, parse_instrument
from symbreak.geometry.motor import Motor

ALL = range(FRAMES)


@pytest.fixture
def scans(tmp_path):
    """Frames alone, the same within a file of BLISS, and a SPEC file."""
    write_rocking_curve(tmp_path / "frames.npy")
    write_bliss(tmp_path / "scan.h5", np.load(tmp_path / "frames.npy"))
    write_spec(tmp_path / "run")
    write_fio(tmp_path / "run_00012.fio")
    (tmp_path / "named.toml").write_text(naming())
    return tmp_path


def test_an_instrument_that_names_its_motors():
    named = InstrumentFile(naming().encode(), "named")
    assert named.motors() == {
        **dict.fromkeys(("Delta", "Gamma", "Theta", "Chi", "Phi"), "degrees"),
        "Energy": "keV",
        "arm": "mm",
    }
    motors = {name: Motor(name, (value,), unit, "here") for (name, unit), value in zip(
        named.motors().items(), (32.174, 12.6346, 0.22, 90.0, -5.0, 9.0, 500.0), strict=True
    )}  # fmt: skip
    motors["Theta"] = Motor("Theta", tuple(THETA), "degrees", "here")
    assert named.instrument(motors=motors) == instrument()
    assert InstrumentFile(TOML.encode(), "numbers").motors() == {}
    # A step that is given is taken, whatever the motor's positions say.
    given = InstrumentFile(naming().replace("[detector]", "step = 0.1\n[detector]").encode(), "n")
    assert given.instrument(motors=motors) == instrument(step=0.1)
    with pytest.raises(ValueError, match=r"^alone: 'Energy' is the name of a motor: only"):
        parse_instrument(naming().encode(), "alone")


FAR = TOML.replace("distance = 0.5", 'distance = "arm"\ndistance_unit = "mm"')


def test_a_distance_that_is_a_motor():
    named = InstrumentFile(FAR.encode(), "named")
    assert named.motors() == {"arm": "mm"}
    assert named.missing() == ()
    still = {"arm": Motor("arm", (500.01, 499.99), "mm", "here")}
    assert named.instrument(motors=still) == instrument()
    with pytest.raises(ValueError, match=r"^named: arm moved from 500 to 501 mm"):
        named.instrument(motors={"arm": Motor("arm", (500.0, 501.0), "mm", "here")})
    metres = InstrumentFile(FAR.replace('distance_unit = "mm"', "").encode(), "named")
    assert metres.motors() == {"arm": "m"}
    assert metres.instrument(motors={"arm": Motor("arm", (0.5,), "m", "x")}) == instrument()
    with pytest.raises(ValueError, match=r"^alone: 'arm' is the name of a motor: only"):
        parse_instrument(FAR.encode(), "alone")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (('distance_unit = "mm"', 'distance_unit = "inch"'), "must be one of m, cm, mm, got"),
        (('distance = "arm"', "distance = 0.5"), "goes with the name of a motor as distance"),
        (('"mm"', "1"), "must be one of m, cm, mm, got 1"),
    ],
)
def test_a_unit_that_cannot_be(changed, message):
    with pytest.raises(ValueError, match=f"distance_unit {message}"):
        parse_instrument(FAR.replace(*changed).encode(), "file")


def test_the_unit_of_a_distance(scans):
    spec, bliss = Source(scans / "run", "8"), Source(scans / "scan.h5", "2.1")
    assert read_motors(spec, {"arm": "mm"}, ALL, FRAMES)["arm"].positions == (500.0,)
    message = "arm has no units, and 500 m is no distance of a detector here: say its unit in"
    with pytest.raises(DataError, match=message):
        read_motors(spec, {"arm": "m"}, ALL, FRAMES)
    with h5py.File(scans / "scan.h5", "a") as file:
        file["2.1/instrument/arm/value"] = 50.0
        file["2.1/instrument/arm/value"].attrs["units"] = "cm"
    for unit, expected in (("m", 0.5), ("mm", 500.0)):
        found = read_motors(bliss, {"/2.1/instrument/arm/value": unit}, ALL, FRAMES)
        np.testing.assert_allclose([motor.positions for motor in found.values()], [[expected]])


def test_a_scan_of_the_energy():
    text = TOML.replace('scan = "theta"', 'scan = "energy"').replace("step = 0.005\n", "")
    named = InstrumentFile(text.replace("= 9.0", '= "mono"').encode(), "named")
    motors = {"mono": Motor("mono", (8.99, 9.0, 9.01), "keV", "here")}
    assert named.instrument(motors=motors) == instrument(scan="energy", step=0.01)


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ((0.2,), "has a single position .here., not one for each frame: give its angle"),
        ((0.2, 0.2, 0.2), "did not move in even steps .here.: from 0.2 to 0.2 degrees in 3 frames"),
        ((0.2, 0.21, 0.3), "did not move in even steps"),
    ],
)
def test_a_scan_that_is_none(positions, message):
    with pytest.raises(ValueError, match=message):
        Motor("th", positions, "degrees", "here").moved()


def test_what_a_motor_says_of_itself():
    still = Motor("chi", (90.0, 90.0004, 89.9996), "degrees", "a.h5:/x")
    assert still.still() == 90.0
    assert str(still) == "chi 90 degrees, as a.h5:/x says"
    moved = Motor("th", (0.1, 0.2, 0.32, 0.4), "degrees", "a.h5:/x")
    assert moved.moved() == (0.255, 0.1)
    assert str(moved) == (
        "th 0.1 to 0.4 degrees in steps of 0.1 (uneven by 20% of one), as a.h5:/x says"
    )
    with pytest.raises(ValueError, match=r"th moved from 0.1 to 0.4 degrees .*not what scan names"):
        moved.still()


@pytest.mark.parametrize("where", ["scan.h5:/2.1", "run:8", "run:8.1", "run_00012.fio"])
def test_motors_of_a_scan(scans, where):
    path, _, scan = where.partition(":")
    wanted = InstrumentFile(naming().encode(), "named").motors()
    motors = read_motors(Source(scans / path, scan), wanted, ALL, FRAMES)
    np.testing.assert_allclose(motors["Theta"].positions, THETA, atol=1e-6)
    assert {name: motors[name].positions for name in STILL} == {
        name: (value,) for name, value in STILL.items()
    }
    assert "Theta" in motors["Theta"].said_by
    some = read_motors(Source(scans / path, scan), {"Theta": "degrees"}, range(3, 9), FRAMES)
    np.testing.assert_allclose(some["Theta"].positions, THETA[3:9], atol=1e-6)


def test_names_paths_and_units(tmp_path):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        for path, value, units in (
            ("entry/SIXS/mu/position", 0.5, "rad"),
            ("entry/sample/transformations/eta", [100.0, 101.0], "mrad"),
            ("entry/other/eta", [3.0, 4.0], None),
            ("entry/mono", 8900.0, "eV"),
            ("elsewhere/phi", 7.0, "deg"),
        ):
            file[path] = value
            if units:
                file[path].attrs["units"] = units
    source = scan_of(Source(tmp_path / "a.nxs", "/entry/detector/data"))
    assert source.dataset == "entry"
    wanted = {"mu": "degrees", "sample/transformations/eta": "degrees", "mono": "keV"}
    motors = read_motors(source, {**wanted, "/elsewhere/phi": "degrees"}, range(2), 2)
    positions = {name: motor.positions for name, motor in motors.items()}
    np.testing.assert_allclose(positions["mu"], np.degrees(0.5))
    np.testing.assert_allclose(
        positions["sample/transformations/eta"], np.degrees([0.1, 0.101]), rtol=1e-14
    )
    np.testing.assert_allclose(positions["mono"], 8.9)
    assert positions["/elsewhere/phi"] == (7.0,)
    with pytest.raises(DataError, match=r"/entry/other/eta and .*eta differ; write which one"):
        read_motors(source, {"eta": "degrees"}, range(2), 2)
    with pytest.raises(DataError, match="no motor 'phi'"):
        read_motors(source, {"phi": "degrees"}, range(2), 2)


def test_frames_beside_their_motors(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["frames"], file["eta"] = np.zeros((2, 4, 4)), [1.0, 2.0]
    source = scan_of(Source(tmp_path / "a.h5", "/frames"))
    assert read_motors(source, {"eta": "degrees"}, range(2), 2)["eta"].positions == (1.0, 2.0)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["scan/name"] = "nothing"
    with pytest.raises(DataError, match=r"no motor 'eta'; there are none\.$"):
        read_motors(Source(tmp_path / "b.h5", "scan"), {"eta": "degrees"}, range(2), 2)


@pytest.mark.parametrize(
    ("value", "units", "unit", "message"),
    [
        (9000.0, None, "keV", "/entry/m has no units, and 9000 keV is no photon energy here"),
        (1.0, "mm", "degrees", "/entry/m has units 'mm', expected degrees"),
        ("up", None, "degrees", "positions must be numbers"),
        (np.nan, None, "degrees", "positions must be finite"),
        ([1.0, 2.0, 3.0], None, "degrees", "/entry/m has 3 positions, there are 2 frames"),
    ],
)
def test_what_a_motor_cannot_be(tmp_path, value, units, unit, message):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["entry/m"] = value
        if units:
            file["entry/m"].attrs["units"] = units
    with pytest.raises(DataError, match=message):
        read_motors(Source(tmp_path / "a.nxs", "entry"), {"m": unit}, range(2), 2)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("run", "run: say which scan, FILE:NUMBER; there are 7.1, 8.1, 9.1, 9.2"),
        ("run:9", "run: several scans; there are 9.1, 9.2"),
        ("run:1", "run: no scan '1'; there are 7.1"),
        ("scan.h5:/3.1", "scan.h5:/3.1: there are no data"),
        ("named.toml:8", "named.toml: neither a SPEC nor a FIO file, nor HDF5"),
        ("nothing:8", "No such file"),
        ("run_00012.fio:8", "run_00012.fio: a FIO file has one scan, without a name, got '8'"),
    ],
)
def test_scans_that_are_not_there(scans, where, message):
    words = ("prepare", scans / "frames.npy", "-o", scans / "p.h5", "--stack", "volume")
    done = run(*words, "--geometry", scans / "named.toml", "--motors", scans / where)
    assert done.exit_code == 1
    assert message in done.stderr
    assert not (scans / "p.h5").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("frames.npy", "--motors", "run:8"),
        ("frames.npy", "--motors", "scan.h5:/2.1"),
        ("frames.npy", "--motors", "run_00012.fio"),
        ("scan.h5:/2.1",),
    ],
)
def test_prepare_knows_what_was_scanned(scans, monkeypatch, words):
    monkeypatch.chdir(scans)
    done = run("prepare", *words, "-o", "p.h5", "--stack", "volume", "--geometry", "named.toml")
    assert done.exit_code == 0, done.output
    assert "note: Theta 0.1625 to 0.2775 degrees in steps of 0.005, as" in done.stderr
    grid, text = reciprocal_of(scans / "p.h5", 3)
    np.testing.assert_allclose(grid.steps, instrument().reciprocal().steps, rtol=1e-12)
    assert parse_instrument(text.encode(), "kept") == instrument()
    assert "# Theta 0.1625 to 0.2775 degrees in steps of 0.005, as" in text


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (
            ("--geometry", "named.toml"),
            1,
            "(Delta, Gamma, Theta, Chi, Phi, Energy, arm), of which fra",
        ),
        (("--motors", "run:8"), 2, "goes with --geometry"),
        (("--geometry", "numbers.toml", "--motors", "run:8"), 2, "numbers.toml names no motor"),
        (("--geometry", "named.toml", "--motors", "run:7"), 1, "Theta has a single position"),
        (("--geometry", "chi.toml", "--motors", "run:8"), 1, "Theta moved from 0.1625 to 0.2775"),
        (("--geometry", "lower.toml", "--motors", "run:8"), 1, "no motor 'theta'; there are Theta"),
    ],
)
def test_what_cannot_be_told(scans, monkeypatch, words, status, message):
    monkeypatch.chdir(scans)
    (scans / "numbers.toml").write_text(TOML)
    (scans / "chi.toml").write_text(naming().replace('scan = "theta"', 'scan = "chi"'))
    (scans / "lower.toml").write_text(naming().replace('"Theta"', '"theta"'))
    done = run("prepare", "frames.npy", "-o", "p.h5", "--stack", "volume", *words)
    assert done.exit_code == status, done.output
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (scans / "p.h5").exists()


def test_export_does_not_look_motors_up(scans, monkeypatch):
    monkeypatch.chdir(scans)
    words = ("scan.h5:/2.1", "-o", "p.h5", "--stack", "volume")
    assert run("prepare", *words).exit_code == 0
    words = ("p.h5", "-o", "r.cxi", "--starts", "1", "--schedule", "5*ER")
    assert run("reconstruct", *words).exit_code == 0
    done = run("export", "r.cxi", "-o", "r.vts", "--geometry", "named.toml")
    assert done.exit_code == 1
    assert "'Energy' is the name of a motor: only `symbreak prepare` looks up" in done.stderr
