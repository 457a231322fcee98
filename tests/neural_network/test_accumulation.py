"""Steps along gradients of several batches, and gradients that are shortened."""

import numpy as np
import pytest
import torch
from _plain import PLAIN
from skorch.callbacks import Callback

from sklearn_mtl import MultiTaskEstimator, MultiTaskRegressor

SMALL = {
    **PLAIN,
    "hidden_layer_sizes": (6, 5),
    "dropout": 0.0,
    "max_epochs": 3,
    "early_stopping": False,
    "dtype": "float64",
    "random_state": 0,
}


def data(n=48):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    latent = X @ rng.normal(size=(4, 3))
    price = latent[:, 0].copy()
    price[: n // 5] = np.nan
    kind = np.array(["a", "b", "c"])[np.digitize(latent[:, 2], [-0.7, 0.7])]
    return X, {"price": price, "good": latent[:, 1] > 0, "kind": kind}


class Steps(Callback):
    """Keeps the length of the gradient of each step."""

    def on_train_begin(self, net, **kwargs):
        self.lengths = []

    def on_grad_computed(self, net, named_parameters=None, **kwargs):
        gradients = [p.grad for _, p in named_parameters if p.grad is not None]
        self.lengths.append(float(torch.nn.utils.get_total_norm(gradients)))


def assert_same_network(one, other, rtol):
    for name, tensor in one.net_.module_.state_dict().items():
        found = other.net_.module_.state_dict()[name]
        torch.testing.assert_close(found, tensor, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"optimizer": "sgd", "lr": 0.01},
        {"max_grad_norm": 0.1},
        {"sharing": "soft"},
        {"n_estimators": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("k", [2, 3, 100])
def test_k_batches_are_one_of_k_times_the_size(k, parameters):
    X, y = data(48)
    parameters = {**SMALL, **parameters}
    several = MultiTaskEstimator(**parameters, batch_size=8, accumulation_steps=k).fit(X, y)
    # an epoch of six batches: two and three divide it, of a hundred it is all there is
    one = MultiTaskEstimator(**parameters, batch_size=min(8 * k, 48)).fit(X, y)
    # float64 sums over the same rows in another order, and AdamW divides by their roots
    assert_same_network(one, several, rtol=1e-8)


def test_the_last_steps_of_an_epoch_are_means_too():
    X, y = data(48)
    watch = Steps()
    parameters = {**SMALL, "lr": 1e-12, "max_epochs": 1, "callbacks": [watch]}
    MultiTaskEstimator(**parameters, batch_size=12).fit(X, y)
    each = list(watch.lengths)
    assert len(each) == 4
    MultiTaskEstimator(**parameters, batch_size=12, accumulation_steps=3).fit(X, y)
    assert len(watch.lengths) == 2
    # weights stand still: the fourth batch alone makes the last step
    assert watch.lengths[1] == pytest.approx(each[3], rel=1e-6)
    assert watch.lengths[0] < max(each[:3])


def test_gradients_are_shortened_before_the_step_and_direction_stays():
    X, y = data(48)
    y = {"price": y["price"]}
    parameters = {**SMALL, "max_epochs": 1, "batch_size": 48, "optimizer": "sgd", "lr": 1e-3}
    parameters["weight_decay"] = 0.0
    starts = MultiTaskRegressor(**{**parameters, "lr": 1e-300}).fit(X, y).net_.module_.state_dict()

    def step(**changed):
        state = MultiTaskRegressor(**{**parameters, **changed}).fit(X, y).net_.module_.state_dict()
        moved = [(state[k] - starts[k]).flatten() for k in state if not k.startswith("scaler.")]
        return torch.cat(moved) / 1e-3

    free, short, long = step(), step(max_grad_norm=0.01), step(max_grad_norm=1e6)
    # differences of weights near 1 over a rate of 1e-3 keep 12 digits
    assert float(short.norm()) == pytest.approx(0.01, rel=1e-3)
    torch.testing.assert_close(short / short.norm(), free / free.norm(), rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(long, free, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "value"),
    [("accumulation_steps", 0), ("accumulation_steps", 1.5), ("max_grad_norm", 0.0)],
)
def test_numbers_out_of_range_are_refused(name, value):
    X, y = data(20)
    with pytest.raises(ValueError, match=name):
        MultiTaskEstimator(**SMALL, **{name: value}).fit(X, y)
