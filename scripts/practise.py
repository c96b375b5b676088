"""Let a hand practise: write many short lines as varied as people do, and keep what can be read.

Run it from anywhere: `python scripts/practise.py HAND LINES -o practice.jsonl [--reader NAME]`,
HAND an installed hand's name or a file, LINES the lines file that it was trained on.  What it
writes is taken from the training lines' texts.  `handwriter prepare` reads the JSON-lines like
any other ink, and a hand that goes on training with them too learns from its own good lines, which
teach it what its data cannot: how to go on after ink of its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import handwriter
from handwriter import Author
from handwriter.author import Checked
from handwriter.output import render, write_file
from handwriter.training.lines import Lines, load_lines

SHORTEST, LONGEST = 3, 24  # characters of a line: up to two pieces
AT_ONCE = 64
SIGNS = "".join(c for c in map(chr, range(33, 127)) if not c.isalnum())
# Of the texts: spans of real ones, and what these have too little of.
KINDS = {"span": 0.4, "capitals": 0.15, "number": 0.15, "signs": 0.3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hand")
    parser.add_argument("lines", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--reader", default="open")
    parser.add_argument("--smoothness", type=float, default=0.0)
    parser.add_argument("--keep", type=int, default=6000, help="lines that are to be kept")
    parser.add_argument("--minutes", type=float, default=60.0, help="or as many as these give")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    author = Author.of(handwriter.load(arguments.hand), arguments.reader)
    texts = invented(load_lines(arguments.lines), arguments.seed)
    kept: list[Checked] = []
    tried: Counter[str] = Counter()
    good: Counter[str] = Counter()
    end = time.monotonic() + 60 * arguments.minutes
    for number in itertools.count():
        if len(kept) >= arguments.keep or time.monotonic() > end:
            break
        some = list(itertools.islice(texts, AT_ONCE))
        seed = (arguments.seed << 32) + number * AT_ONCE
        lines = author.iter_lines(
            [text for _, text in some], smoothness=arguments.smoothness, seed=seed, candidates=1
        )
        for (kind, _), line in zip(some, lines, strict=True):
            tried[kind] += 1
            if all(verdict.is_good for verdict in line.verdicts):
                good[kind] += 1
                kept.append(line)
    write_file(arguments.output, content(kept))
    for kind in KINDS:
        print(f"{kind}: {good[kind]} of {tried[kind]} lines kept")


def content(kept: Sequence[Checked]) -> bytes:
    """The lines as JSON-lines, all to train on: what validates is people's."""
    rows = render(".jsonl", kept).decode().splitlines()
    marked = [{"split": "train"} | json.loads(row) for row in rows]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in marked).encode()


def invented(lines: Lines, seed: int) -> Iterator[tuple[str, str]]:
    """Texts without end, each with its kind, made of those of the training lines."""
    rng = np.random.default_rng(seed)
    texts = [lines.texts[i].split() for i in lines.where("train")]
    lengths = np.array([len(words) for words in texts], np.float64)
    shares = lengths / lengths.sum()
    while True:
        words = _span(texts[rng.choice(len(texts), p=shares)], rng)
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        text = " ".join(_changed(words, kind, rng))[:LONGEST].strip()
        if len(text) >= SHORTEST:
            yield kind, text


def _span(words: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Some words in their order, as many as fit into a line of a length drawn by chance."""
    room = int(rng.integers(SHORTEST, LONGEST + 1))
    found: list[str] = []
    for word in words[int(rng.integers(len(words))) :]:
        if found and len(" ".join([*found, word])) > room:
            break
        found.append(word)
    return found


def _changed(words: list[str], kind: str, rng: np.random.Generator) -> list[str]:
    place = int(rng.integers(len(words)))
    word = words[place]
    if kind == "capitals":
        how = (str.capitalize, str.upper)[int(rng.random() < 0.3)]
        return [how(word) for word in words]
    if kind == "number":
        digits = "".join(rng.choice(list("0123456789"), int(rng.integers(1, 5))))
        joint = str(rng.choice(["", "", ".", ":", "/", "-", ","]))
        more = "".join(rng.choice(list("0123456789"), 2)) if joint else ""
        words[place] = digits + joint + more
    if kind == "signs":
        sign = str(rng.choice(list(SIGNS)))
        words[place] = str(rng.choice([word + sign, sign + word, f"{word} {sign}"]))
        if sign in "([{<":
            words[place] = sign + word + ")]}>"["([{<".index(sign)]
    return words


if __name__ == "__main__":
    main()
