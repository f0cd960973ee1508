"""The options of phasing, shared by `reconstruct` and `reconstruct-stack`."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Annotated

import typer

import symbreak
from symbreak.cli import options
from symbreak.cli.options import checked
from symbreak.ops.free_pixels import check_fraction
from symbreak.ops.phasing_checks import check_beta, check_phase_limit, check_seed
from symbreak.ops.schedule import parse_schedule, total_iterations
from symbreak.ops.shrinkwrap import check_averaged

SCHEDULE = "3*(20*ER+180*HIO)+100*RAAR+120*ER"
"""What the commands run. HIO, which noise keeps moving, finds the object; RAAR settles it: in
bench/schedules.py its squared distance to the truth is 0.61 of that without RAAR. ER, with the
support held, goes on to the least error that the support leaves, see bench/held_ends.py."""

PARTLY_COHERENT = "3*(20*ER+180*HIO)+100*RAAR+20*ER"
"""What they run where the amplitudes are corrected for partial coherence. More ER fit noise, which
looks like less of a blur, see bench/coherence.py."""

DATASET = "FILE or :DATASET"
PATTERN, PHASING, SUPPORT = "Pattern", "Phasing", "Support and shrinkwrap"


class Dc(str, Enum):
    """Where zero frequency lies in the file."""

    CENTER = "center"
    CORNER = "corner"


class RelativeTo(str, Enum):
    """What a threshold is a fraction of."""

    RMS = "rms"
    MAX = "max"


Amplitudes = Annotated[
    bool,
    typer.Option(
        "--amplitudes/--intensities",
        help="The file holds square roots of counts, or counts.",
        rich_help_panel=PATTERN,
    ),
]
Origin = Annotated[
    Dc, typer.Option(help="Where the file has zero frequency.", rich_help_panel=PATTERN)
]
Valid = Annotated[
    str | None,
    typer.Option(
        metavar=DATASET, help="Array, not 0 where a pixel was measured.", rich_help_panel=PATTERN
    ),
]
Mask = Annotated[
    str | None,
    typer.Option(
        metavar=DATASET,
        help="Array, 0 where a pixel was measured.",
        rich_help_panel=PATTERN,
    ),
]
OWN_MASK = "Whether the file's own mask counts as well, if its layout is CXI or NeXus."
Saturated = Annotated[
    str | None,
    typer.Option(
        metavar=DATASET,
        help="Array, not 0 where the pattern holds the least that there was.",
        rich_help_panel=PATTERN,
    ),
]
OwnSaturated = Annotated[
    bool,
    typer.Option(
        "--own-saturated",
        help="Where the file's CXI mask says saturated, it holds the least that there was; not for "
        "a detector that blooms.",
        rich_help_panel=PATTERN,
    ),
]
OwnMask = Annotated[bool, typer.Option(help=OWN_MASK, rich_help_panel=PATTERN)]
Schedule = Annotated[
    str,
    typer.Option(
        callback=checked(total_iterations),
        help="Iterations n*ALG joined by +, repeated by k*(...); ALG: ER, HIO, RAAR, DM.",
        rich_help_panel=PHASING,
    ),
]
Beta = Annotated[
    float,
    typer.Option(
        callback=checked(check_beta),
        help="Feedback of HIO, RAAR, DM, in (0, 2].",
        rich_help_panel=PHASING,
    ),
]
PhaseLimit = Annotated[
    float | None,
    typer.Option(
        metavar="RADIANS",
        callback=checked(check_phase_limit),
        help="The object's phase is at most this far from 0; 0: positivity. Try 1 for a forward "
        "pattern whose middle is missing.",
        rich_help_panel=PHASING,
    ),
]
Starts = Annotated[int, typer.Option(min=1, help="Random starts.", rich_help_panel=PHASING)]
Seed = Annotated[
    int,
    typer.Option(callback=checked(check_seed), help="Seed of the starts.", rich_help_panel=PHASING),
]
Free = Annotated[
    float | None,
    typer.Option(
        metavar="FRACTION",
        callback=checked(check_fraction),
        help="Hide this part of the pixels, as 0.05, at most 0.2, and tell how well they are "
        "predicted.",
        rich_help_panel=PHASING,
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...", rich_help_panel=PHASING)]
ChooseSupport = Annotated[
    bool,
    typer.Option(
        "--choose-support",
        help="Try thresholds and areas first, 11 times the work; cross-validation chooses.",
        rich_help_panel=SUPPORT,
    ),
]
Area = Annotated[
    str | None,
    typer.Option(
        metavar="FRACTION or START,END",
        help="Support: the brightest fraction of all pixels, first and last; no threshold then.",
        rich_help_panel=SUPPORT,
    ),
]
Threshold = Annotated[
    float,
    typer.Option(
        callback=checked(lambda threshold: symbreak.Shrinkwrap(threshold=threshold)),
        help="Support: where the blurred magnitude is above this fraction of --relative-to, in "
        "(0, 1).",
        rich_help_panel=SUPPORT,
    ),
]
Relative = Annotated[
    RelativeTo,
    typer.Option(
        "--relative-to",
        help="The root mean square within the support, or the blurred magnitude's maximum.",
        rich_help_panel=SUPPORT,
    ),
]
Every = Annotated[
    int,
    typer.Option(
        min=1,
        callback=checked(lambda every: symbreak.Shrinkwrap(every=every)),
        help="Iterations from one update of the support to the next.",
        rich_help_panel=SUPPORT,
    ),
]
Sigma = Annotated[
    float,
    typer.Option(
        callback=checked(lambda sigma: symbreak.Shrinkwrap(sigma=sigma, sigma_min=0)),
        help="Standard deviation of the first blur in pixels.",
        show_default=f"{symbreak.Shrinkwrap().sigma:g}; with --initial that of --sigma-min",
        rich_help_panel=SUPPORT,
    ),
]
SigmaMin = Annotated[
    float,
    typer.Option(
        callback=checked(lambda least: symbreak.Shrinkwrap(sigma=max(least, 0), sigma_min=least)),
        help="The blur shrinks no further than this, in pixels.",
        rich_help_panel=SUPPORT,
    ),
]
Decay = Annotated[
    float,
    typer.Option(
        callback=checked(lambda decay: symbreak.Shrinkwrap(decay=decay)),
        help="Factor on the blur at each update, in (0, 1].",
        rich_help_panel=SUPPORT,
    ),
]
Hold = Annotated[
    int | None,
    typer.Option(
        min=0,
        callback=checked(lambda hold: symbreak.Shrinkwrap(hold=hold)),
        help="Iterations at the end that keep the support.",
        show_default="all 120 ER of the default schedule, none of another",
        rich_help_panel=SUPPORT,
    ),
]

AverageIterates = Annotated[
    int | None,
    typer.Option(
        min=0,
        callback=checked(lambda count: symbreak.Shrinkwrap(hold=1, average_iterates=count)),
        help="Iterations before the held ones, from the mean of which object and support go on.",
        show_default="80 of the default schedule, none of another",
        rich_help_panel=SUPPORT,
    ),
]

RULE = symbreak.Shrinkwrap(threshold=0.4, decay=0.97, relative_to="rms")
"""How the commands update a support, see bench/shrinkwraps.py; Python's default is another one."""

