"""Results do not depend on where estimators are fitted and asked."""

import numpy as np
import pytest
from _labels import as_dict, make_mixed, make_numbers
from compose._compositions import COMPOSITIONS, MIXED_ESTIMATORS, TASKWISE
from joblib import parallel_config
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from sklearn_mtl import IndependentTasks, VotingTasks

TREE = DecisionTreeRegressor(max_depth=3, random_state=0)


def assert_same_predictions(model, other, X):
    expected, found = model.predict(X), other.predict(X)
    assert all(list(found[task]) == list(expected[task]) for task in expected)
    for task, block in model.predict_proba(X).items():
        assert np.array_equal(other.predict_proba(X)[task], block)


@pytest.mark.parametrize("name", TASKWISE)
def test_threads_give_the_same(name):
    X, named = make_mixed()
    y = as_dict(named)
    one = COMPOSITIONS[name](MIXED_ESTIMATORS).fit(X, y)
    with parallel_config(backend="threading", n_jobs=2):
        assert_same_predictions(one, COMPOSITIONS[name](MIXED_ESTIMATORS).fit(X, y), X)


def test_processes_give_the_same_and_name_what_fails():
    # one test for all compositions, since starting processes takes seconds
    X, Y = make_numbers()
    with parallel_config(backend="loky", n_jobs=2):
        for name, make in COMPOSITIONS.items():
            found = make(TREE).fit(X, Y)
            with parallel_config(backend="sequential"):
                expected = make(TREE).fit(X, Y)
            assert np.array_equal(found.predict(X), expected.predict(X)), name
        named = {"a": Y[:, 0], "b": Y[:, 1]}
        failing = IndependentTasks({"a": Ridge(), "b": Ridge(alpha=-1.0)})
        with pytest.raises(ValueError, match=r"Task 'b': Ridge.fit failed: The 'alpha' param"):
            failing.fit(X, named)
        with pytest.raises(ValueError, match=r"Estimator 'odd': .* failed: Task 'b': Ridge.fit"):
            VotingTasks([("odd", failing)]).fit(X, named)
