"""From a checkpoint to a hand: one `.onnx` file with the step, int8 weights and all metadata.

The graph is one step of writing: the last step, the noise and the state go in, the next step and
state come out.  Sampling happens inside (eqs. 61-62), so every runtime draws the same ink from the
same noise.  What it computes is held against `training.sample` by a test.

Inputs, for any number of lines:

    step (lines, 3)                 dx, dy, normalised, and 1 where the pen lifts; zeros at first
    hidden_1, hidden_2 ... (lines, cells)   with int8 weights as bytes, of which `ZERO` is 0
    cell_1, cell_2 ... (lines, cells)
    window (lines, alphabet)        with int8 weights as bytes of `WINDOW_LEVEL` each
    kappa (lines, windows, 1)
    text (lines, length, alphabet)  one-hot, with one empty place after the last character
    places (lines, 1, length)       1, 2, 3 ...; FAR where padded, beyond any window
    smoothness (lines, 1)           the paper's bias
    noise (lines, mixtures + 4)     Gumbel noise for the component and the pen (two or three
                                    numbers, as many as it has states), two standard normals

Outputs: the same state names with `next_` before them; `next_step`, its pen state 0, 1 or 2 where
the line ends; `phi` (lines, 1, length), the window's weights; `outputs` (lines, n_outputs), the
raw output vector in the order mu_x, mu_y, sigma_hat_x, sigma_hat_y, rho_hat, pi_hat (each one
value a component), pen.  A prediction network has no window, kappa, text, places and phi.

What a step of one line costs is reading the weights and starting the nodes; of many lines, the
arithmetic.  So each layer is one product, of bytes with int8 weights, which processors with VNNI
or AMX have instructions for.
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
from torch import Tensor, nn

from handwriter.training.batches import Batch
from handwriter.training.checkpoint import Checkpoint
from handwriter.training.export_reader import export_reader
from handwriter.training.graph import MICROSOFT, Graph, sealed_file
from handwriter.training.lines import Lines
from handwriter.training.machine import this_machine
from handwriter.training.network import (
    N_INPUTS,
    Layer,
    Mixture,
    Network,
    NetworkConfig,
    mixture,
    nats,
)
from handwriter.training.reading import Reading
from handwriter.training.recipe import NON_LETTER
from handwriter.training.rounding import rounded
from handwriter.training.sample import n_noise
from handwriter.training.tasks import trained_network
from handwriter.weights import FAR, FORMAT, VERSION, ZERO, first_inputs

FEWEST_EXAMPLES = 4  # of a character in training, for the hand to say that it knows it
MOST_WEIGHT = 63  # int8 weights go from -63 to 63
LEVEL = 1 / 127  # hidden vectors, -1 to 1, are the bytes 1 to 255 with `ZERO` in the middle
WINDOW_LEVEL = 5 / 255  # so that a window reaches 5 before it is cut off
VALIDATION_LINES = 64  # on which the file is held against the network
ROUNDING_LINES = 128  # of training, for which its weights are rounded
NOWHERE = slice(0, 0)
LEAST_LOG = -80.0
PEN_COPIES = 16  # so that an offset reaches 16 deviations; the largest in IAM-OnDB are 18
COPIES = [PEN_COPIES, PEN_COPIES, 1]  # of dx, dy and the pen

Floats = NDArray[np.float32]


class _Graph(Graph):
    """The step in the making, its products in integers where the hand is to be int8."""

    def __init__(self, *, int8: bool) -> None:
        super().__init__()
        self.int8 = int8

    def product(
        self,
        x: str,
        weights: Floats,
        bias: Floats,
        *,
        to: str,
        from_zero: slice = NOWHERE,
        like: Floats | None = None,
    ) -> str:
        """x (lines, n) @ weights (n, outputs) + bias; with int8 weights x is in bytes of `LEVEL`.

        Of those, `ZERO` stands for 0; for the columns in `from_zero` 0 does.  Weights have seven
        bits, rounded for an x `like` these (samples, n): processors without VNNI add pairs of
        products in 16 bits, which overflow with eight, and then every machine would write other
        ink.
        """
        if not self.int8:
            return self.affine(x, weights, bias, to=to)
        stored, scale = rounded(weights, MOST_WEIGHT, like)
        too_much = scale * stored[from_zero].sum(axis=0, dtype=np.int64) * (ZERO * LEVEL)
        return self.add(
            "MatMulIntegerToFloat",
            x,
            self.constant(stored, f"{to}_weights"),
            self.constant(np.float32(LEVEL)),
            self.constant(scale, f"{to}_scale"),
            self.constant(np.uint8(ZERO)),
            "",
            self.constant(np.float32(bias + too_much), f"{to}_bias"),
            to=to,
            domain=MICROSOFT,
        )

    def declared(self, name: str, shape: list[Any]) -> onnx.ValueInfoProto:
        """An input or output of the step: bytes where the layers read it so, else fp32."""
        in_bytes = self.int8 and name.removeprefix("next_").startswith(("hidden", "window"))
        kind = TensorProto.UINT8 if in_bytes else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, shape)

    def affine(self, x: str, weights: Floats, bias: Floats, *, to: str) -> str:
        """x (lines, n) @ weights (n, outputs) + bias in fp32."""
        matrix, offset = self.constant(weights, f"{to}_weights"), self.constant(bias, f"{to}_bias")
        return self.add("Gemm", x, matrix, offset, to=to)

    def as_bytes(
        self, x: str, level: float, zero: int, *, to: str | None = None, name: str | None = None
    ) -> str:
        """x in whole levels above `zero`, cut off at 0 and 255.

        The level is fixed and not taken from the largest x of the batch, as in ONNX Runtime's own
        dynamic quantisation: a line's ink must not depend on the lines beside it.
        """
        each, offset = self.constant(np.float32(level), name), self.constant(np.uint8(zero))
        return self.add("QuantizeLinear", x, each, offset, to=to)


def step_graph(
    network: Network, *, int8: bool = False, like: Batch | None = None
) -> onnx.ModelProto:
    """The network's single step, sampling included, as an ONNX model.

    Int8 weights are rounded for lines `like` those of a batch, if one is given.
    """
    config, graph = network.config, _Graph(int8=int8)
    p = {name: v.detach().float().cpu().numpy() for name, v in network.named_parameters()}

    nothing: list[Floats | None] = [None] * (config.layers + 1)
    *of_layers, of_outputs = what_is_read(network, like) if int8 and like else nothing
    pen = _pen(graph)
    window = ["window"] if config.reads_text else []
    hiddens: list[str] = []
    for number in range(1, config.layers + 1):
        of_layer = f"layers.{number - 1}."
        parameters = {
            name.removeprefix(of_layer): value
            for name, value in p.items()
            if name.startswith(of_layer)
        }
        x = graph.add("Concat", pen, *window, *hiddens[-1:], f"hidden_{number}", axis=1)
        hidden = _layer(graph, number, x, parameters, config, of_layers[number - 1])
        hiddens.append(f"next_hidden_{number}")
        if number == 1 and config.reads_text:
            window = [_window(graph, hidden, parameters["to_window"], parameters["window_bias"])]
    order = outputs_in_order(config.mixtures, config.n_outputs)
    every = graph.add("Concat", *hiddens, axis=1)
    graph.product(
        every, p["output.weight"][order].T, p["output.bias"][order], to="outputs", like=of_outputs
    )
    _draw(graph, config.mixtures, config.end_token)
    return _model(graph, config)


def _model(graph: _Graph, config: NetworkConfig) -> onnx.ModelProto:
    """The nodes with their inputs and outputs declared."""
    a, layers = len(config.alphabet), range(1, config.layers + 1)
    state: dict[str, list[Any]] = {"step": ["lines", N_INPUTS]}
    state |= {f"hidden_{number}": ["lines", config.cells] for number in layers}
    state |= {f"cell_{number}": ["lines", config.cells] for number in layers}
    inputs: dict[str, list[Any]] = {"smoothness": ["lines", 1], "noise": ["lines", n_noise(config)]}
    results: dict[str, list[Any]] = {"outputs": ["lines", config.n_outputs]}
    if a:
        state |= {"window": ["lines", a], "kappa": ["lines", config.windows, 1]}
        inputs |= {"text": ["lines", "length", a], "places": ["lines", 1, "length"]}
        results |= {"phi": ["lines", 1, "length"]}
    results |= {f"next_{name}": shape for name, shape in state.items()}
    return graph.model(
        "step",
        [graph.declared(name, shape) for name, shape in (state | inputs).items()],
        [graph.declared(name, shape) for name, shape in results.items()],
    )


def outputs_in_order(m: int, n_outputs: int) -> NDArray[np.int64]:
    """The rows of the output weights that give mu_x, mu_y, sigma_x, sigma_y, rho, pi, pen."""
    pi, mu = np.arange(m), m + np.arange(2 * m)
    sigma, rho = 3 * m + np.arange(2 * m), 5 * m + np.arange(m)
    pen = np.arange(6 * m, n_outputs)
    return np.concatenate([mu[::2], mu[1::2], sigma[::2], sigma[1::2], rho, pi, pen])


# --- Layers ------------------------------------------------------------------------------------


def _pen(graph: _Graph) -> str:
    """The last step as the layers read it: (lines, 3), or with int8 weights more columns.

    An offset goes far beyond the hidden vectors' -1 to 1, so it comes as `PEN_COPIES` columns of
    its share each, and each is shifted by another fraction of a level: their sum is as exact as if
    it had that many times the levels.  What is cut off at 1 is the third number, which is 2 where
    the line ends.
    """
    if not graph.int8:
        return graph.add("Min", "step", graph.constant([[np.inf, np.inf, 1.0]]))
    n = PEN_COPIES
    spread = np.zeros((N_INPUTS, 2 * n + 1), np.float32)
    spread[0, :n] = spread[1, n : 2 * n] = 1 / n
    spread[2, 2 * n] = 1
    shift = LEVEL * ((np.arange(n) + 0.5) / n - 0.5)
    shares = graph.affine(
        "step", spread, np.concatenate([shift, shift, [0]]).astype(np.float32), to="pen_shares"
    )
    return graph.as_bytes(shares, LEVEL, ZERO)


def _layer(
    graph: _Graph,
    number: int,
    x: str,
    p: dict[str, Floats],
    config: NetworkConfig,
    like: Floats | None,
) -> str:
    """One layer's step (eqs. 7-11); returns the new hidden vector in fp32.

    `x` is what it reads, such as `like`: pen, window, the new hidden vector below and its own last
    one.  Defines next_hidden_`number` and next_cell_`number`.
    """
    weights, n_pen = np.concatenate([p["input"], p["recurrent"]]), N_INPUTS
    if graph.int8:
        pen, window, hiddens = np.split(weights, [n_pen, n_pen + len(config.alphabet)])
        copies = np.repeat(pen, COPIES, axis=0)
        weights = np.concatenate([copies, window * np.float32(WINDOW_LEVEL / LEVEL), hiddens])
        n_pen = len(copies)
        like = None if like is None else _in_bytes(like, len(config.alphabet))
    gates = graph.product(
        x,
        _gates_in_order(weights),
        _gates_in_order(p["bias"][None])[0],
        to=f"gates_{number}",
        from_zero=slice(n_pen, n_pen + len(config.alphabet)),
        like=like,
    )
    hidden = _cell(graph, number, gates, p.get("peephole"), config.cells)
    if graph.int8:
        graph.as_bytes(hidden, LEVEL, ZERO, to=f"next_hidden_{number}")
    return hidden


def _in_bytes(x: Floats, n_window: int) -> Floats:
    """What a layer reads, as its int8 weights are multiplied with it, in fp32."""
    pen, window, hiddens = np.split(x, [N_INPUTS, N_INPUTS + n_window], axis=1)
    shares = np.repeat(pen / np.array(COPIES, np.float32), COPIES, axis=1)
    return np.concatenate([shares, window * np.float32(LEVEL / WINDOW_LEVEL), hiddens], axis=1)


def _gates_in_order(weights: Floats) -> Floats:
    """Columns input, forget, cell, output -> input, output, forget, cell."""
    gates = weights.reshape(len(weights), 4, -1)[:, [0, 3, 1, 2]]
    return gates.reshape(len(weights), -1)


def _cell(graph: _Graph, number: int, gates: str, peephole: Floats | None, n: int) -> str:
    """Eqs. 7-11 from what the gates are sent (lines, 4 cells), in the order above."""
    last = f"cell_{number}"
    three, candidate = graph.split(gates, [3 * n, n])
    if peephole is None:
        opens, shows, keeps = graph.split(graph.add("Sigmoid", three), [n, n, n])
    else:
        opens, shows, keeps = graph.split(three, [n, n, n])
        opens = graph.add(
            "Sigmoid", _seeing(graph, opens, last, peephole[0], f"{gates}_peephole_0")
        )
        keeps = graph.add(
            "Sigmoid", _seeing(graph, keeps, last, peephole[1], f"{gates}_peephole_1")
        )
    kept = graph.add("Mul", keeps, last)
    new = graph.add("Mul", opens, graph.add("Tanh", candidate))
    cell = graph.add("Add", kept, new, to=f"next_cell_{number}")  # eq. 9
    if peephole is not None:
        shows = graph.add(
            "Sigmoid", _seeing(graph, shows, cell, peephole[2], f"{gates}_peephole_2")
        )
    to = None if graph.int8 else f"next_hidden_{number}"
    return graph.add("Mul", shows, graph.add("Tanh", cell), to=to)  # eq. 11


def _seeing(graph: _Graph, gate: str, cell: str, diagonal: Floats, name: str) -> str:
    """The gate with what it sees of the cell by its peepholes."""
    return graph.add("Add", gate, graph.add("Mul", cell, graph.constant(diagonal[None], name)))


def _window(graph: _Graph, hidden: str, to_window: Floats, bias: Floats) -> str:
    """The window's step (eqs. 46-51); returns next_window, defines phi and next_kappa."""
    k = len(bias) // 3
    hats = graph.affine(hidden, to_window, bias, to="window_hats")
    each = graph.constant(np.array([-1, 3 * k, 1]))  # a window a row, the text along it
    alpha_hat, beta_hat, pace_hat = graph.split(graph.add("Reshape", hats, each), [k, k, k])
    kappa = graph.add("Add", "kappa", graph.add("Exp", pace_hat), to="next_kappa")  # eq. 51
    distance = graph.add("Sub", kappa, "places")
    squared = graph.add("Mul", distance, distance)
    exponent = graph.add("Mul", squared, graph.add("Exp", beta_hat))
    log_bells = graph.add("Sub", alpha_hat, exponent)
    # Below, Exp takes twenty times as long: its results would be subnormal.
    log_bells = graph.add("Max", log_bells, graph.constant(np.float32(LEAST_LOG)))
    bells = graph.add("Exp", log_bells)
    # Not ReduceSum, which adds in another order where there is one line only.
    ones = graph.constant(np.ones((1, 1, k), np.float32))
    phi = graph.add("MatMul", ones, bells, to="phi")  # eq. 46
    seen = graph.add("MatMul", phi, "text")  # eq. 47
    flat, to = graph.constant(np.array([1])), "next_window"
    if not graph.int8:
        return graph.add("Squeeze", seen, flat, to=to)
    seen = graph.add("Squeeze", seen, flat)
    return graph.as_bytes(seen, WINDOW_LEVEL, 0, to=to, name="window_level")


