"""Random convex and non-convex rounded polygons, drawn as masks (2D crystals). Needs shapely."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity

from symbreak.data.simulation.settings import CrystalSettings

# Tries to draw an outline that fits the frame before the last one is scaled down.
ATTEMPTS = 100
# A non-convex outline fills at most this fraction of its convex hull, or it is drawn again.
MAX_SOLIDITY = 0.93


def polygon_mask(
    rng: np.random.Generator, size: int, settings: CrystalSettings
) -> NDArray[np.bool_]:
    """Draw one crystal outline at a random place of the frame and fill it.

    The outline lies inside the frame as a whole; it may touch the edge. A pixel belongs to the
    crystal if its centre lies inside (no antialiasing). An outline too long for the frame at the
    area drawn is replaced by another; after 100 of them the last is scaled down.

    Args:
        rng: Source of the draws.
        size: Pixels per axis of the square frame.
        settings: Shape parameters.

    Returns:
        Mask, shape ``(size, size)``, never empty.
    """
    side = size * np.sqrt(rng.uniform(*settings.area))
    convex = rng.random() >= settings.nonconvex
    for _ in range(ATTEMPTS):
        outline = _scaled(random_outline(rng, settings, convex), float(side))
        if max(_extent(outline)) <= size:
            break
    else:
        outline = _scaled(outline, float(side * size / max(_extent(outline))))
    # Pixel n covers [n - 1/2, n + 1/2]: the frame is [-1/2, size - 1/2] on both axes.
    left, bottom, _, _ = outline.bounds
    width, height = _extent(outline)
    outline = affinity.translate(
        outline,
        rng.uniform(0.0, max(size - width, 0.0)) - left - 0.5,  # rounding may leave less
        rng.uniform(0.0, max(size - height, 0.0)) - bottom - 0.5,
    )
    rows, columns = np.indices((size, size))
    shapely.prepare(outline)
    mask = np.asarray(shapely.contains_xy(outline, rows, columns), dtype=np.bool_)
    if not mask.any():  # thinner than the pixel grid: keep its nearest pixel
        point = outline.representative_point()
        mask[round(point.x), round(point.y)] = True
    return mask


def random_outline(
    rng: np.random.Generator, settings: CrystalSettings, convex: bool
) -> shapely.Polygon:
    """Draw a rounded polygon of unit area.

    Non-convex outlines are, with equal odds, a star-shaped polygon, the union of two overlapping
    convex polygons, or a convex polygon with one or two notches.

    Args:
        rng: Source of the draws.
        settings: ``vertices``, ``rounding`` and ``aspect`` are used.
        convex: Which kind.

    Returns:
        A polygon without holes, of area 1.
    """
    kinds = (_star, _union, _notched)
    for _ in range(ATTEMPTS):
        outline = _convex(rng, settings) if convex else kinds[rng.integers(3)](rng, settings)
        outline = affinity.rotate(outline, rng.uniform(0.0, 360.0), origin=(0.0, 0.0))
        stretch = np.sqrt(rng.uniform(*settings.aspect))
        outline = affinity.scale(outline, stretch, 1.0 / stretch, origin=(0.0, 0.0))
        outline = affinity.rotate(outline, rng.uniform(0.0, 360.0), origin=(0.0, 0.0))
        outline = _scaled(_rounded(_scaled(outline, 1.0), rng.uniform(*settings.rounding)), 1.0)
        if convex or outline.area <= MAX_SOLIDITY * outline.convex_hull.area:
            break
    return outline


def _star(rng: np.random.Generator, settings: CrystalSettings) -> shapely.Polygon:
    """Polygon around the origin, corners at jittered angles and random radii."""
    low, high = settings.vertices
    count = int(rng.integers(low, high + 1))
    angle = 2.0 * np.pi * (np.arange(count) + rng.uniform(-0.35, 0.35, count)) / count
    radius = rng.uniform(0.4, 1.0, count)
    return shapely.Polygon(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))


def _convex(rng: np.random.Generator, settings: CrystalSettings) -> shapely.Polygon:
    """Convex polygon around the origin."""
    return _largest(_star(rng, settings).convex_hull)


def _union(rng: np.random.Generator, settings: CrystalSettings) -> shapely.Polygon:
    """Two convex polygons grown together."""
    angle, distance = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.6, 1.1)
    second = affinity.translate(
        _convex(rng, settings), distance * np.cos(angle), distance * np.sin(angle)
    )
    return _largest(_convex(rng, settings).union(second))


def _notched(rng: np.random.Generator, settings: CrystalSettings) -> shapely.Polygon:
    """Convex polygon with one or two smaller polygons cut out of its edge."""
    outline = _convex(rng, settings)
    for _ in range(int(rng.integers(1, 3))):
        scale = rng.uniform(0.35, 0.6)
        notch = affinity.scale(_convex(rng, settings), scale, scale, origin=(0.0, 0.0))
        place = outline.exterior.interpolate(rng.random(), normalized=True)
        outline = _largest(outline.difference(affinity.translate(notch, place.x, place.y)))
    return outline


def _rounded(outline: shapely.Polygon, radius: float) -> shapely.Polygon:
    """Round convex corners (opening by a disc), then concave ones (closing by it)."""
    opened = outline.buffer(-radius).buffer(radius)
    if opened.is_empty:  # thinner than the disc everywhere: leave the corners as they are
        return outline
    return _largest(opened.buffer(radius).buffer(-radius))


def _largest(geometry: shapely.Geometry) -> shapely.Polygon:
    """Return the largest polygon of a geometry, its holes filled."""
    parts = [part for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon)]
    return shapely.Polygon(max(parts, key=lambda part: float(part.area)).exterior)


def _scaled(outline: shapely.Polygon, side: float) -> shapely.Polygon:
    """Scale an outline to the area of a square of this side."""
    factor = side / np.sqrt(outline.area)
    return affinity.scale(outline, factor, factor, origin=(0.0, 0.0))


def _extent(outline: shapely.Polygon) -> tuple[float, float]:
    """Width and height of the bounding box."""
    left, bottom, right, top = outline.bounds
    return right - left, top - bottom
