"""Docstrings hold the form of the house, and their examples give what they show.

Every class, function and method that a page of ``docs/api`` shows: its parameters in order, what it
returns, what it raises (tried in test_docstring_errors.py); of the operators also whether they are
differentiable and what they cost.
"""

from __future__ import annotations

import doctest
import inspect
import re

import numpy as np
import pytest
import torch
from docstrings import described_fields, own_fields, parameters, public, refuses, sections

import symbreak

pytest.importorskip("lightning")  # a page shows the training too

PUBLIC = public()
FUNCTIONS = [name for name, value in PUBLIC.items() if not inspect.isclass(value)]
OPERATORS = [name for name in FUNCTIONS if name.count(".") == 1 and name != "symbreak.build_info"]
# A tensor's shape: written out, told as that of another argument, or as in another docstring.
SHAPE = re.compile(r"``\(|shape|each at least|[Ss]ame|[Ll]ike|As in|see")


def test_the_pages_were_found():
    assert {"symbreak.center", "symbreak.Reconstruction.best", "symbreak.transfer.r_factor"} <= {
        *FUNCTIONS
    }
    assert len(PUBLIC) > 60


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_takes_returns_and_raises(name):
    function, found = PUBLIC[name], sections(PUBLIC[name])
    assert list(found.get("Args", [])) == list(parameters(function))
    if inspect.signature(function).return_annotation not in (None, "None"):
        assert found.get("Returns")
    if refuses(function):
        assert found.get("Raises")


@pytest.mark.parametrize("name", sorted({*PUBLIC} - {*FUNCTIONS}))
def test_a_class_says_what_it_takes_and_holds(name):
    owner, found = PUBLIC[name], sections(PUBLIC[name])
    if fields := own_fields(owner):
        described = [*found.get("Args", []), *found.get("Attributes", []), *described_fields(owner)]
        assert described == fields
    elif not getattr(owner, "_is_protocol", False):
        assert list(found["Args"]) == list(parameters(owner))
        assert found.get("Raises")


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_says_whether_it_is_differentiable_and_what_it_costs(name):
    text = inspect.getdoc(PUBLIC[name])
    assert re.search(r"^(Not d|D)ifferentiable", text, re.MULTILINE)
    assert "Cost" in text


@pytest.mark.parametrize("name", [name for name, value in PUBLIC.items() if ">>>" in value.__doc__])
def test_an_example_gives_what_it_shows(name):
    value = PUBLIC[name]
    names = {**vars(inspect.getmodule(value)), "symbreak": symbreak, "torch": torch, "numpy": np}
    example = doctest.DocTestParser().get_doctest(value.__doc__, names, name, None, 0)
    said: list[str] = []
    outcome = doctest.DocTestRunner().run(example, out=said.append)
    assert outcome.attempted
    assert not outcome.failed, "".join(said)


def test_every_operator_has_an_example():
    assert not [name for name in OPERATORS if "Example:" not in inspect.getdoc(PUBLIC[name])]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_tensors_have_shapes(name):
    told = sections(PUBLIC[name]).get("Args", {})
    tensors = [p for p, kind in parameters(PUBLIC[name]).items() if re.search("Tensor|NDArr", kind)]
    assert not [p for p in tensors if not SHAPE.search(told[p])]
