"""The networks of Graves (2013), "Generating Sequences With Recurrent Neural Networks".

One file holds the paper: cells (eqs. 7-11), window (46-51), stacked layers (52-53), mixture
(18-22), density (23-25) and loss (26).  Sequences have shape (steps, lines, features), as in
PyTorch's own LSTM.  Greek letters stand for what they stand for in the paper.

The paper's networks are `NetworkConfig(...)` with every departure off; each departure is one
named option there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N_STEP = 3  # dx, dy, pen lift
# How often the pen stays down, lifts, and ends the line in IAM-OnDB, every second point kept.
PEN_RATES = (0.924, 0.073, 0.003)
LEAST_LOG = -80.0  # of a bell of the window


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of a network; without an alphabet it is the prediction network of section 4.

    The paper: `layers` 1 of 900 `cells` or 3 of 400 for prediction; 3 of 400 with 10 `windows`
    for synthesis; 20 `mixtures` and peepholes throughout.

    Departures from the paper, each off by default:

    - `peepholes=False` drops the diagonal weights from the cell to its gates (eqs. 7-10).
    - `end_token` makes the pen state three-way (down, lifts, ends the line) in place of the
      Bernoulli pen lift of eq. 18, so that the network itself says when it is done.  It starts
      at the true rates: at even odds, the first step long ends a line in three.
    - `initial_pace` is the step of kappa (eq. 51), in characters a pen point, that the untrained
      window takes; exp(0) = 1 in the paper's form, which runs off the text at once.
    - `forget_bias` is the forget gate's bias before training.
    - `height` shows the network a fourth number, how high above the baseline the pen is, in line
      units.  Offsets tell it only to who adds them all up, and a line that was lost stays lost.
    """

    alphabet: str = ""
    layers: int = 3
    cells: int = 400
    mixtures: int = 20
    windows: int = 10
    peepholes: bool = True
    end_token: bool = False
    initial_pace: float = 1.0
    forget_bias: float = 0.0
    height: bool = False

    @property
    def n_inputs(self) -> int:
        """The numbers of a step that the network is shown."""
        return N_STEP + self.height

    @property
    def reads_text(self) -> bool:
        return bool(self.alphabet)

    @property
    def n_outputs(self) -> int:
        """Six numbers a mixture component and the pen state: 121 in the paper."""
        return 6 * self.mixtures + (3 if self.end_token else 1)


class CellState(NamedTuple):
    """What one layer carries from step to step: hidden and cell, each (lines, cells)."""

    hidden: Tensor
    cell: Tensor


class State(NamedTuple):
    """What the whole network carries from step to step.

    `window` (lines, alphabet) is w of eq. 47 and `kappa` (lines, windows) its place in the
    text; both have no columns in the prediction network.
    """

    layers: tuple[CellState, ...]
    window: Tensor
    kappa: Tensor


class Text(NamedTuple):
    """The texts of a batch: one-hot characters (lines, length, alphabet), zero where padded.

    `mask` (lines, length) is 1 where the window may look.
    """

    one_hot: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> Text:
        return Text(self.one_hot.to(device), self.mask.to(device))


class Mixture(NamedTuple):
    """The predictive distribution of the next step; every field (..., components) or as told.

    `pen` holds logits: (..., 1), the pen lifts, or (..., 3), down / lifts / ends.
    `rho_hat` is rho before its tanh (eq. 22), which keeps correlations near 1 exact.
    """

    log_pi: Tensor
    mu: Tensor  # (..., components, 2)
    log_sigma: Tensor  # (..., components, 2)
    rho_hat: Tensor
    pen: Tensor

    @property
    def mean(self) -> Tensor:
        """The expected offset, (..., 2)."""
        return (self.log_pi.exp()[..., None] * self.mu).sum(-2)


# --- Mixture, density and loss -----------------------------------------------------------------


