import numpy as np

from sklearn_mtl.convex.solvers._low_rank_steps import Iterate, LowRankQuadratic


class RotatedQuadratic(LowRankQuadratic):
    """A problem in coordinates along the eigenvectors of the one Gram matrix, for a diagonal A.

    The nuclear norm of W is the same there, and the Hessian is diagonal.

    Parameters
    ----------
    quadratic : LowRankQuadratic
        Whose tasks share a Gram matrix.

    Attributes
    ----------
    curvature : ndarray of shape (T, p)
        The diagonal of the Hessian.
    """

    def __init__(self, quadratic: LowRankQuadratic) -> None:
        vars(self).update(vars(quadratic))
        self.original = quadratic
        spectrum = self.datafit.spectrum
        self.vectors = spectrum.vectors[0]
        self.linear = quadratic.linear @ self.vectors
        self.curvature = self.datafit.task_weight[:, None] * spectrum.values[0]
        self.curvature += self.matrix[:, None]

    def product(self, iterate: Iterate) -> np.ndarray:
        """Return H W."""
        return self.curvature * iterate.coef

    def rotated(self, iterate: Iterate) -> Iterate:
        """Return an iterate of the original problem in these coordinates."""
        return Iterate(self, iterate.left, iterate.sizes, iterate.right @ self.vectors)

    def restored(self, iterate: Iterate) -> Iterate:
        """Return an iterate in the coordinates of the original problem."""
        right = iterate.right @ self.vectors.T
        result = Iterate(self.original, iterate.left, iterate.sizes, right)
        vars(result)["gap"] = iterate.gap  # no rotation changes it
        return result
