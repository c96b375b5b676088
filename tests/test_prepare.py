"""Preparing: text as the ink shows it, every line on one scale, everything counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fixtures_iam as tiny_iam
import numpy as np
import pytest

from handwriter.errors import BadData, BadOption
from handwriter.ink import Ink, Line
from handwriter.levelling import levelled
from handwriter.training.lines import Lines, load_lines, save_lines
from handwriter.training.prepare import prepare
from handwriter.training.recipe import SamplingConfig
from handwriter.training.show import epoch_statistics, random_lines, statistics

TEXT = "the quick brown fox jumps over it"


def writing(text: str = TEXT) -> Ink:
    return Ink.from_strokes(tiny_iam.letters(text))


def write_jsonl(path: Path, lines: list[Line]) -> Path:
    rows = [
        {"text": line.text, "strokes": [s.tolist() for s in line.ink.strokes], "split": line.split}
        for line in lines
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def prepared(folder: Path, lines: list[Line], recipe: str = "default") -> tuple[Lines, dict]:
    """The lines file made from a JSON-lines file, and the report."""
    source = write_jsonl(folder / "ink.jsonl", lines)
    report = prepare([source], folder / "out.npz", recipe)
    return load_lines(folder / "out.npz"), report


# --- Lines files that are there --------------------------------------------------------------


def test_a_lines_file_and_more_ink_are_as_good_as_all_ink_at_once(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path / "iam")
    mine = write_jsonl(tmp_path / "mine.jsonl", [Line(writing(), TEXT), Line(Ink(()), "nothing")])
    at_once = prepare([folder, mine], tmp_path / "at_once.npz")
    prepare([folder], tmp_path / "before.npz")
    assert prepare([tmp_path / "before.npz", mine], tmp_path / "more.npz") == at_once
    both = [(tmp_path / name).read_bytes() for name in ("at_once.npz", "more.npz")]
    assert both[0] == both[1]


def test_lines_of_another_recipe_are_refused(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path / "iam")
    prepare([folder], tmp_path / "paper.npz", "graves2013")
    with pytest.raises(BadData, match="'graves2013', not by 'default'"):
        prepare([tmp_path / "paper.npz"], tmp_path / "out.npz")


def test_a_report_that_another_program_wrote_does_no_harm(tmp_path: Path) -> None:
    made, _ = prepared(tmp_path, three_lines())
    foreign = replace(made, report={"lines_read": "three", "repaired": 7, "noted": {"it": "no"}})
    save_lines(tmp_path / "foreign.npz", foreign)
    report = prepare([tmp_path / "foreign.npz"], tmp_path / "out.npz")
    assert (report["lines_read"], report["repaired"], report["noted"]) == (3, {}, {})


# --- Collections and files -------------------------------------------------------------------


def test_the_default_recipe_counts_everything_it_does(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path / "iam")
    report = prepare([folder], tmp_path / "out.npz")
    assert report == {
        "recipe": "default",
        "lines_read": 7,
        "lines_used": {"train": 4, "validation": 1},
        "lines_skipped": {"crossed-out ink": 1, "form in no list": 1},
        "repaired": {"blank before punctuation": 2},
        "noted": {"form in a list but without ink": 1},
        "points": report["points"],
        "characters": sum(len(text) for text in load_lines(tmp_path / "out.npz").texts),
        "writers": 3,
        "lines_without_writer": 0,
    }
    lines = load_lines(tmp_path / "out.npz")
    assert lines.report == report
    assert lines.unit == 1 / 400
    assert len(lines.offsets) == report["points"]
    assert lines.texts[lines.sources.index("a01-000u-02")] == "under Mr. Brown's tree"


def test_graves2013_keeps_ink_and_text_as_they_are(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path / "iam")
    report = prepare([folder], tmp_path / "out.npz", "graves2013")
    lines = load_lines(tmp_path / "out.npz")
    assert report["lines_used"] == {"train": 5, "validation": 1}
    assert report["repaired"] == {}
    i = lines.sources.index("b02-007z-01")
    assert lines.texts[i] == "while it # rained"
    raw = Ink.from_strokes(tiny_iam.letters(lines.texts[i], seed=1)).offsets
    assert lines.steps(i)[0].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(lines.steps(i)[1:], raw[1:])


def test_the_first_default_offset_tells_where_the_baseline_is(tmp_path: Path) -> None:
    lines, _ = prepared(tmp_path, [Line(writing(), TEXT, split="train")])
    level = levelled(writing())
    assert level is not None
    np.testing.assert_allclose(lines.steps(0)[0, :2], level.points[0], atol=1 / 800)
    assert lines.steps(0)[0, 1] < -0.5  # the first letter begins at its top


@pytest.mark.parametrize("recipe", ["default", "graves2013"])
def test_archives_and_folders_give_the_same_bytes_every_time(tmp_path: Path, recipe: str) -> None:
    packed = tiny_iam.write_archives(tmp_path / "packed")
    unpacked = tiny_iam.write_folders(tmp_path / "unpacked")
    shuffled = dict(reversed(tiny_iam.collection().items()))
    other_order = tiny_iam.write_archives(tmp_path / "shuffled", shuffled)
    files = []
    for number, source in enumerate((packed, packed, unpacked, other_order)):
        prepare([source], tmp_path / f"{number}.npz", recipe)
        files.append((tmp_path / f"{number}.npz").read_bytes())
    assert len(set(files)) == 1


def test_sources_can_be_mixed(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path / "iam")
    mine = write_jsonl(tmp_path / "mine.jsonl", [Line(writing(), TEXT, split="train")])
    told: list[float] = []
    report = prepare([folder, mine], tmp_path / "out.npz", progress=told.append)
    assert report["lines_used"] == {"train": 5, "validation": 1}
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_the_conventions_of_iam_are_not_put_on_other_ink(tmp_path: Path) -> None:
    text = "the #1 fox , it 's said : over it"
    lines, report = prepared(tmp_path, [Line(writing(text), f" {text}  ", split="train")])
    assert lines.texts == (text,)
    assert report["repaired"] == {}


def test_other_ink_is_thinned_to_the_same_density(tmp_path: Path) -> None:
    def densified(n_pieces: int) -> Line:
        at = np.linspace(0, 24, 24 * n_pieces + 1)
        strokes = [s for s in writing().strokes if len(s) == 25]
        dense = [np.column_stack([np.interp(at, range(25), c) for c in s.T]) for s in strokes]
        return Line(Ink(tuple(dense)), TEXT, split="train")

    lines, _ = prepared(tmp_path, [densified(1), densified(2), densified(3)])
    assert lines.lengths.max() - lines.lengths.min() <= len(lines.ink(0).strokes)


def test_lines_without_a_split_are_shared_out_alike_every_time(tmp_path: Path) -> None:
    mine = [Line(writing(f"{TEXT} {number:03}"), f"{TEXT} {number:03}") for number in range(120)]
    lines, report = prepared(tmp_path, mine)
    assert lines.splits == prepared(tmp_path, mine)[0].splits
    assert 1 <= report["lines_used"]["validation"] <= 15


def far_apart() -> Ink:
    return Ink((*writing().strokes, *writing().moved(50_000, 0).strokes))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (Line(writing(), " \t"), "no text"),
        (Line(Ink(()), TEXT), "no points"),
        (Line(writing(), "x" * 200), "ink and text disagree"),
        (Line(Ink.from_strokes([[(x, 0) for x in range(20)]]), "--"), "ink without height"),
        (Line(writing(TEXT * 5), TEXT * 5), "more than 1500 points"),
        (Line(far_apart(), TEXT * 2), "far jump"),
    ],
)
def test_a_line_that_cannot_be_used_is_left_out_under_a_reason(
    tmp_path: Path, line: Line, reason: str
) -> None:
    _, report = prepared(tmp_path, [Line(writing(), TEXT, split="train"), line])
    assert report["lines_skipped"] == {reason: 1}
    assert report["lines_used"] == {"train": 1}


def test_ink_beyond_the_reach_of_the_file_is_left_out_by_graves2013(tmp_path: Path) -> None:
    usable = Line(writing(), TEXT, split="train")
    _, report = prepared(tmp_path, [usable, Line(far_apart(), TEXT)], "graves2013")
    assert report["lines_skipped"] == {"far jump": 1}


def test_nothing_to_learn_from_is_an_error_that_tells_why(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"no line to train on: 1 lines read.*no text 1"):
        prepared(tmp_path, [Line(writing(), "")])
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("source", "out", "recipe", "complaint"),
    [
        ("empty", "out.npz", "default", "holds neither IAM-OnDB"),
        ("absent", "out.npz", "default", "there is no such file or folder"),
        (
            "notes.txt",
            "out.npz",
            "default",
            "neither a folder with IAM-OnDB, nor UNIPEN, nor a file",
        ),
        ("notes.txt", "absent/out.npz", "default", "must be a file in a folder that exists"),
        ("notes.txt", "empty", "default", "must be a file in a folder that exists"),
        ("notes.txt", "out.npz", "graves", "the recipes are graves2013, default"),
    ],
)
def test_what_cannot_be_prepared_is_refused_before_any_work(
    tmp_path: Path, source: str, out: str, recipe: str, complaint: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BadData, match=complaint):
        prepare([tmp_path / source], tmp_path / out, recipe)


# --- A look at a lines file ------------------------------------------------------------------


def test_an_epoch_is_told_as_the_recipe_draws_it(tmp_path: Path) -> None:
    said = [TEXT] * 9 + [TEXT.replace("fox", "f@x")]
    lines, _ = prepared(tmp_path, [Line(writing(text), text, split="train") for text in said])
    as_they_are = epoch_statistics(lines, SamplingConfig())
    assert as_they_are["lines"] == 10
    assert as_they_are["character_counts"]["@"] == 1
    raised = epoch_statistics(lines, SamplingConfig(lines=20, character=5))
    assert raised["lines"] == 20
    assert raised["character_counts"]["@"] == 5
    assert next(iter(raised["character_counts"])) == "@"
    assert raised["most_draws"] == 5.0


def test_statistics_count_lines_points_characters_and_writers(tmp_path: Path) -> None:
    prepare([tiny_iam.write_archives(tmp_path / "iam")], tmp_path / "out.npz")
    lines = load_lines(tmp_path / "out.npz")
    found = statistics(lines)
    assert found["splits"]["train"]["lines"] == 4
    assert found["splits"]["validation"] == {
        "lines": 1,
        "points": int(lines.lengths[lines.where("validation")].sum()),
        "characters": len("until the morning"),
        "writers": 1,
    }
    assert found["splits"]["all"]["points"] == len(lines.offsets)
    assert found["splits"]["all"]["writers"] == 3
    assert list(found["points_per_line"]) == ["5", "25", "50", "75", "95"]
    assert found["character_counts"]["B"] == 1
    assert list(found["character_counts"].values()) == sorted(
        found["character_counts"].values(), reverse=True
    )
    json.dumps(found)


def test_random_lines_are_drawn_by_their_seed(tmp_path: Path) -> None:
    prepare([tiny_iam.write_archives(tmp_path / "iam")], tmp_path / "out.npz")
    lines = load_lines(tmp_path / "out.npz")
    captions = [caption for _, caption in random_lines(lines, 3, seed=5)]
    assert captions == [caption for _, caption in random_lines(lines, 3, seed=5)]
    assert len(set(captions)) == 3
    assert len(random_lines(lines, 99)) == len(lines)
    with pytest.raises(BadOption, match="number of lines is 0"):
        random_lines(lines, 0)
    with pytest.raises(BadOption, match="seed is -1"):
        random_lines(lines, 1, seed=-1)


# --- A reader's word ---------------------------------------------------------------------------


def contradicts_ants(lines):
    return ["ant" in line.text for line in lines]


def three_lines() -> list[Line]:
    texts = [
        "ants walk over the long hill",
        "bees fly over the long hill",
        "ants of validation too",
    ]
    splits = ["train", "train", "validation"]
    return [
        Line(writing(text), text, split=split) for text, split in zip(texts, splits, strict=True)
    ]


def test_training_lines_that_a_reader_contradicts_are_left_out_and_named(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "ink.jsonl", three_lines())
    report = prepare([source], tmp_path / "out.npz", contradicted=contradicts_ants)
    kept = load_lines(tmp_path / "out.npz")
    assert kept.texts == ("bees fly over the long hill", "ants of validation too")
    assert report["lines_skipped"] == {"contradicted by the reader": 1}
    assert report["contradicted"] == ["ink.jsonl:1"] == kept.report["contradicted"]


def test_contradicted_lines_can_be_flagged_only(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "ink.jsonl", three_lines())
    report = prepare([source], tmp_path / "out.npz", contradicted=contradicts_ants, drop=False)
    assert len(load_lines(tmp_path / "out.npz")) == 3
    assert report["noted"] == {"contradicted by the reader": 1}
    assert report["contradicted"] == ["ink.jsonl:1"]


def test_a_reader_that_contradicts_everything_leaves_nothing_to_train_on(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "ink.jsonl", three_lines())
    with pytest.raises(BadData, match="contradicted by the reader 2"):
        prepare([source], tmp_path / "out.npz", contradicted=lambda lines: [True] * len(lines))
    assert not (tmp_path / "out.npz").exists()
