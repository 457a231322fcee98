"""Several networks trained as one: n_estimators."""

import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from _plain import PLAIN
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.neural_network import HardSharing, Sharing

M = 3
SMALL = {
    **PLAIN,
    "hidden_layer_sizes": (6, 5),
    "dropout": 0.0,
    "max_epochs": 4,
    "batch_size": 16,
    "early_stopping": False,
    "dtype": "float64",
    "random_state": 0,
}
TOGETHER = {**SMALL, "n_estimators": M}


def mixed_data(n=50, seed=0):
    """A number, two classes and three, a fifth of the labels missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    latent = X @ rng.normal(size=(4, 3)) + 0.3 * rng.normal(size=(n, 3))
    y = pd.DataFrame(
        {
            "price": 5.0 + 2.0 * latent[:, 0],
            "good": np.where(latent[:, 1] > 0, "yes", "no"),
            "kind": np.array(["a", "b", "c"])[np.digitize(latent[:, 2], [-0.7, 0.7])],
        }
    )
    return X, y.mask(pd.DataFrame(rng.random(y.shape) < 0.2, columns=y.columns))


class StartingAt(Sharing):
    """Hard sharing whose k-th network starts from seed `first` + k."""

    def __init__(self, first=0):
        self.first = first

    def build(self, make_trunk, tasks):
        self.n_made = getattr(self, "n_made", 0)
        torch.manual_seed(self.first + self.n_made)
        self.n_made += 1
        return HardSharing().build(make_trunk, tasks)


@pytest.mark.parametrize(
    "parameters",
    [
        {"optimizer": "sgd", "lr": 0.01},
        {"optimizer": "adamw"},
        {"max_grad_norm": 0.05},
        {"accumulation_steps": 2},
        {"module_lr": 1e-2, "freeze_epochs": 1},
        {"numeric_embedding": "periodic", "input_scaling": "smooth_clip"},
    ],
    ids=str,
)
def test_members_trained_together_are_networks_trained_alone(parameters):
    X, y = mixed_data()
    together = MultiTaskEstimator(**{**TOGETHER, **parameters}, sharing=StartingAt(7)).fit(X, y)
    alone = [
        MultiTaskEstimator(**{**SMALL, **parameters}, sharing=StartingAt(7 + m)).fit(X, y)
        for m in range(M)
    ]
    stacked = together.net_.module_.network.state_dict()
    for m, one in enumerate(alone):
        for name, tensor in one.net_.module_.state_dict().items():
            own = stacked[name] if name.startswith("scaler.") else stacked[name][m]
            # float64 sums in another order, through 16 steps
            torch.testing.assert_close(own, tensor, rtol=1e-9, atol=1e-11)
    for part in ("train", "weight"):
        for name, recorded in together.history_[part].items():
            each = [one.history_[part][name] for one in alone]
            np.testing.assert_allclose(recorded, np.mean(each, axis=0), rtol=1e-9)

    predicted, std = together.predict(X, return_std=True)
    prices = np.array([one.predict(X)["price"] for one in alone], dtype=float)
    np.testing.assert_allclose(predicted["price"], prices.mean(0), rtol=1e-9)
    np.testing.assert_allclose(std["price"], prices.std(0, ddof=1), rtol=1e-6)
    found = together.predict_proba(X)
    for name in ("good", "kind"):
        each = np.mean([one.predict_proba(X)[name] for one in alone], axis=0)
        np.testing.assert_allclose(found[name], each, rtol=1e-9)
        classes = together.classes_[list(y.columns).index(name)]
        assert (predicted[name] == classes[each.argmax(axis=1)]).all()


def test_a_module_and_a_loss_of_the_callers_own_run_one_after_another():
    class Own(torch.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.LazyLinear(width), torch.nn.BatchNorm1d(width), torch.nn.Tanh()
            )
            self.register_buffer("calls", torch.zeros(()))
            self.register_buffer("rows", torch.zeros(()))

        def forward(self, x):
            self.calls += self.training
            self.rows = self.rows + len(x) * self.training
            return self.layers(x) if bool((x > -1e9).any()) else x

    def absolute(outputs, labels):
        return (outputs - labels).abs() if bool((labels < 1e9).all()) else outputs

    X, y = mixed_data()
    kept = {"module": Own, "module_params": {"width": 6}, "loss": {"price": absolute}}
    model = MultiTaskEstimator(**TOGETHER, **kept).fit(X, y)
    assert list(model.predict(X).columns) == list(y.columns)
    buffers = dict(model.net_.module_.named_buffers())
    running = next(value for name, value in buffers.items() if name.endswith("running_mean"))
    assert running.shape == (M, 6)
    assert (running != running[0]).any()
    calls, rows = (
        next(value for key, value in buffers.items() if key.endswith(name))
        for name in ("calls", "rows")
    )
    assert calls.tolist() == [4.0 * 4] * M  # epochs times batches
    assert rows.tolist() == [4.0 * len(X)] * M
    # the first member draws what a network alone draws
    one = MultiTaskEstimator(**SMALL, **kept).fit(X, y)
    for name, tensor in one.net_.module_.state_dict().items():
        own = model.net_.module_.network.state_dict()[name]
        own = own if name.startswith("scaler.") else own[0]
        torch.testing.assert_close(own, tensor, rtol=1e-9, atol=1e-11)


def layouts():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4))
    y = X @ rng.normal(size=(4, 2))
    y[:7, 0] = np.nan
    own = ({"a": X, "b": X[:25]}, {"a": y[:, 1], "b": y[:25, 1] + 1.0})
    task = np.repeat(["a", "b"], 20)
    long = pd.DataFrame(X, columns=list("pqrs")).assign(task=task)
    return {
        "shared rows": (X, y, {}),
        "frame": (X, pd.DataFrame(y, columns=["u", "v"]), {}),
        "own X": (*own, {}),
        "long form": (long, y[:, 1], {"task_feature": "task"}),
    }


@pytest.mark.parametrize("layout", layouts())
def test_the_spread_is_of_what_members_predict_in_the_container_of_y(layout):
    X, y, parameters = layouts()[layout]
    model = MultiTaskRegressor(**TOGETHER, **parameters, sharing=StartingAt()).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    assert type(std) is type(mean) is type(y)
    parts = [
        MultiTaskRegressor(**SMALL, **parameters, sharing=StartingAt(m)).fit(X, y).predict(X)
        for m in range(M)
    ]

    def as_array(prediction):
        if isinstance(prediction, dict):
            return np.concatenate([prediction[name] for name in y])
        return np.asarray(prediction)

    each = np.array([as_array(part) for part in parts])
    np.testing.assert_allclose(as_array(mean), each.mean(0), rtol=1e-9)
    # rounding of float64 in the predictions, relative to a spread of 1e-2 of them
    np.testing.assert_allclose(as_array(std), each.std(0, ddof=1), rtol=1e-6)
    again = model.predict(X)
    np.testing.assert_array_equal(as_array(again), as_array(mean))


def test_the_spread_of_classes_is_missing():
    X, y = mixed_data()
    for labels in (y, {name: y[name].to_numpy() for name in y}):
        _, std = MultiTaskEstimator(**TOGETHER).fit(X, labels).predict(X, True)
        assert list(std) == ["price", "good", "kind"]
        assert (np.asarray(std["price"], dtype=float) > 0).all()
        assert pd.isna(std["good"]).all()
        assert pd.isna(std["kind"]).all()


@pytest.mark.parametrize("estimator", [MultiTaskRegressor, MultiTaskEstimator])
def test_one_network_has_no_spread(estimator):
    X, y = mixed_data()
    model = estimator(**SMALL).fit(X, y[["price"]])
    with pytest.raises(ValueError, match="n_estimators=1"):
        model.predict(X, return_std=True)


def test_rows_are_predicted_alike_alone_and_together():
    X, y = mixed_data()
    model = MultiTaskEstimator(**{**TOGETHER, "dtype": "float32"}).fit(X, y)
    proba = model.predict_proba(X)
    for i in (0, 17):
        alone = model.predict_proba(X[i : i + 1])
        for name in proba:
            # the CPU predicts in float64 for inputs of float64
            np.testing.assert_allclose(alone[name][0], proba[name][i], rtol=1e-12)


def test_same_seed_same_bits_and_members_differ():
    X, y = mixed_data()
    parameters = {**TOGETHER, "dropout": 0.3, "dtype": "float32"}
    one, other = (MultiTaskEstimator(**parameters).fit(X, y) for _ in range(2))
    for name, tensor in one.net_.module_.state_dict().items():
        assert torch.equal(tensor, other.net_.module_.state_dict()[name])
    _, std = one.predict(X, return_std=True)
    assert (std["price"].astype(float) > 1e-6).all()


class StartingEqual(Sharing):
    """Hard sharing whose networks all start from one seed."""

    def build(self, make_trunk, tasks):
        torch.manual_seed(0)
        return HardSharing().build(make_trunk, tasks)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("loss", [None, {"price": lambda outputs, labels: (outputs - labels) ** 2}],
                         ids=["at once", "one after another"])  # fmt: skip
def test_members_drop_out_units_of_their_own(loss, dropout):
    # weights that start equal part through dropout alone
    X, y = mixed_data()
    parameters = {**TOGETHER, "dropout": dropout, "loss": loss, "sharing": StartingEqual()}
    _, std = MultiTaskEstimator(**parameters).fit(X, y).predict(X, return_std=True)
    spread = std["price"].astype(float)
    if dropout:
        assert (spread > 1e-6).all()
    else:
        # the same float64 sums, but for the order of a batched product
        assert (spread < 1e-9).all()


@pytest.mark.parametrize("copy", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_predict_and_go_on_alike(copy):
    X, y = mixed_data()
    model = MultiTaskClassifier(**TOGETHER).fit(X, y[["good", "kind"]])
    other = copy(model)
    assert model.predict(X).equals(other.predict(X))
    for each in (model, other):
        each.set_params(warm_start=True).fit(X, y[["good", "kind"]])
        each.partial_fit(X, y[["good", "kind"]])
    for name, one in model.predict_proba(X).items():
        np.testing.assert_array_equal(one, other.predict_proba(X)[name])
    with pytest.raises(ValueError, match="n_estimators is now 2"):
        model.set_params(n_estimators=2).partial_fit(X, y[["good", "kind"]])


def test_a_grid_searches_the_number_of_networks():
    X = np.random.default_rng(0).normal(size=(40, 4))
    y = X @ np.ones((4, 2))
    search = GridSearchCV(MultiTaskRegressor(**SMALL), {"n_estimators": [1, M]}, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert clone(search.best_estimator_).n_estimators == search.best_params_["n_estimators"]


def test_early_stopping_restores_weights_of_all_members():
    X, y = mixed_data(n=120)
    parameters = {**TOGETHER, "max_epochs": 30, "lr": 0.05, "early_stopping": True, "patience": 4}
    model = MultiTaskEstimator(**parameters).fit(X, y)
    losses = model.history_["validation_loss"]
    assert model.best_epoch_ == losses.argmin() + 1
    assert model.n_iter_ == len(losses) < 30


@pytest.mark.parametrize("balancing", ["uncertainty", "gradnorm", "pcgrad", "dwa"])
@pytest.mark.parametrize("sharing", ["hard", "mmoe", "cascade"])
def test_balancing_acts_on_the_members_together(sharing, balancing):
    X, y = mixed_data()
    model = MultiTaskEstimator(
        **{**TOGETHER, "max_epochs": 15, "lr": 1e-2}, sharing=sharing, balancing=balancing,
    ).fit(X, y)  # fmt: skip
    for recorded in model.history_["train"].values():
        assert recorded[-1] < recorded[0]
