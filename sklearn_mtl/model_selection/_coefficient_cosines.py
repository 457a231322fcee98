"""How alike the coefficients of tasks are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl.model_selection._task_subsets import TaskSubsets
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._long import split_task_column
from sklearn_mtl.tasks._nested import levels


def coefficient_cosines(subsets: TaskSubsets, seed: int) -> np.ndarray:
    """Return the cosines between the tasks' coefficients, (T, T), 1 on the diagonal.

    Coefficients are taken by features of standard deviation 1. With w_it the row of task t for
    its class i, the mean over classes taken off, tasks of the same classes have

        sum_i <w_is, w_it> / sqrt(sum_i ||w_is||² sum_i ||w_it||²)

    and tasks of different classes, one of them with three or more, the unsigned
    ||W_s W_t'||_F / sqrt(||W_s W_s'||_F ||W_t W_t'||_F). NaN for coefficients that are all 0.
    """
    rows = subsets.rows
    model = subsets.fit(tuple(range(len(rows.names))), seed)
    fitted, X = fitted_innermost(model, rows.X)
    if rows.task_feature is not None:
        X = split_task_column(X, getattr(fitted, "task_feature", None) or rows.task_feature)[1]
    parts = getattr(fitted, "estimators_", None)
    if isinstance(parts, Mapping) and not hasattr(fitted, "coef_"):
        blocks = [
            _own_block(parts[name], X[name] if is_dict_of_rows(X) else X) for name in rows.names
        ]
    else:
        blocks = _blocks(fitted, X, len(rows.names))
    classes = _classes(fitted, len(blocks))
    cosines = np.ones((len(blocks), len(blocks)))
    for s, first in enumerate(blocks):
        for t, second in enumerate(blocks):
            if not (first.any() and second.any()):
                cosines[s, t] = np.nan
            elif s != t:
                cosines[s, t] = _cosine(first, second, np.array_equal(classes[s], classes[t]))
    return cosines


def _cosine(first: np.ndarray, second: np.ndarray, same_classes: bool) -> float:
    if len(first) == len(second) and (same_classes or len(first) == 1):
        return float((first * second).sum() / np.linalg.norm(first) / np.linalg.norm(second))
    lengths = np.linalg.norm(first @ first.T) * np.linalg.norm(second @ second.T)
    return float(np.linalg.norm(first @ second.T) / np.sqrt(lengths))


def fitted_innermost(model: Any, X: Any = None) -> tuple[Any, Any]:
    """Return the estimator inside all fitted pipelines and searches, and X as it came there."""
    *outer, inner = levels(model, fitted=True)
    for level in outer:
        if X is not None and isinstance(level.estimator, Pipeline) and len(level.estimator) > 1:
            X = level.estimator[:-1].transform(X)
    return inner.estimator, X


def _coef(fitted: Any) -> np.ndarray:
    if not hasattr(fitted, "coef_"):
        raise ValueError(
            f"method='coefficients' compares coef_, which a fitted {type(fitted).__name__} does "
            "not have; pass a linear model, or use method='pairwise', which takes any estimator."
        )
    return np.atleast_2d(np.asarray(fitted.coef_, dtype=np.float64))


def _blocks(fitted: Any, X: Any, n_tasks: int) -> list[np.ndarray]:
    """Return the coefficients of each task, (1, p), or (K, p) of K > 2 classes."""
    layout = getattr(fitted, "layout_", None)
    counts = [1] * n_tasks if layout is None else [task.n_outputs for task in layout.tasks]
    coef = _coef(fitted)
    if len(coef) != sum(counts):
        raise ValueError(
            f"coef_ of {type(fitted).__name__} has {len(coef)} rows for {n_tasks} tasks; pass an "
            "estimator of several tasks, or IndependentTasks of one of a single task."
        )
    coef = coef * _spread(X)
    return [_centred(block) for block in np.split(coef, np.cumsum(counts)[:-1])]


def _own_block(estimator: Any, X: Any) -> np.ndarray:
    fitted, X = fitted_innermost(estimator, X)
    return _centred(_coef(fitted) * _spread(X))


def _centred(block: np.ndarray) -> np.ndarray:
    # the same vector added to the coefficients of all classes changes no probability
    return block - block.mean(axis=0) if len(block) > 1 else block


def _spread(X: Any) -> np.ndarray:
    """Return the standard deviation of each feature over the rows of all tasks, shape (p,)."""
    scaler = StandardScaler(with_mean=False)
    for part in X.values() if is_dict_of_rows(X) else [X]:
        scaler.partial_fit(part)
    return np.sqrt(scaler.var_)


def _classes(fitted: Any, n_tasks: int) -> list[Any]:
    layout = getattr(fitted, "layout_", None)
    return [None] * n_tasks if layout is None else [task.classes for task in layout.tasks]
