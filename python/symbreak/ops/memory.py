"""Results that cannot fit are refused before they are allocated, in one line."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Sequence

import torch

UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")
# What allocators say; the last is of cuFFT, cuDNN and cuBLAS.
EXHAUSTED = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
# Calls of the stable ABI in our kernels that allocate, as their errors name them; the last one is
# the FFT, named by a variable.
ALLOCATING = ("aten::new_empty", "aten::contiguous", "torch_call_dispatcher(name")


def check_memory(
    function: str, cause: str, shape: Sequence[int], dtype: torch.dtype, device: torch.device
) -> None:
    """Raise if a result is larger than the whole memory of its device.

    The allocators of the operating systems grant far more than there is, and the process is killed
    when it uses it; sizes above 64 bits would overflow.

    Args:
        function: Name of the public function.
        cause: The argument that makes it large, as "starts = 5".
        shape: Shape of the result, any whole numbers.
        dtype: Type of its elements.
        device: Where it would lie; on the meta device everything fits.

    Raises:
        MemoryError: It is larger.
    """
    if torch.compiler.is_compiling() or device.type == "meta":
        return
    needed = math.prod(map(int, shape)) * dtype.itemsize
    there = device_memory(device)
    if needed > there:
        raise MemoryError(
            f"{function}: {cause} needs {readable(needed)} for the result, {device} has "
            f"{readable(there)} of memory."
        )


def device_memory(device: torch.device) -> int:
    """All the memory of a device in bytes, used or not; where that is unknown, the addressable."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not POSIX
        return 2**47


def readable(count: int) -> str:
    """A number of bytes for people: ``1.5 GB``."""
    k = min(max(0, (count.bit_length() - 1) // 10), len(UNITS) - 1)
    return f"{count / 1024**k:.3g} {UNITS[k]}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that an allocation failed, on whichever device.

    PyTorch has a type for that on CUDA and a text on the CPU. Of what our kernels allocate through
    its stable ABI neither arrives, only that a call failed; the C interface keeps the text.
    """
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error)
    if "API call failed" in text:
        said = _said_by_the_stable_abi()
        if said is None:  # older than the function that tells: of what is called, this allocates
            return any(call in text for call in ALLOCATING)
        text = said
    return any(sign in text for sign in EXHAUSTED)


def _said_by_the_stable_abi() -> str | None:
    """The text of this thread's last error inside a call of the stable ABI, if PyTorch tells it."""
    try:
        tell = ctypes.CDLL(torch._C.__file__).torch_exception_get_what_without_backtrace
    except (OSError, AttributeError):
        return None
    tell.restype = ctypes.c_char_p
    return (tell() or b"").decode(errors="replace")
