"""Writing with the torch network, step by step: the plain reference for the pen engine.

Slow and simple.  Training draws its sample pictures with it, and tests hold the exported
network against it, for the same noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from handwriter.ink import Ink
from handwriter.training.batches import Scaling
from handwriter.training.network import N_STEP, Mixture, Network, NetworkConfig, one_hot


def n_noise(config: NetworkConfig) -> int:
    """Random numbers that one step takes: for the component, the end and three normals."""
    return config.mixtures + (2 if config.end_token else 0) + 3


def step_noise(
    rng: np.random.Generator, config: NetworkConfig, steps: int, lines: int
) -> NDArray[np.float32]:
    """Noise for `steps` steps of `lines` lines, shape (steps, lines, `n_noise`).

    The largest of some logits, each with Gumbel noise, is drawn with their softmax's
    probabilities; so noise for the components comes first, and for a pen that lifts or ends the
    line, where the network says which.  Then come two normals for the offset and one for the urge.
    """
    gumbel = rng.gumbel(size=(steps, lines, n_noise(config) - 3))
    normal = rng.standard_normal((steps, lines, 3))
    return np.concatenate([gumbel, normal], -1).astype(np.float32)


def draw(y: Mixture, smoothness: float, noise: Tensor, urge: Tensor) -> tuple[Tensor, Tensor]:
    """One step (..., 3) from the distribution: dx, dy, pen state (0 down, 1 lifts, 2 ends).

    `smoothness` is the paper's bias b (eqs. 61-62): components are sharpened by 1 + b and
    deviations divided by e^b.  `noise` has shape (..., n_noise).  `urge` (...) is that to
    lift the pen so far, 0 where a stroke begins (`first_urge`); the second result is that after it.
    """
    m = y.log_pi.shape[-1]
    for_pi, for_end, normals = noise[..., :m], noise[..., m:-3], noise[..., -3:-1]
    chosen = (y.log_pi * (1 + smoothness) + for_pi).argmax(-1)  # eq. 62
    pick = chosen[..., None, None].expand(*chosen.shape, 1, 2)
    mu = y.mu.gather(-2, pick)[..., 0, :]
    sigma = (y.log_sigma.gather(-2, pick)[..., 0, :] - smoothness).exp()  # eq. 61
    rho_hat = y.rho_hat.gather(-1, chosen[..., None])[..., 0]
    first, second = normals.unbind(-1)
    # sqrt(1 - rho^2) is 1 / cosh(rho_hat), in which nothing cancels as rho nears 1.
    mixed = rho_hat.tanh() * first + second / rho_hat.cosh()
    x, below = mu[..., 0] + sigma[..., 0] * first, mu[..., 1] + sigma[..., 1] * mixed
    urge = torch.where(urge > 0, urge, first_urge(noise[..., -1], smoothness)) / stay_down(y)
    up = 1 + (y.pen[..., 1:] + for_end).argmax(-1) if for_end.shape[-1] else 1
    lifts = urge >= 1
    return torch.stack([x, below, (lifts * up).float()], -1), torch.where(lifts, 0.0, urge)


def stay_down(y: Mixture) -> Tensor:
    """The probability that the pen stays down, shape (...)."""
    if y.pen.shape[-1] == 1:  # the logit is of lifting against staying down
        return torch.sigmoid(-y.pen[..., 0])
    return y.pen.softmax(-1)[..., 0]


def first_urge(normal: Tensor, smoothness: float) -> Tensor:
    """The urge to lift the pen with which strokes begin, 0 to 1, from standard normals: any shape.

    Each step divides it by the probability that the pen stays down, and at 1 the pen lifts.  So a
    stroke ends where the probability that it is still going on, by the network, has fallen to
    this.  Were it uniform, each step would lift the pen with just the network's probability
    (inversion sampling).  It is uniform as the quantile of a standard normal, which gives
    smoothness a deviation to divide by e^b, as in eq. 61: then strokes end closer to the middle of
    where they may.  The paper leaves pen lifts to chance at any bias.  To sharpen each step's own
    probability would hold the pen down: the end of a stroke is spread over steps none of which is
    likely.
    """
    urge: Tensor = torch.special.ndtr(-normal * math.exp(-smoothness))
    return urge


@torch.no_grad()
def sample(
    network: Network, scaling: Scaling, texts: Sequence[str], *, smoothness: float, seed: int,
    max_steps: int,
) -> list[tuple[Ink, NDArray[np.float32]]]:  # fmt: skip
    """Write each text, or for a prediction network each of as many lines as there are texts.

    Returns the ink, in line units, and the window's weights (steps, characters), one pair a
    line.  A line ends with the network's own end, once the window has come to the last letters,
    with a lift when the window is past the text, or after `max_steps`; the pen engine asks a
    last sign for a stroke of its own besides.
    """
    device = network.output.weight.device
    alphabet = network.config.alphabet
    text = one_hot(texts, alphabet, beyond=True).to(device) if alphabet else None
    beyond = [len(text) for text in texts]
    noise = torch.from_numpy(
        step_noise(np.random.default_rng(seed), network.config, max_steps, len(texts))
    )
    step = torch.zeros(1, len(texts), network.config.n_inputs, device=device)
    urge = torch.zeros(1, len(texts), device=device)
    state, steps, windows = None, [], []
    done_at = [max_steps] * len(texts)
    for t in range(max_steps):
        y, phi, state = network(step, text, state)
        drawn, urge = draw(y, smoothness, noise[t].to(device)[None], urge)
        steps.append(drawn[0].cpu().numpy())
        windows.append(phi[0].cpu().numpy())
        for line, n_characters in enumerate(beyond):
            place = int(windows[-1][line].argmax()) if alphabet else n_characters
            if _ends(steps[-1][line, 2], place, n_characters) and t < done_at[line]:
                done_at[line] = t + 1
        if t + 1 >= max(done_at):
            break
        step = seen(drawn, step, scaling)
    return [
        (_ink(np.array([s[i] for s in steps[:end]]), scaling),
         np.array([w[i, : beyond[i]] for w in windows[:end]]))
        for i, end in enumerate(done_at)
    ]  # fmt: skip


def seen(drawn: Tensor, before: Tensor, scaling: Scaling) -> Tensor:
    """What the network reads after a step (..., 3) was drawn, and what it read before: (..., n)."""
    height = before[..., N_STEP:] + scaling.rise(drawn[..., 1:2])  # nothing where none is read
    return torch.cat([drawn[..., :2], (drawn[..., 2:] > 0).float(), height], -1)


def _ends(pen: float, place: int, n_characters: int) -> bool:
    """Whether a line of so many characters ends with this pen state, the window at `place`."""
    at_last_letters = place >= max(n_characters - 2, n_characters // 2)
    return bool((pen == 2 and at_last_letters) or (pen == 1 and place >= n_characters > 0))


def _ink(steps: NDArray[np.float32], scaling: Scaling) -> Ink:
    return Ink.from_offsets(np.column_stack([scaling.restore(steps[:, :2]), steps[:, 2] > 0]))


def step_budget(text: str, pace: float) -> int:
    """How many steps a text may take: thrice the true average, and a stretch for short ones."""
    return math.ceil(100 + 3 * len(text) / pace)
