"""reconstruct: phase retrieval by ER, HIO, RAAR and the difference map, with shrinkwrap."""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.ops import phasing_checks as checks
from symbreak.ops.autograd import refuse_gradient
from symbreak.ops.batching import map_by_batch_axes
from symbreak.ops.checks import check_count
from symbreak.ops.phasing_call import phasing_call
from symbreak.ops.progress import Report, check_progress, run_watched
from symbreak.ops.reconstruction import Reconstruction
from symbreak.ops.schedule import SCHEDULE, Schedule, total_iterations
from symbreak.ops.shrinkwrap import Shrinkwrap, check_averaged


def reconstruct(
    amplitude: Tensor,
    schedule: Schedule = SCHEDULE,
    *,
    beta: float = 0.9,
    phase_limit: float | None = None,
    valid: Tensor | None = None,
    saturated: Tensor | None = None,
    support: Tensor | None = None,
    initial: Tensor | None = None,
    shrinkwrap: Shrinkwrap | None = Shrinkwrap(),
    starts: int = 1,
    first_start: int = 0,
    part: tuple[int, int] = (0, 0),
    seed: int | Tensor = 0,
    ndim: int = 2,
    record_every: int = 0,
    progress: bool | Report = False,
) -> Reconstruction:
    r"""Recover objects x from their far-field amplitudes a = \|F x\| by iterative projections.

    With p = P_M x = F^-1(a F x / \|F x\|) (F x itself where a was not measured), an iteration sets
    x to p inside the support and, outside of it, to

    - ER (error reduction): 0,
    - HIO (hybrid input-output): x - beta p,
    - RAAR (relaxed averaged alternating reflections): beta x + (1 - 2 beta) p,
    - DM (difference map): x - beta q, and inside to (1 + beta) p - beta q, where q = P_M f,
      f = x inside and x / beta outside.

    Fienup, Appl. Opt. 21, 2758 (1982); Luke, Inverse Problems 21, 37 (2005); Elser, J. Opt. Soc.
    Am. A 20, 40 (2003) with gamma_S = -1/beta, gamma_M = 1/beta.

    With ``phase_limit``, P_C x is the nearest object that is 0 outside the support and has phases
    within the limit inside, and an iteration sets x to

    - ER: P_C p,
    - HIO: x - beta p + P_C((1 + beta) p - x), the hybrid projection-reflection method (Bauschke,
      Combettes and Luke, J. Opt. Soc. Am. A 20, 1025 (2003)),
    - RAAR: beta x + (1 - 2 beta) p + beta P_C(2 p - x),
    - DM: x - beta q + beta P_C((1 + 1/beta) p - x/beta), where q = P_M f, f = P_C x +
      (x - P_C x) / beta,

    which are those above where only the support limits.

    Args:
        amplitude: Far-field amplitudes >= 0 (square roots of intensities), float32 or float64,
            shape ``(*batch, *M)``; any batch axes, also none. DC at index 0 (``ifftshift``): with
            it in the middle the object comes out times (-1)^n, its error as low as ever.
        schedule: ``"3*(20*ER+180*HIO)+20*ER"``: terms ``n*ALG`` joined by ``+``, parentheses
            repeated by ``k*( ... )``; or steps like ``[("ER", 20), ("HIO", 180)]``. ALG in upper or
            lower case; without a count it runs once. For counted data
            ``"3*(20*ER+180*HIO)+100*RAAR+120*ER"``, its ER from the mean of the RAAR before
            (``shrinkwrap=Shrinkwrap(hold=120, average_iterates=80)``), is nearly always nearer to
            the truth (bench/schedules.py).
        beta: Feedback of HIO, RAAR and DM, from 1e-6 to 2.
        phase_limit: The object's phase is at most so far from 0, in radians, from 0 (real and not
            negative: positivity) to less than pi; pi/2: no negative real part. It helps where the
            middle of the pattern is missing and the object is known to be like that, as absorbing
            and thin objects in a forward beam are; 1 is a good choice (bench/phase_limits.py). The
            global phase is then no longer free. None: any phase.
        valid: Where the amplitude was measured, bool, broadcastable to ``(*batch, *M)``; elsewhere
            (beamstop, gap) the amplitude is free, and what it holds there is ignored.
        saturated: Where more came than could be counted, bool, broadcastable like ``valid``; there
            the amplitude is the least that it can be, whatever ``valid`` says. P_M leaves a larger
            \|X\| alone; starts and first support take the least for the amplitude
            (bench/saturated.py). Such pixels count as not measured in every error: wherever
            ``valid`` is asked for afterwards, give ``valid & ~saturated``.
        support: The first support, bool, broadcastable to ``(*batch, *M)``, or with one axis more
            to ``(*batch, starts, *M)``. Default: where the autocorrelation \|F^-1(a^2)\| is above
            4 % of its maximum; where nothing is known of zero frequency and ``shrinkwrap`` follows,
            above 15 %, unless that is less than a tenth as many pixels (bench/first_supports.py).
        initial: The first iterate, complex64 or complex128 as the amplitude is single or double,
            shaped like ``support``. Default: F^-1(a e^{i phi}), phi random.
        shrinkwrap: How the support follows the object, see :class:`Shrinkwrap`; None keeps it as it
            is at first.
        starts: How many reconstructions of each item, from different random phases.
        first_start: Number of the first of them: many starts can be made in pieces, start k of
            which is the same as start k of all at once.
        part: Where the schedule is a part of a longer one, how many iterations of that came before
            and how many are to follow: the support updates go on as in the whole. The parts, each
            with ``initial`` and ``support`` of the one before, give what the whole gives, up to
            rounding; in between the iterate can be changed. Not where ``shrinkwrap`` averages
            iterates.
        seed: Seed of the random phases, an integer of 64 bits or an integer tensor broadcastable to
            ``(*batch)``; items of equal seed get equal phases.
        ndim: How many trailing axes are the grid, 2 or 3.
        record_every: Iterations from one entry of ``history`` to the next; 0 records none.
        progress: True draws a progress bar on stderr (by rich, if installed); a function is called
            with (done, total) counted in iterations of one image. On a GPU those count as done that
            were enqueued.

    Returns:
        Reconstruction: ``object``, complex64 or complex128, and ``support``, bool, of shape
        ``(*batch, starts, *M)``; ``error`` ``(*batch, starts)`` and ``history``
        ``(*batch, starts, iterations // record_every)`` in the dtype of the amplitude. The errors
        are those of P_C x.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is out of range, of the wrong shape, or not a schedule; the data of
            an item make no reconstruction possible (named with its index): NaN, infinity or a
            negative amplitude where measured, nothing measured above 0, an empty support. Under
            torch.compile and in the capture of a CUDA graph the data are not checked.
        MemoryError: The result is larger than the memory of the device.
        KeyboardInterrupt: Ctrl-C was pressed; the iteration stops at once. So does an exception
            that the function ``progress`` raises.
        RuntimeError: In backward through the result, in forward mode, or within
            ``torch.func.vmap``.

    Not differentiable. An item's result depends on its data, seed and start only, not on the batch
    around it nor on the number of threads; on a GPU the number of images may choose the engine, and
    so the rounding. There it runs on the current stream; it waits for the device once, to look at
    the data beforehand, and not at all while a CUDA graph is captured, which can hold it (after a
    first call, which makes the plans of the FFT). Cost: two FFTs an iteration (four for DM), one
    more for each entry of ``history`` and at the end, two for each support update; with
    ``phase_limit`` an iteration takes a sixth longer on the CPU in 2D, a tenth in 3D, with
    ``saturated`` up to 5 %. Memory beyond the result: one copy of ``amplitude``, and on the CPU two
    to four images a thread, up to ten for lengths without a fused transform; until the iteration
    begins also ``valid``, ``saturated``, ``support`` and ``initial`` in full, if given.

    Example:
        >>> x = torch.zeros(16, 16, dtype=torch.complex64)
        >>> x[:3, :4] = 1 + torch.arange(12).reshape(3, 4)
        >>> found = symbreak.reconstruct(torch.fft.fft2(x).abs(), starts=4)
        >>> found.object.shape, bool(found.best().error < 0.01)
        (torch.Size([4, 16, 16]), True)
    """
    before, after = checks.check_part(part)
    record_every = check_count("reconstruct", "record_every", record_every, 0)
    progress = check_progress(progress)
    call = phasing_call(
        amplitude,
        schedule,
        beta=beta,
        phase_limit=phase_limit,
        valid=valid,
        support=support,
        initial=initial,
        shrinkwrap=shrinkwrap,
        starts=starts,
        first_start=first_start,
        seed=seed,
        ndim=ndim,
        saturated=saturated,
    )

    averaged = 0 if call.shrinkwrap is None else call.shrinkwrap.average_iterates
    if averaged and (before or after):
        raise ValueError("reconstruct: part must be (0, 0) where shrinkwrap averages iterates.")

    def op(monitor: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        result: tuple[Tensor, Tensor, Tensor, Tensor] = torch.ops.symbreak.reconstruct(
            amplitude,
            call.schedule,
            saturated=call.saturated,
            before=before,
            after=after,
            record_every=record_every,
            shrinkwrap_average=averaged,
            monitor=monitor,
            **call.options,
        )
        return result

    if torch.compiler.is_compiling() or amplitude.is_meta:
        return Reconstruction(*op(0))  # the parser is not traced: the fake kernel calls it
    iterations = total_iterations(call.schedule)
    if call.shrinkwrap is not None:
        check_averaged(call.shrinkwrap, iterations)
    call.check(iterations // record_every if record_every > 0 else 0)
    return Reconstruction(*run_watched(op, call.images * iterations, progress, amplitude.device))


@torch.library.register_fake("symbreak::reconstruct")
def _(
    amplitude: Tensor,
    schedule: str = SCHEDULE,
    *tensors: Tensor | None,
    starts: int = 1,
    ndim: int = 2,
    record_every: int = 0,
    **options: object,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    batch, grid = amplitude.shape[:-ndim], amplitude.shape[-ndim:]
    records = total_iterations(schedule) // record_every if record_every > 0 else 0
    return (
        amplitude.new_empty((*batch, starts, *grid), dtype=checks.COMPLEX_OF[amplitude.dtype]),
        amplitude.new_empty((*batch, starts, *grid), dtype=torch.bool),
        amplitude.new_empty((*batch, starts)),
        amplitude.new_empty((*batch, starts, records)),
    )


map_by_batch_axes("reconstruct")
refuse_gradient(
    "reconstruct", "the support and the phases are chosen by iteration. Use amplitude.detach()."
)
