"""Rows of several tasks, cut into training and test parts, whatever container holds them."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.validation import _num_samples

from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.metrics._labels import TrueLabels, match_names, read_true
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.tasks._long import split_task_column
from sklearn_mtl.tasks._named_columns import NamedColumns, with_rows
from sklearn_mtl.utils._validation import listing, plain


@dataclass(frozen=True, eq=False)
class ComparisonRows:
    """X, y and weights that can be cut; rows of own X count through the tasks, one after another.

    Attributes
    ----------
    X, y, sample_weight : the caller's, or dicts of them by task
    task_feature : str, int or None
        The task column of X in long form.
    """

    X: Any
    y: Any
    sample_weight: Any = None
    task_feature: Any = None

    @classmethod
    def read(cls, X: Any, y: Any, sample_weight: Any, task_feature: Any) -> "ComparisonRows":
        """Check lengths and names, and make what cannot be sliced sliceable."""
        if y is None:
            raise ValueError("A comparison needs labels, but y is None.")
        X = sliceable(X)
        if is_dict_of_rows(X):
            if not isinstance(y, Mapping):
                raise TaskLayoutError(
                    "X is a dict (each task has its own rows), so y must be a dict of the same "
                    f"tasks {listing(X)}; found {type(y).__name__}."
                )
            match_names(list(X), [plain(name) for name in y], "X")
            for name in y:
                indexable(X[name], y[name])
            return cls(X, y, sample_weight)
        if isinstance(y, Mapping):
            y = with_rows(y)
        if isinstance(sample_weight, Mapping):
            sample_weight = NamedColumns(sample_weight)
        X, y = indexable(X, y)
        return cls(X, y, sample_weight, task_feature)

    @property
    def is_own(self) -> bool:
        """Whether each task has its own X."""
        return is_dict_of_rows(self.X)

    @cached_property
    def labels(self) -> TrueLabels:
        """The labels that count, task by task."""
        return self._true(self.X, self.y, self.sample_weight)

    @property
    def names(self) -> list[Hashable]:
        """Task names, T of them."""
        return self.labels.names

    @cached_property
    def observed(self) -> list[np.ndarray]:
        """For each task, the numbers of the rows whose label counts."""
        return [rows[task.rows] for rows, task in zip(self.rows_of, self.labels.tasks, strict=True)]

    @cached_property
    def rows_of(self) -> list[np.ndarray]:
        """For each task, the numbers of its rows."""
        lengths = [len(task.column) for task in self.labels.tasks]
        if self.is_own:
            return np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
        return [
            np.arange(length) if task.group is None else task.group
            for length, task in zip(lengths, self.labels.tasks, strict=True)
        ]

    @property
    def n_rows(self) -> int:
        """Rows that parts have the numbers of."""
        if self.is_own:
            return sum(map(len, self.rows_of))
        return _num_samples(self.X)

    def for_splitter(self) -> tuple[Any, Any, Any]:
        """Return X, y and the task column by which a splitter sees them as rows of one table."""
        if not self.is_own:
            return self.X, self.y, self.task_feature
        codes = np.repeat(np.arange(len(self.names)), [len(rows) for rows in self.rows_of])
        columns = [task.column.filled() for task in self.labels.tasks]
        if len({column.dtype.kind for column in columns}) > 1:
            columns = [column.astype(object) for column in columns]  # classes beside values
        return codes[:, None], np.concatenate(columns), 0

    def cut(self, values: Any, rows: np.ndarray) -> Any:
        """Return the part of X, y or weights (or None) at those rows."""
        if isinstance(values, NamedColumns):
            return values.rows(rows)
        if values is None or not self.is_own:
            return None if values is None else _safe_indexing(values, rows)
        return {
            name: _safe_indexing(values[name], rows[np.isin(rows, own)] - own[0])
            for name, own in zip(self.names, self.rows_of, strict=True)
        }

    def part(self, rows: np.ndarray) -> tuple[Any, Any, Any]:
        """Return X, y and sample_weight at those rows."""
        return self.cut(self.X, rows), self.cut(self.y, rows), self.cut(self.sample_weight, rows)

    def read_part(self, X: Any, y: Any, sample_weight: Any) -> TrueLabels:
        """Return the labels of a part that `part` made, for all tasks."""
        return self._true(X, y, sample_weight, self.names)

    def _true(
        self, X: Any, y: Any, sample_weight: Any, names: Sequence[Hashable] | None = None
    ) -> TrueLabels:
        if self.task_feature is None:
            return read_true(y, sample_weight)
        tags = split_task_column(X, self.task_feature)[0]
        return read_true(y, sample_weight, tags, names)
