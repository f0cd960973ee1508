"""When a training is gone on with: the same data and steps, on another machine too."""

from dataclasses import replace

import pytest
import torch
from learning_problems import objects, problem

pytest.importorskip("lightning")

from symbreak.learning.datasets import make_pairs
from symbreak.learning.fit import fit
from symbreak.learning.identity import differences, identify


def test_other_data_or_steps_are_another_training(tmp_path):
    settings, train, validation = problem(max_epochs=1)
    fit(settings, train, validation, tmp_path)
    more = replace(settings, max_epochs=2)
    raw, mixed = make_pairs(objects(29)[:20]), replace(train, amplitude=train.amplitude.flip(0))
    other = make_pairs(objects(29)[:20], broken=True, rule="circulation")
    for choices, pairs, checked, name in (
        ({}, raw, validation, "train"),
        ({}, other, validation, "train"),
        ({}, mixed, validation, "train"),
        ({}, train.head(19), validation, "train"),
        ({}, train, raw, "validation"),
        ({"batch": 4}, train, validation, "batch"),
        ({"epoch_items": 9}, train, validation, "epoch_items"),
    ):
        with pytest.raises(ValueError, match=f"another training, it differs in {name}.$"):
            fit(replace(more, **choices), pairs, checked, tmp_path, resume=True)
    x = train.object * (1 + 1e-5)  # rounding, as of another machine
    x[3] = torch.conj(x[3].flip(0, 1))
    assert fit(more, replace(train, object=x), validation, tmp_path, resume=True).epochs == 2


def test_as_many_pairs_a_step_are_the_same_training():
    settings, train, validation = problem(devices=4, batch=8)
    four, one, less = (
        identify(replace(settings, **choices), train, validation)
        for choices in ({}, {"devices": 1, "batch": 32}, {"devices": 1, "batch": 8})
    )
    assert differences(four, one) == []
    assert differences(four, less) == []  # fewer machines
    assert differences(four, identify(replace(settings, batch=9), train, validation)) == ["batch"]


def test_pairs_that_are_drawn_anew_at_every_look_are_not_compared():
    settings, train, validation = problem()

    class Noisy(type(train)):
        def __getitems__(self, rows):
            amplitude, objects, here = super().__getitems__(rows)
            return amplitude + torch.rand_like(amplitude), objects, here

    noisy = Noisy(train.amplitude, train.object)
    first, second = (identify(settings, noisy, validation) for _ in range(2))
    assert differences(first, second) == []
