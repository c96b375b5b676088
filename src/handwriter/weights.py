"""The `.onnx` files of hands and readers: found, checked and opened; and those in the package."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from handwriter.errors import BadHand, BadReader, HandwriterError

FORMAT, VERSION = "handwriter hand", 5
READER_FORMAT, READER_VERSION = "handwriter reader", 1
DEFAULT_HAND = DEFAULT_READER = "open"
STYLES = ".styles.jsonl"  # in place of .onnx: the file of a hand's styles
MOST_BYTES = 200_000_000  # the paper's network takes 4 million, or 15 in fp32
PACES = (1e-3, 10.0)  # characters a step that a hand may have; people have some 0.05
MOST_SCALE = 1e6
FAR = 1e4  # a place in the text that no window reaches: what padding is given to a hand
ZERO = 128  # the byte that stands for 0 in the hidden vectors of a hand with int8 weights
MOST_SIZE = 10_000  # of layers, cells, mixture components, windows

# The file ends with one more model property, "sha256", of all bytes before it: a message field
# (tag 14, wire type 2) of 74 bytes with the key's six letters and the hash's 64.
_SEAL = re.compile(rb"\x72\x4a\x0a\x06sha256\x12\x40([0-9a-f]{64})\Z")
_SEAL_BYTES = 2 + 74

_FLOATS, _BYTES, _INTEGERS = "tensor(float)", "tensor(uint8)", "tensor(int64)"

T = TypeVar("T")


@dataclass(frozen=True)
class _Kind:
    """What a file is to be: a `noun`, which is also the name of its folder, and its format."""

    noun: str
    format: str
    version: int
    error: type[HandwriterError]


_HAND = _Kind("hand", FORMAT, VERSION, BadHand)
_READER = _Kind("reader", READER_FORMAT, READER_VERSION, BadReader)


@dataclass(frozen=True, eq=False)
class Weights:
    """An opened hand: the network's steps as an ONNX Runtime session, and what is known of it.

    `characters` are those that it learned; `alphabet` is what its network can be asked for, and
    is empty for one that writes without text.  `sees_height` says that it is shown how high the pen
    is.  `mean` and `deviation` (x, y) turn the network's
    offsets into the hand's unit.  `pace` is its mean number of characters a step.  `styles` is
    what its file of styles holds (`handwriter.styles`), empty where none lies beside it.  Up to
    `threads` may draw at once.
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
    sees_height: bool
    mean: tuple[float, float]
    deviation: tuple[float, float]
    pace: float
    about: dict[str, str]
    styles: bytes = b""
    threads: int = 1


@dataclass(frozen=True, eq=False)
class ReaderWeights:
    """An opened reader: its network as an ONNX Runtime session, and what is known of it.

    `characters` are those that it learned, of the `alphabet` that its network tells apart.
    `features` says what it has to be shown (`handwriter.features.VIEW`).
    """

    session: ort.InferenceSession
    name: str
    licence: str
    data: str
    characters: str
    alphabet: str
    features: dict[str, float]
    about: dict[str, str]


def installed_hands() -> list[str]:
    """The names of the hands in the package."""
    return _installed(_HAND)


def installed_readers() -> list[str]:
    """The names of the readers in the package."""
    return _installed(_READER)


def installed_file(name: str, *, is_reader: bool) -> Path | None:
    """The file of the reader, or else the hand, in the package; None where none has that name."""
    kind = _READER if is_reader else _HAND
    return Path(str(_folder(kind))) / f"{name}.onnx" if name in _installed(kind) else None


def load_weights(
    name_or_path: str | os.PathLike[str] = DEFAULT_HAND, *, threads: int = 1
) -> Weights:
    """Open an installed hand by name, or the hand in a file.

    Raises BadHand where there is none, or the file is damaged or something else.
    """
    name = os.fspath(name_or_path)
    # Lines are dealt out to threads (`handwriter.pen`): each step is taken by one of them.
    weights = _opened(_HAND, name, 1, _hand_of, _shapes)
    return replace(weights, styles=_read_styles(name), threads=threads)


def load_reader_weights(
    name_or_path: str | os.PathLike[str] = DEFAULT_READER, *, threads: int = 1
) -> ReaderWeights:
    """Open an installed reader by name, or the reader in a file.

    Raises BadReader where there is none, or the file is damaged or something else.
    """
    return _opened(_READER, os.fspath(name_or_path), threads, _reader_of, _reader_shapes)


# --- Both --------------------------------------------------------------------------------------


