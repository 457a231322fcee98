import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_linnerud
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict

from sklearn_mtl import TaskLayoutError, average_relative_rmse

X, Y = load_linnerud(return_X_y=True)
PREDICTED = cross_val_predict(Ridge(), X, Y, cv=KFold(4))


def test_equals_a_computation_by_hand():
    y_true = {"a": [1.0, 3.0, 5.0], "b": [10.0, None, 20.0]}
    y_pred = {"a": [1.0, 2.0, 6.0], "b": [12.0, 0.0, 21.0]}
    y_train = {"a": [2.0, 2.0], "b": [None, 10.0, 30.0]}  # means 2 and 20
    # a: errors 0 1 1 against 1 1 9; b: errors 4 1 against 100 0
    expected = (np.sqrt(2 / 11) + np.sqrt(5 / 100)) / 2
    assert average_relative_rmse(y_true, y_pred, y_train=y_train) == pytest.approx(expected)
    means = {"b": 20.0, "a": 2.0}
    assert average_relative_rmse(y_true, y_pred, baseline=means) == pytest.approx(expected)
    frame = pd.DataFrame(y_true)
    assert average_relative_rmse(frame, y_pred, y_train=y_train) == pytest.approx(expected)


def test_predicting_the_training_mean_scores_one():
    mean = np.tile(Y[:8].mean(axis=0), (12, 1))
    assert average_relative_rmse(Y[8:], mean, y_train=Y[:8]) == pytest.approx(1)


def test_exact_predictions_score_zero():
    assert average_relative_rmse(Y, Y) == 0


def test_without_training_labels_it_is_the_root_of_one_minus_r2():
    r2 = r2_score(Y, PREDICTED, multioutput="raw_values")
    expected = np.mean(np.sqrt(1 - r2))
    assert average_relative_rmse(Y, PREDICTED) == pytest.approx(expected)
    weight = np.arange(1.0, 21.0)
    r2 = r2_score(Y, PREDICTED, multioutput="raw_values", sample_weight=weight)
    found = average_relative_rmse(Y, PREDICTED, sample_weight=weight)
    assert found == pytest.approx(np.mean(np.sqrt(1 - r2)))


def test_folds_are_pooled_by_a_baseline_for_each_label():
    baseline = cross_val_predict(DummyRegressor(), X, Y, cv=KFold(4))
    expected = np.mean(
        np.sqrt(((Y - PREDICTED) ** 2).sum(axis=0) / ((Y - baseline) ** 2).sum(axis=0))
    )
    assert average_relative_rmse(Y, PREDICTED, baseline=baseline) == pytest.approx(expected)
    assert average_relative_rmse(Y, PREDICTED, baseline=baseline) < average_relative_rmse(
        Y, PREDICTED
    )


def test_long_form_equals_the_columns():
    tasks = np.repeat(["a", "b", "c"], 20)
    long = (Y.T.ravel(), PREDICTED.T.ravel())
    assert average_relative_rmse(*long, tasks=tasks) == pytest.approx(
        average_relative_rmse(Y, PREDICTED)
    )
    means = dict(zip("abc", Y[:5].mean(axis=0), strict=True))
    assert average_relative_rmse(*long, tasks=tasks, baseline=means) == pytest.approx(
        average_relative_rmse(Y, PREDICTED, y_train=Y[:5])
    )


@pytest.mark.parametrize("baseline", [5.0, [5.0], {"task0": 5.0}, np.full(20, 5.0)])
def test_one_task_takes_its_baseline_in_any_form(baseline):
    y, predicted = Y[:, 0], PREDICTED[:, 0]
    expected = np.sqrt(((y - predicted) ** 2).sum() / ((y - 5) ** 2).sum())
    if isinstance(baseline, dict):
        y, predicted = {"task0": y}, {"task0": predicted}
    assert average_relative_rmse(y, predicted, baseline=baseline) == pytest.approx(expected)


def test_tasks_that_have_no_relative_error_are_left_out_and_named():
    y = np.column_stack([Y[:, 0], np.full(20, 0.1), np.full(20, np.nan)])
    with pytest.warns(UndefinedMetricWarning, match="'task1', 'task2'"):
        score = average_relative_rmse(y, PREDICTED)
    assert score == pytest.approx(average_relative_rmse(Y[:, 0], PREDICTED[:, 0]))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_no_task_left_is_an_error():
    with pytest.raises(ValueError, match="No task has a relative error"):
        average_relative_rmse(np.ones(5), np.zeros(5))


def test_text_is_an_error_that_names_the_task():
    with pytest.raises(ValueError, match="Task 'good' has entries in y_true"):
        average_relative_rmse({"good": ["no", "yes"]}, {"good": ["no", "no"]})


def test_two_baselines_are_an_error():
    with pytest.raises(ValueError, match="pass one of them"):
        average_relative_rmse(Y, PREDICTED, y_train=Y, baseline=[1, 2, 3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y_train": Y[:, :2]}, "y_train has 2 column"),
        ({"y_train": np.full((4, 3), np.nan)}, "'task0' has no observed label in y_train"),
        ({"baseline": {"a": 1.0}}, "baseline lacks"),
        ({"baseline": Y[:, :2]}, "baseline has 2 column"),
    ],
)
def test_baselines_of_other_tasks_are_an_error(options, message):
    with pytest.raises(TaskLayoutError, match=message):
        average_relative_rmse(Y, PREDICTED, **options)


def test_long_form_asks_for_means_rather_than_training_labels():
    with pytest.raises(TaskLayoutError, match="baseline="):
        average_relative_rmse([1.0, 2.0], [1.0, 1.0], tasks=["a", "a"], y_train=[1.0, 3.0])
