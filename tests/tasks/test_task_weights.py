"""Weights of labels (sample_weight) and of tasks (task_weight), taken and refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _refusals import LONG, OWN, PRICE, ROWS, X, Y, case, fit, raises_with

from sklearn_mtl import MultiTaskTarget, TaskLayoutError
from sklearn_mtl.tasks import infer_layout
from sklearn_mtl.tasks._weights import resolve_task_weight

SHAPE = "sample_weight must have shape (4,) or (4, 2)"
WEIGHTS = [
    case("negative", (X, Y, [1, -2, 1, 1]), ["not negative, found -2.0 in 1"], ValueError),
    case("NaN", (X, Y, [1, np.nan, 1, 1]), ["must be finite", "nan"], ValueError),
    case("infinite", (X, Y, [1, np.inf, 1, 1]), ["must be finite", "inf"], ValueError),
    case("text", (X, Y, ["u"] * 4), ["must hold numbers"], ValueError),
    case("too few", (X, Y, [1, 1]), [SHAPE, "found (2,)"]),
    case("a number", (X, Y, 2.0), [SHAPE, "found ()"]),
    case("too many columns", (X, Y, np.ones((4, 3))), [SHAPE, "found (4, 3)"]),
    case("unknown name", (X, Y, {"price": [1] * 4, "god": [1] * 4}),
         ["sample_weight lacks the task(s) 'good'"]),
    case("one name more", (X, Y, pd.DataFrame(1.0, range(4), ["price", "good", "rank"])),
         ["sample_weight has 'rank', which fit never saw"]),
    case("columns of several lengths", (X, Y, {"price": [1] * 4, "good": [1] * 3}),
         ["one weight a row for each task", "[(3,), (4,)]"]),
    case("repeated names", (X, Y, pd.DataFrame(np.ones((4, 2)), columns=["good", "good"])),
         ["'good' more than once in the columns of sample_weight"]),
    case("an array for own rows", (ROWS, OWN, [1] * 5), ["must be a dict of the", "found list"]),
    case("own rows, wrong length", (ROWS, OWN, {"a": [1, 1], "b": [1, 1]}),
         ["sample_weight of task 'b' must have shape (3,), found (2,)"]),
    case("own rows, wrong name", (ROWS, OWN, {"a": [1, 1]}), ["sample_weight lacks the task"]),
    case("long form, a matrix", (LONG, PRICE, X), ["shape (4,), one weight a row", "(4, 2)"],
         task_feature="school"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "options", "fragments", "error"), WEIGHTS)
def test_sample_weight_is_refused(arguments, options, fragments, error):
    raises_with(error, fragments, lambda: fit(*arguments, **options))


def test_a_task_without_weight_can_be_told_from_one_that_has_some():
    weights = np.array([[1, 0], [1, 0], [1, 0], [1, 0]])
    layout = infer_layout(X, Y)
    layout.check_observed(layout.encode(X, Y))
    with pytest.raises(TaskLayoutError, match=r"'good' have no label to learn from.*zero.*weight"):
        layout.check_observed(layout.encode(X, Y, weights))


NAMES, COUNTS = ["price", "good"], np.array([10, 30])


@pytest.mark.parametrize(
    ("task_weight", "fragments", "error"),
    [
        ("n_sample", ["'n_samples'", "got 'n_sample' (did you mean 'n_samples'?)"], ValueError),
        ({"prise": 1.0}, ["task_weight names 'prise'", "did you mean 'price'?"], TaskLayoutError),
        ({"price": -1.0}, ["task_weight of task 'price'", "not negative, got -1.0"], ValueError),
        ({"good": np.nan}, ["task_weight of task 'good' must be finite", "nan"], ValueError),
        ({"good": "much"}, ["task_weight of task 'good'", "got 'much'"], ValueError),
        ([1.0, 2.0, 3.0], ["one number for each of 2 task(s)", "(3,)"], TaskLayoutError),
        (2.0, ["one number for each of 2 task(s)", "found shape ()"], TaskLayoutError),
        ([1.0, np.inf], ["task_weight of task 'good' must be finite"], ValueError),
        ([0.0, 0.0], ["0 for every task", "at least one a positive weight"], ValueError),
    ],
)
def test_task_weight_is_refused(task_weight, fragments, error):
    raises_with(error, fragments, lambda: resolve_task_weight(task_weight, NAMES, COUNTS))


@pytest.mark.parametrize(
    ("task_weight", "expected"),
    [
        (None, [1, 1]),
        ("n_samples", [0.5, 1.5]),
        ([2, 0], [2, 0]),
        ({"good": 3}, [1, 3]),
        ({}, [1, 1]),
        (pd.Series([2.0, 1.0]), [2, 1]),
    ],
)
def test_task_weight_gives_a_number_a_task(task_weight, expected):
    assert resolve_task_weight(task_weight, NAMES, COUNTS).tolist() == expected


BY_ROW, BY_LABEL = np.array([1.0, 0.0, 2.0, 3.0]), np.arange(8.0).reshape(4, 2)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (BY_ROW, np.c_[BY_ROW, BY_ROW]),
        (BY_ROW.tolist(), np.c_[BY_ROW, BY_ROW]),
        (pd.Series(BY_ROW, index=[3, 2, 1, 0]), np.c_[BY_ROW, BY_ROW]),
        (pl.Series(BY_ROW), np.c_[BY_ROW, BY_ROW]),
        (BY_LABEL, BY_LABEL),
        (pd.DataFrame(BY_LABEL[:, ::-1], columns=["good", "price"]), BY_LABEL),
        (pl.DataFrame({"good": BY_LABEL[:, 1], "price": BY_LABEL[:, 0]}), BY_LABEL),
        ({"good": BY_LABEL[:, 1], "price": BY_LABEL[:, 0].tolist()}, BY_LABEL),
        (MultiTaskTarget({"price": BY_LABEL[:, 0], "good": BY_LABEL[:, 1]}), BY_LABEL),
    ],
)
def test_sample_weight_comes_by_row_by_label_or_by_name(weights, expected):
    data = infer_layout(X, Y).encode(X, Y, weights)
    np.testing.assert_array_equal(data.weights, expected)
    np.testing.assert_array_equal(data.observed, expected > 0)


def test_sample_weight_of_own_rows_and_long_form_is_a_weight_a_row():
    data = infer_layout(ROWS, OWN).encode(ROWS, OWN, {"b": [3, 0, 4], "a": [1, 2]})
    assert data.weights.tolist() == [1, 2, 3, 0, 4]
    assert data.rows(1).tolist() == [2, 4]
    data = infer_layout(LONG, PRICE, task_feature=0).encode(LONG, PRICE, BY_ROW)
    assert data.weights.tolist() == BY_ROW.tolist()
    assert data.per_task(data.observed).tolist() == [1, 2]
