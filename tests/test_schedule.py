"""Schedules: the grammar, its errors, the list of steps, pieces."""

from itertools import repeat

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from symbreak.ops.schedule import SCHEDULE, cut, parse_schedule, schedule_text, total_iterations


def test_the_default_of_the_operator_is_that_of_python():
    (schema,) = torch._C._jit_get_schemas_for_operator("symbreak::reconstruct")
    assert {a.name: a.default_value for a in schema.arguments}["schedule"] == SCHEDULE


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("ER", [("ER", 1)]),
        ("20*ER+180*HIO", [("ER", 20), ("HIO", 180)]),
        (" 3 * ( 2*er +\t4*Hio )\n+ 5*DM ", [("ER", 2), ("HIO", 4)] * 3 + [("DM", 5)]),
        ("raar+Dm", [("RAAR", 1), ("DM", 1)]),
        ("2*(ER+2*(HIO+RAAR))", [("ER", 1), *[("HIO", 1), ("RAAR", 1)] * 2] * 2),
        ("10*ER+5*ER", [("ER", 15)]),
        ("2*(ER+HIO+ER)", [("ER", 1), ("HIO", 1), ("ER", 2), ("HIO", 1), ("ER", 1)]),
        ("(((4*DM)))", [("DM", 4)]),
        ("1000000*(1000*ER)", [("ER", 10**9)]),
    ],
)  # fmt: skip
def test_meaning(text, steps):
    assert parse_schedule(text) == steps
    assert total_iterations(text) == sum(count for _, count in steps)


LENGTH = "at most 1000000000 iterations in 1000000 steps, got more"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("3*(20*ER+180*XIO)+20*ER", 13, "expected ER, HIO, RAAR, DM or '(', got 'XIO'"),
        ("", 0, "expected a count, ER, HIO, RAAR, DM or '(', got the end"),
        ("ER+", 3, "expected a count, ER, HIO, RAAR, DM or '(', got the end"),
        ("20 ER", 3, "expected '*' after the count, got 'E'"),
        ("2*ER HIO", 5, "expected '+' or the end, got 'H'"),
        ("2*(ER", 5, "expected '+' or ')', got the end"),
        ("2*(ER))", 6, "expected '+' or the end, got ')'"),
        ("2*()", 3, "expected a count, ER, HIO, RAAR, DM or '(', got ')'"),
        ("2*2*ER", 2, "expected ER, HIO, RAAR, DM or '(', got '2'"),
        ("ER+0*HIO", 3, "expected a count of at least 1, got '0'"),
        ("-2*ER", 0, "got '-'"),
        ("1.5*ER", 1, "expected '*' after the count, got '.'"),
        ("ER+é", 3, "got 'é'"),
        ("é", 0, "got 'é'"),
        ("ER+99999999999999999999*HIO", 3, LENGTH),
        ("1000000*(1000*(1000000*ER))", 0, LENGTH),
        ("ER+1000000000*ER", 3, LENGTH),
        ("600000*(ER+HIO)", 0, LENGTH),
        ("(" * 33 + "ER" + ")" * 33, 32, "expected parentheses at most 32 deep, got one more"),
    ],
)
def test_errors_point_at_the_character(text, column, message):
    with pytest.raises(ValueError, match="schedule: expected") as error:
        parse_schedule(text)
    says, shown, caret = str(error.value).split("\n")
    assert message in says
    assert shown == "  " + text
    assert caret == " " * (2 + column) + "^"


def test_blanks_keep_the_caret_in_place():
    with pytest.raises(ValueError, match=r"got 'X'\.\n  2\* ER \+ X\n          \^$"):
        parse_schedule("2*\nER\t+ X")


STEPS = st.lists(
    st.tuples(st.sampled_from(["ER", "HIO", "RAAR", "DM"]), st.integers(1, 50)), min_size=1
)


@given(STEPS)
def test_steps_and_text_agree(steps):
    merged = []
    for name, count in steps:
        if merged and merged[-1][0] == name:
            count += merged.pop()[1]
        merged.append((name, count))
    assert parse_schedule(schedule_text(steps)) == merged


@given(st.text(alphabet="123*(+) ERHIOAMD", max_size=20))
def test_any_text_is_a_schedule_or_a_pointed_error(text):
    try:
        total = total_iterations(text)
    except ValueError as error:
        if not str(error).endswith("^"):
            raise
    else:
        assert 1 <= total <= 10**9


@pytest.mark.parametrize("steps", [{"ER": 2}, [("ER", 2.0)], [("ER",)], [(2, "ER")], ["ER"], 5])
def test_wrong_types(steps):
    with pytest.raises(TypeError, match=r"reconstruct: .*schedule must be a"):
        schedule_text(steps)


SHORT = st.lists(st.tuples(st.sampled_from(["ER", "HIO"]), st.integers(1, 30)), min_size=1)


@given(SHORT, st.lists(st.integers(1, 20), max_size=8))
def test_a_schedule_is_cut_into_pieces(steps, lengths):
    pieces = list(cut(steps, lengths))
    assert all(pieces)
    sizes = [sum(count for _, count in piece) for piece in pieces]
    whole = [name for name, count in steps for _ in range(count)]
    assert [name for piece in pieces for name, count in piece for _ in range(count)] == whole
    assert all(size == length for size, length in zip(sizes[:-1], lengths, strict=False))
    assert list(cut(steps, repeat(len(whole)))) == [steps]
