"""ONNX models in the making, and what makes a file of one: its properties and its seal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET = 17
MICROSOFT = "com.microsoft"  # ONNX Runtime's own operators


class Graph:
    """Nodes and weights in the making; `add` adds a node and returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self._numbers = count()  # of the names that nodes and what they give go by

    def constant(self, value: Any, name: str | None = None) -> str:
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        content = hashlib.sha256(array.tobytes()).hexdigest()[:16]
        name = name or f"constant_{array.dtype}_{array.shape}_{content}"
        self.weights[name] = numpy_helper.from_array(array, name)
        return name

    def add(self, op: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        return self.add_many(op, *inputs, to=[to or f"{op}_{next(self._numbers)}"], **attributes)[0]

    def add_many(self, op: str, *inputs: str, to: list[str], **attributes: Any) -> list[str]:
        self.nodes.append(helper.make_node(op, inputs, to, name=to[0], **attributes))
        return to

    def cast(self, x: str, kind: int) -> str:
        name = f"Cast_{next(self._numbers)}"
        self.nodes.append(helper.make_node("Cast", [x], [name], name=name, to=kind))
        return name

    def split(self, x: str, sizes: list[int], axis: int = 1) -> list[str]:
        number = next(self._numbers)
        names = [f"{x}_part_{number}_{i}" for i in range(len(sizes))]
        return self.add_many("Split", x, self.constant(np.array(sizes)), to=names, axis=axis)

    def model(
        self,
        name: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        """The nodes with their inputs and outputs declared."""
        model = helper.make_model(
            helper.make_graph(self.nodes, name, inputs, outputs, list(self.weights.values())),
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)],
            ir_version=8,
            producer_name="handwriter",
        )
        onnx.checker.check_model(model)
        return model


def sealed_file(model: onnx.ModelProto, about: dict[str, Any]) -> bytes:
    """The file of a model with all that is known of it: strings as they are, the rest as JSON."""
    for key, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    return sealed(model.SerializeToString(deterministic=True))


def sealed(model: bytes) -> bytes:
    """The model with its own SHA-256 as one more property at its very end.

    Messages of protocol buffers may be concatenated, so the seal is a valid part of the file;
    a reader cuts it off, hashes the rest and compares.
    """
    seal = onnx.ModelProto()
    entry = seal.metadata_props.add()
    entry.key, entry.value = "sha256", hashlib.sha256(model).hexdigest()
    tail: bytes = seal.SerializeToString(deterministic=True)
    return model + tail
