"""build_info: what was compiled, and what of it runs here."""

from typing import Any

from symbreak import _C


def build_info() -> dict[str, Any]:
    """Tell how this copy of symbreak was built.

    Returns:
        dict: ``version`` of symbreak; ``torch``, the version whose headers it was built with;
        ``compiler``; ``cuda``, whether CUDA kernels were built, and ``cuda_archs``, for which
        compute capabilities; ``emulated_cuda``, whether the CUDA kernels run by emulation on CPU
        tensors (``SYMBREAK_EMULATE_CUDA=1``, for their tests); ``cpu_isa``, the instruction set the
        CPU kernels of the phasing engine use, and ``cpu_isas``, all that this machine could run.

    The environment variable ``SYMBREAK_CPU_ISA`` (baseline, avx2, avx512vl or avx512) chooses
    another instruction set; ``import symbreak`` is a RuntimeError where this machine lacks it.
    """
    info: dict[str, Any] = dict(_C.build_info())
    info["cuda_archs"] = [arch for arch in info["cuda_archs"].split(",") if arch]
    info["cuda"] = bool(info["cuda_archs"])
    return info
