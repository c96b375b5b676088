"""The steps of a hand as a graph: what an exported file computes.

The graph takes as many steps of writing as there is noise for: noise, texts and state go in, the
steps and the next state come out.  Sampling happens inside (eqs. 61-62), so every runtime draws
the same ink from the same noise.  What it computes is held against `training.sample` by a test.

Inputs, for any number of lines:

    step (lines, 3)                 dx, dy, normalised, and 1 where the pen lifts; zeros at first.
                                    A network that is shown it has the height as a fourth column
    urge (lines, 1)                 to lift the pen, which it does at 1; 0 where a stroke begins
    hidden_1, hidden_2 ... (lines, cells)   with int8 weights as bytes, of which `ZERO` is 0
    cell_1, cell_2 ... (lines, cells)
    window (lines, alphabet)        with int8 weights as bytes of `WINDOW_LEVEL` each
    kappa (lines, windows, 1)
    text (lines, length)            places in the alphabet, whose length stands for no character
    places (lines, 1, length)       1, 2, 3 ...; FAR where padded, beyond any window
    smoothness (lines, 1)           the paper's bias
    follows (lines,)                the line whose steps this one takes: its own number
    noise (steps, lines, mixtures + 3)      Gumbel noise for the component, two more such numbers
                                    for the pen where the network ends lines, two standard normals
                                    for the offset and one for the urge
    shown (steps, lines, 3)         what counts as drawn instead (section 5.5), NaN where nothing

Outputs: the same state names with `next_` before them; `steps` (steps, lines, 3), their pen states
0, 1 or 2 where the line ends; `phi` (steps, lines, 1, length), the window's weights; `outputs`
(steps, lines, n_outputs), the raw output vectors in the order mu_x, mu_y, sigma_hat_x, sigma_hat_y,
rho_hat, pi_hat (each one value a component), pen.  A prediction network has no window, kappa, text,
places and phi.

What a step of one line costs is reading the weights and starting the nodes; of many lines, the
arithmetic.  So each gate is one product, of bytes with int8 weights, which processors with VNNI
or AMX have instructions for, and nothing is copied between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from handwriter.training.batches import Scaling
from handwriter.training.graph import MICROSOFT, Graph
from handwriter.training.network import N_STEP, Network, NetworkConfig
from handwriter.training.rounding import rounded
from handwriter.training.sample import n_noise
from handwriter.weights import ZERO

MOST_WEIGHT = 63  # int8 weights go from -63 to 63
LEVEL = 1 / 127  # hidden vectors, -1 to 1, are the bytes 1 to 255 with `ZERO` in the middle
WINDOW_LEVEL = 5 / 255  # so that a window reaches 5 before it is cut off
NOWHERE = slice(0, 0)
LEAST_LOG = -80.0
PEN_COPIES = 16  # so that an offset reaches 16 deviations; the largest in IAM-OnDB are 18
HEIGHT_COPIES = 8  # so that a height reaches 8 line units; those of writing are below 3
COPIES = [PEN_COPIES, PEN_COPIES, 1, HEIGHT_COPIES]  # of dx, dy, the pen and the height

Floats = NDArray[np.float32]


class StepsGraph(Graph):
    """The steps in the making, their products in integers where the hand is to be int8."""

    def __init__(self, *, int8: bool) -> None:
        super().__init__()
        self.int8 = int8

    def products(
        self,
        x: str,
        weights: Floats,
        bias: Floats,
        *,
        to: Sequence[str],
        from_zero: slice = NOWHERE,
        like: Floats | None = None,
    ) -> list[str]:
        """x (lines, n) @ weights (n, outputs) + bias, the outputs dealt out evenly to some names.

        With int8 weights x is in bytes of `LEVEL`, of which `ZERO` stands for 0; for the columns in
        `from_zero` 0 does.  Weights have seven bits, rounded for an x `like` these (samples, n):
        processors without VNNI add pairs of products in 16 bits, which overflow with eight, and
        then every machine would write other ink.
        """
        if not self.int8:
            parts = zip(np.split(weights, len(to), axis=1), np.split(bias, len(to)), strict=True)
            return [self.affine(x, *part, to=name) for part, name in zip(parts, to, strict=True)]
        stored, scale = rounded(weights, MOST_WEIGHT, like)
        too_much = scale * stored[from_zero].sum(axis=0, dtype=np.int64) * (ZERO * LEVEL)
        moved = (bias + too_much).astype(np.float32)
        level, zero = self.constant(np.float32(LEVEL)), self.constant(np.uint8(ZERO))
        columns = (np.split(array, len(to), axis=-1) for array in (stored, scale, moved))
        return [
            self.add(
                "MatMulIntegerToFloat",
                x,
                self.constant(np.ascontiguousarray(part), f"{name}_weights"),
                level,
                self.constant(each, f"{name}_scale"),
                zero,
                "",
                self.constant(offset, f"{name}_bias"),
                to=name,
                domain=MICROSOFT,
            )
            for name, part, each, offset in zip(to, *columns, strict=True)
        ]

    def declared(self, name: str, shape: list[Any]) -> onnx.ValueInfoProto:
        """An input or output: bytes where the layers read it so, else fp32."""
        in_bytes = self.int8 and name.removeprefix("next_").startswith(("hidden", "window"))
        kind = TensorProto.UINT8 if in_bytes else TensorProto.FLOAT
        kind = TensorProto.INT64 if name in ("follows", "text") else kind
        return helper.make_tensor_value_info(name, kind, shape)

    def repeat(
        self,
        state: dict[str, list[Any]],
        given: dict[str, list[Any]],
        seen: dict[str, list[Any]],
    ) -> None:
        """Make all nodes so far one step of many.

        The `state` is carried from step to step; each step is `given` its part and gives what is
        `seen`.  What else it reads is the same for all.
        """
        inputs = [self._declared_as(now(name), name, of) for name, of in (state | given).items()]
        outputs = [self._declared_as(new(name), name, of) for name, of in (state | seen).items()]
        step = helper.make_graph(self.nodes, "step", inputs, outputs)
        self.nodes = []
        results = [f"next_{name}" for name in state] + list(seen)
        self.add_many("Scan", *state, *given, to=results, body=step, num_scan_inputs=len(given))

    def one_hot(self, x: str, size: int, *, to: str) -> None:
        """Numbers below `size` as ones among zeros, others as zeros, before all other nodes."""
        with self.before():
            zero_one = self.constant(np.array([0, 1], np.float32))
            self.add("OneHot", x, self.constant(np.array(size)), zero_one, to=to)

    @contextmanager
    def before(self) -> Iterator[None]:
        """What is added in here comes before all nodes so far."""
        later, self.nodes = self.nodes, []
        yield
        self.nodes += later

    def _declared_as(self, name: str, what: str, shape: list[Any]) -> onnx.ValueInfoProto:
        declared = self.declared(what, shape)
        declared.name = name
        return declared

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


def steps_graph(
    network: Network,
    scaling: Scaling,
    *,
    int8: bool = False,
    like: Sequence[Floats] | None = None,
) -> onnx.ModelProto:
    """The network's steps, sampling included, as an ONNX model.

    `scaling` tells what an offset adds to the height of the pen.
    Int8 weights are rounded for what each layer and then the outputs read, if some of that is given
    (points, n) each, in the order of the weights.
    """
    config, graph = network.config, StepsGraph(int8=int8)
    p = {name: v.detach().float().cpu().numpy() for name, v in network.named_parameters()}

    nothing: list[Floats | None] = [None] * (config.layers + 1)
    *of_layers, of_outputs = like or nothing
    pen = _pen(graph, config)
    window = [now("window")] if config.reads_text else []
    hiddens: list[str] = []
    for number in range(1, config.layers + 1):
        of_layer = f"layers.{number - 1}."
        parameters = {
            name.removeprefix(of_layer): value
            for name, value in p.items()
            if name.startswith(of_layer)
        }
        x = graph.add("Concat", pen, *window, *hiddens[-1:], now(f"hidden_{number}"), axis=1)
        hidden = _layer(graph, number, x, parameters, config, of_layers[number - 1])
        hiddens.append(new(f"hidden_{number}"))
        if number == 1 and config.reads_text:
            window = [_window(graph, hidden, parameters["to_window"], parameters["window_bias"])]
    order = outputs_in_order(config.mixtures, config.n_outputs)
    every = graph.add("Concat", *hiddens, axis=1)
    graph.products(
        every, p["output.weight"][order].T, p["output.bias"][order], to=[new("outputs")],
        like=of_outputs,
    )  # fmt: skip
    drawn, urge = _draw(graph, config.mixtures, config.end_token)
    _take(graph, drawn, urge, config, scaling)
    return model_of(graph, config)


def now(name: str) -> str:
    """What a single step reads of what goes into the graph."""
    return f"{name}_now"


def new(name: str) -> str:
    """What a single step gives of what comes out of it."""
    return f"{name}_new"


def model_of(graph: StepsGraph, config: NetworkConfig) -> onnx.ModelProto:
    """The nodes of one step as a graph of many, with its inputs and outputs declared."""
    a, layers = len(config.alphabet), range(1, config.layers + 1)
    state: dict[str, list[Any]] = {"step": ["lines", config.n_inputs], "urge": ["lines", 1]}
    state |= {f"hidden_{number}": ["lines", config.cells] for number in layers}
    state |= {f"cell_{number}": ["lines", config.cells] for number in layers}
    whole: dict[str, list[Any]] = {"smoothness": ["lines", 1], "follows": ["lines"]}
    given: dict[str, list[Any]] = {"noise": ["lines", n_noise(config)]}
    given |= {"shown": ["lines", N_STEP]}
    seen: dict[str, list[Any]] = {"steps": ["lines", N_STEP]}
    seen |= {"outputs": ["lines", config.n_outputs]}
    if a:
        state |= {"window": ["lines", a], "kappa": ["lines", config.windows, 1]}
        whole |= {"text": ["lines", "length"], "places": ["lines", 1, "length"]}
        seen |= {"phi": ["lines", 1, "length"]}
    graph.repeat(state, given | {"first_urge": ["lines", 1]}, seen)
    _first_urge(graph, config)
    if a:
        graph.one_hot("text", a, to="one_hot")
    each = {name: ["steps", *shape] for name, shape in (given | seen).items()}
    return graph.model(
        "steps",
        [graph.declared(name, shape) for name, shape in (state | whole).items()]
        + [graph.declared(name, each[name]) for name in given],
        [graph.declared(f"next_{name}", shape) for name, shape in state.items()]
        + [graph.declared(name, each[name]) for name in seen],
    )


def outputs_in_order(m: int, n_outputs: int) -> NDArray[np.int64]:
    """The rows of the output weights that give mu_x, mu_y, sigma_x, sigma_y, rho, pi, pen."""
    pi, mu = np.arange(m), m + np.arange(2 * m)
    sigma, rho = 3 * m + np.arange(2 * m), 5 * m + np.arange(m)
    pen = np.arange(6 * m, n_outputs)
    return np.concatenate([mu[::2], mu[1::2], sigma[::2], sigma[1::2], rho, pi, pen])


# --- Layers ------------------------------------------------------------------------------------


def _pen(graph: StepsGraph, config: NetworkConfig) -> str:
    """The last step as the layers read it: (lines, n_inputs), or with int8 weights more columns.

    An offset goes far beyond the hidden vectors' -1 to 1, so it comes as `PEN_COPIES` columns of
    its share each, and each is shifted by another fraction of a level: their sum is as exact as if
    it had that many times the levels.  What is cut off at 1 is the third number, which is 2 where
    the line ends.
    """
    if not graph.int8:
        most = np.where(np.arange(config.n_inputs) == 2, 1.0, np.inf)
        return graph.add("Min", now("step"), graph.constant(most[None]))
    copies = np.array(COPIES[: config.n_inputs])
    spread = np.repeat(np.diag(1 / copies), copies, axis=1).astype(np.float32)
    shift = np.concatenate([LEVEL * ((np.arange(n) + 0.5) / n - 0.5) for n in copies])
    shares = graph.affine(now("step"), spread, shift.astype(np.float32), to="pen_shares")
    return graph.as_bytes(shares, LEVEL, ZERO)


def _layer(
    graph: StepsGraph,
    number: int,
    x: str,
    p: dict[str, Floats],
    config: NetworkConfig,
    like: Floats | None,
) -> str:
    """One layer's step (eqs. 7-11); returns the new hidden vector in fp32.

    `x` is what it reads, such as `like`: pen, window, the new hidden vector below and its own last
    one.  Defines the layer's new hidden and cell.
    """
    weights, n_pen = np.concatenate([p["input"], p["recurrent"]]), config.n_inputs
    if graph.int8:
        pen, window, hiddens = np.split(weights, [n_pen, n_pen + len(config.alphabet)])
        copies = np.repeat(pen, COPIES[:n_pen], axis=0)
        weights = np.concatenate([copies, window * np.float32(WINDOW_LEVEL / LEVEL), hiddens])
        n_pen = len(copies)
        like = None if like is None else _in_bytes(like, config)
    gates = graph.products(
        x,
        weights,
        p["bias"],
        to=gates_of(number),
        from_zero=slice(n_pen, n_pen + len(config.alphabet)),
        like=like,
    )
    hidden = cell_step(graph, number, gates, p.get("peephole"))
    if graph.int8:
        graph.as_bytes(hidden, LEVEL, ZERO, to=new(f"hidden_{number}"))
    return hidden


def gates_of(number: int) -> list[str]:
    """What is sent to the gates of a layer, in the order of its weights."""
    return [f"{gate}_{number}" for gate in ("input", "forget", "candidate", "output")]


def _in_bytes(x: Floats, config: NetworkConfig) -> Floats:
    """What a layer reads, as its int8 weights are multiplied with it, in fp32."""
    n = config.n_inputs
    pen, window, hiddens = np.split(x, [n, n + len(config.alphabet)], axis=1)
    shares = np.repeat(pen / np.array(COPIES[:n], np.float32), COPIES[:n], axis=1)
    return np.concatenate([shares, window * np.float32(LEVEL / WINDOW_LEVEL), hiddens], axis=1)


def cell_step(graph: StepsGraph, number: int, gates: Sequence[str], peephole: Floats | None) -> str:
    """Eqs. 7-11 from what the gates are sent (lines, cells) each, in the order of `gates_of`."""
    last, (opens, keeps, candidate, shows) = now(f"cell_{number}"), gates
    if peephole is not None:
        opens = _seeing(graph, opens, last, peephole[0])
        keeps = _seeing(graph, keeps, last, peephole[1])
    kept = graph.add("Mul", graph.add("Sigmoid", keeps), last)
    new_part = graph.add("Mul", graph.add("Sigmoid", opens), graph.add("Tanh", candidate))
    cell = graph.add("Add", kept, new_part, to=new(f"cell_{number}"))  # eq. 9
    if peephole is not None:
        shows = _seeing(graph, shows, cell, peephole[2])
    to = None if graph.int8 else new(f"hidden_{number}")
    return graph.add("Mul", graph.add("Sigmoid", shows), graph.add("Tanh", cell), to=to)  # eq. 11


def _seeing(graph: StepsGraph, gate: str, cell: str, diagonal: Floats) -> str:
    """The gate with what it sees of the cell by its peepholes."""
    weights = graph.constant(diagonal[None], f"{gate}_peephole")
    return graph.add("Add", gate, graph.add("Mul", cell, weights))


def _window(graph: StepsGraph, hidden: str, to_window: Floats, bias: Floats) -> str:
    """The window's step (eqs. 46-51); returns the new window, defines phi and kappa."""
    k = len(bias) // 3
    hats = graph.affine(hidden, to_window, bias, to="window_hats")
    each = graph.constant(np.array([-1, 3 * k, 1]))  # a window a row, the text along it
    alpha_hat, beta_hat, pace_hat = graph.split(graph.add("Reshape", hats, each), [k, k, k])
    kappa = graph.add("Add", now("kappa"), graph.add("Exp", pace_hat), to=new("kappa"))  # eq. 51
    distance = graph.add("Sub", kappa, "places")
    squared = graph.add("Mul", distance, distance)
    exponent = graph.add("Mul", squared, graph.add("Exp", beta_hat))
    log_bells = graph.add("Sub", alpha_hat, exponent)
    # Below, Exp takes twenty times as long: its results would be subnormal.
    log_bells = graph.add("Max", log_bells, graph.constant(np.float32(LEAST_LOG)))
    bells = graph.add("Exp", log_bells)
    # Not ReduceSum, which adds in another order where there is one line only.
    ones = graph.constant(np.ones((1, 1, k), np.float32))
    phi = graph.add("MatMul", ones, bells, to=new("phi"))  # eq. 46
    seen = graph.add("MatMul", phi, "one_hot")  # eq. 47
    flat, to = graph.constant(np.array([1])), new("window")
    if not graph.int8:
        return graph.add("Squeeze", seen, flat, to=to)
    seen = graph.add("Squeeze", seen, flat)
    return graph.as_bytes(seen, WINDOW_LEVEL, 0, to=to, name="window_level")


