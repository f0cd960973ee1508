"""An instrument written as TOML is the same instrument when it is read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from instruments import instrument

from symbreak.geometry import Circle, Instrument
from symbreak.geometry.instrument_file import InstrumentFile, parse_instrument
from symbreak.geometry.instrument_text import instrument_text

ENERGY = st.floats(0, 1000, exclude_min=True, exclude_max=True)
DISTANCE = st.floats(0, 100, exclude_min=True, exclude_max=True)
PIXEL = st.floats(0, 0.1, exclude_min=True, exclude_max=True)
ANY = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
AXES = st.permutations("xyz").flatmap(
    lambda axes: st.tuples(*(st.sampled_from((f"{axis}+", f"{axis}-")) for axis in axes))
)


@st.composite
def instruments(draw):
    circles = st.lists(
        st.builds(Circle, TEXT, st.sampled_from(("x+", "y-", "z+")), ANY),
        max_size=3,
        unique_by=lambda circle: circle.name,
    )
    sample = tuple(draw(circles))
    rows, columns, beam = draw(AXES)
    scan = draw(st.sampled_from((None, "energy", *(c.name for c in sample if c.name != "energy"))))
    step = draw(ANY.filter(lambda step: step != 0))
    return Instrument(
        draw(ENERGY),
        draw(DISTANCE),
        (draw(PIXEL), draw(PIXEL)),
        **{"rows": rows, "columns": columns, "beam": beam, "scan": scan, "step": step},
        detector=tuple(draw(circles)),
        sample=sample,
        center=draw(st.none() | st.tuples(ANY, ANY)),
    )


@given(instruments(), st.lists(TEXT, max_size=2))
@example(instrument(sample=(Circle('theta\x7f"\\', "y+"),), scan=None, step=0.0), ["\x7f"])
def test_what_is_written_is_read(given_, comments):
    assert parse_instrument(instrument_text(given_, comments).encode(), "text") == given_


def test_the_text_is_for_people():
    text = instrument_text(instrument(), ["energy 9 keV, as the monochromator says"])
    assert text.splitlines()[:2] == ["# energy 9 keV, as the monochromator says", "energy = 9.0"]
    assert "\n[detector]\ndistance = 0.5\npixel = [5.5e-05, 5.5e-05]\ncircles = [\n" in text
    assert '{name = "delta", axis = "y+", angle = 32.174},' in text
    assert "beam" not in text
    assert "rows" not in text  # as by default


def test_what_a_file_leaves_out():
    given_ = InstrumentFile(b"[detector]\npixel = [1e-4, 1e-4]", "scan.toml")
    assert given_.missing() == ("energy", "distance")
    found = given_.instrument({"energy": 8.0, "distance": 2.0, "pixel": (1.0, 1.0)})
    assert found == Instrument(8.0, 2.0, (1e-4, 1e-4))
    assert InstrumentFile(b"energy = 9.0", "scan.toml").instrument(
        {"energy": 8.0, "distance": 2.0, "pixel": (1e-4, 1e-4)}
    ) == Instrument(9.0, 2.0, (1e-4, 1e-4))
    with pytest.raises(ValueError, match=r"scan.toml: \[detector\] distance is missing"):
        given_.instrument({"energy": 8.0})
    with pytest.raises(ValueError, match=r"scan.toml: \[detector\] must be a table"):
        InstrumentFile(b"detector = 3", "scan.toml").missing()
    with pytest.raises(ValueError, match=r"scan.toml: not a TOML file"):
        InstrumentFile(b"detector", "scan.toml")
