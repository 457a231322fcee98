"""The truth table of `infer_layout`, a test case for each cell."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_mtl import TaskLayoutError
from sklearn_mtl.tasks import infer_layout

X = np.zeros((4, 1))
WHOLE, PARTS, MISSING = [1.0, 2.0, 1.0, 2.0], [1.0, 2.5, 1.0, 2.0], [None] * 4

COLUMNS = {
    "floats": np.array(PARTS),
    "whole floats": np.array(WHOLE),
    "integers": np.array([1, 2, 1, 2]),
    "booleans": np.array([True, False, True, True]),
    "strings": np.array(["n", "y", "n", "y"]),
    "categories": pd.Series(["n", "y", "n", "y"], dtype="category"),
    "categories of numbers": pd.Series(WHOLE, dtype="category"),
    "nothing": np.array(MISSING, dtype=float),
}
TABLE = {
    #                        regression    classification  mixed
    "floats":                ("regression", "continuous", "regression"),
    "whole floats":          ("regression", "binary", "regression"),
    "integers":              ("regression", "binary", "binary"),
    "booleans":              ("regression", "binary", "binary"),
    "strings":               ("strings or categories", "binary", "binary"),
    "categories":            ("strings or categories", "binary", "binary"),
    "categories of numbers": ("strings or categories", "binary", "binary"),
    "nothing":               ("no observed label", "no observed label", "no observed label"),
}  # fmt: skip
CELLS = [
    (column, family, cell)
    for column, cells in TABLE.items()
    for family, cell in zip(("regression", "classification", "mixed"), cells, strict=True)
]


@pytest.mark.parametrize(("column", "family", "cell"), CELLS)
def test_labels_and_estimator_decide_the_kind(column, family, cell):
    y = {"t": COLUMNS[column]}
    if cell in ("regression", "binary"):
        assert infer_layout(X, y, family=family).tasks[0].kind == cell
    else:
        with pytest.raises(TaskLayoutError, match=f"(?i)task 't'.*{cell}|{cell}.*task 't'"):
            infer_layout(X, y, family=family)


@pytest.mark.parametrize(
    ("column", "asked", "cell"),
    [
        ("floats", "regression", "regression"),
        ("floats", "classification", "continuous"),
        ("whole floats", "classification", "binary"),
        ("integers", "regression", "regression"),
        ("booleans", "regression", "regression"),
        ("strings", "regression", "strings or categories"),
        ("strings", "classification", "binary"),
        ("nothing", "regression", "no observed label"),
    ],
)
def test_task_kinds_overrides_a_mixed_estimator(column, asked, cell):
    y = {"t": COLUMNS[column], "other": [1, 2, 3, 1]}
    if cell in ("regression", "binary"):
        kinds = [task.kind for task in infer_layout(X, y, task_kinds={"t": asked}).tasks]
        assert kinds == [cell, "multiclass"]
    else:
        with pytest.raises(TaskLayoutError, match=cell):
            infer_layout(X, y, task_kinds={"t": asked})


@pytest.mark.parametrize(
    ("labels", "content"),
    [
        (["a", np.nan, "b", "a"], ["a", "b"]),
        ([True, np.nan, False, True], [False, True]),
        ([1, np.nan, 2, 1], [1, 2]),
        ([1, None, 2, 1], [1, 2]),
        ([pd.NA, "a", "b", "a"], ["a", "b"]),
        (np.ma.masked_array([1, 2, 9, 1], mask=[0, 0, 1, 0]), [1, 2]),
        (pd.Series([1, None, 2, 1], dtype="Int8"), [1, 2]),
        (pl.Series([1, None, 2, 1], dtype=pl.UInt8), [1, 2]),
        (pl.Series(["a", None, "b", "a"], dtype=pl.Categorical), ["a", "b"]),
        (np.array(["a", None, "b", "a"], dtype=np.dtypes.StringDType(na_object=None)), ["a", "b"]),
    ],
)
def test_missing_labels_do_not_change_the_kind_of_the_others(labels, content):
    for y in (labels, {"t": labels}):
        layout = infer_layout(X, y)
        assert layout.tasks[0].classes.tolist() == content
        data = layout.encode(X, y)
        assert data.observed.sum() == 3
        assert set(data.labels[data.observed]) == {0.0, 1.0}


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA, float("nan")])
def test_every_sign_of_a_missing_number_is_read(missing):
    y = np.array([1.5, missing, 2.5, 3.5], dtype=object)
    layout = infer_layout(X, y)
    assert layout.tasks[0].kind == "regression"
    assert layout.encode(X, y).observed.ravel().tolist() == [True, False, True, True]


def test_a_polars_column_may_hold_nan_and_null():
    y = pl.DataFrame({"a": [1.5, None, float("nan"), 2.5], "b": [1, 2, None, 1]})
    data = infer_layout(X, y).encode(X, y)
    assert data.observed.tolist() == [[True, True], [False, True], [False, False], [True, True]]


def test_names_come_from_columns_keys_and_series():
    assert infer_layout(X, np.zeros((4, 2))).names == ["task0", "task1"]
    assert infer_layout(X, pd.Series(PARTS, name="price")).names == ["price"]
    assert infer_layout(X, pl.Series(PARTS)).names == ["task0"]
    assert infer_layout(X, pd.DataFrame({3: PARTS, 1: PARTS})).names == [3, 1]


def test_classes_are_an_array_for_one_column_and_a_list_for_several():
    assert infer_layout(X, ["b", "a", "b", "a"]).classes.tolist() == ["a", "b"]
    several = infer_layout(X, {"price": PARTS, "n": [1, 2, 1, 2]}).classes
    assert several[0] is None
    assert several[1].tolist() == [1, 2]


def test_a_task_that_saw_one_class_takes_those_of_the_tasks_that_share_it():
    y = {"a": ["x", "x"], "b": ["x", "y"], "c": ["u", "v"], "d": [1, 2], "e": [True, False]}
    own = {name: np.zeros((2, 1)) for name in y}
    layout = infer_layout(own, y)
    assert [task.classes.tolist() for task in layout.tasks[:2]] == [["x", "y"], ["x", "y"]]
    with pytest.raises(
        TaskLayoutError, match=r"'a' has one class only, True.*no other task shares"
    ):
        infer_layout(own | {"a": np.zeros((2, 1))}, y | {"a": [True, True], "e": [1, 0]})


def test_long_form_shows_the_union_of_classes():
    rows = np.array([[0, 0.0], [0, 0.0], [1, 0.0], [1, 0.0]])
    assert infer_layout(rows, ["a", "b", "b", "c"], task_feature=0).classes.tolist() == list("abc")


def test_classes_to_expect_are_added_to_those_seen():
    layout = infer_layout(X, {"a": [1, 2, 1, 2], "b": PARTS}, classes={"a": [3]})
    assert layout.tasks[0].classes.tolist() == [1, 2, 3]
    layout = infer_layout(X, ["x"] * 4, classes=["x", "y"])
    assert layout.tasks[0].kind == "binary"


def test_same_tasks_are_equal_in_names_kinds_classes_and_container():
    y = {"a": PARTS, "b": [1, 2, 1, 2]}
    layout = infer_layout(X, y)
    assert layout.same_tasks(infer_layout(X, y))
    assert not layout.same_tasks(infer_layout(X, y | {"b": [1, 3, 1, 3]}))
    assert not layout.same_tasks(infer_layout(X, y | {"b": PARTS}))
    assert not layout.same_tasks(infer_layout(X, pd.DataFrame(y)))