def mixture(outputs: Tensor, config: NetworkConfig) -> Mixture:
    """Split the output vector (..., n_outputs) into a distribution (eqs. 18-22)."""
    m = config.mixtures
    full = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
    pi_hat, mu, sigma_hat, rho_hat, pen = full.split(  # type: ignore[no-untyped-call]
        [m, 2 * m, 2 * m, m, config.n_outputs - 6 * m], dim=-1
    )
    return Mixture(
        log_pi=pi_hat.log_softmax(-1),
        mu=mu.unflatten(-1, (m, 2)),
        log_sigma=sigma_hat.unflatten(-1, (m, 2)),
        rho_hat=rho_hat,
        pen=pen,
    )


def log_density(xy: Tensor, y: Mixture) -> Tensor:
    """Log density of offsets (..., 2) under the mixture (eqs. 23-25, pen lift apart).

    With 1 - rho^2 = 1 / cosh^2(rho_hat), Z / (1 - rho^2) is written as
    (u - rho v)^2 cosh^2(rho_hat) + v^2, in which nothing cancels as rho nears 1.
    """
    u, v = ((xy[..., None, :] - y.mu) * (-y.log_sigma).exp()).unbind(-1)
    size = y.rho_hat.abs()
    log_cosh = size + F.softplus(-2 * size) - math.log(2)
    z = (u - y.rho_hat.tanh() * v) ** 2 * (2 * log_cosh).exp() + v**2  # eq. 25
    log_normal = log_cosh - math.log(2 * math.pi) - y.log_sigma.sum(-1) - z / 2  # eq. 24
    return torch.logsumexp(y.log_pi + log_normal, dim=-1)  # eq. 23


def log_pen(pen: Tensor, y: Mixture) -> Tensor:
    """Log probability of the pen states (...) that followed: 0 down, 1 lifted, 2 ended.

    Bernoulli as in eq. 23, where the end of the line is one more lift; else three-way.
    """
    if y.pen.shape[-1] == 1:
        lifts = y.pen[..., 0]
        return F.logsigmoid(torch.where(pen > 0, lifts, -lifts))
    return y.pen.log_softmax(-1).gather(-1, pen[..., None].long())[..., 0]


def nats(xy: Tensor, pen: Tensor, y: Mixture) -> Tensor:
    """The loss of each step in nats, shape (...): eq. 26 before it is summed over the line."""
    return -log_density(xy, y) - log_pen(pen, y)


# --- Cells and window --------------------------------------------------------------------------


