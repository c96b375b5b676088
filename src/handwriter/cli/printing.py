"""What the commands print: messages and progress on standard error, reports on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

    from handwriter.ink import Written
    from handwriter.training.recipe import Recipe

T = TypeVar("T")


def say(message: str) -> None:
    print(f"handwriter: {message}", file=sys.stderr)


def print_json(row: dict[str, Any]) -> None:
    """One object as a line of ASCII, which every program can take in."""
    print(json.dumps(row), flush=True)


def counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def short(figure: float) -> float:
    """Six digits of it."""
    return float(f"{figure:.6g}") if isinstance(figure, float) else figure


def print_report(report: dict[str, Any], indent: str = "") -> None:
    """Names and numbers, nested ones indented, as is each name of a list."""
    for key, value in report.items():
        name = f"{indent}{str(key).replace('_', ' ')}"
        if isinstance(value, dict):
            print(name)
            print_report(value, indent + "  ")
        elif isinstance(value, list):
            print("\n".join([name, *(f"{indent}  {item}" for item in value)]))
        else:
            shown = f"{value:,}" if isinstance(value, int) else value
            print(f"{name:<40} {shown}")


def row_of(line: Written) -> dict[str, Any]:
    """How a line was written, by the names that it has in a JSON-lines file, without its ink.

    Those of a checked line have `read`, `candidates` and `legible` too.
    """
    row = {
        "text": line.text, "hand": line.hand, "licence": line.licence, "seed": line.seed,
        "smoothness": line.smoothness, "finished": line.finished, "steps": line.n_steps,
        "style": line.style,
    }  # fmt: skip
    if line.read is not None:
        row |= {"read": line.read, "candidates": line.n_candidates}
        row["legible"] = bool(getattr(line, "is_legible", True))
    return row


def report_unfinished(written: Iterable[Written]) -> None:
    for number, line in enumerate(written, start=1):
        if not line.finished:
            say(
                f"line {number} is unfinished ({line.text!r}, seed {line.seed}): the hand did not "
                "come to its end; try another --seed"
            )


def report_illegible(lines: Iterable[Written]) -> None:
    """Name the lines that the author could not write well; raw ones were never read."""
    for number, line in enumerate(lines, start=1):
        if line.read is not None and line.finished and not getattr(line, "is_legible", True):
            say(
                f"line {number} is hard to read ({line.text!r}, read as {line.read!r}, the best of "
                f"{line.n_candidates}); try another --seed or more --candidates"
            )


def progress_bar(quiet: bool) -> Progress:
    """A progress bar on standard error, and only where a person sees it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    is_seen = sys.stderr.isatty() and not console.is_dumb_terminal
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=quiet or not is_seen,
    )  # fmt: skip


def with_bar(items: Iterator[T], total: int, what: str, quiet: bool) -> Iterator[T]:
    with progress_bar(quiet) as bar:
        yield from bar.track(items, total=total, description=what)


class TrainingBar:
    """Shows what a run reports: a moving bar for its updates, a line for each epoch."""

    def __init__(self, bar: Progress, recipe: Recipe, quiet: bool) -> None:
        self.bar, self.epochs, self.quiet = bar, recipe.training.epochs, quiet
        self.unit = "point" if recipe.kind == "network" else "character"
        self.task = bar.add_task("training", total=None)

    def left_out(self, n_lines: int) -> None:
        if not self.quiet:
            say(f"{counted(n_lines, 'line')} left out: too little ink for so many characters")

    def update(self, event: Any) -> None:
        self.bar.update(
            self.task,
            total=event.of_updates,
            completed=event.update,
            description=f"epoch {event.epoch}/{self.epochs}  "
            f"{event.loss:+.3f} nats a {self.unit}  {event.points_a_second:,.0f} points/s",
        )

    def epoch(self, event: Any) -> None:
        if not self.quiet:
            best = " (best)" if event.is_best else ""
            say(f"epoch {event.epoch}/{self.epochs}: {event.score}{best}")
