"""Autograd of ops that have none: a discrete choice made in the forward pass has no gradient."""

from typing import Any, NoReturn

import torch


def refuse_gradient(op: str, advice: str) -> None:
    """Make backward through ``symbreak::<op>`` an error that says what to do instead."""

    def backward(ctx: Any, *gradients: torch.Tensor) -> NoReturn:
        raise RuntimeError(f"symbreak.{op} is not differentiable: {advice}")

    torch.library.register_autograd(f"symbreak::{op}", backward)
