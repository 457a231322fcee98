"""Coefficients of tasks and features, and what tasks share in them."""

import numpy as np
import pandas as pd
import pytest
from compose._compositions import COMPOSITIONS
from inspection._overlap import assert_legible
from matplotlib import pyplot
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, MultiTaskLasso, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from sklearn_mtl import (
    BayesianMultiTaskRegressor,
    CoefficientDisplay,
    GraphRegressor,
    IndependentTasks,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    TaskGrouping,
    TaskRelationDisplay,
    stack_tasks,
)


def make_tasks(n_tasks=4, n_features=3):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, n_features))
    W = 1.0 + 0.3 * rng.normal(size=(n_tasks, n_features))
    return X, X @ W.T + 0.1 * rng.normal(size=(50, n_tasks))


@pytest.mark.parametrize(
    ("n_tasks", "n_features", "has_parts"),
    [(2, 5, False), (2, 5, True), (14, 8, True), (139, 28, True)],
)
def test_names_and_numbers_are_legible(n_tasks, n_features, has_parts):
    rng = np.random.default_rng(0)
    coef = rng.normal(size=(n_tasks, n_features))
    parts = {"shared": coef.mean(axis=0), "specific": coef - coef.mean(axis=0)}
    display = CoefficientDisplay(
        coef,
        row_names=[f"school number {t}" for t in range(n_tasks)],
        feature_names=[f"a feature of long name {j}" for j in range(n_features)],
        **(parts if has_parts else {}),
    ).plot()
    assert_legible(display.figure_)
    assert bool(display.texts_) == (n_tasks < 139)


def test_the_shared_and_the_specific_parts_stand_beside_their_sum():
    X, y = make_tasks()
    model = MeanRegularizedRegressor().fit(X, y)
    display = CoefficientDisplay.from_estimator(model)
    coef, shared, specific = (image.get_array() for image in display.images_)
    np.testing.assert_array_equal(coef, model.coef_)
    np.testing.assert_array_equal(shared[0], model.shared_coef_)
    np.testing.assert_allclose(specific, model.specific_coef_, atol=1e-15)  # rounding of a sum
    assert len({image.get_clim() for image in display.images_}) == 1
    titles = [panel.get_title() for panel in display.axes_]
    assert titles == ["Coefficients: shared + specific", "Shared part", "Specific parts"]


def test_classes_of_many_have_rows_and_shared_parts_of_their_own():
    X, y = make_tasks()
    size = np.array(["large", "mean", "small"])[np.digitize(y, [-1.0, 1.0])]
    labels = {"late": y[:, 0] > 0, "size": size[:, 1], "width": size[:, 2]}
    model = MeanRegularizedClassifier().fit(X, labels)
    display = CoefficientDisplay.from_estimator(model)
    classes = ["large", "mean", "small"]
    expected = ["late", *(f"{task} = {c}" for task in ("size", "width") for c in classes)]
    assert display.row_names == expected
    assert display.shared_names == ["as late", *(f"as size = {c}" for c in classes)]
    np.testing.assert_allclose(display.specific, model.specific_coef_, atol=1e-15)


def test_the_mean_of_a_learned_population_is_what_its_tasks_share():
    X, y = make_tasks(n_tasks=12)
    X = dict.fromkeys(range(12), X)
    y = {t: y[:, t] for t in X}
    model = BayesianMultiTaskRegressor().fit(X, y)
    display = CoefficientDisplay.from_estimator(model)
    np.testing.assert_array_equal(display.shared[0], model.prior_mean_)
    np.testing.assert_allclose(display.specific, model.coef_ - model.prior_mean_)
    # in units of each task's labels the mean is no part of the coefficients
    scaled = BayesianMultiTaskRegressor(target_scaling="standard").fit(X, y)
    assert CoefficientDisplay.from_estimator(scaled).shared is None


