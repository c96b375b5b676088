"""The plain sampler: it always ends, repeats itself on request, and follows the distribution."""

import math

import numpy as np
import pytest
import tiny
import torch

from handwriter.training.batches import Scaling
from handwriter.training.network import Mixture, Network, NetworkConfig
from handwriter.training.sample import draw, sample, step_budget, step_noise

SCALING = Scaling((0.5, 0.0), (2.0, 1.0))
TEXTS = ["ab", "cab c"]


def network(pen=(0.0, 0.0, 0.0), **options):
    """A random network with these pen logits, whatever it has read."""
    torch.manual_seed(0)
    made = Network(tiny.recipe(options).network)
    n_pen = 3 if made.config.end_token else 1
    with torch.no_grad():
        made.output.weight[-n_pen:] = 0.0
        made.output.bias[-n_pen:] = torch.tensor(pen)[:n_pen]
    return made


def write(net, texts=TEXTS, smoothness=0.5, seed=1, max_steps=60):
    return sample(net, SCALING, texts, smoothness=smoothness, seed=seed, max_steps=max_steps)


def distribution(log_sigma=0.0, rho_hat=0.8, pi=(0.7, 0.3)):
    """Two components a long way apart, the same at every step."""
    return Mixture(
        log_pi=torch.tensor(pi).log(),
        mu=torch.tensor([[0.0, 0.0], [50.0, 0.0]]),
        log_sigma=torch.full((2, 2), log_sigma),
        rho_hat=torch.full((2,), rho_hat),
        pen=torch.tensor([0.6, 0.3, 0.1]).log(),
    )


def drawn(y, smoothness=0.0, steps=40, lines=500):
    """Steps drawn one after the other from one distribution, (steps, lines, 3)."""
    config = NetworkConfig(mixtures=len(y.log_pi), end_token=y.pen.shape[-1] == 3)
    noise = torch.from_numpy(step_noise(np.random.default_rng(0), config, steps, lines))
    many = Mixture(*(part.expand(lines, *part.shape) for part in y))
    urge, each = torch.zeros(lines), []
    for row in noise:
        step, urge = draw(many, smoothness, row, urge)
        each.append(step.numpy())
    return np.array(each)


def stroke_lengths(steps):
    """How many steps each stroke takes that ends."""
    lifts = [np.flatnonzero(line > 0) for line in steps[..., 2].T]
    return np.concatenate([np.diff(at, prepend=-1) for at in lifts])


def test_writing_ends_with_the_networks_own_end():
    for ink, window in write(network(pen=(0.0, -9.0, 3.0))):
        assert 1 <= ink.n_points == len(window) < 60


def test_writing_ends_after_the_most_steps_at_the_latest():
    for ink, window in write(network(pen=(9.0, -9.0, -9.0), initial_pace=1e-3), max_steps=17):
        assert ink.n_points == len(window) == 17


def test_writing_ends_when_the_window_has_passed_the_text_and_the_pen_lifts():
    fast = network(pen=(-9.0, 9.0, -9.0), initial_pace=2.0)
    for text, (ink, window) in zip(TEXTS, write(fast), strict=True):
        assert ink.n_points < 60
        assert window.shape == (ink.n_points, len(text))


