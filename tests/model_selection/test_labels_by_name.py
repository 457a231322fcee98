"""Labels and weights by names of any kind, in what cross-validates."""

import numpy as np
import pytest
from model_selection._families_of_tasks import make_families
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from sklearn_mtl import (
    IndependentTasks,
    LowRankRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskKFold,
    TaskGrouping,
    task_affinity,
    transfer_report,
)

LINEAR = MeanRegularizedRegressor(alpha_shared=0.1, alpha_specific=3.0)
STRINGS = list("abcd")
NAMES = {"integers": [0, 1, 2, 3], "tuples": [("a", t) for t in range(4)], "strings": STRINGS}
SPLITTERS = [2, KFold(2), MultiTaskKFold(2)]


def by_name(names, columns):
    return dict(zip(names, columns.T, strict=True))


def make_labels():
    X, Y = make_families(n=30)
    Y[::6, 0] = np.nan
    return X, Y


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("family", [LowRankRegressorCV, MeanRegularizedRegressorCV])
def test_searches_of_strengths_take_names_of_any_kind(family, names, cv):
    X, Y = make_labels()
    model = family(cv=cv).fit(X, by_name(names, Y))
    expected = family(cv=cv).fit(X, by_name(STRINGS, Y))
    np.testing.assert_array_equal(model.mse_path_, expected.mse_path_)
    assert list(model.predict(X)) == names


@pytest.mark.parametrize(
    ("kind", "cv"), [("integers", 2), ("integers", KFold(2)), ("tuples", MultiTaskKFold(2))]
)
def test_comparisons_take_names_of_any_kind(kind, cv):
    X, Y = make_labels()
    names = NAMES[kind]
    y, strings = by_name(names, Y), by_name(STRINGS, Y)
    options = {"cv": cv, "random_state": 0}
    report = transfer_report(LINEAR, X, y, **options)
    assert report.task_names == names
    expected = transfer_report(LINEAR, X, strings, **options)
    np.testing.assert_array_equal(report.multitask_scores, expected.multitask_scores)
    found = task_affinity(LINEAR, X, y, **options)
    expected = task_affinity(LINEAR, X, strings, **options)
    np.testing.assert_array_equal(found.matrix, expected.matrix)
    grouping = TaskGrouping(LINEAR, n_groups=2, **options).fit(X, y)
    assert sorted(name for group in grouping.groups_ for name in group) == names
    assert list(grouping.predict(X)) == names


@pytest.mark.parametrize("names", [STRINGS, NAMES["integers"]], ids=["strings", "integers"])
def test_weights_by_task_are_those_of_the_columns_of_an_array(names):
    X, Y = make_labels()
    weight = np.random.default_rng(0).uniform(0.5, 2.0, Y.shape)
    y, weights = by_name(names, Y), by_name(names, weight)
    for model in (LINEAR, IndependentTasks(Ridge())):
        options = {"cv": KFold(2), "random_state": 0}
        found = transfer_report(LINEAR, X, y, sample_weight=weights, baseline=model, **options)
        expected = transfer_report(LINEAR, X, Y, sample_weight=weight, baseline=model, **options)
        np.testing.assert_allclose(found.multitask_scores, expected.multitask_scores)
        np.testing.assert_allclose(found.baseline_scores, expected.baseline_scores)
    for method in ("pairwise", "coefficients"):
        options = {"cv": KFold(2), "random_state": 0, "method": method}
        found = task_affinity(LINEAR, X, y, sample_weight=weights, **options)
        expected = task_affinity(LINEAR, X, Y, sample_weight=weight, **options)
        # the same problem, whose optimum is reached along different ways
        np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-6)
    grouping = TaskGrouping(LINEAR, n_groups=2, cv=2, random_state=0).fit(X, y, weights)
    expected = TaskGrouping(LINEAR, n_groups=2, cv=2, random_state=0).fit(X, Y, weight)
    number = {name: f"task{t}" for t, name in enumerate(names)}
    assert [[number[name] for name in group] for group in grouping.groups_] == expected.groups_
