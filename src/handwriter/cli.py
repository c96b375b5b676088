"""The command line: parse, one call, print.

Heavy things are imported inside the commands, so that `--help` answers at once and writing
never loads torch.  Exit status: 0 done, 1 a fault of ours, 2 something the user can mend,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from handwriter.errors import BadOption, HandwriterError

if TYPE_CHECKING:
    from rich.progress import Progress

    from handwriter.ink import Written
    from handwriter.training.lines import Lines

T = TypeVar("T")

app = typer.Typer(
    help="Writes any text as a person would, pen stroke by pen stroke.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data = typer.Typer(help="Look into prepared data.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data, name="data")

Output = Annotated[
    Path, typer.Option("--output", "-o", help="Where to; the suffix names the format.")
]
HandName = Annotated[str, typer.Option("--hand", help="An installed hand's name, or a file.")]
Smoothness = Annotated[
    float,
    typer.Option(
        "--smoothness", "-b", help="0 as varied as people, 1.5 steady (the paper's bias)."
    ),
]
Seed = Annotated[
    int | None, typer.Option("--seed", help="Repeat the same ink; without it, new ink each time.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


# --- Writing -----------------------------------------------------------------------------------


@app.command(epilog='Example: handwriter write "The quick brown fox" -o fox.svg')
def write(
    output: Output,
    text: Annotated[
        str | None, typer.Argument(help="What to write; without it, standard input.")
    ] = None,
    input: Annotated[
        Path | None, typer.Option("--input", "-i", help="A text file: one line of ink a line.")
    ] = None,
    smoothness: Smoothness = 1.5,
    seed: Seed = None,
    samples: Annotated[int, typer.Option("--samples", help="Write each line so many times.")] = 1,
    hand: HandName = "research",
    quiet: Quiet = False,
) -> None:
    """Write text, one line of ink a line of text."""
    from handwriter import output as files
    from handwriter.hand import load

    if not 1 <= samples <= 1000:
        raise BadOption(f"--samples is {samples}; it takes a whole number from 1 to 1,000")
    files.check_output(output)
    lines = [line for line in _text_lines(text, input) for _ in range(samples)]
    writer = load(hand)
    written = list(
        _with_bar(
            writer.iter_lines(lines, smoothness=smoothness, seed=seed),
            len(lines),
            "writing",
            quiet,
        )
    )
    files.save(output, written)
    _report_unfinished(written)
    if not quiet:
        _say(f"{output}: {_counted(len(written), 'line')} by {writer.name}, seed {written[0].seed}")


@app.command(epilog="Example: handwriter sample -o scribble.svg --hand prediction.onnx --seed 3")
def sample(
    output: Output,
    hand: Annotated[str, typer.Option("--hand", help="A prediction network's name or file.")],
    steps: Annotated[int, typer.Option("--steps", help="How many pen points.")] = 700,
    smoothness: Smoothness = 0.0,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Write without text, by a prediction network."""
    from handwriter import output as files
    from handwriter.hand import load

    files.check_output(output)
    written = load(hand).sample(steps=steps, smoothness=smoothness, seed=seed)
    files.save(output, written)
    if not quiet:
        _say(f"{output}: {written.n_steps} points by {written.hand}, seed {written.seed}")


@app.command(epilog='Example: handwriter explain "the window" -o window.png')
def explain(
    text: Annotated[str, typer.Argument(help="At most 45 characters.")],
    output: Output,
    smoothness: Smoothness = 1.5,
    seed: Seed = None,
    hand: HandName = "research",
) -> None:
    """Draw what the network thinks while it writes.

    The picture shows the window over the text, the densities along the ink, and the pen lifts.
    """
    from handwriter import output as files
    from handwriter.explain import explain as explained
    from handwriter.hand import load

    if output.suffix.lower() != ".png":
        raise BadOption(f"cannot explain in {output.name!r}; give a file that ends in .png")
    writer = load(hand)
    trace = writer.trace(text, smoothness=smoothness, seed=seed)
    files.write_file(output, explained(trace, writer.weights))
    _report_unfinished([trace.written])


@app.command(epilog="Example: handwriter hands")
def hands() -> None:
    """List the installed hands and their licences."""
    from handwriter.weights import installed_hands, load_weights

    for name in installed_hands():
        weights = load_weights(name)
        print(f"{name}: {weights.licence}")
        print(f"  data        {weights.data}")
        print(f"  characters  {weights.characters.strip()} and the blank")
        print(f"  trained     {weights.about['epochs']} epochs, {weights.about['weights']} weights")


# --- Learning ----------------------------------------------------------------------------------


