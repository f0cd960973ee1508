"""UNet and SiSPRNet: parameter counts of the published networks, shapes, input scaling, errors."""

import pytest
import torch
from conftest import threads

from symbreak.models import SiSPRNet, UNet
from symbreak.models.inputs import network_input, to_complex
from symbreak.models.standardise import Standardise


@pytest.fixture(autouse=True)
def small_networks_have_one_thread():
    # On networks this small threads cost more than they bring, above all on a busy machine.
    with threads(1):
        yield


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_unet_reaches_the_published_size():
    network = UNet(32, 32, complex_output=False, norm="none")
    assert parameters(network) == 720_321
    assert network(torch.rand(2, 32, 32)).shape == (2, 32, 32)


@pytest.mark.parametrize(
    ("measured", "count"),
    [(32, 3_527_829), (64, 6_673_557), (128, 19_256_469), (256, 69_588_117)],
)
def test_sisprnet_reaches_the_published_sizes(measured, count):
    with torch.device("meta"):
        network = SiSPRNet(128, measured)
    assert parameters(network) == count


@pytest.mark.parametrize(
    "network",
    [
        lambda: UNet(16, width=4),
        lambda: UNet(16, width=4, skips=True, norm="none"),
        lambda: UNet(16, width=8, norm="group", depth=1),
        lambda: UNet((16, 24), width=4, norm="instance", scaling="unit"),
        lambda: UNet((8, 16, 8), width=4, skips=True),
        lambda: UNet(16, 16, width=4, skips=True, depth=4),
        lambda: UNet(12, 48, width=4, scaling="none"),
        lambda: SiSPRNet(16, hidden=32),
        lambda: SiSPRNet((16, 24), (31, 33), hidden=32, scaling="unit"),
        lambda: SiSPRNet(32, hidden=32, stages=2, scaling="none"),
    ],
)
def test_shapes_and_gradients(network):
    torch.manual_seed(0)
    network = network()
    amplitude = torch.rand(3, *network.measurement_shape)
    estimate = network(amplitude)
    assert estimate.shape == (3, *network.object_shape)
    assert estimate.dtype == torch.complex64
    assert estimate.imag.abs().max() > 0
    network.eval()
    assert torch.equal(network(amplitude[:, None]), network(amplitude))
    estimate = network(amplitude)
    torch.testing.assert_close(
        torch.view_as_real(estimate), network.channels(amplitude).movedim(1, -1)
    )
    estimate.abs().square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_stages_follow_from_the_sizes():
    assert (len(UNet(32).encoder), len(UNet(32).decoder)) == (4, 3)
    assert (len(UNet(32, 32).encoder), len(UNet(32, 32).decoder)) == (3, 3)
    assert len(UNet(24, width=4).encoder) == 3
    assert [stage[0].out_channels for stage in UNet(32, max_width=64).encoder] == [32, 64, 64, 64]
    assert SiSPRNet(16, hidden=8).coarse_shape == (8, 8)
    assert SiSPRNet(64, hidden=8).coarse_shape == (32, 32)
    assert SiSPRNet(64, hidden=8, stages=3).coarse_shape == (8, 8)


def test_skips_carry_the_encoder_to_the_head():
    torch.manual_seed(0)
    network = UNet(8, width=4, skips=True, norm="none")
    # Without the decoder the output still depends on the pattern, through the last skip alone.
    for p in network.decoder.parameters():
        torch.nn.init.zeros_(p)
    one, two = network(torch.rand(2, 16, 16))
    assert not torch.allclose(one, two)


def test_attention_matches_its_formula():
    torch.manual_seed(0)
    block = SiSPRNet(16, hidden=8).double().body[1].main[1]
    image = torch.randn(1, 64, 16, 24, dtype=torch.float64)
    u = torch.nn.functional.avg_pool2d(image, 2)
    theta, phi, g = block.theta(u), block.phi(u), block.g(u)
    mean = [t.reshape(1, 32, 2, 4, 3, 4).mean(dim=(3, 5)).flatten(2) for t in (phi, g)]
    weights = torch.einsum("bci,bcj->bij", theta.flatten(2), mean[0]).softmax(dim=-1)
    mixed = torch.einsum("bij,bcj->bci", weights, mean[1]).reshape(1, 32, 8, 12)
    expected = block.out(mixed).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(block(image), expected)


def test_input_scalings_and_shift():
    a = torch.arange(24.0).reshape(1, 4, 6)
    shifted = torch.fft.fftshift(a, dim=(1, 2))[:, None]
    assert torch.equal(network_input("net", a, (4, 6), "none"), shifted)
    torch.testing.assert_close(network_input("net", a, (4, 6), "log"), (1 + shifted).log())
    unit = network_input("net", 7 * a, (4, 6), "unit")
    assert unit.square().mean() == pytest.approx(1.0)
    torch.testing.assert_close(unit, network_input("net", a, (4, 6), "unit"))
    assert (network_input("net", 0 * a, (4, 6), "unit") == 0).all()


def test_complex_output_widens_half_precision():
    channels = torch.rand(2, 2, 3, 3)
    assert to_complex(channels.bfloat16()).dtype == torch.complex64
    assert to_complex(channels.double()).dtype == torch.complex128
    assert to_complex(channels)[1, 2, 0] == torch.complex(
        channels[1, 0, 2, 0], channels[1, 1, 2, 0]
    )


