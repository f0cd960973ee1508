"""What a user would write for the iteration without symbreak: eager, in place, compiled; 2D, 3D."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor

import symbreak


class Rule(NamedTuple):
    algorithm: str
    beta: float
    shrinkwrap: symbreak.Shrinkwrap | None


def axes_of(x: Tensor) -> tuple[int, ...]:
    return tuple(range(1, x.dim()))  # the first axis is the batch


def project(x: Tensor, amplitude: Tensor) -> Tensor:
    spectrum = torch.fft.fftn(x, dim=axes_of(x))
    return torch.fft.ifftn(amplitude * torch.exp(1j * spectrum.angle()), dim=axes_of(x))


def step(x: Tensor, amplitude: Tensor, support: Tensor, algorithm: str, beta: float) -> Tensor:
    """One iteration, as in every notebook."""
    p = project(x, amplitude)
    if algorithm == "ER":
        return torch.where(support, p, 0)
    if algorithm == "HIO":
        return torch.where(support, p, x - beta * p)
    if algorithm == "RAAR":
        return torch.where(support, p, beta * x + (1 - 2 * beta) * p)
    q = project(torch.where(support, x, x / beta), amplitude)
    return torch.where(support, (1 + beta) * p, x) - beta * q


def shrink(x: Tensor, sigma: float, threshold: float) -> Tensor:
    """The support where the blurred modulus is bright."""
    transfer = torch.ones((), device=x.device)
    for size in x.shape[1:]:
        f = torch.fft.fftfreq(size, device=x.device, dtype=x.real.dtype)
        transfer = transfer.unsqueeze(-1) * torch.exp(-2 * (math.pi * sigma * f) ** 2)
    blurred = torch.fft.ifftn(torch.fft.fftn(x.abs(), dim=axes_of(x)) * transfer, dim=axes_of(x))
    return blurred.real > threshold * blurred.real.amax(axes_of(x), keepdim=True)


def update_due(k: int, iterations: int, rule: Rule) -> bool:
    return rule.shrinkwrap is not None and k % rule.shrinkwrap.every == 0 and k < iterations


def eager(amplitude: Tensor, x: Tensor, support: Tensor, iterations: int, rule: Rule) -> Tensor:
    return iterate(step, amplitude, x, support, iterations, rule)


def compiled(amplitude: Tensor, x: Tensor, support: Tensor, iterations: int, rule: Rule) -> Tensor:
    return iterate(compiled_step(), amplitude, x, support, iterations, rule)


@functools.cache
def compiled_step():
    return torch.compile(step, dynamic=False)


def iterate(
    function, amplitude: Tensor, x: Tensor, support: Tensor, iterations: int, rule: Rule
) -> Tensor:
    for k in range(1, iterations + 1):
        x = function(x, amplitude, support, rule.algorithm, rule.beta)
        if update_due(k, iterations, rule):
            support = shrink(x, rule.shrinkwrap.sigma, rule.shrinkwrap.threshold)
    return x


def in_place(amplitude: Tensor, x: Tensor, support: Tensor, iterations: int, rule: Rule) -> Tensor:
    """The same with every buffer reused and no transcendental function."""
    axes, beta = axes_of(x), rule.beta
    x = x.clone()
    spectrum, p, q = torch.empty_like(x), torch.empty_like(x), torch.empty_like(x)
    modulus, outside = torch.empty_like(amplitude), ~support

    def project_into(target: Tensor, source: Tensor) -> None:
        torch.fft.fftn(source, dim=axes, out=spectrum)
        torch.abs(spectrum, out=modulus)
        torch.div(amplitude, modulus, out=modulus)
        spectrum.mul_(modulus)
        torch.fft.ifftn(spectrum, dim=axes, out=target)

    for k in range(1, iterations + 1):
        if rule.algorithm == "DM":
            torch.mul(x, 1 / beta, out=p)
            torch.where(outside, p, x, out=p)
            project_into(q, p)
        project_into(p, x)
        if rule.algorithm == "DM":
            p.mul_(1 + beta)
            torch.where(outside, x, p, out=x)
            x.sub_(q, alpha=beta)
            continue
        if rule.algorithm == "ER":
            x.zero_()
        elif rule.algorithm == "RAAR":
            x.mul_(beta).add_(p, alpha=1 - 2 * beta)
        else:
            x.sub_(p, alpha=beta)
        torch.where(outside, x, p, out=x)
        if update_due(k, iterations, rule):
            support = shrink(x, rule.shrinkwrap.sigma, rule.shrinkwrap.threshold)
            outside = ~support
    return x
