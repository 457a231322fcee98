import numpy as np

from sklearn_mtl.convex.solvers._low_rank_rotated import RotatedQuadratic
from sklearn_mtl.convex.solvers._low_rank_steps import ENTRIES, Iterate, LowRankQuadratic
from sklearn_mtl.convex.solvers._low_rank_systems import DiagonalSystem, SeparateSystem, TiedSystem

RELAXATION = 1.6  # within the 1.5 to 1.8 that Boyd et al. report, section 3.4.3
BALANCE_EVERY = 10
BALANCES = 10  # how often the residuals are balanced: convergence needs a fixed penalty in the end


class AlternatingDirections:
    """ADMM, whose step in W takes out the conditioning of the Gram matrices.

    ``min f(W) + tr(W' A W) / 2 + alpha * ||Z||_*`` with W = Z: the step in W solves
    ``(H + rho I) W = R``, the step in Z thresholds singular values. Where tasks share a Gram
    matrix and A is diagonal, the steps are in coordinates along its eigenvectors, in which H is
    diagonal: they need no product with it, and any rho costs the same.

    Parameters
    ----------
    quadratic : LowRankQuadratic
        One that `suits`.

    References
    ----------
    S. Boyd, N. Parikh, E. Chu, B. Peleato and J. Eckstein, "Distributed optimization and
    statistical learning via the alternating direction method of multipliers", Foundations and
    Trends in Machine Learning 3, 2011, sections 3.1, 3.4.1 and 3.4.3; residuals are compared
    relative to the size of the variables.
    """

    def __init__(self, quadratic: LowRankQuadratic) -> None:
        self.quadratic, self.rotation = quadratic, None
        self.system: DiagonalSystem | SeparateSystem | TiedSystem
        if quadratic.is_rotatable:
            self.quadratic = self.rotation = RotatedQuadratic(quadratic)
            self.system = DiagonalSystem(self.rotation.curvature)
        elif quadratic.matrix.ndim == 2:
            self.system = TiedSystem(quadratic)
        else:
            self.system = SeparateSystem(quadratic)
        self.rho = self.system.middle if self.system.middle > 0 else 1.0
        self.solve = self.system.inverse(self.rho)
        self.n_steps = self.n_balances = 0
        # the iterate that was returned, itself in the coordinates of the steps, its multipliers
        self.left_off: tuple[Iterate, Iterate, np.ndarray] | None = None

    @staticmethod
    def suits(quadratic: LowRankQuadratic) -> bool:
        """Whether the systems of the step in W cost little."""
        datafit = quadratic.datafit
        n_tasks, p = datafit.shape
        if quadratic.matrix.ndim == 2:
            return datafit.gram.size <= ENTRIES and TiedSystem(quadratic).is_cheap
        n_inverses = len(datafit.gram) if quadratic.is_uniform else n_tasks
        separate = not datafit.is_shared and n_inverses * p * p <= ENTRIES
        return quadratic.is_rotatable or separate

    def run(
        self, current: Iterate, *, enough: float, n_steps: int, check_every: int
    ) -> tuple[Iterate, int]:
        """Return the iterate after at most `n_steps` steps, and their number.

        Goes on with the multipliers it left off with, where it is given the iterate it returned.

        Parameters
        ----------
        current : Iterate
        enough : float
            The gap to stop at.
        n_steps : int
        check_every : int
            Steps between two looks at the gap.
        """
        linear, norm = self.quadratic.linear, self.quadratic.norm
        if self.left_off is not None and self.left_off[0] is current:
            _, current, dual = self.left_off
        else:
            current = current if self.rotation is None else self.rotation.rotated(current)
            dual = -current.slope  # which the multiplier is at a solution
        Z = current.coef
        for n_iter in range(1, n_steps + 1):
            W = self.solve(linear + self.rho * Z - dual)
            relaxed = RELAXATION * W + (1.0 - RELAXATION) * Z
            before = Z
            current = Iterate(
                self.quadratic, *norm.prox_factors(relaxed + dual / self.rho, 1.0 / self.rho)
            )
            Z = current.coef
            dual = dual + self.rho * (relaxed - Z)
            self.n_steps += 1
            if self.n_steps % BALANCE_EVERY == 0:
                self._balance(W, Z, before, dual)
            if n_iter % check_every == 0 and current.gap <= enough:
                break
        end = current if self.rotation is None else self.rotation.restored(current)
        self.left_off = end, current, dual
        return end, n_iter

    def _balance(self, W: np.ndarray, Z: np.ndarray, before: np.ndarray, dual: np.ndarray) -> None:
        # relative residuals, cross-multiplied: ||W - Z|| / ||W|| and rho ||Z - before|| / ||dual||
        size = max(float(np.linalg.norm(W)), float(np.linalg.norm(Z)))
        primal = float(np.linalg.norm(W - Z) * np.linalg.norm(dual))
        moved = self.rho * float(np.linalg.norm(Z - before)) * size
        if self.n_balances >= BALANCES or primal == 0:
            return
        factor = np.sqrt(primal / moved) if moved > 0.01 * primal else 10.0
        factor = max(factor, 0.1)
        if not 0.67 < factor < 1.5:
            self.n_balances += 1
            self.rho *= factor
            self.solve = self.system.inverse(self.rho)
