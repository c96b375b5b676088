"""Joining: the drafts of a line's pieces become the line, marked, its words told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from handwriter.drafts import Draft, Shown
from handwriter.ink import Ink, Written
from handwriter.letters import owners, word_begins
from handwriter.marks import marked
from handwriter.spelling import Spelling
from handwriter.traits import traits
from handwriter.weights import Weights


def joined(
    weights: Weights,
    line: Spelling,
    drafts: Sequence[Draft],
    *,
    smoothness: float,
    seed: int,
    style: Shown | None = None,
) -> Written:
    """The line that the drafts of its pieces make, marked, and moved by its leading blanks.

    Each piece is moved to the end of the one before it; with a style the line begins at x = 0.
    """
    inks = _one_after_the_other(drafts, style)
    ink = Ink(tuple(stroke for ink in inks for stroke in ink.strokes))
    begins = _word_begins(drafts, len(line.base.split()))
    if line.marks and drafts:
        ink, numbers = _marked(ink, line, drafts, seed, goes_on=style is not None)
        begins = [numbers[begin] for begin in begins]
    return Written(
        strokes=ink.moved(indent_of(weights, line.base), 0.0).strokes,
        text=line.text,
        hand=weights.name,
        licence=weights.licence,
        seed=seed,
        smoothness=smoothness,
        finished=all(draft.finished for draft in drafts),
        n_steps=sum(len(draft.steps) for draft in drafts),
        style=style.name if style else "",
        replaced=dict(line.replaced),
        begins=tuple(begins),
    )


def _marked(
    ink: Ink, line: Spelling, drafts: Sequence[Draft], seed: int, *, goes_on: bool
) -> tuple[Ink, list[int]]:
    """As `marks.marked`, the ink of all drafts with the line's marks, leant as it is.

    A line that goes on from a style begins with a blank that its text does not have.
    """
    begin, places = len(line.base) - len(line.base.lstrip(" ")) - goes_on, []
    for draft in drafts:
        places.append(begin + owners(draft.ink, draft.focus, draft.text))
        begin += len(draft.text)
    look = traits(ink, len(line.base))
    return marked(
        ink, np.concatenate(places), line.base, line.marks,
        slant=look.slant if look else 0.0, seed=seed,
    )  # fmt: skip


def indent_of(weights: Weights, text: str) -> float:
    """How far leading blanks move a line: by the hand's mean width of a character each.

    The line's own width would do better by its hand, but is known only when it is written.
    """
    n_leading = len(text) - len(text.lstrip(" "))
    return n_leading * weights.mean[0] / weights.pace


def to_the_first_unfinished(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts of a line's pieces up to the first that did not come to its end."""
    n = next((n for n, draft in enumerate(drafts, start=1) if not draft.finished), len(drafts))
    return list(drafts[:n])


def _one_after_the_other(drafts: Sequence[Draft], style: Draft | None) -> Iterator[Ink]:
    """The ink of drafts, each behind the one before.

    They all begin at the end of the style, or else of the first of them.  With a style the line
    begins at x = 0.
    """
    x = 0.0
    for number, draft in enumerate(drafts):
        if number:
            begin = (style or drafts[0]).end[0]
        else:
            begin = draft.ink.points[0, 0] if style and draft.ink.n_points else 0.0
        yield draft.ink.moved(x - begin, 0.0)
        x += draft.end[0] - begin


def _word_begins(drafts: Sequence[Draft], n_words: int) -> list[int]:
    """The strokes that the words of a line begin with, whose pieces these are.

    A piece that begins without a blank goes on with the word of the one before it.  Words that the
    hand did not get to begin at the end.
    """
    begins: list[int] = []
    n_strokes = 0
    for draft in drafts:
        own = word_begins(draft.ink, draft.focus, draft.text)
        if begins and not draft.text.startswith(" "):
            own = own[1:]
        begins += [n_strokes + begin for begin in own]
        n_strokes += len(draft.ink.strokes)
    return begins + [n_strokes] * (n_words - len(begins))
