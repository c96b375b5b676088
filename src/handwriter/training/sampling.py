"""Which lines an epoch is made of: by source, and so that rare characters come often enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from handwriter.errors import BadData
from handwriter.training.recipe import SamplingConfig

ROUNDS = 100  # of raising the lines with rare characters; a few are enough for UNIPEN
REACHED = 0.95  # of what is asked of single characters
MOST = 40.0  # times that a line comes more often for its characters' sake

Weights = NDArray[np.float64]


def expected_draws(
    texts: Sequence[str], sources: Sequence[str], sampling: SamplingConfig
) -> Weights:
    """How often each line comes in an epoch, in the mean; shape (lines,).

    Every line is weighed by its source, and then as much more often as its rarest character
    needs to come as often as `sampling` asks; the sum is `sampling.lines`, or with 0 the number
    of lines.  A character so rare that its lines would come `MOST` times as often as they would
    by their source stays rarer; raises BadData where one of `sampling.characters` does.
    """
    n_lines = sampling.lines or len(texts)
    base = np.array([_weight_of(source, sampling.sources) for source in sources])
    order, places, counts = _occurrences(texts)
    raised = np.ones(len(texts))
    draws: Weights = base * (n_lines / max(base.sum(), 1e-12))
    asked = [sampling.characters.get(character, sampling.character) for character in order]
    for _ in range(ROUNDS if any(asked) else 0):
        rarest = 1.0
        for lines, times, least in zip(places, counts, asked, strict=True):
            comes = float(draws[lines] @ times)
            if comes and comes < least:
                lift = least / comes
                rarest = max(rarest, lift)
                raised[lines] = np.minimum(raised[lines] * lift, MOST)
                draws[lines] = (base * raised)[lines] * (draws.sum() / (base * raised).sum())
        draws = base * raised * (n_lines / (base * raised).sum())
        if rarest < 1.01:
            break
    for character, lines, times in zip(order, places, counts, strict=True):
        least, comes = sampling.characters.get(character, 0.0), float(draws[lines] @ times)
        if comes < REACHED * least:
            raise BadData(
                f"[sampling] characters asks for {least:,.0f} {character!r} an epoch, and "
                f"{comes:,.0f} are reached; ask for fewer, or for fewer of every `character`"
            )
    return draws


def drawn(draws: Weights, seed: int, epoch: int) -> NDArray[np.int64]:
    """The numbers of an epoch's lines, each `draws[i]` times rounded down or up by chance.

    There are always as many, the sum of `draws`; which ones follows from seed and epoch.
    """
    if (draws == 1.0).all():
        return np.arange(len(draws))
    rng = np.random.default_rng([seed, epoch, 7])
    n = round(float(draws.sum()))
    shuffled = rng.permutation(len(draws))
    ends = np.cumsum(draws[shuffled]) * (n / draws.sum())
    marks = np.arange(n) + rng.random()
    return np.sort(shuffled[np.minimum(np.searchsorted(ends, marks), len(draws) - 1)])


def _weight_of(source: str, sources: Mapping[str, float]) -> float:
    """The weight of the longest of the recipe's beginnings that the source's name has; else 1."""
    fitting = [start for start in sources if source.startswith(start)]
    return sources[max(fitting, key=len)] if fitting else 1.0


def _occurrences(texts: Sequence[str]) -> tuple[list[str], list[NDArray[np.int64]], list[Weights]]:
    """The characters; for each its lines' numbers, and how often it occurs in each of them."""
    lines: dict[str, list[int]] = {}
    times: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        for character, n in Counter(text.replace(" ", "")).items():
            lines.setdefault(character, []).append(number)
            times.setdefault(character, []).append(n)
    order = sorted(lines)
    return (
        order,
        [np.array(lines[c], np.int64) for c in order],
        [np.array(times[c], np.float64) for c in order],
    )
