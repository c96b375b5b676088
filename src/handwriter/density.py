"""How densely a pen's way is sampled, and how to bring other ink to the density of a hand."""

from __future__ import annotations

import numpy as np

from handwriter.ink import Array, Ink


def thinned(ink: Ink, every: int) -> Ink:
    """Each stroke with every `every`-th point only, its first and last always."""
    return Ink(tuple(_thinned(stroke, every) for stroke in ink.strokes))


def _thinned(stroke: Array, every: int) -> Array:
    kept = stroke[::every]
    return kept if (len(stroke) - 1) % every == 0 else np.vstack([kept, stroke[-1:]])
