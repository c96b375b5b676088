"""What is in a lines file: its statistics, and some of its lines to look at."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from handwriter.errors import BadOption
from handwriter.ink import Ink
from handwriter.training.lines import Lines
from handwriter.training.recipe import SamplingConfig
from handwriter.training.sampling import expected_draws

PERCENTILES = (5, 25, 50, 75, 95)


def statistics(lines: Lines) -> dict[str, Any]:
    """The numbers that a person wants to know, as plain JSON values.

    `splits` has lines, points, characters and writers of each split and of "all";
    `points_per_line` and `points_per_character` (blanks not counted) map percentiles;
    `character_counts` is sorted from the most frequent to the rarest.
    """
    marks = np.array([max(1, len(text.replace(" ", ""))) for text in lines.texts])
    return {
        "recipe": lines.recipe,
        "unit": lines.unit,
        "digest": lines.digest,
        "splits": {name: _counts(lines, name) for name in (*sorted(set(lines.splits)), "all")},
        "points_per_line": _percentiles(lines.lengths),
        "points_per_character": _percentiles(lines.lengths / marks),
        "character_counts": _character_counts(lines),
    }


def epoch_statistics(lines: Lines, sampling: SamplingConfig) -> dict[str, Any]:
    """What an epoch of a recipe is made of, in the mean, as plain JSON values.

    `lines` and `points` are those of an epoch, `most_draws` how often the line comes that comes
    most often, and `character_counts` is sorted from the rarest to the most frequent.
    """
    train = lines.where("train")
    draws = expected_draws(
        [lines.texts[i] for i in train], [lines.sources[i] for i in train], sampling
    )
    counts: Counter[str] = Counter()
    for i, times in zip(train, draws, strict=True):
        counts.update({c: n * times for c, n in Counter(lines.texts[i]).items()})
    rarest_first = sorted(counts.items(), key=lambda item: (item[1], item[0]))
    return {
        "lines": round(float(draws.sum())),
        "points": round(float(draws @ lines.lengths[train])),
        "most_draws": round(float(np.max(draws, initial=0.0)), 1),
        "character_counts": {character: round(n) for character, n in rarest_first},
    }


def random_lines(lines: Lines, n_lines: int, seed: int = 0) -> list[tuple[Ink, str]]:
    """Up to `n_lines` different lines drawn with a seed: their ink, and a caption for each."""
    if n_lines < 1:
        raise BadOption(f"the number of lines is {n_lines}; give 1 or more")
    if seed < 0:
        raise BadOption(f"the seed is {seed}; give 0 or more")
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(lines), size=min(n_lines, len(lines)), replace=False)
    return [(lines.ink(int(i)), _caption(lines, int(i))) for i in drawn]


def _counts(lines: Lines, split: str) -> dict[str, int]:
    """Sums over a split, or over "all"."""
    chosen = range(len(lines)) if split == "all" else [int(i) for i in lines.where(split)]
    return {
        "lines": len(chosen),
        "points": int(lines.lengths[list(chosen)].sum()),
        "characters": sum(len(lines.texts[i]) for i in chosen),
        "writers": len({lines.writers[i] for i in chosen} - {""}),
    }


def _percentiles(values: np.typing.NDArray[Any]) -> dict[str, float]:
    if not len(values):
        return {}
    found = np.percentile(values, PERCENTILES)
    return {str(p): round(float(v), 2) for p, v in zip(PERCENTILES, found, strict=True)}


def _character_counts(lines: Lines) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for text in lines.texts:
        counts.update(text)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _caption(lines: Lines, i: int) -> str:
    return f"{lines.sources[i]}: {lines.texts[i]}" if lines.sources[i] else lines.texts[i]
