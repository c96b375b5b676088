"""A hand of the format before becomes one of today's with the very same weights."""

from types import ModuleType

import numpy as np
import onnx
import pytest
import scripts
import tiny_hand
from onnx import helper, numpy_helper

from handwriter.hand import load


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("convert_hand")


def as_before(content: bytes, layers: int) -> onnx.ModelProto:
    """What format 3 held of a hand: all gates of a layer side by side, in another order."""
    today = onnx.load_from_string(content)
    stored = {entry.name: numpy_helper.to_array(entry) for entry in today.graph.initializer}
    for kind in ("weights", "scale", "bias"):
        for number in range(1, layers + 1):
            gates = [stored.pop(f"{gate}_{number}_{kind}")
                     for gate in ("input", "output", "forget", "candidate")]  # fmt: skip
            stored[f"gates_{number}_{kind}"] = np.concatenate(gates, axis=-1)
        stored[f"outputs_{kind}"] = stored.pop(f"outputs_new_{kind}")
    weights = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    before = helper.make_model(helper.make_graph([], "step", [], [], weights))
    for entry in today.metadata_props:
        before.metadata_props.add(
            key=entry.key, value="3" if entry.key == "version" else entry.value
        )
    return before


def test_a_hand_of_the_format_before_keeps_its_weights(script, tmp_path):
    content = tiny_hand.exported(tiny_hand.network(layers=2))
    path = tmp_path / "old.onnx"
    path.write_bytes(script.converted(as_before(content, layers=2)))
    (tmp_path / "new.onnx").write_bytes(content)
    old, new = load(str(path)), load(str(tmp_path / "new.onnx"))
    assert old.weights.about == new.weights.about
    one, other = (hand.write_lines(["hello"], seed=3)[0] for hand in (old, new))
    np.testing.assert_array_equal(one.points, other.points)


def test_a_window_level_that_is_not_told_is_the_first_one(script):
    before = as_before(tiny_hand.exported(tiny_hand.network(layers=2)), layers=2)
    (level,) = (entry for entry in before.graph.initializer if entry.name == "window_level")
    before.graph.initializer.remove(level)
    after = onnx.load_from_string(script.converted(before)[: -tiny_hand.SEAL_BYTES])
    (level,) = (entry for entry in after.graph.initializer if entry.name == "window_level")
    assert numpy_helper.to_array(level) == script.FIRST_WINDOW_LEVEL


def test_other_hands_are_refused(script, tmp_path, monkeypatch, capsys):
    (tmp_path / "hand.onnx").write_bytes(tiny_hand.exported(tiny_hand.network(layers=2)))
    monkeypatch.setattr(
        "sys.argv", ["convert_hand.py", str(tmp_path / "hand.onnx"), str(tmp_path / "new.onnx")]
    )
    with pytest.raises(SystemExit, match="2"):
        script.main()
    assert "hand.onnx: this is no int8 hand of format 3" in capsys.readouterr().err
    assert not (tmp_path / "new.onnx").exists()