def _folder(kind: _Kind) -> Traversable:
    return resources.files("handwriter") / f"{kind.noun}s"


def _installed(kind: _Kind) -> list[str]:
    folder = _folder(kind)
    if not folder.is_dir():
        return []
    return sorted(
        e.name.removesuffix(".onnx") for e in folder.iterdir() if e.name.endswith(".onnx")
    )


def _opened(
    kind: _Kind,
    name: str,
    threads: int,
    describe: Callable[[ort.InferenceSession, dict[str, str]], T],
    shapes: Callable[[T], tuple[dict[str, Any], dict[str, Any]]],
) -> T:
    """The session with its properties checked, so that nothing later has to doubt them."""
    content = _read(kind, name)
    _check_seal(kind, content, name)
    session = _session(kind, content, name, threads)
    about = session.get_modelmeta().custom_metadata_map
    _check_format(kind, about, name)
    try:
        weights = describe(session, about)
        inputs, outputs = shapes(weights)
    except KeyError as error:
        raise kind.error(f"{name} lacks the property {error}; export it again") from None
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise kind.error(
            f"{name} has a property that makes no sense ({error}); export it again"
        ) from None
    if _found(session.get_inputs()) != inputs or _found(session.get_outputs()) != outputs:
        raise kind.error(
            f"{name} has other inputs or outputs than its properties say; export it again"
        )
    return weights


