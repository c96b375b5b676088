"""The picture of what the network thought shows the distributions that it drew from."""

from io import BytesIO

import numpy as np
import pytest
import tiny_hand
from PIL import Image
from scipy.stats import multivariate_normal

from handwriter.explain import densities, expected_mass, explain, heat
from handwriter.hand import Hand, Trace, load
from handwriter.training.batches import Scaling
from handwriter.training.network import Network
from handwriter.training.sample import sample


@pytest.fixture(scope="module")
def trace(tiny_hand: Hand) -> Trace:
    return tiny_hand.trace("  hello", seed=3, smoothness=0.5)


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def test_a_trace_becomes_the_same_png_each_time(tiny_hand, trace):
    png = explain(trace, tiny_hand.weights)
    assert png == explain(tiny_hand.trace("  hello", seed=3, smoothness=0.5), tiny_hand.weights)
    image = opened(png)
    image.load()
    assert image.mode == "RGB"
    assert image.text == {"Title": "  hello", "Hand": "tiny", "Licence": "CC0"}


@pytest.mark.parametrize("text", ["a", ".", "a" * 45, "'\"\\<&"])
@pytest.mark.parametrize("smoothness", [0, 20])
def test_any_traced_text_can_be_explained(tiny_hand, text, smoothness):
    trace = tiny_hand.trace(text, seed=1, smoothness=smoothness)
    widths = {opened(explain(trace, tiny_hand.weights)).width}
    assert widths == {1584}


def test_a_hand_without_an_end_of_its_own_can_be_explained(tmp_path):
    path = tmp_path / "graves.onnx"
    path.write_bytes(tiny_hand.exported(tiny_hand.network(pen=(0.0,), end_token=False)))
    hand = load(str(path))
    trace = hand.trace("hello", seed=1)
    assert opened(explain(trace, hand.weights)).width
    assert (densities(trace, hand.weights).ends == 0).all()


def test_the_steps_follow_the_densities(tiny_hand):
    """Over many steps, as many points fall within one deviation as should."""
    traces = [tiny_hand.trace("a" * 45, seed=seed, smoothness=0) for seed in range(20)]
    within = []
    for trace in traces:
        expected = densities(trace, tiny_hand.weights)
        points = trace.written.points[:, None] - expected.centre
        xx, xy, yy = np.moveaxis(expected.covariance, -1, 0)
        x, y = np.moveaxis(points, -1, 0)
        distance = (yy * x**2 - 2 * xy * x * y + xx * y**2) / (xx * yy - xy**2)
        within.append((expected.weight * (distance < 1)).sum(-1))
        np.testing.assert_allclose(expected.weight.sum(-1), 1)
        assert ((expected.lifts + expected.ends) < 1).all()
    steps = np.concatenate(within)
    assert len(steps) > 1000
    # 39 % of a normal distribution in the plane lies within one deviation; a step came from one
    # component, and lies by chance within one of the other as well.
    assert 0.2 < steps.mean() < 0.5


def test_the_densities_are_sharpened_by_the_smoothness(tiny_hand):
    plain, smooth = (
        densities(tiny_hand.trace("hello", seed=1, smoothness=b), tiny_hand.weights) for b in (0, 2)
    )
    ratio = smooth.covariance[0, :, 0] / plain.covariance[0, :, 0]
    np.testing.assert_allclose(ratio, np.exp(-4), rtol=1e-6)  # eq. 61: deviations by e^b
    expected = plain.weight[0] ** 3 / (plain.weight[0] ** 3).sum()  # eq. 62: 1 + b is 3
    np.testing.assert_allclose(smooth.weight[0], expected, rtol=1e-6)
    assert smooth.lifts[0] == plain.lifts[0]


@pytest.mark.parametrize("spread", [0.4, 3.0, 30.0])
def test_heat_is_the_normal_distribution(spread):
    centre, rho = np.array([133.3, 97.8]), 0.6
    covariance = spread**2 * np.array([1.0, rho * 0.8, 0.64])
    mass = heat(np.array([2.0]), centre[None], covariance[None], (200, 260))
    pixel = np.eye(2) / 12
    square = covariance[[0, 1, 1, 2]].reshape(2, 2) + pixel
    x, y = np.meshgrid(np.arange(260) + 0.5, np.arange(200) + 0.5)
    true = 2 * multivariate_normal(centre, square).pdf(np.stack([x, y], -1))
    assert np.abs(mass - true).max() < 0.05 * true.max()
    assert mass.sum() == pytest.approx(2, rel=0.05)
    ys, xs = np.average(np.mgrid[:200, :260] + 0.5, axis=(1, 2), weights=np.stack([mass, mass]))
    np.testing.assert_allclose([xs, ys], centre, atol=max(0.05 * spread, 0.1))


def test_heat_outside_the_picture_is_left_out():
    centre = np.array([[-50.0, 5.0], [5.0, 1e9], [0.0, 5.0]])
    mass = heat(np.ones(3), centre, np.tile([1.0, 0.0, 1.0], (3, 1)), (10, 10))
    assert mass.sum() == pytest.approx(0.5, rel=0.02)


def test_densities_wider_than_the_picture_still_end():
    mass = heat(np.ones(1), np.zeros((1, 2)), np.array([[1e12, 0.0, 1e12]]), (20, 300))
    assert np.isfinite(mass).all()


def test_the_heat_lies_where_the_ink_is(tiny_hand, trace):
    """Leading blanks and all: (a) and (b) show the same place."""
    smooth = tiny_hand.trace("   hello", seed=3, smoothness=4)
    left, top, right, bottom = smooth.written.bounds
    expected = densities(smooth, tiny_hand.weights)
    scale = 20.0
    shape = (round((bottom - top + 2) * scale), round((right - left + 2) * scale))
    mass = expected_mass(expected, np.array([left - 1, top - 1]), scale, shape)
    assert mass.sum() == pytest.approx(len(smooth.steps), rel=0.05)


def test_the_ink_follows_the_densities_in_the_hands_own_unit(tiny_hand):
    """At the highest smoothness the reference sampler draws nothing but the components' means."""
    scaling = Scaling((0.3, 0.01), (0.5, 0.8))
    ((ink, _),) = sample(
        invented_network(), scaling, ["hello"], smoothness=20.0, seed=1, max_steps=5
    )
    expected = densities(tiny_hand.trace("hello", seed=1, smoothness=20.0), tiny_hand.weights)
    nearest = np.abs(expected.centre[0] - ink.points[0]).sum(-1).min()
    assert nearest < 0.02


def invented_network() -> Network:
    return tiny_hand.network()
