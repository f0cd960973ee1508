"""Training: what it writes, that it learns, resumes exactly, ends, and runs in two processes."""

import csv
import json
import os
import signal
from dataclasses import replace

import pytest
import torch
from learning_problems import problem

pytest.importorskip("lightning")

from torch.utils.tensorboard.writer import FileWriter

from symbreak import sa_mse
from symbreak.learning import callbacks
from symbreak.learning.evaluate import evaluate
from symbreak.learning.fit import fit
from symbreak.learning.module import PhaseRetrieval
from symbreak.learning.networks import load_network, read_checkpoint
from symbreak.learning.settings import TrainSettings


def weights(path):
    return read_checkpoint(path)["state_dict"]


def assert_same_weights(first, second):
    a, b = weights(first), weights(second)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_training_learns_and_leaves_its_record(tmp_path):
    settings, train, validation = problem(max_epochs=25, learning_rate=3e-3)
    state = torch.get_rng_state()
    fitted = fit(settings, train, validation, tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), state)
    assert fitted.epochs == 25
    assert evaluate(load_network(fitted.final), train).mse_ratio < 0.9
    best = evaluate(load_network(fitted.best), validation)
    assert best.sa_mse == pytest.approx(fitted.best_validation, rel=1e-4)
    logs = tmp_path / "run" / "logs" / "version_0"
    rows = list(csv.DictReader((logs / "metrics.csv").read_text().splitlines()))
    rates = [row["validation/sa_mse"] for row in rows if row["validation/sa_mse"]]
    assert len(rates) == 25
    assert min(map(float, rates)) == pytest.approx(fitted.best_validation)
    assert list(logs.glob("events.out.tfevents.*"))
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["settings"]["learning_rate"] == 3e-3


@pytest.mark.parametrize(
    ("network", "options"), [("UNet", {"width": 4}), ("SiSPRNet", {"hidden": 8})]
)
def test_resumed_equals_uninterrupted(tmp_path, network, options):
    choices = {"network": network, "options": options, "patience": 0, "factor": 0.5}
    settings, train, validation = problem(train=10, max_epochs=5, **choices)
    whole = fit(settings, train, validation, tmp_path / "whole")
    for epochs in (1, 3, 5):
        part, *_ = problem(max_epochs=epochs, **choices)
        resumed = fit(part, train, validation, tmp_path / "parts", resume=True)
        assert resumed.epochs == epochs
    assert_same_weights(whole.final, resumed.final)
    assert_same_weights(whole.best, resumed.best)
    assert resumed.best_validation == whole.best_validation
    states = [read_checkpoint(f.final)["lr_schedulers"] for f in (whole, resumed)]
    assert states[0] == states[1]


def test_checkpoints_written_seldom_are_those_of_every_epoch(tmp_path, monkeypatch):
    written = []

    def replace(part, path):
        written.extend(name for name in [os.path.basename(path)] if name.endswith(".ckpt"))
        os.rename(part, path)

    monkeypatch.setattr(callbacks.os, "replace", replace)
    choices = {"max_epochs": 6, "learning_rate": 0.01, "patience": 20}
    settings, train, validation = problem(**choices)
    whole = fit(settings, train, validation, tmp_path / "whole")
    assert written.count("final.ckpt") == 6
    assert written.count("best.ckpt") > 2
    assert written[-2:] == ["final.ckpt", "final.ckpt"]  # the best is not the last
    written.clear()
    seldom, *_ = problem(**choices, save_every=1e6)

    due = callbacks.Checkpoints._due

    def interrupted(self, trainer):
        if trainer.current_epoch == 3:
            raise LookupError
        return due(self, trainer)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Checkpoints, "_due", interrupted)
        with pytest.raises(LookupError):
            fit(seldom, train, validation, tmp_path / "parts")
    both = ["best.ckpt", "final.ckpt"]
    assert written == both  # of the first epoch
    parts = fit(seldom, train, validation, tmp_path / "parts", resume=True)
    assert_same_weights(whole.final, parts.final)
    assert_same_weights(whole.best, parts.best)
    assert parts.best_validation == whole.best_validation
    assert written == 3 * both  # and of this call's first and last


