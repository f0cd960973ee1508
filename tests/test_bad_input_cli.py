"""Wrong input on the command line: one line on stderr, no traceback, no file left behind."""

import os
import resource
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.learning.networks import load_network


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    counts = np.arange(256, dtype=np.uint16).reshape(16, 16) % 9
    objects = np.zeros((6, 8, 8), np.complex64)
    objects[:, 2:5, 3:6] = 1
    with h5py.File(folder / "scan.h5", "w") as file:
        file["data"], file["mask"], file["none"] = counts, counts * 0, counts * 0 + 1
        file["small"] = counts[:4]
    with h5py.File(folder / "raw.h5", "w") as file:
        file["data"] = np.random.default_rng(0).poisson(9.0, (40, 40)).astype(np.uint32)
        file["all"] = np.ones((3, 40, 40), np.uint16)
        file["mask"] = np.ones((40, 40), np.uint8)
        file["linked"] = h5py.ExternalLink("absent.h5", "data")
    with h5py.File(folder / "pairs.h5", "w") as file:
        file["object"], file["amplitude"] = objects, np.ones((6, 16, 16), np.float32)
    with h5py.File(folder / "small.h5", "w") as file:  # M < 2N - 1
        file["object"], file["amplitude"] = objects, np.ones((6, 14, 14), np.float32)
    with h5py.File(folder / "nan.h5", "w") as file:
        file["object"] = objects
        file["amplitude"] = np.full((6, 16, 16), np.nan, np.float32)
    with h5py.File(folder / "uneven.h5", "w") as file:
        file["object"], file["amplitude"] = objects, np.ones((5, 16, 16), np.float32)
    with h5py.File(folder / "empty.h5", "w"):
        pass
    np.save(folder / "objects.npy", objects)
    np.save(folder / "none.npy", objects[:0])
    np.save(folder / "thin.npy", objects[:, :, :0])
    np.save(folder / "zeros.npy", 0 * counts)
    np.save(folder / "nan.npy", counts * np.nan)
    np.save(folder / "negative.npy", -1.0 * counts)
    np.save(folder / "text.npy", np.array([["a", "b"]] * 2))
    np.save(folder / "pickled.npy", np.array([Bomb(folder / "ran")]), allow_pickle=True)
    torch.save({"hyper_parameters": Bomb(folder / "ran"), "state_dict": {}}, folder / "bomb.ckpt")
    torch.save({"weights": torch.ones(2)}, folder / "other.ckpt")
    odd = {"hyper_parameters": {"network": "UNet"}, "state_dict": {}}
    torch.save(odd, folder / "odd.ckpt")
    torch.save({"hyper_parameters": 5, "state_dict": 6}, folder / "numbers.ckpt")
    (folder / "text.h5").write_text("frequency amplitude\n0 1\n")
    (folder / "text.ckpt").write_text("weights")
    (folder / "cut.h5").write_bytes((folder / "pairs.h5").read_bytes()[:3000])
    (folder / "data.txt").write_text("1 2 3")
    (folder / "words.npy").write_text("frequency amplitude\n0 1\n")
    (folder / "folder.h5").mkdir()
    return folder


