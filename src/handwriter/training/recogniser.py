"""The reader's network: convolutions, bidirectional LSTM layers, CTC.

After Graves, Liwicki, Fernandez, Bertolami, Bunke and Schmidhuber, "A Novel Connectionist System
for Unconstrained Handwriting Recognition" (2009), with convolutions in front that shorten the
way, and features resampled by arc length (`handwriter.features`).

What it makes of a line does not depend on the lines beside it: padding is zero after every
convolution, and the backward layers begin at each line's own end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handwriter.ctc import BLANK
from handwriter.features import N_FEATURES

KERNEL = 5
STRIDES = 1, 2, 2  # of the convolutions: four points of ink make a frame


@dataclass(frozen=True)
class ReaderConfig:
    """The shape of a reader: `channels` of the last convolution, `layers` of `cells` each way."""

    alphabet: str = ""
    channels: int = 192
    layers: int = 3
    cells: int = 200
    dropout: float = 0.2


class Frames(NamedTuple):
    """Logits (frames, lines, 1 + alphabet) and how many frames each line has, (lines,)."""

    logits: Tensor
    lengths: Tensor


class ReaderNetwork(nn.Module):
    """Features of ink in, for every frame a distribution over blank and characters out."""

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [N_FEATURES, config.channels // 3, 2 * config.channels // 3, config.channels]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_in, n_out, KERNEL, stride, padding=KERNEL // 2)
            for n_in, n_out, stride in zip(sizes[:-1], sizes[1:], STRIDES, strict=True)
        )
        inputs = [config.channels, *[2 * config.cells] * (config.layers - 1)]
        self.forwards = nn.ModuleList(nn.LSTM(n, config.cells) for n in inputs)
        self.backwards = nn.ModuleList(nn.LSTM(n, config.cells) for n in inputs)
        self.output = nn.Linear(2 * config.cells, 1 + len(config.alphabet))
        self._begin()

    def _begin(self) -> None:
        """Weights that let the ink through to the last layer.

        PyTorch's own make each layer's output some 0.4 times its input; then the network says
        nothing but "blank" for its first epoch (docs/log.md, 23 Nov).
        """
        for convolution in self.convolutions:
            assert isinstance(convolution, nn.Conv1d)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        n = self.config.cells
        for lstm in (*self.forwards, *self.backwards):
            nn.init.xavier_uniform_(lstm.weight_ih_l0, gain=2.0)
            nn.init.orthogonal_(lstm.weight_hh_l0)
            nn.init.zeros_(lstm.bias_hh_l0)
            with torch.no_grad():
                lstm.bias_ih_l0.zero_()[n : 2 * n] = 1.0

    def forward(self, features: Tensor, lengths: Tensor) -> Frames:
        """`features` (lines, points, N_FEATURES), padded; `lengths` (lines,) in points."""
        x = features.transpose(1, 2)
        for convolution, stride in zip(self.convolutions, STRIDES, strict=True):
            x = F.relu(convolution(x))
            lengths = (lengths - 1) // stride + 1
            x = x * _mask(lengths, x.shape[-1])[:, None]
        x = x.permute(2, 0, 1)
        back = _reversal(lengths, len(x))[..., None]
        for forwards, backwards in zip(self.forwards, self.backwards, strict=True):
            x = self._dropped(x)
            ahead, _ = forwards(x)
            behind, _ = backwards(x.gather(0, back.expand_as(x)))
            x = torch.cat([ahead, behind.gather(0, back.expand_as(behind))], -1)
        return Frames(self.output(self._dropped(x)), lengths)

    def _dropped(self, x: Tensor) -> Tensor:
        """Dropout of whole features of a line, the same in all its frames: cheap, and LSTM
        layers bear it better than a new choice every frame (Gal and Ghahramani 2016)."""
        if not self.training:
            return x
        return x * F.dropout(x.new_ones(x.shape[1:]), self.config.dropout)


def n_frames(n_points: int) -> int:
    """How many frames the network makes of so many points."""
    for stride in STRIDES:
        n_points = (n_points - 1) // stride + 1
    return n_points


def ctc(frames: Frames, targets: Tensor, target_lengths: Tensor) -> Tensor:
    """The negative log probability of each line's text, in nats, (lines,).

    `targets` holds all texts one after the other.  Infinite where a text has more characters
    than its line has frames.
    """
    return F.ctc_loss(
        frames.logits.float().log_softmax(-1), targets, frames.lengths, target_lengths,
        blank=BLANK, reduction="none",
    )  # fmt: skip


def _mask(lengths: Tensor, n: int) -> Tensor:
    """1 inside each line and 0 in its padding, (lines, n)."""
    return (torch.arange(n, device=lengths.device) < lengths[:, None]).float()


def _reversal(lengths: Tensor, n: int) -> Tensor:
    """For each frame the one that takes its place when lines run backwards, (n, lines)."""
    places = torch.arange(n, device=lengths.device)[:, None]
    return torch.where(places < lengths, lengths - 1 - places, places)
