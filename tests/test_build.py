"""The build: what it tells of itself, and that every op has all of its parts."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from docstrings import public

import symbreak
import symbreak.ops

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = (ROOT / "csrc" / "schemas.cpp").read_text()
OPS = re.findall(r'm\.def\(\s*"(\w+)\(', SCHEMAS)
# Ops that only others are made of; they have no public function of their name.
INTERNAL = {"reindex", "flip_pivot", "best_element", "reconstruct_blurred"}


def test_build_info_tells_the_truth():
    info = symbreak.build_info()
    assert info["version"] == symbreak.__version__
    assert info["torch"].split("+")[0].count(".") == 2
    assert info["cuda"] == bool(info["cuda_archs"])
    library = Path(symbreak._C.__file__).read_bytes()
    assert info["cuda"] == (b"reindex_kernel" in library)


def test_version_is_that_of_the_package():
    declared = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert symbreak.__version__ == declared[1]
    try:
        assert importlib.metadata.version("symbreak") == declared[1]
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("symbreak is not installed here but used from its source tree")


def test_schemas_were_found():
    assert len(OPS) >= 9


@pytest.mark.parametrize("op", OPS)
def test_every_op_is_registered_with_cpu_fake_and_autograd(op):
    name = f"symbreak::{op}"
    assert hasattr(torch.ops.symbreak, op)

    def has(key):
        return torch._C._dispatch_has_kernel_for_dispatch_key(name, key)

    if not has("CompositeImplicitAutograd"):
        assert has("CPU")
        assert has("Meta")
        assert has("Autograd") or has("AutogradCPU")


@pytest.mark.parametrize("op", sorted(set(OPS) - INTERNAL))
def test_every_public_op_has_function_reference_and_test(op):
    assert op in symbreak.__all__
    assert getattr(symbreak, op).__doc__
    module = getattr(symbreak, op).__module__.rsplit(".", 1)[1]
    assert (ROOT / "python" / "symbreak" / "reference" / f"{module}.py").is_file()
    assert (ROOT / "tests" / f"test_{op}.py").is_file()
    assert any(op in path.read_text() for path in (ROOT / "bench").glob("bench_*.py"))


def printed(code):
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_importing_symbreak_imports_nothing_heavy():
    code = (
        "import sys, symbreak; heavy = {'matplotlib', 'h5py', 'typer', 'rich', 'tifffile', "
        "'lightning', 'shapely', 'skimage', 'scipy', 'torch._dynamo'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert printed(code) == "[]"


def test_the_modules_of_the_api_pages_need_no_import_of_their_own():
    pytest.importorskip("lightning")  # a page shows the training too
    paths = {name.split(".")[1] for name in public() if name.count(".") > 1}
    modules = {name for name in paths if isinstance(getattr(symbreak, name), ModuleType)}
    assert modules == set(symbreak._MODULES)
    assert modules <= set(dir(symbreak))
    code = "import symbreak; print(symbreak.data.beamstop((8, 8), 2).shape, symbreak.models.UNet)"
    assert printed(code) == "torch.Size([8, 8]) <class 'symbreak.models.unet.UNet'>"


def test_no_other_name_is_invented():
    assert not hasattr(symbreak, "date")
    with pytest.raises(ImportError, match="cannot import name 'date'"):
        from symbreak import date  # noqa: F401


def test_error_messages_do_not_show_the_build_machine():
    x = torch.ones(3, 3, dtype=torch.complex64)
    with pytest.raises(RuntimeError) as error:
        torch.ops.symbreak.center(x, ndim=5)
    assert "ndim must be 2 or 3" in str(error.value)
    assert str(ROOT) not in str(error.value)
    assert str(ROOT).encode() not in Path(symbreak._C.__file__).read_bytes()
