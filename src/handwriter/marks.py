"""Marks on letters: accents, dots, bars and tails, drawn as a person adds them to a word.

Each mark is made in the frame of its letter: upright, the unit is the height of an x, y grows
upwards from the line's baseline.  It is then leant and sized as the line is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from handwriter.alphabet import Mark
from handwriter.ink import Array, Ink

X_HEIGHT = 1.45  # in a hand's unit, where the line has no letter that shows it
MOST_OFF = 4.0  # how much larger or smaller than that a line may be
MOST_SLANT = 40.0  # degrees
LOW_LETTERS = frozenset("aceimnorsuvwxz")  # as high as an x
DOTTED = frozenset("ij")
LARGEST_DOT = 0.45  # x-heights
GAP = 0.2  # between a letter and what stands over or under it, in x-heights
WANDER = 0.035  # how far a mark strays from its place, in x-heights
TURN, GROWTH = 0.06, 0.06  # how far it is turned (radians) and larger or smaller; deviations

Strokes = list[Array]


@dataclass(frozen=True, eq=False)
class Letter:
    """The ink of one written character, in the letter's frame: its points and their extent."""

    character: str
    points: Array
    left: float
    right: float
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def crown(self) -> float:
        """The middle of its upper part, an x-height at most: a tail does not count."""
        return self._centre(self.points[:, 1] >= self.top - 1)

    @property
    def sole(self) -> float:
        """The middle of its lower part."""
        return self._centre(self.points[:, 1] <= self.bottom + 0.5)

    @property
    def height(self) -> float:
        return self.top - self.bottom

    def level(self, share: float) -> float:
        """The y at a share of its height."""
        return self.bottom + share * self.height

    def stem(self, low: float, high: float) -> float:
        """Where its ink is on the average, between two shares of its height."""
        inside = self._between(low, high)
        return float(self.points[inside, 0].mean()) if inside.any() else self.middle

    def edge(self, share: float) -> float:
        """Where its ink is leftmost, near a share of its height."""
        inside = self._between(share - 0.08, share + 0.08)
        return float(self.points[inside, 0].min()) if inside.any() else self.left

    @property
    def left_foot(self) -> Array:
        """Where its ink is farthest to the left and down (2,)."""
        return np.asarray(self.points[(self.points @ (1.0, 1.0)).argmin()])

    @property
    def right_foot(self) -> Array:
        """Where its ink is farthest down and somewhat to the right (2,)."""
        return np.asarray(self.points[(self.points @ (-0.5, 1.0)).argmin()])

    def _centre(self, some: NDArray[np.bool_]) -> float:
        left, right = np.quantile(self.points[some, 0], [0.03, 0.97])
        return float(left + right) / 2

    def _between(self, low: float, high: float) -> NDArray[np.bool_]:
        y = self.points[:, 1]
        return np.asarray((y >= self.level(low) - 1e-9) & (y <= self.level(high) + 1e-9))


@dataclass(frozen=True, eq=False)
class _Frame:
    """The way from ink to a letter's frame, and back."""

    x_height: float
    lean: float  # tangent of the slant

    def of(self, points: Array) -> Array:
        x, y = points.T
        return np.column_stack([x + self.lean * y, -y]) / self.x_height

    def back(self, points: Array) -> Array:
        x, y = points.T * self.x_height
        return np.column_stack([x + self.lean * y, -y])


def marked(
    ink: Ink,
    owners: NDArray[np.int64],
    text: str,
    marks: Sequence[Mark],
    *,
    slant: float = 0.0,
    seed: int = 0,
) -> tuple[Ink, list[int]]:
    """The ink of `text` with its marks, each drawn after the word that it belongs to.

    Then, for each stroke of the ink and for its end, what number it has now.

    `owners` (points,) are the places in `text` that the ink belongs to (`letters.owners`), `slant`
    is the line's lean to the right in degrees.  The dot of an i or j that has another mark above
    is left out.  A character that has no ink of its own gets its marks beside its neighbours.
    """
    if not ink.strokes or not marks:
        return ink, list(range(len(ink.strokes) + 1))
    lean = math.tan(math.radians(float(np.clip(slant, -MOST_SLANT, MOST_SLANT))))
    line = _Line(ink, owners, text, _Frame(1.0, lean))
    line.frame = _Frame(_x_height(line), lean)
    for place in sorted({mark.place for mark in marks}):
        names = [mark.name for mark in marks if mark.place == place]
        line.mark(place, names, np.random.default_rng([seed, place]))
    return line.ink(), line.numbers


