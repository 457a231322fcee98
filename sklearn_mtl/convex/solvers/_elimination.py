import numpy as np

from sklearn_mtl.convex._spectrum import GramSpectrum, semidefinite_eigh
from sklearn_mtl.convex.solvers._inverse import Inverse


class Separate(Inverse):
    """``(lambda_t G_t + d_t I)^+`` for tasks that nothing ties.

    Parameters
    ----------
    spectrum : GramSpectrum
    weight, diagonal : ndarray of shape (m,)
        lambda and d.
    in_range : bool, default=False
        Whether what is solved for has no part where its G has none, but rounding, which a small d
        would blow up.
    """

    def __init__(
        self,
        spectrum: GramSpectrum,
        weight: np.ndarray,
        diagonal: np.ndarray,
        *,
        in_range: bool = False,
    ) -> None:
        self.spectrum = spectrum
        curved = weight[:, None] * spectrum.of_tasks()
        curvature = curved + diagonal[:, None]
        some = curved > 0 if in_range else curvature > 0
        self.inverse = np.divide(1.0, curvature, out=np.zeros_like(curvature), where=some)

    def __call__(self, R: np.ndarray) -> np.ndarray:
        """Return the solution of least norm."""
        return self.spectrum.restore(self.inverse * self.spectrum.rotate(R))


class Elimination(Inverse):
    """H^+ where A = diag(d) - f f', by eliminating the tasks for one shared vector z.

    Mean regularisation and the complete graph are of this form. With B_t = lambda_t G_t + d_t I,

        w_t = B_t^-1 (r_t + f_t z),    M z = sum_t f_t B_t^-1 r_t,
        M = rest I + sum_t f_t^2 / d_t * lambda_t G_t B_t^-1,
        rest = 1 - sum_t f_t^2 / d_t = sum_t f_t s_t / d_t / sum_t f_t,

    with s the sums of the rows of A: positive semi-definite terms, so that nothing cancels where A
    is large. The cost is one eigendecomposition of each Gram matrix, which a path of penalties
    shares, and O(K p^3).

    Parameters
    ----------
    spectrum : GramSpectrum
    weight, sums, diagonal, factor : ndarray of shape (m,)
        lambda, s, d and f.
    """

    def __init__(
        self,
        spectrum: GramSpectrum,
        weight: np.ndarray,
        sums: np.ndarray,
        diagonal: np.ndarray,
        factor: np.ndarray,
    ) -> None:
        # of one Gram matrix, what labels explain is in the range, for all tasks
        shared = len(spectrum.values) == 1 and bool((weight > 0).all())
        self.separate = Separate(spectrum, weight, diagonal, in_range=shared)
        self.factor = factor[:, None]
        share = np.square(factor) / diagonal
        rest = max(float((factor * sums / diagonal).sum() / factor.sum()), 0.0)
        curved = weight[:, None] * spectrum.of_tasks() * self.separate.inverse * share[:, None]
        total = np.zeros_like(spectrum.values)
        np.add.at(total, spectrum.group, curved)
        if len(total) == 1:
            values, self.basis = total[0], spectrum.vectors[0]
        else:
            vectors = spectrum.vectors
            p = total.shape[1]
            stacked = (vectors * total[:, None, :]).transpose(1, 0, 2).reshape(p, -1)
            values, self.basis, _ = semidefinite_eigh(
                stacked @ vectors.transpose(1, 0, 2).reshape(p, -1).T
            )
        values = values + rest
        self.inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)

    def __call__(self, R: np.ndarray) -> np.ndarray:
        """Return the solution of least norm."""
        total = (self.factor * self.separate(R)).sum(axis=0)
        shared = self.basis @ (self.inverse * (self.basis.T @ total))
        return self.separate(R + self.factor * shared)
