"""Shapes that a reader lets pass, and people do not, in lines that a hand wrote.

A reader takes from what stands around it what a shape does not tell.  Of the words with an I that
a hand wrote for practice and the reader read rightly, a third had a bar of it on one side of the
stem, like an F or a bracket; of the lines with a full stop or comma a fourth had one above the
line; and of a hand's d's one in forty had its stem within the bowl, or a bowl as tall as the stem,
like a 0 and a bar, of people's one in two hundred (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from handwriter.ctc import FrameTable
from handwriter.features import seen
from handwriter.ink import Array, Ink

STRAIGHT = 1.5  # a stem is so many times as high as wide, a bar as wide as high
TO_EITHER_SIDE = 0.1  # a bar of an I reaches at least so far to both sides, in heights of the stem
NEAR_AN_END = 0.3  # and is no farther from an end of the stem
STROKES_OF_I = 3
STOP = 1.2  # a stop is no larger, in spreads of the line
TOO_HIGH = 0.42  # a stop so far above the line is none, in spreads
BEFORE = 6  # strokes whose bottoms tell where the line is
# Of a d in one stroke: how high it is at least, in spreads; how high the bowl reaches, in heights
# of the stem; and how far right in the bowl, from 0 to 1, the stem comes down.
STEM, TALL_BOWL, WITHIN = 1.2, 0.78, 0.7
SEEN_WITH = 4  # frames after the one that a letter is seen in, in which its ink ends
NARROW = 0.2  # no bowl is narrower, in spreads
LEVEL = 0.03  # spreads: what is steeper goes up or down


def n_misshapen(
    ink: Ink, text: str, begins: Sequence[int], table: FrameTable, spread: float
) -> int:
    """How many I's, stops and d's of a line of ink that says `text` are misshapen.

    `begins` are the numbers of the strokes that its words begin with, `table` is what a reader
    made of it with that `spread` as its unit.  The d's are looked at where all is read rightly,
    which tells where they are.  Raises BadData as `features` does.
    """
    words = text.split()
    ends = (*begins[1:], len(ink.strokes))
    deviation = float(ink.points[:, 1].std())
    n = 0
    for word, begin, end in zip(words, begins, ends, strict=True):
        n += word[0] == "I" and _is_odd_i(ink.strokes[begin : min(end, begin + STROKES_OF_I)])
        if len(word) > 2 and word[-1] in ".," and word[-2].isalnum() and end - begin > 1:
            before = ink.strokes[max(0, end - 1 - BEFORE) : end - 1]
            n += _is_high(ink.strokes[end - 1], before, deviation)
    plain = " ".join(words)
    if "d" in plain and table.reading().text == plain:
        n += sum(map(_is_odd_d, _letters("d", plain, ink, table, spread)))
    return n


def _is_odd_i(strokes: Sequence[Array]) -> bool:
    """Whether a bar of an I, a stem and two bars at most, is on one side or amid the stem."""
    if not strokes:
        return False
    i = int(np.argmax([np.ptp(stroke[:, 1]) for stroke in strokes]))
    width, height = np.ptp(strokes[i], axis=0)
    if height <= STRAIGHT * width:  # a letter in one stroke
        return False
    x, top = strokes[i][:, 0].mean(), strokes[i][:, 1].min()
    for bar in (*strokes[:i], *strokes[i + 1 :]):
        wide, high = np.ptp(bar, axis=0)
        if wide > STRAIGHT * high:
            to_sides = min(x - bar[:, 0].min(), bar[:, 0].max() - x) / height
            place = (bar[:, 1].mean() - top) / height
            if to_sides < TO_EITHER_SIDE or NEAR_AN_END < place < 1 - NEAR_AN_END:
                return True
    return False


def _is_high(stop: Array, before: Sequence[Array], spread: float) -> bool:
    """Whether a full stop or comma stands above the bottoms of the strokes before it."""
    line = np.median([stroke[:, 1].max() for stroke in before])
    is_small = float(np.ptp(stop, axis=0).max()) <= STOP * spread
    return is_small and float(line - stop[:, 1].mean()) > TOO_HIGH * spread


def _letters(letter: str, read: str, ink: Ink, table: FrameTable, spread: float) -> Iterator[Array]:
    """The points where the reader sees that letter, each time those of one stroke, in spreads."""
    points, is_begin = seen(ink, spread)
    stroke = np.cumsum(is_begin)
    n_points_a_frame = len(points) / len(table.log_probabilities)
    frames, at = table.places(), table.points(len(points))
    for number, character in enumerate(read):
        if character == letter:
            last = frames[number] + SEEN_WITH
            if number + 1 < len(frames):
                last = max(min(last, frames[number + 1] - 1), frames[number])
            first = frames[number - 1] + 1 if number else 0
            window = slice(int(first * n_points_a_frame), int((last + 1) * n_points_a_frame))
            yield points[window][stroke[window] == stroke[at[number]]]


def _is_odd_d(points: Array) -> bool:
    """Whether the stem of a d in one stroke comes down within the bowl, or the bowl is as tall.

    The pen goes back from the top of the stem down to where the bowl ends, and up to where it
    begins.  A d in two strokes is not looked at.
    """
    y = points[:, 1]
    top = int(y.argmin()) if len(y) else 0
    end = top
    while end > 0 and y[end - 1] >= y[end] - LEVEL:
        end -= 1
    begin = end
    while begin > 0 and y[begin - 1] <= y[begin] + LEVEL:
        begin -= 1
    height = y[end] - y[top] if len(y) else 0.0
    if height < STEM or begin == end:
        return False
    if y[end] - y[begin] > TALL_BOWL * height:
        return True
    up = (y[end] - y) / height
    bowl = points[begin:top, 0][up[begin:top] < 0.5]
    down = points[top:, 0][np.logical_and.accumulate(up[top:] > 0.1) & (up[top:] < 0.45)]
    if not len(bowl) or not len(down):
        return False
    place = (down.mean() - bowl.min()) / max(np.ptp(bowl), NARROW)
    return bool(0 <= place < WITHIN)
