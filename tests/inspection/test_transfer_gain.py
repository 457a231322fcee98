"""What each task gains from sharing, and how sure that is."""

import numpy as np
import pandas as pd
import pytest
from inspection._overlap import assert_legible
from matplotlib import pyplot
from matplotlib.colors import to_hex
from scipy.stats import ttest_rel

from sklearn_mtl import IndependentTasks, MeanRegularizedRegressor, TransferGainDisplay
from sklearn_mtl.inspection._paired_gain import paired_gain
from sklearn_mtl.metrics._metric import TaskKind

REGRESSION, CLASSES = TaskKind(False), TaskKind(True)


def make_gains(n_tasks, seed=0):
    rng = np.random.default_rng(seed)
    n_observed = rng.integers(5, 250, n_tasks)
    half = 1.5 / np.sqrt(n_observed)
    gain = rng.normal(size=n_tasks) * half
    return gain, gain - half, gain + half, n_observed


def drawn(display):
    """Return {name of a task: (gain drawn, low, high, flag)} from the artists and the axis."""
    places = {}
    for flag, points in display.points_.items():
        ends = [segment[:, 0] for segment in display.bars_[flag].get_segments()]
        for (gain, place), (low, high) in zip(points.get_offsets(), ends, strict=True):
            places[int(place)] = (gain, low, high, flag)
    ticks = zip(display.ax_.get_yticks(), display.ax_.get_yticklabels(), strict=True)
    return {label.get_text(): places[int(tick)] for tick, label in ticks}


@pytest.mark.parametrize("n_tasks", [2, 14, 139])
def test_names_are_legible(n_tasks):
    gain, low, high, n_observed = make_gains(n_tasks)
    names = [f"a rather long school name {t}" for t in range(n_tasks)]
    display = TransferGainDisplay(gain, low, high, task_names=names, n_observed=n_observed).plot()
    assert_legible(display.figure_)
    assert_legible(TransferGainDisplay(gain, low, high, task_names=names).plot().figure_)


def test_each_name_has_its_gain_its_interval_and_its_flag():
    gain, low, high, n_observed = make_gains(14)
    names = [f"school {t}" for t in range(14)]
    display = TransferGainDisplay(gain, low, high, task_names=names, n_observed=n_observed).plot()
    found = drawn(display)
    assert set(found) == set(names)
    for t, name in enumerate(names):
        flag = "helped" if low[t] > 0 else "hurt" if high[t] < 0 else "undecided"
        assert found[name] == (gain[t], low[t], high[t], flag)
    assert {flag for *_, flag in found.values()} == {"helped", "hurt", "undecided"}


def test_tasks_of_fewest_labels_are_on_top():
    n_observed = [30, 10, 20]
    display = TransferGainDisplay(
        [0.1, 0.2, 0.3], [0, 0, 0], [1, 1, 1], task_names="abc", n_observed=n_observed
    ).plot()
    np.testing.assert_array_equal(display.order_, [1, 2, 0])
    bottom, top = display.ax_.get_ylim()
    assert bottom > top  # place 0 is above
    (beside,) = (ax for ax in display.figure_.axes if ax is not display.ax_)
    assert [text.get_text() for text in beside.get_yticklabels()] == ["10", "20", "30"]


def test_flags_differ_in_shape_and_in_colour():
    display = TransferGainDisplay(
        [0.5, -0.5, 0.0], [0.4, -0.6, -0.1], [0.6, -0.4, 0.1], task_names="abc"
    ).plot()
    colors = {to_hex(points.get_facecolor()[0]) for points in display.points_.values()}
    shapes = {points.get_paths()[0].vertices.tobytes() for points in display.points_.values()}
    assert len(colors) == len(shapes) == 3
    words = [text.get_text() for text in display.legend_.get_texts()]
    assert words == ["helped (1)", "undecided (1)", "hurt (1)"]


def test_flags_that_are_given_are_shown():
    display = TransferGainDisplay(
        [0.5, 0.5], [0.4, 0.4], [0.6, 0.6], task_names="ab", flag=["hurt", "undecided"]
    ).plot()
    assert [drawn(display)[name][3] for name in "ab"] == ["hurt", "undecided"]