PHASE = "reconstruct {d}/scan.h5:data -o {o}/out.cxi "
BREAK = "break {d}/objects.npy -o {o}/out.h5 "
TRAIN = "train {d}/pairs.h5 {d}/pairs.h5 -o {o}/run --accelerator cpu "
PREPARE = "prepare {d}/raw.h5:data -o {o}/out.h5 "
# What is typed, the exit status, what the line says.
CASES = [
    ("reconstruct {d}/absent.h5 -o {o}/out.cxi", 1, "absent.h5: No such file"),
    ("reconstruct {d}/folder.h5 -o {o}/out.cxi", 1, "folder.h5: Is a directory"),
    ("reconstruct {d}/data.txt -o {o}/out.cxi", 1, "unknown kind of file '.txt', expected .h5"),
    ("reconstruct {d}/text.h5 -o {o}/out.cxi", 1, "text.h5: not a whole HDF5 file"),
    ("reconstruct {d}/cut.h5 -o {o}/out.cxi", 1, "cut.h5: not a whole HDF5 file"),
    ("reconstruct {d}/empty.h5 -o {o}/out.cxi", 1, "no dataset can be a pattern; it holds no"),
    ("reconstruct {d}/text.npy -o {o}/out.cxi", 1, "no dataset can be a pattern; it holds text"),
    ("reconstruct {d}/pickled.npy -o {o}/out.cxi", 1, "not a NumPy file of plain numbers"),
    ("reconstruct {d}/objects.npy -o {o}/out.cxi", 1, "no dataset can be a pattern"),
    ("reconstruct {d}/zeros.npy -o {o}/out.cxi", 1, "every measured pixel is 0"),
    ("reconstruct {d}/nan.npy -o {o}/out.cxi", 1, "no pixel is left as measured"),
    ("reconstruct {d}/negative.npy -o {o}/out.cxi --amplitudes", 1, "amplitudes must be >= 0"),
    ("reconstruct {d}/scan.h5 -o {o}/out.cxi", 1, "several datasets can be the pattern"),
    ("reconstruct {d}/scan.h5:other -o {o}/out.cxi", 1, "no dataset 'other'; it holds /data"),
    ("reconstruct : -o {o}/out.cxi", 2, "expected FILE[:DATASET], got ':'"),
    (PHASE + "--mask :none", 1, "no pixel is left as measured"),
    (PHASE + "--valid :mask", 1, "no pixel is left as measured"),
    (PHASE + "--mask :other", 1, "no dataset 'other'"),
    (PHASE + "--mask :small", 1, "shape (4, 16) differs from the pattern's, (16, 16)"),
    (PHASE + "--support :mask", 1, "support must hold at least one pixel"),
    (PHASE + "--schedule 3*XR", 2, "Invalid value for '--schedule'"),
    (PHASE + "--schedule 3*XR", 2, "got 'XR'"),
    (PHASE + "--schedule ER+", 2, "got the end"),
    (PHASE + "--beta 0", 2, "Invalid value for '--beta': beta must be in (0, 2], got 0"),
    (PHASE + "--beta x", 2, "Invalid value for '--beta'"),
    (PHASE + "--starts 0", 2, "Invalid value for '--starts'"),
    (PHASE + "--starts 999999999999", 1, "starts = 999999999999 needs"),
    (PHASE + "--seed 99999999999999999999", 2, "Invalid value for '--seed': seed must fit 64 bits"),
    (PHASE + "--seed -1 --every 9223372036854775808", 2, "'--every': every must fit 64 bits"),
    (PHASE + "--hold 9223372036854775808", 2, "Invalid value for '--hold': hold must fit"),
    (PHASE + "--threshold 1.5", 2, "Invalid value for '--threshold': threshold must be in (0, 1)"),
    (PHASE + "--decay 0", 2, "Invalid value for '--decay': decay must be in (0, 1], got 0"),
    (PHASE + "--sigma-min -1", 2, "Invalid value for '--sigma-min': sigma and sigma_min must"),
    (PHASE + "--sigma-min nan", 2, "Invalid value for '--sigma-min': sigma and sigma_min must"),
    (PHASE + "--threshold nan", 2, "threshold must be in (0, 1), got nan"),
    (PHASE + "--area 0", 2, "each above 0 and at most 1, got '0'"),
    (PHASE + "--sigma -1", 2, "Invalid value for '--sigma': sigma and"),
    (PHASE + "--free 0", 2, "Invalid value for '--free': fraction must be in (0, 0.2], got 0.0"),
    (PHASE + "--free 0.5", 2, "fraction must be in (0, 0.2], got 0.5"),
    (PHASE + "--free x", 2, "Invalid value for '--free'"),
    (PHASE + "--good 0.5", 2, "Invalid value for '--good'"),
    (PHASE + "--device tpu", 2, "expected cpu or cuda, got 'tpu'"),
    (PHASE + "--device meta", 2, "expected cpu or cuda, got 'meta'"),
    (PHASE + "--device cuda:99", 2, "no device cuda:99 here"),
    (PHASE + "--plot {o}/out.doc", 2, "must end with .png"),
    (PHASE + "--plot {o}/absent/out.png", 1, "there is no folder"),
    ("reconstruct {d}/scan.h5:data -o {o}/absent/out.cxi", 1, "there is no folder"),
    ("reconstruct {d}/scan.h5:data -o /dev/full/out.cxi", 1, "there is no folder /dev/full"),
    ("reconstruct {d}/scan.h5:data -o {d}/folder.h5", 1, "is a folder, a file name is needed"),
    ("prepare {d}/absent.h5 -o {o}/out.h5", 1, "absent.h5: No such file"),
    ("prepare {d}/cut.h5 -o {o}/out.h5", 1, "cut.h5: not a whole HDF5 file"),
    ("prepare {d}/text.h5 -o {o}/out.h5", 1, "text.h5: not a whole HDF5 file"),
    ("prepare {d}/empty.h5 -o {o}/out.h5", 1, "no dataset can be a frame; it holds no dataset"),
    ("prepare {d}/objects.npy -o {o}/out.h5", 1, "no dataset can be a frame"),
    ("prepare {d}/words.npy -o {o}/out.h5", 1, "plain numbers (it does not begin as one)"),
    ("prepare {d}/pickled.npy -o {o}/out.h5", 1, "not a NumPy file of plain numbers"),
    ("prepare {d}/data.txt -o {o}/out.h5", 1, "unknown kind of file '.txt'"),
    ("prepare {d}/raw.h5:linked -o {o}/out.h5", 1, "lead nowhere: /linked -> absent.h5"),
    ("prepare {d}/raw.h5:all -o {o}/out.h5", 1, "combine (--stack) must say what the 3 frames"),
    ("prepare {d}/raw.h5:all -o {o}/out.h5 --stack volume", 1, "needs at least 4 frames, got 3"),
    ("prepare {d}/raw.h5:data {d}/zeros.npy -o {o}/out.h5", 1, "its frames are (16, 16)"),
    ("prepare {d}/zeros.npy -o {o}/out.h5", 1, "no measured pixel above 0"),
    ("prepare {d}/nan.npy -o {o}/out.h5", 1, "no measured pixel above 0"),
    ("prepare {d}/raw.h5:data -o {o}/out.txt", 2, "must end with .h5"),
    ("prepare {d}/raw.h5:data -o {d}/raw.h5", 2, "is an input, it would be overwritten"),
    (PREPARE + "--stack all", 2, "Invalid value for '--stack'"),
    (PREPARE + "--frames 3", 1, "no frame is chosen, there are 1"),
    (PREPARE + "--frames 1:2:3", 2, "expected K or START:STOP, several joined by commas, got '1:2"),
    (PREPARE + "--frames 0:1,2 --stack volume", 2, "frames of a volume follow each other, exp"),
    (PREPARE + "--center middle", 2, "expected max, mass or [FRAME,]ROW,COLUMN, got 'middle'"),
    (PREPARE + "--center 20", 2, "expected max, mass or [FRAME,]ROW,COLUMN, got '20'"),
    (PREPARE + "--center 20,50", 1, "center must lie inside the frames, (40, 40)"),
    (PREPARE + "--center -1,2", 2, "for --center: expected numbers >= 0, got '-1,2'"),
    (PREPARE + "--center 2,2", 1, "around the centre (2, 2) no window of 32 pixels"),
    (PREPARE + "--size x", 2, "expected N or [FRAMES,]ROWS,COLUMNS, got 'x'"),
    (PREPARE + "--size 0", 2, "for --size: expected numbers >= 4, got '0'"),
    (PREPARE + "--size 999999999", 1, "shape (--size) = (999999999, 999999999) in"),
    (PREPARE + "--bin 2,0", 2, "for --bin: expected numbers >= 1, got '2,0'"),
    (PREPARE + "--saturation -1", 2, "Invalid value for '--saturation'"),
    (PREPARE + "--hot 1", 2, "for '--hot': factor (--hot) must be > 1, got 1"),
    (PREPARE + "--hot nan", 2, "factor (--hot) must be > 1"),
    (PREPARE + "--mask :mask", 1, "no measured pixel above 0"),
    (PREPARE + "--mask :all", 1, "shape (3, 40, 40) differs from the frames'"),
    (PREPARE + "--valid {d}/zeros.npy", 1, "no dataset can be a mask of frames (40, 40)"),
    (PREPARE + "--background -1", 2, "for --background: expected a finite number >= 0 or a"),
    (PREPARE + "--background nan", 2, "or a file, got 'nan'"),
    (PREPARE + "--background {d}/zeros.npy", 1, "no dataset can be a background of frames (40"),
    (PREPARE + "--plot {o}/out.doc", 2, "must end with .png"),
    ("export {d}/absent.cxi -o {o}/out.vti", 1, "absent.cxi: No such file"),
    ("export {d}/pairs.h5 -o {o}/out.vti", 1, "pairs.h5: not a CXI file of symbreak"),
    ("export {d}/pairs.h5 -o {o}/out.vtk", 2, "must end with .vti"),
    ("export {d}/pairs.h5 -o {o}/out.vti --level 2", 2, "'--level': level must be in [0, 1), got"),
    ("resolution {d}/pairs.h5 {d}/pairs.h5 --level 2", 2, "'--level': level must be in [0, 1)"),
    ("resolution {d}/pairs.h5 {d}/absent.cxi", 1, "pairs.h5"),
    ("export {d}/pairs.h5 -o {o}/out.vti --spacing x", 2, "expected S or [Z,]Y,X, each"),
    ("export {d}/pairs.h5 -o {o}/out.vti --spacing 0", 2, "for --spacing: expected S or [Z,]Y,X"),
    ("reconstruct-stack {d}/pairs.h5:amplitude -o {o}/out.h5 --beta 3", 2, "for '--beta': beta"),
    ("break {d}/none.npy -o {o}/out.h5", 1, "none.npy: it is empty, shape (0, 8, 8)"),
    ("break {d}/thin.npy -o {o}/out.h5", 1, "thin.npy: it is empty, shape (6, 8, 0)"),
    ("break {d}/zeros.npy -o {o}/out.h5", 1, "no dataset can be a stack of complex objects"),
    ("break {d}/scan.h5:data -o {o}/out.h5", 1, "objects must be complex, got uint16"),
    ("break {d}/pickled.npy -o {o}/out.h5", 1, "not a NumPy file of plain numbers"),
    (BREAK + "--rule up", 2, "for '--rule': rule must be angle or circulation, got 'up'"),
    (BREAK + "--tol 1", 2, "for '--tol': tol must be in [0, 1), got 1.0"),
    (BREAK + "--ndim 4", 2, "Invalid value for '--ndim'"),
    (BREAK + "--chunk 0", 2, "Invalid value for '--chunk'"),
    ("break {d}/objects.npy -o {d}/objects.npy", 2, "must end with .h5"),
    ("align {d}/objects.npy {d}/thin.npy", 1, "thin.npy: it is empty"),
    ("align {d}/objects.npy {d}/cut.h5", 1, "cut.h5: not a whole HDF5 file"),
    ("simulate {o}/out --size 4", 2, "Invalid value for '--size'"),
    ("simulate {o}/out --defects 5 2", 2, "for '--defects': defects must be two integers"),
    ("simulate {o}/out --cores edge", 2, "'--cores': cores must be crystal or frame, got 'edge'"),
    ("simulate {o}/out --train 1 --photons -1", 2, "for '--photons': photons must be"),
    ("simulate {o}/out --train 1 --gaps 0 0", 2, "for '--gaps': module must be"),
    ("simulate {o}/out --train 1 --beamstop inf", 2, "for '--beamstop': radius must be finite"),
    ("simulate {o}/out --ndim 3 --defects 0 2", 2, "for '--defects': settings.defects must be"),
    ("simulate {o}/out --seed 9223372036854775808", 2, "for '--seed': seed must fit 64 bits"),
    ("simulate {o}/out --train 0 --validation 0 --test 0", 2, "one split at least must have pairs"),
    ("simulate {d}/data.txt --train 1", 2, "data.txt must be a folder, or a new name for one"),
    ("simulate {d}/data.txt/run --train 1", 2, "data.txt/run must be a folder"),
    ("demo -o {d}/data.txt", 2, "data.txt must be a folder"),
    ("experiment margins -o {d}/data.txt", 2, "data.txt must be a folder"),
    ("train {d}/objects.npy {d}/objects.npy -o {d}/data.txt", 2, "data.txt must be a folder"),
    ("train {d}/absent.h5 {d}/pairs.h5 -o {o}/run", 1, "absent.h5"),
    ("train {d}/text.h5 {d}/pairs.h5 -o {o}/run", 1, "text.h5: not a whole HDF5 file"),
    ("train {d}/scan.h5 {d}/pairs.h5 -o {o}/run", 1, "needs a complex dataset 'object'"),
    ("break {d}/small.h5:/nope -o {o}/out.h5", 1, "no dataset '/nope'; it holds /amplitude"),
    ("simulate {o}/s --train 2 --size 16 --beamstop 100", 2, "beamstop and gaps must leave a pixe"),
    ("train {d}/small.h5 {d}/small.h5 -o {o}/run", 1, "M >= 2N - 1 = (15, 15), got (14, 14)"),
    ("train {d}/uneven.h5 {d}/pairs.h5 -o {o}/run", 1, "'amplitude' does not fit 'object'"),
    ("train {d}/nan.h5 {d}/pairs.h5 -o {o}/run", 1, "amplitude must be finite"),
    (TRAIN + "--network VGG", 2, "for '--network': network must be one of UNet"),
    (TRAIN + "--options [", 2, "not JSON"),
    (TRAIN + '--options {{"depth":-1}}', 2, "for '--options': depth must be"),
    (TRAIN + '--options {{"deep":1}}', 2, "for '--options': UNet does not take these options"),
    (TRAIN + "--learning-rate 0", 2, "for '--learning-rate': learning_rate must be finite and > 0"),
    (TRAIN + "--learning-rate 1e-6", 2, "for '--min-learning-rate': min_learning_rate must be in"),
    (TRAIN + "--loss l1", 2, "for '--loss': loss must be one of mse, sa_mse, got 'l1'"),
    (TRAIN + "--factor 1", 2, "for '--factor': factor must be in (0, 1), got 1.0"),
    (TRAIN + "--patience -1", 2, "for '--patience': patience must be"),
    (TRAIN + "--final-epochs 500", 2, "for '--final-epochs': final_epochs must be below"),
    (TRAIN + "--final-loss mse", 2, "for '--final-loss': final_loss asks for final_epochs"),
    (TRAIN + "--precision 16", 2, "for '--precision': precision must be"),
    (TRAIN + "--save-every inf", 2, "for '--save-every': save_every must be"),
    (TRAIN + "--seed 9223372036854775808", 2, "for '--seed': seed must fit 64 bits"),
    (TRAIN + "--accelerator tpu", 2, "for '--accelerator': accelerator must be"),
    ("evaluate {d}/absent.ckpt {d}/pairs.h5", 1, "absent.ckpt: No such file"),
    ("evaluate {d}/bomb.ckpt {d}/pairs.h5", 1, "bomb.ckpt: not a checkpoint of symbreak"),
    ("evaluate {d}/text.ckpt {d}/pairs.h5", 1, "text.ckpt: not a checkpoint of symbreak"),
    ("evaluate {d}/other.ckpt {d}/pairs.h5", 1, "other.ckpt: not a checkpoint of symbreak"),
    ("evaluate {d}/odd.ckpt {d}/pairs.h5", 1, "odd.ckpt: not a checkpoint of symbreak"),
    ("predict {d}/numbers.ckpt {d}/pairs.h5 -o {o}/out.h5", 1, "not a checkpoint of symbreak"),
    ("experiment nothing -o {o}/out", 2, "for 'NAME': expected square-root"),
    ("experiment tables -o {o}/out --scale big", 2, "for '--scale': expected tiny, small, paper"),
    ("experiment tables -o {o}/out --variant no", 2, "for '--variant': expected before, after"),
    ("experiment tables -o {o}/out --set 0", 2, "Invalid value for '--set'"),
    ("experiment tables -o {o}/out --seed 9223372036854775808", 2, "'--seed': seed must fit"),
    ("combine {d}/a.cxi {d}/b.cxi {d}/c.cxi -o {o}/out.vti --voxel 0", 2, "for '--voxel': voxel"),
]  # fmt: skip


