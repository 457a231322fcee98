"""Confusion matrices and ROC curves of classification tasks."""

import sys

import numpy as np
import pandas as pd
import pytest
from _labels import as_dict, as_pandas, as_polars, make_mixed, make_own
from inspection._overlap import assert_legible
from matplotlib import pyplot
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_mtl import (
    ConfusionMatrixDisplay,
    IndependentTasks,
    LowRankClassifier,
    MultiTaskKFold,
    MultiTaskTarget,
    RocCurveDisplay,
    TaskLayoutError,
    score_per_task,
    stack_tasks,
)
from sklearn_mtl.inspection._roc_points import roc_points

DISPLAYS = [ConfusionMatrixDisplay, RocCurveDisplay]
WORDS = np.array(["red", "green", "deep ocean blue", "black"])


def make_classes(n_tasks, n_rows=60, seed=0):
    """Return labels of two to four classes, a tenth missing, and probabilities of each."""
    rng = np.random.default_rng(seed)
    labels, scores = {}, {}
    for t in range(n_tasks):
        words = np.sort(WORDS[: 2 + t % 3])
        own = rng.integers(0, len(words), n_rows)
        logits = rng.normal(size=(n_rows, len(words)))
        logits += rng.uniform(-0.2, 3.0) * np.eye(len(words))[own]
        name = f"the school with number {t}"
        labels[name] = words[own].astype(object)
        labels[name][rng.random(n_rows) < 0.1] = None
        scores[name] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, scores


def predicted_classes(labels, scores):
    """Return the likeliest class of each row."""
    return {
        name: np.unique([label for label in labels[name] if label])[scores[name].argmax(axis=1)]
        for name in labels
    }


def observed(column):
    return np.array([label is not None for label in column])


@pytest.mark.parametrize("n_tasks", [1, 2, 14, 139])
def test_every_number_of_tasks_is_legible(n_tasks):
    labels, scores = make_classes(n_tasks)
    predicted = predicted_classes(labels, scores)
    assert_legible(ConfusionMatrixDisplay.from_predictions(labels, predicted).figure_)
    assert_legible(RocCurveDisplay.from_predictions(labels, scores).figure_)


@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
def test_matrices_are_those_of_scikit_learn_on_observed_labels(normalize):
    labels, scores = make_classes(3)
    predicted = predicted_classes(labels, scores)
    display = ConfusionMatrixDisplay.from_predictions(labels, predicted, normalize=normalize)
    for t, name in enumerate(labels):
        seen = observed(labels[name])
        pair = list(labels[name][seen]), list(predicted[name][seen])
        expected = confusion_matrix(*pair, normalize=normalize)
        np.testing.assert_allclose(display.im_[t].get_array(), expected, rtol=1e-12)  # a division
        np.testing.assert_array_equal(display.confusion_matrices[t], confusion_matrix(*pair))
        written = [float(text.get_text()) for text in display.text_[t]]
        # two decimals are written
        np.testing.assert_allclose(written, expected.ravel(), atol=0.00501)
    scores_by_task = score_per_task(labels, predicted, "accuracy")
    np.testing.assert_allclose(display.accuracy_, list(scores_by_task.values()), rtol=1e-12)


def test_weights_are_summed_in_matrices():
    y = {"a": ["no", "no", "yes", "yes"]}
    f = {"a": ["no", "yes", "yes", "yes"]}
    display = ConfusionMatrixDisplay.from_predictions(y, f, sample_weight=[1.0, 0.5, 2.0, 0.0])
    np.testing.assert_array_equal(display.confusion_matrices[0], [[1.0, 0.5], [0.0, 2.0]])


def test_weights_count_in_curves():
    rng = np.random.default_rng(0)
    y, score, weight = rng.integers(0, 2, 40), rng.random(40), rng.integers(0, 3, 40)
    display = RocCurveDisplay.from_predictions(y, score, sample_weight=weight)
    expected = roc_auc_score(np.repeat(y, weight), np.repeat(score, weight))
    assert display.roc_auc[0] == pytest.approx(expected, abs=1e-12)  # sums in another order


