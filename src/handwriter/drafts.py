"""Drafts: pieces of lines as the pen drew them, and what the next ones go on from.

A draft that others go on from is shown to the network first (priming, Graves 2013, section 5.5):
its steps, with its own text and theirs.  So is a style, which is a draft that somebody else drew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from handwriter.errors import BadHand
from handwriter.ink import Ink, Line
from handwriter.pen import DOWN, LIFTS, Doubles, Drawing, Job, draw, log_density
from handwriter.pieces import step_budget, whole
from handwriter.steps import Begun, Floats, State, as_begin, begun, primed
from handwriter.weights import Weights

LOOKAHEAD = 8  # characters of a style that are shown anew with each text: its letters reach so far


@dataclass(frozen=True, eq=False)
class Draft:
    """One piece of a line as it was drawn, and what speaks for it or against it, a row a step.

    `ink` lies where it belongs in the line, in the hand's unit; `steps` (n, 3) are normalised
    offsets and pen states, `end` is where the pen is after them.  `places` (n,) is where in `text`
    the window was, the index of its largest phi: negative before its first character, the length
    of the text behind its last; `focus` (n,) is the mean place of all its phi.  Where it was asked
    for, `nats` (n,) is the log density of each step under the network (eqs. 23-25) at smoothness 0,
    whatever it was drawn with, so that all drafts can be compared.  `states` holds networks that
    were shown it already, by the text that goes on from it.
    """

    text: str
    seed: int
    ink: Ink
    steps: Floats
    end: Doubles
    places: NDArray[np.int64]
    focus: Doubles
    nats: Doubles
    finished: bool
    states: Mapping[str, State] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, eq=False)
class Shown(Draft):
    """A style as a draft that lines can go on from: it was shown to the network of `weights`.

    `begun` is the network after all but its last letters, which depend on what comes after them.
    `place` is how far in its text the window came.
    """

    name: str
    weights: Weights
    begun: Begun
    place: int


@dataclass(frozen=True, eq=False)
class Style(Line):
    """Ink to write like, in the hand's unit, with its text (`handwriter.styles`).

    A plain line does as well, but is shown to the network anew in each call; this one was shown
    when it was made.
    """

    shown: Shown = field(kw_only=True)


def shown(weights: Weights, text: str, ink: Ink, name: str) -> Shown:
    """A style's ink as a draft that lines can go on from.

    It is in the hand's unit, y = 0 on its baseline, and `text` one that the network can write.
    """
    offsets = ink.offsets
    pen = np.where(offsets[:, 2] > 0, LIFTS, DOWN)
    normalised = (offsets[:, :2] - weights.mean) / weights.deviation
    steps = np.column_stack([normalised, pen]).astype(np.float32)
    first = as_shown(weights, steps, ink)
    before, place = begun(weights, text + " ", first, len(text) - LOOKAHEAD)
    return Shown(
        text=text,
        seed=0,
        ink=ink,
        steps=steps,
        end=ink.strokes[-1][-1],
        places=np.zeros(0, np.int64),
        focus=np.zeros(0),
        nats=np.zeros(0),
        finished=True,
        name=name,
        weights=weights,
        begun=before,
        place=place,
    )


def drawn_drafts(
    weights: Weights,
    texts: Sequence[str],
    seeds: Sequence[int],
    smoothness: float,
    after: Sequence[Draft | None],
    then: Sequence[Sequence[str]] | None = None,
    *,
    keep: bool = False,
) -> list[Draft]:
    """Draw each text with its own seed, as it goes on from the draft in `after`, if there is one.

    `then` are the pieces that will go on from each, where they are known.  With `keep` a draft
    tells the log densities of its steps.
    """
    later = then or [[]] * len(texts)
    jobs = jobs_of(weights, texts, seeds, after, later)
    drawings = draw(weights, jobs, smoothness, keep=keep)
    return [
        draft_of(weights, *of_job)
        for of_job in zip(texts, seeds, after, jobs, drawings, later, strict=True)
    ]


def jobs_of(
    weights: Weights,
    texts: Sequence[str],
    seeds: Sequence[int],
    after: Sequence[Draft | None],
    then: Sequence[Sequence[str]] | None = None,
) -> list[Job]:
    """What the pen has to draw for each text; what goes on from the same draft is primed once."""
    states = _primed(weights, dict.fromkeys(zip(after, texts, strict=True)))
    return [
        Job(
            text=whole(before.text, text) if before else text,
            rng=np.random.default_rng(seed),
            budget=step_budget(len(text), weights.pace),
            state=states.get((before, text)),
            then=[whole(text, later) for later in some],
        )
        for text, seed, before, some in zip(
            texts, seeds, after, then or [[]] * len(texts), strict=True
        )
    ]


def _primed(
    weights: Weights, asked: Iterable[tuple[Draft | None, str]]
) -> dict[tuple[Draft | None, str], State]:
    """The network after it has seen each draft as the begin of a line that goes on so."""
    pairs = [(before, text) for before, text in asked if before]
    ready: dict[tuple[Draft | None, str], State] = {
        (before, text): before.states[text] for before, text in pairs if text in before.states
    }
    pairs = [pair for pair in pairs if pair not in ready]
    if not pairs:
        return ready
    wholes = [whole(before.text, text) for before, text in pairs]
    begins = [as_shown(weights, before.steps, before.ink) for before, _ in pairs]
    known = [before.begun if isinstance(before, Shown) else None for before, _ in pairs]
    states = primed(weights, wholes, begins, known)
    return ready | dict(zip(pairs, states, strict=True))


def as_shown(weights: Weights, steps: Floats, ink: Ink) -> Floats:
    """The steps of some ink as if they began a line."""
    first = as_begin(weights, steps[0], float(ink.strokes[0][0, 1]))
    return np.vstack([first[None], steps[1:]])


def draft_of(
    weights: Weights,
    text: str,
    seed: int,
    before: Draft | None,
    job: Job,
    drawing: Drawing,
    then: Sequence[str] = (),
) -> Draft:
    """What was drawn as a draft, which lies where the one before it ends."""
    ways = ways_of(weights, drawing.steps)
    origin = before.end if before else np.zeros(2)
    lifts = drawing.steps[:, 2] > DOWN
    ink = Ink.from_offsets(np.column_stack([ways, lifts])).moved(*origin)
    begin, phi = len(job.text) - len(text), drawing.phi.astype(np.float64)
    focus = phi @ np.arange(phi.shape[1]) / np.maximum(phi.sum(axis=1), 1e-9)
    return Draft(
        text=text,
        seed=seed,
        ink=ink,
        steps=drawing.steps,
        end=origin + ways.sum(axis=0),
        places=phi.argmax(axis=1) - begin if phi.size else np.zeros(0, np.int64),
        focus=focus - begin,
        nats=log_density(drawing.steps, drawing.outputs, weights.mixtures)
        if drawing.outputs.size
        else np.zeros(0),
        finished=drawing.complete,
        states=dict(zip(then, drawing.states, strict=True)),
    )


def ways_of(weights: Weights, steps: Floats) -> Doubles:
    """dx and dy of steps, in the hand's unit (n, 2).

    Raises BadHand where the network drew what is not a number.
    """
    ways = steps[:, :2].astype(np.float64) * weights.deviation + weights.mean
    if not np.isfinite(ways).all():
        raise BadHand(
            f"{weights.name} wrote ink that is not finite; its training went wrong, "
            "use another hand"
        )
    return ways
