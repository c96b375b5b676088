"""The pen: what a hand's network draws, one step of many lines after the other.

Graves (2013), section 5.4 and 5.5: the step itself, window and sampling included, is the graph that
`training.export` wrote; here is the loop around it, with its noise, its stopping and its priming.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from handwriter.weights import FAR, Weights, first_inputs

FEWEST_A_THREAD = 16  # fewer lines than these take as long as they would with all threads
BLOCK = 64  # steps that a line draws its noise for at once; another number gives other ink
DOWN, LIFTS, ENDS = 0, 1, 2

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]  # by their names in the graph
State = Arrays  # of one line: its arrays without that axis


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
    """Draw all jobs, a step of each at a time; with `keep`, outputs are kept too.

    Many jobs are dealt out to the hand's threads, and each thread draws its own: they then wait
    for each other once, and not at every product.
    """
    n_rows = sum(1 + len(job.then) for job in jobs)
    n = max(1, min(weights.threads, len(jobs), n_rows // FEWEST_A_THREAD))
    if n == 1:
        return _drawn(weights, jobs, smoothness, keep=keep)
    with ThreadPoolExecutor(n) as pool:
        each = [pool.submit(_drawn, weights, jobs[i::n], smoothness, keep=keep) for i in range(n)]
        shares = [one.result() for one in each]
    return [shares[number % n][number // n] for number in range(len(jobs))]


def _drawn(
    weights: Weights, jobs: Sequence[Job], smoothness: float, *, keep: bool
) -> list[Drawing]:
    """What one thread draws."""
    parts: list[list[_Seen]] = [[] for _ in jobs]
    complete = [False] * len(jobs)
    states: list[list[State]] = [[] for _ in jobs]
    seen: list[_Seen] = []
    for rows, ended in _steps(weights, jobs, smoothness, keep=keep):
        seen.append(rows.seen())
        if not ended:
            continue
        together = _Seen(*(np.stack(arrays) for arrays in zip(*seen, strict=True)))
        for row, number in enumerate(rows.numbers):
            parts[number].append(_Seen(*(array[:, row] for array in together)))
        for row, is_complete in ended.items():
            complete[rows.numbers[row]] = is_complete
            states[rows.numbers[row]] = rows.states_behind(row)
        seen = []
    return [_drawing(*of_job) for of_job in zip(jobs, parts, complete, states, strict=True)]


def stream(weights: Weights, job: Job, smoothness: float) -> Iterator[tuple[Floats, bool | None]]:
    """Draw one job, giving each step (3,) as it is drawn, and with the last if it is complete."""
    for rows, ended in _steps(weights, [job], smoothness, keep=False):
        yield rows.drawn[0].copy(), ended.get(0)


def as_begin(weights: Weights, first: Floats, y: float) -> Floats:
    """A first step (3,) as if it began a line, to a point at height `y` in the hand's unit.

    The first step of a line leads from (0, 0), which is on its baseline, to its first point.
    """
    begin = (np.array([0.0, y]) - weights.mean) / weights.deviation
    return np.append(begin, first[2]).astype(np.float32)


class Begun(NamedTuple):
    """A network that was shown some steps up to number `n_steps`, and its `state` then."""

    state: State
    n_steps: int


def begun(weights: Weights, text: str, shown: Floats, place: int) -> tuple[Begun, int]:
    """The network before its window first comes to a place of the text, and how far it came at all.

    It is shown steps (n, 3) as in `primed`.  What comes after the text has no part in the state
    as long as the window is well before its end: there any text can go on from it.
    """
    rows = _Rows(weights, _first_inputs(weights, [text], smoothness=0.0), [0])
    found, at = Begun(rows.state_of(0), 0), 0
    for t, step in enumerate(shown):
        state = rows.state_of(0)
        rows.step()
        rows.drawn[0] = step
        if at < place:
            found = Begun(state, t)
        at = max(at, int(rows.phi[0, 0].argmax()))
    return found, at


def primed(
    weights: Weights,
    texts: Sequence[str],
    shown: Sequence[Floats],
    begun: Sequence[Begun | None] | None = None,
) -> list[State]:
    """The network's state after it was shown steps (n, 3) as if it had drawn them (section 5.5).

    Each text is what the window sees: what the steps say, and what is to be drawn after them.
    Where a network has `begun` already, it is shown the rest; at least one step.
    """
    states: dict[int, State] = {}
    inputs = _first_inputs(weights, texts, smoothness=0.0)
    first = _Rows(weights, inputs, list(range(len(texts))))
    at = [0] * len(texts)
    for row, before in enumerate(begun or []):
        if before is not None:
            first.set_state(row, before.state)
            at[row] = before.n_steps
    rows: _Rows | None = first
    while rows:
        rows.step()
        # What it drew itself is dropped.
        rows.drawn[:] = [shown[number][at[number]] for number in rows.numbers]
        for number in rows.numbers:
            at[number] += 1
        done = {row for row, number in enumerate(rows.numbers) if len(shown[number]) == at[number]}
        states |= {rows.numbers[row]: rows.state_of(row) for row in done}
        if done:
            rows = rows.only([row for row in range(len(rows.numbers)) if row not in done])
    return [states[number] for number in range(len(texts))]


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


def _noise(rng: np.random.Generator, weights: Weights) -> Floats:
    """The random numbers of a line's next `BLOCK` steps, as `training.export` has them."""
    n_logits = weights.mixtures + (3 if weights.has_end else 2)
    waits = rng.standard_exponential((BLOCK, n_logits), np.float32)
    gumbel = -np.log(np.maximum(waits, np.float32(1e-30)))
    return np.concatenate([gumbel, rng.standard_normal((BLOCK, 2), np.float32)], axis=1)


