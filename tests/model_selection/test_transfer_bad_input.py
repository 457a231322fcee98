"""Comparisons that cannot be made say why, before anything long is fitted."""

import networkx
import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    GraphRegressor,
    IndependentTasks,
    MeanRegularizedRegressor,
    MultiTaskKFold,
    MultiTaskRegressor,
    TaskLayoutError,
    VotingTasks,
    transfer_report,
)
from tests.model_selection._observed_estimators import FITS, Sharing

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
Y = X @ RNG.normal(size=(3, 2)) + RNG.normal(size=(24, 2))
NAMED = {"price": Y[:, 0], "size": Y[:, 1]}
MODEL = MeanRegularizedRegressor()
BASELINE = IndependentTasks(Ridge())
LONG = np.column_stack([np.arange(24) % 2, X])


def report(*args, **params):
    return transfer_report(*args, **{"baseline": BASELINE, "random_state": 0, **params})


@pytest.mark.parametrize(
    ("params", "error", "told"),
    [
        ({"cv": 1}, ValueError, "cv=1 gives one split"),
        ({"cv": [(np.arange(12), np.arange(12, 24))]}, ValueError, "cv gives 1 split"),
        ({"cv": "five"}, TypeError, "number of folds, a splitter or an iterable"),
        ({"cv": 2.5}, TypeError, "number of folds, a splitter or an iterable"),
        ({"n_repeats": 0}, ValueError, "n_repeats must be None or an integer of at least 1, got 0"),
        ({"cv": KFold(3), "n_repeats": 2}, ValueError, "n_repeats=2 needs splits drawn at random"),
        ({"cv": LeaveOneOut(), "n_repeats": 2}, ValueError, "n_repeats=2 needs splits"),
        ({"level": 1.5}, ValueError, "level must be between 0 and 1, got 1.5"),
        ({"budget": "equl"}, ValueError, "'budget'.*did you mean 'equal'"),
        ({"scoring": "acuracy"}, ValueError, "^scoring='acuracy' is no .*did you mean 'accuracy'"),
        ({"scoring": {"prize": "r2"}}, TaskLayoutError, "did you mean 'price'"),
        ({"scoring": mean_absolute_error}, ValueError, "make_scorer.mean_absolute_error, greater"),
        ({"scoring": lambda a, b: 1.0}, ValueError, "no error that a gain could be relative to"),
        ({"scoring": "mutual_info_score"}, ValueError, "no error that a gain could be relative"),
    ],
)
def test_options_that_cannot_be_met_are_named(params, error, told):
    with pytest.raises(error, match=told):
        report(Sharing(), X, NAMED, **params)
    assert not FITS


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("prize", "size"), "baseline has other tasks than y.*'prize'.*did you mean 'price'"),
        (("price",), "baseline has other tasks than y.*no entry for the task.s. 'size'"),
    ],
)
def test_a_baseline_of_other_tasks_is_refused_before_any_fit(names, told):
    FITS.clear()
    baseline = make_pipeline(StandardScaler(), IndependentTasks({name: Ridge() for name in names}))
    with pytest.raises(TaskLayoutError, match=told):
        report(Sharing(), X, NAMED, baseline=baseline)
    assert not FITS


def test_sides_that_read_different_forms_are_refused():
    with pytest.raises(TaskLayoutError, match=r"baseline has task_feature=None, but .*=0"):
        report(MeanRegularizedRegressor(task_feature=0), LONG, Y[:, 0])
    with pytest.raises(TaskLayoutError, match=r"estimator has task_feature=None, but .*=0"):
        report(
            MODEL, LONG, Y[:, 0], task_feature=0, baseline=IndependentTasks(Ridge(), task_feature=0)
        )


def test_a_task_without_labels_in_a_training_part_is_named_with_fold_and_count():
    y = {**NAMED, "size": np.where(np.arange(24) < 8, Y[:, 1], np.nan)}
    with pytest.raises(
        TaskLayoutError, match=r"'size' with its 8 .* training part of split 0.* 8;"
    ):
        report(MODEL, X, y, cv=KFold(3))


def test_a_task_with_labels_in_one_test_part_is_named():
    splits = [(np.r_[0:12], np.r_[12:18]), (np.r_[0:12], np.r_[18:24])]
    y = {**NAMED, "size": np.where(np.arange(24) < 14, Y[:, 1], np.nan)}
    with pytest.raises(TaskLayoutError, match=r"'size' with its 14 .* test part of 1 split.* of 2"):
        report(MODEL, X, y, cv=splits)


