"""Columns are appended to X of every type, and stay what they are."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from _labels import make_numbers
from scipy import sparse
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from sklearn_mtl import PooledTasks, StackedTasks, TaskChain, TaskLayoutError
from sklearn_mtl.compose._append_columns import append_columns

COLUMNS, NAMES = np.array([[0.5, 1.5], [2.5, 3.5]]), ["p", "q"]


@pytest.mark.parametrize(
    ("X", "given", "dtype"),
    [
        (np.ones((2, 1)), np.float64, np.float64),
        (np.ones((2, 1), dtype=np.float32), np.float32, np.float32),
        (np.ones((2, 1), dtype=np.float32), np.uint8, np.float32),
        (np.ones((2, 1), dtype=np.int8), np.float64, np.float64),
        (np.ones((2, 1), dtype=bool), np.uint8, np.uint8),
        ([[1.0], [1.0]], np.float64, np.float64),
    ],
)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_the_dtype_is_the_narrowest_that_holds_x_and_the_columns(form, X, given, dtype):
    columns = np.array([[0, 2], [3, 0]]).astype(given)
    wide = append_columns(X, form(columns), NAMES)
    assert wide.dtype == dtype
    assert np.array_equal(wide, np.column_stack([np.ones(2), columns]))


@pytest.mark.parametrize("dtype", [object, str])
def test_numbers_beside_text_stay_numbers(dtype):
    wide = append_columns(np.array([["a"], ["b"]], dtype=dtype), COLUMNS, NAMES)
    assert wide.tolist() == [["a", 0.5, 1.5], ["b", 2.5, 3.5]]


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_are_appended_to_sparse_rows(dtype, form, make):
    columns = form(COLUMNS.astype(dtype))
    wide = append_columns(make(np.ones((2, 1), dtype=dtype)), columns, NAMES)
    assert isinstance(wide, sparse.sparray) == (make is sparse.csr_array)
    assert wide.format == "csr"
    assert wide.dtype == dtype
    assert np.array_equal(wide.toarray(), np.column_stack([np.ones(2), COLUMNS]))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_columns_are_appended_to_frames_with_their_names(form):
    columns, frame = form(COLUMNS), pd.DataFrame({"a": ["x", "y"]}, index=[5, 3])
    wide = append_columns(frame, columns, NAMES)
    assert wide.columns.tolist() == ["a", "p", "q"]
    assert wide.index.tolist() == [5, 3]
    assert wide["q"].tolist() == [1.5, 3.5]
    wide = append_columns(pl.DataFrame({"a": ["x", "y"]}), columns, NAMES)
    assert wide.equals(pl.DataFrame({"a": ["x", "y"], "p": [0.5, 2.5], "q": [1.5, 3.5]}))
    wide = append_columns(pa.table({"a": ["x", "y"]}), columns, NAMES)
    assert wide.column_names == ["a", "p", "q"]
    # scikit-learn takes names that are all strings, or none of them
    wide = append_columns(pd.DataFrame({0: [1, 2], 7: [3, 4]}), columns, NAMES)
    assert wide.columns.tolist() == [0, 7, 8, 9]


def test_a_name_that_is_taken_is_named():
    with pytest.raises(TaskLayoutError, match=r"X already has the column\(s\) 'q'.*rename"):
        append_columns(pd.DataFrame({"q": [1, 2]}), COLUMNS, NAMES)


def test_rows_that_cannot_have_columns_are_refused():
    with pytest.raises(ValueError, match=r"Expected 2D array, got 1D .*passthrough=False"):
        append_columns(["good wine", "bad wine"], COLUMNS, NAMES)


@pytest.mark.parametrize("make", [PooledTasks, TaskChain, StackedTasks])
def test_columns_are_numbered_on_from_those_of_x(make):
    X, Y = make_numbers(missing=0.0)
    # scikit-learn has no names to compare, and 4 is not taken
    frame = pd.DataFrame(X, columns=[1, 2, 4])
    tree = DecisionTreeRegressor(random_state=0)
    expected = make(tree).fit(X, Y).predict(X)
    assert np.array_equal(make(tree).fit(frame, Y).predict(frame), expected)


@pytest.mark.parametrize(
    ("make", "taken"),
    [
        (PooledTasks, "task_task0"),
        (TaskChain, "predicted_task0"),
        (StackedTasks, "predicted_task0"),
    ],
)
def test_every_composition_tells_alike_of_a_name_that_is_taken(make, taken):
    X, Y = make_numbers(missing=0.0)
    with pytest.raises(TaskLayoutError, match=rf"X already has the column\(s\) '{taken}'"):
        make(Ridge()).fit(pd.DataFrame(X, columns=["a", "b", taken]), Y)
