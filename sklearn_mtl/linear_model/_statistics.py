from abc import abstractmethod
from copy import copy
from typing import Any, Self

import numpy as np
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.convex import GramStats
from sklearn_mtl.linear_model._blocks import block_outputs, is_dask, read_blocks
from sklearn_mtl.linear_model._model import BaseLinearModel, BaseLinearRegression
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._layout import MATRIX


class BaseStatisticsRegressor(BaseLinearRegression):
    """Linear regressors that learn from sufficient statistics, of rows that may come in parts.

    A subclass says in `_fit_statistics` what it makes of them.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearModel._parameter_constraints,
        "precompute": ["boolean", StrOptions({"auto"}), GramStats],
    }

    precompute: Any

    @abstractmethod
    def _fit_statistics(
        self, stats: GramStats, layout: TaskLayout, *, dtype: Any, growing: bool = False
    ) -> Self:
        """Fit what was learned from rows; `growing` where more rows may come."""

    def _check_statistics(self, what: str) -> bool:
        """Return True, or raise an error where rows have no statistics to add up; `what` asks."""
        return True

    def _fit_rows(self, rows: Any, data: TaskData, layout: TaskLayout) -> GramStats | None:
        """Fit rows; return their statistics, where they are of X's own features."""
        stats = GramStats.from_data(rows, data)
        self._fit_statistics(stats, layout, dtype=rows.dtype)
        return stats

    # -- fit ----------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the weights of all tasks.

        Parameters
        ----------
        X : array-like, sparse matrix or dask array of shape (n, p), or dict name -> (n_t, p)
            With ``task_feature`` set, one of the columns says each row's task. A dask array is
            read block by block, where its blocks live, and never held in memory.
        y : array, DataFrame, dict or MultiTaskTarget
            Labels; NaN, None or NA where not observed. See the README's table of containers. With
            X a dask array, y may be one too.
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
            A parameter out of range, infinite or missing values in X, tasks whose weights neither
            labels nor penalty determine, or statistics in ``precompute`` that are of other data.
        """
        self._validate_params()
        if is_dask(X):
            self._check_statistics("A dask array X")
            return self._fit_blocks(X, y, sample_weight)
        if self.precompute is True or isinstance(self.precompute, GramStats):
            self._check_statistics(f"precompute={self.precompute!r}")
        layout, data, rows = self._read(X, y, sample_weight)
        layout.check_observed(data)
        stats: GramStats | None
        if isinstance(self.precompute, GramStats):
            difference = self.precompute.matches(rows, data, layout.names)
            if difference is not None:
                raise ValueError(
                    f"precompute holds statistics of other data than X and y: {difference}. Pass "
                    "what `statistics` returned for these rows, or precompute='auto'."
                )
            stats = self.precompute
            self._fit_statistics(stats, layout, dtype=rows.dtype)
        else:
            stats = self._fit_rows(rows, data, layout)
        self.statistics_ = stats
        return self

    @available_if(lambda self: self._check_statistics("partial_fit"))
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Add rows, and fit all rows seen so far.

        Exact: equal to one ``fit`` on those rows together, as statistics of rows add up. It goes
        on from an earlier ``fit`` or ``partial_fit``; ``fit`` starts anew. The tasks are those of
        the first call, each with a label there; later rows may label any of them.

        A stream may start with few rows. While labels and penalty together do not determine the
        weights, where ``fit`` would raise an error, they are 0 and predictions are means.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        self._validate_params()
        seen = getattr(self, "statistics_", None)
        if seen is None and self._is_fitted:
            raise ValueError(
                "partial_fit goes on from statistics, which trim() dropped or the fit before it "
                "did not form: it worked on the rows of wide X. Fit with precompute=True, or start "
                "with partial_fit on a clone."
            )
        known = None if seen is None else self.layout_
        layout, stats, dtype = self._gather(X, y, sample_weight, known)
        if seen is not None:
            stats = seen.merge(stats)
        self._fit_statistics(stats, layout, dtype=dtype, growing=True)
        self.statistics_ = stats
        return self

    @available_if(lambda self: self._check_statistics("statistics"))
    def statistics(self, X: Any, y: Any, sample_weight: Any = None) -> GramStats:
        """Return what ``fit`` would learn from X and y, for ``precompute``.

        Statistics do not depend on the penalty: compute them once, and fit a grid. ``fit`` compares
        them with its X and y; of a dask array, whose reading they are to spare, the shape alone.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        statistics : GramStats
        """
        self._validate_params()
        # reading sets n_features_in_, which is for fit to do
        return copy(self)._gather(X, y, sample_weight)[1]

    def _gather(
        self, X: Any, y: Any, sample_weight: Any, known: TaskLayout | None = None
    ) -> tuple[TaskLayout, GramStats, Any]:
        """Return tasks, statistics and dtype of rows; `known` are the tasks of earlier rows."""
        if is_dask(X):
            layout, pending = read_blocks(self, X, y, sample_weight, known)
            stats, n_rows, dtype = pending.compute(), X.shape[0], X.dtype
        else:
            layout, data, rows = self._read(X, y, sample_weight, known)
            stats, n_rows, dtype = GramStats.from_data(rows, data), data.n_rows, rows.dtype
        if known is None:
            layout.check_counts(stats.count, n_rows)
        return layout, stats, _float(dtype)

    def _fit_blocks(self, X: Any, y: Any, sample_weight: Any) -> Self:
        given = self.precompute
        if isinstance(given, GramStats):
            # to compare more than shapes would take reading X, which statistics are to spare
            layout, _ = read_blocks(self, X, y, sample_weight, None)
            if (given.n_tasks, given.n_features) != (layout.n_tasks, X.shape[1]):
                raise ValueError(
                    f"precompute holds statistics of {given.n_tasks} task(s) and "
                    f"{given.n_features} feature(s), but there are {layout.n_tasks} and "
                    f"{X.shape[1]}; pass what `statistics` returned for these rows."
                )
            stats, dtype = given, _float(X.dtype)
        else:
            layout, stats, dtype = self._gather(X, y, sample_weight)
        self._fit_statistics(stats, layout, dtype=dtype)
        self.statistics_ = stats
        return self

    # -- predict ------------------------------------------------------------------------------

    def predict(self, X: Any) -> Any:
        """Predict every task.

        Parameters
        ----------
        X : array-like, sparse matrix or dask array of shape (n, p), or dict name -> (n_t, p)
            As in ``fit``.

        Returns
        -------
        y : the container that ``fit`` received
            Of a dask array X, where ``fit`` received an array of labels: a dask array, computed
            when asked.
        """
        check_is_fitted(self)
        if is_dask(X) and not self.layout_.is_named:
            outputs = block_outputs(self, X)
            return outputs if self.layout_.container == MATRIX else outputs[:, 0]
        return super().predict(X)

    def _outputs(self, X: Any, data: TaskData) -> np.ndarray:
        return block_outputs(self, X).compute() if is_dask(X) else super()._outputs(X, data)


def _float(dtype: Any) -> Any:
    return np.float32 if dtype == np.float32 else np.float64
