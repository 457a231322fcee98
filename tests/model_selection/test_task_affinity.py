"""How much each task helps each other one, by three measures."""

import pickle
import sys
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from model_selection._families_of_tasks import make_families
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from sklearn_mtl import (
    IndependentTasks,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultiTaskKFold,
    MultiTaskLinearEstimator,
    MultiTaskRegressor,
    MultiTaskTarget,
    TaskAffinity,
    TaskLayoutError,
    task_affinity,
)
from sklearn_mtl.exceptions import MissingBackendError

LINEAR = MeanRegularizedRegressor(alpha_shared=0.1, alpha_specific=3.0)
NETWORK = MultiTaskRegressor(
    hidden_layer_sizes=(3,),
    max_epochs=15,
    batch_size=12,
    lr=0.01,
    early_stopping=False,
    n_estimators=1,
    dropout=0.0,
    numeric_embedding=None,
    task_affinity_every=1,
    random_state=0,
)


def inside_and_across(matrix):
    """Return the affinities within the two families, and those between them."""
    within = [matrix[i, j] for i in range(4) for j in range(4) if i != j and (i - j) % 2 == 0]
    return np.array(within), np.array(
        [matrix[i, j] for i in range(4) for j in range(4) if (i - j) % 2]
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("estimator", "method"),
    [(LINEAR, "pairwise"), (LINEAR, "coefficients"), (NETWORK, "gradient")],
    ids=["pairwise", "coefficients", "gradient"],
)
def test_tasks_of_one_family_help_one_another_more_than_others(estimator, method, seed):
    X, Y = make_families(seed)
    affinity = task_affinity(estimator, X, Y, method=method, random_state=0)
    within, across = inside_and_across(affinity.matrix)
    assert within.min() > across.max()


# -- pairwise ---------------------------------------------------------------------------------


def test_pairwise_is_the_relative_gain_computed_by_hand():
    X, Y = make_families(n=30)
    Y[::7, 1] = np.nan
    folds = list(KFold(3).split(X))
    errors = {}
    for tasks in [(0,), (1,), (2,), *combinations(range(3), 2)]:
        for train, test in folds:
            part = Y[train][:, list(tasks)]
            model = clone(LINEAR).fit(X[train], part[:, 0] if len(tasks) == 1 else part)
            predicted = model.predict(X[test]).reshape(len(test), -1)
            for k, t in enumerate(tasks):
                seen = ~np.isnan(Y[test, t])
                error = np.sqrt(np.mean((predicted[seen, k] - Y[test, t][seen]) ** 2))
                errors.setdefault((tasks, t), []).append(error)
    expected = np.full((3, 3), np.nan)
    for i, j in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]:
        alone, pair = np.mean(errors[(j,), j]), np.mean(errors[tuple(sorted((i, j))), j])
        expected[i, j] = (alone - pair) / alone
    found = task_affinity(LINEAR, X, Y[:, :3], cv=KFold(3)).matrix
    # the same solver on the same rows, twice
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_tasks_that_share_nothing_gain_nothing():
    X, Y = make_families(n=30)
    affinity = task_affinity(IndependentTasks(Ridge()), X, Y, cv=3, random_state=0)
    assert (affinity.matrix[~np.eye(4, dtype=bool)] == 0).all()
    assert np.isnan(affinity.matrix.diagonal()).all()


def test_pairwise_takes_a_plain_estimator_of_several_columns():
    X, Y = make_families(n=30)
    affinity = task_affinity(Ridge(), X, Y, cv=3, random_state=0)
    # each column of ridge regression is fitted by itself; columns are solved for together
    np.testing.assert_allclose(affinity.matrix[~np.eye(4, dtype=bool)], 0, atol=1e-10)


def test_random_state_and_n_jobs():
    X, Y = make_families(n=30)
    first = task_affinity(LINEAR, X, Y, cv=3, random_state=1).matrix
    np.testing.assert_array_equal(task_affinity(LINEAR, X, Y, cv=3, random_state=1).matrix, first)
    with parallel_config(backend="threading"):  # processes take seconds to start
        together = task_affinity(LINEAR, X, Y, cv=3, random_state=1, n_jobs=2).matrix
    np.testing.assert_array_equal(together, first)
    other = task_affinity(LINEAR, X, Y, cv=3, random_state=2).matrix
    assert (other != first)[0, 1]


