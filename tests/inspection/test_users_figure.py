"""Displays in one half of a figure of the caller's, beside a picture with words around it."""

import numpy as np
import pytest
from inspection._overlap import assert_legible
from inspection.test_class_displays import make_classes, predicted_classes
from inspection.test_prediction_error import make_predictions
from inspection.test_transfer_gain import make_gains
from matplotlib import pyplot

from sklearn_mtl import (
    ConfusionMatrixDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
    TaskRelationDisplay,
    TransferGainDisplay,
)


def draw_classes(n_tasks, ax):
    labels, scores = make_classes(n_tasks)
    predicted = predicted_classes(labels, scores)
    return ConfusionMatrixDisplay.from_predictions(labels, predicted, ax=ax)


def draw_curves(n_tasks, ax):
    return RocCurveDisplay.from_predictions(*make_classes(n_tasks), ax=ax)


def draw_errors(n_tasks, ax):
    return PredictionErrorDisplay.from_predictions(*make_predictions(n_tasks), ax=ax)


def draw_gains(n_tasks, ax):
    gain, low, high, n_observed = make_gains(n_tasks)
    names = [f"a rather long school name {t}" for t in range(n_tasks)]
    display = TransferGainDisplay(gain, low, high, task_names=names, n_observed=n_observed)
    return display.plot(ax)


def draw_relation(n_tasks, ax):
    names = [f"a rather long school name {t}" for t in range(n_tasks)]
    return TaskRelationDisplay(np.eye(n_tasks), task_names=names).plot(ax)


def halves(layout):
    """Return a figure of two Axes, of which the second has words around it."""
    figure, (free, taken) = pyplot.subplots(1, 2, figsize=(12, 5), layout=layout)
    taken.plot([0, 1000])
    taken.set(xlabel="a label", ylabel="another label", title="a title")
    return figure, free


@pytest.mark.parametrize("layout", [None, "constrained"])
@pytest.mark.parametrize(
    ("draw", "n_tasks"),
    [
        (draw_classes, 4),
        (draw_classes, 14),
        (draw_curves, 14),
        (draw_errors, 4),
        (draw_errors, 14),
        (draw_gains, 2),
        (draw_gains, 14),
        (draw_relation, 14),
    ],
)
def test_words_lie_on_no_others_and_stay_on_the_page(draw, n_tasks, layout):
    figure, ax = halves(layout)
    draw(n_tasks, ax)
    assert_legible(figure)


@pytest.mark.parametrize("draw", [draw_classes, draw_curves, draw_errors])
def test_panels_that_would_be_too_small_are_a_summary(draw):
    _, ax = halves("constrained")
    assert draw(14, ax).axes_.size <= 2
    _, ax = halves("constrained")
    assert draw(4, ax).axes_.size == 4
