"""What the examples of the docs need, so that they run in a moment and without the network.

`package` is handwriter itself, but with tiny networks, recipes and sentences in place of its own;
`files` are those that the examples take for granted.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import fixtures_iam
import fixtures_unipen
import tiny
import tiny_hand
import tiny_reader

import handwriter
from handwriter.ink import Ink
from handwriter.output import save
from handwriter.training.export import FEWEST_EXAMPLES
from handwriter.training.lines import save_lines

SOURCE = Path(handwriter.__file__).parent
DEFAULTS = "[write]\nseed = 1\n[page]\nseed = 1\n[evaluate]\nlines = 3\ncandidates = 1\n"
SENTENCES = "A cab, a bee.\nBad\n"
TINY: dict[str, dict[str, Any]] = {
    "network": {"layers": 2, "cells": 6, "mixtures": 2, "windows": 2, "initial_pace": 0.3},
    "reader": {"channels": 6, "layers": 2, "cells": 5},
    "sampling": {"lines": 0, "character": 0},
    "training": {"epochs": 1, "batch_lines": 4},
}
TEXT = "so it was again"
# What a hand learns of these is enough for "my own hand".
IAM_TEXTS = fixtures_iam.TEXTS | {"a01-001": ["my own hand was"] * FEWEST_EXAMPLES}
STROKES = fixtures_iam.letters(TEXT)


def package(folder: Path) -> Path:
    """A folder to find `handwriter` in: our own modules, with what is large made small."""
    top = folder / "handwriter"
    small = ("hands", "readers", "training", "sentences.txt", "__pycache__")
    _linked(top, SOURCE, leave_out=small)
    (top / "sentences.txt").write_text(SENTENCES)
    hand = tiny_hand.exported(tiny_hand.network(seed=1))
    for card in (SOURCE / "hands").glob("*.md"):
        _write(top / "hands" / f"{card.stem}.onnx", hand)
        _write(top / "hands" / f"{card.stem}.styles.jsonl", _row(writer="oak").encode())
    reader = tiny_reader.exported(tiny_reader.network())
    for card in (SOURCE / "readers").glob("*.md"):
        _write(top / "readers" / f"{card.stem}.onnx", reader)
    _linked(top / "training", SOURCE / "training", leave_out=("recipes", "__pycache__"))
    for recipe in (SOURCE / "training" / "recipes").iterdir():
        text = _made_tiny(tomllib.loads(recipe.read_text(encoding="utf-8")))
        _write(top / "training" / "recipes" / recipe.name, text.encode())
    return folder


def defaults(folder: Path) -> Path:
    """A folder to find the user's handwriter.toml in.

    A hand is measured by little, and always writes the same: some scribbles fit on no paper.
    """
    _write(folder / "handwriter" / "handwriter.toml", DEFAULTS.encode())
    return folder


def files(folder: Path) -> None:
    """All that an example may read without having made it."""
    (folder / "letter.txt").write_text("ab\nc\n")
    (folder / "drafts.toml").write_text("[write]\nsmoothness = 0.5\n")
    for name in ("mine.jsonl", "ink.jsonl"):
        (folder / name).write_text(_row())
    for name in ("my-ink.jsonl", "practice.jsonl"):
        (folder / name).write_text(_row(split="train") * 30)
    (folder / "notes.inkml").write_text(_inkml([TEXT] * 3))
    save(folder / "mine.svg", Ink.from_strokes(STROKES))
    save_lines(folder / "lines.npz", tiny.lines(n_train=20, n_validation=10))
    for iam in (folder / "iam-ondb", folder.parent / "iam-ondb"):
        fixtures_iam.write_archives(iam, fixtures_iam.collection(IAM_TEXTS))
    fixtures_unipen.write_archive(folder / "train_r01_v07.tar.bz2")


def _linked(folder: Path, source: Path, leave_out: tuple[str, ...]) -> None:
    folder.mkdir(parents=True)
    for entry in source.iterdir():
        if entry.name not in leave_out:
            (folder / entry.name).symlink_to(entry)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def _made_tiny(recipe: dict[str, Any]) -> str:
    """The recipe as TOML with the sizes of `TINY` in it."""
    tables = {name: table | TINY.get(name, {}) for name, table in recipe.items()}
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def _row(**told: str) -> str:
    return json.dumps({"text": TEXT, "strokes": STROKES, **told}) + "\n"


def _inkml(texts: list[str]) -> str:
    traces = "".join(
        "<trace>" + ", ".join(f"{x} {y}" for x, y in stroke) + "</trace>" for stroke in STROKES
    )
    groups = "".join(
        f'<traceGroup><annotation type="truth">{text}</annotation>{traces}</traceGroup>'
        for text in texts
    )
    return f'<ink xmlns="http://www.w3.org/2003/InkML">{groups}</ink>\n'
