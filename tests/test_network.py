"""The paper's equations, each held against something that was written another way."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from handwriter.training.network import (
    Mixture,
    Network,
    NetworkConfig,
    Text,
    _multiplier,
    _Recurrence,
    log_density,
    log_pen,
    mixture,
    n_parameters,
    nats,
    one_hot,
)

ALPHABET = "abc "


def tiny(**options: object) -> NetworkConfig:
    settings = {"alphabet": ALPHABET, "layers": 2, "cells": 5, "mixtures": 3, "windows": 2}
    return NetworkConfig(**{**settings, "initial_pace": 0.3, **options})


def network(config: NetworkConfig, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    made = Network(config).double()
    for parameter in made.parameters():
        with torch.no_grad():
            parameter += 0.3 * torch.randn_like(parameter)
    return made


def batch(lines: int = 2, steps: int = 7) -> tuple[torch.Tensor, Text]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(steps, lines, 3, dtype=torch.double, generator=generator)
    text = one_hot(["ab c", "ca"][:lines], ALPHABET)
    return x, Text(text.one_hot.double(), text.mask.double())


def naive(net: Network, x: torch.Tensor, text: Text | None) -> tuple[torch.Tensor, list]:
    """Eqs. 7-11 and 46-53 for one line, gate by gate, in NumPy; returns outputs and phi."""
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    p = {name: value.detach().numpy() for name, value in net.named_parameters()}
    n, a = net.config.cells, len(net.config.alphabet)
    h = [np.zeros(n) for _ in net.layers]
    c = [np.zeros(n) for _ in net.layers]
    w, kappa = np.zeros(a), np.zeros(net.config.windows)
    codes = text.one_hot[0].numpy() if text else None
    outputs, phis = [], []
    for x_t in x[:, 0].numpy():
        for layer in range(net.config.layers):
            get = lambda name, layer=layer: p.get(f"layers.{layer}.{name}")  # noqa: E731
            below = [x_t, w, h[layer - 1]] if layer else [x_t]
            before = [w, h[0]] if layer == 0 else [h[layer]]
            net_input = (
                np.concatenate(below) @ get("input")
                + np.concatenate(before) @ get("recurrent")
                + get("bias")
            )
            i, f, g, o = np.split(net_input, 4)
            peep = get("peephole") if net.config.peepholes else np.zeros((3, n))
            i = sigmoid(i + peep[0] * c[layer])  # eq. 7
            f = sigmoid(f + peep[1] * c[layer])  # eq. 8
            c[layer] = f * c[layer] + i * np.tanh(g)  # eq. 9
            o = sigmoid(o + peep[2] * c[layer])  # eq. 10
            h[layer] = o * np.tanh(c[layer])  # eq. 11
            if layer == 0 and text:
                hats = h[0] @ get("to_window") + get("window_bias")
                alpha, beta, step = np.exp(np.split(hats, 3))  # eqs. 48-50
                kappa = kappa + step  # eq. 51
                bells = list(zip(alpha, beta, kappa, strict=True))
                phi = np.array(
                    [
                        sum(al * math.exp(-b * (k - u) ** 2) for al, b, k in bells)
                        for u in range(1, len(codes) + 1)
                    ]
                )  # eq. 46
                w = phi @ codes  # eq. 47
                phis.append(phi)
        outputs.append(np.concatenate(h) @ p["output.weight"].T + p["output.bias"])
    return torch.tensor(np.array(outputs)), phis


@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize("alphabet", [ALPHABET, ""])
def test_the_network_is_the_naive_loop_over_the_equations(peepholes, alphabet):
    net = network(tiny(peepholes=peepholes, alphabet=alphabet))
    x, text = batch(lines=1)
    text = text if alphabet else None
    y, phi, _ = net(x, text)
    outputs, phis = naive(net, x, text)
    expected = mixture(outputs, net.config)
    for ours, theirs in zip(y, expected, strict=True):
        torch.testing.assert_close(ours[:, 0], theirs, atol=1e-5, rtol=1e-5)
    if alphabet:
        np.testing.assert_allclose(phi[:, 0].detach().numpy(), np.array(phis), atol=1e-10)


@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize("window", [True, False])
def test_gradients_are_those_of_finite_differences(peepholes, window):
    torch.manual_seed(3)
    steps, lines, n, k, a = 4, 2, 3, 2, len(ALPHABET) if window else 0
    real = lambda *shape: torch.randn(*shape, dtype=torch.double, requires_grad=True)  # noqa: E731
    codes, mask = batch()[1] if window else (None, None)
    fixed = [torch.zeros(lines, size, dtype=torch.double) for size in (n, n, a, k if window else 0)]

    def run(gates, recurrent, peephole, to_window, bias):
        outputs = _Recurrence.apply(
            gates, recurrent, peephole, to_window, bias, codes, mask, *fixed, 0.0, torch.double
        )
        return outputs[:3]

    arguments = (
        real(steps, lines, 4 * n),
        real(a + n, 4 * n),
        real(3, n) if peepholes else None,
        real(n, 3 * k) if window else None,
        real(3 * k) if window else None,
    )
    # gates are float32 inside: double in, double kept
    assert torch.autograd.gradcheck(run, arguments, eps=1e-6, atol=1e-5)


def test_peepholes_of_zero_change_nothing_so_both_code_paths_agree():
    with_peepholes, without = network(tiny()), network(tiny(peepholes=False))
    state = with_peepholes.state_dict()
    without.load_state_dict({k: v for k, v in state.items() if "peephole" not in k})
    for layer in with_peepholes.layers:
        torch.nn.init.zeros_(layer.peephole)
    x, text = batch()
    losses = []
    for net in (with_peepholes, without):
        y, _, _ = net(x, text)
        loss = nats(x[..., :2], (x[..., 2] > 0).long(), y).sum()
        loss.backward()
        losses.append(loss)
    torch.testing.assert_close(losses[0], losses[1])
    grads = dict(with_peepholes.named_parameters())
    for name, parameter in without.named_parameters():
        torch.testing.assert_close(parameter.grad, grads[name].grad, atol=1e-5, rtol=1e-4)


def test_step_by_step_equals_the_whole_sequence():
    net = network(tiny())
    x, text = batch()
    whole, phi, last = net(x, text)
    state, parts = None, []
    for t in range(len(x)):
        y, one_phi, state = net(x[t : t + 1], text, state)
        parts.append(y.mu)
        torch.testing.assert_close(one_phi[0], phi[t])
    torch.testing.assert_close(torch.cat(parts), whole.mu)
    torch.testing.assert_close(state.kappa, last.kappa)
    torch.testing.assert_close(state.layers[1].cell, last.layers[1].cell)


def test_padding_a_batch_changes_no_loss():
    net = network(tiny())
    x, text = batch()
    together, _, _ = net(x, text)
    alone, _, _ = net(x[:5, 1:], Text(text.one_hot[1:, :2], text.mask[1:, :2]))
    torch.testing.assert_close(together.mu[:5, 1], alone.mu[:, 0])


def test_density_is_scipys():
    rng = np.random.default_rng(0)
    pi = rng.dirichlet(np.ones(4))
    mu, sigma = rng.normal(size=(4, 2)), np.exp(rng.normal(size=(4, 2)))
    rho_hat = rng.normal(size=4)
    y = Mixture(*map(torch.tensor, (np.log(pi), mu, np.log(sigma), rho_hat, np.zeros(1))))
    for xy in rng.normal(size=(20, 2)):
        expected = 0.0
        for k in range(4):
            off = np.tanh(rho_hat[k]) * sigma[k].prod()
            covariance = [[sigma[k, 0] ** 2, off], [off, sigma[k, 1] ** 2]]
            expected += pi[k] * multivariate_normal(mu[k], covariance).pdf(xy)
        assert log_density(torch.tensor(xy), y).item() == pytest.approx(math.log(expected))


def test_density_stays_finite_for_tiny_deviations_and_correlations_near_one():
    y = Mixture(
        torch.zeros(1), torch.zeros(1, 2), torch.full((1, 2), -12.0), torch.full((1,), 12.0),
        torch.zeros(1),
    )  # fmt: skip
    for parameter in y:
        parameter.requires_grad_()
    value = log_density(torch.tensor([1e-6, 1e-6]), y)
    value.backward()
    assert torch.isfinite(value)
    assert all(torch.isfinite(p.grad).all() for p in y[:4])


def test_pen_probabilities_sum_to_one():
    for logits, states in ((torch.randn(1), 2), (torch.randn(3), 3)):
        y = Mixture(*[torch.zeros(1)] * 4, pen=logits)
        total = sum(log_pen(torch.tensor(state), y).exp() for state in range(states))
        assert total.item() == pytest.approx(1.0)


def test_the_papers_networks_have_the_papers_size():
    synthesis = Network(NetworkConfig(alphabet="x" * 57))
    assert 3.6e6 < n_parameters(synthesis) < 3.8e6
    # section 4.2 gives about 3.4 million for each prediction network
    assert 3.3e6 < n_parameters(Network(NetworkConfig(layers=1, cells=900))) < 3.5e6
    assert 3.3e6 < n_parameters(Network(NetworkConfig())) < 3.5e6
    assert NetworkConfig().n_outputs == 121


def test_clipping_bounds_the_derivatives_at_the_gates():
    net = network(tiny(layers=1))
    x, text = batch()
    for clip in (0.0, 1e-3):
        net.zero_grad()
        y, _, _ = net(x, text, clip=clip)
        (1e3 * y.mu.sum()).backward()
        grad = net.layers[0].bias.grad.abs().max()
        assert (grad <= 1e-3 * x.shape[0] * x.shape[1] + 1e-12) == bool(clip)


def test_a_character_outside_the_alphabet_is_named():
    with pytest.raises(ValueError, match="'z'"):
        one_hot(["az"], ALPHABET)


def test_an_untrained_pen_lifts_and_ends_as_often_as_people_do():
    x, _ = batch(lines=1)
    y, _, _ = Network(tiny(end_token=True))(x.float(), one_hot(["ab c"], ALPHABET))
    down, lifts, ends = y.pen[0, 0].softmax(-1).tolist()
    assert down > 0.8
    assert 0.01 < lifts < 0.2
    assert ends < 0.03


@pytest.mark.parametrize("options", [{}, {"peepholes": False, "end_token": True}])
def test_the_whole_networks_gradient_is_that_of_finite_differences(options):
    net = network(tiny(**options))
    x, text = batch()
    pen = torch.randint(0, net.output.out_features - 6 * net.config.mixtures, x.shape[:2])

    def loss() -> torch.Tensor:
        y, _, _ = net(x, text)
        return nats(x[..., :2], pen, y).sum()

    loss().backward()
    torch.manual_seed(5)
    direction = [torch.randn_like(p) for p in net.parameters()]
    slope = sum((p.grad * d).sum() for p, d in zip(net.parameters(), direction, strict=True))
    size, values = 1e-5, []
    with torch.no_grad():
        for shift in (size, -2 * size):
            for parameter, d in zip(net.parameters(), direction, strict=True):
                parameter += shift * d
            values.append(loss())
    assert ((values[0] - values[1]) / (2 * size)).item() == pytest.approx(slope.item(), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 7, 32])
def test_a_weight_laid_out_once_multiplies_as_it_did_before(dtype, rows):
    generator = torch.Generator().manual_seed(rows)
    weight = torch.randn(33, 40, generator=generator).to(dtype)
    x = torch.randn(rows, 33, generator=generator).to(dtype)
    for given in (weight, weight.t().contiguous().t()):
        found = _multiplier(given, rows)(x)
        assert found.dtype == dtype
        torch.testing.assert_close(found.float(), x.float() @ weight.float(), rtol=1e-2, atol=0.05)


def test_in_bf16_loss_and_gradients_are_those_of_fp32_but_for_rounding():
    torch.manual_seed(3)
    network = Network(NetworkConfig("abc ", layers=2, cells=32, mixtures=2, windows=2,
                                    peepholes=False, initial_pace=0.2))  # fmt: skip
    steps, text = torch.randn(20, 3, 3), one_hot(["abc", "ca b", "b"], "abc ")
    gradients = []
    for enabled in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            y, _, _ = network(steps, text)
        nats(steps[..., :2], torch.zeros(20, 3, dtype=torch.long), y).mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    full, low = gradients
    assert (full - low).norm() < 0.02 * full.norm()
