"""fit: train a network on pairs, with logs, checkpoints and resumption, on one or many devices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from symbreak.learning.callbacks import FINAL, Checkpoints, kept_state
from symbreak.learning.datasets import PairSource
from symbreak.learning.identity import Identity, differences, identify
from symbreak.learning.loaders import PairLoaders
from symbreak.learning.module import PhaseRetrieval
from symbreak.learning.networks import read_checkpoint
from symbreak.learning.outcome import SUMMARY, Fitted, final_from, finished, summarise
from symbreak.learning.quiet import QuietDDP, quietly
from symbreak.learning.requirements import check_devices
from symbreak.learning.settings import TrainSettings
from symbreak.learning.signals import heard
from symbreak.ops.checks import check_flag, shown


def fit(
    settings: TrainSettings,
    train: PairSource,
    validation: PairSource,
    folder: str | Path,
    *,
    resume: bool = False,
) -> Fitted:
    """Train a network: Adam, the rate lowered on plateaus of the validation SA-MSE.

    ``folder`` then holds ``final.ckpt`` and ``best.ckpt``, both written as epochs end (see
    ``save_every``) and readable by `load_network`; ``logs/version_<k>`` with ``metrics.csv`` and
    the events of TensorBoard, one version per call; and ``summary.json``.

    Args:
        settings: How to train.
        train: Training pairs; break their symmetries beforehand (`make_pairs`).
        validation: Validation pairs. As they are compared up to symmetries, broken or not.
        folder: Made if missing.
        resume: Continue from ``final.ckpt`` in ``folder`` if there is one, with the same settings
            and data (their number, and a few of them are compared), as if there had been no
            interruption; only what concerns the machine may differ, ``batch`` where as many pairs
            make a step in all, and, where there are no ``final_epochs``, ``max_epochs``. Without it
            such a file is an error.

    Returns:
        Fitted: paths, epochs and the best validation error.

    Raises:
        TypeError: ``settings`` are no `TrainSettings`, or ``resume`` is neither True nor False.
        FileExistsError: ``folder`` holds a training and ``resume`` is False.
        ValueError: No pairs, pairs of different sizes, sizes or options that the network does not
            take, devices that are not there, or another training's folder.
        OSError: ``folder`` cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed, and the batch has ended, or it was pressed twice; the
            checkpoints written are kept, see ``resume``.

    Note:
        SIGTERM ends the process after a batch, with the status 143. Deterministic on the CPU with
        the same number of threads and processes. More than one device on one node: the processes
        are started here, so a script needs the usual ``if __name__ == "__main__":``. The state of
        PyTorch's global generator is left as it was.
    """
    if not isinstance(settings, TrainSettings):
        raise TypeError(f"fit: settings must be TrainSettings, got {shown(settings)}.")
    resume = check_flag("fit", "resume", resume)
    folder = Path(folder)
    check_devices(settings)
    _check_data(train, validation)
    final = folder / FINAL
    hyper = _hyper_parameters(settings, train)
    identity = identify(settings, train, validation)
    if final.exists():
        if not resume:
            raise FileExistsError(f"{folder} holds a training already; resume it or remove it.")
        _check_same(final, hyper, identity)
        found = finished(folder, settings)
        if found is not None:
            return found
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SUMMARY).unlink(missing_ok=True)
    begun = time.perf_counter()
    with quietly(), _matmul_precision(settings), _own_randomness(), heard() as ctrl_c:
        torch.manual_seed(settings.seed)
        module = PhaseRetrieval(**hyper)
        if settings.channels_last:
            volume = len(train.object_shape) == 3
            layout = torch.channels_last_3d if volume else torch.channels_last
            module.network.to(memory_format=layout)  # type: ignore[call-overload]
        if settings.compile:
            module.network.compile()
        loaders = PairLoaders(
            train,
            validation,
            batch=settings.batch,
            seed=settings.seed,
            resident=settings.resident,
            epoch_items=settings.epoch_items,
        )
        trainer = _trainer(settings, folder, identity, ctrl_c)
        trainer.fit(module, loaders, ckpt_path=str(final) if final.exists() else None)
    return summarise(folder, settings, time.perf_counter() - begun, write=trainer.is_global_zero)


def _trainer(
    settings: TrainSettings, folder: Path, identity: Identity, ctrl_c: lightning.Callback
) -> lightning.Trainer:
    csv = CSVLogger(folder, name="logs")
    board = TensorBoardLogger(folder, name="logs", version=csv.version, default_hp_metric=False)
    checkpoints = Checkpoints(folder, identity, settings.save_every)
    several = settings.devices * settings.nodes > 1
    strategy: str | QuietDDP = "auto"
    if several:
        # "popen" runs the command line anew for every further process, which only scripts survive.
        strategy = QuietDDP(start_method="spawn" if settings.nodes == 1 else "popen")
    return lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=strategy,
        precision="bf16-mixed" if settings.precision == "bf16" else "32-true",
        max_epochs=settings.max_epochs,
        logger=[csv, board],
        callbacks=[checkpoints, ctrl_c],
        plugins=[checkpoints.files],
        enable_checkpointing=False,  # Lightning's own; ours are in the callback
        enable_model_summary=False,
        enable_progress_bar=settings.progress,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        log_every_n_steps=1,
    )


def _hyper_parameters(settings: TrainSettings, train: PairSource) -> dict[str, Any]:
    return {
        "network": settings.network,
        "object_shape": list(train.object_shape),
        "measurement_shape": list(train.measurement_shape),
        "options": dict(settings.options),
        "loss": settings.loss,
        "learning_rate": settings.learning_rate,
        "min_learning_rate": settings.min_learning_rate,
        "factor": settings.factor,
        "patience": settings.patience,
        "final_from": final_from(settings),
        "final_loss": settings.final_loss,
        "seed": settings.seed,
    }


def _check_data(train: PairSource, validation: PairSource) -> None:
    for name, pairs in (("train", train), ("validation", validation)):
        if not len(pairs):
            raise ValueError(f"fit: {name} holds no pairs.")
    shapes = [(p.object_shape, p.measurement_shape) for p in (train, validation)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"fit: train and validation differ in size, {shapes[0]} and {shapes[1]}.")


def _check_same(final: Path, hyper: dict[str, Any], identity: Identity) -> None:
    checkpoint = read_checkpoint(final)
    saved, before = checkpoint["hyper_parameters"], kept_state(checkpoint).get("identity")
    other = [name for name in hyper if saved.get(name) != hyper[name]]
    other += differences(before, identity) if before else []
    if other:
        raise ValueError(f"fit: {final} is of another training, it differs in {', '.join(other)}.")


@contextmanager
def _own_randomness() -> Iterator[None]:
    # All devices by name: left to itself it warns where there are several.
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield


@contextmanager
def _matmul_precision(settings: TrainSettings) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if settings.tf32 else before)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
