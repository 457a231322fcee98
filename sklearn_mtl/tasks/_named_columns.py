from collections.abc import Mapping
from typing import Any

from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from sklearn_mtl.tasks._target import MultiTaskTarget


class NamedColumns(dict):
    """A dict of columns by task whose rows splitters can count, whatever the names are.

    `MultiTaskTarget` has strings as names alone, since it says by the type of an index whether a
    column or a row is meant.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and tasks, (n, T)."""
        return _num_samples(next(iter(self.values()))), len(self)

    def rows(self, numbers: Any) -> "NamedColumns":
        """Return the columns at those rows."""
        return NamedColumns(
            {name: _safe_indexing(column, numbers) for name, column in self.items()}
        )


def with_rows(labels: Mapping) -> MultiTaskTarget | NamedColumns:
    """Return labels by task as something with rows, which splitters accept."""
    if labels and not all(isinstance(name, str) for name in labels):
        return NamedColumns(labels)
    return MultiTaskTarget(labels)
