"""Loss-level balancing through the estimators: layouts, missing labels, searches, going on."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from _plain import PLAIN
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from torchjd import scalarization

from sklearn_mtl import (
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskRegressor,
    MultiTaskTarget,
)
from sklearn_mtl.neural_network import (
    FAMO,
    DynamicWeightAverage,
    GradNorm,
    SmoothTchebycheff,
)

WORDS = [
    "uncertainty", "dwa", "gradnorm", "rlw", "famo", "stch", "imtl_l", "geometric_mean",
]  # fmt: skip
SMALL = {
    **PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 4, "batch_size": 16, "random_state": 0,
}  # fmt: skip
# nothing random, so that a training can be cut into calls
STEADY = {
    **SMALL, "batch_size": 1000, "dropout": 0.0, "lr": 1e-2, "lr_schedule": "constant",
    "dtype": "float64",
}  # fmt: skip


def make_data(network, n=48, seed=0, missing=0.3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    Y = X @ rng.normal(size=(3, 3)) + 0.1 * rng.normal(size=(n, 3))
    classes = np.where(Y > 0.5, "high", np.where(Y > -0.5, "middle", "low")).astype(object)
    y = {
        "a": Y[:, 0].astype(object) if network is not MultiTaskClassifier else classes[:, 0],
        "b": Y[:, 1].astype(object) if network is MultiTaskRegressor else Y[:, 1] > 0,
        "c": Y[:, 2].astype(object) if network is MultiTaskRegressor else classes[:, 2],
    }
    y = {name: labels.astype(object) for name, labels in y.items()}
    for labels in y.values():
        labels[rng.random(n) < missing] = None
    return X, y


def layouts(X, y):
    """Return the same tasks as shared rows, as own rows and in long form."""
    known = {name: [v is not None for v in labels] for name, labels in y.items()}
    own = {name: X[rows] for name, rows in known.items()}
    labels = {name: y[name][rows] for name, rows in known.items()}
    long = np.concatenate([np.column_stack([own[n], np.full(len(own[n]), i)])
                           for i, n in enumerate(own)])  # fmt: skip
    return {
        "shared": (X, y),
        "own": (own, labels),
        "long": (long, np.concatenate([*labels.values()])),
    }


@pytest.mark.parametrize("network", [MultiTaskRegressor, MultiTaskClassifier, MultiTaskEstimator])
@pytest.mark.parametrize("word", WORDS)
def test_every_method_trains_every_layout(word, network):
    for name, (X, y) in layouts(*make_data(network)).items():
        if name == "long":
            if network is MultiTaskEstimator:
                continue  # one column of labels has one kind
            y = y.astype(float) if network is MultiTaskRegressor else y.astype(str)
            model = network(balancing=word, task_feature=3, **SMALL).fit(X, y)
            assert model.predict(X).shape == y.shape
        else:
            model = network(balancing=word, **SMALL).fit(X, y)
            assert list(model.predict(X)) == ["a", "b", "c"]
        history = model.history_
        for task, losses in history["train"].items():
            assert np.isfinite(losses).all(), (name, task)
            assert np.isfinite(history["weight"][task]).all(), (name, task)
            assert (history["weight"][task] > 0).all(), (name, task)


@pytest.mark.parametrize("word", WORDS)
def test_tasks_are_learned(word):
    X, y = make_data(MultiTaskRegressor, n=200)
    model = MultiTaskRegressor(
        **PLAIN, balancing=word, hidden_layer_sizes=(16,), max_epochs=40, batch_size=32, lr=1e-2,
        dropout=0.0, early_stopping=False, random_state=0,
    ).fit(X, y)  # fmt: skip
    # labels are linear in X, with noise of a tenth
    for losses in model.history_["train"].values():
        assert losses[-1] < 0.2


def test_weights_in_the_history_have_the_scale_that_the_methods_state():
    X, Y = make_data(MultiTaskRegressor, missing=0.0)[0], np.eye(48, 3)
    weight = {"task0": 1.0, "task1": 0.5, "task2": 2.0}
    for word in ("dwa", "rlw", "gradnorm", "famo", "stch"):
        model = MultiTaskRegressor(balancing=word, task_weight=weight, **SMALL).fit(X, Y)
        found = model.history_["weight"]
        total = sum(found[name] / weight[name] for name in weight)
        np.testing.assert_allclose(total, 3.0, rtol=1e-5)  # float32 sums
    assert all(model.history_["weight"]["task2"] > model.history_["weight"]["task1"])


def test_the_recorded_weight_is_the_mean_over_the_steps_that_had_a_label():
    X, y = make_data(MultiTaskRegressor, missing=0.0)
    y["c"][2:] = None  # two labels, in at most two of the batches
    model = MultiTaskRegressor(balancing="dwa", **SMALL).fit(X, y)
    first_epochs = np.stack([w[:2] for w in model.history_["weight"].values()])
    np.testing.assert_array_equal(first_epochs, 1.0)
    assert all(np.isfinite(w).all() for w in model.history_["weight"].values())


# -- parameters -----------------------------------------------------------------------------------


def test_an_unknown_word_is_told_what_it_may_be():
    X, y = make_data(MultiTaskRegressor)
    with pytest.raises(ValueError, match=r"'balancing' parameter of MultiTaskRegressor.*did you"
                                         r" mean 'uncertainty'"):  # fmt: skip
        MultiTaskRegressor(balancing="uncertanty", **SMALL).fit(X, y)


@pytest.mark.parametrize(
    ("balancing", "name"),
    [
        (DynamicWeightAverage(temperature=0), "temperature"),
        (SmoothTchebycheff(smoothing=-1.0), "smoothing"),
        (FAMO(lr=-0.1), "lr"),
        (FAMO(weight_decay="no"), "weight_decay"),
        (GradNorm(alpha=-1), "alpha"),
        (GradNorm(lr=0.0), "lr"),
    ],
)
def test_a_parameter_out_of_range_is_named_with_balancing(balancing, name):
    X, y = make_data(MultiTaskRegressor)
    kind = type(balancing).__name__
    with pytest.raises(
        ValueError, match=rf"'balancing' parameter of MultiTaskRegressor .*{name!r} .*of {kind}"
    ):
        MultiTaskRegressor(balancing=balancing, **SMALL).fit(X, y)


def test_a_grid_reaches_inside():
    X, y = make_data(MultiTaskRegressor)
    grid = GridSearchCV(
        MultiTaskRegressor(balancing=DynamicWeightAverage(), **SMALL),
        {"balancing__temperature": [0.01, 100.0]},
        cv=KFold(2),
    ).fit(X, MultiTaskTarget(y))
    assert grid.best_estimator_.balancing.temperature in (0.01, 100.0)
    weights = [
        MultiTaskRegressor(balancing=DynamicWeightAverage(t), **SMALL).fit(X, y).history_["weight"]
        for t in (0.01, 100.0)
    ]
    assert abs(weights[0]["a"][-1] - 1) > 10 * abs(weights[1]["a"][-1] - 1)


def test_weight_decay_leaves_what_balancing_learns():
    X, y = make_data(MultiTaskRegressor)
    scales = []
    for decay in (0.0, 5.0):
        model = MultiTaskRegressor(
            balancing="uncertainty", weight_decay=decay, lr=1e-2, **SMALL
        ).fit(X, y)
        (parameter,) = model.net_.criterion_.parameters()
        groups = model.net_.optimizer_.param_groups
        (own,) = [g for g in groups if any(p is parameter for p in g["params"])]
        assert own["weight_decay"] == 0
        scales.append(parameter.detach().abs().sum())
    assert scales[0] > 0.05
    assert scales[1] > 0.05


# -- state ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
def test_two_fits_are_equal_bit_by_bit(word):
    X, y = make_data(MultiTaskEstimator)
    one, other = (MultiTaskEstimator(balancing=word, **SMALL).fit(X, y) for _ in range(2))
    assert np.array_equal(one.predict(X)["a"], other.predict(X)["a"])
    for task in y:
        assert np.array_equal(one.history_["weight"][task], other.history_["weight"][task])


@pytest.mark.parametrize("travels", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("word", [word for word in WORDS if word != "rlw"])
def test_a_training_in_two_calls_is_the_training_in_one(word, travels):
    X, y = make_data(MultiTaskRegressor)
    params = {**STEADY, "balancing": word}
    whole = MultiTaskRegressor(**{**params, "max_epochs": 9}).fit(X, y)
    cut = MultiTaskRegressor(**{**params, "max_epochs": 4}, warm_start=True).fit(X, y)
    cut = travels(cut).set_params(max_epochs=5).fit(X, y)
    for task in y:
        assert np.array_equal(whole.predict(X)[task], cut.predict(X)[task])
        assert np.array_equal(whole.history_["weight"][task], cut.history_["weight"][task])
    streamed = MultiTaskRegressor(**params)
    for _ in range(9):
        streamed.partial_fit(X, y)
    assert np.array_equal(whole.predict(X)["a"], streamed.predict(X)["a"])


@pytest.mark.parametrize("word", WORDS)
def test_what_is_pickled_names_no_torch(word):
    X, y = make_data(MultiTaskRegressor)
    model = MultiTaskRegressor(balancing=word, **SMALL).fit(X, y)
    assert b"torch" not in pickle.dumps(model)


@pytest.mark.parametrize("word", WORDS)
def test_chunks_may_lack_a_task(word):
    X, y = make_data(MultiTaskRegressor)
    model = MultiTaskRegressor(balancing=word, **SMALL).partial_fit(X, y)
    for k in range(4):
        gone = list(y)[k % 3]
        model.partial_fit(X, {**y, gone: np.full(len(X), None)})
        assert np.isnan(model.history_["weight"][gone][-1])
    model.partial_fit(X, y)
    assert all(np.isfinite(w[-1]) for w in model.history_["weight"].values())
    assert all(np.isfinite(values).all() for values in model.predict(X).values())


@pytest.mark.parametrize("word", WORDS)
def test_a_task_that_is_constant_stops_no_other(word):
    X, y = make_data(MultiTaskRegressor, missing=0.0)
    y["a"][:] = 5.0
    model = MultiTaskRegressor(
        **{**SMALL, "max_epochs": 30}, balancing=word, lr=1e-2, early_stopping=False
    ).fit(X, y)
    np.testing.assert_allclose(model.predict(X)["a"].astype(float), 5.0, rtol=1e-6)  # float32
    assert model.history_["train"]["b"][-1] < 0.8 * model.history_["train"]["b"][0]


# -- objects of torchjd ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: scalarization.UW(3),
        lambda: scalarization.FAMO(3, lr=0.1),
        lambda: scalarization.DWA(0.5),
        lambda: scalarization.STCH(0.1, weights=torch.tensor([0.2, 0.3, 0.5])),
        lambda: scalarization.Constant(torch.tensor([0.2, 0.3, 0.5])),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_object_of_torchjd_can_be_given(make, dtype):
    X, y = make_data(MultiTaskRegressor)
    given = make()
    untouched = pickle.dumps(given)
    params = {**STEADY, "dtype": dtype, "balancing": given}
    whole = clone(MultiTaskRegressor(**{**params, "max_epochs": 6})).fit(X, y)
    cut = MultiTaskRegressor(**{**params, "max_epochs": 3}, warm_start=True).fit(X, y)
    cut = pickle.loads(pickle.dumps(cut)).fit(X, y)
    for task in y:
        assert np.array_equal(whole.predict(X)[task], cut.predict(X)[task])
    assert pickle.dumps(given) == untouched


def test_an_object_of_torchjd_for_other_tasks_is_refused_in_words():
    X, y = make_data(MultiTaskRegressor)
    with pytest.raises(ValueError, match=r"balancing=UW.* cannot balance 3 tasks"):
        MultiTaskRegressor(balancing=scalarization.UW(2), **SMALL).fit(X, y)
    with pytest.raises(TypeError, match=r"balancing must be a word, a .*Balancing or a torchjd"):
        MultiTaskRegressor(balancing=len, **SMALL).fit(X, y)
