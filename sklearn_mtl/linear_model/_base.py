from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self
from warnings import warn

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import StrOptions

from sklearn_mtl.convex import (
    CoefRows,
    MeanRegularization,
    NuclearNorm,
    Penalty,
    PenaltySum,
    Problem,
    Solution,
    TaskRelationship,
    coef_rows,
    solve,
)
from sklearn_mtl.convex._reduce import Coordinates
from sklearn_mtl.convex.solvers import SOLVERS
from sklearn_mtl.linear_model._covariance import learned_covariance
from sklearn_mtl.linear_model._model import BaseLinearModel
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.tasks._chosen import ChosenTasks
from sklearn_mtl.utils._warnings import level_of_caller

# attributes that say what a penalty found
STRUCTURE = ("rank_", "shared_coef_", "specific_coef_", "task_covariance_", "task_correlation_")


class BaseLinear(BaseLinearModel):
    """What the estimators with a penalty share: one solve, one warning.

    A subclass says its penalty in `_penalty`, and how rows become a loss in `fit`.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearModel._parameter_constraints,
        "task_weight": [None, str, dict, "array-like"],
        "solver": [StrOptions({"auto", *SOLVERS})],
        "warm_start": ["boolean"],
    }

    @abstractmethod
    def _penalty(self) -> Penalty:
        """Return the penalty that the parameters ask for."""

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        """Return the parameters that are of each task, for some of the tasks."""
        found = {"task_weight": tasks.by_task(self.task_weight)}
        for key, part in self.get_params(deep=True).items():
            if isinstance(part, Penalty):
                own = part._parameters_for(tasks)
                found |= {f"{key}__{name}": value for name, value in own.items()}
        return found

    # -- fit ----------------------------------------------------------------------------------

    def _solve(
        self,
        problem: Problem,
        layout: TaskLayout,
        intercept: Callable[[np.ndarray], np.ndarray],
        *,
        space: Coordinates,
        dtype: Any = np.float64,
        share: float = 1.0,
    ) -> Self:
        """Minimise, warn where the gap is not small enough, and set what ``fit`` leaves behind.

        Parameters
        ----------
        problem : Problem
        layout : TaskLayout
        intercept : callable (W) -> ndarray of shape (M,)
            The best intercepts for W; zeros where none are asked for.
        space : Coordinates
            Those of W.
        dtype : dtype, default=float64
            Of ``coef_`` and ``intercept_``.
        share : float, default=1.0
            Of the objective at W = 0 that ``tol`` is relative to.
        """
        tol = self.tol * share
        solution = solve(
            problem,
            solver=self.solver,
            start=self._start(problem, layout, space),
            tol=tol,
            max_iter=self.max_iter,
            owner=type(self).__name__,
        )
        self._warn_unless_converged(solution, problem, tol)
        return self._keep(solution, layout, intercept, space=space, dtype=dtype)

    def _keep(
        self,
        solution: Solution,
        layout: TaskLayout,
        intercept: Callable[[np.ndarray], np.ndarray],
        *,
        space: Coordinates,
        dtype: Any,
    ) -> Self:
        """Set the fitted attributes; parameters as in `_solve`."""
        offset = intercept(solution.coef) if self.fit_intercept else np.zeros(len(solution.coef))
        self.layout_ = layout
        self._rows = coef_rows(layout.tasks)
        self.intercept_ = offset.astype(dtype, copy=False)
        self.objective_ = solution.objective
        self.dual_gap_ = solution.gap
        self.n_iter_ = solution.n_iter
        self._set_weights(solution.coef, space, dtype)
        return self

    def _set_weights(self, W: np.ndarray, space: Coordinates, dtype: Any) -> None:
        """Set what `_weights` returns, and what the penalty found in it."""
        self.coef_ = space.outward(W).astype(dtype, copy=False)
        self._set_structure(self.coef_, self._rows)

    def _forget_structure(self) -> None:
        for name in STRUCTURE:
            self.__dict__.pop(name, None)  # of an earlier fit with another penalty

    def _set_structure(self, coef: np.ndarray, rows: CoefRows) -> None:
        """Set what the penalty found: the rank, what tasks share, or how they covary."""
        self._forget_structure()
        penalty = self._penalty()
        for term in penalty.terms if isinstance(penalty, PenaltySum) else [penalty]:
            if isinstance(term, NuclearNorm):
                self.rank_ = int(np.linalg.matrix_rank(coef))
            elif isinstance(term, MeanRegularization):
                shared = np.array([term.shared(coef[block]) for block in rows.blocks])
                self.specific_coef_ = coef - shared[rows.block]
                # one w_0 for each block of rows, as one row where there is one block
                self.shared_coef_ = shared[0] if len(shared) == 1 else shared
            elif isinstance(term, TaskRelationship):
                self._set_covariance(term, coef, rows)

    def _set_covariance(self, term: TaskRelationship, W: np.ndarray, rows: CoefRows) -> None:
        learned = learned_covariance(term, W, rows, type(self).__name__)
        self.task_covariance_ = learned.covariance
        self.task_correlation_ = learned.correlation
        self.rank_ = learned.rank

    def _start(self, problem: Problem, layout: TaskLayout, space: Coordinates) -> np.ndarray | None:
        if not (self.warm_start and self._is_fitted and layout.same_tasks(self.layout_)):
            return None
        start = space.inward(self._weights.astype(np.float64, copy=False))
        return start if start.shape == problem.datafit.shape else None

    def _warn_unless_converged(self, solution: Solution, problem: Problem, tol: float) -> None:
        if solution.converged:
            return
        if solution.n_iter < self.max_iter:
            end = "found nothing better, within rounding,"
            remedy = f"Raise tol (now {self.tol:g})"
        else:
            end = "stopped"
            remedy = f"Raise max_iter (now {self.max_iter}) or tol (now {self.tol:g})"
        warn(
            f"{type(self).__name__} {end} after {solution.n_iter} iterations at a duality gap of "
            f"{solution.gap:.3g}, above tol times the objective at W = 0 "
            f"({tol * problem.scale:.3g}). {remedy}, bring the features to one scale, or "
            "penalise more.",
            ConvergenceWarning,
            stacklevel=level_of_caller(),
        )
