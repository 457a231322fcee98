"""Limits in which the answer is known: one task, one row, no hidden layer, many tasks."""

from functools import partial
from math import cos, pi

import numpy as np
import pytest
import torch
from _plain import PLAIN
from _references import train_plain_network
from sklearn.linear_model import LinearRegression, LogisticRegression

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.neural_network._statistics import input_statistics

FULL = {
    **PLAIN,
    "dropout": 0.0,
    "batch_size": 10_000,
    "early_stopping": False,
    "dtype": "float64",
    "random_state": 0,
}
SMALL = {**PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 3, "random_state": 0}
# what the plain settings leave out
DEFAULT = {"n_estimators": "auto", "numeric_embedding": "auto", "input_scaling": "smooth_clip"}


def make_data(n=40, p=3, n_tasks=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ rng.normal(size=(p, n_tasks)) + 0.1 * rng.normal(size=(n, n_tasks)), rng


# -- one task -------------------------------------------------------------------------------------


def hidden_weights(model):
    state = model.net_.module_.sharing.state_dict()
    return [value.numpy().copy() for key, value in state.items() if key.endswith("weight")]


SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize(
    ("sizes", "optimizer", "make_optimizer", "tolerance"),
    [
        *((sizes, "sgd", SGD, 1e-12) for sizes in ((), (7,), (7, 5))),  # the same steps in float64
        # Adam divides gradients by their size, and some of the first are rounding errors (of a
        # linear model's bias all are: it has no such limit)
        *((sizes, "adam", ADAM, 1e-7) for sizes in ((7,), (7, 5))),
        *((sizes, "adamw", ADAMW, 1e-7) for sizes in ((7,), (7, 5))),
    ],
)
def test_one_task_is_a_plain_network(sizes, optimizer, make_optimizer, tolerance, schedule):
    X, Y, _ = make_data()
    X = 5.0 * X + 2.0
    params = {
        **FULL, "hidden_layer_sizes": sizes, "activation": "tanh", "optimizer": optimizer,
        "lr": 1e-2, "weight_decay": 0.05,
    }  # fmt: skip
    still = MultiTaskRegressor(**params, max_epochs=1, lr_schedule=lambda epoch, epochs: 0.0)
    factor = {"cosine": lambda k, n: (1 + cos(pi * k / n)) / 2, "constant": lambda k, n: 1.0}
    expected = train_plain_network(
        X,
        Y[:, 0],
        hidden_weights(still.fit(X, Y[:, 0])),
        epochs=30,
        lr=1e-2,
        schedule=factor[schedule],
        make_optimizer=partial(make_optimizer, weight_decay=0.05),
    )
    model = MultiTaskRegressor(**params, max_epochs=30, lr_schedule=schedule).fit(X, Y[:, 0])
    np.testing.assert_allclose(model.predict(X), expected, rtol=tolerance, atol=tolerance)
    assert np.ptp(expected) > 0.05  # it has learned something


def test_one_column_is_one_task():
    X, Y, _ = make_data()
    one = MultiTaskRegressor(**SMALL).fit(X, Y[:, 0])
    column = MultiTaskRegressor(**SMALL).fit(X, Y[:, :1])
    assert np.array_equal(column.predict(X), one.predict(X)[:, None])


def test_a_task_twice_is_learned_twice_the_same():
    X, Y, _ = make_data()
    predicted = MultiTaskRegressor(**SMALL).fit(X, Y[:, [0, 0, 0]]).predict(X)
    # columns of one matrix product may be summed in another order
    np.testing.assert_allclose(predicted, predicted[:, [1, 2, 0]], rtol=1e-5, atol=1e-6)


# -- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [MultiTaskRegressor, MultiTaskClassifier, MultiTaskEstimator])
def test_the_order_of_tasks_is_the_order_of_predictions_and_nothing_else(network):
    X, Y, rng = make_data(n_tasks=5)
    if network is MultiTaskRegressor:
        y = Y
    else:
        y = np.column_stack([np.digitize(Y[:, t], [-0.5, 0.5][: 1 + t % 2]) for t in range(5)])
    if network is MultiTaskEstimator:
        y = y.astype(object)
        y[:, 1], y[:, 3] = Y[:, 1], Y[:, 3]
    order = [3, 0, 4, 2, 1]
    params = {**FULL, "batch_size": 8, "hidden_layer_sizes": (6,), "activation": "tanh"}
    model = network(**params, max_epochs=10).fit(X, y)
    permuted = network(**params, max_epochs=10).fit(X, y[:, order])
    if network is MultiTaskRegressor:
        # gradients of the trunk are sums over tasks in another order: float64 roundings
        np.testing.assert_allclose(permuted.predict(X), model.predict(X)[:, order], atol=1e-9)
        return
    blocks = model.predict_proba(X)
    for block, t in zip(permuted.predict_proba(X), order, strict=True):
        if block is None:
            assert blocks[t] is None
            continue
        np.testing.assert_allclose(block, blocks[t], atol=1e-9)


# -- few rows, few classes ------------------------------------------------------------------------


def test_one_row_is_learned_by_heart():
    X, Y, _ = make_data(n=1)
    for X_dtype in (np.float64, np.float32):
        model = MultiTaskRegressor(**SMALL).fit(X.astype(X_dtype), Y)
        # a single label is its own mean; nothing is left to learn
        np.testing.assert_allclose(model.predict(X), Y, rtol=1e-12)


def test_one_row_has_one_class_and_the_error_names_the_task():
    with pytest.raises(TaskLayoutError, match="'good' has one class only, 1"):
        MultiTaskClassifier(**SMALL).fit([[0.0]], {"good": [1]})


@pytest.mark.parametrize("network", [MultiTaskClassifier, MultiTaskEstimator])
def test_a_task_of_one_class_is_named(network):
    X, Y, _ = make_data()
    y = {"price": (Y[:, 0] > 0).astype(int), "good": np.full(len(X), "yes")}
    with pytest.raises(TaskLayoutError, match="'good' has one class only, 'yes'"):
        network(**SMALL).fit(X, y)


def test_in_long_form_a_task_of_one_class_has_the_classes_of_the_others():
    X, Y, _ = make_data(n=40)
    rows = np.column_stack([X, np.repeat([0, 1], 20)])
    y = np.where(Y[:, 0] > 0, "yes", "no")
    y[20:] = "yes"
    model = MultiTaskClassifier(**{**SMALL, "max_epochs": 30}, task_feature=-1).fit(rows, y)
    assert model.classes_.tolist() == ["no", "yes"]
    assert (model.predict(rows[20:]) == "yes").all()
    probabilities = model.predict_proba(rows[20:])
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_a_class_without_training_rows_has_a_small_probability():
    X, Y, _ = make_data()
    y = (Y[:, 0] > 0).astype(int)
    model = MultiTaskClassifier(**SMALL)
    model.partial_fit(X, y, classes=[0, 1, 2])
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (len(X), 3)
    assert ((probabilities[:, 2] > 0) & (probabilities[:, 2] < 0.01)).all()


# -- extremes of the data -------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 0.1, -7.25, 1e12, 1e-12])
@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, DEFAULT], ids=str)
def test_a_constant_target_is_predicted_as_it_is(value, params):
    X, Y, _ = make_data()
    Y[:, 1] = value
    model = MultiTaskRegressor(**{**SMALL, **params}).fit(X, Y)
    assert (model.predict(X)[:, 1] == value).all()
    assert model.target_scale_[1] == 1.0


