"""Losses and activations of each task, against models that are known."""

import numpy as np
import pytest
import torch
from neural_network._loss_data import LINEAR, SMALL, make_mixed, make_rows
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.linear_model import PoissonRegressor, QuantileRegressor
from sklearn.model_selection import GridSearchCV

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.neural_network._losses import CLASS_LOSSES, NUMBER_LOSSES
from sklearn_mtl.nn import LOSSES
from sklearn_mtl.tasks._activations import ACTIVATIONS


def untrained(network, X, y, **params):
    # a step of 1e-12 moves nothing: predictions are those of the start
    return network(**{**SMALL, "max_epochs": 1, "lr": 1e-12, **params}).fit(X, y)


# -- known models ---------------------------------------------------------------------------------


def test_without_hidden_layers_poisson_is_poisson_regression():
    X, eta, rng = make_rows()
    y = rng.poisson(np.exp(2.0 + eta)).astype(float)
    model = MultiTaskRegressor(**LINEAR, loss="poisson").fit(X, y)
    expected = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000).fit(X, y).predict(X)
    # what is left after 800 Adam steps with a rate that falls to 0
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5)


@pytest.mark.parametrize("activation", ["softplus", "sigmoid", "exp"])
def test_squared_error_behind_an_activation_is_nonlinear_least_squares(activation):
    X, eta, rng = make_rows()
    function = ACTIVATIONS[activation].function
    y = np.clip(function(eta) + 0.05 * rng.normal(size=len(X)), 0.0, 1.0)
    rows = np.column_stack([X, np.ones(len(X))])
    # the scale of labels is inside softplus, which has no other like exp
    scale = y.mean() if ACTIVATIONS[activation].has_unit else 1.0

    def objective(w):
        return np.mean((function(rows @ w) - y / scale) ** 2)

    best = minimize(objective, np.zeros(4), tol=1e-12)
    model = MultiTaskRegressor(**LINEAR, output_activation=activation).fit(X, y)
    # BFGS with numerical gradients stops within 1e-5 of the minimum
    np.testing.assert_allclose(model.predict(X), scale * function(rows @ best.x), atol=1e-4)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_robust_losses_find_the_minimum_of_their_objective(loss):
    X, eta, rng = make_rows(seed=1)
    y = eta + 0.2 * rng.standard_t(2, size=len(X))
    model = MultiTaskRegressor(**{**LINEAR, "max_epochs": 1000}, loss=loss).fit(X, y)
    residual = (y - model.predict(X)) / y.std()
    if loss == "absolute_error":
        best = QuantileRegressor(alpha=0.0).fit(X, y).predict(X)
        found, least = abs(residual).mean(), abs(y - best).mean() / y.std()
        # steps of a kinked objective end within their last rate of its minimum
        assert least <= found < 1.0001 * least
        return
    rows = np.column_stack([X, np.ones(len(X))])
    # the minimum of a smooth convex function: its gradient is 0 to what 1000 Adam steps leave
    np.testing.assert_allclose(rows.T @ np.clip(residual, -1, 1) / len(X), 0.0, atol=1e-5)
    assert (abs(residual) > 1).any()


def test_an_outlier_pulls_huber_less_than_squared_error():
    X, eta, _ = make_rows()
    y = eta.copy()
    y[0] += 100.0
    errors = {}
    for loss in ("squared_error", "huber"):
        model = MultiTaskRegressor(**{**LINEAR, "max_epochs": 300}, loss=loss).fit(X, y)
        errors[loss] = abs(model.predict(X) - eta)[1:].mean()
    assert errors["huber"] < errors["squared_error"] / 2


# -- scales ---------------------------------------------------------------------------------------

BEST_CONSTANTS = {
    "squared_error": np.mean,
    "absolute_error": np.median,
    "poisson": np.mean,
}


