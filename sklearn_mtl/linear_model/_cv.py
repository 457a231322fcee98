from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Self
from warnings import warn

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils._param_validation import Interval
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.convex import GramStats, Penalty, Problem, Solution, coef_rows
from sklearn_mtl.convex._reduce import Intercept
from sklearn_mtl.linear_model._base import BaseLinear
from sklearn_mtl.linear_model._cells import batches, cells_at_most
from sklearn_mtl.linear_model._checks import check_more_than_one_label
from sklearn_mtl.linear_model._folds import CellStats, RowPart, RowSplits, loss_of
from sklearn_mtl.linear_model._path import End, PathErrors, PathSolver, Scales, SplitLoss
from sklearn_mtl.linear_model._regressor import BaseSquaredLoss
from sklearn_mtl.linear_model._splits import Split, read_splits
from sklearn_mtl.tasks import TaskData
from sklearn_mtl.tasks._weights import resolve_task_weight
from sklearn_mtl.utils._warnings import level_of_caller

STRENGTHS = [Interval(Integral, 1, None, closed="left"), "array-like"]


@dataclass(frozen=True, eq=False)
class Tried:
    """The strengths to try, and the loss of all rows that they come from.

    Attributes
    ----------
    scales : Scales
    intercept : callable (W) -> ndarray of shape (T,)
    seconds : sequence
        Values of the second parameter; one of no meaning where there is none.
    alphas : ndarray of shape (n_seconds, n_alphas)
        Falling.
    """

    scales: Scales
    intercept: Intercept
    seconds: Sequence[Any]
    alphas: np.ndarray


