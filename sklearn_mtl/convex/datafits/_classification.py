from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from sklearn_mtl.convex._rows import coef_rows
from sklearn_mtl.convex.datafits._logistic import Logistic
from sklearn_mtl.convex.datafits._mixed import Mixed
from sklearn_mtl.convex.datafits._predictor_loss import CurvedDatafit
from sklearn_mtl.convex.datafits._predictor_squares import HalfSquares
from sklearn_mtl.convex.datafits._predictors import (
    ColumnsOfOwnRows,
    ObservedEntries,
    OwnRows,
    Predictors,
    SharedRows,
)
from sklearn_mtl.convex.datafits._rows_of_x import CentredRows
from sklearn_mtl.convex.datafits._softmax import Softmax
from sklearn_mtl.tasks import TaskData, TaskSpec

# with fewer labels than this share, a copy of X for each task's rows costs less than one product
# with all of X and the choice of the observed entries
FEW = 0.25


def classification_datafit(
    X: Any,
    data: TaskData,
    tasks: Sequence[TaskSpec],
    task_weight: np.ndarray,
    *,
    fit_intercept: bool = True,
) -> CurvedDatafit:
    """Return the loss of classification tasks, or of classification beside regression tasks.

    ``sum_t lambda_t / mass_t * sum_i d_ti loss_t``: the log-loss for classification, half the
    squared error for regression. Rows of W are those of ``coef_rows(tasks)``.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
        The numbers of the rows of `data`, in its order.
    data : TaskData
        With labels; a task with none adds nothing to the loss.
    tasks : sequence of T TaskSpec
    task_weight : ndarray of shape (T,)
        lambda.
    fit_intercept : bool, default=True
        Whether each row of W has an intercept, always at its best.
    """
    X = csr_array(X) if issparse(X) else X
    rows = coef_rows(tasks)
    groups: dict[tuple[bool, int], list[int]] = {}
    known = data.per_task(data.observed)  # type: ignore[arg-type]
    for t, task in enumerate(tasks):
        if known[t] > 0:
            groups.setdefault((task.is_classification, task.n_outputs), []).append(t)
    if not groups:
        raise ValueError("No task has an observed label.")
    weights = data.observed.astype(float) if data.weights is None else data.weights  # type: ignore[union-attr]
    mass = data.per_task(np.where(data.observed, weights, 0.0))  # type: ignore[arg-type]
    whole: list[CentredRows] = []
    parts, places = list[CurvedDatafit](), list[np.ndarray]()
    for (is_classification, n_outputs), members in groups.items():
        chosen = np.array(members)
        predictors = _predictors(X, data, chosen, whole, centre=fit_intercept)
        labels = predictors.select(data.labels)  # type: ignore[arg-type]
        scale = (np.asarray(task_weight, dtype=float)[chosen] / mass[chosen])[:, None]
        if data.weights is None and type(predictors) is SharedRows:
            weight = scale[:, :, None]
        else:
            weight = predictors.select(weights) * predictors.spread(scale)
        part: CurvedDatafit
        if not is_classification:
            part = HalfSquares(predictors, labels, weight, fit_intercept=fit_intercept)
        elif n_outputs == 1:
            part = Logistic(predictors, labels, weight, fit_intercept=fit_intercept)
        else:
            part = Softmax(predictors, labels, weight, n_outputs, fit_intercept=fit_intercept)
        parts.append(part)
        places.append(np.concatenate([rows.of_task(t) for t in members]))
    if len(parts) == 1 and len(places[0]) == rows.n_rows:
        return parts[0]
    return Mixed(parts, places, rows.n_rows)


def _predictors(
    X: Any, data: TaskData, tasks: np.ndarray, whole: list[CentredRows], *, centre: bool
) -> Predictors:
    """Return the predictors of some tasks; `whole` keeps X centred for the next call."""
    if data.task_index is None:
        observed: np.ndarray = data.observed[:, tasks]  # type: ignore[index]
        share = observed.mean()
        if share > FEW:
            if not whole:
                whole.append(CentredRows(X, None, centre=centre))
            if share == 1.0:
                return SharedRows(whole[0], tasks)
            return ObservedEntries(whole[0], tasks, data.observed)  # type: ignore[arg-type]
    numbers = [data.rows(t) for t in tasks]
    parts = []
    for t, rows in zip(tasks, numbers, strict=True):
        weight = None if data.weights is None else data.column(data.weights, t, rows)
        parts.append(CentredRows(X[rows], weight, centre=centre))
    if data.task_index is None:
        return ColumnsOfOwnRows(parts, numbers, tasks)
    return OwnRows(parts, numbers)
