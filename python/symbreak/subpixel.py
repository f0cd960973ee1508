"""Alignment by parts of a pixel: what is left of the shifts after `align`, and objects so moved."""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from symbreak.ops.checks import check_beside, check_object, dtype_name

FARTHEST = 1.0  # pixels on an axis: `align` has tried the whole ones
LONGEST_STEP = 0.25  # pixels; a speckle of the correlation is about one pixel wide
CLOSE = 1e-7  # pixels; a step that turns no phase by more than the rounding of complex64
CLOSE_PHASE = 4  # of the rounding of the objects' type; `align` leaves about one of it
STEPS = 30


class Refined(NamedTuple):
    """What :func:`refine` returns."""

    object: Tensor
    """The objects, moved and turned, shape and dtype of ``objects``."""
    shift: Tensor
    """By how many pixels each was moved on each axis, float64 ``(*batch, ndim)``."""


def refine(objects: Tensor, reference: Tensor, *, ndim: int = 2) -> Refined:
    """Move each object by the part of a pixel, and turn it by the phase, that `align` left.

    Of all real shifts t within a pixel and all phases, those with the smallest
    ``|| e^{i phase} T_t x - reference ||^2``; ``T_t`` is that of :func:`shift_by`, which leaves
    ``|F x|`` as it is. They are the maximum of ``|c(t)|``,

        c(t) = sum_k conj(F x(k)) F reference(k) e^{2 pi i k.t / M} ,

    found by Newton's method from t = 0 (Guizar-Sicairos, Thurman and Fienup, Opt. Lett. 33, 156
    (2008), who refine by a fine grid instead). The steps only climb, so an object that is already
    best where it is stays there and is only turned; where its phase is right, too, but for
    rounding, it is kept to the last bit, as is one that is zero or not finite.

    Args:
        objects: complex ``(*batch, *grid)`` on a periodic grid, aligned by whole pixels, as
            :func:`symbreak.align` with ``wrap=True`` returns them.
        reference: What to align to, ``(*grid)``, dtype and device of ``objects``.
        ndim: 2 or 3.

    Returns:
        Refined: the objects and the shifts.

    Raises:
        TypeError: ``objects`` is not complex, or ``reference`` of another dtype.
        ValueError: The grids or devices differ.

    Not differentiable. An object's result does not depend on the batch around it. Cost per object:
    three FFTs and about five passes over its spectrum in complex128, one object at a time.
    """
    ndim = check_object("refine", "objects", objects, ndim)
    check_beside("refine", "reference", reference, objects, ndim)
    if reference.dtype != objects.dtype:
        raise TypeError(
            f"refine: reference must have the dtype of objects, {dtype_name(objects.dtype)}, got "
            f"{dtype_name(reference.dtype)}."
        )
    objects, reference = objects.detach(), reference.detach()
    axes = tuple(range(-ndim, 0))
    grid = objects.shape[-ndim:]
    target = torch.fft.fftn(reference.to(torch.complex128), dim=axes)
    items = objects.reshape(-1, *grid)
    moved = items.clone()
    shifts = torch.zeros(len(items), ndim, dtype=torch.float64)
    for k, item in enumerate(items):
        product = torch.fft.fftn(item.to(torch.complex128), dim=axes).conj() * target
        shift = _climb(product)
        phase = _phase(product, shift)
        turn = cmath.rect(1.0, phase)
        if any(shift):
            shifts[k] = torch.tensor(shift, dtype=torch.float64)
            moved[k] = (turn * shift_by(item.to(torch.complex128), shifts[k], ndim=ndim)).to(item)
        elif abs(phase) > CLOSE_PHASE * torch.finfo(objects.dtype).eps:
            moved[k] = (turn * item.to(torch.complex128)).to(item)
    return Refined(
        moved.reshape(objects.shape),
        shifts.reshape(*objects.shape[:-ndim], ndim).to(objects.device),
    )


