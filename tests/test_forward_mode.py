"""Forward-mode derivatives are refused: torch would say that they are 0."""

import pytest
import torch
from torch.autograd import forward_ad
from torch.func import jacfwd, jvp

import symbreak
from symbreak import coherence

# torch's own rules for it, loaded once.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is:DeprecationWarning")

X = torch.randn(2, 6, 6, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
DIFFERENTIABLE = {
    "fourier_amplitude": lambda x: symbreak.fourier_amplitude(x).sum(),
    "apply_symmetry": lambda x: symbreak.apply_symmetry(x, shift=[1, 0]).real.sum(),
    "sa_mse": lambda x: symbreak.sa_mse(x, X.flip(-1)),
}
CONSTANT = {
    "center": lambda x: symbreak.center(x).object,
    "break_symmetry": lambda x: symbreak.break_symmetry(x).object,
    "align": lambda x: symbreak.align(X, x).sa_mse,
    "reconstruct": lambda x: symbreak.reconstruct(x.abs(), "ER").object,
}
REFUSED = {
    **DIFFERENTIABLE,
    **CONSTANT,
    "apply_symmetry of a phase": lambda x: symbreak.apply_symmetry(X, phase=x.real[..., 0, 0]),
    "reconstruct from": lambda x: symbreak.reconstruct(X.abs(), "ER", initial=x).object,
    "reconstruct, partly coherent": lambda x: coherence.reconstruct(x.abs(), "ER").found.error,
    "sa_mse of the reference": lambda x: symbreak.sa_mse(X, x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_tangent_is_refused(name):
    words = "no derivative in forward mode" if name.split()[0] in DIFFERENTIABLE else "not differ"
    with pytest.raises(RuntimeError, match=rf"symbreak\.{name.split()[0].strip(',')} .*{words}"):
        jvp(REFUSED[name], (X,), (X,))
    with forward_ad.dual_level(), pytest.raises(RuntimeError, match=words):
        REFUSED[name](forward_ad.make_dual(X, X))


@pytest.mark.parametrize("name", REFUSED)
def test_a_constant_beside_a_tangent_is_not(name):
    with forward_ad.dual_level():
        forward_ad.make_dual(X.clone(), X)
        assert torch.equal(REFUSED[name](X), REFUSED[name](X))


@pytest.mark.parametrize("name", ["fourier_amplitude", "sa_mse", "break_symmetry"])
def test_compiled_code_refuses_it_too(name):
    within = torch.compile(lambda x: jvp(REFUSED[name], (x,), (x,))[1], backend="aot_eager")
    with pytest.raises(RuntimeError, match=rf"symbreak\.{name} "):
        within(X)


def test_jacobians_are_refused():
    with pytest.raises(RuntimeError, match="no derivative in forward mode"):
        jacfwd(lambda pairs: DIFFERENTIABLE["sa_mse"](torch.view_as_complex(pairs)))(
            torch.view_as_real(X)
        )


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_what_the_error_advises_is_right(name):
    function, step = DIFFERENTIABLE[name], 1e-6
    _, along = torch.autograd.functional.jvp(function, X, X.flip(0))
    ahead, behind = function(X + step * X.flip(0)), function(X - step * X.flip(0))
    torch.testing.assert_close(along, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-6)
