"""Averages of probabilities over Gaussian predictors, against integrals and many draws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import expit, softmax

from sklearn_mtl.bayes import expected_sigmoid, expected_softmax


@pytest.mark.parametrize("mean", [0.0, 0.3, -2.0, 8.0, -25.0])
@pytest.mark.parametrize("deviation", [1e-3, 0.3, 1.0, 5.0, 100.0])
def test_the_average_of_two_classes_is_the_integral(mean, deviation):
    def weighted(t):
        return expit(mean + deviation * t) * np.exp(-0.5 * t * t) / np.sqrt(2.0 * np.pi)

    turn = np.clip(-mean / deviation, -12.0, 12.0)
    integral = quad(weighted, -12.0, 12.0, points=[turn], limit=1000, epsabs=1e-13)[0]
    found = expected_sigmoid(np.array(mean), np.array(deviation**2))
    assert found == pytest.approx(integral, abs=1e-9)  # what the trapezoidal rule promises


def test_certain_predictors_have_their_own_probabilities():
    a = np.linspace(-30.0, 30.0, 61)
    # what the trapezoidal rule promises
    assert_allclose(expected_sigmoid(a, np.zeros(61)), expit(a), rtol=0, atol=1e-9)
    a = np.random.default_rng(0).normal(size=(4, 9)) * 3
    found = expected_softmax(a, np.zeros((4, 4, 9)))
    assert_allclose(found, softmax(a, axis=0), rtol=0, atol=1e-9)


def test_averages_are_symmetric_and_ordered():
    mean, variance = np.linspace(-40.0, 40.0, 81), np.full(81, 7.0)
    found = expected_sigmoid(mean, variance)
    assert_allclose(found + found[::-1], 1.0, rtol=1e-14)
    assert (np.diff(found) >= 0).all()
    assert found[40] == pytest.approx(0.5, abs=1e-15)
    assert (found[mean > 0] > 0.5).all()
    # what is uncertain is nearer to one half
    assert (found[mean > 0] < expit(mean[mean > 0])).all()


def covariances(K, n, rng):
    root = rng.normal(size=(n, K, K)) * rng.uniform(0.1, 3.0, size=(n, 1, 1)) / np.sqrt(K)
    return np.moveaxis(root @ np.swapaxes(root, 1, 2), 0, 2)


@pytest.mark.parametrize(("n_classes", "error"), [(3, 3e-3), (10, 5e-3)])
def test_the_average_of_several_classes_is_that_of_many_draws(n_classes, error):
    rng = np.random.default_rng(0)
    mean, covariance = 2 * rng.normal(size=(n_classes, 12)), covariances(n_classes, 12, rng)
    found = expected_softmax(mean, covariance)
    assert_allclose(found.sum(axis=0), 1.0, rtol=1e-13)
    for i in range(12):
        draws = rng.multivariate_normal(mean[:, i], covariance[:, :, i], size=200_000)
        # 200 000 draws err by 1e-3 at most, fixed points by what is stated
        assert_allclose(found[:, i], softmax(draws, axis=1).mean(axis=0), atol=error)


def test_a_shift_of_all_classes_changes_nothing():
    rng = np.random.default_rng(0)
    mean, covariance = rng.normal(size=(3, 7)), covariances(3, 7, rng)
    found = expected_softmax(mean + 5.0, covariance + 100.0)  # one variance 100 that all share
    # the root of a covariance with an eigenvalue of 300 has an error of some 1e-13
    assert_allclose(found, expected_softmax(mean, covariance), rtol=0, atol=1e-9)


def test_two_classes_are_the_difference_of_their_predictors():
    rng = np.random.default_rng(0)
    mean, covariance = rng.normal(size=(2, 20)), covariances(2, 20, rng)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    expected = expected_sigmoid(mean[1] - mean[0], variance)
    # 1024 equal shares of one normal variable
    assert_allclose(expected_softmax(mean, covariance)[1], expected, atol=1e-3)


def test_a_row_is_averaged_the_same_beside_any_others(monkeypatch):
    rng = np.random.default_rng(0)
    mean, covariance = rng.normal(size=(4, 30)), covariances(4, 30, rng)
    whole = expected_softmax(mean, covariance)
    monkeypatch.setattr("sklearn_mtl.bayes._predictive.MOST_NUMBERS", 4 * 1024 * 7)
    assert_allclose(expected_softmax(mean, covariance), whole, rtol=1e-13)
    alone = expected_softmax(mean[:, 5:6], covariance[:, :, 5:6])
    assert_allclose(alone[:, 0], whole[:, 5], rtol=1e-13)
