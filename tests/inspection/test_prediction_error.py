import sys

import numpy as np
import pandas as pd
import pytest
from _labels import as_dict, as_pandas, as_polars, make_mixed, make_own
from inspection._overlap import assert_legible
from matplotlib import pyplot
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    IndependentTasks,
    LowRankRegressor,
    MultiTaskTarget,
    PredictionErrorDisplay,
    TaskLayoutError,
    score_per_task,
    stack_tasks,
)


def make_predictions(n_tasks, n_rows=40, seed=0):
    """Return labels and predictions of tasks on very different scales, a fifth missing."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(-3, 6, n_tasks)
    y_true = rng.normal(size=(n_rows, n_tasks)) * scale
    y_pred = y_true + rng.normal(size=y_true.shape) * scale * rng.uniform(0.1, 1.2, n_tasks)
    y_true[rng.random(y_true.shape) < 0.2] = np.nan
    names = [f"the school numbered {t}" for t in range(n_tasks)]
    return pd.DataFrame(y_true, columns=names), pd.DataFrame(y_pred, columns=names)


@pytest.mark.parametrize(
    ("n_tasks", "kind"),
    [
        (2, "actual_vs_predicted"),
        (14, "residual_vs_predicted"),
        (139, "residual_vs_predicted"),  # the summary is the same of either kind
    ],
)
def test_every_number_of_tasks_is_legible(n_tasks, kind):
    display = PredictionErrorDisplay.from_predictions(*make_predictions(n_tasks), kind=kind)
    assert len(display.scatter_) == (n_tasks if n_tasks <= 16 else 1)
    assert_legible(display.figure_)


def test_r2_is_that_of_scikit_learn_on_observed_labels():
    y_true, y_pred = make_predictions(5)
    display = PredictionErrorDisplay.from_predictions(y_true, y_pred)
    for t, name in enumerate(y_true):
        seen = y_true[name].notna()
        expected = r2_score(y_true[name][seen], y_pred[name][seen])
        # 1e-12: the same sums in another order
        assert display.r2_[t] == pytest.approx(expected, abs=1e-12)
        assert f"R² = {expected:.2f}, n = {seen.sum()}" in display.axes_.flat[t].get_title()
        np.testing.assert_array_equal(display.y_true[t], y_true[name][seen])
        np.testing.assert_array_equal(display.y_pred[t], y_pred[name][seen])
    assert display.task_names == list(y_true)


@pytest.mark.parametrize("kind", ["actual_vs_predicted", "residual_vs_predicted"])
def test_panels_show_every_point(kind):
    y_true, y_pred = make_predictions(2)
    display = PredictionErrorDisplay.from_predictions(y_true, y_pred, kind=kind)
    for t, scatter in enumerate(display.scatter_):
        labels, predicted = display.y_true[t], display.y_pred[t]
        heights = labels if kind == "actual_vs_predicted" else labels - predicted
        np.testing.assert_array_equal(scatter.get_offsets(), np.stack([predicted, heights], axis=1))


def test_exact_predictions_lie_on_the_line():
    y_true, _ = make_predictions(1)
    display = PredictionErrorDisplay.from_predictions(
        y_true, y_true.fillna(0.0), kind="actual_vs_predicted"
    )
    ends = display.line_[0].get_xydata()
    assert (ends[:, 0] == ends[:, 1]).all()
    points = display.scatter_[0].get_offsets()
    assert (points[:, 0] == points[:, 1]).all()
    assert ends.min() < points.min()
    assert points.max() < ends.max()


def test_the_summary_is_in_order_of_the_error_in_standard_deviations():
    y_true, y_pred = make_predictions(20)
    display = PredictionErrorDisplay.from_predictions(y_true, y_pred)
    order = sorted(range(20), key=lambda t: display.r2_[t])
    assert display.axes_.shape == (1, 1)
    shown = [label.get_text() for label in display.axes_.flat[0].get_yticklabels()]
    assert shown == [list(y_true)[t] for t in order]
    drawn = {part.get_label(): part for part in display.axes_.flat[0].collections}
    errors = drawn["root mean square"].get_offsets()[:, 0]
    np.testing.assert_allclose(errors, np.sqrt(1 - np.sort(display.r2_)), rtol=1e-9)  # a root
    medians = display.scatter_[0].get_offsets()[:, 0]
    for row, t in enumerate(order):
        residual = (y_true.iloc[:, t] - y_pred.iloc[:, t]).dropna()
        expected = residual.median() / y_true.iloc[:, t].std(ddof=0)
        assert medians[row] == pytest.approx(expected, abs=1e-12)  # as above


def test_the_caller_decides_when_to_summarise():
    y_true, y_pred = make_predictions(3)
    assert PredictionErrorDisplay.from_predictions(y_true, y_pred).axes_.size == 4
    few = PredictionErrorDisplay.from_predictions(y_true, y_pred, max_panels=2)
    assert few.axes_.size == 1


@pytest.mark.parametrize(("subsample", "n_shown"), [(10, 10), (0.5, 16), (None, 32), (1000, 32)])
def test_a_part_of_the_points_can_be_drawn(subsample, n_shown):
    rng = np.random.default_rng(0)
    y = rng.normal(size=32)
    display = PredictionErrorDisplay.from_predictions(
        y, y + rng.normal(size=32), subsample=subsample, random_state=0
    )
    shown = display.scatter_[0].get_offsets()
    assert len(np.unique(shown, axis=0)) == n_shown
    assert len(display.y_true[0]) == 32


@pytest.mark.parametrize("subsample", [0, -3, 1.0, 0.0, "few"])
def test_a_part_of_the_points_is_a_number_or_a_share(subsample):
    with pytest.raises(ValueError, match=r"'subsample' parameter of PredictionErrorDisplay\.plot"):
        PredictionErrorDisplay.from_predictions([1.5, 2.0], [1.0, 2.0], subsample=subsample)


@pytest.mark.parametrize("container", [as_dict, as_pandas, as_polars, MultiTaskTarget])
def test_of_several_kinds_regression_tasks_are_shown(container):
    X, named = make_mixed()
    y = container(as_dict(named)) if container is MultiTaskTarget else container(named)
    parts = {"good": LogisticRegression(), "price": Ridge(), "stars": LogisticRegression()}
    model = IndependentTasks(parts).fit(X, y)
    display = PredictionErrorDisplay.from_estimator(model, X, y)
    assert display.task_names == ["price"]
    expected = score_per_task(y, model.predict(X))["price"]
    assert display.r2_[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("is_long", [False, True])
def test_tasks_with_rows_of_their_own_are_shown(is_long):
    X, y = make_own("numbers")
    model = IndependentTasks(Ridge())
    if is_long:
        X, y = stack_tasks({name: (X[name], y[name]) for name in X})
        model.set_params(task_feature=-1 if isinstance(X, np.ndarray) else "task")
    display = PredictionErrorDisplay.from_estimator(model.fit(X, y), X, y)
    assert sorted(display.task_names) == ["east", "north", "south"]
    assert [len(display.y_true[display.task_names.index(n)]) for n in ("south", "east")] == [15, 12]


def test_pipelines_searches_and_estimators_of_scikit_learn_are_shown():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = X @ rng.normal(size=(3, 2))
    search = GridSearchCV(LowRankRegressor(), {"alpha": [0.1, 1.0]}, cv=2)
    for model in (make_pipeline(StandardScaler(), search), LinearRegression()):
        display = PredictionErrorDisplay.from_estimator(model.fit(X, y), X, y)
        assert display.task_names == ["task0", "task1"]


def test_a_task_without_labels_and_one_with_constant_labels_have_no_r2():
    y_true = {"none": [np.nan] * 3, "same": [2.5] * 3, "some": [1.0, 2.5, 3.0]}
    y_pred = {name: [1.0, 2.0, 3.0] for name in y_true}
    for max_panels in (16, 0):
        display = PredictionErrorDisplay.from_predictions(y_true, y_pred, max_panels=max_panels)
        assert np.isnan(display.r2_).tolist() == [True, True, False]
        # in units of the labels where they do not vary
        assert display.relative_error_[1] == pytest.approx(np.sqrt(np.mean([1.5**2, 0.5**2, 0.25])))
        assert_legible(display.figure_)


@pytest.mark.parametrize("max_panels", [16, 0])
def test_names_that_are_no_text_are_shown(max_panels):
    names = [3, ("north", 2)]
    labels = {name: [0.5, 1.5, 2.5] for name in names}
    display = PredictionErrorDisplay.from_predictions(labels, labels, max_panels=max_panels)
    assert display.task_names == names
    panels = display.axes_[0]
    shown = [panel.get_title().splitlines()[0] for panel in panels]
    if max_panels == 0:
        shown = [text.get_text() for text in panels[0].get_yticklabels()]
    assert shown == ["3", "('north', 2)"]


def test_styles_reach_the_artists():
    display = PredictionErrorDisplay.from_predictions(
        [1.5, 2.0], [1.0, 2.0], scatter_kwargs={"c": "red"}, line_kwargs={"lw": 5.0}
    )
    assert display.scatter_[0].get_facecolor()[0, :3].tolist() == [1.0, 0.0, 0.0]
    assert display.line_[0].get_linewidth() == 5.0


def test_a_display_is_drawn_where_the_caller_says():
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5), layout="constrained")
    y_true, y_pred = make_predictions(3)
    display = PredictionErrorDisplay.from_predictions(y_true, y_pred, ax=left)
    assert display.figure_ is figure
    display.plot(right, max_panels=0)
    assert display.axes_[0, 0] is right
    assert_legible(figure)


def test_what_cannot_be_shown_is_refused_by_name():
    y_true, y_pred = make_predictions(2)
    from_predictions = PredictionErrorDisplay.from_predictions
    with pytest.raises(TaskLayoutError, match=r"y_pred lacks .*'the school numbered 1'"):
        from_predictions(y_true, y_pred.iloc[:, :1])
    with pytest.raises(TaskLayoutError, match=r"regression tasks, but 'a' are classification"):
        from_predictions({"a": ["no", "yes"]}, {"a": ["no", "no"]})
    with pytest.raises(ValueError, match=r"'kind' .*'residuals' .*did you mean 'residual_vs"):
        from_predictions(y_true, y_pred, kind="residuals")
    with pytest.raises(NotFittedError):
        PredictionErrorDisplay.from_estimator(LowRankRegressor(), np.zeros((3, 1)), y_true)
    X = np.zeros((len(y_true), 1))
    model = IndependentTasks(DummyRegressor()).fit(X, y_true)
    with pytest.raises(TaskLayoutError, match="price"):
        PredictionErrorDisplay.from_estimator(
            model, X, y_true.rename(columns={"the school numbered 1": "price"})
        )


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"PredictionErrorDisplay\.plot requires matplotlib; ins"):
        PredictionErrorDisplay([], [], task_names=[]).plot()
    with pytest.raises(ImportError, match=r"pip install 'sklearn_mtl\[plot\]'"):
        PredictionErrorDisplay.from_predictions([1.5], [1.0])