class _Line:
    """The strokes of a line, what becomes of them, and what comes after each."""

    def __init__(self, ink: Ink, owners: NDArray[np.int64], text: str, frame: _Frame) -> None:
        self.strokes, self.left_out = ink.strokes, set[int]()
        self.text, self.frame = text, frame
        ends = np.cumsum([len(stroke) for stroke in ink.strokes])[:-1]
        self.owners = np.split(owners, ends)
        self.added: list[Strokes] = [[] for _ in ink.strokes]

    def ink(self) -> Ink:
        """What was not left out, each stroke followed by what was added after it."""
        strokes: Strokes = []
        for number, (stroke, added) in enumerate(zip(self.strokes, self.added, strict=True)):
            strokes += [*([] if number in self.left_out else [stroke]), *added]
        return Ink(tuple(strokes))

    @property
    def numbers(self) -> list[int]:
        """Of each stroke, and of the end, how many strokes of `ink` come before it."""
        n_each = [
            (number not in self.left_out) + len(added) for number, added in enumerate(self.added)
        ]
        return [0, *accumulate(n_each)]

    def mark(self, place: int, names: Sequence[str], rng: np.random.Generator) -> None:
        """Draw marks on one character, those above it from the lowest to the highest."""
        if self.text[place] in DOTTED and not {"dotless", *_OVER}.isdisjoint(names):
            self.left_out |= self._dots(place)
        letter = self.letter(place)
        for name in names:
            if name in _INSTEAD:
                self._instead(place, _INSTEAD[name])
                continue
            strokes = _by_hand(_SHAPES[name](letter), rng)
            if name in _OVER:  # the next one stands on it
                letter = replace(letter, top=max(float(s[:, 1].max()) for s in strokes))
            self.added[self._end_of_word(place)] += [self.frame.back(s) for s in strokes]

    def letter(self, place: int) -> Letter:
        """The ink of the character there, without its dot; where it has none, its neighbour's."""
        owned = {int(owner) for owners in self.owners for owner in owners}
        nearest = min(owned, key=lambda other: (abs(other - place), other))
        character = self.text[place]
        dots = self._dots(nearest) if character in DOTTED else set()
        parts = [
            stroke[owners == nearest]
            for number, (stroke, owners) in enumerate(zip(self.strokes, self.owners, strict=True))
            if number not in dots
        ]
        ink = Ink(tuple(part for part in parts if len(part))).smoothed()
        return _letter(character, self.frame.of(ink.points))

    def _dots(self, place: int) -> set[int]:
        """The strokes that are the dot of the letter there: small, and over the rest of it."""
        mine = self._strokes_of(place, place + 1)
        small = {n for n in mine if np.ptp(self._framed(n), axis=0).max() < LARGEST_DOT}
        if small == mine:
            return set()
        body = np.concatenate([self._framed(n) for n in mine - small])
        return {n for n in small if self._framed(n)[:, 1].min() > np.quantile(body[:, 1], 0.9)}

    def _framed(self, number: int) -> Array:
        return self.frame.of(self.strokes[number])

    def _strokes_of(self, begin: int, end: int) -> set[int]:
        """The strokes of which most belongs to the characters from `begin` until `end`."""
        return {
            number
            for number, owners in enumerate(self.owners)
            if np.mean((owners >= begin) & (owners < end)) > 0.5
        }

    def _end_of_word(self, place: int) -> int:
        """The last stroke that has to do with the word around a place."""
        begin = self.text.rfind(" ", 0, place) + 1
        end = self.text.find(" ", place) % (len(self.text) + 1)
        return max(
            (
                number
                for number, owners in enumerate(self.owners)
                if ((owners >= begin) & (owners < end)).any()
            ),
            default=len(self.strokes) - 1,
        )

    def _instead(self, place: int, change: Callable[[Letter, Strokes], Strokes]) -> None:
        """Put something else where the strokes of a character are."""
        numbers = sorted(self._strokes_of(place, place + 1))
        old = [self._framed(number) for number in numbers]
        new = change(self.letter(place), old)
        at = numbers[-1] if numbers else self._end_of_word(place)
        self.left_out |= set(numbers)
        self.added[at] = [self.frame.back(stroke) for stroke in new] + self.added[at]


def _letter(character: str, points: Array) -> Letter:
    """A few points may belong to its neighbours: its sides are where nearly all ink is within."""
    left, right = np.quantile(points[:, 0], [0.03, 0.97])
    bottom, top = points[:, 1].min(), points[:, 1].max()
    return Letter(character, points, float(left), float(right), float(top), float(bottom))


def _x_height(line: _Line) -> float:
    """The median height of the line's low letters, in the ink's unit."""
    owned = {int(owner) for owners in line.owners for owner in owners}
    heights = [
        line.letter(place).height
        for place in sorted(owned)
        if line.text[place] in LOW_LETTERS - DOTTED
    ]
    height = float(np.median(heights)) if heights else X_HEIGHT
    return min(max(height, X_HEIGHT / MOST_OFF), X_HEIGHT * MOST_OFF)


