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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from handwriter.alphabet import check_text
from handwriter.errors import BadHand, BadOption
from handwriter.ink import Ink, Line, Written
from handwriter.letters import owners, word_begins
from handwriter.marks import marked
from handwriter.pen import (
    DOWN,
    LIFTS,
    Begun,
    Doubles,
    Drawing,
    Floats,
    Job,
    State,
    as_begin,
    begun,
    draw,
    log_density,
    primed,
    stream,
)
from handwriter.pieces import (
    DEFAULT_SMOOTHNESS,
    LONGEST_DRAFT,
    piece_seed,
    pieces,
    step_budget,
    whole,
)
from handwriter.spelling import Spelling, spelled, unmarked
from handwriter.traits import traits
from handwriter.weights import DEFAULT_HAND, Weights, load_weights

MOST_SMOOTHNESS = 20.0
MOST_SEED = 2**63 - 1
MOST_SAMPLE_STEPS = 100_000
MOST_LINES_AT_ONCE = 64
MOST_PIECES_AT_ONCE = 128
MOST_SHOWN_AT_ONCE = 7  # later pieces of a line; to others its first piece is shown afterwards
LONGEST_STYLE = LONGEST_DRAFT
LOOKAHEAD = 8  # characters of a style that are shown anew with each text: its letters reach so far


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
        steadily.  Without a `seed` each call writes another line, and with a `style` as
        `write_lines` has it.  The ink has y = 0 on its baseline and the hand's own unit, the
        standard deviation of y.

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
            new = self._drafts(
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
            own = _to_the_first_unfinished(drafts[i])
            yield self.joined(line, own, smoothness=smoothness, seed=seed + i, style=style)

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
        text = self.spelled([text])[0].base
        offsets = style.ink.offsets
        ways = (offsets[:, :2] - self.weights.mean) / self.weights.deviation
        pen = np.where(offsets[:, 2] > 0, LIFTS, DOWN)
        steps = np.column_stack([ways, pen]).astype(np.float32)
        first = self._as_begin(steps, style.ink)
        before, place = begun(self.weights, text + " ", first, len(text) - LOOKAHEAD)
        return Shown(
            text=text,
            seed=0,
            ink=style.ink,
            steps=steps,
            end=style.ink.strokes[-1][-1],
            places=np.zeros(0, np.int64),
            focus=np.zeros(0),
            nats=np.zeros(0),
            finished=True,
            name=style.source,
            weights=self.weights,
            begun=before,
            place=place,
        )

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
            drafts += self._drafts(texts[some], seeds[some], smoothness, before[some], keep=True)
        return drafts

    def _drafts(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        smoothness: float,
        after: Sequence[Draft | None],
        then: Sequence[Sequence[str]] | None = None,
        *,
        keep: bool = False,
    ) -> list[Draft]:
        """As `drafts`; `then` are the pieces that will go on from each, where they are known."""
        later = then or [[]] * len(texts)
        jobs = self._jobs(texts, seeds, after, later)
        drawings = draw(self.weights, jobs, smoothness, keep=keep)
        return [
            self._draft(*of_job)
            for of_job in zip(texts, seeds, after, jobs, drawings, later, strict=True)
        ]

    def _jobs(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        after: Sequence[Draft | None],
        then: Sequence[Sequence[str]] | None = None,
    ) -> list[Job]:
        """What the pen has to draw; drafts that go on from the same one are primed once."""
        states = self._primed(dict.fromkeys(zip(after, texts, strict=True)))
        return [
            Job(
                text=whole(before.text, text) if before else text,
                rng=np.random.default_rng(seed),
                budget=step_budget(len(text), self.weights.pace),
                state=states.get((before, text)),
                then=[whole(text, later) for later in some],
            )
            for text, seed, before, some in zip(
                texts, seeds, after, then or [[]] * len(texts), strict=True
            )
        ]

    def _primed(
        self, asked: Iterable[tuple[Draft | None, str]]
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
        shown = [self._as_begin(before.steps, before.ink) for before, _ in pairs]
        known = [before.begun if isinstance(before, Shown) else None for before, _ in pairs]
        states = primed(self.weights, wholes, shown, known)
        return ready | dict(zip(pairs, states, strict=True))

    def _as_begin(self, steps: Floats, ink: Ink) -> Floats:
        """The steps of some ink as if they began a line."""
        first = as_begin(self.weights, steps[0], float(ink.strokes[0][0, 1]))
        return np.vstack([first[None], steps[1:]])

    def _draft(
        self,
        text: str,
        seed: int,
        before: Draft | None,
        job: Job,
        drawing: Drawing,
        then: Sequence[str] = (),
    ) -> Draft:
        ways = self._ways(drawing.steps)
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
            nats=log_density(drawing.steps, drawing.outputs, self.weights.mixtures)
            if drawing.outputs.size
            else np.zeros(0),
            finished=drawing.complete,
            states=dict(zip(then, drawing.states, strict=True)),
        )

    def _ways(self, steps: Floats) -> Doubles:
        """dx and dy of steps, in the hand's unit (n, 2).

        Raises BadHand where the network drew what is not a number.
        """
        ways = steps[:, :2].astype(np.float64) * self.weights.deviation + self.weights.mean
        if not np.isfinite(ways).all():
            raise BadHand(
                f"{self.name} wrote ink that is not finite; its training went wrong, "
                "use another hand"
            )
        return ways

    def joined(
        self,
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
            ink, numbers = self._marked(ink, line, drafts, seed, goes_on=style is not None)
            begins = [numbers[begin] for begin in begins]
        return Written(
            strokes=ink.moved(self._indent(line.base), 0.0).strokes,
            text=line.text,
            hand=self.name,
            licence=self.licence,
            seed=seed,
            smoothness=smoothness,
            finished=all(draft.finished for draft in drafts),
            n_steps=sum(len(draft.steps) for draft in drafts),
            style=style.name if style else "",
            replaced=dict(line.replaced),
            begins=tuple(begins),
        )

    def _marked(
        self, ink: Ink, line: Spelling, drafts: Sequence[Draft], seed: int, *, goes_on: bool
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

    def _indent(self, text: str) -> float:
        """How far leading blanks move a line: by the hand's mean width of a character each.

        The line's own width would do better by its hand, but is known only when it is written.
        """
        n_leading = len(text) - len(text.lstrip(" "))
        return n_leading * self.weights.mean[0] / self.weights.pace

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
        indent = np.array([self._indent(line.base), 0.0])
        x = 0.0  # where the last piece ended
        cut = pieces(line.base, smoothness=smoothness, goes_on=style is not None)
        for number, piece in enumerate(cut):
            before = style or (drafts[0] if drafts else None)
            own = piece_seed(seed, number)
            (job,) = self._jobs([piece], [own], [before])
            moved, origin = np.zeros(2), before.end if before else np.zeros(2)
            begin = float(origin[0])
            steps: list[Floats] = []
            finished = False
            for step, complete in stream(self.weights, job, smoothness):
                moved = moved + self._ways(step[None])[0]
                if style and not drafts and not steps:
                    begin = float((origin + moved)[0])  # the line begins at x = 0
                steps.append(step)
                finished = bool(complete)
                point = origin + moved + [x - begin, 0.0] + indent
                yield PenPoint(float(point[0]), float(point[1]), bool(step[2] > DOWN))
            nothing = np.zeros((len(steps), 0), np.float32)
            drawing = Drawing(np.array(steps), finished, nothing, nothing)
            drafts.append(self._draft(piece, own, before, job, drawing))
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
        draft = self._draft("", seed, None, job, whole)
        return self.joined(unmarked(""), [draft], smoothness=smoothness, seed=seed)

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
        jobs = self._jobs([piece], [seed], [None])
        (drawing,) = draw(self.weights, jobs, smoothness, keep=True)
        draft = self._draft(piece, seed, None, jobs[0], drawing)
        written = self.joined(unmarked(line.base), [draft], smoothness=smoothness, seed=seed)
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


def _to_the_first_unfinished(drafts: Sequence[Draft]) -> list[Draft]:
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


def _warn_unfinished(text: str, n_steps: int) -> None:
    warnings.warn(
        f"{text!r} is unfinished after {n_steps} steps; try another seed",
        UnfinishedWarning,
        stacklevel=3,
    )


def _brief(number: int) -> str:
    """The number, unless it is so long that no message should hold it."""
    return str(number) if abs(number) < 10**30 else f"a number of {number.bit_length():,} bits"
