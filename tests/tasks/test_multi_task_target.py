import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from _row_estimator import FirstLabels
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_validate,
    train_test_split,
)
from sklearn.utils import shuffle

from sklearn_mtl import MultiTaskTarget, TaskLayoutError


@pytest.fixture
def target():
    return MultiTaskTarget(
        {
            "price": [1.0, None, 3.0, 4.0, 5.5, 6.0],
            "good": ["no", "yes", None, "no", "yes", "no"],
            "stars": np.array([1, 2, 3, 1, 2, 3]),
            "kind": pd.Categorical(["a", "b", "a", None, "b", "a"]),
        }
    )


X = np.arange(12.0).reshape(6, 2)


def labels(target):
    """Return every label as a plain object, None where missing."""
    return {
        name: [None if v is None or v != v else v for v in np.asarray(column, dtype=object)]
        for name, column in target.items()
    }


def test_rows_are_selected_like_those_of_an_array(target):
    everything = labels(target)
    mask = np.array([True, False, True, False, False, True])
    for rows in ([4, 0, 0], slice(1, 5, 2), mask, np.array([-1]), mask.tolist(), pd.Series(mask)):
        picked = target[rows]
        assert isinstance(picked, MultiTaskTarget)
        numbers = np.arange(6)[np.asarray(rows) if isinstance(rows, pd.Series) else rows]
        assert labels(picked) == {n: [v[i] for i in numbers] for n, v in everything.items()}
        assert picked.shape == (len(numbers), 4)


def test_one_row_is_a_dict_whatever_index_the_columns_have():
    y = MultiTaskTarget(
        {"a": pd.Series([1.5, 2.5], index=[7, 0]), "b": pl.Series(["u", "v"]), "c": [True, False]}
    )
    assert y[0] == {"a": 1.5, "b": "u", "c": True}
    assert y[-1] == {"a": 2.5, "b": "v", "c": False}
    with pytest.raises(IndexError):
        y[2]


def test_names_select_columns_and_a_misspelt_one_is_corrected(target):
    assert target["stars"].tolist() == [1, 2, 3, 1, 2, 3]
    assert target[["stars", "good"]].keys() == ["stars", "good"]
    assert list(target) == ["price", "good", "stars", "kind"]
    assert "good" in target
    with pytest.raises(KeyError, match=r"'prise' is no task; .*did you mean 'price'"):
        target["prise"]


