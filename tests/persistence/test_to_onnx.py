"""What onnxruntime computes from a file is what the estimator predicts."""

import json
import logging
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from _plain import PLAIN
from linear_model._estimators import ESTIMATORS, make_data, small
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from torch import nn

from sklearn_mtl import (
    BayesianMultiTaskClassifier,
    IndependentTasks,
    LowRankClassifier,
    LowRankRegressor,
    MissingBackendError,
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskLinearEstimator,
    MultiTaskRegressor,
    TaskRelationshipRegressor,
    to_onnx,
)
from sklearn_mtl.neural_network.sharing import SHARING
from sklearn_mtl.persistence._values import ACTIVATED
from sklearn_mtl.tasks._activations import ACTIVATIONS

# onnxruntime's networks sum in another order in float32; linear models leave its last rounding
RTOL = 1e-5

SMALL = {
    **PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 3, "batch_size": 8, "random_state": 0
}  # fmt: skip


def run(path, X):
    """Return the outputs of a file by name."""
    session = onnxruntime.InferenceSession(path)
    assert [entry.name for entry in session.get_inputs()] == ["X"]
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X}), strict=True))


def assert_close(found, expected, scale=None):
    scale = np.abs(expected).max() if scale is None else scale
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=RTOL * scale)


def assert_equal_outputs(outputs, model, X):
    """Compare outputs with the predictions of a model fitted on a dict of labels."""
    predicted = model.predict(X)
    probabilities = model.predict_proba(X) if hasattr(model, "predict_proba") else {}
    assert list(outputs) == [
        name
        for task in predicted
        for name in ([task, f"{task}_probabilities"] if task in probabilities else [task])
    ]
    for task, values in predicted.items():
        if task in probabilities:
            assert outputs[task].tolist() == values.tolist()
            assert_close(outputs[f"{task}_probabilities"], probabilities[task], scale=1.0)
        else:
            assert_close(outputs[task], values)


def assert_exports(model, X, path, dtypes=("float32", "float64")):
    for dtype in dtypes:
        to_onnx(model, path, dtype=dtype)
        rows = X.astype(dtype)
        for part in (rows, rows[:1]):
            assert_equal_outputs(run(path, part), model, part)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


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


# -- networks -------------------------------------------------------------------------------------


