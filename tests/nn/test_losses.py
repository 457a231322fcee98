"""Losses against the formulas of scipy and scikit-learn."""

import numpy as np
import pytest
import torch
from scipy.special import expit, huber, log_softmax, xlogy
from sklearn.metrics import log_loss, mean_poisson_deviance, mean_squared_error

from sklearn_mtl.nn import (
    AbsoluteError,
    CrossEntropy,
    Huber,
    LogisticLoss,
    Poisson,
    SquaredError,
    mean_loss,
)
from sklearn_mtl.nn.losses import OwnLoss, make_loss
from sklearn_mtl.nn.losses._activations import ACTIVATIONS
from sklearn_mtl.tasks import _activations
from sklearn_mtl.tasks._outputs import LossFunction, OutputGroup, OutputSpec


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


def test_the_absolute_error_is_the_distance():
    z, y = normal(8, 3), normal(8, 3, seed=1)
    element = AbsoluteError()(torch.tensor(z), torch.tensor(y)).numpy()
    np.testing.assert_array_equal(element, abs(z - y))


def test_huber_is_scipys():
    z, y = 3 * normal(8, 3), normal(8, 3, seed=1)
    element = Huber()(torch.tensor(z), torch.tensor(y)).numpy()
    np.testing.assert_allclose(element, huber(1.0, z - y), rtol=1e-14)


def test_poisson_is_half_the_deviance_and_0_where_the_mean_is_the_label():
    z, y = normal(8, 3), np.random.default_rng(1).poisson(1.0, size=(8, 3)).astype(float)
    element = Poisson()(torch.tensor(z), torch.tensor(y)).numpy()
    for t in range(3):
        deviance = mean_poisson_deviance(y[:, t], np.exp(z[:, t]))
        assert element[:, t].mean() == pytest.approx(deviance / 2, rel=1e-12)
    mean = torch.rand(50, dtype=torch.float64)
    assert Poisson()(mean.log(), mean).abs().max() < 1e-15  # roundings of numbers below 1


def group_of(kind, spec, width=1, n_tasks=3):
    return OutputGroup(kind, np.arange(n_tasks), width, 0, spec)


