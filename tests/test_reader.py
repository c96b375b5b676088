"""Ink in, text out: one line as it is in company, and nothing absurd is taken on."""

import dataclasses

import numpy as np
import pytest
import tiny
from tiny_reader import ALPHABET, exported, network

from handwriter import reader as module
from handwriter.ctc import FrameTable, Reading
from handwriter.errors import BadData, BadReader
from handwriter.features import FARTHEST, MOST_POINTS, VIEW
from handwriter.ink import Ink
from handwriter.reader import Reader, load_reader
from handwriter.weights import load_reader_weights

EMPTY = Ink(())


def inks(n: int = 12, seed: int = 0) -> list[Ink]:
    rng = np.random.default_rng(seed)
    return [tiny.ink(rng, int(rng.integers(2, 200))) for _ in range(n)]


def same(a: FrameTable, b: FrameTable) -> bool:
    return np.array_equal(a.log_probabilities, b.log_probabilities)


def test_a_reader_tells_what_it_is(tiny_reader):
    assert (tiny_reader.name, tiny_reader.licence) == ("tiny", "CC0")
    assert tiny_reader.characters == ALPHABET


def test_ink_is_read_in_characters_it_knows_each_with_a_confidence(tiny_reader):
    readings = tiny_reader.read_lines(inks())
    assert any(reading.text for reading in readings)
    for reading in readings:
        assert set(reading.text) <= set(ALPHABET)
        assert len(reading.confidences) == len(reading.text)


def test_one_run_of_the_network_gives_both_the_text_and_the_nats_of_any(tiny_reader):
    (ink,) = inks(1)
    (table,) = tiny_reader.frames([ink])
    assert table.reading() == tiny_reader.read(ink)
    best = float(-table.log_probabilities.max(axis=1).sum())
    assert 0 < table.nats(table.reading().text) <= best, "its best path is one of many"
    assert table.nats("x") == float("inf")


def test_a_line_is_read_the_same_to_the_last_bit_whatever_is_read_with_it(tiny_reader, monkeypatch):
    lines = [*inks(), EMPTY]
    alone = [tiny_reader.frames([ink])[0] for ink in lines]
    backwards = tiny_reader.frames(lines[::-1])[::-1]
    monkeypatch.setattr(module, "MOST_LINES_AT_ONCE", 3)
    monkeypatch.setattr(module, "POINTS_AHEAD", 500)
    in_small_parts = tiny_reader.frames(lines)
    for one, two, three in zip(alone, backwards, in_small_parts, strict=True):
        assert same(one, two)
        assert same(one, three)


def test_threads_change_nothing(tiny_reader, tiny_reader_path):
    two = load_reader(tiny_reader_path, threads=2)
    assert all(map(same, tiny_reader.frames(inks()), two.frames(inks())))


def test_lines_come_in_order_and_are_asked_for_only_some_at_a_time(tiny_reader, monkeypatch):
    monkeypatch.setattr(module, "LINES_AHEAD", 4)
    asked = []
    tables = tiny_reader.iter_frames(asked.append(ink) or ink for ink in inks())
    assert not asked
    first = next(tables)
    assert len(asked) == 4
    assert same(first, tiny_reader.frames(inks()[:1])[0])


def test_no_batch_is_larger_than_told(monkeypatch):
    monkeypatch.setattr(module, "MOST_POINTS_AT_ONCE", 100)
    lengths = [30, 0, 500, 31, 29, 1, 60, 41] + [1] * 200
    batches = list(module._batches(lengths))
    assert sorted(i for batch in batches for i in batch) == sorted(np.flatnonzero(lengths).tolist())
    for batch in batches:
        assert len(batch) <= module.MOST_LINES_AT_ONCE
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 100


def test_no_ink_says_nothing(tiny_reader):
    assert tiny_reader.read(EMPTY) == Reading("", ())
    assert tiny_reader.read_lines([]) == []
    assert tiny_reader.read_lines([EMPTY, EMPTY]) == [Reading("", ())] * 2


def test_the_unit_of_the_ink_does_not_matter(tiny_reader):
    (ink,) = inks(1)
    texts = {
        tiny_reader.read(ink.transformed(np.eye(2) * k).moved(k, 9 * k)).text for k in (1, 0.25, 64)
    }
    assert len(texts) == 1


def test_a_given_spread_tells_a_dash_from_a_stroke_across_the_paper(tiny_reader):
    dash = Ink.from_strokes([[(0, 0), (1, 0)]])
    short, long = (tiny_reader.frames([dash], spread=s)[0] for s in (2.0, 0.01))
    assert len(long.log_probabilities) > 10 * len(short.log_probabilities)


def line(width: float = 30.0) -> Ink:
    x = np.linspace(0, width, 300)
    return Ink.from_strokes([np.column_stack([x, np.sin(3 * x)])])


ABSURD = {
    "large": (line().transformed(np.eye(2) * 1e300), None, "from the origin"),
    "far": (line().moved(0, 10 * FARTHEST), None, "from the origin"),
    "scribble": (
        Ink.from_strokes([np.random.default_rng(0).uniform(size=(300_000, 2))]),
        None,
        "no line of writing is so large",
    ),
    "stray dot": (line().joined(Ink.from_strokes([[(0, 1e9)]])), None, "stray points"),
    "dots": (Ink((np.zeros((1, 2)),) * (MOST_POINTS + 1)), None, "100,001 strokes"),
    "spread too small": (line(), 1e-300, "spread of the ink is 1e-300"),
    "spread small": (line(), 1e-8, "3e+09 letters wide"),
    "no spread": (line(), 0.0, "spread of the ink is 0"),
    "infinite spread": (line(), float("inf"), "spread of the ink is inf"),
    "spread no number": (line(), float("nan"), "spread of the ink is nan"),
}


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_ink_is_refused_before_it_takes_memory(name, tiny_reader):
    ink, spread, complaint = ABSURD[name]
    with pytest.raises(BadData, match="cannot read line 2") as caught:
        tiny_reader.read_lines([line(), ink] if spread is None else [EMPTY, ink], spread=spread)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_as_much_as_is_taken_on_can_be_read(tiny_reader):
    long = tiny_reader.frames([line(0.25 * MOST_POINTS)], spread=1.0)[0]
    assert len(long.log_probabilities) > 15_000
    assert tiny_reader.read(Ink.from_strokes([[(3, 4)]])) is not None


def test_a_reader_of_other_features_is_refused(tiny_reader_path):
    weights = load_reader_weights(tiny_reader_path)
    others = dataclasses.replace(weights, features=VIEW | {"step": 0.25})
    with pytest.raises(BadReader, match=r"other features of ink .*'step': 0.25"):
        Reader(others)


def test_a_reader_whose_training_went_wrong_is_told_of(tmp_path):
    net = network()
    net.output.bias.data[0] = float("nan")
    (tmp_path / "wrong.onnx").write_bytes(exported(net))
    wrong = load_reader(tmp_path / "wrong.onnx")
    with pytest.raises(BadReader, match="no numbers"):
        wrong.read(line())