def test_scikit_learn_splits_and_shuffles_rows(target):
    X_train, X_test, train, test = train_test_split(X, target, test_size=2, random_state=0)
    assert (len(train), len(test)) == (4, 2)
    everything = labels(target)
    for rows, part in ((X_train, train), (X_test, test)):
        numbers = (rows[:, 0] // 2).astype(int)
        assert labels(part) == {n: [v[i] for i in numbers] for n, v in everything.items()}
    for train_rows, test_rows in KFold(3).split(X, target):
        assert len(target[train_rows]) + len(target[test_rows]) == 6
    assert isinstance(shuffle(X, target, random_state=0)[1], MultiTaskTarget)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_grid_search_hands_the_estimator_a_target_in_every_fold(target, n_jobs):
    search = GridSearchCV(
        FirstLabels(), {"shift": [0.0, 1.0, 5.0]}, cv=2, n_jobs=n_jobs, error_score="raise"
    )
    search.fit(X, target)
    assert search.best_params_ == {"shift": 1.0}
    assert isinstance(search.predict(X[:1]), MultiTaskTarget)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_cross_val_predict_joins_the_folds_in_row_order_with_their_names(target, n_jobs):
    y = target[["price", "good", "stars"]]
    joined = cross_val_predict(FirstLabels(), X, y, cv=KFold(3), n_jobs=n_jobs)
    assert isinstance(joined, MultiTaskTarget)
    assert joined.keys() == y.keys()
    # every fold predicts the first observed label of the others
    assert joined["price"].tolist() == [3.0, 3.0, 1.0, 1.0, 1.0, 1.0]
    assert joined["good"].tolist() == ["no"] * 6
    assert joined["stars"].tolist() == [3, 3, 1, 1, 1, 1]


def test_cross_validate_scores_targets(target):
    result = cross_validate(FirstLabels(shift=1.0), X, target, cv=2, error_score="raise")
    assert result["test_score"].tolist() == [0.0, 0.0]


def test_scikit_learn_refuses_a_dict_before_any_estimator_sees_it(target):
    plain = dict(target.items())
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        GridSearchCV(FirstLabels(), {"shift": [0.0]}, cv=2).fit(X, plain)


def test_it_prints_kinds_counts_and_the_first_labels(target):
    assert repr(target) == (
        "MultiTaskTarget(6 rows, 4 tasks)\n"
        "  price  float64  5 observed, 1 missing  [1.0, None, 3.0, 4.0, …]\n"
        "  good   str      5 observed, 1 missing  ['no', 'yes', None, 'no', …]\n"
        "  stars  int64    6 observed             [1, 2, 3, 1, …]\n"
        "  kind   str      5 observed, 1 missing  ['a', 'b', 'a', nan, …]"
    )


def test_it_prints_series_many_tasks_no_rows_and_labels_that_nothing_can_read():
    y = MultiTaskTarget({"a": pd.Series(["u"], dtype="category"), "b": pl.Series([1])})
    assert repr(y).splitlines()[1:] == [
        "  a  category  1 observed  ['u']",
        "  b  Int64     1 observed  [1]",
    ]
    many = MultiTaskTarget({f"t{t}": [0.0] for t in range(25)})
    assert repr(many).splitlines()[-1] == "  … 5 more"
    assert repr(many[[]]).splitlines()[1] == "  t0   float64  0 observed  []"
    assert "mixed" in repr(MultiTaskTarget({"a": ["u", 1]}))


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames_and_targets_convert_into_one_another(target, backend):
    frame = target.to_frame(backend=backend)
    assert type(frame).__module__.split(".")[0] == backend.replace("pyarrow", "pyarrow")
    assert MultiTaskTarget.from_frame(frame).equals(target)
    assert MultiTaskTarget(frame).equals(target)


def test_pandas_frames_get_an_index_and_keep_integers():
    y = MultiTaskTarget({"n": [1, None], "b": [True, None], "s": ["u", None]})
    frame = y.to_frame(index=["x", "y"])
    assert frame.index.tolist() == ["x", "y"]
    assert [str(dtype) for dtype in frame.dtypes] == ["Int64", "boolean", "object"]
    with pytest.raises(ValueError, match="a polars frame has none"):
        y.to_frame(index=[0, 1], backend="polars")
    with pytest.raises(ValueError, match=r"'backend' parameter of to_frame.*did you mean 'polars'"):
        y.to_frame(backend="polar")


def test_copies_and_pickles_equal_the_original(target):
    for other in (pickle.loads(pickle.dumps(target)), copy.deepcopy(target), copy.copy(target)):
        assert other.equals(target)
        assert other is not target
    assert copy.deepcopy(target)["stars"] is not target["stars"]
    assert MultiTaskTarget(target).equals(target)


def test_equality_minds_names_labels_and_what_is_missing(target):
    columns = dict(target.items())
    assert not target.equals(columns)
    assert not target.equals(target[:5])
    assert not target.equals(target[["good", "price", "stars", "kind"]])
    assert not target.equals(MultiTaskTarget({**columns, "good": ["no"] * 6}))
    assert not target.equals(MultiTaskTarget({**columns, "stars": ["1"] * 6}))
    assert target.equals(MultiTaskTarget({**columns, "stars": [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]}))
    masked = np.ma.masked_array([1.0, 9.0, 3.0, 4.0, 5.5, 6.0], mask=[0, 1, 0, 0, 0, 0])
    assert target.equals(MultiTaskTarget({**columns, "price": masked}))


def test_arrays_of_it_hold_numbers_as_numbers_and_the_rest_as_objects(target):
    assert np.asarray(target[["stars"]]).dtype == np.int64
    array = np.asarray(target, dtype=object)
    assert array.shape == (6, 4)
    assert array[0].tolist() == [1.0, "no", 1, "a"]
    with pytest.raises(ValueError, match="copy"):
        np.array(target, copy=False)


def test_numpy_joins_targets_and_works_on_them_as_arrays(target):
    numbers = target[["stars"]]
    assert isinstance(np.concatenate([numbers, numbers], axis=0), MultiTaskTarget)
    assert np.vstack([numbers, numbers]).shape == (12, 1)
    assert np.mean(numbers) == 2.0
    joined = np.concatenate([target[:2], target[2:]])
    assert joined.equals(target)
    series = MultiTaskTarget({"a": pd.Series(["u", "v"], dtype="category")})
    assert np.concatenate([series, series])["a"].dtype == "category"
    series = MultiTaskTarget({"a": pl.Series(["u", "v"])})
    assert np.concatenate([series, series])["a"].to_list() == ["u", "v"] * 2
    mixed = np.concatenate([MultiTaskTarget({"a": ["u"]}), MultiTaskTarget({"a": np.array([1.5])})])
    assert mixed["a"].tolist() == ["u", 1.5]
    with pytest.raises(TaskLayoutError, match="same tasks"):
        np.concatenate([target, numbers])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ({}, TaskLayoutError, "at least one task"),
        ([[1, 2]], TypeError, "takes a dict from task name to labels, or a DataFrame; got list"),
        ({0: [1.0]}, TaskLayoutError, r"names must be strings .*found 0; rename it.*'0'"),
        ({"a": [1.0], "b": [1.0, 2.0]}, TaskLayoutError, r"one label a row.*'a': 1, 'b': 2"),
        ({"a": 1.0}, TaskLayoutError, r"task 'a' must be one-dimensional, found shape \(\)"),
        ({"a": [[1.0]]}, TaskLayoutError, r"task 'a' must be one-dimensional.*\(1, 1\)"),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            TaskLayoutError,
            "must be unique, found 'a' more than once.*rename or drop",
        ),
        (pd.DataFrame({0: [1.0]}), TaskLayoutError, "names must be strings"),
        ({"a": np.array([1j])}, ValueError, "Complex data not supported"),
    ],
)
def test_what_is_no_target_is_refused_with_a_reason(labels, error, message):
    with pytest.raises(error, match=message):
        MultiTaskTarget(labels)
    if not isinstance(labels, (dict, pd.DataFrame)):
        with pytest.raises(TypeError, match="from_frame takes a DataFrame, got list"):
            MultiTaskTarget.from_frame(labels)


def test_arrow_tables_become_targets():
    y = MultiTaskTarget(pa.table({"a": [1, None], "b": ["u", "v"]}))
    assert y.shape == (2, 2)
    assert y[[1, 0]].to_frame()["b"].tolist() == ["v", "u"]


def test_an_array_in_which_scikit_learn_would_number_missing_labels_is_refused():
    labels = {"good": np.array(["no", None, "yes"], dtype=object)}
    with pytest.raises(TypeError, match=r"task 'good' has 1 missing label.*MultiTaskKFold"):
        np.asarray(MultiTaskTarget(labels))
    mixed = MultiTaskTarget({"price": [1.5, 2.5], "good": ["no", "yes"]})
    with pytest.raises(TypeError, match=r"task '.*' has classes beside numbers"):
        np.asarray(mixed)
    assert np.asarray(mixed, dtype=object).tolist() == [[1.5, "no"], [2.5, "yes"]]
