"""The optimizers: AdamW from PyTorch, Muon, and the paper's own form of RMSProp.

A run may need two at once, since Muon is for matrices alone; what is said here of optimizers is
said of all that a run has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from handwriter.training.recipe import TrainingConfig

NARROW = 64  # rows or columns: a matrix with fewer is not for Muon


class GravesRMSProp(torch.optim.Optimizer):
    """RMSProp as in eqs. 38-45: centred, with momentum, and epsilon *inside* the root.

    PyTorch's own adds its epsilon outside the root, which is another step where the gradient
    hardly varies.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-4,
        decay: float = 0.95,
        momentum: float = 0.9,
        epsilon: float = 1e-4,
    ) -> None:
        super().__init__(
            parameters, {"lr": lr, "decay": decay, "momentum": momentum, "epsilon": epsilon}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            decay, momentum = group["decay"], group["momentum"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                state = self.state[w]
                if not state:
                    state.update({name: torch.zeros_like(w) for name in ("n", "g", "delta")})
                n, g, delta = state["n"], state["g"], state["delta"]
                n.mul_(decay).addcmul_(w.grad, w.grad, value=1 - decay)  # eq. 38
                g.mul_(decay).add_(w.grad, alpha=1 - decay)  # eq. 39
                scale = (n - g * g + group["epsilon"]).sqrt()
                delta.mul_(momentum).addcdiv_(w.grad, scale, value=-group["lr"])  # eq. 40
                w.add_(delta)  # eq. 41


class Muon(torch.optim.Optimizer):
    """Momentum that is made orthogonal, so that no direction of a matrix is left behind.

    Jordan et al. (2024), with Nesterov's momentum, and updates as long as Adam's usually are (Liu
    et al. 2025), so that both take the same rate.  PyTorch's own multiplies in bf16 on every
    processor; where that is not native it takes three times as long as the gradients do.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                state = self.state[w]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(w)
                mean = state["momentum_buffer"].lerp_(w.grad, 1 - momentum)
                way = orthogonal(w.grad.lerp(mean, momentum))
                w.mul_(1 - lr * group["weight_decay"])
                w.add_(way, alpha=-lr * 0.2 * math.sqrt(max(w.shape)))


def orthogonal(g: Tensor) -> Tensor:
    """About U V^T of a matrix U S V^T: its singular values brought near 1, but for the smallest.

    Five steps X <- (a + b X X^T + c (X X^T)^2) X of Newton and Schulz, by Jordan's coefficients,
    which raise small values fast.  The steps are polynomials of X X^T, so they are worked out on
    that small square matrix, and X is multiplied once.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.T if g.shape[0] > g.shape[1] else g
    x = x / x.norm().clamp(min=1e-7)
    gram = x @ x.T
    product = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(5):
        step = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        step.diagonal().add_(a)
        gram = step @ gram @ step
        product = step @ product
    way: Tensor = product @ x
    return way.T if g.shape[0] > g.shape[1] else way


def make_optimizers(
    parameters: Iterable[Parameter], training: TrainingConfig
) -> list[torch.optim.Optimizer]:
    """What a recipe asks for; each weight belongs to one of them.

    Narrow matrices and vectors, which have no directions to lose, are not for Muon but for Adam.
    """
    every = list(parameters)
    if training.optimizer == "rmsprop":
        return [GravesRMSProp(every, lr=training.learning_rate)]
    rate, decay = training.learning_rate, training.weight_decay
    wide = [w for w in every if training.optimizer == "muon" and _is_wide(w)]
    chosen = {id(w) for w in wide}
    rest = [w for w in every if id(w) not in chosen]
    found: list[torch.optim.Optimizer] = []
    if wide:
        found.append(Muon(wide, lr=rate, weight_decay=decay))
    if rest:
        found.append(torch.optim.AdamW(rest, lr=rate, weight_decay=decay))
    return found


def _is_wide(w: Parameter) -> bool:
    return w.ndim == 2 and min(w.shape) >= NARROW


def learning_rate(update: int, total: int, training: TrainingConfig) -> float:
    """The rate of update number `update` (from 0) of `total`: warm-up, then the schedule."""
    rate = training.learning_rate * min(1.0, (update + 1) / max(1, training.warmup))
    if training.schedule == "constant":
        return rate
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, update / max(1, total))))


def optimizer_tensors(optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """The optimizers' state as named tensors, "optimizer number/parameter number/name"."""
    return {
        f"{which}/{number}/{name}": value
        for which, optimizer in enumerate(optimizers)
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
    }


def restore_optimizers(
    optimizers: Sequence[torch.optim.Optimizer], tensors: dict[str, Tensor]
) -> None:
    """The inverse of `optimizer_tensors`."""
    states: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimizers]
    for key, value in tensors.items():
        which, number, name = key.split("/")
        states[int(which)].setdefault(int(number), {})[name] = value
    for optimizer, state in zip(optimizers, states, strict=True):
        optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
