"""decode(encode(y)) is y, for every container, kind of labels and pattern of missing ones.

"Is" means: the same container type of the same library, with the same task names in the same
order, the same rows (and pandas index), a label missing exactly where it was missing, and equal
labels elsewhere. The dtype is the caller's where pandas, polars or arrow can say "missing" in it.
Where a container cannot, the missing label is NaN (floats) or None (a numpy array of objects).
Regression is float64 of the same library, whatever float or integer type came.
"""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sklearn_mtl import MultiTaskTarget
from sklearn_mtl.tasks import infer_layout

KINDS = ("real", "integer", "boolean", "text")
VALUES = {
    "real": [-1.5, 0.25, 3.0, 1e9],
    "integer": [3, 5, -7, 2**40],
    "boolean": [True, False],
    "text": ["no", "yes", "", "nan"],
}


@st.composite
def columns(draw, n_rows, kinds=KINDS):
    """Return a kind and labels of that kind, some of them None, at least two kinds of them seen."""
    kind = draw(st.sampled_from(kinds))
    options = st.one_of(st.none(), st.sampled_from(VALUES[kind]))
    labels = draw(st.lists(options, min_size=n_rows, max_size=n_rows))
    rows = draw(st.permutations(range(n_rows)))[:2]
    labels[rows[0]], labels[rows[1]] = VALUES[kind][:2]
    return kind, labels


@st.composite
def named_columns(draw, kinds=KINDS, max_tasks=4):
    n_rows = draw(st.integers(2, 7))
    n_tasks = draw(st.integers(1, max_tasks))
    names = draw(st.permutations(["price", "good", "rank", "a b", "ß", "task0"]))[:n_tasks]
    return {name: draw(columns(n_rows, kinds)) for name in names}


def round_trip(X, y, **options):
    layout = pickle.loads(pickle.dumps(infer_layout(X, y, **options)))
    data = layout.encode(X, y)
    return layout, layout.decode(data.labels, data, observed=data.observed)


def inputs(y):
    n_rows = len(next(iter(y.values()))[1])
    return np.zeros((n_rows, 1))


def as_numpy(kind, labels):
    if kind == "real":
        return np.array(labels, dtype=float)
    if None in labels:
        return np.array([*labels, None], dtype=object)[:-1]
    return np.array(labels)


