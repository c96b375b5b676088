"""The vpype plug-in: `vpype handwriter "text" write out.svg`.

vpype finds it by the entry point in the group `vpype.plugins`; nothing else imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import numpy as np
import vpype
import vpype_cli

from handwriter.cli.options import DEFAULT_HAND
from handwriter.errors import HandwriterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handwriter.ink import Array, Written
    from handwriter.page import Document

PX_PER_MM = 96 / 25.4
DOT_MM = 0.001  # vpype drops lines of one point; our SVG draws a dot as this too


@click.command()
@click.argument("text", type=vpype_cli.TextType())
@click.option("-b", "--smoothness", type=vpype_cli.FloatType(), default=1.5, show_default=True,
              help="0 as varied as people, 1.5 steady.")  # fmt: skip
@click.option("--seed", type=vpype_cli.IntegerType(), default=None, help="Repeat the same ink.")
@click.option("--hand", type=str, default=DEFAULT_HAND, show_default=True,
              help="An installed hand's name, or a file.")  # fmt: skip
@click.option("--reader", type=str,
              help="An installed reader's name, or a file; else the hand's own.")  # fmt: skip
@click.option("--check/--no-check", default=True, show_default=True,
              help="Read each line, and draw it again if need be.")  # fmt: skip
@vpype_cli.global_processor
def handwriter(
    document: vpype.Document,
    text: str,
    smoothness: float,
    seed: int | None,
    hand: str,
    reader: str | None,
    check: bool,
) -> vpype.Document:
    """Write TEXT by hand, one line of ink a line of text.

    The ink is added to the layer of its pen, 1, and the page grows to hold it.

    Example: vpype handwriter "The quick brown fox" write fox.svg
    """
    from handwriter.cli.printing import report_illegible, report_unfinished
    from handwriter.output.layout import lay_out

    try:
        lines = _written(text.split("\n"), smoothness, seed, hand, reader, check)
        add(document, lay_out(lines))
    except HandwriterError as error:
        raise click.ClickException(str(error)) from error
    report_unfinished(lines)
    report_illegible(lines)
    return document


setattr(handwriter, "help_group", "Plugins")  # noqa: B010 (click does not know of it)


def _written(
    texts: list[str],
    smoothness: float,
    seed: int | None,
    hand: str,
    reader: str | None,
    check: bool,
) -> Sequence[Written]:
    from handwriter.hand import load

    writer = load(hand)
    if not check:
        return list(writer.iter_lines(texts, smoothness=smoothness, seed=seed))
    from handwriter.author import Author

    author = Author.of(writer, reader)
    return list(author.iter_lines(texts, smoothness=smoothness, seed=seed))


def add(document: vpype.Document, written: Document) -> None:
    """Add the one page of what was written to vpype's document, in vpype's pixels.

    Each layer goes to vpype's layer of its number with its name, colour and pen width, each
    stroke becomes a line, in their order, and the page grows to hold ours.  Guides stay out.
    How it was written is told by properties: handwriter_hand, handwriter_licence and so on.
    Raises BadOption where there are several pages.
    """
    from handwriter.output.plotter import for_plotter, pen_number, strokes_of

    page = for_plotter(written).only_page("a document of vpype")
    document.extend_page_size((page.width_mm * PX_PER_MM, page.height_mm * PX_PER_MM))
    for place, layer in enumerate(page.layers, start=1):
        lines = vpype.LineCollection([_line(stroke) for stroke in strokes_of(layer)])
        lines.set_property(vpype.METADATA_FIELD_NAME, layer.name)
        lines.set_property(vpype.METADATA_FIELD_COLOR, layer.colour)
        lines.set_property(vpype.METADATA_FIELD_PEN_WIDTH, layer.pen_mm * PX_PER_MM)
        document.add(lines, pen_number(layer, place), with_metadata=True)
    for name, value in written.about.items():
        document.set_property(f"handwriter_{name.lower()}", value)


def _line(stroke: Array) -> Array:
    """Points (n, 2) in mm as vpype's complex numbers (n,) in pixels."""
    points = stroke[:, 0] + 1j * stroke[:, 1]
    if len(points) == 1:
        points = np.append(points, points + DOT_MM)
    line: Array = points * PX_PER_MM
    return line
