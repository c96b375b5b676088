"""Learning to read: batches, augmentation, the score, and runs that go on."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from PIL import Image

from handwriter.ctc import FrameTable
from handwriter.edits import character_errors
from handwriter.features import features
from handwriter.training.checkpoint import LAST, load_checkpoint
from handwriter.training.journal import Journal
from handwriter.training.reading import ReadingScore, seen_otherwise
from handwriter.training.recipe import InkConfig
from handwriter.training.recogniser import ctc
from handwriter.training.tasks import trained_network
from handwriter.training.train import Moment, Trainer, Update, n_left_out, train


@pytest.fixture
def task():
    return tiny.task(tiny.reader_recipe())


def figures(events):
    return [(e.update, e.loss) if isinstance(e, Update) else (e.epoch, e.score) for e in events]


def test_a_batch_holds_the_features_and_the_texts_of_its_lines(task):
    chosen = np.array([3, 0, 7])
    batch = task.make_batch(chosen, None)
    targets = iter(batch.targets.tolist())
    for row, i in enumerate(chosen):
        expected = features(task.lines.ink(int(i)))
        n = int(batch.lengths[row])
        np.testing.assert_array_equal(batch.features[row, :n].numpy(), expected)
        assert (batch.features[row, n:] == 0).all()
        spelt = [tiny.ALPHABET[next(targets) - 1] for _ in range(int(batch.target_lengths[row]))]
        assert "".join(spelt) == task.lines.texts[i]
    assert next(targets, None) is None


def test_a_line_is_augmented_by_run_epoch_and_line_alone(task):
    alone = task.make_batch(np.array([4]), (1, 0))
    beside = task.make_batch(np.array([2, 4]), (1, 0))
    n = int(alone.lengths[0])
    assert torch.equal(alone.features[0], beside.features[1, :n])
    for other in ((1, 1), (2, 0), None):
        again = task.make_batch(np.array([4]), other)
        assert again.features.shape != alone.features.shape or not torch.equal(
            again.features, alone.features
        )


def test_ink_is_seen_as_it_is_where_the_recipe_augments_nothing():
    ink = tiny.ink(np.random.default_rng(0), 20)
    seen = seen_otherwise(ink, InkConfig(), np.random.default_rng(0))
    np.testing.assert_allclose(seen, features(ink), atol=1e-6)


@torch.no_grad()
def test_the_score_is_that_of_the_lines_one_by_one(task):
    network = task.build().eval()
    chosen = task.lines.where("validation")
    score = task.evaluate(network, chosen, tiny.CPU)
    nats, edits, length = 0.0, 0, 0
    for i in chosen:
        batch = task.make_batch(np.array([i]), None)
        frames = network(batch.features, batch.lengths)
        nats += float(ctc(frames, batch.targets, batch.target_lengths))
        text = FrameTable(frames.logits[:, 0].numpy(), tiny.ALPHABET).reading().text
        edits += character_errors(text, task.lines.texts[i]).edits
        length += len(task.lines.texts[i])
    assert score.lines == len(chosen)
    assert score.nats_a_character == pytest.approx(nats / length, rel=1e-5)
    assert score.character_error_rate == pytest.approx(edits / length)
    assert score.loss == score.character_error_rate


def test_a_score_reads_as_people_write_it():
    assert str(ReadingScore(0.25, 0.0725, 9)) == "CER 7.25 %, 0.2500 nats a character"


def test_a_batch_seen_again_and_again_is_read():
    recipe = tiny.reader_recipe(epochs=150, learning_rate=0.02, average=0.0)
    sure = replace(recipe.network, dropout=0.0, cells=16, channels=12)
    task = tiny.task(replace(recipe, network=sure, ink=InkConfig()), tiny.lines(4, 1))
    trainer = Trainer(task, tiny.CPU)
    losses = [trainer.step(np.arange(4)).loss for _ in range(150)]
    assert losses[-1] < 0.5 * losses[10]


def test_a_line_with_less_ink_than_its_text_needs_is_left_out_and_counted():
    lines = tiny.lines(6, 1)
    wordy = replace(lines, texts=("abc" * 60, *lines.texts[1:]))
    task = tiny.task(tiny.reader_recipe(), wordy)
    assert list(task.train_lines) == [1, 2, 3, 4, 5]
    assert n_left_out(task) == 1
    assert n_left_out(tiny.task(tiny.reader_recipe(), lines)) == 0
    batch = task.make_batch(np.array([0]), None)
    frames = task.build().eval()(batch.features, batch.lengths)
    assert not torch.isfinite(ctc(frames, batch.targets, batch.target_lengths)).any()


@torch.no_grad()
def test_losses_are_summed_over_the_batch_and_sized_in_characters(task):
    network = task.build().eval()
    chosen = np.array([0, 1, 2])
    losses = task.losses(network, chosen, Moment(0, 0.0), tiny.CPU)
    assert int(losses.size) == sum(len(task.lines.texts[i]) for i in chosen)
    alone = [task.losses(network, chosen[i : i + 1], Moment(0, 0.0), tiny.CPU) for i in range(3)]
    assert float(losses.nats) == pytest.approx(sum(float(one.nats) for one in alone), rel=1e-5)


def test_a_stopped_run_goes_on_with_the_same_figures_dropout_included(tmp_path, task):
    told = list(train(task, tmp_path / "whole", tiny.CPU))
    events = train(task, tmp_path / "parts", tiny.CPU, checkpoint_minutes=0.0)
    before = [next(events) for _ in range(2)]
    events.close()
    after = list(train(task, tmp_path / "parts", tiny.CPU))
    assert figures(before) == figures(told)[:2]
    assert figures(after) == figures(told)[-len(after) :]
    whole, parts = (load_checkpoint(tmp_path / run / LAST) for run in ("whole", "parts"))
    assert all(torch.equal(whole.tensors[k], parts.tensors[k]) for k in whole.tensors)


def test_a_checkpoint_gives_back_the_averaged_reader(tmp_path, task):
    epochs = [e for e in train(task, tmp_path, tiny.CPU) if not isinstance(e, Update)]
    found, network = trained_network(load_checkpoint(tmp_path / LAST), task.lines)
    assert found.recipe == task.recipe
    assert not network.training
    for name, value in epochs[-1].network.state_dict().items():
        assert torch.equal(value, network.state_dict()[name])


def test_the_journal_shows_what_was_read(tmp_path, task):
    with Journal(tmp_path, task, tiny.CPU) as journal:
        for event in train(task, tmp_path, tiny.CPU):
            journal.record(event)
    assert np.asarray(Image.open(tmp_path / "samples" / "epoch-002.png")).min() < 255
    assert "character_error_rate" in (tmp_path / "log.jsonl").read_text()