def _draw(graph: _Graph, m: int, end_token: bool) -> None:
    """Draw the next step from `outputs`, as `training.sample.draw` does (eqs. 61-62)."""
    _, pi_hat, pen = graph.split("outputs", [5 * m, m, 3 if end_token else 1])
    for_pi, for_pen, first, second = graph.split("noise", [m, 3 if end_token else 2, 1, 1])
    one = graph.constant(np.float32(1))
    sharper = graph.add("Mul", pi_hat, graph.add("Add", "smoothness", one))  # eq. 62
    chosen = graph.add("ArgMax", graph.add("Add", sharper, for_pi), axis=1)
    places = graph.add("Add", chosen, graph.constant(np.arange(5) * m))
    picked = graph.add("GatherElements", "outputs", places, axis=1)
    mu, sigma_hat, rho_hat = graph.split(picked, [2, 2, 1])
    sigma = graph.add("Exp", graph.add("Sub", sigma_hat, "smoothness"))  # eq. 61
    # sqrt(1 - rho^2) is 1 / cosh(rho_hat), in which nothing cancels as rho nears 1.
    rest = graph.add("Div", second, graph.add("Cosh", rho_hat))
    mixed = graph.add("Add", graph.add("Mul", graph.add("Tanh", rho_hat), first), rest)
    spread = graph.add("Mul", sigma, graph.add("Concat", first, mixed, axis=1))
    xy = graph.add("Add", mu, spread)
    state = _pen_state(graph, pen, for_pen, end_token)
    graph.add("Concat", xy, state, to="next_step", axis=1)


