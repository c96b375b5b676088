"""Checkpoints: whole or not at all, and never a guess about a damaged one."""

import errno
import os

import pytest
import torch

from handwriter.errors import TrainingFailed
from handwriter.training import checkpoint as module
from handwriter.training.checkpoint import (
    LAST,
    PREVIOUS,
    Checkpoint,
    load_checkpoint,
    newest_checkpoint,
    save_checkpoint,
)


def example(update=3):
    tensors = {
        "network/weight": torch.full((2, 3), float(update)),
        "network/bias": torch.zeros(3),
        "optimizer/0/step": torch.tensor(float(update)),
    }
    return Checkpoint(tensors, {"update": update, "best_nats": float("inf")})


def save_next(run, update):
    save_checkpoint(example(update), run / LAST, keep=run / PREVIOUS)


def update_in(path):
    return load_checkpoint(path).header["update"]


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    save_checkpoint(example(), tmp_path / LAST)
    back = load_checkpoint(tmp_path / LAST)
    assert back.header == example().header
    assert back.tensors.keys() == example().tensors.keys()
    for name, tensor in example().tensors.items():
        assert torch.equal(back.tensors[name], tensor)


def test_tensors_that_lie_across_memory_are_kept(tmp_path):
    across = torch.arange(6.0).reshape(2, 3).t()
    save_checkpoint(Checkpoint({"network/x": across}, {}), tmp_path / LAST)
    assert torch.equal(load_checkpoint(tmp_path / LAST).tensors["network/x"], across)


def test_a_group_is_named_by_the_rest_of_its_names():
    assert example().group("network").keys() == {"weight", "bias"}
    assert example().group("optimizer").keys() == {"0/step"}


def test_the_last_two_are_kept(tmp_path):
    for update in (1, 2, 3):
        save_next(tmp_path, update)
    assert update_in(tmp_path / LAST) == 3
    assert update_in(tmp_path / PREVIOUS) == 2
    assert {path.name for path in tmp_path.iterdir()} == {LAST, PREVIOUS}


def test_the_newest_is_the_last_or_else_the_one_before(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    assert newest_checkpoint(tmp_path / "nowhere") is None
    save_next(tmp_path, 1)
    save_next(tmp_path, 2)
    assert update_in(newest_checkpoint(tmp_path)) == 2
    (tmp_path / LAST).unlink()
    assert update_in(newest_checkpoint(tmp_path)) == 1


@pytest.mark.parametrize("failing", ["save", "fsync"])
def test_a_full_disk_keeps_the_last_good_checkpoint(tmp_path, monkeypatch, failing):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    save_next(tmp_path, 1)
    save_next(tmp_path, 2)
    monkeypatch.setattr(module if failing == "save" else os, failing, full)
    with pytest.raises(TrainingFailed, match="No space left"):
        save_next(tmp_path, 3)
    assert update_in(tmp_path / LAST) == 2
    assert update_in(tmp_path / PREVIOUS) == 1
    assert {path.name for path in tmp_path.iterdir()} == {LAST, PREVIOUS}


def test_a_process_killed_between_the_two_renames_goes_on_from_the_one_before(
    tmp_path, monkeypatch
):
    save_next(tmp_path, 1)
    rename = os.replace

    def killed(source, target):
        if os.fspath(target).endswith(LAST):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(module.Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_next(tmp_path, 2)
    assert update_in(newest_checkpoint(tmp_path)) == 1


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 100, -1])
def test_a_truncated_checkpoint_is_named_and_how_to_go_on(tmp_path, kept):
    save_checkpoint(example(), tmp_path / LAST)
    whole = (tmp_path / LAST).read_bytes()
    (tmp_path / LAST).write_bytes(whole[:kept])
    with pytest.raises(TrainingFailed, match=r"last\.safetensors cannot be read .* remove it"):
        load_checkpoint(tmp_path / LAST)


def test_a_file_of_something_else_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / LAST)
    with pytest.raises(TrainingFailed, match="is not a 'handwriter checkpoint 1'"):
        load_checkpoint(tmp_path / LAST)
    (tmp_path / LAST).write_bytes(b"<svg/>" * 100)
    with pytest.raises(TrainingFailed, match="cannot be read"):
        load_checkpoint(tmp_path / LAST)


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path):
    with pytest.raises(TrainingFailed, match="No such file"):
        save_checkpoint(example(), tmp_path / "nowhere" / LAST)