def _read(kind: _Kind, name_or_path: str) -> bytes:
    try:
        if name_or_path in _installed(kind):
            return (_folder(kind) / f"{name_or_path}.onnx").read_bytes()
        with Path(name_or_path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        installed = ", ".join(_installed(kind)) or "none is installed"
        raise kind.error(
            f"there is no {kind.noun} {name_or_path!r} "
            f"({getattr(error, 'strerror', None) or error}); "
            f"give a file or an installed name: {installed}"
        ) from None
    if len(content) > MOST_BYTES:
        raise kind.error(
            f"{name_or_path} is not a {kind.noun} (it is larger than {MOST_BYTES // 10**6} MB); "
            "give a file that `handwriter export` wrote"
        )
    return content


def _read_styles(name_or_path: str) -> bytes:
    """NAME.styles.jsonl, which lies beside NAME.onnx where a hand has styles."""
    path = _folder(_HAND) / f"{name_or_path}{STYLES}"
    if name_or_path not in installed_hands():
        path = Path(name_or_path).with_suffix(STYLES)
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise BadHand(
            f"cannot read {path} ({error.strerror}), the styles of {name_or_path}; check its "
            "permissions, or move it away"
        ) from None


def _check_seal(kind: _Kind, content: bytes, name: str) -> None:
    seal = _SEAL.search(content[-_SEAL_BYTES:])
    if seal is None:
        raise kind.error(
            f"{name} is not a {kind.noun}, or only a part of one; give a file that "
            "`handwriter export` wrote"
        )
    if hashlib.sha256(content[:-_SEAL_BYTES]).hexdigest().encode() != seal[1]:
        raise kind.error(f"{name} is damaged (its SHA-256 differs); get or export it again")


def _check_format(kind: _Kind, about: dict[str, str], name: str) -> None:
    if about.get("format") in {other.format for other in (_HAND, _READER) if other != kind}:
        other = "a hand, which writes" if kind is _READER else "a reader, which does not write"
        raise kind.error(f"{name} is {other}; give a {kind.noun} that `handwriter export` wrote")
    if about.get("format") != kind.format:
        raise kind.error(
            f"{name} is an ONNX model, but no {kind.noun}; give one that `handwriter export` wrote"
        )
    if about.get("version") != str(kind.version):
        raise kind.error(
            f"{name} is a {kind.noun} of format {about.get('version')}, this program reads "
            f"{kind.version}; update handwriter, or export the {kind.noun} again"
        )


def _session(kind: _Kind, content: bytes, name: str, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Threads that spin while they wait would take the processor from everything else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception:  # ONNX Runtime raises a dozen kinds, none of them public
        raise kind.error(
            f"{name} holds no network that ONNX Runtime can open; give a {kind.noun} that "
            "`handwriter export` wrote"
        ) from None


def _require(holds: bool, name: str) -> None:
    if not holds:
        raise ValueError(name)


def _found(tensors: list[Any]) -> dict[str, tuple[Any, ...]]:
    """The types, and the shapes without their first axis."""
    return {tensor.name: (tensor.type, *tensor.shape[1:]) for tensor in tensors}


# --- Hands -------------------------------------------------------------------------------------


def _hand_of(session: ort.InferenceSession, about: dict[str, str]) -> Weights:
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
        sees_height=network.get("height", False),
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
    _require(isinstance(weights.sees_height, bool), "height")
    sizes = (weights.layers, weights.cells, weights.mixtures)
    _require(min(sizes) > 0 and max(*sizes, weights.windows) <= MOST_SIZE, "network")
    _require(all(abs(value) <= MOST_SCALE for value in weights.mean), "mean")
    _require(all(0 < value <= MOST_SCALE for value in weights.deviation), "deviation")
    _require(PACES[0] <= weights.pace <= PACES[1], "pace")
    return weights


def _pair(values: list[float]) -> tuple[float, float]:
    x, y = values
    return float(x), float(y)


def _shapes(weights: Weights) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and outputs of the steps (see `training.steps_graph`), as `_found` has them."""
    a, m, cells = len(weights.alphabet), weights.mixtures, weights.cells
    layers, n_pen = range(1, weights.layers + 1), 3 if weights.has_end else 1
    as_read = _BYTES if weights.about["weights"] == "int8" else _FLOATS
    state: dict[str, tuple[Any, ...]] = {"step": (_FLOATS, 4 if weights.sees_height else 3)}
    state |= {"urge": (_FLOATS, 1)}
    state |= {f"hidden_{number}": (as_read, cells) for number in layers}
    state |= {f"cell_{number}": (_FLOATS, cells) for number in layers}
    inputs: dict[str, tuple[Any, ...]] = {"smoothness": (_FLOATS, 1), "follows": (_INTEGERS,)}
    inputs |= {"noise": (_FLOATS, "lines", m + n_pen + 2), "shown": (_FLOATS, "lines", 3)}
    outputs: dict[str, tuple[Any, ...]] = {"steps": (_FLOATS, "lines", 3)}
    outputs |= {"outputs": (_FLOATS, "lines", 6 * m + n_pen)}
    if a:
        state |= {"window": (as_read, a), "kappa": (_FLOATS, weights.windows, 1)}
        inputs |= {"text": (_INTEGERS, "length"), "places": (_FLOATS, 1, "length")}
        outputs |= {"phi": (_FLOATS, "lines", 1, "length")}
    return state | inputs, {f"next_{name}": kind for name, kind in state.items()} | outputs


def first_inputs(session: ort.InferenceSession, lines: int, length: int) -> dict[str, NDArray[Any]]:
    """What a hand's first step reads, for texts that are still empty: nothing drawn or seen.

    What each step is given by itself, noise and what is shown, is not among it.
    """
    sizes = {"lines": lines, "length": length}
    kinds = {_FLOATS: np.float32, _BYTES: np.uint8, _INTEGERS: np.int64}
    read: dict[str, NDArray[Any]] = {
        tensor.name: np.zeros([sizes.get(n, n) for n in tensor.shape], kinds[tensor.type])
        for tensor in session.get_inputs()
        if "steps" not in tensor.shape and tensor.name != "follows"
    }
    for name, array in read.items():
        if name.startswith("hidden") and array.dtype == np.uint8:
            array[:] = ZERO
    return read | {"follows": np.arange(lines)}


# --- Readers -----------------------------------------------------------------------------------


def _reader_of(session: ort.InferenceSession, about: dict[str, str]) -> ReaderWeights:
    """What the properties say; raises KeyError or ValueError where they say nothing sensible."""
    features = dict(json.loads(about["features"]))
    weights = ReaderWeights(
        session=session,
        name=about["name"],
        licence=about["licence"],
        data=about["data"],
        characters=about["characters"],
        alphabet=json.loads(about["network"])["alphabet"],
        features={str(name): float(value) for name, value in features.items()},
        about=dict(about),
    )
    possible = set(weights.alphabet)
    _require(isinstance(weights.alphabet, str), "alphabet")
    _require(len(possible) == len(weights.alphabet) > 0, "alphabet")
    _require(bool(weights.characters) and set(weights.characters) <= possible, "characters")
    return weights


def _reader_shapes(weights: ReaderWeights) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and outputs of a reader (see `training.export_reader`), as `_found` has them."""
    size, n_labels = int(weights.features["size"]), 1 + len(weights.alphabet)
    return (
        {"features": (_FLOATS, "points", size), "lengths": (_INTEGERS,)},
        {"log_probabilities": (_FLOATS, "frames", n_labels), "frames": (_INTEGERS,)},
    )
