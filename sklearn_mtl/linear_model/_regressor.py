from typing import Any, Self

import numpy as np

from sklearn_mtl.convex import GramStats, Solution, coef_rows, make_problem
from sklearn_mtl.convex._reduce import Coordinates, Intercept
from sklearn_mtl.convex.datafits import Datafit, DesignQuadratic
from sklearn_mtl.convex.penalties import Penalty
from sklearn_mtl.linear_model._base import BaseLinear
from sklearn_mtl.linear_model._checks import (
    check_determined,
    check_more_than_one_label,
    undetermined_tasks,
)
from sklearn_mtl.linear_model._form import choose_form
from sklearn_mtl.linear_model._model import BaseLinearRegression
from sklearn_mtl.linear_model._statistics import BaseStatisticsRegressor
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._weights import resolve_task_weight


class BaseSquaredLoss(BaseLinearRegression, BaseLinear):
    """Linear estimators of the squared loss and a penalty, from the loss on."""

    # the parameters that penalise the size of weights, for errors
    _strengths = "alpha"

    def _coordinates(
        self, rows: Any, data: TaskData, penalty: Penalty, precompute: Any
    ) -> tuple[Coordinates, bool]:
        """Return the coordinates to work in, and whether on rows; as `choose_form` does."""
        return choose_form(rows, data, penalty, precompute, centre=self.fit_intercept)

    def _fit_datafit(
        self,
        datafit: Datafit,
        intercept: Intercept,
        count: np.ndarray,
        penalty: Penalty,
        layout: TaskLayout,
        *,
        space: Coordinates | None = None,
        dtype: Any,
        growing: bool = False,
    ) -> Self:
        problem = make_problem(datafit, penalty, coef_rows(layout.tasks))
        if space is None:  # statistics are of X's own features, whatever the rows
            space = Coordinates(np.empty((0, datafit.shape[1])))
        intercept = space.intercept(intercept)
        if not growing:
            if self.fit_intercept:
                check_more_than_one_label(count, layout)
            check_determined(
                problem,
                count,
                space.n_features,
                layout,
                owner=type(self).__name__,
                strengths=self._strengths,
            )
        elif len(undetermined_tasks(problem, count, space.n_features)):
            zero = np.zeros(datafit.shape)
            known = problem.certify(zero)
            start = Solution(zero, known.objective, known.gap, n_iter=0, converged=False)
            return self._keep(start, layout, intercept, space=space, dtype=dtype)
        return self._solve(problem, layout, intercept, space=space, dtype=dtype)


class BaseLinearRegressor(BaseStatisticsRegressor, BaseSquaredLoss):
    """Linear estimators of the squared loss, fitted through sufficient statistics where they pay.

    A subclass says its penalty in `_penalty`.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinear._parameter_constraints,
        **BaseStatisticsRegressor._parameter_constraints,
    }

    def _fit_statistics(
        self,
        stats: GramStats,
        layout: TaskLayout,
        *,
        space: Coordinates | None = None,
        dtype: Any,
        growing: bool = False,
    ) -> Self:
        """Fit what was learned from rows; `space` says in which coordinates, other than their own.

        `growing` is for streams, which start with too few rows to determine weights: then W = 0
        stands for them, and predictions are means, until there are enough.
        """
        weight = resolve_task_weight(self.task_weight, layout.names, stats.count)
        datafit = stats.datafit(weight, fit_intercept=self.fit_intercept)
        return self._fit_datafit(
            datafit,
            stats.intercept,
            stats.count,
            self._penalty(),
            layout,
            space=space,
            dtype=dtype,
            growing=growing,
        )

    def _fit_rows(self, rows: Any, data: TaskData, layout: TaskLayout) -> GramStats | None:
        """Fit rows in their cheapest form; return statistics where they are of X's own features."""
        centre, penalty = self.fit_intercept, self._penalty()
        space, by_rows = self._coordinates(rows, data, penalty, self.precompute)
        if by_rows:
            count = data.per_task(data.observed)  # type: ignore[arg-type]
            weight = resolve_task_weight(self.task_weight, layout.names, count)
            loss = DesignQuadratic(space.rows, data, weight, fit_intercept=centre)
            self._fit_datafit(
                loss, loss.intercept, count, penalty, layout, space=space, dtype=rows.dtype
            )
            return None
        stats = GramStats.from_data(space.rows, data)
        self._fit_statistics(stats, layout, space=space, dtype=rows.dtype)
        return stats if space.basis is None else None
