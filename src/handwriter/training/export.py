"""From a checkpoint to a hand: one `.onnx` file with the step, int8 weights and all metadata.

The graph is one step of writing: the last step, the noise and the state go in, the next step and
state come out.  Sampling happens inside (eqs. 61-62), so every runtime draws the same ink from the
same noise.  What it computes is held against `training.sample` by a test.

Inputs, for any number of lines:

    step (lines, 3)                 dx, dy, normalised, and pen state 0, 1 or 2; zeros at first
    hidden, cell (lines, layers * cells); window (lines, alphabet); kappa (lines, windows)
    text (lines, length, alphabet)  one-hot, with one empty place after the last character
    places (lines, length)          1, 2, 3 ...; FAR where padded, beyond any window
    smoothness (lines, 1)           the paper's bias
    noise (lines, 4)                uniform for the component, two normals, uniform for the pen

Outputs: the same state names with `next_` before them; `next_step`; `phi` (lines, length), the
window's weights; `outputs` (lines, n_outputs), the raw output vector in the order mu_x, mu_y,
sigma_hat_x, sigma_hat_y, rho_hat, pi_hat (each one value a component), pen.  A prediction network
has no window, kappa, text, places and phi.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from handwriter.training.checkpoint import Checkpoint
from handwriter.training.lines import Lines
from handwriter.training.network import N_INPUTS, Network, NetworkConfig
from handwriter.training.recipe import NON_LETTER
from handwriter.training.sample import N_NOISE
from handwriter.training.train import trained_network
from handwriter.weights import FORMAT, VERSION

OPSET = 17
FEWEST_EXAMPLES = 4  # of a character in training, for the hand to say that it knows it
MOST_WEIGHT = 63  # int8 weights go from -63 to 63
ZERO, MOST_LEVEL = 128, 127  # what they are multiplied with is -1 to 1 as 1 to 255

Floats = NDArray[np.float32]


class _Graph:
    """Nodes and weights in the making; `add` adds a node and returns the name of its output."""

    def __init__(self, *, int8: bool) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def constant(self, value: Any, name: str | None = None) -> str:
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        content = hashlib.sha256(array.tobytes()).hexdigest()[:16]
        name = name or f"constant_{array.dtype}_{array.shape}_{content}"
        self.weights[name] = numpy_helper.from_array(array, name)
        return name

    def add(self, op: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        return self.add_many(op, *inputs, to=[to or f"{op}_{len(self.nodes)}"], **attributes)[0]

    def add_many(self, op: str, *inputs: str, to: list[str], **attributes: Any) -> list[str]:
        self.nodes.append(helper.make_node(op, inputs, to, name=to[0], **attributes))
        return to

    def cast(self, x: str, kind: int) -> str:
        name = f"Cast_{len(self.nodes)}"
        self.nodes.append(helper.make_node("Cast", [x], [name], name=name, to=kind))
        return name

    def split(self, x: str, sizes: list[int], axis: int = 1) -> list[str]:
        names = [f"{x}_part_{len(self.nodes)}_{i}" for i in range(len(sizes))]
        return self.add_many("Split", x, self.constant(np.array(sizes)), to=names, axis=axis)

    def product(self, x: str, weights: Floats, name: str, reach: str | None = None) -> str:
        """x (lines, n) @ weights (n, outputs), in integers where the hand is to be int8.

        Every |x| is at most `reach` (lines, 1), or 1 where there is none.  The scale is that
        bound and not the largest x of the batch, as ONNX Runtime's own dynamic quantisation has
        it: a line's ink must not depend on the lines beside it.  Weights have seven bits and one
        scale a column: processors without VNNI add pairs of products in 16 bits, which overflow
        with eight, and then every machine would write other ink.
        """
        if not self.int8:
            return self.add("MatMul", x, self.constant(weights, f"{name}_weights"))
        scale = np.maximum(np.abs(weights).max(axis=0), np.float32(1e-12)) / MOST_WEIGHT
        stored = np.rint(weights / scale).astype(np.int8)
        zero = self.constant(np.uint8(ZERO))
        if reach is not None:
            x = self.add("Div", x, reach)
        levels = self.add("QuantizeLinear", x, self.constant(np.float32(1 / MOST_LEVEL)), zero)
        sums = self.add("MatMulInteger", levels, self.constant(stored, f"{name}_weights"), zero)
        result = self.add(
            "Mul", self.cast(sums, TensorProto.FLOAT), self.constant(scale / MOST_LEVEL)
        )
        return result if reach is None else self.add("Mul", result, reach)


def step_graph(network: Network, *, int8: bool = False) -> onnx.ModelProto:
    """The network's single step, sampling included, as an ONNX model."""
    config, graph = network.config, _Graph(int8=int8)
    n, n_layers = config.cells, config.layers
    p = {name: v.detach().float().cpu().numpy() for name, v in network.named_parameters()}

    lifted = graph.add("Min", "step", graph.constant([[np.inf, np.inf, 1.0]]))
    hiddens = graph.split("hidden", [n] * n_layers)
    cells = graph.split("cell", [n] * n_layers)
    window = ["window"] if config.reads_text else []
    reach = _reach(graph, window)
    new_hiddens: list[str] = []
    new_cells: list[str] = []
    for layer in range(n_layers):
        below = new_hiddens[-1:]
        inputs, recurrent = p[f"layers.{layer}.input"], p[f"layers.{layer}.recurrent"]
        # The first layer's window comes by the recurrent weights.
        weights = np.concatenate([inputs[N_INPUTS:], recurrent])
        hidden, cell = _cell(
            graph,
            f"layer{layer + 1}",
            lifted,
            [*window, *below, hiddens[layer]],
            reach,
            cells[layer],
            _gates_in_order(inputs[:N_INPUTS], n),
            _gates_in_order(weights, n),
            _gates_in_order(p[f"layers.{layer}.bias"][None], n)[0],
            p.get(f"layers.{layer}.peephole"),
        )
        new_hiddens.append(hidden)
        new_cells.append(cell)
        if layer == 0 and config.reads_text:
            window = [_window(graph, hidden, p["layers.0.to_window"], p["layers.0.window_bias"])]
            reach = _reach(graph, window)
    graph.add("Concat", *new_hiddens, to="next_hidden", axis=1)
    graph.add("Concat", *new_cells, to="next_cell", axis=1)
    order = _outputs_in_order(config.mixtures, config.n_outputs)
    product = graph.product("next_hidden", p["output.weight"][order].T.copy(), "output")
    graph.add("Add", product, graph.constant(p["output.bias"][order], "output_bias"), to="outputs")
    _draw(graph, config.mixtures, config.end_token)
    return _model(graph, config)


