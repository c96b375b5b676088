"""The commands for pages and what they are written in: `page`, `languages` and `styles`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    progress_bar,
    report_illegible,
    report_unfinished,
    row_of,
    say,
)
from handwriter.cli.texts import opened_style, read_text
from handwriter.errors import BadOption

if TYPE_CHECKING:
    from handwriter.hand import Hand
    from handwriter.page import Document
    from handwriter.words import WritesLines

commands = typer.Typer()


def _languages() -> list[str]:
    from handwriter.hyphenation import languages

    return languages()


@commands.command(epilog="Example: handwriter page letter.txt -o letter.pdf --paper a5 --seed 3")
def page(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A text file; - is a pipe.")],
    output: Output,
    paper: Annotated[
        str, typer.Option("--paper", help="a0 to a10, letter, legal, postcard, 210x297mm, 5x7in …")
    ] = "a4",
    landscape: Annotated[bool, typer.Option("--landscape", help="Turn the paper.")] = False,
    margins: Annotated[
        str,
        typer.Option("--margins", help="In mm: one for all, or top,right,bottom,left."),
    ] = "20",
    x_height: Annotated[
        float, typer.Option("--x-height", help="How high an x is, in mm: the size.")
    ] = 2.4,
    line_height: Annotated[
        float | None,
        typer.Option("--line-height", help="From line to line, in mm; 3.6 x-heights by itself."),
    ] = None,
    align: Annotated[
        str, typer.Option("--align", help="left, right, centre or justified.")
    ] = "left",
    indent: Annotated[
        float, typer.Option("--indent", help="Of a paragraph's first line, in mm.")
    ] = 0.0,
    reflow: Annotated[
        bool, typer.Option("--reflow", help="Join the lines of a paragraph; else they stay.")
    ] = False,
    hyphenate: Annotated[
        str | None,
        typer.Option(
            "--hyphenate",
            help="Divide words as this language does, en_US for instance: handwriter languages.",
            autocompletion=_languages,
        ),
    ] = None,
    guides: Annotated[
        str, typer.Option("--guides", help="plain, ruled, squared or dotted paper.")
    ] = "plain",
    page_numbers: Annotated[
        bool, typer.Option("--page-numbers", help="Number the pages at the foot.")
    ] = False,
    irregularity: Annotated[
        float, typer.Option("--irregularity", help="0 as if measured, 1 as careless as people get.")
    ] = 0.4,
    title: Annotated[
        str | None, typer.Option("--title", help="In the file's metadata; else the first line.")
    ] = None,
    look: Annotated[
        str | None, typer.Option("--look", help="line, or ribbon: wide where the pen is slow.")
    ] = None,
    animated: Annotated[
        bool, typer.Option("--animated", help="An .svg that writes itself in the pen's own time.")
    ] = False,
    dpi: Annotated[float | None, typer.Option("--dpi", help="Of pictures and films.")] = None,
    paper_colour: Annotated[
        str | None, typer.Option("--paper-colour", help="Of pictures and films; or transparent.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option("--speed", help="Of films: 1 is a person's, 10 ten times that.")
    ] = None,
    smoothness: Smoothness = 1.5,
    seed: Seed = None,
    hand: HandName = DEFAULT_HAND,
    style: StyleName = None,
    style_text: StyleText = None,
    candidates: Candidates = DEFAULT_CANDIDATES,
    check: Check = True,
    strict: Strict = False,
    reader: ReaderName = None,
    profile: ProfileName = None,
    pen_speed: PenSpeed = None,
    bed: Bed = None,
    format: Format = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a text on pages, in one hand.

    Lines are as long as the margins allow; lines of the text stay lines, a blank one ends a
    paragraph, and a form feed begins a page.  Several pages as .svg or .png become numbered files.
    Without --style the hand goes on from the first words, which it writes on scrap paper.
    """
    from handwriter import output as files
    from handwriter.compose import Layout, check_layout, compose
    from handwriter.hand import load
    from handwriter.output.plotter import travel
    from handwriter.paper import paper_size

    if strict and not check:
        raise BadOption("--strict needs the check; leave --no-check out")
    suffix = output_suffix(output, format, as_json=as_json)
    plotter = plotter_for(context, suffix, profile, pen_speed, bed)
    width, height = paper_size(f"{paper}-landscape" if landscape else paper)
    layout = Layout(
        width, height, _margins(margins), x_height, line_height, align, indent, irregularity,
        guides, page_numbers, reflow, hyphenate,
    )  # fmt: skip
    check_layout(layout)
    given = {
        "look": look, "animated": animated or None, "dpi": dpi, "paper": paper_colour,
        "speed": speed,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    files.check_options(suffix, width, height, **options)
    text = read_text(None if is_standard(file) else file)
    writer = load(hand)
    primer = opened_style(writer, style, style_text)
    write = _lines_of(writer, check, reader, smoothness, candidates, strict)
    with progress_bar(quiet) as bar:
        task = bar.add_task("writing", total=1.0)
        document = compose(
            text, write, layout, seed=seed, style=primer, title=title,
            progress=lambda share: bar.update(task, completed=share),
        )  # fmt: skip
    if plotter or is_standard(output):
        content = plotter.form(document) if plotter else files.render(suffix, document, **options)
        give(output, content)
        written = [output]
    else:
        written = files.save(output, document, suffix=suffix, **options)
    _report(document, written, as_json=as_json, quiet=quiet)
    if plotter and not quiet:
        say(f"{called(output)}: {travel(document, plotter.pace)}")


def _margins(given: str) -> tuple[float, float, float, float]:
    """Top, right, bottom and left from "20" or "20,15,20,25"."""
    try:
        numbers = [float(part.strip().removesuffix("mm")) for part in given.split(",")]
    except ValueError:
        numbers = []
    match numbers:
        case [every]:
            return every, every, every, every
        case [top, right, bottom, left]:
            return top, right, bottom, left
    raise BadOption(
        f"--margins is {given!r}; give one number of mm for all, or four: top,right,bottom,left"
    )


def _lines_of(
    hand: Hand, check: bool, reader: str | None, smoothness: float, candidates: int, strict: bool
) -> WritesLines:
    """What writes lines, checked by a reader or not."""
    if not check:
        return partial(hand.iter_lines, smoothness=smoothness)
    from handwriter.author import Author

    author = Author.of(hand, reader)
    return partial(author.iter_lines, smoothness=smoothness, candidates=candidates, strict=strict)


def _report(document: Document, files: list[Path], *, as_json: bool, quiet: bool) -> None:
    from handwriter.ink import Written

    lines = [
        (number, line.written)
        for number, page in enumerate(document.pages, start=1)
        for line in replace(document, pages=(page,)).written_lines
        if isinstance(line.written, Written)
    ]
    report_unfinished(line for _, line in lines)
    report_illegible(line for _, line in lines)
    names = [called(file) for file in files]
    for number, line in lines if as_json else ():
        name = names[number - 1] if len(names) > 1 else names[0]
        print_json({"output": name, "page": number, **row_of(line)})
    if not quiet:
        shown = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
        about = document.about
        say(
            f"{shown}: {counted(len(document.pages), 'page')}, {counted(len(lines), 'line')} by "
            f"{about.get('Hand', 'nobody')}, seed {about.get('Seed', 'none')}"
        )


@commands.command(epilog="Example: handwriter languages")
def languages() -> None:
    """List the languages whose words --hyphenate can divide, by their codes."""
    for language in _languages():
        print(language)


@commands.command(epilog="Example: handwriter styles -o styles.png")
def styles(
    hand: HandName = DEFAULT_HAND,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A sheet of them, .png or .svg.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the styles that come with a hand, or draw a sheet of them.

    They are lines that the hand wrote itself; handwriter write --style NAME goes on like one.
    """
    from handwriter.hand import load
    from handwriter.output import sheet_of, write_file
    from handwriter.styles import installed_styles
    from handwriter.traits import traits

    writer = load(hand)
    found = installed_styles(writer)
    if output is not None and not found:
        raise BadOption(f"{writer.name} has no styles to draw; give another --hand")
    for name, line in found.items():
        look = traits(line.ink, len(line.text))
        slant, spacing = (look.slant, look.spacing) if look else (0.0, 0.0)
        if as_json:
            row = {"name": name, "text": line.text, "slant": slant, "spacing": spacing}
            print_json({"hand": writer.name, **row})
        elif output is None:
            print(f"{name:<10} slant {slant:+3.0f}°, spacing {spacing:.2f}  {line.text}")
    if not found:
        say(f"{writer.name} has no styles of its own; --style takes a file of your ink as well")
    if output is not None:
        write_file(
            output, sheet_of([line.ink for line in found.values()], list(found), output.suffix)
        )
        say(f"{output}: {counted(len(found), 'style')} of {writer.name}")
