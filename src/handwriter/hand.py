"""The hand: text in, ink out, one step of the network after the other.

Graves (2013), sections 5.3 to 5.5: the step itself, window and sampling included, is the graph
that `training.export` wrote; here is the loop around it, with its noise, its stopping and its
priming.
"""

from __future__ import annotations

import math
import operator
import secrets
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from handwriter.alphabet import check_text
from handwriter.errors import BadHand, BadOption
from handwriter.ink import Ink, Written
from handwriter.weights import DEFAULT_HAND, Weights, load_weights

DEFAULT_SMOOTHNESS = 1.5
MOST_SMOOTHNESS = 20.0
MOST_SEED = 2**63 - 1
MOST_SAMPLE_STEPS = 100_000
MOST_LINES_AT_ONCE = 64
LONGEST_WHOLE = 45  # characters written in one go; few lines of IAM-OnDB are longer
LONGEST_PIECE = 30  # of a longer line; with the piece before it, no more than it was trained on
FAR = 1e4  # a place in the text that no window reaches
DOWN, LIFTS, ENDS = 0, 1, 2

Floats = NDArray[np.float32]
_Then = Literal["go on", "begin", "done"]


class UnfinishedWarning(UserWarning):
    """A line that ran out of steps before all of its text was written."""


@dataclass(frozen=True, eq=False)
class Trace:
    """What the network thought while it wrote one line, a row a step; for looking inside.

    `steps` (n, 3) are normalised offsets and pen states.  `window` (n, characters + 1) is phi of
    eq. 46 over the text without the blanks around it, and over the empty place after it.
    `outputs` (n, 6 M + 1 or 3) are the raw outputs of eqs. 18-22 in the order mu_x, mu_y,
    sigma_hat_x, sigma_hat_y, rho_hat, pi_hat (M values each), pen; row i is what step i was
    drawn from.
    """

    written: Written
    steps: Floats
    window: Floats
    outputs: Floats


