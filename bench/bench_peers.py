"""Cases beside other phasing packages, where they are installed: cohere-core's HIO loop."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench_symmetries import objects
from registry import Workload, case
from torch import Tensor

import symbreak

BETA = 0.9


class Cohere:
    """One image in cohere-core's own loop, which it enters from files.

    Its transforms run the other way round, so it is given the conjugate start and gives the
    conjugate iterate, divided by its maximum.
    """

    def __init__(self, library: str, amplitude: Tensor, start: Tensor, support: Tensor) -> None:
        self.library, self.start = library, start.conj().resolve_conj()
        self.folder = tempfile.TemporaryDirectory()
        self.where = Path(self.folder.name)
        np.save(self.where / "data.npy", np.fft.fftshift(amplitude.numpy()))
        np.save(self.where / "image.npy", self.start.numpy())
        np.save(self.where / "support.npy", support.numpy().astype(np.float32))

    def loop(self, iterations: int) -> Callable[[], Tensor]:
        """Prepare the loop; a call runs it from the start again, without reading files."""
        from cohere_core.controller.phasing import Rec, set_lib_from_pkg

        settings = {"algorithm_sequence": f"{iterations}*HIO", "hio_beta": BETA}
        rec = Rec(settings, str(self.where / "data.npy"), self.library, debug=True)
        with contextlib.redirect_stdout(io.StringIO()):
            rec.init_dev(-1)
            rec.init_iter_loop(str(self.where))
        first = rec.ds_image

        def run() -> Tensor:
            rec.ds_image, rec.errs = first, []
            with contextlib.redirect_stdout(io.StringIO()):
                set_lib_from_pkg(self.library)  # one for the whole process
                rec.iterate()
            return torch.as_tensor(rec.ds_image).conj()

        return run


def beside_cohere(grid: tuple[int, ...], iterations: int) -> Workload:
    """HIO with a fixed support on one image: symbreak beside cohere-core on NumPy and on torch."""
    ndim, half = len(grid), tuple(slice(n // 2) for n in grid)
    x = torch.zeros(grid, dtype=torch.complex64)
    x[half] = objects(1, grid[-1] // 2, "cpu")[0] if ndim == 2 else 1
    amplitude = torch.fft.fftn(x).abs()
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(grid, dtype=torch.complex64, generator=generator)
    support = torch.zeros(grid, dtype=torch.bool)
    support[half] = True

    def ours(count: int, precise: bool = False) -> Callable[[], Tensor]:
        a, begin = (
            (amplitude.double(), start.to(torch.complex128)) if precise else (amplitude, start)
        )
        options: dict[str, Any] = {"initial": begin, "support": support, "shrinkwrap": None}
        return lambda: symbreak.reconstruct(
            a, f"{count}*HIO", beta=BETA, ndim=ndim, **options
        ).object[0]

    def loops(count: int) -> dict[str, Callable[[], Tensor]]:
        peers = {
            f"cohere-core ({library})": Cohere(library, amplitude, start, support)
            for library in ("np", "torch")
        }
        return {"symbreak": ours(count)} | {n: peer.loop(count) for n, peer in peers.items()}

    few = 3  # HIO is chaotic: rounding errors are compared before they have grown
    exact = ours(few, precise=True)()
    exact = exact / exact.abs().max()

    def error(found: Tensor) -> float:
        return float((found / found.abs().max() - exact).norm() / exact.norm())

    return Workload(
        loops(iterations),
        units=iterations,
        unit="image-iteration",
        error=error,
        judged=loops(few),
    )


if importlib.util.find_spec("cohere_core"):
    for _grid, _iterations in (((256, 256), 100), ((128, 128, 128), 5)):

        def _build(device: str, grid: tuple[int, ...] = _grid, n: int = _iterations) -> Workload:
            return beside_cohere(grid, n)

        case(f"hio cohere {'x'.join(map(str, _grid))}", devices=("cpu",))(_build)
