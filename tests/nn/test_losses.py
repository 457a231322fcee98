"""Losses against the formulas of scipy and scikit-learn."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, xlogy
from sklearn.metrics import log_loss, mean_squared_error

from sklearn_mtl.nn import CrossEntropy, LogisticLoss, SquaredError


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_squared_error_is_the_square():
    z, y = normal(8, 3), normal(8, 3, seed=1)
    element = SquaredError()(torch.tensor(z), torch.tensor(y)).numpy()
    np.testing.assert_allclose(element, (z - y) ** 2, rtol=1e-15)  # one rounding
    expected = mean_squared_error(y, z, multioutput="raw_values")
    np.testing.assert_allclose(element.mean(axis=0), expected, rtol=1e-14)


def test_the_logistic_loss_is_minus_the_log_likelihood():
    z, y = 3 * normal(8, 3), (normal(8, 3, seed=1) > 0).astype(float)
    element = LogisticLoss()(torch.tensor(z), torch.tensor(y)).numpy()
    expected = -xlogy(y, expit(z)) - xlogy(1 - y, expit(-z))
    np.testing.assert_allclose(element, expected, rtol=1e-13)
    for t in range(3):
        mean = log_loss(y[:, t], expit(z[:, t]), labels=[0, 1])
        assert element[:, t].mean() == pytest.approx(mean, rel=1e-13)


def test_cross_entropy_is_minus_the_log_of_the_softmax():
    z, y = 3 * normal(8, 2, 4), np.random.default_rng(1).integers(4, size=(8, 2))
    element = CrossEntropy()(torch.tensor(z), torch.tensor(y)).numpy()
    expected = -np.take_along_axis(log_softmax(z, axis=2), y[:, :, None], axis=2)[:, :, 0]
    np.testing.assert_allclose(element, expected, rtol=1e-13)


def test_two_classes_are_one_logit():
    z, y = normal(8, 3), (normal(8, 3, seed=1) > 0).astype(int)
    logits = np.stack([np.zeros_like(z), z], axis=2)
    two = CrossEntropy()(torch.tensor(logits), torch.tensor(y))
    one = LogisticLoss()(torch.tensor(z), torch.tensor(y.astype(float)))
    torch.testing.assert_close(one, two, rtol=1e-13, atol=0)
