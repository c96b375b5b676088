"""Training: it learns, it goes on exactly where it was, and it never goes on with nonsense."""

import errno
import json
import os
import random
import shutil
import signal
import socket
import time

import numpy as np
import pytest
import tiny
import torch

from handwriter.errors import BadData, TrainingFailed
from handwriter.ink import Line
from handwriter.training import checkpoint as checkpoints
from handwriter.training.batches import make_batch
from handwriter.training.checkpoint import BEST, LAST, PREVIOUS, load_checkpoint
from handwriter.training.lines import Lines
from handwriter.training.network import nats
from handwriter.training.recipe import InkConfig
from handwriter.training.train import Epoch, Trainer, Update, train
from handwriter.training.writing import stray

EACH_UPDATE = 0.0  # minutes between checkpoints

TRAIN_IN_PROCESS = """
import json, sys, pathlib, tiny
from handwriter.training.train import Update, train
run = pathlib.Path(sys.argv[1])
with (run / "updates").open("a") as log:
    task = tiny.task(tiny.recipe(epochs=40))
    for event in train(task, run, tiny.CPU, checkpoint_minutes=0):
        if isinstance(event, Update):
            figures = [event.update, event.loss, event.gradient_norm]
            print(json.dumps(figures), file=log, flush=True)
"""