def press_in(patch, owner, name, when):
    """Press Ctrl-C in a method, in the calls of these numbers; what came of every call."""
    calls, method = [], getattr(owner, name)

    def pressing(self, *given):
        calls.append("raised")
        if len(calls) - 1 in when:
            signal.raise_signal(signal.SIGINT)
        calls[-1] = "ended"
        return method(self, *given)

    patch.setattr(owner, name, pressing)
    return calls


def test_ctrl_c_waits_for_the_end_of_the_batch_and_is_heard_again(tmp_path, monkeypatch):
    settings, train, validation = problem(max_epochs=3)
    before = signal.getsignal(signal.SIGINT)
    for _ in range(2):
        with monkeypatch.context() as patch:
            batches = press_in(patch, PhaseRetrieval, "training_step", [0])
            with pytest.raises(KeyboardInterrupt):
                fit(settings, train, validation, tmp_path / "run")
        assert batches == ["ended"]
        assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_pressed_twice_is_raised_at_once(tmp_path, monkeypatch):
    settings, train, validation = problem(max_epochs=3)
    events = press_in(monkeypatch, FileWriter, "add_event", [0, 1])
    with pytest.raises(KeyboardInterrupt):
        fit(settings, train, validation, tmp_path / "run")
    assert events == ["ended", "raised"]


def test_ctrl_c_after_the_last_batch(tmp_path, monkeypatch):
    settings, train, validation = problem(max_epochs=1)
    writes = press_in(monkeypatch, callbacks.Checkpoints, "_write", [1])
    with pytest.raises(KeyboardInterrupt):
        fit(settings, train, validation, tmp_path / "run")
    assert writes == ["ended", "ended"]
    assert fit(settings, train, validation, tmp_path / "run", resume=True).epochs == 1


def test_ctrl_c_that_somebody_else_takes_goes_there(tmp_path, monkeypatch):
    settings, train, validation = problem(max_epochs=1)
    press_in(monkeypatch, FileWriter, "add_event", [0])
    taken = []
    before = signal.signal(signal.SIGINT, lambda *call: taken.append(call))
    try:
        fit(settings, train, validation, tmp_path / "run")
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(taken) == 1


def rates(folder):
    """The rate of every next epoch, of all calls."""
    found = {}
    for path in sorted(folder.glob("logs/version_*/metrics.csv")):
        for row in csv.DictReader(path.read_text().splitlines()):
            if row["learning_rate"]:
                found[int(row["epoch"])] = float(row["learning_rate"])
    return [found[epoch] for epoch in sorted(found)]


@pytest.mark.parametrize("lowest", [1e-5, 9e-4])  # the tenth may be below the lowest rate
def test_the_final_epochs_have_a_tenth_of_the_rate(tmp_path, monkeypatch, lowest):
    choices = {"max_epochs": 7, "final_epochs": 3, "patience": 20, "min_learning_rate": lowest}
    settings, train, validation = problem(**choices)
    whole = fit(settings, train, validation, tmp_path / "whole")
    assert whole.epochs == 7
    expected = [1e-3] * 3 + [1e-4] * 4
    assert rates(tmp_path / "whole") == pytest.approx(expected)
    plain = fit(replace(settings, final_epochs=0, max_epochs=4), train, validation, tmp_path / "p")
    assert rates(tmp_path / "p") == pytest.approx([1e-3] * 4)
    assert not torch.equal(*(weights(f.final)["network.head.weight"] for f in (whole, plain)))

    # Interrupted before and after the rate fell.
    due = callbacks.Checkpoints._due
    for stop in (3, 4, 6):

        def interrupted(self, trainer, stop=stop):
            if trainer.current_epoch == stop:
                raise LookupError
            return due(self, trainer)

        with monkeypatch.context() as patch:
            patch.setattr(callbacks.Checkpoints, "_due", interrupted)
            with pytest.raises(LookupError):
                fit(settings, train, validation, tmp_path / "parts", resume=True)
    parts = fit(settings, train, validation, tmp_path / "parts", resume=True)
    assert rates(tmp_path / "parts") == pytest.approx(expected)
    assert_same_weights(whole.final, parts.final)
    assert fit(settings, train, validation, tmp_path / "parts", resume=True).epochs == 7
    longer = replace(settings, max_epochs=9)
    with pytest.raises(ValueError, match="another training, it differs in final_from"):
        fit(longer, train, validation, tmp_path / "parts", resume=True)


