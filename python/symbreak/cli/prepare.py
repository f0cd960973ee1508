"""symbreak prepare: from raw detector frames to a pattern that `reconstruct` reads."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

import symbreak
from symbreak.cli import options
from symbreak.cli import prepare_options as parsed
from symbreak.cli.geometry import geometry_file
from symbreak.cli.output import command_line, note, progress, wrote
from symbreak.cli.phasing_options import OWN_MASK
from symbreak.cli.prepare_report import print_prepared, used_parameters
from symbreak.data.detector.cleaning import check_factor
from symbreak.data.detector.corrections import read_background, read_flat
from symbreak.data.detector.frames import open_frames
from symbreak.data.detector.halves import prepare_halves
from symbreak.data.detector.pattern_file import write_pattern
from symbreak.data.detector.prepare import prepare_pattern
from symbreak.data.detector.prepare_checks import LEAST_PIXELS
from symbreak.data.files.arrays import Source

DATASET = "FILE or :DATASET"
MASKS, WINDOW = "What was measured", "Centre and window"
EXAMPLES = (
    "symbreak prepare frame.h5 -o pattern.h5 --plot pattern.png",
    "symbreak prepare scan_master.h5 -o pattern.h5 --stack volume --size 64,256,256 --bin 2",
    "symbreak prepare frame_*.tif -o pattern.h5 --stack sum --mask mask.npy --background dark.tif",
    "symbreak prepare scan.h5 -o pattern.h5 --stack volume --geometry scan.toml",
    "symbreak prepare S12_*.tif -o p.h5 --stack volume --geometry scan.toml --motors run.spec:12",
    "symbreak prepare run.cxi -o pattern.h5 --frames 17 --geometry direct",
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
            help="One frame or a stack; HDF5 (CXI, NeXus, Eiger), TIFF, NumPy, MATLAB, EDF, CBF.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result, HDF5 (CXI).")],
    plot: Annotated[
        Path | None, typer.Option(help="Also draw frame and result: .png, .pdf, .svg ...")
    ] = None,
    stack: Annotated[
        Stacking | None,
        typer.Option(
            help="Of several frames, which need it: sum or mean of exposures, or volume of a "
            "rocking curve."
        ),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            "--frames",
            metavar="K or START:STOP,...",
            help="Only frame K, or START up to before STOP, or several of these; the first is 0; "
            "default: all.",
        ),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="COUNTS or FILE",
            help="Counts, or dark frames, to subtract from every frame; default: none.",
        ),
    ] = None,
    flat: Annotated[
        str | None,
        typer.Option(
            metavar=DATASET,
            help="Divide by this flat field; where dark, not measured; default: none.",
        ),
    ] = None,
    corner: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN",
            help="Pixel where the frames begin on a mask, dark or flat of the whole detector, from "
            "0; needed of those larger than a frame.",
        ),
    ] = None,
    valid: Annotated[
        str | None,
        typer.Option(
            metavar=DATASET, help="Array, not 0 where a pixel was measured.", rich_help_panel=MASKS
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(
            metavar=DATASET,
            help="Array, 0 where a pixel was measured.",
            rich_help_panel=MASKS,
        ),
    ] = None,
    own_mask: Annotated[bool, typer.Option(help=OWN_MASK, rich_help_panel=MASKS)] = True,
    saturation: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Largest count of a frame to trust; default: the file's, else no limit.",
            rich_help_panel=MASKS,
        ),
    ] = None,
    hot: Annotated[
        float | None,
        typer.Option(
            callback=options.checked(check_factor),
            help="Mask pixels so many times as bright as all around them: 10; default: none.",
            rich_help_panel=MASKS,
        ),
    ] = None,
    center: Annotated[
        str,
        typer.Option(
            metavar="max, mass or [FRAME,]ROW,COLUMN",
            help="Zero frequency: the brightest place, the centre of mass, or this pixel, from 0.",
            rich_help_panel=WINDOW,
        ),
    ] = "max",
    size: Annotated[
        str | None,
        typer.Option(
            metavar="N or [FRAMES,]ROWS,COLUMNS",
            help="Pixels of the result; default: the largest square inside with a fast transform.",
            rich_help_panel=WINDOW,
        ),
    ] = None,
    geometry: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE or direct",
            help="Instrument of the scan, TOML (documentation: Nanometres and strain), or that the "
            "detector stands in the direct beam; what the file of the frames says may be left out.",
        ),
    ] = None,
    motors: Annotated[
        str | None,
        typer.Option(
            metavar="FILE:SCAN",
            help="Where motors were that the file of --geometry names: SPEC, FIO or HDF5; default: "
            "the file and scan of the frames.",
        ),
    ] = None,
    halves: Annotated[
        bool,
        typer.Option(
            "--halves",
            help="Also write OUT-half1 and OUT-half2, of half the photons each, to phase and "
            "compare: `symbreak resolution`. Needs raw counts.",
        ),
    ] = False,
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
    under = parsed.background(background)
    even = None if flat is None else options.source(flat)
    more = (source for source in (under, even) if isinstance(source, Source))
    scan = None if motors is None else options.scan(motors)
    if scan is not None and geometry is None:
        raise typer.BadParameter("goes with --geometry", param_hint="--motors")
    inputs = (*sources, *extra.values(), *more, *(() if scan is None else (scan,)))
    parts = [output.with_stem(f"{output.stem}-half{k}") for k in (1, 2)] if halves else []
    for path in (output, *parts):
        options.result_path(path, (".h5", ".hdf5", ".cxi"), inputs=inputs)
    if plot is not None:
        options.result_path(plot, options.PICTURES, inputs=inputs)
    where: Any = (
        center if center in ("max", "mass") else parsed.numbers(center, "--center", "max, mass")
    )
    pixels = None if size is None else parsed.numbers(size, "--size", lowest=LEAST_PIXELS)
    blocks = parsed.numbers(bins, "--bin", lowest=1)
    begin = parsed.corner(corner)
    which = parsed.frames(select, together=stack is Stacking.VOLUME)
    told = (
        None if geometry is None else geometry_file(geometry, 3 if stack is Stacking.VOLUME else 2)
    )
    with open_frames(sources, chosen=which, corner=begin, own_mask=own_mask, **extra) as opened:
        note(opened.notes)
        if saturation is None and opened.saturation is not None:
            saturation = opened.saturation
            note([f"counts above {saturation:g} are saturated, as the file says."])
        instrument = None if told is None else told.complete(opened, scan)
        note(() if instrument is None else instrument.notes)
        detector = opened.shape[1:]
        corrections: dict[str, Any] = {
            "background": (
                read_background(under, detector, begin) if isinstance(under, Source) else under
            ),
            "flat": 1.0 if even is None else read_flat(even, detector, begin),
            "saturation": saturation,
        }
        prepared = _told(
            "reading",
            prepare_pattern,
            opened,
            combine=None if stack is None else stack.value,
            center=where,
            shape=None if pixels is None else parsed.single(pixels),
            bins=parsed.single(blocks),
            hot=hot,
            **corrections,
        )
        both = _told("halves", prepare_halves, opened, prepared, **corrections) if halves else ()
        dtype, shape = opened.dtype, opened.shape
    note(prepared.notes)
    grid = None if instrument is None else instrument.of(prepared, begin)
    written = [(output, prepared, "prepared")]
    for k, (path, half) in enumerate(zip(parts, both, strict=True), 1):
        written.append((path, half, f"half {k} of the photons"))
    for path, pattern, name in written:
        write_pattern(
            path,
            pattern,
            title=f"{sources[0].path.name}, {name}",
            version=symbreak.__version__,
            command=command_line(),
            parameters=used_parameters(context.params, pattern, saturation),
            reciprocal=grid,
            instrument="" if instrument is None else instrument.text,
        )
    print_prepared(prepared, shape, dtype, grid)
    for path, _, name in written:
        wrote(path, "pattern" if path == output else f"pattern, {name}")
    if plot is not None:
        from symbreak.plotting import save
        from symbreak.plotting.preparation import preparation_figure

        save(preparation_figure(prepared, title=sources[0].path.name), plot)
        wrote(plot, "picture")


def _told(what: str, work: Callable[..., Any], *given: Any, **settings: Any) -> Any:
    """Work while a progress bar tells how far it is."""
    with progress(what, None) as bar:
        task = bar.task_ids[0]

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return work(*given, **settings, progress=tell)
