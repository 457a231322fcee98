"""A trimmed composition predicts what it did, with estimators that forgot their training."""

import pickle

import numpy as np
import pytest
from _labels import make_numbers
from _plain import PLAIN
from compose._compositions import COMPOSITIONS
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import IndependentTasks, LowRankRegressor, MultiTaskRegressor


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_compositions_trim_every_estimator_in_them(name):
    X, Y = make_numbers(missing=0.0)
    inner = make_pipeline(StandardScaler(), LowRankRegressor(alpha=0.01))
    model = COMPOSITIONS[name](inner).fit(X, Y)
    before = model.predict(X)
    assert b"statistics_" in pickle.dumps(model)
    assert model.trim() is model
    assert b"statistics_" not in pickle.dumps(model)
    assert np.array_equal(model.predict(X), before)
    with pytest.raises(NotFittedError):
        COMPOSITIONS[name](inner).trim()


def test_searches_in_compositions_are_trimmed_and_others_stay_as_they_are():
    X, Y = make_numbers(missing=0.0)
    network = MultiTaskRegressor(**{**PLAIN, "max_epochs": 1, "random_state": 0})
    search = GridSearchCV(network, {"hidden_layer_sizes": [(8,), (4,)]}, cv=2)
    model = IndependentTasks({"a": search, "b": LinearRegression()})
    y = {"a": Y[:, 0], "b": Y[:, 1]}
    before = model.fit(X, y).predict(X)
    after = model.trim().predict(X)
    assert all(np.array_equal(after[task], before[task]) for task in y)
    assert not hasattr(model.estimators_["a"].best_estimator_, "history_")
