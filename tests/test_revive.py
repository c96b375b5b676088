"""An exported hand or reader is the beginning of a new run, as exact as its weights are."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import tiny
import tiny_hand
import tiny_reader
import torch
from onnx import numpy_helper

from handwriter.errors import BadHand, TrainingFailed
from handwriter.training.batches import Scaling
from handwriter.training.graph import sealed
from handwriter.training.network import Network
from handwriter.training.revive import revived
from handwriter.training.steps_graph import new, steps_graph
from handwriter.training.train import train

SCALING = Scaling((0.3, 0.01), (0.5, 0.8))
TELLING = {"lines": "d1", "lineage": [{"updates": 3}], "updates": 7}


def reader_file(net, *, int8):
    recipe = tiny.reader_recipe(average=0.0).to_dict() | {"reader": vars(net.config)}
    return tiny_reader.exported(net, int8=int8, recipe=recipe, **TELLING)


def arrays(model):
    return {weights.name: numpy_helper.to_array(weights) for weights in model.graph.initializer}


def rounded_to_the_nearest(net):
    """The hand's file, its weights rounded each by itself: rounded again, they stay."""
    about = onnx.load_from_string(tiny_hand.exported(net)[: -tiny_hand.SEAL_BYTES]).metadata_props
    model = steps_graph(net, SCALING, int8=True)
    model.metadata_props.extend(about)
    return sealed(model.SerializeToString())


def same(found, network, rel):
    """Whether the parameters are the network's, each matrix to a share of its largest weight."""
    parameters = dict(network.named_parameters())
    assert found.keys() == parameters.keys()
    for name, value in found.items():
        truth = parameters[name].detach()
        assert value.shape == truth.shape, name
        assert (value - truth).abs().max() <= rel * truth.abs().max() + 1e-5, name
    return True


@pytest.mark.parametrize("alphabet", ["", "abc "])
@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize("height", [True, False])
def test_a_hand_gives_back_the_network_it_was_made_of(tmp_path, alphabet, peepholes, height):
    net = tiny_hand.network(alphabet=alphabet, layers=3, peepholes=peepholes, height=height)
    path = tmp_path / "hand.onnx"
    path.write_bytes(tiny_hand.exported(net, int8=False))
    checkpoint = revived(path)
    assert same(checkpoint.group("network"), net, 0.0)
    assert checkpoint.header["update"] == 7
    assert checkpoint.header["recipe"]["network"] == vars(net.config)


@pytest.mark.parametrize("height", [True, False])
def test_an_int8_hand_gives_back_the_network_whose_int8_hand_it_is(tmp_path, height):
    net = tiny_hand.network(layers=3, height=height)
    path = tmp_path / "hand.onnx"
    path.write_bytes(rounded_to_the_nearest(net))
    again = Network(net.config).eval()
    again.load_state_dict(revived(path).group("network"))
    first, second = (arrays(steps_graph(n, SCALING, int8=True)) for n in (net, again))
    assert any(array.dtype == np.int8 for array in first.values())
    for name, array in first.items():
        if name.startswith("constant"):
            continue
        np.testing.assert_allclose(second[name], array, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("int8", "rel"), [(False, 0.0), (True, 1 / 252)])
def test_a_reader_gives_back_the_network_it_was_made_of(tmp_path, int8, rel):
    net = tiny_reader.network(layers=2)
    path = tmp_path / "reader.onnx"
    path.write_bytes(reader_file(net, int8=int8))
    checkpoint = revived(path)
    assert same(checkpoint.group("network"), net, rel)
    assert checkpoint.header["lineage"] == [{"updates": 3}]


def test_a_run_begins_with_a_hand_and_tells_where_it_came_from(tmp_path):
    shape = vars(tiny.recipe().network)
    net = tiny_hand.network(**shape)
    path = tmp_path / "hand.onnx"
    path.write_bytes(tiny_hand.exported(net, int8=False))
    task = tiny.task(tiny.recipe(learning_rate=1e-9, epochs=1, warmup=0))
    *_, epoch = train(task, tmp_path / "run", tiny.CPU, begin_from=path, load=revived)
    for name, value in epoch.network.named_parameters():
        torch.testing.assert_close(value, dict(net.named_parameters())[name], atol=1e-5, rtol=0)


def test_weights_without_names_and_other_files_are_refused_in_words(tmp_path):
    path = tmp_path / "hand.onnx"
    content = tiny_hand.exported(tiny_hand.network())
    model = onnx.load_from_string(content[: -tiny_hand.SEAL_BYTES])
    for weights in model.graph.initializer:
        if weights.name == (name := f"{new('outputs')}_weights"):
            weights.name = "constant_1"
    (scan,) = (node for node in model.graph.node if node.op_type == "Scan")
    (step,) = (attribute.g for attribute in scan.attribute if attribute.name == "body")
    for node in step.node:
        names = ["constant_1" if read == name else read for read in node.input]
        del node.input[:]
        node.input.extend(names)
    path.write_bytes(sealed(model.SerializeToString()))
    with pytest.raises(TrainingFailed, match="does not name its weights"):
        revived(path)
    path.write_bytes(content[:-1])
    with pytest.raises(BadHand):
        revived(path)
