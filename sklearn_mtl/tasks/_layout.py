from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils.validation import _num_samples

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._containers import (
    DICT,
    FRAME,
    MATRIX,
    NAMED,
    TARGET,
    Labels,
    read_labels,
)
from sklearn_mtl.tasks._data import TaskData
from sklearn_mtl.tasks._encode import encode_matrix, encode_shared, encode_tagged
from sklearn_mtl.tasks._long import find_codes, read_tagged_labels, split_task_column
from sklearn_mtl.tasks._plain_state import (
    plain_backend,
    plain_header,
    restored,
    restored_backend,
)
from sklearn_mtl.tasks._spec import TaskSpec, union_of_classes
from sklearn_mtl.tasks._target import MultiTaskTarget
from sklearn_mtl.tasks._weights import encode_sample_weight
from sklearn_mtl.tasks._write import blank, join, label_array, write_frame
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
    header : pandas.Index, default=None
        The column index of a pandas y.
    holds_objects : bool, default=False
        Whether y was an array of Python objects, in which tasks of several kinds stay apart.

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
    header: Any = None
    holds_objects: bool = False

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
            return union_of_classes(self.tasks)
        if not self.is_named and self.n_tasks == 1:
            return self.tasks[0].classes
        return [task.classes for task in self.tasks]

    def same_tasks(self, other: "TaskLayout") -> bool:
        """Return whether `other` has the same tasks in the same kind of container."""
        mine = (self.tasks, self.container, self.rows, self.task_feature)
        return mine == (other.tasks, other.container, other.rows, other.task_feature)

    def __getstate__(self) -> dict[str, Any]:
        state = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {"backend": plain_backend(self.backend), "header": plain_header(self.header)}
        return {**state, **plain}

    def __setstate__(self, state: dict[str, Any]) -> None:
        backend, header = restored_backend(state["backend"]), restored(state["header"])
        self.__dict__.update(state, backend=backend, header=header)

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
        if self.rows == LONG:
            columns = read_tagged_labels(y, rows.groups, self.names, rows.n_rows)
            labels, observed = encode_tagged(self.tasks, columns, rows.groups)
        else:
            given = read_labels(y)
            places = self._match(given)
            if given.matrix is not None and self.rows == SHARED and self._is_regression:
                self._check_lengths([len(given.matrix)] * self.n_tasks, given, rows)
                labels, observed = encode_matrix(self.tasks, given.matrix, places)
            else:
                columns = [given.columns[place] for place in places]
                self._check_lengths([len(column) for column in columns], given, rows)
                if self.rows == OWN:
                    labels, observed = encode_tagged(self.tasks, columns, rows.groups)
                else:
                    labels, observed = encode_shared(self.tasks, columns, rows.n_rows)
        weights = encode_sample_weight(sample_weight, self, rows)
        if weights is not None:
            observed &= weights > 0
        return rows.with_labels(labels, observed, weights)

    @cached_property
    def _is_regression(self) -> bool:
        return not any(task.is_classification for task in self.tasks)

    @cached_property
    def _is_classification(self) -> bool:
        return all(task.is_classification for task in self.tasks)

    def check_observed(self, data: TaskData) -> None:
        """Raise a TaskLayoutError where a task has no observed label of positive weight.

        For ``fit``, whose objective is a mean over observed labels; ``score`` may leave such a
        task out instead.
        """
        assert data.observed is not None, "encode was given no y"
        self.check_counts(data.per_task(data.observed), data.n_rows)

    def check_counts(self, count: np.ndarray, n_rows: int) -> None:
        """Raise the same error, given each task's number of observed labels, shape (T,)."""
        empty = np.flatnonzero(count == 0)
        if len(empty):
            names = [self.names[t] for t in empty]
            raise TaskLayoutError(
                f"Task(s) {listing(names)} have no label to learn from among {n_rows} rows: "
                "each is missing or has zero sample_weight; drop those tasks, or give a label "
                "weight."
            )

    def _encode_rows(self, X: Any) -> TaskData:
        n_tasks = self.n_tasks
        if self.rows == LONG:
            tags, rest = split_task_column(X, self.task_feature)
            codes = find_codes(tags, self.names, self.task_feature)
            return TaskData(rest, len(tags), n_tasks, codes, _row_index(X))
        if self.rows == OWN:
            if not is_dict_of_rows(X):
                raise TaskLayoutError(
                    "fit received X as a dict (each task has its own rows), so X must be a dict "
                    f"of the same tasks {listing(self.names)}; found {type(X).__name__}."
                )
            self._check_names(list(X), "X")
            parts = [X[name] for name in self.names]
            counts = [_num_samples(part) for part in parts]
            codes = np.repeat(np.arange(n_tasks), counts)
            return TaskData(parts, int(sum(counts)), n_tasks, codes)
        if is_dict_of_rows(X):
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

    def _match(self, labels: Labels) -> list[int]:
        """Return the place in `labels` of each task, after checking names."""
        if labels.container in NAMED:
            self._check_names(labels.names, "y")
            place = {name: j for j, name in enumerate(labels.names)}
            return [place[name] for name in self.names]
        if self.is_named:
            raise TaskLayoutError(
                f"fit received named tasks {listing(self.names)}, but y is an array without "
                "names; pass a DataFrame, a dict or a MultiTaskTarget with those names."
            )
        if len(labels.names) != self.n_tasks:
            raise TaskLayoutError(
                f"y has {len(labels.names)} column(s), but fit saw {self.n_tasks} task(s); pass "
                "one column a task, in the order of fit."
            )
        return list(range(self.n_tasks))

    def _check_lengths(self, lengths: Sequence[int], labels: Labels, rows: TaskData) -> None:
        for t, length in enumerate(lengths):
            n_rows = rows.n_rows if self.rows == SHARED else len(rows.groups[t])
            if length != n_rows:
                own = labels.container == DICT and self.rows == SHARED
                raise TaskLayoutError(
                    f"Task {plain(self.names[t])!r} has {length} labels for {n_rows} rows of "
                    "X; pass one label a row, NaN or None where it is not known"
                    + (", or X as a dict too if tasks have rows of their own." if own else ".")
                )

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
        if self.rows == LONG or self.container == MATRIX:
            return self._decode_array(values, data, observed)
        if self.rows == OWN:
            parts = [
                (values[group], None if observed is None else observed[group])
                for group in data.groups
            ]
        else:
            parts = [
                (values[:, t], None if observed is None else observed[:, t])
                for t in range(self.n_tasks)
            ]
        arrays = [label_array(task, *part) for task, part in zip(self.tasks, parts, strict=True)]
        if self.container == FRAME:
            return write_frame(self.backend, self.tasks, arrays, data.index, self.header)
        if self.container in (DICT, TARGET):
            named = dict(zip(self.names, arrays, strict=True))
            return named if self.container == DICT else MultiTaskTarget(named)
        return arrays[0]

    def _decode_array(
        self, values: np.ndarray, data: TaskData, observed: np.ndarray | None
    ) -> np.ndarray:
        """Decode into one array: a matrix, or the column of long form."""
        if self._is_regression:
            return blank(np.asarray(values, dtype=np.float64), observed)
        # all classes in one table, so that a thousand tasks are looked up in one step
        table, starts = self._class_table
        codes = values.astype(np.intp) if observed is None else np.where(observed, values, 0)
        shift = starts if data.task_index is None else starts[data.task_index]
        if self._is_classification:
            return blank(table[codes.astype(np.intp, copy=False) + shift], observed)
        regression = np.array([not task.is_classification for task in self.tasks])
        here = regression if data.task_index is None else regression[data.task_index]
        here = np.broadcast_to(here, values.shape)
        shift = np.broadcast_to(shift, values.shape)
        result = np.empty(values.shape, dtype=table.dtype)
        result[here] = values[here]
        result[~here] = table[values[~here].astype(np.intp) + shift[~here]]
        return blank(result, observed)

    @cached_property
    def _class_table(self) -> tuple[np.ndarray, np.ndarray]:
        """The classes of all tasks, one after another in the dtype of y, and where each starts."""
        sets = [task.classes for task in self.tasks if task.classes is not None]
        values = [np.empty(0)] if len(sets) < self.n_tasks else []
        dtype = join([*sets, *values], holds_objects=self.holds_objects)
        counts = [0 if task.classes is None else len(task.classes) for task in self.tasks]
        starts = np.cumsum([0, *counts[:-1]])
        return np.concatenate([classes.astype(dtype) for classes in sets]), starts

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
            union = np.empty(0) if self.classes is None else self.classes
            result = np.full((data.n_rows, len(union)), np.nan)
            place = {label: j for j, label in enumerate(union.tolist())}
            for task, rows, block in zip(self.tasks, data.groups, probabilities, strict=True):
                if block is not None and task.classes is not None:
                    places = np.array([place[label] for label in task.classes.tolist()])
                    result[rows] = 0.0
                    result[np.ix_(rows, places)] = block
            return result
        if self.is_named:
            named = zip(self.names, probabilities, strict=True)
            return {name: block for name, block in named if block is not None}
        return probabilities[0] if self.n_tasks == 1 else list(probabilities)

    def decode_draws(self, draws: np.ndarray, data: TaskData) -> Any:
        """Return S draws of numbers as estimators show them.

        Parameters
        ----------
        draws : ndarray of shape (n, T, S), or (n, S) where each row belongs to one task
        data : TaskData

        Returns
        -------
        ndarray of the shape of `draws` (of shape (n, S) for one column of labels), or a dict
        name -> ndarray of shape (n_t, S) for named tasks.
        """
        if self.container == MATRIX or self.rows == LONG:
            return draws
        if self.rows == OWN:
            return {name: draws[rows] for name, rows in zip(self.names, data.groups, strict=True)}
        if not self.is_named:
            return draws[:, 0]
        return {name: draws[:, t] for t, name in enumerate(self.names)}


def _row_index(X: Any) -> Any:
    return X.index if hasattr(X, "iloc") else None


__all__ = ["LONG", "MATRIX", "OWN", "SHARED", "TaskLayout"]