class BaseLinearRegressorCV(BaseSquaredLoss):
    """Linear regressors that choose the strength of their penalty by cross-validation.

    Statistics of the rows of each cell of the splits are formed once; training and held-out rows
    of every split are merges of cells. A subclass says which penalties to try, in `_grid` and
    `_penalty_at`, and what it calls the one chosen, in `_set_choice`.
    """

    _strengths = "all of alphas"

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinear._parameter_constraints,
        "alphas": STRENGTHS,
        "eps": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "n_jobs": [Integral, None],
    }

    @abstractmethod
    def _penalty_at(self, alpha: Any, second: Any = 1.0) -> Penalty:
        """Return the penalty of these strengths; `second` where there are two parameters."""

    @abstractmethod
    def _set_choice(self, alphas: np.ndarray, seconds: Sequence[Any], s: int, a: int) -> None:
        """Set what was tried, alphas of shape (n_seconds, n_alphas), and which was best."""

    def _seconds(self, scales: Scales) -> Sequence[Any]:
        """Return the values of the second parameter; one of no meaning where there is none."""
        return [1.0]

    def _alphas(self, scales: Scales, second: Any) -> np.ndarray:
        """Return the values of alpha for one value of the second parameter, falling."""
        unit = self._penalty_at(1.0, second)
        return scales.strengths(self.alphas, unit, self.eps, "alphas")

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose the strength with the least held-out error, and fit all rows with it.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
            With ``task_feature`` set, one of the columns says each row's task.
        y : array, DataFrame, dict or MultiTaskTarget
            Labels; NaN, None or NA where not observed. See the README's table of containers.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
            Weight of each row, or of each label, in training and in held-out errors alike. A label
            of weight 0 is one not observed.
        **params : dict
            ``groups`` for the splitter, a dict by task where X is one. With metadata routing
            enabled, whatever is routed to the splitter.

        Returns
        -------
        self

        Raises
        ------
        TaskLayoutError
            Labels that make no task, names or lengths that differ, splits that leave nothing to
            score; the message names the task or the split.
        ValueError
            A parameter out of range, infinite or missing values in X, or tasks whose weights
            neither labels nor penalty determine.
        """
        self._validate_params()
        options = self._split_options(sample_weight, params)
        unit = self._penalty_at(1.0)
        unit.check()
        layout, data, rows = self._read(X, y, sample_weight)
        layout.check_observed(data)
        splits = read_splits(self.cv, X, y, data, layout, options)
        # rotated once, for all splits: training rows span no more than all rows do
        space, by_rows = self._coordinates(rows, data, unit, "auto")
        solver = PathSolver(
            layout,
            coef_rows(layout.tasks),
            self.task_weight,
            self.fit_intercept,
            space.n_features,
            self.solver,
            self.tol,
            self.max_iter,
            type(self).__name__,
            self._strengths,
        )
        search = self._by_rows if by_rows else self._by_statistics
        whole, tried, found = search(solver, space.rows, data, splits)
        errors = np.array([[path.errors for path in of_split] for of_split in found])
        self.mse_path_ = np.moveaxis(errors, 0, 2)  # (n_seconds, n_alphas, n_splits)
        mean = self.mse_path_.mean(axis=2)
        s, a = np.unravel_index(np.argmin(mean), mean.shape)
        self._set_choice(tried.alphas, tried.seconds, int(s), int(a))
        self._fit_datafit(
            tried.scales.datafit,
            tried.intercept,
            whole.count,
            self._penalty(),
            layout,
            space=space,
            dtype=rows.dtype,
        )
        keeps = isinstance(whole, GramStats) and space.basis is None
        self.statistics_ = whole if keeps else None
        last: End = self.__dict__.pop("_last_end")
        self._warn_of(sum((path.end for of_split in found for path in of_split), last))
        return self

    def _by_statistics(
        self, solver: PathSolver, X: Any, data: TaskData, splits: Sequence[Split]
    ) -> tuple[GramStats, Tried, list[list[PathErrors]]]:
        """Return statistics of all rows, the strengths to try, and each split's paths."""
        first, *others = batches(splits, data.n_rows, cells_at_most(data, X.shape[1]))
        source = first.statistics(X, data)
        if first.is_partition:
            whole = GramStats.merge_all(source.cells)
        else:
            whole = GramStats.from_data(X, data)
        tried = self._try(whole, solver)
        found = self._errors(solver, source, first.numbers, tried)
        for batch in others:
            found |= self._errors(solver, batch.statistics(X, data), batch.numbers, tried)
        return whole, tried, [found[number] for number in range(len(splits))]

    def _by_rows(
        self, solver: PathSolver, X: Any, data: TaskData, splits: Sequence[Split]
    ) -> tuple[RowPart, Tried, list[list[PathErrors]]]:
        """Return all rows, the strengths to try, and each split's paths."""
        whole = RowPart(X, data)
        tried = self._try(whole, solver)
        numbers = list(range(len(splits)))
        found = self._errors(solver, RowSplits(X, data, splits), numbers, tried)
        return whole, tried, [found[number] for number in numbers]

    def _try(self, whole: GramStats | RowPart, solver: PathSolver) -> Tried:
        """Return the strengths to try, from the scales of all rows."""
        if self.fit_intercept:
            check_more_than_one_label(whole.count, solver.layout)
        weight = resolve_task_weight(self.task_weight, solver.layout.names, whole.count)
        datafit, intercept = loss_of(whole, weight, self.fit_intercept)
        n_directions = min(datafit.shape[1], int(whole.count.max()))
        scales = Scales(datafit, solver.rows, n_directions)
        seconds = self._seconds(scales)
        alphas = np.array([self._alphas(scales, second) for second in seconds])
        return Tried(scales, intercept, seconds, alphas)

    def _errors(
        self,
        solver: PathSolver,
        source: CellStats | RowSplits,
        numbers: Sequence[int],
        tried: Tried,
    ) -> dict[int, list[PathErrors]]:
        """Return the errors of every path, for the splits with these numbers."""
        paths = [
            [self._penalty_at(alpha, second) for alpha in row]
            for second, row in zip(tried.seconds, tried.alphas, strict=True)
        ]
        losses = (
            SplitLoss(source, number, self.task_weight, self.fit_intercept) for number in numbers
        )
        # made one after another, as jobs start: no more losses are held than paths are solved
        jobs = (delayed(solver.errors)(split, path) for split in losses for path in paths)
        results = iter(Parallel(n_jobs=self.n_jobs, prefer="threads")(jobs))
        return {number: [next(results) for _ in paths] for number in numbers}

    def _split_options(self, sample_weight: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Return the keywords of the splitter's ``split``."""
        if _routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return dict(routed.splitter.split)
        unknown = sorted(set(params) - {"groups"})
        if unknown:
            raise TypeError(
                f"{type(self).__name__}.fit got unexpected argument(s) {unknown}; only groups goes "
                "to the splitter unless metadata routing is enabled."
            )
        return params

    def _warn_unless_converged(self, solution: Solution, problem: Problem, tol: float) -> None:
        self._last_end = End.of(solution, problem)  # fit has one warning for all solves

    def _warn_of(self, end: End) -> None:
        if end.n_missed:
            warn(
                f"{type(self).__name__} solved {end.n_missed} of {end.n_solved} problems "
                "(strengths times splits, and the last fit) to a duality gap above tol; the "
                f"largest is {end.worst:.3g} of the objective at W = 0, where tol is "
                f"{self.tol:g}. Raise max_iter (now {self.max_iter}) or tol, bring the features "
                "to one scale, or leave out the weakest penalties (raise eps).",
                ConvergenceWarning,
                stacklevel=level_of_caller(),
            )

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what ``fit`` passes on: groups and the like, to the splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )
