"""The exported step is the torch network's step, and the file says all that is known of it."""

import json
from itertools import product

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import tiny_hand
import torch
from tiny_hand import FACTS, LINES, checkpoint, exported, network

from handwriter.errors import TrainingFailed
from handwriter.training.export import export, known_characters, step_graph
from handwriter.training.network import Network, one_hot
from handwriter.training.recipe import ASCII, GRAVES57, NON_LETTER
from handwriter.training.sample import draw, step_noise

STATE = ("step", "hidden", "cell", "window", "kappa")
TEXTS = ["Hello, committee!", "a", "It was 7 o'clock."]
FAR = 1e4


def session(net: Network, *, int8: bool = False) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    content = step_graph(net, int8=int8).SerializeToString()
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def start(net: Network, texts: list[str] = TEXTS, smoothness: float = 0.5) -> dict[str, np.ndarray]:
    """The step's inputs at the beginning, the noise apart."""
    config = net.config
    n = config.layers * config.cells
    sizes = {"step": 3, "hidden": n, "cell": n}
    feed = {}
    if config.reads_text:
        sizes |= {"window": len(config.alphabet), "kappa": config.windows}
        codes, mask = one_hot(texts, config.alphabet, beyond=True)
        places = np.arange(1, mask.shape[1] + 1, dtype=np.float32)
        feed = {
            "text": codes.numpy(),
            "places": np.where(mask.numpy() > 0, places, np.float32(FAR)),
        }
    feed |= {name: np.zeros((len(texts), size), np.float32) for name, size in sizes.items()}
    return feed | {"smoothness": np.full((len(texts), 1), smoothness, np.float32)}