def mixed(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)) * [1.0, 1e3, 1.0, 1.0] + [0.0, 0.0, 1e4, 0.0]
    z = (X - X.mean(0)) / X.std(0)
    y = {
        "price": 1e4 + 100.0 * z[:, 0],
        "good": z[:, 1] > 0,
        "grade": np.array(["high", "low", "mid"])[np.digitize(z[:, 2], [-0.5, 0.5])],
        "weight": z[:, 3],
    }
    y["weight"][: n // 2] = np.nan
    return X, y


# "hard" is what other tests have
@pytest.mark.parametrize("sharing", sorted(set(SHARING) - {"hard"}))
def test_networks_of_mixed_tasks_for_every_sharing_scheme(sharing, path):
    X, y = mixed()
    del y["price"]  # a step of "cascade" less: the exporter takes its time for each
    model = MultiTaskEstimator(**SMALL, sharing=sharing).fit(X, y)
    assert_exports(model, X, path, ["float32"])


@pytest.mark.parametrize("embedding", ["periodic", "piecewise_linear"])
def test_ensembles_embeddings_and_smoothly_clipped_inputs(embedding, path):
    X, y = mixed()
    params = {"n_estimators": 2, "numeric_embedding": embedding, "input_scaling": "smooth_clip"}
    model = MultiTaskEstimator(**{**SMALL, **params}).fit(X, y)
    # members in turn, each rounded to float32 in its own way
    assert_exports(model, X, path, ["float64"])


class Images(nn.Module):
    """A backbone with batch normalisation, for images of any size."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("n_estimators", [1, 2])
def test_a_backbone_with_batch_normalisation_reads_images(n_estimators, path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2, 5, 5)).astype(np.float32)
    y = {"sum": X.sum((1, 2, 3)), "sign": np.where(X[:, 0].sum((1, 2)) > 0, 7, -7)}
    model = MultiTaskEstimator(
        module=Images, **{**SMALL, "n_estimators": n_estimators, "numeric_embedding": None}
    ).fit(X, y)
    assert_exports(model, X, path, ["float32"])


def test_output_activations(path):
    X, _ = mixed()
    labels = np.random.default_rng(0).uniform(size=(len(ACTIVATIONS), len(X)))
    model = MultiTaskRegressor(**SMALL, output_activation={name: name for name in ACTIVATIONS})
    model.fit(X, dict(zip(ACTIVATIONS, labels, strict=True)))
    assert_exports(model, X, path, ["float32"])


def test_every_activation_has_a_form_in_the_graph():
    assert ACTIVATED.keys() == ACTIVATIONS.keys()


def test_exporting_leaves_the_model_and_the_process_as_they_were(path, capfd):
    X, y = mixed()
    model = MultiTaskClassifier(**{**SMALL, "n_estimators": 2}).fit(X, {"good": y["good"]})
    before, state = model.predict_proba(X)["good"], torch.random.get_rng_state()
    level, filters = logging.root.manager.disable, list(warnings.filters)
    to_onnx(model, path)
    assert np.array_equal(model.predict_proba(X)["good"], before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert logging.root.manager.disable == level
    assert warnings.filters == filters
    assert tuple(capfd.readouterr()) == ("", "")


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


def test_a_network_of_tasks_with_their_own_rows_gives_all_tasks(path):
    X, y = mixed()
    X = {"price": X[:20], "good": X}
    y = {"price": y["price"][:20], "good": y["good"]}
    model = MultiTaskEstimator(**SMALL).fit(X, y)
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


# -- refusals -------------------------------------------------------------------------------------


class Branching(nn.Module):
    """A module whose computation depends on values."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


class OneBatchSize(nn.Module):
    """A module that is traced for one number of rows alone."""

    def forward(self, x):
        return x.reshape(len(x), -1)


def fitted(model, n_tasks=2):
    X, y = make_data("LowRankRegressor", n_tasks=n_tasks)
    return model.fit(X, y)


def with_large_labels():
    X, _ = make_data("LowRankClassifier")
    labels = np.array([2**63, 2**63 + 4096], dtype=np.uint64)
    return LowRankClassifier().fit(X, {"a": labels[np.arange(len(X)) % 2]})


def with_names(*names):
    X, y = make_data("LowRankClassifier")
    return LowRankClassifier().fit(X, dict.fromkeys(names, y["a"]))


def three_classes():
    X, y = make_data("BayesianMultiTaskClassifier")
    return BayesianMultiTaskClassifier().fit(X, y)


def long_form_pipeline():
    X, y = make_data("LowRankRegressor")
    X[:, 3] = np.arange(len(X)) % 2
    model = make_pipeline(MinMaxScaler(), LowRankRegressor(task_feature=3))
    return model.fit(X, y["a"])


REFUSED = {
    "unfitted": (LowRankRegressor, NotFittedError, "not fitted"),
    "unfitted network": (MultiTaskRegressor, NotFittedError, "not fitted"),
    "composition": (
        lambda: fitted(IndependentTasks(LinearRegression())),
        TypeError,
        "IndependentTasks; export the estimators",
    ),
    "others": (
        lambda: LinearRegression().fit([[0.0], [1.0]], [0, 1]), TypeError, "LinearRegression"
    ),
    "kernel": (
        lambda: fitted(TaskRelationshipRegressor(kernel="rbf")), ValueError, "kernel='linear'"
    ),
    "averages": (three_classes, ValueError, "Task 'c' has 3 classes"),
    "large labels": (with_large_labels, ValueError, "64-bit"),
    "equal names": (lambda: with_names(1, "1"), ValueError, "that of task 1"),
    "a name of probabilities": (
        lambda: with_names("a", "a_probabilities"), ValueError, "that of task 'a'"
    ),
    "the input's name": (lambda: with_names("X"), ValueError, "that of the input"),
    "no name": (lambda: with_names(""), ValueError, "which is empty"),
    "step": (
        lambda: fitted(make_pipeline(PolynomialFeatures(), LowRankRegressor())),
        ValueError,
        r"The step PolynomialFeatures\(\)",
    ),
    "indicator": (
        lambda: fitted(make_pipeline(SimpleImputer(missing_values=0), LowRankRegressor())),
        ValueError,
        "only the filling in of NaN",
    ),
    "long form in a pipeline": (long_form_pipeline, ValueError, "see the column"),
    "branches": (
        lambda: fitted(MultiTaskRegressor(module=Branching, **SMALL)), ValueError, "no branch"
    ),
    "one batch size": (
        lambda: fitted(MultiTaskRegressor(module=OneBatchSize, **SMALL)), ValueError, "len"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_exported_is_said_and_no_file_is_touched(case, path):
    make, error, message = REFUSED[case]
    model = make()
    path.write_bytes(b"before")
    with pytest.raises(error, match=message):
        to_onnx(model, path)
    assert path.read_bytes() == b"before"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dtype": "float23"}, "did you mean 'float32'"),
        ({"opset": 9}, "opset must be 18 to 20, got 9"),
    ],
)
def test_a_wrong_parameter_is_named(wrong, message, path):
    with pytest.raises(ValueError, match=message):
        to_onnx(fitted(LowRankRegressor()), path, **wrong)
    assert not path.exists()


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_missing_packages_are_named_with_what_installs_them(package, path, monkeypatch):
    model = fitted(MultiTaskRegressor(**SMALL))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingBackendError, match=r'pip install "sklearn_mtl\[onnx\]"'):
        to_onnx(model, path)
    assert not path.exists()


def test_a_file_that_cannot_be_put_in_place_leaves_nothing(tmp_path):
    (tmp_path / "model.onnx").mkdir()
    with pytest.raises(OSError, match=r"model\.onnx"):
        to_onnx(fitted(LowRankRegressor()), tmp_path / "model.onnx")
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.onnx"]