def test_same_seed_same_ink_another_seed_other_ink():
    net = network()
    (first, _), (again, _), (other, _) = (write(net, seed=s)[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(first.offsets, again.offsets)
    assert not np.array_equal(first.offsets[:1], other.offsets[:1])


def test_ink_is_in_line_units():
    """Mean and deviation of the scaling are undone: a network that draws 0 moves by the mean."""
    net = network(pen=(9.0, -9.0, -9.0), initial_pace=1e-3, mixtures=1)
    with torch.no_grad():
        net.output.weight.zero_()
        net.output.bias[:6] = torch.tensor([0.0, 0.0, 0.0, -20.0, -20.0, 0.0])
    ink, _ = write(net, ["ab"], max_steps=5)[0]
    np.testing.assert_allclose(ink.offsets[:, :2], [SCALING.mean] * 5, atol=1e-4)


@pytest.mark.parametrize("end_token", [True, False])
def test_a_prediction_network_writes_as_many_lines_as_it_is_given_texts(end_token):
    net = network(pen=(0.0, 0.0, -9.0), alphabet="", end_token=end_token)
    written = write(net, ["", "", ""], max_steps=12)
    assert [ink.n_points for ink, _ in written] == [12, 12, 12]
    assert [window.shape for _, window in written] == [(12, 0)] * 3


def test_draws_follow_the_mixture():
    steps = drawn(distribution()).reshape(-1, 3)
    near = steps[:, 0] < 25
    assert near.mean() == pytest.approx(0.7, abs=0.02)
    np.testing.assert_allclose(steps[near, :2].mean(0), 0, atol=0.05)
    np.testing.assert_allclose(steps[near, :2].std(0), 1, atol=0.05)
    correlation = np.corrcoef(steps[near, :2].T)[0, 1]
    assert correlation == pytest.approx(math.tanh(0.8), abs=0.02)


PEN = {  # logits of the same three probabilities, or of their first against the others
    True: torch.tensor([0.6, 0.3, 0.1]).log(),
    False: torch.tensor([math.log(0.4 / 0.6)]),
}


@pytest.mark.parametrize("end_token", [True, False])
def test_pen_states_follow_their_probabilities_with_no_smoothness(end_token):
    """Whatever the pen did before: at a stroke's first step as at any later one."""
    steps = drawn(distribution()._replace(pen=PEN[end_token]))
    expected = [0.6, 0.3, 0.1] if end_token else [0.6, 0.4, 0.0]
    lifted = steps[:-1, :, 2] > 0
    for part in (steps, steps[0], steps[1:][lifted], steps[1:][~lifted]):
        counts = np.bincount(part[..., 2].astype(int).ravel(), minlength=3)
        np.testing.assert_allclose(counts / counts.sum(), expected, atol=0.05)


def test_a_pen_that_lifts_ends_the_line_as_often_at_any_smoothness():
    counts = np.bincount(drawn(distribution(), 2.0)[..., 2].astype(int).ravel(), minlength=3)
    assert counts[2] / counts[1:].sum() == pytest.approx(0.25, abs=0.02)


def test_smoothness_brings_strokes_closer_to_their_median_length():
    """A pen that lifts at a step in fifty: geometric lengths, of which half are 35 or shorter."""
    seldom = distribution()._replace(pen=torch.tensor([math.log(0.02 / 0.98)]))
    lengths = {s: stroke_lengths(drawn(seldom, s, steps=1000, lines=100)) for s in (0, 1.5, 3)}
    assert lengths[0].mean() == pytest.approx(50, rel=0.1)
    for smoothness, some in lengths.items():
        assert np.median(some) == pytest.approx(35, abs=3), smoothness
    middles = {s: np.diff(np.quantile(some, [0.16, 0.84]))[0] for s, some in lengths.items()}
    assert middles[0] > 3 * middles[1.5] > 6 * middles[3] > 0


def test_a_stroke_goes_no_further_than_where_the_pen_surely_lifts():
    """Each stroke is a step long, or goes on with a chance of a thousandth: never when smooth."""
    sure = distribution()._replace(pen=torch.tensor([math.log(999)]))
    assert stroke_lengths(drawn(sure, 0.0)).max() > 1
    assert stroke_lengths(drawn(sure, 1.5)).max() == 1


def test_smoothness_divides_the_spread_by_e_to_it_and_sharpens_the_choice():
    plain, smooth = (drawn(distribution(), smoothness=s).reshape(-1, 3) for s in (0.0, 2.0))
    spreads = [steps[steps[:, 0] < 25, :2].std(0) for steps in (plain, smooth)]
    np.testing.assert_allclose(spreads[1] * math.exp(2.0), spreads[0], rtol=0.05)  # eq. 61
    share = 0.7**3 / (0.7**3 + 0.3**3)  # eq. 62
    assert (smooth[:, 0] < 25).mean() == pytest.approx(share, abs=0.02)


def test_the_step_budget_grows_with_the_text_and_shrinks_with_the_pace():
    assert step_budget("", 0.1) == 100
    assert step_budget("ab", 0.1) == 160
    assert step_budget("ab", 0.2) < step_budget("ab", 0.1) < step_budget("abc", 0.1)
