"""Let a hand practise: write many short lines as varied as people do, and keep what can be read.

Run it from anywhere: `python scripts/practise.py HAND LINES -o practice.jsonl [--reader NAME]`,
HAND an installed hand's name or a file, LINES the lines file that it was trained on.  What it
writes is taken from the training lines' texts.  `handwriter prepare` reads the JSON-lines like
any other ink, and a hand that goes on training with them too learns from its own good lines, which
teach it what its data cannot: how to go on after ink of its own.

The reader likes print that stands upright, and so would the hand after a few rounds.  So what is
kept is made to lean and join as the training lines do: lines of a kind that people write more often
come several times, others are left out.  `--leave-out SOURCES` (beginnings, with commas between
them) names training lines that do not tell how people write, such as those set from single letters.

Each text is drawn once, which is far cheaper than drawing until it is right, and kept where the
reader reads just that text, but for shapes that it lets pass and people do not (`is_misshapen`);
`--surest 0.75` keeps of these the share that it is surest of, each character held against that
character elsewhere.  What is misread is asked for the more often, letters, digits and signs each by
the share of them that was, and by how usual they are.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import handwriter
from handwriter import Ink, Reader, Written
from handwriter.ctc import Reading
from handwriter.edits import kept as read_rightly
from handwriter.output import render, write_file
from handwriter.training.lines import Lines, load_lines
from handwriter.training.misshapen import is_misshapen
from handwriter.traits import manner, traits

SHORTEST = 3  # characters of a line
SPREAD = 0.95  # that of people's lines, so that short words keep their size
AT_ONCE = 256
# Kinds of look: degrees of slant, and lifts for each place between letters.
SLANTS, LIFTS = (-15.0, -5.0, 5.0, 15.0, 25.0, 35.0), (0.4, 0.6, 0.9)
FEWEST_JOINTS = 4  # of a line that tells whether it is cursive or print
MOST_PEOPLE = 4000  # training lines that are looked at
MOST_COPIES = 4
SIGNS = "".join(c for c in map(chr, range(33, 127)) if not c.isalnum())
CLOSING = dict(zip("([{<", ")]}>", strict=True))
OPENING = {close: sign for sign, close in CLOSING.items()}
BEHIND, WITHIN, BETWEEN = ".,:;!?", "'", "-/"  # where people put these for the most part
# Of the texts: spans of real ones, and what these have too little of.
KINDS = {"span": 0.1, "weak": 0.2, "capitals": 0.1, "number": 0.1, "signs": 0.35, "alone": 0.15}
ALONE = ("I", "I", "a", "A")  # letters that are words: the texts have few
MORE_SIGNS = 0.2  # the chance of one at each further word of a text with signs
FEWEST_SIGNS = 10  # as which a sign counts that the texts have fewer times, or never

Look = tuple[int, int]  # between which of `SLANTS` and of `LIFTS`


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hand")
    parser.add_argument("lines", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--leave-out", default="", help="sources that do not tell how people write")
    parser.add_argument("--reader", default="open")
    parser.add_argument("--smoothness", type=float, default=0.0)
    parser.add_argument("--longest", type=int, default=24, help="characters of a line")
    parser.add_argument("--keep", type=int, default=6000, help="lines that are to be kept")
    parser.add_argument("--minutes", type=float, default=60.0, help="or as many as these give")
    parser.add_argument("--surest", type=float, default=1.0, help="the share kept of what is read")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    hand, reader = handwriter.load(arguments.hand), handwriter.load_reader(arguments.reader)
    if not 0 < arguments.surest <= 1:
        parser.error(f"--surest is {arguments.surest:g}; give a share, above 0 and at most 1")
    kept: list[Written] = []
    readings: list[Reading] = []
    tried: Counter[str] = Counter()
    good: Counter[str] = Counter()
    skill = Skill()
    lines = load_lines(arguments.lines)
    people = looks_of_people(lines, [source for source in arguments.leave_out.split(",") if source])
    if not people:
        parser.error(
            f"{arguments.lines} has no train line left that tells how people write; leave out fewer"
        )
    texts = invented(lines, arguments.longest, arguments.seed, skill)
    end = time.monotonic() + 60 * arguments.minutes
    for number in itertools.count():
        if len(kept) >= arguments.keep or time.monotonic() > end:
            break
        some = list(itertools.islice(texts, AT_ONCE))
        seed = (arguments.seed << 32) + number * AT_ONCE
        written = hand.iter_lines(
            [text for _, text in some], smoothness=arguments.smoothness, seed=seed
        )
        for (kind, _), line, reading, is_right in judged(some, list(written), reader):
            tried[kind] += 1
            skill.learn(reading.text, line.text)
            if is_right:
                good[kind] += 1
                kept.append(line)
                readings.append(reading)
    kept = [kept[i] for i in surest(readings, arguments.surest)]
    looks = [look_of(line, line.text) for line in kept]
    copies = as_people(looks, people, np.random.default_rng(arguments.seed))
    write_file(
        arguments.output,
        content([line for line, n in zip(kept, copies, strict=True) for _ in range(n)]),
    )
    for kind in KINDS:
        print(f"{kind}: {good[kind]} of {tried[kind]} lines read rightly")
    n_different = sum(n > 0 for n in copies)
    print(f"the surest: {len(kept)} lines")
    print(f"as people lean and join: {sum(copies)} lines, {n_different} of them different ones")


def judged(
    texts: Sequence[tuple[str, str]], lines: Sequence[Written], reader: Reader
) -> Iterator[tuple[tuple[str, str], Written, Reading, bool]]:
    """Each text and line, what is read, and whether all of it is there and as it should be."""
    readings = reader.read_lines(lines, spread=SPREAD)
    for text, line, reading in zip(texts, lines, readings, strict=True):
        is_right = line.finished and reading.text == line.text and not is_misshapen(line)
        yield text, line, reading, is_right


def surest(readings: Sequence[Reading], share: float) -> list[int]:
    """The numbers of that share of the lines that the reader is surest of, in order.

    How sure it is of a character is the rank among all lines' of that character, from 0 to 1, since
    signs are never as sure as letters.  A line teaches its least sure character too: it counts as
    the chance that the least of so many ranks drawn at random is lower still.
    """
    every: defaultdict[str, list[float]] = defaultdict(list)
    for reading in readings:
        for character, confidence in zip(reading.text, reading.confidences, strict=True):
            every[character].append(confidence)
    ordered = {character: np.sort(found) for character, found in every.items()}

    def rank(character: str, confidence: float) -> float:
        among = ordered[character]
        below, upto = (np.searchsorted(among, confidence, side) for side in ("left", "right"))
        return float(below + upto) / (2 * len(among))

    chances = []
    for reading in readings:
        ranks = itertools.starmap(rank, zip(reading.text, reading.confidences, strict=True))
        chances.append(1 - (1 - min(ranks)) ** len(reading.text))
    best = np.argsort(chances)[::-1][: math.ceil(share * len(chances))]
    return sorted(best.tolist())


def look_of(ink: Ink, text: str) -> Look | None:
    """How far the line leans and how often it lifts; None where it is too short to tell."""
    own, how = traits(ink, len(text)), manner(ink, text)
    n_joints = sum(len(word) - 1 for word in text.split())
    if own is None or how is None or n_joints < FEWEST_JOINTS:
        return None
    return bisect(SLANTS, own.slant), bisect(LIFTS, how.lifts)


def looks_of_people(lines: Lines, left_out: Sequence[str]) -> list[Look]:
    """The looks of training lines of other sources, some thousand at most."""
    own = lines.where("train", left_out)
    some = np.random.default_rng(1).permutation(own)[:MOST_PEOPLE]
    looks = (look_of(lines.ink(i), lines.texts[i]) for i in some.tolist())
    return [look for look in looks if look is not None]


def as_people(
    looks: Sequence[Look | None], people: Iterable[Look], rng: np.random.Generator
) -> list[int]:
    """How often each line is to come, so that looks are as common as among people.

    The mean is about one; `MOST_COPIES` is the most.  Lines without a look come once.
    """
    own, theirs = Counter(look for look in looks if look is not None), Counter(people)
    scale = own.total() / max(sum(n for look, n in theirs.items() if look in own), 1)
    wanted = [1.0 if look is None else scale * theirs[look] / own[look] for look in looks]
    copies = np.floor(np.array(wanted) + rng.random(len(looks)))
    return [min(int(n), MOST_COPIES) for n in copies]


def content(kept: Sequence[Written]) -> bytes:
    """The lines as JSON-lines, all to train on: what validates is people's."""
    rows = render(".jsonl", kept).decode().splitlines()
    marked = [{"split": "train"} | json.loads(row) for row in rows]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in marked).encode()


