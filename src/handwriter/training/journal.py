"""The journal: what a run writes besides its checkpoints, for people to follow it by.

In the run's folder lie `log.jsonl`, TensorBoard's event files, and for each epoch the pictures
`samples/epoch-001.png`, lines that the averaged network wrote or read, and for one that writes
`samples/window-001.png`, where in the text it looked meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import numpy as np
import torch
from PIL import Image

from handwriter.errors import TrainingFailed
from handwriter.training.checkpoint import load_checkpoint, newest_checkpoint
from handwriter.training.machine import Machine
from handwriter.training.train import Epoch, Task, Update, n_left_out

SIGNIFICANT = 6  # digits that a figure keeps


class Journal:
    """Writes down what `train` yields; only the first of several processes keeps one.

    Made before the run is started or started again: updates and epochs that the newest
    checkpoint does not hold will happen anew, and are cut from the log.
    Raises TrainingFailed where it cannot be written.
    """

    def __init__(self, run: Path, task: Task, machine: Machine) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second

        if machine.rank:
            raise ValueError(f"process {machine.rank} keeps no journal, only process 0 does")
        self.run, self.task = run, task
        path = newest_checkpoint(run)
        held = load_checkpoint(path).header if path else {"update": 0, "epoch": 0}
        with self._disk():
            (run / "samples").mkdir(parents=True, exist_ok=True)
            _cut_log(run / "log.jsonl", _about(task, machine), held)
            self.log = (run / "log.jsonl").open("a", encoding="utf-8")
            self.board = SummaryWriter(run, purge_step=held["update"] + 1)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.log.close()
        self.board.close()

    def record(self, event: Update | Epoch) -> None:
        """Write down an update, or an epoch with its pictures."""
        with self._disk():
            if isinstance(event, Update):
                figures = _rounded(asdict(event))
                self._write("update", figures)
                self._plot("training", figures, event.update)
            else:
                figures = _rounded(asdict(cast(Any, event.score)))
                place = {"epoch": event.epoch, "update": event.update, "is_best": event.is_best}
                self._write("epoch", place | figures)
                self._plot("validation", figures, event.update)
                for name, picture in self.task.pictures(event.network).items():
                    self._show(name, picture, event)
                self.board.flush()

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TrainingFailed(
                f"cannot write the journal in {self.run} ({error.strerror or error}); make room "
                "and start the same command again"
            ) from None

    def _write(self, event: str, figures: dict[str, Any]) -> None:
        self.log.write(json.dumps({"event": event, **figures}) + "\n")
        self.log.flush()

    def _plot(self, table: str, figures: dict[str, Any], update: int) -> None:
        for name, value in figures.items():
            if isinstance(value, float):
                self.board.add_scalar(f"{table}/{name}", value, update)

    def _show(self, name: str, picture: Image.Image, epoch: Epoch) -> None:
        picture.save(self.run / "samples" / f"{name}-{epoch.epoch:03}.png")
        self.board.add_image(f"samples/{name}", np.asarray(picture), epoch.update, dataformats="HW")


def _about(task: Task, machine: Machine) -> dict[str, Any]:
    """The first line of the log: what this run is."""
    return {
        "event": "run",
        "recipe": task.recipe.to_dict(),
        "lines": task.lines.digest,
        "lines_left_out": n_left_out(task),
        "torch": torch.__version__,
        "precision": machine.precision,
        "device": str(machine.device),
        "processes": machine.world,
        "threads": torch.get_num_threads(),
    }


def _cut_log(path: Path, about: dict[str, Any], held: dict[str, Any]) -> None:
    """Leave in the log its first line and what the checkpoint header `held` holds."""
    old = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    kept = [line for line in old if _is_held(line, held)] if held["update"] else []
    if not kept or json.loads(kept[0])["event"] != "run":
        kept.insert(0, json.dumps(about))
    new = path.with_suffix(".new")
    new.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    new.replace(path)


def _is_held(line: str, held: dict[str, Any]) -> bool:
    """Whether the checkpoint holds what this line of the log tells; a broken one it does not."""
    try:
        entry = json.loads(line)
        event = entry["event"]
        return bool(event == "run" or entry[event] <= held[event])
    except (ValueError, TypeError, KeyError):
        return False


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: float(f"{value:.{SIGNIFICANT}g}") if isinstance(value, float) else value
        for name, value in figures.items()
    }