def run(engine: ort.InferenceSession, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = [output.name for output in engine.get_outputs()]
    return dict(zip(names, engine.run(names, feed), strict=True))


def written_by_engine(net: Network, noise: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    engine, feed = session(net), start(net)
    steps, phis = [], []
    for row in noise:
        results = run(engine, feed | {"noise": row})
        feed |= {name: results[f"next_{name}"] for name in STATE if name in feed}
        steps.append(results["next_step"])
        phis.append(results.get("phi"))
    return np.array(steps), phis


@torch.no_grad()
def written_by_torch(net: Network, noise: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    text = one_hot(TEXTS, net.config.alphabet, beyond=True) if net.config.reads_text else None
    state, step = None, torch.zeros(1, len(TEXTS), 3)
    steps, phis = [], []
    for row in noise:
        y, phi, state = net(step, text, state)
        drawn = draw(y, 0.5, torch.from_numpy(row)[None])
        step = torch.cat([drawn[..., :2], (drawn[..., 2:] > 0).float()], -1)
        steps.append(drawn[0].numpy())
        phis.append(phi[0].numpy())
    return np.array(steps), phis


@pytest.mark.parametrize(
    ("peepholes", "end_token", "alphabet"),
    list(product([True, False], [True, False], [ASCII, ""])),
)
def test_the_engine_writes_what_the_torch_network_writes(peepholes, end_token, alphabet):
    net = network(peepholes=peepholes, end_token=end_token, alphabet=alphabet, layers=3, mixtures=5)
    if peepholes:
        torch.nn.init.normal_(net.layers[1].peephole)
    noise = step_noise(np.random.default_rng(1), 80, len(TEXTS))
    (ours, phi), (theirs, their_phi) = written_by_engine(net, noise), written_by_torch(net, noise)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert 0 < theirs[..., 2].mean() < 2  # both pen states came up
    if alphabet:
        np.testing.assert_allclose(phi, their_phi, atol=1e-4)


def random_feed(net: Network, lines: int) -> dict[str, np.ndarray]:
    """Inputs as they could be on the way, with windows that go beyond 1."""
    rng = np.random.default_rng(3)
    feed = start(net, ["some text"] * lines)
    for name, spread in (("step", 1.0), ("hidden", 0.5), ("cell", 1.0), ("window", 1.0)):
        feed[name] = np.float32(rng.normal(0, spread, feed[name].shape))
    feed["hidden"], feed["window"] = np.tanh(feed["hidden"]), np.abs(feed["window"])
    feed["kappa"] = np.float32(rng.uniform(0, 9, feed["kappa"].shape))
    return feed | {"noise": step_noise(rng, 1, lines)[0]}


def test_int8_weights_come_close():
    net = network(cells=30, layers=3)
    feed = random_feed(net, 20)
    exact, close = run(session(net), feed), run(session(net, int8=True), feed)
    for name in ("outputs", "next_hidden", "next_kappa", "phi"):
        error, size = np.abs(close[name] - exact[name]), np.abs(exact[name])
        assert 0 < error.mean() < 0.03 * size.mean(), name


@pytest.mark.parametrize("int8", [True, False])
def test_a_line_steps_to_the_same_bits_alone_and_among_others(int8):
    net = network(cells=33, layers=3, peepholes=True)
    engine, feed = session(net, int8=int8), random_feed(net, 64)
    together = run(engine, feed)
    for n in (1, 7):
        alone = run(engine, {name: value[20 : 20 + n] for name, value in feed.items()})
        for name, value in alone.items():
            np.testing.assert_array_equal(value, together[name][20 : 20 + n], err_msg=name)


def test_constants_that_begin_alike_stay_apart():
    """Peepholes are told apart by all of their values, not by the first few."""
    net = network(cells=9, layers=1, peepholes=True, alphabet="")
    with torch.no_grad():
        net.layers[0].peephole.zero_()
        net.layers[0].peephole[0, -1], net.layers[0].peephole[2, -1] = 1.0, -1.0
    stored = [onnx.numpy_helper.to_array(t) for t in step_graph(net).graph.initializer]
    assert sorted(float(v[-1]) for v in stored if v.shape == (9,)) == [-1.0, 0.0, 1.0]


def properties(content: bytes) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}


def test_the_file_says_all_that_is_known_of_the_hand():
    about = properties(exported(network()))
    assert {name: about[name] for name in FACTS} == FACTS
    assert set(about["characters"]) == set(ASCII) - {tiny_hand.UNFREQUENT}
    assert float(about["pace"]) == pytest.approx(sum(map(len, LINES.texts)) / len(LINES.offsets))
    assert json.loads(about["network"])["cells"] == 4
    assert json.loads(about["scaling"]) == {"mean": [0.3, 0.01], "deviation": [0.5, 0.8]}
    assert json.loads(about["recipe"])["training"]["optimizer"] == "adam"
    assert (about["lines"], about["updates"], about["epochs"]) == (LINES.digest, "7", "2")
    assert (about["weights"], len(about["sha256"])) == ("int8", 64)


def test_the_same_checkpoint_gives_the_same_bytes():
    net = network()
    assert exported(net) == exported(net)
    assert exported(net) != exported(net, int8=False)


def test_the_averaged_weights_are_exported_where_there_are_any():
    plain, averaged = network(seed=0), network(seed=1)
    both = checkpoint(plain)
    both.tensors.update({f"average/{k}": v for k, v in averaged.state_dict().items()})
    both.header["recipe"]["training"]["average"] = 0.9
    outputs = run_once(export(both, LINES, **FACTS))
    np.testing.assert_array_equal(outputs, run_once(exported(averaged)))
    assert not np.array_equal(outputs, run_once(exported(plain)))


def run_once(content: bytes) -> np.ndarray:
    engine = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    net = network()
    return run(engine, start(net) | {"noise": np.full((3, 4), 0.5, np.float32)})["outputs"]


def test_other_lines_than_those_trained_on_are_refused():
    with pytest.raises(TrainingFailed, match="other lines"):
        export(checkpoint(network(), lines="0" * 64), LINES, **FACTS)


def test_a_hand_claims_the_characters_that_it_has_seen_often_enough():
    assert known_characters(["abba", "abba b"], "abc ") == "ab"


def test_a_hand_with_a_merged_label_claims_all_but_the_label():
    assert set(known_characters([], GRAVES57)) == set(GRAVES57) - {NON_LETTER}
