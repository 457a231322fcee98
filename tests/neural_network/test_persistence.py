"""A fitted network travels: to another process, another machine, without its data or its device."""

import copy
import gc
import os
import pickle
import pickletools
import subprocess
import sys
import weakref

import joblib
import numpy as np
import pytest
import torch
from _plain import PLAIN
from sklearn.base import clone

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor, nn

SMALL = {
    **PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 3, "batch_size": 8, "random_state": 0
}  # fmt: skip


# several networks, embedded features
DEFAULT = {"n_estimators": "auto", "numeric_embedding": "auto"}


def make_data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X @ rng.normal(size=(3, 2)) + 0.1 * rng.normal(size=(n, 2))


def make_labels(network, Y):
    if network is MultiTaskRegressor:
        return {"a": Y[:, 0], "b": Y[:, 1]}
    classes = np.where(Y[:, 0] > 0, "yes", "no")
    if network is MultiTaskClassifier:
        return {"a": classes, "b": np.digitize(Y[:, 1], [-0.5, 0.5])}
    return {"a": classes, "b": Y[:, 1]}


def fit(network=MultiTaskRegressor, n=40, **params):
    X, Y = make_data(n)
    return network(**{**SMALL, **params}).fit(X, make_labels(network, Y)), X


# -- round trips ----------------------------------------------------------------------------------

FRESH = """
import sys
import joblib, pickle
import numpy as np
with open({path!r}, "rb") as file:
    fits = pickle.load(file)
    fits += joblib.load(file)
assert not {{"torch", "skorch", "sklearn_mtl.nn"}} & set(sys.modules), "unpickling imported torch"
for model, _, _ in fits:
    repr(model), model.get_params(), model.history_, model.n_iter_, model.task_names_
assert not {{"torch", "skorch"}} & set(sys.modules), "looking at the model imported torch"
assert len(fits) == 6
for model, X, expected in fits:
    predicted = model.predict(X)
    assert list(predicted) == list(expected)
    for name in expected:
        assert np.array_equal(predicted[name], expected[name]), name
    model.partial_fit(X, expected)
"""


