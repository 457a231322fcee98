"""A loss that is no number stops training; the last finite state is kept."""

import numpy as np
import pytest
import torch
from _plain import PLAIN
from neural_network._loss_data import SMALL, make_rows
from sklearn.exceptions import NotFittedError

from sklearn_mtl import MultiTaskRegressor


class BreaksAfter:
    """(z - y)², and NaN from the n-th call on."""

    def __init__(self, n_calls):
        self.left = n_calls

    def __call__(self, predictions, labels):
        self.left -= 1
        return (predictions - labels) ** 2 * (1.0 if self.left >= 0 else torch.nan)


@pytest.fixture
def data():
    X, eta, rng = make_rows(n=64)
    return X, {"price": eta, "size": eta + rng.normal(size=len(X))}


def network(own, **params):
    params = {**SMALL, "dtype": "float64", "batch_size": 16, "lr_schedule": "constant", **params}
    return MultiTaskRegressor(**params, loss={"size": own})


# a call to measure the unit, and four batches an epoch
def epochs(n):
    return BreaksAfter(1 + 4 * n)


def own_of(model):
    """Return the caller's loss that the network trains with."""
    return next(loss.function for loss in model.net_.criterion_.losses if hasattr(loss, "function"))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("extra", [0, 2])  # batches of the epoch that fails before it does
def test_the_error_names_task_and_epoch_and_the_last_finite_epoch_is_kept(
    data, extra, early_stopping
):
    X, y = data
    failing = epochs(3)
    failing.left += extra
    params = {"max_epochs": 10, "early_stopping": False}
    if early_stopping:
        params = {"max_epochs": 10, "early_stopping": True}
        failing.left += 3  # held-out rows are one batch more an epoch
    model = network(failing, **params)
    with pytest.raises(ValueError, match=r"task\(s\) 'size' is not finite after epoch 4.*epoch 3"):
        model.fit(X, y)
    assert model.n_iter_ == 3
    assert len(model.history_["train_loss"]) == 3
    assert np.isfinite(model.history_["train_loss"]).all()
    assert not hasattr(model, "best_epoch_")
    if early_stopping:
        return
    expected = network(BreaksAfter(1000), max_epochs=3, early_stopping=False).fit(X, y)
    for name in y:
        np.testing.assert_array_equal(model.predict(X)[name], expected.predict(X)[name])


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_call_that_fails_at_once_leaves_the_network_with_all_its_state(
    data, streaming, optimizer
):
    X, y = data
    failing = network(BreaksAfter(1000), warm_start=True, optimizer=optimizer).fit(X, y)
    sound = network(BreaksAfter(1000), warm_start=True, optimizer=optimizer).fit(X, y)
    own_of(failing).left = 2
    with pytest.raises(ValueError, match=r"epoch 4.* kept as it was before this call"):
        (failing.partial_fit if streaming else failing.fit)(X, y)
    own_of(failing).left = 1000
    # moments of the optimiser included: training on is the same bit by bit
    for model in (failing, sound):
        (model.partial_fit if streaming else model.fit)(X, y)
    for name in y:
        np.testing.assert_array_equal(failing.predict(X)[name], sound.predict(X)[name])
    assert failing.n_iter_ == sound.n_iter_


def test_without_a_finite_epoch_there_is_no_network(data):
    model = network(epochs(0))
    with pytest.raises(ValueError, match=r"epoch 1.* No epoch was finite, and no network is kept"):
        model.fit(*data)
    with pytest.raises(NotFittedError):
        model.predict(data[0])


def test_weights_that_the_last_step_breaks_are_not_kept(data):
    X, y = data
    rates = [1e-3, 1e-3, 1e40]
    model = MultiTaskRegressor(
        **PLAIN, hidden_layer_sizes=(), dtype="float32", optimizer="sgd", batch_size=1000,
        max_epochs=3, random_state=0, early_stopping=False, lr=1.0,
        lr_schedule=lambda epoch, n: rates[epoch],
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"'price', 'size' is not finite after epoch 3.*epoch 2"):
        model.fit(X, y)
    assert model.n_iter_ == 2
    assert all(np.isfinite(predicted).all() for predicted in model.predict(X).values())


def test_a_task_that_diverges_is_told_from_those_that_it_breaks(data):
    X, y = data
    y = {**y, "wide": 1.0 + abs(y["price"])}

    def overflowing(predictions, labels):
        return torch.exp(1e4 * (predictions - labels) ** 2)

    model = MultiTaskRegressor(**SMALL, batch_size=8, loss={"wide": overflowing})
    with pytest.raises(ValueError, match=r"of task\(s\) 'wide' is not finite"):
        model.fit(X, y)
