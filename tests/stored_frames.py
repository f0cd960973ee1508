"""Frames in files, and what is read of them."""

import numpy as np

from symbreak.data.detector.frames import open_frames
from symbreak.data.detector.stacks import EVERYTHING
from symbreak.data.files.arrays import Source

SHAPE = (24, 20)

COUNTS = np.random.default_rng(5).poisson(3.0, (5, *SHAPE)).astype(np.uint32)


def frames(*paths, **options):
    """All frames, the bits of all frames, and the notes."""
    sources = [Source.parse(str(path)) for path in paths]
    with open_frames(sources, **options) as opened:
        count = opened.shape[0]
        return (
            np.stack([opened.read(k, EVERYTHING) for k in range(count)]),
            np.stack([opened.rejected(k, EVERYTHING) for k in range(count)]),
            " ".join(opened.notes),
        )
