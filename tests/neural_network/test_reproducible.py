"""random_state decides the fit, bit by bit; nobody else's random state is touched."""

import numpy as np
import pytest
import skorch
import torch
from _plain import PLAIN
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.exceptions import TaskLayoutError

SMALL = {**PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 4, "batch_size": 8}


def make_data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X @ rng.normal(size=(3, 2)) + 0.1 * rng.normal(size=(n, 2))


def weights_of(model):
    return {key: value.numpy() for key, value in model.net_.module_.state_dict().items()}


def assert_same_fit(one, other):
    ours, theirs = weights_of(one), weights_of(other)
    assert ours.keys() == theirs.keys()
    for key in ours:
        assert np.array_equal(ours[key], theirs[key]), key
    assert one.history_["train_loss"].tolist() == other.history_["train_loss"].tolist()


def same_fit(one, other):
    theirs = weights_of(other)
    return all(np.array_equal(value, theirs[key]) for key, value in weights_of(one).items())


# what a fit draws beside: an embedding's frequencies, inputs that are dropped, several networks
DEFAULT = {"n_estimators": "auto", "numeric_embedding": "auto", "input_dropout": 0.2}
VARIANTS = [
    {},
    DEFAULT,
    {"dropout": 0.3},
    {"early_stopping": True},
    {"dtype": "float64", "activation": "silu"},
    {"optimizer": "sgd", "lr_schedule": "constant"},
]


@pytest.mark.parametrize("params", VARIANTS, ids=str)
@pytest.mark.parametrize("network", [MultiTaskRegressor, MultiTaskClassifier, MultiTaskEstimator])
def test_one_seed_is_one_fit(network, params):
    X, Y = make_data()
    y = (Y > 0).astype(int) if network is MultiTaskClassifier else Y
    model = network(**{**SMALL, **params}, random_state=7)
    first, second = clone(model).fit(X, y), clone(model).fit(X, y)
    assert_same_fit(first, second)
    assert_same_fit(first, second.fit(X, y))  # fit starts anew
    other = clone(model).set_params(random_state=8).fit(X, y)
    assert not same_fit(first, other)


@pytest.mark.parametrize(
    ("params", "is_random"),
    [
        # heads start at zero: without a hidden layer no initial weight is random
        ({"hidden_layer_sizes": (), "batch_size": 100}, False),
        ({"hidden_layer_sizes": (), "batch_size": 8}, True),  # the order of rows
        ({"hidden_layer_sizes": (), "batch_size": 100, "early_stopping": True}, True),  # held out
        ({"hidden_layer_sizes": (6,), "batch_size": 100}, True),  # initial weights
    ],
)
def test_the_seed_decides_order_held_out_rows_and_initial_weights(params, is_random):
    X, Y = make_data()
    fits = [
        MultiTaskRegressor(**{**SMALL, **params}, random_state=seed).fit(X, Y) for seed in (0, 1)
    ]
    assert same_fit(*fits) is not is_random


def global_states():
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().tolist(), (kind, keys.tolist(), *rest)


@pytest.mark.parametrize("make_state", [lambda: None, lambda: 3, np.random.RandomState])
def test_global_random_states_are_left_as_found(make_state):
    X, Y = make_data()
    model = MultiTaskRegressor(**{**SMALL, **DEFAULT}, dropout=0.2, random_state=make_state())
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002 - the state that must not move
    before = global_states()
    model.fit(X, Y)
    model.partial_fit(X, Y)
    model.predict(X)
    model.set_params(warm_start=True, early_stopping=True).fit(X, Y)
    assert global_states() == before


def test_global_random_states_are_left_as_found_by_a_fit_that_fails():
    X, Y = make_data()
    before = global_states()
    with pytest.raises(ValueError, match="not finite"):
        MultiTaskRegressor(**SMALL, optimizer="sgd", lr=1e30, random_state=0).fit(X, Y)
    assert global_states() == before


def test_global_random_states_decide_nothing():
    X, Y = make_data()
    model = MultiTaskRegressor(**SMALL, dropout=0.2, random_state=0)
    torch.manual_seed(1)
    first = clone(model).fit(X, Y)
    torch.manual_seed(2)
    assert_same_fit(first, clone(model).fit(X, Y))
    torch.manual_seed(3)
    loose = clone(model).set_params(random_state=None)
    one = clone(loose).fit(X, Y)
    torch.manual_seed(3)
    assert not same_fit(one, clone(loose).fit(X, Y))


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_a_generator_is_advanced_by_each_fit(make):
    X, Y = make_data()
    model = MultiTaskRegressor(**SMALL, random_state=make(0))
    first = weights_of(model.fit(X, Y))
    second = weights_of(model.fit(X, Y))
    assert not np.array_equal(first["heads.weight"], second["heads.weight"])
    again = MultiTaskRegressor(**SMALL, random_state=make(0)).fit(X, Y)
    assert np.array_equal(first["heads.weight"], weights_of(again)["heads.weight"])


