"""fourier_amplitude in one line of torch."""

from collections.abc import Sequence

import torch
from torch import Tensor


def fourier_amplitude(
    x: Tensor, *, oversampling: int = 2, shape: Sequence[int] | None = None, ndim: int = 2
) -> Tensor:
    """|F x| of the zero-padded object; see :func:`symbreak.fourier_amplitude`."""
    sizes = shape if shape is not None else [oversampling * n for n in x.shape[-ndim:]]
    spectrum: Tensor = torch.fft.fftn(x, tuple(sizes), tuple(range(-ndim, 0)))
    return spectrum.abs()
