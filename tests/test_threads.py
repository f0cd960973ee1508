"""Operators called from many Python threads at once give what they give alone."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from conftest import SEED, blob

import symbreak
from symbreak.coherence import reconstruct as partly_coherent

THREADS, ROUNDS = 8, 3


def problem(k):
    generator = torch.Generator().manual_seed(SEED + k)
    shape = (3, 16, 16) if k % 2 else (2, 9, 13)  # with the engine's codelets, and without
    return blob(shape, dtype=torch.complex64, generator=generator)


def gradient(x):
    x = x.clone().requires_grad_()
    loss = symbreak.sa_mse(x, x.detach().flip(1)) + symbreak.fourier_amplitude(x).mean()
    loss.backward()
    return x.grad


def phased(x, **options):
    amplitude = symbreak.fourier_amplitude(x)
    seed = int(x.real.sum() * 1000)
    found = symbreak.reconstruct(
        amplitude, "2*(3*ER+8*HIO)+3*RAAR+2*DM", seed=seed, starts=2, record_every=5, **options
    )
    return tuple(found)


def partly(x):
    found, blur = partly_coherent(
        symbreak.fourier_amplitude(x), "20*ER+10*HIO", first=10, every=5, starts=2
    )
    return *found, blur


def watched(x):
    seen = []
    found = phased(x, progress=lambda done, total: seen.append((done, total)))
    images = len(x) * 2
    assert seen[0] == (0, images * 27)
    assert seen[-1] == (images * 27, images * 27)
    return found


CALLS = {
    "center": symbreak.center,
    "break_symmetry": symbreak.break_symmetry,
    "circulation": lambda x: symbreak.break_symmetry(x, rule="circulation"),
    "apply_symmetry": lambda x: symbreak.apply_symmetry(x, shift=[1, -2], flipped=True, phase=0.5),
    "fourier_amplitude": symbreak.fourier_amplitude,
    "align": lambda x: symbreak.align(x, x.roll(1, 0)),
    "align periodic": lambda x: symbreak.align(x, x.roll(1, 0), wrap=True),
    "sa_mse": lambda x: symbreak.sa_mse(x, x.roll(1, 0), reduction="none"),
    "gradient": gradient,
    "reconstruct": phased,
    "reconstruct, partly coherent": partly,
    "reconstruct, watched": watched,
}


def numbers(result):
    return [result] if isinstance(result, torch.Tensor) else list(result)


def same(a, b):
    return all(torch.equal(x.nan_to_num(), y.nan_to_num()) for x, y in zip(a, b, strict=True))


def together(jobs):
    """Run all jobs at once, several times each, starting at the same moment."""
    barrier = threading.Barrier(len(jobs))

    def work(job):
        barrier.wait(60)
        return [numbers(job()) for _ in range(ROUNDS)]

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(work, jobs))


@pytest.mark.parametrize("name", CALLS)
def test_one_operator_in_many_threads(device, name):
    call, inputs = CALLS[name], [problem(k).to(device) for k in range(THREADS)]
    alone = [numbers(call(x)) for x in inputs]
    for expected, rounds in zip(
        alone, together([lambda x=x: call(x) for x in inputs]), strict=True
    ):
        assert all(same(found, expected) for found in rounds)


def test_one_operator_on_many_sizes(device):
    """On a GPU these take different amounts of a block's shared memory, all of them to be asked
    for, which a thread could undo for another."""
    generator = torch.Generator().manual_seed(SEED)
    inputs = [
        torch.randn(2, n, n, dtype=torch.complex64, generator=generator).to(device)
        for n in (80, 100, 130, 160, 80, 100, 130, 160)
    ]
    alone = [numbers(symbreak.break_symmetry(x)) for x in inputs]
    found = together([lambda x=x: symbreak.break_symmetry(x) for x in inputs])
    for expected, rounds in zip(alone, found, strict=True):
        assert all(same(other, expected) for other in rounds)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_where_only_deterministic_operators_are_allowed(device, name):
    call, x = CALLS[name], problem(1).to(device)
    expected = numbers(call(x))
    torch.use_deterministic_algorithms(True)
    try:
        assert same(numbers(call(x)), expected)
    finally:
        torch.use_deterministic_algorithms(False)


def test_all_operators_at_once(device):
    inputs = [problem(k).to(device) for k in range(len(CALLS))]
    jobs = [lambda c=c, x=x: c(x) for c, x in zip(CALLS.values(), inputs, strict=True)]
    alone = [numbers(job()) for job in jobs]
    for expected, rounds in zip(alone, together(jobs), strict=True):
        assert all(same(found, expected) for found in rounds)


def test_an_exception_in_one_thread_stops_only_its_own(device):
    x = problem(1).to(device)
    expected = phased(x)

    def stopped():
        def refuse(done, total):
            raise LookupError

        with pytest.raises(LookupError):
            phased(x, progress=refuse)
        return expected

    for rounds in together([stopped, lambda: phased(x), stopped, lambda: watched(x)]):
        assert all(same(found, expected) for found in rounds)


PHASING = """
import os, signal, torch, symbreak
a = torch.arange(2304.0).reshape(48, 48).sin().abs()
torch.set_num_threads(3)
def phased():
    found = symbreak.reconstruct(a, "20*HIO+3*ER", starts=4)
    return found.object.abs().sum(dtype=torch.float64).item()
"""


def in_a_process(code, **variables):
    words = [sys.executable, "-c", PHASING + code]
    environment = {**os.environ, **variables}
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=100, env=environment, check=True
    )
    return done.stdout.split()


def test_a_pool_with_fewer_threads_than_asked_for():
    few = in_a_process("print(phased())", OMP_THREAD_LIMIT="1")
    assert few == in_a_process("print(phased())")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_in_the_child_of_a_fork():
    # GNU's OpenMP hangs in a child whose parent has used it.
    code = """
print(phased(), flush=True)
if os.fork() == 0:
    signal.alarm(60)
    print(phased(), flush=True)
    os._exit(0)
assert os.wait()[1] == 0
"""
    parent, child = in_a_process(code)
    assert parent == child
