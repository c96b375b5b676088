"""The exported step is the torch network's step, and the file says all that is known of it."""

import json
from itertools import product

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import tiny
import tiny_hand
import torch
from tiny_hand import FACTS, LINES, checkpoint, exported, network

from handwriter.errors import TrainingFailed
from handwriter.training.batches import Scaling
from handwriter.training.export import export, known_characters, what_is_read
from handwriter.training.graph import Graph
from handwriter.training.network import Network, one_hot
from handwriter.training.recipe import ASCII, GRAVES57, NON_LETTER
from handwriter.training.sample import draw, seen, step_noise
from handwriter.training.steps_graph import (
    HEIGHT_COPIES,
    LEVEL,
    PEN_COPIES,
    WINDOW_LEVEL,
    steps_graph,
)
from handwriter.weights import FAR, ZERO, first_inputs

SCALING = Scaling((0.3, 0.05), (0.5, 0.8))
TEXTS = ["Hello, committee!", "a", "It was 7 o'clock."]


def session(net: Network, *, int8: bool = False, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    content = steps_graph(net, SCALING, int8=int8).SerializeToString()
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def start(
    engine: ort.InferenceSession, net: Network, texts: list[str] = TEXTS, smoothness: float = 0.5
) -> dict[str, np.ndarray]:
    """The step's inputs at the beginning, the noise apart."""
    if not net.config.reads_text:
        feed = first_inputs(engine, len(texts), 0)
    else:
        codes, mask = one_hot(texts, net.config.alphabet, beyond=True)
        feed = first_inputs(engine, len(texts), mask.shape[1])
        places = np.arange(1, mask.shape[1] + 1, dtype=np.float32)
        known = codes.numpy()
        feed["text"] = np.where(known.any(axis=2), known.argmax(axis=2), known.shape[2])
        feed["places"] = np.where(mask.numpy() > 0, places, np.float32(FAR))[:, None]
    feed["smoothness"][:] = smoothness
    return feed


EACH_STEP = ("noise", "shown", "steps", "phi", "outputs")  # what has the steps as its first axis


def some_lines(feed: dict[str, np.ndarray], some: slice) -> dict[str, np.ndarray]:
    """The same inputs or outputs of these lines only, each of which takes its own steps."""
    made = {n: value[:, some] if n in EACH_STEP else value[some] for n, value in feed.items()}
    return made | ({"follows": np.arange(len(made["step"]))} if "follows" in made else {})


def run(engine: ort.InferenceSession, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All outputs; where nothing is said to be shown, all lines draw."""
    names = [output.name for output in engine.get_outputs()]
    shown = np.full((*feed["noise"].shape[:2], 3), np.nan, np.float32)
    return dict(zip(names, engine.run(names, {"shown": shown} | feed), strict=True))


def written_by_engine(net: Network, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    engine = session(net)
    results = run(engine, start(engine, net) | {"noise": noise})
    return results["steps"], results["phi"][:, :, 0] if "phi" in results else None


@torch.no_grad()
def written_by_torch(net: Network, noise: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    text = one_hot(TEXTS, net.config.alphabet, beyond=True) if net.config.reads_text else None
    state, step = None, torch.zeros(1, len(TEXTS), net.config.n_inputs)
    urge = torch.zeros(1, len(TEXTS))
    steps, phis = [], []
    for row in noise:
        y, phi, state = net(step, text, state)
        drawn, urge = draw(y, 0.5, torch.from_numpy(row)[None], urge)
        step = seen(drawn, step, SCALING)
        steps.append(drawn[0].numpy())
        phis.append(phi[0].numpy())
    return np.array(steps), phis


@pytest.mark.parametrize(
    ("peepholes", "end_token", "alphabet", "height"),
    list(product([True, False], [True, False], [ASCII, ""], [True, False])),
)
def test_the_engine_writes_what_the_torch_network_writes(peepholes, end_token, alphabet, height):
    net = network(
        peepholes=peepholes, end_token=end_token, alphabet=alphabet, height=height, layers=3,
        mixtures=5,
    )  # fmt: skip
    if peepholes:
        torch.nn.init.normal_(net.layers[1].peephole)
    noise = step_noise(np.random.default_rng(1), net.config, 80, len(TEXTS))
    (ours, phi), (theirs, their_phi) = written_by_engine(net, noise), written_by_torch(net, noise)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert 0 < theirs[..., 2].mean() < 2  # both pen states came up
    if alphabet:
        np.testing.assert_allclose(phi, their_phi, atol=1e-4)


def random_feed(
    engine: ort.InferenceSession, net: Network, lines: int, seed: int = 3
) -> dict[str, np.ndarray]:
    """Inputs as they could be on the way, with windows and offsets that go beyond the usual."""
    rng, config = np.random.default_rng(seed), net.config
    feed = start(engine, net, ["some text"] * lines)
    for name, value in feed.items():
        if name == "step" or "cell" in name:
            feed[name] = np.float32(rng.normal(0, 3, value.shape))
        elif value.dtype == np.uint8:
            feed[name] = rng.integers(1, 256, value.shape, np.uint8)
        elif "hidden" in name or name == "window":
            feed[name] = np.float32(rng.uniform(-1, 1, value.shape))
    feed["step"][:, 2] = rng.random(lines) < 0.1
    feed["window"] *= rng.random(feed["window"].shape) < 0.05  # it rests on few characters
    feed["kappa"] = np.float32(rng.uniform(0, 9, feed["kappa"].shape))
    return feed | {"noise": step_noise(rng, config, 3, lines)}


def in_numbers(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inputs or outputs with what is in bytes as the numbers that they stand for."""
    made = dict(values)
    for name, value in values.items():
        if value.dtype == np.uint8:
            is_window = "window" in name
            zero, level = (0, WINDOW_LEVEL) if is_window else (ZERO, LEVEL)
            made[name] = (np.float32(value) - zero) * np.float32(level)
    return made


@pytest.mark.parametrize("height", [True, False])
def test_int8_weights_come_close(height):
    net = network(cells=30, layers=3, initial_pace=0.1, height=height)
    engines = session(net), session(net, int8=True)
    feed = random_feed(engines[1], net, 20)
    most = np.array([PEN_COPIES, PEN_COPIES, 1, HEIGHT_COPIES])[: net.config.n_inputs]
    feed["step"] = np.float32(np.clip(feed["step"], -most, most))
    exact, close = run(engines[0], in_numbers(feed)), in_numbers(run(engines[1], feed))
    assert np.abs(close["next_window"]).max() > 0
    for result in (exact, close):
        result["hidden"] = np.concatenate([result[f"next_hidden_{n}"] for n in (1, 2, 3)])
    for name in ("outputs", "hidden", "next_kappa", "phi", "next_window"):
        error, size = np.abs(close[name] - exact[name]), np.abs(exact[name])
        assert 0 < error.mean() < 0.05 * size.mean(), name


@pytest.mark.parametrize("cells", [33, 400])
@pytest.mark.parametrize("int8", [True, False])
def test_a_line_steps_to_the_same_bits_alone_and_among_others(int8, cells):
    """Whatever is in the other lines, and on two threads as on one."""
    net = network(cells=cells, layers=3, peepholes=cells < 400, height=cells < 400)
    engine, two_threads = session(net, int8=int8), session(net, int8=int8, threads=2)
    feed = random_feed(engine, net, 256)
    together = run(engine, feed)
    for other in (engine, two_threads):
        for n in (1, 2, 5, 7, 44, 128):
            some = slice(20, 20 + n)
            expected = some_lines(together, some)
            for name, value in run(other, some_lines(feed, some)).items():
                np.testing.assert_array_equal(value, expected[name], err_msg=name)
    others = random_feed(engine, net, 256, seed=4)
    for name, value in some_lines(others, slice(0, 1)).items():
        value[...] = some_lines(feed, slice(0, 1))[name]
    first = some_lines(run(engine, others), slice(0, 1))
    for name, value in some_lines(together, slice(0, 1)).items():
        np.testing.assert_array_equal(value, first[name], err_msg=name)


@pytest.mark.parametrize("height", [True, False])
def test_many_steps_are_the_same_bits_as_one_after_the_other(height):
    net = network(layers=2, height=height)
    engine = session(net, int8=True)
    feed = start(engine, net)
    noise = step_noise(np.random.default_rng(2), net.config, 9, len(TEXTS))
    whole = run(engine, feed | {"noise": noise})
    for number, row in enumerate(noise):
        results = run(engine, feed | {"noise": row[None]})
        for name in ("steps", "phi", "outputs"):
            np.testing.assert_array_equal(results[name][0], whole[name][number], err_msg=name)
        feed |= {name: results[f"next_{name}"] for name in feed if f"next_{name}" in results}
        assert ("follows" in feed) and ("follows" not in results)


@pytest.mark.parametrize("height", [True, False])
def test_what_is_shown_counts_as_drawn_and_what_follows_is_given_what_another_draws(height):
    net = network(layers=2, height=height)
    engine = session(net)
    feed = start(engine, net, ["same"] * 4)
    noise = step_noise(np.random.default_rng(2), net.config, 9, 4)
    noise[..., -1] = 3  # no urge to lift the pen: strokes of nine steps and more
    drawn = run(engine, feed | {"noise": noise})
    noise[:, 1, :-1] = 0  # of a line that draws nothing itself
    shown = np.full((9, 4, 3), np.nan, np.float32)
    shown[:, 2] = drawn["steps"][:, 3]
    given = {"noise": noise, "shown": shown, "follows": np.array([0, 0, 2, 3])}
    results = run(engine, feed | given)
    steps = results["steps"]
    np.testing.assert_array_equal(steps[:, [0, 3]], drawn["steps"][:, [0, 3]])
    np.testing.assert_array_equal(steps[:, 1], steps[:, 0])
    np.testing.assert_array_equal(steps[:, 2], steps[:, 3])
    urges = results.pop("next_urge")
    assert urges[0] == urges[1] > 0 == urges[2] < urges[3]  # a stroke that is shown has none
    for name, value in results.items():
        if name.startswith("next_"):
            np.testing.assert_array_equal(value[1], value[0], err_msg=name)
            np.testing.assert_array_equal(value[2], value[3], err_msg=name)


def test_the_height_is_what_all_steps_rose():
    net = network(layers=2, height=True)
    engine = session(net)
    feed = start(engine, net)
    feed |= {"noise": step_noise(np.random.default_rng(2), net.config, 40, len(TEXTS))}
    results = run(engine, feed)
    rises = results["steps"][:, :, 1] * SCALING.deviation[1] + SCALING.mean[1]
    np.testing.assert_allclose(results["next_step"][:, 3], rises.sum(axis=0), rtol=1e-4)
    assert np.abs(rises.sum(axis=0)).min() > 1


def test_constants_that_begin_alike_stay_apart():
    graph = Graph()
    alike = np.zeros(100, np.float32)
    other = alike.copy()
    other[-1] = 1
    assert graph.constant(alike) != graph.constant(other)
    assert graph.constant(alike) == graph.constant(alike.copy())


def test_the_file_says_how_well_it_does_what_the_network_does():
    lines = tiny.lines(n_train=8, n_validation=5)
    net = Network(tiny.recipe({"cells": 30, "layers": 3}).network)
    of_these = checkpoint(net, lines=lines.digest)
    about = {
        int8: properties(export(of_these, lines, int8=int8, **FACTS)) for int8 in (True, False)
    }
    close, exact = (json.loads(about[int8]["accuracy"]) for int8 in (True, False))
    assert close["lines"] == exact["lines"] == 5
    assert exact["hand"] == pytest.approx(exact["network"], abs=1e-5)
    assert close["hand"] != close["network"] == exact["network"]
    assert close["hand"] == pytest.approx(close["network"], rel=0.02)


@pytest.mark.parametrize("reads_text", [True, False])
def test_what_is_read_makes_the_gates_and_the_outputs(reads_text):
    alphabet = {} if reads_text else {"alphabet": ""}
    recipe = tiny.recipe({"cells": 6, "layers": 2, **alphabet})
    net, lines = Network(recipe.network), tiny.lines(n_train=3, n_validation=2)
    batch = tiny.task(recipe, lines).make_batch(np.arange(3), None)
    *layers, last = what_is_read(net, batch)
    n_points = int(batch.mask.sum())
    outputs = last @ net.output.weight.detach().numpy().T + net.output.bias.detach().numpy()
    y, _, _ = net(batch.seen, batch.text)
    true = y.mu[..., 0].detach().numpy()[batch.mask.numpy() > 0]
    m = recipe.network.mixtures
    np.testing.assert_allclose(outputs[:, m : 3 * m : 2], true, atol=1e-5)
    assert [len(read) for read in layers] == [n_points - 3] * 2  # the first step reads no state
    for read, layer in zip(layers, net.layers, strict=True):
        assert read.shape[1] == len(layer.input) + len(layer.recurrent)
        hidden = slice(-6, None)  # what a layer read of itself is what the next reads of it
        assert np.abs(read[:, hidden]).max() <= 1


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
    noise = step_noise(np.random.default_rng(0), net.config, 1, len(TEXTS))
    return run(engine, start(engine, net) | {"noise": noise})["outputs"]


def test_other_lines_than_those_trained_on_are_refused():
    with pytest.raises(TrainingFailed, match="other lines"):
        export(checkpoint(network(), lines="0" * 64), LINES, **FACTS)


def test_a_hand_claims_the_characters_that_it_has_seen_often_enough():
    assert known_characters(["abba", "abba b"], "abc ") == "ab"


def test_a_hand_with_a_merged_label_claims_all_but_the_label():
    assert set(known_characters([], GRAVES57)) == set(GRAVES57) - {NON_LETTER}