def test_of_many_tasks_the_flagged_ones_are_named():
    n_tasks, flagged = 139, [3, 40, 77, 120]
    gain = np.random.default_rng(0).uniform(-0.1, 0.1, n_tasks)
    gain[flagged] = [0.05, -0.05, 0.04, 0.06]
    half = np.full(n_tasks, 0.5)
    half[flagged] = 0.01
    names = [f"school {t}" for t in range(n_tasks)]
    n_observed = np.random.default_rng(1).permutation(n_tasks)
    display = TransferGainDisplay(
        gain, gain - half, gain + half, task_names=names, n_observed=n_observed
    ).plot()
    shown = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert len(shown) == 20
    assert {f"school {t}" for t in flagged} <= set(shown)
    assert {name for name, (*_, flag) in drawn(display).items() if flag != "undecided"} == {
        f"school {t}" for t in flagged
    }
    assert f"school {np.abs(gain).argmax()}" in shown


@pytest.mark.parametrize("n_tasks", [2, 12, 40])
def test_the_axis_shows_all_intervals_of_few_tasks(n_tasks):
    gain, low, high, _ = make_gains(n_tasks)
    low[1] = -7.0
    display = TransferGainDisplay(gain, low, high, task_names=range(n_tasks)).plot()
    left, right = display.ax_.get_xlim()
    assert left < -7.0
    assert high.max() < right
    assert not any(len(arrows.get_offsets()) for arrows in display.arrows_)


def test_the_axis_of_many_tasks_cuts_the_longest_intervals_and_says_where():
    gain, low, high, _ = make_gains(50)
    low[7], high[7], high[20] = -50.0, 50.0, 30.0
    display = TransferGainDisplay(gain, low, high, task_names=range(50)).plot()
    left, right = display.ax_.get_xlim()
    assert left < gain.min() < gain.max() < right < 5.0
    ends = zip(display.arrows_, (left, right), (low < left, high > right), strict=True)
    for arrows, end, beyond in ends:
        places = np.flatnonzero(beyond[display.order_])
        assert len(places)
        np.testing.assert_array_equal(np.sort(arrows.get_offsets()[:, 1]), places)
        np.testing.assert_array_equal(arrows.get_offsets()[:, 0], end)
    colors = {to_hex(color) for color in display.arrows_[0].get_facecolors()}
    assert to_hex(display.bars_["undecided"].get_color()[0]) in colors


def test_names_that_are_no_text_are_shown():
    names = [3, ("north", 2)]
    display = TransferGainDisplay([0.1, 0.2], [0.0, 0.1], [0.2, 0.3], task_names=names).plot()
    assert list(drawn(display)) == ["3", "('north', 2)"]


def test_gains_are_percentages():
    display = TransferGainDisplay([0.1, -0.3], [0.0, -0.5], [0.2, 0.0], task_names="ab").plot()
    display.figure_.canvas.draw()
    assert all(text.get_text().endswith("%") for text in display.ax_.get_xticklabels())


def test_a_task_without_a_gain_keeps_its_place():
    display = TransferGainDisplay(
        [0.1, np.nan], [0.0, np.nan], [0.2, np.nan], task_names=["a", "b"]
    ).plot()
    assert_legible(display.figure_)
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["a", "b"]
    assert display.points_["undecided"].get_offsets().mask.any()
    nothing = TransferGainDisplay([np.nan], [np.nan], [np.nan], task_names=["a"]).plot()
    assert_legible(nothing.figure_)


def make_schools():
    rng = np.random.default_rng(0)
    X = {name: rng.normal(size=(12, 4)) for name in ("north", "south", "east")}
    return X, {name: rows.sum(axis=1) + rng.normal(size=12) for name, rows in X.items()}


def test_an_estimator_is_compared_as_by_a_report():
    from sklearn_mtl import transfer_report

    X, y = make_schools()
    model = MeanRegularizedRegressor()
    options = {"baseline": IndependentTasks(MeanRegularizedRegressor()), "cv": 3, "n_repeats": 1}
    report = transfer_report(model, X, y, random_state=0, **options)
    display = TransferGainDisplay.from_estimator(model, X, y, random_state=0, **options)
    assert_legible(display.figure_)
    np.testing.assert_array_equal(display.gain, report.gain)
    np.testing.assert_array_equal(display.low, report.low)
    np.testing.assert_array_equal(display.high, report.high)
    assert display.flag == report.flag
    assert display.task_names == ["north", "south", "east"]
    again = report.plot(pyplot.subplots()[1])
    np.testing.assert_array_equal(again.n_observed, [12, 12, 12])