def test_classes_that_nobody_has_are_in_the_matrix():
    y, f = [0, 1, 1], [0, 1, 3]
    display = ConfusionMatrixDisplay.from_predictions(y, f, classes=[0, 1, 2])
    assert display.classes[0].tolist() == [0, 1, 2, 3]
    assert display.confusion_matrices[0].sum() == 3
    assert display.confusion_matrices[0][1, 3] == 1


def test_the_summary_is_a_table_of_recalls_in_order_of_accuracy():
    labels, scores = make_classes(20)
    predicted = predicted_classes(labels, scores)
    display = ConfusionMatrixDisplay.from_predictions(labels, predicted)
    table = np.ma.filled(display.im_[0].get_array(), np.nan)
    columns = [label.get_text() for label in display.axes_[0, 0].get_xticklabels()]
    assert columns[:2] == ["accuracy", "mean recall"]
    names = list(labels)
    for row, t in enumerate(np.argsort(display.accuracy_, kind="stable")):
        y, f = labels[names[t]], predicted[names[t]]
        recalls = {
            f"recall: {word}": np.mean(f[y == word] == word) if (y == word).any() else np.nan
            for word in WORDS
        }
        expected = [display.accuracy_[t], np.nanmean(list(recalls.values()))]
        np.testing.assert_allclose(table[row, :2], expected, rtol=1e-12)
        order = ["black", "deep ocean blue", "green", "red"]
        assert sorted(columns[2:]) == [f"recall: {word}" for word in order]
        for place, column in enumerate(columns[2:], start=2):
            np.testing.assert_allclose(table[row, place], recalls[column], rtol=1e-12)


def test_tasks_of_many_classes_have_their_least_recall_in_the_summary():
    y = {f"t{t}": [f"{t}{word}" for word in "abab"] for t in range(20)}
    f = {name: [column[0], column[1], column[0], column[0]] for name, column in y.items()}
    display = ConfusionMatrixDisplay.from_predictions(y, f)
    assert display.im_[0].get_array().tolist() == [[0.75, 0.75, 0.5]] * 20
    assert display.axes_[0, 0].get_xticklabels()[2].get_text() == "least recall"


def test_matrices_too_large_to_write_in_have_a_colour_bar():
    rng = np.random.default_rng(0)
    y, f = rng.integers(0, 30, (2, 300))
    display = ConfusionMatrixDisplay.from_predictions(y, f)
    assert display.text_ == [[]]
    assert len(display.figure_.axes) == 2
    assert_legible(display.figure_)
    plain = ConfusionMatrixDisplay.from_predictions(y, f, colorbar=False)
    assert len(plain.figure_.axes) == 1


def test_names_that_are_no_text_are_shown():
    names = [3, ("north", 2)]
    labels = dict(zip(names, ([0, 1, 1], [1, 0, 1]), strict=True))
    matrices = ConfusionMatrixDisplay.from_predictions(labels, labels)
    scores = {name: np.array(column, dtype=float) for name, column in labels.items()}
    curves = RocCurveDisplay.from_predictions(labels, scores)
    for display in (matrices, curves):
        assert display.task_names == names
        titles = [panel.get_title().splitlines()[0] for panel in display.axes_[0]]
        assert titles == ["3", "('north', 2)"]
    table = ConfusionMatrixDisplay.from_predictions(labels, labels, max_panels=0).axes_[0, 0]
    assert {text.get_text() for text in table.get_yticklabels()} == {"3", "('north', 2)"}


def test_areas_are_those_of_scikit_learn_on_observed_labels():
    labels, scores = make_classes(3)
    display = RocCurveDisplay.from_predictions(labels, scores)
    for t, name in enumerate(labels):
        seen = observed(labels[name])
        score = scores[name][seen]
        expected = roc_auc_score(
            list(labels[name][seen]), score[:, 1] if t == 0 else score, multi_class="ovr"
        )
        assert display.roc_auc[t] == pytest.approx(expected, abs=1e-12)  # sums in another order
        assert f"AUC = {expected:.2f}" in display.axes_.flat[t].get_title()


