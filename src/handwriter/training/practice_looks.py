"""How practice looks: like the lines that people wrote, which what a hand draws does not by itself.

What is drawn smoothly leans, joins and reaches less variously than what people write, is narrower,
and begins wide and ends narrow.  A hand that learned from it as it is would do so the more.  So
lines go on from people's (`Models`), are stretched (`evened`, `widened`), and come as often as
people write so (`as_people`).
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from handwriter.ink import Array, Ink, Line, Written
from handwriter.pieces import LONGEST_DRAFT
from handwriter.traits import manner, traits, x_height

# Kinds of look: degrees of slant, lifts for each place between letters, and how far letters reach
# above and below an n: the spread of y in x-heights.
SLANTS, LIFTS, REACHES = (-15.0, -5.0, 5.0, 15.0, 25.0, 35.0), (0.4, 0.6, 0.9), (0.5, 0.56, 0.62)
FEWEST_JOINTS = 4  # of a line that tells whether it is cursive or print
FEWEST_CHARACTERS = 20  # of a line that tells how wide somebody writes, or how
MOST_STRETCH = 1.5
MOST_COPIES = 4
PLACE, LAST_PLACE = 5, 7  # characters that are one place in a line, and the last that is told apart
FEWEST_LETTERS, FEWEST_WORDS = 3, 3  # of a word, and of a line, that tell how even it is
EVENINGS = 3

Look = tuple[int, int, int]  # between which of `SLANTS`, of `LIFTS` and of `REACHES`


def look_of(ink: Ink, text: str) -> Look | None:
    """How far the line leans, lifts and reaches up and down; None where too short to tell."""
    own, how, height = traits(ink, len(text)), manner(ink, text), x_height(ink)
    n_joints = sum(len(word) - 1 for word in text.split())
    if own is None or how is None or not height or n_joints < FEWEST_JOINTS:
        return None
    reach = own.size / height
    return bisect(SLANTS, own.slant), bisect(LIFTS, how.lifts), bisect(REACHES, reach)


def width_of(ink: Ink, text: str) -> float | None:
    """The width of a character in sizes (`Traits.spacing`); None where too short to tell."""
    own = traits(ink, len(text))
    return own.spacing if own is not None and len(text) >= FEWEST_CHARACTERS else None


@dataclass
class Models:
    """People's lines to go on from, by their look, and the looks of what was kept so far."""

    lines: Mapping[Look, Sequence[Line]]
    rng: np.random.Generator
    kept: Counter[Look] = field(default_factory=Counter)

    @classmethod
    def of(cls, people: Iterable[Line], characters: str, seed: int) -> Models:
        """Of the lines those that a hand can go on from that writes these characters."""
        found: defaultdict[Look, list[Line]] = defaultdict(list)
        for line in people:
            look = look_of(line.ink, line.text)
            is_known = set(line.text) <= {*characters, " "}
            if look and is_known and FEWEST_CHARACTERS <= len(line.text) <= LONGEST_DRAFT:
                found[look].append(line)
        return cls(found, np.random.default_rng(seed))

    def learn(self, look: Look | None) -> None:
        if look is not None:
            self.kept[look] += 1

    def some(self) -> Line:
        """One of a look, the sooner the more usual it is among people and the less so here."""
        looks = list(self.lines)
        theirs = np.array([len(self.lines[look]) for look in looks], np.float64)
        theirs /= theirs.sum()
        own = np.array([1 + self.kept[look] for look in looks]) / (len(looks) + self.kept.total())
        chances = theirs * np.minimum(theirs / own, MOST_COPIES)
        among = self.lines[looks[int(self.rng.choice(len(looks), p=chances / chances.sum()))]]
        return among[int(self.rng.integers(len(among)))]


def evened(lines: Sequence[Written]) -> list[Written]:
    """The lines, words stretched until letters are as wide where a line ends as where it begins.

    Of all lines together: each letter stays as wide as it is by chance.  A line of some words does
    not tell its mean where all of it is a beginning, so it is done in a few rounds.
    """
    found = list(lines)
    for _ in range(EVENINGS):
        usual = width_by_place(found)
        found = [stretched(line, usual) for line in found]
    return found


