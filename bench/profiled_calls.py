"""The calls that a profiler should look at, each after one to warm up: for ncu, on a full GPU.

``ncu --profile-from-start off ... python bench/profiled_calls.py``, as bench/gpu.sh has it.
"""

import os
from collections.abc import Callable

import torch

import symbreak


def phasing(engine: str, images: int, size: int, iterations: int = 2) -> Callable[[], object]:
    amplitude = torch.rand(images, size, size, device="cuda") + 0.1
    support = torch.zeros(images, 1, size, size, dtype=torch.bool, device="cuda")
    support[..., : size // 2, : size // 2] = True

    def call() -> object:
        os.environ["SYMBREAK_CUDA_ENGINE"] = engine
        return torch.ops.symbreak.reconstruct(amplitude, f"{iterations}*HIO", support=support)

    return call


objects = torch.zeros(100_000, 64, 64, dtype=torch.complex64, device="cuda")
objects[:, 10:50, 20:44] = torch.randn(40, 24, dtype=torch.complex64, device="cuda")
pair = objects[:256], objects[:256].flip(-1).conj().resolve_conj()
CALLS = [
    lambda: symbreak.break_symmetry(objects),
    lambda: symbreak.align(*pair),
    phasing("on_chip", 1056, 64, 20),
    phasing("on_chip", 1056, 128, 20),
    phasing("on_chip", 128, 256, 20),
    # As many as the engine takes at once, for every launch is replayed.
    phasing("two_pass", 256, 64),
    phasing("two_pass", 22, 256),
    phasing("two_pass", 1, 256),
    phasing("two_pass", 5, 512),
]
for call in CALLS:
    call()
torch.cuda.synchronize()
torch.cuda.profiler.start()
for call in CALLS:
    call()
torch.cuda.synchronize()
torch.cuda.profiler.stop()