def test_a_small_network_learns_a_fixed_batch():
    torch.manual_seed(0)
    target = torch.randn(4, 8, 8, dtype=torch.complex64)
    amplitude = torch.fft.fft2(target, s=(16, 16)).abs()
    network = UNet(8, width=16)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = (network(amplitude) - target).abs().square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: UNet(0), "UNet: object_shape must be a positive integer or 2 or 3 of them, got 0"),
        (lambda: UNet((8, 8), (8, 8, 8)), "UNet: measurement_shape must have as many axes"),
        (lambda: UNet(16, 24), "UNet: measurement_shape must be object_shape times one power"),
        (lambda: UNet(33), "halves 1 times only and leaves 33 pixels, of which .*, got"),
        (lambda: UNet((8, 8), (16, 32)), "UNet: measurement_shape must be object_shape times one"),
        (lambda: UNet(16, 8), "UNet: measurement_shape must be object_shape times one power"),
        (lambda: UNet(7, 7), "UNet: measurement_shape must halve at least 1 times"),
        (lambda: UNet(4, 16, depth=1), r"UNet: depth must be an integer within \[2, 4\]"),
        (lambda: UNet(16, depth=6), r"UNet: depth must be an integer within \[1, 5\].*got 6"),
        (lambda: UNet(16, width=0), "UNet: width must be an integer >= 1, got 0"),
        (lambda: UNet(16, width=12, norm="group"), "UNet: width must be a positive multiple of 8"),
        (lambda: UNet(16, norm="layer"), "UNet: norm must be one of none, batch, .* got 'layer'"),
        (lambda: UNet(16, scaling="sqrt"), "UNet: scaling must be one of none, unit, log, got"),
        (lambda: SiSPRNet((16, 16, 16)), "SiSPRNet: object_shape must have 2 axes"),
        (lambda: SiSPRNet(20, stages=2), "SiSPRNet: object_shape must be 8 or more times 4"),
        (lambda: SiSPRNet(15), "SiSPRNet: object_shape must be 8 or more times 2"),
        (lambda: SiSPRNet(16, stages=0), "SiSPRNet: stages must be an integer >= 1, got 0"),
        (lambda: SiSPRNet(16, hidden=0), "SiSPRNet: hidden must be an integer >= 1, got 0"),
        (lambda: SiSPRNet(16, dropout=1.0), r"SiSPRNet: dropout must be in \[0, 1\), got 1.0"),
        (
            lambda: UNet(8, width=4)(torch.rand(8, 8)),
            r"UNet: amplitude must be \(batch, \*\(16, 16",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_amplitude_type():
    with pytest.raises(
        TypeError, match=r"UNet: amplitude must be floating point, got torch\.complex64\."
    ):
        UNet(8, width=4)(torch.rand(1, 16, 16, dtype=torch.complex64))


@pytest.mark.parametrize("network", [UNet(8, width=4), SiSPRNet(16, hidden=8)])
def test_amplitude_is_of_the_type_of_the_network(network):
    name, shape = type(network).__name__, (2, *network.measurement_shape)
    wide, half = torch.rand(shape, dtype=torch.float64), torch.rand(shape, dtype=torch.bfloat16)
    for call in (network, network.channels):
        for x, given in ((wide, "float64"), (half, "bfloat16")):
            line = f"{name}: amplitude must be float32 as the network's parameters, got {given}."
            with pytest.raises(TypeError, match=f"^{line}$"):
                call(x)
    with pytest.raises(ValueError, match=f"^{name}: amplitude must be on the device of the netw"):
        network(wide.to("meta", torch.float32))
    with torch.autocast("cpu", torch.bfloat16):  # it casts these, and float64 never
        assert network(half).dtype == network(half.float()).dtype == torch.complex64
        with pytest.raises(TypeError, match="amplitude must be float32"):
            network(wide)
    network = network.double()
    assert network(wide).dtype == torch.complex128
    with pytest.raises(TypeError, match=f"^{name}: amplitude must be float64 .*, got float32.$"):
        network(wide.float())


def test_standardise_is_the_mean_and_deviation_of_all_items():
    torch.manual_seed(0)
    items = torch.randn(23, 3, 4) * torch.rand(3, 4) + 5 * torch.randn(3, 4)
    items[:, 0, 0] = 7  # never changes
    layer = Standardise((3, 4))
    torch.testing.assert_close(layer.eval()(items), items)  # nothing seen yet
    layer.train()
    for part in items.split((1, 16, 6)):  # also a single item
        assert layer(part).isfinite().all()
    found = layer.eval()(items)
    expected = (items - items.mean(0)) / items.std(0, correction=0)
    expected[:, 0, 0] = 0
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert torch.equal(layer(items), found)  # evaluation changes nothing
    again = Standardise((3, 4)).eval()
    again.load_state_dict(layer.state_dict())
    assert torch.equal(again(items), found)
    assert not list(layer.parameters())


def test_sisprnet_learns_as_well_from_faint_pixels():
    # Information in pixels a thousandth as bright as the centre reaches the first layer whole.
    network = SiSPRNet(16, hidden=8, dropout=0.0)
    amplitude = torch.rand(20, 32, 32)
    amplitude[:, 0, 0] = 1000
    network(amplitude)
    network.eval()
    seen = network.standardise(network_input("SiSPRNet", amplitude, (32, 32), "unit"))
    assert 0.5 < seen[:, :, 5, 5].std() < 2
    assert SiSPRNet(16, hidden=8, standardise=False).standardise is None
