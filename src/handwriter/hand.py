"""The hand: text in, ink out.

A short line is written in one go.  A longer one is written in pieces (`handwriter.pieces`), each
primed (Graves 2013, section 5.5) with the line's first piece: the network is shown the steps of
that piece, with both texts, and goes on from there, so that hand, size and baseline stay.  Later
pieces do not depend on each other, so all are drawn side by side.  Where there is a style, each
piece of each line goes on in the same way from the style's ink.
"""

from __future__ import annotations

import operator
import secrets
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from handwriter.alphabet import check_text
from handwriter.drafts import Draft, Shown, Style, draft_of, drawn_drafts, jobs_of, shown, ways_of
from handwriter.errors import BadHand, BadOption
from handwriter.ink import Line, Written
from handwriter.joining import indent_of, joined, to_the_first_unfinished
from handwriter.pen import DOWN, Drawing, Job, draw, stream
from handwriter.pieces import DEFAULT_SMOOTHNESS, LONGEST_DRAFT, piece_seed, pieces
from handwriter.spelling import Spelling, spelled, unmarked
from handwriter.steps import Floats
from handwriter.weights import DEFAULT_HAND, Weights, load_weights

MOST_SMOOTHNESS = 20.0
MOST_SEED = 2**63 - 1
MOST_SAMPLE_STEPS = 100_000
MOST_LINES_AT_ONCE = 512
MOST_PIECES_AT_ONCE = 512
MOST_SHOWN_AT_ONCE = 7  # later pieces of a line; to others its first piece is shown afterwards
LONGEST_STYLE = LONGEST_DRAFT


class UnfinishedWarning(UserWarning):
    """A line that ran out of steps before all of its text was written."""