@pytest.mark.parametrize("weighted", [False, True])
def test_a_task_that_is_constant_is_known_in_long_form(weighted):
    X, Y, rng = make_data()
    rows = np.column_stack([X, np.arange(40) % 2])
    y = np.where(rows[:, -1] == 1, 0.1, Y[:, 0])
    y[:4] = np.nan
    weights = rng.uniform(0.1, 2.0, 40) if weighted else None
    model = MultiTaskRegressor(**SMALL, task_feature=-1).fit(rows, y, weights)
    assert (model.predict(rows)[1::2] == 0.1).all()


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_predictions_follow_the_units_of_targets(unit):
    X, Y, _ = make_data()
    expected = MultiTaskRegressor(**SMALL).fit(X, Y).predict(X)
    predicted = MultiTaskRegressor(**SMALL).fit(X, unit * Y).predict(X)
    # standardised labels differ by float64 roundings, which float32 steps may round up
    np.testing.assert_allclose(predicted / unit, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_far_from_zero_and_constant_ones_do_no_harm(dtype):
    X, Y, rng = make_data()
    far = X + np.array([1e6, -1e6, 1e6])
    params = {**SMALL, "dtype": dtype, "max_epochs": 10}
    expected = MultiTaskRegressor(**params).fit(X, Y).predict(X)
    predicted = MultiTaskRegressor(**params).fit(far, Y).predict(far)
    # adding 1e6 rounds X at 1e-10; float32 training rounds at 1e-7 a step
    np.testing.assert_allclose(predicted, expected, atol=1e-8 if dtype == "float64" else 1e-4)

    constant = np.column_stack([X, np.full(len(X), 0.1), np.full(len(X), 1e9)])
    model = MultiTaskRegressor(**params).fit(constant, Y)
    moved = constant + np.array([0, 0, 0, 0.1, 0])
    # its weights are what they started from: a step of 0.1 is not taken for a million deviations
    assert abs(model.predict(moved) - model.predict(constant)).max() < 1.0


@pytest.mark.parametrize("n_estimators", [1, 2])
def test_single_precision_rows_far_from_zero_lose_no_digits(n_estimators):
    X, Y, _ = make_data()
    far = (X + 1e6).astype(np.float32)
    params = {**SMALL, "n_estimators": n_estimators, "dtype": "float64", "max_epochs": 10}
    model = MultiTaskRegressor(**params).fit(far, Y)
    # the same numbers, through the network in single precision: it rounds at 1e-7 a layer
    np.testing.assert_allclose(model.predict(far), model.predict(far.astype(float)), atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_constant_feature_is_known_among_many_rows(weighted):
    X = np.random.default_rng(0).normal(size=(100_000, 3))
    X[:, 1] = 0.1  # added up so often that its mean is rounded
    mean, scale = input_statistics(X, np.linspace(1, 2, len(X)) if weighted else np.ones(len(X)))
    assert (mean[1], scale[1]) == (0.1, 1.0)


def test_features_without_scaling_are_used_as_they_are():
    X, Y, _ = make_data()
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = MultiTaskRegressor(**SMALL, dtype="float64").fit(X, Y).predict(X)
    model = MultiTaskRegressor(**{**SMALL, "input_scaling": None}, dtype="float64").fit(standard, Y)
    # standardised here or inside: roundings of float64
    np.testing.assert_allclose(model.predict(standard), expected, atol=1e-12)


def test_single_precision_rows_are_taken_as_such():
    X, Y, _ = make_data()
    single = X.astype(np.float32)
    model = MultiTaskRegressor(**SMALL).fit(single, Y)
    assert model.predict(single).dtype == np.float64
    expected = MultiTaskRegressor(**SMALL).fit(single.astype(np.float64), Y).predict(X)
    # float32 networks on rows that differ by a rounding
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-5)


@pytest.mark.parametrize("params", [{}, DEFAULT], ids=["plain", "default"])
@pytest.mark.parametrize("task_feature", [None, -1])
@pytest.mark.parametrize("n", [1, 7, 16_384 + 3])
def test_rows_alone_and_together_give_the_same(n, task_feature, params):
    X, Y, rng = make_data(n=40)
    y = Y if task_feature is None else Y[:, 0]
    if task_feature is not None:
        X[:, -1] = np.arange(40) % 2
    model = MultiTaskRegressor(**{**SMALL, **params}, task_feature=task_feature).fit(X, y)
    rows = X[rng.integers(40, size=n)]  # beyond the 16,384 rows that go through at a time
    together = model.predict(rows)
    few = [0, n // 2, n - 1]
    alone = np.concatenate([model.predict(rows[i : i + 1]) for i in few])
    # inference in float64, whose products are summed in another order
    np.testing.assert_allclose(alone, together[few], rtol=1e-12, atol=1e-14)


# -- no hidden layer ------------------------------------------------------------------------------


def test_without_hidden_layers_it_is_linear_regression():
    X, Y, _ = make_data(n=60)
    Y[:20, 0] = np.nan
    model = MultiTaskRegressor(
        **FULL, hidden_layer_sizes=(), weight_decay=0.0, lr=0.05, max_epochs=600
    ).fit(X, Y)
    for t in range(3):
        seen = ~np.isnan(Y[:, t])
        expected = LinearRegression().fit(X[seen], Y[seen, t]).predict(X)
        # what is left after 600 Adam steps with a rate that falls to 0
        np.testing.assert_allclose(model.predict(X)[:, t], expected, atol=1e-5)


def test_without_hidden_layers_it_is_logistic_regression():
    X, Y, rng = make_data(n=80)
    noisy = Y + rng.normal(size=Y.shape)
    y = np.column_stack([noisy[:, 0] > 0, np.digitize(noisy[:, 1], [-0.5, 0.5])]).astype(int)
    model = MultiTaskClassifier(
        **FULL, hidden_layer_sizes=(), weight_decay=0.0, lr=0.2, max_epochs=800
    ).fit(X, y)
    for t, block in enumerate(model.predict_proba(X)):
        expected = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(X, y[:, t])
        # what is left after 800 Adam steps with a rate that falls to 0
        np.testing.assert_allclose(block, expected.predict_proba(X), atol=1e-4)


# -- many tasks, few epochs -----------------------------------------------------------------------


def test_a_thousand_tasks_with_missing_labels_are_learned():
    X, Y, rng = make_data(n=2000, p=10, n_tasks=1000)
    Y[rng.random(Y.shape) < 0.5] = np.nan
    model = MultiTaskRegressor(max_epochs=3, early_stopping=False, random_state=0).fit(X, Y)
    assert model.predict(X).shape == (2000, 1000)
    assert model.score(X, Y) > 0.1  # the means have 0


def test_a_thousand_tasks_of_a_few_rows_each_train_in_long_form():
    rng = np.random.default_rng(0)
    tags = np.repeat(np.arange(1000), 4)
    X = np.column_stack([rng.normal(size=(4000, 3)), tags])
    y = X[:, :3].sum(axis=1) + rng.normal(size=1000)[tags]
    model = MultiTaskRegressor(
        task_feature=-1, max_epochs=3, early_stopping=False, random_state=0
    ).fit(X, y)
    # the features are three quarters of the variance; what the means of four rows say is left out
    assert np.corrcoef(model.predict(X), X[:, :3].sum(axis=1))[0, 1] > 0.5


def test_one_epoch_is_one_epoch():
    X, Y, _ = make_data()
    model = MultiTaskRegressor(**{**SMALL, "max_epochs": 1}).fit(X, Y)
    assert model.n_iter_ == 1
    assert model.history_["lr"].tolist() == [2e-3]


def test_an_integer_is_one_hidden_layer():
    X, Y, _ = make_data()
    one = MultiTaskRegressor(**{**SMALL, "hidden_layer_sizes": 5}).fit(X, Y)
    same = MultiTaskRegressor(**{**SMALL, "hidden_layer_sizes": [5]}).fit(X, Y)
    assert np.array_equal(one.predict(X), same.predict(X))
