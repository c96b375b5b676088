"""Typesetting: words joined to lines, and isolated signs set into lines, all in ink of one person.

UNIPEN gives texts, words, and single characters.  A network learns to write from lines, so the
words of a person are put side by side on one baseline; and since some signs hardly occur in
running text, single characters are set between the words like type, on the baseline where they
belong (`GLYPHS`), at the size of that person's other writing.

Everything drawn here follows from the ink's own names: the same collection gives the same lines.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from handwriter import levelling
from handwriter.alphabet import CLOSING, OPENING
from handwriter.ink import Array, Ink, Line
from handwriter.tokens import untokenised
from handwriter.training.unipen import Segment

POINTS_PER_CHARACTER = 12.5  # what every contributor's ink is brought to, as IAM-OnDB thinned by 2
X_HEIGHT = 1.75  # in spreads of a line: how much higher an x is than the deviation of all y
LINE_CHARACTERS = (14, 44)  # a joined line is this long
HELD_OUT = 20  # one person in so many is for validation
TOKENISED = frozenset({"cea", "cec", "ced", "dar", "hpb", "hpp", "sta"})  # docs/unipen.md
WORD_GAP = (1.25, 0.2)  # mean, in x-heights, and the deviation of its logarithm, from line to line
LETTER_GAP = (0.28, 0.35)  # the same between two signs that are set side by side

# Where a printed sign stands: its bottom and top above the baseline, in x-heights.
_BANDS = {
    "acemnorsuvwxz": (0.0, 1.0),
    "bdfhkl": (0.0, 1.65),
    "i": (0.0, 1.45),
    "t": (0.0, 1.4),
    "gpqy": (-0.65, 1.0),
    "j": (-0.65, 1.45),
    "ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789!?#&%": (0.0, 1.6),
    "Q": (-0.15, 1.6),
    "()[]{}$": (-0.25, 1.7),
    "|": (-0.45, 1.8),
    "/\\": (-0.1, 1.7),
    "@": (-0.1, 1.45),
    "<>+": (0.15, 1.1),
    "=": (0.35, 0.8),
    "-": (0.5, 0.6),
    "~": (0.4, 0.7),
    "_": (-0.15, -0.1),
    "^": (1.05, 1.6),
    "*": (0.75, 1.5),
    "`'\"": (1.15, 1.65),
    ".": (0.0, 0.1),
    ",": (-0.3, 0.15),
    ":": (0.05, 0.85),
    ";": (-0.3, 0.85),
}
GLYPHS = {character: band for characters, band in _BANDS.items() for character in characters}
_FLAT = set("-~_=.,:;'\"`^*")  # their own height tells little of the size they were written in
_WIDE = 0.8  # how wide a dash is: of some signs the height tells nothing at all
_FAR = 4.0  # no flat sign has a side this long
_FLATTEST = 4.0  # no other is so many times as wide as high
# What is a capital or a small letter by its height alone, and how far that may be from the usual.
_TWINS = set("cosuvwxzCOSUVWXZ")
_TWIN_HEIGHTS = (0.9, 1.15)
_STRETCHED = set("|")  # an l but for its reach above and below the letters: always given in full


@dataclass(frozen=True, eq=False)
class _Piece:
    """Ink ready to be set: baseline at y = 0, begun at x = 0, the unit an x-height."""

    ink: Ink
    text: str

    @property
    def right(self) -> float:
        return self.ink.bounds[2]


@dataclass(eq=False)
class _Person:
    """All that one person wrote: texts of a line, words, and single characters by what they are."""

    name: str
    texts: list[Segment]
    words: list[Segment]
    characters: dict[str, list[Ink]]


def lines_of(segments: Iterable[Segment]) -> Iterator[Line]:
    """The lines to learn from, thinned alike; each line has a scale of its own.

    First each person's texts as they are, then that person's words joined, then lines with
    single characters set into them.  Words of a recording that gives texts are left to those.
    The `source` begins with "unipen", and with "joined" or "set" after it where a line is made
    up.  One person in `HELD_OUT` is for validation, with all that he or she wrote.
    """
    kept = [_rested(_untokenised(segment)) for segment in segments]
    thinning = _thinning(kept)
    vocabulary = _vocabulary(kept)
    for person in _people([_thinned(s, thinning[s.contributor]) for s in kept]):
        rng = np.random.default_rng(_seed(person.name))
        split = "validation" if _seed(person.name) % HELD_OUT == 0 else "train"
        for line in (
            *(Line(s.ink, s.text, source=f"unipen/{s.source}") for s in person.texts),
            *_joined_words(person, rng),
            *_set_characters(person, vocabulary, rng),
        ):
            yield replace(line, writer=person.name, split=split)


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


def _joined_words(person: _Person, rng: np.random.Generator) -> Iterator[Line]:
    """The person's words in the order they were written, as many side by side as make a line."""
    words = _level_words(person)
    usual = _word_gap(words)
    for number, row in enumerate(_rows(words, rng)):
        yield _set_apart(row, usual, rng, f"unipen/joined/{person.name}/{number:03d}")


