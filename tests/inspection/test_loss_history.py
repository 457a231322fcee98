import sys

import numpy as np
import pytest
from inspection._overlap import assert_legible
from matplotlib import pyplot
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import LossHistoryDisplay, MultiTaskEstimator, MultiTaskRegressor, TaskLayoutError

N_EPOCHS = 12


def make_history(n_tasks, *, n_epochs=N_EPOCHS, seed=0):
    """Return a history in which losses fall, those of validation from higher up."""
    rng = np.random.default_rng(seed)
    names = [f"the school with number {t}" for t in range(n_tasks)]
    ends = rng.uniform(0.1, 0.9, n_tasks)
    fall = np.exp(-np.arange(n_epochs) / 4)
    train = {name: end + (1 - end) * fall for name, end in zip(names, ends, strict=True)}
    validation = {name: row + 0.1 * rng.random(n_epochs) for name, row in train.items()}
    return {
        "train": train,
        "validation": validation,
        "weight": {name: rng.random(n_epochs) for name in names},
        "train_loss": np.mean(list(train.values()), axis=0),
        "validation_loss": np.mean(list(validation.values()), axis=0),
    }


def legend_words(display):
    return [text.get_text() for text in display.axes_[0, 0].get_legend().get_texts()]


@pytest.mark.parametrize("n_tasks", [1, 6, 7, 139])
def test_every_number_of_tasks_is_legible(n_tasks):
    display = LossHistoryDisplay.from_history(make_history(n_tasks))
    assert_legible(display.figure_)


@pytest.mark.parametrize("parts", [["train"], ["train", "weight"], ["train", "validation"]])
@pytest.mark.parametrize("n_tasks", [2, 14])
def test_what_was_not_recorded_is_left_out(parts, n_tasks):
    history = {part: make_history(n_tasks)[part] for part in parts}
    display = LossHistoryDisplay.from_history(history)
    assert list(display.lines_) == parts
    assert display.axes_.size == 1 + ("weight" in parts)
    assert display.best_epoch is None
    assert_legible(display.figure_)


def test_few_tasks_are_a_line_each():
    history = make_history(3)
    display = LossHistoryDisplay.from_history(history)
    for part, lines in display.lines_.items():
        for line, values in zip(lines, history[part].values(), strict=True):
            assert line.get_xdata().tolist() == list(range(1, N_EPOCHS + 1))
            np.testing.assert_array_equal(line.get_ydata(), values)
    colors = [[line.get_color() for line in lines] for lines in display.lines_.values()]
    assert colors[0] == colors[1] == colors[2]
    assert len(set(colors[0])) == 3
    assert legend_words(display) == [*history["train"], "train", "validation"]


def test_of_many_tasks_the_median_is_drawn_and_the_extremes_are_named():
    history = make_history(30)
    display = LossHistoryDisplay.from_history(history)
    table = np.array(list(history["validation"].values()))
    median, *named = display.lines_["validation"]
    # 1e-12: the mean of the two middle values rounds
    np.testing.assert_allclose(median.get_ydata(), np.median(table, axis=0), rtol=1e-12)
    order = np.argsort(-table[:, display.best_epoch - 1])
    for line, t in zip(named, [*order[:3], order[-1]], strict=True):
        np.testing.assert_array_equal(line.get_ydata(), table[t])
    # the first letters of the names are all the same, so the last tell tasks apart
    assert [word.split()[-1] for word in legend_words(display)[2:]] == [
        str(t) for t in [*order[:3], order[-1]]
    ]


def test_the_caller_decides_when_tasks_are_bands():
    history = make_history(3)
    lines = LossHistoryDisplay.from_history(history, max_lines=3).lines_
    bands = LossHistoryDisplay.from_history(history, max_lines=0).lines_
    assert len(lines["train"]) == 3
    assert len(bands["train"]) == 1
    with pytest.raises(ValueError, match=r"'max_lines' parameter .* got -1"):
        LossHistoryDisplay.from_history(history, max_lines=-1)


