"""Dask arrays are read block by block, and give the fit of the same rows in memory."""

import gc
import subprocess
import sys
import weakref

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from linear_model._streams import NAMES, STREAMING, N, P, T, make_rows
from scipy import sparse

from sklearn_mtl import LowRankRegressor, MultiTaskTarget, linear_model
from sklearn_mtl.exceptions import TaskLayoutError

ROWS = (7, 1, 20, 20, 12)  # of the blocks of X: one row, and less rows than features, included


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def blocks(values, rows=ROWS):
    """Cut into blocks of whole rows."""
    return da.from_array(values, chunks=(rows, *[-1] * (values.ndim - 1)))


def of_unknown_lengths(array):
    return array[da.ones(N, chunks=array.chunks[0]) > 0]


def assert_same_model(model, other):
    # asked for: 1e-10; sums of other partial sums differ by some 1e-15
    scale = np.abs(other.coef_).max()
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-10, atol=1e-10 * scale)
    np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=1e-10, atol=1e-10)
    assert model.coef_.dtype == other.coef_.dtype
    assert model.task_names_ == other.task_names_
    assert model.n_features_in_ == other.n_features_in_
    np.testing.assert_array_equal(model.statistics_.count, other.statistics_.count)


def assert_same_predictions(lazy, expected):
    assert isinstance(lazy, da.Array)
    assert lazy.dtype == expected.dtype
    computed = lazy.compute()
    assert computed.shape == expected.shape == lazy.shape
    np.testing.assert_allclose(computed, expected, rtol=1e-9, atol=1e-12)  # of weights that agree


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", STREAMING)
def test_blocks_give_the_fit_of_the_rows_in_memory(name, missing):
    X, Y = make_rows(missing=missing)
    whole = STREAMING[name]().fit(X, Y)
    lazy = STREAMING[name]().fit(blocks(X), blocks(Y))
    assert_same_model(lazy, whole)
    assert_same_predictions(lazy.predict(blocks(X)), whole.predict(X))
    assert lazy.score(blocks(X), blocks(Y)) == pytest.approx(whole.score(X, Y), rel=1e-10)
    assert whole.predict(X).dtype == lazy.predict(X).dtype


WEIGHTS = {
    "rows": np.random.default_rng(1).uniform(0.1, 3.0, N),
    "labels": np.random.default_rng(1).uniform(0.1, 3.0, (N, T))
    * (np.random.default_rng(2).random((N, T)) > 0.1),
}


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_weights_come_in_blocks_of_their_own_or_in_memory(weights, in_memory):
    X, Y = make_rows(missing=True)
    weight = WEIGHTS[weights]
    whole = LowRankRegressor(task_weight="n_samples").fit(X, Y, weight)
    given = weight if in_memory else blocks(weight, rows=25)
    lazy = LowRankRegressor(task_weight="n_samples").fit(blocks(X), blocks(Y, rows=11), given)
    assert_same_model(lazy, whole)
    expected = whole.score(X, Y, weight)
    assert lazy.score(blocks(X), blocks(Y), given) == pytest.approx(expected, rel=1e-10)


def _named(wrap):
    return lambda Y: wrap(dict(zip(NAMES, Y.T, strict=True)))


