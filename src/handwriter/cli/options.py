"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

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