@pytest.mark.parametrize(
    ("loss", "activation"),
    [(loss, word) for loss, known in NUMBER_LOSSES.items() for word in known.activations],
)
def test_an_untrained_network_predicts_the_best_constant_and_its_loss_is_1(loss, activation):
    X, eta, rng = make_rows(n=81)
    y = 1 / (1 + np.exp(-eta)) * (1.0 if activation == "sigmoid" else 50.0)
    y[:20] = np.nan
    seen = y[20:]
    model = untrained(MultiTaskRegressor, X, y, loss=loss, output_activation=activation)
    predicted = model.predict(X)
    # equal outputs of the float64 start, less roundings of float32 weights
    np.testing.assert_allclose(predicted, predicted[0], rtol=1e-6)
    if loss in BEST_CONSTANTS:
        assert predicted[0] == pytest.approx(BEST_CONSTANTS[loss](seen), rel=1e-6)
    assert model.history_["train"]["task0"][0] == pytest.approx(1.0, rel=1e-5)


def test_an_untrained_network_predicts_hubers_location():
    X, _, rng = make_rows()
    y = np.exp(2 * rng.normal(size=len(X)))
    predicted = untrained(MultiTaskRegressor, X, y, loss="huber").predict(X)[0]
    psi = np.clip((y - predicted) / y.std(), -1, 1)
    assert abs(psi.mean()) < 1e-6  # float32 biases
    assert predicted < y.mean()


@pytest.mark.parametrize(
    ("loss", "smoothing"), [(None, 0.0), (None, 0.3), (torch.nn.CrossEntropyLoss(), 0.0)]
)
def test_an_untrained_network_predicts_smoothed_weighted_frequencies(smoothing, loss):
    X, eta, _ = make_rows()
    y = np.digitize(eta, [-0.2, 0.8])
    weight = np.array([1.0, 2.0, 5.0])
    model = untrained(
        MultiTaskClassifier, X, y, loss=loss, label_smoothing=smoothing,
        class_weight=dict(enumerate(weight)),
    )  # fmt: skip
    mass = np.bincount(y) * weight
    expected = (1 - smoothing) * mass / mass.sum() + smoothing / 3
    np.testing.assert_allclose(model.predict_proba(X)[0], expected, rtol=1e-5)  # float32 biases
    assert model.history_["train"]["task0"][0] == pytest.approx(1.0, rel=1e-5)


def test_a_caller_who_scales_the_labels_sees_losses_as_they_are():
    X, eta, _ = make_rows()
    y = 7.0 + 3.0 * eta
    model = untrained(MultiTaskRegressor, X, y, loss="absolute_error", target_scaling=None)
    assert (model.target_mean_, model.target_scale_) == (0.0, 1.0)
    assert model.history_["train"]["task0"][0] == pytest.approx(abs(y).mean(), rel=1e-6)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_counts_follow_their_units(unit):
    X, eta, rng = make_rows()
    y = rng.poisson(np.exp(1 + eta)).astype(float)
    params = {**SMALL, "dtype": "float64", "loss": "poisson"}
    expected = MultiTaskRegressor(**params).fit(X, y).predict(X)
    # labels divided by their mean differ by float64 roundings
    predicted = MultiTaskRegressor(**params).fit(X, unit * y).predict(X)
    np.testing.assert_allclose(predicted / unit, expected, rtol=1e-10)


@pytest.mark.parametrize("value", [0.0, 3.0])
@pytest.mark.parametrize("loss", NUMBER_LOSSES)
def test_labels_that_are_all_the_same_do_no_harm(loss, value):
    X, eta, _ = make_rows()
    Y = np.column_stack([np.exp(eta), np.full(len(X), value)])
    model = MultiTaskRegressor(**SMALL, loss=loss).fit(X, Y)
    assert np.isfinite(model.history_["train_loss"]).all()
    # positive predictions come near 0, and start at 1e-4
    np.testing.assert_allclose(model.predict(X)[:, 1], value, atol=0.05)


# -- losses of the caller -------------------------------------------------------------------------


def in_layout(layout, X, y):
    """Return rows, labels and parameters of tasks "a" and "b", partly missing."""
    y = {name: labels.copy() for name, labels in y.items()}
    for labels in y.values():
        labels[:10] = np.nan
    if layout == "shared":
        return X, y, {}
    if layout == "own":
        return dict.fromkeys(y, X), y, {}
    tags = np.repeat(np.arange(len(y)), len(X))
    rows = np.column_stack([np.tile(X, (len(y), 1)), tags])
    return rows, np.concatenate(list(y.values())), {"task_feature": -1}


