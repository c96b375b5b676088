"""Typesetting: words joined to lines, and isolated signs set into lines, in ink of real people.

UNIPEN gives texts, words, and single characters.  A network learns to write from lines, so the
words of a person are put side by side on one baseline; and since some signs hardly occur in
running text, single characters are set between the words like type, on the baseline where they
belong (`GLYPHS`), at the size of that person's other writing.  Who gave words but no signs
borrows another person's.

Everything drawn here follows from the ink's own names: the same collection gives the same lines.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from handwriter import levelling
from handwriter.ink import Array, Ink, Line
from handwriter.tokens import untokenised
from handwriter.training.typecase import (
    ALONE,
    GLYPHS,
    Case,
    Glyphs,
    Piece,
    beside,
    drawn,
    glyphs_of,
)
from handwriter.training.unipen import Segment

POINTS_PER_CHARACTER = 12.5  # what every contributor's ink is brought to, as IAM-OnDB thinned by 2
X_HEIGHT = 1.75  # in spreads of a line: how much higher an x is than the deviation of all y
LINE_CHARACTERS = (14, 44)  # a joined line is this long
HELD_OUT = 20  # one person in so many is for validation
TOKENISED = frozenset({"cea", "cec", "ced", "dar", "hpb", "hpp", "sta"})  # docs/unipen.md
WORD_GAP = (1.25, 0.2)  # mean, in x-heights, and the deviation of its logarithm, from line to line


@dataclass(eq=False)
class _Person:
    """All that one person wrote: texts of a line, words, and single characters by what they are."""

    name: str
    texts: list[Segment]
    words: list[Segment]
    characters: dict[str, list[Ink]]

    @cached_property
    def glyphs(self) -> Glyphs:
        return glyphs_of(self.characters)

    @property
    def n_signs(self) -> int:
        """How many different signs the person gave."""
        return sum(not character.isalnum() for character in self.characters)


def lines_of(segments: Iterable[Segment]) -> Iterator[Line]:
    """The lines to learn from, thinned alike; each line has a scale of its own.

    First each person's texts as they are, then that person's words joined, then lines with
    single characters set into them, with signs borrowed from a person of the same split, and with
    numbers.
    Words of a recording that gives texts are left to those.  The `source` begins with "unipen",
    and with "joined" or "set" after it where a line is made up.  One person in `HELD_OUT` is for
    validation, with all that he or she wrote.
    """
    kept = [_rested(_untokenised(segment)) for segment in segments]
    thinning = _thinning(kept)
    vocabulary = _vocabulary(kept)
    people = list(_people([_thinned(s, thinning[s.contributor]) for s in kept]))
    lenders = _lenders(people)
    for person in people:
        rng = np.random.default_rng(_seed(person.name))
        split, words = _split(person), _level_words(person)
        for line in (
            *(Line(s.ink, s.text, source=f"unipen/{s.source}") for s in person.texts),
            *_joined_words(person.name, words, rng),
            *_set_characters(person, words, vocabulary, rng),
            *_borrowed_signs(person, words, lenders.get(split, []), rng),
            *_numbers(person, words, vocabulary, rng),
        ):
            yield replace(line, writer=person.name, split=split)


def _split(person: _Person) -> str:
    return "validation" if _seed(person.name) % HELD_OUT == 0 else "train"


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _untokenised(segment: Segment) -> Segment:
    """With the text as the ink shows it, where a contributor's labels are tokenised."""
    if segment.contributor not in TOKENISED:
        return segment
    return replace(segment, text=untokenised(segment.text)[0])


# --- The same number of points for all ---------------------------------------------------------


def _rested(segment: Segment) -> Segment:
    """Without the points where the pen rests on the paper, of which some devices send many."""
    strokes = tuple(_moving(stroke) for stroke in segment.ink.strokes)
    return replace(segment, ink=Ink(strokes))


def _moving(stroke: Array) -> Array:
    moves = np.ones(len(stroke), bool)
    moves[1:] = (stroke[1:] != stroke[:-1]).any(axis=1)
    return stroke[moves]