def _pen_state(graph: _Graph, pen: str, noise: str, end_token: bool) -> str:
    """0 down, 1 lifts, 2 ends; not sharpened, or the rare end would never be drawn."""
    if not end_token:  # the logit is of lifting against staying down
        pen = graph.add("Mul", pen, graph.constant([0.0, 1.0]))
    state = graph.add("ArgMax", graph.add("Add", pen, noise), axis=1)
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
    validation = lines.where("validation")
    if len(validation):
        about["figures"] = vars(task.evaluate(network, validation, this_machine("fp32")))
    if isinstance(task, Reading):
        return export_reader(network, name=name, licence=licence, data=data, about=about, int8=int8)
    some = np.random.default_rng(1).permutation(lines.where("train"))[:ROUNDING_LINES]
    like = task.make_batch(some, None) if int8 else None
    model = step_graph(network, int8=int8, like=like)
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
    if len(validation):
        chosen = np.random.default_rng(0).permutation(validation)[:VALIDATION_LINES]
        about["accuracy"] = accuracy(network, model, task.make_batch(chosen, None))
    return sealed_file(model, about)


# --- How well the file's step does what the network does ---------------------------------------


@torch.no_grad()
def what_is_read(network: Network, batch: Batch) -> list[Floats]:
    """What each layer and then the outputs read along the lines of a batch, (points, n) each.

    A layer reads its input, then with the first one the last window, then its last hidden vector,
    in the order of its weights.
    """
    found: list[Tensor] = []

    def remember(layer: Layer, given: tuple[Any, ...], gave: tuple[Any, ...]) -> None:
        before = [gave[1][:-1], gave[0][:-1]] if layer.n_window else [gave[0][:-1]]
        found.append(torch.cat([given[0][1:], *before], dim=-1)[is_line[1:]])

    def remember_outputs(_: nn.Module, given: tuple[Any, ...], gave: Tensor) -> None:
        found.append(given[0][is_line])

    there = batch.to(network.output.weight.device)
    is_line = there.mask > 0
    hooks = [layer.register_forward_hook(remember) for layer in network.layers]
    hooks.append(network.output.register_forward_hook(remember_outputs))
    try:
        network(there.seen, there.text)
    finally:
        for hook in hooks:
            hook.remove()
    return [x.float().cpu().numpy() for x in found]


@torch.no_grad()
def accuracy(network: Network, model: onnx.ModelProto, batch: Batch) -> dict[str, float]:
    """Nats a point of the network and of the exported step, over the lines of a batch.

    The step is run as it will be, by ONNX Runtime; it is only shown what people wrote and not what
    it draws.
    """
    device = batch.to(network.output.weight.device)
    y, _, _ = network(device.seen, device.text)
    outputs = torch.from_numpy(_outputs_along(model, batch)).to(y.pen.device)
    inverse = np.argsort(outputs_in_order(network.config.mixtures, network.config.n_outputs))
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
    feed = first_inputs(session, lines, length)
    if batch.text:
        places = np.arange(1, length + 1, dtype=np.float32)
        feed["text"] = batch.text.one_hot.cpu().numpy()
        far = batch.text.mask.cpu().numpy() == 0
        feed["places"] = np.where(far, np.float32(FAR), places)[:, None]
    carried = [name for name in feed if name in _carried(session) and name != "step"]
    outputs = []
    for seen in batch.seen.cpu().numpy():
        feed["step"] = seen
        results = session.run(["outputs", *(f"next_{name}" for name in carried)], feed)
        outputs.append(results[0])
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
