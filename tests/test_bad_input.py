"""Wrong arguments of the Python functions: one line that names what was wrong, and no crash."""

import numpy as np
import pytest
import torch

import symbreak

X = torch.ones(2, 8, 8, dtype=torch.complex64)
A = torch.ones(2, 8, 8)
INSIDE = torch.ones(8, 8, dtype=torch.bool)
SHIFT = torch.zeros(2, dtype=torch.int64)
NAN, INF = float("nan"), float("inf")
LARGE = 2**70  # more than 64 bits
HUGE = 10**5000  # more than Python prints
MANY = X[:1].expand(10**10, 8, 8)  # 5 TB without taking any


class TwoLines:
    def __repr__(self):
        return "two\nlines"


def meta(x):
    return x.to("meta")


def holding(value):
    a = A.clone()
    a[1, 2, 3] = value
    return a


# Function, arguments, the exception, what its one line says.
CASES = [
    ("center", {"x": [1j]}, TypeError, "x must be a torch.Tensor, got list"),
    ("center", {"x": X.numpy()}, TypeError, "x must be a torch.Tensor, got ndarray"),
    ("center", {"x": A}, TypeError, "x must be complex64 or complex128, got float32"),
    ("center", {"x": A.bool()}, TypeError, "x must be complex64 or complex128, got bool"),
    ("center", {"x": X.to_sparse()}, TypeError, "x must be a dense tensor, got a sparse_coo one"),
    ("center", {"x": X[0, 0]}, ValueError, r"at least ndim = 2 axes, got shape \(8,\)"),
    ("center", {"x": X[:, :0]}, ValueError, r"grid of x must not be empty, got shape \(2, 0, 8\)"),
    ("center", {"x": X, "ndim": 4}, ValueError, "ndim must be 2 or 3, got 4"),
    ("center", {"x": X, "ndim": LARGE}, ValueError, f"ndim must be 2 or 3, got {LARGE}"),
    ("center", {"x": X, "ndim": 2.0}, TypeError, "ndim must be the integer 2 or 3, got 2.0"),
    ("center", {"x": X, "tol": -0.1}, ValueError, r"tol must be in \[0, 1\), got -0.1"),
    ("center", {"x": X, "tol": NAN}, ValueError, r"tol must be in \[0, 1\), got nan"),
    ("center", {"x": X, "tol": "1"}, TypeError, "tol must be a number, got str"),
    ("center", {"x": X, "wrap": 1}, TypeError, "wrap must be True or False, got 1"),
    ("break_symmetry", {"x": A}, TypeError, "x must be complex64 or complex128, got float32"),
    ("break_symmetry", {"x": X, "rule": "up"}, ValueError, "rule must be angle or .*, got 'up'"),
    ("break_symmetry", {"x": X, "rule": None}, ValueError, "rule must be angle or .*, got None"),
    ("break_symmetry", {"x": X.to_sparse()}, TypeError, "x must be a dense tensor"),
    ("apply_symmetry", {"x": X, "shift": "ab"}, TypeError, "shift must be integers .*, got 'ab'"),
    ("apply_symmetry", {"x": X, "shift": [0.5, 1]}, TypeError, "signed integers, got float32"),
    ("apply_symmetry", {"x": X, "shift": [LARGE, 0]}, TypeError, f"64 bits, got .{LARGE}, 0"),
    ("apply_symmetry", {"x": X, "shift": meta(SHIFT)}, ValueError, "shift must be .* got meta"),
    ("apply_symmetry", {"x": X, "shift": [1, 2, 3]}, ValueError, r"shift must broadcast to .2, 2"),
    ("apply_symmetry", {"x": X, "flipped": 1}, TypeError, "flipped must be bool, got int64"),
    ("apply_symmetry", {"x": X, "flipped": "yes"}, TypeError, "flipped must be bool, got 'yes'"),
    ("apply_symmetry", {"x": X, "phase": [1.0]}, TypeError, "phase must be a number or a tensor"),
    ("apply_symmetry", {"x": X, "phase": NAN}, ValueError, "phase must be finite .* got nan"),
    ("apply_symmetry", {"x": X, "phase": meta(A[0, 0])}, ValueError, "phase must be .* got meta"),
    ("fourier_amplitude", {"x": A}, TypeError, "x must be complex64 or complex128, got float32"),
    ("fourier_amplitude", {"x": X, "shape": (7, 8)}, ValueError, r"shape must be >= the grid"),
    ("fourier_amplitude", {"x": X, "shape": (16,)}, ValueError, "shape must have ndim = 2 sizes"),
    ("fourier_amplitude", {"x": X, "shape": (8, LARGE)}, ValueError, "shape must fit 64 bits"),
    ("fourier_amplitude", {"x": X, "shape": (2**40,) * 2}, MemoryError, "shape = .* needs .* cpu"),
    ("fourier_amplitude", {"x": X, "oversampling": 0}, ValueError, "oversampling must be >= 1"),
    # 8 * (2**61 + 1) is 8 in 64 bits
    ("fourier_amplitude", {"x": X, "oversampling": 2**61 + 1}, MemoryError, "oversampling = .*EB"),
    ("fourier_amplitude", {"x": X, "oversampling": LARGE}, ValueError, "must fit 64 bits"),
    ("align", {"estimate": X, "reference": X[0]}, ValueError, r"\(2, 8, 8\), got \(8, 8\)"),
    ("align", {"estimate": X, "reference": X.cdouble()}, TypeError, "complex64, got complex128"),
    ("align", {"estimate": X, "reference": meta(X)}, ValueError, "the device of estimate, cpu"),
    ("align", {"estimate": X, "reference": X.to_sparse()}, TypeError, "reference must be a dense"),
    ("align", {"estimate": A, "reference": A}, TypeError, "estimate must be complex64"),
    ("sa_mse", {"estimate": X, "reference": X, "reduction": "max"}, ValueError, "got 'max'"),
    ("sa_mse", {"estimate": X, "reference": None}, TypeError, "reference must be a torch.Tensor"),
    ("free_pixels", {"shape": 8}, ValueError, "shape must be 2 or 3 integers >= 1, got 8"),
    ("free_pixels", {"shape": (8, 0)}, ValueError, r"2 or 3 integers >= 1, got \(8, 0\)"),
    ("free_pixels", {"shape": (8, 8, 8, 8)}, ValueError, "shape must be 2 or 3 integers"),
    ("free_pixels", {"shape": (10**7, 10**7)}, MemoryError, "shape = .* needs .* cpu has"),
    ("free_pixels", {"fraction": 0}, ValueError, r"fraction must be in \(0, 0.2\], got 0"),
    ("free_pixels", {"fraction": 0.3}, ValueError, r"fraction must be in \(0, 0.2\], got 0.3"),
    ("free_pixels", {"fraction": NAN}, ValueError, r"fraction must be in \(0, 0.2\], got nan"),
    ("free_pixels", {"fraction": "5%"}, TypeError, "fraction must be a number, got '5%'"),
    ("free_pixels", {"radius": 0}, ValueError, "radius must be at least 1, got 0"),
    ("free_pixels", {"radius": 1.5}, TypeError, "radius must be an integer, got 1.5"),
    ("free_pixels", {"radius": HUGE}, ValueError, "radius must fit 64 bits, got a value"),
    ("free_pixels", {"exclude": 0.5}, ValueError, r"exclude must be in \[0, 0.5\), got 0.5"),
    ("free_pixels", {"exclude": None}, TypeError, "exclude must be a number, got None"),
    ("free_pixels", {"seed": -1}, ValueError, "seed must be at least 0, got -1"),
    ("free_pixels", {"valid": INSIDE[:7]}, ValueError, r"valid must have shape .8, 8., got .7, 8"),
    ("free_pixels", {"valid": INSIDE.byte()}, TypeError, "valid must be bool, got uint8"),
    ("free_pixels", {"valid": INSIDE.numpy()}, TypeError, "valid must be a torch.Tensor, got nd"),
    ("free_pixels", {"valid": ~INSIDE}, ValueError, "valid must leave a measured pixel outside"),
    ("free_pixels", {"valid": meta(INSIDE)}, ValueError, "valid must hold data, got a tensor on"),
    ("free_log_likelihood", {"objects": A}, TypeError, "objects must be complex64 or complex128"),
    ("free_log_likelihood", {"amplitude": None}, TypeError, "amplitude must be a torch.Tensor, go"),
    ("free_log_likelihood", {"amplitude": X}, TypeError, "amplitude must be float32 or float64"),
    ("free_log_likelihood", {"amplitude": A[0, :7]}, ValueError, r"broadcastable to objects, .2"),
    ("free_log_likelihood", {"amplitude": A[None]}, ValueError, "amplitude must be broadcastable"),
    ("free_log_likelihood", {"amplitude": meta(A)}, ValueError, "amplitude must be on the device"),
    ("free_log_likelihood", {"amplitude": -A}, ValueError, "finite and not negative on the free"),
    ("free_log_likelihood", {"amplitude": A * INF}, ValueError, "amplitude must be finite and not"),
    ("free_log_likelihood", {"free": A}, TypeError, "free must be bool, got float32"),
    ("free_log_likelihood", {"free": ~INSIDE}, ValueError, "free must hold at least one pixel of"),
    ("free_log_likelihood", {"free": INSIDE.to_sparse()}, TypeError, "free must be a dense tensor"),
    ("reconstruct", {"amplitude": A.half()}, TypeError, "float32 or float64, got float16"),
    ("reconstruct", {"amplitude": X}, TypeError, "float32 or float64, got complex64"),
    ("reconstruct", {"amplitude": A.to_sparse()}, TypeError, "amplitude must be a dense tensor"),
    ("reconstruct", {"amplitude": A[..., :0]}, ValueError, r"empty, got shape \(2, 8, 0\)"),
    ("reconstruct", {"amplitude": holding(NAN)}, ValueError, "must be finite .* in item 1"),
    ("reconstruct", {"amplitude": holding(-INF)}, ValueError, "must be finite .* in item 1"),
    ("reconstruct", {"amplitude": holding(-1e-30)}, ValueError, "not be negative .* in item 1"),
    ("reconstruct", {"amplitude": A * 0}, ValueError, "a measured pixel above 0, got only zeros"),
    ("reconstruct", {"valid": ~INSIDE}, ValueError, "valid must leave at least one measured pixel"),
    ("reconstruct", {"valid": meta(INSIDE)}, ValueError, "valid must be on the device .* got meta"),
    ("reconstruct", {"valid": INSIDE.byte()}, TypeError, "valid must be bool, got uint8"),
    ("reconstruct", {"support": ~INSIDE}, ValueError, "support must hold at least one pixel"),
    ("reconstruct", {"support": INSIDE[:7]}, ValueError, r"support must be broadcastable to .2, 8"),
    ("reconstruct", {"initial": X * NAN}, ValueError, "initial must be finite"),
    ("reconstruct", {"initial": X.cdouble()}, TypeError, "initial must be complex64, got complex"),
    ("reconstruct", {"beta": -0.1}, ValueError, r"beta must be in \(0, 2\], got -0.1"),
    ("reconstruct", {"beta": INF}, ValueError, r"beta must be in \(0, 2\], got inf"),
    ("reconstruct", {"starts": -1}, ValueError, "starts must be at least 1, got -1"),
    ("reconstruct", {"starts": 2**31}, MemoryError, "starts = 2147483648 needs .* cpu has"),
    ("reconstruct", {"starts": 2**62}, ValueError, r"starts must be at most 2\^32, got 4611686"),
    ("reconstruct", {"starts": LARGE}, ValueError, "starts must fit 64 bits"),
    ("reconstruct", {"record_every": LARGE}, ValueError, "record_every must fit 64 bits"),
    ("reconstruct", {"seed": LARGE}, ValueError, "seed must fit 64 bits"),
    ("reconstruct", {"seed": meta(SHIFT)}, ValueError, "seed must be on the device of amplitude"),
    ("reconstruct", {"schedule": "20*EX"}, ValueError, "got 'EX'"),
    ("reconstruct", {"schedule": "9" * 99 + "*ER"}, ValueError, "at most 1000000000 iterations"),
    ("reconstruct", {"schedule": "ER\0"}, ValueError, r"expected text, got 'ER\\x00'"),
    ("reconstruct", {"schedule": "ER\ud800"}, ValueError, r"expected text, got 'ER\\ud800'"),
    ("reconstruct", {"schedule": []}, ValueError, "got the end"),
    ("reconstruct", {"schedule": [("ER", -1)]}, ValueError, "got '-'"),
    ("reconstruct", {"progress": "yes"}, TypeError, "progress must be a bool or a function"),
    ("reconstruct", {"shrinkwrap": True}, TypeError, "shrinkwrap must be a Shrinkwrap or None"),
    ("Shrinkwrap", {"every": LARGE}, ValueError, "every must fit 64 bits"),
    ("Shrinkwrap", {"area": -0.1}, ValueError, r"area must be in \(0, 1\], got -0.1"),
    ("Shrinkwrap", {"threshold": NAN}, ValueError, r"threshold must be in \(0, 1\), got nan"),
    ("center", {"x": X[0, 0, 0]}, ValueError, r"at least ndim = 2 axes, got shape \(\)"),
    ("center", {"x": MANY}, MemoryError, r"x of shape \(10{10}, 8, 8\) needs .* cpu has"),
    ("center", {"x": X, "ndim": True}, TypeError, "ndim must be the integer 2 or 3, got True"),
    ("center", {"x": X, "ndim": HUGE}, ValueError, "ndim must be 2 or 3, got a value of type int"),
    ("center", {"x": X, "tol": HUGE}, ValueError, "tol must be in .* got a value of type int"),
    ("center", {"x": X, "wrap": TwoLines()}, TypeError, "must be True or False, got two lines"),
    ("center", {"x": X, "wrap": "y" * 999}, TypeError, r"False, got 'y{76}\.\.\."),
    ("break_symmetry", {"x": X, "rule": ["angle"]}, ValueError, r"angle or .*, got \['angle'\]"),
    ("break_symmetry", {"x": X, "rule": X.real}, ValueError, "angle or .*, got tensor"),
    ("break_symmetry", {"x": MANY}, MemoryError, "x of shape .* needs"),
    ("apply_symmetry", {"x": MANY, "shift": [1, 1]}, MemoryError, "x of shape .* needs"),
    ("apply_symmetry", {"x": X, "shift": SHIFT.to_sparse()}, TypeError, "shift must be a dense"),
    ("apply_symmetry", {"x": X, "shift": SHIFT.to(torch.uint64)}, TypeError, "signed .* uint64"),
    ("apply_symmetry", {"x": X, "shift": [[1, 2], [3]]}, TypeError, "shift must be integers"),
    ("apply_symmetry", {"x": X, "shift": TwoLines()}, TypeError, "shift must be .* got two lines"),
    ("apply_symmetry", {"x": X, "flipped": INSIDE[0, :2].to_sparse()}, TypeError, "be a dense"),
    ("apply_symmetry", {"x": X, "phase": HUGE}, ValueError, "finite in float32, got a"),
    ("apply_symmetry", {"x": X, "phase": 1e300}, ValueError, "finite in float32, got 1e\\+300"),
    ("apply_symmetry", {"x": X, "phase": 1j}, TypeError, "a number or a tensor, got complex"),
    ("apply_symmetry", {"x": X, "phase": A[0, 0, :2].to_sparse()}, TypeError, "be a dense"),
    ("fourier_amplitude", {"x": X, "shape": "16"}, TypeError, "a sequence of integers, got '16'"),
    ("fourier_amplitude", {"x": X, "shape": (16, HUGE)}, ValueError, "must fit 64 bits, got a"),
    ("fourier_amplitude", {"x": X, "oversampling": -HUGE}, ValueError, "must be >= 1, got a value"),
    ("align", {"estimate": MANY, "reference": MANY}, MemoryError, "estimate of shape .* needs"),
    ("sa_mse", {"estimate": X, "reference": X, "reduction": X.real}, ValueError, "got tensor"),
    ("reconstruct", {"amplitude": A.bfloat16()}, TypeError, "float32 or float64, got bfloat16"),
    ("reconstruct", {"valid": INSIDE.to_sparse()}, TypeError, "valid must be a dense tensor"),
    ("reconstruct", {"support": INSIDE.to_sparse()}, TypeError, "support must be a dense tensor"),
    ("reconstruct", {"initial": X.to_sparse()}, TypeError, "initial must be a dense tensor"),
    ("reconstruct", {"seed": SHIFT.to_sparse()}, TypeError, "seed must be a dense tensor"),
    ("reconstruct", {"seed": SHIFT.bool()}, TypeError, "an integer type, got bool"),
    ("reconstruct", {"beta": 1e-30}, ValueError, "beta must be at least 1e-06, .* got 1e-30"),
    ("reconstruct", {"beta": A}, TypeError, "beta must be a number, got tensor"),
    ("reconstruct", {"beta": HUGE}, ValueError, r"in \(0, 2\], got a value"),
    ("reconstruct", {"starts": -HUGE}, ValueError, "must be at least 1, got a value"),
    ("reconstruct", {"schedule": b"ER"}, TypeError, "schedule must be a string .* got bytes"),
    ("reconstruct", {"schedule": [("ER", HUGE)]}, ValueError, "at most 1000000000 iterations"),
    ("reconstruct", {"schedule": [("ER", -HUGE)]}, ValueError, "got '-'"),
    ("reconstruct", {"schedule": [("ER", 2.0)]}, TypeError, "each step .* got .'ER', 2.0."),
    ("reconstruct", {"schedule": ["ER", 2]}, TypeError, "each step .* got 'ER'"),
    ("reconstruct", {"schedule": "(" * 10**5}, ValueError, "at most 32 deep, got one more"),
    ("reconstruct", {"schedule": "E" * 10**5}, ValueError, r"got 'E{60}\.\.\.'"),
    ("reconstruct", {"progress": A}, TypeError, "a bool or a function, got tensor"),
    ("reconstruct", {"shrinkwrap": symbreak.Shrinkwrap}, TypeError, "or None, got type"),
    ("Shrinkwrap", {"sigma": HUGE}, ValueError, "sigma must be finite, got a value"),
    ("Shrinkwrap", {"every": -HUGE}, ValueError, "must be at least 1, got a value"),
    ("Shrinkwrap", {"area": A}, TypeError, "area must be a number, got tensor"),
    ("Shrinkwrap", {"area": (0.1,)}, ValueError, r"a pair of them, got \(0.1,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "message"), CASES)
def test_one_line_says_what_is_wrong(function, arguments, error, message):
    if function == "reconstruct":
        arguments = {"amplitude": A, "schedule": "ER", **arguments}
    elif function == "free_pixels":
        arguments = {"shape": (8, 8), **arguments}
    elif function == "free_log_likelihood":
        arguments = {"objects": X, "amplitude": A, "free": INSIDE, **arguments}
    with pytest.raises(error, match=f"^({function}|schedule): .*{message}") as caught:
        getattr(symbreak, function)(**arguments)
    lines = str(caught.value).splitlines()
    assert len(lines) == 1 or lines[-1].strip() == "^"
    assert max(map(len, lines)) < 250


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_not_dense():
    nested = torch.nested.nested_tensor([X[0], X[0]])
    with pytest.raises(TypeError, match="center: x must be a dense tensor, got a nested one"):
        symbreak.center(nested)


def test_numpy_numbers_that_torch_reads():
    expected = symbreak.apply_symmetry(X, shift=[1, 2], flipped=[True, False])
    shift, flipped = np.array([2, 1])[::-1], np.array([True, False])
    assert torch.equal(symbreak.apply_symmetry(X, shift=shift, flipped=flipped), expected)


def test_a_long_schedule_is_shown_around_the_place():
    text = "+".join(["20*ER"] * 100 + ["3*XR"] + ["20*ER"] * 100)
    with pytest.raises(ValueError, match="got 'XR'") as caught:
        symbreak.reconstruct(A, text)
    _, shown, caret = str(caught.value).splitlines()
    assert shown.startswith("  ...")
    assert shown.endswith("...")
    assert shown[caret.index("^") :].startswith("XR+20*ER")


def test_a_history_larger_than_the_memory():
    with pytest.raises(MemoryError, match="reconstruct: a history of 1000000000 records needs 7"):
        symbreak.reconstruct(A, "1000000000*ER", record_every=1, starts=2**10)


def test_empty_batches_are_no_error():
    assert symbreak.center(X[:0]).object.shape == (0, 8, 8)
    assert symbreak.break_symmetry(X[:0]).margin.shape == (0,)
    assert symbreak.fourier_amplitude(X[:0]).shape == (0, 16, 16)
    assert symbreak.align(X[:0], X[:0]).shift.shape == (0, 2)
    assert symbreak.sa_mse(X[:0], X[:0], reduction="sum") == 0
    assert symbreak.reconstruct(A[:0], "ER", starts=3).error.shape == (0, 3)


def test_the_meta_device_gives_shapes():
    assert symbreak.break_symmetry(meta(X)).object.is_meta
    found = symbreak.reconstruct(meta(A), "ER", starts=2**31)
    assert found.object.shape == (2, 2**31, 8, 8)


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("flipped", [False, True])
def test_shifts_at_the_ends_of_64_bits(wrap, flipped):
    shift = [-(2**63), 2**63 - 1]
    moved = symbreak.apply_symmetry(X, shift=shift, flipped=flipped, wrap=wrap)
    assert moved.abs().sum() == (128 if wrap else 0)


@pytest.mark.parametrize("full", [torch.ones(8, 8, dtype=torch.bool), torch.ones(1, 1).bool()])
def test_a_full_support_is_no_error(full):
    assert symbreak.reconstruct(A, "5*HIO", support=full).object.isfinite().all()
