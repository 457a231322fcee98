"""What outputs pass through to become predictions of numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

# predictions start inside the range: at its ends an output would be infinite
LEAST_RATE = 1e-4


@dataclass(frozen=True)
class OutputActivation:
    """A monotone function from outputs to predictions.

    Attributes
    ----------
    function : callable (ndarray) -> ndarray
    inverse : callable (ndarray) -> ndarray
    least, most : float
        Bounds of the predictions.
    """

    function: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray]
    least: float = -np.inf
    most: float = np.inf

    @property
    def is_bounded(self) -> bool:
        """Whether predictions are bounded on one side or both."""
        return self.least > -np.inf or self.most < np.inf

    @property
    def has_unit(self) -> bool:
        """Whether labels can be put in other units and still be in the range."""
        return self.most == np.inf

    def output_for(self, prediction: float) -> float:
        """Return the output that predicts a number in the range, or one near it at the ends."""
        inside = np.clip(prediction, self.least + LEAST_RATE, self.most - LEAST_RATE)
        return float(self.inverse(inside))


def _identity(values: np.ndarray) -> np.ndarray:
    return values


def _softplus(outputs: np.ndarray) -> np.ndarray:
    return np.logaddexp(outputs, 0.0)


def _softplus_inverse(predictions: np.ndarray) -> np.ndarray:
    # log(exp(y) - 1) without its overflow
    return predictions + np.log(-np.expm1(-predictions))


ACTIVATIONS = {
    "identity": OutputActivation(_identity, _identity),
    "exp": OutputActivation(np.exp, np.log, least=0.0),
    "softplus": OutputActivation(_softplus, _softplus_inverse, least=0.0),
    "sigmoid": OutputActivation(expit, logit, least=0.0, most=1.0),
}
