from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_mtl.convex._coupling import Coupling
from sklearn_mtl.convex._quadratic_bound import QuadraticBound
from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.convex.datafits import Datafit, GramQuadratic, Point
from sklearn_mtl.convex.penalties import NormPenalty, Penalty, PenaltySum, QuadraticPenalty
from sklearn_mtl.convex.penalties._learned_covariance import (
    AnchoredNuclearNorm,
    SquaredNuclearNorm,
)


@dataclass(frozen=True)
class Certificate:
    """The objective at some W, and a bound on how far above the minimum it is.

    Attributes
    ----------
    objective : float
    gap : float
        The duality gap: the minimum is at least ``objective - gap``.
    """

    objective: float
    gap: float


@dataclass(frozen=True, eq=False)
class Problem:
    """``min_W f(W) + tr(W' A W) / 2 + alpha * ||W||``.

    Attributes
    ----------
    datafit : Datafit
        f, with its gradient and its conjugate.
    norm : NormPenalty, SquaredNuclearNorm, AnchoredNuclearNorm or None
        What is not quadratic; None where no norm is asked for, or its strength is 0.
    matrix : ndarray of shape (M, M) or None
        A, the sum of the quadratic penalties; None where there are none.
    row_sums : ndarray of shape (M,) or None
        ``A 1``, where it is known better than the rounded entries of A tell.
    """

    datafit: Datafit
    norm: NormPenalty | SquaredNuclearNorm | AnchoredNuclearNorm | None = None
    matrix: np.ndarray | None = None
    row_sums: np.ndarray | None = None

    @cached_property
    def scale(self) -> float:
        """The objective at W = 0, which tolerances are relative to."""
        return self.datafit.at(np.zeros(self.datafit.shape)).value

    def certify(self, W: np.ndarray, point: Point | None = None) -> Certificate:
        """Return the objective at W and its duality gap.

        The quadratic part is folded into the loss, as rows ``A^(1/2) W`` with targets 0. Scaling
        the dual point by kappa until the dual norm of ``kappa * gradient`` is at most alpha makes
        it feasible, and the bound holds at any W. Without a norm, the gap is that of `bound`, or
        the objective itself where that is smaller: no loss is below 0. What rounding may have taken
        from the loss is in the gap.

        Parameters
        ----------
        W : ndarray of shape (M, p)
        point : Point, default=None
            ``datafit.at(W)``, where it is at hand.
        """
        point = self.datafit.at(W) if point is None else point
        gradient, quadratic = point.gradient, 0.0
        if self.matrix is not None:
            product = self.coupling.product(W)
            gradient, quadratic = gradient + product, float(np.vdot(W, product))
        objective = point.value + 0.5 * quadratic
        if self.norm is None:
            most = max(objective, 0.0) + point.rounding
            return Certificate(objective, min(self.bound(gradient), most))
        objective += self.norm.value(W)
        kappa, conjugate = self.norm.dual(W, gradient)
        dual = point.dual(kappa) - 0.5 * kappa**2 * quadratic - conjugate
        # no loss is below 0; a difference that rounding makes negative is no proof of optimality
        gap = max(objective - max(dual, 0.0), 0.0)
        return Certificate(objective, gap + point.rounding)

    def smooth_part(self, W: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient of ``f(W) + tr(W' A W) / 2``."""
        point = self.datafit.at(W)
        if self.matrix is None:
            return point.value, point.gradient
        product = self.coupling.product(W)
        return point.value + 0.5 * float(np.vdot(W, product)), point.gradient + product

    def bound(self, gradient: np.ndarray) -> float:
        """Return a bound on ``f(W) + tr(W' A W) / 2`` minus its minimum, from its gradient at W.

        `QuadraticBound` for the squared loss in terms of Gram matrices. Otherwise, for a positive
        definite A, ``tr(g' A^-1 g) / 2``; where A is singular no bound is known, and it is infinite
        unless g has no part in the null space.
        """
        if isinstance(self.datafit, GramQuadratic):
            return self._quadratic_bound(gradient)
        values, vectors = self.eigh
        rotated = np.square(vectors.T @ gradient).sum(axis=1)
        free = values <= np.finfo(float).eps * len(values) * values.max(initial=0.0)
        if rotated[free].any():
            return np.inf
        return 0.5 * float((rotated[~free] / values[~free]).sum())

    @cached_property
    def _quadratic_bound(self) -> QuadraticBound:
        return QuadraticBound(self.datafit, self.coupling)  # type: ignore[arg-type]

    @cached_property
    def coupling(self) -> Coupling:
        """A, and which rows of W it ties."""
        size = self.datafit.shape[0]
        if self.matrix is None:
            return Coupling(np.zeros((size, size)))
        return Coupling(self.matrix, self.row_sums)

    @cached_property
    def eigh(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues (M,) and eigenvectors (M, M) of A."""
        if not self.coupling.components:
            order = np.argsort(self.coupling.diagonal)
            return self.coupling.diagonal[order], np.eye(len(order))[:, order]
        return np.linalg.eigh(self.coupling.matrix)


def make_problem(datafit: Datafit, penalty: Penalty, rows: CoefRows) -> Problem:
    """Return the problem of a loss and a penalty.

    Parameters
    ----------
    datafit : Datafit
    penalty : Penalty
        A norm, a learned covariance, a quadratic penalty or a sum of one of the first two and
        quadratic ones.
    rows : CoefRows
        What the rows of W are.
    """
    penalty.check()
    terms = penalty.terms if isinstance(penalty, PenaltySum) else [penalty]
    terms = [term.of_rows(rows) for term in terms]
    quadratic = [term for term in terms if isinstance(term, QuadraticPenalty)]
    # a norm of strength 0 is none
    norms = [
        term
        for term in terms
        if not isinstance(term, (QuadraticPenalty, NormPenalty))
        or (isinstance(term, NormPenalty) and term.alpha > 0)
    ]
    matrix = row_sums = None
    if quadratic:
        matrix = np.sum([term.task_matrix(rows) for term in quadratic], axis=0)
        row_sums = np.sum([term.row_sums(rows) for term in quadratic], axis=0)
    return Problem(datafit, norms[0] if norms else None, matrix, row_sums)
