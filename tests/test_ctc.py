"""From frames to text, and from text to nats, against torch's own CTC."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from handwriter.ctc import BLANK, FrameTable, Reading

ALPHABET = "ab "


def table(frames: int, seed: int = 0) -> FrameTable:
    """Random probabilities; some texts are far likelier than others."""
    logits = 2 * np.random.default_rng(seed).standard_normal((frames, 1 + len(ALPHABET)))
    return FrameTable(torch.from_numpy(logits).log_softmax(-1).numpy().astype(np.float32), ALPHABET)


def certain(path: str, sure: float = 0.9) -> FrameTable:
    """Frames of which each says one character of the path, "-" none, and is so sure of it."""
    rest = (1 - sure) / len(ALPHABET)
    rows = np.full((len(path), 1 + len(ALPHABET)), rest)
    for row, character in zip(rows, path, strict=True):
        row[BLANK if character == "-" else ALPHABET.index(character) + 1] = sure
    return FrameTable(np.log(rows).astype(np.float32), ALPHABET)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", ""),
        ("---", ""),
        ("a", "a"),
        ("--aaa-", "a"),
        ("aa-a", "aa"),
        ("ab-ba", "abba"),
        ("  a -  b ", " a  b "),
    ],
)
def test_repeats_are_joined_then_blanks_dropped_and_spaces_kept(path, text):
    reading = certain(path).reading()
    assert reading.text == text
    assert reading.confidences == pytest.approx([0.9] * len(text))


def test_characters_are_seen_in_points_amid_their_frames():
    """Five points a frame; no character is seen behind the last point."""
    found = certain("-a-bb")
    assert found.places().tolist() == [1, 3]
    assert found.points(25).tolist() == [7, 17]
    assert certain("a").points(1).tolist() == [0]


def test_a_character_is_as_sure_as_its_best_frame():
    frames = certain("ab").log_probabilities
    unsure = np.log([[0.2, 0.5, 0.2, 0.1], [0.3, 0.4, 0.2, 0.1]]).astype(np.float32)
    reading = FrameTable(np.concatenate([unsure, frames[1:]]), ALPHABET).reading()
    assert reading == Reading("ab", pytest.approx((0.5, 0.9)))


@given(st.integers(0, 12), st.integers(0, 99))
def test_each_character_has_a_confidence_over_0_and_at_most_1(frames, seed):
    reading = table(frames, seed).reading()
    assert len(reading.confidences) == len(reading.text)
    assert all(0 < confidence <= 1 for confidence in reading.confidences)


@given(st.integers(1, 20), st.text(ALPHABET, max_size=8), st.integers(0, 99))
def test_nats_are_those_of_torch(frames, text, seed):
    found = table(frames, seed)
    theirs = torch.nn.functional.ctc_loss(
        torch.from_numpy(found.log_probabilities)[:, None],
        torch.tensor([[ALPHABET.index(c) + 1 for c in text]], dtype=torch.long),
        torch.tensor([frames]),
        torch.tensor([len(text)]),
        reduction="none",
    )
    assert found.nats(text) == pytest.approx(float(theirs), rel=1e-5, abs=1e-5)


def test_the_probabilities_of_all_texts_come_to_one():
    texts = ["".join(t) for n in range(4) for t in itertools.product(ALPHABET, repeat=n)]
    assert sum(np.exp(-table(3).nats(text)) for text in texts) == pytest.approx(1)


def test_what_cannot_be_is_infinitely_improbable():
    assert table(3).nats("abab") == float("inf")
    assert table(3).nats("aa") < float("inf")
    assert table(2).nats("aa") == float("inf"), "a blank has to part them"
    assert table(9).nats("x") == float("inf"), "the reader does not know it"


def test_no_frames_say_nothing():
    assert table(0).reading() == Reading("", ())
    assert table(0).nats("") == 0
    assert table(0).nats("a") == float("inf")
