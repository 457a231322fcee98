from typing import Any, Self
from warnings import warn

from sklearn_mtl.convex import Penalty, coef_rows, make_problem
from sklearn_mtl.convex._reduce import Coordinates, is_rotation_invariant, row_space
from sklearn_mtl.convex.datafits import classification_datafit
from sklearn_mtl.convex.solvers import check_no_free_direction
from sklearn_mtl.linear_model._base import BaseLinear
from sklearn_mtl.linear_model._checks import check_classes_observed
from sklearn_mtl.linear_model._model import BaseLinearClassification, HasClasses
from sklearn_mtl.tasks import TaskData
from sklearn_mtl.tasks._weights import resolve_task_weight
from sklearn_mtl.utils._warnings import level_of_caller

LEAST_SHARE = 1e-4  # of the objective at W = 0: to less, a duality gap is not reached for sure


class BaseLogLoss(HasClasses, BaseLinear):
    """Linear estimators of which some tasks at least have the log-loss."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the weights of all tasks.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
            With ``task_feature`` set, one of the columns says each row's task.
        y : array, DataFrame, dict or MultiTaskTarget
            Labels; NaN, None or NA where not observed. See the README's table of containers.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
            Weight of each row, or of each label. A label of weight 0 is one not observed.

        Returns
        -------
        self

        Raises
        ------
        TaskLayoutError
            Labels that make no task, names or lengths that differ; the message names the task.
        ValueError
            A parameter out of range, infinite or missing values in X, or a penalty that leaves
            directions of the weights free.
        """
        self._validate_params()
        penalty = self._penalty()
        layout, data, rows = self._read(X, y, sample_weight)
        layout.check_observed(data)
        if self.fit_intercept:
            check_classes_observed(layout, data)
        n_observed = data.per_task(data.observed.astype(float))  # type: ignore[union-attr]
        weight = resolve_task_weight(self.task_weight, layout.names, n_observed)
        space = self._coordinates(rows, data, penalty)
        datafit = classification_datafit(
            space.rows,
            data,
            layout.tasks,
            weight,
            fit_intercept=self.fit_intercept,
        )
        tied = coef_rows(layout.tasks)
        problem = make_problem(datafit, penalty, tied)
        check_no_free_direction(problem, tied, owner=type(self).__name__)
        intercept = space.intercept(datafit.intercept)
        share = self._share(datafit.least_share)
        return self._solve(problem, layout, intercept, space=space, dtype=rows.dtype, share=share)

    def _coordinates(self, rows: Any, data: TaskData, penalty: Penalty) -> Coordinates:
        """Return the coordinates to work in: fewer where X is wide and rotations change nothing."""
        invariant = is_rotation_invariant(penalty)
        return row_space(rows, centre=self.fit_intercept) if invariant else Coordinates(rows)

    def _share(self, least: float) -> float:
        """Return what ``tol`` is relative to, so that no kind of task is left unlearned."""
        if least < LEAST_SHARE:
            warn(
                "One kind of task (squared error, two classes or several) has "
                f"{least:.1g} of the objective of {type(self).__name__} at W = 0, and may be "
                "learned poorly: standardise regression labels, or set task_weight.",
                UserWarning,
                stacklevel=level_of_caller(),
            )
        return max(least, LEAST_SHARE)


class BaseLinearClassifier(BaseLinearClassification, BaseLogLoss):
    """Linear estimators of the log-loss alone."""
