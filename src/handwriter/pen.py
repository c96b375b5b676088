"""The pen: what a hand's network draws, the lines side by side.

Graves (2013), section 5.4: around the network's steps (`handwriter.steps`) are the noise they are
drawn from, the end of each line, and which lines are drawn next.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from handwriter.steps import (
    NOT_SHOWN,
    Arrays,
    Floats,
    Seen,
    State,
    advance,
    first_rows,
    n_noise,
    only,
    set_state,
    show,
    state_of,
)
from handwriter.weights import Weights

MOST_ROWS = 128  # side by side, in all threads: more are hardly faster
FEWEST_A_THREAD = 16  # fewer lines than these take as long as they would with all threads
STEPS = 16  # that are taken before Python looks at them; what a line draws after its end is dropped
BLOCK = 64  # steps that a line draws its noise for at once; another number gives other ink
DOWN, LIFTS, ENDS = 0, 1, 2

Doubles = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Job:
    """A piece of text to draw in one go.

    `text` is what the window sees.  What of it stands there already is in `state`, as `primed`
    gives it.  `rng` gives the noise, `budget` is the most steps.  For each text in `then`, which
    goes on from this one, a network is shown the steps as they are drawn, as by `primed`.
    """

    text: str
    rng: np.random.Generator
    budget: int
    state: State | None = None
    then: Sequence[str] = ()

    @property
    def texts(self) -> list[str]:
        """Its own and those that go on from it: each has a row in the network."""
        return [self.text, *self.then]

    @property
    def n_rows(self) -> int:
        return 1 + len(self.then)


@dataclass(frozen=True, eq=False)
class Drawing:
    """What was drawn for a job, a row a step.

    `steps` (n, 3) are normalised offsets and pen states; the last one lifts the pen.  `complete`
    says that the network came to the end of the text and was not cut off.  `phi` (n, characters +
    1) is the window of eq. 46 over the text and the empty place after it.  Where they were asked
    for, `outputs` (n, n_outputs) are what each step was drawn from; otherwise they have no rows.
    `states` are the networks that were shown it, for each text in the job's `then`.
    """

    steps: Floats
    complete: bool
    phi: Floats
    outputs: Floats
    states: Sequence[State] = ()


def draw(
    weights: Weights, jobs: Sequence[Job], smoothness: float, *, keep: bool = False
) -> list[Drawing]:
    """Draw all jobs, some steps of each at a time; with `keep`, outputs are kept too.

    At most `MOST_ROWS` rows are drawn side by side; what is done gives its rows to the next job.
    They are dealt out to the hand's threads, and each thread draws its own: they then wait for each
    other once, and not at every product.
    """
    n_rows = min(MOST_ROWS, sum(job.n_rows for job in jobs))
    n = max(1, min(weights.threads, len(jobs), n_rows // FEWEST_A_THREAD))
    waiting = _Waiting(jobs, room=-(-n_rows // n))
    if n == 1:
        drawings = _drawn(weights, waiting, smoothness, keep=keep)
    else:
        with ThreadPoolExecutor(n) as pool:
            each = [pool.submit(_drawn, weights, waiting, smoothness, keep=keep) for _ in range(n)]
            drawings = {number: drawn for one in each for number, drawn in one.result().items()}
    return [drawings[number] for number in range(len(jobs))]


def _drawn(
    weights: Weights, waiting: _Waiting, smoothness: float, *, keep: bool
) -> dict[int, Drawing]:
    """What one thread draws, by the jobs' numbers."""
    drawings: dict[int, Drawing] = {}
    for parts in _parts(weights, waiting, smoothness, keep=keep):
        for line, part in parts:
            line.seen.append(part.seen)
            if part.complete is not None:
                drawings[line.number] = line.drawing(complete=part.complete, states=part.states)
    return drawings


def stream(weights: Weights, job: Job, smoothness: float) -> Iterator[tuple[Floats, bool | None]]:
    """Draw one job, giving each step (3,), and with the last if it is complete.

    They come as they are drawn, `STEPS` at a time.
    """
    for ((_, part),) in _parts(weights, _Waiting([job], room=1), smoothness, keep=False):
        *steps, last = part.seen.steps
        for step in steps:
            yield step, None
        yield last, part.complete


# --- Lines in the making -----------------------------------------------------------------------


class _Waiting:
    """The jobs that are still to be drawn, in their order; threads may share them.

    `room` is the number of rows that a thread fills, `length` that of the longest text with an
    empty place after it.
    """

    def __init__(self, jobs: Sequence[Job], room: int) -> None:
        self.jobs, self.room = jobs, room
        self.length = 1 + max((len(text) for job in jobs for text in job.texts), default=0)
        self._numbers = deque(range(len(jobs)))
        self._taking = Lock()

    def take(self, n_rows: int) -> list[_Line]:
        """Those that fit beside so many rows; one at least where there are none."""
        lines: list[_Line] = []
        with self._taking:
            while self._numbers:
                job = self.jobs[self._numbers[0]]
                if n_rows and n_rows + job.n_rows > self.room:
                    break
                n_rows += job.n_rows
                lines.append(_Line(self._numbers.popleft(), job))
        return lines


