"""Shapes that a reader lets pass, and people do not, in lines that a hand wrote for practice.

What is practised is what becomes of the hand, and a reader takes from what stands around it what a
shape does not tell.  Of the words with an I that a hand practised, because the reader read them
rightly, a third had a bar of it on one side of the stem, like an F or a bracket; of the lines with
a full stop or comma a fourth had one above the line (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from handwriter.ink import Array, Written

STRAIGHT = 1.5  # a stem is so many times as high as wide, a bar as wide as high
TO_EITHER_SIDE = 0.1  # a bar of an I reaches at least so far to both sides, in heights of the stem
NEAR_AN_END = 0.3  # and is no farther from an end of the stem
STROKES_OF_I = 3
STOP = 1.2  # a stop is no larger, in spreads of the line
TOO_HIGH = 0.42  # a stop so far above the line is none, in spreads
BEFORE = 6  # strokes whose bottoms tell where the line is


def is_misshapen(line: Written) -> bool:
    """Whether a word of the line begins with an odd I, or ends with a stop above the line."""
    words = line.text.split()
    ends = (*line.begins[1:], len(line.strokes))
    spread = float(line.points[:, 1].std())
    for word, begin, end in zip(words, line.begins, ends, strict=True):
        if word[0] == "I" and _is_odd(line.strokes[begin : min(end, begin + STROKES_OF_I)]):
            return True
        if len(word) > 2 and word[-1] in ".," and word[-2].isalnum() and end - begin > 1:
            before = line.strokes[max(0, end - 1 - BEFORE) : end - 1]
            if _is_high(line.strokes[end - 1], before, spread):
                return True
    return False


def _is_odd(strokes: Sequence[Array]) -> bool:
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
