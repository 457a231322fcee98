"""One model for each group of tasks, and the groups learned."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from model_selection._families_of_tasks import FAMILIES, make_families
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mtl import (
    IndependentTasks,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultiTaskLinearEstimator,
    MultiTaskRegressor,
    MultiTaskTarget,
    TaskAffinity,
    TaskGrouping,
    TaskLayoutError,
    task_affinity,
    transfer_report,
)

LINEAR = MeanRegularizedRegressor(alpha_shared=0.1, alpha_specific=3.0)
# 0 and 2, 1 and 3
BLOCKS = np.array([[0, -1, 1, -1], [-1, 0, -1, 1], [1, -1, 0, -1], [-1, 1, -1, 0]])
GIVEN = TaskGrouping(LINEAR, n_groups=2, affinity=BLOCKS)


@parametrize_with_checks(
    [
        TaskGrouping(Ridge(), cv=2, random_state=0),
        TaskGrouping(DecisionTreeClassifier(random_state=0), cv=2, random_state=0),
    ]
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


# -- the groups ---------------------------------------------------------------------------------


def numbers(groups, names):
    return sorted(tuple(sorted(names.index(name) for name in group)) for group in groups)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("affinity", ["pairwise", "coefficients"])
def test_planted_families_and_their_number_are_found(affinity, seed):
    X, Y = make_families(seed)
    model = TaskGrouping(LINEAR, affinity=affinity, cv=4, random_state=0).fit(X, Y)
    assert model.n_groups_ == 2
    assert numbers(model.groups_, model.task_names_) == FAMILIES
    assert model.affinity_.method == affinity


@pytest.mark.parametrize("seed", range(3))
def test_a_network_finds_the_planted_families_while_it_is_fitted(seed):
    X, Y = make_families(seed)
    network = MultiTaskRegressor(
        hidden_layer_sizes=(3,), max_epochs=15, lr=0.01, n_estimators=1, task_affinity_every=1
    )
    model = TaskGrouping(network, n_groups=2, affinity="gradient", random_state=seed).fit(X, Y)
    assert numbers(model.groups_, model.task_names_) == FAMILIES
    assert [list(m.task_names_) for m in model.estimators_] == [["task0", "task1"]] * 2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("affinity", ["pairwise", "coefficients"])
def test_tasks_of_one_family_stay_together(affinity, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 20))
    Y = (X @ rng.normal(size=20))[:, None] + 2 * rng.normal(size=(40, 4))
    model = TaskGrouping(LINEAR, affinity=affinity, cv=4, random_state=0).fit(X, Y)
    assert model.n_groups_ == 1


def test_groups_predict_better_than_all_tasks_together_or_apart():
    X, Y = make_families(0, n=60)
    train, test = np.arange(30), np.arange(30, 60)
    truth = make_families(0, n=60, noise=0.0)[1][test]

    def error(model):
        return np.mean((model.fit(X[train], Y[train]).predict(X[test]) - truth) ** 2)

    found = error(TaskGrouping(LINEAR, cv=3, random_state=0))
    assert found < 0.9 * min(error(clone(LINEAR)), error(IndependentTasks(LINEAR)))


def test_one_task_and_one_group_need_no_search():
    X, Y = make_families()
    model = TaskGrouping(LINEAR).fit(X, Y[:, 0])
    assert model.groups_ == [["task0"]]
    assert not hasattr(model, "affinity_")
    np.testing.assert_array_equal(model.predict(X), clone(LINEAR).fit(X, Y[:, 0]).predict(X))
    together = TaskGrouping(LINEAR, n_groups=1).fit(X, Y)
    np.testing.assert_array_equal(together.predict(X), clone(LINEAR).fit(X, Y).predict(X))


def test_as_many_groups_as_tasks_are_independent_tasks():
    X, Y = make_families()
    alone = TaskGrouping(LINEAR, n_groups=4, affinity=BLOCKS).fit(X, Y)
    np.testing.assert_array_equal(alone.predict(X), IndependentTasks(LINEAR).fit(X, Y).predict(X))


def test_unrelated_estimates_of_gain_leave_one_group():
    # what shares nothing predicts the same in any partition: the fewest groups win
    X, Y = make_families()
    model = TaskGrouping(IndependentTasks(Ridge()), cv=3, random_state=0).fit(X, Y)
    assert model.n_groups_ == 1
    assert (model.cv_results_["mean_gain"] == 0).all()


def test_splits_are_made_once():
    X, Y = make_families()
    Y[20:, 0] = np.nan  # in some test parts no label
    model = TaskGrouping(LINEAR, cv=KFold(4).split(X), random_state=0)
    with pytest.warns(UserWarning, match="have no label of task") as told:
        model.fit(X, Y)
    assert len(told) == 1
    again = TaskGrouping(LINEAR, cv=list(KFold(4).split(X)), random_state=0)
    with pytest.warns(UserWarning, match="have no label of task"):
        assert again.fit(X, Y).groups_ == model.groups_


def test_cross_validated_gains_are_those_computed_by_hand():
    X, Y = make_families()
    splits = list(KFold(3).split(X))
    model = TaskGrouping(LINEAR, affinity=BLOCKS, cv=splits).fit(X, Y)
    errors = {}
    for k, groups in enumerate([[(0, 1, 2, 3)], [(0, 2), (1, 3)]]):
        for train, test in splits:
            row = np.empty(4)
            for group in groups:
                tasks = list(group)
                predicted = clone(LINEAR).fit(X[train], Y[train][:, tasks]).predict(X[test])
                row[tasks] = np.sqrt(np.mean((predicted - Y[test][:, tasks]) ** 2, axis=0))
            errors.setdefault(k, []).append(row)
    together, grouped = np.array(errors[0]), np.array(errors[1])
    expected = ((together - grouped) / together.mean(axis=0)).mean(axis=1)
    found = [model.cv_results_[f"split{k}_gain"][1] for k in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert model.cv_results_["n_groups"].tolist() == [1, 2, 3, 4]


def test_max_groups_bounds_the_candidates_but_all_apart_is_one():
    X, Y = make_families()
    model = TaskGrouping(LINEAR, affinity=BLOCKS, max_groups=2, cv=3, random_state=0).fit(X, Y)
    assert model.cv_results_["n_groups"].tolist() == [1, 2, 4]


def test_an_affinity_measured_before_is_read_by_name():
    X, Y = make_families()
    names = list("abcd")
    measured = TaskAffinity(BLOCKS[::-1, ::-1] * 1.0, names[::-1], "given")
    model = clone(GIVEN).set_params(affinity=measured).fit(X, pd.DataFrame(Y, columns=names))
    assert model.groups_ == [["a", "c"], ["b", "d"]]
    np.testing.assert_array_equal(model.affinity_.matrix, BLOCKS)


# -- containers ---------------------------------------------------------------------------------


def containers():
    X, Y = make_families()
    Y[::6, 0] = np.nan
    names = list("abcd")
    named = dict(zip(names, Y.T, strict=True))
    stacked = np.concatenate([np.column_stack([np.full(40, t), X]) for t in range(4)])
    return [
        ("matrix", LINEAR, X, Y),
        ("pandas", LINEAR, pd.DataFrame(X).add_prefix("x"), pd.DataFrame(named)),
        ("polars", LINEAR, X, pl.DataFrame(named)),
        ("dict", LINEAR, X, named),
        ("target", LINEAR, X, MultiTaskTarget(named)),
        ("own", LINEAR, dict.fromkeys(names, X), named),
        ("long", clone(LINEAR).set_params(task_feature=0), stacked, Y.T.ravel()),
    ]


def columns(predicted):
    if isinstance(predicted, (dict, MultiTaskTarget)):
        return np.column_stack([predicted[name] for name in "abcd"])
    array = np.asarray(predicted)
    return array if array.ndim == 2 else array.reshape(4, -1).T


@pytest.mark.parametrize("groups", [[(0, 2), (1, 3)], [(0,), (1, 2, 3)]], ids=["pairs", "alone"])
@pytest.mark.parametrize("case", containers(), ids=lambda case: case[0])
def test_every_container_comes_back_with_what_the_groups_predict(case, groups):
    label, estimator, X, y = case
    affinity = np.full((4, 4), -1.0)
    for group in groups:
        affinity[np.ix_(group, group)] = 1.0
    model = TaskGrouping(estimator, n_groups=2, affinity=affinity).fit(X, y)
    assert numbers(model.groups_, model.task_names_) == groups
    predicted = model.predict(X)
    assert type(predicted) is type(y)
    plain, Y = make_families()
    Y[::6, 0] = np.nan
    for group in groups:
        one = clone(LINEAR).fit(plain, Y[:, list(group)]).predict(plain)
        # one optimum, reached along different ways
        np.testing.assert_allclose(columns(predicted)[:, list(group)], one, atol=1e-5)
    assert model.score(X, y) > 0.5
    if label == "long":
        some = model.predict(X[45:47])
        np.testing.assert_allclose(some, predicted[45:47], atol=1e-12)


@pytest.mark.parametrize("case", containers(), ids=lambda case: case[0])
def test_the_default_search_runs_in_every_container(case):
    _, estimator, X, y = case
    model = TaskGrouping(estimator, cv=2, random_state=0).fit(X, y)
    assert numbers(model.groups_, model.task_names_) == FAMILIES


def test_classes_have_probabilities_in_every_container():
    X, Y = make_families()
    classes = np.where(Y > 0, "up", "down")
    for columns_of, names in [(np.asarray, [f"task{t}" for t in range(4)]), (pd.DataFrame, None)]:
        y = columns_of(classes)
        model = TaskGrouping(
            MeanRegularizedClassifier(alpha_specific=1.0), n_groups=2, affinity=BLOCKS
        ).fit(X, y)
        found = model.predict_proba(X)
        blocks = found if names else [found[t] for t in range(4)]
        predicted = np.asarray(model.predict(X))
        for t in range(4):
            np.testing.assert_array_equal(
                np.array(["down", "up"])[blocks[t].argmax(1)], predicted[:, t]
            )
    stacked = np.concatenate([np.column_stack([np.full(40, t), X]) for t in range(4)])
    long = TaskGrouping(
        MeanRegularizedClassifier(alpha_specific=1.0, task_feature=0), n_groups=2, affinity=BLOCKS
    ).fit(stacked, classes.T.ravel())
    expected = np.concatenate(blocks)
    # two routes to one optimum
    np.testing.assert_allclose(long.predict_proba(stacked), expected, atol=1e-4)


def test_mixed_kinds_share_groups_and_groups_may_have_no_classes():
    X, Y = make_families()
    y = pd.DataFrame({"a": Y[:, 0], "b": Y[:, 1], "c": Y[:, 2] > 0, "d": Y[:, 3]})
    model = TaskGrouping(MultiTaskLinearEstimator(), n_groups=2, affinity=BLOCKS).fit(X, y)
    assert model.groups_ == [["a", "c"], ["b", "d"]]
    assert list(model.predict_proba(X)) == ["c"]
    assert model.predict(X)["c"].dtype == bool
    assert not hasattr(GIVEN, "predict_proba")


def test_plain_estimators_take_their_group_of_columns():
    X, Y = make_families()
    forest = RandomForestRegressor(n_estimators=3, random_state=0)
    affinity = np.full((4, 4), 1.0)
    affinity[0] = affinity[:, 0] = -1.0
    for y in (Y, pd.DataFrame(Y, columns=list("abcd"))):
        model = TaskGrouping(forest, n_groups=2, affinity=affinity).fit(X, y)
        alone = clone(forest).fit(X, Y[:, 0]).predict(X)
        others = clone(forest).fit(X, Y[:, 1:]).predict(X)
        np.testing.assert_array_equal(
            np.asarray(model.predict(X)), np.column_stack([alone, others])
        )


# -- parameters ---------------------------------------------------------------------------------


def test_parameters_by_task_and_weights_are_cut_to_the_group():
    X, Y = make_families()
    frame = pd.DataFrame(Y, columns=list("abcd"))
    weighted = clone(LINEAR).set_params(task_weight={"a": 5.0, "d": 2.0})
    model = clone(GIVEN).set_params(estimator=weighted).fit(X, frame)
    assert [m.task_weight for m in model.estimators_] == [{"a": 5.0}, {"d": 2.0}]
    matrix = clone(GIVEN).set_params(
        estimator=clone(LINEAR).set_params(task_weight={"task2": 5.0, "task3": 2.0})
    )
    assert [m.task_weight for m in matrix.fit(X, Y).estimators_] == [{"task1": 5.0}, {"task1": 2.0}]
    rng = np.random.default_rng(0)
    for weights in (rng.random(40), rng.random((40, 4))):
        found = clone(GIVEN).fit(X, Y, sample_weight=weights).predict(X)
        own = weights if weights.ndim == 1 else weights[:, [0, 2]]
        expected = clone(LINEAR).fit(X, Y[:, [0, 2]], sample_weight=own).predict(X)
        np.testing.assert_array_equal(found[:, [0, 2]], expected)


def test_a_parameter_that_names_other_tasks_is_told_with_the_group():
    X, Y = make_families()
    wrong = clone(GIVEN).set_params(estimator__task_weight={"task9": 1.0})
    told = "'task0', 'task2' alone failed: task_weight names 'task9'"
    with pytest.raises(ValueError, match=told):
        wrong.fit(X, Y)


def test_searches_reach_the_number_of_groups_and_the_estimator():
    X, Y = make_families()
    search = GridSearchCV(
        TaskGrouping(LINEAR, affinity=BLOCKS),
        {"n_groups": [1, 2, 4], "estimator__alpha_specific": [0.1, 3.0]},
        cv=3,
    ).fit(X, Y)
    assert search.best_params_["n_groups"] == 2
    pipeline = make_pipeline(StandardScaler(), clone(GIVEN)).fit(X, Y)
    assert pipeline.score(X, Y) > 0.5
    inside = clone(GIVEN).set_params(estimator=make_pipeline(StandardScaler(), LINEAR))
    np.testing.assert_allclose(inside.fit(X, Y).predict(X), pipeline.predict(X), atol=1e-9)


def test_sparse_and_single_precision_inputs_are_grouped_alike():
    X, Y = make_families()
    dense = clone(GIVEN).fit(X, Y).predict(X)
    sparse = csr_array(X)
    # sums of the same numbers in another order
    np.testing.assert_allclose(clone(GIVEN).fit(sparse, Y).predict(sparse), dense, atol=1e-9)
    single = clone(GIVEN).fit(X.astype(np.float32), Y.astype(np.float32))
    # labels near 10 have seven digits in single precision
    np.testing.assert_allclose(single.predict(X.astype(np.float32)), dense, atol=1e-4)


def test_a_grouping_is_compared_with_single_tasks_by_a_report():
    X, Y = make_families()
    report = transfer_report(clone(GIVEN), X, Y, cv=2, n_repeats=1, random_state=0)
    assert report.task_names == [f"task{t}" for t in range(4)]
    assert report.delta_m > 0


def test_fits_repeat_and_travel():
    X, Y = make_families()
    model = TaskGrouping(LINEAR, cv=2, random_state=3).fit(X, Y)
    again = clone(model).fit(X, Y)
    np.testing.assert_array_equal(model.affinity_.matrix, again.affinity_.matrix)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    same = task_affinity(LINEAR, X, Y, cv=2, random_state=3).matrix
    np.testing.assert_array_equal(model.affinity_.matrix, same)
    model.set_params(n_groups=1).fit(X, Y)
    assert not hasattr(model, "affinity_")
    assert not hasattr(model, "cv_results_")


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_groups": 5}, TaskLayoutError, "n_groups=5 is more than the 4 task"),
        ({"n_groups": 0}, ValueError, "'n_groups' parameter of TaskGrouping must be an integer"),
        ({"n_groups": "automatic"}, ValueError, "did you mean 'auto'"),
        ({"max_groups": 1.5}, ValueError, "'max_groups' parameter of TaskGrouping"),
        ({"affinity": "gradients"}, ValueError, "did you mean 'gradient'"),
        ({"affinity": np.eye(3)}, TaskLayoutError, r"must have shape \(4, 4\).*found \(3, 3\)"),
        (
            {"affinity": TaskAffinity(np.eye(4), list("abcd"), "given")},
            TaskLayoutError,
            "affinity names the tasks 'a', 'b', 'c', 'd', but y has 'task0'",
        ),
        ({"estimator": {"task0": Ridge()}}, TypeError, "estimator is a dict"),
        ({"estimator": Ridge}, TypeError, "pass an instance"),
        ({"affinity": "gradient"}, ValueError, "has no parameter 'task_affinity_every'"),
    ],
)
def test_bad_input_is_named(params, error, message):
    X, Y = make_families()
    with pytest.raises(error, match=message):
        TaskGrouping(**{"estimator": LINEAR, **params}).fit(X, Y)