@dataclass(eq=False)
class _Line:
    """A job in the making: what was seen of it so far, and where it is.

    `n_steps` were taken, the last of which `lifted` the pen or not; the window was at the place
    `began` when the stroke began.  `noise` (BLOCK, n) is that of the current block.
    """

    number: int
    job: Job
    seen: list[Seen] = field(default_factory=list)
    n_steps: int = 0
    lifted: bool = field(init=False)
    began: int = 0
    noise: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.lifted = self.job.state is not None and bool(self.job.state["step"][2] > DOWN)

    def next_noise(self, weights: Weights) -> Floats:
        """That of its next `STEPS` steps."""
        at = self.n_steps % BLOCK
        if at == 0:
            self.noise = _noise(self.job.rng, weights)
        return self.noise[at : at + STEPS]

    def drawing(self, *, complete: bool, states: Sequence[State]) -> Drawing:
        """All that was seen of it."""
        steps, phi, outputs = (np.concatenate(arrays) for arrays in zip(*self.seen, strict=True))
        kept = len(steps) if outputs.shape[1] else 0
        return Drawing(steps, complete, phi[:, : len(self.job.text) + 1], outputs[:kept], states)


class _Part(NamedTuple):
    """What a line drew in some steps; with its end whether it is complete, and its states."""

    seen: Seen
    complete: bool | None
    states: list[State]


def _parts(
    weights: Weights, waiting: _Waiting, smoothness: float, *, keep: bool
) -> Iterator[list[tuple[_Line, _Part]]]:
    """Draw what waits, some steps at a time: each line of the moment, with its part."""
    lines: list[_Line] = []
    read = first_rows(weights, [], waiting.length)
    while True:
        if new := waiting.take(sum(line.job.n_rows for line in lines)):
            more = _first_rows_of(weights, new, waiting.length, smoothness)
            read = {name: np.concatenate([array, more[name]]) for name, array in read.items()}
            lines += new
        if not lines:
            return
        behind = np.cumsum([line.job.n_rows for line in lines]).tolist()
        rows = [range(end - line.job.n_rows, end) for line, end in zip(lines, behind, strict=True)]
        own = [some[0] for some in rows]
        read["follows"] = np.repeat(own, [len(some) for some in rows])
        noise, shown = _given(weights, lines, rows)
        after, seen = advance(weights, read, noise, shown, keep=keep)
        parts = _of_lines(lines, Seen(*(array[:, own] for array in seen)))
        for part, some in zip(parts, rows, strict=True):
            if part.complete is not None and len(some) > 1:
                steps = seen.steps[: len(part.seen.steps), some[1:]]
                part.states.extend(_states_behind(weights, read, after, steps, some[1:]))
        yield list(zip(lines, parts, strict=True))
        going = [i for i, part in enumerate(parts) if part.complete is None]
        if len(going) < len(lines):
            after = only(after, [row for i in going for row in rows[i]])
            lines = [lines[i] for i in going]
        read = after


def _first_rows_of(
    weights: Weights, lines: Sequence[_Line], length: int, smoothness: float
) -> Arrays:
    """What the network reads at first of these lines and of the texts that go on from them."""
    texts = [text for line in lines for text in line.job.texts]
    read = first_rows(weights, texts, length, smoothness)
    row = 0
    for line in lines:
        if line.job.state is not None:
            set_state(read, row, line.job.state)
        row += line.job.n_rows
    return read


def _given(
    weights: Weights, lines: Sequence[_Line], rows: Sequence[range]
) -> tuple[Floats, Floats]:
    """Noise and what is shown in the next `STEPS` steps.

    A line draws all by itself.  To what goes on from it, its first step is shown as one that
    begins a line (`as_begin`): from (0, 0) to the height that it has drawn.
    """
    n = rows[-1].stop
    noise = np.zeros((STEPS, n, n_noise(weights)), np.float32)
    shown = np.full((STEPS, n, 3), NOT_SHOWN)
    noise[:, [some[0] for some in rows]] = np.stack(
        [line.next_noise(weights) for line in lines], axis=1
    )
    for line, some in zip(lines, rows, strict=True):
        if line.n_steps == 0:
            shown[0, some[1:], 0] = -weights.mean[0] / weights.deviation[0]
    return noise, shown


def _states_behind(
    weights: Weights, before: Arrays, after: Arrays, steps: Floats, rows: range
) -> list[State]:
    """The states of the networks that were shown what a line drew until its end.

    `steps` (n, rows, 3) are those up to the end.  Where it came within `STEPS`, the networks have
    gone on behind it: then these steps are shown to them again.
    """
    if len(steps) < STEPS:
        after, _ = show(weights, only(before, rows), steps)
        rows = range(len(rows))
    states = [state_of(weights, after, row) for row in rows]
    for state in states:
        state["step"][2] = LIFTS  # as the line's last step does in the end
        state["urge"][:] = 0  # so what is drawn next is another stroke
    return states