TRAIN_TOGETHER = """
import sys, pathlib, tiny, torch
import torch.distributed as dist
from handwriter.training.machine import this_machine
from handwriter.training.train import Trainer
machine = this_machine("fp32")
trainer = Trainer(tiny.task(tiny.recipe(batch_lines=5)), machine)
gradients = []
for chosen in trainer.order():
    trainer.step(chosen)
    gradients.append([p.grad.clone() for p in trainer.network.parameters()])
score = trainer.end_epoch().score
torch.save((gradients, list(trainer.network.state_dict().values()), score.nats_a_line),
           pathlib.Path(sys.argv[1]) / str(machine.rank))
dist.destroy_process_group()
"""


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """As in the processes that these tests start: sums come in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """A run that was never stopped: its folder and what it told."""
    run = tmp_path_factory.mktemp("never-stopped")
    return run, finish(run)


def finish(run, recipe=None, lines=None, minutes=EACH_UPDATE):
    return list(train(tiny.task(recipe, lines), run, tiny.CPU, checkpoint_minutes=minutes))


def stop_after(run, n_events, recipe=None, lines=None, minutes=EACH_UPDATE):
    events = train(tiny.task(recipe, lines), run, tiny.CPU, checkpoint_minutes=minutes)
    return [next(events) for _ in range(n_events)]


def figures(events):
    """What happened, without how long it took."""
    return [
        (e.update, e.loss, e.gradient_norm, e.learning_rate)
        if isinstance(e, Update)
        else (e.epoch, e.score, e.is_best)
        for e in events
    ]


def same_tensors(run, other):
    ours, theirs = (load_checkpoint(folder / LAST).tensors for folder in (run, other))
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def steps_with_nan_in(line):
    """`Lines.steps`, but one offset of that line is no number."""
    steps = Lines.steps

    def broken(lines, i):
        found = steps(lines, i)
        found[3, 0] = np.nan if i == line else found[3, 0]
        return found

    return broken


# --- It learns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "training"),
    [
        ({}, {"learning_rate": 0.02}),
        ({"peepholes": True, "end_token": False},
         {"optimizer": "rmsprop", "learning_rate": 3e-3, "clip_gates": 10.0, "clip_outputs": 100.0,
          "clip_norm": 0.0, "loss_per": "line", "schedule": "constant"}),
        ({"alphabet": ""}, {"learning_rate": 0.02}),
    ],
    ids=["ours", "the paper's", "prediction"],
)  # fmt: skip
def test_a_batch_seen_again_and_again_is_learnt(network, training):
    still = {"slant": 0.0, "size": 0.0, "width": 0.0, "pen_noise": 0.0}
    recipe = tiny.recipe(network | {"cells": 24, "layers": 1}, still, epochs=100, **training)
    trainer = Trainer(tiny.task(recipe, tiny.lines(4, 1)), tiny.CPU)
    losses = [trainer.step(np.arange(4)).loss for _ in range(100)]
    assert losses[-1] < losses[0] - 1.0


def test_validation_judges_the_running_average():
    trainer = Trainer(tiny.task(tiny.recipe(average=0.9)), tiny.CPU)
    for chosen in trainer.order():
        trainer.step(chosen)
    averaged = trainer.averaged().state_dict()
    assert not torch.equal(averaged["output.bias"], trainer.network.output.bias)
    assert torch.equal(averaged["output.bias"], trainer.average["output.bias"])
    assert trainer.end_epoch().network.state_dict().keys() == averaged.keys()


def test_without_an_average_the_weights_themselves_are_judged():
    trainer = Trainer(tiny.task(tiny.recipe(average=0.0)), tiny.CPU)
    trainer.step(trainer.order()[0])
    for name, value in trainer.averaged().state_dict().items():
        assert torch.equal(value, trainer.network.state_dict()[name])


def test_validation_is_the_loss_line_by_line():
    task = tiny.task()
    lines, network = task.lines, task.build()
    chosen = lines.where("validation")
    score = task.evaluate(network, chosen, tiny.CPU)
    losses, squares, points = [], [], 0
    for i in chosen:
        batch = make_batch(lines, np.array([i]), task.scaling, task.config, InkConfig(), None)
        y, _, _ = network(batch.seen, batch.text)
        n = batch.n_points
        losses.append(nats(batch.offsets, batch.pen, y)[:n].sum().item())
        squares.append(((y.mean - batch.offsets) ** 2)[:n].sum().item())
        points += n
    assert score.lines == len(chosen)
    assert score.nats_a_line == pytest.approx(np.mean(losses), rel=1e-5)
    assert score.nats_a_point == pytest.approx(sum(losses) / points, rel=1e-5)
    assert score.squared_error_a_point == pytest.approx(sum(squares) / points, rel=1e-5)


def test_a_run_without_progress_stops_after_its_patience(tmp_path):
    recipe = tiny.recipe(epochs=50, learning_rate=1e-12, average=0.0, patience=2)
    epochs = [e for e in finish(tmp_path, recipe) if isinstance(e, Epoch)]
    assert len(epochs) < 50
    assert [e.is_best for e in epochs[-2:]] == [False, False]


# --- Gradients ----------------------------------------------------------------------------------


def test_the_gradient_is_that_of_the_mean_loss():
    trainer = Trainer(tiny.task(tiny.recipe(window_guide=0.0, loss_per="point")), tiny.CPU)
    chosen = trainer.order()[0]
    trainer._gradients(chosen)
    found = [p.grad.clone() for p in trainer.network.parameters()]
    trainer.network.zero_grad()
    batch = trainer.task.make_batch(chosen, (1, 0))
    y, _, _ = trainer.network(batch.seen, batch.text)
    ((nats(batch.offsets, batch.pen, y) * batch.mask).sum() / batch.n_points).backward()
    for ours, parameter in zip(found, trainer.network.parameters(), strict=True):
        torch.testing.assert_close(ours, parameter.grad)


def test_the_norm_of_the_gradient_is_bounded_and_told_as_it_was():
    trainer = Trainer(tiny.task(tiny.recipe(clip_norm=1e-3)), tiny.CPU)
    update = trainer.step(trainer.order()[0])
    assert update.gradient_norm > 1e-3
    assert trainer._gradient_norm() == pytest.approx(1e-3, rel=1e-4)


def test_derivatives_at_the_outputs_are_bounded_before_the_mixture():
    trainer = Trainer(tiny.task(), tiny.CPU)
    batch = trainer.task.make_batch(trainer.order()[0], None)
    bias = trainer.network.output.bias
    for bound in (0.0, 1e-3):
        trainer.network.zero_grad()
        y, _, _ = trainer.network(batch.seen, batch.text, clip_outputs=bound)
        (nats(batch.offsets, batch.pen, y) * batch.mask).sum().backward()
        assert bool((bias.grad.abs() <= 1e-3 * batch.n_points + 1e-9).all()) == bool(bound)


def test_the_window_is_guided_only_in_the_first_half():
    trainer = Trainer(tiny.task(tiny.recipe(window_guide=1.0, epochs=4)), tiny.CPU)
    batch = trainer.task.make_batch(trainer.order()[0], None)
    phi = torch.zeros(*batch.mask.shape, batch.text.mask.shape[1])
    phi[..., 0] = 1.0
    batch = batch.__class__(**{**vars(batch), "text": batch.text._replace(mask=torch.ones(4, 40))})
    weights = [float(trainer.task.guide(batch, phi, share)) for share in (0, 0.25, 0.5, 0.99)]
    assert weights[0] == pytest.approx(2 * weights[1])
    assert weights[1] > 0
    assert weights[2:] == [0.0, 0.0]


def test_a_window_within_three_characters_of_the_linear_pace_does_not_stray():
    trainer = Trainer(tiny.task(), tiny.CPU)
    batch = trainer.task.make_batch(trainer.order()[0], None)  # texts of four characters
    phi = torch.zeros(*batch.mask.shape, 4)
    phi[..., 1] = 1.0
    assert (stray(phi, batch) * batch.mask == 0).all()


# --- Stopped and started again ------------------------------------------------------------------


@pytest.mark.parametrize("n_events", [1, 3, 4, 5, 8])
def test_a_stopped_run_goes_on_with_the_same_figures(tmp_path, finished_run, n_events):
    _, told = finished_run
    before = stop_after(tmp_path, n_events)
    after = finish(tmp_path)
    expected = figures(told)
    assert figures(before) == expected[:n_events]
    overlap = len(before) + len(after) - len(told)
    assert 0 <= overlap <= 1
    assert figures(after) == expected[len(told) - len(after) :]
    assert same_tensors(tmp_path, finished_run[0])


def test_a_run_that_is_asked_to_stop_saves_first(tmp_path, finished_run):
    told = list(train(tiny.task(), tmp_path, tiny.CPU, checkpoint_minutes=1.0, stop=lambda: True))
    assert [event.update for event in told] == [1]
    assert load_checkpoint(tmp_path / LAST).header["update"] == 1
    finish(tmp_path)
    assert same_tensors(tmp_path, finished_run[0])


def test_a_finished_run_has_nothing_left_to_do(tmp_path, finished_run):
    run, _ = finished_run
    again = shutil.copytree(run, tmp_path / "again")
    assert finish(again) == []


def test_the_best_epoch_has_a_checkpoint_of_its_own(finished_run):
    run, told = finished_run
    best = [e for e in told if isinstance(e, Epoch) and e.is_best][-1]
    header = load_checkpoint(run / BEST).header
    assert header["best_loss"] == best.score.loss
    assert header["update"] == best.update


def updates_in(run):
    """What the process has told so far; a line that it was killed in is left out."""
    log = run / "updates"
    text = log.read_text() if log.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def kill_after(run, n_updates, seconds):
    """Train in a process and kill it outright, somewhere after so many more updates."""
    known = len(updates_in(run))
    process = tiny.python(TRAIN_IN_PROCESS, run)
    try:
        while len(updates_in(run)) < known + n_updates:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.002)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_a_run_killed_at_any_moment_goes_on_as_if_never_stopped(tmp_path):
    never_stopped, killed = tmp_path / "never-stopped", tmp_path / "killed"
    killed.mkdir()
    told = finish(never_stopped, tiny.recipe(epochs=40), minutes=1.0)
    for n_updates in (2, 7):
        kill_after(killed, n_updates, seconds=random.uniform(0.0, 0.02))
    process = tiny.python(TRAIN_IN_PROCESS, killed)
    _, errors = process.communicate()
    assert process.returncode == 0, errors

    truth = {e.update: [e.loss, e.gradient_norm] for e in told if isinstance(e, Update)}
    seen = updates_in(killed)
    assert {update for update, *_ in seen} == truth.keys()
    for update, *values in seen:  # those that were made twice, twice
        assert values == truth[update], f"update {update}"
    assert same_tensors(killed, never_stopped)


def test_a_full_disk_stops_the_run_and_keeps_the_last_checkpoint(
    tmp_path, finished_run, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    stop_after(tmp_path, 3)
    with monkeypatch.context() as disk:
        disk.setattr(checkpoints, "save", full)
        with pytest.raises(TrainingFailed, match="No space left"):
            finish(tmp_path)
    finish(tmp_path)
    assert same_tensors(tmp_path, finished_run[0])


def test_a_truncated_checkpoint_is_refused_and_without_it_the_run_goes_on(tmp_path, finished_run):
    stop_after(tmp_path, 4)
    damaged = tmp_path / LAST
    damaged.write_bytes(damaged.read_bytes()[:-50])
    with pytest.raises(TrainingFailed, match=r"last\.safetensors cannot be read .* remove it"):
        finish(tmp_path)
    damaged.unlink()
    held = load_checkpoint(tmp_path / PREVIOUS).header["update"]
    assert finish(tmp_path)[0].update == held + 1
    assert same_tensors(tmp_path, finished_run[0])


def test_a_changed_recipe_is_refused_and_the_change_named(tmp_path):
    stop_after(tmp_path, 2)
    with pytest.raises(TrainingFailed) as caught:
        finish(tmp_path, tiny.recipe({"cells": 7}, epochs=5))
    assert "network.cells was 6, is 7; training.epochs was 2, is 5" in str(caught.value)


def test_changed_lines_are_refused(tmp_path):
    stop_after(tmp_path, 2)
    with pytest.raises(TrainingFailed, match="other lines"):
        finish(tmp_path, lines=tiny.lines(seed=1))


# --- Bad input ----------------------------------------------------------------------------------


def test_a_number_that_is_none_stops_the_run_and_names_the_lines(tmp_path, monkeypatch):
    trainer = Trainer(tiny.task(), tiny.CPU)
    weights = {k: v.clone() for k, v in trainer.network.state_dict().items()}
    chosen = trainer.order()[0]
    monkeypatch.setattr(Lines, "steps", steps_with_nan_in(chosen[1]))
    with pytest.raises(TrainingFailed, match="not a number at update 1") as caught:
        trainer.step(chosen)
    for line in chosen:
        assert f"train/{line}" in str(caught.value)
    assert all(torch.equal(weights[k], v) for k, v in trainer.network.state_dict().items())


def test_a_validation_that_is_no_number_stops_the_run(monkeypatch):
    trainer = Trainer(tiny.task(), tiny.CPU)
    line = trainer.lines.where("validation")[0]
    monkeypatch.setattr(Lines, "steps", steps_with_nan_in(line))
    with pytest.raises(TrainingFailed, match="validation loss is not a number after epoch 1"):
        trainer.end_epoch()


@pytest.mark.parametrize("counts", [(0, 3), (3, 0)])
def test_lines_to_train_on_and_to_validate_with_are_both_needed(tmp_path, counts):
    with pytest.raises(TrainingFailed, match="lines to train on and lines to validate"):
        finish(tmp_path, lines=tiny.lines(*counts))


def test_lines_of_the_other_preparation_are_refused(tmp_path):
    with pytest.raises(TrainingFailed, match="wants lines prepared as 'default'"):
        finish(tmp_path, lines=tiny.lines(recipe="graves2013"))


@pytest.mark.parametrize(("text", "named"), [("aéb", "'é'"), ("", "no text")])
def test_a_text_that_cannot_be_learnt_is_named_before_the_run_begins(tmp_path, text, named):
    lines = tiny.lines()
    made = [lines.line(i) for i in range(len(lines))]
    made[5] = Line(made[5].ink, text, split="train", source="train/5")
    with pytest.raises(BadData, match="line train/5") as caught:
        finish(tmp_path / "run", lines=Lines.from_lines(made, "default", tiny.UNIT, {}))
    assert named in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_run_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(TrainingFailed, match="cannot make the run folder"):
        finish(tmp_path / "file")


# --- Several processes --------------------------------------------------------------------------


def test_two_processes_do_what_one_does_with_the_whole_batch(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = {"WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [tiny.python(TRAIN_TOGETHER, tmp_path, RANK=rank, **together) for rank in (0, 1)]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors

    alone = Trainer(tiny.task(tiny.recipe(batch_lines=5)), tiny.CPU)
    assert sorted(map(len, alone.order())) == [1, 5, 5]  # one process is left with nothing to do
    first, second = (torch.load(tmp_path / rank) for rank in "01")
    for update, chosen in enumerate(alone.order()):
        alone.step(chosen)
        for parameter, ours, theirs in zip(
            alone.network.parameters(), first[0][update], second[0][update], strict=True
        ):
            torch.testing.assert_close(ours, parameter.grad, atol=1e-6, rtol=1e-4)
            assert torch.equal(ours, theirs)
    for expected, ours, theirs in zip(
        alone.network.state_dict().values(), first[1], second[1], strict=True
    ):
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-4)
        assert torch.equal(ours, theirs)
    assert first[2] == second[2] == pytest.approx(alone.end_epoch().score.nats_a_line, rel=1e-4)


# --- Begun from another run ---------------------------------------------------------------------


def test_a_run_can_begin_with_the_averaged_weights_of_another(tmp_path, finished_run):
    old = finished_run[0] / LAST
    task = tiny.task(tiny.recipe(learning_rate=1e-12, average=0.0, epochs=1), tiny.lines(seed=5))
    list(train(task, tmp_path, tiny.CPU, begin_from=old))
    began, new = load_checkpoint(old), load_checkpoint(tmp_path / LAST)
    for name, value in began.group("average").items():
        torch.testing.assert_close(new.group("network")[name], value)
    (ancestor,) = new.header["lineage"]
    assert ancestor == {"recipe": "tiny", "lines": tiny.lines().digest, "updates": 6}


def test_a_run_that_has_begun_goes_on_wherever_it_began(tmp_path, finished_run):
    task = tiny.task(tiny.recipe(seed=3))
    old = finished_run[0] / LAST
    whole = list(train(task, tmp_path / "whole", tiny.CPU, begin_from=old))
    events = train(task, tmp_path / "parts", tiny.CPU, begin_from=old, checkpoint_minutes=0.0)
    before = [next(events) for _ in range(3)]
    events.close()
    after = list(train(task, tmp_path / "parts", tiny.CPU, begin_from=old))
    assert figures(before) == figures(whole)[:3]
    assert figures(after) == figures(whole)[-len(after) :]
    assert same_tensors(tmp_path / "whole", tmp_path / "parts")


def test_a_run_does_not_begin_with_another_network(tmp_path, finished_run):
    old = finished_run[0] / LAST
    with pytest.raises(TrainingFailed, match=r"network\.cells was 6, is 7"):
        list(train(tiny.task(tiny.recipe({"cells": 7})), tmp_path, tiny.CPU, begin_from=old))
    with pytest.raises(TrainingFailed, match="holds another network"):
        list(train(tiny.task(tiny.reader_recipe()), tmp_path, tiny.CPU, begin_from=old))
