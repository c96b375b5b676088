"""From the lines file to batches: order, augmentation, normalisation, padding.

Everything random here follows from the recipe's seed, the epoch or update, and the line, and
from nothing else.  A run that is stopped and continued, or spread over several processes,
therefore sees the same batches as one that never was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from handwriter.errors import BadData
from handwriter.training.lines import Lines
from handwriter.training.network import N_STEP, NetworkConfig, Text, one_hot
from handwriter.training.recipe import NON_LETTER, InkConfig

# A batch has a multiple of so many steps.  Where each has a length of its own, freed memory fits
# what comes next ever less: in half an hour a run grew from 3 GB to 8 and to half of its speed.
PADDED_TO = 32
POOL_BATCHES = 50  # lines are sorted by length within pools of so many batches
STUMBLE_POINTS = (5, 40)  # how long one lasts
SMALLEST = 0.1  # of its true size, what is seen of ink in a stumble
JOLT = 0.6  # how far one throws the pen, as a deviation, in line units
JOLT_POINTS = (1, 9)  # in how many points
WAY_BACK = 0.92 ** np.arange(128)  # how much of that is left, so many points later

Steps = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scaling:
    """How offsets are normalised: (offset - mean) / deviation, each a pair for x and y."""

    mean: tuple[float, float]
    deviation: tuple[float, float]

    @classmethod
    def of(cls, lines: Lines) -> Scaling:
        (mx, my), (dx, dy) = lines.mean.tolist(), lines.deviation.tolist()
        if not (dx > 0 and dy > 0):
            raise BadData("the lines file's training ink never moves; prepare it again")
        return cls((mx, my), (dx, dy))

    def normalise(self, steps: Steps) -> Steps:
        """Offsets in line units (steps, 3) -> normalised; the pen lift stays."""
        normalised = steps.copy()
        mean, deviation = np.array([self.mean, self.deviation], np.float32)
        normalised[:, :2] = (steps[:, :2] - mean) / deviation
        return normalised

    def restore(self, offsets: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised offsets (steps, 2) -> line units; the inverse of `normalise`."""
        mean, deviation = np.array([self.mean, self.deviation], np.float32)
        return np.asarray(offsets * deviation + mean, np.float32)

    def rise(self, dy: Tensor) -> Tensor:
        """Normalised dy in line units."""
        return dy * self.deviation[1] + self.mean[1]


@dataclass(frozen=True, eq=False)
class Batch:
    """Lines of ink, padded alike to a multiple of `PADDED_TO`; shapes (steps, lines, ...).

    `seen` is the network's input, one step behind: it begins with zeros.  Its fourth number, if it
    has one, is the height of the pen.  `offsets` and `pen`
    (0 down, 1 lifts, 2 ends the line) are what it has to predict, where `mask` is 1.
    """

    seen: Tensor
    offsets: Tensor
    pen: Tensor
    mask: Tensor
    text: Text | None
    sources: tuple[str, ...]

    def to(self, device: torch.device) -> Batch:
        def move(x: Tensor) -> Tensor:
            return x.to(device, non_blocking=True)

        text = self.text.to(device) if self.text else None
        return Batch(move(self.seen), move(self.offsets), move(self.pen), move(self.mask), text,
                     self.sources)  # fmt: skip

    @property
    def n_points(self) -> int:
        return int(self.mask.sum())


