"""reconstruct, written from the formulas, one image and one iteration at a time."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.fft import fftn, ifftn

from symbreak.ops.schedule import SCHEDULE, Schedule, parse_schedule, schedule_text
from symbreak.ops.shrinkwrap import Shrinkwrap
from symbreak.reference.random import random_turns

Image = tuple[Tensor, Tensor, Tensor, Tensor]  # object, support, error, history


def reconstruct(
    amplitude: Tensor,
    schedule: Schedule = SCHEDULE,
    *,
    beta: float = 0.9,
    phase_limit: float | None = None,
    valid: Tensor | None = None,
    support: Tensor | None = None,
    initial: Tensor | None = None,
    shrinkwrap: Shrinkwrap | None = Shrinkwrap(),
    starts: int = 1,
    first_start: int = 0,
    part: tuple[int, int] = (0, 0),
    seed: int | Tensor = 0,
    ndim: int = 2,
    record_every: int = 0,
    saturated: Tensor | None = None,
) -> Image:
    """Phase every start of every item; see :func:`symbreak.reconstruct`.

    Here ``support`` and ``initial``, if given, are of the full shape ``(*batch, starts, *M)``.
    """
    batch, grid = amplitude.shape[:-ndim], amplitude.shape[-ndim:]
    measured = torch.ones_like(amplitude, dtype=torch.bool) if valid is None else valid
    measured = measured.expand(amplitude.shape).reshape(-1, *grid)
    bounded = torch.zeros_like(measured)
    if saturated is not None:
        bounded = saturated.expand(amplitude.shape).reshape(-1, *grid)
        measured = measured & ~bounded
    items = amplitude.reshape(-1, *grid)
    seeds = torch.as_tensor(seed).expand(batch).reshape(-1).tolist()
    images: list[Image] = []
    for k in range(len(items) * starts):
        item, start = divmod(k, starts)
        # Of what is not measured the amplitude is the least: 0 if nothing is known of it.
        a, known = items[item].where(measured[item] | bounded[item], 0), measured[item]
        if initial is not None:
            x = initial.reshape(-1, *grid)[k]
        else:
            phase = 2 * math.pi * random_turns(seeds[item], first_start + start, grid)
            x = ifftn(torch.polar(a.double(), phase)).to(torch.complex(a, a).dtype)
        if support is not None:
            inside = support.reshape(-1, *grid)[k]
        else:
            autocorrelation = ifftn(a**2).abs()
            small, inside = (autocorrelation > c * autocorrelation.max() for c in (0.15, 0.04))
            hidden = not bool((known | bounded[item])[(0,) * ndim])
            if shrinkwrap and hidden and 10 * small.sum() >= inside.sum():  # no spike
                inside = small
        found = phase_image(
            x, inside, a, known, schedule, beta, shrinkwrap, part, record_every, phase_limit
        )
        images.append(found)
    object_, support_, error, history = (
        torch.stack(part).reshape(*batch, starts, *part[0].shape)
        for part in zip(*images, strict=True)
    )
    return object_, support_, error, history


def phase_image(
    x: Tensor,
    support: Tensor,
    a: Tensor,
    measured: Tensor,
    schedule: Schedule,
    beta: float,
    shrinkwrap: Shrinkwrap | None,
    part: tuple[int, int],
    record_every: int,
    phase_limit: float | None = None,
) -> Image:
    """Take one image through the schedule: x complex, support and measured bool, a real."""
    steps = parse_schedule(schedule_text(schedule))
    algorithms = [name for name, count in steps for _ in range(count)]
    before, total, history = part[0], part[0] + len(algorithms) + part[1], []
    last = total - max(shrinkwrap.hold, 1) if shrinkwrap else 0  # no update follows a later one
    averaged = shrinkwrap.average_iterates if shrinkwrap else 0
    iterates: list[Tensor] = []
    updates = max(last, 0) // shrinkwrap.every if shrinkwrap else 0
    for k, algorithm in enumerate(algorithms, start=before + 1):
        p = project_modulus(x, a, measured)
        if algorithm == "ER":
            x = project_object(p, support, phase_limit)
        elif algorithm == "HIO":
            x = x - beta * p + project_object((1 + beta) * p - x, support, phase_limit)
        elif algorithm == "RAAR":
            reflected = project_object(2 * p - x, support, phase_limit)
            x = beta * (x + reflected) + (1 - 2 * beta) * p
        else:
            f_object = (1 - 1 / beta) * project_object(x, support, phase_limit) + x / beta
            f_modulus = (1 + 1 / beta) * p - x / beta
            q = project_modulus(f_object, a, measured)
            x = x + beta * (project_object(f_modulus, support, phase_limit) - q)
        if record_every and (k - before) % record_every == 0:
            history.append(error(project_object(x, support, phase_limit), a, measured))
        if shrinkwrap and k % shrinkwrap.every == 0 and k <= last:
            j = k // shrinkwrap.every - 1
            support = update_support(x, support, shrinkwrap, j, updates)
        if shrinkwrap and averaged and k <= last:
            if (last - k) % 10 == 0 and (k == last or last - k <= averaged - 10):
                iterates.append(x)
            if k == last:
                x = torch.stack(iterates).mean(0)
                support = support_of_mean(x, support, shrinkwrap)
    records = torch.stack(history) if history else a.new_empty(0)
    last_error = error(project_object(x, support, phase_limit), a, measured)
    return x, support, last_error, records


def project_modulus(x: Tensor, a: Tensor, measured: Tensor) -> Tensor:
    """P_M x = F^-1(a X / |X|), |X| instead of a where not measured and larger; X = 0 stays 0."""
    spectrum = fftn(x)
    magnitude = a.where(measured, torch.maximum(a, spectrum.abs()))
    projected: Tensor = ifftn(magnitude * torch.sgn(spectrum))
    return projected


def project_object(x: Tensor, support: Tensor, phase_limit: float | None) -> Tensor:
    """P_C x: 0 outside the support; inside the nearest number whose phase is within it."""
    if phase_limit is not None:
        angle = x.angle()
        edge = angle.clamp(-phase_limit, phase_limit)
        # The nearest point of the ray at `edge`, by the component of x along it.
        along = (x * torch.polar(torch.ones_like(edge), -edge)).real.clamp(min=0)
        x = torch.polar(along, edge).where(angle.abs() > phase_limit, x)
    return x.where(support, 0)


def error(x: Tensor, a: Tensor, measured: Tensor) -> Tensor:
    """sqrt(sum (|F x| - a)^2 / sum a^2) over the measured pixels."""
    difference: Tensor = (fftn(x).abs() - a)[measured]
    return difference.square().sum().sqrt() / a[measured].square().sum().sqrt()


def update_support(x: Tensor, support: Tensor, rule: Shrinkwrap, j: int, updates: int) -> Tensor:
    """Support update j of ``updates``: where the blurred |x| is bright."""
    sigma = max(rule.sigma * rule.decay**j, rule.sigma_min)
    return bright(x, support, rule, sigma, j / max(updates - 1, 1))


def support_of_mean(x: Tensor, support: Tensor, rule: Shrinkwrap) -> Tensor:
    """The support of the mean of iterates: a narrow blur, a lower threshold, the last area."""
    lower = replace(rule, threshold=7 / 8 * rule.threshold)
    return bright(x, support, lower, min(rule.sigma_min, 1), 1)


def bright(x: Tensor, support: Tensor, rule: Shrinkwrap, sigma: float, way: float) -> Tensor:
    """Where |x|, blurred by ``sigma``, is bright; ``way``: from the first area to the last."""
    blurred = blur(x.abs(), sigma)
    if rule.areas is None:
        reference = blurred.max()
        if rule.relative_to == "rms":
            power = x[support].abs().square().sum()
            rms = (power / support.sum().clamp(min=1)).sqrt()
            reference = rms.clamp(reference / 3, reference)
        return blurred > rule.threshold * reference
    first, last = rule.areas
    area = first + (last - first) * way
    kept = max(1, math.floor(area * blurred.numel() + 0.5))
    return blurred >= blurred.flatten().topk(kept).values[-1]


def blur(image: Tensor, sigma: float) -> Tensor:
    """Convolve with a periodic Gaussian of standard deviation ``sigma`` pixels."""
    transfer = torch.ones_like(image)
    for axis, size in enumerate(image.shape):
        f = torch.fft.fftfreq(size, dtype=image.dtype, device=image.device)
        factor = torch.exp(-2 * math.pi**2 * sigma**2 * f**2)
        transfer = transfer * factor.reshape([-1 if d == axis else 1 for d in range(image.dim())])
    blurred: Tensor = ifftn(fftn(image) * transfer).real
    return blurred
