"""What each task loses when a feature is permuted."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from scipy.sparse import csc_array, csr_array, issparse
from sklearn.datasets import make_regression
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    GraphRegressor,
    IndependentTasks,
    MeanRegularizedRegressor,
    MultiTaskTarget,
    TaskLayoutError,
    make_task_scorer,
    stack_tasks,
    task_permutation_importance,
)
from sklearn_mtl.inspection._columns import with_reordered_column

# features x tasks, by construction: a feature matters for a task where its weight is not 0
WEIGHTS = np.array([[2.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0]])


def make_tasks(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, X @ WEIGHTS.T


def score_of_task(t, metric):
    def score(estimator, X, y):
        return metric(y[:, t], np.asarray(estimator.predict(X))[:, t])

    return score


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_shared_rows_give_scikit_learns_importance_of_each_task(n_jobs):
    X, y = make_regression(80, 5, n_targets=3, random_state=0)
    model = RandomForestRegressor(10, random_state=0).fit(X, y)
    with parallel_config(backend="threading"):  # processes take seconds to start
        found = task_permutation_importance(model, X, y, n_repeats=3, random_state=7, n_jobs=n_jobs)
    assert found.importances.shape == (3, 5, 3)
    for t in range(3):
        score = score_of_task(t, r2_score)
        expected = permutation_importance(model, X, y, scoring=score, n_repeats=3, random_state=7)
        # the same permutations: rounding of a mean over 80 labels is all that may differ
        np.testing.assert_allclose(found.importances[t], expected.importances, atol=1e-12)
        np.testing.assert_allclose(found.importances_mean[t], expected.importances_mean, atol=1e-12)
        np.testing.assert_allclose(found.importances_std[t], expected.importances_std, atol=1e-12)


def test_classes_give_scikit_learns_drop_of_accuracy():
    X, numbers = make_tasks()
    y = (numbers > 0).astype(int)
    model = IndependentTasks(LogisticRegression()).fit(X, y)
    found = task_permutation_importance(model, X, y, n_repeats=2, random_state=1)
    score = score_of_task(2, accuracy_score)
    expected = permutation_importance(model, X, y, scoring=score, n_repeats=2, random_state=1)
    np.testing.assert_array_equal(found.importances[2], expected.importances)


def test_features_matter_for_the_tasks_that_read_them_alone():
    X, y = make_tasks()
    found = task_permutation_importance(Ridge(alpha=1e-9).fit(X, y), X, y, random_state=0)
    matters = found.importances_mean > 1e-6  # weights of Ridge are 0 within rounding and alpha
    np.testing.assert_array_equal(matters, WEIGHTS != 0)
    # R² loses 2 w² / |w|² for independent features: 1.6 and 0.4 for the first task
    assert found.importances_mean[0, 0] > found.importances_mean[0, 3] > 0.1
    np.testing.assert_allclose(found.baseline_scores, 1.0)


def test_names_of_tasks_and_features_are_those_of_frames():
    X, y = make_tasks()
    X, y = pd.DataFrame(X, columns=list("abcd")), pd.DataFrame(y, columns=["u", "v", "w"])
    model = GraphRegressor(gamma=0.0).fit(X, y)
    found = task_permutation_importance(model, X, y, n_repeats=1, random_state=0)
    assert found.task_names == ["u", "v", "w"]
    assert found.feature_names == list("abcd")
    # names seen by fit serve an array
    inner = IndependentTasks(Ridge()).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn's, on missing feature names
        again = task_permutation_importance(inner, X.to_numpy(), y, n_repeats=1, random_state=0)
    assert again.feature_names == list("abcd")
    unnamed = task_permutation_importance(Ridge().fit(X.values, y.values), X.values, y.values)
    assert unnamed.feature_names == ["x0", "x1", "x2", "x3"]
    assert unnamed.task_names == ["task0", "task1", "task2"]


@pytest.mark.parametrize(
    "container",
    [
        pd.DataFrame,
        lambda X: pl.DataFrame(X, schema=["a", "b", "c", "d"]),
        lambda X: pl.DataFrame(X, schema=["a", "b", "c", "d"]).to_arrow(),
        csr_array,
        csc_array,
        np.ndarray.tolist,
    ],
)
def test_a_column_is_reordered_alike_in_every_container(container):
    X, _ = make_tasks(n=7)
    X[::2, 1] = 0.0
    order = np.array([3, 0, 6, 1, 2, 5, 4])
    expected = X.copy()
    expected[:, 1] = X[order, 1]
    held = container(X)
    if not isinstance(held, list):
        found = with_reordered_column(held, 1, order)
        assert type(found) is type(held)
        as_array = found.toarray() if issparse(found) else np.asarray(found)
        np.testing.assert_array_equal(as_array, expected)
        unchanged = held.toarray() if issparse(held) else np.asarray(held)
        np.testing.assert_array_equal(unchanged, X)
    else:
        y = X @ WEIGHTS.T
        model = Ridge().fit(X, y)
        from_list = task_permutation_importance(model, held, y.tolist(), random_state=0)
        from_array = task_permutation_importance(model, X, y, random_state=0)
        np.testing.assert_array_equal(from_list.importances, from_array.importances)


def test_columns_of_a_frame_keep_their_types():
    X = pd.DataFrame({"a": [1, 2, 3], "b": pd.Categorical(["u", "v", "u"])}, index=[5, 6, 7])
    found = with_reordered_column(X, 1, np.array([1, 2, 0]))
    assert found.dtypes.equals(X.dtypes)
    assert found["b"].tolist() == ["v", "u", "u"]
    assert found.index.tolist() == [5, 6, 7]


def test_sparse_rows_give_the_importances_of_dense_ones():
    X, y = make_tasks()
    X[np.abs(X) < 0.5] = 0.0
    model = GraphRegressor().fit(X, y)
    dense = task_permutation_importance(model, X, y, n_repeats=2, random_state=0)
    sparse = task_permutation_importance(model, csr_array(X), y, n_repeats=2, random_state=0)
    np.testing.assert_allclose(sparse.importances, dense.importances, atol=1e-12)  # order of sums


def test_labels_that_are_missing_do_not_count():
    X, y = make_tasks()
    model = Ridge(alpha=1e-9).fit(X, y)
    partly = y.copy()
    partly[:40, 0] = np.nan
    found = task_permutation_importance(model, X, partly, n_repeats=2, random_state=3)

    def score(estimator, X, y):
        return r2_score(y[40:, 0], estimator.predict(X)[40:, 0])

    expected = permutation_importance(model, X, y, scoring=score, n_repeats=2, random_state=3)
    np.testing.assert_allclose(found.importances[0], expected.importances, atol=1e-12)
    complete = task_permutation_importance(model, X, y, n_repeats=2, random_state=3)
    np.testing.assert_array_equal(found.importances[1:], complete.importances[1:])


def test_a_task_without_a_score_is_nan_and_warned_of_once():
    X, y = make_tasks()
    model = Ridge().fit(X, y)
    y[:, 1] = np.nan
    with pytest.warns(UndefinedMetricWarning, match="task1") as caught:
        found = task_permutation_importance(model, X, y)
    assert len(caught) == 1
    assert np.isnan(found.importances[1]).all()
    assert np.isfinite(found.importances[[0, 2]]).all()


def make_own_rows():
    """Tasks of disjoint ranges of features: entries that came from another task would be seen."""
    rng = np.random.default_rng(0)
    X = {
        name: rng.normal(size=(n, 3)) + 100 * i
        for i, (name, n) in enumerate([("a", 40), ("b", 25)])
    }
    return X, {"a": X["a"][:, 0].copy(), "b": X["b"][:, 1] + X["b"][:, 2]}


class Watched(MeanRegularizedRegressor):
    """A model that keeps what it is asked to predict."""

    asked: list = []

    def predict(self, X):
        self.asked.append(X)
        return super().predict(X)


def test_rows_of_a_task_are_permuted_among_themselves():
    X, y = make_own_rows()
    model = Watched().fit(X, y)
    model.asked.clear()
    task_permutation_importance(model, X, y, n_repeats=2, random_state=0)
    assert len(model.asked) == 1 + 3 * 2  # one prediction of all tasks for each permutation
    for number, asked in enumerate(model.asked[1:]):
        for name, rows in asked.items():
            column = number // 2
            others = np.delete(np.arange(3), column)
            np.testing.assert_array_equal(rows[:, others], X[name][:, others])
            assert (rows[:, column] != X[name][:, column]).any()
            np.testing.assert_array_equal(np.sort(rows[:, column]), np.sort(X[name][:, column]))


def test_long_form_gives_the_importances_of_own_rows():
    X, y = make_own_rows()
    own = MeanRegularizedRegressor().fit(X, y)
    expected = task_permutation_importance(own, X, y, n_repeats=3, random_state=0)
    tables = {name: (pd.DataFrame(X[name], columns=list("uvw")), y[name]) for name in X}
    rows, labels = stack_tasks(tables)
    long = MeanRegularizedRegressor(task_feature="task").fit(rows, labels)
    found = task_permutation_importance(long, rows, labels, n_repeats=3, random_state=0)
    assert found.task_names == ["a", "b"]
    assert found.feature_names == ["u", "v", "w"]
    # one model, its sums in another order: means near 100 cancel, which costs digits
    np.testing.assert_allclose(found.importances, expected.importances, rtol=1e-6)
    assert (found.importances_mean[0] > 0.5).tolist() == [True, False, False]


def test_the_task_column_of_any_estimator_can_be_told_by_the_scorer():
    X, y = make_own_rows()
    rows = np.column_stack([np.repeat([0.0, 1.0], [40, 25]), np.concatenate(list(X.values()))])
    labels = np.concatenate(list(y.values()))
    forest = RandomForestRegressor(5, random_state=0).fit(rows, labels)
    scorer = make_task_scorer(average=None, task_feature=0)
    found = task_permutation_importance(forest, rows, labels, scoring=scorer, random_state=0)
    assert found.task_names == [0, 1]
    assert found.feature_names == ["x1", "x2", "x3"]


def test_pipelines_and_searches_are_asked_as_they_are():
    X, y = make_tasks()
    y = MultiTaskTarget({"u": y[:, 0], "v": y[:, 1]})
    pipeline = make_pipeline(StandardScaler(), GraphRegressor())
    search = GridSearchCV(pipeline, {"graphregressor__alpha": [1e-6, 1e-3]}, cv=3).fit(X, y)
    found = task_permutation_importance(search, X, y, n_repeats=2, random_state=0)
    inner = task_permutation_importance(search.best_estimator_, X, y, n_repeats=2, random_state=0)
    assert found.task_names == ["u", "v"]
    np.testing.assert_array_equal(found.importances, inner.importances)


def test_weights_count_in_the_scores():
    X, y = make_tasks()
    y += np.random.default_rng(1).normal(size=y.shape)
    model = Ridge().fit(X, y)
    twice = np.where(np.arange(60) < 20, 2.0, 1.0)
    found = task_permutation_importance(model, X, y, random_state=0, sample_weight=twice)

    def score(estimator, X, y, sample_weight):
        return r2_score(y[:, 0], estimator.predict(X)[:, 0], sample_weight=sample_weight)

    expected = permutation_importance(
        model, X, y, scoring=score, random_state=0, sample_weight=twice
    )
    np.testing.assert_allclose(found.importances[0], expected.importances, atol=1e-12)


def test_a_metric_for_each_task():
    X, y = make_tasks()
    y = {"u": y[:, 0], "v": np.where(y[:, 1] > 0, "yes", "no")}
    model = IndependentTasks({"u": Ridge(), "v": LogisticRegression()}).fit(X, y)
    metrics = {"u": "neg_mean_absolute_error", "v": "roc_auc"}
    found = task_permutation_importance(model, X, y, scoring=metrics, random_state=0)
    assert found.baseline_scores[0] < 0 < found.baseline_scores[1]
    assert found.importances_mean[0].argmax() == 0
    assert found.importances_mean[1].argmax() == 1


def test_the_global_random_state_is_left_as_found():
    X, y = make_tasks(n=20)
    model = Ridge().fit(X, y)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    task_permutation_importance(model, X, y, n_repeats=1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_bad_input_is_named():
    X, y = make_tasks()
    model = Ridge().fit(X, y)
    with pytest.raises(ValueError, match="n_repeats == 0, must be >= 1"):
        task_permutation_importance(model, X, y, n_repeats=0)
    with pytest.raises(ValueError, match="make it with average=None"):
        task_permutation_importance(model, X, y, scoring=make_task_scorer())
    with pytest.raises(NotFittedError):
        task_permutation_importance(Ridge(), X, y)
    own = {"a": X, "b": X[:, :3]}
    labels = {name: rows[:, 0] for name, rows in own.items()}
    tasks = IndependentTasks(Ridge()).fit(own, labels)
    with pytest.raises(TaskLayoutError, match="Task 'b' has the features 'x0', 'x1', 'x2', but"):
        task_permutation_importance(tasks, own, labels)
