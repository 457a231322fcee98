"""Errors name the task, what was found and what to do."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_mtl import IndependentTasks, MissingBackendError, TaskLayoutError

X = np.arange(8.0).reshape(-1, 1)
Y = {"price": X[:, 0] * 2.5, "good": np.array(["no", "yes"] * 4)}


class Raising(BaseEstimator):
    def __init__(self, error=None):
        self.error = error

    def fit(self, X, y):
        raise self.error

    def predict(self, X):
        return np.zeros(len(X))


class Constant(BaseEstimator):
    """Neither a regressor nor a classifier; predicts what it is told to."""

    def __init__(self, value=0.0):
        self.value = value

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.full((len(X), *np.shape(self.value)), self.value)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Ridge, r"estimator is the class Ridge; pass an instance: Ridge\(\)"),
        ({"price": Ridge(), "good": LogisticRegression}, r"estimator\['good'\] is the class"),
        (StandardScaler(), "has no predict"),
        ("ridge", "must be a scikit-learn estimator.*'ridge' .str."),
        (None, "found None"),
        ({"price": None, "good": Ridge()}, r"estimator\['price'\] must be"),
    ],
)
def test_what_is_no_estimator_is_a_type_error(estimator, message):
    with pytest.raises(TypeError, match=message):
        IndependentTasks(estimator).fit(X, Y)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        ({}, "estimator is an empty dict"),
        ({"price": Ridge()}, "no entry for the task.*'good'; it has 'price'"),
        (
            {"prize": Ridge(), "good": LogisticRegression()},
            r"entry for 'prize', which is no task of y; .*'price', 'good' \(did you mean 'price'",
        ),
    ],
)
def test_a_dict_has_one_estimator_for_each_task(estimator, message):
    with pytest.raises(TaskLayoutError, match=message):
        IndependentTasks(estimator).fit(X, Y)


def test_a_dict_for_tasks_without_names_or_in_long_form_is_checked_too():
    with pytest.raises(TaskLayoutError, match="the tasks are 'task0', 'task1'"):
        IndependentTasks({"task": Ridge()}).fit(X, np.column_stack([X, X]))
    long, own = np.column_stack([X, [0, 1] * 4]), {"a": X, "b": X}
    with pytest.raises(TaskLayoutError, match=r"no entry for the task.*1; it has 0"):
        IndependentTasks({0: Ridge()}, task_feature=1).fit(long, X[:, 0])
    with pytest.raises(TaskLayoutError, match="which is no task of y"):
        IndependentTasks({"a": Ridge(), "c": Ridge()}).fit(own, {"a": X[:, 0], "b": X[:, 0]})


def test_a_classifier_refuses_continuous_labels_by_task():
    with pytest.raises(TaskLayoutError, match="Task 'price' is classification, but has the label"):
        IndependentTasks(LogisticRegression()).fit(X, Y)


def test_a_regressor_refuses_text_by_task():
    with pytest.raises(TaskLayoutError, match="Task 'good' is regression"):
        IndependentTasks(Ridge()).fit(X, Y)


def test_one_class_only_is_named():
    with pytest.raises(TaskLayoutError, match="Task 'good' has one class only, 'no'"):
        IndependentTasks(LogisticRegression()).fit(X, {"good": np.full(8, "no")})
    long = np.column_stack([X, [0] * 4 + [1] * 4])
    y = np.array(["no", "yes"] * 2 + ["no"] * 4)
    with pytest.raises(ValueError, match=r"Task 1: LogisticRegression.fit failed.*one class only"):
        IndependentTasks(LogisticRegression(), task_feature=1).fit(long, y)


def test_task_kinds_may_not_contradict_an_estimator():
    with pytest.raises(ValueError, match="'price' is 'classification', but its estimator Ridge"):
        IndependentTasks(
            {"price": Ridge(), "good": LogisticRegression()},
            task_kinds={"price": "classification"},
        ).fit(X, Y)
    agreed = IndependentTasks(Ridge(), task_kinds={"price": "regression"})
    assert agreed.fit(X, {"price": Y["price"]}).score(X, {"price": Y["price"]}) > 0.9


def test_task_kinds_decide_for_estimators_that_are_neither():
    model = IndependentTasks(Constant(1)).fit(X, np.arange(8))
    assert model.layout_.tasks[0].kind == "multiclass"
    model = IndependentTasks(Constant(1), task_kinds={"task0": "regression"}).fit(X, np.arange(8))
    assert model.layout_.tasks[0].kind == "regression"
    assert model.predict(X).tolist() == [1.0] * 8
    both = IndependentTasks({"price": Constant(1), "good": LogisticRegression()})
    assert both.fit(X, Y).layout_.tasks[0].kind == "regression"
    with pytest.raises(TaskLayoutError, match="task_kinds names 'prize'"):
        IndependentTasks(Constant(), task_kinds={"prize": "regression"}).fit(X, Y)


@pytest.mark.parametrize(
    ("error", "family"),
    [
        (ValueError("too few"), ValueError),
        (TypeError("too odd"), TypeError),
        (KeyError("too lost"), RuntimeError),
        (np.linalg.LinAlgError("too flat"), ValueError),
        (InvalidParameterError("too low"), ValueError),
        (TaskLayoutError("too mixed"), TaskLayoutError),
        (MissingBackendError("too bare"), MissingBackendError),
    ],
)
def test_a_failing_fit_is_chained_and_named(error, family):
    model = IndependentTasks({"price": Ridge(), "late": Raising(error)})
    with pytest.raises(family, match=r"Task 'late': Raising.fit failed: .*too") as caught:
        model.fit(X, {"price": Y["price"], "late": Y["price"]})
    assert type(caught.value.__cause__) is type(error)
    assert not hasattr(model, "estimators_")


def test_a_failing_prediction_is_chained_and_named():
    own = {"a": X, "b": np.hstack([X, X])}
    model = IndependentTasks(LinearRegression()).fit(own, {"a": X[:, 0], "b": X[:, 0]})
    with pytest.raises(ValueError, match=r"Task 'b': LinearRegression.predict failed: X has 1"):
        model.predict({"a": X, "b": X})


def test_predictions_must_be_one_known_label_a_row():
    with pytest.raises(ValueError, match=r"Task 'task0': Constant.predict returned shape \(8, 2\)"):
        IndependentTasks(Constant((1.0, 2.0))).fit(X, Y["price"]).predict(X)
    with pytest.raises(ValueError, match=r"IsolationForest.predict returned \[.*classes \[0, 5\]"):
        IndependentTasks(IsolationForest(random_state=0)).fit(X, [0, 5] * 4).predict(X)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_an_unfitted_model_says_so(method):
    with pytest.raises(NotFittedError):
        getattr(IndependentTasks(LogisticRegression()), method)(X)
    with pytest.raises(NotFittedError):
        IndependentTasks(LogisticRegression()).score(X, [0, 1] * 4)


def test_rows_unlike_those_of_fit_are_refused():
    model = IndependentTasks(Ridge()).fit(X, Y["price"])
    with pytest.raises(ValueError, match="X has 2 features, but IndependentTasks is expecting 1"):
        model.predict(np.hstack([X, X]))
    with pytest.raises(TaskLayoutError, match="fit received one X for all tasks"):
        model.predict({"task0": X})
    with pytest.raises(ValueError, match="y is None"):
        model.score(X, None)


def test_a_task_without_rows_to_predict_is_not_asked():
    long = np.column_stack([X, [0, 1] * 4])
    y = np.array([0, 0, 1, 1] * 2)
    model = IndependentTasks(LogisticRegression(), task_feature=1).fit(long, y)
    first = long[::2]
    np.testing.assert_array_equal(model.predict(first), model.predict(long)[::2])
    np.testing.assert_array_equal(model.predict_proba(first), model.predict_proba(long)[::2])
