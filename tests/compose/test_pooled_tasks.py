"""PooledTasks is one estimator on rows stacked by hand, with the task in columns of its own."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from _labels import make_numbers, make_own
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mtl import PooledTasks, TaskLayoutError

# the same sums and quotients in another order: a few roundings of 1e-16
ROUNDING = {"rtol": 1e-12}
FOREST = RandomForestRegressor(n_estimators=5, random_state=0)
ENCODINGS = ["onehot", "ordinal"]


class Recorder(LinearRegression):
    """Remembers what fit and predict were given."""

    def fit(self, X, y, **params):
        self.X_, self.y_, self.params_, self.asked_ = X, np.asarray(y), params, []
        return super().fit(X, y, **params)

    def predict(self, X):
        self.asked_.append(X)
        return super().predict(X)


@parametrize_with_checks(
    [
        PooledTasks(Ridge()),
        PooledTasks(LinearRegression(), task_encoding="ordinal", target_scaling=None),
        PooledTasks(LogisticRegression(), task_weight=None),
        PooledTasks(RidgeClassifier()),
        PooledTasks(DecisionTreeClassifier(random_state=0)),
    ]
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


# -- the reference: rows stacked by hand ------------------------------------------------------


def stacked(X, Y, encoding):
    """Return rows, labels and tasks of the observed labels, task after task."""
    rows, labels, tasks = [], [], []
    n_tasks = Y.shape[1]
    for t in range(n_tasks):
        for x, label in zip(X, Y[:, t], strict=True):
            if not np.isnan(label):
                rows.append([*x, *encoded(t, n_tasks, encoding)])
                labels.append(label)
                tasks.append(t)
    return np.array(rows), np.array(labels), np.array(tasks)


def encoded(t, n_tasks, encoding):
    return [float(t)] if encoding == "ordinal" else [float(t == s) for s in range(n_tasks)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("scaling", ["standard", None])
@pytest.mark.parametrize("estimator", [FOREST, Ridge(), KNeighborsRegressor(3)], ids=str)
def test_pooled_tasks_are_rows_stacked_by_hand(estimator, scaling, encoding):
    X, Y = make_numbers()
    rows, labels, tasks = stacked(X, Y, encoding)
    mean, scale = np.zeros(2), np.ones(2)
    if scaling:
        mean, scale = np.nanmean(Y, axis=0), np.nanstd(Y, axis=0)
    alone = clone(estimator).fit(rows, (labels - mean[tasks]) / scale[tasks])
    model = PooledTasks(estimator, task_encoding=encoding, target_scaling=scaling).fit(X, Y)
    for t in range(2):
        asked = np.column_stack([X, np.tile(encoded(t, 2, encoding), (len(X), 1))])
        # means summed in another order
        np.testing.assert_allclose(
            model.predict(X)[:, t], alone.predict(asked) * scale[t] + mean[t], rtol=1e-9
        )
    np.testing.assert_allclose(model.target_mean_, mean, **ROUNDING)
    np.testing.assert_allclose(model.target_scale_, scale, **ROUNDING)


@pytest.mark.parametrize("names", [[0, 1, 2], ["a", "b", "c"]])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_in_long_form_rows_keep_their_order(encoding, names):
    rng = np.random.default_rng(0)
    X, tags = rng.normal(size=(30, 2)), rng.integers(3, size=30)
    y = X.sum(axis=1) + tags
    y[:4] = np.nan
    task = np.array(names, dtype=object if isinstance(names[0], str) else float)[tags]
    rows = np.column_stack([X, task])
    model = PooledTasks(Recorder(), task_encoding=encoding, task_feature=2, target_scaling=None)
    given = model.fit(rows, y).estimator_.X_
    columns = tags[:, None] if encoding == "ordinal" else np.eye(3)[tags]
    np.testing.assert_array_equal(given.astype(float), np.column_stack([X, columns])[4:])
    assert model.estimator_.y_.tolist() == y[4:].tolist()
    with pytest.raises(TaskLayoutError, match="holds tasks that fit never saw"):
        model.predict(np.column_stack([X, np.full(30, 9 if names[0] == 0 else "z", object)]))


def test_one_task_is_the_estimator_alone():
    X, Y = make_numbers(missing=0.0)
    alone = LinearRegression().fit(X, Y[:, 1])
    model = PooledTasks(LinearRegression()).fit(X, Y[:, 1])
    np.testing.assert_allclose(model.predict(X), alone.predict(X), rtol=1e-10)  # scaled and back


def test_a_linear_model_gives_tasks_constants_and_no_slopes_of_their_own():
    X, Y = make_numbers()
    model = PooledTasks(LinearRegression(), target_scaling=None).fit(X, Y)
    difference = np.diff(model.predict(X), axis=1)
    np.testing.assert_allclose(difference, difference[0, 0], rtol=1e-9)  # rounding of 300
    assert abs(difference[0, 0]) > 100


def test_scaled_targets_do_not_depend_on_units():
    X, Y = make_numbers()
    units = np.array([1.0, 1024.0])  # a power of two: no digit changes
    plain, other = PooledTasks(FOREST).fit(X, Y), PooledTasks(FOREST).fit(X, Y * units)
    np.testing.assert_array_equal(other.predict(X), plain.predict(X) * units)
    unscaled = PooledTasks(Ridge(), target_scaling=None)
    raw = clone(unscaled).fit(X, Y).predict(X)
    assert not np.allclose(clone(unscaled).fit(X, Y * units).predict(X), raw * units)


def test_labels_that_do_not_differ_have_no_spread_to_divide_by():
    X, Y = make_numbers()
    Y[:, 0] = 0.1  # whose mean is off by rounding
    model = PooledTasks(Recorder()).fit(X, Y)
    assert model.target_scale_[0] == 1.0
    np.testing.assert_allclose(model.estimator_.y_[: len(X)], 0.0, atol=1e-15)  # rounding of 0.1


# -- the type and the size of what the estimator is given -------------------------------------


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.dok_array])
def test_sparse_rows_stay_sparse(make, encoding):
    X, Y = make_numbers()
    X[X < 0] = 0.0
    dense = PooledTasks(Recorder(), task_encoding=encoding).fit(X, Y)
    model = PooledTasks(Recorder(), task_encoding=encoding).fit(make(X), Y)
    given = model.estimator_.X_
    assert sparse.issparse(given)
    assert isinstance(given, sparse.sparray) is issubclass(make, sparse.sparray)
    np.testing.assert_array_equal(given.toarray(), dense.estimator_.X_)
    model.predict(make(X))
    assert all(map(sparse.issparse, model.estimator_.asked_))


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(
    ("encoding", "columns"),
    [("onehot", ["task_price", "task_size"]), ("ordinal", ["task"])],
)
def test_frames_keep_their_columns_and_gain_those_of_the_tasks(library, encoding, columns):
    X, Y = make_numbers()
    frame = library({name: X[:, j] for j, name in enumerate("abc")})
    y = {"price": Y[:, 0], "size": Y[:, 1]}
    model = PooledTasks(Recorder(), task_encoding=encoding).fit(frame, y)
    assert isinstance(model.estimator_.X_, library)
    assert model.estimator_.feature_names_in_.tolist() == ["a", "b", "c", *columns]
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    expected = PooledTasks(Recorder(), task_encoding=encoding).fit(X, Y).predict(X)
    found = model.predict(frame)
    np.testing.assert_allclose(found["size"], expected[:, 1], rtol=1e-9)  # memory order of X
    taken = library({name: X[:, j] for j, name in enumerate([columns[0], "b", "c"])})
    with pytest.raises(TaskLayoutError, match=f"already has the column.*'{columns[0]}'"):
        clone(model).fit(taken, y)


def test_in_long_form_frames_the_columns_are_called_after_the_task_column():
    X, Y = make_numbers(missing=0.0)
    frame = pd.DataFrame({"school": ["b", "a"] * 15, "hours": X[:, 0]}, index=np.arange(30) + 7)
    model = PooledTasks(Recorder(), task_feature="school").fit(frame, Y[:, 0])
    assert list(model.estimator_.X_.columns) == ["hours", "school_a", "school_b"]
    assert model.estimator_.X_["school_b"].tolist() == [1, 0] * 15
    model.set_params(task_encoding="ordinal").fit(frame, Y[:, 0])
    assert model.estimator_.X_["school"].tolist() == [1, 0] * 15


def test_frames_without_names_get_columns_without_names():
    X, Y = make_numbers()
    model = PooledTasks(Recorder()).fit(pd.DataFrame(X), Y)
    assert list(model.estimator_.X_.columns) == [0, 1, 2, 3, 4]
    assert model.predict(pd.DataFrame(X)).shape == Y.shape


def test_many_tasks_cost_a_row_a_label_in_the_dtype_of_x():
    rng = np.random.default_rng(0)
    n_tasks, p = 40, 3
    X = {f"t{t}": rng.normal(size=(5, p)).astype(np.float32) for t in range(n_tasks)}
    y = {name: rows.sum(axis=1) for name, rows in X.items()}
    model = PooledTasks(Recorder()).fit(X, y)
    assert model.estimator_.X_.shape == (5 * n_tasks, p + n_tasks)
    assert model.estimator_.X_.dtype == np.float32
    shared, Y = rng.normal(size=(20, p)), np.full((20, n_tasks), np.nan)
    Y[rng.integers(20, size=n_tasks), np.arange(n_tasks)] = 1.0  # one label a task
    model.fit(shared, Y).predict(shared)
    assert model.estimator_.X_.shape == (n_tasks, p + n_tasks)
    # never all tasks' rows at once
    assert {asked.shape for asked in model.estimator_.asked_} == {(20, p + n_tasks)}


@pytest.mark.parametrize("dtype", [np.int8, np.float16, bool])
def test_task_numbers_are_exact_whatever_the_dtype_of_x(dtype):
    n_tasks = 300  # too many for int8
    X = {t: np.ones((1, 1), dtype) for t in range(n_tasks)}
    y = {t: [float(t)] for t in range(n_tasks)}
    model = PooledTasks(Recorder(), task_encoding="ordinal").fit(X, y)
    assert model.estimator_.X_[:, 1].tolist() == list(range(n_tasks))


# -- weights ----------------------------------------------------------------------------------


def test_weights_of_labels_reach_their_rows():
    X, Y = make_numbers()
    weights = np.random.default_rng(0).uniform(0.5, 2.0, Y.shape)
    weights[:5] = 0.0
    model = PooledTasks(Recorder()).fit(X, Y, weights)
    kept = ~np.isnan(Y) & (weights > 0)
    assert model.estimator_.params_["sample_weight"].tolist() == weights.T[kept.T].tolist()
    t = 1
    mean = np.average(Y[kept[:, t], t], weights=weights[kept[:, t], t])
    assert model.target_mean_[t] == pytest.approx(mean, rel=ROUNDING["rtol"])


def test_a_label_counts_once_unless_tasks_are_to_count_the_same():
    X, Y = make_numbers()
    Y[:20, 0] = np.nan
    model = PooledTasks(Recorder()).fit(X, Y)
    assert model.estimator_.params_ == {}
    counts = (~np.isnan(Y)).sum(axis=0)
    for task_weight, shares in ((None, [0.5, 0.5]), ([3.0, 1.0], [0.75, 0.25])):
        model.set_params(task_weight=task_weight).fit(X, Y)
        given = model.estimator_.params_["sample_weight"]
        tasks = np.repeat([0, 1], counts)
        total = np.bincount(tasks, given)
        np.testing.assert_allclose(total / total.sum(), shares, **ROUNDING)
        assert all(len(set(given[tasks == t])) == 1 for t in range(2))


def test_metadata_is_repeated_with_the_rows():
    X, Y = make_numbers(missing=0.0)
    X_own, y_own = make_own("numbers")
    with sklearn.config_context(enable_metadata_routing=True):
        inner = Noting().set_fit_request(sample_weight=True, note=True)
        model = PooledTasks(inner).fit(X, Y, np.arange(1.0, 31.0), note=np.arange(30))
        assert model.estimator_.note_.tolist() == [*range(30)] * 2
        assert model.estimator_.weight_.tolist() == [*range(1, 31)] * 2
        note = {name: np.arange(len(rows)) for name, rows in X_own.items()}
        model = PooledTasks(inner).fit(X_own, y_own, note=note)
        assert model.estimator_.note_.tolist() == [*range(25), *range(3, 18), *range(12)]


class Noting(BaseEstimator):
    def fit(self, X, y, sample_weight=None, note=None):
        self.note_, self.weight_ = note, sample_weight
        return self

    def predict(self, X):
        return np.zeros(len(X))


# -- in scikit-learn --------------------------------------------------------------------------


def test_searches_pipelines_clones_and_pickles_work():
    X, Y = make_numbers()
    model = make_pipeline(StandardScaler(), PooledTasks(FOREST))
    search = GridSearchCV(
        model,
        {
            "pooledtasks__estimator__max_depth": [1, 3],
            "pooledtasks__task_encoding": ["onehot", "ordinal"],
        },
        cv=3,
    ).fit(X, Y)
    assert search.best_params_["pooledtasks__estimator__max_depth"] == 3
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    fitted = search.best_estimator_
    np.testing.assert_array_equal(clone(fitted).fit(X, Y).predict(X), fitted.predict(X))


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (PooledTasks({"a": Ridge()}), TypeError, "estimator is a dict.*IndependentTasks"),
        (PooledTasks(Ridge), TypeError, "is the class Ridge"),
        (
            PooledTasks(Ridge(), task_encoding="one-hot"),
            ValueError,
            "'task_encoding' parameter of PooledTasks.*did you mean 'onehot'",
        ),
        (PooledTasks(Ridge(), target_scaling="std"), ValueError, "'target_scaling' parameter"),
        (PooledTasks(Ridge(), task_weight="equal"), ValueError, "task_weight must be None"),
        (PooledTasks(PoissonRegressor()), ValueError, "positive labels.*target_scaling=None"),
        (
            PooledTasks(KNeighborsRegressor(), task_weight=None),
            TypeError,
            "every task_weight but 'n_samples'.*KNeighborsRegressor.fit takes no sample_weight",
        ),
        (
            PooledTasks(Noting(), task_kinds={"task0": "classification"}),
            TaskLayoutError,
            "tasks of one kind, but 'task0' is .* and 'task1' regression",
        ),
    ],
    ids=lambda value: "",
)
def test_what_makes_no_pooled_model_is_told_of(model, error, message):
    X, Y = make_numbers(missing=0.0)
    with pytest.raises(error, match=message):
        model.fit(X, Y.round())


def test_tasks_that_are_written_alike_are_told_of():
    X, Y = make_numbers()
    with pytest.raises(TaskLayoutError, match="do not all differ when written as text"):
        PooledTasks(Ridge()).fit(X, {1: Y[:, 0], "1": Y[:, 1]})
