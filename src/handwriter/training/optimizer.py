"""The optimizers: AdamW from PyTorch, and the paper's own form of RMSProp."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from handwriter.training.recipe import TrainingConfig


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


def make_optimizer(
    parameters: Iterable[Parameter], training: TrainingConfig
) -> torch.optim.Optimizer:
    if training.optimizer == "rmsprop":
        return GravesRMSProp(parameters, lr=training.learning_rate)
    return torch.optim.AdamW(
        parameters, lr=training.learning_rate, weight_decay=training.weight_decay
    )


def learning_rate(update: int, total: int, training: TrainingConfig) -> float:
    """The rate of update number `update` (from 0) of `total`: warm-up, then the schedule."""
    rate = training.learning_rate * min(1.0, (update + 1) / max(1, training.warmup))
    if training.schedule == "constant":
        return rate
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, update / max(1, total))))


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's state as named tensors, "parameter number/name"."""
    return {
        f"{number}/{name}": value
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split("/")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
