"""What a GPU offers beside: cuFFT between fused kernels, and CUDA graphs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch


def by_general_engine(function: Callable[[], Any]) -> Callable[[], Any]:
    """The same call with cuFFT (torch.fft) between fused pointwise kernels."""

    def run() -> Any:
        os.environ["SYMBREAK_CUDA_ENGINE"] = "general"
        try:
            return function()
        finally:
            del os.environ["SYMBREAK_CUDA_ENGINE"]

    return run


def in_graph(function: Callable[[], Any]) -> Callable[[], Any]:
    """The same work recorded in a CUDA graph; a call replays it."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        function()  # makes the plans of cuFFT
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = function()

    def replay() -> Any:
        graph.replay()
        return found

    return replay


def with_cuda(functions: dict[str, Callable[[], Any]], images: int) -> dict:
    """Add the variants that only a GPU has; graphs for a single image, where launches count."""
    result = {**functions, "cuFFT + fused kernels": by_general_engine(functions["symbreak"])}
    if images == 1:
        result["torch in a graph"] = in_graph(functions["in-place torch"])
        result["symbreak in a graph"] = in_graph(functions["symbreak"])
    return result