def batch_order(
    lengths: NDArray[np.int64], batch_lines: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """The batches of an epoch, each an array of line numbers of like length.

    Lines are shuffled, sorted by length within pools, cut into batches, and these shuffled.
    """
    rng = np.random.default_rng([seed, epoch])
    shuffled = rng.permutation(len(lengths))
    pool = POOL_BATCHES * batch_lines
    batches = []
    for begin in range(0, len(shuffled), pool):
        members = shuffled[begin : begin + pool]
        members = members[np.argsort(lengths[members], kind="stable")]
        batches += [members[i : i + batch_lines] for i in range(0, len(members), batch_lines)]
    return [batches[i] for i in rng.permutation(len(batches))]


def sorted_batches(lengths: NDArray[np.int64], batch_lines: int) -> Iterator[NDArray[np.int64]]:
    """All lines once, shortest first: for validation, where order does not matter."""
    by_length = np.argsort(lengths, kind="stable")
    for begin in range(0, len(by_length), batch_lines):
        yield by_length[begin : begin + batch_lines]


def spelled(text: str, alphabet: str) -> str:
    """The text in the characters of `alphabet`, with digits and signs as one where it says so.

    Raises BadData for a character that the alphabet lacks.
    """
    known = set(alphabet)
    if NON_LETTER in known:
        return "".join(c if c in known else NON_LETTER for c in text)
    for character in text:
        if character not in known:
            raise BadData(f"{character!r} in {text!r} is not in the recipe's alphabet")
    return text


def augmented(steps: Steps, ink: InkConfig, rng: np.random.Generator) -> Steps:
    """The line's offsets (steps, 3) with a slant, size and width of their own."""
    if not (ink.slant or ink.size or ink.width):
        return steps
    size = np.exp(rng.normal(0.0, ink.size))
    width = np.exp(rng.normal(0.0, ink.width))
    shear = rng.normal(0.0, ink.slant)
    changed = steps.copy()
    changed[:, 0] = size * (width * steps[:, 0] + shear * steps[:, 1])
    changed[:, 1] = size * steps[:, 1]
    return changed


def disturbed(offsets: Steps, ink: InkConfig, rng: np.random.Generator) -> Steps:
    """What the network sees of normalised offsets (steps, 2): with stumbles, and with noise."""
    seen = offsets.copy()
    for _ in range(rng.poisson(ink.stumbles) if ink.stumbles and len(seen) else 0):
        begin, length = int(rng.integers(len(seen))), int(rng.integers(*STUMBLE_POINTS))
        seen[begin : begin + length] *= SMALLEST ** rng.random()
    if ink.pen_noise:
        seen += rng.normal(0.0, ink.pen_noise, seen.shape)
    return seen


def jolted(steps: Steps, ink: InkConfig, rng: np.random.Generator) -> tuple[Steps, Steps]:
    """Offsets in line units (steps, 3) of a pen that is thrown off its way, and those to learn.

    These lead back to the way by and by: what throws the pen off is seen and not learned (Laskey
    et al. 2017, "DART", arXiv:1703.09327).
    """
    thrown = np.zeros((len(steps), 2))
    for _ in range(rng.poisson(ink.jolts) if ink.jolts else 0):
        begin, length = int(rng.integers(len(steps))), int(rng.integers(*JOLT_POINTS))
        thrown[begin : begin + length] += rng.normal(0.0, JOLT, 2) / length
    if not thrown.any():
        return steps, steps
    away = np.stack([np.convolve(way, WAY_BACK)[: len(steps)] for way in thrown.T], axis=1)
    wanted, made = steps.copy(), steps.copy()
    made[:, :2] += np.diff(away, axis=0, prepend=0.0)
    wanted[:, :2] = made[:, :2] - thrown
    return made, wanted


def make_batch(
    lines: Lines,
    chosen: NDArray[np.int64],
    scaling: Scaling,
    config: NetworkConfig,
    ink: InkConfig,
    seed: tuple[int, int] | None,
) -> Batch:
    """The chosen lines as a batch; `seed` (run, update) augments them, None leaves them alone."""
    length = -(-int(lines.lengths[chosen].max()) // PADDED_TO) * PADDED_TO
    n = len(chosen)
    seen = np.zeros((length, n, config.n_inputs), np.float32)
    offsets = np.zeros((length, n, 2), np.float32)
    pen = np.zeros((length, n), np.int64)
    mask = np.zeros((length, n), np.float32)
    for column, i in enumerate(chosen):
        steps = lines.steps(int(i))
        rng = np.random.default_rng([*seed, int(i)]) if seed else None
        made = steps
        if rng:
            made, steps = jolted(augmented(steps, ink, rng), ink, rng)
        heights = made[:-1, 1].cumsum()
        made, steps = scaling.normalise(made), scaling.normalise(steps)
        k = len(steps)
        offsets[:k, column], pen[:k, column], mask[:k, column] = steps[:, :2], steps[:, 2], 1.0
        pen[k - 1, column] = 2
        seen[1:k, column, :N_STEP] = made[:-1]
        if rng:
            seen[1:k, column, :2] = disturbed(seen[1:k, column, :2], ink, rng)
        if config.height:
            noise = rng.normal(0.0, ink.pen_noise, k - 1) if rng else 0.0
            seen[1:k, column, N_STEP] = heights + noise
    alphabet = config.alphabet
    texts = [spelled(lines.texts[i], alphabet) for i in chosen] if alphabet else []
    return Batch(
        seen=torch.from_numpy(seen),
        offsets=torch.from_numpy(offsets),
        pen=torch.from_numpy(pen),
        mask=torch.from_numpy(mask),
        text=one_hot(texts, alphabet) if alphabet else None,
        sources=tuple(lines.sources[i] for i in chosen),
    )
