"""When the pen is where: the time of each point of a page.

A hand's points are equally far apart in time, as those that it learned from; how long a letter
takes, and that strokes follow each other, is all that it knows.  What the pen does in the air is
ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handwriter.errors import BadOption
from handwriter.ink import Array
from handwriter.output.layout import STEPS_A_SECOND
from handwriter.page import Layer, Page

LIFT_SECONDS = 0.08  # to lift the pen and to lower it again
AIR_MM_PER_SECOND = 250.0
SLOWEST, FASTEST = 0.01, 1000.0


@dataclass(frozen=True, eq=False)
class Timed:
    """A stroke (points, 2) of a layer and when the pen is at each of its points, in seconds."""

    layer: Layer
    stroke: Array
    times: Array


def timeline(page: Page, speed: float = 1.0) -> list[Timed]:
    """The strokes of a page in the order they are written, guides left out.

    The first one begins at 0.  Raises BadOption for a speed that is none.
    """
    if not SLOWEST <= speed <= FASTEST:
        raise BadOption(
            f"speed is {speed}; it takes from {SLOWEST} to {FASTEST:g}, 1 is a person's"
        )
    timed: list[Timed] = []
    for layer in page.layers:
        if layer.is_guide:
            continue
        for stroke in (stroke for line in layer.lines for stroke in line.ink.strokes):
            begin = 0.0
            if timed:
                before = timed[-1]
                way = float(np.hypot(*(stroke[0] - before.stroke[-1])))
                begin = before.times[-1] + (LIFT_SECONDS + way / AIR_MM_PER_SECOND) / speed
            times = begin + np.arange(len(stroke)) / STEPS_A_SECOND / speed
            timed.append(Timed(layer, stroke, times))
    return timed
