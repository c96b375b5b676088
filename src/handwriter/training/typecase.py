"""Single characters as type: where a printed sign stands, and how it is set about words.

UNIPEN gives characters that people wrote one at a time, in boxes of their own.  Each is brought
to the size and to the place about the baseline where a line has it (`GLYPHS`), and the signs go
where people write them: before, behind, between or about a word or number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handwriter.alphabet import CLOSING, OPENING
from handwriter.ink import Ink

LETTER_GAP = (0.28, 0.35)  # mean, in x-heights, and the deviation of its logarithm, between signs

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
class Piece:
    """Ink ready to be set: baseline at y = 0, begun at x = 0, the unit an x-height."""

    ink: Ink
    text: str


Glyphs = dict[str, list[Piece]]


def beside(pieces: Sequence[Piece], gaps: Sequence[float]) -> Ink:
    """The pieces side by side; `gaps[i]` lies between a piece and the next one."""
    ink, x = Ink(()), 0.0
    for piece, gap in zip(pieces, gaps, strict=True):
        left, _, right, _ = piece.ink.bounds
        ink = ink.joined(piece.ink.moved(x - left, 0))
        x += right - left + gap
    return ink


def drawn(rng: np.random.Generator, around: tuple[float, float]) -> float:
    """A positive length around a mean, the logarithm of which has the given deviation."""
    mean, deviation = around
    return float(mean * np.exp(rng.normal(0.0, deviation)))


# --- Where each stands -------------------------------------------------------------------------


def glyphs_of(characters: dict[str, list[Ink]]) -> Glyphs:
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


def _placed(ink: Ink, character: str, unit: float) -> Piece:
    """A character at its place; one far from its usual size is brought to it."""
    low, high = GLYPHS[character]
    scaled = ink.transformed(np.eye(2) / _size(ink, character, unit))
    left, top, _, bottom = scaled.bounds
    # y grows down: the baseline is 0, the band lies from -low up to -high.
    shift = -low - bottom if character not in _FLAT else -(low + high) / 2 - (top + bottom) / 2
    return Piece(scaled.moved(-left, shift), character)


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


# --- Setting them ------------------------------------------------------------------------------

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


def written_number(rng: np.random.Generator) -> str:
    """A number as texts have them: one by itself, a year, a time, a date, a sum, a span."""

    def below(end: int) -> int:
        return int(rng.integers(end))

    match below(9):
        case 0 | 1:
            return str(below(10))
        case 2:
            return str(below(10 ** int(rng.integers(2, 5))))
        case 3:
            return str(1500 + below(550))
        case 4:
            return f"{below(24)}:{below(60):02}"
        case 5:
            return f"{1 + below(31)}/{1 + below(12)}" + str(rng.choice(["", f"/{below(100):02}"]))
        case 6:
            return str(rng.choice(["", "$"])) + f"{below(100)}.{below(100):02}"
        case 7:
            return f"{1 + below(99)},{below(1000):03}"
        case _:
            return f"{below(50)}-{50 + below(100)}"


@dataclass(frozen=True, eq=False)
class Case:
    """A typecase: single characters of one person, words of one, and those that it can spell."""

    glyphs: Glyphs
    words: list[Piece]
    spelled: list[str]
    rng: np.random.Generator

    def around(self, focus: str) -> list[Piece]:
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

    def plain(self) -> list[Piece]:
        """No word, or one or two, nothing about them."""
        return [self._together(self._word()) for _ in range(int(self.rng.integers(3)))]

    def with_number(self) -> list[Piece]:
        """A number as texts have them (`written_number`), and no word about it, or one or two."""
        text = written_number(self.rng)
        while not self.glyphs.keys() >= set(text):
            text = written_number(self.rng)
        return [self._together(self._spell(text)), *self.plain()]

    def divided(self, last: Piece) -> Piece:
        """The last word of a line, with a dash behind it now and then."""
        if "-" in self.glyphs and last.text[-1].isalpha() and self._chance(DIVIDED):
            return self._together([last, self._one("-")])
        return last

    def _letters(self, focus: str, sign: list[Piece]) -> list[Piece]:
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

    def _with_sign(self, focus: str, sign: list[Piece]) -> list[Piece]:
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

    def _word(self) -> list[Piece]:
        """A word as the person wrote it, or one set of single letters."""
        if self.words and (not self.spelled or self._chance(0.8)):
            return [self.words[int(self.rng.integers(len(self.words)))]]
        if not self.spelled:
            return self._spell(str(self.rng.choice(sorted(self.glyphs))))
        return self._spell(self.spelled[int(self.rng.integers(len(self.spelled)))])

    def _number(self) -> list[Piece]:
        digits = [c for c in "0123456789" if c in self.glyphs]
        if not digits:
            return self._word()
        n = int(self.rng.integers(1, 4))
        return [self._one(str(self.rng.choice(digits))) for _ in range(n)]

    def _spell(self, word: str) -> list[Piece]:
        return [self._one(character) for character in word]

    def _one(self, character: str) -> Piece:
        """One of those of this character."""
        return self.glyphs[character][int(self.rng.integers(len(self.glyphs[character])))]

    def _together(self, parts: Sequence[Piece]) -> Piece:
        """Pieces as one word, a letter's gap between them."""
        gap = drawn(self.rng, LETTER_GAP)
        ink = beside(parts, [drawn(self.rng, (gap, 0.2)) for _ in parts])
        return Piece(ink, "".join(part.text for part in parts))

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)
