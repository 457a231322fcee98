import numpy as np
from scipy.linalg import cho_factor, cho_solve, pinvh

from sklearn_mtl.convex._coupling import Component
from sklearn_mtl.convex.solvers._inverse import Inverse, System


class TaskSpectrum(Inverse):
    """H^+ where tasks share one Gram matrix: eigenvectors of A and of G make H diagonal.

    ``A W + D W G = R`` with D = diag(lambda) is solved in ``D^(-1/2) A D^(-1/2) = U diag(a) U'``
    and ``G = V diag(s) V'`` by dividing by ``a_i + s_j``. Tasks of weight 0 follow the others,
    ``A_00 W_0 = R_0 - A_01 W_1``, and leave the Schur complement of A_00 to these.

    Parameters
    ----------
    system : System
        With one Gram matrix.
    """

    def __init__(self, system: System) -> None:
        A, weight = system.matrix, system.weight
        self.some = weight > 0
        everyone = bool(self.some.all())
        self.root = np.sqrt(weight[self.some])[:, None]
        self.idle_inverse = None
        if everyone:
            tied = system.component
        else:
            idle = ~self.some
            self.idle_inverse = pinvh(A[np.ix_(idle, idle)])
            self.tie = A[np.ix_(idle, self.some)]
            S = A[np.ix_(self.some, self.some)] - self.tie.T @ self.idle_inverse @ self.tie
            # S 1, from A_01 1 + A_00 1 = sums_0
            sums = system.component.sums
            sums = sums[self.some] - self.tie.T @ (self.idle_inverse @ sums[idle])
            tied = Component(np.flatnonzero(self.some), S, sums)
        a, self.left = tied.eigh(weight[self.some])
        s, vectors = system.spectrum.values[0], system.spectrum.vectors[0]
        # R has no part where G has none: such columns of W are 0, and never formed
        self.right, s = vectors[:, s > 0], s[s > 0]
        self.curvature = a[:, None] + s

    def __call__(self, R: np.ndarray) -> np.ndarray:
        """Return the solution of least norm."""
        if self.idle_inverse is None:
            return self._solve(R)
        W = np.empty_like(R)
        idle = ~self.some
        W[self.some] = self._solve(R[self.some] - self.tie.T @ (self.idle_inverse @ R[idle]))
        W[idle] = self.idle_inverse @ (R[idle] - self.tie @ W[self.some])
        return W

    def _solve(self, R: np.ndarray) -> np.ndarray:
        rotated = self.left.T @ ((R / self.root) @ self.right) / self.curvature
        return (self.left @ rotated) @ self.right.T / self.root


class TwoCurvatures(Inverse):
    """H^+ where tasks share one Gram matrix and one weight, and A is ``d I - c 1 1'``.

    Mean regularisation, the complete graph and ridge have two curvatures at most: that of the mean
    over tasks, and that of differences from it. Two Cholesky factors of p x p cost less than the
    eigenvectors of G.

    Parameters
    ----------
    gram : ndarray of shape (p, p)
        ``lambda G``.
    shared, specific : float
        The eigenvalues of A for the mean and for differences from it, both positive.
    """

    def __init__(self, gram: np.ndarray, shared: float, specific: float) -> None:
        self.specific = _shifted_factor(gram, specific)
        self.shared = self.specific if shared == specific else _shifted_factor(gram, shared)

    def __call__(self, R: np.ndarray) -> np.ndarray:
        """Return the solution."""
        mean = R.mean(axis=0)
        common = cho_solve(self.shared, mean, check_finite=False)
        return common + cho_solve(self.specific, (R - mean).T, check_finite=False).T


def _shifted_factor(gram: np.ndarray, value: float) -> tuple[np.ndarray, bool]:
    shifted = gram.copy()
    shifted.flat[:: len(gram) + 1] += value
    return cho_factor(shifted, overwrite_a=True, check_finite=False)
