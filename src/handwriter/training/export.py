"""From a checkpoint to a hand: one `.onnx` file with the step, int8 weights and all metadata.

The graph is one step of writing: the last step, the noise and the state go in, the next step and
state come out.  Sampling happens inside (eqs. 61-62), so every runtime draws the same ink from the
same noise.  What it computes is held against `training.sample` by a test.

Inputs, for any number of lines; the first axis is time, of which there is one step:

    step (1, lines, 3)              dx, dy, normalised, and 1 where the pen lifts; zeros at first
    hidden (1, lines, layers * width), cell_1, cell_2 ... (1, lines, width); `width` is the cells of
                                    a layer and, with int8 weights, two idle ones (see `_lstm`)
    window (1, lines, alphabet); kappa (lines, windows, 1)
    text (lines, length, alphabet)  one-hot, with one empty place after the last character
    places (lines, 1, length)       1, 2, 3 ...; FAR where padded, beyond any window
    smoothness (1, lines, 1)        the paper's bias
    noise (1, lines, mixtures + 4)  Gumbel noise for the component and the pen (two or three
                                    numbers, as many as it has states), two standard normals

Outputs: the same state names with `next_` before them; `next_step`, its pen state 0, 1 or 2 where
the line ends; `phi` (lines, 1, length), the window's weights; `outputs` (1, lines, n_outputs), the
raw output vector in the order mu_x, mu_y, sigma_hat_x, sigma_hat_y, rho_hat, pi_hat (each one
value a component), pen.  A prediction network has no window, kappa, text, places and phi.

What a step costs on a processor is reading the weights and starting the nodes, so there are few
nodes: a layer is one LSTM operator, with int8 weights ONNX Runtime's own `DynamicQuantizeLSTM`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper

from handwriter.training.batches import Batch
from handwriter.training.checkpoint import Checkpoint
from handwriter.training.export_reader import export_reader
from handwriter.training.graph import MICROSOFT, Graph, sealed_file
from handwriter.training.lines import Lines
from handwriter.training.machine import this_machine
from handwriter.training.network import (
    N_INPUTS,
    Mixture,
    Network,
    NetworkConfig,
    mixture,
    nats,
)
from handwriter.training.reading import Reading
from handwriter.training.recipe import NON_LETTER
from handwriter.training.sample import n_noise
from handwriter.training.tasks import trained_network
from handwriter.weights import FAR, FORMAT, VERSION

FEWEST_EXAMPLES = 4  # of a character in training, for the hand to say that it knows it
MOST_WEIGHT = 63  # int8 weights go from -63 to 63
LEVELS = 255  # that the vectors they are multiplied with have
ZERO, MOST_LEVEL = 128, 127  # what goes to the output layer is -1 to 1 as 1 to 255
IDLE = 2  # cells of each int8 layer
# What goes into an int8 layer is between these (see Layers below):
LEAST_INPUT, MOST_INPUT = -1.0, 3.0
WINDOW_UNIT = 4.0  # so that a window reaches 12 before it is cut off
VALIDATION_LINES = 64  # on which the file is held against the network
PEN_COPIES = 16  # so that an offset reaches 16 deviations; the largest in IAM-OnDB are 18

Floats = NDArray[np.float32]


class _Graph(Graph):
    """The step in the making, its products in integers where the hand is to be int8."""

    def __init__(self, *, int8: bool) -> None:
        super().__init__()
        self.int8 = int8
        self.n_idle = IDLE if int8 else 0

    def product(self, x: str, weights: Floats, bias: Floats, *, to: str) -> str:
        """x (..., n) @ weights (n, outputs) + bias, in integers where the hand is to be int8.

        Every |x| is at most 1.  That bound is the scale, and not the largest x of the batch, as
        ONNX Runtime's own dynamic quantisation has it: a line's ink must not depend on the lines
        beside it.
        """
        offset = self.constant(bias, f"{to}_bias")
        if not self.int8:
            product = self.add("MatMul", x, self.constant(weights, f"{to}_weights"))
            return self.add("Add", product, offset, to=to)
        stored, scale = _as_int8(weights)
        level, zero = self.constant(np.float32(1 / MOST_LEVEL)), self.constant(np.uint8(ZERO))
        return self.add(
            "MatMulIntegerToFloat",
            self.add("QuantizeLinear", x, level, zero),
            self.constant(stored, f"{to}_weights"),
            level,
            self.constant(scale, f"{to}_scale"),
            zero,
            "",
            offset,
            to=to,
            domain=MICROSOFT,
        )


def _as_int8(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Weights (n, outputs) in seven bits, and the scale of each column.

    Processors without VNNI add pairs of products in 16 bits, which overflow with eight, and then
    every machine would write other ink.
    """
    scale = np.maximum(np.abs(weights).max(axis=0), np.float32(1e-12)) / np.float32(MOST_WEIGHT)
    return np.rint(weights / scale).astype(np.int8), scale


