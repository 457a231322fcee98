from typing import Any

import numpy as np
from scipy.linalg import qr
from scipy.sparse import issparse


def row_space(X: Any) -> np.ndarray | None:
    """Return an orthonormal basis of the rows of wide X, shape (p, n), or None where n >= p.

    Where the penalty does not change under rotations, the best weights are combinations of the
    rows (the representer theorem), so that n coordinates replace p features at no loss.
    """
    n, p = X.shape
    if n >= p or issparse(X):
        return None
    return qr(np.asarray(X, dtype=np.float64).T, mode="economic", check_finite=False)[0]
