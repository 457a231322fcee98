"""Embeddings of numeric inputs, as parameters: names, defaults and what a grid can search."""

from sklearn_mtl.neural_network.numeric_embedding._base import NumericEmbedding

# the words that the `numeric_embedding` parameter takes
NUMERIC_EMBEDDINGS: dict[str, type[NumericEmbedding]] = {}

__all__ = ["NUMERIC_EMBEDDINGS", "NumericEmbedding"]
