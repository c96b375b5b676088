"""The training loop: one straight path from a recipe and a lines file to checkpoints.

`train` is a generator of what happened, so that the caller draws the progress bar and may stop
at any time.  All that a run knows lives in its folder: the two last checkpoints, the best one
and the journal.  Starting the same run again continues it, with the same losses as if it had
never been stopped: batches and their noise follow from (seed, epoch, line) alone, and the rest is
in the checkpoint.

Several processes (torchrun) each take every n-th line of a batch; their gradients are added.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from handwriter.errors import BadData, TrainingFailed
from handwriter.training.batches import (
    Batch,
    Scaling,
    batch_order,
    make_batch,
    sorted_batches,
    spelled,
)
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
from handwriter.training.network import Mixture, Network, NetworkConfig, nats
from handwriter.training.optimizer import (
    learning_rate,
    make_optimizer,
    optimizer_tensors,
    restore_optimizer,
)
from handwriter.training.recipe import InkConfig, Recipe, TrainingConfig

_UNCHANGED = InkConfig()
GUIDE_REACH = 3.0  # characters that the window may be away from the linear pace, unpunished


@dataclass(frozen=True)
class Update:
    """One step of the optimizer: where the run is, and the batch's figures.

    `epoch` and `update` count from 1.
    """

    epoch: int
    update: int
    of_updates: int
    nats_a_point: float
    gradient_norm: float
    learning_rate: float
    points: int
    points_a_second: float


@dataclass(frozen=True)
class Score:
    """What validation says, in normalised units: the paper's two figures, and nats a point."""

    nats_a_line: float
    nats_a_point: float
    squared_error_a_point: float
    lines: int


@dataclass(frozen=True, eq=False)
class Epoch:
    """The end of an epoch: its validation, and the network that was validated.

    `epoch` counts from 1; `update` is the last of the epoch.
    """

    epoch: int
    update: int
    score: Score
    is_best: bool
    network: Network
    scaling: Scaling