def test_a_fresh_process_predicts_the_same_and_loads_torch_only_then(tmp_path):
    fits = []
    for network in (MultiTaskRegressor, MultiTaskClassifier, MultiTaskEstimator):
        model, X = fit(network, **DEFAULT)
        fits.append((model, X, model.predict(X)))
    path = tmp_path / "models"
    with path.open("wb") as file:
        pickle.dump(fits, file)
        joblib.dump(fits, file)
    code = FRESH.format(path=str(path))
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_memory_mapped_arrays_are_read_and_never_written(tmp_path):
    model, X = fit(hidden_layer_sizes=(64, 64))
    joblib.dump(model, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model", mmap_mode="r")
    assert any(isinstance(array, np.memmap) for array in arrays_of(loaded.__getstate__()))
    expected = model.predict(X)
    assert np.array_equal(loaded.predict(X)["a"], expected["a"])
    loaded.partial_fit(X, expected)
    again = joblib.load(tmp_path / "model", mmap_mode="r")
    assert np.array_equal(again.predict(X)["a"], expected["a"])


@pytest.mark.parametrize("travel", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("params", [{"dtype": "float32"}, {"dtype": "float64"}, DEFAULT], ids=str)
def test_training_goes_on_after_travel_as_if_there_had_been_none(travel, params):
    model, X = fit(**params, dropout=0.2)
    y = model.predict(X)
    other = travel(travel(model))
    assert other.history_["train_loss"].tolist() == model.history_["train_loss"].tolist()
    model.partial_fit(X, y).partial_fit(X, y)
    other.partial_fit(X, y)
    other = travel(other).partial_fit(X, y)
    assert other.n_iter_ == model.n_iter_ == 5
    assert np.array_equal(other.predict(X)["b"], model.predict(X)["b"])
    assert other.history_["train_loss"].tolist() == model.history_["train_loss"].tolist()


def test_a_copy_is_independent():
    model, X = fit()
    before = model.predict(X)
    other = copy.deepcopy(model)
    shallow = copy.copy(model)
    other.partial_fit(X, {name: values + 5 for name, values in before.items()})
    assert not np.array_equal(other.predict(X)["a"], before["a"])
    assert np.array_equal(model.predict(X)["a"], before["a"])
    assert np.array_equal(shallow.predict(X)["a"], before["a"])


def test_a_clone_is_not_fitted():
    model, X = fit()
    other = clone(model)
    assert not [name for name in vars(other) if name.endswith("_") or name == "_network"]
    y = make_labels(MultiTaskRegressor, make_data()[1])
    assert np.array_equal(other.fit(X, y).predict(X)["a"], model.predict(X)["a"])


# -- what a model holds ---------------------------------------------------------------------------


def arrays_of(value, seen=None):
    """Yield everything in nested containers and objects' states."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    yield value
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple, set)):
        parts = list(value)
    elif hasattr(value, "__getstate__") and type(value).__module__.startswith("sklearn_mtl"):
        parts = [value.__getstate__()]
    else:
        parts = []
    for part in parts:
        yield from arrays_of(part, seen)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_state_is_numpy_and_plain_python(optimizer):
    model, _ = fit(optimizer=optimizer, early_stopping=True)
    state = list(arrays_of(model.__getstate__()))
    assert any(isinstance(part, np.ndarray) for part in state)
    for part in state:
        assert not type(part).__module__.startswith(("torch", "skorch", "sklearn_mtl.nn"))
    # the constructor's device is the only one
    assert [part for part in state if isinstance(part, str) and "cpu" in part] == ["cpu"]
    named = {
        argument
        for opcode, argument, _ in pickletools.genops(pickle.dumps(model, protocol=4))
        if opcode.name in ("SHORT_BINUNICODE", "BINUNICODE")
    }
    assert not [word for word in named if word.split(".")[0] in ("torch", "skorch")]


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.net_.module_.parameters())


@pytest.mark.parametrize("params", [{"dtype": "float32"}, {"dtype": "float64"}, DEFAULT], ids=str)
def test_a_pickle_is_weights_and_two_moments_whatever_the_rows(params):
    sizes = []
    for n in (40, 2000):
        model, X = fit(
            n=n, hidden_layer_sizes=(200, 200), early_stopping=False, max_epochs=1, **params
        )
        model.predict(X)
        sizes.append(len(pickle.dumps(model)))
    parameters = n_parameters(model) * (8 if model.dtype == "float64" else 4)
    # names, settings and history: some 5 kB
    assert 3 * parameters < sizes[0] < 3 * parameters + 10_000
    assert abs(sizes[1] - sizes[0]) < 100


def test_a_model_does_not_hold_its_training_data():
    class Rows(np.ndarray):
        """An array that can be referred to weakly."""

    X, Y = make_data()
    rows, labels = X.view(Rows), Y.view(Rows)
    references = [weakref.ref(rows), weakref.ref(labels)]
    model = MultiTaskRegressor(**SMALL, early_stopping=True, dtype="float64").fit(rows, labels)
    del rows, labels
    gc.collect()
    assert [reference() for reference in references] == [None, None]
    held = [obj for obj in gc.get_objects() if type(obj) is nn._batches.TrainingRows]
    assert held == []
    assert model.predict(X).shape == (40, 2)


# -- devices --------------------------------------------------------------------------------------


def pickled_elsewhere(model, device):
    """Return the pickle of a model whose settings say another device."""
    model._network.settings["device"] = device
    return pickle.dumps(model)


def test_a_model_fitted_on_an_absent_device_predicts_on_the_cpu_and_says_so(monkeypatch):
    monkeypatch.setattr(nn, "present_devices", lambda: ["cpu"])
    model, X = fit()
    expected = model.predict(X)
    model.set_params(device="cuda")
    loaded = pickle.loads(pickled_elsewhere(model, "cuda"))
    with pytest.warns(UserWarning, match="fitted with device='cuda', which is not present here"):
        predicted = loaded.predict(X)
    assert np.array_equal(predicted["a"], expected["a"])
    loaded.predict(X)  # warned once: a second warning would be an error here
    assert loaded.device == "cuda"  # the constructor's parameter stays as it was given


def test_a_model_fitted_anywhere_predicts_anywhere():
    model, X = fit(device="auto")
    loaded = pickle.loads(pickle.dumps(model))
    # on the CPU bit by bit, on accelerators in float32
    np.testing.assert_allclose(loaded.predict(X)["a"], model.predict(X)["a"], rtol=1e-5)


cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@cuda
@pytest.mark.cuda
@pytest.mark.parametrize("network", [MultiTaskRegressor, MultiTaskClassifier, MultiTaskEstimator])
def test_a_fit_on_cuda_is_close_to_one_on_the_cpu(network):
    on_cpu, X = fit(network, dtype="float64")
    on_cuda, _ = fit(network, dtype="float64", device="cuda")
    assert next(on_cuda.net_.module_.parameters()).device.type == "cuda"
    # initial weights are drawn on the CPU for both, the order of rows on the device
    if network is MultiTaskRegressor:
        on_cuda, _ = fit(network, dtype="float64", device="cuda", batch_size=100)
        on_cpu, _ = fit(network, dtype="float64", batch_size=100)
        for name, values in on_cpu.predict(X).items():
            np.testing.assert_allclose(on_cuda.predict(X)[name], values, atol=1e-6)


@cuda
@pytest.mark.cuda
def test_a_pickle_made_on_cuda_predicts_on_a_machine_without_it(tmp_path):
    model, X = fit(device="cuda")
    path = tmp_path / "model"
    path.write_bytes(pickle.dumps((model, X, model.predict(X))))
    code = f"""
import pickle, warnings
import numpy as np
with open({str(path)!r}, "rb") as file:
    model, X, expected = pickle.load(file)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    predicted = model.predict(X)
assert any("which is not present here" in str(warning.message) for warning in caught)
np.testing.assert_allclose(predicted["a"], expected["a"], rtol=1e-4, atol=1e-5)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X)["a"], model.predict(X)["a"])