def test_scoring_says_what_the_error_is():
    X, Y = make_families(n=40)
    labels = Y > 0
    model = MeanRegularizedClassifier(alpha_specific=1.0)
    cv = MultiTaskKFold(2)
    by_default = task_affinity(model, X, labels[:, :2], cv=cv).matrix
    log = task_affinity(model, X, labels[:, :2], cv=cv, scoring="neg_log_loss").matrix
    accuracy = task_affinity(model, X, labels[:, :2], cv=cv, scoring="accuracy").matrix
    np.testing.assert_array_equal(by_default, log)
    assert not np.array_equal(accuracy, log)
    errors = {"alone": [], "pair": []}
    for train, test in cv.split(X, labels[:, :2]):
        alone = clone(model).fit(X[train], labels[train, 0]).predict_proba(X[test])
        pair = clone(model).fit(X[train], labels[train, :2]).predict_proba(X[test])[0]
        errors["alone"].append(log_loss(labels[test, 0], alone))
        errors["pair"].append(log_loss(labels[test, 0], pair))
    expected = 1 - np.mean(errors["pair"]) / np.mean(errors["alone"])
    # the same fits, and losses in another order
    np.testing.assert_allclose(log[1, 0], expected, rtol=1e-9)


# -- containers -------------------------------------------------------------------------------


def containers():
    X, Y = make_families(n=30)
    Y[::6, 0] = np.nan
    names = list("abcd")
    named = dict(zip(names, Y.T, strict=True))
    stacked = np.concatenate([np.column_stack([np.full(30, t), X]) for t in range(4)])
    yield "matrix", LINEAR, X, Y
    yield "frame", LINEAR, pd.DataFrame(X).add_prefix("x"), pd.DataFrame(named)
    yield "polars", LINEAR, X, pytest.importorskip("polars").DataFrame(named)
    yield "dict", LINEAR, X, named
    yield "target", LINEAR, X, MultiTaskTarget(named)
    yield "own rows", LINEAR, dict.fromkeys(names, X), named
    yield "long", clone(LINEAR).set_params(task_feature=0), stacked, Y.T.ravel()


@pytest.mark.parametrize("case", list(containers()), ids=lambda case: case[0])
@pytest.mark.parametrize("method", ["pairwise", "coefficients"])
def test_every_container_of_the_same_labels_has_the_same_affinities(case, method):
    label, model, X, y = case
    cv = KFold(2)
    if label in ("own rows", "long"):  # rows count through the tasks
        cv = [
            tuple(np.concatenate([part + 30 * t for t in range(4)]) for part in split)
            for split in KFold(2).split(np.zeros(30))
        ]
    found = task_affinity(model, X, y, method=method, cv=cv)
    X, Y = make_families(n=30)
    Y[::6, 0] = np.nan
    expected = task_affinity(LINEAR, X, Y, method=method, cv=KFold(2)).matrix
    # problems of the same optimum, solved along different ways
    np.testing.assert_allclose(found.matrix, expected, atol=1e-5)
    if label not in ("matrix", "long"):
        assert found.task_names == list("abcd")


def test_tasks_of_different_kinds_are_compared_by_their_own_errors():
    X, Y = make_families(n=40)
    y = pd.DataFrame({"price": Y[:, 0], "dear": Y[:, 2] > 0, "other": Y[:, 1]})
    folds, model = list(KFold(2).split(X)), MultiTaskLinearEstimator()
    matrix = task_affinity(model, X, y, cv=folds).matrix

    def error_of(task, names):
        found = []
        for train, test in folds:
            fitted = clone(model).fit(X[train], y.iloc[train][names])
            if task == "dear":
                of_tasks = fitted.predict_proba(X[test])
                found.append(log_loss(y[task].iloc[test], of_tasks[task]))
            else:
                residuals = fitted.predict(X[test])[task] - y[task].to_numpy()[test]
                found.append(np.sqrt(np.mean(residuals**2)))
        return np.mean(found)

    for i, j in permutations(range(3), 2):
        helped = y.columns[j]
        own = error_of(helped, [helped])
        expected = (own - error_of(helped, [y.columns[t] for t in sorted((i, j))])) / own
        np.testing.assert_allclose(matrix[i, j], expected)


@pytest.mark.parametrize(
    ("container", "names"), [(np.asarray, ["task0", "task2"]), (pd.DataFrame, [0, 2])]
)
def test_parameters_by_task_are_cut_to_the_tasks_fitted(container, names):
    X, Y = make_families(n=30)
    weights = dict.fromkeys(names, 3.0)
    by_name = clone(LINEAR).set_params(task_weight=weights)
    by_place = clone(LINEAR).set_params(task_weight=[3.0, 1.0, 3.0, 1.0])
    args = {"X": X, "y": container(Y), "cv": 2, "random_state": 0}
    first = task_affinity(by_name, **args).matrix
    np.testing.assert_array_equal(task_affinity(by_place, **args).matrix, first)
    assert not np.array_equal(task_affinity(LINEAR, **args).matrix, first, equal_nan=True)


