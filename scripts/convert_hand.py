"""Rewrite a hand of format 2, int8, as one of format 3, where its checkpoint is lost.

    python scripts/convert_hand.py OLD.onnx NEW.onnx [--hand-nats NATS]

The network is taken back from the int8 weights and its step exported anew, so the weights are
rounded twice.  All properties stay but the version and, with `--hand-nats`, how well the hand does
what the network did (`accuracy`), which has to be measured again.  A hand whose checkpoint is there
is exported from that.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from handwriter.training.export import outputs_in_order, step_graph
from handwriter.training.graph import sealed_file
from handwriter.training.network import Network, NetworkConfig
from handwriter.weights import VERSION

COPIES, IDLE, WINDOW_UNIT = 16, 2, 4.0  # of the pen, of cells, of the window, in format 2

Floats = NDArray[np.float32]


def network_of(model: onnx.ModelProto, config: NetworkConfig) -> Network:
    """The network that a step of format 2 was made from, as exact as its weights are."""
    stored = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
    found: dict[str, Floats] = {}
    for layer in range(config.layers):
        of_layer = _layer(stored, layer + 1, config)
        found |= {f"layers.{layer}.{name}": value for name, value in of_layer.items()}
    found["layers.0.to_window"] = stored["to_window"][: config.cells]
    found["layers.0.window_bias"] = stored["window_bias"]
    order = outputs_in_order(config.mixtures, config.n_outputs)
    weights = np.float32(stored["outputs_weights"]) * stored["outputs_scale"]
    weights = weights.reshape(config.layers, config.cells + IDLE, -1)[:, : config.cells]
    back = np.argsort(order)
    found["output.weight"] = weights.reshape(-1, config.n_outputs).T[back]
    found["output.bias"] = stored["outputs_bias"][back]
    network = Network(config).eval()
    network.load_state_dict({name: torch.tensor(value) for name, value in found.items()})
    return network


def _layer(stored: dict[str, Any], number: int, config: NetworkConfig) -> dict[str, Floats]:
    a, n = len(config.alphabet), config.cells
    into, recurrent = (
        _gates(np.float32(stored[f"layer_{number}_{which}"][0])
               * stored[f"layer_{number}_{which}_scale"], n)
        for which in ("input", "recurrent")
    )  # fmt: skip
    bias = _gates(stored[f"layer_{number}_bias"].reshape(2, -1)[:1], n)[0]
    pen = into[[0, COPIES, 2 * COPIES]]
    window, below = np.split(into[2 * COPIES + 1 + 2 :], [a])
    window, recurrent = window / np.float32(WINDOW_UNIT), recurrent[:n]
    if number == 1:
        return {"input": pen, "recurrent": np.concatenate([window, recurrent]), "bias": bias}
    return {
        "input": np.concatenate([pen, window, below[:n]]), "recurrent": recurrent, "bias": bias,
    }  # fmt: skip


def _gates(weights: Floats, n: int) -> Floats:
    """Columns input, output, forget, cell with idle cells -> input, forget, cell, output."""
    gates = weights.reshape(len(weights), 4, n + IDLE)[:, [0, 2, 3, 1], :n]
    return gates.reshape(len(weights), -1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--hand-nats", type=float, help="nats a point, as `accuracy` measures them")
    options = parser.parse_args()
    model = onnx.load_from_string(options.old.read_bytes())
    about: dict[str, Any] = {entry.key: entry.value for entry in model.metadata_props}
    if (about.pop("sha256"), about["version"], about["weights"])[1:] != ("2", "int8"):
        parser.error(f"{options.old} is no hand of format 2 with int8 weights")
    network = network_of(model, NetworkConfig(**json.loads(about["network"])))
    about["version"] = str(VERSION)
    if options.hand_nats is not None:
        about["accuracy"] = json.loads(about["accuracy"]) | {"hand": options.hand_nats}
    options.new.write_bytes(sealed_file(step_graph(network, int8=True), about))


if __name__ == "__main__":
    main()
