"""Ink at the density of a hand: thinned, or sampled anew along its way."""

import numpy as np

from handwriter.density import thinned
from handwriter.ink import Ink


def test_thinning_keeps_ends_and_dots() -> None:
    stroke = np.column_stack([np.arange(6.0), np.zeros(6)])
    thin = thinned(Ink((stroke, stroke[:5], stroke[:1])), 2)
    assert [s[:, 0].tolist() for s in thin.strokes] == [[0, 2, 4, 5], [0, 2, 4], [0]]
