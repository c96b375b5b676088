"""Learning to write: how lines become the loss of Graves (2013), eq. 26, and how it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from handwriter.errors import BadData
from handwriter.ink import Ink
from handwriter.picture import blank, contact_sheet, window_picture
from handwriter.training.batches import Batch, Scaling, make_batch, sorted_batches, spelled
from handwriter.training.lines import Lines
from handwriter.training.machine import Machine
from handwriter.training.network import Mixture, Network, NetworkConfig, nats
from handwriter.training.recipe import InkConfig, Recipe
from handwriter.training.sample import sample, step_budget
from handwriter.training.train import Losses, Moment

GUIDE_REACH = 3.0  # characters that the window may be away from the linear pace, unpunished
TEXTS = (
    "The quick brown fox jumps over the lazy dog",
    "Dear Anna, thank you for the book.",
    "It was 7 o'clock in March 1962.",
    "committee of five people",
)
SMOOTHNESSES = (0.0, 0.75, 1.5)
WINDOW_SMOOTHNESS = 0.75  # the windows of all texts are drawn at this one
STEPS_WITHOUT_TEXT = 700  # as in figure 11 of the paper
_UNCHANGED = InkConfig()


@dataclass(frozen=True)
class WritingScore:
    """What validation says, in normalised units: the paper's two figures, and nats a point."""

    nats_a_line: float
    nats_a_point: float
    squared_error_a_point: float
    lines: int

    @property
    def loss(self) -> float:
        return self.nats_a_line

    def __str__(self) -> str:
        return (
            f"{self.nats_a_line:.1f} nats a line, {self.nats_a_point:.4f} a point, "
            f"squared error {self.squared_error_a_point:.3f}"
        )


class Writing:
    """The task of a recipe with a [network]: to foretell the next step of the pen.

    Its losses are nats a point; `texts` are written at each epoch's end, for people to see.
    """

    unit = "point"

    def __init__(self, recipe: Recipe, lines: Lines, texts: Sequence[str] = TEXTS) -> None:
        assert isinstance(recipe.network, NetworkConfig)
        self.recipe, self.lines, self.config = recipe, lines, recipe.network
        self.texts = _writable(texts, self.config.alphabet)

    @property
    def train_lines(self) -> Any:
        return self.lines.where("train")

    @cached_property
    def scaling(self) -> Scaling:
        return Scaling.of(self.lines)

    def build(self) -> Network:
        return Network(self.config)

    def header(self) -> dict[str, Any]:
        return {"scaling": asdict(self.scaling)}

    def make_batch(self, chosen: Any, seed: tuple[int, int] | None) -> Batch:
        """The chosen lines; `seed` (run, update) augments them, None leaves them alone."""
        ink = self.recipe.ink if seed else _UNCHANGED
        return make_batch(self.lines, chosen, self.scaling, self.config, ink, seed)

    def losses(self, network: Network, chosen: Any, moment: Moment, machine: Machine) -> Losses:
        training = self.recipe.training
        batch = self.make_batch(chosen, (training.seed, moment.update)).to(machine.device)
        with machine.autocast():
            y, phi, _ = network(
                batch.seen, batch.text, clip=training.clip_gates,
                clip_outputs=training.clip_outputs,
            )  # fmt: skip
        loss = (nats(batch.offsets, batch.pen, y) * batch.mask).sum()
        return Losses(loss, batch.mask.sum(), self.guide(batch, phi, moment.share))

    def guide(self, batch: Batch, phi: Tensor, share: float) -> Tensor | float:
        """The penalty on a window that strays from the line's linear pace, in nats of the batch.

        It falls to zero by half of the run; `share` is how much of it is over.
        """
        weight = self.recipe.training.window_guide * (1 - 2 * share)
        if weight <= 0 or batch.text is None:
            return 0.0
        return weight * (stray(phi, batch) ** 2 * batch.mask).sum()

    @torch.no_grad()
    def evaluate(self, network: Network, chosen: Any, machine: Machine) -> WritingScore:
        """Nats and squared error of the chosen lines under the network, nothing augmented."""
        totals = torch.zeros(3, dtype=torch.float64, device=machine.device)
        batches = sorted_batches(self.lines.lengths[chosen], batch_lines=64)
        for number, members in enumerate(batches):
            if number % machine.world != machine.rank:
                continue
            batch = self.make_batch(chosen[members], None).to(machine.device)
            with machine.autocast():
                y, _, _ = network(batch.seen, batch.text)
            totals += _figures(y, batch)
        nats_sum, squares, points = machine.add_up(totals).tolist()
        return WritingScore(nats_sum / len(chosen), nats_sum / points, squares / points,
                            len(chosen))  # fmt: skip

    def pictures(self, network: Network) -> dict[str, Image.Image]:
        """What the network writes, and where in the text it looks meanwhile."""
        inks: list[Ink] = []
        captions: list[str] = []
        windows: list[Image.Image] = []
        for smoothness in SMOOTHNESSES if self.texts else ():
            with np.errstate(over="ignore", invalid="ignore"):  # a young network may run away
                written = sample(
                    network, self.scaling, self.texts, smoothness=smoothness,
                    seed=self.recipe.training.seed, max_steps=self._most_steps(),
                )  # fmt: skip
            for text, (ink, window) in zip(self.texts, written, strict=True):
                how = f"smoothness {smoothness:g}, {len(window)} steps"
                inks.append(ink if np.isfinite(ink.points).all() else Ink(()))
                captions.append(f"{text} ({how})" if text else how)
                if text and smoothness == WINDOW_SMOOTHNESS:
                    windows.append(window_picture(window, text))
        sheets = {"epoch": contact_sheet(inks, captions, columns=1)} if inks else {}
        return sheets | ({"window": _stacked(windows)} if windows else {})

    def _most_steps(self) -> int:
        if not self.config.reads_text:
            return STEPS_WITHOUT_TEXT
        train_lines = self.lines.where("train")
        n_characters = sum(len(self.lines.texts[i]) for i in train_lines)
        pace = n_characters / max(1, int(self.lines.lengths[train_lines].sum()))
        return max(step_budget(text, pace) for text in self.texts)


