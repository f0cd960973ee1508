"""symbreak prepare: from raw detector frames to a pattern that `reconstruct` reads."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import symbreak
from symbreak.cli import options
from symbreak.cli.output import command_line, note, out, progress, table, wrote
from symbreak.data.detector.centering import Method
from symbreak.data.detector.cleaning import Counts
from symbreak.data.detector.frames import Frames, open_frames, read_background
from symbreak.data.detector.layouts import REASONS
from symbreak.data.detector.pattern_file import write_pattern
from symbreak.data.detector.prepare import Prepared, prepare_pattern
from symbreak.data.files.arrays import Source
from symbreak.data.files.cxi import Parameter

DATASET = "FILE or :DATASET"
MASKS, WINDOW = "What was measured", "Centre and window"
EXAMPLES = (
    "symbreak prepare frame.h5 -o pattern.h5 --plot pattern.png",
    "symbreak prepare scan_master.h5 -o pattern.h5 --stack volume --size 64,256,256 --bin 2",
    "symbreak prepare frame_*.tif -o pattern.h5 --stack sum --mask mask.npy --background dark.tif",
)


class Stacking(str, Enum):
    """What several frames are made to."""

    SUM = "sum"
    MEAN = "mean"
    VOLUME = "volume"


def prepare(
    context: typer.Context,
    frames: Annotated[
        list[str],
        typer.Argument(
            metavar=options.FILE + "...",
            help="One frame or a stack; HDF5 (CXI, NeXus, Eiger master), TIFF, NumPy, EDF, CBF.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result, HDF5 (CXI).")],
    plot: Annotated[
        Path | None, typer.Option(help="Also draw frame and result: .png, .pdf, .svg ...")
    ] = None,
    stack: Annotated[
        Stacking | None,
        typer.Option(help="Sum or mean of repeated exposures, or a rocking curve's volume."),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option("--frames", metavar="K or START:STOP", help="Take these frames; first is 0."),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(metavar="COUNTS or FILE", help="Subtract from every frame; below 0 is 0."),
    ] = None,
    valid: Annotated[
        str | None,
        typer.Option(
            metavar=DATASET, help="Not 0 where a pixel was measured.", rich_help_panel=MASKS
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(
            metavar=DATASET,
            help="0 where a pixel was measured; default: the file's own.",
            rich_help_panel=MASKS,
        ),
    ] = None,
    saturation: Annotated[
        float | None,
        typer.Option(
            min=0, help="Largest count to trust; default: the file's.", rich_help_panel=MASKS
        ),
    ] = None,
    hot: Annotated[
        float | None,
        typer.Option(
            help="Mask pixels so many times brighter than all around them; 10 is safe.",
            rich_help_panel=MASKS,
        ),
    ] = None,
    center: Annotated[
        str,
        typer.Option(
            metavar="max, mass or [FRAME,]ROW,COLUMN",
            help="Brightest place, centre of mass, or this pixel.",
            rich_help_panel=WINDOW,
        ),
    ] = "max",
    size: Annotated[
        str | None,
        typer.Option(
            metavar="N or [FRAMES,]ROWS,COLUMNS",
            help="Pixels of the result; default: the largest fast square inside the detector.",
            rich_help_panel=WINDOW,
        ),
    ] = None,
    bins: Annotated[
        str,
        typer.Option(
            "--bin",
            metavar="N or [FRAMES,]ROWS,COLUMNS",
            help="Detector pixels per pixel of the result.",
            rich_help_panel=WINDOW,
        ),
    ] = "1",
) -> None:
    """Make a diffraction pattern out of raw detector frames: clean, centre, crop, bin.

    OUT holds the intensities with zero frequency in the middle, which pixels were measured, and
    every parameter; `symbreak reconstruct OUT -o result.cxi` needs no more options.
    """
    sources = tuple(options.source(text) for text in frames)
    extra = {
        name: options.source(text)
        for name, text in (("valid", valid), ("mask", mask))
        if text is not None
    }
    under = _background(background)
    inputs = (*sources, *extra.values(), *([under] if isinstance(under, Source) else []))
    options.result_path(output, (".h5", ".hdf5", ".cxi"), inputs=inputs)
    if plot is not None:
        options.result_path(plot, options.PICTURES, inputs=inputs)
    where: Any = center if center in ("max", "mass") else _numbers(center, "--center", "max, mass")
    pixels = None if size is None else _numbers(size, "--size")
    blocks = _numbers(bins, "--bin")
    with open_frames(sources, chosen=_slice(select), **extra) as opened:
        note(opened.notes)
        if saturation is None and opened.saturation is not None:
            saturation = opened.saturation
            note([f"counts above {saturation:g} are saturated, as the file says."])
        prepared = _run(opened, stack, where, pixels, blocks, under, saturation, hot)
        dtype, shape = opened.dtype, opened.shape
    note(prepared.notes)
    write_pattern(
        output,
        prepared,
        title=f"{sources[0].path.name}, prepared",
        version=symbreak.__version__,
        command=command_line(),
        parameters=_parameters(context, prepared, saturation),
    )
    _print(prepared, shape, dtype)
    wrote(output, "pattern")
    if plot is not None:
        from symbreak.plotting import save
        from symbreak.plotting.preparation import preparation_figure

        save(preparation_figure(prepared, title=sources[0].path.name), plot)
        wrote(plot, "picture")


def _run(
    opened: Frames,
    stack: Stacking | None,
    center: Method | tuple[int, ...],
    shape: tuple[int, ...] | None,
    bins: tuple[int, ...],
    background: float | Source,
    saturation: float | None,
    hot: float | None,
) -> Prepared:
    """Prepare while a progress bar runs."""
    under: float | Counts = (
        read_background(background, opened.shape[1:])
        if isinstance(background, Source)
        else background
    )
    with progress("reading", None) as bar:
        task = bar.task_ids[0]
        return prepare_pattern(
            opened,
            combine=None if stack is None else stack.value,
            center=center,
            shape=None if shape is None else _square(shape),
            bins=_square(bins),
            background=under,
            saturation=saturation,
            hot=hot,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _square(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    return numbers[0] if len(numbers) == 1 else numbers


def _numbers(text: str, option: str, words: str = "") -> tuple[int, ...]:
    """Parse ``N``, ``ROW,COLUMN`` or ``FRAME,ROW,COLUMN``."""
    least = 2 if words else 1
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not least <= len(numbers) <= 3:
        expected = f"{words} or [FRAME,]ROW,COLUMN" if words else "N or [FRAMES,]ROWS,COLUMNS"
        raise typer.BadParameter(f"expected {expected}, got {text!r}", param_hint=option)
    return numbers


def _slice(text: str | None) -> slice | None:
    """Parse ``K`` or ``START:STOP``."""
    if text is None:
        return None
    try:
        ends = [int(part) if part else None for part in text.split(":")]
        if len(ends) == 1 and ends[0] is not None and ends[0] >= 0:
            return slice(ends[0], ends[0] + 1)
        if len(ends) == 2:
            return slice(*ends)
    except ValueError:
        pass
    raise typer.BadParameter(f"expected K or START:STOP, got {text!r}", param_hint="--frames")


def _background(text: str | None) -> float | Source:
    if text is None:
        return 0.0
    try:
        return float(text)
    except ValueError:
        return options.source(text)


def _parameters(
    context: typer.Context, prepared: Prepared, saturation: float | None
) -> dict[str, Parameter]:
    """Every option as it was used, and what was found."""
    used: dict[str, Parameter] = {}
    for name, value in context.params.items():
        if name in ("output", "plot"):
            continue
        plain = value.value if isinstance(value, Enum) else value
        used[name] = " ".join(plain) if isinstance(plain, (list, tuple)) else plain
    used["saturation"] = saturation
    used["center_found"] = ",".join(map(str, prepared.center))
    used["first_pixel"] = ",".join(str(window.start) for window in prepared.windows)
    used["measured_pixels"] = int(prepared.valid.sum())
    return used


def _print(prepared: Prepared, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
    """What was there, what was left out and why, what came out."""
    rows = table("prepared", "what", "result")
    count, *detector = shape
    total, kept = float(prepared.survey.image.sum()), float(prepared.intensity.sum())
    rows.add_row("frames", f"{count} of {_by(detector)} {dtype}")
    rows.add_row("counts above background", f"{total:.6g}")
    names = ("frame", "row", "column")[-len(prepared.windows) :]
    for name, window in zip(names, prepared.windows, strict=True):
        binned = f", binned by {window.bin}" if window.bin > 1 else ""
        rows.add_row(
            f"{name}: centre, window",
            f"{window.center}, {window.start} to {window.stop - 1}{binned}",
        )
    rows.add_row("pattern", f"{_by(prepared.intensity.shape)} pixels")
    rows.add_row("brightest pixel", f"{float(prepared.intensity.max()):.6g} counts")
    if not prepared.averaged:
        rows.add_row("counts kept", f"{kept:.6g} ({100 * kept / total:.1f} %)")
    missing = 100 * float(1 - prepared.valid.mean())
    rows.add_row("not measured", f"{missing:.2f} %")
    for bit, reason in REASONS.items():
        found = int(((prepared.mask & bit) != 0).sum())
        if found:
            rows.add_row(f"  {reason}", f"{found} px")
    out().print(rows)


def _by(shape: Any) -> str:
    return " x ".join(map(str, shape))