LABELS = {
    "matrix in memory": lambda Y: Y,
    "vector in memory": lambda Y: Y[:, 0],
    "list": lambda Y: Y[:, 0].tolist(),
    "frame": _named(pd.DataFrame),
    "dict": _named(dict),
    "target": _named(MultiTaskTarget),
    "blocks of one column": lambda Y: blocks(Y[:, 0], rows=25),
    "blocks of few columns": lambda Y: da.from_array(Y, chunks=(25, 2)),
    "one column": lambda Y: blocks(Y[:, :1]),
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_come_in_any_blocks_or_in_memory(labels):
    X, Y = make_rows(missing=True)
    y = LABELS[labels](Y)
    whole = LowRankRegressor().fit(X, y.compute() if isinstance(y, da.Array) else y)
    lazy = LowRankRegressor().fit(blocks(X), y)
    assert_same_model(lazy, whole)
    predicted, expected = lazy.predict(blocks(X)), whole.predict(X)
    if lazy.layout_.is_named:  # in memory, as y was
        assert type(predicted) is type(expected)
        for name in NAMES:
            np.testing.assert_allclose(predicted[name], expected[name], rtol=1e-9)
    else:
        assert_same_predictions(predicted, expected)


def test_blocks_along_features_are_joined():
    X, Y = make_rows()
    tiles = da.from_array(X, chunks=(ROWS, 3))
    lazy = LowRankRegressor().fit(tiles, blocks(Y))
    assert_same_model(lazy, LowRankRegressor().fit(X, Y))
    assert_same_predictions(lazy.predict(tiles), lazy.predict(X))
    unknown = LowRankRegressor().fit(of_unknown_lengths(tiles), of_unknown_lengths(blocks(Y)))
    assert_same_model(unknown, lazy)


def test_joined_blocks_stay_below_the_size_that_dask_allows():
    X, Y = make_rows()
    tall = da.from_array(X, chunks=(N, 1))
    watched = tall.map_blocks(lambda part: part, dtype=float)
    with dask.config.set({"array.chunk-size": "1 kiB"}):  # 32 rows of 4 numbers
        lazy = LowRankRegressor().fit(watched, blocks(Y))
        predicted = lazy.predict(watched)
    assert max(predicted.chunks[0]) <= 32
    assert_same_model(lazy, LowRankRegressor().fit(X, Y))


def test_blocks_of_unknown_lengths_are_matched_by_number():
    X, Y = make_rows()
    lazy = LowRankRegressor().fit(
        of_unknown_lengths(blocks(X)),
        of_unknown_lengths(blocks(Y)),
        of_unknown_lengths(blocks(np.ones(N))),
    )
    assert_same_model(lazy, LowRankRegressor().fit(X, Y))
    predicted = lazy.predict(of_unknown_lengths(blocks(X))).compute()
    np.testing.assert_allclose(predicted, lazy.predict(X), rtol=1e-12, atol=1e-12)


def test_blocks_may_be_empty():
    X, Y = make_rows()
    kept = np.arange(N) >= ROWS[0]
    lazy = LowRankRegressor().fit(blocks(X)[blocks(kept)], blocks(Y)[blocks(kept)])
    assert_same_model(lazy, LowRankRegressor().fit(X[kept], Y[kept]))
    predicted = lazy.predict(blocks(X)[blocks(kept)]).compute()
    np.testing.assert_allclose(predicted, lazy.predict(X[kept]), rtol=1e-12, atol=1e-12)


def test_blocks_may_be_sparse_or_of_other_dtypes():
    X, Y = make_rows()
    X = np.round(X * (X > 0))
    whole = LowRankRegressor().fit(X, Y)
    stored = blocks(X).map_blocks(sparse.csr_array, meta=sparse.csr_array((0, 0)))
    assert_same_model(LowRankRegressor().fit(stored, blocks(Y)), whole)
    assert_same_model(LowRankRegressor().fit(blocks(X.astype(int)), blocks(Y)), whole)
    single = LowRankRegressor().fit(blocks(X.astype(np.float32)), blocks(Y))
    assert_same_model(single, LowRankRegressor().fit(X.astype(np.float32), Y))


def test_partial_fit_takes_blocks_and_rows_in_any_order():
    X, Y = make_rows(missing=True)
    model = LowRankRegressor().partial_fit(blocks(X[:40], rows=9), blocks(Y[:40], rows=9))
    model.partial_fit(X[40:50], Y[40:50])
    model.partial_fit(blocks(X[50:], rows=3), Y[50:])
    assert_same_model(model, LowRankRegressor().fit(X, Y))


def test_statistics_of_blocks_serve_a_grid_without_reading_a_block_again():
    X, Y = make_rows()
    read = []

    def watch(part):
        read.append(len(part))
        return part

    watched = blocks(X).map_blocks(watch, meta=np.empty((0, P)))
    model = LowRankRegressor()
    stats = model.statistics(watched, blocks(Y))
    assert sorted(read) == sorted(ROWS)
    assert not hasattr(model, "n_features_in_")
    for alpha in (0.01, 0.1, 1.0):
        lazy = LowRankRegressor(alpha=alpha, precompute=stats).fit(watched, blocks(Y))
        assert_same_model(lazy, LowRankRegressor(alpha=alpha).fit(X, Y))
    assert len(read) == len(ROWS)
    with pytest.raises(ValueError, match=r"3 task\(s\) and 4 feature\(s\), but there are 2 and 4"):
        LowRankRegressor(precompute=stats).fit(blocks(X), blocks(Y[:, :2]))


def test_no_more_than_one_block_is_in_memory():
    n_blocks, rows = 16, 50
    references, alive = [], []

    def load(i):
        if any(reference() is not None for reference in references):
            gc.collect()  # what is left in cycles would be freed
        alive.append(sum(reference() is not None for reference in references))
        block = np.random.default_rng(i).normal(size=(rows, P))
        references.append(weakref.ref(block))  # a view of the block keeps it alive too
        return block

    read = dask.delayed(load, pure=False)
    X = da.concatenate(
        [da.from_delayed(read(i), (rows, P), meta=np.empty((0, P))) for i in range(n_blocks)]
    )
    Y = np.random.default_rng(0).normal(size=(n_blocks * rows, 2))
    model = LowRankRegressor().fit(X, Y)
    assert len(alive) == n_blocks
    assert max(alive) == 0  # when the next block is read, the last is gone
    model.score(X, Y)
    assert len(alive) == 2 * n_blocks
    assert max(alive) == 0


def test_a_block_that_rows_labels_and_weights_are_made_from_is_read_once():
    X, Y = make_rows()
    read = []

    def watch(part):
        read.append(len(part))
        return part

    source = blocks(np.hstack([X, Y])).map_blocks(watch, meta=np.empty((0, P + T)))
    lazy = LowRankRegressor().fit(source[:, :P] * 2, source[:, P:], source[:, 0] ** 2)
    assert sorted(read) == sorted(ROWS)
    assert_same_model(lazy, LowRankRegressor().fit(2 * X, Y, X[:, 0] ** 2))


def test_blocks_are_read_by_threads_too():
    X, Y = make_rows()
    with dask.config.set(scheduler="threads", num_workers=2):
        lazy = LowRankRegressor().fit(blocks(X), blocks(Y))
    assert_same_model(lazy, LowRankRegressor().fit(X, Y))


def test_predictions_keep_the_weights_they_were_asked_from():
    X, Y = make_rows()
    model = LowRankRegressor().fit(X, Y)
    expected, lazy = model.predict(X), model.predict(blocks(X))
    model.fit(X, -Y)
    np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)