@pytest.mark.parametrize("kind", ["mse", "sa_mse"])
def test_the_loss_of_the_final_epochs(tmp_path, kind):
    # A rate too small to learn with: the loss tells which one it is.
    other = {"mse": "sa_mse", "sa_mse": "mse"}[kind]
    settings, train, validation = problem(
        loss=kind,
        learning_rate=1e-12,
        **{"min_learning_rate": 1e-15, "max_epochs": 5, "final_epochs": 2, "final_loss": other},
    )
    fit(settings, train, validation, tmp_path)
    rows = csv.DictReader(next(tmp_path.glob("logs/*/metrics.csv")).read_text().splitlines())
    losses = [float(row["train/loss"]) for row in rows if row["train/loss"]]
    network = load_network(tmp_path / "final.ckpt").train()
    estimate = network(train.amplitude)
    expected = {
        "mse": (estimate - train.object).abs().square().mean().item() / 2,
        "sa_mse": sa_mse(estimate, train.object).item(),
    }
    assert abs(expected["mse"] / expected["sa_mse"] - 1) > 0.2
    assert losses[:3] == pytest.approx([expected[kind]] * 3, rel=0.05)
    assert losses[3:] == pytest.approx([expected[other]] * 2, rel=0.05)


def test_no_plateau_counts_in_the_final_epochs(tmp_path):
    # A rate too small to learn with, as below.
    settings, train, validation = problem(
        learning_rate=1e-12,
        **{"min_learning_rate": 1e-15, "factor": 0.5, "patience": 0},
        **{"max_epochs": 8, "final_epochs": 4},
    )
    fit(settings, train, validation, tmp_path)
    found = rates(tmp_path)
    assert found[2] < 1e-12
    assert found[3] == pytest.approx(found[2] * 0.05)
    assert found[4:] == [found[3]] * 4


def test_the_rate_falls_after_one_epoch_more_than_the_patience(tmp_path):
    settings, train, validation = problem(
        learning_rate=1e-8,
        **{"min_learning_rate": 1e-12, "factor": 0.5, "patience": 2, "max_epochs": 16},
    )
    fit(settings, train, validation, tmp_path)
    rows = csv.DictReader(next(tmp_path.glob("logs/*/metrics.csv")).read_text().splitlines())
    best, without, rate, expected = float("inf"), 0, 1e-8, []
    for error in (float(row["validation/sa_mse"]) for row in rows if row["validation/sa_mse"]):
        better = error < best * (1 - 1e-4)
        best, without = (error, 0) if better else (best, without + 1)
        if without == 3:
            rate, without = rate / 2, 0
        expected.append(rate)
    assert rates(tmp_path) == pytest.approx(expected)
    assert rate < 1e-8


def test_the_lowest_rate_ends_a_training_before_its_final_epochs(tmp_path):
    settings, train, validation = problem(
        learning_rate=1e-12,
        **{"min_learning_rate": 5e-13, "factor": 0.5, "patience": 0},
        **{"max_epochs": 50, "final_epochs": 20},
    )
    assert fit(settings, train, validation, tmp_path).epochs < 20


