"""The command line: parse, one call, print.

Heavy things are imported inside the commands, so that `--help` answers at once and writing
never loads torch.  Exit status: 0 done, 1 a fault of ours, 2 something the user can mend,
130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from handwriter.errors import BadOption, HandwriterError

if TYPE_CHECKING:
    from rich.progress import Progress

    from handwriter.ink import Line, Written
    from handwriter.training.lines import Lines
    from handwriter.training.recipe import Recipe

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
ReaderName = Annotated[str, typer.Option("--reader", help="An installed reader's name, or a file.")]
Candidates = Annotated[
    int, typer.Option("--candidates", help="How many are drawn of a line at a time to choose from.")
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
    candidates: Candidates = 4,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Read each line, and draw it again if need be."),
    ] = True,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing unless every line can be read.")
    ] = False,
    reader: ReaderName = "research",
    quiet: Quiet = False,
) -> None:
    """Write text, one line of ink a line of text.

    Each line is drawn several times and read, and the best is kept; where none can be read, it is
    drawn again, and at last the best is given and reported.  --no-check gives the first that comes.
    """
    from handwriter import output as files
    from handwriter.hand import check_seed, load

    if not 1 <= samples <= 1000:
        raise BadOption(f"--samples is {samples}; it takes a whole number from 1 to 1,000")
    if strict and not check:
        raise BadOption("--strict needs the check; leave --no-check out")
    files.check_output(output)
    lines = [line for line in _text_lines(text, input) for _ in range(samples)]
    writer = load(hand)
    seed = check_seed(seed, n_lines=len(lines))
    written: Iterator[Written]
    if check:
        from handwriter.author import Author
        from handwriter.reader import load_reader

        written = Author(writer, load_reader(reader)).iter_lines(
            lines, smoothness=smoothness, seed=seed, candidates=candidates, strict=strict
        )
    else:
        written = writer.iter_lines(lines, smoothness=smoothness, seed=seed)
    done = list(_with_bar(written, len(lines), "writing", quiet))
    files.save(output, done)
    _report_unfinished(done)
    _report_illegible(done)
    if not quiet:
        _say(f"{output}: {_counted(len(done), 'line')} by {writer.name}, seed {seed}")


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
    """List the installed hands, and the readers that check them, with their licences."""
    from handwriter.weights import (
        installed_hands,
        installed_readers,
        load_reader_weights,
        load_weights,
    )

    for name in installed_hands():
        weights = load_weights(name)
        print(f"{name}: {weights.licence}")
        print(f"  data        {weights.data}")
        print(f"  characters  {weights.characters.strip()} and the blank")
        print(f"  trained     {weights.about['epochs']} epochs, {weights.about['weights']} weights")
    for name in installed_readers():
        reader = load_reader_weights(name)
        print(f"{name} (reader): {reader.licence}")
        print(f"  data        {reader.data}")
        print(f"  characters  {reader.characters.strip()} and the blank")
        rate = json.loads(reader.about["figures"])["character_error_rate"]
        print(f"  figures     {100 * rate:.1f} % of characters read wrongly in validation")


# --- Reading -----------------------------------------------------------------------------------


@app.command(epilog="Example: handwriter read notes.inkml; or with --json, for programs")
def read(
    file: Annotated[Path, typer.Argument(help="Ink: .jsonl, .inkml, or .svg of single strokes.")],
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="What it says: a text file, one line a line of ink."),
    ] = None,
    reader: ReaderName = "research",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Read ink: what each line says, and where that is doubtful.

    Doubtful characters are marked, with how sure the reader is of them. Where it is known what
    the ink says, from the file or by --truth, the error rates of characters (CER) and words
    (WER) follow.
    """
    from handwriter.interchange import read_ink
    from handwriter.reader import load_reader
    from handwriter.transcript import Tally, transcribe

    lines, left_out = read_ink(file)
    if truth is not None:
        lines = _with_truth(list(lines), truth)
    tally = Tally()
    for transcript in transcribe(load_reader(reader), lines):
        print(transcript.as_json() if as_json else transcript.as_text())
        tally.add(transcript)
    if left_out:
        counts = ", ".join(f"{what} {n:,}" for what, n in left_out.items())
        _say(f"{file}: left out, since they are no pen strokes: {counts}")
    if tally.n_known and as_json:
        _say(str(tally))
    elif tally.n_known:
        print(tally)


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
    reader: Annotated[
        str | None,
        typer.Option("--reader", help="Leave out training lines that this reader contradicts."),
    ] = None,
    flag: Annotated[
        bool, typer.Option("--flag", help="Only name the lines that the reader contradicts.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Read pen trajectories into one lines file.

    What was used, mended and left out is counted under named reasons; the counts are printed and
    stored in the file.
    """
    from handwriter.training.prepare import prepare as prepared

    contradicted = None
    if reader is not None:
        from handwriter.reader import load_reader

        contradicted = load_reader(reader).contradicted
    elif flag:
        raise BadOption("--flag needs a reader; give --reader NAME")

    if output.suffix != ".npz":
        raise BadOption(f"a lines file ends in .npz; {output.name!r} does not")
    with _bar(quiet) as bar:
        task = bar.add_task("reading", total=1.0)
        report = prepared(
            sources, output, recipe, lambda fraction: bar.update(task, completed=fraction),
            contradicted=contradicted, drop=not flag,
        )  # fmt: skip
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
    begin_from: Annotated[
        Path | None,
        typer.Option("--from", help="A checkpoint whose weights a new run begins with."),
    ] = None,
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
            _TrainingBar(bar, chosen), begin_from=begin_from,
        )  # fmt: skip


@app.command(
    epilog="Example: handwriter export runs/first/best.safetensors --data lines.npz -o my.onnx "
    '--name mine --licence "CC BY 4.0" --collection "my own letters"'
)
def export(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint that `train` wrote.")],
    data: Annotated[Path, typer.Option("--data", help="The lines file it was trained on.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The hand or reader, .onnx.")],
    name: Annotated[str, typer.Option("--name", help="What it is called.")],
    licence: Annotated[str, typer.Option("--licence", help="The licence of the weights.")],
    collection: Annotated[str, typer.Option("--collection", help="The data, and their licence.")],
    fp32: Annotated[bool, typer.Option("--fp32", help="Keep 32-bit weights.")] = False,
) -> None:
    """Make a hand, or a reader, of a checkpoint.

    It is one .onnx file with int8 weights and all that is known of them.
    """
    from handwriter import output as files
    from handwriter.training.checkpoint import load_checkpoint
    from handwriter.training.export import export as exported
    from handwriter.training.lines import load_lines

    if output.suffix != ".onnx":
        raise BadOption(f"a hand or reader ends in .onnx; {output.name!r} does not")
    content = exported(
        load_checkpoint(checkpoint), load_lines(data), name=name, licence=licence,
        data=collection, int8=not fp32,
    )  # fmt: skip
    files.write_file(output, content)
    _say(f"{output}: {len(content) / 1e6:.1f} MB")


@app.command(
    epilog="Example: handwriter evaluate research; "
    "or handwriter evaluate runs/first/best.safetensors --data lines.npz"
)
def evaluate(
    what: Annotated[str, typer.Argument(help="A hand's name or file, or a checkpoint.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="A lines file: the checkpoint's own, or real ink to compare."),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="For a checkpoint: validation or train.")
    ] = "validation",
    reader: ReaderName = "research",
    sentences: Annotated[
        Path | None, typer.Option("--sentences", help="A text file in place of our 500 sentences.")
    ] = None,
    smoothness: Annotated[
        str, typer.Option("--smoothness", help="One or several, with commas between.")
    ] = "0,0.5,1,1.5,2,3",
    candidates: Candidates = 4,
    seed: Annotated[int, typer.Option("--seed", help="Of the first line.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a table row.")] = False,
    quiet: Quiet = False,
) -> None:
    """Measure a hand, or recompute the figures of a checkpoint.

    A hand writes sentences that no training saw, once as its network samples them and once
    checked, at each smoothness; the reader reads them, and the validation lines of --data to
    compare.  A checkpoint that writes is told in nats and squared errors, in the normalised units
    of its training lines; one that reads, in its character error rate.
    """
    if Path(what).suffix == ".safetensors":
        _evaluate_checkpoint(Path(what), data, split)
    else:
        rows = _legibility_rows(
            what, reader, data, sentences, _numbers(smoothness), candidates, seed, quiet
        )
        _print_legibility(rows, as_json)


def _evaluate_checkpoint(checkpoint: Path, data: Path | None, split: str) -> None:
    from handwriter.training.checkpoint import load_checkpoint
    from handwriter.training.lines import load_lines
    from handwriter.training.session import evaluate_checkpoint

    if data is None:
        raise BadOption("a checkpoint is evaluated on its lines; give them with --data lines.npz")
    score = evaluate_checkpoint(load_checkpoint(checkpoint), load_lines(data), split)
    _print_report({k: _short(v) for k, v in vars(score).items()})


def _legibility_rows(
    hand: str, reader: str, data: Path | None, sentences: Path | None, smoothnesses: list[float],
    candidates: int, seed: int, quiet: bool,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """A row of figures for people's lines, then for each smoothness, raw and checked."""
    from handwriter.author import Author
    from handwriter.evaluation import (
        load_sentences,
        raw_legibility,
        real_legibility,
        selected_legibility,
    )
    from handwriter.hand import load
    from handwriter.reader import load_reader

    author = Author(load(hand), load_reader(reader))
    texts = load_sentences(sentences)
    if data is not None:
        from handwriter.training.lines import load_lines

        lines = load_lines(data)
        people = [lines.line(int(i)) for i in lines.where("validation")]
        yield {"smoothness": None, "how": "people", **real_legibility(author.reader, people).row()}
    for smoothness in _with_bar(iter(smoothnesses), len(smoothnesses), "evaluating", quiet):
        raw = raw_legibility(author.hand, author.reader, texts, smoothness, seed)
        checked = selected_legibility(author, texts, smoothness, seed, candidates)
        for how, found in (("raw", raw), ("checked", checked)):
            yield {"smoothness": smoothness, "how": how, **found.row()}


def _print_legibility(rows: Iterator[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for name in ("smoothness", "", "CER", "WER", "worst line", "broken", "unfinished",
                 "drawn", "slant", "size", "spacing"):  # fmt: skip
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        rates = ("character_error_rate", "word_error_rate", "worst_line", "broken", "unfinished")
        table.add_row(
            "" if row["smoothness"] is None else f"{row['smoothness']:g}",
            row["how"],
            *(f"{100 * row[name]:.1f} %" for name in rates),
            f"{row['candidates']:.1f}",
            *(f"{row[name][0]:.2f} ± {row[name][1]:.2f}" for name in ("slant", "size", "spacing")),
        )
    Console(width=120 if not sys.stdout.isatty() else None).print(table)


def _numbers(listed: str) -> list[float]:
    try:
        return [float(part) for part in listed.split(",")]
    except ValueError:
        raise BadOption(f"{listed!r} is no list of numbers; give them as 0,0.5,1") from None


# --- Taking in and printing --------------------------------------------------------------------


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


def _with_truth(lines: list[Line], file: Path) -> list[Line]:
    """The lines with the texts of a file, whatever they had before."""
    texts = _text_lines(None, file)
    if len(texts) != len(lines):
        raise BadOption(
            f"{file} has {_counted(len(texts), 'line')} of text, but there are {len(lines):,} of "
            "ink; give one line of text a line of ink"
        )
    return [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]


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


def _report_illegible(lines: Iterable[Written]) -> None:
    """Name the lines that the author could not write well; raw ones were never read."""
    for number, line in enumerate(lines, start=1):
        if line.read is not None and line.finished and not getattr(line, "is_legible", True):
            _say(
                f"line {number} is hard to read ({line.text!r}, read as {line.read!r}, the best of "
                f"{line.n_candidates}); try another --seed or more --candidates"
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


def _short(figure: float) -> float:
    """Six digits of it."""
    return float(f"{figure:.6g}") if isinstance(figure, float) else figure


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

    def __init__(self, bar: Progress, recipe: Recipe) -> None:
        self.bar, self.epochs = bar, recipe.training.epochs
        self.unit = "point" if recipe.kind == "network" else "character"
        self.task = bar.add_task("training", total=None)

    def update(self, event: Any) -> None:
        self.bar.update(
            self.task,
            total=event.of_updates,
            completed=event.update,
            description=f"epoch {event.epoch}/{self.epochs}  "
            f"{event.loss:+.3f} nats a {self.unit}  {event.points_a_second:,.0f} points/s",
        )

    def epoch(self, event: Any) -> None:
        _say(
            f"epoch {event.epoch}/{self.epochs}: {event.score}{' (best)' if event.is_best else ''}"
        )


def main() -> None:
    """Run the command line; every error ends in one line and an exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit status."""
    try:
        status = int(app(arguments, prog_name="handwriter", standalone_mode=False) or 0)
        # Typer makes this status of Ctrl-C, without a word.
        return _failed("interrupted", 130) if status == 130 else status
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