def flat(predicted):
    return np.concatenate(list(predicted.values())) if isinstance(predicted, dict) else predicted


def squares(predictions, labels):
    assert predictions.shape == labels.shape
    return (predictions - labels) ** 2


@pytest.mark.parametrize("layout", ["shared", "own", "long"])
@pytest.mark.parametrize("own", [squares, torch.nn.MSELoss()])
def test_a_function_is_what_the_word_is(layout, own):
    X, y = make_mixed()
    X, y, params = in_layout(layout, X, {"a": y["price"], "b": y["count"]})
    params = {**SMALL, "dtype": "float64", "batch_size": 16, **params}
    by_word = MultiTaskRegressor(**params).fit(X, y)
    by_function = MultiTaskRegressor(**params, loss=own).fit(X, y)
    # a unit measured, not known, differs from 1 by a rounding
    np.testing.assert_allclose(flat(by_function.predict(X)), flat(by_word.predict(X)), rtol=1e-9)
    if layout != "long":
        assert by_word.history_["train"]["a"] == pytest.approx(by_function.history_["train"]["a"])


@pytest.mark.parametrize(
    ("task", "own"),
    [("good", torch.nn.BCEWithLogitsLoss()), ("grade", torch.nn.CrossEntropyLoss(reduction="sum"))],
)
def test_a_module_of_classes_is_given_logits_and_class_numbers(task, own):
    X, y = make_mixed()
    params = {**SMALL, "dtype": "float64"}
    by_word = MultiTaskClassifier(**params).fit(X, {task: y[task]})
    by_module = MultiTaskClassifier(**params, loss=own).fit(X, {task: y[task]})
    # the entropy and the mean loss that it is, added up in another order
    np.testing.assert_allclose(
        by_module.predict_proba(X)[task], by_word.predict_proba(X)[task], rtol=1e-9
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tensors_of_a_module_take_the_precision_of_the_network(dtype):
    X, y = make_mixed()
    weight = [1.0, 2.0, 4.0]
    own = torch.nn.CrossEntropyLoss(weight=torch.tensor(weight))
    params = {**SMALL, "dtype": dtype}
    by_module = MultiTaskClassifier(**params, loss=own).fit(X, y["grade"])
    (tensor,) = own.state_dict().values()
    assert tensor.dtype == torch.float32
    (tensor,) = by_module.net_.criterion_.losses.state_dict().values()
    assert tensor.dtype == getattr(torch, dtype)
    assert tensor.tolist() == weight


class LearnedScale(torch.nn.Module):
    """(z - y)² / s + log s, s > 0 learned."""

    def __init__(self):
        super().__init__()
        self.log_scale = torch.nn.Parameter(torch.zeros(()))

    def forward(self, predictions, labels):
        return (predictions - labels) ** 2 * torch.exp(-self.log_scale) + self.log_scale


def test_parameters_of_a_loss_are_learned_and_travel():
    import pickle

    X, eta, rng = make_rows()
    y = {"price": eta + 0.1 * rng.normal(size=len(X)), "size": eta}
    own = LearnedScale()
    model = MultiTaskRegressor(
        **{**LINEAR, "max_epochs": 600}, loss={"price": own}, warm_start=True
    ).fit(X, y)
    assert own.log_scale.item() == 0.0  # a copy was trained
    (learned,) = [
        value for name, value in model.net_.criterion_.state_dict().items() if "log_scale" in name
    ]
    residual = (model.predict(X)["price"] - y["price"]) / y["price"].std()
    # the best scale is the mean square; 600 Adam steps with a rate that falls to 0
    assert float(learned.exp()) == pytest.approx((residual**2).mean(), rel=1e-3)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X)["price"], model.predict(X)["price"])
    state = copy.net_.criterion_.state_dict()
    assert float(state["losses.0.function.log_scale"]) == float(learned)
    first, second = (each.set_params(max_epochs=5).fit(X, y) for each in (model, copy))
    np.testing.assert_array_equal(first.predict(X)["price"], second.predict(X)["price"])


