"""TaskChain is scikit-learn's chain where labels are complete, and a written-out loop elsewhere."""

import pickle
from itertools import permutations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from compose._reading_data import MIXED, Memory, make_mixed, make_numbers
from compose._reading_references import chain_predictions
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.multioutput import ClassifierChain, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mtl import IndependentTasks, MultiTaskTarget, TaskChain

ORDER = ["task2", "task0", "task1"]
# the same operations on the same numbers, but BLAS sums depend on where in memory they lie
SAME = {"rtol": 1e-8, "atol": 1e-10}


@parametrize_with_checks(
    [
        # sparse rows are solved by iteration, here to the last digit
        TaskChain(Ridge(tol=1e-12), order="random", n_chains=2, random_state=0, cv=2),
        TaskChain(LogisticRegression(), cv=None),
    ]
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cv", [None, 4, KFold(3, shuffle=True, random_state=0)])
@pytest.mark.parametrize("estimator", [Ridge(), DecisionTreeRegressor(random_state=0)])
def test_complete_values_are_chained_as_scikit_learn_chains_them(estimator, cv):
    X, Y = make_numbers(missing=0.0)
    chain = TaskChain(estimator, order=ORDER, cv=cv).fit(X, Y)
    expected = RegressorChain(estimator, order=[2, 0, 1], cv=cv).fit(X, Y)
    np.testing.assert_allclose(chain.predict(X + 0.1), expected.predict(X + 0.1), **SAME)


@pytest.mark.parametrize("cv", [None, 4])
@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_complete_classes_are_chained_as_scikit_learn_chains_them(method, cv):
    X, Y = make_numbers(n=60, missing=0.0)
    Y = (Y > 0.5).astype(int)
    chain = TaskChain(LogisticRegression(), order=ORDER, cv=cv, chain_method=method).fit(X, Y)
    expected = ClassifierChain(
        LogisticRegression(), order=[2, 0, 1], cv=cv, chain_method=method
    ).fit(X, Y)
    assert np.array_equal(chain.predict(X), expected.predict(X))
    probabilities = np.column_stack([block[:, 1] for block in chain.predict_proba(X)])
    np.testing.assert_allclose(probabilities, expected.predict_proba(X), **SAME)


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_missing_values_are_chained_as_a_loop_over_rows_does(cv, weighted):
    X, Y = make_numbers()
    weights = np.random.default_rng(1).uniform(0.2, 2.0, Y.shape) if weighted else None
    chain = TaskChain(Ridge(), order=ORDER, cv=cv).fit(X, Y, weights)
    expected = chain_predictions(
        [Ridge()] * 3, X, Y, X + 0.1, cv=cv, order=[2, 0, 1], weights=weights
    )
    np.testing.assert_allclose(chain.predict(X + 0.1), expected, **SAME)


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("order", [["stars", "price", "good"], ["good", "stars", "price"]])
def test_tasks_of_all_kinds_are_chained_as_a_loop_over_rows_does(order, cv):
    X, codes, y = make_mixed()
    names = list(y)
    chain = TaskChain(MIXED, order=order, cv=cv).fit(X, MultiTaskTarget(y))
    numbers = [names.index(name) for name in order]
    expected = chain_predictions(list(MIXED.values()), X, codes, X, cv=cv, order=numbers)
    predicted = chain.predict(X)
    assert (predicted["good"] == "yes").tolist() == (expected[:, 0] == 1).tolist()
    np.testing.assert_allclose(predicted["price"], expected[:, 1], **SAME)
    assert predicted["stars"].tolist() == expected[:, 2].tolist()
    assert chain.orders_ == [order]


@pytest.mark.parametrize(("method", "allowed"), [("predict_proba", None), ("predict", {0.0, 1.0})])
def test_classes_are_read_as_probabilities_or_as_indicators(method, allowed):
    X, _, y = make_mixed()
    estimators = {**MIXED, "price": Memory()}
    chain = TaskChain(estimators, order=["good", "stars", "price"], chain_method=method).fit(X, y)
    read = chain.chains_[0]["price"].features_[:, 3:]
    assert read.shape[1] == 1 + 3  # the second of two classes, all of three
    assert (set(read.ravel()) == {0.0, 1.0}) == (allowed is not None)
    np.testing.assert_allclose(read[:, 1:].sum(axis=1), 1.0, rtol=1e-12)  # one rounding a class


def test_no_estimator_reads_a_prediction_of_a_row_by_a_fit_on_its_label():
    X, Y = make_numbers()
    chain = TaskChain(Memory()).fit(X, Y)
    last = chain.chains_[0]["task2"].features_
    assert (last[:, 3:] == 0).all()
    # and a new row that is an old one is remembered
    assert chain.predict(X)[~np.isnan(Y)].tolist() == [1.0] * int((~np.isnan(Y)).sum())


def test_without_folds_labels_are_read_where_they_are_known():
    X, Y = make_numbers()
    chain = TaskChain(Memory(), cv=None).fit(X, Y)
    rows = ~np.isnan(Y[:, 2])
    expected = np.where(np.isnan(Y[rows, :2]), 0.0, Y[rows, :2])
    assert np.array_equal(chain.chains_[0]["task2"].features_[:, 3:], expected)


# -- several chains -------------------------------------------------------------------------------


def test_an_ensemble_is_the_mean_of_its_chains():
    X, Y = make_numbers()
    ensemble = TaskChain(Ridge(), order="random", n_chains=4, random_state=0).fit(X, Y)
    alone = [TaskChain(Ridge(), order=order).fit(X, Y).predict(X) for order in ensemble.orders_]
    np.testing.assert_allclose(ensemble.predict(X), np.mean(alone, axis=0), **SAME)


def test_an_ensemble_predicts_the_class_of_the_highest_mean_probability():
    X, _, y = make_mixed()
    given = {"random_state": 0, "cv": 3}
    ensemble = TaskChain(MIXED, order="random", n_chains=4, **given).fit(X, y)
    alone = [TaskChain(MIXED, order=order, cv=3).fit(X, y) for order in ensemble.orders_]
    for name in ("good", "stars"):
        mean = np.mean([chain.predict_proba(X)[name] for chain in alone], axis=0)
        np.testing.assert_allclose(ensemble.predict_proba(X)[name], mean, **SAME)
        classes = ensemble.layout_.tasks[list(y).index(name)].classes
        assert ensemble.predict(X)[name].tolist() == classes[mean.argmax(axis=1)].tolist()


def test_without_probabilities_the_chains_vote():
    X, Y = make_numbers(n=60, missing=0.0)
    Y = np.where(Y > 0.5, "yes", "no")
    ensemble = TaskChain(RidgeClassifier(), order="random", n_chains=5, random_state=1, cv=3)
    ensemble.fit(X, Y)
    assert not hasattr(ensemble, "predict_proba")
    alone = [
        TaskChain(RidgeClassifier(), order=order, cv=3).fit(X, Y).predict(X)
        for order in ensemble.orders_
    ]
    yes = np.mean(np.array(alone) == "yes", axis=0)
    assert ((yes > 0) & (yes < 1)).any()  # they do not all agree
    assert np.array_equal(ensemble.predict(X), np.where(yes > 0.5, "yes", "no"))


def test_orders_differ_and_there_are_no_more_than_there_can_be():
    X, Y = make_numbers(n=20, missing=0.0)
    chain = TaskChain(Ridge(), order="random", n_chains=10, cv=None, random_state=0).fit(X, Y)
    names = ["task0", "task1", "task2"]
    assert sorted(map(tuple, chain.orders_)) == sorted(permutations(names))
    assert [list(fitted) for fitted in chain.chains_] == chain.orders_
    few = chain.set_params(n_chains=2).fit(X, Y)
    assert few.orders_ == chain.orders_
    assert len(few.orders_) == 2


def test_orders_follow_random_state_and_leave_the_callers_as_it_was():
    X, Y = make_numbers(n=20, missing=0.0)
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    orders = [
        TaskChain(Ridge(), order="random", cv=None, random_state=seed).fit(X, Y).orders_
        for seed in (0, 0, 1, 2, 3, None)
    ]
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert orders[0] == orders[1]
    assert any(order != orders[0] for order in orders[2:5])
    expected = RegressorChain(Ridge(), order="random", random_state=1).fit(X, Y).order_
    assert orders[2] == [[f"task{t}" for t in expected]]


# -- rows, features and parameters ----------------------------------------------------------------


def test_one_task_is_fitted_alone():
    X, Y = make_numbers(n=4)  # too few rows for folds, and none are needed
    labels = np.array([1.0, np.nan, 2.0, 4.0])
    expected = IndependentTasks(Ridge()).fit(X, labels).predict(X)
    np.testing.assert_allclose(TaskChain(Ridge()).fit(X, labels).predict(X), expected, **SAME)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_estimators_that_pick_columns_by_name_find_their_own(frame):
    X, _, y = make_mixed()
    rows = frame({name: X[:, j] for j, name in enumerate("abc")})
    chain_order = ["good", "stars", "price"]
    by_name = make_column_transformer((StandardScaler(), ["a", "b"]))
    estimators = {
        "good": MIXED["good"],
        "stars": make_pipeline(by_name, MIXED["stars"]),
        "price": Memory(),
    }
    chain = TaskChain(estimators, order=chain_order, cv=3).fit(rows, y)
    assert list(chain.chains_[0]["price"].features_.columns) == [
        *"abc", "predicted_good_yes", *(f"predicted_stars_{c}.0" for c in range(3))
    ]  # fmt: skip
    assert chain.feature_names_in_.tolist() == ["a", "b", "c"]
    chain.predict(rows)
    with pytest.raises(ValueError, match="feature names should match"):
        chain.predict(frame({name: X[:, j] for j, name in enumerate("abd")}))


def test_sparse_rows_stay_sparse():
    class Recorder(Ridge):
        def fit(self, X, y):
            self.sparse_ = sparse.issparse(X)
            return super().fit(X, y)

    X, Y = make_numbers()
    dense = TaskChain(Ridge(tol=1e-12)).fit(X, Y).predict(X)
    for make in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        chain = TaskChain(Recorder(tol=1e-12)).fit(make(X), Y)
        assert all(fitted.sparse_ for fitted in chain.chains_[0].values())
        # the sparse solver stops at a residual of 1e-12, which is magnified at most tenfold a step,
        # as the columns of X are nearly orthogonal (condition number 1.4)
        np.testing.assert_allclose(chain.predict(make(X)), dense, **SAME)


def test_float32_rows_reach_every_estimator_as_float32():
    X, Y = make_numbers()
    chain = TaskChain(Ridge()).fit(X.astype(np.float32), Y)
    assert all(fitted.coef_.dtype == np.float32 for fitted in chain.chains_[0].values())
    expected = TaskChain(Ridge()).fit(X, Y).predict(X)
    # each of three fits rounds values of up to 5 to 3e-7, half the last digit of float32, and reads
    # what the others rounded; ten times the sum of all
    np.testing.assert_allclose(chain.predict(X.astype(np.float32)), expected, atol=1e-5, rtol=0)


def test_a_task_lends_its_predictions_to_the_rows_of_others():
    rng = np.random.default_rng(0)
    X = {"north": rng.normal(size=(12, 2)), "south": rng.normal(size=(9, 2))}
    y = {"north": X["north"].sum(axis=1), "south": rng.normal(size=9)}
    y["south"][2] = np.nan
    chain = TaskChain(Ridge(), cv=3).fit(X, y)
    north, south = Ridge().fit(X["north"], y["north"]), np.arange(9) != 2
    # no row of the south has a label of the north: its estimator is asked as it is
    wide = np.column_stack([X["south"], north.predict(X["south"])])
    expected = Ridge().fit(wide[south], y["south"][south]).predict(wide)
    np.testing.assert_allclose(chain.predict(X)["south"], expected, **SAME)
    np.testing.assert_allclose(chain.predict(X)["north"], north.predict(X["north"]), **SAME)

    rows = np.column_stack([np.vstack(list(X.values())), np.repeat([0, 1], [12, 9])])
    shuffled = rng.permutation(21)
    labels = np.concatenate(list(y.values()))
    long = TaskChain(Ridge(), cv=3, task_feature=2).fit(rows[shuffled], labels[shuffled])
    np.testing.assert_allclose(long.predict(rows[12:]), expected, **SAME)
    np.testing.assert_allclose(long.predict(rows[:1]), north.predict(X["north"][:1]), **SAME)


def test_a_search_reaches_the_estimators_and_the_chain():
    X, Y = make_numbers(missing=0.0)
    grid = {"estimator__alpha": [0.1, 1e4], "order": [None, ORDER]}
    search = GridSearchCV(TaskChain(Ridge(), cv=2), grid, cv=KFold(2)).fit(X, Y)
    assert search.best_params_["estimator__alpha"] == 0.1
    again = pickle.loads(pickle.dumps(search))
    assert np.array_equal(again.predict(X), search.predict(X))
    chain = TaskChain(MIXED).set_params(estimator__stars__max_depth=1)
    assert chain.estimator["stars"].max_depth == 1


def test_groups_reach_the_splitter_at_the_rows_of_each_task():
    X, Y = make_numbers()
    groups = np.repeat(np.arange(10), 4)
    chain = TaskChain(Ridge(), cv=GroupKFold(5)).fit(X, Y, groups=groups)
    known = ~np.isnan(Y[:, 0])
    by_hand = list(GroupKFold(5).split(X[known], groups=groups[known]))
    rows = np.flatnonzero(known)
    splits = [(rows[train], rows[test]) for train, test in by_hand]
    two = Y[:, :2].copy()
    two[np.isnan(two[:, 0]), 1] = np.nan
    expected = TaskChain(Ridge(), cv=splits).fit(X, two).predict(X)
    actual = TaskChain(Ridge(), cv=GroupKFold(5)).fit(X, two, groups=groups).predict(X)
    np.testing.assert_allclose(actual, expected, **SAME)
    with config_context(enable_metadata_routing=True):
        routed = clone(chain).set_params(cv=GroupKFold(5)).fit(X, Y, groups=groups)
        np.testing.assert_allclose(routed.predict(X), chain.predict(X), **SAME)
        requested = TaskChain(Ridge().set_fit_request(sample_weight=True), cv=GroupKFold(5))
        weights = np.linspace(0.5, 1.5, 40)
        weighted = requested.fit(X, Y, sample_weight=weights, groups=groups).predict(X)
    expected = clone(chain).fit(X, Y, weights, groups=groups).predict(X)
    np.testing.assert_allclose(weighted, expected, **SAME)


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"order": ["task0", "task1"]}, "order must have each task once"),
        ({"order": ["task0", "task1", "task1"]}, "order must have each task once"),
        ({"order": ["task0", "task1", "tusk2"]}, r"order names 'tusk2'.*did you mean 'task2'"),
        ({"order": "randon"}, "order must be 'random', None or a sequence"),
        ({"n_chains": 3}, "n_chains=3 chains need orders that differ; pass order='random'"),
        ({"n_chains": 0}, "'n_chains' parameter of TaskChain .* of at least 1, got 0"),
        ({"n_chains": "3"}, "must be an integer of at least 1, got '3'"),
        ({"n_chains": 2.5, "order": "random"}, "must be an integer of at least 1, got 2.5"),
        ({"chain_method": "proba"}, "'chain_method' parameter of TaskChain must be one of"),
        ({"cv": 1}, "cv=1 holds no row out; pass at least 2"),
    ],
)
def test_parameters_that_cannot_be_are_named(parameters, message):
    X, Y = make_numbers()
    with pytest.raises(ValueError, match=message):
        TaskChain(Ridge(), **parameters).fit(X, Y)


def test_probabilities_that_nobody_has_are_not_promised():
    X, Y = make_numbers(missing=0.0)
    with pytest.raises(ValueError, match=r"task 'task0' is fitted by RidgeClassifier, which"):
        TaskChain(RidgeClassifier(), chain_method="predict_proba").fit(X, Y > 0)


def test_groups_that_go_nowhere_are_refused():
    X, Y = make_numbers()
    with pytest.raises(ValueError, match="groups"):
        TaskChain(Ridge(), cv=None).fit(X, Y, groups=np.arange(40))


def test_an_error_in_a_fold_names_the_task():
    class Fussy(DecisionTreeClassifier):
        def fit(self, X, y):
            if len(y) < 40:
                raise ValueError("too few rows for me")
            return super().fit(X, y)

    X, Y = make_numbers(missing=0.0)
    with pytest.raises(ValueError, match=r"Task 'task0': Fussy.fit failed: too few rows for me"):
        TaskChain(Fussy()).fit(X, Y > 0)
