from dataclasses import dataclass
from warnings import warn

import numpy as np

from sklearn_mtl.convex import CoefRows, TaskRelationship
from sklearn_mtl.convex._prior_covariance import LEAST, row_covariance
from sklearn_mtl.utils._warnings import level_of_caller


@dataclass(frozen=True, eq=False)
class LearnedCovariance:
    """How rows of W covary.

    Attributes
    ----------
    covariance : ndarray of shape (M, M)
        Of trace 1.
    correlation : ndarray of shape (M, M)
        1 on the diagonal; 0 with a row of variance 0.
    rank : int
        Rank of W.
    """

    covariance: np.ndarray
    correlation: np.ndarray
    rank: int


def learned_covariance(
    penalty: TaskRelationship, W: np.ndarray, rows: CoefRows, owner: str
) -> LearnedCovariance:
    """Return the covariance that was learned with W, and warn where its prior was singular.

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
    return LearnedCovariance(covariance, _correlation(covariance), int(np.linalg.matrix_rank(W)))


def _correlation(covariance: np.ndarray) -> np.ndarray:
    deviation = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    matrix = np.clip(scale[:, None] * covariance * scale, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return matrix
