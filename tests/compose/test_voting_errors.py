"""Estimators that do not fit together, and parameters that make no ensemble, are told of."""

import numpy as np
import pytest
from _labels import as_dict, make_mixed, make_numbers
from compose._voters import LOGISTIC, MIXED, RIDGE, TREES, VALUES, Saying, make_grades
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, Ridge, RidgeClassifier
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import IndependentTasks, MultiTaskLinearEstimator, TaskLayoutError, VotingTasks


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"estimators": []}, ValueError, "estimators is an empty list"),
        ({"estimators": [RIDGE]}, TypeError, "must be a list of pairs"),
        ({"estimators": Ridge()}, TypeError, "must be a list of pairs"),
        ({"estimators": [("a", RIDGE), ("a", TREES)]}, ValueError, "not unique.*'a', 'a'"),
        ({"estimators": [("a__b", RIDGE)]}, ValueError, "must not contain __"),
        ({"estimators": [("weights", RIDGE)]}, ValueError, "conflict with constructor arguments"),
        ({"estimators": [("a", "drop")]}, ValueError, "All estimators are 'drop'"),
        ({"estimators": [("a", IndependentTasks)]}, TypeError, "Estimator 'a' must be an instance"),
        ({"estimators": [("a", StandardScaler())]}, TypeError, "fit, predict and get_params"),
        (
            {"estimators": VALUES, "voting": "sotf"},
            ValueError,
            "'voting' parameter of VotingTasks.*did you mean 'soft'",
        ),
        ({"estimators": VALUES, "weights": [1, 2]}, ValueError, "each of 3 estimators 'ridge'"),
        ({"estimators": VALUES, "weights": [1, -2, 1]}, ValueError, "not negative"),
        (
            {"estimators": [("a", RIDGE), ("b", "drop")], "weights": [0, 1]},
            ValueError,
            "positive for an estimator that is kept",
        ),
        (
            {"estimators": [("ridge", RIDGE), ("logistic", LOGISTIC)]},
            TaskLayoutError,
            "'ridge' and 'logistic' do not fit together: the one is a regressor, the other a class",
        ),
        (
            {"estimators": [("ridge", RIDGE), ("mixed", MultiTaskLinearEstimator())]},
            TaskLayoutError,
            r"'ridge' \(IndependentTasks\) and 'mixed' \(MultiTaskLinearEstimator\) do not fit "
            "together: task 'task0' is regression for the first and multiclass",
        ),
        (
            {"estimators": [("mixed", MultiTaskLinearEstimator()), ("ols", LinearRegression())]},
            TaskLayoutError,
            "'ols' .* is for regression, but task 'task0' is multiclass for the other estimators",
        ),
        (
            {"estimators": [("a", RIDGE), ("b", IndependentTasks(Ridge(), task_feature=0))]},
            TaskLayoutError,
            "two-dimensional|one-dimensional",
        ),
        (
            {"estimators": [("ridge", RIDGE)], "task_feature": 0},
            TaskLayoutError,
            r"task_feature=0 asks for long form, but estimator 'ridge'",
        ),
        (
            {"estimators": [("ridge", RIDGE), ("odd one", Saying(0.0))]},
            TaskLayoutError,
            r"Estimator 'odd one' \(Saying\) does not fit the tasks .*its predict returned",
        ),
        (
            {"estimators": [("odd one", Saying([0.0, np.nan]))]},
            ValueError,
            "'odd one' .* predicted NaN",
        ),
    ],
    ids=lambda value: "",
)
def test_what_makes_no_ensemble_is_told_of(parameters, error, message):
    X = np.repeat(np.arange(4.0), 5)[:, None]
    Y = np.column_stack([np.arange(20) % 3, np.arange(20) % 4])
    if "odd one" in str(parameters["estimators"]):
        Y = Y + 0.5  # numbers, whatever the estimator
    with pytest.raises(error, match=message):
        VotingTasks(**parameters).fit(X, Y).predict(X)


def test_one_in_long_form_and_one_that_is_not_do_not_fit_together():
    rows = np.column_stack([np.arange(20.0), np.repeat([0, 1], 10)])
    long = IndependentTasks(Ridge(), task_feature=1)
    with pytest.raises(TaskLayoutError, match="a task column in the first and the same rows"):
        VotingTasks([("long", long), ("whole", RIDGE)]).fit(rows, rows[:, 0])
    flipped = IndependentTasks(Ridge(), task_feature=0)
    with pytest.raises(
        TaskLayoutError, match=r"tasks of the first are 0, those of the second 0, 2"
    ):
        VotingTasks([("long", long), ("flipped", flipped)]).fit(rows[:4] * 2, rows[:4, 0])


def test_soft_voting_needs_probabilities_of_every_estimator():
    X, y = make_grades()
    hard = ("ridge", IndependentTasks(RidgeClassifier()))
    with pytest.raises(ValueError, match=r"estimator 'ridge' .* has no predict_proba; set voting="):
        VotingTasks([("logistic", LOGISTIC), hard]).fit(X, y)
    X, named = make_mixed()
    mixed = IndependentTasks({**MIXED, "good": RidgeClassifier()})
    with pytest.raises(ValueError, match=r"estimator 'second' .* has no predict_proba"):
        VotingTasks([("first", IndependentTasks(MIXED)), ("second", mixed)]).fit(X, as_dict(named))


def test_an_error_of_an_estimator_says_whose_it_is():
    X, Y = make_numbers()
    forest = RandomForestClassifier()
    with pytest.raises(ValueError, match=r"Estimator 'plain': Ridge.fit failed: .*NaN"):
        VotingTasks([("ridge", RIDGE), ("plain", Ridge())]).fit(X, Y)
    with pytest.raises(ValueError, match=r"Estimator 'forest': RandomForestClassifier.fit failed"):
        VotingTasks([("forest", forest)]).fit(X, Y)