# -- coefficients ------------------------------------------------------------------------------


def test_coefficients_are_compared_in_units_of_the_features():
    X, Y = make_families()
    first = task_affinity(IndependentTasks(Ridge(alpha=1e-9)), X, Y, method="coefficients").matrix
    scaled = X * np.logspace(-2, 2, X.shape[1])
    second = task_affinity(
        IndependentTasks(Ridge(alpha=1e-12)), scaled, Y, method="coefficients"
    ).matrix
    # nearly unpenalised fits, which do not depend on units
    np.testing.assert_allclose(first, second, atol=1e-6)
    weights = np.linalg.lstsq(X - X.mean(0), Y - Y.mean(0))[0].T * X.std(0)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    np.testing.assert_allclose(first, weights @ weights.T, atol=1e-6)


def test_pipelines_and_searches_are_seen_through():
    X, Y = make_families()
    pipeline = make_pipeline(StandardScaler(), LINEAR)
    scaled = StandardScaler().fit_transform(X)
    expected = task_affinity(LINEAR, scaled, Y, method="coefficients").matrix
    found = task_affinity(pipeline, X * 3 + 1, Y, method="coefficients").matrix
    np.testing.assert_allclose(found, expected, atol=1e-6)
    search = GridSearchCV(pipeline, {"meanregularizedregressor__alpha_specific": [3.0]}, cv=2)
    found = task_affinity(search, X, Y, method="coefficients").matrix
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_scikit_learns_own_models_of_several_tasks_are_compared_too():
    X, Y = make_families()
    own = task_affinity(IndependentTasks(Lasso(0.1)), X, Y, method="coefficients").matrix
    found = task_affinity(MultiOutputRegressor(Lasso(0.1)), X, Y, method="coefficients").matrix
    np.testing.assert_array_equal(found, own)
    classes = np.where(Y > 0, "yes", "no")
    options = {"l1_ratio": 1.0, "C": 0.5, "solver": "liblinear", "random_state": 0}
    model = LogisticRegression(**options)
    dense = task_affinity(IndependentTasks(model), X, classes, method="coefficients").matrix
    sparse = IndependentTasks(SparseLogisticRegression(**options))
    found = task_affinity(sparse, X, classes, method="coefficients").matrix
    np.testing.assert_array_equal(found, dense)


class SparseLogisticRegression(LogisticRegression):
    """Keeps its coefficients sparse."""

    def fit(self, X, y, sample_weight=None):
        """Fit, then make ``coef_`` sparse."""
        return super().fit(X, y, sample_weight).sparsify()


def test_features_that_are_chosen_by_each_task_are_not_compared():
    X, Y = make_families()
    chosen = make_pipeline(SelectKBest(f_regression, k=2), Ridge())
    with pytest.raises(ValueError, match="'task1' has other features than the tasks before"):
        task_affinity(IndependentTasks(chosen), X, Y, method="coefficients")


def test_classes_of_several_rows_are_compared_whatever_their_common_shift():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 4))
    logits = X @ rng.normal(size=(4, 3))
    first = logits.argmax(1)
    y = {
        "first": first,
        "same": first,
        "opposite": (-logits).argmax(1),
        "other classes": np.array(list("xyz"))[first],
        "binary": first == 0,
    }
    model = IndependentTasks(LogisticRegression())
    matrix = task_affinity(model, X, y, method="coefficients").matrix
    np.testing.assert_allclose(matrix[0, 1], 1.0)
    assert matrix[0, 2] < -0.5
    # other classes: no sign, and equal matrices are still as alike as can be
    np.testing.assert_allclose(matrix[0, 3], 1.0)
    assert 0 < matrix[0, 4] < 1
    np.testing.assert_allclose(matrix, matrix.T)


def test_coefficients_in_long_form_are_of_the_features_beside_the_task():
    X, Y = make_families(n=40)
    stacked = np.concatenate([np.column_stack([np.full(40, t), X]) for t in range(4)])
    model = MeanRegularizedClassifier(alpha_specific=0.3, task_feature=0)
    matrix = task_affinity(model, stacked, (Y > 0).T.ravel(), method="coefficients").matrix
    within, across = inside_and_across(matrix)
    assert within.min() > across.max()


