"""The training loop: one straight path from a recipe and a lines file to checkpoints.

`train` is a generator of what happened, so that the caller draws the progress bar and may stop
at any time.  All that a run knows lives in its folder: the two last checkpoints, the best one
and the journal.  Starting the same run again continues it, with the same losses as if it had
never been stopped: batches and their noise follow from seed, epoch, update and line alone, and
the rest is in the checkpoint.

Several processes (torchrun) each take every n-th line of a batch; their gradients are added.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from handwriter.errors import BadData, TrainingFailed
from handwriter.training.batches import batch_order, spelled
from handwriter.training.checkpoint import (
    BEST,
    LAST,
    PREVIOUS,
    Checkpoint,
    load_checkpoint,
    newest_checkpoint,
    save_checkpoint,
)
from handwriter.training.lines import Lines
from handwriter.training.machine import Machine, give_back_memory
from handwriter.training.optimizer import (
    learning_rate,
    make_optimizers,
    optimizer_tensors,
    restore_optimizers,
)
from handwriter.training.recipe import Recipe, differences
from handwriter.training.sampling import drawn, expected_draws


class Moment(NamedTuple):
    """When in a run: the updates that are done, and their share of all the run's updates."""

    update: int
    share: float


class Losses(NamedTuple):
    """A batch's summed nats, its size in the task's unit, and penalties."""

    nats: Tensor
    size: Tensor
    penalty: Tensor | float


class Score(Protocol):
    """What validation says: a dataclass of figures, of which `loss` is to fall."""

    @property
    def loss(self) -> float: ...

    @property
    def lines(self) -> int: ...


class Task(Protocol):
    """What a run learns, by a recipe, from lines: `writing.Writing` or `reading.Reading`."""

    recipe: Recipe
    lines: Lines
    unit: str  # what a batch's size is counted in

    @property
    def train_lines(self) -> Any:
        """The numbers of the lines to train on: those of the split that can be learned from."""

    def build(self) -> Any:
        """A new network, its weights drawn from torch's random state."""

    def header(self) -> dict[str, Any]:
        """What a checkpoint must tell besides the recipe."""

    def losses(self, network: Any, chosen: Any, moment: Moment, machine: Machine) -> Losses:
        """The loss of the lines numbered `chosen`, augmented as they are at that moment."""

    def evaluate(self, network: Any, chosen: Any, machine: Machine) -> Score:
        """The figures of the chosen lines, nothing augmented; all processes take part."""

    def pictures(self, network: Any) -> dict[str, Image.Image]:
        """What a person should look at after an epoch, by name."""


@dataclass(frozen=True)
class Update:
    """One step of the optimizer: where the run is, and the batch's figures.

    `epoch` and `update` count from 1.  `loss` is in nats a unit of the task; `points` are the
    pen's, as they stand in the lines file.
    """

    epoch: int
    update: int
    of_updates: int
    loss: float
    gradient_norm: float
    learning_rate: float
    points: int
    points_a_second: float


@dataclass(frozen=True, eq=False)
class Epoch:
    """The end of an epoch: its validation, and the network that was validated.

    `epoch` counts from 1; `update` is the last of the epoch.
    """

    epoch: int
    update: int
    score: Score
    is_best: bool
    network: Any