def _of_lines(lines: Sequence[_Line], seen: Seen) -> list[_Part]:
    """Of what was seen of each line (steps, lines, ...), what comes before its end.

    A pen that does not end its line lifts, whatever it was to do.
    """
    pens = seen.steps[:, :, 2]
    places = seen.phi.argmax(axis=2) if seen.phi.shape[2] else np.zeros(pens.shape, np.intp)
    began = _began(lines, pens, places)
    n_texts = np.array([len(line.job.text) for line in lines])
    with_sign = np.array([ends_with_sign(line.job.text) for line in lines])
    by_itself = (pens > DOWN) & is_end(pens, places, began, n_texts, with_sign)
    n_left = np.array([line.job.budget - line.n_steps for line in lines])
    by_itself &= np.arange(len(pens))[:, None] < n_left
    complete, cut_off = np.asarray(by_itself.any(axis=0)), n_left <= len(pens)
    counts = np.where(complete, by_itself.argmax(axis=0) + 1, np.minimum(len(pens), n_left))
    np.minimum(pens, LIFTS, out=pens)
    pens[counts[cut_off] - 1, cut_off] = LIFTS
    parts = []
    for i, (line, n) in enumerate(zip(lines, counts.tolist(), strict=True)):
        line.n_steps += n
        line.lifted, line.began = bool(pens[-1, i] > DOWN), int(began[-1, i])
        ends = bool(complete[i] or cut_off[i])
        parts.append(_Part(seen.of(i, n), bool(complete[i]) if ends else None, []))
    return parts


def _began(lines: Sequence[_Line], pens: Floats, places: Places) -> Places:
    """Where each line's window was when its stroke of the moment began, (steps, lines)."""
    lifted = np.vstack([[line.lifted for line in lines], pens[:-1] > DOWN])
    at = np.where(lifted, np.arange(len(pens))[:, None], -1)
    latest = np.maximum.accumulate(at, axis=0)
    here = np.take_along_axis(places, np.maximum(latest, 0), axis=0)
    return np.where(latest >= 0, here, [line.began for line in lines])


def is_end(
    pens: Floats, places: Places, began: Places, n_texts: Places, with_sign: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether pens that lift or end, with the window at these places, end their lines.

    The paper's rule is the window past the text (section 5.3), of so many characters.  The
    network's own end counts once the window has come to the last letters, and a sign that the text
    ends with has a stroke of its own: the window was there when that `began`.  Any shapes.
    """
    has_come = (places >= np.maximum(n_texts - 2, n_texts // 2)) & (
        ~with_sign | (began >= n_texts - 1)
    )
    past = (n_texts > 0) & (places >= n_texts)
    return np.asarray(past | ((pens == ENDS) & ((n_texts == 0) | has_come)))


def ends_with_sign(text: str) -> bool:
    return bool(text) and not text[-1].isalnum()


def _noise(rng: np.random.Generator, weights: Weights) -> Floats:
    """The random numbers of a line's next `BLOCK` steps, as `training.steps_graph` has them."""
    waits = rng.standard_exponential((BLOCK, n_noise(weights) - 3), np.float32)
    gumbel = -np.log(np.maximum(waits, np.float32(1e-30)))
    return np.concatenate([gumbel, rng.standard_normal((BLOCK, 3), np.float32)], axis=1)


# --- Densities ---------------------------------------------------------------------------------


def log_density(steps: Floats, outputs: Floats, m: int) -> Doubles:
    """Log density (n,) of steps (n, 3) under the mixtures of `outputs` (eqs. 23-25).

    A pen that lifts may do so or end the line.  As in `training.network`, Z / (1 - rho^2) is
    written with cosh(rho_hat), so that nothing cancels as rho nears 1.
    """
    exact = outputs.astype(np.float64)
    mu_x, mu_y, sigma_x, sigma_y, rho, pi = (exact[:, i * m : (i + 1) * m] for i in range(6))
    u = (steps[:, :1] - mu_x) * np.exp(-sigma_x)
    v = (steps[:, 1:2] - mu_y) * np.exp(-sigma_y)
    log_cosh = np.logaddexp(rho, -rho) - math.log(2)
    z = (u - np.tanh(rho) * v) ** 2 * np.exp(2 * log_cosh) + v**2  # eq. 25
    log_normal = log_cosh - math.log(2 * math.pi) - sigma_x - sigma_y - z / 2  # eq. 24
    xy = _log_sum(pi + log_normal) - _log_sum(pi)  # eq. 23
    pen = exact[:, 6 * m :]
    if pen.shape[1] == 1:  # of lifting against staying down
        pen = np.pad(pen, [(0, 0), (1, 0)])
    log_pen = np.where(steps[:, 2] > DOWN, _log_sum(pen[:, 1:]), pen[:, 0]) - _log_sum(pen)
    return np.asarray(xy + log_pen)


def _log_sum(x: Doubles) -> Doubles:
    most = x.max(axis=1)
    return np.asarray(most + np.log(np.exp(x - most[:, None]).sum(axis=1)))
