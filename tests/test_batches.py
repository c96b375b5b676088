"""Batches: each line once, nothing lost in padding, and only the randomness that was asked for."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch

from handwriter.errors import BadData
from handwriter.training.batches import (
    WAY_BACK,
    Scaling,
    augmented,
    batch_order,
    disturbed,
    jolted,
    make_batch,
    sorted_batches,
    spelled,
)
from handwriter.training.lines import Lines
from handwriter.training.network import NetworkConfig
from handwriter.training.recipe import GRAVES57, NON_LETTER, InkConfig

LENGTHS = np.random.default_rng(0).integers(5, 300, 437)
PLAIN = InkConfig()


def made(chosen, ink=PLAIN, seed=None, alphabet=tiny.ALPHABET, **network):
    lines, config = tiny.lines(), NetworkConfig(alphabet=alphabet, **network)
    return make_batch(lines, np.array(chosen), Scaling.of(lines), config, ink, seed)


def alone(line, *options, **network):
    """A batch of one line, without what it is padded with."""
    batch, n = made([line], *options, **network), int(tiny.lines().lengths[line])
    parts = {name: getattr(batch, name)[:n] for name in ("seen", "offsets", "pen", "mask")}
    return replace(batch, **parts)


def flat(batches):
    return np.concatenate(list(batches)).tolist()


def test_an_epoch_holds_each_line_once():
    for epoch in range(3):
        assert sorted(flat(batch_order(LENGTHS, 8, seed=1, epoch=epoch))) == list(range(437))


def test_the_order_follows_from_seed_and_epoch_alone():
    order = flat(batch_order(LENGTHS, 8, seed=1, epoch=2))
    assert flat(batch_order(LENGTHS, 8, seed=1, epoch=2)) == order
    assert flat(batch_order(LENGTHS, 8, seed=1, epoch=3)) != order
    assert flat(batch_order(LENGTHS, 8, seed=2, epoch=2)) != order


def test_every_epoch_has_equally_many_batches_none_too_large():
    for epoch in range(3):
        batches = batch_order(LENGTHS, 8, seed=1, epoch=epoch)
        assert len(batches) == 55
        assert max(map(len, batches)) == 8


def test_lines_of_a_batch_are_of_like_length_but_batches_come_in_any_order():
    batches = batch_order(LENGTHS, 8, seed=1, epoch=0)
    padded = sum(len(b) * LENGTHS[b].max() for b in batches)
    assert padded < 1.1 * LENGTHS.sum()
    longest = [int(LENGTHS[b].max()) for b in batches]
    assert longest != sorted(longest)


def test_validation_takes_each_line_once_shortest_first():
    order = flat(sorted_batches(LENGTHS, 8))
    assert sorted(order) == list(range(437))
    assert LENGTHS[order].tolist() == sorted(LENGTHS.tolist())


def test_normalised_offsets_of_the_training_lines_have_mean_zero_and_deviation_one():
    lines = tiny.lines()
    scaling = Scaling.of(lines)
    steps = [scaling.normalise(lines.steps(i))[1:, :2] for i in lines.where("train")]
    offsets = np.concatenate(steps)
    np.testing.assert_allclose(offsets.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(offsets.std(0), 1, atol=1e-4)


def test_restore_is_the_inverse_of_normalise():
    lines = tiny.lines()
    scaling, steps = Scaling.of(lines), lines.steps(0)
    np.testing.assert_allclose(
        scaling.restore(scaling.normalise(steps)[:, :2]), steps[:, :2], atol=1e-6
    )


def test_ink_that_never_moves_cannot_be_normalised():
    still = tiny.lines()
    offsets = np.zeros_like(still.offsets)
    lines = Lines(**{**vars(still), "offsets": offsets})
    with pytest.raises(BadData, match="never moves"):
        Scaling.of(lines)


def test_the_network_sees_each_step_one_later_than_it_predicts_it():
    batch = alone(0)
    assert (batch.seen[0] == 0).all()
    assert torch.equal(batch.seen[1:, :, :2], batch.offsets[:-1])
    assert torch.equal(batch.seen[1:, :, 2], (batch.pen[:-1] > 0).float())


def test_the_last_point_of_a_line_ends_it_and_no_other_does():
    lines, batch = tiny.lines(), made([0, 1, 2])
    for column in range(3):
        length = int(lines.lengths[column])
        pen = batch.pen[:length, column]
        assert pen[-1] == 2
        lifts = lines.steps(column)[:-1, 2]
        assert pen[:-1].tolist() == lifts.tolist()


def test_padding_is_masked_and_counts_no_points():
    lines, batch = tiny.lines(), made([0, 1, 2])
    lengths = lines.lengths[:3]
    assert batch.seen.shape == (32, 3, 3) and lengths.max() <= 32
    assert batch.mask.sum(0).tolist() == lengths.tolist()
    assert batch.n_points == lengths.sum()
    for part in (batch.seen, batch.offsets, batch.pen):
        for column, length in enumerate(lengths):
            assert (part[length:, column] == 0).all()


def test_a_line_is_the_same_in_any_company():
    ink = InkConfig(slant=0.1, size=0.1, width=0.1, pen_noise=0.1)
    single, together = (made(chosen, ink, seed=(1, 0)) for chosen in ([2], [0, 2, 1]))
    length = len(single.seen)
    assert torch.equal(together.seen[:length, 1], single.seen[:, 0])
    assert torch.equal(together.offsets[:length, 1], single.offsets[:, 0])


def test_a_batch_knows_the_texts_and_sources_of_its_lines():
    batch, lines = made([3, 1]), tiny.lines()
    assert batch.sources == ("train/3", "train/1")
    codes = batch.text.one_hot.argmax(-1)
    assert ["".join(tiny.ALPHABET[c] for c in row) for row in codes] == [
        lines.texts[3],
        lines.texts[1],
    ]
    assert made([0], alphabet="").text is None


def test_augmentation_of_nothing_changes_nothing():
    steps, rng = tiny.lines().steps(0), np.random.default_rng(0)
    np.testing.assert_array_equal(augmented(steps, PLAIN, rng), steps)
    assert torch.equal(alone(0, PLAIN, (1, 0)).seen, alone(0).seen)


def test_augmentation_differs_by_epoch_and_comes_back_with_the_seed():
    ink = InkConfig(slant=0.2, size=0.2, width=0.2)
    first, again, later = (alone(0, ink, (1, epoch)) for epoch in (0, 0, 1))
    assert torch.equal(first.offsets, again.offsets)
    assert not torch.equal(first.offsets, later.offsets)
    assert torch.equal(first.pen, later.pen)


def test_slant_is_a_shear_that_leaves_heights_alone():
    steps, rng = tiny.lines().steps(0), np.random.default_rng(0)
    slanted = augmented(steps, InkConfig(slant=0.3), rng)
    np.testing.assert_array_equal(slanted[:, 1:], steps[:, 1:])
    shear = (slanted[:, 0] - steps[:, 0]) / steps[:, 1]
    np.testing.assert_allclose(shear, shear[0], atol=1e-3)


def test_pen_noise_is_seen_but_not_predicted():
    noisy, plain = alone(0, InkConfig(pen_noise=0.5), (1, 0)), alone(0)
    assert torch.equal(noisy.offsets, plain.offsets)
    assert torch.equal(noisy.seen[..., 2], plain.seen[..., 2])
    assert not torch.equal(noisy.seen[1:, :, :2], plain.seen[1:, :, :2])
    assert (noisy.seen[0] == 0).all()


def test_in_a_stumble_ink_is_seen_smaller_and_predicted_as_it_is():
    stumbling, plain = alone(0, InkConfig(stumbles=2.0), (1, 0)), alone(0)
    assert torch.equal(stumbling.offsets, plain.offsets)
    assert torch.equal(stumbling.seen[..., 2], plain.seen[..., 2])
    ratio = stumbling.seen[1:, :, :2] / plain.seen[1:, :, :2]
    assert ((ratio > 0) & (ratio < 1 + 1e-4)).all()
    assert 0 < (ratio < 0.999).float().mean() < 0.9


def test_a_pen_thrown_off_its_way_is_to_come_back_to_it():
    rng = np.random.default_rng(2)
    steps = np.concatenate([rng.normal(size=(300, 2)), np.zeros((300, 1))], axis=1)
    seen, learned = jolted(steps.astype(np.float32), InkConfig(jolts=1.0), rng)
    assert not np.array_equal(seen, learned)
    away = np.cumsum(seen - steps, axis=0)[:, :2]
    thrown = (seen - learned)[:, :2]
    # What is to be learned takes back a part of the way that the pen is off, at each point.
    before = np.concatenate([np.zeros((1, 2)), away[:-1]])
    np.testing.assert_allclose((learned - steps)[:, :2], (WAY_BACK[1] - 1) * before, atol=1e-3)
    n_thrown = np.flatnonzero(thrown.any(axis=1))
    assert 0 < len(n_thrown) < 60
    assert np.abs(away).max() > 0.1
    np.testing.assert_array_equal(seen[: n_thrown[0]], steps[: n_thrown[0]].astype(np.float32))
    np.testing.assert_array_equal(seen[:, 2], steps[:, 2])


def test_without_a_jolt_what_is_seen_is_what_is_learned():
    steps, rng = np.ones((9, 3), np.float32), np.random.default_rng(2)
    for seen in jolted(steps, InkConfig(), rng):
        np.testing.assert_array_equal(seen, steps)
    jolting, plain = alone(0, InkConfig(jolts=5.0), (1, 0)), alone(0)
    assert not torch.equal(jolting.seen, plain.seen)
    assert not torch.equal(jolting.offsets, plain.offsets)
    assert torch.equal(jolting.pen, plain.pen)


def test_a_line_of_one_point_has_nothing_to_stumble_over():
    nothing = np.zeros((0, 2), np.float32)
    rng = np.random.default_rng(0)
    assert disturbed(nothing, InkConfig(stumbles=9.0, pen_noise=0.1), rng).shape == (0, 2)


def test_digits_and_signs_become_one_label_where_the_alphabet_has_it():
    assert spelled("No. 7!", GRAVES57) == f"No. {NON_LETTER}{NON_LETTER}"


def test_a_character_that_the_alphabet_lacks_is_named():
    with pytest.raises(BadData, match="'é'"):
        spelled("café", tiny.ALPHABET + "f")


def test_the_height_that_is_seen_is_what_all_offsets_before_rose():
    """Of the ink as it was made, jolts included; noise on it is seen too."""
    lines, plain = tiny.lines(), alone(0, height=True)
    heights = lines.steps(0)[:-1, 1].cumsum()
    assert plain.seen.shape[2] == 4
    np.testing.assert_allclose(plain.seen[1:, 0, 3], heights, atol=1e-5)
    assert (plain.seen[0] == 0).all()
    scaling, jolting = Scaling.of(lines), alone(0, InkConfig(jolts=3.0), (1, 0), height=True)
    rises = scaling.restore(jolting.seen[1:, 0, :2].numpy())[:, 1]
    np.testing.assert_allclose(jolting.seen[1:, 0, 3], rises.cumsum(), atol=1e-3)
    assert not np.allclose(rises.cumsum(), heights, atol=0.01)
    noisy, same = (alone(0, InkConfig(pen_noise=0.1), (1, 0), height=h) for h in (True, False))
    assert torch.equal(noisy.seen[..., :3], same.seen)
    errors = noisy.seen[1:, 0, 3].numpy() - heights
    assert 0.05 < errors.std() < 0.2
