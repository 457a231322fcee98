"""What cannot be in a file is said before one is touched."""

import sys

import numpy as np
import pytest
from linear_model._estimators import make_data
from persistence._onnx import SMALL, fitted
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures
from torch import nn

from sklearn_mtl import (
    BayesianMultiTaskClassifier,
    IndependentTasks,
    LowRankClassifier,
    LowRankRegressor,
    MissingBackendError,
    MultiTaskRegressor,
    TaskRelationshipRegressor,
    to_onnx,
)


class Branching(nn.Module):
    """A module whose computation depends on values."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


class OneBatchSize(nn.Module):
    """A module that is traced for one number of rows alone."""

    def forward(self, x):
        return x.reshape(len(x), -1)


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


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("a folder", IsADirectoryError),
        ("absent/model.onnx", FileNotFoundError),
        ("a file/model.onnx", NotADirectoryError),
    ],
)
def test_a_path_that_cannot_be_written_is_named_and_nothing_is_left(place, error, tmp_path):
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").touch()
    with pytest.raises(error) as caught:
        to_onnx(fitted(LowRankRegressor()), tmp_path / place)
    assert caught.value.filename == str(tmp_path / place)
    assert "None" not in str(caught.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a file", "a folder"]