def _word_gap(words: Sequence[_Piece]) -> tuple[float, float]:
    """`WORD_GAP`, or what a person needs who sets the letters of a word far apart."""
    gaps = np.concatenate([_gaps(word.ink) for word in words] or [np.zeros(0)])
    within = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 0.0
    mean, deviation = WORD_GAP
    return max(mean, 2 * within), deviation


def _rows(words: Sequence[_Piece], rng: np.random.Generator) -> list[list[_Piece]]:
    """The words in rows of a line's length; none at all where they are too few to make a line."""
    rows: list[list[_Piece]] = [[]]
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


def _length(row: Sequence[_Piece]) -> int:
    """Characters of a row, a blank after each of its pieces."""
    return sum(len(piece.text) + 1 for piece in row)


def _level_words(person: _Person) -> list[_Piece]:
    """The words of a person with their baseline at 0, in x-heights; a few odd sizes mended."""
    levelled = [(word, levelling.levelled(word.ink), _spread(word.ink)) for word in person.words]
    usual = float(np.median([spread for _, ink, spread in levelled if ink] or [1.0]))
    found = []
    for word, ink, spread in levelled:
        if ink is None or _widest_gap(ink) > WIDEST_GAP:
            continue
        # The spread of one word says little of its size: an "on" has half that of a "Why".
        size = spread / usual if 0.5 < spread / usual < 2.0 else 1.0
        found.append(_Piece(ink.transformed(np.eye(2) * size / X_HEIGHT), word.text))
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
    row: Sequence[_Piece], usual: tuple[float, float], rng: np.random.Generator, source: str
) -> Line:
    """The pieces of a row as a line, a word's gap between them."""
    gap = _drawn(rng, usual)
    ink = _beside(row, [_drawn(rng, (gap, 0.12)) for _ in row])
    return Line(ink, " ".join(piece.text for piece in row), source=source)


def _beside(pieces: Sequence[_Piece], gaps: Sequence[float]) -> Ink:
    """The pieces side by side; `gaps[i]` lies between a piece and the next one."""
    ink, x = Ink(()), 0.0
    for piece, gap in zip(pieces, gaps, strict=True):
        left, _, right, _ = piece.ink.bounds
        ink = ink.joined(piece.ink.moved(x - left, 0))
        x += right - left + gap
    return ink


def _drawn(rng: np.random.Generator, around: tuple[float, float]) -> float:
    """A positive length around a mean, the logarithm of which has the given deviation."""
    mean, deviation = around
    return float(mean * np.exp(rng.normal(0.0, deviation)))


# --- Characters set ----------------------------------------------------------------------------

SET_LINES = 80  # of a person at most
PAIRS = CLOSING | {sign: sign for sign in "\"'`|*"}
ALONE = {"I": 0.7, "A": 0.3, "a": 0.3}  # letters that are words, and how often they are set so
BEGINNING = 0.7  # of the capitals that are not in a word begin one
DIVIDED = 0.2  # of the lines end with the dash of a word that goes on in the next
# What follows an apostrophe within a word.
ENDINGS = ("s", "s", "t", "d", "m", "ll", "re", "ve")
WAYS = {
    "before": set("$#@+~<\\^-&*_|`"),  # right before a word or number
    "behind": set("%.,;:!?'\"*+_"),
    "between": set("=+&@<>|*~/\\-^_:%#"),
}