def test_a_split_without_labels_of_a_task_is_left_out_for_that_task():
    y = {**NAMED, "size": np.where(np.arange(24) < 16, Y[:, 1], np.nan)}
    with pytest.warns(UserWarning, match=r"of the 3 splits have no label of .*'size \(1\)'"):
        found = report(MODEL, X, y, cv=KFold(3))
    assert np.isnan(found.baseline_scores).tolist() == [[False] * 3, [False, False, True]]
    assert np.isfinite([found.gain, found.low, found.high]).all()
    assert np.isfinite(found.delta_m_interval).all()
    expected = -found.baseline_scores[1, :2].mean() + found.multitask_scores[1, :2].mean()
    assert found.gain[1] == pytest.approx(expected / -found.baseline_scores[1, :2].mean())


def test_a_baseline_that_makes_no_error_leaves_no_relative_gain():
    labels = (X[:, :2] > 0).astype(float)
    with pytest.warns(UserWarning, match=r"baseline makes no error on the task.s. 'task0'"):
        found = report(
            Constant(), X, labels, baseline=Constant(0.0), scoring="neg_mean_absolute_error", cv=2
        )
    assert np.isnan(found.gain[0])
    assert found.delta_m == found.gain[1]


class Constant(RegressorMixin, BaseEstimator):
    """Knows the first label, but for `off`, and nothing of the second."""

    def __init__(self, off=1.0):
        self.off = off

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.column_stack([(X[:, 0] > 0) + self.off, np.full(len(X), 0.5)])


def test_parameters_that_name_tasks_ask_for_a_baseline():
    with pytest.raises(ValueError, match=r"ByTask has no .* 'offset' says .* pass baseline="):
        report(ByTask({"price": 1.0, "size": 2.0}), X, NAMED, baseline=None)


class ByTask(RegressorMixin, BaseEstimator):
    """Told something of each task."""

    def __init__(self, offset):
        self.offset = offset

    def fit(self, X, y):
        return self


def test_a_graph_that_names_tasks_has_a_counterpart_without_ties():
    graph = networkx.path_graph(["price", "size"])
    found = report(GraphRegressor(graph, alpha=0.3), X, NAMED, baseline=None)
    expected = report(
        GraphRegressor(graph, alpha=0.3),
        X,
        NAMED,
        baseline=IndependentTasks(GraphRegressor(alpha=0.3 + 0.1)),  # gamma on one edge a task
    )
    np.testing.assert_array_equal(found.gain, expected.gain)


def test_estimators_that_share_nothing_ask_for_a_baseline():
    with pytest.raises(ValueError, match=r"IndependentTasks has no .* pass baseline="):
        report(BASELINE, X, NAMED, baseline=None)
    with pytest.raises(ValueError, match=r"sharing='separate', which shares nothing"):
        report(MultiTaskRegressor(sharing="separate"), X, NAMED, baseline=None)
    with pytest.raises(ValueError, match=r"VotingTasks has no .* pass baseline="):
        report(VotingTasks([("one", MODEL)]), X, NAMED, baseline=None)


