"""break_symmetry: one canonical object out of all that have the same Fourier amplitude."""

from typing import NamedTuple

import torch
from torch import Tensor

from symbreak.ops.autograd import refuse_gradient, refuse_tangent
from symbreak.ops.batching import map_by_batch_axes
from symbreak.ops.checks import REAL_OF, check_object, check_tolerance, shown

RULES = ("angle", "circulation")


class SymmetryBreaking(NamedTuple):
    """What :func:`break_symmetry` returns."""

    object: Tensor
    """The canonical object, shape and dtype of the input."""
    shift: Tensor
    """Translation in pixels, int64 ``(*batch, ndim)``."""
    flipped: Tensor
    """Whether the conjugate flip was taken, bool ``(*batch)``."""
    phase: Tensor
    """Global phase in radians in (-pi, pi], applied after the flip, real ``(*batch)``."""
    margin: Tensor
    """How far the flip decision was from its cut, >= 0, real ``(*batch)``; see the function."""

    @property
    def ambiguous(self) -> Tensor:
        """Items without a canonical form in this precision, bool ``(*batch)``."""
        return ~(self.margin > 0)


def break_symmetry(
    x: Tensor, *, tol: float = 0.0, ndim: int = 2, rule: str = "angle"
) -> SymmetryBreaking:
    r"""Replace each object by the canonical member of its symmetry orbit.

    Translation, conjugate flip and global phase leave the Fourier amplitude unchanged. Of all
    objects that they make of ``x``, one is picked (Zhang et al. 2024, Algorithm 1, made exact):

    1. the bounding box of the content is centred, as in :func:`center`;
    2. the global phase makes the mean ``F x(0)`` real and positive;
    3. with ``c`` the centre of the box and phases measured from it,
       ``g = e^{2 pi i c k / M} F x`` at frequency ``k`` of the twofold oversampled grid
       (``M = 2N``): the conjugate flip conjugates ``g``. If the rule's number, odd in ``Im g``, is
       negative, the conjugate flip of the object is taken instead.

    The rules and their numbers:

    - ``"angle"``, the paper's: ``Im g / |F x(0)|`` at ``k = (0, ..., 0, 1)``.
    - ``"circulation"``, ours: with ``g_j`` at ``(0, 1), (1, 0), (0, -1), (-1, 0)`` of the last two
      axes, ``sum Im(conj(g_j) g_{j+1}) / sum |g_j|^2 + 0.1 Im g_0 / rms(g)``. The first part is the
      same for every global phase and has the sign of the dislocations inside; the second decides
      where there are none. Crystals lie about as near to its cut as to the other's, see
      ``docs/experiments.md``.

    So ``break_symmetry(T x).object`` equals ``break_symmetry(x).object`` for every symmetry ``T``
    that keeps the content in the window, up to rounding, and the Fourier amplitude is unchanged.
    ``margin``, the magnitude of the rule's number, tells how far the item was from being flipped
    the other way; margins of different rules do not compare.

    Ambiguous items are told by ``margin`` and the property ``ambiguous``. Where ``F x(0)`` or the
    rule's number is below rounding (sums to 4 epsilon times ``sum |Re x| + |Im x|``), where the
    item is all zero, or where its sums overflow, ``margin`` is 0: the item is centred, and rotated
    where ``F x(0)`` has a phase, but not flipped. Where it holds NaN or infinity, ``margin`` is NaN
    and the item comes back as it is. Other items of the batch are not affected.

    Args:
        x: Objects, complex64 or complex128, shape ``(*batch, *grid)``; any batch axes, also none.
        tol: Relative threshold of the content's box, in [0, 1). With ``tol > 0`` faint content
            outside the box counts in the sums, moves along, and is lost where it leaves the window.
        ndim: How many trailing axes are the grid, 2 or 3.
        rule: ``"angle"`` or ``"circulation"``, see above.

    Returns:
        SymmetryBreaking: ``object``, ``shift``, ``flipped``, ``phase``, ``margin``; and
        ``object == apply_symmetry(x, shift=shift, flipped=flipped, phase=phase)``, up to rounding.

    Raises:
        TypeError: ``x`` is not a complex tensor, or another argument is of the wrong type.
        ValueError: ``ndim``, ``tol`` or ``rule`` out of range, too few axes, or an empty grid.
        MemoryError: ``x`` is an expanded view, and the result larger than the memory of the device.
        RuntimeError: In backward through the result, or in forward mode.

    Not differentiable. Deterministic; sums in float64. Cost: three reads and one write of ``x``,
    two more reads for ``tol > 0``, no Fourier transform; an item that fits the cache comes from the
    memory once. No memory beyond the result, and a copy of ``x`` if it is not contiguous.

    Example:
        >>> objects = torch.zeros(2, 16, 16, dtype=torch.complex64)
        >>> objects[0, 2:5, 3:7] = torch.polar(torch.rand(3, 4), torch.rand(3, 4))
        >>> objects[1] = symbreak.apply_symmetry(objects[0], shift=[5, 1], flipped=True, phase=1.0)
        >>> broken = symbreak.break_symmetry(objects)
        >>> train = broken.object[~broken.ambiguous]
        >>> bool(torch.allclose(train[0], train[1], atol=1e-6))
        True
    """
    ndim = check_object("break_symmetry", "x", x, ndim)
    check_tolerance("break_symmetry", tol)
    check_rule("break_symmetry", rule)
    refuse_tangent("break_symmetry", x)
    return SymmetryBreaking(*_break_symmetry(x, tol=float(tol), ndim=ndim, rule=rule))


def check_rule(function: str, rule: str) -> None:
    """Check the name of a rule of the conjugate flip."""
    if not isinstance(rule, str) or rule not in RULES:
        raise ValueError(f"{function}: rule must be {' or '.join(RULES)}, got {shown(rule)}.")


@torch.library.register_fake("symbreak::break_symmetry")
def _(
    x: Tensor, *, tol: float = 0.0, ndim: int = 2, rule: str = "angle"
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    batch = x.shape[:-ndim]
    real = REAL_OF[x.dtype]
    return (
        x.new_empty(x.shape),
        x.new_empty((*batch, ndim), dtype=torch.int64),
        x.new_empty(batch, dtype=torch.bool),
        x.new_empty(batch, dtype=real),
        x.new_empty(batch, dtype=real),
    )


map_by_batch_axes("break_symmetry")
_break_symmetry = refuse_gradient(
    "break_symmetry", "the symmetry is a discrete choice. Detach the input: x.detach()."
)