class _Recurrence(torch.autograd.Function):
    """One LSTM layer over a whole sequence (eqs. 7-11), with the soft window on request (46-51).

    The derivatives are written out by hand for three reasons: the gradient of the recurrent
    weights is then one matrix product over all steps in place of one a step; the derivatives at
    the gates can be clipped as in the paper; and peepholes cost almost nothing.  `test_network`
    holds them against finite differences and against a naive loop.

    gates_x (steps, lines, 4 cells)   what the layer below sends to the gates, in PyTorch's
                                      order: input, forget, cell, output
    recurrent (alphabet + cells, 4 cells)   from the last window and hidden vectors
    peephole (3, cells) or None       diagonal weights: input, forget, output
    to_window (cells, 3 windows), its bias, and the text's one_hot and mask, or None
    hidden, cell, window, kappa       the state before the first step; no gradient flows to it
    clip                              bound on the derivatives at the gates, or 0 for none
    low                               dtype of the matrix products

    Returns hidden (steps, lines, cells), window (steps, lines, alphabet), phi (steps, lines,
    length), and the last cell and kappa, which carry no gradient.
    """

    @staticmethod
    def forward(
        ctx: Any,
        gates_x: Tensor,
        recurrent: Tensor,
        peephole: Tensor | None,
        to_window: Tensor | None,
        window_bias: Tensor | None,
        one_hot: Tensor | None,
        mask: Tensor | None,
        hidden: Tensor,
        cell: Tensor,
        window: Tensor,
        kappa: Tensor,
        clip: float,
        low: torch.dtype,
    ) -> tuple[Tensor, ...]:
        steps, lines, _ = gates_x.shape
        n = hidden.shape[-1]
        a = window.shape[-1]
        length = one_hot.shape[1] if one_hot is not None else 0
        gates = gates_x.to(hidden.dtype, copy=True)
        c = gates.new_empty(steps + 1, lines, n)
        s = gates.new_empty(steps + 1, lines, a + n)  # [w, h]
        places = gates.new_empty(steps + 1, lines, kappa.shape[-1])
        shape = gates.new_empty(steps, lines, 3 * kappa.shape[-1])  # alpha, beta, step of kappa
        phi = gates.new_empty(steps, lines, length)
        c[0], s[0, :, :a], s[0, :, a:], places[0] = cell, window, hidden, kappa
        s_low = s if low == s.dtype else torch.empty_like(s, dtype=low)  # for matrix products
        s_low[0] = s[0]
        multiply = _multiplier(recurrent.to(low), lines)
        u = torch.arange(1, length + 1, device=gates.device, dtype=gates.dtype)

        for t in range(steps):
            gate = gates[t].add_(multiply(s_low[t]))
            i, f, g, o = gate.split(n, dim=-1)  # type: ignore[no-untyped-call]
            if peephole is not None:
                i.addcmul_(c[t], peephole[0])
                f.addcmul_(c[t], peephole[1])
            gate[:, : 2 * n].sigmoid_()  # eqs. 7 and 8
            g.tanh_()
            torch.mul(f, c[t], out=c[t + 1]).addcmul_(i, g)  # eq. 9
            if peephole is not None:
                o.addcmul_(c[t + 1], peephole[2])
            o.sigmoid_()  # eq. 10
            h = torch.mul(o, c[t + 1].tanh(), out=s[t + 1, :, a:])  # eq. 11
            if to_window is not None:
                assert window_bias is not None and one_hot is not None and mask is not None
                torch.addmm(window_bias, h, to_window, out=shape[t]).exp_()  # eqs. 48-50
                alpha, beta, pace = shape[t].chunk(3, dim=-1)
                torch.add(places[t], pace, out=places[t + 1])  # eq. 51
                bell = _bells(places[t + 1], beta, u)
                torch.mul((alpha[:, None] @ bell)[:, 0], mask, out=phi[t])  # eq. 46
                s[t + 1, :, :a] = (phi[t][:, None] @ one_hot)[:, 0]  # eq. 47
            if s_low is not s:
                s_low[t + 1] = s[t + 1]

        ctx.save_for_backward(
            gates, c, s, s_low, places, shape, recurrent, peephole, to_window, one_hot, mask
        )
        ctx.clip, ctx.low = clip, low
        ctx.set_materialize_grads(True)
        last_cell, last_kappa = c[-1].clone(), places[-1].clone()
        ctx.mark_non_differentiable(last_cell, last_kappa)
        return s[1:, :, a:].clone(), s[1:, :, :a].clone(), phi, last_cell, last_kappa

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        gates, c, s, s_low, places, shape, recurrent, peephole, to_window, one_hot, mask = (
            ctx.saved_tensors
        )
        grad_hidden, grad_window, grad_phi = grads[:3]
        steps = len(gates)
        n = c.shape[-1]
        a = s.shape[-1] - n
        i, f, g, o = gates.split(n, dim=-1)
        tanh_c = c[1:].tanh()
        # What does not wait for the step after, for all steps at once:
        by_o = tanh_c * o * (1 - o)
        by_c = o * (1 - tanh_c * tanh_c)
        by_i, by_f, by_g = g * i * (1 - i), c[:-1] * f * (1 - f), i * (1 - g * g)

        d_gates = torch.empty_like(gates)
        d_shape = torch.zeros_like(shape)
        d_c = torch.zeros_like(c[0])
        d_s = torch.zeros_like(s[0])
        d_kappa = torch.zeros_like(places[0])
        d_low = d_gates if ctx.low == d_gates.dtype else torch.empty_like(d_gates, dtype=ctx.low)
        multiply = _multiplier(recurrent.to(ctx.low).t(), d_s.shape[0])
        length = one_hot.shape[1] if one_hot is not None else 0
        u = torch.arange(1, length + 1, device=gates.device, dtype=gates.dtype)

        for t in range(steps - 1, -1, -1):
            d_h = grad_hidden[t] + d_s[:, a:]
            if to_window is not None:
                d_w = grad_window[t] + d_s[:, :a]
                d_phi = (grad_phi[t] + (one_hot @ d_w[..., None])[..., 0]) * mask
                d_kappa = _window_backward(
                    d_phi, d_kappa, places[t + 1], shape[t], u, out=d_shape[t]
                )
                d_h.addmm_(d_shape[t], to_window.t())
            d_i, d_f, d_g, d_o = d_gates[t].split(n, dim=-1)  # type: ignore[no-untyped-call]
            torch.mul(d_h, by_o[t], out=d_o)
            if ctx.clip:
                d_o.clamp_(-ctx.clip, ctx.clip)
            d_c.addcmul_(d_h, by_c[t])
            if peephole is not None:
                d_c.addcmul_(d_o, peephole[2])
            torch.mul(d_c, by_i[t], out=d_i)
            torch.mul(d_c, by_f[t], out=d_f)
            torch.mul(d_c, by_g[t], out=d_g)
            if ctx.clip:
                d_gates[t].clamp_(-ctx.clip, ctx.clip)
            d_c.mul_(f[t])
            if peephole is not None:
                d_c.addcmul_(d_i, peephole[0]).addcmul_(d_f, peephole[1])
            if d_low is not d_gates:
                d_low[t] = d_gates[t]
            d_s = multiply(d_low[t]).to(gates.dtype)

        d_recurrent = (s_low[:-1].flatten(0, 1).t() @ d_low.flatten(0, 1)).to(gates.dtype)
        d_peephole = d_to_window = d_bias = None
        if peephole is not None:
            d_i, d_f, _, d_o = d_gates.split(n, dim=-1)  # type: ignore[no-untyped-call]
            d_peephole = torch.stack(
                [(d_i * c[:-1]).sum((0, 1)), (d_f * c[:-1]).sum((0, 1)), (d_o * c[1:]).sum((0, 1))]
            )
        if to_window is not None:
            flat = d_shape.flatten(0, 1)
            d_to_window = s[1:, :, a:].flatten(0, 1).t() @ flat
            d_bias = flat.sum(0)
        return (d_low, d_recurrent, d_peephole, d_to_window, d_bias, *[None] * 8)


