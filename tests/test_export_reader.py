"""The exported reader is the torch network, and no line of it depends on another."""

import dataclasses
import json

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from tiny_reader import ALPHABET, FACTS, exported, network

from handwriter.features import N_FEATURES, VIEW
from handwriter.training.export_reader import export_reader
from handwriter.training.recogniser import ReaderConfig, ReaderNetwork

LENGTHS = np.array([90, 1, 64, 2, 7, 33, 4, 90, 3, 89])


def session(content: bytes, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def rows(lengths: np.ndarray = LENGTHS, seed: int = 0) -> list[np.ndarray]:
    """Noise in the shape of features, for lines of these lengths."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, N_FEATURES)).astype(np.float32) for n in lengths]


def padded(lines: list[np.ndarray], beyond: int = 0) -> dict[str, np.ndarray]:
    """The network's inputs, with `beyond` more points of padding than needed."""
    lengths = np.array([len(line) for line in lines])
    features = np.zeros((len(lines), lengths.max() + beyond, N_FEATURES), np.float32)
    for row, line in zip(features, lines, strict=True):
        row[: len(line)] = line
    return {"features": features, "lengths": lengths}


def read(engine: ort.InferenceSession, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Each line's own frames, (frames, 1 + alphabet)."""
    found, n_frames = engine.run(["log_probabilities", "frames"], feed)
    return [line[:n] for line, n in zip(found, n_frames, strict=True)]


def seen_by_torch(net: ReaderNetwork, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    with torch.no_grad():
        logits, n_frames = net(*(torch.from_numpy(feed[name]) for name in ("features", "lengths")))
    lines = logits.log_softmax(-1).transpose(0, 1).numpy()
    return [line[:n] for line, n in zip(lines, n_frames.tolist(), strict=True)]


@pytest.mark.parametrize("layers", [1, 3])
def test_the_exported_reader_is_the_torch_network(layers):
    net = network(layers=layers)
    feed = padded(rows())
    ours = read(session(exported(net, int8=False)), feed)
    for mine, theirs in zip(ours, seen_by_torch(net, feed), strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_four_points_make_a_frame():
    frames = [len(line) for line in read(session(exported(network())), padded(rows()))]
    assert frames == [-(-n // 4) for n in LENGTHS]


@pytest.mark.parametrize("int8", [True, False])
def test_a_line_is_the_same_to_the_last_bit_alone_padded_and_in_company(int8):
    engine = session(exported(network(), int8=int8))
    lines = rows()
    together = read(engine, padded(lines, beyond=37))
    for line, in_company in zip(lines, together, strict=True):
        (alone,) = read(engine, padded([line]))
        np.testing.assert_array_equal(alone, in_company)


def test_two_threads_read_as_one():
    """On a network of full width, where ONNX Runtime does share out the work."""
    torch.manual_seed(1)
    content = exported(ReaderNetwork(ReaderConfig(alphabet=ALPHABET, layers=1)).eval())
    lines = rows(np.array([60, 160, 300]))
    both = [read(session(content, threads), padded(lines)) for threads in (1, 2)]
    for one, two in zip(*both, strict=True):
        np.testing.assert_array_equal(one, two)


def test_int8_weights_are_nearly_the_same_and_make_a_small_file():
    torch.manual_seed(1)
    net = ReaderNetwork(ReaderConfig(alphabet=ALPHABET)).eval()
    small, large = exported(net), exported(net, int8=False)
    assert len(small) < 4e6
    assert len(large) > 3.5 * len(small)
    feed = padded(rows(np.array([100, 60])))
    for a, b in zip(*(read(session(content), feed) for content in (small, large)), strict=True):
        np.testing.assert_allclose(a, b, atol=0.05)


def about(content: bytes) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}


def test_the_file_says_all_that_is_known_of_the_reader():
    net = network()
    told = about(exported(net, cer="7.2 %", characters="ab "))
    assert told["format"] == "handwriter reader"
    assert {name: told[name] for name in FACTS} == FACTS
    assert (told["cer"], told["characters"], told["weights"]) == ("7.2 %", "ab ", "int8")
    assert json.loads(told["network"]) == dataclasses.asdict(net.config)
    assert json.loads(told["features"]) == VIEW
    assert len(told["sha256"]) == 64


def test_without_other_word_it_reads_its_whole_alphabet():
    assert about(exported(network()))["characters"] == ALPHABET


def test_the_same_network_gives_the_same_bytes():
    assert exported(network()) == exported(network())


def test_what_the_reader_says_itself_cannot_be_told_otherwise():
    with pytest.raises(ValueError, match="features"):
        export_reader(network(), **FACTS, about={"features": "{}"})
