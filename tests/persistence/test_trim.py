"""A trimmed model predicts what it did, in a smaller file, and cannot be trained on."""

import pickle

import numpy as np
import pytest
from _plain import PLAIN
from linear_model._estimators import ESTIMATORS, REGRESSORS, make_data, small
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

import sklearn_mtl
from sklearn_mtl import BayesianMultiTaskRegressor, MultiTaskEstimator

SMALL = {
    **PLAIN, "hidden_layer_sizes": (64, 64), "max_epochs": 3, "batch_size": 20, "random_state": 0
}  # fmt: skip
# momentum, an ensemble, a balancer with a state of its own
CASES = {
    "adamw": {},
    "sgd": {"optimizer": "sgd"},
    "ensemble": {"n_estimators": 3},
    "balancer": {"balancing": "uncertainty", "dtype": "float64"},
    "early stopping": {"early_stopping": True, "sharing": "mmoe"},
}


def data(n=40):
    X = np.random.default_rng(0).normal(size=(n, 4))
    return X, {"a": X[:, 0], "b": np.where(X[:, 1] > 0, "yes", "no")}


def fitted(**params):
    X, y = data()
    return MultiTaskEstimator(**{**SMALL, **params}).fit(X, y), X, y


def outputs(model, X):
    return model.predict(X)["a"].tolist(), model.predict_proba(X)["b"].tolist()


@pytest.mark.parametrize("case", CASES)
def test_predictions_are_the_same_to_the_last_bit(case):
    model, X, _ = fitted(**CASES[case])
    before = outputs(model, X)
    assert model.trim() is model
    assert outputs(model, X) == before
    assert outputs(pickle.loads(pickle.dumps(model)), X) == before
    assert outputs(model.trim(), X) == before


@pytest.mark.parametrize("used", [False, True])
def test_a_file_is_weights_alone(used):
    model, X, _ = fitted()
    whole = len(pickle.dumps(model))
    model.trim()
    if used:
        model.predict(X)  # which builds the net, and an optimiser, again
    weights = 4 * sum(parameter.numel() for parameter in model.net_.module_.parameters())
    size = len(pickle.dumps(model))
    # adamw keeps two numbers for each weight; names and settings are some 5 kB
    assert whole > 3 * weights
    assert weights < size < weights + 6_000


@pytest.mark.parametrize("travels", [False, True])
def test_training_cannot_go_on(travels):
    model, X, y = fitted(warm_start=True)
    model.trim()
    if travels:
        model = pickle.loads(pickle.dumps(model))
    before = outputs(model, X)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"trim\(\) dropped the state of the optimizer"):
            train(X, y)
    assert outputs(model, X) == before


def test_training_can_start_anew():
    model, X, y = fitted()
    before = outputs(model, X)
    model.trim().fit(X, y)
    assert outputs(model, X) == before
    assert len(model.history_["train_loss"]) == 3
    model.partial_fit(X, y)


def test_there_is_no_history():
    model, _, _ = fitted()
    model.history_  # noqa: B018
    model.trim()
    assert not hasattr(model, "history_")
    with pytest.raises(AttributeError, match=r"no attribute 'history_': trim\(\) dropped it"):
        model.history_  # noqa: B018
    assert model.n_iter_ == 3


# -- linear models --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGRESSORS)
def test_linear_regressors_drop_their_statistics(name):
    X, y = make_data(name)
    model = small(name).fit(X, y)
    before, size = model.predict(X), len(pickle.dumps(model))
    assert model.trim() is model
    check_is_fitted(model)
    after = model.predict(X)
    assert all(np.array_equal(after[task], before[task]) for task in before)
    assert len(pickle.dumps(model)) < size
    assert not hasattr(model.trim(), "statistics_")


@pytest.mark.parametrize("name", [name for name in REGRESSORS if not name.endswith("CV")])
def test_a_stream_cannot_go_on_without_statistics(name):
    X, y = make_data(name)
    model = small(name).fit(X, y).trim()
    with pytest.raises(ValueError, match=r"statistics, which trim\(\) dropped"):
        model.partial_fit(X, y)
    assert hasattr(model.fit(X, y), "statistics_")


def test_a_population_takes_new_tasks_without_statistics():
    X, y = make_data("BayesianMultiTaskRegressor")
    rows = dict.fromkeys(y, X)
    whole = BayesianMultiTaskRegressor().fit(rows, y)
    trimmed = BayesianMultiTaskRegressor().fit(rows, y).trim()
    for model in (whole, trimmed):
        model.add_task({"new": X}, {"new": X[:, 0]})
    assert np.array_equal(trimmed.coef_, whole.coef_)
    mean, std = trimmed.predict({**rows, "new": X}, return_std=True)
    assert np.array_equal(std["new"], whole.predict({**rows, "new": X}, return_std=True)[1]["new"])


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name not in REGRESSORS])
def test_linear_models_that_keep_nothing_else_are_as_before(name):
    X, y = make_data(name)
    model = small(name).fit(X, y)
    before = pickle.dumps(model)
    assert model.trim() is model
    assert pickle.dumps(model) == before


def test_every_estimator_of_tasks_can_be_trimmed():
    kinds = [getattr(sklearn_mtl, name) for name in sklearn_mtl.__all__]
    kinds = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseEstimator)]
    own = [kind for kind in kinds if not issubclass(kind, MetaEstimatorMixin)]
    assert len(own) > len(ESTIMATORS)  # networks too
    for kind in own:
        with pytest.raises(NotFittedError):
            kind().trim()