# -- gradient -----------------------------------------------------------------------------------


def test_gradient_is_the_mean_of_what_a_fit_records():
    X, Y = make_families()
    model = clone(NETWORK).fit(X, Y)
    found = task_affinity(NETWORK, X, Y, method="gradient").matrix
    np.testing.assert_allclose(found, model.history_["task_affinity"].mean(axis=0), rtol=1e-12)
    assert (found.diagonal() > 0).all()


def test_networks_in_pipelines_and_searches_and_ensembles_are_measured():
    X, Y = make_families(n=30)
    network = clone(NETWORK).set_params(n_estimators=2, task_affinity_every=None)
    pipeline = make_pipeline(StandardScaler(), network)
    search = GridSearchCV(pipeline, {"multitaskregressor__lr": [0.01]}, cv=2)
    for model in (network, pipeline, search):
        matrix = task_affinity(model, X, Y, method="gradient").matrix
        assert np.isfinite(matrix).all()
        assert matrix.any()


def test_tasks_never_labelled_together_have_no_gradient_affinity():
    X, Y = make_families()
    Y[::2, 0], Y[1::2, 1] = np.nan, np.nan
    one_row_a_batch = clone(NETWORK).set_params(batch_size=1, max_epochs=2)
    matrix = task_affinity(one_row_a_batch, X, Y, method="gradient").matrix
    assert np.isnan(matrix[[0, 1], [1, 0]]).all()
    assert np.isfinite(np.delete(matrix, [0, 1], axis=0)).all()


# -- the result ---------------------------------------------------------------------------------


def test_an_affinity_prints_and_is_a_frame():
    affinity = TaskAffinity(np.array([[np.nan, 0.2], [-0.1, np.nan]]), ["a", "b"], "pairwise")
    frame = affinity.to_frame()
    assert frame.loc["a", "b"] == 0.2
    assert list(frame.columns) == ["a", "b"]
    assert "0.2" in repr(affinity)
    assert "nan" not in repr(affinity)
    many = TaskAffinity(np.eye(139), list(range(139)), "coefficients")
    assert len(repr(many)) < 200
    assert pickle.loads(pickle.dumps(affinity)).task_names == ["a", "b"]


def test_names_of_any_kind_are_labels_of_a_frame(monkeypatch):
    names = [("a", 0), ("a", 1)]
    affinity = TaskAffinity(np.eye(2), names, "given")
    frame = affinity.to_frame()
    assert [list(frame.index), list(frame.columns)] == [names, names]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingBackendError, match=r"TaskAffinity\.to_frame needs pandas"):
        affinity.to_frame()


# -- what cannot be measured --------------------------------------------------------------------


def test_bad_input_is_named():
    X, Y = make_families(n=30)
    with pytest.raises(ValueError, match="did you mean 'gradient'"):
        task_affinity(LINEAR, X, Y, method="gradients")
    with pytest.raises(ValueError, match="MeanRegularizedRegressor has no parameter 'task_aff"):
        task_affinity(LINEAR, X, Y, method="gradient")
    with pytest.raises(ValueError, match="IndependentTasks does not have for each task; pass a"):
        task_affinity(IndependentTasks(SVR()), X, Y, method="coefficients")
    loss = make_scorer(lambda true, predicted: -1.0, greater_is_better=False)
    with pytest.raises(ValueError, match="'task0': scoring gives the estimator an error of -1,"):
        task_affinity(LINEAR, X, Y, scoring=loss)
    with pytest.raises(ValueError, match="has no error that a gain could be relative to"):
        task_affinity(LINEAR, X, Y, scoring=lambda true, predicted: 0.0)
    seldom = clone(NETWORK).set_params(task_affinity_every=1000)
    with pytest.raises(ValueError, match="set task_affinity_every=1"):
        task_affinity(seldom, X, Y, method="gradient")
    sparse = Y.copy()
    sparse[1:, 0] = np.nan
    with pytest.raises(TaskLayoutError, match="'task0' with its 1 observed label"):
        task_affinity(LINEAR, X, sparse, cv=KFold(3))


def test_an_estimator_that_cannot_be_fitted_to_a_pair_names_the_tasks():
    X, Y = make_families(n=30)
    y = {"a": Y[:, 0], "b": Y[:, 1]}
    with pytest.raises(ValueError, match=r"Fitting SVR to the task.* 'a', 'b' alone failed"):
        task_affinity(SVR(), X, pd.DataFrame({**y, "c": Y[:, 2]}), cv=2)
