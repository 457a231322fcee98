"""How alike the coefficients of tasks are."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_mtl.model_selection._task_subsets import TaskSubsets
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._linear_models import common_features, linear_models
from sklearn_mtl.tasks._nested import innermost


def coefficient_cosines(subsets: TaskSubsets, seed: int) -> np.ndarray:
    """Return the cosines between the tasks' coefficients, (T, T), 1 on the diagonal.

    Coefficients are taken by features of standard deviation 1. With w_it the row of task t for
    its class i, the mean over classes taken off, tasks of the same classes have

        sum_i <w_is, w_it> / sqrt(sum_i ||w_is||² sum_i ||w_it||²)

    and tasks of different classes, one of them with three or more, the unsigned
    ||W_s W_t'||_F / sqrt(||W_s W_s'||_F ||W_t W_t'||_F). NaN for coefficients that are all 0.
    """
    names = subsets.rows.names
    model = subsets.fit(tuple(range(len(names))), seed)
    found = _tasks(model, subsets.rows.X, names)
    blocks, classes = [block for block, _ in found], [own for _, own in found]
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


def _tasks(model: Any, X: Any, names: Sequence[Hashable]) -> list[tuple[np.ndarray, Any]]:
    """Return the coefficients (1, p), or (K, p) of K > 2 classes, and the classes of each task."""
    models = linear_models(model)
    if not models:
        raise ValueError(
            f"method='coefficients' compares coef_, which a fitted {_name_of(model)} does not "
            "have for each task; pass a linear model, or IndependentTasks of one, or use "
            "method='pairwise', which takes any estimator."
        )
    common_features(models, "method='coefficients' compares coefficients of the same features")
    found = {
        name: (_centred(coef * spread), classes)
        for linear in models
        for spread in [_spread(linear.inputs(X))]
        for name, coef, classes in zip(linear.names, linear.coef, linear.classes, strict=True)
    }
    if len(found) != len(names):
        raise ValueError(
            f"{_name_of(model)} has coefficients of {len(found)} tasks for {len(names)}; "
            "pass an estimator of several tasks, or IndependentTasks of one of a single task."
        )
    # whoever knows of no names keeps the order
    return [found[name] for name in names] if found.keys() == set(names) else list(found.values())


def _name_of(model: Any) -> str:
    return type(innermost(model, fitted=True).estimator).__name__


def _centred(block: np.ndarray) -> np.ndarray:
    # the same vector added to the coefficients of all classes changes no probability
    return block - block.mean(axis=0) if len(block) > 1 else block


def _spread(X: Any) -> np.ndarray:
    """Return the standard deviation of each feature over the rows of all tasks, shape (p,)."""
    scaler = StandardScaler(with_mean=False)
    for part in X.values() if is_dict_of_rows(X) else [X]:
        scaler.partial_fit(part)
    return np.sqrt(scaler.var_)
