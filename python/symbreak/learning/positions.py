"""The eight positions of a square image, turned and mirrored: further data, further estimates."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from symbreak import align, fourier_amplitude
from symbreak.ops.checks import check_integer

POSITIONS = 8
AVERAGED = 3


class InPositions(nn.Module):
    """A network that looks at each pattern in eight positions and keeps what fits it best.

    The pattern of an object turned by 90 degrees, or mirrored, is the pattern turned or mirrored
    about zero frequency. So one pattern gives eight estimates, turned back into one position. A
    network errs differently in each, and the pattern tells which err least: ordered by

        1 - (sum |F estimate| amplitude)^2 / (sum |F estimate|^2  sum amplitude^2),

    the distance of the amplitudes with the best scale between, the first ``average`` are aligned
    to the best one (`symbreak.align`) and averaged. The mean is then aligned to the estimate from
    the pattern as it is, so it keeps the network's own choice among the symmetries.

    Args:
        network: Of square 2D objects and patterns, such as `load_network` gives. Used as it is.
        average: How many of the eight are averaged, 1 to 8.

    Raises:
        TypeError: ``network`` is no module, or tells no ``object_shape`` and ``measurement_shape``.
        ValueError: Its objects or patterns are not square, or ``average`` is out of its range.

    Cost: that of the network eight times, eight `fourier_amplitude`, ``average`` `align`. Memory:
    the eight estimates. Test-time augmentation, as usual elsewhere; the choice by the pattern is
    ours, measured in docs/experiments.md.

    Example:
        >>> network = symbreak.models.UNet(32, width=4).eval()
        >>> InPositions(network)(torch.rand(5, 64, 64)).shape
        torch.Size([5, 32, 32])
    """

    def __init__(self, network: nn.Module, *, average: int = AVERAGED) -> None:
        super().__init__()
        shapes = [getattr(network, f"{name}_shape", None) for name in ("object", "measurement")]
        if not isinstance(network, nn.Module) or None in shapes:
            raise TypeError(
                "InPositions: network must be a module with object_shape and measurement_shape, "
                f"got {type(network).__name__}."
            )
        self.object_shape, self.measurement_shape = (tuple(shape) for shape in shapes if shape)
        check_square("InPositions", "network", self.object_shape, self.measurement_shape)
        self.network = network
        self.training = network.training  # or whoever restores this one's mode changes the other's
        self.average = check_integer("InPositions", "average", average, 1)
        if self.average > POSITIONS:
            raise ValueError(f"InPositions: average must be at most {POSITIONS}, got {average}.")

    @torch.no_grad()
    def forward(self, amplitude: Tensor) -> Tensor:
        """Estimate the object.

        Args:
            amplitude: ``(batch, *M)`` or ``(batch, 1, *M)``, DC at index 0, of the parameters'
                floating type and on their device.

        Returns:
            Complex ``(batch, *N)`` as of the network. Not differentiable.

        Raises:
            TypeError: ``amplitude`` is not floating point.
            ValueError: ``amplitude`` has another shape.
        """
        estimates = self.estimates(amplitude)
        return mean_of_nearest(estimates, amplitude.flatten(0, -3), self.average)

    @torch.no_grad()
    def estimates(self, amplitude: Tensor) -> Tensor:
        """All estimates, turned back.

        Args:
            amplitude: ``(batch, *M)`` or ``(batch, 1, *M)``, as of `forward`.

        Returns:
            Complex ``(8, batch, *N)``. Not differentiable.

        Raises:
            TypeError: ``amplitude`` is not floating point.
            ValueError: ``amplitude`` has another shape.
        """
        found = [self.network(amplitude)]  # first, as it checks the amplitude
        amplitude = amplitude.flatten(0, -3)
        for position in range(1, POSITIONS):
            turned = self.network(turn_pattern(amplitude, position))
            found.append(turn_back(turned, position))
        return torch.stack(found)


def mean_of_nearest(estimates: Tensor, amplitude: Tensor, average: int) -> Tensor:
    """The mean of those estimates that are nearest to the pattern, see `InPositions`.

    Args:
        estimates: Complex ``(estimates, batch, *N)``.
        amplitude: Real ``(batch, *M)``.
        average: How many.

    Returns:
        Tensor: Complex ``(batch, *N)``, aligned to the first estimate.
    """
    order = amplitude_distance(estimates, amplitude).argsort(dim=0, stable=True)
    items = torch.arange(len(amplitude), device=amplitude.device)
    best = estimates[order[0], items]
    mean = best
    for rank in range(1, average):
        following = align(estimates[order[rank], items], best).object
        mean = mean + (following - mean) / (rank + 1)
    return align(mean, estimates[0]).object


def amplitude_distance(estimates: Tensor, amplitude: Tensor) -> Tensor:
    """Squared distance of |F estimate| from the amplitude, over the latter's, at the best scale.

    Args:
        estimates: Complex ``(*more, batch, *N)``.
        amplitude: Real ``(batch, *M)``.

    Returns:
        Tensor: Real ``(*more, batch)`` in [0, 1]; 1 where one of the two is zero.
    """
    found = fourier_amplitude(estimates, shape=amplitude.shape[-2:])
    grid = (-2, -1)
    both = (found * amplitude).sum(grid)
    each = torch.linalg.vector_norm(found, dim=grid) * torch.linalg.vector_norm(amplitude, dim=grid)
    return 1 - torch.where(each > 0, both / each, 0).square()


def in_all_positions(objects: Tensor) -> Tensor:
    """Every object turned by 0, 90, 180 and 270 degrees, then all of these mirrored."""
    if objects.dim() != 3 or objects.shape[1] != objects.shape[2]:
        raise ValueError(
            f"make_pairs: positions asks for square 2D objects, got {tuple(objects.shape[1:])}."
        )
    return torch.cat([turn(objects, position) for position in range(POSITIONS)])


def check_square(function: str, name: str, *shapes: tuple[int, ...]) -> None:
    """Check that all positions have one shape.

    Raises:
        ValueError: They have not.
    """
    for shape in shapes:
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(
                f"{function}: {name} must be of square 2D objects and patterns, got {shape}."
            )


def turn(objects: Tensor, position: int) -> Tensor:
    """Objects ``(items, N, N)`` in a position: quarter turns, from 4 on mirrored then."""
    turned = objects.rot90(position % 4, (1, 2))
    return turned.flip(1) if position >= 4 else turned


def turn_back(objects: Tensor, position: int) -> Tensor:
    """The inverse of `turn`."""
    upright = objects.flip(1) if position >= 4 else objects
    return upright.rot90(-(position % 4), (1, 2))


def turn_pattern(amplitude: Tensor, position: int) -> Tensor:
    """The amplitudes ``(items, M, M)``, DC at index 0, of objects in a position.

    A turn of the object about any point turns |F x| about zero frequency: an axis reversed is
    k -> -k mod M, which keeps index 0 where it is.
    """
    for _ in range(position % 4):
        amplitude = _reverse(amplitude.transpose(1, 2))
    return _reverse(amplitude) if position >= 4 else amplitude


def _reverse(amplitude: Tensor) -> Tensor:
    return amplitude.flip(1).roll(1, 1)
