"""A judge of handwriting: a small network that learns to tell real lines from written ones.

Convolutions over the pen's offsets and lifts, the mean over the line, one logit.  It is trained on
stretches of the lines of one half of the writers and tried on whole lines of the other half, then
the other way round, so that it is never asked about a writer, or a text, that it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from handwriter.likeness import Mask, Told, halves, told
from handwriter.training.lines import Lines

CHANNELS = 32, 64, 96, 96
KERNEL = 5
STRIDES = 1, 2, 2, 2
STRETCH = 256  # points of a line that are seen at a time in training
BATCH_PAIRS = 16
EPOCHS = 30
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-2
DROPOUT = 0.3
FARTHEST = 6.0  # deviations; a longer offset is cut, so that one stray point decides nothing

Steps = NDArray[np.float32]


class Judge(nn.Module):
    """Steps (lines, 3, points) and their mask (lines, points) in; above 0 for a written line."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_in, n_out, KERNEL, stride, padding=KERNEL // 2)
            for n_in, n_out, stride in zip((3, *CHANNELS[:-1]), CHANNELS, STRIDES, strict=True)
        )
        for convolution in self.convolutions:
            assert isinstance(convolution, nn.Conv1d)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        self.output = nn.Linear(CHANNELS[-1], 1)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        x = steps
        for convolution, stride in zip(self.convolutions, STRIDES, strict=True):
            mask = mask[:, ::stride]
            x = F.relu(convolution(x)) * mask[:, None]
        mean = x.sum(-1) / mask.sum(-1, keepdim=True).clamp(min=1)
        logits: Tensor = self.output(F.dropout(mean, DROPOUT, self.training))
        return logits[:, 0]


def told_by_network(
    real: Lines, written: Lines, *, epochs: int = EPOCHS, seed: int = 1,
    watch: Callable[[Iterator[int]], Iterator[int]] = lambda epochs: epochs,
) -> Told:  # fmt: skip
    """How well a judge tells real lines from written ones; line i of both says the same.

    There must be two lines or more of each kind, both rounded to the same unit.  The first step
    of a line, which only tells where it lies, is not shown.  `watch` is given the epochs of both
    turns, for a progress bar.
    """
    first = halves(real.writers)
    right = np.zeros((2, len(real)), np.bool_)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        passes = watch(iter(range(2 * epochs)))
        for trained in (first, ~first):
            scaled = _scaling(real, trained)
            pairs = [(scaled(real.steps(i)), scaled(written.steps(i))) for i in range(len(real))]
            known = [pairs[i] for i in np.flatnonzero(trained).tolist()]
            judge = _trained(known, epochs, rng, passes)
            for i in np.flatnonzero(~trained).tolist():
                right[:, i] = _judged(judge, pairs[i])
    for _ in passes:
        pass
    return told("network", right[0], right[1], real.writers)


def _scaling(real: Lines, trained: Mask) -> Callable[[Steps], Steps]:
    """Steps without the first, in deviations of the real offsets that are trained on."""
    known = np.flatnonzero(trained).tolist()
    offsets = np.concatenate([np.zeros((1, 2)), *(real.steps(i)[1:, :2] for i in known)])
    mean, deviation = offsets.mean(axis=0), np.maximum(offsets.std(axis=0), 1e-6)

    def scaled(steps: Steps) -> Steps:
        shown = steps[1:].copy()
        shown[:, :2] = np.clip((shown[:, :2] - mean) / deviation, -FARTHEST, FARTHEST)
        return shown

    return scaled


def _trained(
    pairs: list[tuple[Steps, Steps]], epochs: int, rng: np.random.Generator, passes: Iterator[int]
) -> Judge:
    judge = Judge().train()
    n_updates = epochs * -(-len(pairs) // BATCH_PAIRS)
    optimizer = torch.optim.AdamW(judge.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_updates)
    for _ in range(epochs):
        next(passes)
        order = rng.permutation(len(pairs))
        for begin in range(0, len(order), BATCH_PAIRS):
            some = [pairs[i] for i in order[begin : begin + BATCH_PAIRS].tolist()]
            stretches = [
                _stretch(steps, rng) for kind in (0, 1) for steps in (p[kind] for p in some)
            ]
            truth = torch.tensor([0.0] * len(some) + [1.0] * len(some))
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(judge(*_padded(stretches)), truth)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return judge.eval()


@torch.no_grad()
def _judged(judge: Judge, pair: tuple[Steps, Steps]) -> tuple[bool, bool]:
    """Whether the real line of a pair is taken for real, and the written one for written."""
    real, written = judge(*_padded(list(pair))).tolist()
    return real < 0, written > 0


def _stretch(steps: Steps, rng: np.random.Generator) -> Steps:
    begin = int(rng.integers(max(len(steps) - STRETCH, 0) + 1))
    return steps[begin : begin + STRETCH]


def _padded(lines: list[Steps]) -> tuple[Tensor, Tensor]:
    """Steps (lines, 3, points) and mask (lines, points) of lines of any length."""
    longest = max(1, *map(len, lines))
    steps = np.zeros((len(lines), 3, longest), np.float32)
    mask = np.zeros((len(lines), longest), np.float32)
    for number, line in enumerate(lines):
        steps[number, :, : len(line)] = line.T
        mask[number, : len(line)] = 1.0
    return torch.from_numpy(steps), torch.from_numpy(mask)
