"""One sitting at a run, as the command line asks for it."""

import json
import platform
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny

from handwriter.errors import BadOption, TrainingFailed
from handwriter.training.checkpoint import load_checkpoint, save_checkpoint
from handwriter.training.recipe import Recipe
from handwriter.training.session import evaluate_checkpoint, run_training
from handwriter.weights import load_reader_weights


class Seen:
    """A watcher that keeps what it saw."""

    def __init__(self) -> None:
        self.updates, self.epochs = [], []

    def left_out(self, n_lines):
        raise AssertionError("all of these lines can be learned from")

    def update(self, event):
        self.updates.append(event)

    def epoch(self, event):
        self.epochs.append(event)


def sit(
    run,
    *,
    precision="fp32",
    checkpoint_minutes=3.0,
    stop_after_minutes=None,
    recipe=None,
    begin_from=None,
):
    seen, recipe = Seen(), recipe or tiny.recipe()
    run_training(
        recipe, tiny.lines(), run, precision, checkpoint_minutes, stop_after_minutes, seen,
        begin_from=begin_from,
    )  # fmt: skip
    return seen


def test_a_run_cut_into_sittings_is_the_run_in_one(tmp_path):
    whole = sit(tmp_path / "whole")
    updates = []
    for _ in range(20):
        part = sit(tmp_path / "parts", stop_after_minutes=0.0)
        updates += part.updates
        if not part.updates:
            break
    assert [u.loss for u in updates] == [u.loss for u in whole.updates]
    assert len(whole.epochs) == 2


def test_a_run_goes_on_in_the_precision_that_it_began_in(tmp_path):
    sit(tmp_path, stop_after_minutes=0.0)
    with pytest.raises(TrainingFailed, match="give --precision fp32"):
        sit(tmp_path, precision="bf16")


@pytest.mark.parametrize("wrong", [{"precision": "fp64"}, {"stop_after_minutes": float("nan")}])
def test_options_that_make_no_sense_are_refused_before_anything_is_made(tmp_path, wrong):
    with pytest.raises(BadOption):
        sit(tmp_path / "run", **wrong)
    assert not (tmp_path / "run").exists()


def test_a_network_that_sees_heights_begins_as_one_that_does_not(tmp_path):
    """It writes the very same until it has learned to look at them."""
    blind, seeing = tmp_path / "blind", tmp_path / "seeing"
    sit(blind, recipe=tiny.recipe(epochs=1))
    recipe = tiny.recipe({"height": True}, epochs=1, learning_rate=1e-9, warmup=0)
    (epoch,) = sit(seeing, recipe=recipe, begin_from=blind / "last.safetensors").epochs
    for layer in epoch.network.layers:
        assert layer.input[3].abs().max() < 1e-6
    before = evaluate_checkpoint(
        load_checkpoint(blind / "last.safetensors"), tiny.lines(), "validation"
    )
    assert epoch.score.nats_a_line == pytest.approx(before.nats_a_line, rel=1e-4)
    with pytest.raises(TrainingFailed, match=r"another network.*height was True, is False"):
        sit(tmp_path / "back", begin_from=seeing / "last.safetensors")


def test_a_run_begins_with_an_installed_reader_by_its_name_and_goes_on_without_it(tmp_path):
    about = load_reader_weights("open").about
    recipe = Recipe.from_dict({"name": "more", **json.loads(about["recipe"]), "sampling": {}})
    recipe = replace(recipe, training=replace(recipe.training, validation_lines=2, batch_lines=1))
    run = tmp_path / "run"
    with pytest.raises(BadOption, match=r"no opne to begin from.*installed reader: open, research"):
        sit(run, recipe=recipe, begin_from=Path("opne"))
    assert not run.exists()
    sit(run, recipe=recipe, begin_from=Path("open"), stop_after_minutes=0.0)
    sit(run, recipe=recipe, begin_from=Path("gone"), stop_after_minutes=0.0)
    header = load_checkpoint(run / "last.safetensors").header
    assert header["update"] == 2
    assert header["lineage"][-1]["updates"] == int(about["updates"])


def test_weights_of_before_a_setting_was_known_had_its_default(tmp_path):
    sit(tmp_path / "old", stop_after_minutes=0.0)
    old = load_checkpoint(tmp_path / "old" / "last.safetensors")
    del old.header["recipe"]["network"]["height"]
    save_checkpoint(old, tmp_path / "older.safetensors")
    sit(tmp_path / "new", begin_from=tmp_path / "older.safetensors", stop_after_minutes=0.0)
    new = load_checkpoint(tmp_path / "new" / "last.safetensors")
    assert [entry["updates"] for entry in new.header["lineage"]] == [1]


def test_a_checkpoint_judged_again_gives_the_figures_of_its_epoch(tmp_path):
    best = min((e.score for e in sit(tmp_path).epochs), key=lambda score: score.nats_a_line)
    again = evaluate_checkpoint(
        load_checkpoint(tmp_path / "best.safetensors"), tiny.lines(), "validation"
    )
    assert again.nats_a_line == pytest.approx(best.nats_a_line)
    assert again.squared_error_a_point == pytest.approx(best.squared_error_a_point)


def test_a_checkpoint_is_not_judged_on_other_lines(tmp_path):
    sit(tmp_path, stop_after_minutes=0.0)
    with pytest.raises(TrainingFailed, match="other lines"):
        evaluate_checkpoint(
            load_checkpoint(tmp_path / "last.safetensors"), tiny.lines(seed=9), "validation"
        )


def test_a_run_leaves_the_processors_arithmetic_as_it_was(tmp_path):
    sit(tmp_path, stop_after_minutes=0.0)
    assert np.float32(1e-40) * np.float32(1) > 0


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to keep memory")
def test_memory_that_is_freed_is_not_fetched_again():
    code = """
import resource, torch
from handwriter.training.machine import keep_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        x.clone()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
x = torch.zeros(1 << 24)
given_back = faults()
keep_memory()
faults()
print(given_back, faults())
"""
    process = tiny.python(code)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    given_back, kept = map(int, out.split())
    assert kept < given_back / 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to keep memory")
def test_memory_that_was_kept_can_be_given_back():
    code = """
import torch
from handwriter.training.machine import give_back_memory, keep_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1])
keep_memory()
before = resident()
large = [torch.ones(1 << 22) for _ in range(8)]
top = torch.ones(1)  # so that no end of the heap is free
del large
kept = resident() - before
give_back_memory()
print(kept, resident() - before)
"""
    process = tiny.python(code)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    kept, left = map(int, out.split())
    assert left < kept / 4
