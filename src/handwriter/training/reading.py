"""Learning to read: lines become features and CTC's loss, and a reader is judged by its errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from handwriter.ctc import FrameTable
from handwriter.edits import Errors, character_errors
from handwriter.features import N_FEATURES, Floats, features, n_features, spread_of
from handwriter.ink import Ink
from handwriter.picture import contact_sheet
from handwriter.training.batches import sorted_batches, spelled
from handwriter.training.lines import Lines
from handwriter.training.machine import Machine
from handwriter.training.recipe import InkConfig, Recipe
from handwriter.training.recogniser import Frames, ReaderConfig, ReaderNetwork, ctc, n_frames
from handwriter.training.train import Losses, Moment

ROOM = 1.7  # see Reading.train_lines; real lines have some five times as many
LINES_SHOWN = 16  # lines of validation whose reading is drawn at each epoch's end


@dataclass(frozen=True)
class ReadingScore:
    """What validation says: nats a character, and the rate of wrong characters (CER)."""

    nats_a_character: float
    character_error_rate: float
    lines: int

    @property
    def loss(self) -> float:
        return self.character_error_rate

    def __str__(self) -> str:
        return (
            f"CER {100 * self.character_error_rate:.2f} %, "
            f"{self.nats_a_character:.4f} nats a character"
        )


@dataclass(frozen=True, eq=False)
class ReadingBatch:
    """Features (lines, points, N_FEATURES), zero where padded, and what they say.

    `lengths` and `target_lengths` count each line's points and characters; `targets` has the
    characters of all lines one after the other, as CTC counts them.
    """

    features: Tensor
    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor

    def to(self, device: torch.device) -> ReadingBatch:
        return ReadingBatch(
            self.features.to(device), self.lengths.to(device), self.targets.to(device),
            self.target_lengths.to(device),
        )  # fmt: skip


class Reading:
    """The task of a recipe with a [reader]: to tell what a line of ink says.

    Its losses are nats a character.
    """

    unit = "character"

    def __init__(self, recipe: Recipe, lines: Lines) -> None:
        assert isinstance(recipe.network, ReaderConfig)
        self.recipe, self.lines, self.config = recipe, lines, recipe.network

    def build(self) -> ReaderNetwork:
        return ReaderNetwork(self.config)

    def header(self) -> dict[str, Any]:
        return {}

    @cached_property
    def train_lines(self) -> Any:
        """The train lines that have frames enough for CTC to spell what they say.

        It needs one for each character, and one more between two that are the same; `ROOM` times
        as many, since augmentation makes ink narrower.
        """
        return np.array([i for i in self.lines.where("train") if self._has_room(int(i))], np.int64)

    def _has_room(self, i: int) -> bool:
        text = spelled(self.lines.texts[i], self.config.alphabet)
        needed = len(text) + sum(a == b for a, b in pairwise(text))
        return n_frames(n_features(self.lines.ink(i))) >= ROOM * needed

    def make_batch(self, chosen: Any, seed: tuple[int, int] | None) -> ReadingBatch:
        """The chosen lines; `seed` (run, update) augments them, None leaves them alone."""
        rows = [self._features(int(i), seed) for i in chosen]
        padded = np.zeros((len(rows), max(map(len, rows)), N_FEATURES), np.float32)
        for line, row in enumerate(rows):
            padded[line, : len(row)] = row
        texts = [spelled(self.lines.texts[i], self.config.alphabet) for i in chosen]
        code = {character: i for i, character in enumerate(self.config.alphabet, start=1)}
        return ReadingBatch(
            torch.from_numpy(padded),
            torch.tensor([len(row) for row in rows]),
            torch.tensor([code[character] for text in texts for character in text]),
            torch.tensor([len(text) for text in texts]),
        )

    def _features(self, i: int, seed: tuple[int, int] | None) -> Floats:
        ink = self.lines.ink(i)
        if not seed:
            return features(ink)
        return seen_otherwise(ink, self.recipe.ink, np.random.default_rng([*seed, i]))

    def losses(
        self, network: ReaderNetwork, chosen: Any, moment: Moment, machine: Machine
    ) -> Losses:
        seed = (self.recipe.training.seed, moment.update)
        batch = self.make_batch(chosen, seed).to(machine.device)
        with machine.autocast():
            frames = network(batch.features, batch.lengths)
        loss = ctc(frames, batch.targets, batch.target_lengths).sum()
        return Losses(loss, batch.target_lengths.sum(), 0.0)

    @torch.no_grad()
    def evaluate(self, network: ReaderNetwork, chosen: Any, machine: Machine) -> ReadingScore:
        """Nats and wrong characters of the chosen lines, nothing augmented."""
        nats, errors = 0.0, Errors()
        for number, members in enumerate(sorted_batches(self.lines.lengths[chosen], 64)):
            if number % machine.world != machine.rank:
                continue
            batch = self.make_batch(chosen[members], None).to(machine.device)
            with machine.autocast():
                frames = network(batch.features, batch.lengths)
            nats += float(ctc(frames, batch.targets, batch.target_lengths).sum())
            for i, read in zip(chosen[members], self._texts(frames), strict=True):
                errors += character_errors(read, self.lines.texts[i])
        totals = torch.tensor([nats, errors.edits, errors.length], dtype=torch.float64)
        nats, edits, length = machine.add_up(totals.to(machine.device)).tolist()
        return ReadingScore(nats / length, edits / length, len(chosen))

    @torch.no_grad()
    def pictures(self, network: ReaderNetwork) -> dict[str, Image.Image]:
        """Lines of validation with what they say and what was read."""
        chosen = self.lines.where("validation")
        chosen = chosen[:: max(1, len(chosen) // LINES_SHOWN)][:LINES_SHOWN]
        device = next(network.parameters()).device
        batch = self.make_batch(chosen, None).to(device)
        read = self._texts(network(batch.features, batch.lengths))
        captions = [f"{self.lines.texts[i]} | {text}" for i, text in zip(chosen, read, strict=True)]
        return {"epoch": contact_sheet([self.lines.ink(int(i)) for i in chosen], captions)}

    def _texts(self, frames: Frames) -> list[str]:
        """The best path of each line, as the exported reader takes it."""
        logits = frames.logits.float().cpu().numpy()
        return [
            FrameTable(logits[:n, line], self.config.alphabet).reading().text
            for line, n in enumerate(frames.lengths.tolist())
        ]


def seen_otherwise(ink: Ink, config: InkConfig, rng: np.random.Generator) -> Floats:
    """The features of the ink with a slant and width of its own, its size misjudged, and noise."""
    width = np.exp(rng.normal(0.0, config.width))
    shear = rng.normal(0.0, config.slant)
    changed = ink.transformed(np.array([[width, shear], [0.0, 1.0]]))
    rows = features(changed, spread_of(changed) * np.exp(rng.normal(0.0, config.size)))
    rows[:, :2] += rng.normal(0.0, config.pen_noise, (len(rows), 2))
    return rows