def test_names_come_from_frames_and_from_what_a_pipeline_makes_of_them():
    X, y = make_tasks()
    X = pd.DataFrame(X, columns=["size", "age", "rooms"])
    y = pd.DataFrame(y, columns=list("abcd"))
    display = CoefficientDisplay.from_estimator(GraphRegressor().fit(X, y))
    assert display.feature_names == ["size", "age", "rooms"]
    assert display.row_names == list("abcd")

    pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False), GraphRegressor())
    search = GridSearchCV(pipeline, {"graphregressor__gamma": [0.1, 1.0]}, cv=2).fit(X, y)
    names = CoefficientDisplay.from_estimator(search).feature_names
    assert names[:4] == ["size", "age", "rooms", "size^2"]
    assert len(names) == 9

    X["town"] = pd.Categorical(np.where(np.arange(50) % 2, "Ulm", "Bonn"))
    encoder = ColumnTransformer([("town", OneHotEncoder(), ["town"])], remainder="passthrough")
    names = CoefficientDisplay.from_estimator(make_pipeline(encoder, Ridge()).fit(X, y))
    assert names.feature_names[:3] == ["town__town_Bonn", "town__town_Ulm", "remainder__size"]


def test_the_task_column_of_long_form_is_no_feature():
    X, y = make_tasks(n_tasks=2)
    tables = {"a": (X, y[:, 0]), "b": (X, y[:, 1])}
    frames = {n: (pd.DataFrame(x, columns=list("uvw")), v) for n, (x, v) in tables.items()}
    rows, labels = stack_tasks(frames)
    model = MeanRegularizedRegressor(task_feature="task").fit(rows, labels)
    assert CoefficientDisplay.from_estimator(model).feature_names == list("uvw")
    rows = np.column_stack([rows["u"], rows["task"] == "b", rows["v"]]).astype(float)
    model = MeanRegularizedRegressor(task_feature=1).fit(rows, labels)
    assert CoefficientDisplay.from_estimator(model).feature_names == ["x0", "x2"]


def test_one_model_a_task_shows_a_row_for_each():
    X, y = make_tasks(n_tasks=2)
    labels = {"price": y[:, 0], "size": np.digitize(y[:, 1], [-1.0, 1.0])}
    models = {"price": make_pipeline(StandardScaler(), Ridge()), "size": LogisticRegression()}
    tasks = IndependentTasks(models).fit(X, labels)
    display = CoefficientDisplay.from_estimator(tasks)
    assert display.row_names == ["price", "size = 0", "size = 1", "size = 2"]
    np.testing.assert_array_equal(display.coef[0], tasks.estimators_["price"][-1].coef_)
    np.testing.assert_array_equal(display.coef[1:], tasks.estimators_["size"].coef_)
    many = MultiOutputRegressor(Ridge()).fit(X, y)
    assert CoefficientDisplay.from_estimator(many).row_names == ["task0", "task1"]


CONTAINERS = {"array": lambda Y: Y, "dict": lambda Y: dict(zip("abc", Y.T, strict=True))}


@pytest.mark.parametrize("name", COMPOSITIONS)
@pytest.mark.parametrize("labels", CONTAINERS)
def test_a_composition_shows_the_model_that_answers_for_each_task_or_none(name, labels):
    X, Y = make_tasks(n_tasks=3)
    Y[:, 1] *= -1.0
    composition = COMPOSITIONS[name](Ridge()).fit(X, CONTAINERS[labels](Y))
    if name not in ("IndependentTasks", "TaskGrouping"):
        # their models read predictions too, or several models answer, or one for all rows
        with pytest.raises(TypeError, match=f"which {name} has not"):
            CoefficientDisplay.from_estimator(composition)
        return
    display = CoefficientDisplay.from_estimator(composition)
    names = ["a", "b", "c"] if labels == "dict" else ["task0", "task1", "task2"]
    assert sorted(display.row_names) == names
    for row, task in zip(display.coef, display.row_names, strict=True):
        np.testing.assert_allclose(row, Ridge().fit(X, Y[:, names.index(task)]).coef_)
    cosines = TaskRelationDisplay.from_estimator(composition)
    assert cosines.task_names == display.row_names


