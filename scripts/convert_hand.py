"""Rewrite a hand of format 3 as one of format 4, with the very same weights.

    python scripts/convert_hand.py OLD.onnx NEW.onnx

Format 3 has a single step and one product for all gates of a layer; format 4 takes many steps in
a call and has a product a gate.  All numbers and properties stay but the version.  The same seeds
give the same ink.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from handwriter.training.batches import Scaling
from handwriter.training.graph import sealed_file
from handwriter.training.network import Network, NetworkConfig
from handwriter.training.steps_graph import new, steps_graph
from handwriter.weights import VERSION

OLD_ORDER = ("input", "output", "forget", "candidate")  # of the gates' columns
OLD_VERSION = "3"
FIRST_WINDOW_LEVEL = np.float32(8 / 255)  # of files that do not tell it


def weights_of(old: onnx.ModelProto, config: NetworkConfig) -> dict[str, NDArray[Any]]:
    """What format 3 holds, by the names of format 4."""
    stored = {entry.name: numpy_helper.to_array(entry) for entry in old.graph.initializer}
    for number in range(1, config.layers + 1):
        for kind in ("weights", "scale", "bias"):
            parts = np.split(stored.pop(f"gates_{number}_{kind}"), 4, axis=-1)
            for gate, part in zip(OLD_ORDER, parts, strict=True):
                stored[f"{gate}_{number}_{kind}"] = np.ascontiguousarray(part)
    for kind in ("weights", "scale", "bias"):
        stored[f"{new('outputs')}_{kind}"] = stored.pop(f"outputs_{kind}")
    return {"window_level": np.asarray(FIRST_WINDOW_LEVEL)} | stored


def converted(old: onnx.ModelProto) -> bytes:
    """The file of format 4.  Raises ValueError for anything but an int8 hand of format 3."""
    about = {entry.key: entry.value for entry in old.metadata_props if entry.key != "sha256"}
    config = NetworkConfig(**json.loads(about["network"]))
    if (about["version"], about["weights"], config.peepholes) != (OLD_VERSION, "int8", False):
        raise ValueError("this is no int8 hand of format 3 without peepholes")
    scaling = Scaling(**json.loads(about["scaling"]))
    model = steps_graph(Network(config), scaling, int8=True)
    stored = weights_of(old, config)
    for entry in model.graph.initializer:
        if entry.name in stored:
            entry.CopyFrom(numpy_helper.from_array(stored[entry.name], entry.name))
    return sealed_file(model, about | {"version": VERSION})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args()
    try:
        options.new.write_bytes(converted(onnx.load(str(options.old))))
    except ValueError as error:
        parser.error(f"{options.old}: {error}")


if __name__ == "__main__":
    main()
