"""What onnxruntime computes from a file is what the estimator predicts."""

import json
import warnings

import numpy as np
import onnx
import pandas as pd
import pytest
from linear_model._estimators import ESTIMATORS, make_data, small
from persistence._onnx import assert_close, assert_equal_outputs, assert_exports, mixed, run
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_mtl import (
    BayesianMultiTaskClassifier,
    LowRankClassifier,
    LowRankRegressor,
    MultiTaskLinearEstimator,
    to_onnx,
)

# -- linear models --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - {"BayesianMultiTaskClassifier"}))
def test_linear_models_of_features_that_are_badly_centred_and_scaled(name, path):
    X, y = make_data(name, missing=0.2)
    X = X * np.array([1.0, 1e3, 1.0, 1e-3]) + np.array([1e4, 0.0, -50.0, 0.0])
    # what weights there are, not whether they converged
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = small(name).fit(X, y)
    assert_exports(model, X, path)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_probabilities_averaged_over_a_posterior(fit_intercept, path):
    X, y = make_data("BayesianMultiTaskClassifier", n_tasks=2)
    X = 5.0 * X + [0.0, 100.0, 0.0, -3.0]
    model = BayesianMultiTaskClassifier(fit_intercept=fit_intercept).fit(X, y)
    assert_exports(model, X, path)


def test_a_posterior_of_each_task(path):
    X, y = make_data("BayesianMultiTaskClassifier", n_tasks=2)
    rows = {"a": X[:10], "b": X}
    model = BayesianMultiTaskClassifier().fit(
        rows, {name: y[name][: len(rows[name])] for name in y}
    )
    X = X.astype(np.float32)
    outputs = run(to_onnx(model, path), X)
    expected = model.predict_proba({"a": X, "b": X})
    for name in expected:
        assert_close(outputs[f"{name}_probabilities"], expected[name], scale=1.0)


# -- containers and labels ------------------------------------------------------------------------


def test_arrays_have_an_output_for_each_column(path):
    X = np.random.default_rng(0).normal(size=(30, 3))
    model = LowRankRegressor().fit(X, X[:, :2] @ [[1.0, 2.0], [0.0, 1.0]])
    outputs = run(to_onnx(model, path, dtype="float64"), X)
    assert list(outputs) == ["task0", "task1"]
    assert_close(np.column_stack([*outputs.values()]), model.predict(X))


def test_long_form_takes_rows_without_the_task_column_and_gives_all_tasks(path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=["age", "height", "size"])
    X.insert(1, "school", rng.choice(["north", "south"], 60))
    y = X["age"] * np.where(X["school"] == "north", 1.0, -2.0)
    model = LowRankRegressor(task_feature="school").fit(X, y)
    path = to_onnx(model, path, dtype="float64")
    outputs = run(path, X.drop(columns="school").to_numpy())
    own = np.where(X["school"] == "north", outputs["north"], outputs["south"])
    assert_close(own, model.predict(X))
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(properties["feature_names"]) == ["age", "height", "size"]


def test_tasks_with_their_own_rows_give_all_tasks(path):
    X, y = mixed()
    X = {"price": X[:20], "good": X}
    y = {"price": y["price"][:20], "good": y["good"]}
    model = MultiTaskLinearEstimator().fit(X, y)
    rows = X["good"].astype(np.float32)
    outputs = run(to_onnx(model, path), rows)
    assert_equal_outputs(outputs, model, {"price": rows, "good": rows})


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        ([3, 1], np.int64),
        ([-5, 2, 9], np.int64),
        (np.array([0, 1], dtype=np.int8), np.int64),
        ([True, False], np.bool_),
        (["no", "yes"], object),
        (["één", "", "три"], object),
        ([1.0, 2.0], np.float64),
    ],
)
def test_labels_keep_their_type(classes, kind, path):
    X, _ = make_data("LowRankClassifier")
    labels = np.asarray(classes)[np.arange(len(X)) % len(classes)]
    model = LowRankClassifier().fit(X, {"t": labels})
    found = run(to_onnx(model, path, dtype="float64"), X)["t"]
    assert found.dtype == kind
    assert found.tolist() == model.predict(X)["t"].tolist()


def test_names_that_are_not_text_are_written_as_text(path):
    X = np.random.default_rng(0).normal(size=(30, 3))
    model = LowRankRegressor().fit(X, {1: X[:, 0], ("b", 2): X[:, 1]})
    assert list(run(to_onnx(model, path), X.astype(np.float32))) == ["1", "('b', 2)"]


@pytest.mark.parametrize("name", ["/constant_0", "/Gather_1", "//Mul_1", "/", "network/x", "n"])
def test_names_like_those_inside_the_graph_are_outputs(name, path):
    X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    model = LowRankRegressor().fit(X, {name: X[:, 0], f"{name}0": X[:, 1]})
    assert_equal_outputs(run(to_onnx(model, path), X), model, X)


def test_the_file_says_what_it_holds(path):
    X, y = mixed()
    X = pd.DataFrame(X, columns=list("pqrs"))
    model = MultiTaskLinearEstimator().fit(X, {name: y[name] for name in ("price", "grade")})
    file = onnx.load(to_onnx(model, path))
    properties = {entry.key: entry.value for entry in file.metadata_props}
    assert file.producer_name == "sklearn_mtl"
    assert properties["sklearn_mtl_version"] == file.producer_version
    assert properties["estimator"] == "MultiTaskLinearEstimator"
    assert json.loads(properties["feature_names"]) == list("pqrs")
    assert json.loads(properties["tasks"]) == [
        {"name": "price", "kind": "regression"},
        {
            "name": "grade",
            "kind": "multiclass",
            "classes": ["high", "low", "mid"],
            "probabilities": "grade_probabilities",
        },
    ]


@pytest.mark.parametrize("opset", [18, 19, 20])
def test_files_have_the_operators_that_were_asked_for(opset, path):
    X, y = make_data("MultiTaskLinearEstimator")
    model = MultiTaskLinearEstimator().fit(X, y)
    file = onnx.load(to_onnx(model, path, dtype="float64", opset=opset))
    assert [entry.version for entry in file.opset_import] == [opset]
    assert_equal_outputs(run(path, X), model, X)


# -- pipelines and searches -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "steps",
    [
        [StandardScaler()],
        [StandardScaler(with_mean=False), "passthrough"],
        [StandardScaler(with_std=False)],
        [SimpleImputer(strategy="median"), MinMaxScaler((-1, 2), clip=True)],
        [SimpleImputer(strategy="constant", fill_value=3.0), MinMaxScaler()],
    ],
    ids=str,
)
def test_steps_before_the_model_are_part_of_the_file(steps, path):
    X, y = make_data("LowRankRegressor")
    X = 3.0 * X + 10.0
    if isinstance(steps[0], SimpleImputer):
        X[::7, 1] = np.nan
    model = make_pipeline(*steps, LowRankRegressor()).fit(X, y)
    for dtype in (np.float32, np.float64):
        rows = 1.3 * X.astype(dtype)  # beyond the range that was seen
        assert_equal_outputs(run(to_onnx(model, path, dtype=dtype.__name__), rows), model, rows)


def test_a_search_is_its_best_estimator(path):
    X, y = make_data("LowRankRegressor")
    pipeline = make_pipeline(StandardScaler(), LowRankRegressor())
    search = GridSearchCV(pipeline, {"lowrankregressor__alpha": [0.1, 1e3]}, cv=3)
    search.fit(X, np.column_stack([*y.values()]))
    outputs = run(to_onnx(search, path, dtype="float64"), X)
    assert_close(np.column_stack([*outputs.values()]), search.predict(X))