@dataclass(frozen=True, eq=False)
class Trace:
    """What the network thought while it wrote one line, a row a step; for looking inside.

    What was `written` is the base text, without marks: that is all the network knows of.
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


class PenPoint(NamedTuple):
    """A point of the pen in the hand's unit, and whether the pen lifts after it."""

    x: float
    y: float
    lifts: bool


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
        self,
        text: str,
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        seed: int | None = None,
        style: Line | None = None,
    ) -> Written:
        """Write one line of text; what comes back is its ink.

        `smoothness` is the paper's bias (eqs. 61-62): 0 writes as varied as people do, 1.5
        steadily, in the length of strokes too (`training.sample.first_urge`).  Without a `seed`
        each call writes another line, and with a `style` as `write_lines` has it.  The ink has
        y = 0 on its baseline and the hand's own unit, the standard deviation of y.

        Signs and letters that it does not know are spelled with those that it does, and marked
        (`handwriter.spelling`); what was replaced is in the line's `replaced`.

        Warns with `UnfinishedWarning` where the network did not come to the end of the text.
        Raises UnsupportedText and BadOption.
        """
        (written,) = self.write_lines([text], smoothness=smoothness, seed=seed, style=style)
        if not written.finished:
            _warn_unfinished(written.text, written.n_steps)
        return written

    def write_lines(
        self,
        texts: Sequence[str],
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        seed: int | None = None,
        style: Line | None = None,
    ) -> list[Written]:
        """Write each text as a line of its own; line i has the seed `seed` + i.

        A blank text gives a line without ink.  Leading blanks move the ink to the right, each by
        the hand's mean width of a character.  With a `style`, at most 45 characters of ink in
        the hand's unit, all lines are written in the manner of that ink.  Raises UnsupportedText
        and BadOption.
        """
        return list(self.iter_lines(texts, smoothness=smoothness, seed=seed, style=style))

    def iter_lines(
        self,
        texts: Sequence[str],
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        seed: int | None = None,
        style: Line | None = None,
    ) -> Iterator[Written]:
        """As `write_lines`, a line at a time and in order: for progress bars and long texts.

        What is wrong with the arguments is raised here, before the first line is asked for.
        """
        if isinstance(texts, str):
            raise TypeError("texts is a list of lines; for a single one use `write`")
        lines = self.spelled(texts)
        smoothness, seed = check_smoothness(smoothness), check_seed(seed, n_lines=len(texts))
        return self._iter_lines(lines, smoothness, seed, self.shown(style) if style else None)

    def spelled(self, texts: Sequence[str], *, replace_unknown: bool = False) -> list[Spelling]:
        """How this hand writes these lines; their `text` is what it can be given to write.

        What it cannot write raises UnsupportedText, or with `replace_unknown` becomes a blank.
        """
        self._check_reads()
        return spelled(texts, self.characters, replace_unknown=replace_unknown)

    def _iter_lines(
        self, lines: Sequence[Spelling], smoothness: float, seed: int, style: Shown | None
    ) -> Iterator[Written]:
        for begin in range(0, len(lines), MOST_LINES_AT_ONCE):
            some = lines[begin : begin + MOST_LINES_AT_ONCE]
            yield from self._some_lines(some, smoothness, seed + begin, style)

    def _some_lines(
        self, lines: Sequence[Spelling], smoothness: float, seed: int, style: Shown | None
    ) -> Iterator[Written]:
        """Write lines side by side: the first pieces of all, then all later ones.

        With a style, no piece waits for another.
        """
        cut = [
            pieces(line.base, smoothness=smoothness, goes_on=style is not None) for line in lines
        ]
        drafts: list[list[Draft]] = [[] for _ in lines]
        left = sorted((number, i) for i, parts in enumerate(cut) for number in range(len(parts)))
        while left:
            begins = not style and left[0][0] == 0
            n = sum(number == 0 for number, _ in left) if begins else MOST_PIECES_AT_ONCE
            some, left = left[:n], left[n:]
            new = drawn_drafts(
                self.weights,
                [cut[i][number] for number, i in some],
                [piece_seed(seed + i, number) for number, i in some],
                smoothness,
                [style or (drafts[i][0] if number else None) for number, i in some],
                [
                    list(dict.fromkeys(cut[i][1:]))[:MOST_SHOWN_AT_ONCE] if begins else []
                    for _, i in some
                ],
            )
            ended = {i for (_, i), draft in zip(some, new, strict=True) if not draft.finished}
            left = [(number, i) for number, i in left if i not in ended]
            for (_, i), draft in zip(some, new, strict=True):
                drafts[i].append(draft)
        for i, line in enumerate(lines):
            own = to_the_first_unfinished(drafts[i])
            yield joined(self.weights, line, own, smoothness=smoothness, seed=seed + i, style=style)

    def shown(self, style: Line) -> Shown:
        """A style as a draft that lines can go on from.

        Its ink is in the hand's unit, y = 0 on its baseline; its name is its `source`.  Raises
        BadOption where it has no ink, or too much text, and UnsupportedText where this hand cannot
        write its text.
        """
        if isinstance(style, Style) and style.shown.weights is self.weights:
            return style.shown
        text = " ".join(style.text.split())
        if not style.ink.strokes or not 0 < len(text) <= LONGEST_STYLE:
            raise BadOption(
                f"a style is ink with a text of 1 to {LONGEST_STYLE} characters, not "
                f"{style.ink.n_points} points that say {text!r}; choose another piece of ink"
            )
        return shown(self.weights, self.spelled([text])[0].base, style.ink, style.source)

    def drafts(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        after: Sequence[Draft | None] | None = None,
    ) -> list[Draft]:
        """Draw each text, a piece as `pieces` gives them, with its own seed; nothing is joined.

        `after` is the draft of the same line that each one goes on from, None where it begins
        a line.  Give a text several times for several drafts of it; one that begins a line is what
        `write` gives with that seed.  Raises UnsupportedText and BadOption.
        """
        self._check_reads()
        check_text(list(texts), self.characters)
        for text in texts:
            if not 0 < len(text) <= LONGEST_DRAFT:
                raise BadOption(
                    f"a piece has 1 to {LONGEST_DRAFT} characters, not {len(text)}; cut the line "
                    "with `handwriter.pieces.pieces`"
                )
        smoothness, seeds = check_smoothness(smoothness), [check_seed(seed) for seed in seeds]
        before = after or [None] * len(texts)
        drafts: list[Draft] = []
        for begin in range(0, len(texts), MOST_PIECES_AT_ONCE):
            some = slice(begin, begin + MOST_PIECES_AT_ONCE)
            drafts += drawn_drafts(
                self.weights, texts[some], seeds[some], smoothness, before[some], keep=True
            )
        return drafts

    def stream(
        self,
        text: str,
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        seed: int | None = None,
        style: Line | None = None,
    ) -> Iterator[PenPoint]:
        """Write one line and give each pen point as it is drawn; the same ink as of `write`.

        Marks go to places that are known when a line is done, so a line that has any is written
        before its first point is given.

        What is wrong with the arguments is raised here, before the first point is asked for.
        Warns as `write` does, after the last point.
        """
        (line,) = self.spelled([text])
        smoothness, seed = check_smoothness(smoothness), check_seed(seed)
        stream = self._stream_written if line.marks else self._stream
        return stream(line, smoothness, seed, self.shown(style) if style else None)

    def _stream_written(
        self, line: Spelling, smoothness: float, seed: int, style: Shown | None
    ) -> Iterator[PenPoint]:
        (written,) = self._some_lines([line], smoothness, seed, style)
        for x, y, lifts in np.column_stack([written.points, written.offsets[:, 2]]).tolist():
            yield PenPoint(x, y, lifts > 0)
        if not written.finished:
            _warn_unfinished(written.text, written.n_steps)

    def _stream(
        self, line: Spelling, smoothness: float, seed: int, style: Shown | None
    ) -> Iterator[PenPoint]:
        drafts: list[Draft] = []
        indent = np.array([indent_of(self.weights, line.base), 0.0])
        x = 0.0  # where the last piece ended
        cut = pieces(line.base, smoothness=smoothness, goes_on=style is not None)
        for number, piece in enumerate(cut):
            before = style or (drafts[0] if drafts else None)
            own = piece_seed(seed, number)
            (job,) = jobs_of(self.weights, [piece], [own], [before])
            moved, origin = np.zeros(2), before.end if before else np.zeros(2)
            begin = float(origin[0])
            steps: list[Floats] = []
            finished = False
            for step, complete in stream(self.weights, job, smoothness):
                moved = moved + ways_of(self.weights, step[None])[0]
                if style and not drafts and not steps:
                    begin = float((origin + moved)[0])  # the line begins at x = 0
                steps.append(step)
                finished = bool(complete)
                point = origin + moved + [x - begin, 0.0] + indent
                yield PenPoint(float(point[0]), float(point[1]), bool(step[2] > DOWN))
            nothing = np.zeros((len(steps), 0), np.float32)
            drawing = Drawing(np.array(steps), finished, nothing, nothing)
            drafts.append(draft_of(self.weights, piece, own, before, job, drawing))
            x += drafts[-1].end[0] - begin
            if not finished:
                _warn_unfinished(line.text, sum(len(draft.steps) for draft in drafts))
                break

    def sample(
        self, *, steps: int = 700, smoothness: float = 0.0, seed: int | None = None
    ) -> Written:
        """Write without text, with a prediction network (section 4), for so many steps at most.

        Raises BadHand where this hand needs text.
        """
        if self.weights.alphabet:
            raise BadHand(
                f"{self.name} needs text to write; use `handwriter write`, or give a prediction "
                "network with --hand"
            )
        smoothness, seed = check_smoothness(smoothness), check_seed(seed)
        if not 1 <= steps <= MOST_SAMPLE_STEPS:
            raise BadOption(
                f"steps is {steps}; it takes a whole number from 1 to {MOST_SAMPLE_STEPS:,}"
            )
        job = Job(text="", rng=np.random.default_rng(seed), budget=steps)
        (drawing,) = draw(self.weights, [job], smoothness)
        # Without a text there is nothing left to write, however it ended.
        whole = Drawing(drawing.steps, True, drawing.phi, drawing.outputs)
        draft = draft_of(self.weights, "", seed, None, job, whole)
        return joined(self.weights, unmarked(""), [draft], smoothness=smoothness, seed=seed)

    def trace(
        self, text: str, *, smoothness: float = DEFAULT_SMOOTHNESS, seed: int | None = None
    ) -> Trace:
        """Write one line of at most 45 characters and keep all that the network computed."""
        (line,) = self.spelled([text])
        smoothness, seed = check_smoothness(smoothness), check_seed(seed)
        piece = line.base.strip(" ")
        if len(piece) > LONGEST_DRAFT:
            raise BadOption(
                f"the text has {len(line.base)} characters; at most {LONGEST_DRAFT} are written "
                "in one go and can be traced: shorten it"
            )
        jobs = jobs_of(self.weights, [piece], [seed], [None])
        (drawing,) = draw(self.weights, jobs, smoothness, keep=True)
        draft = draft_of(self.weights, piece, seed, None, jobs[0], drawing)
        written = joined(
            self.weights, unmarked(line.base), [draft], smoothness=smoothness, seed=seed
        )
        return Trace(written, drawing.steps, drawing.phi, drawing.outputs)

    def _check_reads(self) -> None:
        if not self.weights.alphabet:
            raise BadHand(
                f"{self.name} writes without text (a prediction network); use `handwriter sample`, "
                "or a hand that reads text"
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


def _warn_unfinished(text: str, n_steps: int) -> None:
    warnings.warn(
        f"{text!r} is unfinished after {n_steps} steps; try another seed",
        UnfinishedWarning,
        stacklevel=3,
    )


def _brief(number: int) -> str:
    """The number, unless it is so long that no message should hold it."""
    return str(number) if abs(number) < 10**30 else f"a number of {number.bit_length():,} bits"
