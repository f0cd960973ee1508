"""What a network gains from looking at each pattern in eight positions.

    python bench/eight_positions.py NAME --keep FOLDER

NAME is a trial of paper_scale_trials.py whose training lies in FOLDER. Its best-validated network
estimates the 400 crystals that trials are judged on; printed is the SA-MSE over the zero
predictor's of one estimate, of the mean of all eight, of the means of those nearest to the pattern,
and of the one nearest to the truth, which no one has who phases a measured pattern.

Expected before the first run, of the UNet of half the width with skips: 0.115 for the mean of all
eight, since errors of estimates from different patterns are partly independent. It came to 0.119,
and the choice by the pattern, tried beside it, to 0.113 and less.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from paper_scale_settings import TRIALS
from paper_scale_trials import JUDGED, VALIDATION, objects_of
from scale_data import markdown

from symbreak import fourier_amplitude, sa_mse
from symbreak.learning.evaluate import compare
from symbreak.learning.networks import load_network
from symbreak.learning.positions import POSITIONS, InPositions, mean_of_nearest

NEAREST = (1, 2, 3, 4, POSITIONS)
BATCH = 50


def main(name: str, keep: Path) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    truth = objects_of("validation", TRIALS[name], VALIDATION, JUDGED)
    amplitude = fourier_amplitude(truth)
    network = InPositions(load_network(keep / re.sub(r"\W+", "-", name) / "best.ckpt"))
    estimates = torch.cat([network.estimates(part) for part in amplitude.split(BATCH)], 1)
    single = [compare(one, truth).sa_mse_ratio for one in estimates]
    rows = [["one estimate, in each position", f"{min(single):.3f} to {max(single):.3f}"]]
    for count in NEAREST:
        found = compare(mean_of_nearest(estimates, amplitude, count), truth).sa_mse_ratio
        words = "the nearest to the pattern" if count == 1 else f"mean of the nearest {count}"
        rows.append([words, f"{found:.3f}"])
    errors = sa_mse(estimates, truth.expand_as(estimates).contiguous(), ndim=2, reduction="none")
    best = errors.double().amin(0).mean() / truth.abs().double().square().mean()
    rows.append(["the nearest to the truth", f"{best:.3f}"])
    print(markdown(["estimate", "SA-MSE"], rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="NAME", choices=list(TRIALS))
    parser.add_argument("--keep", type=Path, required=True, help="folder of the trainings")
    words = parser.parse_args()
    main(words.name, words.keep)
