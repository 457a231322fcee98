from typing import cast

import numpy as np

from sklearn_mtl.convex._coupling import EPS, Coupling
from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import DesignQuadratic, GramQuadratic
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._block_system import component_inverse
from sklearn_mtl.convex.solvers._elimination import Separate
from sklearn_mtl.convex.solvers._inverse import Inverse, System
from sklearn_mtl.convex.solvers._row_system import solve_on_rows
from sklearn_mtl.convex.solvers._task_spectrum import TwoCurvatures

ROUNDING = 1e-26  # of the gap relative to the scale: an error of 1e-13 in the norm of H
MOST_REFINEMENTS = 10
LEFT = 64 * EPS  # of each entry of a gradient that a solve may leave, as rounding
ROUNDINGS = 32 * EPS  # numbers that differ by less, relatively, are equal
LEAST_SHIFT = 1e-10  # of a Gram matrix before its Cholesky factor, relative to its diagonal


class ClosedForm(Solver):
    """Quadratic penalties on the squared loss: one linear system, ``H vec(W) = c``.

    Tasks that no penalty ties are solved apart, and so is each component of the others, by the
    method that `component_inverse` chooses. Of the solutions, where there are several, it is the
    one of least norm. The answer is refined until the gap, ``g' H^+ g / 2`` for the gradient g, is
    within rounding or shrinks no more.

    On rows, which stand for Gram matrices where those are too many, A must be positive definite;
    see `solve_on_rows`.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return why the problem is no linear system."""
        if problem.norm is not None:
            return f"{problem.norm!r} is not quadratic"
        if not isinstance(problem.datafit, (GramQuadratic, DesignQuadratic)):
            return "the loss is not the squared loss"
        if isinstance(problem.datafit, DesignQuadratic):
            values = problem.eigh[0]
            if values[0] <= EPS * len(values) * max(values[-1], 0.0):
                return "on rows, the penalty must leave no direction of the weights free"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W, whatever the start, and on Gram matrices whatever the tolerance."""
        if isinstance(problem.datafit, DesignQuadratic):
            return solve_on_rows(problem, problem.datafit, start, tol=tol, max_iter=max_iter)
        datafit = cast(GramQuadratic, problem.datafit)
        # gradients of tasks apart have no part where G has none, and neither have weights
        inverse = HessianInverse(problem.coupling, datafit, max_iter=max_iter, in_range=True)
        rounding = GradientRounding(problem)
        W, scale = inverse(datafit.linear), problem.scale
        # no loss is below 0, so that W = 0 is within its own objective of the minimum
        best = Solution(np.zeros_like(W), scale, scale, 0, scale <= tol * scale)
        for n_solves in range(1, MOST_REFINEMENTS + 1):
            point, product = datafit.at(W), problem.coupling.product(W)
            value = point.value + 0.5 * float(np.vdot(W, product))
            gradient = point.gradient + product
            change = inverse(gradient)
            left = gradient - datafit.hessian_product(change) - problem.coupling.product(change)
            if inverse.is_exact and rounding.covers(left):
                # how much the objective falls from W to the minimum at W - change
                gap = 0.5 * max(float(np.vdot(gradient, change)), 0.0)
            else:
                gap = problem.bound(gradient)
            gap = min(gap, max(value, 0.0) + point.rounding)
            shrinks = gap < 0.1 * best.gap
            if gap < best.gap:
                n_iter = inverse.n_iter or n_solves
                best = Solution(W, value, gap, n_iter, gap <= tol * scale)
            if not (shrinks or n_solves == 1) or gap <= ROUNDING * scale:
                break
            W = W - change
        return best


class GradientRounding:
    """How large a gradient may be that is rounding, from the curvature of each weight.

    With objective at most ``scale``, g_tj is at most ``(2 scale H_tj,tj)^(1/2)``. The same holds
    for sums over tasks that A ties, of which its Laplacian makes no curvature.
    """

    def __init__(self, problem: Problem) -> None:
        datafit = cast(GramQuadratic, problem.datafit)
        diagonal = np.diagonal(datafit.gram, axis1=1, axis2=2)[datafit.group]
        curvature = datafit.task_weight[:, None] * diagonal
        self.components = problem.coupling.components
        most = LEFT * sum(datafit.shape) * np.sqrt(2.0 * problem.scale)
        self.each = most * np.sqrt(curvature + problem.coupling.diagonal[:, None])
        self.sums = [
            most * np.sqrt(curvature[c.rows].sum(axis=0) + np.abs(c.sums).sum())
            for c in self.components
        ]

    def covers(self, gradient: np.ndarray) -> bool:
        """Return whether this may be rounding."""
        return bool((np.abs(gradient) <= self.each).all()) and all(
            bool((np.abs(gradient[c.rows].sum(axis=0)) <= most).all())
            for c, most in zip(self.components, self.sums, strict=True)
        )


class HessianInverse:
    """H^+ for all tasks of a problem, each component of A by itself.

    Parameters
    ----------
    coupling : Coupling
        A.
    datafit : GramQuadratic
    max_iter : int
        Of iterative methods.
    in_range : bool, default=False
        Whether what is solved for has no part, for tasks apart, where their G has none.
    """

    def __init__(
        self,
        coupling: Coupling,
        datafit: GramQuadratic,
        *,
        max_iter: int,
        in_range: bool = False,
    ) -> None:
        self.parts: list[tuple[np.ndarray, Inverse]] = []
        whole = two_curvatures(coupling, datafit)
        if whole is not None:
            self.parts.append((np.arange(len(coupling.matrix)), whole))
            return
        alone = coupling.alone
        if len(alone):
            spectrum = datafit.spectrum.restrict(alone)
            weight, diagonal = datafit.task_weight[alone], coupling.diagonal[alone]
            apart = Separate(spectrum, weight, diagonal, in_range=in_range)
            self.parts.append((alone, apart))
        for component in coupling.components:
            system = System(datafit, component)
            self.parts.append((component.rows, component_inverse(system, max_iter=max_iter)))

    @property
    def is_exact(self) -> bool:
        """Whether no part is iterative."""
        return all(part.is_exact for _, part in self.parts)

    @property
    def n_iter(self) -> int:
        """Most iterations of a part, 0 where all are direct."""
        return max(part.n_iter for _, part in self.parts)

    def __call__(self, R: np.ndarray) -> np.ndarray:
        """Return the W of least norm with ``H W = R``, for R in the range of H."""
        if len(self.parts) == 1:
            return self.parts[0][1](R)
        W = np.empty_like(R)
        for rows, inverse in self.parts:
            W[rows] = inverse(R[rows])
        return W


def two_curvatures(coupling: Coupling, datafit: GramQuadratic) -> TwoCurvatures | None:
    """Return H^+ by two Cholesky factors, or None where it has not that form.

    Or where the eigenvectors of G are at hand, of which a path of penalties makes more than that.
    """
    if not datafit.is_uniform or datafit.matrices.is_decomposed:
        return None
    shared = specific = coupling.diagonal
    if coupling.components:
        shared = coupling.components[0].sums
        rank_one = coupling.components[0].rank_one
        if len(coupling.alone) or len(coupling.components) > 1 or rank_one is None:
            return None
        specific, factor = rank_one
        if np.ptp(factor) > ROUNDINGS * factor[0]:
            return None
    if np.ptp(specific) > ROUNDINGS * specific[0] or np.ptp(shared) > ROUNDINGS * shared.max():
        return None
    gram = datafit.task_weight[0] * datafit.gram[0]
    if min(shared[0], specific[0]) <= LEAST_SHIFT * gram.diagonal().max():
        return None  # so near singular that only eigenvectors tell what is 0
    return TwoCurvatures(gram, float(shared[0]), float(specific[0]))