@dataclass
class Skill:
    """Of each character how many were written so far, and how many of these read rightly."""

    written: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)

    def learn(self, reading: str, truth: str) -> None:
        self.written.update(truth)
        rightly = read_rightly(reading, truth)
        self.read.update(itertools.compress(truth, rightly))

    def misread(self, character: str) -> float:
        """The share of it that was misread; one in ten where none was written yet."""
        return (1 + self.written[character] - self.read[character]) / (10 + self.written[character])

    def weak(self, usual: Mapping[str, int], rng: np.random.Generator) -> str:
        """One of the characters, the sooner the more it is misread and the more `usual` it is.

        By the root of how usual: a capital is as much to a reader of the line as any letter, and
        would hardly come in a hundred lines for its number alone.
        """
        return _one_of({c: math.sqrt(n) * self.misread(c) for c, n in usual.items()}, rng)


def _one_of(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    chances = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=chances / chances.sum()))


def invented(lines: Lines, longest: int, seed: int, skill: Skill) -> Iterator[tuple[str, str]]:
    """Texts without end, each with its kind, made of those of the training lines.

    What they ask for follows `skill`, as it is when each is asked for.
    """
    rng = np.random.default_rng(seed)
    texts = [lines.texts[i].split() for i in lines.where("train")]
    usual = Counter("".join(word for words in texts if len(words) > 1 for word in words))
    signs = {sign: max(usual[sign], FEWEST_SIGNS) for sign in SIGNS}
    places: dict[str, list[tuple[int, int]]] = {character: [] for character in usual}
    for number, words in enumerate(texts):
        for place, word in enumerate(words):
            for character in set(word) & usual.keys():
                places[character].append((number, place))
    lengths = np.array([len(words) for words in texts], np.float64)
    shares = lengths / lengths.sum()
    while True:
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        if kind == "weak":
            some = places[skill.weak(usual, rng)]
            number, place = some[int(rng.integers(len(some)))]
            begin = max(0, place - int(rng.integers(3)))
        else:
            number = int(rng.choice(len(texts), p=shares))
            begin = int(rng.integers(len(texts[number])))
        words = _span(texts[number][begin:], longest, rng)
        if kind == "signs":
            words = _with_signs(words, lambda: skill.weak(signs, rng), rng)
        text = " ".join(_changed(words, kind, rng))[:longest].strip()
        if len(text) >= SHORTEST:
            yield kind, text