_STATE = ("step", "hidden", "cell", "window", "kappa")


def _model(graph: _Graph, config: NetworkConfig) -> onnx.ModelProto:
    """The nodes with their inputs and outputs declared."""
    n, a = config.layers * config.cells, len(config.alphabet)
    floats: dict[str, list[Any]] = {"step": [N_INPUTS], "hidden": [n], "cell": [n]}
    if a:
        floats |= {"window": [a], "kappa": [config.windows]}
        floats |= {"text": ["length", a], "places": ["length"]}
    floats |= {"smoothness": [1], "noise": [N_NOISE]}
    results = {f"next_{name}": shape for name, shape in floats.items() if name in _STATE}
    results |= {"outputs": [config.n_outputs]} | ({"phi": ["length"]} if a else {})
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "step",
            [_float_tensor(name, shape) for name, shape in floats.items()],
            [_float_tensor(name, shape) for name, shape in results.items()],
            list(graph.weights.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
        producer_name="handwriter",
    )
    onnx.checker.check_model(model)
    return model


def _float_tensor(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["lines", *shape])


def _gates_in_order(weights: Floats, n: int) -> Floats:
    """Columns input, forget, cell, output -> input, forget, output, cell: sigmoids together."""
    i, f, g, o = np.split(weights, [n, 2 * n, 3 * n], axis=1)
    return np.concatenate([i, f, o, g], axis=1)