def step_graph(network: Network, *, int8: bool = False) -> onnx.ModelProto:
    """The network's single step, sampling included, as an ONNX model."""
    config, graph = network.config, _Graph(int8=int8)
    p = {name: v.detach().float().cpu().numpy() for name, v in network.named_parameters()}

    pen = _pen(graph)
    hiddens = _split_hidden(graph, config)
    window = ["window"] if config.reads_text else []
    new_hiddens: list[str] = []
    for layer in range(config.layers):
        parameters = {
            name.removeprefix(f"layers.{layer}."): value
            for name, value in p.items()
            if name.startswith(f"layers.{layer}.")
        }
        x = graph.add("Concat", pen, *window, *new_hiddens[-1:], axis=2)
        hidden = _lstm(graph, layer + 1, x, hiddens[layer], parameters, config)
        new_hiddens.append(hidden)
        if layer == 0 and config.reads_text:
            window = [_window(graph, hidden, parameters["to_window"], parameters["window_bias"])]
    graph.add("Concat", *new_hiddens, to="next_hidden", axis=2)
    order = _outputs_in_order(config.mixtures, config.n_outputs)
    weights = _beside_idle(p["output.weight"][order].T, config, graph)
    graph.product("next_hidden", weights, p["output.bias"][order], to="outputs")
    _draw(graph, config.mixtures, config.end_token)
    return _model(graph, config)


def _model(graph: _Graph, config: NetworkConfig) -> onnx.ModelProto:
    """The nodes with their inputs and outputs declared."""
    a, width = len(config.alphabet), config.cells + graph.n_idle
    state: dict[str, list[Any]] = {"step": [1, "lines", N_INPUTS]}
    state |= {"hidden": [1, "lines", config.layers * width]}
    state |= {f"cell_{layer + 1}": [1, "lines", width] for layer in range(config.layers)}
    inputs: dict[str, list[Any]] = {"smoothness": [1, "lines", 1]}
    inputs |= {"noise": [1, "lines", n_noise(config)]}
    results: dict[str, list[Any]] = {"outputs": [1, "lines", config.n_outputs]}
    if a:
        state |= {"window": [1, "lines", a], "kappa": ["lines", config.windows, 1]}
        inputs |= {"text": ["lines", "length", a], "places": ["lines", 1, "length"]}
        results |= {"phi": ["lines", 1, "length"]}
    results |= {f"next_{name}": shape for name, shape in state.items()}
    return graph.model(
        "step",
        [_float_tensor(name, shape) for name, shape in (state | inputs).items()],
        [_float_tensor(name, shape) for name, shape in results.items()],
    )


