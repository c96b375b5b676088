"""The commands for pages and what they are written in: `styles`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handwriter.cli.options import AsJson, HandName
from handwriter.cli.printing import counted, print_json, say
from handwriter.errors import BadOption

commands = typer.Typer()


@commands.command(epilog="Example: handwriter styles -o styles.png")
def styles(
    hand: HandName = "research",
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
