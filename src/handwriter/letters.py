"""Which ink belongs to which character of a line, and which to which word.

The window (Graves 2013, eqs. 46-51) says where in the text the network was when it drew a point,
but only nearly: it runs ahead of the pen, by how much differs from hand to hand, and it moves on
smoothly while letters begin and end at once.  So each point is given to a character such that,
along the line, the window is near, the ink is where such a character has ink, and changes fall
where the pen lifts and goes on to the right.  Between words it lifts as good as always: of 5,742
strokes that the hand `open` wrote, 4 seemed to go on from one word to the next.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from handwriter.ink import Array, Ink

Places = NDArray[np.int64]

# What a way through the characters costs, beside the squares of how many characters the window is
# too far from each point's.  A letter has some 20 points.  With these, 98 % of 464 characters in
# lines that the reader reads rightly own the point where it sees them.
SKIPPED = 3.5  # a character without ink
WITHIN_STROKE = 4.0  # a change while the pen is down; less by up to 1 where it goes to the right
AT_LIFT = 2.5  # a change where the pen lifts and goes on where it was
ONWARD = 5.0  # less for each unit that it goes on to the right, more to the left
MOST_FOR_CHANGE = 6.0
OUT_OF_REACH = 2.0  # each unit that a point is away from where its character has ink
WORD_GAP = 0.7  # units between two words, at least
NEAR = 0.2  # characters from its middle, where the window is while it writes one
DRIFT = 0.5  # that it runs ahead by a step of AHEAD more or less
AHEAD = np.arange(0.0, 1.01, 0.1)  # characters that the window may run ahead of the pen
AROUND = 40  # points before and after, whose heights are compared
USUALLY_AHEAD = 0.5

# From where to where a character's ink goes, up from the middle of the writing, in units.
_REACH = {
    **dict.fromkeys("aceimnorsuvwxz", (-1.2, 1.2)),
    **dict.fromkeys("bdfhklt", (-1.2, np.inf)),
    **dict.fromkeys("gjpqy", (-np.inf, 1.2)),
    **dict.fromkeys(",.", (-np.inf, -0.2)),
    **dict.fromkeys("'\"", (0.2, np.inf)),
}
_ANYWHERE = (-np.inf, np.inf)


def owners(ink: Ink, focus: Array, text: str) -> Places:
    """The place in `text` of the character that each point of a line's ink belongs to (points,).

    `focus` (points,) is where the window was, in characters from the first one.  The ink's unit
    is that of hands.  A blank owns nothing, and neither does a character that was skipped.
    """
    visible = np.array([place for place, c in enumerate(text) if c != " "], np.int64)
    n_blanks = np.diff(visible, prepend=-1) - 1  # before each
    way = focus[:, None, None] - AHEAD[:, None] - visible
    # While the window crosses blanks, the pen has begun the character after them.
    away = np.abs(np.where(way < 0, np.minimum(way + n_blanks, 0), way))
    too_far = np.maximum(away - NEAR, 0) ** 2
    reach = np.array([_REACH.get(text[place], _ANYWHERE) for place in visible])
    out = OUT_OF_REACH * _out_of_reach(ink, reach)
    return np.asarray(visible[_cheapest_way(too_far + out[:, None], _changes(ink, n_blanks > 0))])


def word_begins(ink: Ink, focus: Array, text: str) -> list[int]:
    """The numbers of the strokes that the words of a line begin with.

    As in `owners`; each stroke as a whole belongs to a word.  A word without ink begins where the
    next one does, the first word with the first stroke.
    """
    spans = [word.span() for word in re.finditer("[^ ]+", text)]
    if len(spans) < 2 or not ink.strokes:
        return [0] * len(spans)
    lengths = np.array([len(stroke) for stroke in ink.strokes])
    begins, x = np.cumsum(lengths) - lengths, ink.points[:, 0]
    left, right = np.minimum.reduceat(x, begins), np.maximum.reduceat(x, begins)
    place = np.add.reduceat(focus, begins) / lengths - USUALLY_AHEAD
    first, last = np.array(spans).T - [[0], [1]]
    away = np.maximum(first - place[:, None], place[:, None] - last) - USUALLY_AHEAD
    onward = left[1:] - np.maximum.accumulate(right)[:-1]
    changes = np.clip(AT_LIFT - ONWARD * (onward - WORD_GAP), 0.0, MOST_FOR_CHANGE)
    way = _words_of(np.maximum(away, 0.0).tolist(), [0.0, *changes.tolist()])
    return [sum(word < number for word in way) for number in range(len(spans))]


def _words_of(away: Sequence[Sequence[float]], changes: Sequence[float]) -> list[int]:
    """The cheapest way through the words: the number of one for each stroke.

    `away` (strokes, words) is how many characters the window was from each word, `changes`
    (strokes,) what it costs that a word begins there.
    """
    n = len(away[0])
    total = [SKIPPED * word + away[0][word] ** 2 for word in range(n)]
    came: list[list[int]] = []
    for far, change in zip(away[1:], changes[1:], strict=True):
        costs, befores = [], []
        before, cost = 0, math.inf  # the cheapest word before this one, those between left out
        for word in range(n):
            goes_on = total[word] <= cost + change
            costs.append((total[word] if goes_on else cost + change) + far[word] ** 2)
            befores.append(word if goes_on else before)
            if total[word] <= cost + SKIPPED:
                before, cost = word, total[word]
            else:
                cost += SKIPPED
        total = costs
        came.append(befores)
    left_out = [total[word] + SKIPPED * (n - 1 - word) for word in range(n)]
    way = [left_out.index(min(left_out))]
    for befores in reversed(came):
        way.append(befores[way[-1]])
    return way[::-1]


def _out_of_reach(ink: Ink, reach: Array) -> Array:
    """How far each point is from where each character has ink (points, characters).

    `reach` (characters, 2) counts from the middle of the ink around: a line may rise or fall.
    """
    y = ink.points[:, 1]
    padded = np.pad(y, AROUND, mode="reflect" if len(y) > AROUND else "edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1)
    height = (np.median(around, axis=1) - y)[:, None]
    low, high = reach.T
    return np.asarray(np.maximum(0.0, np.maximum(low - height, height - high)))


def _changes(ink: Ink, begins_word: NDArray[np.bool_]) -> Array:
    """What it costs that a character begins at a point (points, characters)."""
    ways = np.diff(ink.points, axis=0, prepend=ink.points[:1])
    along = ways[:, 0] / np.maximum(np.hypot(*ways.T), 1e-9)
    letter, word = WITHIN_STROKE - along, np.full(len(along), MOST_FOR_CHANGE)
    begin = len(ink.strokes[0])
    for before, stroke in zip(ink.strokes, ink.strokes[1:], strict=False):
        left, right, onward = before[:, 0].min(), before[:, 0].max(), stroke[:, 0].min()
        letter[begin] = AT_LIFT - ONWARD * (onward - (left + right) / 2)
        word[begin] = AT_LIFT - ONWARD * (onward - right - WORD_GAP)
        begin += len(stroke)
    letter, word = (np.clip(costs, 0.0, MOST_FOR_CHANGE)[:, None] for costs in (letter, word))
    return np.asarray(letter + word * begins_word)


def _cheapest_way(costs: Array, changes: Array) -> Places:
    """The cheapest way through the characters: the number of one for each point (points,).

    `costs` (points, ahead, characters) depend on how far the window runs ahead, which drifts;
    `changes` (points, characters).  Viterbi's algorithm: a point belongs to the character of the
    point before it, to the next one, or to the one after that.
    """
    skipped = SKIPPED * np.arange(costs.shape[2])
    total, came = skipped + costs[0], np.zeros((2, *costs.shape), np.int64)
    for point in range(1, len(costs)):
        drifts = np.full((3, *total.shape), np.inf)
        drifts[0], drifts[1, 1:], drifts[2, :-1] = total, total[:-1] + DRIFT, total[1:] + DRIFT
        came[0, point], total = drifts.argmin(axis=0), drifts.min(axis=0)
        choices = np.full((3, *total.shape), np.inf)
        choices[0] = total
        choices[1, :, 1:] = total[:, :-1] + changes[point, 1:]
        choices[2, :, 2:] = total[:, :-2] + changes[point, 2:] + SKIPPED
        came[1, point] = choices.argmin(axis=0)
        total = choices.min(axis=0) + costs[point]
    ahead, at = np.unravel_index((total + skipped[::-1]).argmin(), total.shape)
    way = np.zeros(len(costs), np.int64)
    for point in range(len(costs) - 1, -1, -1):
        way[point] = at
        at = at - came[1, point, ahead, at]
        ahead = ahead + (0, -1, 1)[came[0, point, ahead, at]]
    return way