def _by_hand(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """A mark as it comes out this time: moved, turned and sized a little, each point on its own."""
    if not strokes:
        return []
    centre = np.concatenate(strokes).mean(axis=0)
    move = rng.normal(0, WANDER, 2)
    turn, growth = rng.normal(0, TURN), 1 + rng.normal(0, GROWTH)
    cos, sin = growth * math.cos(turn), growth * math.sin(turn)
    matrix = np.array([[cos, sin], [-sin, cos]])
    return [
        (stroke - centre) @ matrix + centre + move + rng.normal(0, WANDER / 4, stroke.shape)
        for stroke in strokes
    ]


# --- Shapes ------------------------------------------------------------------------------------
# In the direction that they are written; (0, 0) is where a mark is nearest to its letter.

_ACUTE = [(0.17, 0.34), (0.03, 0.18), (-0.1, 0.0)]
_GRAVE = [(-0.17, 0.34), (-0.03, 0.18), (0.1, 0.0)]
_COMMA = [(0.03, 0.0), (0.05, -0.1), (0.0, -0.22), (-0.09, -0.32)]
_RING = [
    (0.17 * math.sin(turn), 0.17 + 0.17 * math.cos(turn)) for turn in np.linspace(0.2, -6.6, 13)
]
_DOT = [(0.0, 0.07), (0.01, 0.0)]

_OVER: dict[str, list[list[tuple[float, float]]]] = {
    "acute": [_ACUTE],
    "grave": [_GRAVE],
    "circumflex": [[(-0.24, 0.0), (-0.1, 0.17), (0.0, 0.29), (0.1, 0.15), (0.24, -0.02)]],
    "caron": [[(-0.24, 0.28), (-0.1, 0.11), (0.0, 0.0), (0.1, 0.14), (0.25, 0.3)]],
    "tilde": [[(-0.33, 0.02), (-0.2, 0.16), (-0.06, 0.13), (0.1, 0.03), (0.22, 0.04), (0.34, 0.2)]],
    "diaeresis": [[(x - 0.19, y) for x, y in _DOT], [(x + 0.19, y) for x, y in _DOT]],
    "dot": [_DOT],
    "ring": [_RING],
    "macron": [[(-0.28, 0.04), (0.0, 0.06), (0.28, 0.07)]],
    "breve": [[(-0.25, 0.27), (-0.17, 0.08), (0.0, 0.0), (0.17, 0.09), (0.25, 0.28)]],
    "arch": [[(-0.25, 0.0), (-0.16, 0.19), (0.0, 0.26), (0.16, 0.19), (0.25, 0.0)]],
    "double acute": [[(x - 0.14, y) for x, y in _ACUTE], [(x + 0.15, y) for x, y in _ACUTE]],
    "double grave": [[(x - 0.14, y) for x, y in _GRAVE], [(x + 0.15, y) for x, y in _GRAVE]],
    "hook": [[(-0.11, 0.3), (0.0, 0.38), (0.11, 0.3), (0.05, 0.18), (0.0, 0.1), (0.0, 0.0)]],
    "turned comma": [[(0.1, 0.34), (0.0, 0.24), (-0.04, 0.12), (-0.01, 0.0)]],
}
_UNDER: dict[str, list[list[tuple[float, float]]]] = {
    "dot below": [[(0.0, 0.0), (0.01, -0.07)]],
    "comma below": [_COMMA],
    "line below": [[(-0.28, 0.0), (0.0, 0.01), (0.28, 0.02)]],
}
_CEDILLA = [(0.0, 0.06), (-0.03, -0.1), (0.1, -0.15), (0.13, -0.27), (0.02, -0.37), (-0.15, -0.34)]
_OGONEK = [(0.0, 0.02), (-0.13, -0.1), (-0.15, -0.25), (-0.03, -0.34), (0.12, -0.28)]


def _at(x: float, y: float, *strokes: Sequence[tuple[float, float]]) -> Strokes:
    return [np.array(stroke) + np.array([x, y]) for stroke in strokes]


def _over(name: str) -> Callable[[Letter], Strokes]:
    return lambda letter: _at(letter.crown, letter.top + GAP, *_OVER[name])


def _under(name: str) -> Callable[[Letter], Strokes]:
    return lambda letter: _at(letter.sole, letter.bottom - GAP, *_UNDER[name])


def _dash(x: float, y: float, half: float, rise: float = 0.02) -> Array:
    """A short stroke through a point, from the left to the right."""
    return np.array([(x - half, y - rise), (x, y), (x + half, y + rise)])


def _bar(letter: Letter) -> Strokes:
    """Through the stem, or through both."""
    match letter.character:
        case "d" | "h":
            return [_dash(letter.stem(0.75, 1), letter.level(0.8), 0.3)]
        case "t":
            return [_dash(letter.stem(0, 1), letter.level(0.38), 0.25)]
        case "T":
            return [_dash(letter.stem(0, 0.5), letter.level(0.45), 0.3)]
        case "H":
            half = (letter.right - letter.left) / 2 + 0.15
            return [_dash(letter.middle, letter.level(0.75), half)]
        case _:
            return [_dash(letter.edge(0.48), letter.level(0.48), 0.3)]


def _slash(letter: Letter) -> Strokes:
    """Through the whole of a round letter, from the top; a short one through a stem."""
    match letter.character:
        case "d":
            return [_dash(letter.stem(0.75, 1), letter.level(0.82), 0.26, 0.13)]
        case "l":
            return [_dash(letter.edge(0.52), letter.level(0.52), 0.22, 0.15)]
        case "L":
            return [_dash(letter.edge(0.48), letter.level(0.48), 0.28, 0.17)]
        case _:
            low = (letter.left - 0.04, letter.bottom - 0.14)
            high = (letter.right + 0.06, letter.top + 0.14)
            centre = (letter.middle + 0.01, letter.level(0.5))
            return [np.array([high, centre, low])]


def _two_bars(letter: Letter) -> Strokes:
    """Of the euro (on C) and the yen (on Y)."""
    if letter.character == "Y":
        return [_dash(letter.stem(0, 0.4), letter.level(y), 0.3) for y in (0.42, 0.24)]
    half = (letter.middle - letter.left) / 2 + 0.2
    return [_dash(letter.left + half - 0.22, letter.level(y), half) for y in (0.6, 0.42)]


def _stem(letter: Letter) -> Strokes:
    """Up from the left stem: a thorn from p, where it is long, or P."""
    rise = 0.75 if letter.character == "p" else 0.35
    x, y = letter.edge(0.5), letter.level(0.9)
    return [np.array([(x, letter.top + rise), (x, letter.top + rise / 2), (x, y)])]


def _tail(letter: Letter) -> Strokes:
    """Down from the left stem: a sharp s from B, a micro sign from u."""
    return _at(*letter.left_foot, [(0.0, 0.0), (0.0, -0.3), (-0.04, -0.6)])


def _hooked_tail(letter: Letter) -> Strokes:
    """Down from the right stem and to the left: an eng from n or N."""
    way = [(0.0, 0.0), (0.0, -0.2), (-0.05, -0.38), (-0.17, -0.46), (-0.34, -0.36)]
    return _at(*letter.right_foot, way)


def _apostrophe(letter: Letter) -> Strokes:
    """To the right of the top of an ascender."""
    return _at(letter.stem(0.8, 1) + 0.26, letter.top + 0.06, _COMMA)


_SHAPES: dict[str, Callable[[Letter], Strokes]] = {
    **{name: _over(name) for name in _OVER},
    **{name: _under(name) for name in _UNDER},
    "cedilla": lambda letter: _at(letter.sole, letter.bottom, _CEDILLA),
    "ogonek": lambda letter: _at(letter.right - 0.1, letter.bottom, _OGONEK),
    "horn": lambda letter: _at(
        letter.right - 0.05, letter.top - 0.1, [(0.0, 0.0), (0.15, 0.05), (0.2, 0.2)]
    ),
    "apostrophe": _apostrophe,
    "middle dot": lambda letter: _at(letter.right + 0.2, letter.bottom + 0.5, _DOT),
    "two dots": lambda letter: [
        *_at(letter.middle, letter.top + 0.28, _DOT),
        *_at(letter.middle, letter.bottom - 0.34, _DOT),
    ],
    "dotless": lambda letter: [],
    "bar": _bar,
    "slash": _slash,
    "two bars": _two_bars,
    "stem": _stem,
    "tail": _tail,
    "hooked tail": _hooked_tail,
}


def _turned(letter: Letter, strokes: Strokes) -> Strokes:
    """Upside down, and hanging from the height of an x, where a sign stood on the baseline."""
    centre = np.array([letter.middle, (letter.top + letter.bottom) / 2])
    lower = np.array([0.0, max(letter.height - 1.0, 0.0)])
    return [2 * centre - lower - stroke for stroke in strokes]


def _ring_alone(letter: Letter, strokes: Strokes) -> Strokes:
    """A degree sign in the place of an apostrophe."""
    return _at(letter.middle, letter.top - 0.34, _RING)


# What is not added to the strokes of a character but takes their place.
_INSTEAD: dict[str, Callable[[Letter, Strokes], Strokes]] = {
    "turned": _turned,
    "ring alone": _ring_alone,
}

NAMES = frozenset(_SHAPES) | frozenset(_INSTEAD)
