"""Tables 1-5 and Fig. 3 of the paper: networks x set sizes x before and after breaking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import symbreak
from symbreak.data.simulation.pairs import FIRST
from symbreak.experiments.cells import Record, phase, run_baseline, simulate_split
from symbreak.experiments.jobs import Cell, run_cells
from symbreak.experiments.refinement import run_refinement, write_refinement
from symbreak.experiments.report import write_csv, write_markdown
from symbreak.experiments.scales import Scale
from symbreak.learning.datasets import make_pairs
from symbreak.learning.evaluate import embed, predict
from symbreak.learning.networks import load_network
from symbreak.learning.requirements import require_training

# Test objects drawn.
SHOWN = 5


def run_tables(
    scale: Scale,
    folder: Path,
    *,
    workers: int = 1,
    jobs: int = 1,
    done: Callable[[str], None] = lambda text: None,
) -> list[Record]:
    """Run every cell that is not saved yet, then write the tables and figures.

    Args:
        scale: What to run.
        folder: ``cells/<network>-<set>-<variant>/`` as they end; ``tables.csv``, ``tables.md``,
            ``tables.png``, ``estimates.png``, ``refinement.csv`` and ``refinement.png`` after the
            last.
        workers: Processes of the simulation.
        jobs: Cells trained at once, each in a process.
        done: Called with a line of text after every cell.

    Returns:
        The records, the baseline's first.

    Raises:
        ValueError: ``folder`` holds cells of other settings.
        ImportError: Lightning or TensorBoard is not installed.
    """
    require_training()
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"train": max(scale.sets), "validation": scale.validation, "test": scale.test}
    splits = {name: simulate_split(scale, name, counts[name], workers) for name in FIRST}
    test = make_pairs(splits["test"])
    baseline = run_baseline(scale, test, folder / "cells" / "baseline.json")
    done(f"HIO+ER+shrinkwrap: test {baseline['test_best']['sa_mse_ratio']:.3f} of zero")
    records = [baseline]
    for record in run_cells(scale, folder, splits, jobs):
        records.append(record)
        done(
            f"{record['network']}, {record['set']} pairs, {record['variant']}: test "
            f"{record['test_best']['sa_mse_ratio']:.3f} of zero, "
            f"{record['epochs']} epochs, {record['seconds']:.0f} s"
        )
    largest = {
        f"{network}, {variant}": _largest(scale, folder, network, variant)
        for network in scale.options
        for variant in scale.variants
    }
    refined = run_refinement(scale, largest, test, folder / "cells")
    write_refinement(folder / "refinement.csv", refined)
    write_csv(folder / "tables.csv", records)
    write_markdown(folder / "tables.md", scale, records, refined)
    _draw(scale, folder, records, refined)
    return records


def _largest(scale: Scale, folder: Path, network: str, variant: str) -> Path:
    """Folder of the cell with the largest set."""
    return Cell(network, max(scale.sets), variant).folder(folder)


def _draw(scale: Scale, folder: Path, records: list[Record], refined: list[Record]) -> None:
    from symbreak.plotting import save
    from symbreak.plotting.estimates import estimates_figure
    from symbreak.plotting.refinement import refinement_figure
    from symbreak.plotting.tables import tables_figure

    save(tables_figure(records), folder / "tables.png")
    save(refinement_figure(refined), folder / "refinement.png")
    shown = make_pairs(simulate_split(scale, "test", min(SHOWN, scale.test)))
    count, columns = max(scale.sets), {}
    for network in scale.options:
        for variant in scale.variants:
            trained = load_network(_largest(scale, folder, network, variant) / "best.ckpt")
            estimate = predict(trained, shown.amplitude)
            aligned = symbreak.align(estimate, shown.object).object
            columns[f"{network}\n{variant}"] = aligned
    wide = embed(shown.object, shown.measurement_shape)
    phased = symbreak.align(phase(scale, shown.amplitude), wide, wrap=True).object
    columns["HIO+ER"] = phased[:, : scale.size, : scale.size]
    title = f"test objects, {count} training pairs, aligned to the truth"
    save(estimates_figure(columns, shown.object, most=SHOWN, title=title), folder / "estimates.png")
