"""The scan of `instruments.TOML` as files of a beamline tell where its motors were."""

import h5py
import numpy as np
from instruments import TOML

FRAMES = 24
THETA = 0.22 + 0.005 * (np.arange(FRAMES) - (FRAMES - 1) / 2)
STILL = {"Delta": 32.174, "Chi": 90.0, "Phi": -5.0, "Gamma": 12.6346, "Energy": 9.0, "arm": 500.0}
NAMED = {"32.174": "Delta", "12.6346": "Gamma", "0.22": "Theta", "90.0": "Chi", "-5.0": "Phi"}


def naming(text=TOML):
    """The instrument's file with motors in the place of numbers."""
    for number, motor in NAMED.items():
        text = text.replace(f"angle = {number}}}", f'angle = "{motor}"}}')
    text = text.replace("distance = 0.5", 'distance = "arm"\ndistance_unit = "mm"')
    return text.replace("energy = 9.0", 'energy = "Energy"').replace("step = 0.005\n", "")


def write_spec(path, theta=THETA):
    """A SPEC file: scan 7 is another motor's, and there are two of number 9."""
    names, before = "  ".join(["Theta", *STILL]), " ".join(map(str, [0.2, *STILL.values()]))
    rows = "\n".join(f"{angle:.6f} 1 {k * 10}" for k, angle in enumerate(theta))
    scans = (
        ("7", "chi", "#L Chi  Seconds\n89.9 1\n90.1 1"),
        ("8", "th", f"#L Theta  Seconds  Monitor\n{rows}"),
        *2 * (("9", "th", "#L Theta  Seconds\n0 1\n1 1"),),
    )
    path.write_text(
        f"#F {path.name}\n#E 1580609738\n#D Sat Feb 01 20:15:38 2020\n#O0 {names}\n"
        + "".join(
            f"\n#S {number}  ascan  {motor} 0 1 2 1\n#D Sat Feb 01 20:16:00 2020\n#P0 {before}\n"
            f"#N {columns.splitlines()[0].count('  ') + 1}\n{columns}\n"
            for number, motor, columns in scans
        )
    )


def write_fio(path, theta=THETA):
    """As Sardana's recorder does; a motor that does not answer, and one without a number."""
    before = "".join(f"{name} = {value:g}\n" for name, value in {"Theta": 0.2, **STILL}.items())
    rows = "".join(f" {angle:.6f} {k * 10} None {k}\n" for k, angle in enumerate(theta))
    path.write_text(
        "!\n! Comments\n!\n%c\n ascan Theta 0 1 24 1\nuser me Acquisition started at noon\n"
        f"!\n! Parameter\n!\n%p\n{before}broken = nan\nstate = ON\n!\n! Data\n!\n%d\n"
        " Col 1 Theta DOUBLE\n Col 2 eiger_roi 1 DOUBLE\n Col 3 mca FLOAT\n"
        f" Col 4 timestamp DOUBLE\n{rows}! Acquisition ended at one\n"
    )


def write_bliss(path, frames):
    """As BLISS writes HDF5: positioners, where they began and ended, columns; and a second scan."""
    with h5py.File(path, "w") as file:
        for number, theta in (("1.1", THETA + 1), ("2.1", THETA)):
            scan = file.create_group(number)
            scan["measurement/mpx1x4"] = frames
            scan["measurement/Theta"] = theta
            scan["instrument/Theta/value"] = theta
            scan["instrument/Theta/value"].attrs["units"] = "deg"
            scan["instrument/positioners_start/Theta"] = theta[0]
            scan["instrument/positioners_end/Theta"] = theta[-1]
            scan["instrument/positioners_dial_start/Theta"] = -theta[0]
            for name, value in STILL.items():
                scan[f"instrument/positioners/{name}"] = value
                scan[f"instrument/positioners_dial_start/{name}"] = -value


def damage(path, edits):
    """Put bytes in the place of others: (where, new, how many are gone), one after another."""
    content = path.read_bytes()
    for where, new, gone in edits:
        content = content[:where] + new + content[where + gone :]
    path.write_bytes(content)
