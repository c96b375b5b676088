"""A hand's network, taken some steps further: it draws them, or is shown what others drew.

The steps themselves, window and sampling included, are the graph of `training.steps_graph`
(Graves 2013, sections 5.4 and 5.5); `advance` runs it.  It takes many steps in one call, so that
Python looks at what is drawn now and then only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from handwriter.weights import FAR, Weights, first_inputs

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]  # by their names in the graph, a row a line
State = Arrays  # of one line: its arrays without that axis

NOT_SHOWN = np.float32(np.nan)  # where a line draws its next step itself


class Seen(NamedTuple):
    """What steps gave: `steps` (n, 3), `phi` (n, length) and `outputs` (n, n_outputs) of one line.

    Of many lines side by side these are (n, lines, ...).  `outputs` that were not asked for have no
    columns, and so has `phi` where there is no text.
    """

    steps: Floats
    phi: Floats
    outputs: Floats

    def of(self, line: int, n: int) -> Seen:
        """The first n steps of one of many lines."""
        return Seen(*(array[:n, line] for array in self))


class Begun(NamedTuple):
    """A network that was shown some steps up to number `n_steps`, and its `state` then."""

    state: State
    n_steps: int


def first_rows(
    weights: Weights, texts: Sequence[str], length: int, smoothness: float = 0.0
) -> Arrays:
    """What the network reads at first, a row a text; `length` holds each and an empty place."""
    read = first_inputs(weights.session, len(texts), length)
    read["smoothness"][:] = smoothness
    if weights.alphabet:
        read["places"][:] = FAR
        read["text"][:] = len(weights.alphabet)
        for row, text in enumerate(texts):
            read["places"][row, 0, : len(text) + 1] = np.arange(1, len(text) + 2)
            read["text"][row, : len(text)] = [weights.alphabet.index(c) for c in text]
    return read


def advance(
    weights: Weights, read: Arrays, noise: Floats, shown: Floats, *, keep: bool = False
) -> tuple[Arrays, Seen]:
    """Take some steps with every line: what is read next, and what was seen.

    noise (steps, lines, n) is what is drawn from, shown (steps, lines, 3) what counts as drawn in
    its place, `NOT_SHOWN` where nothing does.  With `keep`, `outputs` are kept.
    """
    names = [f"next_{name}" for name in carried(weights)] + ["steps"]
    names += ["phi"] if weights.alphabet else []
    names += ["outputs"] if keep else []
    results = weights.session.run(names, read | {"noise": noise, "shown": shown})
    got = dict(zip(names, results, strict=True))
    nothing = np.zeros((*got["steps"].shape[:2], 0), np.float32)
    phi = got["phi"][:, :, 0] if weights.alphabet else nothing
    return (
        read | {name: got[f"next_{name}"] for name in carried(weights)},
        Seen(got["steps"], phi, got.get("outputs", nothing)),
    )


def carried(weights: Weights) -> list[str]:
    """The names of what a network carries from step to step."""
    layers = range(1, weights.layers + 1)
    names = [f"{kind}_{number}" for kind in ("hidden", "cell") for number in layers]
    return ["step", "urge", *names, *(["window", "kappa"] if weights.alphabet else [])]


def state_of(weights: Weights, read: Arrays, row: int) -> State:
    return {name: read[name][row].copy() for name in carried(weights)}


def set_state(read: Arrays, row: int, state: State) -> None:
    for name, array in state.items():
        read[name][row] = array


def only(read: Arrays, rows: Sequence[int]) -> Arrays:
    """These rows alone, each of which takes its own steps."""
    return {name: array[list(rows)] for name, array in read.items()} | {
        "follows": np.arange(len(rows))
    }


def show(weights: Weights, read: Arrays, shown: Floats) -> tuple[Arrays, Seen]:
    """Show every line its steps (steps, lines, 3) as if it had drawn them."""
    noise = np.zeros((*shown.shape[:2], n_noise(weights)), np.float32)
    return advance(weights, read, noise, shown)


def n_noise(weights: Weights) -> int:
    """Random numbers of a step, as `training.steps_graph` has them."""
    return weights.mixtures + (2 if weights.has_end else 0) + 3


def as_begin(weights: Weights, first: Floats, y: float) -> Floats:
    """A first step (3,) as if it began a line, to a point at height `y` in the hand's unit.

    The first step of a line leads from (0, 0), which is on its baseline, to its first point.
    """
    begin = (np.array([0.0, y]) - weights.mean) / weights.deviation
    return np.append(begin, first[2]).astype(np.float32)


def begun(weights: Weights, text: str, shown: Floats, place: int) -> tuple[Begun, int]:
    """The network before its window first comes to a place of the text, and how far it came at all.

    It is shown steps (n, 3) as in `primed`.  What comes after the text has no part in the state
    as long as the window is well before its end: there any text can go on from it.
    """
    first = first_rows(weights, [text], len(text) + 1)
    _, seen = show(weights, first, shown[:, None])
    reached = np.maximum.accumulate(seen.phi[:, 0].argmax(axis=1))
    n = min(int((reached < place).sum()), len(shown) - 1)
    before, _ = show(weights, first, shown[:n, None]) if n else (first, None)
    return Begun(state_of(weights, before, 0), n), int(reached[-1])


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
    read = first_rows(weights, texts, 1 + max(map(len, texts)))
    left = list(shown)
    for row, before in enumerate(begun or []):
        if before is not None:
            set_state(read, row, before.state)
            left[row] = left[row][before.n_steps :]
    states: dict[int, State] = {}
    numbers = list(range(len(texts)))
    while numbers:
        n = min(len(left[number]) for number in numbers)
        read, _ = show(weights, read, np.stack([left[number][:n] for number in numbers], axis=1))
        for row, number in enumerate(numbers):
            left[number] = left[number][n:]
            if not len(left[number]):
                states[number] = state_of(weights, read, row)
        going = [row for row, number in enumerate(numbers) if number not in states]
        read, numbers = only(read, going), [numbers[row] for row in going]
    return [states[number] for number in range(len(texts))]
