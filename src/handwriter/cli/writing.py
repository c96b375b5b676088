"""The commands that write: `write`, `sample`, `explain` and `hands`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handwriter.cli.options import (
    DEFAULT_CANDIDATES,
    DEFAULT_HAND,
    AsJson,
    Candidates,
    Check,
    Format,
    HandName,
    Output,
    Quiet,
    ReaderName,
    Seed,
    Smoothness,
    Strict,
    StyleName,
    StyleText,
)
from handwriter.cli.outputs import called, give, is_standard, output_suffix
from handwriter.cli.plotting import Bed, PenSpeed, ProfileName, plotter_for
from handwriter.cli.printing import (
    counted,
    print_json,
    report_illegible,
    report_unfinished,
    row_of,
    say,
    with_bar,
)
from handwriter.cli.texts import opened_style, text_lines
from handwriter.errors import BadOption

if TYPE_CHECKING:
    from handwriter.ink import Written
    from handwriter.weights import ReaderWeights, Weights

commands = typer.Typer()


@commands.command(epilog='Example: handwriter write "The quick brown fox" -o fox.svg')
def write(
    context: typer.Context,
    output: Output,
    text: Annotated[
        str | None, typer.Argument(help="What to write; without it, standard input.")
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option("--input", "-i", help="A text file: one line of ink a line; - is a pipe."),
    ] = None,
    smoothness: Smoothness = 1.5,
    seed: Seed = None,
    samples: Annotated[int, typer.Option("--samples", help="Write each line so many times.")] = 1,
    hand: HandName = DEFAULT_HAND,
    style: StyleName = None,
    style_text: StyleText = None,
    candidates: Candidates = DEFAULT_CANDIDATES,
    check: Check = True,
    strict: Strict = False,
    reader: ReaderName = None,
    replace_unknown: Annotated[
        bool,
        typer.Option("--replace-unknown", help="Write a blank for what the hand cannot write."),
    ] = False,
    profile: ProfileName = None,
    pen_speed: PenSpeed = None,
    bed: Bed = None,
    format: Format = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write text, one line of ink a line of text.

    Each line is drawn several times and read, and the best is kept; where none can be read, it is
    drawn again, and at last the best is given and reported.  --no-check gives the first that comes.

    --style writes like one of the hand's styles (see `handwriter styles`), or like your own line
    of ink: .jsonl, .inkml or .svg of single strokes; FILE:3 is the third of several.
    """
    from handwriter import output as files
    from handwriter.hand import check_seed, load
    from handwriter.output.layout import lay_out
    from handwriter.output.plotter import travel
    from handwriter.spelling import replacements

    if not 1 <= samples <= 1000:
        raise BadOption(f"--samples is {samples}; it takes a whole number from 1 to 1,000")
    if strict and not check:
        raise BadOption("--strict needs the check; leave --no-check out")
    suffix = output_suffix(output, format, as_json=as_json)
    plotter = plotter_for(context, suffix, profile, pen_speed, bed)
    asked, writer = text_lines(text, input), load(hand)
    spellings = writer.spelled(asked, replace_unknown=replace_unknown)
    lines = [spelling.text for spelling in spellings for _ in range(samples)]
    seed = check_seed(seed, n_lines=len(lines))
    primer = opened_style(writer, style, style_text)
    written: Iterator[Written]
    if check:
        from handwriter.author import Author

        written = Author.of(writer, reader).iter_lines(
            lines,
            smoothness=smoothness,
            seed=seed,
            candidates=candidates,
            strict=strict,
            style=primer,
        )
    else:
        written = writer.iter_lines(lines, smoothness=smoothness, seed=seed, style=primer)
    done = list(with_bar(written, len(lines), "writing", quiet))
    document = lay_out(done)
    give(output, plotter.form(document) if plotter else files.render(suffix, document))
    report_unfinished(done)
    report_illegible(done)
    for line in done if as_json else ():
        print_json({"output": str(output), **row_of(line)})
    if not quiet:
        if replaced := replacements(spellings):
            say(f"replaced: {replaced}")
        say(f"{called(output)}: {counted(len(done), 'line')} by {writer.name}, seed {seed}")
        if plotter:
            say(f"{called(output)}: {travel(document, plotter.pace)}")


