from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils.validation import _num_samples

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import Column
from sklearn_mtl.tasks._containers import (
    DICT,
    FRAME,
    MATRIX,
    NAMED,
    TARGET,
    VECTOR,
    Labels,
    join,
    label_array,
    read_labels,
    write_frame,
)
from sklearn_mtl.tasks._data import TaskData
from sklearn_mtl.tasks._long import find_codes, group_rows, read_tagged_labels, split_task_column
from sklearn_mtl.tasks._spec import REGRESSION, TaskSpec
from sklearn_mtl.tasks._target import MultiTaskTarget
from sklearn_mtl.tasks._weights import encode_sample_weight
from sklearn_mtl.utils._validation import did_you_mean, listing, plain

SHARED = "shared"  # a row has a label for each task
OWN = "own"  # each task has its own X
LONG = "long"  # each row belongs to the task that a column of X names


@dataclass(frozen=True, eq=False)
class TaskLayout:
    """The tasks of one fit, and how the caller holds them.

    The only code that knows containers: `encode` turns the caller's X, y and sample_weight into
    `TaskData`, `decode` gives predictions back in the container that ``fit`` received.

    Parameters
    ----------
    tasks : tuple of TaskSpec
    container : {"vector", "matrix", "frame", "dict", "target"}
        The container of y.
    rows : {"shared", "own", "long"}
        Whether tasks share rows, have X of their own, or are named by a column of X.
    task_feature : str or int, default=None
        That column, for ``rows="long"``.
    backend : narwhals.Implementation, default=None
        The frame library, for ``container="frame"``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.tasks import infer_layout
    >>> X = np.zeros((3, 2))
    >>> y = {"price": [1.5, np.nan, 2.0], "good": ["no", "yes", None]}
    >>> layout = infer_layout(X, y)
    >>> [(task.name, task.kind) for task in layout.tasks]
    [('price', 'regression'), ('good', 'binary')]
    >>> data = layout.encode(X, y)
    >>> data.labels
    array([[1.5, 0. ],
           [0. , 1. ],
           [2. , 0. ]])
    >>> layout.decode(data.labels, data, observed=data.observed)["good"]
    array(['no', 'yes', None], dtype=object)
    """

    tasks: tuple[TaskSpec, ...]
    container: str
    rows: str
    task_feature: Any = None
    backend: Any = None

    @property
    def n_tasks(self) -> int:
        """Number of tasks, T."""
        return len(self.tasks)

    @cached_property
    def names(self) -> list[Hashable]:
        """Task names, in the order of the caller's container."""
        return [task.name for task in self.tasks]

    @property
    def is_named(self) -> bool:
        """Whether the caller's container carries task names."""
        return self.container in NAMED

    @cached_property
    def classes(self) -> Any:
        """``classes_`` as estimators show it.

        An array for one column of labels (in long form the union over tasks), else a list with an
        array for each classification task and None for each regression task.
        """
        if self.rows == LONG:
            return _union(self.tasks)
        if not self.is_named and self.n_tasks == 1:
            return self.tasks[0].classes
        return [task.classes for task in self.tasks]

    def same_tasks(self, other: "TaskLayout") -> bool:
        """Return whether `other` has the same tasks in the same kind of container."""
        mine = (self.tasks, self.container, self.rows, self.task_feature)
        return mine == (other.tasks, other.container, other.rows, other.task_feature)

    # -- in ---------------------------------------------------------------------------------

    def encode(self, X: Any, y: Any = None, sample_weight: Any = None) -> TaskData:
        """Return rows, encoded labels, mask and weights.

        Parameters
        ----------
        X : array-like of shape (n, p), or dict name -> array-like (n_t, p_t)
        y : the container that the layout was inferred from, default=None
            None, to encode rows for ``predict``.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None

        Returns
        -------
        data : TaskData

        Raises
        ------
        TaskLayoutError
            Other tasks, lengths or classes than the layout has; the message names them.
        """
        rows = self._encode_rows(X)
        if y is None:
            return rows
        groups = [rows.rows(t) for t in range(self.n_tasks)] if self.rows == OWN else None
        if self.rows == LONG:
            groups = group_rows(rows.task_index, self.n_tasks)  # type: ignore[arg-type]
            columns = read_tagged_labels(y, groups, self.names, rows.n_rows)
        else:
            columns = self._match(read_labels(y), rows)
        labels, observed = self._encode_labels(columns, rows, groups)
        weights = encode_sample_weight(sample_weight, self, rows)
        if weights is not None:
            observed &= weights > 0
        return TaskData(
            rows.X,
            rows.n_rows,
            self.n_tasks,
            rows.task_index,
            rows.index,
            labels,
            observed,
            weights,
        )

    def _encode_rows(self, X: Any) -> TaskData:
        n_tasks = self.n_tasks
        if self.rows == LONG:
            tags, rest = split_task_column(X, self.task_feature)
            codes = find_codes(tags, self.names, self.task_feature)
            return TaskData(rest, len(tags), n_tasks, codes, _row_index(X))
        if self.rows == OWN:
            if not isinstance(X, Mapping):
                raise TaskLayoutError(
                    "fit received X as a dict (each task has its own rows), so X must be a dict "
                    f"of the same tasks {listing(self.names)}; found {type(X).__name__}."
                )
            self._check_names(list(X), "X")
            parts = [X[name] for name in self.names]
            counts = [_num_samples(part) for part in parts]
            codes = np.repeat(np.arange(n_tasks), counts)
            return TaskData(parts, int(sum(counts)), n_tasks, codes)
        if isinstance(X, Mapping):
            raise TaskLayoutError(
                "fit received one X for all tasks, so X must be an array or a frame; found "
                f"{type(X).__name__}."
            )
        return TaskData(X, _num_samples(X), n_tasks, None, _row_index(X))

    def _check_names(self, names: Sequence[Hashable], what: str) -> None:
        absent = [name for name in self.names if name not in names]
        if absent:
            raise TaskLayoutError(
                f"{what} lacks the task(s) {listing(absent)} that fit saw; found {listing(names)}."
            )
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise TaskLayoutError(
                f"{what} has {listing(unknown)}, which fit never saw; the tasks are "
                f"{listing(self.names)}{did_you_mean(unknown[0], self.names)}."
            )

    def _match(self, labels: Labels, rows: TaskData) -> list[Column]:
        """Return columns in task order, after checking names and lengths."""
        if labels.container in NAMED:
            self._check_names(labels.names, "y")
            by_name = dict(zip(labels.names, labels.columns, strict=True))
            columns = [by_name[name] for name in self.names]
        elif self.is_named:
            raise TaskLayoutError(
                f"fit received named tasks {listing(self.names)}, but y is an array without "
                "names; pass a DataFrame, a dict or a MultiTaskTarget with those names."
            )
        else:
            columns = labels.columns
            if len(columns) != self.n_tasks:
                raise TaskLayoutError(
                    f"y has {len(columns)} column(s), but fit saw {self.n_tasks} task(s); pass "
                    "one column a task, in the order of fit."
                )
        for t, column in enumerate(columns):
            n_rows = rows.n_rows if self.rows == SHARED else len(rows.rows(t))
            if len(column) != n_rows:
                raise TaskLayoutError(
                    f"Task {plain(self.names[t])!r} has {len(column)} labels for {n_rows} rows of "
                    "X; pass one label a row, NaN or None where it is not known."
                )
        return columns

    def _encode_labels(
        self, columns: Sequence[Column], rows: TaskData, groups: Sequence[np.ndarray] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        shape = (rows.n_rows, self.n_tasks) if groups is None else (rows.n_rows,)
        labels = np.zeros(shape)
        observed = np.zeros(shape, dtype=bool)
        for t, (task, column) in enumerate(zip(self.tasks, columns, strict=True)):
            codes = self._encode_column(task, column)
            if groups is None:
                observed[:, t] = column.observed
                labels[column.observed, t] = codes
            else:
                observed[groups[t]] = column.observed
                labels[groups[t][column.observed]] = codes
        return labels, observed

    def _encode_column(self, task: TaskSpec, column: Column) -> np.ndarray:
        if (
            task.kind == REGRESSION
            and len(column.labels)
            and column.labels.dtype.kind not in "fiub"
        ):
            raise TaskLayoutError(
                f"Task {plain(task.name)!r} is regression, but its labels are "
                f"{column.labels.dtype}; pass numbers."
            )
        codes = task.encode(column.labels)
        if not np.isfinite(codes).all():
            raise TaskLayoutError(
                f"Task {plain(task.name)!r} has {(~np.isfinite(codes)).sum()} infinite label(s); "
                "drop them, or mark them missing with NaN."
            )
        return codes

    # -- out --------------------------------------------------------------------------------

    def decode(self, values: np.ndarray, data: TaskData, observed: np.ndarray | None = None) -> Any:
        """Return encoded predictions in the container that ``fit`` received.

        Parameters
        ----------
        values : ndarray of shape (n, T), or (n,) where each row belongs to one task
            Values, or class numbers.
        data : TaskData
            The rows that `encode` made.
        observed : ndarray of the shape of `values`, default=None
            Give NaN or None where False.
        """
        if self.rows == LONG:
            return self._decode_long(values, data, observed)
        arrays = []
        for t, task in enumerate(self.tasks):
            here = slice(None) if self.rows == SHARED else data.rows(t, observed=False)
            mask = None if observed is None else data.column(observed, t, here)  # type: ignore[arg-type]
            column = data.column(values, t, here)  # type: ignore[arg-type]
            arrays.append(label_array(task, column, mask))
        if self.container == FRAME:
            return write_frame(self.backend, self.tasks, arrays, data.index)
        if self.container in (DICT, TARGET):
            named = dict(zip(self.names, arrays, strict=True))
            return named if self.container == DICT else MultiTaskTarget(named)
        if self.container == VECTOR:
            return arrays[0]
        return np.column_stack(arrays).astype(join(arrays), copy=False)

    def _decode_long(
        self, values: np.ndarray, data: TaskData, observed: np.ndarray | None
    ) -> np.ndarray:
        groups = group_rows(data.task_index, self.n_tasks)  # type: ignore[arg-type]
        arrays = [
            label_array(task, values[rows], None if observed is None else observed[rows])
            for task, rows in zip(self.tasks, groups, strict=True)
        ]
        result = np.empty(data.n_rows, dtype=join(arrays))
        for rows, array in zip(groups, arrays, strict=True):
            result[rows] = array
        return result

    def decode_proba(self, probabilities: Sequence[np.ndarray | None], data: TaskData) -> Any:
        """Return class probabilities as estimators show them.

        Parameters
        ----------
        probabilities : list over tasks of ndarray (n_t, n_classes_t), None for regression
        data : TaskData

        Returns
        -------
        ndarray for one column of labels (long form: shape (n, n_classes), the columns of
        ``classes_``, zero for classes that the row's task does not have, NaN in the rows of
        regression tasks), a list over tasks for several unnamed columns, a dict name -> ndarray
        over the classification tasks for named ones.
        """
        if self.rows == LONG:
            union = self.classes
            result = np.full((data.n_rows, len(union)), np.nan)
            groups = group_rows(data.task_index, self.n_tasks)  # type: ignore[arg-type]
            for task, rows, block in zip(self.tasks, groups, probabilities, strict=True):
                if block is not None:
                    places = np.array([np.flatnonzero(union == label)[0] for label in task.classes])  # type: ignore[union-attr]
                    result[rows] = 0.0
                    result[np.ix_(rows, places)] = block
            return result
        if self.is_named:
            named = zip(self.names, probabilities, strict=True)
            return {name: block for name, block in named if block is not None}
        return probabilities[0] if self.n_tasks == 1 else list(probabilities)


def _union(tasks: Sequence[TaskSpec]) -> np.ndarray | None:
    """Return the sorted classes of all classification tasks, None where there are none."""
    sets = [task.classes for task in tasks if task.classes is not None]
    if not sets:
        return None
    if len({classes.dtype.kind for classes in sets}) == 1:
        return np.unique(np.concatenate(sets))
    labels = {label for classes in sets for label in classes.tolist()}
    union = np.empty(len(labels), dtype=object)
    union[:] = sorted(labels, key=lambda label: (type(label).__name__, label))
    return union


def _row_index(X: Any) -> Any:
    return X.index if hasattr(X, "iloc") else None


__all__ = ["LONG", "MATRIX", "OWN", "SHARED", "TaskLayout"]
