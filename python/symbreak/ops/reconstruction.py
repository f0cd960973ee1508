"""Reconstruction: what reconstruct returns, and how to pick and centre the objects in it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from symbreak.ops.center import center
from symbreak.ops.ranking import ranked


class Reconstruction(NamedTuple):
    """Reconstructed objects; ``(*batch, starts)`` before the grid, or ``(*batch)`` of the best."""

    object: Tensor
    """The last iterate on the periodic grid M, complex; with HIO, RAAR and DM it holds feedback
    outside the support, so the object proper is ``object * support``."""
    support: Tensor
    """The support the last iteration used, bool, shape of ``object``."""
    error: Tensor
    """``sqrt(sum (|F(support * x)| - a)^2 / sum a^2)`` over the measured pixels, one for each
    object, in the dtype of the amplitude."""
    history: Tensor
    """``error`` after every ``record_every`` iterations, ``(..., records)``, of the same dtype."""

    def best(self, *, valid: Tensor | None = None) -> Reconstruction:
        """Pick the best start of each item (of equal ones the first).

        By the lowest error, which favours loose supports: right where all supports have one size.
        With ``valid``, by the lowest cross-validated error, which makes up for that
        (:func:`symbreak.cross_validation.ranking`), as the commands do.

        The last axis before the grid is that of the starts: call it once, a second call would pick
        from the batch. Cost: a copy of the objects picked.

        Args:
            valid: Which pixels phasing saw, bool, broadcastable to ``(*batch, *grid)``: what
                :func:`symbreak.reconstruct` was given, all True where it was given none. None: the
                error decides.

        Returns:
            Reconstruction: Without the axis of the starts; a start without a finite error loses.

        Raises:
            TypeError: ``valid`` is not a bool tensor.
            ValueError: There is no axis before the grid, or ``valid`` does not fit it.
        """
        chosen = best_start("Reconstruction.best", self, valid)
        return Reconstruction(*(pick(x, chosen) for x in self))

    def centered(self) -> Reconstruction:
        """Move each object, whole, to the middle of its periodic grid.

        The bounding box of ``object * support`` on the periodic grid is found as by
        ``center(..., wrap=True)``, and object and support are rolled alike; nothing is lost, and
        error and history stay as they are. An object without content, or with NaN or infinity in
        its support, stays where it is. Cost: a few passes over the objects.

        Returns:
            Reconstruction: Of the same shapes, with or without the axis of the starts.
        """
        ndim = self.object.dim() - self.error.dim()
        content = torch.where(self.support, self.object, torch.zeros_like(self.object))
        shift = center(content, wrap=True, ndim=ndim).shift
        return self._replace(object=roll(self.object, shift), support=roll(self.support, shift))


def best_start(function: str, found: Reconstruction, valid: Tensor | None) -> Tensor:
    """Number of the best start of each item, int64 ``(*batch, 1)``; see `Reconstruction.best`."""
    if found.error.dim() < 1:
        raise ValueError(f"{function}: there is no axis of starts left to pick from.")
    if valid is None:
        criterion = torch.where(found.error.isfinite(), found.error, torch.inf)
    else:
        ndim = found.object.dim() - found.error.dim()
        criterion = ranked(function, found.error, found.support, valid, ndim)
    return criterion.argmin(dim=-1, keepdim=True)


def pick(x: Tensor, chosen: Tensor) -> Tensor:
    """Of ``(*batch, starts, ...)`` the start that was chosen, ``(*batch, ...)``."""
    starts = chosen.dim() - 1
    index = chosen.reshape(chosen.shape + (1,) * (x.dim() - chosen.dim()))
    shape = (*x.shape[:starts], 1, *x.shape[starts + 1 :])
    return x.gather(starts, index.expand(shape)).squeeze(starts)


def roll(x: Tensor, shift: Tensor) -> Tensor:
    """y(n) = x(n - shift) on a periodic grid; shift ``(*batch, ndim)``, one for each item."""
    ndim = shift.shape[-1]
    for axis in range(ndim):
        size = x.shape[axis - ndim]
        source = (torch.arange(size, device=x.device) - shift[..., axis, None]) % size
        shape = [1] * ndim
        shape[axis] = size
        index = source.reshape(*shift.shape[:-1], *shape).expand(x.shape)
        x = x.gather(axis - ndim, index)
    return x
