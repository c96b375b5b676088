"""A hand of the format before becomes one of today's with the very same weights."""

from types import ModuleType

import numpy as np
import onnx
import pytest
import scripts
import tiny_hand
from onnx import helper

from handwriter.hand import load


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("convert_hand")


def as_before(content: bytes) -> onnx.ModelProto:
    """What format 4 held of a hand: the same weights, in other nodes."""
    today = onnx.load_from_string(content)
    before = helper.make_model(helper.make_graph([], "steps", [], [], today.graph.initializer))
    for entry in today.metadata_props:
        before.metadata_props.add(
            key=entry.key, value="4" if entry.key == "version" else entry.value
        )
    return before


@pytest.mark.parametrize("int8", [True, False])
def test_a_hand_of_the_format_before_keeps_its_weights(script, tmp_path, int8):
    content = tiny_hand.exported(tiny_hand.network(layers=2), int8=int8)
    path = tmp_path / "old.onnx"
    path.write_bytes(script.converted(as_before(content)))
    (tmp_path / "new.onnx").write_bytes(content)
    old, new = load(str(path)), load(str(tmp_path / "new.onnx"))
    assert old.weights.about == new.weights.about
    one, other = (hand.write_lines(["hello"], seed=3)[0] for hand in (old, new))
    np.testing.assert_array_equal(one.points, other.points)


def test_other_hands_are_refused(script, tmp_path, monkeypatch, capsys):
    (tmp_path / "hand.onnx").write_bytes(tiny_hand.exported(tiny_hand.network(layers=2)))
    monkeypatch.setattr(
        "sys.argv", ["convert_hand.py", str(tmp_path / "hand.onnx"), str(tmp_path / "new.onnx")]
    )
    with pytest.raises(SystemExit, match="2"):
        script.main()
    assert "hand.onnx: this is no hand of format 4" in capsys.readouterr().err
    assert not (tmp_path / "new.onnx").exists()
