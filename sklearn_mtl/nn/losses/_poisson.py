from torch import Tensor
from torch.special import xlogy

from sklearn_mtl.nn.losses._activations import LOG_ACTIVATIONS
from sklearn_mtl.nn.losses._base import Loss


class Poisson(Loss):
    """loss(z, y) = exp(z) - y z - (y - y log y): half the Poisson deviance of the mean exp(z).

    Minus the log-likelihood, less its least value: a perfect prediction has loss 0.
    """

    activations = LOG_ACTIVATIONS

    def forward(self, log_predictions: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of log-means (B, T) at labels (B, T), shape (B, T)."""
        least = labels - xlogy(labels, labels)
        return log_predictions.exp() - labels * log_predictions - least
