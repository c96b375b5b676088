"""Words on paper: text becomes words that stand on a baseline, ready to be set on lines.

Text is written in runs, each as one line of ink, which know nothing of margins; then each word is
taken out of its run, level and in millimetres, with the gap that was before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import Protocol

import numpy as np

from handwriter.ink import Array, Ink, Line, Written
from handwriter.levelling import footing
from handwriter.posture import reach, stood
from handwriter.traits import x_height

USUAL_X_HEIGHT = 1.5  # in a hand's unit, for ink of which it cannot be told
RUNS_AT_ONCE = 64  # in one call of what writes, which takes no text of any length
RUN = 100  # characters that are written as one line, about; another number gives other ink
USUAL_GAP = 1.2  # between words, in x-heights, where none was written that could tell
LEAST_GAP = 0.5  # of the usual gap of its run: with less, two words look like one


class WritesLines(Protocol):
    """What writes: `Author.iter_lines` or `Hand.iter_lines` with all other options bound.

    Line i has the seed + i, and each line goes on from the style.
    """

    def __call__(
        self, texts: Sequence[str], *, seed: int, style: Line | None
    ) -> Iterator[Written]: ...


@dataclass(frozen=True, eq=False)
class Word:
    """A word as it was written: level and in millimetres, from x = 0 on, its baseline at y = 0.

    `gap_mm` is how far it is from the word before it, where they stand on one line.  `asked` is
    what the text has there, which may know where it can be divided.  One that `goes_on` is part
    of a word; where `is_divided` it ends in a hyphen that the text does not have.
    """

    asked: str
    ink: Ink
    width_mm: float
    gap_mm: float
    written: Written
    goes_on: bool = False
    is_divided: bool = False


class WordWriter:
    """Writes words on paper: in one style, level, and in millimetres.

    The hand's line rises and falls by a part of an x-height from word to word.  `steadiness` is
    how much of that is taken back, from 0 to 1, where all words stand on one line.
    """

    def __init__(
        self,
        write: WritesLines,
        x_height_mm: float,
        seed: int,
        style: Line | None,
        *,
        steadiness: float = 0.0,
    ) -> None:
        self.write, self.seed = write, seed
        self.style = style if style and style.ink.strokes else None
        self.x_height_mm, self.steadiness = x_height_mm, steadiness
        height = x_height(style.ink) if style else None
        self.mm_per_unit = x_height_mm / (height or USUAL_X_HEIGHT)
        self.gap_mm = USUAL_GAP * x_height_mm
        self.n_written = 0

    def write_words(self, texts: Sequence[str]) -> Iterator[list[Word]]:
        """The words of texts, each of which is written as one line, and with a seed of its own."""
        seed = self.seed + 1 + self.n_written
        self.n_written += len(texts)
        for begin in range(0, len(texts), RUNS_AT_ONCE):
            some = texts[begin : begin + RUNS_AT_ONCE]
            lines = self.write(some, seed=seed + begin, style=self.style)
            for text, written in zip(some, lines, strict=True):
                yield list(self._words(text, written))

    def _words(self, text: str, written: Written) -> Iterator[Word]:
        """The words of a line; the gap before its first one is as those within it are usually."""
        level = self._on_paper(written)
        texts = written.text.split()
        # A dash that was spelled with blanks around it makes more words than there were.
        asked = text.split() if len(text.split()) == len(texts) else texts
        parts = [written.words(number, number + 1) for number in range(len(texts))]
        stops = (*written.begins, len(level.strokes))
        inks = [Ink(level.strokes[begin:end]) for begin, end in pairwise(stops)]
        reaches = [reach(ink) if ink.strokes else None for ink in inks]
        seen = [sides for sides in reaches if sides]
        gaps = [after[0] - before[2] for before, after in pairwise(seen)]
        self.gap_mm = float(np.median(gaps)) if gaps else self.gap_mm
        least = LEAST_GAP * self.gap_mm
        left = iter([self.gap_mm, *(max(gap, least) for gap in gaps)])
        lows = self._lows(texts, inks)
        for word, ink, sides, part, low in zip(asked, inks, reaches, parts, lows, strict=True):
            if sides:
                on_line = ink.moved(-sides[0], -self.steadiness * low)
                yield Word(word, on_line, sides[2] - sides[0], next(left), part)
            else:
                yield Word(word, ink, 0.0, 0.0, part)

    def _lows(self, texts: Sequence[str], inks: Sequence[Ink]) -> Array:
        """How far below the line each word stands, in mm; signs alone do as the words beside."""
        stands = [
            number
            for number, (text, ink) in enumerate(zip(texts, inks, strict=True))
            if ink.strokes and any(map(str.isalnum, text))
        ]
        if not stands:
            return np.zeros(len(texts))
        lows = [footing(inks[number], self.x_height_mm) for number in stands]
        return np.asarray(np.interp(range(len(texts)), stands, lows))

    def _on_paper(self, ink: Ink) -> Ink:
        """The ink level and in millimetres, y = 0 on its baseline."""
        return stood(ink).transformed(np.eye(2) * self.mm_per_unit) if ink.strokes else Ink(())


def runs_of(words: Sequence[str]) -> Iterator[str]:
    """The words of a paragraph in runs of some `RUN` characters."""
    run = ""
    for word in words:
        if run and len(run) + 1 + len(word) > RUN:
            yield run
            run = ""
        run = f"{run} {word}".lstrip()
    if run:
        yield run


class Left:
    """The words of a paragraph that are still to be set, written when they are asked for."""

    def __init__(self, runs: Iterator[list[Word]]) -> None:
        self.runs, self.words = runs, deque[Word]()

    def has(self, n: int) -> bool:
        """Whether there is a word number n, from 0."""
        while len(self.words) <= n and (run := next(self.runs, None)) is not None:
            self.words += run
        return len(self.words) > n

    @property
    def first(self) -> Word:
        return self.words[0]

    def take(self) -> Word:
        return self.words.popleft()

    def put_back(self, words: Sequence[Word]) -> None:
        self.words.extendleft(reversed(words))


def _lefts(words: Sequence[Word], wider: float = 0.0) -> list[float]:
    """Where each word of a line begins, the gaps between them wider by so much."""
    found, x = [], 0.0
    for number, word in enumerate(words):
        x += (word.gap_mm + wider) * (number > 0)
        found.append(x)
        x += word.width_mm
    return found


def width_of(words: Sequence[Word]) -> float:
    """From the begin of a line to where its ink ends."""
    pairs = zip(_lefts(words), words, strict=True)
    return max((left + word.width_mm for left, word in pairs), default=0.0)


def side_by_side(words: Sequence[Word], wider: float = 0.0) -> Ink:
    inks = [
        word.ink.moved(left, 0.0) for word, left in zip(words, _lefts(words, wider), strict=True)
    ]
    return Ink(tuple(stroke for ink in inks for stroke in ink.strokes))


def as_written(words: Sequence[Word], mm_per_unit: float) -> Written:
    """A line as it was written, in the hand's unit, its words where they are set."""
    line = reduce(lambda before, word: before.beside(word), [word.written for word in words])
    ink = side_by_side(words).transformed(np.eye(2) / mm_per_unit)
    return replace(line, strokes=ink.strokes)
