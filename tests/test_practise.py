"""scripts/practise.py: invented texts, and lines of the hand's own that it learns from."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scripts
import tiny_hand as invented_hand
from tiny import leaning
from tiny_reader import read_as

from handwriter import Hand
from handwriter.ctc import Reading
from handwriter.interchange import read_jsonl
from handwriter.training.lines import save_lines
from handwriter.training.practice_looks import Models
from handwriter.training.practice_texts import Skill


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("practise")


def test_a_line_is_right_when_it_is_finished_and_read_as_its_text(
    script: ModuleType, tiny_hand: Hand
) -> None:
    lines = tiny_hand.write_lines(["abc", "so it was", "ab"], seed=1)

    class Reads:
        def iter_frames(self, inks, *, spread):
            return map(read_as, ("abc", "so it saw", "ab"))

    lines = [
        replace(line, finished=finished)
        for line, finished in zip(lines, [True, True, False], strict=True)
    ]
    found = list(script.judged(lines, Reads()))
    assert [reading.text for _, reading, _ in found] == ["abc", "so it saw", "ab"]
    assert [is_right for *_, is_right in found] == [True, False, False]


def test_what_is_misshapen_is_not_right_however_it_is_read(
    script: ModuleType, tiny_hand: Hand
) -> None:
    line = tiny_hand.write("so I", seed=1)
    stem = np.column_stack([np.zeros(9), np.linspace(0, 10, 9)])
    bar = np.column_stack([np.linspace(0, 5, 9), np.zeros(9)])

    class Reads:
        def iter_frames(self, inks, *, spread):
            return (read_as("so I") for _ in inks)

    odd = replace(line, finished=True, strokes=(line.strokes[0], stem, bar), begins=(0, 1))
    plain = replace(odd, strokes=odd.strokes[:2])
    found = script.judged([odd, plain], Reads())
    assert [is_right for *_, is_right in found] == [False, True]


def test_the_surest_are_told_by_what_is_usual_for_a_character(script: ModuleType) -> None:
    """A bar that is surer than bars are goes before a letter that is less sure than letters are."""
    sure = [("ab", (0.9, 0.9)), ("ab", (0.99, 0.99)), ("|", (0.5,)), ("|", (0.6,)), ("|", (0.4,))]
    readings = [Reading(text, confidences) for text, confidences in sure]
    assert script.surest(readings, 1.0, Skill()) == [0, 1, 2, 3, 4]
    assert script.surest(readings, 0.6, Skill()) == [1, 2, 3]
    assert script.surest([], 0.5, Skill()) == []


def test_one_doubtful_character_makes_a_line_doubtful(script: ModuleType) -> None:
    doubtful, even = (0.99, 0.99, 0.1), (0.9, 0.9, 0.9)
    readings = [Reading("abc", sure) for sure in (doubtful, even, even)]
    skill = Skill(Counter("abc" * 90), Counter("ab" * 90 + "c" * 80))
    assert script.surest(readings, 0.6, skill) == [1, 2]


def test_a_line_is_as_sure_as_what_is_misread_most_often_in_it(script: ModuleType) -> None:
    sure = ((0.6, 0.9), (0.7, 0.8), (0.8, 0.7), (0.9, 0.6))
    readings = [Reading("a/", confidences) for confidences in sure]
    written, read = Counter("a/" * 90), Counter("a/" * 40)
    assert script.surest(readings, 0.25, Skill(written, read + Counter("a" * 50))) == [1]
    assert script.surest(readings, 0.25, Skill(written, read + Counter("/" * 50))) == [2]


def test_long_lines_are_as_sure_as_short_ones(script: ModuleType) -> None:
    rng = np.random.default_rng(1)
    lengths = np.repeat([4, 40], 400)
    readings = [Reading("a" * n, tuple(rng.random(n))) for n in lengths.tolist()]
    chosen = script.surest(readings, 0.5, Skill())
    assert 0.42 < np.mean(lengths[chosen] == 40) < 0.58


def test_an_earlier_round_is_read_again_each_line_once(
    script: ModuleType, tiny_hand: Hand, tmp_path: Path
) -> None:
    lines = tiny_hand.write_lines(["so it was", "ab c"], seed=1)
    path = tmp_path / "practice.jsonl"
    path.write_bytes(script.content([lines[0], lines[1], lines[0]]))
    again = list(script.earlier([path, path]))
    assert [line.text for line in again] == ["so it was", "ab c"]
    assert script.content(again) == script.content(lines)


def test_people_are_those_of_sources_that_tell(script: ModuleType) -> None:
    lines = invented_hand.LINES
    trained = [lines.sources[i] for i in lines.where("train")]
    everyone = script.some_people(lines, ())
    assert 0 < len(everyone) <= len(trained)
    assert script.some_people(lines, tuple(trained)) == []
    assert len(script.some_people(lines, (trained[0],))) < len(everyone)


@pytest.fixture
def refused(script: ModuleType, tmp_path: Path, tiny_hand_path: Path, monkeypatch, capsys):
    """What is said of options that are refused, with nothing written."""
    lines, out = tmp_path / "lines.npz", tmp_path / "practice.jsonl"
    save_lines(lines, invented_hand.LINES)

    def complaint(*options: str) -> str:
        command = ["practise", str(tiny_hand_path), str(lines), "-o", str(out), *options]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as caught:
            script.main()
        assert caught.value.code == 2
        assert not out.exists()
        said: str = capsys.readouterr().err
        return said

    return complaint


WRONG_WORDS = json.dumps(
    {"strokes": [[[0, 0]]], "text": "a b", "hand": "", "licence": "", "seed": 1, "smoothness": 0,
     "finished": True, "steps": 1, "words": [0]}
)  # fmt: skip


@pytest.mark.parametrize("content", ["{}\n", "[1]\n", "no JSON\n", WRONG_WORDS, None])
def test_an_earlier_round_that_is_none_is_refused_before_anything_is_drawn(
    refused, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "again.jsonl"
    if content is not None:
        path.write_text(content)
    assert "again.jsonl" in refused("--again", str(path))


def test_without_people_nothing_is_written(refused) -> None:
    everyone = ",".join({source[:1] for source in invented_hand.LINES.sources})
    assert "leave out fewer" in refused("--leave-out", everyone)


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


def test_lines_that_go_on_from_models_say_of_whom(script: ModuleType, tiny_hand: Hand) -> None:
    models = Models.of(leaning("/", 1), tiny_hand.characters, seed=1)
    texts = ["ab", "so it", "abc"] * 6
    found = list(script.write(tiny_hand, texts, models, 0.5, 7))
    assert [line.text for line in found] == texts
    assert [line.seed for line in found] == list(range(7, 25))
    assert {line.style for line in found} == {"/0"}
    plain = list(script.write(tiny_hand, texts, None, 0.5, 7))
    assert {line.style for line in plain} == {""}
    assert [line.seed for line in plain] == list(range(7, 25))


def test_kinds_of_text_that_do_not_exist_are_named(refused) -> None:
    assert "--kinds names 'letters'" in refused("--kinds", "number,letters")


def test_without_a_line_to_go_on_from_nothing_is_drawn(refused, monkeypatch) -> None:
    monkeypatch.setattr("handwriter.training.practice_looks.LONGEST_DRAFT", 3)
    assert "no train line that the hand could go on from" in refused("--primed")
