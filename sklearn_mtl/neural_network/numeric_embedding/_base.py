from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator


class NumericEmbedding(BaseEstimator):
    """How a network reads numbers; the base class of every embedding of numeric inputs.

    Examples
    --------
    >>> from sklearn_mtl.neural_network import NumericEmbedding
    >>> NumericEmbedding().get_params()
    {}
    """

    def prepare(self, X: np.ndarray, mass: np.ndarray) -> "NumericEmbedding":
        """Return what is left of this embedding to be made once the training rows are seen.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Training rows, standardised as the network standardises them.
        mass : ndarray of shape (n,)
            Weight of each row.

        Returns
        -------
        embedding : NumericEmbedding
            self, or a copy that holds what it learned from the rows.
        """
        return self

    def build(self, n_features: int, copies: int | None) -> Callable[..., Any]:
        """Return the torch module, first layer of a trunk.

        Parameters
        ----------
        n_features : int
            p.
        copies : int or None
            None: one embedding, (B, p) to (B, k). An int n: n embeddings with weights of their own,
            (B, p) or (n, B, p) to (n, B, k).

        Returns
        -------
        module : torch.nn.Module with attribute ``n_outputs``, k
        """
        raise TypeError(f"{type(self).__name__} must define build(n_features, copies).")
