"""The lines file: what goes in comes out, and anything else is refused in one line."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handwriter.errors import BadData
from handwriter.ink import Ink, Line
from handwriter.training.lines import Lines, fits, load_lines, save_lines


def some_lines(unit: float = 0.5) -> Lines:
    """Two lines to train on, one to validate with."""
    wave = Ink.from_strokes([[(0, 1), (2, 3), (4, 3.5)], [(5, 0)]])
    lines = [
        Line(wave, "one", "w1", "train", "s1"),
        Line(wave.moved(0, -1), "zwölf", "w2", "validation", "s2"),
        Line(Ink.from_strokes([[(0, 0), (6, -2)]]), "three", "", "train", ""),
    ]
    return Lines.from_lines(lines, "default", unit, {"lines_read": 3})


def saved(folder: Path, **changes: Any) -> Path:
    """A lines file with some of its arrays or of its metadata changed; None takes one out."""
    arrays: dict[str, Any] = dict(some_lines()._arrays())
    metadata = json.loads(arrays["metadata"].tobytes())
    for name, value in changes.items():
        holder = arrays if name in arrays else metadata
        holder[name] = value
    metadata = {name: value for name, value in metadata.items() if value is not None}
    if "metadata" not in changes:
        arrays["metadata"] = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
    path = folder / "changed.npz"
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_lines_come_back_as_they_were_saved(tmp_path: Path) -> None:
    lines = some_lines()
    save_lines(tmp_path / "a.npz", lines)
    again = load_lines(tmp_path / "a.npz")
    assert len(again) == 3
    assert (again.recipe, again.unit, again.report) == ("default", 0.5, {"lines_read": 3})
    for i in range(3):
        a, b = lines.line(i), again.line(i)
        assert (a.text, a.writer, a.split, a.source) == (b.text, b.writer, b.split, b.source)
        np.testing.assert_array_equal(a.ink.offsets, b.ink.offsets)
    assert again.digest == lines.digest


def test_the_ink_of_a_line_is_the_ink_that_was_given() -> None:
    ink = some_lines().ink(0)
    assert [s.tolist() for s in ink.strokes] == [[[0, 1], [2, 3], [4, 3.5]], [[5, 0]]]


def test_steps_are_offsets_and_pen_lifts_in_line_units() -> None:
    steps = some_lines().steps(0)
    assert steps.dtype == np.float32
    assert steps.tolist() == [[0, 1, 0], [2, 2, 0], [2, 0.5, 1], [1, -3.5, 1]]


def test_steps_and_ink_agree() -> None:
    lines = some_lines()
    for i in range(len(lines)):
        from_steps = Ink.from_offsets(lines.steps(i))
        np.testing.assert_allclose(from_steps.points, lines.ink(i).points, atol=1e-6)


def test_rounding_does_not_drift_along_the_line() -> None:
    points = np.cumsum(np.full((5000, 2), 0.4), axis=0)
    lines = Lines.from_lines([Line(Ink((points,)), "x", split="train")], "default", 1.0, {})
    assert np.abs(lines.ink(0).points - points).max() <= 0.5


def test_where_finds_the_lines_of_a_split() -> None:
    lines = some_lines()
    assert lines.where("train").tolist() == [0, 2]
    assert lines.where("validation").tolist() == [1]
    assert lines.where("test").tolist() == []
    assert lines.where("train", [lines.sources[0]]).tolist() == [2]
    assert lines.where("train", ["elsewhere"]).tolist() == [0, 2]
    assert lines.where("train", [""]).tolist() == []


def test_mean_and_deviation_are_over_the_train_offsets_but_the_first_of_each_line() -> None:
    lines = some_lines()
    counted = np.array([(2, 2), (2, 0.5), (1, -3.5), (6, -2)])
    np.testing.assert_allclose(lines.mean, counted.mean(axis=0))
    np.testing.assert_allclose(lines.deviation, counted.std(axis=0))


def test_without_train_lines_there_is_no_mean() -> None:
    dot = Line(Ink.from_strokes([[(1, 1)]]), ".", split="validation")
    with pytest.raises(BadData, match="no train line"):
        _ = Lines.from_lines([dot], "default", 1.0, {}).mean


def test_the_same_lines_give_the_same_bytes(tmp_path: Path) -> None:
    save_lines(tmp_path / "a.npz", some_lines())
    save_lines(tmp_path / "b.npz", some_lines())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_digest_tells_lines_apart() -> None:
    assert some_lines().digest == some_lines().digest
    assert some_lines().digest != some_lines(unit=0.25).digest


def test_ink_out_of_reach_does_not_fit() -> None:
    near, far = Ink.from_strokes([[(0, 0), (32767, 0)]]), Ink.from_strokes([[(0, 0), (32768, 0)]])
    assert fits(near, 1.0)
    assert not fits(far, 1.0)
    with pytest.raises(ValueError, match="longer than 32767"):
        Lines.from_lines([Line(far, "x", split="train")], "default", 1.0, {})


def test_saving_replaces_a_file_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("old")
    save_lines(tmp_path / "a.npz", some_lines())
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    load_lines(tmp_path / "a.npz")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    save_lines(tmp_path / "a.npz", some_lines())
    monkeypatch.setattr(np, "savez", disk_full)
    with pytest.raises(BadData, match=r"cannot write the lines file .*: No space left on device"):
        save_lines(tmp_path / "a.npz", some_lines(unit=2.0))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert load_lines(tmp_path / "a.npz").unit == 0.5


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"cannot write the lines file .*: No such file"):
        save_lines(tmp_path / "absent" / "a.npz", some_lines())
    with pytest.raises(BadData, match=r"cannot read the lines file .*: No such file"):
        load_lines(tmp_path / "absent.npz")


@pytest.mark.parametrize("kept", [0, 10, 300, -30, -1])
def test_half_a_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadData, match="not a lines file that can be used"):
        load_lines(path)


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path)
    content = bytearray(path.read_bytes())
    at = content.index(b"handwriter lines")
    content[at] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BadData, match="CRC"):
        load_lines(path)


def test_a_compressed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, offsets=np.zeros((10**6, 2), np.int16))
    with pytest.raises(BadData, match="its arrays are compressed"):
        load_lines(path)


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, allow_pickle=True, metadata=np.array([{}], dtype=object))
    with pytest.raises(BadData, match="not a lines file that can be used"):
        load_lines(path)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"starts": None}, "array 'starts' is missing"),
        ({"offsets": np.zeros((10, 2))}, "array 'offsets' must be int16 with 2 axes"),
        ({"offsets": np.zeros((10, 3), np.int16)}, r"offsets must have shape \(points, 2\)"),
        ({"pen_lifts": np.zeros(9, bool)}, "offsets must have shape"),
        ({"pen_lifts": np.zeros(10, bool)}, "pen must lift after the last point"),
        ({"starts": np.array([0, 4, 4, 10])}, "starts must rise"),
        ({"starts": np.array([0, 8, 4, 10])}, "starts must rise"),
        ({"starts": np.array([0, 4, 8, 11])}, "starts must lead from 0"),
        ({"starts": np.zeros(0, np.int64)}, "starts must lead from 0"),
        ({"texts": ["a"]}, "texts must have one entry a line, 3"),
        ({"texts": [1, 2, 3]}, "'texts' is not a list of strings"),
        ({"splits": ["train", "exam", "train"]}, "split 'exam'"),
        ({"unit": float("inf")}, "unit must be a number above 0"),
        ({"unit": "1"}, "unit must be a number above 0"),
        ({"unit": 0}, "unit must be a number above 0"),
        ({"recipe": 1}, "recipe must be a string"),
        ({"format": "something else"}, "does not name the format 'handwriter lines'"),
        ({"version": 2}, "version 2, this program reads version 1"),
        ({"writers": None}, "'writers' is missing or unknown"),
        ({"extra": 1}, "'extra' is missing or unknown"),
        ({"metadata": np.frombuffer(b"\xff{", np.uint8)}, "its metadata is not JSON"),
        ({"metadata": np.frombuffer(b"[" * 10**5, np.uint8)}, "its metadata is not JSON"),
        ({"metadata": np.frombuffer(b"[]", np.uint8)}, "does not name the format"),
    ],
)
def test_a_file_that_does_not_add_up_is_refused(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(BadData, match=complaint) as caught:
        load_lines(saved(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_a_whole_number_is_a_unit_too(tmp_path: Path) -> None:
    assert load_lines(saved(tmp_path, unit=2)).unit == 2.0