def test_a_gpu_that_is_not_there(data, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    words = ["train", data / "pairs.h5", data / "pairs.h5", "-o", tmp_path, "--accelerator", "gpu"]
    result = run(list(map(str, words)))
    assert result.exit_code == 2
    assert "for '--accelerator': accelerator must be auto or cpu, got 'gpu'" in result.stderr
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    result = run([*map(str, words), "--devices", "3"])
    assert "for '--devices': devices must be at most 2" in result.stderr


@pytest.mark.parametrize(("cores", "most"), [(6, 6), (1, 2)])
def test_more_processes_than_cores(data, tmp_path, monkeypatch, cores, most):
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    words = [*(TRAIN + "--devices").format(d=data, o=tmp_path).split(), str(most + 1)]
    result = run(words)
    assert result.exit_code == 2
    assert f"for '--devices': devices must be at most {most}, a process for" in result.stderr
    assert not list(tmp_path.iterdir())


def run(words):
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


@pytest.mark.parametrize(("line", "status", "message"), CASES)
def test_one_line_says_what_is_wrong(data, tmp_path, line, status, message):
    result = run([word.format(d=data, o=tmp_path) for word in line.split()])
    errors = [text for text in result.stderr.splitlines() if "error: " in text]
    assert result.exit_code == status, result.output
    assert len(errors) == 1
    assert errors[0].startswith("symbreak: error: ")
    assert message in result.stderr[result.stderr.index(errors[0]) :]
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_nothing_was_unpickled(data, tmp_path):
    with pytest.raises(ValueError, match="not a checkpoint of symbreak"):
        load_network(data / "bomb.ckpt")
    run(["break", str(data / "pickled.npy"), "-o", str(tmp_path / "out.h5")])
    assert not (data / "ran").exists()
    torch.load(data / "bomb.ckpt", weights_only=False)["hyper_parameters"].close()
    assert (data / "ran").exists()  # the bomb is a real one
    (data / "ran").unlink()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only(data, tmp_path):
    tmp_path.chmod(0o500)
    result = run(["break", str(data / "objects.npy"), "-o", str(tmp_path / "out.h5")])
    tmp_path.chmod(0o700)
    assert "is not writable" in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        "simulate {o} --size 16 --train 20 --validation 0 --test 0",
        "break {d}/objects.npy -o {o}/out.h5",
        "align {d}/objects.npy {d}/objects.npy -o {o}/out.h5",
        "prepare {d}/raw.h5:data -o {o}/out.h5 --center 20,20",
        "reconstruct {d}/scan.h5:data -o {o}/out.cxi --schedule 5*ER",
    ],
)
def test_a_full_disk(data, tmp_path, line):
    """A limit of the file size stands for the disk: the same errors, at the same places."""
    words = [word.format(d=data, o=tmp_path) for word in line.split()]
    done = subprocess.run(
        [sys.executable, "-m", "symbreak", *words],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500)),
    )
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("symbreak: error: ")
    assert "File too large" in last
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
