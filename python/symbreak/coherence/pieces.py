"""Phasing blurred patterns piece by piece: the amplitudes are corrected between calls."""

from __future__ import annotations

import math
from itertools import chain, repeat
from typing import Any, TypeAlias

import torch
from torch import Tensor

import symbreak
from symbreak.coherence.target import Target
from symbreak.ops.phase_limit import limit_phase
from symbreak.ops.phasing_call import PhasingCall
from symbreak.ops.progress import Report, of_piece, reporter
from symbreak.ops.reconstruction import Reconstruction
from symbreak.ops.schedule import cut, parse_schedule

Steps: TypeAlias = list[tuple[str, int]]


def phase_in_pieces(
    call: PhasingCall,
    variances: Tensor,
    *,
    fit: bool,
    first: int,
    every: int,
    progress: bool | Report,
) -> tuple[Reconstruction, Tensor]:
    """Phase on any device and grid; arguments and result as `phase_fused` has them."""
    amplitude, options = call.amplitude, call.options
    ndim, starts, valid = options["ndim"], options["starts"], options["valid"]
    limit = None if options["phase_limit"] == math.pi else options["phase_limit"]
    batch, grid = amplitude.shape[:-ndim], amplitude.shape[-ndim:]
    steps = parse_schedule(call.schedule)
    total, images = sum(count for _, count in steps), call.images
    of_images = variances.reshape(-1, ndim).clone()  # refined in place
    pieces = cut(steps, chain([first], repeat(every)))
    with reporter(progress) as report:

        def run(a: Tensor, piece: Steps, done: int, **given: Any) -> Reconstruction:
            after = total - done - sum(count for _, count in piece)
            return symbreak.reconstruct(
                a,
                piece,
                beta=options["beta"],
                phase_limit=limit,
                shrinkwrap=call.shrinkwrap,
                part=(done, after),
                ndim=ndim,
                progress=of_piece(report, done * images, total * images),
                **given,
            )

        def obeying(x: Tensor, inside: Tensor) -> Tensor:
            return limit_phase(x, limit).where(inside, 0)

        starting = ("valid", "support", "initial", "starts", "first_start", "seed")
        begun = run(
            amplitude,
            next(pieces),
            0,
            record_every=every,
            **{name: options[name] for name in starting},
        )
        measured = torch.ones_like(amplitude, dtype=torch.bool) if valid is None else valid
        measured = measured.reshape(-1, *grid)
        target = Target(amplitude.reshape(-1, *grid), measured, starts)
        everywhere = measured.repeat_interleave(starts, 0)
        x, inside = begun.object.reshape(-1, *grid), begun.support.reshape(-1, *grid)
        errors: list[Tensor] = []  # at each correction, and at the end
        for k, piece in enumerate(pieces):
            # Every start has an amplitude of its own now: it is an item with one start.
            held, error = target.corrected(obeying(x, inside), of_images, fit=fit)
            errors.append(error)
            done = first + k * every
            later = run(held, piece, done, valid=everywhere, support=inside, initial=x)
            x, inside = later.object[:, 0], later.support[:, 0]
        errors.append(target.errors(obeying(x, inside), of_images))
    shape, records = (*batch, starts), total // every
    coherent = begun.history[..., : first // every - 1].flatten(0, -2)
    # Of a last piece that is shorter there is no record.
    history = torch.cat([coherent, *(error[:, None] for error in errors)], 1)[:, :records]
    found = Reconstruction(
        x.reshape(*shape, *grid),
        inside.reshape(*shape, *grid),
        errors[-1].reshape(shape),
        history.reshape(*shape, records),
    )
    return found, of_images.reshape(variances.shape)
