"""scripts/recase.py: words of people's that begin with the other kind of letter."""

import itertools
from types import ModuleType

import numpy as np
import pytest
import scripts

from handwriter.ctc import FrameTable
from handwriter.features import seen
from handwriter.ink import Ink, Line
from handwriter.interchange import read_jsonl
from handwriter.traits import x_height

TALL = 2.0


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("recase")


def printed(text: str) -> Line:
    """A zigzag for each letter, 1 high or `TALL`, as it would be printed."""
    strokes, x = [], 0.0
    for character in text:
        if character == " ":
            x += 1.0
            continue
        height = TALL if character.isupper() else 1.0
        y = height * np.array([-1.0, 0.0, -1.0, 0.0])
        strokes.append(np.column_stack([x + np.array([0.0, 0.2, 0.4, 0.6]), y]))
        x += 0.9
    return Line(Ink(tuple(strokes)), text, writer="somebody", source="somewhere")


def read(line: Line, text: str) -> FrameTable:
    """A frame for each point that a reader sees; letters in the middle of their strokes."""
    points, is_begin = seen(line.ink)
    begins = np.flatnonzero(is_begin)
    alphabet = "".join(sorted(set(text)))
    table = np.full((len(points), 1 + len(alphabet)), -9.0, np.float32)
    table[:, 0] = -1.0
    middles = iter((begins + np.append(begins[1:], len(points))) // 2)
    at = 0
    for character in text:
        at = int(next(middles)) if character != " " else at + 2
        table[at, 1 + alphabet.index(character)] = 0.0
    return FrameTable(table, alphabet)


def gaps(ink: Ink) -> list[float]:
    """How far each stroke is behind the one before."""
    pairs = itertools.pairwise(ink.strokes)
    return [b[:, 0].min() - a[:, 0].max() for a, b in pairs]


def test_the_letters_are_found_in_their_strokes(script: ModuleType) -> None:
    line = printed("So on a we")
    table = read(line, line.text)
    assert table.reading().text == line.text
    assert script.strokes_of(line.ink, table) == [0, 1, 1, 2, 3, 3, 4, 4, 5, 6]
    assert list(script.first_letters(line, table, 1.0)) == [(0, 0), (3, 2), (8, 5)]


def test_words_begin_with_the_other_kind_of_letter(script: ModuleType) -> None:
    line = printed("She was so")
    rng = np.random.default_rng(1)
    found = [script.recased(line, read(line, "she was so"), rng) for _ in range(40)]
    texts = {changed.text for changed in found if changed is not None}
    assert texts > {"she was so", "She Was so", "She was So", "she Was So"}
    for changed in found:
        if changed is None:
            continue
        assert (changed.writer, changed.source) == (line.writer, line.text)
        bounds = [stroke[:, 1] for stroke in changed.ink.strokes]
        assert {float(y.max()) for y in bounds} == {0.0}  # upon the same bottom
        heights = iter(np.ptp(y) / x_height(line.ink) for y in bounds)
        for was, is_now in zip(line.text, changed.text, strict=True):
            if was != " ":
                own = next(heights)
                least, most = script.MADE_TALL if is_now.isupper() else script.MADE_SMALL
                assert least <= own <= most or was == is_now
        np.testing.assert_allclose(gaps(changed.ink), gaps(line.ink))


@pytest.mark.parametrize(
    ("text", "as_read"),
    [("So on", "So om"), ("he did", "he did"), ("S", "S")],
    ids=["misread", "no such letter", "a letter alone"],
)
def test_other_lines_are_passed_over(script: ModuleType, text: str, as_read: str) -> None:
    line = printed(text)
    rng = np.random.default_rng(1)
    assert all(script.recased(line, read(line, as_read), rng) is None for _ in range(9))


def test_a_letter_that_is_not_as_tall_as_it_should_be_stays(script: ModuleType) -> None:
    line = printed("so on")
    high = Line(line.ink, "So on")
    rng = np.random.default_rng(1)
    found = [script.recased(high, read(high, "so on"), rng) for _ in range(20)]
    assert {changed.text for changed in found if changed is not None} == {"So On"}


def test_a_joined_word_stays(script: ModuleType) -> None:
    line = printed("so it")
    first, second, *rest = line.ink.strokes
    joined = Line(Ink((np.concatenate([first, second]), *rest)), line.text)
    table = FrameTable(read(line, line.text).log_probabilities, "".join(sorted(set(line.text))))
    assert list(script.first_letters(joined, table, 1.0)) == []


def test_what_is_made_is_read_again_as_ink_to_train_on(script: ModuleType, tmp_path) -> None:
    lines = [printed("So on"), printed("we")]
    path = tmp_path / "recased.jsonl"
    path.write_bytes(script.content(lines))
    found = list(read_jsonl(path))
    assert [(line.text, line.split, line.writer) for line in found] == [
        ("So on", "train", "somebody"), ("we", "train", "somebody"),
    ]  # fmt: skip
    np.testing.assert_allclose(found[0].ink.points, lines[0].ink.points, atol=1e-3)