def test_dask_is_imported_for_dask_arrays_alone():
    code = """
import sys
import numpy as np
import sklearn_mtl
from sklearn_mtl import linear_model
X = np.random.default_rng(0).normal(size=(20, 3))
model = linear_model.LowRankRegressor().fit(X, X).partial_fit(X, X)
model.predict(X), model.score(X, X), model.statistics(X, X)
assert not any(name.split(".")[0] == "dask" for name in sys.modules), "dask was imported"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# -- what is refused ----------------------------------------------------------------------------


def test_values_that_are_no_numbers_are_named_as_in_memory():
    X, Y = make_rows()
    for value, match in ((np.nan, "Input X contains NaN"), (np.inf, "Input X contains infinity")):
        wrong = X.copy()
        wrong[40, 2] = value
        for array in (wrong, blocks(wrong)):
            with pytest.raises(ValueError, match=match) as raised:
                LowRankRegressor().fit(array, Y)
            if np.isnan(value):
                assert "LowRankRegressor does not accept missing values" in str(raised.value)
        model = LowRankRegressor().fit(X, Y)
        with pytest.raises(ValueError, match=match):
            model.predict(blocks(wrong)).compute()
    Y[3, 1] = np.inf
    for y in (Y, blocks(Y)):
        with pytest.raises(TaskLayoutError, match=r"Task 'task1' has 1 infinite label\(s\)"):
            LowRankRegressor().fit(blocks(X), y)


X, Y = make_rows()
EMPTY = Y * [1, np.nan, 1]
REFUSED = {
    "lengths of y": (blocks(X), blocks(Y[:50], rows=7), None, "X has 60 rows, but y has 50"),
    "lengths of y in memory": (blocks(X), Y[:50], None, "has 50 labels for 60 rows"),
    "lengths of weights": (
        blocks(X),
        blocks(Y),
        da.ones(50, chunks=7),
        "X has 60 rows, but sample_weight has 50",
    ),
    "negative weights": (blocks(X), blocks(Y), -np.ones(N), "must be finite and not negative"),
    "negative weights in blocks": (
        blocks(X),
        blocks(Y),
        -da.ones(N, chunks=7),
        "must be finite and not negative",
    ),
    "a task without labels": (blocks(X), blocks(EMPTY), None, "'task1' have no label to learn"),
    "a task without labels in memory": (blocks(X), EMPTY, None, "'task1' has no observed label"),
    "weights of 0": (blocks(X), blocks(Y), np.zeros(N), "have no label to learn from"),
    "one dimension": (blocks(X[:, 0]), blocks(Y), None, "Expected 2D array, got 1D array"),
    "three dimensions of y": (blocks(X), blocks(Y[:, :, None]), None, "one or two dimensions"),
    "unknown lengths beside labels in memory": (
        of_unknown_lengths(blocks(X)),
        Y,
        None,
        r"call X.compute_chunk_sizes\(\)",
    ),
    "unknown lengths beside weights in memory": (
        of_unknown_lengths(blocks(X)),
        of_unknown_lengths(blocks(Y)),
        np.ones(N),
        r"call X.compute_chunk_sizes\(\)",
    ),
    "unknown lengths in other numbers": (
        of_unknown_lengths(blocks(X)),
        blocks(Y, rows=30),
        None,
        r"unknown sizes, 5 and 2 of them.*compute_chunk_sizes\(\) on both",
    ),
    "unknown lengths that differ": (
        of_unknown_lengths(blocks(X)),
        blocks(Y, rows=ROWS[::-1]),
        None,
        r"has (12|20|1|7) labels for (7|1|20|12) rows of X",
    ),
    "complex numbers": (blocks(X + 1j), blocks(Y), None, "Complex data not supported"),
    "text": (blocks(np.full((N, P), "a")), blocks(Y), None, "could not convert string to float"),
    "labels of text": (blocks(X), blocks(np.full(N, "a")), None, "'task0' is regression, but"),
    "no y": (blocks(X), None, None, "requires y to be passed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_by_name(case):
    rows, labels, weights, match = REFUSED[case]
    model = LowRankRegressor()
    with pytest.raises(ValueError, match=match):
        model.fit(rows, labels, weights)
    assert not hasattr(model, "coef_")


def test_rows_of_one_task_each_are_refused():
    rows = np.column_stack([X, np.arange(N) % 2])
    with pytest.raises(TaskLayoutError, match="task_feature=4 asks for long form"):
        LowRankRegressor(task_feature=4).fit(blocks(rows), blocks(Y[:, 0]))
    long = LowRankRegressor(task_feature=4).fit(rows, Y[:, 0])
    own = {"a": X, "b": X}
    labels = {"a": Y[:, 0], "b": Y[:, 1]}
    with pytest.raises(TypeError, match="X is a dict of dask arrays"):
        LowRankRegressor().fit({name: blocks(part) for name, part in own.items()}, labels)
    fitted = LowRankRegressor().fit(own, labels)
    with pytest.raises(TaskLayoutError, match="rows that belong to one task"):
        long.predict(blocks(rows))
    with pytest.raises(TaskLayoutError, match="X must be a dict of the same tasks"):
        fitted.predict(blocks(X))
    with pytest.raises(TaskLayoutError, match="rows that belong to one task"):
        fitted.partial_fit(blocks(X), Y)


def test_frames_of_dask_are_refused_with_the_remedy():
    dd = pytest.importorskip("dask.dataframe")
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=3)
    for rows, labels in ((frame, blocks(Y)), (blocks(X), frame), (frame, frame)):
        with pytest.raises(TypeError, match=r"to_dask_array\(lengths=True\)"):
            LowRankRegressor().fit(rows, labels)
    with pytest.raises(TypeError, match=r"to_dask_array\(lengths=True\)"):
        LowRankRegressor().fit(X, Y).predict(frame)
    array = frame.to_dask_array(lengths=True)
    assert_same_model(LowRankRegressor().fit(array, Y), LowRankRegressor().fit(X, Y))


def test_names_and_features_are_compared_with_those_of_fit():
    named = LowRankRegressor().fit(X, dict(zip(NAMES, Y.T, strict=True)))
    with pytest.raises(TaskLayoutError, match="fit received named tasks 'north', 'south', 'east'"):
        named.partial_fit(blocks(X), blocks(Y))
    with pytest.raises(ValueError, match="X has 3 features, but LowRankRegressor is expecting 4"):
        named.partial_fit(blocks(X[:, :3]), dict(zip(NAMES, Y.T, strict=True)))
    with pytest.raises(ValueError, match="X has 3 features, but LowRankRegressor is expecting 4"):
        named.predict(blocks(X[:, :3]))
    array = LowRankRegressor().fit(X, Y)
    with pytest.raises(TaskLayoutError, match=r"y has 2 column\(s\)"):
        array.partial_fit(blocks(X), blocks(Y[:, :2]))
    assert array.statistics_.count.tolist() == [N] * T


@pytest.mark.parametrize(
    "name", [name for name in linear_model.__all__ if name.endswith("RegressorCV")]
)
def test_searches_over_strengths_say_that_they_need_rows_in_memory(name):
    with pytest.raises(TypeError, match=f"{name} takes X in memory"):
        getattr(linear_model, name)().fit(blocks(X), blocks(Y))


def test_labels_in_blocks_beside_rows_in_memory_are_computed():
    assert_same_model(LowRankRegressor().fit(X, blocks(Y)), LowRankRegressor().fit(X, Y))
