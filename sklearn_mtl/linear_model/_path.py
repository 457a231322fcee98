"""Strengths to try, and the held-out error of the weights along them."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from numbers import Integral
from threading import Lock
from typing import Any

import numpy as np

from sklearn_mtl.convex import (
    CoefRows,
    Penalty,
    Problem,
    Solution,
    make_problem,
    solve,
)
from sklearn_mtl.convex._reduce import Intercept
from sklearn_mtl.convex.datafits import QuadraticDatafit
from sklearn_mtl.convex.penalties import (
    NormPenalty,
    PenaltySum,
    QuadraticPenalty,
    TaskRelationship,
)
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.linear_model._checks import check_determined
from sklearn_mtl.linear_model._folds import CellStats, RowSplits, loss_of
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.tasks._weights import resolve_task_weight
from sklearn_mtl.utils._validation import plain

# A squared penalty 100 times the mean curvature of the loss leaves 1 % of the average direction
STRONGEST = 100.0


@dataclass(frozen=True, eq=False)
class Scales:
    """How large strengths of a penalty must be to matter, for the loss of all rows.

    Attributes
    ----------
    datafit : QuadraticDatafit
    rows : CoefRows
    n_directions : int
        Directions that the features of a task's rows can span.
    """

    datafit: QuadraticDatafit
    rows: CoefRows
    n_directions: int

    @property
    def curvature(self) -> float:
        """The mean over tasks and directions of the curvature of the loss; 1 where it has none."""
        features = np.arange(self.datafit.shape[1])
        blocks = np.array_split(features, max(1, len(features) // 256))
        traces = sum(
            np.trace(self.datafit.gram_block(block, block), axis1=1, axis2=2) for block in blocks
        )
        weighted = self.datafit.task_weight * traces[self.datafit.group]
        return float(np.mean(weighted) / self.n_directions) or 1.0

    def strongest(self, unit: Penalty) -> float:
        """Return the factor of `unit` at which a path starts.

        With a norm, the smallest factor for which W = 0 is optimal; for a quadratic penalty,
        100 times the mean curvature of the loss, over the mean of the penalty's diagonal. A task
        covariance counts as it is without weights: its prior.
        """
        for norm in _norms(unit):
            gradient = self.datafit.at(np.zeros(self.datafit.shape)).gradient
            return norm.alpha_max(gradient) / norm.alpha
        matrices = [
            term.task_matrix(self.rows)
            for term in map(_quadratic, _terms(unit))
            if isinstance(term, QuadraticPenalty)
        ]
        size = float(np.trace(np.sum(matrices, axis=0))) / self.rows.n_rows if matrices else 0.0
        return STRONGEST * self.curvature / (size if size > 0 else 1.0)

    def strengths(
        self, values: Any, unit: Penalty, eps: float, name: str, times: float = 1.0
    ) -> np.ndarray:
        """Return factors of `unit` in falling order: those given, or so many between two ends.

        Parameters
        ----------
        values : int or array-like
        unit : Penalty
        eps : float
            For a number of factors, the last is eps times the first with a norm, and eps^2 times
            it without: squared sizes have units of the square.
        name : str
            Of the parameter, for errors.
        times : float, default=1.0
            What to multiply the first by.
        """
        if not isinstance(values, Integral):
            return _given(values, name)
        # a loss that nothing lowers has a path of zeros, which cannot fall
        top = max(times * self.strongest(unit), np.finfo(np.float64).resolution)
        fall = eps if _norms(unit) else eps**2
        return np.geomspace(top, top * fall, num=int(values))


def _norms(penalty: Penalty) -> list[NormPenalty]:
    return [t for t in _terms(penalty) if isinstance(t, NormPenalty) and t.alpha > 0]


def _quadratic(term: Penalty) -> Penalty:
    return term.at_prior() if isinstance(term, TaskRelationship) else term


def _terms(penalty: Penalty) -> list[Penalty]:
    return penalty.terms if isinstance(penalty, PenaltySum) else [penalty]


def _given(values: Any, name: str) -> np.ndarray:
    values, given = np.asarray(values), values
    if values.ndim != 1 or len(values) == 0 or values.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be a number of strengths or a list of them, got {given!r}.")
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(bad):
        raise ValueError(
            f"{name}[{bad[0]}] must be finite and at least 0, got {plain(values[bad[0]])!r}."
        )
    return np.sort(values.astype(np.float64))[::-1]


@dataclass(frozen=True)
class End:
    """How solves ended.

    Attributes
    ----------
    n_solved : int
    n_missed : int
        Those that stopped above the tolerance.
    worst : float
        The largest duality gap, relative to the objective at W = 0.
    """

    n_solved: int = 0
    n_missed: int = 0
    worst: float = 0.0

    @classmethod
    def of(cls, solution: Solution, problem: Problem) -> "End":
        """Return how one solve ended."""
        gap = solution.gap / problem.scale if problem.scale > 0 else 0.0
        return cls(1, int(not solution.converged), gap)

    def __add__(self, other: "End") -> "End":
        return End(
            self.n_solved + other.n_solved,
            self.n_missed + other.n_missed,
            max(self.worst, other.worst),
        )


@dataclass(frozen=True, eq=False)
class PathErrors:
    """Held-out errors along a path, shape (n_alphas,), and how its solves ended."""

    errors: np.ndarray
    end: End


class SplitLoss:
    """What a split trains on and holds out, made once for all its paths.

    Parameters
    ----------
    source : CellStats or RowSplits
    number : int
        Which split.
    task_weight : None, str, array-like or dict
    fit_intercept : bool
    """

    def __init__(
        self, source: CellStats | RowSplits, number: int, task_weight: Any, fit_intercept: bool
    ) -> None:
        self.source, self.number = source, number
        self.task_weight, self.fit_intercept = task_weight, fit_intercept
        self._lock = Lock()
        self._parts: tuple[Any, Any, QuadraticDatafit, Intercept] | None = None

    def parts(self, names: Sequence[Hashable]) -> tuple[Any, Any, QuadraticDatafit, Intercept]:
        """Return what is learned from, what is held out, the loss and its intercepts."""
        with self._lock:  # paths run in threads: the first makes it
            if self._parts is None:
                learn, held_out = self.source.parts(self.number)
                weight = resolve_task_weight(self.task_weight, names, learn.count)
                self._parts = learn, held_out, *loss_of(learn, weight, self.fit_intercept)
            return self._parts


@dataclass(frozen=True, eq=False)
class PathSolver:
    """What every path of a cross-validation has in common.

    Attributes
    ----------
    layout : TaskLayout
    rows : CoefRows
    task_weight : None, str, array-like or dict
    fit_intercept : bool
    n_features : float
        Before any rotation; infinite for a kernel.
    solver, tol, max_iter, owner
        As in `solve`.
    strengths : str
        As in `check_determined`.
    """

    layout: TaskLayout
    rows: CoefRows
    task_weight: Any
    fit_intercept: bool
    n_features: float
    solver: str
    tol: float
    max_iter: int
    owner: str
    strengths: str

    def errors(self, split: "SplitLoss", penalties: Sequence[Penalty]) -> PathErrors:
        """Return the held-out error under each penalty, each solve starting where the last ended.

        The error is the mean over tasks, with weights lambda, of the task's mean squared error. A
        task without held-out labels is left out, and so is one without training labels if
        intercepts are fitted: nothing says what its level is.

        Parameters
        ----------
        split : SplitLoss
        penalties : sequence of Penalty
            From strong to weak.
        """
        learn, held_out, datafit, intercept = split.parts(self.layout.names)
        weight = resolve_task_weight(self.task_weight, self.layout.names, held_out.count)
        scored = (held_out.task_mass > 0) & (weight > 0)
        if self.fit_intercept:
            scored &= learn.task_mass > 0
        if not scored.any():
            raise TaskLayoutError(
                f"No task has both training and held-out labels in split {split.number} of cv; "
                "MultiTaskKFold spreads the labels of every task over the folds."
            )
        share = weight[scored] / weight[scored].sum()
        errors, end, W = [], End(), None
        for penalty in penalties:
            problem = make_problem(datafit, penalty, self.rows)
            if penalty is penalties[-1]:  # what the weakest determines, all do
                check_determined(
                    problem,
                    learn.count,
                    self.n_features,
                    self.layout,
                    owner=self.owner,
                    strengths=self.strengths,
                )
            solution = solve(
                problem,
                solver=self.solver,
                start=W,
                tol=self.tol,
                max_iter=self.max_iter,
                owner=self.owner,
            )
            W = solution.coef
            end += End.of(solution, problem)
            offset = intercept(W) if self.fit_intercept else np.zeros(len(W))
            mse = held_out.mean_squared_error(W, offset)
            errors.append(share @ mse[scored])
        return PathErrors(np.array(errors), end)
