import numpy as np
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from sklearn_mtl.convex._coupling import EPS
from sklearn_mtl.convex._spectrum import restricted_hessian, semidefinite_eigh
from sklearn_mtl.convex.solvers._inverse import Inverse, System

SWAMPED = 1e4  # times what tasks share curves: where the entries of A take digits from it


def task_order(matrix: np.ndarray) -> tuple[np.ndarray, int]:
    """Return an order of tasks in which neighbours are near, and how far apart they are at most."""
    graph = csr_array(matrix)
    order = reverse_cuthill_mckee(graph, symmetric_mode=True)
    place = np.argsort(order)
    first, second = graph.nonzero()
    return order, int(np.abs(place[first] - place[second]).max(initial=0))


class Banded(Inverse):
    """H^+ by a banded Cholesky factor, tasks ordered so that neighbours are near.

    A chain has ``m (2 p)^2`` operations in place of ``(m p)^3 / 3``; a dense graph has one full
    band. Where A is large, its entries take digits from the curvature of what all tasks share,
    which is then solved for apart, before and after.

    Parameters
    ----------
    system : System
    order : ndarray of shape (m,)
    reach : int
        The largest distance of neighbours in that order, in tasks.
    """

    def __init__(self, system: System, order: np.ndarray, reach: int) -> None:
        self.system, self.order = system, order
        m, p = len(order), system.gram.shape[1]
        blocks = system.weight[order, None, None] * system.gram[system.group[order]]
        A = system.matrix[np.ix_(order, order)]
        # band[j, i p + a] is entry (i p + a + j, i p + a) of H
        band = np.zeros(((reach + 1) * p, m, p))
        for j in range(p):
            band[j, :, : p - j] = np.diagonal(blocks, offset=-j, axis1=1, axis2=2)
        for distance in range(reach + 1):
            band[distance * p, : m - distance] += A.diagonal(-distance)[:, None]
        component = system.component
        self.common = None
        if component.is_dominant:
            ones = np.ones((m, 1))
            common = restricted_hessian(ones, system.gram, system.group, system.weight)
            common.flat[:: p + 1] += component.sums.sum()
            curved = common.diagonal()
            if SWAMPED * curved[curved > 0].min(initial=np.inf) < m * A.diagonal().max():
                values, vectors, _ = semidefinite_eigh(common)
                inverse = np.divide(1.0, values, out=np.zeros(p), where=values > 0)
                self.common = vectors * inverse, vectors.T
                band[0] *= 1.0 + 16 * EPS * m * p  # no pivot is but rounding
        self.factor = _factor(band.reshape(-1, m * p))

    def __call__(self, R: np.ndarray) -> np.ndarray:
        """Return the solution of least norm."""
        R = self.system.in_range(R)
        if self.common is None:
            return self.system.in_range(self._solve(R))
        W = self._shared(R)
        W = W + self._solve(R - self.system.product(W))
        return self.system.in_range(W + self._shared(R - self.system.product(W)))

    def _shared(self, R: np.ndarray) -> np.ndarray:
        assert self.common is not None
        left, right = self.common
        return np.broadcast_to(left @ (right @ R.sum(axis=0)), R.shape)

    def _solve(self, R: np.ndarray) -> np.ndarray:
        W = np.empty_like(R)
        flat = cho_solve_banded((self.factor, True), R[self.order].ravel(), check_finite=False)
        W[self.order] = flat.reshape(R.shape)
        return W


def _factor(band: np.ndarray) -> np.ndarray:
    try:
        return cholesky_banded(band, lower=True, check_finite=False)
    except LinAlgError:
        # a singular H: a shift within rounding of each feature, which refinement takes back
        shifted = band.copy()
        shifted[0] *= 1.0 + 16 * EPS * band.shape[1]
        return cholesky_banded(shifted, lower=True, overwrite_ab=True, check_finite=False)