class _Rows:
    """Lines side by side in the arrays that the network reads and writes.

    The arrays stay where they are, and ONNX Runtime is told once.  The state has two sets of them,
    one to read and one to write, which change places after each step.  `read` has all inputs by
    name; what is changed there, the network sees.  `numbers` tells which line each row is, and
    `began` where its window was when its stroke began.  More rows may come after these: of each the
    row that it follows, whose steps it is shown.
    """

    def __init__(
        self,
        weights: Weights,
        read: dict[str, NDArray[Any]],
        numbers: list[int],
        follows: Sequence[int] = (),
        *,
        keep: bool = False,
    ) -> None:
        self.weights, self.read, self.numbers, self.keep = weights, read, numbers, keep
        self.follows = np.array(follows, np.intp)
        self.began = np.zeros(len(numbers), np.intp)
        n_rows = len(numbers) + len(follows)
        shapes = {output.name: output.shape for output in weights.session.get_outputs()}
        self.state = [name for name in read if f"next_{name}" in shapes]
        self.other = read | {name: np.empty_like(read[name]) for name in self.state}
        length = read["places"].shape[2] if weights.alphabet else 0
        self.phi = np.zeros((n_rows, 1, length), np.float32)
        self.outputs = np.zeros((n_rows, shapes["outputs"][1]), np.float32)
        self.nothing = np.zeros((len(numbers), 0), np.float32)
        self.bound = self._bound(self.read, self.other)
        self.bound_next = self._bound(self.other, self.read)

    def _bound(self, read: Arrays, other: Arrays) -> Any:
        """The arrays as inputs and outputs of the network."""
        bound = self.weights.session.io_binding()
        results = {f"next_{name}": other[name] for name in self.state}
        if self.weights.alphabet:
            results["phi"] = self.phi
        if self.keep:
            results["outputs"] = self.outputs
        for name, array in read.items():
            bound.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(array))
        for name, array in results.items():
            bound.bind_ortvalue_output(name, ort.OrtValue.ortvalue_from_numpy(array))
        return bound

    @property
    def drawn(self) -> Floats:
        """What was drawn last, and is read next (lines, 3)."""
        return self.read["step"][: len(self.numbers)]

    def step(self) -> None:
        """Let the network take one step."""
        self.weights.session.run_with_iobinding(self.bound)
        self.bound, self.bound_next = self.bound_next, self.bound
        self.read, self.other = self.other, self.read
        lifted = self.other["step"][: len(self.numbers), 2].nonzero()[0]
        if self.weights.alphabet and len(lifted):
            self.began[lifted] = self.phi[lifted, 0].argmax(axis=1)

    def show(self, *, begins: bool) -> None:
        """Let those that follow read next what was drawn last, as a line's first step or not."""
        steps = self.drawn
        if begins:
            heights = steps[:, 1].astype(np.float64) * self.weights.deviation[1]
            heights += self.weights.mean[1]
            pairs = zip(steps, heights.tolist(), strict=True)
            steps = np.stack([as_begin(self.weights, step, y) for step, y in pairs])
        self.read["step"][len(steps) :] = steps[self.follows]

    def seen(self) -> _Seen:
        """What the last step gave, as it stands now."""
        n = len(self.numbers)
        outputs = self.outputs[:n].copy() if self.keep else self.nothing
        return _Seen(self.drawn.copy(), self.phi[:n, 0].copy(), outputs)

    def state_of(self, row: int) -> State:
        return {name: self.read[name][row].copy() for name in self.state}

    def states_behind(self, row: int) -> list[State]:
        """Of those that follow it."""
        first = len(self.numbers)
        return [self.state_of(first + n) for n in np.flatnonzero(self.follows == row).tolist()]

    def set_state(self, row: int, state: State) -> None:
        for name, array in state.items():
            self.read[name][row] = array

    def only(self, going: list[int]) -> _Rows | None:
        """These rows alone and those that follow them, or None where there are none."""
        if not going:
            return None
        now_at = {row: at for at, row in enumerate(going)}
        behind = [n for n, row in enumerate(self.follows.tolist()) if row in now_at]
        rows = going + [len(self.numbers) + n for n in behind]
        left = _Rows(
            self.weights,
            {name: array[rows] for name, array in self.read.items()},
            [self.numbers[row] for row in going],
            [now_at[row] for row in self.follows[behind].tolist()],
            keep=self.keep,
        )
        left.began = self.began[going]
        return left