def _outputs_in_order(m: int, n_outputs: int) -> NDArray[np.int64]:
    """The rows of the output weights that give mu_x, mu_y, sigma_x, sigma_y, rho, pi, pen."""
    pi, mu = np.arange(m), m + np.arange(2 * m)
    sigma, rho = 3 * m + np.arange(2 * m), 5 * m + np.arange(m)
    pen = np.arange(6 * m, n_outputs)
    return np.concatenate([mu[::2], mu[1::2], sigma[::2], sigma[1::2], rho, pi, pen])


def _cell(
    graph: _Graph, name: str, x: str, hiddens: list[str], reach: str | None, cell: str,
    input_weights: Floats, weights: Floats, bias: Floats, peephole: Floats | None,
) -> tuple[str, str]:  # fmt: skip
    """One layer's step (eqs. 7-11); `hiddens`, the window among them, keep within `reach`.

    The pen's offset has fp32 weights of its own: it goes far beyond the hidden vectors' -1 to 1,
    and would spoil their int8 scale.
    """
    n = weights.shape[1] // 4
    all_hidden = graph.add("Concat", *hiddens, axis=1) if len(hiddens) > 1 else hiddens[0]
    from_pen = graph.add(
        "Gemm",
        x,
        graph.constant(input_weights, f"{name}_pen_weights"),
        graph.constant(bias, f"{name}_bias"),
    )
    gates = graph.add("Add", graph.product(all_hidden, weights, name, reach), from_pen)
    if peephole is None:
        sigmoids, g = graph.split(gates, [3 * n, n])
        i, f, o = graph.split(graph.add("Sigmoid", sigmoids), [n, n, n])
    else:
        i, f, o, g = graph.split(gates, [n, n, n, n])
        i = graph.add("Sigmoid", _peep(graph, i, cell, peephole[0]))
        f = graph.add("Sigmoid", _peep(graph, f, cell, peephole[1]))
    kept = graph.add("Mul", f, cell)
    cell = graph.add("Add", kept, graph.add("Mul", i, graph.add("Tanh", g)))
    if peephole is not None:
        o = graph.add("Sigmoid", _peep(graph, o, cell, peephole[2]))
    return graph.add("Mul", o, graph.add("Tanh", cell)), cell


def _peep(graph: _Graph, gate: str, cell: str, weights: Floats) -> str:
    return graph.add("Add", gate, graph.add("Mul", cell, graph.constant(weights)))


def _reach(graph: _Graph, window: list[str]) -> str | None:
    """The bound that `product` asks for (lines, 1), or None where it is the hidden vectors' 1."""
    if not (window and graph.int8):
        return None
    largest = graph.add("ReduceMax", *window, axes=[1], keepdims=1)
    return graph.add("Max", largest, graph.constant([[1.0]]))


def _window(graph: _Graph, hidden: str, to_window: Floats, bias: Floats) -> str:
    """The window's step (eqs. 46-51); returns the name of w, defines phi and next_kappa."""
    k = len(bias) // 3
    hats = graph.add(
        "Gemm",
        hidden,
        graph.constant(to_window, "to_window"),
        graph.constant(bias, "window_bias"),
    )
    alpha, beta, pace = graph.split(graph.add("Exp", hats), [k, k, k])
    kappa = graph.add("Add", "kappa", pace, to="next_kappa")  # eq. 51
    last, middle = graph.constant(np.array([2])), graph.constant(np.array([1]))
    distance = graph.add(
        "Sub", graph.add("Unsqueeze", kappa, last), graph.add("Unsqueeze", "places", middle)
    )
    squared = graph.add("Mul", distance, distance)
    exponent = graph.add("Mul", squared, graph.add("Unsqueeze", graph.add("Neg", beta), last))
    bells = graph.add("Exp", exponent)
    weights = graph.add("MatMul", graph.add("Unsqueeze", alpha, middle), bells)
    graph.add("Squeeze", weights, middle, to="phi")  # eq. 46
    seen = graph.add("MatMul", weights, "text")
    return graph.add("Squeeze", seen, middle, to="next_window")  # eq. 47


