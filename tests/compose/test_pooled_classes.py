"""One classifier of several tasks: every task is answered by a class of its own."""

import numpy as np
import pytest
from _labels import make_numbers
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_mtl import PooledTasks, TaskLayoutError

# a division by a sum, and sums of weights in another order: a few roundings of 1e-16
ROUNDING = {"rtol": 1e-12}


def make_classes():
    """Tasks of which the second has a class, its most frequent, that the first lacks."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    return X, {
        "two": np.where(X[:, 0] > 0.2, "yes", "no").astype(object),
        "three": np.select([X[:, 0] > 1.0, X[:, 0] < -1.0], ["yes", "no"], "maybe").astype(object),
    }


def alone_and_rows(model, X):
    """Return the one model's own inputs for each of two tasks."""
    return model.estimator_, [np.column_stack([X, np.tile(e, (len(X), 1))]) for e in np.eye(2)]


def test_probabilities_are_those_of_a_tasks_own_classes():
    X, y = make_classes()
    # weak enough to say "maybe" for the task that does not have it
    y["two"][10:] = None
    model = PooledTasks(LogisticRegression(C=0.03)).fit(X, y)
    assert model.estimator_.classes_.tolist() == ["maybe", "no", "yes"]
    alone, rows = alone_and_rows(model, X)
    found, predicted = model.predict_proba(X), model.predict(X)
    raw = alone.predict_proba(rows[0])
    own = raw[:, 1:] / raw[:, 1:].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found["two"], own, **ROUNDING)
    np.testing.assert_allclose(found["three"], alone.predict_proba(rows[1]), **ROUNDING)
    assert 0 < (alone.predict(rows[0]) == "maybe").sum() < 60
    assert predicted["two"].tolist() == np.array(["no", "yes"])[own.argmax(axis=1)].tolist()
    assert predicted["three"].tolist() == alone.predict(rows[1]).tolist()


def test_without_probabilities_the_most_frequent_class_stands_in_and_a_warning_says_so():
    X, y = make_classes()
    y["two"][10:] = None
    model = PooledTasks(RidgeClassifier(alpha=100.0)).fit(X, y)
    assert not hasattr(model, "predict_proba")
    alone, rows = alone_and_rows(model, X)
    raw = alone.predict(rows[0])
    foreign = raw == "maybe"
    assert 0 < foreign.sum() < 60
    labels = y["two"][:10].tolist()
    most = max(["no", "yes"], key=labels.count)
    with pytest.warns(UserWarning, match=rf"In {foreign.sum()} of 120 answers.*'two'"):
        predicted = model.predict(X)["two"]
    assert predicted.tolist() == np.where(foreign, most, raw).tolist()


class Certain(ClassifierMixin, BaseEstimator):
    """Is sure of the first class."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))

    def predict_proba(self, X):
        return np.tile(np.arange(len(self.classes_)) == 0, (len(X), 1)).astype(float)


def test_where_a_tasks_classes_have_no_probability_their_frequencies_stand_in():
    X = np.zeros((4, 1))
    y = {"a": ["x", "y", "y", None], "b": [None, "w", "w", "z"]}
    model = PooledTasks(Certain()).fit(X, y, [2.0, 1.0, 2.0, 1.0])
    with pytest.warns(UserWarning, match="In 4 of 8 answers.*class frequencies of.*'a'") as caught:
        found = model.predict_proba(X)
    assert [warning.filename for warning in caught] == [__file__]
    np.testing.assert_allclose(found["a"], np.tile([0.4, 0.6], (4, 1)), **ROUNDING)
    assert found["b"].tolist() == [[1.0, 0.0]] * 4
    with pytest.warns(UserWarning, match="In 4 of 8 answers"):
        assert model.predict(X)["a"].tolist() == ["y"] * 4


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_a_call_warns_once_of_all_tasks_that_the_model_knows_nothing_of(method):
    X = np.zeros((4, 1))
    y = {"a": [None, "w", "w", "z"], "b": ["x", "y", "y", None], "c": ["x", "x", "y", None]}
    model = PooledTasks(Certain()).fit(X, y)
    with pytest.warns(UserWarning, match=r"In 8 of 12 answers.*task\(s\) 'b', 'c' stand") as caught:
        getattr(model, method)(X)
    assert [warning.filename for warning in caught] == [__file__]


def test_classes_of_weight_zero_are_no_classes_of_the_model():
    X, y = make_classes()
    weights = {name: np.where(labels == "maybe", 0.0, 1.0) for name, labels in y.items()}
    model = PooledTasks(LogisticRegression()).fit(X, y, weights)
    assert model.estimator_.classes_.tolist() == ["no", "yes"]
    assert (model.predict_proba(X)["three"][:, 0] == 0.0).all()


def test_a_second_fit_forgets_the_first():
    X, Y = make_numbers()
    model = PooledTasks(DecisionTreeClassifier(random_state=0)).fit(*make_classes())
    model.set_params(estimator=Ridge()).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), PooledTasks(Ridge()).fit(X, Y).predict(X))
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "classes_")
    model.set_params(estimator=DecisionTreeClassifier()).fit(*make_classes())
    assert not hasattr(model, "target_mean_")


def test_classes_of_one_type_are_needed():
    X, y = make_classes()
    y["number"] = np.arange(60) % 3
    with pytest.raises(TaskLayoutError, match="task 'two' has 'no', 'yes', task 'number' has 0, 1"):
        PooledTasks(LogisticRegression()).fit(X, y)


def test_a_classifiers_labels_are_those_it_was_given():
    model = PooledTasks(Saying("other"), task_kinds={"two": "classification"})
    X, y = make_classes()
    with pytest.raises(ValueError, match="predicted 'other', which are not all among the classes"):
        model.fit(X, {"two": y["two"]}).predict(X)
    with pytest.raises(ValueError, match=r"predict returned shape \(60, 2\)"):
        model.set_params(estimator=Saying(["no", "yes"])).fit(X, y).predict(X)


class Saying(BaseEstimator):
    def __init__(self, word):
        self.word = word

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full((len(X), *np.shape(self.word)), self.word, dtype=object)
