"""Rounding: whole numbers in their range, and a product that notices less than of the nearest."""

import numpy as np
import pytest

from handwriter.training.rounding import rounded

MOST = 7


def made(n=40, outputs=30, samples=400, seed=0):
    """Weights, and inputs that come together as those of a network do."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(6, n)) * np.geomspace(3, 0.3, 6)[:, None]
    inputs = rng.normal(size=(samples, 6)) @ mixed + 0.1 * rng.normal(size=(samples, n)) + 0.2
    return rng.normal(size=(n, outputs)).astype(np.float32), inputs.astype(np.float32)


def error(weights, inputs, whole, scale):
    return float(((inputs @ (whole * scale - weights)) ** 2).mean())


def test_without_inputs_each_weight_goes_to_the_nearest_number():
    weights, _ = made()
    whole, scale = rounded(weights, MOST)
    assert np.abs(whole).max() == MOST
    assert (np.abs(whole * scale - weights) <= scale / 2 * (1 + 1e-6)).all()


def test_for_inputs_the_product_is_nearer_also_with_inputs_not_seen():
    weights, inputs = made()
    nearest, fitted = rounded(weights, MOST), rounded(weights, MOST, inputs[:200])
    assert np.abs(fitted[0]).max() <= MOST
    assert (fitted[1] == nearest[1]).all()
    assert error(weights, inputs[200:], *fitted) < error(weights, inputs[200:], *nearest) / 3


def test_weights_that_are_whole_already_stay():
    weights = np.array([[3.0, -7.0], [7.0, 2.0], [0.0, 1.0]], np.float32)
    whole, scale = rounded(weights, MOST, np.random.default_rng(0).normal(size=(9, 3)))
    np.testing.assert_array_equal(whole, weights)
    np.testing.assert_allclose(scale, 1.0)


@pytest.mark.parametrize("inputs", [np.zeros((5, 40)), np.ones((1, 40))], ids=["nothing", "one"])
def test_inputs_that_tell_little_do_no_harm(inputs):
    weights, _ = made()
    whole, _ = rounded(weights, MOST, inputs.astype(np.float32))
    assert np.abs(whole).max() <= MOST