def _thinning(segments: Sequence[Segment]) -> dict[str, float]:
    """How many of a contributor's points come to one, by the points of its usual character."""
    densities: dict[str, list[float]] = defaultdict(list)
    for segment in segments:
        n = len(segment.text.replace(" ", ""))
        if n >= 3 or segment.text.isalnum():
            densities[segment.contributor].append(segment.ink.n_points / n)
    usual = {name: float(np.median(found)) for name, found in densities.items()}
    return defaultdict(
        lambda: 1.0, {name: max(1.0, d / POINTS_PER_CHARACTER) for name, d in usual.items()}
    )


def _thinned(segment: Segment, ratio: float) -> Segment:
    strokes = tuple(thinned(stroke, ratio) for stroke in segment.ink.strokes)
    return replace(segment, ink=Ink(strokes))


def thinned(stroke: Array, ratio: float) -> Array:
    """A stroke with one point for `ratio` of its own, equally far apart in time.

    The first and the last point stay.  Where two points or more make one, each is first mixed
    with its neighbours (1, 2, 1), so that the steps of a coarse device do not show.
    """
    if ratio <= 1.0 or len(stroke) < 3:
        return stroke
    smooth = stroke.copy()
    if ratio >= 2.0:
        smooth[1:-1] = (stroke[:-2] + 2 * stroke[1:-1] + stroke[2:]) / 4
    places = np.linspace(0, len(stroke) - 1, max(2, round((len(stroke) - 1) / ratio) + 1))
    index = np.arange(len(stroke))
    return np.stack([np.interp(places, index, axis) for axis in smooth.T], axis=1)


# --- People ------------------------------------------------------------------------------------


def _people(segments: Sequence[Segment]) -> Iterator[_Person]:
    """Everyone's ink, by name; a short text counts as a word."""
    found: dict[str, list[Segment]] = defaultdict(list)
    for segment in segments:
        recording = segment.source.partition(":")[0]
        found[f"{segment.contributor}/{segment.writer or recording}"].append(segment)
    for name in sorted(found):
        of = found[name]
        texts = [s for s in of if s.level == "TEXT" and _is_running(s)]
        told = {s.source.partition(":")[0] for s in texts}
        words = [
            s
            for s in of
            if (s.level == "WORD" and s.source.partition(":")[0] not in told)
            or (s.level == "TEXT" and len(s.text) < LINE_CHARACTERS[0])
        ]
        characters: dict[str, list[Ink]] = defaultdict(list)
        for segment in of:
            if segment.level == "CHARACTER" and segment.text in GLYPHS:
                characters[segment.text].append(segment.ink)
        yield _Person(name, texts, words, characters)


def _is_running(segment: Segment) -> bool:
    """Whether a text is a line of words, not a word, boxes apart, or characters spelled out."""
    tokens = segment.text.split()
    spelled = sum(len(token) == 1 for token in tokens) > 0.6 * len(tokens) > 2
    return (
        len(segment.text) >= LINE_CHARACTERS[0]
        and not spelled
        and _widest_gap(segment.ink) < WIDEST_IN_TEXT * _spread(segment.ink)
    )


def _vocabulary(segments: Sequence[Segment]) -> list[str]:
    """The words of all texts, each once, as what characters are set to."""
    words = {w for s in segments if s.level != "CHARACTER" for w in s.text.split() if w.isalpha()}
    return sorted(word for word in words if 2 <= len(word) <= 8)


# --- Words joined ------------------------------------------------------------------------------


def _joined_words(name: str, words: Sequence[Piece], rng: np.random.Generator) -> Iterator[Line]:
    """A person's words in the order they were written, as many side by side as make a line."""
    usual = _word_gap(words)
    for number, row in enumerate(_rows(words, rng)):
        yield _set_apart(row, usual, rng, f"unipen/joined/{name}/{number:03d}")


