"""Networks that learn several tasks at once."""

from sklearn_mtl.neural_network._classifier import MultiTaskClassifier
from sklearn_mtl.neural_network._mixed import MultiTaskEstimator
from sklearn_mtl.neural_network._regressor import MultiTaskRegressor

__all__ = ["MultiTaskClassifier", "MultiTaskEstimator", "MultiTaskRegressor"]