DEFAULT = replace(RULE, hold=120, average_iterates=80)
"""The same with the end of `SCHEDULE`, whose last ER go on from the mean of the RAAR before, see
bench/mean_iterates.py."""


def value_notes(source: object, amplitudes: bool) -> tuple[str, ...]:
    """Say so where a dataset is called the other of intensities and amplitudes.

    Args:
        source: ``FILE:DATASET``, as `symbreak.data` names what it has opened.
        amplitudes: What the user said.
    """
    name = str(source).rsplit("/", 1)[-1].lower()
    if not amplitudes and "amplitude" in name:
        return (f"{source}: taken as intensities by default: should it be --amplitudes?",)
    if amplitudes and ("intensit" in name or "counts" in name):
        return (f"{source}: taken as amplitudes: should it be --intensities?",)
    return ()


def end_of(context: typer.Context, *, coherent: bool) -> dict[str, int]:
    """``hold`` and ``average_iterates``: what was said, or as fits the schedule.

    Only the default schedule has an end for them: of a short one 120 iterations could be all. For a
    partly coherent beam it is another one. A mean gives a support, so there is none where that is
    fixed. What is found is kept among the parameters, as if said.
    """
    used = context.params
    hold, averaged = used["hold"], used["average_iterates"]
    against = "--fixed-support" if used.get("fixed_support") else ""
    if not coherent:
        against = "partial coherence"
    if averaged and against:
        raise typer.BadParameter(f"--average-iterates does not go together with {against}")
    if not coherent and not is_said(context, "schedule"):
        used["schedule"] = PARTLY_COHERENT
    default = parse_schedule(used["schedule"]) == parse_schedule(SCHEDULE)
    if averaged is None:
        averaged = DEFAULT.average_iterates if default and hold is None and not against else 0
    if hold is None:
        hold = DEFAULT.hold if default else 0
    with options.wrong_usage("--average-iterates"):
        rule = symbreak.Shrinkwrap(hold=hold, average_iterates=averaged)
        check_averaged(rule, total_iterations(used["schedule"]))
    ending = {"hold": hold, "average_iterates": averaged}
    used |= ending
    return ending


def shrinkwrap(
    every: int,
    sigma: float,
    sigma_min: float,
    decay: float,
    threshold: float,
    area: str | None,
    relative_to: RelativeTo,
    *,
    hold: int,
    average_iterates: int,
) -> symbreak.Shrinkwrap:
    """Make the rule out of the options; a first blur below ``sigma_min`` lowers that."""
    return symbreak.Shrinkwrap(
        every=every,
        sigma=sigma,
        sigma_min=min(sigma, sigma_min),
        decay=decay,
        threshold=threshold,
        area=options.area(area),
        hold=hold,
        average_iterates=average_iterates,
        relative_to=relative_to.value,
    )


def hold_notes(rule: symbreak.Shrinkwrap, schedule: str) -> tuple[str, ...]:
    """Say so where the support is held for so long, or so rarely updated, that it never is."""
    total = total_iterations(schedule)
    if rule.average_iterates or total - max(rule.hold, 1) >= rule.every:
        return ()
    option = f"--every {rule.every}" if total <= rule.every else f"--hold {rule.hold}"
    return (f"{option} of {total} iterations: the support stays as it is at first",)


def check_free_to_choose(context: typer.Context) -> None:
    """The options that say which support there is to be leave nothing to choose."""
    for name in ("threshold", "area", "fixed_support"):
        if is_said(context, name):
            raise typer.BadParameter(
                f"--choose-support chooses it: leave out --{name.replace('_', '-')}"
            )


def is_said(context: typer.Context, name: str) -> bool:
    """Whether an option was given, also with the value that it has by default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
