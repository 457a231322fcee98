"""What is drawn is seen on a dark background too."""

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.collections import Collection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.text import Text

from sklearn_mtl import (
    CoefficientDisplay,
    ConfusionMatrixDisplay,
    LossHistoryDisplay,
    PredictionErrorDisplay,
    RegularizationPathDisplay,
    RocCurveDisplay,
    TaskRelationDisplay,
    TransferGainDisplay,
)


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape)


def draw_errors(n_tasks):
    return PredictionErrorDisplay.from_predictions(numbers(20, n_tasks), np.zeros((20, n_tasks)))


def draw_curves(n_tasks):
    labels = (numbers(20, n_tasks) > 0).astype(int)
    return RocCurveDisplay.from_predictions(labels, [*numbers(n_tasks, 20)])


def draw_classes(n_tasks):
    labels = (numbers(20, n_tasks) > 0).astype(int)
    return ConfusionMatrixDisplay.from_predictions(labels, labels[::-1])


def draw_losses(n_tasks):
    losses = dict(enumerate(np.abs(numbers(n_tasks, 5))))
    history = {"train": losses, "validation": losses, "validation_loss": np.arange(5.0)}
    return LossHistoryDisplay.from_history(history)


def draw_gains(n_tasks):
    gain = numbers(n_tasks)
    return TransferGainDisplay(gain, gain - 1, gain + 1, task_names=range(n_tasks)).plot()


def draw_path(n_values):
    strengths = [np.arange(1.0, n_values + 1)] * 2
    results = np.abs(numbers(n_values, n_values, 3))
    return RegularizationPathDisplay(
        strengths, results, chosen=[1.0, 1.0], names=["gamma", "alpha"]
    ).plot()


def draw_relation(n_tasks):
    return TaskRelationDisplay(numbers(n_tasks, n_tasks), task_names=range(n_tasks)).plot()


def draw_coefficients(n_tasks):
    return CoefficientDisplay(numbers(n_tasks, 3)).plot()


def colors_of(artist):
    """Return the colours that an artist is drawn in."""
    if isinstance(artist, Line2D):
        marks = [artist.get_markerfacecolor(), artist.get_markeredgecolor()]
        return [artist.get_color()] if artist.get_marker() == "None" else marks
    if isinstance(artist, Collection):
        return [*artist.get_facecolor(), *artist.get_edgecolor()]
    return [artist.get_color()]


def unseen(display):
    """Return artists of the background's colour; numbers in cells lie on those instead."""
    display.figure_.draw_without_rendering()
    background = to_rgb(pyplot.rcParams["figure.facecolor"])
    in_cells = {id(text) for panel in display.figure_.axes for text in panel.texts}
    artists = [
        artist
        for kind in (Line2D, Collection, Text)
        for artist in display.figure_.findobj(kind)
        if artist.get_visible() and id(artist) not in in_cells and colors_of(artist)
    ]
    assert artists
    return [a for a in artists if all(to_rgb(color) == background for color in colors_of(a))]


@pytest.mark.parametrize(
    ("draw", "number"),
    [
        (draw_errors, 2),
        (draw_errors, 18),
        (draw_curves, 2),
        (draw_curves, 18),
        (draw_classes, 18),
        (draw_losses, 6),
        (draw_losses, 18),
        (draw_gains, 3),
        (draw_path, 3),
        (draw_path, 4),
        (draw_relation, 3),
        (draw_coefficients, 3),
    ],
)
def test_nothing_has_the_colour_of_the_background(draw, number):
    with pyplot.style.context("dark_background"):
        assert not unseen(draw(number))


def test_the_measure_sees_marks_of_the_colour_of_the_background():
    with pyplot.style.context("dark_background"):
        display = draw_gains(2)
        display.ax_.axvline(0.1, color="black")
        assert len(unseen(display)) == 1