def _word_gap(words: Sequence[Piece]) -> tuple[float, float]:
    """`WORD_GAP`, or what a person needs who sets the letters of a word far apart."""
    gaps = np.concatenate([_gaps(word.ink) for word in words] or [np.zeros(0)])
    within = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 0.0
    mean, deviation = WORD_GAP
    return max(mean, 2 * within), deviation


def _rows(words: Sequence[Piece], rng: np.random.Generator) -> list[list[Piece]]:
    """The words in rows of a line's length; none at all where they are too few to make a line."""
    rows: list[list[Piece]] = [[]]
    n = int(rng.integers(*LINE_CHARACTERS))
    for word in words:
        if rows[-1] and _length(rows[-1]) + len(word.text) > n:
            rows.append([])
            n = int(rng.integers(*LINE_CHARACTERS))
        rows[-1].append(word)
    if _length(rows[-1]) < LINE_CHARACTERS[0] // 2:  # it would not show size and baseline
        last = rows.pop()
        if rows:
            rows[-1] += last
    return rows


def _length(row: Sequence[Piece]) -> int:
    """Characters of a row, a blank after each of its pieces."""
    return sum(len(piece.text) + 1 for piece in row)


def _level_words(person: _Person) -> list[Piece]:
    """The words of a person with their baseline at 0, in x-heights; a few odd sizes mended."""
    levelled = [(word, levelling.levelled(word.ink), _spread(word.ink)) for word in person.words]
    usual = float(np.median([spread for _, ink, spread in levelled if ink] or [1.0]))
    found = []
    for word, ink, spread in levelled:
        if ink is None or _widest_gap(ink) > WIDEST_GAP:
            continue
        # The spread of one word says little of its size: an "on" has half that of a "Why".
        size = spread / usual if 0.5 < spread / usual < 2.0 else 1.0
        found.append(Piece(ink.transformed(np.eye(2) * size / X_HEIGHT), word.text))
    return found


def _spread(ink: Ink) -> float:
    return float(ink.points[:, 1].std())


WIDEST_GAP = 6.0  # within a word, in spreads: what is further apart was not written as one
WIDEST_IN_TEXT = 9.0  # the same for a line


def _widest_gap(ink: Ink) -> float:
    """The widest stretch of x without ink; 0 where there is none."""
    return float(np.max(_gaps(ink), initial=0.0))


def _gaps(ink: Ink) -> Array:
    """From left to right, how far each stroke begins behind all before; negative within them."""
    boxes = np.array(sorted((float(s[:, 0].min()), float(s[:, 0].max())) for s in ink.strokes))
    reached = np.maximum.accumulate(boxes[:, 1])
    gaps: Array = boxes[1:, 0] - reached[:-1]
    return gaps


def _set_apart(
    row: Sequence[Piece], usual: tuple[float, float], rng: np.random.Generator, source: str
) -> Line:
    """The pieces of a row as a line, a word's gap between them."""
    gap = drawn(rng, usual)
    ink = beside(row, [drawn(rng, (gap, 0.12)) for _ in row])
    return Line(ink, " ".join(piece.text for piece in row), source=source)


# --- Characters set ----------------------------------------------------------------------------

SET_LINES = 80  # of a person at most


