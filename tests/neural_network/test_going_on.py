"""Training on, by warm_start and partial_fit: what acts, what is refused, what moves."""

import numpy as np
import pytest
from _plain import PLAIN

from sklearn_mtl import MultiTaskRegressor

SMALL = {**PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 2, "random_state": 0}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    return X, X @ rng.normal(size=(3, 2))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optimizer", "sgd"),
        ("net_params", {"use_caching": False}),
        ("input_scaling", None),
        ("target_scaling", None),
        ("dropout", 0.5),
        ("hidden_layer_sizes", (7,)),
        ("dtype", "float64"),
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
def test_a_parameter_that_the_network_keeps_cannot_change(data, name, value, streaming):
    model = MultiTaskRegressor(warm_start=True, **SMALL).fit(*data)
    model.set_params(**{name: value})
    go_on = model.partial_fit if streaming else model.fit
    with pytest.raises(ValueError, match=f"{name} is now .* was made with .* start anew"):
        go_on(*data)


@pytest.mark.parametrize("streaming", [False, True])
def test_new_task_weights_act(data, streaming):
    X, y = data
    weighted = MultiTaskRegressor(warm_start=True, **SMALL).fit(X, y)
    plain = MultiTaskRegressor(warm_start=True, **SMALL).fit(X, y)
    before = weighted.predict(X)
    weighted.set_params(task_weight=[1.0, 0.0], weight_decay=0.0, optimizer="adamw")
    for model in (weighted, plain):
        (model.partial_fit if streaming else model.fit)(X, y)
    assert not np.array_equal(weighted.predict(X), plain.predict(X))
    assert not np.array_equal(weighted.predict(X)[:, 0], before[:, 0])
    weights = weighted.net_.criterion_.balancer.task_weight
    assert weights.tolist() == [1.0, 0.0]


def test_an_absent_device_is_refused_and_leaves_the_network(data):
    X, y = data
    model = MultiTaskRegressor(warm_start=True, **SMALL).fit(X, y)
    before = model.predict(X)
    model.set_params(device="cuda:7")
    with pytest.raises(ValueError, match=r"device='cuda:7' is not present; this machine has"):
        model.fit(X, y)
    assert np.array_equal(model.predict(X), before)


def test_a_network_moves_to_another_device_with_all_its_state(data):
    X, y = data
    stays = MultiTaskRegressor(warm_start=True, **SMALL).fit(X, y)
    moves = MultiTaskRegressor(warm_start=True, **SMALL).fit(X, y).set_params(device="auto")
    if moves._network.settings["device"] == "cpu":  # "auto" is the CPU where nothing else is
        assert np.array_equal(stays.fit(X, y).predict(X), moves.fit(X, y).predict(X))
    assert moves._network.settings["device"] == "auto"


def test_rows_held_out_once_stay_held_out(data, monkeypatch):
    from sklearn_mtl.neural_network import _base

    held_out = []
    split = _base.hold_out

    def recorded(*args):
        training, validation = split(*args)
        held_out.append(validation.tolist())
        return training, validation

    monkeypatch.setattr(_base, "hold_out", recorded)
    params = {**SMALL, "random_state": np.random.RandomState(0)}
    model = MultiTaskRegressor(warm_start=True, early_stopping=True, **params)
    for _ in range(3):
        model.fit(*data)
    assert held_out[0] == held_out[1] == held_out[2]


def test_a_net_trains_on_the_rows_that_the_estimator_makes(data):
    model = MultiTaskRegressor(**SMALL).fit(*data)
    with pytest.raises(TypeError, match=r"found ndarray; train through the estimator's fit"):
        model.net_.partial_fit(*data)