@commands.command(
    epilog="Example: handwriter sample -o scribble.svg --hand prediction.onnx --seed 3"
)
def sample(
    output: Output,
    hand: Annotated[str, typer.Option("--hand", help="A prediction network's name or file.")],
    steps: Annotated[int, typer.Option("--steps", help="How many pen points.")] = 700,
    smoothness: Smoothness = 0.0,
    seed: Seed = None,
    format: Format = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write without text, by a prediction network."""
    from handwriter import output as files
    from handwriter.hand import load

    suffix = output_suffix(output, format, as_json=as_json)
    written = load(hand).sample(steps=steps, smoothness=smoothness, seed=seed)
    give(output, files.render(suffix, [written]))
    if as_json:
        print_json({"output": str(output), **row_of(written)})
    if not quiet:
        say(f"{called(output)}: {written.n_steps} points by {written.hand}, seed {written.seed}")


@commands.command(epilog='Example: handwriter explain "the window" -o window.png')
def explain(
    text: Annotated[str, typer.Argument(help="At most 45 characters.")],
    output: Output,
    smoothness: Smoothness = 1.5,
    seed: Seed = None,
    hand: HandName = DEFAULT_HAND,
) -> None:
    """Draw what the network thinks while it writes.

    The picture shows the window over the text, the densities along the ink, and the pen lifts.
    """
    from handwriter.explain import explain as explained
    from handwriter.hand import load

    if not is_standard(output) and output.suffix.lower() != ".png":
        raise BadOption(f"cannot explain in {output.name!r}; give a file that ends in .png")
    writer = load(hand)
    trace = writer.trace(text, smoothness=smoothness, seed=seed)
    give(output, explained(trace, writer.weights))
    report_unfinished([trace.written])


@commands.command(epilog="Example: handwriter hands")
def hands(as_json: AsJson = False) -> None:
    """List the installed hands, and the readers that check them, with their licences."""
    for card in _cards():
        if as_json:
            print_json(card)
        else:
            _print_card(card)


def _cards() -> Iterator[dict[str, Any]]:
    """What is known of each hand in the package, then of each reader."""
    from handwriter import weights

    for hand in map(weights.load_weights, weights.installed_hands()):
        yield {
            "kind": "hand", **_described(hand), **_sittings(hand),
            "weights": hand.about["weights"], **_figures(hand, "nats_a_point"),
        }  # fmt: skip
    for reader in map(weights.load_reader_weights, weights.installed_readers()):
        yield {"kind": "reader", **_described(reader), **_figures(reader, "character_error_rate")}


def _sittings(hand: Weights) -> dict[str, int]:
    """In how many sittings it was trained, and by how many updates of its weights."""
    before = json.loads(hand.about.get("lineage", "[]"))
    updates = sum(sitting["updates"] for sitting in before) + int(hand.about["updates"])
    return {"sittings": len(before) + 1, "updates": updates}


def _figures(opened: Weights | ReaderWeights, name: str) -> dict[str, float | None]:
    """That figure of the validation lines; None where the file does not tell it."""
    return {name: json.loads(opened.about.get("figures", "{}")).get(name)}


def _described(opened: Weights | ReaderWeights) -> dict[str, str]:
    return {
        "name": opened.name,
        "licence": opened.licence,
        "data": opened.data,
        "characters": opened.characters,
    }


def _print_card(card: dict[str, Any]) -> None:
    is_hand = card["kind"] == "hand"
    print(f"{card['name']}{'' if is_hand else ' (reader)'}: {card['licence']}")
    print(f"  data        {card['data']}")
    print(f"  characters  {card['characters'].strip()} and the blank")
    if is_hand:
        sittings = counted(card["sittings"], "sitting")
        print(f"  trained     {card['updates']:,} updates in {sittings}, {card['weights']} weights")
        if (nats := card["nats_a_point"]) is not None:
            print(f"  figures     {nats:.3f} nats a point in validation")
    elif (rate := card["character_error_rate"]) is not None:
        print(f"  figures     {100 * rate:.1f} % of characters read wrongly in validation")
