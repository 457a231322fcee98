from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils import _safe_indexing

from sklearn_mtl.tasks._column import as_array, column_names, is_dict_of_rows, is_frame
from sklearn_mtl.tasks._containers import read_labels
from sklearn_mtl.tasks._long import split_task_column
from sklearn_mtl.tasks._target import MultiTaskTarget
from sklearn_mtl.utils._validation import check_tasks


def select_tasks(
    X: Any,
    y: Any,
    names: Sequence[Hashable],
    *,
    sample_weight: Any = None,
    task_feature: Any = None,
) -> tuple[Any, Any, Any]:
    """Return the part of X, y and sample_weight that is of some tasks, in the caller's containers.

    Where rows are shared, all of X stays; one task out of a matrix or a frame is its column, as
    estimators of one task take labels. In long form the rows of the other tasks are left out.

    Parameters
    ----------
    X : array-like of shape (n, p), or dict name -> array-like of shape (n_t, p_t)
    y : any container of labels
    names : sequence of task names
        In the order of y's; the columns of an array are "task0", "task1", …
    sample_weight : as for ``fit``, default=None
    task_feature : str or int, default=None
        The column of X with each row's task, for long form.

    Returns
    -------
    X, y, sample_weight

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.tasks._select import select_tasks
    >>> X, y = np.zeros((2, 1)), {"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]}
    >>> select_tasks(X, y, ["a", "c"])[1]
    {'a': [1.0, 2.0], 'c': [5.0, 6.0]}
    """
    if task_feature is not None:
        tags, _ = split_task_column(X, task_feature)
        wanted = set(names)
        rows = np.flatnonzero([tag in wanted for tag in tags.tolist()])
        weights = None if sample_weight is None else _safe_indexing(sample_weight, rows)
        return _safe_indexing(X, rows), _safe_indexing(y, rows), weights
    if is_dict_of_rows(X):
        X = {name: X[name] for name in names}
    known = read_labels(y).names
    check_tasks(names, known, "names")
    places = [known.index(name) for name in names]
    if sample_weight is not None:
        sample_weight = _columns(sample_weight, names, places)
    return X, _columns(y, names, places), sample_weight


def _columns(values: Any, names: Sequence[Hashable], places: list[int]) -> Any:
    """Return columns of labels or of weights: by name where they have names."""
    if isinstance(values, MultiTaskTarget):
        return values[list(names)]
    if isinstance(values, Mapping):
        return {name: values[name] for name in names}
    if is_frame(values):
        own = column_names(values)
        at: Any = [own.index(name) for name in names]
        at = at[0] if len(at) == 1 else at
        if hasattr(values, "iloc"):
            return values.iloc[:, at]
        return nw.from_native(values, eager_only=True)[:, at].to_native()
    array = as_array(values)
    if array.ndim == 1:  # labels of the one task, or a weight a row
        return values
    return array[:, places[0] if len(places) == 1 else places]