def test_a_pipeline_in_long_form_asks_where_the_task_is():
    model = make_pipeline(StandardScaler(), MeanRegularizedRegressor(task_feature=0))
    with pytest.raises(TaskLayoutError, match="say where X has the task"):
        report(model, LONG, Y[:, 0])
    search = GridSearchCV(model, {"meanregularizedregressor__alpha_shared": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"search over a pipeline in long form"):
        report(search, LONG, Y[:, 0], task_feature=0, baseline=None)


def test_rows_in_dicts_need_labels_in_a_dict_and_no_search():
    own = {"price": X, "size": X[:12]}
    labels = {"price": Y[:, 0], "size": Y[:12, 1]}
    with pytest.raises(TaskLayoutError, match=r"y must be a dict of the same tasks"):
        report(MODEL, own, Y)
    with pytest.raises(TaskLayoutError, match=r"lacks the task.s. 'size'"):
        report(MODEL, {"price": X}, labels)
    search = GridSearchCV(MODEL, {"alpha_shared": [1.0, 2.0]})
    with pytest.raises(TaskLayoutError, match=r"estimator is a search.*stack_tasks"):
        report(search, own, labels, budget="any")


def test_a_counterpart_that_cannot_be_fitted_is_shown():
    with pytest.raises(ValueError, match=r"Task 'task0'.*one label a row") as error:
        report(Constant(), X, Y, baseline=None, cv=MultiTaskKFold(2))
    shown = "baseline=None stood for IndependentTasks(estimator=Constant())"
    assert any(shown in note for note in error.value.__notes__)


def test_labels_are_needed():
    with pytest.raises(ValueError, match=r"y is None"):
        report(MODEL, X, None)
    with pytest.raises(TaskLayoutError, match=r"^Task 'size' has no observed label"):
        report(MODEL, X, {**NAMED, "size": np.full(24, np.nan)})


@pytest.mark.parametrize(
    ("sides", "told"),
    [
        ({"estimator": MeanRegularizedRegressor}, r"estimator is the class .* an instance: Mean"),
        ({"estimator": None}, r"estimator must be a scikit-learn estimator.* found None"),
        ({"baseline": Ridge}, r"baseline is the class Ridge; pass an instance: Ridge\(\)"),
        ({"baseline": "ridge"}, r"baseline must be .*found 'ridge' \(str\)"),
    ],
)
def test_sides_that_are_no_estimators_are_named(sides, told):
    with pytest.raises(TypeError, match=told):
        report(sides.get("estimator", MODEL), X, Y, baseline=sides.get("baseline", BASELINE))


@pytest.mark.parametrize(
    ("cv", "told"),
    [
        ([(np.arange(12), np.arange(12, 25))] * 2, "Split 0 of cv has row number 24, .* to 23"),
        ([(np.arange(12), np.arange(-3, 0))] * 2, "Split 0 of cv has row number -3"),
        ([(np.arange(24), np.arange(5))] * 2, r"Split 0 of cv has 5 row\(s\) in its training and"),
        ([(np.ones(20, bool), np.ones(20, bool))] * 2, r"mask of shape \(20,\) for 24 row"),
    ],
)
def test_splits_that_cannot_be_are_named(cv, told):
    FITS.clear()
    with pytest.raises(ValueError, match=told):
        report(Sharing(), X, NAMED, cv=cv)
    assert not FITS


def test_masks_of_rows_are_splits():
    masks = [(np.arange(24) % 3 != k, np.arange(24) % 3 == k) for k in range(3)]
    numbers = [tuple(map(np.flatnonzero, split)) for split in masks]
    found, expected = (report(MODEL, X, NAMED, cv=cv) for cv in (masks, numbers))
    np.testing.assert_array_equal(found.gain, expected.gain)


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (np.arange(36), "groups must be a dict of the same tasks 'price', 'size'; found ndarray"),
        ({"price": np.arange(24)}, r"each of the 12 row\(s\) of task 'size', found none"),
        (
            {"price": np.arange(24), "size": np.arange(3)},
            r"each of the 12 row\(s\) of task 'size', found 3 of them",
        ),
    ],
)
def test_groups_of_own_rows_are_a_dict_of_all_tasks(groups, told):
    own = {"price": X, "size": X[:12]}
    labels = {"price": Y[:, 0], "size": Y[:12, 1]}
    with pytest.raises(TaskLayoutError, match=told):
        report(MODEL, own, labels, groups=groups, cv=2)


# -- scores that cannot be --------------------------------------------------------------------


CLASSIFIER = IndependentTasks(LogisticRegression())
SHRUNK = IndependentTasks(LogisticRegression(C=0.01))
RARE = np.arange(24) < 3
PARTS = [(np.r_[0:2, 12:24], np.r_[2:12]), (np.r_[0:12], np.r_[12:24]), (np.r_[2:24], np.r_[0:2])]


def test_a_score_that_test_parts_leave_open_is_left_out_with_one_warning():
    y = {"rare": RARE.astype(int), "common": (X[:, 0] > 0).astype(int)}
    with pytest.warns(UserWarning, match=r"not defined on some of the 3 .*'rare \(2\)'") as told:
        found = report(SHRUNK, X, y, baseline=CLASSIFIER, scoring="roc_auc", cv=PARTS)
    assert len(told) == 1
    assert np.isnan(found.gain[0])
    assert found.flag[0] == "undecided"
    assert np.isfinite([found.gain[1], found.delta_m, found.mean_rank]).all()
    assert "rare" in repr(found)


def test_a_score_that_is_defined_for_no_task_is_an_error():
    with pytest.raises(ValueError, match="scoring is defined on fewer than two of 24 test parts"):
        report(MODEL, X, NAMED, scoring="r2", cv=LeaveOneOut())


def test_a_class_that_is_in_a_test_part_alone_is_named_with_its_split():
    y = {"rare": np.where(np.arange(24) == 3, 2, np.arange(24) % 2), "b": np.arange(24) % 2}
    splits = list(KFold(3).split(X))
    with pytest.raises(
        TaskLayoutError, match=r"'rare' has labels of class.es. 2 in a test"
    ) as error:
        report(SHRUNK, X, y, baseline=CLASSIFIER, cv=splits)
    assert any("split 0 of cv" in note for note in error.value.__notes__)
    found = report(SHRUNK, X, y, baseline=CLASSIFIER, cv=splits, scoring="accuracy")
    assert np.isfinite(found.gain).all()


@pytest.mark.parametrize(
    "scoring", [None, "neg_mean_absolute_error", "neg_mean_squared_error", "r2"]
)
def test_an_error_of_rounding_is_no_error(scoring):
    exact = {"price": 1e3 + X @ [1.0, 2.0, 3.0], "size": Y[:, 1]}
    baseline = IndependentTasks(LinearRegression())
    with pytest.warns(UserWarning, match=r"makes no error on the task.s. 'price', or one of"):
        found = report(MODEL, X, exact, baseline=baseline, scoring=scoring)
    assert np.isnan(found.gain[0])
    assert found.delta_m == found.gain[1]
