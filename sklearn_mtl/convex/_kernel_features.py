"""Features whose inner products are a kernel, so that whatever is linear in features is kernelised.

The penalties that these serve do not change under rotations, so the best functions are combinations
of ``k(x_i, .)`` (the representer theorem) and have as many weights as there are rows.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import issparse

from sklearn_mtl.convex._kernel import Comparison, Kernel
from sklearn_mtl.convex._reduce import Coordinates
from sklearn_mtl.tasks import TaskData

EXACT_ROWS = 4000  # an eigendecomposition of 8 s on one core, and 500 MB
LANDMARKS = 1000  # beyond: kernel values of 8 MB per 1000 rows
# how far below 0 eigenvalues are still rounding, relative to the largest, by the bytes of a number:
# as scikit-learn's KernelPCA has it, for values of 8 bytes may have been computed in 4
NEGATIVE = {4: 5e-3, 8: 1e-5}
ROUNDINGS = 8  # that each value of a kernel may have gone through


@dataclass(frozen=True, eq=False, kw_only=True)
class KernelCoordinates(Coordinates):
    """Rows as features with ``phi(x) . phi(z) = k(x, z)``, about their mean where centred.

    The columns of `rows` are orthogonal under the mean weights of the rows: tasks with labels on
    all of them have a diagonal Gram matrix, and the mean over others is one but for their centres.

    Attributes
    ----------
    rows : ndarray of shape (n, r)
    basis : ndarray of shape (m, r)
        ``phi(x) = k(x, .) basis - centre``; it takes W_r to the coefficients of k(., z_j).
    centre : ndarray of shape (r,) or None
    inverse : ndarray of shape (m, r)
        Takes coefficients of k(., z_j) to W_r.
    compare : Comparison
        x -> k(x, z_j), j = 1 ... m.
    n_components : int
        The rows z_j that may have coefficients.
    """

    inverse: np.ndarray
    compare: Comparison
    n_components: int

    @property
    def n_features(self) -> float:
        """Infinite: a kernel may have as many features as it is shown rows."""
        return np.inf

    def inward(self, coef: np.ndarray) -> np.ndarray:
        """Return coefficients of k(., z_j) as weights in these coordinates."""
        return coef @ self.inverse if coef.shape[1] == len(self.inverse) else coef


def kernel_features(
    X: Any,
    data: TaskData,
    kernel: Kernel,
    *,
    centre: bool,
    n_landmarks: int | None,
    random_state: np.random.RandomState,
) -> KernelCoordinates:
    """Return rows in coordinates that a kernel stands for.

    Exact from one eigendecomposition of the kernel, O(n^3); or by the method of Nystrom, of which
    random rows are landmarks z: ``phi(x) = K_zz^(-1/2) k(z, x)``, O(n m^2).

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
        Kernel values (n, n) where the kernel is precomputed.
    data : TaskData
        Whose labels say what rows weigh.
    kernel : Kernel
    centre : bool
        Whether there are intercepts.
    n_landmarks : int or None
        None is exact.
    random_state : RandomState
        Draws landmarks.

    References
    ----------
    B. Schölkopf, A. Smola and K.-R. Müller, "Nonlinear component analysis as a kernel eigenvalue
    problem", Neural Computation 10, 1998, appendix B. C. Williams and M. Seeger, "Using the
    Nyström method to speed up kernel machines", NIPS 13, 2001, section 2.
    """
    share = row_share(data)
    precision = X.dtype  # float32 rows are measured to float32, whatever is made of them
    X = X.astype(np.float64, copy=False)
    if n_landmarks is None or n_landmarks >= X.shape[0]:
        # a copy: what the caller does with X later must not change predictions
        compare = Comparison(kernel, None if kernel.is_precomputed else X.copy())
        values = _dense(X) if kernel.is_precomputed else kernel(X, X)
        return _exact(values, share, compare, centre=centre, precision=precision)
    landmarks = np.sort(random_state.choice(X.shape[0], n_landmarks, replace=False))
    if kernel.is_precomputed:
        values, compare = _dense(X[:, landmarks]), Comparison(kernel)
        found = _nystrom(values, landmarks, share, compare, centre=centre, precision=precision)
        return _spread(found, landmarks, X.shape[0])
    reference = X[landmarks]
    values, compare = kernel(X, reference), Comparison(kernel, reference)
    return _nystrom(values, landmarks, share, compare, centre=centre, precision=precision)


def row_share(data: TaskData) -> np.ndarray:
    """Return the mean over tasks of the weights of their rows, which sum to 1, shape (n,)."""
    weights = np.where(data.observed, 1.0 if data.weights is None else data.weights, 0.0)  # type: ignore[arg-type]
    mass = data.per_task(weights)
    each = np.divide(1.0, mass, out=np.zeros(len(mass)), where=mass > 0)
    share = weights @ each if data.task_index is None else weights * each[data.task_index]
    return share / share.sum()


def _exact(
    values: np.ndarray, share: np.ndarray, compare: Comparison, *, centre: bool, precision: Any
) -> KernelCoordinates:
    """Return features from ``D^(1/2) K D^(1/2) = V diag(s) V'``, ``phi = D^(-1/2) V s^(1/2)``.

    With intercepts, K is centred about the mean with weights D = diag(share).
    """
    _check_symmetric(values, precision)
    some = np.flatnonzero(share)
    root = np.sqrt(share[some])[:, None]
    mean = values[:, some] @ share[some]
    labelled = values if len(some) == len(share) else values[np.ix_(some, some)]
    scaled = labelled * root * root.T
    size = float(np.linalg.norm(scaled))
    if centre:
        # (I - 1 d') K (I - d 1') for weights d
        pull = root * mean[some, None]
        scaled -= pull * root.T + root * pull.T
        scaled += float(share[some] @ mean[some]) * root * root.T
    sizes, vectors = _positive_eigh(scaled, size, precision)
    basis = np.zeros((len(share), len(sizes)))
    basis[some] = root * vectors / np.sqrt(sizes)
    if centre:
        # no coefficient for what intercepts say, which rounding leaves in the small eigenvalues
        basis[some] -= share[some, None] * basis[some].sum(axis=0)
    rows = np.empty_like(basis)
    rows[some] = vectors * np.sqrt(sizes) / root
    unlabelled = np.flatnonzero(share == 0)
    offset = mean @ basis if centre else None
    if len(unlabelled):
        rows[unlabelled] = values[unlabelled] @ basis - (0.0 if offset is None else offset)
    return KernelCoordinates(
        rows, basis, offset, inverse=rows, compare=compare, n_components=len(share)
    )


def _nystrom(
    values: np.ndarray,
    landmarks: np.ndarray,
    share: np.ndarray,
    compare: Comparison,
    *,
    centre: bool,
    precision: Any,
) -> KernelCoordinates:
    """Return features of the span of k(., z), from the kernel values of rows and landmarks."""
    between = values[landmarks]
    _check_symmetric(between, precision)
    sizes, vectors = _positive_eigh(between, float(np.linalg.norm(between)), precision)
    basis = vectors / np.sqrt(sizes)
    rows = values @ basis
    offset = None
    if centre:
        mean = share @ rows
        rows -= mean
    # rotated, so that columns are orthogonal under the weights
    scaled = rows * np.sqrt(share)[:, None]
    rotation = np.linalg.eigh(scaled.T @ scaled)[1][:, ::-1]
    if centre:
        offset = mean @ rotation
    basis = basis @ rotation
    inverse = (vectors * np.sqrt(sizes)) @ rotation
    return KernelCoordinates(
        rows @ rotation,
        basis,
        offset,
        inverse=inverse,
        compare=compare,
        n_components=len(landmarks),
    )


def _spread(found: KernelCoordinates, landmarks: np.ndarray, n: int) -> KernelCoordinates:
    """Return the same with coefficients, of 0, for the rows that are no landmarks."""
    basis, inverse = np.zeros((2, n, found.rows.shape[1]))
    basis[landmarks], inverse[landmarks] = found.basis, found.inverse
    return replace(found, basis=basis, inverse=inverse)


def _positive_eigh(
    matrix: np.ndarray, size: float, precision: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues above rounding, falling, and their eigenvectors.

    Rounding is of the kernel before it was centred, whose norm is `size`: of one that is nearly
    constant, nothing else may be left.
    """
    values, vectors = eigh(matrix, driver="evd", check_finite=False)
    largest = max(float(values[-1]), 0.0)
    lowest = float(values[0])
    bytes_each, eps = np.dtype(precision).itemsize, np.finfo(np.float64).eps
    if -lowest > max(NEGATIVE[bytes_each] * largest, ROUNDINGS * np.finfo(precision).eps * size):
        raise ValueError(
            "The kernel is not positive semi-definite: its matrix over the rows of X, "
            f"{len(matrix)} x {len(matrix)}, has the eigenvalue {lowest:.3g} beside {largest:.3g}. "
            "Choose another kernel or other kernel_params."
        )
    # rounding moves all eigenvalues alike: as far up as the lowest is below 0
    cut = max(-lowest, eps * len(matrix) * largest, ROUNDINGS * eps * size)
    kept = np.flatnonzero(values > cut)[::-1]
    if len(kept) == 0:  # the kernel tells no rows apart: one feature, of 0
        return np.ones(1), np.zeros((len(matrix), 1))
    return values[kept], vectors[:, kept]


def _check_symmetric(values: np.ndarray, precision: Any) -> None:
    apart = float(np.abs(values - values.T).max(initial=0.0))
    if apart > NEGATIVE[np.dtype(precision).itemsize] * float(np.abs(values).max(initial=0.0)):
        raise ValueError(
            f"The kernel is not symmetric: k(x, z) and k(z, x) differ by up to {apart:.3g}. Pass "
            "one that is, such as the mean of the two."
        )


def _dense(values: Any) -> np.ndarray:
    return values.toarray() if issparse(values) else values
