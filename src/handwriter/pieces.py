"""Pieces: how a line is cut into what is written in one go, and what each of these is given."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

DEFAULT_SMOOTHNESS = 1.5
# A piece that goes wrong does not come back, and what goes on from it goes wrong too: the first is
# short.  It and another are together as long as the lines that were trained on.
LONGEST_WHOLE = 45  # characters of a line that is written in one go
LONGEST_FIRST = 12  # of the first piece of a longer line, unless its word is longer
LONGEST_PIECE = 24  # of the others
STEADY = 0.5  # less smooth, much goes wrong: there lines from 15 characters have pieces of 12
LONGEST_WHOLE_UNSTEADY = 14
LONGEST_WORD = 30  # a longer one is cut
LONGEST_DRAFT = 45  # that can be drawn in one go; few lines of IAM-OnDB are longer


def pieces(
    text: str, *, smoothness: float = DEFAULT_SMOOTHNESS, goes_on: bool = False
) -> list[str]:
    """Cut a line into what is written in one go; blanks around it are left out.

    Each piece but the first begins with the blank before it, unless a word had to be cut; the
    first does so too where the line goes on from a style.  Pieces are shorter below `STEADY`.
    """
    text, is_steady = text.strip(" "), smoothness >= STEADY
    longest = LONGEST_PIECE if is_steady else LONGEST_FIRST
    if goes_on:
        return list(_parts(f" {text}", longest)) if text else []
    if len(text) <= (LONGEST_WHOLE if is_steady else LONGEST_WHOLE_UNSTEADY):
        return [text] if text else []
    first = next(_parts(text, LONGEST_FIRST))
    return [first, *_parts(text[len(first) :], longest)]


def piece_seed(seed: int, piece: int, candidate: int = 0) -> int:
    """The seed of a candidate for a piece of a line: the line's own for the first of the first."""
    if piece == candidate == 0:
        return seed
    high, low = np.random.SeedSequence([seed, piece, candidate]).generate_state(2).tolist()
    return int((high << 32 | low) >> 1)


def step_budget(n_characters: int, pace: float) -> int:
    """How many steps so many characters may take: thrice the mean, and a stretch for few."""
    return math.ceil(100 + 3 * n_characters / pace)


def whole(begin: str, piece: str) -> str:
    """What the window sees of a piece and of what it goes on from."""
    return begin.lstrip(" ") + piece


def _parts(text: str, longest: int) -> Iterator[str]:
    """Parts of like length, at most `longest`, that join to `text`.

    They are cut before a blank; a longer word is a part of its own, and cut only beyond
    `LONGEST_WORD`.
    """
    while len(text) > longest:
        even = len(text) / math.ceil(len(text) / longest)
        blanks = [place for place in range(1, longest + 1) if text[place] == " "]
        word = len(text) if (end := text.find(" ", 1)) < 0 else end
        cut = min(blanks, key=lambda place: abs(place - even), default=min(word, LONGEST_WORD))
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text
