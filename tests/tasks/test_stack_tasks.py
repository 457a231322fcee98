import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_mtl import TaskLayoutError, stack_tasks, unstack_tasks
from sklearn_mtl.tasks import infer_layout

FEATURES = {
    "b": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    "a": np.array([[7.0, 8.0], [9.0, 10.0]]),
}
LABELS = {
    "numbers": {"b": np.array([0.5, np.nan, 1.5]), "a": np.array([2.5, 3.5])},
    "classes": {"b": np.array([1, 2, 1]), "a": np.array([2, 1])},
    "mixed": {"b": np.array([0.5, 1.5, 2.5]), "a": np.array(["u", "v"], dtype=object)},
    "integers beside floats": {"b": np.array([0.5, 1.5, 2.5]), "a": np.array([2, 1])},
    "missing classes": {"b": np.array([True, None, False]), "a": np.array([None, False])},
}
FRAMES = {
    "array": np.asarray,
    "pandas": lambda x: pd.DataFrame(x, columns=["x", "z"], index=list("uvw")[: len(x)]),
    "polars": lambda x: pl.DataFrame(x, schema=["x", "z"]),
    "arrow": lambda x: pa.table({"x": x[:, 0], "z": x[:, 1]}),
}


def as_numpy(X):
    return X.to_pandas().to_numpy() if isinstance(X, pa.Table) else np.asarray(X)


@pytest.mark.parametrize("labels", list(LABELS))
@pytest.mark.parametrize("form", list(FRAMES))
def test_unstacking_undoes_stacking(form, labels):
    tasks = {n: (FRAMES[form](x), LABELS[labels][n]) for n, x in FEATURES.items()}
    X, y = stack_tasks(tasks)
    assert len(X) == len(y) == 5
    back = unstack_tasks(X, y, task_feature=-1 if form == "array" else "task")
    assert list(back) == ["a", "b"]
    for name, (rows, own) in back.items():
        assert type(rows) is type(tasks[name][0])
        np.testing.assert_array_equal(as_numpy(rows), FEATURES[name])
        assert own.dtype == LABELS[labels][name].dtype
        np.testing.assert_array_equal(own, LABELS[labels][name])


@pytest.mark.parametrize("labels", list(LABELS))
@pytest.mark.parametrize("form", list(FRAMES))
def test_own_rows_and_long_form_of_the_same_data_encode_to_the_same_labels(form, labels):
    tasks = {n: (FRAMES[form](x), LABELS[labels][n]) for n, x in FEATURES.items()}
    own_X, own_y = ({n: pair[k] for n, pair in tasks.items()} for k in (0, 1))
    own = infer_layout(own_X, own_y)
    X, y = stack_tasks(tasks)
    task_feature = 2 if form == "array" else "task"
    long = infer_layout(X, y, task_feature=task_feature)
    own_data, long_data = own.encode(own_X, own_y), long.encode(X, y)
    assert set(own.tasks) == set(long.tasks)
    for t, name in enumerate(own.names):
        u = long.names.index(name)
        for data, task in ((own_data, t), (long_data, u)):
            assert data.per_task(data.observed).tolist()[task] == len(data.rows(task))
        rows, others = own_data.rows(t), long_data.rows(u)
        np.testing.assert_array_equal(
            own_data.column(own_data.labels, t, rows), long_data.column(long_data.labels, u, others)
        )
        inputs = as_numpy(own_data.inputs(t, rows)).astype(float)
        np.testing.assert_array_equal(as_numpy(long_data.inputs(u, others)).astype(float), inputs)


def test_numbers_as_names_keep_the_array_numeric_and_exact():
    X, _ = stack_tasks({1: (np.float32([[1.5]]), [1]), 2: (np.float32([[2.5]]), [2])})
    assert X.dtype == np.float32
    X, _ = stack_tasks({0: ([[1]], [1]), 0.5: ([[2]], [2])})
    assert X.dtype == np.float64
    X, y = stack_tasks({2**53: ([[1.0]], [1]), 2**53 + 1: ([[2.0]], [2])})
    assert list(unstack_tasks(X, y, task_feature=-1)) == [2**53, 2**53 + 1]


def test_text_features_stay_text():
    X, y = stack_tasks({"a": ([["red", 1.0]], [1]), "b": ([["blue", 2.0]], [2])})
    back = unstack_tasks(X, y, task_feature=-1)
    assert back["a"][0].tolist() == [["red", 1.0]]


def test_labels_of_missing_integers_do_not_become_floats():
    series = pl.Series([1, None, 2])
    _, y = stack_tasks({"a": (np.zeros((3, 1)), series), "b": (np.zeros((1, 1)), [3])})
    assert y.tolist() == [1, None, 2, 3]
    assert (
        infer_layout(np.c_[np.zeros(4), [0, 0, 0, 0]], y, task_feature=-1).tasks[0].n_outputs == 3
    )


two = np.zeros((2, 2))


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({}, "takes a dict from task name to a pair"),
        ([(two, [1, 2])], "takes a dict from task name to a pair"),
        ({"a": two}, r"'a' must be a pair \(X_t, y_t\), found ndarray"),
        ({"a": (two[0], [1, 2])}, r"X of task 'a' must be two-dimensional, found shape \(2,\)"),
        ({"a": (two, [1, 2, 3])}, "'a' has 2 rows, but 3 labels; pass one label a row"),
        ({"a": (two, two)}, r"task 'a' must be one-dimensional, found shape \(2, 2\)"),
        (
            {"a": (two, [1, 2]), "b": (two[:, :1], [1, 2])},
            "same number of features, found {'a': 2, 'b': 1}",
        ),
        (
            {"a": (pd.DataFrame({"x": [1]}), [1]), "b": (pd.DataFrame({"z": [1]}), [1])},
            "X of task 'b' has columns 'z', but that of 'a' has 'x'",
        ),
        (
            {"a": (pl.DataFrame({"x": [1]}), [1]), "b": (pl.DataFrame({"x": [1.0]}), [1])},
            "X of task 'b' has other dtypes than that of 'a' in 'x'; cast",
        ),
        ({"a": (pd.DataFrame({"task": [1]}), [1])}, "already has a column 'task'; pass another"),
        (
            {"a": (pd.DataFrame({"x": [1]}), [1]), "b": ([[1]], [1])},
            "X of the task.s. 'a' is a DataFrame, but that of others is an array",
        ),
        (
            {"a": (pd.DataFrame({"x": [1]}), [1]), "b": (pl.DataFrame({"x": [1]}), [1])},
            "from one library, found 'pandas', 'polars'",
        ),
    ],
)
def test_what_cannot_be_stacked_is_refused_with_a_reason(tasks, message):
    with pytest.raises(TaskLayoutError, match=message):
        stack_tasks(tasks)


def test_unstacking_wants_a_label_a_row():
    with pytest.raises(TaskLayoutError, match="X has 2 rows, but y has 3 labels"):
        unstack_tasks(two, [1, 2, 3], task_feature=0)
