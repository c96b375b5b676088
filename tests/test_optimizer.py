"""The optimizers: the paper's RMSProp against its equations, what goes to Muon, rates, state."""

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from handwriter.training.optimizer import (
    GravesRMSProp,
    learning_rate,
    make_optimizers,
    optimizer_tensors,
    orthogonal,
    restore_optimizers,
)
from handwriter.training.recipe import TrainingConfig

RMSPROP = TrainingConfig(optimizer="rmsprop", learning_rate=1e-4)
ADAM = TrainingConfig(optimizer="adam", learning_rate=1e-3, weight_decay=0.01)
MUON = TrainingConfig(optimizer="muon", learning_rate=1e-3, weight_decay=0.01)


def gradients(n=20, size=5):
    return np.random.default_rng(0).normal(0.3, 1.0, (n, size))


def updated(weights, optimizer, some_gradients):
    for gradient in some_gradients:
        weights.grad = torch.tensor(gradient)
        optimizer.step()
    return weights.detach().numpy()


def naive_rmsprop(w, some_gradients, rate):
    """Eqs. 38-45 of Graves (2013), one weight at a time."""
    w = [float(value) for value in w]
    for i in range(len(w)):
        n = g = delta = 0.0
        for epsilon in some_gradients[:, i]:
            n = 0.95 * n + (1 - 0.95) * epsilon**2  # eqs. 38 and 42
            g = 0.95 * g + (1 - 0.95) * epsilon  # eqs. 39 and 43
            delta = 0.9 * delta - rate * epsilon / (n - g**2 + 1e-4) ** 0.5  # eqs. 40, 44 and 45
            w[i] += delta  # eq. 41
    return w


def test_rmsprop_is_the_papers_loop():
    weights = Parameter(torch.ones(5, dtype=torch.double))
    ours = updated(weights, GravesRMSProp([weights], lr=1e-4), gradients())
    np.testing.assert_allclose(ours, naive_rmsprop(np.ones(5), gradients(), 1e-4), rtol=1e-12)


def test_rmsprop_is_not_that_of_pytorch():
    some_gradients = 0.01 * np.ones((20, 5))  # they do not vary: what epsilon does, shows
    ours, theirs = (Parameter(torch.ones(5, dtype=torch.double)) for _ in range(2))
    other = torch.optim.RMSprop(
        [theirs], lr=1e-4, alpha=0.95, eps=1e-4, momentum=0.9, centered=True
    )
    updated(ours, GravesRMSProp([ours], lr=1e-4), some_gradients)
    updated(theirs, other, some_gradients)
    assert (ours - theirs).abs().max() > 1e-3


def test_rmsprop_leaves_weights_without_a_gradient_alone():
    used, unused = Parameter(torch.ones(2)), Parameter(torch.ones(2))
    optimizer = GravesRMSProp([used, unused])
    used.grad = torch.ones(2)
    optimizer.step()
    assert (used != 1).all()
    assert (unused == 1).all()


def some_weights():
    """A wide matrix, a narrow one and a vector, each with a gradient that favours one direction."""
    rng = np.random.default_rng(1)
    shapes = (64, 96), (3, 96), (96,)
    weights = [Parameter(torch.zeros(shape, dtype=torch.double)) for shape in shapes]
    for w in weights:
        lengthened = rng.normal(size=w.shape) * np.geomspace(1, 10, w.shape[-1])
        w.grad = torch.tensor(lengthened)
    return weights


def step_all(weights, optimizers, n=1):
    for _ in range(n):
        for optimizer in optimizers:
            optimizer.step()
    return weights


def test_muon_moves_a_wide_matrix_alike_in_every_direction():
    (wide, _, _) = step_all(weights := some_weights(), make_optimizers(weights, MUON))
    strengths = torch.linalg.svdvals(wide.detach())
    assert strengths.max() < 2 * strengths.min()
    before = torch.linalg.svdvals(wide.grad)
    assert before.max() > 5 * before.min()


def test_muon_goes_where_pytorchs_own_goes_up_to_the_rounding_of_bf16():
    (ours, *_) = weights = some_weights()
    theirs = Parameter(ours.detach().clone().float())
    optimizers = make_optimizers(weights, MUON)
    other = torch.optim.Muon([theirs], 1e-3, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    rng = np.random.default_rng(2)
    for _ in range(4):
        ours.grad = torch.tensor(rng.normal(size=ours.shape))
        theirs.grad = ours.grad.float()
        step_all([], [*optimizers, other])
    assert (ours - theirs).norm() < 0.03 * ours.norm()


@pytest.mark.parametrize("shape", [(400, 400), (1600, 400), (121, 1200)])
def test_orthogonal_keeps_directions_and_levels_their_strengths(shape):
    g = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    u, _, v = torch.linalg.svd(g, full_matrices=False)
    strengths = torch.diagonal(u.T @ orthogonal(g) @ v.T)
    assert strengths.max() < 1.21
    assert strengths.quantile(0.05) > 0.6
    assert (orthogonal(g) - u @ torch.diag(strengths) @ v).norm() < 1e-3 * strengths.norm()


def test_muon_leaves_narrow_matrices_and_vectors_to_adam():
    _, *ours = step_all(weights := some_weights(), make_optimizers(weights, MUON))
    _, *theirs = step_all(weights := some_weights(), make_optimizers(weights, ADAM))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_muon_moves_a_matrix_as_far_as_adam_does():
    (ours, *_) = step_all(weights := some_weights(), make_optimizers(weights, MUON))
    (theirs, *_) = step_all(weights := some_weights(), make_optimizers(weights, ADAM))
    assert 0.1 < float((ours.norm() / theirs.norm()).detach()) < 1


def test_where_nothing_is_wide_muon_is_adam():
    (only,) = make_optimizers([Parameter(torch.ones(5))], MUON)
    assert isinstance(only, torch.optim.AdamW)


@pytest.mark.parametrize("training", [RMSPROP, ADAM, MUON])
def test_restored_optimizers_go_on_as_if_never_stopped(training):
    never_stopped = some_weights()
    step_all(never_stopped, make_optimizers(never_stopped, training), 20)

    stopped = some_weights()
    first = make_optimizers(stopped, training)
    step_all(stopped, first, 7)
    tensors = {name: value.clone() for name, value in optimizer_tensors(first).items()}
    second = make_optimizers(stopped, training)
    restore_optimizers(second, tensors)
    step_all(stopped, second, 13)
    assert all(torch.equal(a, b) for a, b in zip(stopped, never_stopped, strict=True))


def test_the_rate_warms_up_in_even_steps():
    training = TrainingConfig(learning_rate=1.0, warmup=4, schedule="constant")
    rates = [learning_rate(update, 10, training) for update in range(10)]
    assert rates == [0.25, 0.5, 0.75, *[1.0] * 7]


def test_without_warm_up_the_papers_rate_is_constant():
    paper = TrainingConfig(learning_rate=1e-4, warmup=0, schedule="constant")
    assert {learning_rate(update, 10, paper) for update in range(20)} == {1e-4}


def test_the_cosine_falls_from_the_full_rate_to_zero():
    training = TrainingConfig(learning_rate=2.0, warmup=0, schedule="cosine")
    rates = [learning_rate(update, 100, training) for update in range(101)]
    assert rates[0] == 2.0
    assert rates[50] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0.0)
    assert rates == sorted(rates, reverse=True)
    assert learning_rate(150, 100, training) == pytest.approx(0.0)
