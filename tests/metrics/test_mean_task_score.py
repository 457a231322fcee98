import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, r2_score

from sklearn_mtl.metrics._per_task import mean_task_score
from sklearn_mtl.tasks import infer_layout, stack_tasks


def with_holes(rng, n_rows, n_tasks, share=0.3):
    y = rng.normal(size=(n_rows, n_tasks))
    y[rng.random(y.shape) < share] = np.nan
    return y


def encoded(X, y, weight=None, **options):
    layout = infer_layout(X, y, **options)
    return layout, layout.encode(X, y, weight)


@given(seed=st.integers(0, 2**32 - 1), weighted=st.booleans())
@settings(max_examples=30, deadline=None)
def test_regression_is_the_mean_of_sklearns_r2_on_observed_labels(seed, weighted):
    rng = np.random.default_rng(seed)
    y = with_holes(rng, 30, 4)
    weight = rng.random((30, 4)) + 0.1 if weighted else None
    predicted = y + rng.normal(size=y.shape)
    layout, data = encoded(np.zeros((30, 1)), y, weight)
    known = ~np.isnan(y)
    expected = np.mean(
        [
            r2_score(
                y[known[:, t], t],
                predicted[known[:, t], t],
                sample_weight=None if weight is None else weight[known[:, t], t],
            )
            for t in range(4)
        ]
    )
    assert mean_task_score(layout, data, predicted) == pytest.approx(expected, abs=1e-10)


def test_classification_is_weighted_accuracy():
    rng = np.random.default_rng(0)
    y, predicted, weight = rng.integers(3, size=40), rng.integers(3, size=40), rng.random(40)
    layout, data = encoded(np.zeros((40, 1)), y, weight)
    score = mean_task_score(layout, data, predicted[:, None].astype(float))
    assert score == pytest.approx(accuracy_score(y, predicted, sample_weight=weight))


def test_mixed_kinds_are_averaged_with_equal_weight():
    y = {"a": [1.0, 2.0, 3.0], "b": ["x", "y", "x"]}
    layout, data = encoded(np.zeros((3, 1)), y)
    predicted = np.array([[1.0, 0], [2.0, 0], [3.0, 0]])
    assert mean_task_score(layout, data, predicted) == pytest.approx((1 + 2 / 3) / 2)


def test_long_form_equals_scoring_each_task_alone():
    rng = np.random.default_rng(0)
    parts = {t: (rng.normal(size=(n, 2)), rng.normal(size=n)) for t, n in enumerate([5, 9, 17])}
    X, y = stack_tasks(parts)
    order = rng.permutation(len(y))
    X, y = X[order], y[order]
    layout, data = encoded(X, y, task_feature=-1)
    predicted = rng.normal(size=len(y))
    expected = np.mean([r2_score(y[X[:, -1] == t], predicted[X[:, -1] == t]) for t in parts])
    assert mean_task_score(layout, data, predicted) == pytest.approx(expected)


def test_predictions_without_a_label_are_never_read():
    y = np.array([[1.0, np.nan], [2.0, 1.0], [3.0, 2.0]])
    layout, data = encoded(np.zeros((3, 1)), y)
    predicted = np.where(np.isnan(y), np.nan, 0.0)
    filled = np.where(np.isnan(y), 7.0, 0.0)
    assert mean_task_score(layout, data, predicted) == mean_task_score(layout, data, filled)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_constant_labels_score_one_if_exact_and_zero_else(shift):
    y = np.full(10, 0.1)  # the float mean of ten 0.1 is not 0.1
    layout, data = encoded(np.zeros((10, 1)), y)
    expected = r2_score([1.0, 1.0], [1.0 + shift, 1.0 + shift])
    assert mean_task_score(layout, data, y[:, None] + shift) == expected


def test_tasks_without_a_score_are_left_out_and_named():
    layout, _ = encoded(np.zeros((3, 1)), np.arange(9.0).reshape(3, 3))
    y = np.array([[1.0, np.nan, np.nan], [2.0, np.nan, 4.0], [3.0, np.nan, np.nan]])
    data = layout.encode(np.zeros((3, 1)), y)
    with pytest.warns(UndefinedMetricWarning, match=r"'task1', 'task2'"):
        assert mean_task_score(layout, data, np.nan_to_num(y)) == 1.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_no_task_with_a_score_is_an_error():
    layout, _ = encoded(np.zeros((3, 1)), np.arange(6.0).reshape(3, 2))
    data = layout.encode(np.zeros((3, 1)), np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="No task has a score"):
        mean_task_score(layout, data, np.zeros((3, 2)))


def test_a_prediction_that_is_nan_at_a_label_is_an_error_that_names_the_task():
    layout, data = encoded(np.zeros((3, 1)), np.arange(6.0).reshape(3, 2))
    predicted = np.array([[0, 0], [0, np.nan], [0, np.inf]])
    with pytest.raises(ValueError, match="Task 'task1' has 2 prediction"):
        mean_task_score(layout, data, predicted)


def test_predictions_of_another_shape_are_an_error():
    layout, data = encoded(np.zeros((3, 1)), np.arange(6.0).reshape(3, 2))
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        mean_task_score(layout, data, np.zeros(3))