@app.command(
    epilog="Example: handwriter prepare iam-ondb -o lines.npz; then handwriter train quick"
)
def prepare(
    sources: Annotated[
        list[Path], typer.Argument(help="IAM-OnDB's folder, InkML or JSON-lines files.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The lines file, .npz.")],
    recipe: Annotated[str, typer.Option("--recipe", help="default or graves2013.")] = "default",
    quiet: Quiet = False,
) -> None:
    """Read pen trajectories into one lines file.

    What was used, mended and left out is counted under named reasons; the counts are printed and
    stored in the file.
    """
    from handwriter.training.prepare import prepare as prepared

    if output.suffix != ".npz":
        raise BadOption(f"a lines file ends in .npz; {output.name!r} does not")
    with _bar(quiet) as bar:
        task = bar.add_task("reading", total=1.0)
        report = prepared(
            sources, output, recipe, lambda fraction: bar.update(task, completed=fraction)
        )
    if not quiet:
        _print_report(report)
        _say(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@data.command("show", epilog="Example: handwriter data show lines.npz -o sheet.png")
def data_show(
    file: Annotated[Path, typer.Argument(help="A lines file that `prepare` wrote.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A sheet of random lines, .png or .svg.")
    ] = None,
    lines: Annotated[int, typer.Option("--lines", help="How many lines on the sheet.")] = 40,
    seed: Annotated[int, typer.Option("--seed", help="Which lines.")] = 1,
) -> None:
    """Print a lines file's statistics and draw some of its lines."""
    from handwriter.training.lines import load_lines
    from handwriter.training.show import statistics

    loaded = load_lines(file)
    _print_report(statistics(loaded))
    if output is not None:
        _draw_lines(loaded, output, lines, seed)
        _say(f"{output}: {_counted(min(lines, len(loaded)), 'random line')}")


@app.command(epilog="Example: handwriter train quick --data lines.npz --run runs/first")
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name or TOML file.")],
    data: Annotated[Path, typer.Option("--data", help="The lines file.")],
    run: Annotated[
        Path, typer.Option("--run", help="The run's folder; a run that is there goes on.")
    ],
    precision: Annotated[str, typer.Option("--precision", help="auto, fp32 or bf16.")] = "auto",
    checkpoint_minutes: Annotated[
        float, typer.Option("--checkpoint-minutes", help="How often the run is saved.")
    ] = 3.0,
    stop_after_minutes: Annotated[
        float | None, typer.Option("--stop-after-minutes", help="Save and stop after so long.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train a network, or go on training it.

    Given again, the same command goes on exactly where the run was stopped.
    """
    from handwriter.training.lines import load_lines
    from handwriter.training.recipe import load_recipe
    from handwriter.training.session import run_training

    chosen, lines = load_recipe(recipe), load_lines(data)
    with _bar(quiet or os.environ.get("RANK", "0") != "0") as bar:
        run_training(
            chosen, lines, run, precision, checkpoint_minutes, stop_after_minutes,
            _TrainingBar(bar, chosen.training.epochs),
        )  # fmt: skip


@app.command(
    epilog="Example: handwriter export runs/first/best.safetensors --data lines.npz -o my.onnx "
    '--name mine --licence "CC BY 4.0" --collection "my own letters"'
)
def export(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint that `train` wrote.")],
    data: Annotated[Path, typer.Option("--data", help="The lines file it was trained on.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The hand, .onnx.")],
    name: Annotated[str, typer.Option("--name", help="What the hand is called.")],
    licence: Annotated[str, typer.Option("--licence", help="The licence of the weights.")],
    collection: Annotated[str, typer.Option("--collection", help="The data, and their licence.")],
    fp32: Annotated[bool, typer.Option("--fp32", help="Keep 32-bit weights.")] = False,
) -> None:
    """Make a hand of a checkpoint.

    A hand is one .onnx file with int8 weights and all that is known of them.
    """
    from handwriter import output as files
    from handwriter.training.checkpoint import load_checkpoint
    from handwriter.training.export import export as exported
    from handwriter.training.lines import load_lines

    if output.suffix != ".onnx":
        raise BadOption(f"a hand ends in .onnx; {output.name!r} does not")
    content = exported(
        load_checkpoint(checkpoint), load_lines(data), name=name, licence=licence,
        data=collection, int8=not fp32,
    )  # fmt: skip
    files.write_file(output, content)
    _say(f"{output}: {len(content) / 1e6:.1f} MB")


@app.command(epilog="Example: handwriter evaluate runs/first/best.safetensors --data lines.npz")
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint that `train` wrote.")],
    data: Annotated[Path, typer.Option("--data", help="The lines file it was trained on.")],
    split: Annotated[str, typer.Option("--split", help="validation or train.")] = "validation",
) -> None:
    """Recompute the figures of a checkpoint.

    Nats a line and squared error a point, in the normalised units of its training lines.
    """
    from handwriter.training.checkpoint import load_checkpoint
    from handwriter.training.lines import load_lines
    from handwriter.training.session import evaluate_checkpoint

    score = evaluate_checkpoint(load_checkpoint(checkpoint), load_lines(data), split)
    _print_report(
        {
            "lines": score.lines,
            "nats a line": round(score.nats_a_line, 2),
            "nats a point": round(score.nats_a_point, 4),
            "squared error a point": round(score.squared_error_a_point, 4),
        }
    )


# --- Reading and printing ----------------------------------------------------------------------


def _text_lines(text: str | None, file: Path | None) -> list[str]:
    """The lines to write, from the argument, the file or standard input."""
    if text is not None and file is not None:
        raise BadOption("give the text or --input, not both")
    if text is None:
        text = _read_text(file)
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def _read_text(file: Path | None) -> str:
    if file is None and sys.stdin.isatty():
        raise BadOption("there is no text; give it as an argument, by --input FILE or by a pipe")
    name = file or "standard input"
    try:
        content = file.read_bytes() if file and str(file) != "-" else sys.stdin.buffer.read()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise BadOption(f"cannot read {name} ({error.strerror}); give a text file") from None
    except UnicodeDecodeError as error:
        raise BadOption(
            f"{name} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8 first"
        ) from None


def _draw_lines(lines: Lines, output: Path, n: int, seed: int) -> None:
    from handwriter import output as files
    from handwriter.training.show import random_lines

    if not 1 <= n <= 1000:
        raise BadOption(f"--lines is {n}; it takes a whole number from 1 to 1,000")
    inks, captions = zip(*random_lines(lines, n, seed), strict=True)
    files.write_file(output, files.sheet_of(inks, captions, output.suffix))


def _report_unfinished(written: Iterable[Written]) -> None:
    for number, line in enumerate(written, start=1):
        if not line.finished:
            _say(
                f"line {number} is unfinished ({line.text!r}, seed {line.seed}): the hand did not "
                "come to its end; try another --seed"
            )


def _print_report(report: dict[str, Any], indent: str = "") -> None:
    """Names and numbers, nested ones indented."""
    for key, value in report.items():
        name = f"{indent}{str(key).replace('_', ' ')}"
        if isinstance(value, dict):
            print(name)
            _print_report(value, indent + "  ")
        else:
            shown = f"{value:,}" if isinstance(value, int) else value
            print(f"{name:<40} {shown}")


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _say(message: str) -> None:
    print(f"handwriter: {message}", file=sys.stderr)


def _bar(quiet: bool) -> Progress:
    """A progress bar on standard error, and only where a person sees it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=quiet or not console.is_terminal,
    )  # fmt: skip


def _with_bar(items: Iterator[T], total: int, what: str, quiet: bool) -> Iterator[T]:
    with _bar(quiet) as bar:
        yield from bar.track(items, total=total, description=what)


class _TrainingBar:
    """Shows what a run reports: a moving bar for its updates, a line for each epoch."""

    def __init__(self, bar: Progress, epochs: int) -> None:
        self.bar, self.epochs = bar, epochs
        self.task = bar.add_task("training", total=None)

    def update(self, event: Any) -> None:
        self.bar.update(
            self.task,
            total=event.of_updates,
            completed=event.update,
            description=f"epoch {event.epoch + 1}/{self.epochs}  "
            f"{event.nats_a_point:+.3f} nats a point  {event.points_a_second:,.0f} points/s",
        )

    def epoch(self, event: Any) -> None:
        score = event.score
        _say(
            f"epoch {event.epoch}/{self.epochs}: {score.nats_a_line:.1f} nats a line, "
            f"{score.nats_a_point:.4f} a point, squared error {score.squared_error_a_point:.3f}"
            f"{' (best)' if event.is_best else ''}"
        )


def main() -> None:
    """Run the command line; every error ends in one line and an exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit status."""
    try:
        return int(app(arguments, prog_name="handwriter", standalone_mode=False) or 0)
    except HandwriterError as error:
        return _failed(str(error), 2)
    except typer.TyperException as error:
        return _failed(f"{error.format_message()} (see --help)", 2)
    except (KeyboardInterrupt, typer.Abort):
        return _failed("interrupted", 130)
    except BrokenPipeError:
        sys.stdout = None  # nobody reads what is left in it
        return 0
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnx", "safetensors", "tensorboard"):
            raise
        return _failed(f"this needs {error.name}; run `pip install 'handwriter[train]'`", 2)
    except Exception as error:
        if os.environ.get("HANDWRITER_DEBUG"):
            raise
        return _failed(
            f"a fault in handwriter itself ({type(error).__name__}: {error}); please report it, "
            "with what HANDWRITER_DEBUG=1 prints",
            1,
        )


def _failed(message: str, status: int) -> int:
    """Print one line, whatever the message holds."""
    _say(" ".join(message.split()))
    return status
