"""How tasks are related, in an order that shows it."""

import numpy as np
import pytest
from inspection._overlap import assert_legible
from matplotlib import pyplot
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    GraphRegressor,
    TaskRelationDisplay,
    TaskRelationshipClassifier,
    TaskRelationshipRegressor,
)
from sklearn_mtl.inspection._task_relation import related_order


def make_groups(n_tasks, n_groups, seed=0):
    """Return a correlation of groups of tasks, shuffled, and the group of each task."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.arange(n_tasks) % n_groups)
    matrix = np.where(group[:, None] == group, 0.8, -0.1)
    noise = rng.uniform(-0.05, 0.05, matrix.shape)
    matrix = matrix + (noise + noise.T) / 2
    np.fill_diagonal(matrix, 1.0)
    return matrix, group


def make_tasks(n_tasks=5):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    W = rng.normal(size=(n_tasks, 4))
    return X, X @ W.T + 0.1 * rng.normal(size=(60, n_tasks)), W


@pytest.mark.parametrize("n_tasks", [2, 14, 139])
def test_names_and_numbers_are_legible(n_tasks):
    matrix, _ = make_groups(n_tasks, 3)
    names = [f"a rather long school name {t}" for t in range(n_tasks)]
    display = TaskRelationDisplay(matrix, task_names=names).plot()
    assert_legible(display.figure_)
    assert len(display.texts_) == (n_tasks**2 if n_tasks < 139 else 0)


def test_tasks_of_a_group_stand_side_by_side():
    matrix, group = make_groups(30, 4)
    display = TaskRelationDisplay(matrix, task_names=range(30)).plot()
    changes = np.count_nonzero(np.diff(group[display.order_]))
    assert changes == 3
    np.testing.assert_array_equal(np.sort(display.order_), np.arange(30))
    shown = display.image_.get_array()
    np.testing.assert_array_equal(shown, matrix[np.ix_(display.order_, display.order_)])


def test_neighbours_are_as_alike_as_the_tree_allows():
    # tasks along a line, each most alike its neighbours: trees alone leave pairs turned around
    place = np.random.default_rng(0).permutation(20)
    apart = np.abs(place[:, None] - place).astype(float)
    order = related_order(-apart)
    steps = np.abs(np.diff(place[order]))
    assert (steps == 1).all()


def test_names_follow_the_rows():
    matrix, _ = make_groups(6, 2)
    display = TaskRelationDisplay(matrix, task_names=list("abcdef")).plot()
    expected = ["abcdef"[t] for t in display.order_]
    for axis in (display.ax_.xaxis, display.ax_.yaxis):
        assert [text.get_text() for text in axis.get_ticklabels()] == expected


def test_an_asymmetric_matrix_is_ordered_by_both_directions_and_shown_as_it_is():
    matrix, _ = make_groups(12, 3)
    skew = np.triu(np.random.default_rng(1).normal(size=matrix.shape), 1)
    np.testing.assert_array_equal(related_order(matrix + skew - skew.T), related_order(matrix))
    display = TaskRelationDisplay(matrix + skew, task_names=range(12)).plot()
    order = display.order_
    np.testing.assert_array_equal(display.image_.get_array(), (matrix + skew)[np.ix_(order, order)])


def test_unknown_entries_are_grey_and_leave_the_order_alone():
    matrix, _ = make_groups(12, 3)
    unknown = matrix.copy()
    np.fill_diagonal(unknown, np.nan)
    unknown[2, 3] = np.nan  # the other direction is known
    np.testing.assert_array_equal(related_order(unknown), related_order(matrix))
    display = TaskRelationDisplay(unknown, task_names=range(12)).plot()
    assert display.image_.get_array().mask.sum() == 13
    assert display.image_.get_clim()[1] == pytest.approx(np.nanmax(np.abs(unknown)))
    with_nothing = TaskRelationDisplay(np.full((3, 3), np.nan), task_names="abc").plot()
    np.testing.assert_array_equal(with_nothing.order_, [0, 1, 2])


def test_the_scale_of_colours_is_centred_and_leaves_the_diagonal_out():
    affinity = np.array([[9.0, 0.2], [-0.4, 8.0]])
    display = TaskRelationDisplay(affinity, task_names="ab").plot()
    assert display.image_.get_clim() == (-0.4, 0.4)
    assert display.colorbar_.extend == "max"
    correlation = TaskRelationDisplay([[1.0, 0.2], [0.2, 1.0]], task_names="ab").plot()
    assert correlation.image_.get_clim() == (-1.0, 1.0)
    assert correlation.colorbar_.extend == "neither"
    assert TaskRelationDisplay(affinity, task_names="ab").plot(limit=2).image_.get_clim() == (-2, 2)


def test_a_learned_covariance_is_shown_as_its_correlation():
    X, y, _ = make_tasks()
    pipeline = make_pipeline(StandardScaler(), TaskRelationshipRegressor())
    model = GridSearchCV(pipeline, {"taskrelationshipregressor__gamma": [0.01, 0.1]}, cv=2)
    display = TaskRelationDisplay.from_estimator(model.fit(X, y))
    learned = model.best_estimator_[-1].task_correlation_
    np.testing.assert_allclose(display.matrix, learned, atol=1e-12)  # rounding of square roots
    assert display.task_names == [f"task{t}" for t in range(5)]
    assert "correlation" in display.measure


def test_a_class_of_many_has_a_row_of_its_own():
    X, y, _ = make_tasks()
    labels = {"late": y[:, 0] > 0, "size": np.digitize(y[:, 1], [-1, 1])}
    display = TaskRelationDisplay.from_estimator(TaskRelationshipClassifier().fit(X, labels))
    assert display.task_names == ["late", "size = 0", "size = 1", "size = 2"]


@pytest.mark.parametrize("model", [GraphRegressor(gamma=0.0), Ridge()])
def test_other_models_show_cosines_of_coefficients(model):
    X, y, _ = make_tasks()
    y[:, 4] = -y[:, 0]
    model.fit(X, y)
    display = TaskRelationDisplay.from_estimator(model)
    norms = np.linalg.norm(model.coef_, axis=1)
    for s in range(5):
        for t in range(5):
            cosine = model.coef_[s] @ model.coef_[t] / norms[s] / norms[t]
            assert display.matrix[s, t] == pytest.approx(cosine, abs=1e-12)
    assert display.matrix[0, 4] == pytest.approx(-1.0)


def test_a_task_without_weights_is_related_to_none():
    X, y, _ = make_tasks(3)
    y[:, 1] = 5.0
    display = TaskRelationDisplay.from_estimator(Ridge().fit(X, y))
    np.testing.assert_array_equal(display.matrix[1], [0.0, 1.0, 0.0])


def test_an_affinity_says_who_helps_whom():
    class Affinity:
        matrix = np.array([[np.nan, 0.3], [-0.1, np.nan]])
        task_names = ["north", "south"]
        method = "pairwise"

    display = TaskRelationDisplay.from_affinity(Affinity())
    assert display.ax_.get_ylabel() == "Task that helps"
    assert display.ax_.get_xlabel() == "Task that is helped"
    assert_legible(display.figure_)


def test_an_axes_of_the_caller_is_used():
    figure, ax = pyplot.subplots(layout="constrained")
    display = TaskRelationDisplay(np.eye(3), task_names="abc").plot(ax)
    assert display.ax_ is ax
    assert display.figure_ is figure


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"matrix must be square.*\(2, 3\)"):
        TaskRelationDisplay(np.zeros((2, 3)), task_names="ab").plot()
    with pytest.raises(ValueError, match=r"task_names has 3 names .* matrix of 2 tasks"):
        TaskRelationDisplay(np.eye(2), task_names="abc").plot()
    with pytest.raises(NotFittedError):
        TaskRelationDisplay.from_estimator(GraphRegressor())
    X, y, _ = make_tasks()
    with pytest.raises(TypeError, match="shows coefficients of features, which KNeighbors"):
        TaskRelationDisplay.from_estimator(KNeighborsRegressor().fit(X, y))
