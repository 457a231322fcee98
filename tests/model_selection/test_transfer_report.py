"""transfer_report: what its numbers are, and that both sides get the same."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss, make_scorer, mean_absolute_error, mean_pinball_loss
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_mtl import (
    GraphRegressor,
    IndependentTasks,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultiTaskKFold,
    MultiTaskLinearEstimator,
    MultiTaskTarget,
    stack_tasks,
    transfer_report,
)
from sklearn_mtl.metrics._gain import corrected_interval
from sklearn_mtl.model_selection._gain import relative_gains
from tests.model_selection._observed_estimators import FITS, Alone, Sharing
from tests.model_selection._references_transfer import nadeau_bengio

MODEL = MeanRegularizedRegressor(alpha_shared=0.1, alpha_specific=0.5)
BASELINE = IndependentTasks(Ridge())


@pytest.fixture(autouse=True)
def _nothing_fitted_yet():
    FITS.clear()


def make_data(n_rows=40, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 5))
    Y = X @ rng.normal(size=(5, 3)) + rng.normal(size=(n_rows, 3))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def make_own():
    rng = np.random.default_rng(1)
    X = {name: rng.normal(size=(n, 4)) for name, n in (("north", 30), ("south", 22), ("east", 15))}
    y = {name: own.sum(axis=1) + rng.normal(size=len(own)) for name, own in X.items()}
    y["south"][:3] = np.nan
    return X, y


# -- the numbers ------------------------------------------------------------------------------


@given(
    differences=st.lists(st.floats(-10, 10), min_size=2, max_size=20),
    n_train=st.integers(1, 100),
    n_test=st.integers(1, 100),
    level=st.floats(0.01, 0.5),
)
@settings(max_examples=100, deadline=None)
def test_the_interval_is_that_of_nadeau_and_bengio(differences, n_train, n_test, level):
    found = corrected_interval(np.array(differences), n_test / n_train, level)
    expected = nadeau_bengio(differences, n_train, n_test, level)
    # sums of at most 20 numbers up to 10; the ends cancel, so that their error is absolute
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_gain_is_the_difference_of_mean_errors_over_that_of_the_baseline():
    X, Y = make_data()
    report = transfer_report(MODEL, X, Y, baseline=BASELINE, random_state=0)
    baseline, multitask = -report.baseline_scores, -report.multitask_scores
    assert baseline.shape == (3, 10)
    for t in range(3):
        error = baseline[t].mean()
        expected = np.array(nadeau_bengio(baseline[t] - multitask[t], 32, 8, 0.05)) / error
        # the same arithmetic in another order
        np.testing.assert_allclose(
            [report.gain[t], report.low[t], report.high[t]], expected, rtol=1e-9
        )
    assert report.delta_m == pytest.approx(report.gain.mean())
    low, high = report.delta_m_interval
    assert low < report.delta_m < high


def test_scores_are_those_of_fits_by_hand():
    X, Y = make_data(missing=0.2)
    splits = list(KFold(3).split(X))
    report = transfer_report(MODEL, X, Y, baseline=BASELINE, cv=splits)
    for k, (train, test) in enumerate(splits):
        predicted = MODEL.fit(X[train], Y[train]).predict(X[test])
        errors = (predicted - Y[test]) ** 2
        for t in range(3):
            known = ~np.isnan(Y[train, t])
            alone = Ridge().fit(X[train][known], Y[train, t][known]).predict(X[test])
            expected = np.nanmean((alone - Y[test, t]) ** 2) ** 0.5
            # the same fits, whose tolerance is not in play: closed forms
            assert -report.baseline_scores[t, k] == pytest.approx(expected, rel=1e-8)
            expected = np.nanmean(errors[:, t]) ** 0.5
            assert -report.multitask_scores[t, k] == pytest.approx(expected, rel=1e-8)


def test_flags_say_on_which_side_of_zero_the_interval_is():
    rng = np.random.default_rng(0)
    baseline = 1.0 + 0.01 * rng.normal(size=(3, 10))
    factors = np.array([[0.5], [2.0], [1.0]])
    multitask = factors * baseline + 0.01 * rng.normal(size=(3, 10))
    gains = relative_gains(baseline, multitask, np.full(3, 0.25), 0.05, np.zeros(3))
    assert gains.low[0] > 0 > gains.high[1]
    assert gains.low[2] < 0 < gains.high[2]
    np.testing.assert_allclose(gains.gain, [0.5, -1.0, 0.0], atol=0.02)  # 0.01 times 2 / sqrt(10)


def test_a_model_against_itself_is_undecided_with_no_gain():
    X, Y = make_data()
    report = transfer_report(BASELINE, X, Y, baseline=BASELINE, random_state=0)
    assert report.flag == ["undecided"] * 3
    assert (report.gain == 0).all()
    assert (report.low == 0).all()
    assert report.delta_m_interval == (0, 0)
    assert report.mean_rank == 1.5
    assert report.share_hurt == report.share_helped == 0


def test_the_best_possible_model_helps_and_a_constant_hurts():
    X, Y = make_data(n_rows=80)
    good = IndependentTasks(LinearRegression())
    bad = IndependentTasks(DummyRegressor())
    better = transfer_report(good, X, Y, baseline=bad, random_state=0)
    assert better.share_helped == 1
    assert better.mean_rank == 1
    worse = transfer_report(bad, X, Y, baseline=good, random_state=0)
    assert worse.flag == ["hurt"] * 3
    assert worse.share_hurt == 1
    assert worse.mean_rank == 2


def test_a_lower_level_gives_a_wider_interval_around_the_same_gain():
    X, Y = make_data()
    reports = [
        transfer_report(MODEL, X, Y, baseline=BASELINE, level=level, random_state=0)
        for level in (0.05, 0.2)
    ]
    np.testing.assert_array_equal(reports[0].gain, reports[1].gain)
    assert (reports[0].low < reports[1].low).all()
    assert (reports[0].high > reports[1].high).all()


# -- errors of scores ---------------------------------------------------------------------------


@pytest.mark.parametrize("scoring", ["r2", "explained_variance"])
def test_gains_of_explained_variance_are_relative_to_what_is_not_explained(scoring):
    X, Y = make_data()
    report = transfer_report(MODEL, X, Y, baseline=BASELINE, scoring=scoring, random_state=0)
    left = 1 - report.baseline_scores.mean(axis=1)
    gained = report.multitask_scores.mean(axis=1) - report.baseline_scores.mean(axis=1)
    np.testing.assert_allclose(report.gain, gained / left, rtol=1e-9)  # means in another order


@pytest.mark.parametrize(
    "scoring",
    ["neg_mean_absolute_error", make_scorer(mean_absolute_error, greater_is_better=False)],
)
def test_errors_may_come_by_name_or_as_a_scorer(scoring):
    X, Y = make_data()
    report = transfer_report(MODEL, X, Y, baseline=BASELINE, scoring=scoring, random_state=0)
    means = -report.baseline_scores.mean(axis=1), -report.multitask_scores.mean(axis=1)
    np.testing.assert_allclose(report.gain, 1 - means[1] / means[0], rtol=1e-9)


def test_tasks_may_have_scores_of_their_own():
    X, Y = make_data()
    y = MultiTaskTarget({"a": Y[:, 0], "b": Y[:, 1]})
    scoring = {"a": "r2"}
    mixed = transfer_report(MODEL, X, y, baseline=BASELINE, scoring=scoring, random_state=0)
    r2 = transfer_report(MODEL, X, y, baseline=BASELINE, scoring="r2", random_state=0)
    default = transfer_report(MODEL, X, y, baseline=BASELINE, random_state=0)
    assert mixed.gain.tolist() == [r2.gain[0], default.gain[1]]


def test_classification_is_scored_by_log_loss_and_without_probabilities_by_accuracy():
    X, Y = make_data(n_rows=60)
    y = {"a": np.where(Y[:, 0] > 0, "yes", "no"), "b": np.where(Y[:, 1] > 0, "yes", "no")}
    splits = list(KFold(3).split(X))
    model = MeanRegularizedClassifier()
    baseline = IndependentTasks(LogisticRegression())
    report = transfer_report(model, X, y, baseline=baseline, cv=splits)
    train, test = splits[0]
    alone = LogisticRegression().fit(X[train], y["a"][train])
    expected = log_loss(y["a"][test], alone.predict_proba(X[test]))
    assert report.baseline_scores[0, 0] == pytest.approx(-expected)
    silent = transfer_report(model, X, y, baseline=IndependentTasks(LinearSVC()), cv=splits)
    right = LinearSVC().fit(X[train], y["a"][train]).score(X[test], y["a"][test])
    assert silent.baseline_scores[0, 0] == pytest.approx(right)


def test_tasks_of_mixed_kinds_have_errors_of_their_kind():
    X, Y = make_data(n_rows=60, missing=0.2)
    sold = np.where(np.isnan(Y[:, 1]), None, np.where(Y[:, 1] > 0, "yes", "no"))
    y = {"price": Y[:, 0], "sold": sold}
    report = transfer_report(MultiTaskLinearEstimator(), X, y, cv=3, n_repeats=1, random_state=0)
    assert "neg_root_mean_squared_error, neg_log_loss" in report.title
    assert np.isfinite(report.gain).all()


# -- the same folds and seeds -------------------------------------------------------------------


def test_both_sides_are_fitted_on_the_same_rows_from_the_same_seed():
    X, Y = make_data()
    transfer_report(Sharing(), X, Y, n_repeats=2, random_state=0)
    shared = [fit[1:] for fit in FITS if fit[0] == "hard"]
    separate = [fit[1:] for fit in FITS if fit[0] == "separate"]
    assert len(shared) == 10
    assert shared == separate
    assert len({seed for _, seed in shared}) == 10


def test_seeds_that_are_set_stay():
    X, Y = make_data()
    transfer_report(Sharing(random_state=5), X, Y, n_repeats=1, random_state=0)
    assert {seed for _, _, seed in FITS} == {5}


def test_tasks_alone_get_the_seed_of_the_split():
    X, Y = make_data()
    transfer_report(
        Sharing(), X, Y, baseline=IndependentTasks(Alone()), n_repeats=1, random_state=0
    )
    shared = {seed: rows for sharing, rows, seed in FITS if sharing == "hard"}
    alone = [(seed, rows) for sharing, rows, seed in FITS if sharing == "none"]
    assert len(alone) == 3 * 5
    assert all(shared[seed] == rows for seed, rows in alone)


def test_repeats_differ_and_a_random_state_gives_all_of_them_again():
    X, Y = make_data()
    first, again, other = (
        transfer_report(MODEL, X, Y, baseline=BASELINE, n_repeats=2, random_state=seed)
        for seed in (0, 0, 1)
    )
    assert (first.baseline_scores[:, :5] != first.baseline_scores[:, 5:]).all()
    np.testing.assert_array_equal(first.baseline_scores, again.baseline_scores)
    assert (first.gain != other.gain).all()


def test_results_do_not_depend_on_the_number_of_jobs():
    X, Y = make_data()
    one = transfer_report(MODEL, X, Y, baseline=BASELINE, random_state=0)
    with parallel_config("threading"):  # whose start costs nothing
        two = transfer_report(MODEL, X, Y, baseline=BASELINE, random_state=0, n_jobs=2)
    np.testing.assert_array_equal(one.multitask_scores, two.multitask_scores)


def test_splitters_are_taken_as_they_are():
    X, Y = make_data()
    groups = np.arange(40) % 8
    transfer_report(Sharing(), X, Y, cv=GroupKFold(4), groups=groups)
    parts = [set(rows) for sharing, rows, _ in FITS if sharing == "hard"]
    assert len(parts) == 4
    for rows in parts:
        kept = np.isin(X[:, 0], list(rows))
        assert not set(groups[kept]) & set(groups[~kept])


def test_splitters_that_draw_can_be_repeated():
    X, Y = make_data()
    report = transfer_report(
        MODEL, X, Y, baseline=BASELINE, cv=ShuffleSplit(2, random_state=0), n_repeats=3
    )
    scores = report.baseline_scores
    assert scores.shape == (3, 6)
    assert len(np.unique(scores[0])) == 6


# -- containers -----------------------------------------------------------------------------------


CONTAINERS = {
    "matrix": lambda Y: Y,
    "lists": lambda Y: Y.tolist(),
    "frame": lambda Y: pd.DataFrame(Y, columns=list("abc")),
    "polars": lambda Y: pl.DataFrame(Y, schema=list("abc")),
    "dict": lambda Y: dict(zip("abc", Y.T, strict=True)),
    "target": lambda Y: MultiTaskTarget(dict(zip("abc", Y.T, strict=True))),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_container_gives_the_same_report(container, dtype):
    X, Y = make_data(missing=0.2)
    cv = KFold(3)
    expected = transfer_report(MODEL, X, Y, baseline=BASELINE, cv=cv)
    labels = CONTAINERS[container](Y.astype(dtype))
    report = transfer_report(MODEL, X.astype(dtype), labels, baseline=BASELINE, cv=cv)
    # float32 labels and rows are off by 6e-8, gains are differences of errors some 100 times them
    np.testing.assert_allclose(report.gain, expected.gain, rtol=1e-3, atol=1e-5)
    assert report.n_observed.tolist() == (~np.isnan(Y)).sum(axis=0).tolist()
    if container not in ("matrix", "lists"):
        assert report.task_names == ["a", "b", "c"]


def test_tasks_with_their_own_rows_have_their_share_of_every_fold():
    X, y = make_own()
    report = transfer_report(MODEL, X, y, baseline=BASELINE, cv=5, random_state=0)
    assert report.task_names == ["north", "south", "east"]
    assert report.n_observed.tolist() == [30, 19, 15]
    assert not np.isnan(report.baseline_scores).any()


def test_own_rows_and_long_form_of_them_are_compared_alike():
    X, y = make_own()
    own = transfer_report(MODEL, X, y, baseline=BASELINE, cv=KFold(4, shuffle=True, random_state=0))
    stacked, labels = stack_tasks(
        {name: (pd.DataFrame(X[name], columns=list("abcd")), y[name]) for name in X}
    )
    long = transfer_report(
        MeanRegularizedRegressor(alpha_shared=0.1, alpha_specific=0.5, task_feature="task"),
        stacked,
        labels,
        baseline=IndependentTasks(Ridge(), task_feature="task"),
        cv=KFold(4, shuffle=True, random_state=0),
    )
    assert long.task_names == sorted(own.task_names)
    for name in own.task_names:
        mine, theirs = own.task_names.index(name), long.task_names.index(name)
        # the order of rows in sums differs
        np.testing.assert_allclose(own.gain[mine], long.gain[theirs], rtol=1e-6)


def test_classes_and_values_may_have_rows_of_their_own():
    X, y = make_own()
    y["north"] = np.where(y["north"] > 0, "high", "low")
    report = transfer_report(MultiTaskLinearEstimator(), X, y, cv=3, n_repeats=1, random_state=0)
    assert np.isfinite(report.gain).all()


def test_a_pipeline_keeps_its_steps_and_its_last_is_replaced():
    X, Y = make_data()
    y = MultiTaskTarget({"a": Y[:, 0], "b": Y[:, 1]})
    model = make_pipeline(StandardScaler(), MODEL)
    cv = MultiTaskKFold(3)
    found = transfer_report(model, X, y, cv=cv)
    alone = IndependentTasks(GraphRegressor([], alpha=MODEL.alpha_specific))
    expected = transfer_report(model, X, y, baseline=make_pipeline(StandardScaler(), alone), cv=cv)
    # closed forms of one system
    np.testing.assert_allclose(found.gain, expected.gain, rtol=1e-8)


def test_a_weight_of_zero_is_a_label_that_nobody_observed():
    X, Y = make_data()
    weight = np.ones(Y.shape)
    weight[::4, 1] = 0
    missing = np.where(weight > 0, Y, np.nan)
    cv = KFold(3, shuffle=True, random_state=0)
    weighted = transfer_report(MODEL, X, Y, baseline=BASELINE, cv=cv, sample_weight=weight)
    unknown = transfer_report(MODEL, X, missing, baseline=BASELINE, cv=cv)
    np.testing.assert_allclose(weighted.gain, unknown.gain, rtol=1e-9)  # weights of one
    assert weighted.n_observed.tolist() == [40, 30, 40]


# -- the report -----------------------------------------------------------------------------------


def test_the_frame_has_a_row_a_task():
    X, Y = make_data()
    report = transfer_report(MODEL, X, pd.DataFrame(Y, columns=list("abc")), baseline=BASELINE)
    frame = report.to_frame()
    assert list(frame.columns) == [
        "n_observed", "baseline", "multitask", "gain", "low", "high", "flag",
    ]  # fmt: skip
    assert list(frame.index) == ["a", "b", "c"]
    assert frame["flag"].tolist() == report.flag
    np.testing.assert_array_equal(frame["baseline"], report.baseline_scores.mean(axis=1))


@pytest.mark.parametrize("n_tasks", [2, 139])
def test_the_printed_report_is_a_table_with_the_greatest_gain_first(n_tasks):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 2)), rng.normal(size=(20, n_tasks))
    report = transfer_report(MODEL, X, Y, baseline=BASELINE, cv=2, n_repeats=1, random_state=0)
    lines = repr(report).splitlines()
    shown = [
        line.split()[0] for line in lines if line.startswith("task") and "observed" not in line
    ]
    order = np.argsort(-report.gain)
    assert shown[0] == f"task{order[0]}"
    assert shown[-1] == f"task{order[-1]}"
    assert len(shown) == min(n_tasks, 24)
    assert len(lines) < 34
    assert max(map(len, lines)) <= 110
    assert f"By luck alone, {n_tasks * 0.025:.2g} of {n_tasks}" in lines[-1]


def test_a_report_can_be_pickled():
    X, Y = make_data()
    report = transfer_report(MODEL, X, Y, baseline=BASELINE, random_state=0)
    assert repr(pickle.loads(pickle.dumps(report))) == repr(report)


def test_a_metric_that_is_a_function_with_a_pinball_loss_needs_to_say_what_is_better():
    X, Y = make_data()
    scoring = make_scorer(mean_pinball_loss, greater_is_better=False)
    report = transfer_report(MODEL, X, Y, baseline=BASELINE, scoring=scoring, random_state=0)
    assert (report.baseline_scores < 0).all()


def test_a_report_draws_itself():
    pytest.importorskip("matplotlib").use("agg")
    X, Y = make_data()
    report = transfer_report(MODEL, X, Y, baseline=BASELINE, n_repeats=1, random_state=0)
    display = report.plot()
    np.testing.assert_array_equal(display.gain, report.gain)
    assert list(display.task_names) == report.task_names
