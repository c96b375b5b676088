"""A hand's `.onnx` file: found, checked and opened; and the hands that come with the package."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import onnxruntime as ort

from handwriter.errors import BadHand

FORMAT, VERSION = "handwriter hand", 1
DEFAULT_HAND = "research"
MOST_BYTES = 200_000_000  # the paper's network takes 4 million, or 15 in fp32
PACES = (1e-3, 10.0)  # characters a step that a hand may have; people have some 0.05
MOST_SCALE = 1e6

# The file ends with one more model property, "sha256", of all bytes before it: a message field
# (tag 14, wire type 2) of 74 bytes with the key's six letters and the hash's 64.
_SEAL = re.compile(rb"\x72\x4a\x0a\x06sha256\x12\x40([0-9a-f]{64})\Z")
_SEAL_BYTES = 2 + 74


@dataclass(frozen=True, eq=False)
class Weights:
    """An opened hand: the network's step as an ONNX Runtime session, and what is known of it.

    `characters` are those that it learned; `alphabet` is what its network can be asked for, and
    is empty for one that writes without text.  `mean` and `deviation` (x, y) turn the network's
    offsets into the hand's unit.  `pace` is its mean number of characters a step.
    """

    session: ort.InferenceSession
    name: str
    licence: str
    data: str
    characters: str
    alphabet: str
    layers: int
    cells: int
    mixtures: int
    windows: int
    has_end: bool
    mean: tuple[float, float]
    deviation: tuple[float, float]
    pace: float
    about: dict[str, str]


def installed_hands() -> list[str]:
    """The names of the hands in the package."""
    folder = resources.files("handwriter") / "hands"
    if not folder.is_dir():
        return []
    return sorted(
        e.name.removesuffix(".onnx") for e in folder.iterdir() if e.name.endswith(".onnx")
    )


def load_weights(
    name_or_path: str | os.PathLike[str] = DEFAULT_HAND, *, threads: int = 1
) -> Weights:
    """Open an installed hand by name, or the hand in a file.

    Raises BadHand where there is none, or the file is damaged or something else.
    """
    name = os.fspath(name_or_path)
    content = _read(name)
    _check_seal(content, name)
    session = _session(content, name, threads)
    return _described(session, session.get_modelmeta().custom_metadata_map, name)


def _read(name_or_path: str) -> bytes:
    try:
        if name_or_path in installed_hands():
            return (resources.files("handwriter") / "hands" / f"{name_or_path}.onnx").read_bytes()
        with Path(name_or_path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        installed = ", ".join(installed_hands()) or "none is installed"
        raise BadHand(
            f"there is no hand {name_or_path!r} ({getattr(error, 'strerror', None) or error}); "
            f"give a file or an installed name: {installed}"
        ) from None
    if len(content) > MOST_BYTES:
        raise BadHand(
            f"{name_or_path} is not a hand (it is larger than {MOST_BYTES // 10**6} MB); give a "
            "file that `handwriter export` wrote"
        )
    return content


def _check_seal(content: bytes, name: str) -> None:
    seal = _SEAL.search(content[-_SEAL_BYTES:])
    if seal is None:
        raise BadHand(
            f"{name} is not a hand, or only a part of one; give a file that `handwriter export` "
            "wrote"
        )
    if hashlib.sha256(content[:-_SEAL_BYTES]).hexdigest().encode() != seal[1]:
        raise BadHand(f"{name} is damaged (its SHA-256 differs); get or export it again")


def _session(content: bytes, name: str, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Threads that spin while they wait would take the processor from everything else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception:  # ONNX Runtime raises a dozen kinds, none of them public
        raise BadHand(
            f"{name} holds no network that ONNX Runtime can open; give a hand that "
            "`handwriter export` wrote"
        ) from None


def _described(session: ort.InferenceSession, about: dict[str, str], name: str) -> Weights:
    """The session with its properties checked, so that nothing later has to doubt them."""
    if about.get("format") != FORMAT:
        raise BadHand(
            f"{name} is an ONNX model, but no hand; give one that `handwriter export` wrote"
        )
    if about.get("version") != str(VERSION):
        raise BadHand(
            f"{name} is a hand of format {about.get('version')}, this program reads {VERSION}; "
            "update handwriter, or export the hand again"
        )
    try:
        weights = _from_properties(session, about)
    except KeyError as error:
        raise BadHand(f"{name} lacks the property {error}; export it again") from None
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise BadHand(
            f"{name} has a property that makes no sense ({error}); export it again"
        ) from None
    inputs, outputs = _shapes(weights)
    if _found(session.get_inputs()) != inputs or _found(session.get_outputs()) != outputs:
        raise BadHand(
            f"{name} has other inputs or outputs than its properties say; export it again"
        )
    return weights


def _from_properties(session: ort.InferenceSession, about: dict[str, str]) -> Weights:
    """What the properties say; raises KeyError or ValueError where they say nothing sensible."""
    network, scaling = json.loads(about["network"]), json.loads(about["scaling"])
    weights = Weights(
        session=session,
        name=about["name"],
        licence=about["licence"],
        data=about["data"],
        characters=about["characters"],
        alphabet=network["alphabet"],
        layers=int(network["layers"]),
        cells=int(network["cells"]),
        mixtures=int(network["mixtures"]),
        windows=int(network["windows"]),
        has_end=network["end_token"],
        mean=_pair(scaling["mean"]),
        deviation=_pair(scaling["deviation"]),
        pace=float(about["pace"]),
        about=dict(about),
    )
    known, possible = set(weights.characters), set(weights.alphabet)
    _require(isinstance(weights.alphabet, str), "alphabet")
    _require(len(possible) == len(weights.alphabet), "alphabet")
    _require(" " in possible or not possible, "alphabet")
    _require(known <= possible and bool(known - {" "}) == bool(possible), "characters")
    _require(isinstance(weights.has_end, bool), "end_token")
    _require(min(weights.layers, weights.cells, weights.mixtures) > 0, "network")
    _require(all(abs(value) <= MOST_SCALE for value in weights.mean), "mean")
    _require(all(0 < value <= MOST_SCALE for value in weights.deviation), "deviation")
    _require(PACES[0] <= weights.pace <= PACES[1], "pace")
    return weights


def _pair(values: list[float]) -> tuple[float, float]:
    x, y = values
    return float(x), float(y)


def _require(holds: bool, name: str) -> None:
    if not holds:
        raise ValueError(name)


def _shapes(weights: Weights) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and outputs of the step (see `training.export`): shapes without the axis of lines."""
    n, a = weights.layers * weights.cells, len(weights.alphabet)
    state: dict[str, list[int | str]] = {"step": [3], "hidden": [n], "cell": [n]}
    inputs: dict[str, list[int | str]] = {"smoothness": [1], "noise": [4]}
    outputs = {"outputs": [6 * weights.mixtures + (3 if weights.has_end else 1)]}
    if a:
        state |= {"window": [a], "kappa": [weights.windows]}
        inputs |= {"text": ["length", a], "places": ["length"]}
    phi = {"phi": ["length"]} if a else {}
    return state | inputs, {f"next_{name}": size for name, size in state.items()} | outputs | phi


def _found(tensors: list[Any]) -> dict[str, Any]:
    """The shapes as `_shapes` has them, of those that are 32-bit floats."""
    return {t.name: t.shape[1:] for t in tensors if t.type == "tensor(float)"}
