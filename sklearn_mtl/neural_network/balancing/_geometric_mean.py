from typing import Any

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class GeometricMean(Balancing):
    """Minimise the geometric mean of the losses: ``balancing="geometric_mean"``.

    Minimises T (loss_1 ⋯ loss_T)^(1/T), a change of which by a factor is the same whichever loss it
    came from. The weights are λ_t times the mean over loss_t: without λ their own geometric mean is
    1. λ_t acts as the exponent of loss_t would.

    Losses below the precision of the numbers (1.2e-7 for float32) count as that.

    References
    ----------
    Chennupati et al., "MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy for
    Multi-Task Learning", 2019. The factor T, for steps as long as those of equal weights, is ours.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import GeometricMean
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=GeometricMean(), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        return nn.Scalarized(
            task_weight, nn.scalarization.GeometricMean(), factor=float(len(task_weight))
        )
