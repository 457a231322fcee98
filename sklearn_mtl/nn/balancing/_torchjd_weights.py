import numpy as np
from torch import Tensor
from torchjd.aggregation import Aggregator, GramianWeightedAggregator, Weighting

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


def of_the_gramian(method: GramianWeights | Aggregator) -> GramianWeights | Aggregator:
    """Return the weights that a torchjd aggregator makes of the Gramian, where it does only that.

    The Gramian is cheaper to come by than the Jacobian in one piece.
    """
    if not isinstance(method, GramianWeightedAggregator):
        return method
    own_way = type(method).forward is not GramianWeightedAggregator.forward
    hooked = method._forward_hooks or method._forward_pre_hooks
    return method if own_way or hooked else TorchjdWeights(method.gramian_weighting)