def _draw(graph: StepsGraph, m: int, end_token: bool) -> tuple[str, str]:
    """Draw the next step from `outputs`, as `training.sample.draw` does (eqs. 61-62).

    Returns it and the urge to lift the pen after it.
    """
    _, pi_hat, pen = graph.split(new("outputs"), [5 * m, m, 3 if end_token else 1])
    for_pi, *for_end, first, second, _ = graph.split(
        now("noise"), [m, *([2] if end_token else []), 1, 1, 1]
    )
    one = graph.constant(np.float32(1))
    sharper = graph.add("Mul", pi_hat, graph.add("Add", "smoothness", one))  # eq. 62
    chosen = graph.add("ArgMax", graph.add("Add", sharper, for_pi), axis=1)
    places = graph.add("Add", chosen, graph.constant(np.arange(5) * m))
    picked = graph.add("GatherElements", new("outputs"), places, axis=1)
    mu, sigma_hat, rho_hat = graph.split(picked, [2, 2, 1])
    sigma = graph.add("Exp", graph.add("Sub", sigma_hat, "smoothness"))  # eq. 61
    # sqrt(1 - rho^2) is 1 / cosh(rho_hat), in which nothing cancels as rho nears 1.
    rest = graph.add("Div", second, graph.add("Cosh", rho_hat))
    mixed = graph.add("Add", graph.add("Mul", graph.add("Tanh", rho_hat), first), rest)
    spread = graph.add("Mul", sigma, graph.add("Concat", first, mixed, axis=1))
    xy = graph.add("Add", mu, spread)
    state, urge = _pen_state(graph, pen, *for_end)
    return graph.add("Concat", xy, state, axis=1), urge