def _multiplier(weight: Tensor, rows: int) -> Callable[[Tensor], Tensor]:
    """x (rows, n) -> x @ weight, for a weight that many x are multiplied with.

    On a processor that knows bf16, oneDNN lays such a weight out anew for each product, which takes
    as long as the product itself; so it is laid out once here.
    """
    packs = weight.device.type == "cpu" and weight.dtype == torch.bfloat16
    if not packs or not _onednn_knows_bf16():
        return lambda x: x @ weight
    product = torch.ops.mkldnn._linear_pointwise
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.t().contiguous(), rows)
    return lambda x: product(x, packed, None, "none", [], "")


def _onednn_knows_bf16() -> bool:
    """Whether this processor's bf16 is oneDNN's; without AVX-512, PyTorch multiplies by itself."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _bells(kappa: Tensor, beta: Tensor, u: Tensor) -> Tensor:
    """exp(-beta (kappa - u)^2) of eq. 46: (lines, windows) and (length,) -> all three.

    What is less than exp(`LEAST_LOG`) counts as that: where results are subnormal, exp takes
    eighteen times as long.
    """
    distance = kappa[..., None] - u
    return (distance * distance * -beta[..., None]).clamp_(min=LEAST_LOG).exp_()


def _window_backward(
    d_phi: Tensor, d_kappa: Tensor, kappa: Tensor, shape: Tensor, u: Tensor, out: Tensor
) -> Tensor:
    """Eqs. 46-51 backwards: fills `out` (lines, 3 windows), returns the new d_kappa."""
    alpha, beta, pace = shape.chunk(3, dim=-1)
    distance = kappa[..., None] - u
    by_bell = _bells(kappa, beta, u) * d_phi[:, None]
    by_distance = by_bell * distance
    d_alpha_hat = alpha * by_bell.sum(-1)
    d_beta_hat = -beta * alpha * (by_distance * distance).sum(-1)
    d_kappa = d_kappa - 2 * alpha * beta * by_distance.sum(-1)
    torch.cat([d_alpha_hat, d_beta_hat, d_kappa * pace], dim=-1, out=out)
    return d_kappa


class Layer(nn.Module):
    """One layer of LSTM cells (eqs. 7-11); the first layer of a synthesis network has a window."""

    def __init__(self, n_inputs: int, config: NetworkConfig, *, window: bool) -> None:
        super().__init__()
        n, self.n_window = config.cells, len(config.alphabet) if window else 0
        spread = n**-0.5
        self.input = nn.Parameter(torch.empty(n_inputs, 4 * n).uniform_(-spread, spread))
        self.recurrent = nn.Parameter(
            torch.empty(self.n_window + n, 4 * n).uniform_(-spread, spread)
        )
        self.bias = nn.Parameter(torch.zeros(4 * n))
        self.peephole = nn.Parameter(torch.zeros(3, n)) if config.peepholes else None
        self.to_window: nn.Parameter | None = None
        self.window_bias: nn.Parameter | None = None
        with torch.no_grad():
            self.bias[n : 2 * n] = config.forget_bias
        if window:
            k = config.windows
            self.to_window = nn.Parameter(torch.empty(n, 3 * k).uniform_(-spread, spread))
            self.window_bias = nn.Parameter(torch.zeros(3 * k))
            with torch.no_grad():
                self.window_bias[2 * k :] = math.log(config.initial_pace)

    def forward(
        self, x: Tensor, text: Text | None, before: CellState, window: Tensor, kappa: Tensor,
        clip: float,
    ) -> tuple[Tensor, Tensor, Tensor, CellState, Tensor]:  # fmt: skip
        """x (steps, lines, inputs) -> hidden, window, phi (steps, lines, ...), last states."""
        if self.to_window is None and self.peephole is None and not clip:
            hidden, last = self._library(x, before)
            return hidden, x[..., :0], x[..., :0], last, kappa
        low = torch.get_autocast_dtype(x.device.type) if _autocasts(x) else x.dtype
        codes, mask = text if text and self.n_window else (None, None)
        hidden, w, phi, cell, last_kappa = _Recurrence.apply(  # type: ignore[no-untyped-call]
            F.linear(x, self.input.t(), self.bias), self.recurrent, self.peephole,
            self.to_window, self.window_bias, codes, mask,
            before.hidden, before.cell, window if self.n_window else window[:, :0],
            kappa if self.n_window else kappa[:, :0], clip, low,
        )  # fmt: skip
        last_kappa = last_kappa if self.n_window else kappa
        return hidden, w, phi, CellState(hidden[-1], cell), last_kappa

    def _library(self, x: Tensor, before: CellState) -> tuple[Tensor, CellState]:
        """The same layer by PyTorch's own LSTM, which knows no peepholes, windows or clips."""
        weights = [self.input.t(), self.recurrent.t(), self.bias, torch.zeros_like(self.bias)]
        if _autocasts(x):
            low = torch.get_autocast_dtype(x.device.type)
            x, before = x.to(low), CellState(before.hidden.to(low), before.cell.to(low))
            weights = [w.to(low) for w in weights]
        hidden, h, c = torch.lstm(
            x, (before.hidden[None], before.cell[None]), weights, True, 1, 0.0, self.training,
            False, False,
        )  # fmt: skip
        full = self.input.dtype
        return hidden.to(full), CellState(h[0].to(full), c[0].to(full))


