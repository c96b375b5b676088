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
from tiny_reader import read_as

from handwriter import Hand, Ink, Line
from handwriter.ctc import Reading
from handwriter.interchange import read_jsonl
from handwriter.training.lines import save_lines
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


def test_a_lean_joined_letters_and_long_ones_are_seen(script: ModuleType, tiny_hand: Hand) -> None:
    (line,) = tiny_hand.write_lines(["so it was there"], seed=1)
    x, waves = np.linspace(0, 20, 400), np.sin(np.linspace(0, 60, 400))

    def look(
        n_strokes: int, lean: float = 0.0, text: str = line.text, tall: float = 1.0
    ) -> tuple[int, int, int] | None:
        y = 4 * np.where(x < 15, 1.0, tall) * waves  # the last quarter of the letters is tall
        stroke = np.column_stack([x - lean * y, y])
        ink = replace(line, text=text, strokes=tuple([stroke] * n_strokes))
        found: tuple[int, int, int] | None = script.look_of(ink, text)
        return found

    upright_joined, upright_print = look(5), look(16)
    assert upright_joined is not None and upright_print is not None
    assert upright_joined[0] == upright_print[0] and upright_joined[1] < upright_print[1]
    leaning = look(5, lean=0.5)
    assert leaning is not None and leaning[0] > upright_joined[0]
    tall = look(5, tall=3.0)
    assert tall is not None and tall[2] > upright_joined[2]
    assert look(1, text="so") is None  # too short to tell


def test_lines_are_stretched_to_be_as_wide_as_peoples(script: ModuleType, tiny_hand: Hand) -> None:
    texts = ["so it was there and back", "and so it is everywhere", "so it goes on and on and on"]
    drawn = tiny_hand.write_lines([*texts, "so"], seed=1)
    widths = [script.width_of(line, line.text) for line in drawn]
    assert None not in widths[:3] and widths[3] is None
    people = np.repeat(1.2 * np.sort(widths[:3]), 100)
    wide = script.widened(drawn, people.tolist())
    found = [script.width_of(line, line.text) for line in wide[:3]]
    assert np.argsort(found).tolist() == np.argsort(widths[:3]).tolist()
    np.testing.assert_allclose(found, 1.2 * np.array(widths[:3]), rtol=0.1)
    for line, other in zip(drawn, wide, strict=True):
        np.testing.assert_array_equal(line.points[:, 1], other.points[:, 1])
    factor = wide[3].points[:, 0] / drawn[3].points[:, 0]
    np.testing.assert_allclose(factor, factor[0])
    assert script.widened(drawn[3:], people.tolist()) == drawn[3:]  # nothing tells how wide


def test_no_line_is_stretched_beyond_recognition(script: ModuleType, tiny_hand: Hand) -> None:
    drawn = tiny_hand.write_lines(["so it was there and back"], seed=1)
    for people, factor in (([1000.0], script.MOST_STRETCH), ([1e-3], 1 / script.MOST_STRETCH)):
        (line,) = script.widened(drawn, people)
        np.testing.assert_allclose(line.points[:, 0], factor * drawn[0].points[:, 0])


def test_kept_lines_come_as_often_as_people_write_so(script: ModuleType) -> None:
    joined, printed, odd = (3, 0, 1), (2, 3, 1), (2, 3, 0)
    looks = [joined] * 100 + [printed] * 800 + [odd] * 100 + [None] * 50
    copies = script.as_people(looks, [joined] * 300 + [printed] * 700, np.random.default_rng(1))
    assert copies[-50:] == [1] * 50
    assert set(copies[900:1000]) == {0}
    assert sum(copies[:100]) == pytest.approx(300, abs=20)
    assert sum(copies[100:900]) == pytest.approx(700, abs=40)


def test_no_line_comes_more_than_a_few_times(script: ModuleType) -> None:
    looks = [(3, 0, 1)] + [(2, 3, 1)] * 99
    copies = script.as_people(looks, [(3, 0, 1), (2, 3, 1)], np.random.default_rng(1))
    assert copies[0] == script.MOST_COPIES


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


@pytest.mark.parametrize("content", ["{}\n", "[1]\n", "no JSON\n", None])
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


def like(look: str, n: int) -> list[Line]:
    """Lines that lean to the right (/) or to the left, long enough to go on from."""
    text, lean = "abcdef ghijk lmnop qr", 0.5 if look == "/" else -0.5
    t = np.linspace(0, 4 * np.pi, 25)
    y = -1 - np.cos(t)
    strokes = tuple(
        np.column_stack([2 * place - lean * y + t / 9, y])
        for place, character in enumerate(text)
        if character != " "
    )
    return [Line(Ink(strokes), text, source=f"{look}{number}") for number in range(n)]


def test_what_is_lacking_is_gone_on_from_the_more_often(script: ModuleType) -> None:
    people = like("/", 30) + like("|", 10)
    models = script.Models.of(people, "abcdefghijklmnopqr", seed=1)
    looks = {line.source[0]: look for look, of in models.lines.items() for line in of}
    assert looks.keys() == {"/", "|"} and looks["/"] != looks["|"]
    before = Counter(models.some().source[0] for _ in range(400))
    assert 2 < before["/"] / before["|"] < 12
    for _ in range(200):
        models.learn(looks["/"])
        models.learn(None)
    after = Counter(models.some().source[0] for _ in range(400))
    assert after["/"] / after["|"] < 1.2
    assert len({models.some().source for _ in range(200)}) > 20


def test_models_are_lines_that_the_hand_can_go_on_from(script: ModuleType) -> None:
    (whole,) = like("/", 1)
    short = replace(whole, ink=Ink(whole.ink.strokes[:5]), text="abcde")
    foreign = replace(whole, text=whole.text.replace("a", "\u00e4"))
    models = script.Models.of([whole, short, foreign], "abcdefghijklmnopqr", seed=1)
    assert [line.source for of in models.lines.values() for line in of] == [whole.source]


def test_lines_that_go_on_from_models_say_of_whom(script: ModuleType, tiny_hand: Hand) -> None:
    models = script.Models.of(like("/", 1), tiny_hand.characters, seed=1)
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