def test_a_mean_curve_is_the_mean_of_the_shares_above_each_threshold():
    rng = np.random.default_rng(1)
    classes = np.arange(3)
    labels, scores = rng.integers(0, 3, 50), rng.random((50, 3)).round(1)
    fpr, tpr, area = roc_points(labels, scores, classes)
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(tpr) >= 0).all()
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    for k in classes:
        assert np.isin(roc_curve(labels == k, scores[:, k])[0], fpr).all()  # no corner is cut
    for place in range(1, len(fpr)):
        means = []
        for k in classes:
            # where a threshold gives this rate of false positives, the most true ones there are
            known = [
                (np.mean(scores[labels != k, k] >= cut), np.mean(scores[labels == k, k] >= cut))
                for cut in np.r_[np.unique(scores[:, k]), np.inf]
            ]
            below = max(point for point in known if point[0] <= fpr[place] + 1e-12)
            above = min((point for point in known if point[0] > fpr[place] + 1e-12), default=below)
            share = (fpr[place] - below[0]) / (above[0] - below[0]) if above != below else 0.0
            means.append(below[1] + share * (above[1] - below[1]))
        assert tpr[place] == pytest.approx(np.mean(means), abs=1e-9)  # rates are divisions
    steps = np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2
    # the mean of areas counts upright parts between points of other curves too, which may be half
    # of a step: of 50 labels a third are of each class, so that a step is 0.06
    assert area == pytest.approx(steps.sum(), abs=0.03)


def test_perfect_scores_have_all_of_the_area_and_reversed_ones_none():
    y = {"up": [0, 0, 1, 1], "down": [0, 0, 1, 1], "three": ["a", "b", "c", "a"]}
    three = np.eye(3)[[0, 1, 2, 0]]
    scores = {"up": [0.1, 0.2, 0.3, 0.4], "down": [0.4, 0.3, 0.2, 0.1], "three": three}
    display = RocCurveDisplay.from_predictions(y, scores)
    assert display.roc_auc == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("max_panels", [16, 0])
@pytest.mark.parametrize("same", [[1.0, 0.9, 1.0], [[1.0], [1.0], [1.0]]])
def test_a_task_of_one_class_has_no_curve(max_panels, same):
    y = {"same": ["a", "a", "a"], "both": ["a", "b", "a"]}
    scores = {"same": same, "both": [[0.1], [0.8], [0.9]]}
    display = RocCurveDisplay.from_predictions(y, scores, max_panels=max_panels)
    assert np.isnan(display.roc_auc).tolist() == [True, False]
    assert len(display.line_) == 1
    assert_legible(display.figure_)


def test_the_summary_of_curves_is_in_order_of_area():
    labels, scores = make_classes(20)
    display = RocCurveDisplay.from_predictions(labels, scores)
    curves, areas = display.axes_[0]
    assert len(display.line_) == 20
    drawn = areas.collections[-1].get_offsets()
    np.testing.assert_array_equal(drawn[:, 0], np.sort(display.roc_auc))
    assert curves.get_title() == "20 tasks"


@pytest.mark.parametrize("container", [as_dict, as_pandas, as_polars, MultiTaskTarget])
def test_of_several_kinds_classification_tasks_are_shown(container):
    X, named = make_mixed()
    y = container(as_dict(named)) if container is MultiTaskTarget else container(named)
    forest = RandomForestClassifier(n_estimators=3, random_state=0)
    model = IndependentTasks({"good": forest, "price": Ridge(), "stars": forest}).fit(X, y)
    matrices = ConfusionMatrixDisplay.from_estimator(model, X, y)
    curves = RocCurveDisplay.from_estimator(model, X, y)
    assert matrices.task_names == curves.task_names == ["good", "stars"]
    assert [list(own) for own in matrices.classes] == [["no", "yes"], [1, 2, 3]]
    accuracy = score_per_task(y, model.predict(X))
    np.testing.assert_allclose(matrices.accuracy_, [accuracy["good"], accuracy["stars"]])