def test_a_function_sees_rows_of_its_own_task_alone():
    X, y = make_mixed()
    seen = []

    def recorded(predictions, labels):
        seen.extend(np.round(labels.tolist(), 9))
        return (predictions - labels) ** 2

    y = {"price": y["price"], "count": y["count"]}
    y["price"][::2] = np.nan
    model = MultiTaskRegressor(
        **{**SMALL, "max_epochs": 1}, loss={"price": recorded}, dtype="float64"
    ).fit(X, y)
    labels = (y["price"][1::2] - model.target_mean_[0]) / model.target_scale_[0]
    # once to measure its unit, once in the epoch
    assert sorted(seen) == sorted(np.repeat(np.round(labels, 9), 2))


def test_an_error_of_the_function_names_the_task_and_what_it_was_given():
    def fails(outputs, labels):
        return outputs @ labels[:, None, None, None]

    X = np.random.default_rng(0).normal(size=(8, 2))
    y = {"a": X[:, 0], "b": np.where(np.arange(8) < 3, np.nan, X[:, 1])}
    message = r"loss of task 'b', .*fails.*shape \(5,\) and labels of shape \(5,\), and must return"
    with pytest.raises(RuntimeError, match=message) as caught:
        MultiTaskRegressor(**SMALL, loss={"b": fails}).fit(X, y)
    assert isinstance(caught.value.__cause__, RuntimeError)  # torch's own


def test_a_batch_without_a_label_of_its_task_does_not_call_the_function():
    X, y = make_mixed()
    labels = np.full(len(X), np.nan)
    labels[0] = 1.0

    def strict(predictions, labels):
        assert len(labels) > 0
        return (predictions - labels) ** 2

    model = MultiTaskRegressor(**SMALL, batch_size=8, loss={"rare": strict})
    assert model.fit(X, {"rare": labels}).predict(X)["rare"] == pytest.approx(1.0)


# -- three layouts, kinds together, scikit-learn ---------------------------------------------------

EVERYTHING = {
    "loss": {"price": "huber", "count": "poisson", "share": torch.nn.SmoothL1Loss()},
    "output_activation": {"share": "sigmoid", "count": "softplus"},
    "class_weight": {"good": "balanced", "grade": {0: 2.0}},
    "label_smoothing": {"grade": 0.1},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("own", [False, True])
def test_all_at_once_with_missing_labels(own, dtype):
    X, y = make_mixed(n=100)
    y = {name: labels.astype(object) for name, labels in y.items()}
    for t, labels in enumerate(y.values()):
        labels[t * 10 : (t + 1) * 10] = None
    y = {
        name: labels if name in ("good", "grade") else labels.astype(float)
        for name, labels in y.items()
    }
    rows = dict.fromkeys(y, X) if own else X
    model = MultiTaskEstimator(
        **SMALL | {"max_epochs": 15, "lr": 0.05, "batch_size": 64}, dtype=dtype, **EVERYTHING
    ).fit(rows, y)
    predicted = model.predict(rows)
    assert ((predicted["share"] > 0) & (predicted["share"] < 1)).all()
    assert (predicted["count"] > 0).all()
    losses = {name: values[-1] for name, values in model.history_["train"].items()}
    # better than the best constant, each by its own loss
    assert max(losses.values()) < 0.95, losses
    again = clone(model).fit(rows, y).predict(rows)
    np.testing.assert_array_equal(again["count"], predicted["count"])


def test_grids_over_losses():
    X, eta, rng = make_rows()
    y = rng.poisson(np.exp(1 + eta)).astype(float)
    grid = {"loss": ["squared_error", "huber", "poisson", {"task0": squares}]}
    search = GridSearchCV(MultiTaskRegressor(**SMALL), grid, cv=2, error_score="raise")
    search.fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) >= 3


def test_the_tables_of_losses_agree():
    words = {word: loss for (word, kind), loss in LOSSES.items() if kind == "regression"}
    assert set(words) == set(NUMBER_LOSSES)
    for word, loss in words.items():
        assert set(NUMBER_LOSSES[word].activations) == set(loss.activations)
    assert {word for word, kind in LOSSES if kind != "regression"} == set(CLASS_LOSSES)
