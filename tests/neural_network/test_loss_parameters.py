"""What the parameters of losses refuse, and how: the task, what was found, what fits."""

import numpy as np
import pytest
import torch
from neural_network._loss_data import SMALL, make_mixed

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.exceptions import TaskLayoutError

X, Y = make_mixed(n=40)

REFUSALS = {
    "an unknown loss": (
        {"loss": {"price": "hubr"}},
        ["'loss' parameter of MultiTaskEstimator", "'price' is regression", "'huber'", "'hubr'",
         "did you mean 'huber'?"],
    ),
    "a loss of numbers for classes": (
        {"loss": {"good": "poisson"}},
        ["'good' is binary", "'log_loss'", "a function", "Got 'poisson'"],
    ),
    "a loss of classes for numbers": (
        {"loss": {"price": "log_loss"}},
        ["'price' is regression", "'squared_error', 'absolute_error', 'huber', 'poisson'"],
    ),
    "a loss of numbers for all of a mixture": (
        {"loss": "huber"},
        ["'good' is binary", "a dict gives each task its own"],
    ),
    "a loss that is a number": ({"loss": {"price": 3}}, ["'price'", "Got 3"]),
    "a loss for no task": ({"loss": {"prise": "huber"}}, ["'prise'", "did you mean 'price'?"]),
    "a class in place of an instance": (
        {"loss": {"price": torch.nn.MSELoss}},
        ["'price' has the class MSELoss", "MSELoss()"],
    ),
    "a scalar loss": (
        {"loss": {"price": torch.nn.functional.mse_loss}},
        ["task 'price' must return one value per row", "shape (40,)", "a scalar"],
    ),
    "an unknown activation": (
        {"output_activation": {"price": "softpuls"}},
        ["'output_activation' parameter", "'price'", "did you mean 'softplus'?"],
    ),
    "an activation that may be negative for counts": (
        {"loss": {"count": "poisson"}, "output_activation": {"count": "identity"}},
        ["'count' has loss 'poisson'", "'exp', 'softplus'", "Got 'identity'"],
    ),
    "an activation for classes": (
        {"output_activation": {"good": "exp"}},
        ["output_activation names task 'good', which is binary", "'price', 'count', 'share'"],
    ),
    "labels above 1 behind a sigmoid": (
        {"output_activation": {"count": "sigmoid"}},
        ["Task 'count' has", "label(s) outside 0 to 1", "'squared_error'", "'sigmoid'"],
    ),
    "an unknown class": (
        {"class_weight": {"good": {"perhaps": 2.0}}},
        ["class_weight of task 'good'", "'perhaps'", "'no', 'yes'"],
    ),
    "an unknown class of all tasks": (
        {"class_weight": {"yess": 2.0}},
        ["class_weight names 'yess'", "did you mean 'yes'?"],
    ),
    "class weights for no task": (
        {"class_weight": {"goood": "balanced"}},
        ["class_weight names 'goood'", "did you mean 'good'?"],
    ),
    "class weights of numbers": (
        {"class_weight": {"price": "balanced"}},
        ["class_weight names task 'price', which is regression", "'good', 'grade'"],
    ),
    "a word that is no class weight": (
        {"class_weight": {"good": "even"}},
        ["class_weight of task 'good'", "'balanced'", "'even'"],
    ),
    "a negative class weight": (
        {"class_weight": {"grade": {1: -2.0}}},
        ["class_weight of task 'grade'", "-2.0", "class 1"],
    ),
    "smoothing numbers": (
        {"label_smoothing": {"price": 0.1}},
        ["label_smoothing names task 'price', which is regression"],
    ),
    "smoothing everything": (
        {"label_smoothing": {"grade": 1.0}},
        ["label_smoothing of task 'grade'", "less than 1", "got 1.0"],
    ),
    "smoothing by a word": ({"label_smoothing": {"grade": "much"}}, ["'grade'", "got 'much'"]),
    "smoothing a function": (
        {"loss": {"grade": torch.nn.CrossEntropyLoss()}, "label_smoothing": 0.1},
        ["label_smoothing is for the loss 'log_loss'", "'grade'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_what_does_not_fit_is_refused_in_words(case):
    params, words = REFUSALS[case]
    with pytest.raises((ValueError, TaskLayoutError)) as refusal:
        MultiTaskEstimator(**SMALL, **params).fit(X, Y)
    for word in words:
        assert word in str(refusal.value), refusal.value


@pytest.mark.parametrize("activation", ["exp", "softplus"])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_negative_labels_are_counted(loss, activation):
    y = {"count": Y["count"].copy(), "price": Y["price"]}
    y["count"][[3, 5]] = -1.5
    params = {"loss": {"count": loss}, "output_activation": {"count": activation}}
    with pytest.raises(ValueError, match=r"Task 'count' has 2 label\(s\) below 0, such as -1.5"):
        MultiTaskRegressor(**SMALL, **params).fit(X, y)
    y["count"][[3, 5]] = np.nan
    MultiTaskRegressor(**SMALL, **params).fit(X, y)


def test_labels_of_later_calls_are_checked_and_leave_the_network():
    model = MultiTaskRegressor(**SMALL, loss="poisson").fit(X, Y["count"])
    before = model.predict(X)
    with pytest.raises(ValueError, match=r"40 label\(s\) below 0"):
        model.partial_fit(X, -1 - Y["count"])
    np.testing.assert_array_equal(model.predict(X), before)


def test_a_fit_that_is_refused_leaves_the_last_one():
    model = MultiTaskClassifier(**SMALL).fit(X, Y["good"])
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match=r"Got 'huber'"):
        model.set_params(loss="huber").fit(X, Y["good"])
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_words_without_a_dict_are_for_the_tasks_of_their_kind():
    params = {"output_activation": "softplus", "class_weight": "balanced", "label_smoothing": 0.1}
    model = MultiTaskEstimator(**SMALL, **params).fit(X, Y)
    assert (model.predict(X)["price"] > 0).all()


def test_weights_by_class_are_for_the_tasks_that_have_the_class():
    both = MultiTaskEstimator(**SMALL, class_weight={"yes": 3.0, 2: 0.5}).fit(X, Y)
    each = MultiTaskEstimator(**SMALL, class_weight={"good": {"yes": 3.0}, "grade": {2: 0.5}}).fit(
        X, Y
    )
    for name in ("good", "grade"):
        np.testing.assert_array_equal(both.predict_proba(X)[name], each.predict_proba(X)[name])