def test_worker_processes_change_no_bit():
    X, Y = make_data()
    model = MultiTaskRegressor(**{**SMALL, **DEFAULT}, random_state=0)
    alone = cross_val_predict(model, X, Y, cv=KFold(3), n_jobs=1)
    together = cross_val_predict(model, X, Y, cv=KFold(3), n_jobs=2)
    assert np.array_equal(alone, together)
    searches = [
        GridSearchCV(model, {"lr": [1e-3, 1e-2]}, cv=KFold(2), n_jobs=n_jobs).fit(X, Y)
        for n_jobs in (1, 2)
    ]
    one, two = (search.cv_results_["mean_test_score"].tolist() for search in searches)
    assert one == two
    assert np.array_equal(*(search.predict(X) for search in searches))


# -- going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"dropout": 0.3}, {"dtype": "float64"}, DEFAULT], ids=str)
def test_epochs_cut_into_calls_are_the_same_epochs(params):
    X, Y = make_data()
    params = {"dropout": 0.0, **SMALL, **params, "early_stopping": False, "random_state": 0}
    model = MultiTaskRegressor(**params, lr_schedule="constant")
    streamed = clone(model)
    for _ in range(3):
        streamed.partial_fit(X, Y)
    warm = clone(model).set_params(max_epochs=1, warm_start=True)
    for _ in range(3):
        warm.fit(X, Y)
    assert streamed.n_iter_ == warm.n_iter_ == 3
    assert_same_fit(streamed, warm)
    # one call draws the order of rows of later epochs from where the first left off; with one
    # batch an epoch there is no order, and without dropout nothing else is drawn
    if params["dropout"] == params["input_dropout"] == 0:
        model.set_params(max_epochs=3, batch_size=100)
        whole = clone(model).fit(X, Y)
        streamed = clone(model)
        for _ in range(3):
            streamed.partial_fit(X, Y)
        assert_same_fit(streamed, whole)


def test_every_call_of_partial_fit_takes_the_rows_in_another_order():
    class Order(skorch.callbacks.Callback):
        seen: list[list[float]] = []

        def on_epoch_begin(self, net, **kwargs):
            self.seen.append([])

        def on_batch_begin(self, net, batch=None, **kwargs):
            self.seen[-1] += batch[0][:, 0].tolist()

    X, Y = make_data()
    model = MultiTaskRegressor(**SMALL, callbacks=[Order()], random_state=0)
    for _ in range(3):
        model.partial_fit(X, Y)
    first, second, third = Order.seen
    assert sorted(first) == sorted(second) == sorted(third)
    assert first != second != third != first


def test_partial_fit_goes_on_after_fit():
    X, Y = make_data()
    model = MultiTaskRegressor(**SMALL, random_state=0).fit(X, Y)
    before = model.predict(X)
    model.partial_fit(X[:10] + 5.0, Y[:10] - 3.0)
    assert model.n_iter_ == 5
    assert len(model.history_["train_loss"]) == 5
    assert not np.array_equal(model.predict(X), before)
    fresh = MultiTaskRegressor(**SMALL, random_state=0).fit(X, Y)
    # scales are those of the first call
    assert np.array_equal(model.target_mean_, fresh.target_mean_)


def test_partial_fit_takes_rows_without_some_of_the_tasks():
    X, Y = make_data()
    model = MultiTaskRegressor(**SMALL, random_state=0).partial_fit(X, Y)
    Y[:, 0] = np.nan
    model.partial_fit(X, Y)
    assert np.isnan(model.history_["train"]["task0"]).tolist() == [False, True]
    assert np.isfinite(model.history_["train"]["task1"]).all()
    with pytest.raises(TaskLayoutError, match="No task has a label to learn from among 40 rows"):
        model.partial_fit(X, np.full_like(Y, np.nan))


def test_warm_start_goes_on_and_fit_without_it_starts_anew():
    X, Y = make_data()
    model = MultiTaskRegressor(**SMALL, warm_start=True, random_state=0).fit(X, Y)
    first = model.history_["train_loss"]
    model.fit(X, Y)
    assert model.n_iter_ == 8
    assert model.history_["train_loss"][:4].tolist() == first.tolist()
    assert model.history_["train_loss"][4] < first[0]
    with pytest.raises(TaskLayoutError, match="needs the tasks and classes it saw before"):
        model.fit(X, Y[:, :1])
    model.set_params(warm_start=False).fit(X, Y)
    assert model.n_iter_ == 4
    assert_same_fit(model, MultiTaskRegressor(**SMALL, random_state=0).fit(X, Y))


def test_a_longer_training_goes_on_with_a_changed_rate():
    X, Y = make_data()
    model = MultiTaskRegressor(
        **SMALL, lr_schedule="constant", warm_start=True, random_state=0
    ).fit(X, Y)
    model.set_params(lr=5e-4, max_epochs=2).fit(X, Y)
    assert model.history_["lr"].tolist() == [2e-3] * 4 + [5e-4] * 2
