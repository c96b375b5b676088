"""scripts/curves.py: a run's log as a picture."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scripts
from PIL import Image


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("curves")


def log(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


TWO_SITTINGS = log(
    {"event": "run"},
    {"event": "update", "update": 1, "loss": 2.0},
    {"event": "update", "update": 2, "loss": 1.0},
    {"event": "epoch", "update": 2, "nats_a_point": 1.5, "nats_a_line": 400.0},
    {"event": "run"},
    {"event": "update", "update": 1, "loss": 0.5},
    {"event": "epoch", "update": 1, "nats_a_point": 0.75, "nats_a_line": 200.0},
)


def test_updates_are_counted_through_all_sittings(script: ModuleType) -> None:
    curve = script.curve_of(TWO_SITTINGS)
    assert curve.training == [(1, 2.0), (2, 1.0), (3, 0.5)]
    assert curve.validation == [(2, 1.5), (3, 0.75)]
    assert curve.sittings == [0, 2]
    assert curve.unit == "nats a point"


def test_a_reader_is_judged_in_nats_a_character(script: ModuleType) -> None:
    row = {"event": "epoch", "update": 1, "nats_a_character": 3.0, "character_error_rate": 0.5}
    assert script.curve_of(log({"event": "run"}, row)).unit == "nats a character"


def test_the_running_mean_is_of_the_last_losses(script: ModuleType) -> None:
    losses = np.arange(100.0)
    mean = script.running_mean(losses)
    assert mean[:2].tolist() == [0.0, 0.5]
    assert mean[-1] == losses[-script.SMOOTHED :].mean()


def test_a_picture_has_a_panel_for_each_log_and_always_the_same_bytes(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_text(TWO_SITTINGS)
    (tmp_path / "b.jsonl").write_text(TWO_SITTINGS)
    for logs, out in (["a"], "one.png"), (["a", "b"], "two.png"), (["a", "b"], "again.png"):
        files = [str(tmp_path / f"{name}.jsonl") for name in logs]
        monkeypatch.setattr("sys.argv", ["curves.py", *files, "-o", str(tmp_path / out)])
        script.main()
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert two.width == one.width
        assert two.height > 1.9 * one.height
    assert (tmp_path / "two.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_the_kept_logs_can_be_drawn(script: ModuleType) -> None:
    logs = sorted((Path(__file__).parent.parent / "docs" / "runs").glob("*.jsonl"))
    assert logs
    for path in logs:
        curve = script.curve_of(path.read_text())
        assert curve.training
        assert curve.validation