def shift_by(objects: Tensor, shift: Tensor, *, ndim: int = 2) -> Tensor:
    """Move objects on a periodic grid by real numbers of pixels.

    F^-1 [ e^{-2 pi i f.t} F x ] with the signed frequencies f of ``fftfreq``: the band-limited
    (sinc) interpolation of x at n - t. Every frequency keeps its amplitude, also -1/2 of an even
    size, so ``|F x|`` agrees with a measurement as before; whole pixels are ``roll``; shifts add
    up; and the conjugate flip turns t into -t.

    Args:
        objects: complex ``(*batch, *grid)``.
        shift: Pixels, floating point ``(*batch, ndim)`` or ``(ndim,)`` for all.
        ndim: 2 or 3.

    Returns:
        complex ``(*batch, *grid)``, dtype of ``objects``. An object with edges gets the ripples of
        a sinc around them.

    Raises:
        TypeError: ``objects`` is not complex or ``shift`` not floating point.
        ValueError: ``shift`` has another shape.

    Differentiable in both. Cost: two FFTs.
    """
    ndim = check_object("shift_by", "objects", objects, ndim)
    if not isinstance(shift, Tensor) or not shift.is_floating_point():
        given = dtype_name(shift.dtype) if isinstance(shift, Tensor) else type(shift).__name__
        raise TypeError(f"shift_by: shift must be a floating point tensor, got {given}.")
    batch, grid = objects.shape[:-ndim], objects.shape[-ndim:]
    if shift.shape not in ((ndim,), (*batch, ndim)):
        raise ValueError(
            f"shift_by: shift must have shape {(*batch, ndim)} or {(ndim,)}, got "
            f"{tuple(shift.shape)}."
        )
    axes = tuple(range(-ndim, 0))
    spectrum = torch.fft.fftn(objects, dim=axes)
    for axis, size in zip(axes, grid, strict=True):
        f = torch.fft.fftfreq(size, dtype=torch.float64, device=objects.device)
        angle = -2 * torch.pi * shift[..., axis, None].to(f) * f
        ramp = torch.polar(torch.ones_like(angle), angle).to(objects.dtype)
        line = [1] * ndim
        line[axis] = size
        spectrum = spectrum * ramp.reshape(*shift.shape[:-1], *line)
    moved: Tensor = torch.fft.ifftn(spectrum, dim=axes)
    return moved


def _climb(product: Tensor) -> list[float]:
    """Where |c| is largest near 0, in pixels; ``product`` is conj(F x) F reference."""
    shift = [0.0] * product.dim()
    power, gradient, hessian = _derivatives(_moments(product, shift))
    if not 0 < power < float("inf"):
        return shift
    for _ in range(STEPS):
        values, vectors = torch.linalg.eigh(hessian)
        # Uphill also where the surface is not concave: by the size of each curvature.
        along = (vectors.T @ gradient) / values.abs().clamp(min=1e-12 * power)
        step = vectors @ along
        step = step * min(1.0, LONGEST_STEP / max(float(step.abs().max()), CLOSE))
        while float(step.abs().max()) > CLOSE:
            ends = zip(shift, step.tolist(), strict=True)
            tried = [min(max(t + d, -FARTHEST), FARTHEST) for t, d in ends]
            found = _derivatives(_moments(product, tried))
            if found[0] > power:
                break
            step = step / 4
        else:
            return shift
        shift, (power, gradient, hessian) = tried, found
    return shift


def _phase(product: Tensor, shift: Sequence[float]) -> float:
    """The phase of c(t), and 0 where it has none."""
    c = complex(_moments(product, shift).flatten()[0])
    return cmath.phase(c) if c and cmath.isfinite(c) else 0.0


def _moments(product: Tensor, shift: Sequence[float]) -> Tensor:
    """Sum over k of ``product`` times prod_a (2 pi i f_a)^{m_a} e^{2 pi i f_a t_a}, m_a = 0, 1, 2.

    Returns complex128 ``(3,) * ndim``: c(t) and its derivatives. Axis by axis, so that one pass
    over the array gives them all.
    """
    moments = product
    for axis, t in enumerate(shift):
        f = torch.fft.fftfreq(product.shape[axis], dtype=torch.float64, device=product.device)
        turn = torch.polar(torch.ones_like(f), 2 * torch.pi * f * t)
        slope = 2j * torch.pi * f
        powers = torch.stack([turn, slope * turn, slope * slope * turn])
        moments = torch.tensordot(moments, powers, dims=([0], [1]))  # the axis goes to the end
    return moments.cpu()


def _derivatives(moments: Tensor) -> tuple[float, Tensor, Tensor]:
    """|c|^2, its gradient ``(ndim,)`` and second derivatives ``(ndim, ndim)``, float64."""
    axes = range(moments.dim())

    def moment(*orders: int) -> Tensor:
        return moments[tuple(orders.count(axis) for axis in axes)]

    c = moment()
    first = torch.stack([moment(a) for a in axes])
    second = torch.stack([torch.stack([moment(a, b) for b in axes]) for a in axes])
    gradient = 2 * (c.conj() * first).real
    hessian = 2 * (c.conj() * second + first.conj()[:, None] * first).real
    return float(c.abs().square()), gradient, hessian
