import numpy as np
from torch import Tensor
from torchjd.aggregation import (
    Aggregator,
    GramianWeightedAggregator,
    WeightedAggregator,
    Weighting,
)

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
    if isinstance(method, GramianWeightedAggregator) and is_weighted_sum(method):
        return TorchjdWeights(method.gramian_weighting)
    return method


def is_weighted_sum(method: Aggregator) -> bool:
    """Return whether an aggregator is its `weighting` times the Jacobian, and nothing besides."""
    return (
        isinstance(method, WeightedAggregator)
        and type(method).forward is WeightedAggregator.forward
        and type(method)._combine is WeightedAggregator._combine
        and not method._forward_hooks
        and not method._forward_pre_hooks
    )