def _float_tensor(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _outputs_in_order(m: int, n_outputs: int) -> NDArray[np.int64]:
    """The rows of the output weights that give mu_x, mu_y, sigma_x, sigma_y, rho, pi, pen."""
    pi, mu = np.arange(m), m + np.arange(2 * m)
    sigma, rho = 3 * m + np.arange(2 * m), 5 * m + np.arange(m)
    pen = np.arange(6 * m, n_outputs)
    return np.concatenate([mu[::2], mu[1::2], sigma[::2], sigma[1::2], rho, pi, pen])


# --- Layers ------------------------------------------------------------------------------------
#
# `DynamicQuantizeLSTM` takes the scale of what it multiplies from the least and the largest number
# in the whole batch, so that a line would be rounded otherwise beside other lines.  Therefore all
# numbers are cut to a fixed range, and both its ends are always there: in the inputs as two columns
# of their own, in the hidden vectors as two idle cells.  The weights behind them are zero.


def _pen(graph: _Graph) -> str:
    """The last step as the layers read it: (1, lines, 3), or with int8 weights more columns.

    An offset goes far beyond the hidden vectors' -1 to 1, so it comes as `PEN_COPIES` columns of
    its share each, and each is shifted by another fraction of a level: their sum is as exact as if
    it had that many times the levels.
    """
    if not graph.int8:
        return graph.add("Min", "step", graph.constant([[[np.inf, np.inf, 1.0]]]))
    n = PEN_COPIES
    spread = np.zeros((N_INPUTS, 2 * n + 3), np.float32)
    spread[0, :n] = spread[1, n : 2 * n] = 1 / n
    spread[2, 2 * n] = 1
    level = (MOST_INPUT - LEAST_INPUT) / LEVELS
    shift = level * ((np.arange(n) + 0.5) / n - 0.5)
    ends = [0, LEAST_INPUT, MOST_INPUT]
    columns = graph.add("MatMul", "step", graph.constant(spread, "pen_copies"))
    columns = graph.add("Add", columns, graph.constant(np.concatenate([shift, shift, ends])))
    most = np.ones(2 * n + 3, np.float32)
    most[-1] = MOST_INPUT
    columns = graph.add("Max", columns, graph.constant(np.float32(LEAST_INPUT)))
    return graph.add("Min", columns, graph.constant(most))


def _input_weights(weights: Floats, config: NetworkConfig, graph: _Graph, *, first: bool) -> Floats:
    """The rows for pen, window and layer below (n, outputs), as the inputs of `graph` come."""
    if not graph.int8:
        return weights
    a = len(config.alphabet)
    pen, window, below = np.split(weights, [N_INPUTS, N_INPUTS + a])
    copies = np.repeat(pen, [PEN_COPIES, PEN_COPIES, 1], axis=0)
    ends = np.zeros((2, weights.shape[1]), np.float32)
    rows = [copies, ends, window * np.float32(WINDOW_UNIT)]
    return np.concatenate(rows if first else [*rows, _beside_idle(below, config, graph)])


def _beside_idle(weights: Floats, config: NetworkConfig, graph: _Graph) -> Floats:
    """Weights (layers * cells, outputs) from hidden vectors with rows of zero for idle cells."""
    layers = weights.reshape(-1, config.cells, weights.shape[1])
    padded = np.pad(layers, [(0, 0), (0, graph.n_idle), (0, 0)])
    return padded.reshape(-1, weights.shape[1])


def _split_hidden(graph: _Graph, config: NetworkConfig) -> list[str]:
    """The hidden vectors of all layers; idle cells, which stay at 0, are set to -1 and 1."""
    hidden = "hidden"
    if graph.int8:
        ends = np.zeros(config.cells + IDLE, np.float32)
        ends[-IDLE:] = -1, 1
        hidden = graph.add("Add", hidden, graph.constant(np.tile(ends, config.layers)))
    return graph.split(hidden, [config.cells + graph.n_idle] * config.layers, axis=2)


def _lstm(
    graph: _Graph, number: int, x: str, hidden: str, p: dict[str, Floats], config: NetworkConfig
) -> str:
    """One layer's step (eqs. 7-11); returns the new hidden vector, defines next_cell_`number`."""
    a = len(config.alphabet)
    first = number == 1
    # The first layer's window comes by the recurrent weights.
    recurrent = p["recurrent"][a:] if first else p["recurrent"]
    into = np.concatenate([p["input"], p["recurrent"][:a]]) if first else p["input"]
    into = _gates_in_order(_input_weights(into, config, graph, first=first), graph.n_idle)
    recurrent = _gates_in_order(_beside_idle(recurrent, config, graph), graph.n_idle)
    bias = _gates_in_order(p["bias"][None], graph.n_idle)
    name, cell = f"layer_{number}", f"cell_{number}"
    peepholes = ""
    if (diagonal := p.get("peephole")) is not None:  # input, forget, output
        diagonal = np.pad(diagonal[[0, 2, 1]], [(0, 0), (0, graph.n_idle)])
        peepholes = graph.constant(diagonal.reshape(1, -1), f"{name}_peepholes")
    biases = graph.constant(np.concatenate([bias, 0 * bias], axis=1), f"{name}_bias")
    outputs = ["", f"hidden_{number}", f"next_{cell}"]
    hidden_size = config.cells + graph.n_idle
    if not graph.int8:
        matrices = [
            graph.constant(weights.T[None].copy(), f"{name}_{which}")
            for which, weights in (("input", into), ("recurrent", recurrent))
        ]
        inputs = [x, *matrices, biases, "", hidden, cell, peepholes]
        return graph.add_many("LSTM", *inputs, to=outputs, hidden_size=hidden_size)[1]
    matrices, scales = [], []
    for which, weights in (("input", into), ("recurrent", recurrent)):
        stored, scale = _as_int8(weights)
        matrices.append(graph.constant(stored[None], f"{name}_{which}"))
        scales.append(graph.constant(scale[None], f"{name}_{which}_scale"))
        scales.append(graph.constant(np.zeros((1, len(scale)), np.int8)))
    inputs = [x, *matrices, biases, "", hidden, cell, peepholes, *scales]
    return graph.add_many(
        "DynamicQuantizeLSTM", *inputs, to=outputs, hidden_size=hidden_size, domain=MICROSOFT
    )[1]


def _gates_in_order(weights: Floats, n_idle: int) -> Floats:
    """Columns input, forget, cell, output -> input, output, forget, cell, as ONNX has them.

    Each gate gets zeros for the idle cells: their hidden value is tanh(0) for ever.
    """
    gates = weights.reshape(len(weights), 4, -1)[:, [0, 3, 1, 2]]
    return np.pad(gates, [(0, 0), (0, 0), (0, n_idle)]).reshape(len(weights), -1)


def _window(graph: _Graph, hidden: str, to_window: Floats, bias: Floats) -> str:
    """The window's step (eqs. 46-51); returns what the layers read of w; defines phi and kappa."""
    k = len(bias) // 3
    weights = np.pad(to_window, [(0, graph.n_idle), (0, 0)])
    hats = graph.add("MatMul", hidden, graph.constant(weights, "to_window"))
    hats = graph.add("Add", hats, graph.constant(bias, "window_bias"))
    each = graph.constant(np.array([-1, 3 * k, 1]))  # a window a row, the text along it
    hats = graph.add("Reshape", hats, each)
    alpha_hat, beta_hat, pace_hat = graph.split(hats, [k, k, k])
    kappa = graph.add("Add", "kappa", graph.add("Exp", pace_hat), to="next_kappa")  # eq. 51
    distance = graph.add("Sub", kappa, "places")
    squared = graph.add("Mul", distance, distance)
    exponent = graph.add("Mul", squared, graph.add("Exp", beta_hat))
    bells = graph.add("Exp", graph.add("Sub", alpha_hat, exponent))
    # Not ReduceSum, which adds in another order where there is one line only.
    ones = graph.constant(np.ones((1, 1, k), np.float32))
    phi = graph.add("MatMul", ones, bells, to="phi")  # eq. 46
    seen = graph.add("MatMul", phi, "text")  # eq. 47
    if not graph.int8:
        return graph.add("Transpose", seen, to="next_window", perm=[1, 0, 2])
    seen = graph.add("Transpose", seen, perm=[1, 0, 2])
    small = graph.add("Mul", seen, graph.constant(np.float32(1 / WINDOW_UNIT)))
    return graph.add("Min", small, graph.constant(np.float32(MOST_INPUT)), to="next_window")


def _draw(graph: _Graph, m: int, end_token: bool) -> None:
    """Draw the next step from `outputs`, as `training.sample.draw` does (eqs. 61-62)."""
    _, pi_hat, pen = graph.split("outputs", [5 * m, m, 3 if end_token else 1], axis=2)
    for_pi, for_pen, normals = graph.split("noise", [m, 3 if end_token else 2, 2], axis=2)
    one = graph.constant(np.float32(1))
    sharper = graph.add("Mul", pi_hat, graph.add("Add", "smoothness", one))  # eq. 62
    chosen = graph.add("ArgMax", graph.add("Add", sharper, for_pi), axis=2)
    places = graph.add("Add", chosen, graph.constant(np.arange(5) * m))
    picked = graph.add("GatherElements", "outputs", places, axis=2)
    mu, sigma_hat, rho_hat = graph.split(picked, [2, 2, 1], axis=2)
    sigma = graph.add("Exp", graph.add("Sub", sigma_hat, "smoothness"))  # eq. 61
    first, second = graph.split(normals, [1, 1], axis=2)
    # sqrt(1 - rho^2) is 1 / cosh(rho_hat), in which nothing cancels as rho nears 1.
    rest = graph.add("Div", second, graph.add("Cosh", rho_hat))
    mixed = graph.add("Add", graph.add("Mul", graph.add("Tanh", rho_hat), first), rest)
    spread = graph.add("Mul", sigma, graph.add("Concat", first, mixed, axis=2))
    xy = graph.add("Add", mu, spread)
    state = _pen_state(graph, pen, for_pen, end_token)
    graph.add("Concat", xy, state, to="next_step", axis=2)


def _pen_state(graph: _Graph, pen: str, noise: str, end_token: bool) -> str:
    """0 down, 1 lifts, 2 ends; not sharpened, or the rare end would never be drawn."""
    if not end_token:  # the logit is of lifting against staying down
        pen = graph.add("Mul", pen, graph.constant([0.0, 1.0]))
    state = graph.add("ArgMax", graph.add("Add", pen, noise), axis=2)
    return graph.cast(state, TensorProto.FLOAT)


def export(
    checkpoint: Checkpoint, lines: Lines, *, name: str, licence: str, data: str, int8: bool = True
) -> bytes:
    """The hand or the reader that a checkpoint holds, as the bytes of an `.onnx` file.

    `lines` is the file that it was trained on: it tells which characters were learned, and its
    validation lines give the figures.  Raises TrainingFailed where it is another file.
    """
    header = checkpoint.header
    task, network = trained_network(checkpoint, lines)
    texts = [lines.texts[i] for i in lines.where("train")]
    about: dict[str, Any] = {
        "characters": known_characters(texts, task.config.alphabet),
        "recipe": header["recipe"],
        "lines": header["lines"],
        "lineage": header.get("lineage", []),
        "updates": header["update"],
        "epochs": header["epoch"],
    }
    if isinstance(task, Reading):
        score = task.evaluate(network, lines.where("validation"), this_machine("fp32"))
        about["figures"] = vars(score)
        return export_reader(network, name=name, licence=licence, data=data, about=about, int8=int8)
    model = step_graph(network, int8=int8)
    about |= {
        "format": FORMAT,
        "version": VERSION,
        "name": name,
        "licence": licence,
        "data": data,
        "pace": sum(map(len, texts)) / int(lines.lengths[lines.where("train")].sum()),
        "network": header["recipe"]["network"],
        "scaling": header["scaling"],
        "weights": "int8" if int8 else "fp32",
    }
    if len(validation := lines.where("validation")):
        chosen = np.random.default_rng(0).permutation(validation)[:VALIDATION_LINES]
        about["accuracy"] = accuracy(network, model, task.make_batch(chosen, None))
    return sealed_file(model, about)


# --- How well the file's step does what the network does ---------------------------------------


@torch.no_grad()
def accuracy(network: Network, model: onnx.ModelProto, batch: Batch) -> dict[str, float]:
    """Nats a point of the network and of the exported step, over the lines of a batch.

    The step is run as it will be, by ONNX Runtime; it is only shown what people wrote and not what
    it draws.
    """
    device = batch.to(network.output.weight.device)
    y, _, _ = network(device.seen, device.text)
    outputs = torch.from_numpy(_outputs_along(model, batch)).to(y.pen.device)
    inverse = np.argsort(_outputs_in_order(network.config.mixtures, network.config.n_outputs))
    exported = mixture(outputs[..., inverse], network.config)
    points = batch.mask.sum().item()

    def nats_a_point(y: Mixture) -> float:
        return (nats(device.offsets, device.pen, y) * device.mask).sum().item() / points

    return {
        "lines": len(batch.sources),
        "network": round(nats_a_point(y), 5),
        "hand": round(nats_a_point(exported), 5),
    }


def _outputs_along(model: onnx.ModelProto, batch: Batch) -> Floats:
    """The output vectors (steps, lines, n_outputs) of the step, shown the lines of a batch."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    lines, length = len(batch.sources), batch.text.mask.shape[1] if batch.text else 0
    sizes = {"lines": lines, "length": length}
    feed = {
        tensor.name: np.zeros([sizes.get(n, n) for n in tensor.shape], np.float32)
        for tensor in session.get_inputs()
    }
    if batch.text:
        places = np.arange(1, length + 1, dtype=np.float32)
        feed["text"] = batch.text.one_hot.cpu().numpy()
        far = batch.text.mask.cpu().numpy() == 0
        feed["places"] = np.where(far, np.float32(FAR), places)[:, None]
    carried = [name for name in feed if name in _carried(session) and name != "step"]
    outputs = []
    for seen in batch.seen.cpu().numpy():
        feed["step"] = seen[None]
        results = session.run(["outputs", *(f"next_{name}" for name in carried)], feed)
        outputs.append(results[0][0])
        feed |= dict(zip(carried, results[1:], strict=True))
    return np.array(outputs)


def _carried(session: ort.InferenceSession) -> set[str]:
    names = (output.name for output in session.get_outputs())
    return {name.removeprefix("next_") for name in names if name.startswith("next_")}


def known_characters(texts: list[str], alphabet: str) -> str:
    """The characters with `FEWEST_EXAMPLES` or more in the texts, or all of a merged alphabet."""
    counts = Counter("".join(texts))
    if NON_LETTER in alphabet:
        return "".join(c for c in alphabet if c != NON_LETTER)
    return "".join(c for c in alphabet if counts[c] >= FEWEST_EXAMPLES)
