"""Operators on a GPU: the current stream, CUDA graphs, other devices; no copies from the host.

What needs no GPU runs on tensors without data that claim to be on one.
"""

import pytest
import torch
from conftest import blob
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

import symbreak
from symbreak.ops import memory


def gradient(x):
    leaf = x.detach().clone().requires_grad_()
    moved = symbreak.apply_symmetry(leaf, flipped=True, phase=0.5)
    loss = symbreak.sa_mse(moved, x.roll(1, 0)) + symbreak.fourier_amplitude(leaf).mean()
    return torch.autograd.grad(loss, leaf)


OPERATORS = {
    "center": lambda x: symbreak.center(x, wrap=True, tol=0.1),
    "break_symmetry": symbreak.break_symmetry,
    "circulation": lambda x: symbreak.break_symmetry(x, tol=0.1, rule="circulation"),
    "apply_symmetry": lambda x: symbreak.apply_symmetry(x, flipped=True, phase=0.5),
    "fourier_amplitude": symbreak.fourier_amplitude,
    "align": lambda x: symbreak.align(x, x.flip(-1)),
    "align periodic": lambda x: symbreak.align(x, x.roll(1, 0), wrap=True),
    "sa_mse": lambda x: symbreak.sa_mse(x, x.roll(1, 0), reduction="none"),
    "gradient": gradient,
}
FORWARD = [name for name in OPERATORS if name != "gradient"]
# An object that fits the shared memory of a block, and one that takes several.
GRIDS = [(20, 24), (180, 170)]


def numbers(result):
    return [result] if isinstance(result, torch.Tensor) else list(result)


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a, b)


@pytest.fixture(params=GRIDS, ids=str)
def x(request, device, generator):
    if device == "cpu":
        pytest.skip("needs a GPU")
    return blob((3, *request.param), dtype=torch.complex64, generator=generator).to(device)


@pytest.mark.parametrize("name", OPERATORS)
def test_the_current_stream_is_used(x, name):
    expected = numbers(OPERATORS[name](x))
    late, stream = torch.zeros_like(x), torch.cuda.Stream()
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(10**8)
        late.copy_(x)  # who does not wait for it sees zeros
        found = numbers(OPERATORS[name](late))
    stream.synchronize()
    assert_same(found, expected)


@pytest.mark.parametrize("name", FORWARD)
def test_a_cuda_graph_holds_it(x, name):
    expected = numbers(OPERATORS[name](x))  # makes the plans of the FFT
    torch.cuda.synchronize()
    given, graph = torch.zeros_like(x), torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = numbers(OPERATORS[name](given))
    given.copy_(x)
    graph.replay()
    assert_same(found, expected)


@pytest.mark.parametrize("name", OPERATORS)
def test_another_device_than_the_current_one(x, name):
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two GPUs")
    expected = numbers(OPERATORS[name](x))
    found = numbers(OPERATORS[name](x.to("cuda:1")))
    assert all(y.device == torch.device("cuda:1") for y in found)
    assert torch.cuda.current_device() == 0
    assert_same([y.to(x.device) for y in found], expected)


class Copies(TorchDispatchMode):
    """Notes what is copied from one device to another, and what is read on the host."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        if isinstance(result, torch.Tensor):
            devices = {x.device for x in arguments if isinstance(x, torch.Tensor)}
            if "_to_copy" in str(function) and devices != {result.device}:
                self.seen.append(str(function))
        elif "_local_scalar_dense" in str(function):
            self.seen.append(str(function))
        return result


@pytest.mark.parametrize("name", FORWARD)
def test_nothing_is_copied_from_the_host_or_read_there(monkeypatch, name):
    """Either would wait for all that the device still has to do."""
    monkeypatch.setattr(memory, "device_memory", lambda device: 2**40)
    with FakeTensorMode(), Copies() as copies:
        given = torch.empty(3, 20, 24, dtype=torch.complex64, device="cuda")
        found = numbers(OPERATORS[name](given))
    assert all(y.device.type == "cuda" for y in found)
    assert copies.seen == []
