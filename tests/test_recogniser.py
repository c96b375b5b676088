"""The reader's network: padding changes nothing, CTC is what it should be, and it learns."""

import numpy as np
import pytest
import tiny
import torch

from handwriter.ctc import BLANK, FrameTable
from handwriter.features import N_FEATURES
from handwriter.training.recogniser import (
    Frames,
    ReaderConfig,
    ReaderNetwork,
    ctc,
)

CONFIG = ReaderConfig(alphabet="abc", channels=12, layers=2, cells=7, dropout=0.5)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ReaderNetwork(CONFIG).eval()


def frames(labels, n_labels=4):
    """Frames that are sure of one label each."""
    logits = torch.full((len(labels), 1, n_labels), -50.0)
    for place, label in enumerate(labels):
        logits[place, 0, label] = 50.0
    return Frames(logits, torch.tensor([len(labels)]))


@pytest.mark.parametrize("n_points", [1, 2, 3, 4, 5, 40, 41])
def test_a_line_is_read_the_same_beside_a_longer_one(network, n_points):
    torch.manual_seed(1)
    line = torch.randn(1, n_points, N_FEATURES)
    padded = torch.randn(2, 60, N_FEATURES)
    padded[0, :n_points], padded[0, n_points:] = line[0], 0.0
    alone = network(line, torch.tensor([n_points]))
    beside = network(padded, torch.tensor([n_points, 60]))
    n = int(alone.lengths[0])
    assert n == int(beside.lengths[0]) == -(-n_points // 4)
    torch.testing.assert_close(alone.logits[:n, 0], beside.logits[:n, 0])


def test_every_frame_hears_of_the_whole_line(network):
    features = torch.randn(1, 40, N_FEATURES, requires_grad=True)
    logits = network(features, torch.tensor([40])).logits
    for frame in (0, 9):
        (gradient,) = torch.autograd.grad(logits[frame].sum(), features, retain_graph=True)
        assert (gradient[0].abs().sum(1) > 0).all()


def test_dropout_takes_the_same_features_from_all_frames_of_a_line(network):
    x = torch.ones(9, 3, 5)
    network.train()
    dropped = network._dropped(x)
    network.eval()
    assert (dropped == dropped[0]).all()
    assert set(dropped.unique().tolist()) <= {0.0, 2.0}
    assert torch.equal(network._dropped(x), x)


def test_the_first_layers_reach_the_last():
    torch.manual_seed(0)
    big = ReaderNetwork(ReaderConfig(alphabet="abc")).eval()
    logits = big(torch.randn(1, 80, N_FEATURES), torch.tensor([80])).logits
    assert logits.std(0).mean() > 0.02  # 0.001 with PyTorch's own first weights


@pytest.mark.parametrize(
    ("labels", "read"),
    [([1, 1, 2], [1, 2]), ([1, BLANK, 1], [1, 1]), ([BLANK, BLANK], []), ([3, BLANK, BLANK], [3])],
)
def test_the_best_path_joins_repeats_and_drops_blanks(labels, read):
    logits = frames(labels).logits[:, 0].numpy()
    assert FrameTable(logits, "abc").reading().text == "".join("abc"[i - 1] for i in read)


def test_the_loss_is_the_probability_of_all_paths_that_spell_the_text():
    torch.manual_seed(2)
    logits = torch.randn(3, 1, 3)
    p = logits.softmax(-1)[:, 0]
    # "ab" (labels 1, 2) in three frames: aab, abb, -ab, a-b, ab-
    paths = [(1, 1, 2), (1, 2, 2), (0, 1, 2), (1, 0, 2), (1, 2, 0)]
    total = sum(float(p[0, a] * p[1, b] * p[2, c]) for a, b, c in paths)
    loss = ctc(Frames(logits, torch.tensor([3])), torch.tensor([1, 2]), torch.tensor([2]))
    assert float(loss) == pytest.approx(-np.log(total), rel=1e-5)


def test_a_text_with_more_characters_than_frames_is_impossible():
    loss = ctc(frames([1, 1]), torch.tensor([1, 2, 3]), torch.tensor([3]))
    assert torch.isinf(loss).all()


def test_the_alphabet_is_that_of_the_recipe():
    task = tiny.task(tiny.reader_recipe())
    assert task.build().output.out_features == 1 + len(tiny.ALPHABET)
