import numpy as np
from torch import Tensor
from torchjd.aggregation import Weighting

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights


class TorchjdWeights(GramianWeights):
    """Weights as one of torchjd's objects gives them.

    Parameters
    ----------
    weighting : torchjd.aggregation.Weighting
        Of Gramian matrices.
    """

    def __init__(self, weighting: Weighting) -> None:
        super().__init__()
        self.weighting = weighting

    def forward(self, gramian: Tensor, tasks: np.ndarray) -> Tensor:
        """Return the weights, shape (S,)."""
        return self.weighting(gramian)
