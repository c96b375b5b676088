"""The commands that write: `write`, `sample`, `explain` and `hands`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handwriter.cli.options import Candidates, HandName, Output, Quiet, ReaderName, Seed, Smoothness
from handwriter.cli.printing import counted, report_illegible, report_unfinished, say, with_bar
from handwriter.cli.texts import text_lines
from handwriter.errors import BadOption

if TYPE_CHECKING:
    from handwriter.ink import Written

commands = typer.Typer()


@commands.command(epilog='Example: handwriter write "The quick brown fox" -o fox.svg')
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
    lines = [line for line in text_lines(text, input) for _ in range(samples)]
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
    done = list(with_bar(written, len(lines), "writing", quiet))
    files.save(output, done)
    report_unfinished(done)
    report_illegible(done)
    if not quiet:
        say(f"{output}: {counted(len(done), 'line')} by {writer.name}, seed {seed}")


@commands.command(
    epilog="Example: handwriter sample -o scribble.svg --hand prediction.onnx --seed 3"
)
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
        say(f"{output}: {written.n_steps} points by {written.hand}, seed {written.seed}")


@commands.command(epilog='Example: handwriter explain "the window" -o window.png')
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
    report_unfinished([trace.written])


@commands.command(epilog="Example: handwriter hands")
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