def test_models_that_answer_together_are_no_tasks():
    X, y = make_tasks()
    for model in (BaggingRegressor(Ridge(), 2), RegressorChain(Ridge())):
        with pytest.raises(TypeError, match=f"which {type(model).__name__} has not"):
            CoefficientDisplay.from_estimator(model.fit(X, y))


def test_columns_keep_their_numbers_beside_that_of_the_task():
    X, y = make_tasks(n_tasks=2)
    rows, labels = np.insert(np.tile(X, (2, 1)), 0, np.repeat([0, 1], len(X)), axis=1), y.T.ravel()
    independent = IndependentTasks(Ridge(), task_feature=0)
    for model in (MeanRegularizedRegressor(task_feature=0), independent):
        grouped = TaskGrouping(model, n_groups=2, affinity=np.eye(2))
        for tasks in (model, grouped):
            display = CoefficientDisplay.from_estimator(tasks.fit(rows, labels))
            assert display.feature_names == ["x1", "x2", "x3"]


def test_scikit_learns_models_are_shown_too():
    X, y = make_tasks()
    model = MultiTaskLasso(alpha=0.01).fit(X, y)
    display = CoefficientDisplay.from_estimator(model)
    np.testing.assert_array_equal(display.coef, model.coef_)
    assert display.row_names == ["task0", "task1", "task2", "task3"]
    one = CoefficientDisplay.from_estimator(Ridge().fit(X, y[:, 0]))
    assert one.coef.shape == (1, 3)


def test_the_scale_of_colours_is_centred_and_can_be_set():
    display = CoefficientDisplay([[2.0, -3.0]]).plot()
    assert display.images_[0].get_clim() == (-3.0, 3.0)
    assert display.plot(limit=1.0).images_[0].get_clim() == (-1.0, 1.0)
    assert CoefficientDisplay([[0.0, 0.0]]).plot().images_[0].get_clim() == (-1.0, 1.0)


def test_axes_of_the_caller_are_used():
    coef = np.ones((2, 2))
    figure, ax = pyplot.subplots(layout="constrained")
    assert CoefficientDisplay(coef).plot(ax).ax_ is ax
    figure, axes = pyplot.subplots(2, 2, layout="constrained")
    parts = CoefficientDisplay(coef, shared=[1.0, 1.0], specific=0 * coef).plot(axes)
    assert parts.axes_ == [axes[1, 0], axes[0, 1], axes[1, 1]]
    assert parts.figure_ is figure


def test_bad_input_is_named():
    X, y = make_tasks()
    with pytest.raises(NotFittedError):
        CoefficientDisplay.from_estimator(GraphRegressor())
    for model in (GraphRegressor(kernel="rbf"), RandomForestRegressor(2)):
        with pytest.raises(TypeError, match=f"which {type(model).__name__} has not"):
            CoefficientDisplay.from_estimator(model.fit(X, y))
    with pytest.raises(ValueError, match=r"row_names has 1 names \('a'\) for 2 rows of coef"):
        CoefficientDisplay(np.ones((2, 3)), row_names=["a"]).plot()
    with pytest.raises(ValueError, match=r"found shape \(3,\)"):
        CoefficientDisplay(np.ones(3)).plot()
    with pytest.raises(ValueError, match="shared and specific belong together"):
        CoefficientDisplay(np.ones((2, 3)), shared=np.ones(3)).plot()
    with pytest.raises(ValueError, match="specific must have the shape of coef"):
        CoefficientDisplay(np.ones((2, 3)), shared=np.ones(3), specific=np.ones(3)).plot()
    own = {"a": X, "b": X[:, :2]}
    tasks = IndependentTasks(Ridge()).fit(own, {"a": y[:, 0], "b": y[:, 1]})
    with pytest.raises(ValueError, match="task 'b' has other features"):
        CoefficientDisplay.from_estimator(tasks)
