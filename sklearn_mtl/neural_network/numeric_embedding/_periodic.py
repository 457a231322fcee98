from copy import copy
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.numeric_embedding._base import NumericEmbedding
from sklearn_mtl.neural_network.numeric_embedding._columns import varied_columns


class PeriodicEmbedding(NumericEmbedding):
    """Numbers beside sines and cosines of learned frequencies: ``numeric_embedding="periodic"``.

    Feature x becomes x, sin(2π c_1 x), cos(2π c_1 x), …, sin(2π c_k x), cos(2π c_k x), with
    frequencies c_i that start at N(0, s²) and are learned. The layers after it can then bend at any
    place, which from straight lines and few rows they learn slowly. Features with few distinct
    values, such as codes, stay as they are.

    Parameters
    ----------
    n_frequencies : int, default=4
        k, for each feature.
    frequency_scale : float, default=0.3
        s, in cycles per unit of the input: its standard deviation where inputs are standardised.
    min_distinct : int, default=10
        Features with at most so many distinct values among the training rows stay as they are.

    References
    ----------
    Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", 2022,
    section 3.3; the features themselves, which stay beside, are not in the paper, and its linear
    layer after the sines is left to the network's first.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import PeriodicEmbedding
    >>> X, y = load_linnerud(return_X_y=True)
    >>> embedding = PeriodicEmbedding(n_frequencies=8)
    >>> model = MultiTaskRegressor(numeric_embedding=embedding, max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "n_frequencies": [Interval(Integral, 1, None, closed="left")],
        "frequency_scale": [Interval(Real, 0, None, closed="neither")],
        "min_distinct": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self, n_frequencies: Any = 4, frequency_scale: Any = 0.3, min_distinct: Any = 10
    ) -> None:
        self.n_frequencies = n_frequencies
        self.frequency_scale = frequency_scale
        self.min_distinct = min_distinct

    def prepare(self, X: np.ndarray, mass: np.ndarray) -> "PeriodicEmbedding":
        """Return a copy that knows which columns have many values; see the base class."""
        self._validate_params()
        prepared = copy(self)
        prepared.columns_ = varied_columns(X, self.min_distinct)
        return prepared

    def build(self, n_features: int, copies: int | None) -> Any:
        """Return the torch module; see the base class."""
        return backend().PeriodicModule(
            n_features, self.columns_, self.n_frequencies, self.frequency_scale, copies
        )
