from abc import abstractmethod
from copy import copy
from numbers import Integral, Real
from typing import Any, Self
from warnings import warn

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.bayes import STRUCTURES, GaussianFit, LaplaceFit
from sklearn_mtl.convex import coef_rows
from sklearn_mtl.linear_model._model import BaseLinearModel
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._new_tasks import append_tasks, layout_of_rows, places
from sklearn_mtl.tasks._rows import read_rows
from sklearn_mtl.utils._warnings import level_of_caller


class BasePopulationModel(BaseLinearModel):
    """Linear models whose tasks are draws of one population, of which there are more.

    A subclass says in `_select` what it knows of some tasks, and in `_learn_tasks` what labels
    tell of tasks that come later.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearModel._parameter_constraints,
        "prior_covariance": [StrOptions(set(STRUCTURES))],
        "prior_rank": [Interval(Integral, 1, None, closed="left")],
        "prior_mean": [StrOptions({"learned", "zero"})],
        "pseudo_tasks": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "unseen_task": [StrOptions({"error", "prior"})],
    }

    unseen_task: Any

    @abstractmethod
    def _select(self, layout: TaskLayout, known: np.ndarray) -> None:
        """Set what predictions need to that of some tasks; -1 in `known` is a task never seen."""

    @abstractmethod
    def _learn_tasks(self, data: TaskData, rows: np.ndarray, added: TaskLayout) -> None:
        """Append what predictions need of new tasks."""

    def _warn_unless_converged(self, fit: GaussianFit | LaplaceFit) -> None:
        if not fit.converged:
            warn(
                f"{type(self).__name__} stopped after {fit.n_iter} iterations, the last of which "
                f"raised the log evidence by {fit.scores[-1] - fit.scores[-2]:.3g}. Raise max_iter "
                f"(now {self.max_iter}) or tol (now {self.tol:g}).",
                ConvergenceWarning,
                stacklevel=level_of_caller(),
            )

    def _knowing(self, X: Any, *, present: bool = False) -> Self:
        """Return this model with the tasks that X names: a copy, where they are others."""
        if self.unseen_task == "error":
            return self
        layout = layout_of_rows(self.layout_, X, present=present)
        if layout is self.layout_:
            return self
        wider = copy(self)
        wider._select(layout, places(self.layout_, layout))
        wider._rows, wider.layout_ = coef_rows(layout.tasks), layout
        return wider

    def add_task(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn tasks that ``fit`` never saw, given what it learned of their population.

        Other tasks, and the population, stay as they are: it costs what one task costs. ``fit``
        on all rows would let the new tasks change them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
            Rows of the new tasks, in the form that ``fit`` received.
        y : the container that ``fit`` received
            Labels under new names. Columns of an array are numbered on.
        sample_weight : as in ``fit``, default=None

        Returns
        -------
        self

        Raises
        ------
        TaskLayoutError
            A name that is known already, another container than that of ``fit``, no label.
        """
        check_is_fitted(self)
        added = self._infer_added(X, y)
        layout = append_tasks(self.layout_, added)
        data = added.encode(X, y, sample_weight)
        added.check_observed(data)
        rows = read_rows(self, X, data, added, reset=False, accept_sparse="csr")
        self._learn_tasks(data, rows, added)
        self._rows, self.layout_ = coef_rows(layout.tasks), layout
        return self

    def _infer_added(self, X: Any, y: Any) -> TaskLayout:
        """Return what the tasks in labels of a later call are."""
        return infer_layout(X, y, family=self._family, task_feature=self.task_feature)
