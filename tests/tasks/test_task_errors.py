"""Every message says what is wrong, where, what was found and what to do."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _refusals import GOOD, LONG, OWN, PRICE, ROWS, X, Y, case, fit, raises_with
from scipy.sparse import csr_matrix

from sklearn_mtl import MultiTaskTarget

AT_FIT = [
    case("no y", (X, None), ["requires y to be passed", "None"], ValueError),
    case("y is a number", (X, 3.0), ["Expected array-like", "float", "DataFrame"], ValueError),
    case("y is a text", (X, "abcd"), ["Expected array-like", "str", "a dict"], ValueError),
    case("y is sparse", (X, csr_matrix(X)), ["Expected array-like", "csr_matrix"], ValueError),
    case("3-D y", (X, np.zeros((4, 2, 1))), ["one or two dimensions", "(4, 2, 1)", "pass an"]),
    case("empty dict", (X, {}), ["y holds no task", "pass at least one column"]),
    case("no column", (X, np.zeros((4, 0))), ["y holds no task", "pass at least one column"]),
    case("no rows", (X[:0], {"a": []}), ["'a' has no observed label among 0 rows", "drop it"]),
    case("complex y", (X, [1j, 2.0, 3.0, 4.0]), ["Complex data not supported"], ValueError),
    case("complex in a dict", (X, {"a": np.ones(4) * 1j}), ["Complex data"], ValueError),
    case(
        "dates",
        (X, pd.DataFrame({"day": pd.date_range("2020", periods=4)})),
        ["Task 'day' has labels of dtype datetime64", "must be numbers"],
    ),
    case(
        "dates as objects",
        (X, {"day": list(pd.date_range("2020", periods=4))}),
        ["task 'day' has labels of type Timestamp", "must be all numbers"],
    ),
    case(
        "polars dates",
        (X, pl.DataFrame({"day": pd.date_range("2020", periods=4).to_numpy()})),
        ["Task 'day' has labels of dtype datetime64"],
    ),
    case("bytes", (X, {"a": np.array([b"u"] * 4)}), ["Task 'a' has labels of dtype |S1"]),
    case(
        "a short column",
        (X, {"a": PRICE, "b": [1.5, 2.5]}),
        ["Task 'b' has 2 labels for 4 rows", "NaN or None", "X as a dict too"],
    ),
    case("a long vector", (X, [1.5] * 5), ["Task 'task0' has 5 labels for 4 rows", "one label a"]),
    case("a long matrix", (X, np.zeros((5, 2))), ["'task0' has 5 labels for 4 rows", "pass one"]),
    case("ragged rows", (X, [[1, 2], [3], [1], [2]]), ["rows of one length", "[1, 2]", "None"]),
    case("a matrix as a column", (X, {"a": X}), ["task 'a' must be one-dimensional", "(4, 2)"]),
    case("a number as a column", (X, {"a": 1.0}), ["task 'a' must be one-dimensional", "()"]),
    case(
        "repeated names",
        (X, pd.DataFrame(np.zeros((4, 3)), columns=["a", "b", "a"])),
        ["must be unique", "'a' more than once", "y", "rename or drop"],
    ),
    case("infinite", (X, {"a": PRICE, "b": [1.0, np.inf, -np.inf, 2]}), ["'b' has 2 infinite"]),
    case(
        "infinite class",
        (X, [1.0, np.inf, 2.0, 1.0]),
        ["continuous", "inf"],
        family="classification",
    ),
    case("all missing", (X, {"a": PRICE, "b": [None] * 4}), ["'b' has no observed label among 4"]),
    case(
        "strings in regression",
        (X, Y),
        ["Task 'good' is regression", "strings or categories (first: 'n')", "use a classifier"],
        family="regression",
    ),
    case(
        "strings where task_kinds says regression",
        (X, Y),
        ["Task 'good' is regression", "convert them to numbers"],
        task_kinds={"good": "regression"},
    ),
    case(
        "one class",
        (X, {"a": PRICE, "b": [1, 1, None, 1]}),
        ["Task 'b' has one class only, 1, on its 3 observed rows", "drop the task or add rows"],
    ),
    case(
        "one class that no task shares",
        (ROWS, {"a": ["u", "u"], "b": ["v", "w", "v"]}),
        ["Task 'a' has one class only, 'u'", "no other task shares that class"],
    ),
    case(
        "continuous labels of a classifier",
        (X, {"a": [1.0, 2.0, 2.5, 1.0]}),
        ["Unknown label type: continuous", "Task 'a'", "2.5", "use regression"],
        family="classification",
    ),
    case(
        "numbers beside strings",
        (X, {"a": ["u", 1, "v", 2]}),
        ["task 'a' mixes labels of types int, str", "all numbers, all booleans or all strings"],
    ),
    case("booleans beside numbers", (X, {"a": [True, 2, 3, 1]}), ["mixes labels of types bool, i"]),
    case(
        "categories of several types",
        (X, pd.DataFrame({"a": pd.Categorical(["u", 1, "u", 1])})),
        ["task 'a' mixes labels of types int, str"],
    ),
    case("huge integers", (X, {"a": [2**70, 1, 2, 3]}), ["Task 'a' has integers beyond 64 bits"]),
    case(
        "task_kinds of no task",
        (X, Y),
        ["task_kinds names 'prise'", "the tasks are 'price', 'good'", "did you mean 'price'?"],
        task_kinds={"prise": "regression"},
    ),
    case(
        "task_kinds of no kind",
        (X, Y),
        ["task_kinds['price'] must be", "got 'regresion' (did you mean 'regression'?)"],
        ValueError,
        task_kinds={"price": "regresion"},
    ),
    case(
        "task_kinds against the estimator",
        (X, Y),
        ["task_kinds['good'] is 'classification'", "every task of this estimator is regression"],
        ValueError,
        task_kinds={"good": "classification"},
        family="regression",
    ),
    case(
        "task_kinds is no dict",
        (X, Y),
        ["task_kinds must be a dict", "list"],
        TypeError,
        task_kinds=["regression"],
    ),
    case(
        "classes of no task",
        (X, Y),
        ["classes names 'god'", "did you mean 'good'?"],
        classes={"god": ["n"]},
    ),
    case(
        "too few classes lists",
        (X, Y),
        ["classes has 1 entries for 2 tasks", "a dict by task name"],
        classes=[["n", "y"]],
    ),
    case(
        "classes of another type",
        (X, {"a": [1, 2, 1, 2]}),
        ["Task 'a' has labels such as 1", "classes lists '1', '2'"],
        classes={"a": ["1", "2"]},
    ),
    case(
        "X and y name other tasks",
        (ROWS, {"a": OWN["a"], "c": OWN["b"]}),
        ["X and y must have the same tasks", "'b' not found in y"],
    ),
    case(
        "y has a task more than X",
        (ROWS, OWN | {"bb": [1.0]}),
        ["'bb' not found in X", "did you mean 'b'?"],
    ),
    case("X is a dict, y is not", (ROWS, PRICE), ["X is a dict", "y must be a dict", "list"]),
    case(
        "X is a dict, y a target",
        (ROWS, MultiTaskTarget(Y)),
        ["X is a dict", "y must be a dict", "MultiTaskTarget"],
    ),
    case(
        "own rows of another length",
        (ROWS, OWN | {"b": [1.0, 2.0]}),
        ["Task 'b' has 2 labels for 3 rows"],
    ),
    case(
        "no such column",
        (LONG, PRICE),
        ["task_feature='shool' is no column", "'school', 'x'", "did you mean 'school'?"],
        task_feature="shool",
    ),
    case(
        "column number too large",
        (X, PRICE),
        ["task_feature=2 is out of range", "X has 2 column(s)", "pass the number"],
        task_feature=2,
    ),
    case("number too small", (LONG, PRICE), ["task_feature=-3 is out of range"], task_feature=-3),
    case(
        "a name for an array",
        (X, PRICE),
        ["task_feature='school' names a column", "X is an array", "pass the column's number"],
        task_feature="school",
    ),
    case(
        "a repeated task column",
        (pd.DataFrame(X, columns=["t", "t"]), PRICE),
        ["task_feature='t' names 2 columns", "rename or drop"],
        task_feature="t",
    ),
    case(
        "a missing task",
        (LONG.assign(school=["u", None, "v", None]), PRICE),
        ["task column 'school' is missing in 2 of 4 rows", "fill them in or drop"],
        task_feature="school",
    ),
    case(
        "tasks of several types",
        (LONG.assign(school=["u", 1, "v", 2]), PRICE),
        ["the task column 'school' mixes labels of types int, str"],
        task_feature="school",
    ),
    case(
        "1-D X", (X[:, 0], PRICE), ["Expected 2D array for X, got 1D"], ValueError, task_feature=0
    ),
    case("sparse long form", (csr_matrix(X), PRICE), ["dense X"], TypeError, task_feature=0),
    case("dict X in long form", (ROWS, PRICE), ["X is a dict", "stack_tasks"], task_feature=0),
    case("dict y in long form", (LONG, Y), ["long form", "dict", "stack_tasks"], task_feature=0),
    case(
        "matrix y in long form",
        (LONG, X),
        ["Long form needs a one-dimensional y", "(4, 2)"],
        task_feature="school",
    ),
    case(
        "short y in long form",
        (LONG, [1.5]),
        ["X has 4 rows, but y has 1 labels", "must match"],
        task_feature="school",
    ),
    case(
        "an unlabelled task in long form",
        (LONG, [1.5, 2.5, None, None]),
        ["Task 'v' has no observed label among 2 rows"],
        task_feature="school",
    ),
]


@pytest.mark.parametrize(("arguments", "options", "fragments", "error"), AT_FIT)
def test_fit_refuses(arguments, options, fragments, error):
    raises_with(error, fragments, lambda: fit(*arguments, **options))


AFTER_FIT = [
    case("a class never seen", (X, Y, X, Y | {"good": ["n", "maybe", None, "so"]}),
         ["Task 'good' has classes that fit never saw: 'maybe', 'so'", "It knows 'n', 'y'",
          "drop those rows"]),
    case("numbers for strings", (X, {"a": ["1", "2", "1", "2"]}, X, {"a": [1, 2, 1, 2]}),
         ["Task 'a' has classes that fit never saw: 1, 2", "It knows '1', '2'"]),
    case("strings for numbers", (X, {"a": [1, 2, 1, 2]}, X, {"a": ["1", "2", "1", "2"]}),
         ["classes that fit never saw: '1', '2'", "It knows 1, 2"]),
    case("a class between two", (X, {"a": [1, 3, 1, 3]}, X, {"a": [1, 2, 0, 4]}),
         ["never saw: 0, 2, 4", "It knows 1, 3"]),
    case("a fraction", (X, {"a": [1, 2, 1, 2]}, X, {"a": [1.5, 1, 1, 1]}), ["never saw: 1.5"]),
    case("strings for values", (X, {"a": PRICE}, X, {"a": GOOD}),
         ["Task 'a' is regression", "(first: 'n')", "pass numbers"]),
    case("infinite values", (X, np.c_[PRICE, PRICE], X, np.c_[PRICE, [np.inf] * 4]),
         ["Task 'task1' has 4 infinite label(s)", "NaN"]),
    case("a task is lacking", (X, Y, X, {"price": PRICE}),
         ["y lacks the task(s) 'good' that fit saw", "found 'price'"]),
    case("a task is new", (X, Y, X, Y | {"goods": GOOD}),
         ["y has 'goods', which fit never saw", "'price', 'good'", "did you mean 'good'?"]),
    case("no names", (X, Y, X, np.c_[PRICE, PRICE]),
         ["fit received named tasks 'price', 'good'", "y is an array", "DataFrame"]),
    case("other columns", (X, np.c_[PRICE, PRICE], X, PRICE), ["y has 1 column(s)", "saw 2 task"]),
    case("own rows, one X", (ROWS, OWN, X, None), ["fit received X as a dict", "'a', 'b'", "ndar"]),
    case("own rows, a task less", (ROWS, OWN, {"a": X}, None), ["X lacks the task(s) 'b'"]),
    case("one X, own rows", (X, Y, ROWS, None), ["fit received one X for all tasks", "dict"]),
    case("an unknown school", (LONG, PRICE, LONG.assign(school=["u", "w", "vv", "w"]), None),
         ["The task column 'school' holds tasks that fit never saw: 'vv', 'w'", "'u', 'v'",
          "drop those rows"], task_feature="school"),
    case("no school", (LONG, PRICE, LONG[["x"]], None), ["'school' is no column of X"],
         task_feature="school"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "options", "fragments", "error"), AFTER_FIT)
def test_score_and_predict_refuse(arguments, options, fragments, error):
    X, y, new_X, new_y = arguments
    layout = fit(X, y, **options)
    raises_with(error, fragments, lambda: layout.encode(new_X, new_y))
