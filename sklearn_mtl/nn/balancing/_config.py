import numpy as np

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights

# directions of less than this part of the largest eigenvalue are roundings of float32
NO_DIRECTION = 1e-6


class ConFIGWeights(GramianWeights):
    """The direction with one cosine to all gradients, as long as their projections on it together.

    torchjd's takes a pseudo-inverse of the whole Jacobian; that of the Gramian says the same.
    """

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights."""
        length = np.sqrt(np.diagonal(gramian))
        inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
        cosines = inverse[:, None] * gramian * inverse
        # U^+ 1 = U' (U U')^+ 1 for unit gradients U
        direction = np.linalg.pinv(cosines, rcond=NO_DIRECTION, hermitian=True).sum(axis=1)
        direction *= inverse
        squared = direction @ gramian @ direction
        if squared <= 0.0:
            return np.zeros_like(length)
        return (gramian @ direction).sum() / squared * direction
