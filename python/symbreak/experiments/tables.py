"""Tables 1-5 and Fig. 3 of the paper: networks x set sizes x before and after breaking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import symbreak
from symbreak.data.simulate import FIRST
from symbreak.experiments.cells import (
    Record,
    phase,
    run_baseline,
    run_cell,
    simulate_split,
)
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
    done: Callable[[str], None] = lambda text: None,
) -> list[Record]:
    """Run every cell that is not saved yet, then write the tables and figures.

    Args:
        scale: What to run.
        folder: ``cells/<network>-<set>-<variant>/`` as they end; ``tables.csv``, ``tables.md``,
            ``tables.png`` and ``estimates.png`` after the last.
        workers: Processes of the simulation.
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
    validation, test = make_pairs(splits["validation"]), make_pairs(splits["test"])
    baseline = run_baseline(scale, test, folder / "cells" / "baseline.json")
    done(f"HIO+ER+shrinkwrap: test {baseline['test_best']['sa_mse_ratio']:.3f} of zero")
    records = [baseline]
    for count in scale.sets:
        for network in scale.options:
            for variant in scale.variants:
                record = run_cell(
                    scale,
                    network,
                    count,
                    variant,
                    splits["train"],
                    validation,
                    test,
                    cell_folder(folder, network, count, variant),
                )
                records.append(record)
                done(
                    f"{network}, {count} pairs, {variant}: test "
                    f"{record['test_best']['sa_mse_ratio']:.3f} of zero, "
                    f"{record['epochs']} epochs, {record['seconds']:.0f} s"
                )
    write_csv(folder / "tables.csv", records)
    write_markdown(folder / "tables.md", scale, records)
    _draw(scale, folder, records)
    return records


def cell_folder(folder: Path, network: str, count: int, variant: str) -> Path:
    """Where a cell is saved."""
    name = f"{network}-{count}-{variant}".replace(", ", "-").replace(" ", "-")
    return folder / "cells" / name


def _draw(scale: Scale, folder: Path, records: list[Record]) -> None:
    from symbreak.plotting import save
    from symbreak.plotting.estimates import estimates_figure
    from symbreak.plotting.tables import tables_figure

    save(tables_figure(records), folder / "tables.png")
    shown = make_pairs(simulate_split(scale, "test", min(SHOWN, scale.test)))
    count, columns = max(scale.sets), {}
    for network in scale.options:
        for variant in scale.variants:
            path = cell_folder(folder, network, count, variant) / "best.ckpt"
            estimate = predict(load_network(path), shown.amplitude)
            aligned = symbreak.align(estimate, shown.object).object
            columns[f"{network}\n{variant}"] = aligned
    wide = embed(shown.object, shown.measurement_shape)
    phased = symbreak.align(phase(scale, shown.amplitude), wide, wrap=True).object
    columns["HIO+ER"] = phased[:, : scale.size, : scale.size]
    title = f"test objects, {count} training pairs, aligned to the truth"
    save(estimates_figure(columns, shown.object, most=SHOWN, title=title), folder / "estimates.png")