def assert_same_labels(found, expected):
    """Assert equal labels, and missing ones (None or NaN) in the same rows."""
    found, expected = list(found), list(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        if other is None:
            assert one is None or one != one
        else:
            assert one == other
            assert isinstance(one, str) == isinstance(other, str)


@settings(deadline=None, max_examples=40)
@given(named_columns())
@pytest.mark.parametrize("container", [dict, MultiTaskTarget])
@pytest.mark.parametrize("as_lists", [False, True])
def test_named_arrays_come_back_as_they_were(container, as_lists, tasks):
    y = {n: labels if as_lists else as_numpy(k, labels) for n, (k, labels) in tasks.items()}
    layout, back = round_trip(inputs(tasks), container(y))
    assert type(back) is container
    assert list(back.keys()) == list(tasks)
    for name, (kind, labels) in tasks.items():
        assert isinstance(back[name], np.ndarray)
        assert_same_labels(back[name].tolist(), labels)
        if not as_lists and kind != "text":
            assert back[name].dtype == y[name].dtype or None in labels
    assert [task.kind == "regression" for task in layout.tasks] == [
        kind == "real" for kind, _ in tasks.values()
    ]


PANDAS = {
    "numpy": {"real": "float64", "integer": "int64", "boolean": "bool", "text": "object"},
    "nullable": {"real": "Float64", "integer": "Int64", "boolean": "boolean", "text": "string"},
    "arrow": {
        "real": "double[pyarrow]",
        "integer": "int64[pyarrow]",
        "boolean": "bool[pyarrow]",
        "text": "string[pyarrow]",
    },
    "category": dict.fromkeys(KINDS, "category"),
    "object": dict.fromkeys(KINDS, "object"),
}


@settings(deadline=None, max_examples=40)
@given(named_columns(), st.data())
@pytest.mark.parametrize("family", list(PANDAS))
def test_pandas_frames_come_back_as_they_were(family, tasks, data):
    n_rows = len(inputs(tasks))
    index = pd.Index(data.draw(st.permutations(range(n_rows))), name="row")
    dtypes = {
        name: "object"
        if family == "numpy" and None in labels and kind != "real"
        else PANDAS[family][kind]
        for name, (kind, labels) in tasks.items()
    }
    y = pd.DataFrame(
        {n: pd.Series(labels, dtype=dtypes[n], index=index) for n, (_, labels) in tasks.items()}
    )
    y.columns.name = "tasks"
    X = pd.DataFrame({"x": np.zeros(n_rows)}, index=index)
    layout, back = round_trip(X, y)
    expected = y.copy()
    for task in layout.tasks:
        if task.kind == "regression" and family == "object":
            expected[task.name] = expected[task.name].astype("float64")
    pd.testing.assert_frame_equal(back, expected, check_exact=True)
    if family == "category":
        assert all(task.is_classification for task in layout.tasks)


@settings(deadline=None, max_examples=40)
@given(named_columns())
@pytest.mark.parametrize("text", [pl.String, pl.Categorical, pl.Enum(VALUES["text"][::-1])])
def test_polars_frames_come_back_as_they_were(text, tasks):
    dtypes = {"real": pl.Float64, "integer": pl.Int64, "boolean": pl.Boolean, "text": text}
    y = pl.DataFrame({n: pl.Series(labels, dtype=dtypes[k]) for n, (k, labels) in tasks.items()})
    _, back = round_trip(inputs(tasks), y)
    assert_frame_equal(back, y)


@settings(deadline=None, max_examples=40)
@given(named_columns())
def test_arrow_tables_come_back_as_they_were(tasks):
    types = {"real": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}
    types["text"] = pa.dictionary(pa.int32(), pa.string())
    y = pa.table({n: pa.array(labels, types[k]) for n, (k, labels) in tasks.items()})
    _, back = round_trip(inputs(tasks), y)
    assert back.schema == y.schema
    assert back.to_pydict() == y.to_pydict()


@settings(deadline=None, max_examples=40)
@given(named_columns())
@pytest.mark.parametrize("form", ["objects", "lists", "masked"])
def test_matrices_of_several_kinds_keep_the_kinds_apart(form, tasks):
    rows = [list(row) for row in zip(*(labels for _, labels in tasks.values()), strict=True)]
    y = np.empty((len(rows), len(tasks)), dtype=object)
    y[:] = rows
    # to numpy, and so to us, lists of numbers alone are one matrix of floats
    assume(form != "lists" or any(label is None for row in rows for label in row))
    if form == "masked":
        mask = np.array([[label is None for label in row] for row in rows])
        given_y = np.ma.masked_array(np.where(mask, 0, y), mask=mask)
    else:
        given_y = y if form == "objects" else rows
    layout, back = round_trip(np.zeros((len(rows), 1)), given_y)
    assert isinstance(back, np.ndarray)
    assert back.shape == y.shape
    for t in range(y.shape[1]):
        assert_same_labels(back[:, t].tolist(), y[:, t].tolist())
    kinds = [kind == "real" for kind, _ in tasks.values()]
    assert [task.kind == "regression" for task in layout.tasks] == kinds


@settings(deadline=None, max_examples=40)
@given(st.data())
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", ["vector", "matrix"])
def test_arrays_of_one_kind_keep_their_dtype(kind, shape, data):
    tasks = data.draw(named_columns(kinds=(kind,), max_tasks=1 if shape == "vector" else 4))
    lists = [labels for _, labels in tasks.values()]
    if kind != "real":
        lists = [[VALUES[kind][0] if v is None else v for v in labels] for labels in lists]
        lists = [[VALUES[kind][1], *labels] for labels in lists]
    y = np.array(lists, dtype=float if kind == "real" else None)
    y = y[0] if shape == "vector" else y.T
    _, back = round_trip(np.zeros((len(y), 1)), y)
    assert back.dtype == y.dtype
    np.testing.assert_array_equal(back, y)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_own_rows_come_back_with_the_lengths_they_had(data):
    names = data.draw(st.permutations(["a", "b", 3]))
    tasks = {name: data.draw(columns(data.draw(st.integers(2, 5)))) for name in names}
    X = {n: np.zeros((len(labels), 1 + t)) for t, (n, (_, labels)) in enumerate(tasks.items())}
    y = {name: as_numpy(*column) for name, column in tasks.items()}
    _, back = round_trip(dict(reversed(X.items())), y)
    assert list(back) == list(y)
    for name, (_, labels) in tasks.items():
        assert_same_labels(back[name].tolist(), labels)


LONG_X = {
    "array": (lambda tags, x: np.column_stack([x, tags.astype(float)]), -1, False),
    "objects": (lambda tags, x: np.column_stack([tags.astype(object), x.astype(object)]), 0, True),
    "pandas": (lambda tags, x: pd.DataFrame({"x": x, "task": tags}), "task", True),
    "category": (
        lambda tags, x: pd.DataFrame({"x": x, "task": pd.Categorical(tags)}),
        "task",
        True,
    ),
    "integer columns": (lambda tags, x: pd.DataFrame({7: x, 5: tags}), 5, True),
    "polars": (lambda tags, x: pl.DataFrame({"x": x, "task": tags.tolist()}), "task", True),
    "arrow": (lambda tags, x: pa.table({"x": x, "task": tags.tolist()}), "task", True),
    "by number": (lambda tags, x: pl.DataFrame({"task": tags.tolist(), "x": x}), -2, True),
}


@settings(deadline=None, max_examples=40)
@given(st.data())
@pytest.mark.parametrize("form", list(LONG_X))
def test_long_form_comes_back_row_by_row(form, data):
    make, task_feature, takes_text = LONG_X[form]
    names = ["b", "a", "c"] if takes_text else [2, 0, 1]
    per_task = [data.draw(columns(data.draw(st.integers(2, 4)))) for _ in names]
    rows = [(n, v) for n, (_, labels) in zip(names, per_task, strict=True) for v in labels]
    rows = data.draw(st.permutations(rows))
    tags = np.array([name for name, _ in rows])
    y = np.empty(len(rows), dtype=object)
    y[:] = [label for _, label in rows]
    layout, back = round_trip(make(tags, np.arange(len(rows))), y, task_feature=task_feature)
    assert layout.names == sorted(names)
    assert back.shape == y.shape
    assert_same_labels(back.tolist(), y.tolist())


def test_headers_of_several_levels_come_back():
    header = pd.MultiIndex.from_tuples([("wine", "price"), ("wine", "good")], names=["what", "of"])
    y = pd.DataFrame([[1.5, "no"], [2.5, "yes"], [None, "no"]], columns=header)
    layout, back = round_trip(np.zeros((3, 1)), y)
    assert layout.names == [("wine", "price"), ("wine", "good")]
    pd.testing.assert_frame_equal(back, y)


def test_ordered_categories_keep_their_order_and_the_ones_nobody_chose():
    stars = pd.Categorical(["two", None, "one"], categories=["one", "two", "three"], ordered=True)
    y = pd.DataFrame({"stars": stars, "bin": pd.cut([1.0, 2.0, 3.0], 3)})
    _, back = round_trip(np.zeros((3, 1)), y)
    pd.testing.assert_frame_equal(back, y)


def test_integers_that_count_as_values_come_back_as_float64_of_the_same_library():
    X = np.zeros((3, 1))
    pandas = pd.DataFrame({"n": pd.array([1, None, 3], "Int64"), "m": np.int32([1, 2, 3])})
    _, back = round_trip(X, pandas, family="regression")
    assert [str(dtype) for dtype in back.dtypes] == ["Float64", "float64"]
    _, back = round_trip(X, pl.DataFrame({"n": [1, None, 3]}), family="regression")
    assert back.schema == {"n": pl.Float64}
    _, back = round_trip(X, np.array([1, 2, 3]), family="regression")
    assert back.dtype == np.float64


def test_predictions_carry_the_index_of_x_and_the_columns_of_y():
    y = pd.DataFrame({"price": [1.0, 2.0], "good": ["n", "y"]}, index=[7, 8])
    layout = infer_layout(pd.DataFrame({"x": [0.0, 1.0]}, index=[7, 8]), y)
    for index in (["u"], ["u", "v", "w"], []):
        X = pd.DataFrame({"x": np.zeros(len(index))}, index=index)
        predicted = layout.decode(np.zeros((len(index), 2)), layout.encode(X))
        assert predicted.index.tolist() == index
        assert predicted.columns.tolist() == ["price", "good"]
        assert predicted.dtypes.tolist() == [np.dtype(float), np.dtype(object)]


def test_one_row_is_predicted_in_every_container():
    X = np.zeros((4, 1))
    columns = {"price": [1.5, 2.5, 3.5, 4.5], "good": ["n", "y", "y", "n"]}
    for y in (columns, MultiTaskTarget(columns), pd.DataFrame(columns), pl.DataFrame(columns)):
        layout = infer_layout(X, y)
        predicted = layout.decode(np.array([[2.0, 1.0]]), layout.encode(X[:1]))
        assert type(predicted) is type(y)
        assert predicted["price"][0] == 2.0
        assert predicted["good"][0] == "y"
    layout = infer_layout(X, np.array([[1, 2], [2, 1], [1, 1], [1, 1]]))
    predicted = layout.decode(np.array([[0.0, 1.0]]), layout.encode(X[:1]))
    assert predicted.tolist() == [[1, 2]]


def test_probabilities_come_as_arrays_lists_or_dicts_by_container():
    X = np.zeros((2, 1))
    half = np.full((2, 2), 0.5)
    vector = infer_layout(X, ["a", "b"])
    assert vector.decode_proba([half], vector.encode(X)) is half
    matrix = infer_layout(X, [["a", "c"], ["b", "d"]])
    assert matrix.decode_proba([half, half], matrix.encode(X)) == [half, half]
    named = infer_layout(X, {"price": [1.5, 2.0], "good": ["a", "b"]})
    assert named.decode_proba([None, half], named.encode(X)) == {"good": half}


def test_long_form_probabilities_stand_under_the_union_of_classes():
    X = np.array([[0.0], [0.0], [1.0], [1.0], [2.0], [2.0]])
    X = np.column_stack([X, X])
    y = np.array(["a", "b", "b", "c", 1.5, 2.5], dtype=object)
    layout = infer_layout(X, y, task_feature=0)
    data = layout.encode(X)
    block = np.array([[0.25, 0.75], [1.0, 0.0]])
    proba = layout.decode_proba([block, block, None], data)
    assert layout.classes.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(proba[:2], [[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(proba[2:4], [[0.0, 0.25, 0.75], [0.0, 1.0, 0.0]])
    assert np.isnan(proba[4:]).all()