def _span(words: Sequence[str], longest: int, rng: np.random.Generator) -> list[str]:
    """The first words, as many as fit into a line of a length drawn by chance."""
    room = int(rng.integers(SHORTEST, longest + 1))
    found: list[str] = []
    for word in words:
        if found and len(" ".join([*found, word])) > room:
            break
        found.append(word)
    return found


def _changed(words: list[str], kind: str, rng: np.random.Generator) -> list[str]:
    place = int(rng.integers(len(words)))
    if kind == "capitals":
        how = (str.capitalize, str.upper)[int(rng.random() < 0.3)]
        return [how(word) for word in words]
    if kind == "number":
        digits = "".join(rng.choice(list("0123456789"), int(rng.integers(1, 5))))
        joint = str(rng.choice(["", "", ".", ":", "/", "-", ","]))
        more = "".join(rng.choice(list("0123456789"), 2)) if joint else ""
        words[place] = digits + joint + more
    if kind == "alone":
        words.insert(place, str(rng.choice(ALONE)))
    return words


def _with_signs(
    words: Sequence[str], sign: Callable[[], str], rng: np.random.Generator
) -> list[str]:
    """One of the words with a sign, and some of the others."""
    chosen = rng.random(len(words)) < MORE_SIGNS
    chosen[int(rng.integers(len(words)))] = True
    found: list[str] = []
    for word, is_chosen in zip(words, chosen, strict=True):
        if not is_chosen:
            found.append(word)
            continue
        drawn = sign()
        if rng.random() < 0.5:  # where people put it
            if drawn in BETWEEN and found:
                word = found.pop() + drawn + word
            else:
                word = _as_people_put(word, drawn)
        else:
            word = _anywhere(word, drawn, rng)
        found.append(word)
    return found


def _as_people_put(word: str, sign: str) -> str:
    if sign in BEHIND:
        return word + sign
    if sign in WITHIN + BETWEEN:
        return word[:-1] + sign + word[-1:]
    return _around(word, sign)


def _anywhere(word: str, sign: str, rng: np.random.Generator) -> str:
    half = len(word) // 2
    ways = [word + sign, sign + word, f"{word} {sign}", _around(word, sign)]
    if sign not in CLOSING and sign not in OPENING:
        ways.append(word[:half] + sign + word[half:])
    return str(rng.choice(ways))


def _around(word: str, sign: str) -> str:
    return OPENING.get(sign, sign) + word + CLOSING.get(sign, sign)


if __name__ == "__main__":
    main()