def _set_characters(
    person: _Person, vocabulary: Sequence[str], rng: np.random.Generator
) -> Iterator[Line]:
    """Lines of the person's words with single characters set between and around them.

    A person who gave no words has them set letter by letter.  Rare characters come as often as
    frequent ones.
    """
    glyphs = _glyphs(person.characters)
    if len(glyphs) < 5:
        return
    words = _level_words(person)
    usual = _word_gap(words)
    case = _Case(
        glyphs,
        words=[word for word in words if len(word.text) >= 3],
        spelled=[word for word in vocabulary if all(character in glyphs for character in word)],
        rng=rng,
    )
    n_glyphs = sum(map(len, glyphs.values()))
    focus = _focus(glyphs, rng)
    for number in range(min(SET_LINES, max(n_glyphs // 12, len(glyphs) // 2))):
        length = int(rng.integers(*LINE_CHARACTERS))
        row: list[_Piece] = []
        while _length(row) < length - 4:
            row += case.around(next(focus))
        row[-1] = case.divided(row[-1])
        yield _set_apart(row, usual, rng, f"unipen/set/{person.name}/{number:02d}")


_Glyphs = dict[str, list[_Piece]]


def _glyphs(characters: dict[str, list[Ink]]) -> _Glyphs:
    """The person's single characters where they belong about the baseline, in x-heights."""
    heights = [
        _height(ink) / (GLYPHS[character][1] - GLYPHS[character][0])
        for character, inks in characters.items()
        if character not in _FLAT
        for ink in inks
        if _height(ink) > 0
    ]
    if not heights:
        return {}
    unit = float(np.median(heights))
    return {
        character: [_placed(ink, character, unit) for ink in inks]
        for character, inks in sorted(characters.items())
    }


def _height(ink: Ink) -> float:
    _, top, _, bottom = ink.bounds
    return bottom - top


def _placed(ink: Ink, character: str, unit: float) -> _Piece:
    """A character at its place; one far from its usual size is brought to it."""
    low, high = GLYPHS[character]
    scaled = ink.transformed(np.eye(2) / _size(ink, character, unit))
    left, top, _, bottom = scaled.bounds
    # y grows down: the baseline is 0, the band lies from -low up to -high.
    shift = -low - bottom if character not in _FLAT else -(low + high) / 2 - (top + bottom) / 2
    return _Piece(scaled.moved(-left, shift), character)


def _size(ink: Ink, character: str, unit: float) -> float:
    """The x-height that a character was written for, by that of the person's characters, `unit`.

    In boxes of their own people write an S hardly taller than an s, which nobody could tell apart
    then; and part of a contributor's ink is sixty times as large as the rest (docs/unipen.md).
    """
    low, high = GLYPHS[character]
    left, _, right, _ = ink.bounds
    if character in _FLAT:
        side = max(_height(ink), right - left)
        return side / max(high - low, _WIDE) if side > _FAR * unit else unit
    own = max(_height(ink), (right - left) / _FLATTEST, 1e-6 * unit) / (high - low)
    relative = own / unit
    if character in _STRETCHED or not 0.6 < relative < 1.6:
        return own
    if character in _TWINS:
        return own / float(np.clip(relative, *_TWIN_HEIGHTS))
    return unit


def _focus(glyphs: _Glyphs, rng: np.random.Generator) -> Iterator[str]:
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


@dataclass(frozen=True, eq=False)
class _Case:
    """A typecase: one person's single characters and words, and the words they can spell."""

    glyphs: _Glyphs
    words: list[_Piece]
    spelled: list[str]
    rng: np.random.Generator

    def around(self, focus: str) -> list[_Piece]:
        """One to three pieces, blanks between them, of which one holds the character `focus`."""
        sign = [self._one(focus)]
        if self._chance(ALONE.get(focus, 0.0)):
            before = [self._together(self._word())] if self._chance(0.5) else []
            return [*before, *sign, self._together(self._word())]
        if focus.isalpha():
            return [self._together(self._letters(focus, sign))]
        if focus.isdigit():
            behind = self._number if self._chance(0.5) else list
            return [self._together([*self._number(), *sign, *behind()])]
        return self._with_sign(focus, sign)

    def divided(self, last: _Piece) -> _Piece:
        """The last word of a line, with a dash behind it now and then."""
        if "-" in self.glyphs and last.text[-1].isalpha() and self._chance(DIVIDED):
            return self._together([last, self._one("-")])
        return last

    def _letters(self, focus: str, sign: list[_Piece]) -> list[_Piece]:
        """A word with the letter in it, or letters of its case behind it.

        A capital comes before a small word, too: only there its height has to tell what it is.
        """
        fitting = [word for word in self.spelled if focus in word]
        if fitting and (focus.islower() or self._chance(0.3)):
            return self._spell(str(self.rng.choice(fitting)))
        if focus.isupper() and self._chance(BEGINNING):
            word = self._word()
            if word[0].text[0].islower():
                return sign + word
        others = [c for c in self.glyphs if c.isalpha() and c.isupper() == focus.isupper()]
        n = int(self.rng.integers(0, 4))
        return sign + [self._one(str(self.rng.choice(others))) for _ in range(n)]

    def _with_sign(self, focus: str, sign: list[_Piece]) -> list[_Piece]:
        """The sign where people write it: about a word or number, before, behind, between."""
        if focus == "'" and self._chance(0.5):
            ending = str(self.rng.choice(ENDINGS))
            if set(ending) <= self.glyphs.keys():
                return [self._together([*self._word(), *sign, *self._spell(ending)])]
        thing = self._number() if self._chance(0.4) else self._word()
        opening = OPENING.get(focus)
        if opening in self.glyphs and self._chance(0.8):
            return [self._together([self._one(str(opening)), *thing, *sign])]
        closing = [c for c in PAIRS.get(focus, "") if c in self.glyphs]
        if closing and self._chance(0.6):
            return [self._together([*sign, *thing, self._one(str(self.rng.choice(closing)))])]
        ways = [way for way, signs in WAYS.items() if focus in signs]
        match str(self.rng.choice(ways)) if ways else "apart":
            case "before":
                return [self._together(sign + thing)]
            case "behind":
                return [self._together(thing + sign)]
            case "between" if self._chance(0.5):
                other = self._number() if self._chance(0.5) else self._word()
                return [self._together(thing + sign + other)]
            case _:
                return [self._together(self._word()), *sign, self._together(thing)]

    def _word(self) -> list[_Piece]:
        """A word as the person wrote it, or one set of single letters."""
        if self.words and (not self.spelled or self._chance(0.8)):
            return [self.words[int(self.rng.integers(len(self.words)))]]
        if not self.spelled:
            return self._spell(str(self.rng.choice(sorted(self.glyphs))))
        return self._spell(self.spelled[int(self.rng.integers(len(self.spelled)))])

    def _number(self) -> list[_Piece]:
        digits = [c for c in "0123456789" if c in self.glyphs]
        if not digits:
            return self._word()
        n = int(self.rng.integers(1, 4))
        return [self._one(str(self.rng.choice(digits))) for _ in range(n)]

    def _spell(self, word: str) -> list[_Piece]:
        return [self._one(character) for character in word]

    def _one(self, character: str) -> _Piece:
        """One of the person's own of this character."""
        return self.glyphs[character][int(self.rng.integers(len(self.glyphs[character])))]

    def _together(self, parts: Sequence[_Piece]) -> _Piece:
        """Pieces as one word, a letter's gap between them."""
        gap = _drawn(self.rng, LETTER_GAP)
        ink = _beside(parts, [_drawn(self.rng, (gap, 0.2)) for _ in parts])
        return _Piece(ink, "".join(part.text for part in parts))

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)
