"""The log, the curves and the pictures of a run."""

import json

import numpy as np
import pytest
import tiny
from PIL import Image

from handwriter.errors import TrainingFailed
from handwriter.training.journal import Journal
from handwriter.training.machine import Machine
from handwriter.training.train import Update, train
from handwriter.training.writing import Writing

TEXTS = ("ab", "ca b")


def keep_journal(run, recipe=None, lines=None, stop_after=None, texts=TEXTS):
    """Train with a journal, as the command does; stop right after so many updates."""
    task = Writing(recipe or tiny.recipe(), lines or tiny.lines(), texts)
    with Journal(run, task, tiny.CPU) as journal:
        for event in train(task, run, tiny.CPU, checkpoint_minutes=1e9):
            journal.record(event)
            if isinstance(event, Update) and event.update == stop_after:
                return


def log_of(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def untimed(log):
    return [{k: v for k, v in entry.items() if k != "points_a_second"} for entry in log]


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    run = tmp_path_factory.mktemp("finished") / "run"
    keep_journal(run)
    return run


def test_the_log_tells_what_the_run_is_then_each_update_and_each_epoch(finished_run):
    about, *events = log_of(finished_run)
    assert about["event"] == "run"
    assert about["recipe"] == tiny.recipe().to_dict()
    assert about["lines"] == tiny.lines().digest
    assert (about["precision"], about["device"]) == ("fp32", "cpu")
    assert about["torch"]
    assert [event["event"] for event in events] == (["update"] * 3 + ["epoch"]) * 2
    assert [e["update"] for e in events if e["event"] == "update"] == [1, 2, 3, 4, 5, 6]
    assert [e["epoch"] for e in events] == [1] * 4 + [2] * 4
    assert events[3].keys() >= {"nats_a_line", "nats_a_point", "squared_error_a_point", "is_best"}


def test_figures_keep_six_digits(finished_run):
    for entry in log_of(finished_run)[1:]:
        for value in entry.values():
            if isinstance(value, float):
                assert value == float(f"{value:.6g}")


def test_each_epoch_draws_its_samples_and_windows(finished_run):
    names = sorted(path.name for path in (finished_run / "samples").iterdir())
    assert names == ["epoch-001.png", "epoch-002.png", "window-001.png", "window-002.png"]
    for name in names:
        assert np.asarray(Image.open(finished_run / "samples" / name)).min() < 255


def test_tensorboard_has_the_curves_and_the_pictures(finished_run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(finished_run)).Reload()
    assert [e.step for e in board.Scalars("training/loss")] == [1, 2, 3, 4, 5, 6]
    assert [e.step for e in board.Scalars("validation/nats_a_line")] == [3, 6]
    assert set(board.Tags()["images"]) == {"samples/epoch", "samples/window"}
    logged = [e["loss"] for e in log_of(finished_run) if e["event"] == "update"]
    shown = [e.value for e in board.Scalars("training/loss")]
    np.testing.assert_allclose(shown, logged, rtol=1e-5)


def test_a_run_that_goes_on_tells_nothing_twice(finished_run, tmp_path):
    keep_journal(tmp_path, stop_after=5)  # its newest checkpoint is from update 3
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"event": "update", "upd')  # killed while it wrote
    keep_journal(tmp_path)
    assert untimed(log_of(tmp_path)) == untimed(log_of(finished_run))


def test_a_run_stopped_before_its_first_checkpoint_begins_its_log_anew(finished_run, tmp_path):
    keep_journal(tmp_path, stop_after=2)
    keep_journal(tmp_path)
    assert untimed(log_of(tmp_path)) == untimed(log_of(finished_run))


def test_an_epoch_that_was_told_but_not_saved_is_told_once(finished_run, tmp_path):
    task = Writing(tiny.recipe(), tiny.lines(), texts=())
    with Journal(tmp_path, task, tiny.CPU) as journal:
        for event in train(task, tmp_path, tiny.CPU, checkpoint_minutes=0):
            journal.record(event)
            if not isinstance(event, Update):
                break
    keep_journal(tmp_path)
    assert untimed(log_of(tmp_path)) == untimed(log_of(finished_run))


def test_a_lost_log_is_begun_again_where_the_run_is(tmp_path):
    keep_journal(tmp_path, stop_after=4)
    (tmp_path / "log.jsonl").unlink()
    keep_journal(tmp_path)
    about, *events = log_of(tmp_path)
    assert about["event"] == "run"
    assert [e["update"] for e in events if e["event"] == "update"] == [4, 5, 6]


def test_a_prediction_network_draws_samples_without_text_and_no_windows(tmp_path, monkeypatch):
    monkeypatch.setattr("handwriter.training.writing.STEPS_WITHOUT_TEXT", 20)
    keep_journal(tmp_path, tiny.recipe({"alphabet": ""}, epochs=1))
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["epoch-001.png"]


def test_texts_that_the_alphabet_cannot_spell_are_not_drawn(tmp_path):
    keep_journal(tmp_path, tiny.recipe(epochs=1), texts=("Quick brown fox",))
    assert list((tmp_path / "samples").iterdir()) == []
    assert len(log_of(tmp_path)) == 5


def test_a_network_that_runs_away_does_not_stop_the_run(tmp_path):
    task = Writing(tiny.recipe(epochs=1), tiny.lines(), TEXTS)
    with Journal(tmp_path, task, tiny.CPU) as journal:
        for event in train(task, tmp_path, tiny.CPU):
            if not isinstance(event, Update):
                event.network.output.bias.data.fill_(100.0)
            journal.record(event)
    assert (tmp_path / "samples" / "epoch-001.png").exists()


def test_only_the_first_process_keeps_a_journal(tmp_path):
    with pytest.raises(ValueError, match="process 1"):
        Journal(tmp_path, tiny.task(), Machine(tiny.CPU.device, rank=1, world=2))


def test_a_journal_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "run").write_text("a file, no folder")
    with pytest.raises(TrainingFailed, match="cannot write the journal"):
        Journal(tmp_path / "run", tiny.task(), tiny.CPU)