def test_predictions_give_gains_in_root_mean_squared_error_and_in_wrong_labels():
    y = {"price": [0.0, 0.0, np.nan, 0.0], "good": ["no", "yes", "yes", None]}
    shared = {"price": [1.0, -1.0, 9.0, 1.0], "good": ["no", "yes", "no", "no"]}
    alone = {"price": [2.0, 2.0, 0.0, -2.0], "good": ["no", "no", "no", "no"]}
    display = TransferGainDisplay.from_predictions(y, shared, alone)
    np.testing.assert_allclose(display.gain, [0.5, 0.5])  # 1 for 2, and 1 wrong for 2
    np.testing.assert_array_equal(display.n_observed, [3, 3])
    assert display.task_names == ["price", "good"]
    frames = [pd.DataFrame(labels) for labels in (y, shared, alone)]
    again = TransferGainDisplay.from_predictions(*frames)
    np.testing.assert_array_equal(again.gain, display.gain)


def test_predictions_in_long_form():
    tasks = ["a", "b", "a", "b"]
    display = TransferGainDisplay.from_predictions(
        [0.0, 0.0, 0.0, 0.0], [1.0, 3.0, 1.0, 3.0], [2.0, 2.0, 2.0, 2.0], tasks=tasks
    )
    assert display.task_names == ["a", "b"]
    np.testing.assert_allclose(display.gain, [0.5, -0.5])


@pytest.mark.parametrize("seed", range(6))
def test_an_interval_excludes_zero_where_a_paired_t_test_tells_errors_apart(seed):
    rng = np.random.default_rng(seed)
    labels = rng.normal(size=25)
    shared = labels + rng.normal(size=25) * 0.7
    alone = labels + rng.normal(size=25)
    p_value = ttest_rel((labels - alone) ** 2, (labels - shared) ** 2).pvalue
    for level in (0.5 * p_value, 0.99 * p_value, 1.01 * p_value, min(2 * p_value, 0.999)):
        gain, low, high = paired_gain(labels, shared, alone, REGRESSION, level)
        assert low < gain < high
        assert (low > 0 or high < 0) == (level > p_value)


def test_intervals_cover_the_gain_as_often_as_they_say():
    rng = np.random.default_rng(0)
    truth = 1 - np.sqrt(0.8)  # variances of errors are 0.8 and 1
    covered = []
    for _ in range(400):
        noise = rng.normal(size=(2, 100))
        shared = np.sqrt(0.8) * (0.8 * noise[0] + 0.6 * noise[1])  # errors go together
        _, low, high = paired_gain(np.zeros(100), shared, noise[0], REGRESSION, 0.1)
        covered.append(low <= truth <= high)
    # 0.9, of which 400 draws are off by 0.015 (one standard deviation); the baseline's mean error
    # is taken as known, which costs little where errors go together
    assert 0.85 < np.mean(covered) < 0.95


def test_equal_predictions_gain_nothing_and_a_perfect_baseline_leaves_nothing_to_gain():
    labels, predicted = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 3.0])
    assert paired_gain(labels, predicted, predicted, REGRESSION, 0.05) == (0.0, 0.0, 0.0)
    assert np.isnan(paired_gain(labels, predicted, labels, REGRESSION, 0.05)).all()
    gain, low, high = paired_gain(labels[:1], labels[:1], predicted[1:2], CLASSES, 0.05)
    assert gain == 1.0
    assert np.isnan([low, high]).all()  # one label has no spread
    assert np.isnan(paired_gain(labels[:0], labels[:0], labels[:0], REGRESSION, 0.05)).all()
    # no error is less than none
    assert paired_gain(labels, labels, labels + 5.0 * labels, REGRESSION, 0.05)[2] == 1.0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"low must have one number for each of 2 tasks"):
        TransferGainDisplay([0.1, 0.2], [0.0], [0.3, 0.3], task_names="ab").plot()
    with pytest.raises(ValueError, match=r"'flag' parameter .* Got 'help' instead \(did you mean"):
        TransferGainDisplay([0.1], [0.0], [0.3], task_names="a", flag=["help"]).plot()
    with pytest.raises(ValueError, match="flag has 2 words for 1 tasks"):
        TransferGainDisplay([0.1], [0.0], [0.3], task_names="a", flag=["hurt", "hurt"]).plot()
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        TransferGainDisplay.from_predictions([1.0], [1.0], [1.0], level=95)
