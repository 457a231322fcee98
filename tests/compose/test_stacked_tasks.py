"""StackedTasks is stacking by hand: cross_val_predict, or a written-out loop over rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from compose._reading_data import MIXED, Memory, make_mixed, make_numbers
from compose._reading_references import stacked_predictions
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mtl import IndependentTasks, MultiTaskTarget, StackedTasks

# the same operations on the same numbers, but BLAS sums depend on where in memory they lie
SAME = {"rtol": 1e-8, "atol": 1e-10}


@parametrize_with_checks(
    [
        # sparse rows are solved by iteration, here to the last digit
        StackedTasks(Ridge(tol=1e-12), reads="all", cv=2),
        StackedTasks(
            LogisticRegression(), DecisionTreeClassifier(random_state=0), reads="all", cv=2
        ),
    ]
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


@pytest.mark.parametrize("reads", ["others", "all"])
@pytest.mark.parametrize("passthrough", [True, False])
@pytest.mark.parametrize("final", [None, Ridge(alpha=3.0)])
def test_complete_labels_are_stacked_as_cross_val_predict_does(reads, passthrough, final):
    X, Y = make_numbers(missing=0.0)
    first, cv = DecisionTreeRegressor(max_depth=3, random_state=0), KFold(4)
    model = StackedTasks(first, final, cv=cv, reads=reads, passthrough=passthrough).fit(X, Y)
    seen = np.column_stack([cross_val_predict(first, X, Y[:, t], cv=cv) for t in range(3)])
    new = np.column_stack([clone(first).fit(X, Y[:, t]).predict(X + 0.1) for t in range(3)])
    for t in range(3):
        read = [s for s in range(3) if reads == "all" or s != t]
        own = X.shape[1] * passthrough
        wide = np.hstack([X[:, :own], seen[:, read]])
        expected = clone(final or first).fit(wide, Y[:, t])
        wide_new = np.hstack([(X + 0.1)[:, :own], new[:, read]])
        np.testing.assert_allclose(model.predict(X + 0.1)[:, t], expected.predict(wide_new), **SAME)


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_missing_labels_are_stacked_as_a_loop_over_rows_does(cv, weighted):
    X, Y = make_numbers()
    weights = np.random.default_rng(1).uniform(0.2, 2.0, Y.shape) if weighted else None
    model = StackedTasks(Ridge(), LinearRegression(), cv=cv).fit(X, Y, weights)
    expected = stacked_predictions(
        [Ridge()] * 3,
        [LinearRegression()] * 3,
        X,
        Y,
        X + 0.1,
        cv=cv,
        read=lambda s, t: s != t,
        passthrough=True,
        weights=weights,
    )
    np.testing.assert_allclose(model.predict(X + 0.1), expected, **SAME)


@pytest.mark.parametrize("passthrough", [True, False])
def test_tasks_of_all_kinds_read_each_other_as_a_loop_over_rows_does(passthrough):
    X, codes, y = make_mixed()
    finals = {"good": GaussianNB(), "price": Ridge(2.0), "stars": LogisticRegression(C=0.1)}
    model = StackedTasks(MIXED, finals, cv=3, reads="all", passthrough=passthrough)
    predicted = model.fit(X, MultiTaskTarget(y)).predict(X)
    expected = stacked_predictions(
        list(MIXED.values()),
        list(finals.values()),
        X,
        codes,
        X,
        cv=3,
        read=lambda s, t: True,
        passthrough=passthrough,
    )
    assert (predicted["good"] == "yes").tolist() == (expected[:, 0] == 1).tolist()
    np.testing.assert_allclose(predicted["price"], expected[:, 1], **SAME)
    assert predicted["stars"].tolist() == expected[:, 2].tolist()
    assert type(model.final_estimators_["good"]) is GaussianNB
    probabilities = model.predict_proba(X)
    assert list(probabilities) == ["good", "stars"]
    chosen = model.classes_[2][probabilities["stars"].argmax(axis=1)]
    assert chosen.tolist() == predicted["stars"].tolist()


@pytest.mark.parametrize("form", ["shared", "own", "long"])
def test_no_estimator_reads_a_prediction_of_a_row_by_a_fit_on_its_label(form):
    X, Y = make_numbers()
    rows, y, feature = X, {f"task{t}": Y[:, t] for t in range(3)}, None
    if form == "own":
        rows = {name: X + 10.0 * t for t, name in enumerate(y)}
    elif form == "long":
        rows = np.vstack([np.column_stack([X + 10.0 * t, np.full(40, t)]) for t in range(3)])
        y, feature = np.concatenate(list(y.values())), 3
    model = StackedTasks(Memory(), reads="all", task_feature=feature).fit(rows, y)
    for final in model.final_estimators_.values():
        assert final.features_.shape[1] == 3 + 3
        assert (final.features_[:, 3:] == 0).all()
    # every task's first estimator is fitted on all of its labels
    for t, first in enumerate(model.estimators_.values()):
        assert len(first.seen_) == (~np.isnan(Y[:, t])).sum()


def test_what_is_answered_comes_from_the_second_estimators():
    X, Y = make_numbers(n=60, missing=0.0)
    model = StackedTasks(Ridge(), LogisticRegression(), task_kinds=None)
    with pytest.raises(ValueError, match="Task 'task0' is regression, but its final_estimator Log"):
        model.fit(X, Y)
    classes = np.where(Y > 0, "yes", "no")
    assert not hasattr(StackedTasks(LogisticRegression(), Memory()), "predict_proba")
    model = StackedTasks(LogisticRegression(), DecisionTreeClassifier(random_state=0))
    assert hasattr(model, "predict_proba")
    blocks = model.fit(X, classes).predict_proba(X)
    assert set(np.concatenate(blocks).ravel()) == {0.0, 1.0}  # a full tree is sure of itself


def test_one_task_is_fitted_twice_the_same_where_it_reads_no_other():
    X, Y = make_numbers(n=4)  # too few rows for folds, and none are needed
    labels = np.array([1.0, np.nan, 2.0, 4.0])
    expected = IndependentTasks(Ridge()).fit(X, labels).predict(X)
    np.testing.assert_allclose(StackedTasks(Ridge()).fit(X, labels).predict(X), expected, **SAME)
    with pytest.raises(ValueError, match="Task 'task0' is the only one"):
        StackedTasks(Ridge(), passthrough=False).fit(X, labels)


def test_own_rows_and_long_form_give_the_same():
    rng = np.random.default_rng(0)
    X = {"a": rng.normal(size=(14, 2)), "b": rng.normal(size=(10, 2))}
    y = {"a": rng.choice(["x", "y", "z"], 14), "b": rng.choice(["x", "y"], 10)}
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    own = StackedTasks(tree, cv=2).fit(X, y)
    rows = pd.DataFrame(np.vstack(list(X.values())), columns=["u", "v"])
    rows["shop"] = np.repeat(["a", "b"], [14, 10])
    long = StackedTasks(tree, cv=2, task_feature="shop").fit(rows, np.concatenate(list(y.values())))
    together = np.concatenate(list(own.predict(X).values()))
    assert long.predict(rows).tolist() == together.tolist()
    last = list(long.final_estimators_["b"].feature_names_in_)
    assert last == ["u", "v", "predicted_a_x", "predicted_a_y", "predicted_a_z"]
    # rows of one task alone: the other's second estimator is not asked
    assert long.predict(rows[:3]).tolist() == together[:3].tolist()
    # the union of classes: what a task does not have is 0
    assert (long.predict_proba(rows)[14:, 2] == 0).all()


def test_rows_of_one_task_are_held_out_only_where_it_reads_itself():
    X = {"a": np.arange(12.0).reshape(6, 2), "b": np.arange(2.0, 6.0).reshape(2, 2)}
    y = {"a": np.arange(6.0), "b": np.array([1.0, 2.0])}  # "b" is too small for folds
    model = StackedTasks(Memory(), cv=3).fit(X, y)
    # all rows of "a" were fitted, among them those that look like the rows of "b"
    assert model.final_estimators_["b"].features_[:, 2].tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match=r"Task 'b' has 2 label\(s\) for cv=3 folds"):
        StackedTasks(Memory(), cv=3, reads="all").fit(X, y)


def test_nested_parameters_reach_both_estimators():
    X, _, y = make_mixed()
    model = StackedTasks(Ridge(), {"good": LogisticRegression(), "price": Ridge()})
    assert model.get_params()["final_estimator__price__alpha"] == 1.0
    model.set_params(estimator__alpha=2.0, final_estimator__good__C=9.0)
    assert (model.estimator.alpha, model.final_estimator["good"].C) == (2.0, 9.0)
    with pytest.raises(ValueError, match=r"final_estimator has no entry for task 'prize'.*'price'"):
        model.set_params(final_estimator__prize__alpha=1.0)
    with pytest.raises(ValueError, match=r"final_estimator has no entry for the task\(s\) 'stars'"):
        model.set_params(estimator=MIXED).fit(X, y)
    grid = {"final_estimator__stars__max_depth": [1, 2], "estimator__good__C": [0.1, 1.0]}
    search = GridSearchCV(StackedTasks(MIXED, MIXED, cv=2), grid, cv=KFold(2))
    search.fit(X, MultiTaskTarget(y))
    found = pickle.loads(pickle.dumps(search)).predict(X)
    assert all(found[name].tolist() == search.predict(X)[name].tolist() for name in y)


def test_weights_reach_the_estimators_that_take_or_request_them():
    X, Y = make_numbers()
    weights = np.linspace(0.5, 1.5, 40)
    with pytest.raises(TypeError, match="task 'task0' is fitted by KNeighborsRegressor"):
        StackedTasks(Ridge(), KNeighborsRegressor()).fit(X, Y, weights)
    with config_context(enable_metadata_routing=True):
        first = Ridge().set_fit_request(sample_weight=True)
        model = StackedTasks(first, KNeighborsRegressor()).fit(X, Y, sample_weight=weights)
        plain = StackedTasks(first, KNeighborsRegressor()).fit(X, Y)
    for name in model.task_names_:
        rows = ~np.isnan(Y[:, int(name[-1])])
        expected = Ridge().fit(X[rows], Y[rows, int(name[-1])], weights[rows])
        np.testing.assert_allclose(model.estimators_[name].coef_, expected.coef_, **SAME)
    assert not np.allclose(model.predict(X), plain.predict(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"reads": "other"}, r"'reads' parameter of StackedTasks must be one of.*mean 'others'"),
        ({"stack_method": "predict_probe"}, r"'stack_method' .*did you mean 'predict_proba'"),
        ({"cv": None, "reads": "all"}, "a task would be predicted from its own labels"),
        ({"cv": "five"}, "cv must be a number of folds, a scikit-learn splitter or an iterable"),
    ],
)
def test_parameters_that_cannot_be_are_named(parameters, message):
    X, Y = make_numbers()
    with pytest.raises(ValueError, match=message):
        StackedTasks(Ridge(), **parameters).fit(X, Y)


def test_a_final_estimator_that_is_none_is_named():
    X, Y = make_numbers()
    with pytest.raises(TypeError, match="final_estimator is the class Ridge; pass an instance"):
        StackedTasks(Ridge(), Ridge).fit(X, Y)
    with pytest.raises(TypeError, match=r"final_estimator must be a scikit-learn estimator"):
        StackedTasks(Ridge(), "ridge").fit(X, Y)
