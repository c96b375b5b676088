"""A file is either a hand or a reader, whole and true, or it is refused in one clear line."""

import json
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
import tiny_hand
import tiny_reader
from onnx import TensorProto, helper
from tiny_hand import altered, exported, network

from handwriter import weights as module
from handwriter.author import DEFAULT_CANDIDATES
from handwriter.cli import options
from handwriter.errors import BadHand, BadReader
from handwriter.training.graph import sealed
from handwriter.weights import (
    DEFAULT_HAND,
    installed_hands,
    installed_readers,
    load_reader_weights,
    load_weights,
)


@pytest.fixture
def content(tiny_hand_path: Path) -> bytes:
    return tiny_hand_path.read_bytes()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "a.onnx"


def refusal(path: Path, content: bytes | None = None, load=load_weights, error=BadHand) -> str:
    """Why the file at `path`, with this content, is no hand, or not what `load` is for."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_hand_tells_what_it_is(tiny_hand_path):
    hand = load_weights(tiny_hand_path)
    assert (hand.name, hand.licence, hand.data) == ("tiny", "CC0", "invented waves")
    assert (hand.layers, hand.cells, hand.mixtures, hand.windows) == (2, 4, 2, 2)
    assert hand.has_end
    assert (hand.mean, hand.deviation) == ((0.3, 0.01), (0.5, 0.8))
    assert len(hand.alphabet) == 95
    assert tiny_hand.UNFREQUENT not in hand.characters
    assert hand.about["epochs"] == "2"


def test_a_prediction_hand_has_no_characters(tiny_prediction_hand_path):
    hand = load_weights(str(tiny_prediction_hand_path))
    assert (hand.alphabet, hand.characters) == ("", "")


def test_an_installed_hand_is_found_by_its_name(tmp_path, monkeypatch, content):
    (tmp_path / "hands").mkdir()
    (tmp_path / "hands" / "mine.onnx").write_bytes(content)
    (tmp_path / "hands" / "LICENSE.md").touch()
    monkeypatch.setattr(module.resources, "files", lambda _: tmp_path)
    assert installed_hands() == ["mine"]
    assert load_weights("mine").name == "tiny"
    with pytest.raises(BadHand, match=r"an installed name: mine$"):
        load_weights("yours")


def test_no_file_and_no_folder_is_a_hand(tmp_path):
    assert "No such file" in refusal(tmp_path / "missing.onnx")
    assert "Is a directory" in refusal(tmp_path)
    with pytest.raises(BadHand, match="there is no hand"):
        load_weights("a\0b")


@pytest.mark.parametrize("content", [b"", b"Dear Anna,\n", b"\0" * 5000, b"\x80\x04." * 99])
def test_something_else_is_not_a_hand(file, content):
    assert "is not a hand" in refusal(file, content)


def test_half_a_hand_is_not_a_hand(file, content):
    assert "only a part of one" in refusal(file, content[: len(content) // 2])
    assert "only a part of one" in refusal(file, content[:-1])


def test_one_other_byte_is_seen(file, content):
    for place in (10, len(content) // 2, len(content) - 100):
        damaged = bytearray(content)
        damaged[place] ^= 1
        assert "is damaged" in refusal(file, bytes(damaged))
    assert "is damaged" in refusal(file, content[1:])


def test_a_file_larger_than_any_hand_is_not_read_to_its_end(file, content, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    assert "larger than" in refusal(file, content)


def other_model() -> onnx.ModelProto:
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "other", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_another_onnx_model_is_no_hand(file):
    model = other_model().SerializeToString()
    assert "is not a hand" in refusal(file, model)
    assert "an ONNX model, but no hand" in refusal(file, sealed(model))


def test_a_sealed_file_without_a_network_is_no_hand(file):
    assert "holds no network" in refusal(file, sealed(b"Dear Anna,"))


def test_a_hand_of_another_format_is_refused(file, content):
    assert "is a hand of format 99, this program reads" in refusal(
        file, altered(content, version="99")
    )


@pytest.mark.parametrize(
    "name", ["name", "licence", "data", "characters", "pace", "network", "scaling"]
)
def test_a_missing_property_is_named(file, content, name):
    assert f"lacks the property '{name}'" in refusal(file, altered(content, **{name: None}))


def changed(content: bytes, table: str, **entries: object) -> bytes:
    """The hand with other entries in one of its tables; None takes an entry away."""
    model = onnx.load_from_string(content)
    about = {entry.key: entry.value for entry in model.metadata_props}
    merged = {k: v for k, v in (json.loads(about[table]) | entries).items() if v is not None}
    return altered(content, **{table: json.dumps(merged)})


@pytest.mark.parametrize(
    ("table", "entries"),
    [
        ("network", {"cells": 5}),
        ("network", {"cells": -4}),
        ("network", {"layers": 0}),
        ("network", {"layers": 10**9}),
        ("network", {"layers": float("inf")}),
        ("network", {"mixtures": 3}),
        ("network", {"windows": "many"}),
        ("network", {"cells": None}),
        ("network", {"end_token": "yes"}),
        ("network", {"end_token": False}),
        ("network", {"alphabet": ""}),
        ("network", {"alphabet": "abc"}),
        ("network", {"alphabet": list("abc ")}),
        ("network", {"alphabet": "a" * 95}),
        ("scaling", {"mean": [0.0]}),
        ("scaling", {"mean": [0.0, float("nan")]}),
        ("scaling", {"mean": "ab"}),
        ("scaling", {"mean": None}),
        ("scaling", {"deviation": [1.0, 0.0]}),
        ("scaling", {"deviation": [1.0, 1e300]}),
        ("scaling", {"deviation": 1.0}),
    ],
)
def test_an_absurd_property_is_refused(file, content, table, entries):
    assert "export it again" in refusal(file, changed(content, table, **entries))


@pytest.mark.parametrize(
    "properties",
    [
        {"pace": "0"},
        {"pace": "nan"},
        {"pace": "1e-300"},
        {"pace": "fast"},
        {"characters": ""},
        {"characters": " "},
        {"characters": "abcé"},
        {"network": "[]"},
        {"network": "{"},
        {"network": "[" * 10**5},
        {"scaling": "null"},
    ],
)
def test_a_property_that_makes_no_sense_is_refused(file, content, properties):
    assert "export it again" in refusal(file, altered(content, **properties))


def test_properties_of_another_network_are_refused(file):
    prediction = exported(network(alphabet=""))
    model = onnx.load_from_string(exported(network()))
    about = {entry.key: entry.value for entry in model.metadata_props if entry.key != "sha256"}
    assert "other inputs or outputs" in refusal(file, altered(prediction, **about))


# --- Readers -----------------------------------------------------------------------------------


@pytest.fixture
def reader(tiny_reader_path: Path) -> bytes:
    return tiny_reader_path.read_bytes()


def reader_refusal(path: Path, content: bytes | None = None) -> str:
    """Why the file at `path`, with this content, is no reader."""
    return refusal(path, content, load_reader_weights, BadReader)


def test_a_reader_tells_what_it_is(tiny_reader_path):
    weights = load_reader_weights(tiny_reader_path)
    assert (weights.name, weights.licence, weights.data) == ("tiny", "CC0", "nothing")
    assert weights.alphabet == weights.characters == tiny_reader.ALPHABET
    assert weights.features["rows"] == 11
    assert weights.about["weights"] == "int8"


def test_a_reader_may_have_learned_less_than_its_alphabet(file):
    file.write_bytes(tiny_reader.exported(tiny_reader.network(), characters="ab"))
    assert load_reader_weights(file).characters == "ab"


def test_an_installed_reader_is_found_by_its_name(tmp_path, monkeypatch, reader):
    monkeypatch.setattr(module.resources, "files", lambda _: tmp_path)
    with pytest.raises(BadReader, match=r"no reader 'open' .* name: none is installed$"):
        load_reader_weights()
    assert installed_readers() == []
    (tmp_path / "readers").mkdir()
    (tmp_path / "readers" / "open.onnx").write_bytes(reader)
    assert installed_readers() == ["open"]
    assert load_reader_weights().name == "tiny"
    with pytest.raises(BadReader, match=r"an installed name: open$"):
        load_reader_weights("yours")


def test_neither_is_taken_for_the_other(tmp_path, tiny_hand_path, tiny_reader_path):
    with pytest.raises(BadReader, match=r"is a hand, which writes; give a reader"):
        load_reader_weights(tiny_hand_path)
    with pytest.raises(BadHand, match=r"is a reader, which does not write; give a hand"):
        load_weights(tiny_reader_path)


def test_a_damaged_reader_is_seen(file, reader):
    assert "only a part of one" in reader_refusal(file, reader[:-1])
    damaged = bytearray(reader)
    damaged[len(reader) // 2] ^= 1
    assert "is damaged" in reader_refusal(file, bytes(damaged))
    assert "No such file" in reader_refusal(file.with_name("missing.onnx"))
    assert "but no reader" in reader_refusal(file, sealed(other_model().SerializeToString()))
    assert "holds no network" in reader_refusal(file, sealed(b"Dear Anna,"))


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"version": "2"}, "is a reader of format 2, this program reads 1"),
        ({"name": None}, "lacks the property 'name'"),
        ({"network": None}, "lacks the property 'network'"),
        ({"features": None}, "lacks the property 'features'"),
        ({"characters": None}, "lacks the property 'characters'"),
        ({"characters": ""}, "(characters)"),
        ({"characters": "abx"}, "(characters)"),
        ({"network": "[]"}, "makes no sense"),
        ({"network": "{}"}, "lacks the property 'alphabet'"),
        ({"network": '{"alphabet": ""}'}, "(alphabet)"),
        ({"network": '{"alphabet": "abca "}'}, "(alphabet)"),
        ({"network": '{"alphabet": ["a", "b", "c", " "]}'}, "(alphabet)"),
        ({"network": '{"alphabet": "abc d"}'}, "other inputs or outputs"),
        ({"features": "[1]"}, "makes no sense"),
        ({"features": "{}"}, "lacks the property 'size'"),
        ({"features": '{"size": "many"}'}, "makes no sense"),
        ({"features": '{"size": Infinity}'}, "makes no sense"),
        ({"features": '{"size": 58}'}, "other inputs or outputs"),
        ({"features": "[" * 10**5}, "makes no sense"),
    ],
)
def test_a_reader_with_an_absurd_property_is_refused(file, reader, properties, complaint):
    assert complaint in reader_refusal(file, altered(reader, **properties))


def test_the_command_line_knows_the_default_hand_without_opening_it():
    assert options.DEFAULT_HAND == DEFAULT_HAND
    assert options.DEFAULT_CANDIDATES == DEFAULT_CANDIDATES
