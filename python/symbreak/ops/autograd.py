"""Derivatives that ops do not have: an error that says so, never a number that is wrong."""

from collections.abc import Callable
from typing import Any, NoReturn

from torch import Tensor
from torch.autograd import forward_ad

from symbreak.ops.functional import differentiable

_ADVICE: dict[str, str] = {}


def refuse_gradient(op: str, advice: str) -> Callable[..., Any]:
    """Make backward through ``symbreak::<op>`` an error that says what to do instead.

    Returns:
        What calls the op, as `differentiable` has it.
    """
    _ADVICE[op] = advice

    def backward(ctx: Any, *gradients: Tensor) -> NoReturn:
        raise RuntimeError(f"symbreak.{op} is not differentiable: {advice}")

    return differentiable(op, backward)


def refuse_tangent(op: str, *tensors: object) -> None:
    """Make ``torch.func.jvp``, ``jacfwd`` and the like an error.

    In forward mode torch takes an op with a registered gradient for a constant, so the derivative
    would be 0 without a word.
    """
    for x in tensors:
        if not isinstance(x, Tensor):
            continue
        dual = forward_ad.unpack_dual(x)  # type: ignore[no-untyped-call,unused-ignore]
        if dual.tangent is not None:
            if op in _ADVICE:
                raise RuntimeError(f"symbreak.{op} is not differentiable: {_ADVICE[op]}")
            raise RuntimeError(
                f"symbreak.{op} has no derivative in forward mode (torch.func.jvp, jacfwd): use "
                "torch.autograd.functional.jvp."
            )
