"""Philox4x32-10 (Salmon et al. 2011), and the random phases that reconstructions start from."""

import numpy as np
import torch
from torch import Tensor

LOW = np.uint64(0xFFFFFFFF)


def philox4x32(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Ten rounds; counter and result: ``(4, ...)``, 32-bit words in uint64."""
    c0, c1, c2, c3 = counter.astype(np.uint64)
    for i in range(10):
        k0 = np.uint64((key[0] + i * 0x9E3779B9) & 0xFFFFFFFF)
        k1 = np.uint64((key[1] + i * 0xBB67AE85) & 0xFFFFFFFF)
        p, q = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        high_p, high_q = p >> np.uint64(32), q >> np.uint64(32)
        c0, c1, c2, c3 = high_q ^ c1 ^ k0, q & LOW, high_p ^ c3 ^ k1, p & LOW
    return np.stack([c0, c1, c2, c3])


def random_turns(seed: int, start: int, shape: tuple[int, ...]) -> Tensor:
    """Return u in [0, 1) for every pixel of a start, float64 ``shape``."""
    pixel = np.arange(np.prod(shape, dtype=np.int64), dtype=np.uint64)
    zero = np.zeros_like(pixel)
    counter = np.stack([pixel & LOW, pixel >> np.uint64(32), zero + np.uint64(start), zero])
    word = philox4x32(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))[0]
    return torch.from_numpy(word / 2.0**32).reshape(shape)
