"""JSON-lines: ink as data, one object a line of text, the form that `read_jsonl` reads again."""

from __future__ import annotations

import json

import numpy as np

from handwriter.ink import Array, Ink, Written
from handwriter.page import Document

DECIMALS = 4


def jsonl(document: Document) -> bytes:
    """Each line as an object with `text`, `strokes` (y downward) and how it was written.

    `words` has, for each word of the text, the number of the stroke that it begins with, from 0.
    Ink that no hand wrote has an empty text.  Coordinates are those of the line as it was given,
    in the hand's own unit, y = 0 on the baseline, rounded to 4 decimals; guides are left out.
    """
    given = [line.written or line.ink for line in document.written_lines]
    return "".join(_object(line) + "\n" for line in given).encode()


def _object(line: Ink) -> str:
    entry: dict[str, object] = {
        "text": line.text if isinstance(line, Written) else "",
        "strokes": [_rounded(stroke) for stroke in line.strokes],
    }
    if isinstance(line, Written):
        entry |= {
            "hand": line.hand,
            "licence": line.licence,
            "seed": line.seed,
            "smoothness": line.smoothness,
            "finished": line.finished,
            "steps": line.n_steps,
            "words": list(line.begins),
        }
        if line.style:
            entry |= {"style": line.style}
        if line.read is not None:
            entry |= {"read": line.read, "candidates": line.n_candidates}
    return json.dumps(entry, ensure_ascii=False, allow_nan=False)


def _rounded(stroke: Array) -> list[list[float]]:
    rounded: list[list[float]] = (np.round(stroke, DECIMALS) + 0.0).tolist()  # + 0.0 ends -0.0
    return rounded
