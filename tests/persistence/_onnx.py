"""What files of ONNX compute, beside what the estimator predicts."""

import numpy as np
import onnxruntime
from _plain import PLAIN
from linear_model._estimators import make_data

from sklearn_mtl import to_onnx

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


def fitted(model, n_tasks=2):
    X, y = make_data("LowRankRegressor", n_tasks=n_tasks)
    return model.fit(X, y)
