from typing import cast

import numpy as np

from sklearn_mtl.convex._coupling import EPS, Coupling
from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.solvers._base import Solution, Solver
from sklearn_mtl.convex.solvers._block_system import component_inverse
from sklearn_mtl.convex.solvers._elimination import Separate
from sklearn_mtl.convex.solvers._inverse import Inverse, System
from sklearn_mtl.convex.solvers._task_spectrum import TwoCurvatures

ROUNDING = 1e-26  # of the gap relative to the scale: an error of 1e-13 in the norm of H
MOST_REFINEMENTS = 10
TRUST = 1e-3  # residual of a direct solve, relative, up to which H^+ certifies as well
ROUNDINGS = 32 * EPS  # numbers that differ by less, relatively, are equal
LEAST_SHIFT = 1e-10  # of a Gram matrix before its Cholesky factor, relative to its diagonal


class ClosedForm(Solver):
    """Quadratic penalties on the squared loss: one linear system, ``H vec(W) = c``.

    Tasks that no penalty ties are solved apart, and so is each component of the others, by the
    method that `component_inverse` chooses. Of the solutions, where there are several, it is the
    one of least norm. The answer is refined until the gap, ``g' H^+ g / 2`` for the gradient g, is
    within rounding or shrinks no more.
    """

    def refusal(self, problem: Problem) -> str | None:
        """Return why the problem is no linear system on Gram matrices."""
        if problem.norm is not None:
            return f"{problem.norm!r} is not quadratic"
        if not isinstance(problem.datafit, GramQuadratic):
            return "the loss is not the squared loss on Gram matrices"
        return None

    def solve(
        self, problem: Problem, start: np.ndarray | None, *, tol: float, max_iter: int
    ) -> Solution:
        """Return W, whatever the start and the tolerance."""
        datafit = cast(GramQuadratic, problem.datafit)
        inverse = HessianInverse(problem.coupling, datafit, max_iter=max_iter)
        W, size = inverse(datafit.linear), np.linalg.norm(datafit.linear)
        best = Solution(np.zeros_like(W), problem.scale, np.inf, 0, False)
        for n_solves in range(1, MOST_REFINEMENTS + 1):
            value, gradient = problem.smooth_part(W)
            change = inverse(gradient)
            if inverse.is_exact and np.linalg.norm(gradient) <= TRUST * size:
                # how much the objective falls from W to the minimum at W - change
                gap = 0.5 * max(float(np.vdot(gradient, change)), 0.0)
            else:
                gap = problem.bound(gradient)
            gap = max(min(gap, value), 0.0)  # no loss is below 0, but by rounding
            shrinks = gap < 0.1 * best.gap
            if gap < best.gap:
                n_iter = inverse.n_iter or n_solves
                best = Solution(W, value, gap, n_iter, gap <= tol * problem.scale)
            if not shrinks or gap <= ROUNDING * problem.scale:
                break
            W = W - change
        return best


class HessianInverse:
    """H^+ for all tasks of a problem, each component of A by itself.

    Parameters
    ----------
    coupling : Coupling
        A.
    datafit : GramQuadratic
    max_iter : int
        Of iterative methods.
    """

    def __init__(self, coupling: Coupling, datafit: GramQuadratic, *, max_iter: int) -> None:
        self.parts: list[tuple[np.ndarray, Inverse]] = []
        whole = two_curvatures(coupling, datafit)
        if whole is not None:
            self.parts.append((np.arange(len(coupling.matrix)), whole))
            return
        alone = coupling.alone
        if len(alone):
            spectrum = datafit.spectrum.restrict(alone)
            apart = Separate(spectrum, datafit.task_weight[alone], coupling.diagonal[alone])
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
    if not datafit.is_uniform or "spectrum" in datafit.__dict__:
        return None
    shared = specific = coupling.diagonal
    if coupling.components:
        rank_one = coupling.components[0].rank_one
        if len(coupling.alone) or len(coupling.components) > 1 or rank_one is None:
            return None
        specific, factor = rank_one
        if np.ptp(factor) > ROUNDINGS * factor[0]:
            return None
        shared = specific - len(factor) * np.square(factor)
    if np.ptp(specific) > ROUNDINGS * specific[0]:
        return None
    gram = datafit.task_weight[0] * datafit.gram[0]
    least = max(LEAST_SHIFT * gram.diagonal().max(), EPS * len(specific) * specific[0])
    if min(shared[0], specific[0]) <= least:
        return None  # so near singular that only eigenvectors tell what is 0
    return TwoCurvatures(gram, float(shared[0]), float(specific[0]))
