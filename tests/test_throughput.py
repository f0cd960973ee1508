"""bench/throughput.py: what is measured is kept before all is."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
pytest.importorskip("shapely")
import throughput as bench


def test_commands_are_written_as_they_are_measured(tmp_path, monkeypatch):
    def measure(name, folder, rounds, device):
        if name == "predict":
            raise KeyboardInterrupt  # as a limit of time would
        return dict.fromkeys(bench.FIELDS, "1") | {"command": name, "rounds": str(rounds)}

    written = tmp_path / "throughput-cuda.csv"
    monkeypatch.setattr(bench, "CSV", {**bench.CSV, "cuda": written})
    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr(bench, "run", lambda command: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a device")
    monkeypatch.setattr(sys, "argv", ["throughput", "--device", "cuda", "--rounds", "2"])
    with pytest.raises(KeyboardInterrupt):
        bench.main()
    rows = bench.read_csv(written)
    assert [(row["command"], row["rounds"]) for row in rows] == [("break", "2"), ("align", "2")]
    assert bench.read_header(written)["gpu"] == "a device"
