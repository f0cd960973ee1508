"""Draw the pictures of the documentation anew: ``python docs/pictures.py [NAME ...]``.

They are committed, so that the site builds without this; all data are simulated, all seeds fixed.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

import symbreak
from symbreak.cli.simulation import symmetric_copies
from symbreak.data import crystals
from symbreak.experiments.square_root import square_root
from symbreak.experiments.symmetries import symmetries as symmetry_copies
from symbreak.plotting import breaking_figure, save
from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import ACCENT, FAINT, INK, draw_key, draw_object
from symbreak.plotting.symmetries import symmetries_figure
from symbreak.plotting.toy import square_root_figure

FOLDER = Path(__file__).parent / "pictures"
WIDTH = 1400
SHRINKWRAP = symbreak.Shrinkwrap(threshold=0.3, sigma_min=0.7, decay=0.95)
SCHEDULES = ("20*ER", "20*ER+40*HIO", "20*ER+180*HIO", "3*(20*ER+180*HIO)+20*ER")


def symmetries() -> Figure:
    """An object, three copies and their equal amplitudes."""
    return symmetries_figure(*symmetry_copies())


def square_roots() -> Figure:
    """The square root, learned with both signs and with one."""
    return square_root_figure(square_root())


def breaking() -> Figure:
    """Copies of two crystals before and after breaking."""
    copies = symmetric_copies(2, 4, seed=0)
    broken = symbreak.break_symmetry(copies)
    return breaking_figure(copies, broken.object, broken.flipped)


def cut() -> Figure:
    """Where crystals and their twins lie in the plane of g / F x(0), and their margins."""
    objects = symbreak.center(crystals(1000, 64, 0)).object
    broken = symbreak.break_symmetry(objects)
    number = _number(objects)
    figure = new_figure(10, 4.3)
    plane, share = figure.subplots(1, 2)
    for chosen, colour, label in (
        (~broken.flipped, INK, "kept"),
        (broken.flipped, ACCENT, "flipped"),
    ):
        plane.plot(number.real[chosen], number.imag[chosen], ".", ms=3, color=colour, label=label)
    plane.axhline(0, color="black", lw=1)
    plane.set_xlim(-2, 4)
    plane.set_ylim(-2.2, 2.2)  # a few lie outside
    plane.set_xlabel("Re g / F x(0)")
    plane.set_ylabel("Im g / F x(0)")
    plane.set_title("1000 crystals as they came; the cut is Im g = 0", fontsize=10)
    plane.legend(frameon=False, fontsize=9)
    margin = broken.margin.sort().values
    share.semilogx(margin, np.arange(1, len(margin) + 1) / len(margin), color=INK)
    share.set_xlabel("margin |Im g| / |F x(0)|")
    share.set_ylabel("share of the crystals below")
    share.set_title("their margins", fontsize=10)
    for axes in (plane, share):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _number(objects: torch.Tensor) -> torch.Tensor:
    """Compute g / F x(0) of centred objects, phases referred to the centre of the box."""
    size = objects.shape[-1]
    spectrum = torch.fft.fft2(objects.to(torch.complex128), s=(2 * size, 2 * size))
    values = []
    for item, transform in zip(objects, spectrum, strict=True):
        columns = (item != 0).any(0).nonzero().flatten()
        middle = float(columns[0] + columns[-1]) / 2
        turn = torch.exp(torch.tensor(2j * torch.pi * middle / (2 * size)))
        values.append(turn * transform[0, 1] / transform[0, 0])
    return torch.stack(values)


def comparison() -> Figure:
    """The error left after every shift, unflipped and flipped."""
    crystal = symbreak.center(crystals(1, 64, 3)[0]).object
    twin = symbreak.apply_symmetry(crystal, shift=[6, -9], flipped=True, phase=1.0)
    figure = new_figure(12, 3.9)
    axes = figure.subplots(1, 5, width_ratios=(1, 1, 1.15, 1.15, 0.45))
    draw_object(axes[0], crystal.numpy(), title="reference", full=1.0, ticks=False)
    draw_object(axes[1], twin.numpy(), title="estimate", full=1.0, ticks=False)
    flipped = symbreak.apply_symmetry(twin, flipped=True)
    for place, (estimate, title) in zip(
        axes[2:4],
        ((twin, "error left, unflipped"), (flipped, "error left, flipped")),
        strict=True,
    ):
        errors = _errors(estimate, crystal)
        n = crystal.shape[-1]
        image = place.imshow(errors, cmap="viridis", extent=(-n, n, n, -n), vmin=0)
        row, column = np.unravel_index(errors.argmin(), errors.shape)
        place.plot(column - n, row - n, "o", ms=9, mfc="none", mec=ACCENT, mew=1.6)
        place.set_title(f"{title}: least {errors.min():.2f}", fontsize=10)
        place.set_xlabel("shift along axis 1")
        place.set_ylabel("shift along axis 0")
    figure.colorbar(image, ax=list(axes[2:4]), shrink=0.8)
    draw_key(axes[4])
    return figure


def _errors(estimate: torch.Tensor, reference: torch.Tensor) -> np.ndarray:
    """(1 / pixels) min over the phase of || e^{i phase} T_s estimate - reference ||^2, all s."""
    grid = [2 * n for n in reference.shape]
    correlation = torch.fft.ifft2(
        torch.fft.fft2(reference, s=grid) * torch.fft.fft2(estimate, s=grid).conj()
    )
    power = estimate.abs().square().sum() + reference.abs().square().sum()
    left = (power - 2 * correlation.abs()) / reference.numel()
    return np.fft.fftshift(left.clamp(min=0).numpy())


def phasing() -> Figure:
    """One start as the schedule goes on, and the errors of eight."""
    crystal = crystals(1, 64, 0)[0]
    amplitude = symbreak.fourier_amplitude(crystal)
    truth = torch.zeros(amplitude.shape, dtype=crystal.dtype)
    truth[:64, :64] = crystal
    truth = symbreak.center(truth).object
    options = {"starts": 8, "shrinkwrap": SHRINKWRAP, "record_every": 5}
    runs = [symbreak.reconstruct(amplitude, schedule, **options) for schedule in SCHEDULES]
    best = int(runs[-1].error.argmin())
    figure = new_figure(14, 3.3)
    axes = figure.subplots(1, 6, width_ratios=(1, 1, 1, 1, 1.7, 0.4))
    box = slice(24, 104)
    for place, schedule, run in zip(axes, SCHEDULES, runs, strict=False):
        seen = (run.object * run.support)[best]
        seen = symbreak.align(seen, truth, wrap=True).object
        iterations = run.history.shape[-1] * 5
        title = f"after {iterations} iterations\nerror {float(run.error[best]):.1g}"
        draw_object(place, seen[box, box].numpy(), title=title, full=1.0, ticks=False)
        place.set_xlabel(schedule, fontsize=7)
    history = runs[-1].history.numpy()
    for k, errors in enumerate(history):
        colour, width = (ACCENT, 1.8) if k == best else (FAINT, 0.9)
        axes[4].semilogy(5 * np.arange(1, len(errors) + 1), errors, color=colour, lw=width)
    axes[4].set_xlabel("iteration")
    axes[4].set_title("error of eight starts", fontsize=10)
    axes[4].grid(alpha=0.25)
    draw_key(axes[5])
    return figure


def extending() -> Figure:
    """What the code of extending.md learned: roots before and after, errors against the margin."""
    page = (Path(__file__).parent / "extending.md").read_text()
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    last = next(k for k, block in enumerate(blocks) if "collapsed" in block)
    for block in blocks[: last + 1]:
        exec(block, names)
    figure = new_figure(12, 3.9)
    axes = figure.subplots(1, 3)
    truth = names["canonical"](names["x"][names["test"]])
    for place, name, title in (
        (axes[0], "raw", "roots, in the order they came"),
        (axes[1], "broken", "roots, sorted"),
    ):
        learned = names["canonical"](names[name](names["y"][names["test"]]))
        for k, colour in enumerate((INK, FAINT, ACCENT)):
            label = ("lowest", "middle", "highest")[k]
            place.plot(truth[:, k], learned[:, k], ".", ms=2, color=colour, label=label)
        place.plot([-1, 1], [-1, 1], color="black", lw=0.8)
        place.set_xlabel("true root")
        place.set_ylabel("learned")
        place.set_title(title, fontsize=10)
        place.legend(fontsize=8, frameon=False, markerscale=4)
    exec(blocks[last + 1], names)
    axes[2].semilogy(names["margin"], names["raw"], ".", ms=2, color=ACCENT, label="raw")
    axes[2].semilogy(names["margin"], names["broken"], ".", ms=2, color=INK, label="broken")
    axes[2].set_xlabel("margin |x₁|")
    axes[2].set_ylabel("error up to the sign")
    axes[2].set_title("eigenvector", fontsize=10)
    axes[2].legend(fontsize=8, frameon=False, markerscale=4)
    for place in axes:
        place.grid(alpha=0.25)
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {
    "symmetries": symmetries,
    "square-root": square_roots,
    "breaking": breaking,
    "cut": cut,
    "comparison": comparison,
    "phasing": phasing,
    "extending": extending,
}


def main(names: list[str]) -> None:
    """Draw the named pictures, or all."""
    unknown = set(names) - set(PICTURES)
    if unknown:
        sys.exit(f"pictures: expected {', '.join(PICTURES)}, got {', '.join(sorted(unknown))}")
    FOLDER.mkdir(exist_ok=True)
    for name in names or PICTURES:
        path = Path(tempfile.mkdtemp()) / f"{name}.png"
        save(PICTURES[name](), path)
        picture = Image.open(path).convert("RGB")
        size = (WIDTH, round(picture.height * WIDTH / picture.width))
        target = FOLDER / f"{name}.png"
        picture.resize(size, Image.Resampling.LANCZOS).save(target, optimize=True)
        print(f"{target}: {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
