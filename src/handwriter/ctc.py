"""What a reader makes of a line: for every frame the probabilities of each character and of none.

Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification" (2006): a path
has a label for every frame, a character or the blank; its text is what is left when repeats are
joined and then blanks dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLANK = 0  # "no character here", which is not the space; character i of the alphabet is i + 1

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """What was read, and how sure each character of it is, over 0 and at most 1.

    Spaces stand as they were read, at the ends and one after the other too.  A character that
    was overlooked has no confidence.
    """

    text: str
    confidences: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class FrameTable:
    """Log probabilities, shape (frames, 1 + alphabet), of one line of ink."""

    log_probabilities: Floats
    alphabet: str

    def reading(self) -> Reading:
        """The text of the path of the likeliest labels; each character as sure as its best frame.

        The path is one of many that say the text, and some other text may be likelier in sum.
        """
        labels, begins = self._runs()
        is_read = labels[begins] != BLANK
        if not is_read.any():
            return Reading("", ())
        best = np.maximum.reduceat(self.log_probabilities.max(axis=1), begins)[is_read]
        text = "".join(self.alphabet[label - 1] for label in labels[begins[is_read]])
        return Reading(text, tuple(np.exp(np.minimum(best, 0.0)).tolist()))

    def places(self) -> NDArray[np.int64]:
        """For each character of the reading the frame that it is first seen in, (characters,)."""
        labels, begins = self._runs()
        places: NDArray[np.int64] = begins[labels[begins] != BLANK]
        return places

    def points(self, n: int) -> NDArray[np.int64]:
        """For each character of the reading the one of n points that it is first seen in."""
        at = (self.places() + 0.5) * (n / len(self.log_probabilities))
        return np.minimum(at.astype(np.int64), n - 1)

    def _runs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The likeliest label of each frame, and the frames where it becomes another one."""
        labels = self.log_probabilities.argmax(axis=1)
        return labels, np.flatnonzero(np.diff(labels, prepend=-1))

    def nats(self, text: str) -> float:
        """The negative log probability of a text: all paths that say it, summed (eqs. 6-8).

        Infinite where none does: the reader does not know a character of the text, or the text
        needs more frames than there are.
        """
        if not set(text) <= set(self.alphabet):
            return float("inf")
        states = np.full(2 * len(text) + 1, BLANK)  # a blank before, between and behind characters
        states[1::2] = [self.alphabet.index(character) + 1 for character in text]
        # A blank between two characters may be left out, unless it keeps them apart.
        skips = np.full(len(states), -np.inf)
        skips[3::2][states[3::2] != states[1:-2:2]] = 0.0
        alpha = np.full(2 + len(states), -np.inf)  # two states before the first are never reached
        alpha[2] = 0.0  # as if a blank had come before
        for frame in self.log_probabilities.astype(np.float64):
            reached = np.logaddexp(alpha[2:], alpha[1:-1])
            alpha[2:] = np.logaddexp(reached, alpha[:-2] + skips) + frame[states]
        return max(0.0, -float(np.logaddexp(alpha[-1], alpha[-2])))