def _set_characters(
    person: _Person, words: Sequence[Piece], vocabulary: Sequence[str], rng: np.random.Generator
) -> Iterator[Line]:
    """Lines of the person's words with single characters set between and around them.

    A person who gave no words has them set letter by letter.  Rare characters come as often as
    frequent ones.
    """
    glyphs = person.glyphs
    if len(glyphs) < 5:
        return
    usual = _word_gap(words)
    case = _case(person, words, vocabulary, rng)
    n_glyphs = sum(map(len, glyphs.values()))
    about = map(case.around, _focus(glyphs, rng))
    for number in range(min(SET_LINES, max(n_glyphs // 12, len(glyphs) // 2))):
        yield _set_line(case, about, usual, f"unipen/set/{person.name}/{number:02d}")


def _case(
    person: _Person, words: Sequence[Piece], vocabulary: Sequence[str], rng: np.random.Generator
) -> Case:
    glyphs = person.glyphs
    return Case(
        glyphs,
        words=[word for word in words if len(word.text) >= 3],
        spelled=[word for word in vocabulary if all(character in glyphs for character in word)],
        rng=rng,
    )


def _set_line(
    case: Case, about: Iterator[list[Piece]], usual: tuple[float, float], source: str
) -> Line:
    """A line of as many as it takes of the pieces about characters, which go on for ever."""
    length = int(case.rng.integers(*LINE_CHARACTERS))
    row: list[Piece] = []
    while _length(row) < length - 4:
        row += next(about)
    row[-1] = case.divided(row[-1])
    return _set_apart(row, usual, case.rng, source)


def _focus(glyphs: Glyphs, rng: np.random.Generator) -> Iterator[str]:
    """Characters to set: each once, then those that running text has least, most often."""
    characters = sorted(glyphs)
    weights = np.array([_scarcity(character) for character in characters])
    yield from (characters[i] for i in rng.permutation(len(characters)))
    while True:
        yield str(rng.choice(characters, p=weights / weights.sum()))


def _scarcity(character: str) -> float:
    """How often a character is set to what a capital is; texts hardly have a lone I."""
    if character in ALONE and character.isupper():
        return 3.0
    return 0.5 if character.islower() else 1.0 if character.isalnum() else 4.0


# --- Signs borrowed ----------------------------------------------------------------------------

BORROWED_LINES = 40  # of a person at most
SIGNS = 8  # who gave so many different ones lends them, and needs no one else's


def _lenders(people: Iterable[_Person]) -> dict[str, list[Glyphs]]:
    """By split, the single characters of each person who gave many signs."""
    found: dict[str, list[Glyphs]] = defaultdict(list)
    for person in people:
        if person.n_signs >= SIGNS and person.glyphs:
            found[_split(person)].append(person.glyphs)
    return found


def _borrowed_signs(
    person: _Person,
    words: Sequence[Piece],
    lenders: Sequence[Glyphs],
    rng: np.random.Generator,
) -> Iterator[Line]:
    """Lines of the person's words with signs about them; those of a line are one other person's.

    Most of UNIPEN's words, and nearly all that are joined writing, come without a sign.  A
    reader that has met a stroke (/) between printed letters alone takes one between joined
    letters for an l.
    """
    if person.n_signs >= SIGNS or not lenders:
        return
    words = [word for word in words if len(word.text) >= 2]
    usual = _word_gap(words)
    for number in range(min(BORROWED_LINES, len(words) // 8)):
        glyphs = lenders[int(rng.integers(len(lenders)))]
        case = Case(glyphs, words=words, spelled=[], rng=rng)
        source = f"unipen/set/borrowed/{person.name}/{number:02d}"
        yield _set_line(case, _between_plain_words(case), usual, source)


def _between_plain_words(case: Case) -> Iterator[list[Piece]]:
    """Words with nothing about them, and then one with a sign, again and again."""
    signs = [character for character in case.glyphs if not character.isalnum()]
    while True:
        yield case.plain() + case.around(str(case.rng.choice(signs)))


# --- Numbers -----------------------------------------------------------------------------------

NUMBER_LINES = 30  # of a person at most


def _numbers(
    person: _Person, words: Sequence[Piece], vocabulary: Sequence[str], rng: np.random.Generator
) -> Iterator[Line]:
    """Lines of the person's words with numbers among them, of those who gave all ten digits.

    Times, dates and sums hardly occur in UNIPEN's texts, and only what stands about a plain
    stroke tells whether it is a 1, an l, an I or a stroke (/).
    """
    glyphs = person.glyphs
    if not glyphs.keys() >= set("0123456789"):
        return
    n_digits = sum(len(glyphs[digit]) for digit in "0123456789")
    usual = _word_gap(words)
    case = _case(person, words, vocabulary, rng)
    about = iter(case.with_number, None)
    for number in range(min(NUMBER_LINES, n_digits // 2)):
        yield _set_line(case, about, usual, f"unipen/set/numbers/{person.name}/{number:02d}")