@pytest.mark.parametrize("is_long", [False, True])
def test_tasks_with_rows_of_their_own_are_shown(is_long):
    X, y = make_own("classes")
    model = IndependentTasks(KNeighborsClassifier(3))
    if is_long:
        X, y = stack_tasks({name: (X[name], y[name]) for name in X})
        model.set_params(task_feature=-1 if isinstance(X, np.ndarray) else "task")
    model.fit(X, y)
    matrices = ConfusionMatrixDisplay.from_estimator(model, X, y)
    curves = RocCurveDisplay.from_estimator(model, X, y)
    by_name = dict(zip(matrices.task_names, matrices.classes, strict=True))
    assert {name: list(own) for name, own in by_name.items()} == {
        "north": ["bad", "good"],
        "south": ["bad", "good", "great"],
        "east": ["good", "great"],
    }
    assert curves.task_names == matrices.task_names
    assert min(curves.roc_auc) > 0.8  # on the rows that were fitted


def test_arrays_with_missing_labels_are_shown():
    labels, scores = make_classes(2)
    table = np.column_stack(list(labels.values()))
    predicted = np.column_stack(list(predicted_classes(labels, scores).values()))
    matrices = ConfusionMatrixDisplay.from_predictions(table, predicted)
    curves = RocCurveDisplay.from_predictions(table, list(scores.values()))
    named = ConfusionMatrixDisplay.from_predictions(labels, predicted_classes(labels, scores))
    for found, expected in zip(matrices.confusion_matrices, named.confusion_matrices, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert curves.task_names == ["task0", "task1"]


def test_pipelines_searches_and_decision_values_are_shown():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = pd.DataFrame({"a": X[:, 0] > 0, "b": np.where(X[:, 1] > 0, "yes", "no")})
    search = GridSearchCV(LowRankClassifier(), {"alpha": [0.01, 0.1]}, cv=MultiTaskKFold(2))
    for model in (make_pipeline(StandardScaler(), search), IndependentTasks(LogisticRegression())):
        display = RocCurveDisplay.from_estimator(model.fit(X, y), X, y)
        assert min(display.roc_auc) > 0.95
    one = LinearSVC().fit(X, y["b"])
    assert RocCurveDisplay.from_estimator(one, X, y["b"]).roc_auc[0] > 0.95


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("max_panels", [16, 0])
def test_a_display_is_drawn_where_the_caller_says(display, max_panels):
    figure, ax = pyplot.subplots(figsize=(12, 6))
    labels, scores = make_classes(2)
    values = scores if display is RocCurveDisplay else predicted_classes(labels, scores)
    shown = display.from_predictions(labels, values, ax=ax, max_panels=max_panels)
    assert shown.figure_ is figure
    panels = [panel for panel in shown.axes_.flat if panel is not None]
    shown.plot(panels, max_panels=max_panels)
    assert shown.axes_.ravel().tolist() == panels


@pytest.mark.parametrize("display", DISPLAYS)
def test_what_cannot_be_shown_is_refused_by_name(display):
    name = display.__name__
    with pytest.raises(TaskLayoutError, match=rf"{name}.* classification tasks, but 'a' are regr"):
        display.from_predictions({"a": [0.5, 1.5]}, {"a": [0.5, 1.0]})
    with pytest.raises(TaskLayoutError, match="'b'"):
        display.from_predictions({"a": [0, 1]}, {"b": [0, 1]})
    with pytest.raises(NotFittedError):
        display.from_estimator(LowRankClassifier(), np.zeros((2, 1)), [0, 1])


def test_options_are_checked():
    with pytest.raises(ValueError, match=r"'normalize' .*'treu' .*did you mean 'true'"):
        ConfusionMatrixDisplay.from_predictions([0, 1], [0, 1], normalize="treu")
    with pytest.raises(TaskLayoutError, match=r"Task 'task0' has labels of other types"):
        ConfusionMatrixDisplay.from_predictions([0, 1], ["0", "1"])
    with pytest.raises(TaskLayoutError, match=r"'a' has 3 classes .* shape \(3, 2\)"):
        RocCurveDisplay.from_predictions({"a": [0, 1, 2]}, {"a": np.eye(3)[:, :2]})
    with pytest.raises(ValueError, match=r"none of task 'a'"):
        RocCurveDisplay.from_predictions({"a": [0, 1], "b": [1, 0]}, {"b": [0.5, 0.6]})


@pytest.mark.parametrize("display", DISPLAYS)
def test_without_matplotlib_the_error_says_what_to_install(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=rf"{display.__name__}\.from_predictions requires matp"):
        display.from_predictions([0, 1], [0, 1])
