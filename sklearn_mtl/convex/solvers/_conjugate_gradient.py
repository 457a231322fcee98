import numpy as np

from sklearn_mtl.convex._coupling import EPS
from sklearn_mtl.convex._spectrum import restricted_hessian, semidefinite_eigh
from sklearn_mtl.convex.solvers._elimination import Separate
from sklearn_mtl.convex.solvers._inverse import Inverse, System

ALL_EIGENVECTORS = 1000  # tasks up to which eigenvectors of A are cheaper than more iterations


class ConjugateGradient(Inverse):
    """H^+ by preconditioned conjugate gradients.

    Two preconditioners add up, each of which is good where the other is not.

    * Tasks apart, ``(lambda_t G_t + a_tt I)^-1``: near H where A is small. It is alone where
      ``rho = max_t sum_{s != t} |a_ts| / (a_tt + min eig lambda_t G_t) <= 0.9``, for then its
      condition is at most ``(1 + rho) / (1 - rho)``.
    * One mean Gram matrix for all, ``(A x I + I x mean_t lambda_t G_t)^-1``, by eigenvectors of
      both: near H where A is large. Of more than 1000 tasks, H itself on the lowest eigenvectors
      of A.

    Parameters
    ----------
    system : System
    max_iter : int
    tol : float
        Relative size of the residual, in the norm of the preconditioner.
    """

    is_exact = False

    def __init__(self, system: System, *, max_iter: int, tol: float = 1e-12) -> None:
        self.system, self.max_iter, self.tol = system, max_iter, tol
        A, weight = system.matrix, system.weight
        self.apart = Separate(system.spectrum, weight, A.diagonal())
        least = weight * system.spectrum.values[system.group, 0]
        ties = np.abs(A).sum(axis=1) - np.abs(A.diagonal())
        self.alone = bool((ties <= 0.9 * (A.diagonal() + least)).all())
        if self.alone:
            return
        if len(A) <= ALL_EIGENVECTORS:
            a, self.left = np.linalg.eigh(A)
            a[a <= EPS * len(A) * a[-1]] = 0.0
            constant = np.full((len(A), 1), len(A) ** -0.5)
            mean = restricted_hessian(constant, system.gram, system.group, weight)
            s, self.right, _ = semidefinite_eigh(mean)
            curvature = a[:, None] + s
        else:
            low, self.left = system.component.low
            inner = restricted_hessian(self.left, system.gram, system.group, weight)
            inner += np.diag(np.repeat(low, system.gram.shape[1]))
            curvature, self.right, _ = semidefinite_eigh(inner)
        self.inverse = np.divide(1.0, curvature, out=np.zeros_like(curvature), where=curvature > 0)

    def __call__(self, R: np.ndarray) -> np.ndarray:
        """Return the solution of least norm, to the relative accuracy `tol`."""
        system = self.system
        R = system.in_range(R)
        W = np.zeros_like(R)
        ahead = self._precondition(R)
        size = first = float(np.vdot(R, ahead))
        direction = ahead
        while size > self.tol**2 * first and self.n_iter < self.max_iter:
            self.n_iter += 1
            image = system.product(direction)
            step = size / float(np.vdot(direction, image))
            W += step * direction
            R = R - step * image
            ahead = self._precondition(R)
            following = float(np.vdot(R, ahead))
            direction = ahead + (following / size) * direction
            size = following
        return system.in_range(W)

    def _precondition(self, R: np.ndarray) -> np.ndarray:
        apart = self.apart(R)
        if self.alone:
            return apart
        rotated = self.left.T @ R
        if self.inverse.ndim == 2:
            return apart + self.left @ ((rotated @ self.right) * self.inverse) @ self.right.T
        low = self.right @ (self.inverse * (self.right.T @ rotated.ravel()))
        return apart + self.left @ low.reshape(rotated.shape)
