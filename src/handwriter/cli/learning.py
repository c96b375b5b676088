"""The commands that learn: `prepare`, `data show`, `train` and `export`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handwriter.cli.options import AsJson, Quiet
from handwriter.cli.printing import (
    TrainingBar,
    counted,
    print_json,
    print_report,
    progress_bar,
    say,
)
from handwriter.errors import BadOption

if TYPE_CHECKING:
    from handwriter.training.lines import Lines

commands = typer.Typer()
data = typer.Typer(help="Look into prepared data.", no_args_is_help=True, rich_markup_mode=None)
commands.add_typer(data, name="data")


@commands.command(
    epilog="Example: handwriter prepare iam-ondb -o lines.npz; then handwriter train quick"
)
def prepare(
    sources: Annotated[
        list[Path],
        typer.Argument(help="IAM-OnDB's or UNIPEN's folder, InkML, JSON-lines or lines files."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The lines file, .npz.")],
    recipe: Annotated[str, typer.Option("--recipe", help="default or graves2013.")] = "default",
    reader: Annotated[
        str | None,
        typer.Option("--reader", help="Leave out training lines that this reader contradicts."),
    ] = None,
    most_errors: Annotated[
        float | None,
        typer.Option(
            "--most-errors", help="The share of a line that it may read otherwise.  [default: 0.5]"
        ),
    ] = None,
    flag: Annotated[
        bool, typer.Option("--flag", help="Only name the lines that the reader contradicts.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Read pen trajectories into one lines file.

    What was used, mended and left out is counted under named reasons; the counts are printed and
    stored in the file.
    """
    from handwriter.training.prepare import prepare as prepared

    contradicted = None
    if reader is not None:
        from handwriter.reader import CONTRADICTED, load_reader

        most = CONTRADICTED if most_errors is None else most_errors
        if not 0 <= most < 1e6:
            raise BadOption(f"--most-errors is {most:g}; give a share from 0 up, such as 0.3")
        contradicted = partial(load_reader(reader).contradicted, most_errors=most)
    elif flag or most_errors is not None:
        option = "--flag" if flag else "--most-errors"
        raise BadOption(f"{option} needs a reader; give --reader NAME")

    if output.suffix != ".npz":
        raise BadOption(f"a lines file ends in .npz; {output.name!r} does not")
    with progress_bar(quiet) as bar:
        task = bar.add_task("reading", total=1.0)
        report = prepared(
            sources, output, recipe, lambda fraction: bar.update(task, completed=fraction),
            contradicted=contradicted, drop=not flag,
        )  # fmt: skip
    if as_json:
        print_json({"output": str(output), **report})
    elif not quiet:
        print_report(report)
    if not quiet:
        say(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@data.command("show", epilog="Example: handwriter data show lines.npz -o sheet.png")
def data_show(
    file: Annotated[Path, typer.Argument(help="A lines file that `prepare` wrote.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A sheet of random lines, .png or .svg.")
    ] = None,
    lines: Annotated[int, typer.Option("--lines", help="How many lines on the sheet.")] = 40,
    seed: Annotated[int, typer.Option("--seed", help="Which lines.")] = 1,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", help="Tell too what an epoch of this recipe is made of."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Print a lines file's statistics and draw some of its lines."""
    from handwriter.training.lines import load_lines
    from handwriter.training.recipe import load_recipe
    from handwriter.training.show import epoch_statistics, statistics

    chosen = load_recipe(recipe) if recipe else None
    loaded = load_lines(file)
    if output is not None:
        _draw_lines(loaded, output, lines, seed)
    figures = statistics(loaded)
    if chosen:
        figures["epoch"] = epoch_statistics(loaded, chosen.sampling)
    if as_json:
        print_json(figures)
    elif not quiet:
        print_report(figures)
    if output is not None and not quiet:
        say(f"{output}: {counted(min(lines, len(loaded)), 'random line')}")


def _draw_lines(lines: Lines, output: Path, n: int, seed: int) -> None:
    from handwriter import output as files
    from handwriter.training.show import random_lines

    if not 1 <= n <= 1000:
        raise BadOption(f"--lines is {n}; it takes a whole number from 1 to 1,000")
    inks, captions = zip(*random_lines(lines, n, seed), strict=True)
    files.write_file(output, files.sheet_of(inks, captions, output.suffix))


@commands.command(epilog="Example: handwriter train quick --data lines.npz --run runs/first")
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name or TOML file.")],
    data: Annotated[Path, typer.Option("--data", help="The lines file.")],
    run: Annotated[
        Path, typer.Option("--run", help="The run's folder; a run that is there goes on.")
    ],
    begin_from: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A new run begins with the weights of this checkpoint, or of this hand or "
            "reader: an .onnx file, or the name of one that is installed.",
        ),
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
    quiet = quiet or os.environ.get("RANK", "0") != "0"
    with progress_bar(quiet) as bar:
        run_training(
            chosen, lines, run, precision, checkpoint_minutes, stop_after_minutes,
            TrainingBar(bar, chosen, quiet), begin_from=begin_from,
        )  # fmt: skip


@commands.command(
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
    quiet: Quiet = False,
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
    if not quiet:
        say(f"{output}: {len(content) / 1e6:.1f} MB")