class Hand:
    """A trained network that writes.

    It keeps nothing between calls.  On one machine the same text, seed and smoothness give the
    same ink to the last bit, however many lines are written at once, in whatever order, and on
    however many threads.  Other processors and other versions of ONNX Runtime round differently
    in the last bit; there a line can take another course.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    @property
    def name(self) -> str:
        return self.weights.name

    @property
    def licence(self) -> str:
        return self.weights.licence

    @property
    def characters(self) -> str:
        """The characters it can write; empty where it writes without text."""
        return self.weights.characters

    def write(
        self, text: str, *, smoothness: float = DEFAULT_SMOOTHNESS, seed: int | None = None
    ) -> Written:
        """Write one line of text; what comes back is its ink.

        `smoothness` is the paper's bias (eqs. 61-62): 0 writes as varied as people do, 1.5
        steadily.  Without a `seed` each call writes another line.  The ink has y = 0 on its
        baseline and the hand's own unit, the standard deviation of y.

        Warns with `UnfinishedWarning` where the network did not come to the end of the text.
        Raises UnsupportedText and BadOption.
        """
        (written,) = self.write_lines([text], smoothness=smoothness, seed=seed)
        if not written.finished:
            warnings.warn(
                f"{text!r} is unfinished after {written.n_steps} steps; try another seed",
                UnfinishedWarning,
                stacklevel=2,
            )
        return written

    def write_lines(
        self,
        texts: Sequence[str],
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        seed: int | None = None,
    ) -> list[Written]:
        """Write each text as a line of its own; line i has the seed `seed` + i.

        A blank text gives a line without ink.  Leading blanks move the ink to the right.  A
        line of more than 45 characters is written in pieces, each the continuation of the one
        before.  Raises UnsupportedText and BadOption.
        """
        return list(self.iter_lines(texts, smoothness=smoothness, seed=seed))

    def iter_lines(
        self,
        texts: Sequence[str],
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        seed: int | None = None,
    ) -> Iterator[Written]:
        """As `write_lines`, a line at a time and in order: for progress bars and long texts.

        What is wrong with the arguments is raised here, before the first line is asked for.
        """
        if isinstance(texts, str):
            raise TypeError("texts is a list of lines; for a single one use `write`")
        self._needs(text=True)
        check_text(list(texts), self.characters)
        smoothness, seed = check_smoothness(smoothness), check_seed(seed, n_lines=len(texts))
        return self._iter_lines(texts, smoothness, seed)

    def _iter_lines(self, texts: Sequence[str], smoothness: float, seed: int) -> Iterator[Written]:
        for begin in range(0, len(texts), MOST_LINES_AT_ONCE):
            some = texts[begin : begin + MOST_LINES_AT_ONCE]
            writings = [
                _Writing(text, seed + number, self.weights)
                for number, text in enumerate(some, start=begin)
            ]
            _run(self.weights, [w for w in writings if w.pieces], smoothness)
            yield from (self._written(w, smoothness) for w in writings)

    def sample(
        self, *, steps: int = 700, smoothness: float = 0.0, seed: int | None = None
    ) -> Written:
        """Write without text, with a prediction network (section 4), for so many steps at most.

        Raises BadHand where this hand needs text.
        """
        self._needs(text=False)
        smoothness, seed = check_smoothness(smoothness), check_seed(seed)
        if not 1 <= steps <= MOST_SAMPLE_STEPS:
            raise BadOption(
                f"steps is {steps}; it takes a whole number from 1 to {MOST_SAMPLE_STEPS:,}"
            )
        writing = _Writing("", seed, self.weights, budget=steps)
        _run(self.weights, [writing], smoothness)
        writing.finished = True  # without a text there is nothing left to write
        return self._written(writing, smoothness)

    def trace(
        self, text: str, *, smoothness: float = DEFAULT_SMOOTHNESS, seed: int | None = None
    ) -> Trace:
        """Write one line of at most 45 characters and keep all that the network computed."""
        self._needs(text=True)
        check_text([text], self.characters)
        if len(text) > LONGEST_WHOLE:
            raise BadOption(
                f"the text has {len(text)} characters; at most {LONGEST_WHOLE} are written in one "
                "go and can be traced: shorten it"
            )
        smoothness, seed = check_smoothness(smoothness), check_seed(seed)
        writing = _Writing(text, seed, self.weights)
        kept: list[dict[str, Floats]] = []
        _run(self.weights, [writing], smoothness, keep=kept)
        return Trace(
            self._written(writing, smoothness),
            np.array(writing.steps, np.float32),
            np.concatenate([row["phi"] for row in kept]),
            np.concatenate([row["outputs"] for row in kept]),
        )

    def _needs(self, *, text: bool) -> None:
        if text and not self.weights.alphabet:
            raise BadHand(
                f"{self.name} writes without text (a prediction network); use `handwriter sample`, "
                "or a hand that reads text"
            )
        if not text and self.weights.alphabet:
            raise BadHand(
                f"{self.name} needs text to write; use `handwriter write`, or give a prediction "
                "network with --hand"
            )

    def _written(self, writing: _Writing, smoothness: float) -> Written:
        return Written(
            strokes=writing.ink().strokes,
            text=writing.text,
            hand=self.name,
            licence=self.licence,
            seed=writing.seed,
            smoothness=smoothness,
            finished=writing.finished,
            n_steps=len(writing.steps),
        )


def load(hand: str = DEFAULT_HAND, *, threads: int = 1) -> Hand:
    """Load an installed hand by name, or one from an `.onnx` file; raises BadHand."""
    return Hand(load_weights(hand, threads=threads))


def check_smoothness(smoothness: float) -> float:
    if not 0 <= smoothness <= MOST_SMOOTHNESS:  # not so for NaN either
        raise BadOption(
            f"smoothness is {smoothness}; it takes a number from 0 (as varied as people) to "
            f"{MOST_SMOOTHNESS:g}, 1.5 is usual"
        )
    return float(smoothness)


def check_seed(seed: int | None, *, n_lines: int = 1) -> int:
    """The seed of the first of so many lines, or a new one where there is none."""
    if seed is None:
        return secrets.randbelow(2**31)
    most = MOST_SEED - (n_lines - 1)
    if not 0 <= seed <= most:
        raise BadOption(f"seed is {_brief(seed)}; it takes a whole number from 0 to {most}")
    return operator.index(seed)


def _brief(number: int) -> str:
    """The number, unless it is so long that no message should hold it."""
    return str(number) if abs(number) < 10**30 else f"a number of {number.bit_length():,} bits"


# --- One line on its way -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Piece:
    """What is written in one go: `text` after `before`, which stands there already."""

    before: str
    text: str

    @property
    def whole(self) -> str:
        return self.before + self.text


@dataclass(eq=False)
class _Writing:
    """One line while it is written: its steps so far, and the pieces that are left of it.

    Steps are normalised (dx, dy, pen state).  A piece after the first is primed (section 5.5):
    the network is shown the steps of the piece before it, with both texts, and goes on from
    there, so that hand, size and baseline stay.  `budget` is how many steps a piece may take;
    without one it follows from the text.
    """

    text: str
    seed: int
    weights: Weights
    budget: int | None = None
    steps: list[Floats] = field(default_factory=list)
    finished: bool = True

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        reads_text = bool(self.weights.alphabet)
        self.pieces = deque(_pieces(self.text.strip(" ")) if reads_text else [_Piece("", "")])
        self.piece_began = 0
        if self.pieces:
            self._begin()

    def _begin(self) -> None:
        """Set out on the first piece that is left."""
        n_characters = len(self.pieces[0].text)
        self.to_show = self._priming()
        self.piece_began = len(self.steps)
        self.steps_left = self.budget or step_budget(n_characters, self.weights.pace)

    def _priming(self) -> deque[Floats]:
        """The steps of the piece before, as if they began a line.

        The first step of a line leads from (0, 0), which is on its baseline, to its first point.
        """
        before = self.steps[self.piece_began :]
        if not before:
            return deque()
        y = self._offsets()[: self.piece_began + 1, 1].sum()
        first = (np.array([0.0, y]) - self.weights.mean) / self.weights.deviation
        return deque([np.array([*first, before[0][2]], np.float32), *before[1:]])

    def _offsets(self) -> NDArray[np.float64]:
        """dx and dy of the steps so far, in the hand's unit (n, 2)."""
        offsets = np.array(self.steps, np.float64)[:, :2]
        return offsets * self.weights.deviation + self.weights.mean

    def noise(self) -> Floats:
        """The next four random numbers of this line (4,)."""
        u, pen = self.rng.random(2)
        first, second = self.rng.standard_normal(2)
        return np.array([u, first, second, pen], np.float32)

    def take(self, step: Floats, phi: Floats | None) -> tuple[Floats, _Then]:
        """Take one step that the network drew, while its window was at `phi`.

        Returns the step to show it next, and whether the line is to "go on", is to "begin" its
        next piece with a network that has seen nothing, or is "done".
        """
        if self.to_show:  # what the network draws while it is primed does not count
            return self.to_show.popleft(), "go on"
        self.steps.append(step)
        self.steps_left -= 1
        n_characters = len(self.pieces[0].whole)
        # A network without text is always where its text ends.
        place = n_characters if phi is None else int(phi.argmax())
        beyond = phi is not None and place >= n_characters
        if step[2] == ENDS and place < max(n_characters - 2, n_characters // 2):
            step[2] = LIFTS  # before the window has come to the last letters, no end is one
        if step[2] == ENDS or (beyond and step[2] == LIFTS):
            return step, self._next_piece(complete=True)
        if self.steps_left <= 0:
            return step, self._next_piece(complete=False)
        return step, "go on"

    def _next_piece(self, *, complete: bool) -> _Then:
        self.steps[-1][2] = LIFTS
        self.pieces.popleft()
        self.finished = complete
        if not complete or not self.pieces:
            return "done"
        self._begin()
        return "begin"

    def ink(self) -> Ink:
        """The line in the hand's unit, moved right by its leading blanks.

        Raises BadHand where the network drew what is not a number.
        """
        if not self.steps:
            return Ink(())
        offsets = self._offsets()
        if not np.isfinite(offsets).all():
            raise BadHand(
                f"{self.weights.name} wrote ink that is not finite; its training went wrong, "
                "use another hand"
            )
        lifts = [step[2] > DOWN for step in self.steps]
        ink = Ink.from_offsets(np.column_stack([offsets, lifts]))
        left, _, right, _ = ink.bounds
        n_leading = len(self.text) - len(self.text.lstrip(" "))
        character_width = (right - left) / max(len(self.text.strip(" ")), 1)
        return ink.moved(n_leading * character_width, 0.0)


def step_budget(n_characters: int, pace: float) -> int:
    """How many steps so many characters may take: thrice the mean, and a stretch for few."""
    return math.ceil(100 + 3 * n_characters / pace)


def _pieces(text: str) -> Iterator[_Piece]:
    """Cut a line, which no blanks surround, into what is written in one go."""
    parts = [text] if 0 < len(text) <= LONGEST_WHOLE else _parts(text)
    before = ""
    for part in parts:
        yield _Piece(before, part)
        before = part.lstrip(" ")


def _parts(text: str) -> Iterator[str]:
    """Parts of like length, at most `LONGEST_PIECE`, that join to `text`.

    They are cut before a blank; a word longer than a part is cut where it must be.
    """
    while len(text) > LONGEST_PIECE:
        even = len(text) / math.ceil(len(text) / LONGEST_PIECE)
        blanks = [place for place in range(1, LONGEST_PIECE + 1) if text[place] == " "]
        cut = min(blanks, key=lambda place: abs(place - even), default=LONGEST_PIECE)
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text


# --- The loop ----------------------------------------------------------------------------------


def _run(
    weights: Weights,
    writings: Sequence[_Writing],
    smoothness: float,
    keep: list[dict[str, Floats]] | None = None,
) -> None:
    """Write all lines, a step of each at a time; a line that is done leaves the batch.

    With `keep`, phi and the output vectors of each step are added to it.
    """
    active = list(writings)
    if not active:
        return
    feed = _start(weights, active, smoothness)
    names = [f"next_{name}" for name in feed if name in _CARRIED]
    asked = [
        *names,
        *(["phi"] if weights.alphabet else []),
        *(["outputs"] if keep is not None else []),
    ]
    while active:
        feed["noise"] = np.stack([w.noise() for w in active])
        results = dict(zip(asked, weights.session.run(asked, feed), strict=True))
        if keep is not None:
            keep.append({"phi": results["phi"], "outputs": results["outputs"]})
        for name in names:
            feed[name.removeprefix("next_")] = results[name]
        drawn, phi = results["next_step"], results.get("phi")
        going = []
        for row, writing in enumerate(active):
            step, then = writing.take(drawn[row].copy(), phi[row] if phi is not None else None)
            feed["step"][row] = step
            if then == "begin":
                _begin_row(weights, feed, row, writing)
            if then != "done":
                going.append(row)
        if len(going) < len(active):
            active = [active[row] for row in going]
            feed = {name: value[going] for name, value in feed.items()}


_CARRIED = ("step", "hidden", "cell", "window", "kappa")


def _start(weights: Weights, active: list[_Writing], smoothness: float) -> dict[str, Floats]:
    """The inputs of the first step: all zero, and the texts."""
    lines, n = len(active), weights.layers * weights.cells
    sizes = {"step": 3, "hidden": n, "cell": n}
    if weights.alphabet:
        sizes |= {"window": len(weights.alphabet), "kappa": weights.windows}
    feed = {name: np.zeros((lines, size), np.float32) for name, size in sizes.items()}
    feed["smoothness"] = np.full((lines, 1), smoothness, np.float32)
    if weights.alphabet:
        length = 1 + max(len(piece.whole) for w in active for piece in w.pieces)
        feed["text"] = np.zeros((lines, length, len(weights.alphabet)), np.float32)
        feed["places"] = np.full((lines, length), FAR, np.float32)
        for row, writing in enumerate(active):
            _begin_row(weights, feed, row, writing)
    return feed


def _begin_row(weights: Weights, feed: dict[str, Floats], row: int, writing: _Writing) -> None:
    """Set one row to the start of its line's next piece."""
    for name in _CARRIED:
        feed[name][row] = 0
    whole = writing.pieces[0].whole
    feed["text"][row] = 0
    feed["places"][row] = FAR
    feed["places"][row, : len(whole) + 1] = np.arange(1, len(whole) + 2)
    for place, character in enumerate(whole):
        feed["text"][row, place, weights.alphabet.index(character)] = 1
