"""From a trained reader to one `.onnx` file with int8 weights and all that is known of them.

Inputs, for any number of lines, each of at least one point:

    features (lines, points, N_FEATURES)  as `handwriter.features` makes them, zero where padded
    lengths (lines,)                      how many points each line has

Outputs: `log_probabilities` (lines, frames, 1 + alphabet), the blank first, and `frames`
(lines,), how many of them each line has; what stands behind a line's last frame means nothing.

Every product has the weights on its right and a row for each point or frame on its left.  ONNX
Runtime sums such a row in the same order whatever other rows there are, so a line is read the
same, to the last bit, whatever lines are beside it and however it is padded.  Its own convolution
is not like that: how it cuts its sums depends on how many points there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from handwriter.features import N_FEATURES, VIEW
from handwriter.training.graph import Graph, sealed_file
from handwriter.training.recogniser import KERNEL, STRIDES, ReaderNetwork
from handwriter.weights import READER_FORMAT, READER_VERSION

MOST_WEIGHT = 127

Floats = NDArray[np.float32]


def export_reader(
    network: ReaderNetwork,
    *,
    name: str,
    licence: str,
    data: str,
    about: dict[str, Any],
    int8: bool = True,
) -> bytes:
    """The reader as the bytes of an `.onnx` file.

    `about` is what else is to be told of it: recipe, provenance, figures.  `characters` among it
    are those that it learned to read; without them it is the whole alphabet.
    """
    config = network.config
    known = {
        "format": READER_FORMAT,
        "version": READER_VERSION,
        "name": name,
        "licence": licence,
        "data": data,
        "network": vars(config),
        "features": VIEW,
        "weights": "int8" if int8 else "fp32",
    }
    if taken := known.keys() & about.keys():
        raise ValueError(f"{sorted(taken)} are given by the reader itself")
    model = _Reader(network, int8=int8).whole()
    return sealed_file(model, {"characters": config.alphabet} | about | known)


class _Reader(Graph):
    """The network in the making, points or frames before lines, (points, lines, values)."""

    def __init__(self, network: ReaderNetwork, *, int8: bool) -> None:
        super().__init__()
        self.network, self.int8 = network, int8
        self.parameters = {
            name: value.detach().float().cpu().numpy() for name, value in network.named_parameters()
        }
        self.axis = [self.constant(np.array([i])) for i in range(3)]

    def whole(self) -> onnx.ModelProto:
        config = self.network.config
        x, lengths = self.add("Transpose", "features", perm=[1, 0, 2]), "lengths"
        for layer, stride in enumerate(STRIDES):
            x, lengths = self.convolution(x, lengths, layer, stride)
        self.add("Identity", lengths, to="frames")
        lengths = self.cast(lengths, TensorProto.INT32)
        for layer in range(config.layers):
            x = self.lstm(x, lengths, layer)
        x = self.add("Transpose", x, perm=[1, 0, 2])
        weights, bias = self.parameters["output.weight"], self.parameters["output.bias"]
        logits = self.product(x, weights, bias, "output")
        self.add("LogSoftmax", logits, to="log_probabilities", axis=-1)
        n_labels = 1 + len(config.alphabet)
        return self.model(
            "reader",
            [
                _tensor("features", TensorProto.FLOAT, "lines", "points", N_FEATURES),
                _tensor("lengths", TensorProto.INT64, "lines"),
            ],
            [
                _tensor("log_probabilities", TensorProto.FLOAT, "lines", "frames", n_labels),
                _tensor("frames", TensorProto.INT64, "lines"),
            ],
        )

    def stored(self, weights: Floats, name: str) -> str:
        """A matrix, or several, that ONNX Runtime makes fp32 again when it opens the file."""
        if not self.int8:
            return self.constant(weights, f"{name}_weights")
        largest = np.abs(weights).max(axis=-1, keepdims=True)
        scale = np.maximum(largest, np.float32(1e-12)) / np.float32(MOST_WEIGHT)
        levels = self.constant(np.rint(weights / scale).astype(np.int8), f"{name}_weights")
        each = self.constant(scale, f"{name}_scale")
        return self.add("Mul", self.cast(levels, TensorProto.FLOAT), each)

    def product(self, x: str, weights: Floats, bias: Floats, name: str) -> str:
        """x (..., n) @ weights (outputs, n) transposed, and the bias."""
        columns = self.add("Transpose", self.stored(weights, name), perm=[1, 0])
        offset = self.constant(bias, f"{name}_bias")
        return self.add("Add", self.add("MatMul", x, columns), offset)

    def convolution(self, x: str, lengths: str, layer: int, stride: int) -> tuple[str, str]:
        """One convolution and its ReLU, zero after each line's own end, and the new lengths."""
        weights = self.parameters[f"convolutions.{layer}.weight"]  # (outputs, n, KERNEL)
        bias = self.parameters[f"convolutions.{layer}.bias"]
        margin = KERNEL // 2
        n_points = self.add("Slice", self.add("Shape", x), self.axis[0], self.axis[1])
        padded = self.add("Pad", x, self.constant(np.array([margin, 0, 0, margin, 0, 0])))
        steps = self.constant(np.array([stride]))
        seen = []
        for tap in range(KERNEL):
            first = self.constant(np.array([tap]))
            end = self.add("Add", n_points, first)
            seen.append(self.add("Slice", padded, first, end, self.axis[0], steps))
        rows = self.add("Concat", *seen, axis=2)
        flat = weights.transpose(0, 2, 1).reshape(len(weights), -1)
        x = self.add("Relu", self.product(rows, flat, bias, f"convolution_{layer}"))
        if stride > 1:
            one = self.constant(np.int64(1))
            before = self.add("Div", self.add("Sub", lengths, one), self.constant(np.int64(stride)))
            lengths = self.add("Add", before, one)
        return self.add("Mul", x, self.mask(x, lengths)), lengths

    def mask(self, x: str, lengths: str) -> str:
        """1 inside each line and 0 in its padding, (points, lines, 1)."""
        zero, one = self.constant(np.int64(0)), self.constant(np.int64(1))
        n_points = self.add("Gather", self.add("Shape", x), zero)
        places = self.add("Unsqueeze", self.add("Range", zero, n_points, one), self.axis[1])
        inside = self.add("Less", places, self.add("Unsqueeze", lengths, self.axis[0]))
        return self.add("Unsqueeze", self.cast(inside, TensorProto.FLOAT), self.axis[2])

    def lstm(self, x: str, lengths: str, layer: int) -> str:
        """One layer both ways, the two side by side; backwards begins at each line's own end."""
        cells, p = self.network.config.cells, self.parameters
        ways = [f"{way}.{layer}" for way in ("forwards", "backwards")]

        def both(*names: str) -> Floats:
            rows = [[_gates_in_order(p[f"{way}.{name}_l0"]) for name in names] for way in ways]
            return np.stack([np.concatenate(row) for row in rows])

        x = self.add(
            "LSTM", x, self.stored(both("weight_ih"), f"lstm_{layer}_input"),
            self.stored(both("weight_hh"), f"lstm_{layer}_recurrent"),
            self.constant(both("bias_ih", "bias_hh"), f"lstm_{layer}_bias"), lengths,
            direction="bidirectional", hidden_size=cells,
        )  # fmt: skip
        side_by_side = self.add("Transpose", x, perm=[0, 2, 1, 3])
        return self.add("Reshape", side_by_side, self.constant(np.array([0, 0, 2 * cells])))


def _tensor(name: str, kind: int, *shape: str | int) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def _gates_in_order(rows: Floats) -> Floats:
    """Rows input, forget, cell, output, as torch has them -> input, output, forget, cell."""
    i, f, g, o = np.split(rows, 4)
    return np.concatenate([i, o, f, g])
