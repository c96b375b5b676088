"""Rewrite a hand of format 4 as one of format 5, with the very same weights.

    python scripts/convert_hand.py OLD.onnx NEW.onnx

In format 4 every pen lift is drawn by chance at any smoothness; in format 5 smoothness steadies the
length of strokes too.  All numbers and properties stay but the version.  The same seeds give other
ink.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import onnx

from handwriter.training.batches import Scaling
from handwriter.training.graph import sealed_file
from handwriter.training.network import Network, NetworkConfig
from handwriter.training.steps_graph import steps_graph
from handwriter.weights import FORMAT, VERSION

OLD_VERSION = "4"


def converted(old: onnx.ModelProto) -> bytes:
    """The file of format 5.  Raises ValueError for anything but a hand of format 4."""
    about = {entry.key: entry.value for entry in old.metadata_props if entry.key != "sha256"}
    if (about.get("format"), about.get("version")) != (FORMAT, OLD_VERSION):
        raise ValueError("this is no hand of format 4")
    network = Network(NetworkConfig(**json.loads(about["network"])))
    scaling = Scaling(**json.loads(about["scaling"]))
    model = steps_graph(network, scaling, int8=about["weights"] == "int8")
    stored = {entry.name: entry for entry in old.graph.initializer}
    for entry in model.graph.initializer:
        if entry.name in stored:
            entry.CopyFrom(stored[entry.name])
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
