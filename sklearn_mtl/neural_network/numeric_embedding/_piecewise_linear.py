from copy import copy
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.numeric_embedding._base import NumericEmbedding
from sklearn_mtl.neural_network.numeric_embedding._columns import varied_columns


class PiecewiseLinearEmbedding(NumericEmbedding):
    """Numbers beside their place among quantiles: ``numeric_embedding="piecewise_linear"``.

    With the edges b_0 < … < b_k of bins that hold equally many training rows, feature x becomes x,
    e_1, …, e_k, where e_j = (x - b_{j-1}) / (b_j - b_{j-1}), cut off below 0 and above 1 (but not
    below the first bin nor above the last). A linear layer after it is a line with k - 1 kinks.
    Features with few distinct values, such as codes, stay as they are.

    Parameters
    ----------
    n_bins : int, default=8
        k, for each feature; fewer where quantiles coincide.
    min_distinct : int, default=10
        Features with at most so many distinct values among the training rows stay as they are.

    References
    ----------
    Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", 2022,
    eq. 1; the features themselves, which stay beside, are not in the paper.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import PiecewiseLinearEmbedding
    >>> X, y = load_linnerud(return_X_y=True)
    >>> embedding = PiecewiseLinearEmbedding(n_bins=4)
    >>> model = MultiTaskRegressor(numeric_embedding=embedding, max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "min_distinct": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, n_bins: Any = 8, min_distinct: Any = 10) -> None:
        self.n_bins = n_bins
        self.min_distinct = min_distinct

    def prepare(self, X: np.ndarray, mass: np.ndarray) -> "PiecewiseLinearEmbedding":
        """Return a copy that holds the edges of the bins; see the base class."""
        self._validate_params()
        prepared = copy(self)
        levels = np.linspace(0, 1, self.n_bins + 1)
        rows = X[mass > 0]
        prepared.edges_ = {
            int(column): np.unique(np.quantile(rows[:, column], levels))
            for column in varied_columns(rows, self.min_distinct)
        }
        return prepared

    def build(self, n_features: int, copies: int | None) -> Any:
        """Return the torch module; see the base class."""
        return backend().PiecewiseLinearModule(n_features, self.edges_, copies)
