"""What the functions return survives torch.save and torch.load, and pickle, with its type."""

import pickle
import subprocess
import sys

import pytest
import torch

import symbreak
from symbreak import coherence

X = torch.randn(2, 6, 6, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
RESULTS = {
    "Reconstruction": lambda: symbreak.reconstruct(X.abs(), "ER", starts=2, record_every=1),
    "SymmetryBreaking": lambda: symbreak.break_symmetry(X),
    "Alignment": lambda: symbreak.align(X, X.flip(0)),
    "Centered": lambda: symbreak.center(X),
    "PartlyCoherent": lambda: coherence.reconstruct(X.abs(), "2*ER"),
    "Shrinkwrap": lambda: symbreak.Shrinkwrap(area=(0.2, 0.1)),
}


def assert_same(found, given):
    assert type(found) is type(given)
    if isinstance(given, tuple):
        for pair in zip(found, given, strict=True):
            assert_same(*pair)
    else:
        assert torch.equal(found, given) if isinstance(given, torch.Tensor) else found == given


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_comes_back(tmp_path, name):
    given = RESULTS[name]()
    assert type(given).__name__ == name
    torch.save({"result": given}, tmp_path / "a.pt")
    assert_same(torch.load(tmp_path / "a.pt", weights_only=True)["result"], given)
    assert_same(pickle.loads(pickle.dumps(given)), given)


@pytest.mark.parametrize("name", ["Reconstruction", "PartlyCoherent"])
def test_another_process_reads_it(tmp_path, name):
    module = "symbreak.coherence" if name == "PartlyCoherent" else "symbreak"
    torch.save(RESULTS[name](), tmp_path / "a.pt")
    code = f"import torch, {module}; print(type(torch.load({str(tmp_path / 'a.pt')!r})).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == name, done.stderr[-300:]