@dataclass(frozen=True)
class Machine:
    """Where a run computes: `precision` is "fp32" or "bf16"; one of `world` equal processes."""

    device: torch.device
    precision: str = "fp32"
    rank: int = 0
    world: int = 1

    def autocast(self) -> torch.autocast:
        enabled = self.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)

    def add_up(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def any(self, here: bool) -> bool:
        """Whether it is so in any of the processes, so that all do the same."""
        if self.world == 1:
            return here
        return bool(self.add_up(torch.tensor(float(here), device=self.device)) > 0)


def this_machine(precision: str = "auto") -> Machine:
    """The GPU if there is one, and this process's place among those that torchrun started.

    "auto" is bf16 where the processor multiplies it natively, fp32 elsewhere.
    """
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
        native = torch.cuda.is_bf16_supported()
    else:
        device = torch.device("cpu")
        native = bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if precision == "auto":
        precision = "bf16" if native else "fp32"
    return Machine(device, precision, rank, world)


def leave_machine() -> None:
    """Take leave of the other processes that torchrun started, if there are any."""
    if dist.is_initialized():
        dist.destroy_process_group()


class Trainer:
    """The state of a run: network, running average, optimizer, and how far it has come."""

    def __init__(self, recipe: Recipe, lines: Lines, machine: Machine) -> None:
        self.recipe, self.lines, self.machine = recipe, lines, machine
        self.scaling = Scaling.of(lines)
        torch.manual_seed(recipe.training.seed)
        self.network = Network(recipe.network).to(machine.device)
        self.average = {k: v.detach().clone() for k, v in self.network.named_parameters()}
        self.optimizer = make_optimizer(self.network.parameters(), recipe.training)
        self.train_lines = lines.where("train")
        self.epoch = self.batch = self.update = self.worse_epochs = 0
        self.best_nats = math.inf
        n_batches = len(self.order())
        self.of_updates = n_batches * recipe.training.epochs

    def order(self) -> list[Any]:
        """This epoch's batches, as numbers of lines."""
        lengths = self.lines.lengths[self.train_lines]
        training = self.recipe.training
        return [
            self.train_lines[chosen]
            for chosen in batch_order(lengths, training.batch_lines, training.seed, self.epoch)
        ]

    # --- one update ---------------------------------------------------------------------------

    def step(self, chosen: Any) -> Update:
        """One update on the lines `chosen`; raises TrainingFailed, naming them, on NaN."""
        training, begun = self.recipe.training, time.perf_counter()
        rate = learning_rate(self.update, self.of_updates, training)
        self.optimizer.zero_grad(set_to_none=False)
        total, points = self._gradients(chosen)
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
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.update += 1
        self.batch += 1
        self._follow()
        seconds = time.perf_counter() - begun
        return Update(self.epoch + 1, self.update, self.of_updates, total / points, norm, rate,
                      points, points / seconds)  # fmt: skip

    def _gradients(self, chosen: Any) -> tuple[float, int]:
        """Leaves the batch's gradient in the parameters; returns its nats and points."""
        machine, training = self.machine, self.recipe.training
        mine = chosen[machine.rank :: machine.world]
        totals = torch.zeros(2, dtype=torch.float64, device=machine.device)
        if len(mine):
            batch = self.make_batch(mine, augment=True)
            with machine.autocast():
                y, phi, _ = self.network(
                    batch.seen, batch.text,
                    clip=training.clip_gates, clip_outputs=training.clip_outputs,
                )  # fmt: skip
            loss = (nats(batch.offsets, batch.pen, y) * batch.mask).sum()
            totals += torch.stack([loss.detach().double(), batch.mask.sum().double()])
            (loss + self._guide(batch, phi)).backward()  # type: ignore[no-untyped-call]
        machine.add_up(totals)
        nats_of_batch, points = totals.tolist()
        share = 1.0 / (points if training.loss_per == "point" else len(chosen))
        for parameter in self.network.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            machine.add_up(parameter.grad).mul_(share)
        return nats_of_batch, int(points)

    def _guide(self, batch: Batch, phi: Tensor) -> Tensor | float:
        """The penalty on a window that strays from the line's linear pace, in nats of the batch."""
        weight = self.recipe.training.window_guide * (1 - 2 * self.update / self.of_updates)
        if weight <= 0 or batch.text is None:
            return 0.0
        return weight * (stray(phi, batch) ** 2 * batch.mask).sum()

    def _gradient_norm(self) -> float:
        norms = [p.grad.norm() for p in self.network.parameters() if p.grad is not None]
        return float(torch.stack(norms).norm())

    def _follow(self) -> None:
        """Let the running average follow the weights; early on it follows faster."""
        decay = min(self.recipe.training.average, (1 + self.update) / (10 + self.update))
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                self.average[name].lerp_(parameter, 1 - decay)

    def make_batch(self, chosen: Any, *, augment: bool) -> Batch:
        seed = (self.recipe.training.seed, self.epoch) if augment else None
        return make_batch(
            self.lines, chosen, self.scaling, self.recipe.network.alphabet, self.recipe.ink, seed
        ).to(self.machine.device)

    # --- one epoch's end ----------------------------------------------------------------------

    def averaged(self) -> Network:
        """A network with the running average of the weights, or the weights where there is none."""
        network = Network(self.recipe.network).to(self.machine.device)
        source = self.average if self.recipe.training.average else self.network.state_dict()
        network.load_state_dict(source)
        return network.eval()

    def end_epoch(self) -> Epoch:
        """Validate, remember the best, and turn to the next epoch."""
        network = self.averaged()
        chosen = self.lines.where("validation")
        if limit := self.recipe.training.validation_lines:
            chosen = chosen[:: max(1, len(chosen) // limit)][:limit]
        score = evaluate(network, self.lines, chosen, self.scaling, self.machine)
        if not math.isfinite(score.nats_a_line):
            raise TrainingFailed(
                f"the validation loss is not a number after epoch {self.epoch + 1}; the last "
                "checkpoint is from before: lower learning_rate"
            )
        is_best = score.nats_a_line < self.best_nats
        self.best_nats = min(self.best_nats, score.nats_a_line)
        self.worse_epochs = 0 if is_best else self.worse_epochs + 1
        self.epoch, self.batch = self.epoch + 1, 0
        return Epoch(self.epoch, self.update, score, is_best, network, self.scaling)

    @property
    def is_done(self) -> bool:
        training = self.recipe.training
        tired = bool(training.patience) and self.worse_epochs >= training.patience
        return self.epoch >= training.epochs or tired

    # --- checkpoints --------------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        tensors = {f"network/{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average/{k}": v for k, v in self.average.items()}
        tensors |= {f"optimizer/{k}": v for k, v in optimizer_tensors(self.optimizer).items()}
        header = {
            "recipe": self.recipe.to_dict(),
            "lines": self.lines.digest,
            "scaling": asdict(self.scaling),
            "precision": self.machine.precision,
            "torch": torch.__version__,
            **{name: getattr(self, name) for name in _PROGRESS},
        }
        return Checkpoint(tensors, header)

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
        if changed := _differences(header["recipe"], self.recipe.to_dict()):
            raise TrainingFailed(
                f"the recipe has changed since {path} was written ({changed}); change it back, "
                "or give another --run folder to begin anew"
            )
        self.network.load_state_dict(checkpoint.group("network"))
        self.average = {
            k: v.to(self.machine.device) for k, v in checkpoint.group("average").items()
        }
        restore_optimizer(self.optimizer, checkpoint.group("optimizer"))
        for name in _PROGRESS:
            setattr(self, name, header[name])


_PROGRESS = ("epoch", "batch", "update", "worse_epochs", "best_nats")


def train(
    recipe: Recipe,
    lines: Lines,
    run: Path,
    machine: Machine,
    *,
    checkpoint_minutes: float = 3.0,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Update | Epoch]:
    """Train in the folder `run`, from its newest checkpoint if it has one; yields what happens.

    `stop` is asked after each update; when it says yes, the run is saved and left.
    Raises TrainingFailed where the run cannot begin or go on.
    """
    check_lines(recipe, lines)
    trainer = Trainer(recipe, lines, machine)
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingFailed(f"cannot make the run folder {run} ({error.strerror})") from None
    if path := newest_checkpoint(run):
        trainer.restore(load_checkpoint(path), path)
    saved = time.monotonic()
    while not trainer.is_done:
        for chosen in trainer.order()[trainer.batch :]:
            yield trainer.step(chosen)
            stopping = stop()
            if stopping or time.monotonic() - saved > checkpoint_minutes * 60:
                save_run(trainer, run)
                saved = time.monotonic()
            if stopping:
                return
        epoch = trainer.end_epoch()
        # Told before it is saved: killed in between, the run tells it again, rather than never.
        yield epoch
        save_run(trainer, run, best=epoch.is_best)
        saved = time.monotonic()


def trained_network(checkpoint: Checkpoint, lines: Lines) -> tuple[Recipe, Network]:
    """The recipe of a checkpoint and the network to use: the running average where there is one.

    `lines` is the file that it was trained on; raises TrainingFailed where it is another.
    """
    if checkpoint.header["lines"] != lines.digest:
        raise TrainingFailed(
            "the checkpoint was trained on other lines than the file given; give that file"
        )
    recipe = Recipe.from_dict(checkpoint.header["recipe"])
    network = Network(recipe.network)
    group = "average" if recipe.training.average else "network"
    network.load_state_dict(checkpoint.group(group))
    return recipe, network.eval()


def check_lines(recipe: Recipe, lines: Lines) -> None:
    """Raise TrainingFailed or BadData where these lines cannot be trained on by that recipe."""
    if not len(lines.where("train")) or not len(lines.where("validation")):
        raise TrainingFailed("the lines file needs lines to train on and lines to validate with")
    if recipe.ink.prepared != lines.recipe:
        raise TrainingFailed(
            f"recipe {recipe.name!r} wants lines prepared as {recipe.ink.prepared!r}, these are "
            f"{lines.recipe!r}; run `handwriter prepare --recipe {recipe.ink.prepared}`"
        )
    if not recipe.network.reads_text:
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


@torch.no_grad()
def evaluate(
    network: Network, lines: Lines, chosen: Any, scaling: Scaling, machine: Machine
) -> Score:
    """Nats and squared error of the chosen lines under the network, nothing augmented."""
    totals = torch.zeros(3, dtype=torch.float64, device=machine.device)
    batches = sorted_batches(lines.lengths[chosen], batch_lines=64)
    for number, members in enumerate(batches):
        if number % machine.world != machine.rank:
            continue
        batch = make_batch(
            lines, chosen[members], scaling, network.config.alphabet, _UNCHANGED, None
        ).to(machine.device)
        with machine.autocast():
            y, _, _ = network(batch.seen, batch.text)
        totals += _figures(y, batch)
    nats_sum, squares, points = machine.add_up(totals).tolist()
    return Score(nats_sum / len(chosen), nats_sum / points, squares / points, len(chosen))


def _figures(y: Mixture, batch: Batch) -> Tensor:
    """Nats, squared error of the expected offset, and points, each summed over the batch."""
    error = ((y.mean - batch.offsets) ** 2).sum(-1)
    loss = nats(batch.offsets, batch.pen, y)
    sums = [(x * batch.mask).double().sum() for x in (loss, error, torch.ones_like(error))]
    return torch.stack(sums)


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


def _differences(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The settings that differ, as "training.epochs was 20, is 30".

    A setting that an older checkpoint does not know had its default then.
    """
    defaults = Recipe("", NetworkConfig(), InkConfig(), TrainingConfig()).to_dict()
    found = []
    for table in ("network", "ink", "training"):
        before = defaults[table] | old[table]
        for key in sorted({*before, *new[table]}):
            was, now = before.get(key), new[table].get(key)
            if was != now:
                found.append(f"{table}.{key} was {was!r}, is {now!r}")
    return "; ".join(found)
