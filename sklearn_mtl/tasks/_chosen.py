"""Parameters that say something of each task, cut to some of the tasks."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sklearn_mtl.tasks._nested import innermost


@dataclass(frozen=True, eq=False)
class ChosenTasks:
    """Some of the tasks of y.

    What is not of these tasks, one by one, is left as it is: a word, a number for all, and what
    names others than the tasks of y, which ``fit`` refuses.

    Attributes
    ----------
    all_names : list of T names
    places : list of int
        The numbers of the chosen ones, ascending.
    new_names : list of names
        What these are called where the others are gone: columns of an array are numbered anew.
    """

    all_names: list[Hashable]
    places: list[int]
    new_names: list[Hashable]

    @property
    def renamed(self) -> dict[Hashable, Hashable]:
        """The new name of each chosen task."""
        old = [self.all_names[place] for place in self.places]
        return dict(zip(old, self.new_names, strict=True))

    def by_task(self, value: Any) -> Any:
        """Return the part of a dict by task, or of an array-like of shape (T,)."""
        if isinstance(value, Mapping):
            return self._part(value)
        is_array = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
        if is_array and len(value) == len(self.all_names):
            return np.asarray(value)[self.places]
        return value

    def by_pair(self, value: Any) -> Any:
        """Return the part of an array or frame of shape (T, T), or of a dict of dicts by task."""
        if isinstance(value, Mapping):
            rows = self._part(value)
            return rows if rows is value else {key: self._part(row) for key, row in rows.items()}
        if getattr(value, "shape", None) != (len(self.all_names),) * 2:
            return value
        if hasattr(value, "loc"):
            old, new = list(self.renamed), self.renamed
            known = set(old) <= set(value.index) & set(value.columns)
            return value.loc[old, old].rename(index=new, columns=new) if known else value
        if issparse(value):
            return value.tocsr()[self.places][:, self.places]
        return np.asarray(value)[np.ix_(self.places, self.places)]

    def _part(self, value: Mapping) -> Mapping:
        if not set(value) <= set(self.all_names):
            return value
        return {new: value[old] for old, new in self.renamed.items() if old in value}


def parameters_for(estimator: Any, tasks: ChosenTasks) -> dict[str, Any]:
    """Return the parameters that an estimator has to be given to be fitted to the chosen tasks.

    Estimators of several tasks tell by ``_parameters_for(tasks)``; pipelines and searches are seen
    through, and all others know of no tasks.
    """
    inner = innermost(estimator)
    if not hasattr(inner.estimator, "_parameters_for"):
        return {}
    own = inner.estimator._parameters_for(tasks)
    return {f"{inner.prefix}{name}": value for name, value in own.items()}