def test_the_epoch_of_the_least_validation_loss_is_marked():
    history = make_history(2)
    history["validation_loss"] = np.array([np.nan, 3.0, 1.0, 2.0] + [4.0] * 8)
    display = LossHistoryDisplay.from_history(history)
    assert display.best_epoch == 3
    assert display.axes_[0, 0].get_title() == "best epoch (dotted): 3"


def test_epochs_without_validation_leave_a_gap():
    history = make_history(14)
    for row in history["validation"].values():
        row[:4] = np.nan
    display = LossHistoryDisplay.from_history(history)
    drawn = display.lines_["validation"][0].get_ydata()
    assert np.isnan(drawn).tolist() == [True] * 4 + [False] * (N_EPOCHS - 4)


@pytest.mark.parametrize("n_tasks", [2, 14])
def test_a_single_epoch_is_a_point(n_tasks):
    display = LossHistoryDisplay.from_history(make_history(n_tasks, n_epochs=1))
    assert display.lines_["train"][0].get_marker() == "o"
    assert_legible(display.figure_)


def test_names_that_begin_with_an_underscore_are_in_the_legend():
    history = {"train": {"_hidden": [1.0, 0.5], "$": [1.0, 0.7]}}
    assert legend_words(LossHistoryDisplay.from_history(history)) == ["_hidden", r"\$"]


def test_names_that_are_no_text_are_in_the_legend():
    history = {"train": {3: [1.0, 0.5], ("north", 2): [1.0, 0.7]}}
    assert legend_words(LossHistoryDisplay.from_history(history)) == ["3", "('north', 2)"]


def test_a_network_is_shown_inside_pipelines_and_searches():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X @ rng.normal(size=(3, 2))
    network = MultiTaskRegressor(max_epochs=4, early_stopping=True, n_estimators=1)
    search = GridSearchCV(network, {"hidden_layer_sizes": [(4,)]}, cv=2)
    model = make_pipeline(StandardScaler(), search).fit(X, y)
    best = model[-1].best_estimator_
    display = LossHistoryDisplay.from_estimator(model)
    assert display.best_epoch == best.best_epoch_
    assert display.task_names == ["task0", "task1"]
    for part in ("train", "validation", "weight"):
        np.testing.assert_array_equal(getattr(display, part), list(best.history_[part].values()))


def test_a_display_is_drawn_where_the_caller_says():
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5))
    display = LossHistoryDisplay.from_history(make_history(2), ax=left)
    assert display.figure_ is figure
    display.plot(right)
    assert display.axes_.shape == (2, 1)
    assert_legible(figure)
    display.plot(display.axes_)


def test_what_has_no_history_is_refused():
    for model in (MultiTaskEstimator(), LinearRegression(), make_pipeline(MultiTaskRegressor())):
        with pytest.raises(NotFittedError, match=f"fitted network.*{type(model).__name__}"):
            LossHistoryDisplay.from_estimator(model)


def test_histories_that_contradict_themselves_are_refused():
    def refused(match, **changes):
        with pytest.raises(TaskLayoutError, match=match):
            LossHistoryDisplay.from_history({**make_history(2), **changes})

    names = list(make_history(2)["train"])
    refused(r"'weight'\] names 'b', which is no task", weight={"b": [1.0]})
    refused(r"'weight'\] lacks the task\(s\) 'the school with number 1'", weight={names[0]: [1.0]})
    refused(r"same epochs, found .*'weight': 2", weight={name: [1.0, 2.0] for name in names})
    refused(r"one number an epoch", validation={names[0]: [1.0], names[1]: [1.0, 2.0]})
    with pytest.raises(TaskLayoutError, match=r"history must have 'train'.*it has 'lr'"):
        LossHistoryDisplay.from_history({"lr": [0.1]})


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"LossHistoryDisplay\.from_history requires matplotlib"):
        LossHistoryDisplay.from_history(make_history(2))