class Trainer:
    """The state of a run: network, running average, optimizer, and how far it has come."""

    def __init__(self, task: Task, machine: Machine) -> None:
        self.task, self.machine = task, machine
        self.recipe, self.lines = recipe, lines = task.recipe, task.lines
        torch.manual_seed(recipe.training.seed)
        self.network: nn.Module = task.build().to(machine.device)
        self.average = {k: v.detach().clone() for k, v in self.network.named_parameters()}
        self.optimizers = make_optimizers(self.network.parameters(), recipe.training)
        self.train_lines = task.train_lines
        self.draws = expected_draws(
            [lines.texts[i] for i in self.train_lines],
            [lines.sources[i] for i in self.train_lines],
            recipe.sampling,
        )
        self.epoch = self.batch = self.update = self.worse_epochs = 0
        self.best_loss = math.inf
        self.lineage: list[dict[str, Any]] = []  # the runs whose weights this one began from
        n_batches = len(self.order())
        self.of_updates = n_batches * recipe.training.epochs

    def order(self) -> list[Any]:
        """This epoch's batches, as numbers of lines."""
        training = self.recipe.training
        epoch = self.train_lines[drawn(self.draws, training.seed, self.epoch)]
        lengths = self.lines.lengths[epoch]
        return [
            epoch[chosen]
            for chosen in batch_order(lengths, training.batch_lines, training.seed, self.epoch)
        ]

    # --- one update ---------------------------------------------------------------------------

    def step(self, chosen: Any) -> Update:
        """One update on the lines `chosen`; raises TrainingFailed, naming them, on NaN."""
        training, begun = self.recipe.training, time.perf_counter()
        rate = learning_rate(self.update, self.of_updates, training)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=False)
        total, size = self._gradients(chosen)
        norm = self._gradient_norm()
        if not (math.isfinite(total) and math.isfinite(norm)):
            names = ", ".join(self.lines.sources[i] for i in chosen)
            raise TrainingFailed(
                f"loss or gradient is not a number at update {self.update + 1}, with the lines "
                f"{names}; the last checkpoint is from before: lower learning_rate or drop them"
            )
        if training.clip_norm and norm > training.clip_norm:
            for parameter in self.network.parameters():
                if parameter.grad is not None:
                    parameter.grad.mul_(training.clip_norm / norm)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        self.update += 1
        self.batch += 1
        self._follow()
        seconds = time.perf_counter() - begun
        points = int(self.lines.lengths[chosen].sum())
        return Update(self.epoch + 1, self.update, self.of_updates, total / size, norm, rate,
                      points, points / seconds)  # fmt: skip

    def _gradients(self, chosen: Any) -> tuple[float, float]:
        """Leaves the batch's gradient in the parameters; returns its nats and its size."""
        machine, training = self.machine, self.recipe.training
        mine = chosen[machine.rank :: machine.world]
        totals = torch.zeros(2, dtype=torch.float64, device=machine.device)
        if len(mine):
            self._reseed_dropout()
            losses = self.task.losses(self.network, mine, self._moment(), machine)
            totals += torch.stack([losses.nats.detach().double(), losses.size.double()])
            (losses.nats + losses.penalty).backward()  # type: ignore[no-untyped-call]
        machine.add_up(totals)
        nats, size = totals.tolist()
        share = 1.0 / (size if training.loss_per == "point" else len(chosen))
        for parameter in self.network.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            machine.add_up(parameter.grad).mul_(share)
        return nats, size

    def _moment(self) -> Moment:
        return Moment(self.update, self.update / self.of_updates)

    def _reseed_dropout(self) -> None:
        """Whatever a network draws follows from the update alone, so that a run can go on."""
        sequence = np.random.SeedSequence(
            [self.recipe.training.seed, self.update, self.machine.rank]
        )
        torch.manual_seed(int(sequence.generate_state(1)[0]))

    def _gradient_norm(self) -> float:
        norms = [p.grad.norm() for p in self.network.parameters() if p.grad is not None]
        return float(torch.stack(norms).norm())

    def _follow(self) -> None:
        """Let the running average follow the weights; early on it follows faster."""
        decay = min(self.recipe.training.average, (1 + self.update) / (10 + self.update))
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                self.average[name].lerp_(parameter, 1 - decay)

    # --- one epoch's end ----------------------------------------------------------------------

    def averaged(self) -> nn.Module:
        """A network with the running average of the weights, or the weights where there is none."""
        network: nn.Module = self.task.build().to(self.machine.device)
        source = self.average if self.recipe.training.average else self.network.state_dict()
        network.load_state_dict(source)
        return network.eval()

    def end_epoch(self) -> Epoch:
        """Validate, remember the best, and turn to the next epoch."""
        network = self.averaged()
        chosen = self.lines.where("validation")
        if limit := self.recipe.training.validation_lines:
            chosen = chosen[:: max(1, len(chosen) // limit)][:limit]
        score = self.task.evaluate(network, chosen, self.machine)
        if not math.isfinite(score.loss):
            raise TrainingFailed(
                f"the validation loss is not a number after epoch {self.epoch + 1}; the last "
                "checkpoint is from before: lower learning_rate"
            )
        is_best = score.loss < self.best_loss
        self.best_loss = min(self.best_loss, score.loss)
        self.worse_epochs = 0 if is_best else self.worse_epochs + 1
        self.epoch, self.batch = self.epoch + 1, 0
        return Epoch(self.epoch, self.update, score, is_best, network)

    @property
    def is_done(self) -> bool:
        training = self.recipe.training
        tired = bool(training.patience) and self.worse_epochs >= training.patience
        return self.epoch >= training.epochs or tired

    # --- checkpoints --------------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        tensors = {f"network/{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average/{k}": v for k, v in self.average.items()}
        tensors |= {f"optimizer/{k}": v for k, v in optimizer_tensors(self.optimizers).items()}
        header = {
            "recipe": self.recipe.to_dict(),
            "lines": self.lines.digest,
            **self.task.header(),
            "precision": self.machine.precision,
            "torch": torch.__version__,
            "lineage": self.lineage,
            **{name: getattr(self, name) for name in _PROGRESS},
        }
        return Checkpoint(tensors, header)

    def begin_from(self, checkpoint: Checkpoint, path: Path) -> None:
        """Begin a new run with the weights, averaged where there is an average, of another one.

        Raises TrainingFailed where its network is of another shape.
        """
        theirs, ours = checkpoint.header["recipe"], self.recipe.to_dict()
        kind = self.recipe.kind
        changed = differences({kind: theirs.get(kind, {})}, {kind: ours[kind]})
        if changed or kind not in theirs:
            raise TrainingFailed(
                f"{path} holds another network than the recipe's ({changed}); give a recipe with "
                "the same one, or begin without --from"
            )
        has_average = theirs["training"]["average"]
        self.network.load_state_dict(checkpoint.group("average" if has_average else "network"))
        self.average = {k: v.detach().clone() for k, v in self.network.named_parameters()}
        self.lineage = [
            *checkpoint.header.get("lineage", []),
            {
                "recipe": theirs["name"],
                "lines": checkpoint.header["lines"],
                "updates": checkpoint.header["update"],
            },
        ]

    def restore(self, checkpoint: Checkpoint, path: Path) -> None:
        """Go on from a checkpoint; raises TrainingFailed where recipe or lines have changed."""
        header = checkpoint.header
        if header["lines"] != self.lines.digest:
            raise TrainingFailed(
                f"{path} was trained on other lines than the file given; give that one, "
                "or another --run folder to begin anew"
            )
        if header["precision"] != self.machine.precision:
            raise TrainingFailed(
                f"{path} was trained in {header['precision']}, this run would go on in "
                f"{self.machine.precision}; give --precision {header['precision']}"
            )
        if changed := differences(header["recipe"], self.recipe.to_dict()):
            raise TrainingFailed(
                f"the recipe has changed since {path} was written ({changed}); change it back, "
                "or give another --run folder to begin anew"
            )
        self.network.load_state_dict(checkpoint.group("network"))
        self.average = {
            k: v.to(self.machine.device) for k, v in checkpoint.group("average").items()
        }
        restore_optimizers(self.optimizers, checkpoint.group("optimizer"))
        self.lineage = header.get("lineage", [])
        for name in _PROGRESS:
            setattr(self, name, header[name])


_PROGRESS = ("epoch", "batch", "update", "worse_epochs", "best_loss")


def train(
    task: Task,
    run: Path,
    machine: Machine,
    *,
    begin_from: Path | None = None,
    load: Callable[[Path], Checkpoint] = load_checkpoint,
    checkpoint_minutes: float = 3.0,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Update | Epoch]:
    """Train in the folder `run`, from its newest checkpoint if it has one; yields what happens.

    A run that has none begins with the weights of `begin_from`, if it is given, as `load` reads it.
    `stop` is asked after each update; when it says yes, the run is saved and left.
    Raises TrainingFailed where the run cannot begin or go on.
    """
    check_lines(task.recipe, task.lines)
    trainer = Trainer(task, machine)
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingFailed(f"cannot make the run folder {run} ({error.strerror})") from None
    if path := newest_checkpoint(run):
        trainer.restore(load_checkpoint(path), path)
    elif begin_from:
        trainer.begin_from(load(begin_from), begin_from)
    saved = time.monotonic()
    while not trainer.is_done:
        for chosen in trainer.order()[trainer.batch :]:
            yield trainer.step(chosen)
            stopping = stop()
            if stopping or time.monotonic() - saved > checkpoint_minutes * 60:
                save_run(trainer, run)
                give_back_memory()
                saved = time.monotonic()
            if stopping:
                return
        epoch = trainer.end_epoch()
        # Told before it is saved: killed in between, the run tells it again, rather than never.
        yield epoch
        save_run(trainer, run, best=epoch.is_best)
        saved = time.monotonic()


def n_left_out(task: Task) -> int:
    """How many lines of the train split the task cannot learn from."""
    return len(task.lines.where("train")) - len(task.train_lines)


def check_lines(recipe: Recipe, lines: Lines) -> None:
    """Raise TrainingFailed or BadData where these lines cannot be trained on by that recipe."""
    if not len(lines.where("train")) or not len(lines.where("validation")):
        raise TrainingFailed("the lines file needs lines to train on and lines to validate with")
    if recipe.ink.prepared != lines.recipe:
        raise TrainingFailed(
            f"recipe {recipe.name!r} wants lines prepared as {recipe.ink.prepared!r}, these are "
            f"{lines.recipe!r}; run `handwriter prepare --recipe {recipe.ink.prepared}`"
        )
    if not recipe.network.alphabet:
        return
    for text, source in zip(lines.texts, lines.sources, strict=True):
        if not text:
            raise BadData(f"line {source} has no text to learn it by; prepare the lines again")
        try:
            spelled(text, recipe.network.alphabet)
        except BadData as error:
            raise BadData(f"line {source}: {error}") from None


def save_run(trainer: Trainer, run: Path, *, best: bool = False) -> None:
    """Write the checkpoint, keeping the one before; the first of several processes does it."""
    if trainer.machine.rank:
        return
    checkpoint = trainer.checkpoint()
    # The best one first: a run killed in between goes on from the one before and writes it again.
    if best:
        save_checkpoint(checkpoint, run / BEST)
    save_checkpoint(checkpoint, run / LAST, keep=run / PREVIOUS)