def _draw(graph: _Graph, m: int, end_token: bool) -> None:
    """Draw the next step from `outputs`, as `training.sample.draw` does (eqs. 61-62)."""
    shapes, pi_hat, pen = graph.split("outputs", [5 * m, m, 3 if end_token else 1])
    u, first, second, u_pen = graph.split("noise", [1, 1, 1, 1])
    one = graph.constant(np.float32(1))
    sharper = graph.add("Mul", pi_hat, graph.add("Add", "smoothness", one))
    weights = graph.add("Softmax", sharper, axis=1)  # eq. 62
    reached = graph.add("CumSum", weights, graph.constant(np.array(1)))
    below = graph.cast(graph.add("Less", reached, u), TensorProto.INT64)
    axis = graph.constant(np.array([1]))
    chosen = graph.add("ReduceSum", below, axis, keepdims=1)
    chosen = graph.add("Min", chosen, graph.constant(np.array(m - 1)))
    places = graph.add("Add", chosen, graph.constant(np.arange(5) * m))  # (lines, 5)
    picked = graph.add("GatherElements", shapes, places, axis=1)
    mu_x, mu_y, sigma_hat_x, sigma_hat_y, rho_hat = graph.split(picked, [1] * 5)
    sigma_x = graph.add("Exp", graph.add("Sub", sigma_hat_x, "smoothness"))  # eq. 61
    sigma_y = graph.add("Exp", graph.add("Sub", sigma_hat_y, "smoothness"))
    rho = graph.add("Tanh", rho_hat)
    rest = graph.add("Sqrt", graph.add("Sub", one, graph.add("Mul", rho, rho)))
    x = graph.add("Add", mu_x, graph.add("Mul", sigma_x, first))
    mixed = graph.add("Add", graph.add("Mul", rho, first), graph.add("Mul", rest, second))
    y = graph.add("Add", mu_y, graph.add("Mul", sigma_y, mixed))
    graph.add("Concat", x, y, _pen_state(graph, pen, u_pen, end_token), to="next_step", axis=1)


def _pen_state(graph: _Graph, pen: str, u: str, end_token: bool) -> str:
    """0 down, 1 lifts, 2 ends; not sharpened, or the rare end would never be drawn."""

    def below(probability: str) -> str:
        return graph.cast(graph.add("Less", u, probability), TensorProto.FLOAT)

    if not end_token:
        return below(graph.add("Sigmoid", pen))
    _, lifts, ends = graph.split(graph.add("Softmax", pen, axis=1), [1, 1, 1])
    return graph.add("Add", below(ends), below(graph.add("Add", ends, lifts)))


def export(
    checkpoint: Checkpoint, lines: Lines, *, name: str, licence: str, data: str, int8: bool = True
) -> bytes:
    """The hand that a checkpoint holds, as the bytes of an `.onnx` file.

    `lines` is the file that it was trained on: it tells which characters the hand knows.
    Raises TrainingFailed where it is another file.
    """
    header = checkpoint.header
    recipe, network = trained_network(checkpoint, lines)
    model = step_graph(network, int8=int8)
    train = lines.where("train")
    texts = [lines.texts[i] for i in train]
    n_points = int(lines.lengths[train].sum())
    network_facts = header["recipe"]["network"]
    about: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "name": name,
        "licence": licence,
        "data": data,
        "characters": known_characters(texts, recipe.network.alphabet),
        "pace": sum(map(len, texts)) / n_points,
        "network": network_facts,
        "scaling": header["scaling"],
        "recipe": header["recipe"],
        "lines": header["lines"],
        "updates": header["update"],
        "epochs": header["epoch"],
        "weights": "int8" if int8 else "fp32",
    }
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


def known_characters(texts: list[str], alphabet: str) -> str:
    """The characters with `FEWEST_EXAMPLES` or more in the texts, or all of a merged alphabet."""
    counts = Counter("".join(texts))
    if NON_LETTER in alphabet:
        return "".join(c for c in alphabet if c != NON_LETTER)
    return "".join(c for c in alphabet if counts[c] >= FEWEST_EXAMPLES)