def _pen_state(graph: StepsGraph, pen: str, noise: str | None = None) -> tuple[str, str]:
    """0 down, 1 lifts, 2 ends, and the urge after it (`training.sample.first_urge`).

    `noise` is for lifting and ending; without it there are no ends and only a logit of lifting.
    """
    down, up = (graph.constant(np.full((1, 1), n, np.int64)) for n in (0, 1))
    none, one = (graph.constant(np.full((1, 1), n, np.float32)) for n in (0, 1))
    if noise is None:
        all_to_down = graph.add("Add", graph.add("Exp", pen), one)
    else:
        stay, others = graph.split(pen, [1, 2])
        to_down = graph.add("Exp", graph.add("Sub", pen, stay))
        # Not ReduceSum, as in the window.
        all_to_down = graph.add("MatMul", to_down, graph.constant(np.ones((3, 1), np.float32)))
        up = graph.add("Add", graph.add("ArgMax", graph.add("Add", others, noise), axis=1), up)
    is_begun = graph.add("Greater", now("urge"), none)
    before = graph.add("Where", is_begun, now("urge"), now("first_urge"))
    urge = graph.add("Mul", before, all_to_down)
    stays = graph.add("Less", urge, one)
    state = graph.cast(graph.add("Where", stays, down, up), TensorProto.FLOAT)
    return state, graph.add("Where", stays, urge, none)


