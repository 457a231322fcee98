import numpy as np

from sklearn_mtl.convex.solvers._low_rank_steps import Iterate, LowRankQuadratic

ENTRIES = 4_000_000  # of the inverses that are kept
RELAXATION = 1.6  # within the 1.5 to 1.8 that Boyd et al. report, section 3.4.3
BALANCE_EVERY = 10
BALANCES = 10  # how often the residuals are balanced: convergence needs a fixed penalty in the end


class AlternatingDirections:
    """ADMM with one inverse for each task, which takes out the conditioning of its Gram matrix.

    ``min f(W) + tr(W' A W) / 2 + alpha * ||Z||_*`` with W = Z, for a diagonal A: the step in W
    solves a system for each task, the step in Z thresholds singular values.

    Parameters
    ----------
    quadratic : LowRankQuadratic
        With a diagonal A.

    References
    ----------
    S. Boyd, N. Parikh, E. Chu, B. Peleato and J. Eckstein, "Distributed optimization and
    statistical learning via the alternating direction method of multipliers", Foundations and
    Trends in Machine Learning 3, 2011, sections 3.1, 3.4.1 and 3.4.3; residuals are compared
    relative to the size of the variables.
    """

    def __init__(self, quadratic: LowRankQuadratic) -> None:
        self.quadratic = quadratic
        datafit = quadratic.datafit
        # one inverse a group where its tasks have one Hessian, else one a task
        same = quadratic.is_uniform
        weight = np.full(len(datafit.gram), datafit.task_weight[0]) if same else datafit.task_weight
        ridge = np.full(len(datafit.gram), quadratic.matrix[0]) if same else quadratic.matrix
        gram = datafit.gram if same else datafit.gram[datafit.group]
        group = datafit.group if same else np.arange(len(gram))
        self.members = [np.flatnonzero(group == k) for k in range(len(gram))]
        self.is_in_order = np.array_equal(group, np.arange(len(gram)))
        self.hessian = weight[:, None, None] * gram
        diagonal = np.arange(gram.shape[1])
        self.hessian[:, diagonal, diagonal] += ridge[:, None]
        curved = self.hessian[:, diagonal, diagonal]
        self.rho = float(np.median(curved[curved > 0])) if (curved > 0).any() else 1.0
        self.n_balances = 0
        self.left_off: tuple[Iterate, np.ndarray] | None = None
        self.inverse = self._inverses()

    @staticmethod
    def suits(quadratic: LowRankQuadratic) -> bool:
        """Whether each task has a system of its own, and the inverses fit."""
        datafit = quadratic.datafit
        n_tasks, p = datafit.shape
        n_inverses = len(datafit.gram) if quadratic.is_uniform else n_tasks
        separate = not datafit.is_shared and quadratic.matrix.ndim == 1
        return separate and n_inverses * p * p <= ENTRIES

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
        Z, dual = current.coef, -current.slope  # at a solution the multiplier is -slope
        if self.left_off is not None and self.left_off[0] is current:
            dual = self.left_off[1]
        for n_iter in range(1, n_steps + 1):
            W = self._solve(linear + self.rho * Z - dual)
            relaxed = RELAXATION * W + (1.0 - RELAXATION) * Z
            before = Z
            current = Iterate(
                self.quadratic, *norm.prox_factors(relaxed + dual / self.rho, 1.0 / self.rho)
            )
            Z = current.coef
            dual = dual + self.rho * (relaxed - Z)
            if n_iter % check_every == 0 and current.gap <= enough:
                break
            if n_iter % BALANCE_EVERY == 0:
                self._balance(W, Z, before, dual)
        self.left_off = current, dual
        return current, n_iter

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
            self.inverse = self._inverses()

    def _inverses(self) -> np.ndarray:
        diagonal = np.arange(self.hessian.shape[1])
        shifted = self.hessian.copy()
        shifted[:, diagonal, diagonal] += self.rho
        return np.linalg.inv(shifted)

    def _solve(self, right: np.ndarray) -> np.ndarray:
        if self.is_in_order:
            return np.matmul(self.inverse, right[:, :, None])[:, :, 0]
        result = np.empty_like(right)
        for inverse, members in zip(self.inverse, self.members, strict=True):
            result[members] = right[members] @ inverse
        return result