def width_by_place(lines: Sequence[Written]) -> dict[int, float]:
    """How wide letters are at each place of a line, their mean in the line being 1: the median."""
    by_place: defaultdict[int, list[float]] = defaultdict(list)
    for line in lines:
        words = [word for word in words_of(line) if word.width and word.length >= FEWEST_LETTERS]
        if len(words) >= FEWEST_WORDS:
            widths = np.array([word.width / word.length for word in words])
            for word, width in zip(words, (widths / widths.mean()).tolist(), strict=True):
                by_place[word.place].append(width)
    return {place: float(np.median(found)) for place, found in by_place.items()}


@dataclass(frozen=True)
class Word:
    """One of a line: its strokes, where it begins, its width, its characters and its place."""

    strokes: tuple[Array, ...]
    left: float
    width: float
    length: int
    place: int


def words_of(line: Written) -> list[Word]:
    """In order, as many as its text has."""
    found, n_before = [], 0
    ends = (*line.begins[1:], len(line.strokes))
    for text, begin, end in zip(line.text.split(), line.begins, ends, strict=True):
        strokes = line.strokes[begin:end]
        x = np.concatenate([stroke[:, 0] for stroke in strokes] or [np.zeros(1)])
        place = min((n_before + len(text) // 2) // PLACE, LAST_PLACE)
        found.append(Word(strokes, float(x.min()), float(np.ptp(x)), len(text), place))
        n_before += len(text) + 1
    return found


def stretched(line: Written, usual: Mapping[int, float]) -> Written:
    """Each word, and the gap behind it, narrower by how wide it usually is at its place."""
    words = words_of(line)
    if not all(word.strokes for word in words):
        return line
    factors = [1 / usual.get(word.place, 1.0) for word in words]
    ways = np.diff([word.left for word in words])
    lefts = words[0].left + np.cumsum([0.0, *(factors[:-1] * ways)])
    strokes = tuple(
        (stroke - [word.left, 0.0]) * [factor, 1.0] + [left, 0.0]
        for word, factor, left in zip(words, factors, lefts.tolist(), strict=True)
        for stroke in word.strokes
    )
    return replace(line, strokes=strokes)


def widened(lines: Sequence[Written], people: Sequence[float]) -> list[Written]:
    """The lines, stretched along the baseline until their widths are spread as those of people.

    The narrowest becomes as narrow as people's narrowest, and so on; short ones are stretched as
    the others are on average.
    """
    own = np.array([width_of(line, line.text) or np.nan for line in lines])
    tells = ~np.isnan(own)
    if not tells.any():
        return list(lines)
    ranks = (np.argsort(np.argsort(own[tells])) + 0.5) / tells.sum()
    factors = np.full(len(lines), np.nan)
    factors[tells] = np.quantile(people, ranks) / own[tells]
    factors[~tells] = np.median(factors[tells])
    factors = np.clip(factors, 1 / MOST_STRETCH, MOST_STRETCH)
    return [
        replace(line, strokes=tuple(stroke * [factor, 1.0] for stroke in line.strokes))
        for line, factor in zip(lines, factors.tolist(), strict=True)
    ]


def as_people(
    looks: Sequence[Look | None], people: Iterable[Look], rng: np.random.Generator
) -> list[int]:
    """How often each line is to come, so that looks are as common as among people.

    The mean is about one; `MOST_COPIES` is the most.  Lines without a look come once.
    """
    own, theirs = Counter(look for look in looks if look is not None), Counter(people)
    scale = own.total() / max(sum(n for look, n in theirs.items() if look in own), 1)
    wanted = [1.0 if look is None else scale * theirs[look] / own[look] for look in looks]
    copies = np.floor(np.array(wanted) + rng.random(len(looks)))
    return [min(int(n), MOST_COPIES) for n in copies]
