"""symbreak reconstruct: phase a measured diffraction pattern."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

import symbreak
from symbreak.cli import coherence, options, phasing_options
from symbreak.cli.described import describe, parameters
from symbreak.cli.geometry import lines, sides
from symbreak.cli.initial import AGREEMENT, Initial, begin, look_at_support, read_starts
from symbreak.cli.output import note, wrote
from symbreak.cli.phasing import run_resumably
from symbreak.cli.phasing_options import (
    DATASET,
    DEFAULT,
    PHASING,
    SCHEDULE,
    SUPPORT,
    Dc,
    RelativeTo,
)
from symbreak.cli.starts import as_phasing, print_chance, print_starts
from symbreak.cli.supports import area_text, choose_resumably, print_trials, trials_as_results
from symbreak.data.detector.patterns import Pattern, read_like, read_pattern
from symbreak.data.files.arrays import Source
from symbreak.data.files.cxi import write_cxi
from symbreak.data.files.reciprocal import reciprocal_of
from symbreak.evaluation import GOOD, compare_starts

COUNTS = 10  # the least largest intensity of a pattern that can be counts
RECORD_EVERY = 10
EXAMPLES = (
    "symbreak reconstruct scan.h5 -o out.cxi --plot out.png",
    "symbreak reconstruct scan.h5:/entry/data/data -o out.cxi --mask :/entry/data/mask",
    "symbreak reconstruct fft.npy -o out.cxi --amplitudes --dc corner --area 0.1,0.03",
    "symbreak reconstruct scan.h5 -o out.cxi --schedule '3*(20*ER+180*HIO)+120*ER' --hold 120",
    "symbreak reconstruct scan.h5 -o out.cxi --choose-support",
    "symbreak reconstruct forward.h5 -o out.cxi --phase-limit 1",
    "symbreak reconstruct scan.h5 -o out.cxi --free 0.05",
    "symbreak reconstruct scan.h5 -o out.cxi --partial-coherence",
    "symbreak reconstruct next.h5 -o next.cxi --initial out.cxi",
)


def reconstruct(
    context: typer.Context,
    pattern: Annotated[
        str,
        typer.Argument(
            metavar=options.FILE,
            help="HDF5 (CXI, NeXus), TIFF, NumPy, MATLAB, EDF, CBF; a 2D or 3D pattern.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result, CXI (HDF5).")],
    plot: Annotated[
        Path | None, typer.Option(help="Also draw the result: .png, .pdf, .svg ...")
    ] = None,
    amplitudes: phasing_options.Amplitudes = False,
    dc: phasing_options.Origin = Dc.CENTER,
    valid: phasing_options.Valid = None,
    mask: phasing_options.Mask = None,
    saturated: phasing_options.Saturated = None,
    own_mask: phasing_options.OwnMask = True,
    own_saturated: phasing_options.OwnSaturated = False,
    schedule: phasing_options.Schedule = SCHEDULE,
    beta: phasing_options.Beta = 0.9,
    phase_limit: phasing_options.PhaseLimit = None,
    starts: phasing_options.Starts = 8,
    seed: phasing_options.Seed = 0,
    initial: Initial = None,
    good: Annotated[
        float,
        typer.Option(
            min=1,
            help="Average the starts with cross-validated error at most this times the best.",
            rich_help_panel=PHASING,
        ),
    ] = GOOD,
    free: phasing_options.Free = None,
    subpixel: Annotated[
        bool,
        typer.Option(
            "--subpixel",
            help="Align by parts of a pixel before averaging.",
            rich_help_panel=PHASING,
        ),
    ] = False,
    partial_coherence: coherence.PartialCoherence = False,
    coherence_length: coherence.CoherenceLength = None,
    device: phasing_options.Device = "cpu",
    support: Annotated[
        str | None,
        typer.Option(
            metavar=DATASET,
            help="First support, not 0 inside, lying anywhere, or where --initial does; default: "
            "from the autocorrelation, or where --initial is not 0.",
            rich_help_panel=SUPPORT,
        ),
    ] = None,
    fixed_support: Annotated[
        bool,
        typer.Option(
            "--fixed-support",
            help="Keep --support as it is: no shrinkwrap.",
            rich_help_panel=SUPPORT,
        ),
    ] = False,
    choose_support: phasing_options.ChooseSupport = False,
    area: phasing_options.Area = None,
    threshold: phasing_options.Threshold = DEFAULT.threshold,
    every: phasing_options.Every = DEFAULT.every,
    sigma: phasing_options.Sigma = DEFAULT.sigma,
    sigma_min: phasing_options.SigmaMin = DEFAULT.sigma_min,
    decay: phasing_options.Decay = DEFAULT.decay,
    hold: phasing_options.Hold = None,
    average_iterates: phasing_options.AverageIterates = None,
    relative_to: phasing_options.Relative = RelativeTo.RMS,
) -> None:
    """Phase a diffraction pattern from many random starts and tell how far they agree.

    The starts are aligned to the best (shift, twin, phase), the good ones averaged; OUT holds
    best, mean, all starts, errors, transfer function, every parameter and the version. Interrupted,
    the same command continues with the starts that are missing.
    """
    given = options.source(pattern)
    extra = {
        name: options.source(text)
        for name, text in (
            ("valid", valid),
            ("mask", mask),
            ("saturated", saturated),
            ("support", support),
            ("initial", initial),
        )
        if text is not None
    }
    inputs = (given, *extra.values())
    options.result_path(output, (".cxi", ".h5", ".hdf5"), inputs=inputs)
    if plot is not None:
        options.result_path(plot, options.PICTURES, inputs=inputs)
    if fixed_support and support is None:
        raise typer.BadParameter("--fixed-support needs --support")
    if choose_support:
        phasing_options.check_free_to_choose(context)
    if initial is not None:
        begin(context)
        sigma = context.params["sigma"]
    beam = coherence.given(partial_coherence, coherence_length)
    ending = phasing_options.end_of(context, coherent=beam is None)
    schedule = context.params["schedule"]
    rule = phasing_options.shrinkwrap(
        every, sigma, sigma_min, decay, threshold, area, relative_to, **ending
    )
    where = options.device(device)
    measured = read_pattern(
        given,
        values="amplitudes" if amplitudes else "intensities",
        origin="corner" if dc is Dc.CORNER else "center",
        valid=extra.get("valid"),
        mask=extra.get("mask"),
        saturated=extra.get("saturated"),
        own_mask=own_mask,
        own_saturated=own_saturated,
    )
    note((*measured.notes, *phasing_options.value_notes(measured.source, amplitudes)))
    if not fixed_support:
        note(phasing_options.hold_notes(rule, schedule))
    if beam is not None:
        beam.check(measured.amplitude.dim(), measured.source)
    amplitude = (measured.amplitude + measured.least).to(where)
    measured_pixels, bounded = measured.valid.to(where), (measured.least > 0).to(where)
    bounds = bool(bounded.any())
    if bounds and beam is not None:
        note([coherence.SATURATED])
    grid, instrument = reciprocal_of(measured.source.path, amplitude.dim())
    left_out = None
    if free is not None:
        left_out = symbreak.free_pixels(amplitude.shape, valid=measured_pixels, fraction=free)
    describe(measured, left_out)
    seen = measured_pixels if left_out is None else measured_pixels & ~left_out
    first = _support(extra.get("support"), measured)
    shared: dict[str, Any] = {"beta": beta, "phase_limit": phase_limit, "coherence": beam}
    shared |= {"starts": starts, "seed": seed, "valid": seen}
    shared["support"] = None if first is None else first.to(where)
    if initial is not None:
        limited = phase_limit is not None
        begun, told = read_starts(
            extra["initial"], measured.source, amplitude, seen, limited=limited
        )
        note(told)
        context.params["starts"] = len(begun)
        shared |= {"starts": len(begun), "initial": begun}
        if first is None:
            shared["support"] = begun != 0
        else:
            note(look_at_support(begun, shared["support"]))
    shared["saturated"] = bounded if bounds and beam is None else None
    with ExitStack() as kept:
        choice = None
        if choose_support:
            trying = choose_resumably(
                output,
                amplitude,
                schedule,
                shrinkwrap=rule,
                **shared,
            )
            choice = kept.enter_context(trying)
            rule = choice.shrinkwrap
            print_trials(choice, amplitude.dim())
        phasing = run_resumably(
            output,
            amplitude,
            schedule,
            shrinkwrap=None if fixed_support else rule,
            record_every=RECORD_EVERY,
            **shared,
        )
        found, blur = kept.enter_context(phasing)
        compared = compare_starts(
            found.object,
            found.support,
            found.error,
            amplitude,
            measured_pixels,
            free=left_out,
            factor=good,
            subpixel=subpixel,
            blur=blur,
            ndim=amplitude.dim(),
        )
        used = parameters(context, measured, left_out, RECORD_EVERY)
        results = {}
        if choice is not None:
            used |= {"threshold": rule.threshold, "area": area_text(rule)}
            results = trials_as_results(choice)
        kept_result = as_phasing(compared, found.history, used, left_out, results)
        write_cxi(output, replace(kept_result, reciprocal=grid, instrument=instrument))
    middle = bool(measured_pixels.flatten()[0])
    print_starts(compared, middle_missing=phase_limit is None and not middle)
    if initial is not None and compared.good.sum() > 1:
        note([AGREEMENT])
    if not amplitudes and float(measured.amplitude.max()) ** 2 >= COUNTS:
        print_chance(compared)
    if grid is not None:
        lines(grid, amplitude.shape)
    wrote(output, "best, mean and all starts")
    if plot is not None:
        from symbreak.plotting import reconstruction_figure, save

        figure = reconstruction_figure(
            measured.amplitude,
            measured.valid,
            compared,
            history=found.history,
            every=RECORD_EVERY,
            steps=None if grid is None else sides(grid, amplitude.shape),
            title=f"{measured.source.path.name}: {schedule}",
        )
        save(figure, plot)
        wrote(plot, "picture")


def _support(source: Source | None, pattern: Pattern) -> torch.Tensor | None:
    """The first support. Where it lies on the periodic grid does not matter, so it stays there."""
    if source is None:
        return None
    shape = tuple(pattern.amplitude.shape)
    return torch.from_numpy(read_like(source, pattern.source, shape, what="support") != 0)
