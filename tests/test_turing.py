"""The judge tells what can be told, and nothing else, and judges the same way again."""

import numpy as np
import pytest
import tiny
import torch

from handwriter.ink import Ink, Line
from handwriter.training.lines import Lines
from handwriter.training.turing import told_by_network


def waves(n, seed, *, jitter=0.0):
    """Wavy lines of a few writers; `jitter` shakes the pen."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        points = tiny.ink(rng, int(rng.integers(30, 60))).points
        shaken = points + jitter * rng.standard_normal(points.shape)
        made.append(Line(Ink((shaken,)), "abca", writer=f"w{i % 6}", split="validation"))
    return Lines.from_lines(made, "default", tiny.UNIT, {})


def test_a_shaking_pen_is_told():
    found = told_by_network(waves(48, 1), waves(48, 2, jitter=0.3), epochs=8)
    assert found.accuracy > 0.9
    assert (found.lines, found.writers, found.how) == (48, 6, "network")


def test_lines_of_one_kind_are_not_told_apart():
    found = told_by_network(waves(96, 1), waves(96, 2), epochs=3)
    assert abs(found.accuracy - 0.5) < max(4 * found.standard_error, 0.1)


def test_the_same_seed_judges_the_same_and_leaves_torch_as_it_was():
    before = torch.get_rng_state()
    real, written = waves(12, 1), waves(12, 2, jitter=0.05)
    assert told_by_network(real, written, epochs=2) == told_by_network(real, written, epochs=2)
    assert torch.equal(before, torch.get_rng_state())


def test_where_a_line_lies_does_not_tell():
    real = waves(12, 1)
    moved = Lines.from_lines(
        [Line(real.ink(i).moved(9.0, -4.0), "abca", writer=real.writers[i], split="validation")
         for i in range(12)], "default", tiny.UNIT, {},
    )  # fmt: skip
    found = told_by_network(real, moved, epochs=2)
    assert found.accuracy == pytest.approx(0.5)  # the same steps get the same judgement


def test_empty_ink_can_be_judged():
    nothing = Lines.from_lines([Line(Ink(()), "a")] * 2, "default", tiny.UNIT, {})
    assert told_by_network(waves(2, 1), nothing, epochs=1).lines == 2