def test_ends_at_the_lowest_rate_and_stays_ended(tmp_path):
    # A rate too small to learn with: every epoch counts as a plateau.
    settings, train, validation = problem(
        learning_rate=1e-12, min_learning_rate=2e-13, factor=0.4, patience=0, max_epochs=50
    )
    fitted = fit(settings, train, validation, tmp_path)
    assert fitted.epochs < 20
    again = fit(settings, train, validation, tmp_path, resume=True)
    assert again == fitted
    (tmp_path / "summary.json").unlink()  # interrupted between the last checkpoint and the summary
    assert fit(settings, train, validation, tmp_path, resume=True).epochs == fitted.epochs
    assert (tmp_path / "summary.json").exists()
    # The lowest rate comes in the last epoch before the final ones, and in the one before that.
    for room in (0, 1):
        folder, most = tmp_path / f"final{room}", fitted.epochs + room + 3
        lowered = replace(settings, max_epochs=most, final_epochs=3)
        first = fit(lowered, train, validation, folder)
        assert first.epochs == fitted.epochs
        assert json.loads((folder / "summary.json").read_text())["lowest_rate"]
        assert fit(lowered, train, validation, folder, resume=True) == first


def test_sa_mse_loss_bf16_and_channels_last(tmp_path):
    settings, train, validation = problem(
        loss="sa_mse", precision="bf16", channels_last=True, tf32=True, max_epochs=2
    )
    before = torch.get_float32_matmul_precision()
    fitted = fit(settings, train, validation, tmp_path)
    assert torch.get_float32_matmul_precision() == before
    assert weights(fitted.final)["network.head.weight"].dtype == torch.float32
    assert fitted.best_validation > 0


@pytest.mark.parametrize(
    "choices",
    [
        {"loss": "mse", "tf32": True},
        {"loss": "sa_mse", "precision": "bf16", "channels_last": True},
        {"network": "SiSPRNet", "options": {"hidden": 8, "dropout": 0.2}, "resident": False},
    ],
)
def test_trains_on_the_device_and_goes_on(device, tmp_path, choices):
    where = {"accelerator": "gpu" if device == "cuda" else "cpu"}
    for epochs in (1, 2):
        settings, train, validation = problem(max_epochs=epochs, **where, **choices)
        fitted = fit(settings, train, validation, tmp_path, resume=epochs > 1)
    assert fitted.epochs == 2
    network = load_network(fitted.best).to(device)
    here = validation if device == "cpu" else validation.to(device)
    # Other precisions than in the training, where those were lower.
    for pairs in (validation, here):
        found = evaluate(network, pairs).sa_mse
        assert found == pytest.approx(fitted.best_validation, rel=0.1)


def test_two_processes(tmp_path, capfd):
    """Nine validation items in two processes: the tenth place is padding and must not count."""
    settings, train, validation = problem(max_epochs=1, devices=2, batch=5)
    capfd.readouterr()
    fitted = fit(settings, train, validation, tmp_path)
    told = capfd.readouterr()
    # Of Lightning nothing; c10d has its own to say where a network is unusual.
    lines = [line for line in told.err.splitlines() if not line.startswith("[W")]
    assert (told.out, lines) == ("", [])
    found = evaluate(load_network(fitted.best), validation)
    assert found.sa_mse == pytest.approx(fitted.best_validation, rel=1e-4)


def test_errors(tmp_path):
    settings, train, validation = problem(max_epochs=1)
    with pytest.raises(ValueError, match="train holds no pairs"):
        fit(settings, train.head(0), validation, tmp_path)
    fit(settings, train, validation, tmp_path)
    with pytest.raises(FileExistsError, match="holds a training already"):
        fit(settings, train, validation, tmp_path)
    other, *_ = problem(seed=5)
    with pytest.raises(ValueError, match="another training, it differs in seed"):
        fit(other, train, validation, tmp_path, resume=True)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"network": "VGG"}, "network must be one of UNet, SiSPRNet"),
        ({"loss": "l1"}, "loss must be one of mse, sa_mse"),
        ({"batch": 0}, "batch must be an integer >= 1"),
        ({"factor": 1.0}, "factor must be in"),
        ({"min_learning_rate": 1.0}, "min_learning_rate must be in"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and > 0, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite and > 0, got nan"),
        ({"seed": 2**63}, "seed must fit 64 bits"),
    ],
)
def test_settings_are_checked(choice, message):
    with pytest.raises(ValueError, match=message):
        TrainSettings(**choice)
