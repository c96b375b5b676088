"""One sitting at a run: training with its journal until it is done, stopped or interrupted."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Protocol

import torch

from handwriter.errors import BadOption
from handwriter.training.checkpoint import Checkpoint, load_checkpoint, newest_checkpoint
from handwriter.training.journal import Journal
from handwriter.training.lines import Lines
from handwriter.training.machine import keep_memory, leave_machine, this_machine
from handwriter.training.network import NetworkConfig, seeing_height
from handwriter.training.recipe import Recipe
from handwriter.training.revive import revived
from handwriter.training.tasks import task_of, trained_network
from handwriter.training.train import Epoch, Score, Update, check_lines, n_left_out, train
from handwriter.weights import installed_file, installed_hands, installed_readers

PRECISIONS = ("auto", "fp32", "bf16")


class Watcher(Protocol):
    """Whoever wants to see a run go by; the first process tells the command line's bar."""

    def left_out(self, n_lines: int) -> None: ...

    def update(self, event: Update) -> None: ...

    def epoch(self, event: Epoch) -> None: ...


def run_training(
    recipe: Recipe,
    lines: Lines,
    run: Path,
    precision: str,
    checkpoint_minutes: float,
    stop_after_minutes: float | None,
    watcher: Watcher,
    *,
    begin_from: Path | None = None,
) -> None:
    """Begin the run in the folder `run`, or go on with the one that is there.

    A run that begins takes the weights of `begin_from`, if it is given: a checkpoint, or a hand or
    reader, exported or installed by that name.

    Ctrl-C, SIGTERM and the end of `stop_after_minutes` let the update under way finish, save the
    run, and leave.  Raises BadOption and TrainingFailed.
    """
    if precision not in PRECISIONS:
        raise BadOption(f"precision is {precision!r}; choose one of {', '.join(PRECISIONS)}")
    for minutes in (checkpoint_minutes, stop_after_minutes):
        if minutes is not None and not 0 <= minutes < 1e6:
            raise BadOption(f"{minutes} is no number of minutes; give one from 0 up")
    check_lines(recipe, lines)
    if begin_from and not newest_checkpoint(run):
        begin_from = _file_of(recipe, begin_from)
    task = task_of(recipe, lines)
    machine = this_machine(precision)
    keep_memory()
    begun = time.monotonic()
    with ExitStack() as stack:
        stack.callback(leave_machine)
        stack.enter_context(_no_subnormals())
        interrupted = stack.enter_context(_interruptions())
        journal = None
        if machine.rank == 0:
            journal = stack.enter_context(Journal(run, task, machine))
            if n := n_left_out(task):
                watcher.left_out(n)

        def stop() -> bool:
            late = (
                stop_after_minutes is not None
                and time.monotonic() - begun > stop_after_minutes * 60
            )
            return machine.any(late or bool(interrupted))

        for event in train(
            task,
            run,
            machine,
            begin_from=begin_from,
            load=partial(_to_begin_with, recipe),
            checkpoint_minutes=checkpoint_minutes,
            stop=stop,
        ):
            if journal is None:
                continue
            journal.record(event)
            if isinstance(event, Update):
                watcher.update(event)
            else:
                watcher.epoch(event)


def _to_begin_with(recipe: Recipe, path: Path) -> Checkpoint:
    """The checkpoint or exported file; one of a hand that knows no heights learns to see them."""
    checkpoint = revived(path) if path.suffix == ".onnx" else load_checkpoint(path)
    network = checkpoint.header["recipe"].get("network")
    sees_heights = isinstance(recipe.network, NetworkConfig) and recipe.network.height
    if network is None or not sees_heights or network.get("height"):
        return checkpoint
    network["height"] = True
    return replace(checkpoint, tensors=seeing_height(checkpoint.tensors))


def _file_of(recipe: Recipe, path: Path) -> Path:
    """The file itself, or that of the hand or reader that is installed by its name."""
    if path.exists():
        return path
    is_reader = recipe.kind == "reader"
    if installed := installed_file(str(path), is_reader=is_reader):
        return installed
    noun, names = ("reader", installed_readers()) if is_reader else ("hand", installed_hands())
    raise BadOption(
        f"there is no {path} to begin from; give a checkpoint, an .onnx file or an installed "
        f"{noun}: {', '.join(names)}"
    )


def evaluate_checkpoint(checkpoint: Checkpoint, lines: Lines, split: str) -> Score:
    """The figures of a checkpoint on a split of the lines file that it was trained on.

    Raises BadOption for a split without lines, TrainingFailed for another file.
    """
    task, network = trained_network(checkpoint, lines)
    chosen = lines.where(split)
    if not len(chosen):
        raise BadOption(f"there are no {split!r} lines; choose train or validation")
    machine = this_machine("fp32")
    return task.evaluate(network.to(machine.device), chosen, machine)


@contextmanager
def _no_subnormals() -> Iterator[None]:
    """Take numbers below 1e-38 for 0 here, since they are slow; it is a state of the processor,
    and left on, it changes the arithmetic of whatever runs after."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM in a list; the second Ctrl-C interrupts as usual."""
    caught: list[int] = []

    def catch(number: int, frame: FrameType | None) -> None:
        if caught and number == signal.SIGINT:
            raise KeyboardInterrupt
        caught.append(number)

    before = {number: signal.signal(number, catch) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
