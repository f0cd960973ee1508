"""What `symbreak reconstruct` says about starts that do not fit the data or one another."""

import math

import pytest
import torch

from symbreak.cli.verdict import RANDOM_PHASES, coherence_line, doubts, transfer_line
from symbreak.evaluation import compare_starts


def objects(count, generator):
    """Unrelated objects on a 32 x 32 grid, and their supports."""
    x = torch.zeros(count, 32, 32, dtype=torch.complex64)
    x[:, 4:14, 5:15] = torch.randn(count, 10, 10, dtype=torch.complex64, generator=generator)
    return x, x != 0


def compared(x, support, error, amplitude):
    valid = torch.ones_like(amplitude, dtype=torch.bool)
    return compare_starts(x, support, torch.as_tensor(error), amplitude, valid)


def test_agreeing_starts_that_fit_raise_no_doubt(generator):
    x, support = objects(1, generator)
    starts = compared(
        x.expand(8, -1, -1), support.expand(8, -1, -1), [0.01] * 8, torch.fft.fft2(x[0]).abs()
    )
    assert doubts(starts) == []
    assert (
        transfer_line(starts)
        == "transfer function (PRTF) of these stays above 1/e to the edge of the pattern"
    )


def test_starts_that_are_not_one_object_are_told(generator):
    x, support = objects(3, generator)
    starts = compared(x, support, [0.1, 0.1, 0.1], torch.fft.fft2(x[0]).abs())
    (line,) = doubts(starts)
    assert "not one object" in line
    assert "--starts" in line
    assert "--choose-support" in line
    assert "--phase-limit" not in line
    (line,) = doubts(starts, middle_missing=True)
    assert line.endswith("give --phase-limit 1.")


def test_a_start_that_misses_the_data_is_told_with_what_to_look_at(generator):
    x, support = objects(1, generator)
    starts = compared(x, support, [0.41], torch.fft.fft2(x[0]).abs())
    (line,) = doubts(starts)
    assert "misses the measured amplitudes by 41 %" in line
    for hint in ("amplitudes?", "--dc", "hot", "--mask", "support"):
        assert hint in line
    assert (
        transfer_line(starts) == "transfer function (PRTF): needs two good starts to mean something"
    )


@pytest.mark.parametrize(("count", "told"), [(2, True), (5, True), (6, False)])
def test_what_random_phases_would_give_is_told_where_it_is_above_the_level(generator, count, told):
    x, support = objects(1, generator)
    starts = compared(
        x.expand(count, -1, -1),
        support.expand(count, -1, -1),
        [0.01] * count,
        torch.fft.fft2(x[0]).abs(),
    )
    assert ("random phases would give" in transfer_line(starts)) == told
    walks = torch.rand(200_000, count, dtype=torch.float64, generator=generator) * 2 * math.pi
    random = float(torch.polar(torch.ones_like(walks), walks).mean(1).abs().mean())
    assert (random > 1 / math.e) == told
    if told:
        assert RANDOM_PHASES[count] == pytest.approx(random, abs=2e-3)
        assert f"would give {RANDOM_PHASES[count]:.2f}" in transfer_line(starts)


def test_where_no_start_determines_an_object_nothing_is_said_to_agree(generator):
    x, support = objects(3, generator)
    starts = compared(x, torch.ones_like(support), [0.0] * 3, torch.fft.fft2(x[0]).abs())
    first, *_ = doubts(starts)
    assert first.startswith(
        "no start determines an object: every support has more pixels than half"
    )
    assert not any("left out" in line for line in doubts(starts))
    assert (
        transfer_line(starts)
        == "transfer function (PRTF): means nothing, since no start determines an object"
    )


def test_half_of_an_even_number_is_in_the_middle(generator):
    """Of distances 0 to the best, and of the blur, both sides of the middle count."""
    x, support = objects(1, generator)
    many = x.expand(4, -1, -1)
    a = torch.fft.fft2(x[0]).abs()
    blur = torch.tensor([[0.1, 0.1], [0.2, 0.2], [0.4, 0.4], [0.8, 0.8]], dtype=torch.float64)
    starts = compare_starts(
        many, support.expand(4, -1, -1), torch.full((4,), 0.01), a, torch.ones_like(a) > 0,
        blur=blur,
    )  # fmt: skip
    assert coherence_line(starts).startswith("blur of the pattern: 0.30 x 0.30 pixels")
