"""From an exported hand or reader back to weights that a new run can begin from.

The inverse of `steps_graph` and `export_reader`, as exact as the file's weights are: int8 ones have
seven or eight bits.  So a hand can be trained further by whoever has its file, and its checkpoint
may be lost.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from handwriter.errors import BadReader, TrainingFailed
from handwriter.training.checkpoint import Checkpoint
from handwriter.training.network import NetworkConfig
from handwriter.training.recogniser import KERNEL, STRIDES, ReaderConfig
from handwriter.training.steps_graph import COPIES, LEVEL, gates_of, new, outputs_in_order
from handwriter.weights import FORMAT, ZERO, load_reader_weights, load_weights

Floats = NDArray[np.float32]


def revived(path: Path) -> Checkpoint:
    """The weights of an exported file, and all that its header tells of the run behind them.

    Raises BadHand where the file is not sound, and TrainingFailed where it was exported by a
    version that did not yet name its weights.
    """
    about = _about(path)
    is_hand, recipe = about["format"] == FORMAT, json.loads(about["recipe"])
    model = onnx.load(str(path))
    stored = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
    try:
        if is_hand:
            found = _network(_Stored(stored), NetworkConfig(**recipe["network"]))
        else:
            found = _reader(_Stored(stored), ReaderConfig(**recipe["reader"]))
    except KeyError as error:
        raise TrainingFailed(
            f"{path} does not name its weights ({error.args[0]!r} is missing); it is from an older "
            "version: begin from a checkpoint"
        ) from None
    group = "average" if recipe["training"]["average"] else "network"
    return Checkpoint(
        {f"{group}/{name}": torch.tensor(np.ascontiguousarray(v)) for name, v in found.items()},
        {
            "recipe": recipe,
            "lines": about["lines"],
            "lineage": json.loads(about["lineage"]),
            "update": int(about["updates"]),
        },
    )


def _about(path: Path) -> dict[str, str]:
    """The properties of a sound file."""
    try:
        return load_reader_weights(path).about
    except BadReader:
        return load_weights(path).about


class _Stored(dict[str, Any]):
    """What a model holds, by name."""

    def matrix(self, name: str) -> Floats:
        """A matrix of weights, whether it is in int8 or fp32."""
        stored = self[f"{name}_weights"]
        weights: Floats = stored.astype(np.float32)
        if stored.dtype == np.int8:
            weights *= self[f"{name}_scale"]
        return weights


# --- Hands -------------------------------------------------------------------------------------


def _network(stored: _Stored, config: NetworkConfig) -> dict[str, Floats]:
    """The parameters of `training.network.Network` from the step that was made of them."""
    found: dict[str, Floats] = {}
    for layer in range(config.layers):
        for name, value in _layer(stored, layer, config).items():
            found[f"layers.{layer}.{name}"] = value
    if config.reads_text:
        found["layers.0.to_window"] = stored.matrix("window_hats")
        found["layers.0.window_bias"] = stored["window_hats_bias"]
    back = np.argsort(outputs_in_order(config.mixtures, config.n_outputs))
    found["output.weight"] = stored.matrix(new("outputs")).T[back]
    found["output.bias"] = stored[f"{new('outputs')}_bias"][back]
    return found


def _layer(stored: _Stored, layer: int, config: NetworkConfig) -> dict[str, Floats]:
    gates, a = gates_of(layer + 1), len(config.alphabet)
    weights = np.concatenate([stored.matrix(gate) for gate in gates], axis=1)
    bias = np.concatenate([stored[f"{gate}_bias"] for gate in gates])
    if stored[f"{gates[0]}_weights"].dtype == np.int8:
        copies = COPIES[: config.n_inputs]
        n_pen = sum(copies)
        pen, window, hiddens = np.split(weights, [n_pen, n_pen + a])
        # What the bytes of the window, which begin at 0, were short of ZERO.
        bias = bias - window.sum(axis=0) * np.float32(ZERO * LEVEL)
        if a:
            window = window * np.float32(LEVEL / stored["window_level"])
        # Copies are rounded each for itself; together they do what their mean does.
        pen = np.add.reduceat(pen, np.cumsum([0, *copies[:-1]])) / np.array(copies)[:, None]
        weights = np.concatenate([pen.astype(np.float32), window, hiddens])
    n_input = config.n_inputs + (a + config.cells if layer else 0)
    found = {"input": weights[:n_input], "recurrent": weights[n_input:], "bias": bias}
    if config.peepholes:
        sees = [gate for gate in gates if not gate.startswith("candidate")]
        found["peephole"] = np.concatenate([stored[f"{gate}_peephole"] for gate in sees])
    return found


# --- Readers -----------------------------------------------------------------------------------


def _reader(stored: _Stored, config: ReaderConfig) -> dict[str, Floats]:
    """The parameters of `training.recogniser.ReaderNetwork` from the model made of them."""
    found: dict[str, Floats] = {}
    for layer in range(len(STRIDES)):
        flat = stored.matrix(f"convolution_{layer}")
        taps = flat.reshape(len(flat), KERNEL, -1).transpose(0, 2, 1)
        found[f"convolutions.{layer}.weight"] = taps
        found[f"convolutions.{layer}.bias"] = stored[f"convolution_{layer}_bias"]
    for layer in range(config.layers):
        bias = stored[f"lstm_{layer}_bias"]
        for way, name in enumerate(("forwards", "backwards")):
            into, recurrent = np.split(bias[way], 2)
            parts = {
                "weight_ih": stored.matrix(f"lstm_{layer}_input")[way],
                "weight_hh": stored.matrix(f"lstm_{layer}_recurrent")[way],
                "bias_ih": into,
                "bias_hh": recurrent,
            }
            for part, rows in parts.items():
                found[f"{name}.{layer}.{part}_l0"] = _torch_rows(rows)
    found["output.weight"] = stored.matrix("output")
    found["output.bias"] = stored["output_bias"]
    return found


def _torch_rows(rows: Floats) -> Floats:
    """Rows input, output, forget, cell -> input, forget, cell, output."""
    i, o, f, g = np.split(rows, 4)
    return np.concatenate([i, f, g, o])
