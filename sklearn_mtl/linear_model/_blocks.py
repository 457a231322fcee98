"""Rows that come in blocks: dask arrays, each block read where it lives.

Nothing of dask is imported unless a dask collection comes in.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, validate_data

from sklearn_mtl.convex import GramStats
from sklearn_mtl.convex._kernel import Comparison
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._layout import MATRIX, SHARED
from sklearn_mtl.tasks._rows import FLOATS
from sklearn_mtl.tasks._weights import encode_sample_weight
from sklearn_mtl.utils._validation import listing


def is_dask(values: object) -> bool:
    """Return whether `values` is a dask collection."""
    return type(values).__module__.startswith("dask.")


def refuse_dask(X: Any, owner: str) -> None:
    """Raise an error where rows are needed in memory, and dask arrays come."""
    if is_dask(X):
        raise TypeError(
            f"{owner} takes X in memory, found a dask collection; pass X.compute(), or take the "
            "estimator of one strength, whose fit reads dask arrays block by block."
        )
    if is_dict_of_rows(X) and any(is_dask(part) for part in X.values()):
        raise TypeError(
            "X is a dict of dask arrays, which are read block by block only where tasks share "
            "rows; pass each task's rows in memory, in chunks through partial_fit if they are many."
        )


def read_blocks(
    estimator: Any, X: Any, y: Any, sample_weight: Any, known: TaskLayout | None
) -> tuple[TaskLayout, Any]:
    """Return the tasks of a dask array X, and its statistics, not computed yet.

    The statistics of each block are a task of its own, and are merged in pairs: blocks stay where
    they are, and only statistics move.

    Parameters
    ----------
    estimator : BaseStatisticsRegressor
        Gets ``n_features_in_``, or is compared with it where tasks are known.
    X : dask array of shape (n, p)
    y : dask array of shape (n,) or (n, T), or labels in memory in any container
    sample_weight : dask array of shape (n,) or (n, T), weights in memory, or None
    known : TaskLayout or None
        The tasks of rows read before.

    Returns
    -------
    layout : TaskLayout
    stats : dask.delayed.Delayed of GramStats
    """
    from dask import delayed

    owner = type(estimator).__name__
    X = _whole_rows(X, owner)
    _refuse_long_form(estimator.task_feature)
    layout = _layout(X, y) if known is None else known
    if layout.rows != SHARED:
        raise TaskLayoutError(
            "fit received rows that belong to one task each; dask arrays are read only where "
            "tasks share rows. Pass these rows in memory."
        )
    labels, weights = _labels(X, y, layout), _weights(X, sample_weight, layout)
    validate_data(estimator, X, skip_check_array=True, reset=known is None)
    # delayed functions would look for dask collections inside a layout that is an argument
    read = delayed(partial(_statistics, replace(layout, container=MATRIX), owner), pure=False)
    merge = delayed(GramStats.merge, pure=False)
    parts = [read(*block) for block in _in_step(X, labels, weights)]
    while len(parts) > 1:
        pairs = [merge(*pair) for pair in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[2 * len(pairs) :]
    return layout, parts[0]


def block_outputs(estimator: Any, X: Any) -> Any:
    """Return ``x . w + b`` of a dask array X, a dask array of shape (n, T)."""
    owner, layout = type(estimator).__name__, estimator.layout_
    X = _whole_rows(X, owner)
    if layout.rows != SHARED:
        raise TaskLayoutError(
            "fit received rows that belong to one task each; pass such rows to predict too, in "
            "memory."
        )
    validate_data(estimator, X, skip_check_array=True, reset=False)
    return X.map_blocks(
        partial(_outputs, estimator._compare, estimator._weights, estimator.intercept_, owner),
        dtype=np.float64,
        chunks=(X.chunks[0], (layout.n_tasks,)),
        meta=np.empty((0, layout.n_tasks)),
    )


def _statistics(layout: TaskLayout, owner: str, X: Any, y: Any, sample_weight: Any) -> GramStats:
    y = np.asarray(y)
    columns = y[:, None] if y.ndim == 1 else y
    return GramStats.from_data(_numbers(X, owner), layout.encode(X, columns, sample_weight))


def _outputs(
    compare: Comparison | None, weights: np.ndarray, intercept: np.ndarray, owner: str, X: Any
) -> np.ndarray:
    rows = _numbers(X, owner)
    rows = rows if compare is None else compare(rows)
    return (rows @ weights.T + intercept).astype(np.float64, copy=False)


def _in_step(*arrays: Any) -> Iterable[tuple[Any, ...]]:
    """Yield the blocks of dask arrays, and the pieces of others, of the same rows."""
    # optimised one by one, arrays made from the same blocks would each read them
    pieces = [
        array.to_delayed(optimize_graph=False).ravel() if is_dask(array) else array
        for array in arrays
    ]
    return zip(*pieces, strict=True)


def _numbers(X: Any, owner: str) -> Any:
    # a filter may leave a block without rows
    return check_array(
        X,
        dtype=FLOATS,
        accept_sparse="csr",
        ensure_min_samples=0,
        estimator=owner,
        input_name="X",
    )


def _whole_rows(X: Any, owner: str) -> Any:
    """Return X as a dask array whose blocks hold all features of some rows."""
    _need_array(X, "X")
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead: shape {X.shape}.")
    if X.numblocks[1] == 1:
        return X
    # blocks grow as they join along features; "auto" keeps them below dask's array.chunk-size
    return X.rechunk({1: -1} if _is_unknown(X) else {0: "auto", 1: -1})


def _need_array(values: Any, what: str) -> None:
    if not (hasattr(values, "to_delayed") and hasattr(values, "chunks")):
        raise TypeError(
            f"{what} is a dask {type(values).__name__}, where a dask array is needed; call its "
            "to_dask_array(lengths=True)."
        )


def _refuse_long_form(task_feature: Any) -> None:
    if task_feature is not None:
        raise TaskLayoutError(
            f"task_feature={task_feature!r} asks for long form, which is not read from dask "
            "arrays; pass a column of y for each task, NaN where it has no label, or rows in "
            "memory, in chunks through partial_fit."
        )


def _layout(X: Any, y: Any) -> TaskLayout:
    if not is_dask(y):
        return infer_layout(X, y, family="regression")
    _need_array(y, "y")
    # tasks of an array are its columns, numbered: no label has to be seen
    return infer_layout(np.zeros((1, 1)), np.zeros((1, *y.shape[1:])), family="regression")


def _labels(X: Any, y: Any, layout: TaskLayout) -> Iterable[Any]:
    if not is_dask(y):
        _need_lengths(X)
        data = layout.encode(X, y)
        return _slices(np.where(data.observed, data.labels, np.nan), X)  # type: ignore[arg-type]
    _need_array(y, "y")
    if layout.is_named:
        raise TaskLayoutError(
            f"fit received named tasks {listing(layout.names)}, but y is a dask array without "
            "names; pass labels in memory, in a frame, a dict or a MultiTaskTarget."
        )
    return _aligned(X, y, "y")


def _weights(X: Any, sample_weight: Any, layout: TaskLayout) -> Iterable[Any]:
    if sample_weight is None:
        return repeat(None, X.numblocks[0])
    if is_dask(sample_weight):
        _need_array(sample_weight, "sample_weight")
        return _aligned(X, sample_weight, "sample_weight")
    _need_lengths(X)
    rows = TaskData(X, X.shape[0], layout.n_tasks)
    return _slices(encode_sample_weight(sample_weight, layout, rows), X)  # type: ignore[arg-type]


def _slices(values: np.ndarray, X: Any) -> list[np.ndarray]:
    ends = np.cumsum((0, *X.chunks[0])).tolist()
    return [values[start:end] for start, end in pairwise(ends)]


def _aligned(X: Any, values: Any, what: str) -> Any:
    """Return a dask array, cut where the blocks of X are."""
    columns = {1: -1} if values.ndim == 2 else {}
    if _is_unknown(X) or _is_unknown(values):
        # what comes from the same source has the same blocks; each block compares its lengths
        if values.numblocks[0] != X.numblocks[0]:
            raise ValueError(
                f"X and {what} have blocks of unknown sizes, {X.numblocks[0]} and "
                f"{values.numblocks[0]} of them, so they cannot be matched; call "
                f"compute_chunk_sizes() on both."
            )
        return values.rechunk(columns)
    if values.shape[0] != X.shape[0]:
        raise TaskLayoutError(
            f"X has {X.shape[0]} rows, but {what} has {values.shape[0]}; they must match."
        )
    return values.rechunk({0: X.chunks[0], **columns})


def _need_lengths(X: Any) -> None:
    if _is_unknown(X):
        raise ValueError(
            "X has blocks of unknown sizes, so that labels and weights in memory cannot be cut to "
            "match; call X.compute_chunk_sizes()."
        )


def _is_unknown(array: Any) -> bool:
    return bool(np.isnan(array.shape[0]))
