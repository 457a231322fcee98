from typing import Any
from warnings import warn

import numpy as np

from sklearn_mtl.convex import CoefRows, TaskRelationship
from sklearn_mtl.convex._prior_covariance import LEAST, row_covariance
from sklearn_mtl.utils._warnings import level_of_caller


def learned_covariance(
    penalty: TaskRelationship, W: np.ndarray, rows: CoefRows, owner: str
) -> dict[str, Any]:
    """Return the attributes that say what covariance was learned with W, and warn of a poor prior.

    Parameters
    ----------
    penalty : TaskRelationship
    W : ndarray of shape (M, p)
    rows : CoefRows
    owner : str
        Who asks, for the warning.
    """
    prior, rank = row_covariance(penalty.prior_covariance, rows)
    if rank < len(prior) and penalty.prior_strength > 0:
        warn(
            f"prior_covariance of {owner} is singular, of rank {rank} for {len(prior)} rows of "
            f"weights, which leaves some no freedom; its eigenvalues were raised to {LEAST:g} of "
            "the largest. Add a multiple of the identity to mean less certainty.",
            UserWarning,
            stacklevel=level_of_caller(),
        )
    covariance = penalty.covariance(W, rows)
    return {
        "task_covariance_": covariance,
        "task_correlation_": correlation(covariance),
        "rank_": int(np.linalg.matrix_rank(W)),
    }


def correlation(covariance: np.ndarray) -> np.ndarray:
    """Return the correlations, those with a row of variance 0 being 0, and 1 on the diagonal."""
    deviation = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    matrix = np.clip(scale[:, None] * covariance * scale, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return matrix
