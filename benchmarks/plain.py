"""The synthesis network as anyone would write it first, for the benchmarks to stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from handwriter.training.network import Mixture, NetworkConfig, Text, mixture, one_hot


class PlainState(NamedTuple):
    """Hidden and cell of each layer, the window's w and kappa."""

    layers: tuple[tuple[Tensor, Tensor], ...]
    window: Tensor
    kappa: Tensor


class PlainNetwork(nn.Module):
    """One loop over the steps, PyTorch's own cells, autograd; without peepholes."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        n, a = config.cells, len(config.alphabet)
        below = [3 + a] + [3 + a + n] * (config.layers - 1)
        self.cells = nn.ModuleList(nn.LSTMCell(n_inputs, n) for n_inputs in below)
        self.to_window = nn.Linear(n, 3 * config.windows)
        self.output = nn.Linear(config.layers * n, config.n_outputs)
        with torch.no_grad():
            self.to_window.bias[2 * config.windows :] -= 2.5  # a slow window, as ours begins

    def start(self, lines: int, device: torch.device) -> PlainState:
        zeros = torch.zeros(lines, self.config.cells, device=device)
        return PlainState(
            ((zeros, zeros),) * self.config.layers,
            torch.zeros(lines, len(self.config.alphabet), device=device),
            torch.zeros(lines, self.config.windows, device=device),
        )

    def step(self, step: Tensor, text: Text, state: PlainState) -> tuple[Tensor, PlainState]:
        """The output vector after one step of the pen (lines, 3), and the new state."""
        layers, (_, window, kappa) = list(state.layers), state
        hiddens: list[Tensor] = []
        for layer in range(self.config.layers):
            x = torch.cat([step, window, *hiddens[-1:]], -1)
            layers[layer] = self.cells[layer](x, layers[layer])
            hiddens.append(layers[layer][0])
            if layer == 0:
                alpha, beta, pace = self.to_window(hiddens[0]).exp().chunk(3, -1)
                kappa = kappa + pace
                u = torch.arange(1, text.mask.shape[1] + 1, device=step.device)
                bells = (-beta[..., None] * (kappa[..., None] - u) ** 2).exp()
                phi = (alpha[..., None] * bells).sum(1) * text.mask
                window = (phi[:, None] @ text.one_hot)[:, 0]
        outputs = self.output(torch.cat(hiddens, -1))
        return outputs, PlainState(tuple(layers), window, kappa)

    def forward(self, steps: Tensor, text: Text) -> tuple[Mixture, None, None]:
        """All steps (steps, lines, 3) in turn, for training."""
        state, outputs = self.start(steps.shape[1], steps.device), []
        for step in steps:
            output, state = self.step(step, text, state)
            outputs.append(output)
        return mixture(torch.stack(outputs), self.config), None, None

    @torch.no_grad()
    def write(self, texts: Sequence[str], steps: int, smoothness: float) -> Tensor:
        """So many steps of each text, (steps, lines, 3); there is no stopping rule."""
        text = one_hot(texts, self.config.alphabet, beyond=True)
        state, step, drawn = (
            self.start(len(texts), text.mask.device), torch.zeros(len(texts), 3), [],
        )  # fmt: skip
        for _ in range(steps):
            output, state = self.step(step, text, state)
            step = draw(mixture(output, self.config), smoothness)
            drawn.append(step)
        return torch.stack(drawn)


def draw(y: Mixture, smoothness: float) -> Tensor:
    """One step (lines, 3) from the distribution (eqs. 61-62)."""
    chosen = torch.multinomial((y.log_pi * (1 + smoothness)).softmax(-1), 1)
    pick = chosen[..., None].expand(-1, 1, 2)
    mu, log_sigma = y.mu.gather(1, pick)[:, 0], y.log_sigma.gather(1, pick)[:, 0]
    sigma, rho = (log_sigma - smoothness).exp(), y.rho_hat.gather(1, chosen).tanh()
    first, second = torch.randn(len(chosen), 2).split(1, -1)
    mixed = torch.cat([first, rho * first + (1 - rho**2).sqrt() * second], -1)
    pen = torch.multinomial(y.pen.softmax(-1), 1) if y.pen.shape[-1] == 3 else y.pen.sigmoid()
    return torch.cat([mu + sigma * mixed, (pen > 0.5).float()], -1)
