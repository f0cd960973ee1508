"""Which start, which support: the error corrected by the unknowns that a support leaves."""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.ops.checks import check_mask, check_ndim, check_tensor, dtype_name, measured


class NoSupportError(ValueError):
    """No start has a support that the data determine."""


def cross_validated_error(
    error: Tensor, supports: Tensor, valid: Tensor | None = None, *, ndim: int = 2
) -> Tensor:
    r"""The error of starts, corrected by how many unknowns their supports left them to fit with.

        error / (1 - p / N),  p = 2 \|S\| unknowns, N measured pixels

    The error on the pixels that phasing saw favours loose supports: each pixel of the support is
    two unknowns, real and imaginary part, which fit noise too. A fit of p unknowns to N data whose
    errors are independent and equally large leaves 1 - p / N of their power, and mistakes a datum
    that it has not seen by more than they, 1 / (1 - p / N) as a power: what is estimated here, as
    an amplitude, is the error on pixels not seen, leaving out one in turn. It is generalised
    cross-validation (Golub, Heath and Wahba, Technometrics 21, 215 (1979)), exact for large linear
    fits. Amplitudes of counts suit it: a root of a count is uncertain by 1/2, whatever the count.
    That it ranks starts and shrinkwraps well, though phasing is no linear fit, is measured in
    bench/free_log_likelihood.py and bench/supports.py.

    A support of half the measured pixels or more leaves as many unknowns as data, or more (Elser
    and Millane, Acta Cryst. A 64, 273 (2008)): it fits anything, and its error says nothing.

    Args:
        error: As :func:`symbreak.reconstruct` returns it, float32 or float64 ``(*batch, starts)``.
        supports: bool ``(*batch, starts, *grid)``, likewise.
        valid: Which pixels phasing saw, bool, broadcastable to ``(*batch, *grid)``; None: all.
        ndim: 2 or 3.

    Returns:
        float64 ``(*batch, starts)``: in units of ``error``; infinite where a support fits anything.

    Raises:
        TypeError: An argument is no tensor, ``error`` not floating point, ``supports`` or ``valid``
            not bool, or ``ndim`` no integer.
        ValueError: Shapes do not fit, or ``ndim`` is not 2 or 3.

    Not differentiable. Cost: a count of each support.

    Example:
        >>> from symbreak.cross_validation import cross_validated_error
        >>> supports = torch.zeros(2, 16, 16, dtype=torch.bool)
        >>> supports[0, :4, :4] = True  # 32 unknowns, 256 data
        >>> supports[1, :8, :8] = True
        >>> error, valid = torch.tensor([0.21, 0.15]), torch.ones(16, 16, dtype=torch.bool)
        >>> [round(x, 2) for x in cross_validated_error(error, supports, valid).tolist()]
        [0.24, 0.3]
    """
    return _crossed("cross_validated_error", error, supports, valid, ndim)


def ranking(
    error: Tensor, supports: Tensor, valid: Tensor | None = None, *, ndim: int = 2
) -> Tensor:
    """What the starts of a pattern are ranked by: their cross-validated errors.

    Of a pattern all of whose supports fit anything, the errors.

    Args:
        error: As in :func:`cross_validated_error`, ``(*batch, starts)``.
        supports: bool ``(*batch, starts, *grid)``, likewise.
        valid: Which pixels phasing saw, bool, broadcastable to ``(*batch, *grid)``; None: all.
        ndim: 2 or 3.

    Returns:
        float64 ``(*batch, starts)``, lower is better; infinite where there is no finite number.

    Raises:
        TypeError: As there.
        ValueError: As there.
    """
    return ranked("ranking", error, supports, valid, ndim)


def ranked(
    function: str, error: Tensor, supports: Tensor, valid: Tensor | None, ndim: int
) -> Tensor:
    """The same, as ``function`` calls its arguments in errors."""
    crossed = _crossed(function, error, supports, valid, ndim)
    known = crossed.isfinite().any(-1, keepdim=True)
    criterion = torch.where(known, crossed, error.double())
    return torch.where(criterion.isfinite(), criterion, torch.inf)


def _crossed(
    function: str, error: Tensor, supports: Tensor, valid: Tensor | None, ndim: int
) -> Tensor:
    for name, x in (("error", error), ("supports", supports)):
        check_tensor(function, name, x)
    if valid is not None:
        check_mask(function, "valid", valid)
    if not error.is_floating_point():
        raise TypeError(f"{function}: error must be floating point, got {dtype_name(error.dtype)}.")
    if supports.dtype != torch.bool:
        raise TypeError(f"{function}: supports must be bool, got {dtype_name(supports.dtype)}.")
    ndim = check_ndim(function, ndim)
    if supports.dim() <= ndim or supports.shape[:-ndim] != error.shape:
        raise ValueError(
            f"{function}: supports must have shape (*batch, starts, *grid) with {ndim} axes of the "
            f"grid after those of error, {tuple(error.shape)}, got {tuple(supports.shape)}."
        )
    valid = measured(valid, supports, ndim)
    try:
        seen = valid.expand(*supports.shape[: -ndim - 1], *supports.shape[-ndim:])
    except RuntimeError:
        raise ValueError(
            f"{function}: valid must be broadcastable to "
            f"{(*supports.shape[: -ndim - 1], *supports.shape[-ndim:])}, got {tuple(valid.shape)}."
        ) from None
    unknowns = 2 * supports.flatten(-ndim).sum(-1).double()
    left = 1 - unknowns / seen.flatten(-ndim).sum(-1)[..., None]
    return torch.where(left > 0, error.double() / left, torch.inf)
