"""Draw the loss curves of training runs: `python scripts/curves.py RUN.jsonl... -o curves.png`.

A log is what `handwriter train` writes, or several runs one behind the other, each of which began
with the weights of the one before it.  A panel for each: the training loss of every update
that the log has, its running mean, and the validation loss after each epoch.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from handwriter.output import write_file

SMOOTHED = 25  # updates of the log in the running mean
UNITS = {"nats_a_point": "nats a point", "nats_a_character": "nats a character"}


@dataclass
class Curve:
    """Losses by the number of updates, counted through all sittings."""

    unit: str = ""
    training: list[tuple[int, float]] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    sittings: list[int] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    curves = {path.stem: curve_of(path.read_text(encoding="utf-8")) for path in arguments.logs}
    content = io.BytesIO()
    picture(curves).savefig(content, format="png", dpi=110, metadata={"Software": None})
    write_file(arguments.output, content.getvalue())


def curve_of(log: str) -> Curve:
    """The curve that a log in JSON-lines tells."""
    curve, done, last = Curve(), 0, 0
    for row in map(json.loads, filter(None, log.splitlines())):
        if row["event"] == "run":
            done, last = done + last, 0
            curve.sittings.append(done)
        elif row["event"] == "update":
            last = row["update"]
            curve.training.append((done + last, row["loss"]))
        elif row["event"] == "epoch":
            last = row["update"]
            unit = next(name for name in UNITS if name in row)
            curve.unit = UNITS[unit]
            curve.validation.append((done + last, row[unit]))
    return curve


def picture(curves: dict[str, Curve]) -> Figure:
    """All curves, a panel each."""
    with matplotlib.rc_context(
        {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure = Figure(figsize=(7, 2.6 * len(curves)), layout="constrained")
        panels = figure.subplots(len(curves), squeeze=False)[:, 0]
        for axes, (name, curve) in zip(panels, curves.items(), strict=True):
            updates, losses = np.array(curve.training, np.float64).reshape(-1, 2).T
            judged = np.array(curve.validation, np.float64).reshape(-1, 2).T
            axes.plot(updates, losses, ".", color="0.8", markersize=2)
            axes.plot(updates, running_mean(losses), color="0.35", label="training, running mean")
            axes.plot(*judged, "o-", color="tab:red", label="validation")
            for begin in curve.sittings[1:]:
                axes.axvline(begin, color="0.85", linewidth=0.8, zorder=0)
            axes.set_ylim(*np.quantile(losses, [0.001, 0.98]))
            axes.set(title=name, xlabel="updates", ylabel=curve.unit)
            axes.legend(frameon=False)
    return figure


def running_mean(losses: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each loss and those before it, `SMOOTHED` at most."""
    sums = np.cumsum(np.concatenate([[0.0], losses]))
    ends = np.arange(1, len(sums))
    begins = np.maximum(ends - SMOOTHED, 0)
    return np.asarray((sums[ends] - sums[begins]) / (ends - begins))


if __name__ == "__main__":
    main()
