from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Self
from warnings import warn

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.convex import (
    CoefRows,
    MeanRegularization,
    NuclearNorm,
    Penalty,
    PenaltySum,
    Problem,
    Solution,
    coef_rows,
    solve,
)
from sklearn_mtl.convex.solvers import SOLVERS
from sklearn_mtl.linear_model._checks import check_magnitudes
from sklearn_mtl.linear_model._outputs import linear_outputs
from sklearn_mtl.metrics._per_task import mean_task_score
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._outputs import group_outputs
from sklearn_mtl.tasks._predictions import activate, encoded_predictions, probabilities
from sklearn_mtl.tasks._rows import read_rows
from sklearn_mtl.utils._warnings import level_of_caller


class BaseLinear(BaseEstimator):
    """What all linear estimators share: containers in and out, one solve, one warning.

    A subclass says its penalty in `_penalty`, and how rows become a loss in `fit`.
    """

    _family: str  # "regression", "classification" or "mixed": see infer_layout

    _parameter_constraints: dict[str, list[Any]] = {
        "fit_intercept": ["boolean"],
        "task_weight": [None, str, dict, "array-like"],
        "task_feature": [None, str, Integral],
        "solver": [StrOptions({"auto", *SOLVERS})],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
    }

    @abstractmethod
    def _penalty(self) -> Penalty:
        """Return the penalty that the parameters ask for."""

    # -- fit ----------------------------------------------------------------------------------

    def _read(
        self, X: Any, y: Any, sample_weight: Any, layout: TaskLayout | None = None
    ) -> tuple[TaskLayout, TaskData, Any]:
        """Return tasks, labels and the numbers of X; `layout` is that of an earlier call."""
        reset = layout is None
        if layout is None:
            layout = infer_layout(
                X,
                y,
                family=self._family,
                task_kinds=getattr(self, "task_kinds", None),
                task_feature=self.task_feature,
            )
        data = layout.encode(X, y, sample_weight)
        rows = read_rows(self, X, data, layout, reset=reset, accept_sparse="csr")
        check_magnitudes(rows, data, layout)
        return layout, data, rows

    def _solve(
        self,
        problem: Problem,
        layout: TaskLayout,
        intercept: Callable[[np.ndarray], np.ndarray],
        *,
        basis: np.ndarray | None = None,
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
        basis : ndarray of shape (p, r), default=None
            Where features were rotated into fewer: orthonormal columns that lead back.
        dtype : dtype, default=float64
            Of ``coef_`` and ``intercept_``.
        share : float, default=1.0
            Of the objective at W = 0 that ``tol`` is relative to.
        """
        tol = self.tol * share
        solution = solve(
            problem,
            solver=self.solver,
            start=self._start(problem, layout, basis),
            tol=tol,
            max_iter=self.max_iter,
            owner=type(self).__name__,
        )
        self._warn_unless_converged(solution, problem, tol)
        return self._keep(solution, layout, intercept, basis=basis, dtype=dtype)

    def _keep(
        self,
        solution: Solution,
        layout: TaskLayout,
        intercept: Callable[[np.ndarray], np.ndarray],
        *,
        basis: np.ndarray | None,
        dtype: Any,
    ) -> Self:
        """Set the fitted attributes; parameters as in `_solve`."""
        offset = intercept(solution.coef) if self.fit_intercept else np.zeros(len(solution.coef))
        self.layout_ = layout
        self._rows = coef_rows(layout.tasks)
        coef = solution.coef if basis is None else solution.coef @ basis.T
        self.coef_ = coef.astype(dtype, copy=False)
        self.intercept_ = offset.astype(dtype, copy=False)
        self.objective_ = solution.objective
        self.dual_gap_ = solution.gap
        self.n_iter_ = solution.n_iter
        self._set_structure(self.coef_, self._rows)
        return self

    def _set_structure(self, coef: np.ndarray, rows: CoefRows) -> None:
        """Set what the penalty found: the rank, or what tasks share and what is their own."""
        for name in ("rank_", "shared_coef_", "specific_coef_"):
            self.__dict__.pop(name, None)  # of an earlier fit with another penalty
        penalty = self._penalty()
        for term in penalty.terms if isinstance(penalty, PenaltySum) else [penalty]:
            if isinstance(term, NuclearNorm):
                self.rank_ = int(np.linalg.matrix_rank(coef))
            elif isinstance(term, MeanRegularization):
                shared = np.array([term.shared(coef[block]) for block in rows.blocks])
                self.specific_coef_ = coef - shared[rows.block]
                # one w_0 for each block of rows, as one row where there is one block
                self.shared_coef_ = shared[0] if len(shared) == 1 else shared

    def _start(
        self, problem: Problem, layout: TaskLayout, basis: np.ndarray | None
    ) -> np.ndarray | None:
        if not (self.warm_start and hasattr(self, "coef_") and layout.same_tasks(self.layout_)):
            return None
        start = self.coef_.astype(np.float64, copy=False)
        if basis is not None and len(basis) == start.shape[1]:
            start = start @ basis
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

    # -- predict ------------------------------------------------------------------------------

    def predict(self, X: Any) -> Any:
        """Predict every task.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
            As in ``fit``.

        Returns
        -------
        y : the container that ``fit`` received
        """
        check_is_fitted(self)
        data = self.layout_.encode(X)
        return self.layout_.decode(self._encoded(X, data), data)

    def _outputs(self, X: Any, data: TaskData) -> np.ndarray:
        rows = read_rows(self, X, data, self.layout_, reset=False, accept_sparse="csr")
        return linear_outputs(
            rows, data, self.coef_, self.intercept_, self._rows, group_outputs(self.layout_.tasks)
        )

    def _values(self, X: Any, data: TaskData) -> np.ndarray:
        groups = group_outputs(self.layout_.tasks)
        return activate(self._outputs(X, data), groups, data.task_index)

    def _encoded(self, X: Any, data: TaskData) -> np.ndarray:
        n_tasks = self.layout_.n_tasks
        return encoded_predictions(
            self._values(X, data),
            data,
            group_outputs(self.layout_.tasks),
            np.zeros(n_tasks),
            np.ones(n_tasks),
        )

    def _predict_proba(self, X: Any) -> Any:
        check_is_fitted(self)
        data = self.layout_.encode(X)
        blocks = probabilities(
            self._values(X, data), self.layout_, data, group_outputs(self.layout_.tasks)
        )
        return self.layout_.decode_proba(blocks, data)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean over tasks of R² (regression) or accuracy (classification).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
        y : the container that ``fit`` received
            Labels that are missing are left out, and so is a task without any.
        sample_weight : as in ``fit``, default=None

        Returns
        -------
        score : float
            At most 1, higher is better.
        """
        check_is_fitted(self)
        if y is None:
            raise ValueError("score needs labels, but y is None.")
        data = self.layout_.encode(X, y, sample_weight)
        return mean_task_score(self.layout_, data, self._encoded(X, data))

    # -- fitted attributes ----------------------------------------------------------------------

    @property
    def task_names_(self) -> list[Any]:
        """Names of the tasks, in the order of the columns of y."""
        if "layout_" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'task_names_' before fit."
            )
        return list(self.layout_.names)

    def __sklearn_is_fitted__(self) -> bool:
        return "coef_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        tags.input_tags.sparse = True
        return tags
