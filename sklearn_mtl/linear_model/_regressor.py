from abc import abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import StrOptions

from sklearn_mtl.convex import GramStats, coef_rows, make_problem
from sklearn_mtl.convex._reduce import row_space
from sklearn_mtl.convex.penalties import NormPenalty, Penalty, PenaltySum
from sklearn_mtl.linear_model._base import BaseLinear
from sklearn_mtl.linear_model._checks import check_determined, check_more_than_one_label
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.tasks._weights import resolve_task_weight


class BaseSquaredLoss(RegressorMixin, BaseLinear):
    """Linear estimators of the squared loss, from its sufficient statistics on."""

    _family = "regression"

    # RegressorMixin knows neither names nor missing labels
    score = BaseLinear.score

    def _fit_statistics(
        self,
        stats: GramStats,
        penalty: Penalty,
        layout: TaskLayout,
        *,
        basis: np.ndarray | None = None,
        dtype: Any,
    ) -> Self:
        weight = resolve_task_weight(self.task_weight, layout.names, stats.count)
        if self.fit_intercept:
            check_more_than_one_label(stats, layout)
        datafit = stats.datafit(weight, fit_intercept=self.fit_intercept)
        problem = make_problem(datafit, penalty, coef_rows(layout.tasks))
        n_features = stats.n_features if basis is None else len(basis)
        check_determined(problem, stats.count, n_features, layout, type(self).__name__)
        return self._solve(problem, layout, stats.intercept, basis=basis, dtype=dtype)


class BaseLinearRegressor(BaseSquaredLoss):
    """Linear estimators of the squared loss, fitted through sufficient statistics."""

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinear._parameter_constraints,
        "precompute": ["boolean", StrOptions({"auto"}), GramStats],
    }

    @abstractmethod
    def _penalty(self) -> Penalty:
        """Return the penalty that the parameters ask for."""

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
            A parameter out of range, infinite or missing values in X, or tasks whose weights
            neither labels nor penalty determine.
        """
        self._validate_params()
        penalty = self._penalty()
        layout, data, rows = self._read(X, y, sample_weight)
        layout.check_observed(data)
        basis = None
        if isinstance(self.precompute, GramStats):
            difference = self.precompute.matches(rows, data)
            if difference is not None:
                raise ValueError(
                    f"precompute holds statistics of other data than X and y: {difference}. Pass "
                    "what `statistics` returned for these rows, or precompute='auto'."
                )
            stats = self.precompute
        else:
            if self.precompute == "auto" and is_rotation_invariant(penalty):
                basis = row_space(rows)
            stats = GramStats.from_data(rows if basis is None else rows @ basis, data)
        self.statistics_ = stats if basis is None else None
        return self._fit_statistics(stats, penalty, layout, basis=basis, dtype=rows.dtype)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Add rows, and fit all rows seen so far.

        Exact: equal to one ``fit`` on those rows together, as statistics of rows add up. The tasks
        are those of the first call; later rows may label any of them.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        self._validate_params()
        penalty = self._penalty()
        seen = getattr(self, "statistics_", None)
        if seen is None and hasattr(self, "coef_"):
            raise ValueError(
                "partial_fit goes on from statistics, which the fit before it did not form "
                "(X was wide); start with partial_fit on a clone, or fit with precompute=True."
            )
        layout, data, rows = self._read(X, y, sample_weight, self.layout_ if seen else None)
        new = GramStats.from_data(rows, data)
        stats = new if seen is None else seen.merge(new)
        if (stats.count == 0).any():
            layout.check_observed(data)
        self.statistics_ = stats
        return self._fit_statistics(stats, penalty, layout, dtype=rows.dtype)

    def statistics(self, X: Any, y: Any, sample_weight: Any = None) -> GramStats:
        """Return what ``fit`` would learn from X and y, for ``precompute``.

        Statistics do not depend on the penalty: compute them once, and fit a grid.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        statistics : GramStats
        """
        self._validate_params()
        layout, data, rows = self._read(X, y, sample_weight)
        layout.check_observed(data)
        return GramStats.from_data(rows, data)


def is_rotation_invariant(penalty: Penalty) -> bool:
    """Return whether the penalty of W and of W Q' agree for orthonormal columns Q."""
    terms = penalty.terms if isinstance(penalty, PenaltySum) else [penalty]
    return all(term.is_rotation_invariant for term in terms if isinstance(term, NormPenalty))