@pytest.mark.parametrize("far", [-700.0, -50.0, -30.0, 0.0, 30.0, 700.0])
def test_poisson_of_a_softplus_keeps_its_digits_far_from_0(far):
    loss = make_loss(group_of("regression", OutputSpec("poisson", "softplus")))
    z = torch.tensor([[far]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[2.0]], dtype=torch.float64)
    element = loss(z, y)
    element.sum().backward()
    log_mean = far if far < -40 else np.log(np.logaddexp(far, 0.0))
    expected = np.exp(log_mean) - 2 * log_mean - 2 + 2 * np.log(2)
    assert element.item() == pytest.approx(expected, rel=1e-12)
    # d log softplus(z) / dz = sigmoid(z) / softplus(z)
    slope = 1.0 if far < -40 else expit(far) / np.logaddexp(far, 0.0)
    assert z.grad.item() == pytest.approx(expit(far) - 2 * slope, rel=1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_smoothing_is_torchs(smoothing):
    z, y = torch.tensor(normal(8, 2, 4)), torch.randint(4, (8, 2))
    expected = torch.nn.CrossEntropyLoss(reduction="none", label_smoothing=smoothing)
    for t in range(2):
        torch.testing.assert_close(
            CrossEntropy(smoothing)(z, y)[:, t], expected(z[:, t], y[:, t]), rtol=1e-13, atol=0
        )
    binary = torch.tensor(normal(8, 3))
    labels = torch.randint(2, (8, 3))
    two = CrossEntropy(smoothing)(torch.stack([torch.zeros_like(binary), binary], 2), labels)
    one = LogisticLoss(smoothing)(binary, labels.double())
    torch.testing.assert_close(one, two, rtol=1e-13, atol=0)


def test_activations_are_what_predictions_pass_through():
    z = np.linspace(-30, 30, 61)
    assert set(ACTIVATIONS) == set(_activations.ACTIVATIONS)
    for name, activation in _activations.ACTIVATIONS.items():
        predictions = activation.function(z)
        # torch leaves log(1 + exp(-z)) away from softplus(z) beyond 20, where it is 2e-9
        np.testing.assert_allclose(ACTIVATIONS[name](torch.tensor(z)), predictions, rtol=1e-9)
        # numbers near 1 have lost the digits of their distance to it
        near = slice(0, 45)
        np.testing.assert_allclose(activation.inverse(predictions)[near], z[near], rtol=1e-6)
        assert (predictions >= activation.least).all()
        assert (predictions <= activation.most).all()


# -- a caller's own -------------------------------------------------------------------------------


def own_loss(function, activation="identity"):
    return OwnLoss(LossFunction(function, "price"), ACTIVATIONS[activation])


@pytest.mark.parametrize("width", [1, 3])
def test_a_function_is_given_the_observed_rows_of_its_task(width):
    shape = (6, 1) if width == 1 else (6, 1, width)
    z = torch.tensor(normal(*shape), requires_grad=True)
    y = torch.tensor(normal(6, 1, seed=1))
    hidden = torch.tensor([0, 1, 0, 0, 1, 0], dtype=torch.bool)[:, None]
    seen = []

    def loss(outputs, labels):
        seen.append((tuple(outputs.shape), tuple(labels.shape)))
        return (outputs.reshape(len(labels), -1).sum(1) - labels) ** 2

    element = own_loss(loss).elements(z, y, hidden)
    element.sum().backward()
    assert seen == [((4,), (4,)) if width == 1 else ((4, width), (4,))]
    expected = (z.reshape(6, -1).sum(1, keepdim=True) - y).square().masked_fill(hidden, 0.0)
    torch.testing.assert_close(element, expected, rtol=1e-14, atol=0)
    assert (z.grad[hidden[:, 0]] == 0).all()
    assert (z.grad[~hidden[:, 0]] != 0).all()


@pytest.mark.parametrize("width", [1, 3])
def test_without_an_observed_row_a_function_is_not_called_and_the_gradient_is_0(width):
    shape = (6, 1) if width == 1 else (6, 1, width)
    z = torch.tensor(normal(*shape), requires_grad=True)
    element = own_loss(pytest.fail).elements(z, torch.zeros(6, 1), torch.ones(6, 1).bool())
    element.sum().backward()
    assert element.shape == (6, 1)
    assert (z.grad == 0).all()


def test_a_module_is_copied_without_its_reduction():
    given = torch.nn.HuberLoss(reduction="mean")
    z, y = torch.tensor(normal(6, 1)), torch.tensor(normal(6, 1, seed=1))
    element = own_loss(given).elements(z, y, None)
    torch.testing.assert_close(element, Huber()(z, y), rtol=1e-14, atol=0)
    assert given.reduction == "mean"


def test_a_function_is_given_activated_predictions():
    z, y = torch.tensor(normal(6, 1)), torch.tensor(normal(6, 1, seed=1))
    element = own_loss(lambda predictions, labels: predictions, "exp").elements(z, y, None)
    torch.testing.assert_close(element, z.exp())


@pytest.mark.parametrize(
    ("returned", "described"),
    [
        (lambda z, y: (z - y).square().mean(), "returned a scalar"),
        (lambda z, y: (z - y)[:, None], r"returned a tensor of shape \(6, 1\)"),
        (lambda z, y: (z - y).detach().numpy(), "returned an object of type ndarray"),
    ],
)
def test_a_loss_that_is_not_one_value_a_row_is_refused(returned, described):
    z, y = torch.tensor(normal(6, 1)), torch.tensor(normal(6, 1, seed=1))
    with pytest.raises(ValueError, match=rf"'price' must return one value per row.*{described}"):
        own_loss(returned).elements(z, y, None)


def test_the_mean_loss_of_a_constant_is_the_weighted_mean():
    y, w = np.array([0.0, 2.0, 2.0, 1.0]), np.array([1.0, 0.5, 2.0, 3.0])
    spec = OutputSpec("log_loss", smoothing=0.1)
    z = np.array([0.5, -1.0, 0.2])
    smoothed = 0.9 * np.eye(3)[y.astype(int)] + 0.1 / 3
    expected = np.average(-(smoothed * log_softmax(z)).sum(axis=1), weights=w)
    found = mean_loss(group_of("multiclass", spec, 3, n_tasks=1), z, y, w)
    assert found == pytest.approx(expected, rel=1e-13)
    spec = OutputSpec("huber", "exp")
    found = mean_loss(group_of("regression", spec, n_tasks=1), np.array([0.3]), y, w)
    assert found == pytest.approx(np.average(huber(1.0, np.exp(0.3) - y), weights=w), rel=1e-13)
