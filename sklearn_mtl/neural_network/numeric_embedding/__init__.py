"""Embeddings of numeric inputs, as parameters: names, defaults and what a grid can search."""

from sklearn_mtl.neural_network.numeric_embedding._base import NumericEmbedding
from sklearn_mtl.neural_network.numeric_embedding._periodic import PeriodicEmbedding
from sklearn_mtl.neural_network.numeric_embedding._piecewise_linear import PiecewiseLinearEmbedding

# the words that the `numeric_embedding` parameter takes
NUMERIC_EMBEDDINGS: dict[str, type[NumericEmbedding]] = {
    "periodic": PeriodicEmbedding,
    "piecewise_linear": PiecewiseLinearEmbedding,
}

__all__ = [
    "NUMERIC_EMBEDDINGS",
    "NumericEmbedding",
    "PeriodicEmbedding",
    "PiecewiseLinearEmbedding",
]
