"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

# As `handwriter.weights` and `handwriter.author` have them, which take long to import.
DEFAULT_HAND = "open"
DEFAULT_CANDIDATES = 3


def _hands() -> list[str]:
    from handwriter.weights import installed_hands

    return installed_hands()


def _readers() -> list[str]:
    from handwriter.weights import installed_readers

    return installed_readers()


Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", help="Where to; the suffix names the format. - is standard output."
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="The format, where no suffix names it: with -, for instance."),
]
HandName = Annotated[
    str,
    typer.Option("--hand", help="An installed hand's name, or a file.", autocompletion=_hands),
]
Smoothness = Annotated[
    float,
    typer.Option(
        "--smoothness", "-b", help="0 as varied as people, 1.5 steady (the paper's bias)."
    ),
]
ReaderName = Annotated[
    str | None,
    typer.Option(
        "--reader",
        help="An installed reader's name, or a file; without it, the one that knows all of ASCII.",
        autocompletion=_readers,
    ),
]
Candidates = Annotated[
    int, typer.Option("--candidates", help="How many are drawn of a line at a time to choose from.")
]
Check = Annotated[
    bool, typer.Option("--check/--no-check", help="Read each line, and draw it again if need be.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Write nothing unless every line can be read.")
]
StyleName = Annotated[
    str | None,
    typer.Option("--style", help="Write like this: one of the hand's styles, or a file of ink."),
]
StyleText = Annotated[
    str | None, typer.Option("--style-text", help="What the ink of --style says, if no file tells.")
]
Seed = Annotated[
    int | None, typer.Option("--seed", help="Repeat the same ink; without it, new ink each time.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell only what went wrong.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, for programs.")]
