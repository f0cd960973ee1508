"""A diffractometer for tests, and the obvious way to what it sees: rotate, subtract, look."""

import numpy as np

from symbreak.geometry import Circle, Instrument
from symbreak.geometry.circles import rotation

DETECTOR = (Circle("delta", "y+", 32.174), Circle("gamma", "x-", 12.6346))
SAMPLE = (Circle("theta", "y+", 0.22), Circle("chi", "z-", 90.0), Circle("phi", "y+", -5.0))
SCAN = {"detector": DETECTOR, "sample": SAMPLE, "scan": "theta", "step": 0.005}

TOML = """
energy = 9.0
scan = "theta"
step = 0.005

[detector]
distance = 0.5
pixel = [55e-6, 55e-6]
rows = "y-"
columns = "x+"
circles = [
    {name = "delta", axis = "y+", angle = 32.174},
    {name = "gamma", axis = "x-", angle = 12.6346},
]

[sample]
circles = [
    {name = "theta", axis = "y+", angle = 0.22},
    {name = "chi", axis = "z-", angle = 90.0},
    {name = "phi", axis = "y+", angle = -5.0},
]
"""


def instrument(**changed):
    """That of the measured crystal in docs/phasing/measured-data.md."""
    return Instrument(
        **{"energy": 9.0, "distance": 0.5, "pixel": (55e-6, 55e-6), **SCAN, **changed}
    )


def turned(circles, name, angle):
    """The circles, one of them at another angle."""
    return tuple(
        Circle(c.name, c.axis, c.angle + (angle if c.name == name else 0.0)) for c in circles
    )


def seen(given, frame, row, column):
    """Q of one pixel of one frame in the laboratory, the sample standing as at frame 0."""
    unit = {"x": np.eye(3)[0], "y": np.eye(3)[1], "z": np.eye(3)[2]}

    def along(axis):
        return unit[axis[0]] * (1 if axis[1] == "+" else -1)

    angle, energy = given.step * frame, given.energy
    if given.scan == "energy":
        energy, angle = energy + angle, 0.0
    sample = rotation(turned(given.sample, given.scan, angle))
    detector = rotation(given.detector)
    place = given.distance * along(given.beam)
    place = place + row * given.pixel[0] * along(given.rows)
    place = place + column * given.pixel[1] * along(given.columns)
    place = detector @ place
    wavelength = 1.2398419843 / energy  # nm
    out = 2 * np.pi / wavelength * place / np.linalg.norm(place)
    q = out - 2 * np.pi / wavelength * along(given.beam)
    return rotation(given.sample) @ sample.T @ q


def write_rocking_curve(path):
    """Frames of a small cuboid, as a NumPy file."""
    x = np.zeros((24, 40, 40), complex)
    x[:9, :13, :11] = 1
    counts = np.abs(np.fft.fftshift(np.fft.fftn(x))) ** 2
    np.save(path, np.random.default_rng(1).poisson(counts / 100).astype(np.uint32))