def _first_urge(graph: StepsGraph, config: NetworkConfig) -> None:
    """With what urge strokes begin that do so at each step, from the noise of all steps at once."""
    with graph.before():
        _, normal = graph.split("noise", [n_noise(config) - 1, 1], axis=2)
        narrower = graph.add("Exp", graph.add("Neg", "smoothness"))  # as in eq. 61
        half, root = graph.constant(np.float32(0.5)), graph.constant(np.float32(0.5**0.5))
        error = graph.add("Erf", graph.add("Mul", graph.add("Mul", normal, narrower), root))
        graph.add("Sub", half, graph.add("Mul", error, half), to="first_urge")


def _take(
    graph: StepsGraph, drawn: str, urge: str, config: NetworkConfig, scaling: Scaling
) -> None:
    """The step that counts: what is shown, else what the line that it follows has drawn.

    The height of the pen follows from it, and does not go with what another line drew.  A stroke
    that is shown has no urge: what is drawn next has it as where one begins.
    """
    followed = graph.add("Gather", drawn, "follows", axis=0)
    is_free, shown = graph.add("IsNaN", now("shown")), now("shown")
    step = graph.add("Where", is_free, followed, shown, to=new("steps"))
    is_drawn = graph.add("Gather", is_free, graph.constant(np.array([0])), axis=1)
    urge, none = graph.add("Gather", urge, "follows", axis=0), np.zeros((1, 1), np.float32)
    graph.add("Where", is_drawn, urge, graph.constant(none), to=new("urge"))
    if not config.height:
        graph.add("Identity", step, to=new("step"))
        return
    _, height = graph.split(now("step"), [N_STEP, 1])
    rise = graph.affine(
        step, np.array([[0], [scaling.deviation[1]], [0]], np.float32),
        np.array([scaling.mean[1]], np.float32), to="rise",
    )  # fmt: skip
    graph.add("Concat", step, graph.add("Add", height, rise), axis=1, to=new("step"))