def _autocasts(x: Tensor) -> bool:
    return torch.is_autocast_enabled(x.device.type)


class Network(nn.Module):
    """Stacked layers with skip connections (eqs. 52-53): the prediction or synthesis network.

    Every layer sees the input, and the window where there is one; the outputs see every layer.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        n, a = config.cells, len(config.alphabet)
        self.layers = nn.ModuleList(
            Layer(
                config.n_inputs + (a + n if above else 0),
                config,
                window=config.reads_text and not above,
            )
            for above in range(config.layers)
        )
        self.output = nn.Linear(config.layers * n, config.n_outputs)
        if config.end_token:
            with torch.no_grad():
                self.output.bias[-3:] = torch.tensor(PEN_RATES).log()

    def start(self, lines: int) -> State:
        """The state before the first step: all zero."""
        zeros = self.output.weight.new_zeros
        cell = CellState(zeros(lines, self.config.cells), zeros(lines, self.config.cells))
        k = self.config.windows if self.config.reads_text else 0
        return State((cell,) * self.config.layers, zeros(lines, len(self.config.alphabet)),
                     zeros(lines, k))  # fmt: skip

    def forward(
        self, steps: Tensor, text: Text | None = None, state: State | None = None,
        clip: float = 0.0, clip_outputs: float = 0.0,
    ) -> tuple[Mixture, Tensor, State]:  # fmt: skip
        """steps (steps, lines, n_inputs), the text to write -> what comes next, phi, last state.

        phi (steps, lines, length) is the weight that the window gave each character (eq. 46).
        With `clip`, derivatives at the gates are bounded to [-clip, clip] as in section 2.1;
        with `clip_outputs`, those at the output vector, before eqs. 18-22, as in section 4.2.
        Raises ValueError where a synthesis network has no text.
        """
        if self.config.reads_text and text is None:
            raise ValueError("a synthesis network needs the text to write")
        state = state or self.start(steps.shape[1])
        first, *rest = self.layers
        hidden, window, phi, last, kappa = first(
            steps, text, state.layers[0], state.window, state.kappa, clip
        )
        hiddens, cells = [hidden], [last]
        for layer, before in zip(rest, state.layers[1:], strict=True):
            below = torch.cat([steps, window, hiddens[-1]], dim=-1)
            hidden, _, _, last, _ = layer(below, None, before, state.window, state.kappa, clip)
            hiddens.append(hidden)
            cells.append(last)
        outputs = self.output(torch.cat(hiddens, dim=-1))
        if clip_outputs and outputs.requires_grad:
            outputs.register_hook(lambda d: d.clamp(-clip_outputs, clip_outputs))
        last_window = window[-1] if self.config.reads_text else state.window
        return mixture(outputs, self.config), phi, State(tuple(cells), last_window, kappa)


def one_hot(texts: Sequence[str], alphabet: str, *, beyond: bool = False) -> Text:
    """The texts as one-hot characters, padded to the longest with zeros.

    `beyond` adds one more place after each text, with no character in it: where the window
    goes when the text is written (section 5.3).
    Raises ValueError for a character that the alphabet lacks.
    """
    index = {character: i for i, character in enumerate(alphabet)}
    length = max(map(len, texts)) + beyond
    codes = torch.zeros(len(texts), length, len(alphabet))
    mask = torch.zeros(len(texts), length)
    for line, text in enumerate(texts):
        mask[line, : len(text) + beyond] = 1.0
        for place, character in enumerate(text):
            if character not in index:
                raise ValueError(f"{character!r} is not in the alphabet {alphabet!r}")
            codes[line, place, index[character]] = 1.0
    return Text(codes, mask)


def seeing_height(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameters of a network without `height` as those of one with it, which does the same."""
    return {
        name: torch.cat([value[:N_STEP], value.new_zeros(1, value.shape[1]), value[N_STEP:]])
        if name.endswith(".input")
        else value
        for name, value in parameters.items()
    }


def n_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
