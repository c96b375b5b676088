"""scripts/practise.py: invented texts, and lines of the hand's own that it learns from."""

import itertools
import json
import string
from pathlib import Path
from types import ModuleType

import pytest
import scripts
import tiny_hand as invented_hand

from handwriter import Hand
from handwriter.interchange import read_jsonl


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("practise")


def texts(script: ModuleType, n: int = 3000, seed: int = 1) -> list[tuple[str, str]]:
    return list(itertools.islice(script.invented(invented_hand.LINES, seed), n))


def test_texts_are_short_and_bring_every_sign_and_digit(script: ModuleType) -> None:
    found = texts(script)
    assert all(script.SHORTEST <= len(text) <= script.LONGEST for _, text in found)
    assert all(text == " ".join(text.split()) for _, text in found)
    seen = set("".join(text for _, text in found))
    assert seen >= set(string.punctuation + string.digits)
    assert {kind for kind, _ in found} == set(script.KINDS)


def test_the_same_seed_gives_the_same_texts(script: ModuleType) -> None:
    assert texts(script, 50) == texts(script, 50)
    assert texts(script, 50) != texts(script, 50, seed=2)


def test_spans_are_taken_from_the_training_lines(script: ModuleType) -> None:
    own = "\n".join(invented_hand.LINES.texts)
    assert all(text in own for kind, text in texts(script, 200) if kind == "span")


def test_what_is_kept_is_read_again_as_ink_to_train_on(
    script: ModuleType, tmp_path: Path, tiny_hand: Hand
) -> None:
    written = tiny_hand.write_lines(["abc", "so it was"], seed=1)
    path = tmp_path / "practice.jsonl"
    path.write_bytes(script.content(written))
    found = list(read_jsonl(path))
    assert [(line.text, line.split) for line in found] == [("abc", "train"), ("so it was", "train")]
    assert [line.ink.n_points for line in found] == [line.n_points for line in written]
    assert json.loads(path.read_text().splitlines()[1])["seed"] == 2