def stray(phi: Tensor, batch: Batch) -> Tensor:
    """How far beyond `GUIDE_REACH` the window is from the linear pace, (steps, lines).

    The window's place is the mean of u under phi (eq. 46); the pace is that of a line whose
    characters all take equally many points.
    """
    assert batch.text is not None
    u = torch.arange(1, phi.shape[-1] + 1, device=phi.device, dtype=phi.dtype)
    place = (phi * u).sum(-1) / (phi.sum(-1) + 1e-6)
    t = torch.arange(1, phi.shape[0] + 1, device=phi.device, dtype=phi.dtype)[:, None]
    pace = t / batch.mask.sum(0) * batch.text.mask.sum(-1)
    return ((place - pace).abs() - GUIDE_REACH).clamp(min=0.0)


def _figures(y: Mixture, batch: Batch) -> Tensor:
    """Nats, squared error of the expected offset, and points, each summed over the batch."""
    error = ((y.mean - batch.offsets) ** 2).sum(-1)
    loss = nats(batch.offsets, batch.pen, y)
    sums = [(x * batch.mask).double().sum() for x in (loss, error, torch.ones_like(error))]
    return torch.stack(sums)


def _writable(texts: Sequence[str], alphabet: str) -> list[str]:
    """The texts that the alphabet can spell; without an alphabet, as many empty ones."""
    if not alphabet:
        return [""] * len(texts)
    found = []
    for text in texts:
        try:
            found.append(spelled(text, alphabet))
        except BadData:
            continue  # nothing is lost but a picture
    return found


def _stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """The pictures below each other."""
    width = max(picture.width for picture in pictures)
    stack = blank(width, sum(picture.height for picture in pictures))
    top = 0
    for picture in pictures:
        stack.paste(picture, (0, top))
        top += picture.height
    return stack