class _Seen(NamedTuple):
    """Steps, phi and outputs, a row a line; outputs that are not kept have no columns."""

    steps: Floats
    phi: Floats
    outputs: Floats


def _first_inputs(
    weights: Weights, texts: Sequence[str], smoothness: float
) -> dict[str, NDArray[Any]]:
    """The inputs of the first step: all zero, and the texts."""
    read = first_inputs(weights.session, len(texts), 1 + max(map(len, texts)))
    read["smoothness"][:] = smoothness
    if weights.alphabet:
        read["places"][:] = FAR
        for row, text in enumerate(texts):
            read["places"][row, 0, : len(text) + 1] = np.arange(1, len(text) + 2)
            letters = [weights.alphabet.index(character) for character in text]
            read["text"][row, np.arange(len(text)), letters] = 1
    return read


def _steps(
    weights: Weights, jobs: Sequence[Job], smoothness: float, *, keep: bool
) -> Iterator[tuple[_Rows, dict[int, bool]]]:
    """The rows after each step, and those that end with it: whether they are complete.

    Python looks at a single line only where its pen lifts; the rest happens for all at once.
    """
    if not jobs:
        return
    follows = [number for number, job in enumerate(jobs) for _ in job.then]
    texts = [job.text for job in jobs] + [text for job in jobs for text in job.then]
    inputs = _first_inputs(weights, texts, smoothness)
    begun = _Rows(weights, inputs, list(range(len(jobs))), follows, keep=keep)
    for row, job in enumerate(jobs):
        if job.state is not None:
            begun.set_state(row, job.state)
    rows: _Rows | None = begun
    t, soonest = 0, min(job.budget for job in jobs)
    while rows:
        if t % BLOCK == 0:
            block = np.stack([_noise(jobs[number].rng, weights) for number in rows.numbers], axis=1)
        rows.read["noise"][: len(rows.numbers)] = block[t % BLOCK]
        rows.step()
        t += 1
        ended = _ended_by_themselves(rows, jobs)
        if t >= soonest:
            for row, number in enumerate(rows.numbers):
                if jobs[number].budget <= t:
                    ended.setdefault(row, False)
                    rows.drawn[row, 2] = LIFTS
        if follows:
            rows.show(begins=t == 1)
        yield rows, ended
        if ended:
            going = [row for row in range(len(rows.numbers)) if row not in ended]
            block = block[:, going]
            rows = rows.only(going)
            soonest = min(jobs[number].budget for number in rows.numbers) if rows else 0


def _ended_by_themselves(rows: _Rows, jobs: Sequence[Job]) -> dict[int, bool]:
    """The rows that have come to the end of their text; a pen that does anything else lifts."""
    ended = {}
    for row in rows.drawn[:, 2].nonzero()[0].tolist():
        job = jobs[rows.numbers[row]]
        place = int(rows.phi[row, 0].argmax()) if job.text else 0
        if is_end(float(rows.drawn[row, 2]), place, int(rows.began[row]), job.text):
            ended[row] = True
        rows.drawn[row, 2] = LIFTS
    return ended


def is_end(pen: float, place: int, began: int, text: str) -> bool:
    """Whether a pen that lifts or ends, with the window at `place`, ends the line.

    The paper's rule is the window past the text (section 5.3).  The network's own end counts once
    the window has come to the last letters, and a sign that the text ends with has a stroke of its
    own: the window was there when that `began`.
    """
    n = len(text)
    if not n or place >= n:
        return bool(n) or pen == ENDS
    has_come = place >= max(n - 2, n // 2) and (text[-1].isalnum() or began >= n - 1)
    return pen == ENDS and has_come


def _drawing(job: Job, parts: Sequence[_Seen], complete: bool, states: Sequence[State]) -> Drawing:
    steps, phi, outputs = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    kept = len(steps) if outputs.shape[1] else 0
    return Drawing(steps, complete, phi[:, : len(job.text) + 1], outputs[:kept], states)
