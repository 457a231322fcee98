from typing import Any

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class UncertaintyWeights(Balancing):
    """Learn how uncertain each task is, and weigh it by the inverse: ``balancing="uncertainty"``.

    The network minimises sum_t λ_t exp(-s_t) loss_t, and the log-variances s minimise
    sum_t (exp(-s_t) loss_t + s_t): one objective of both where λ_t = 1. They start at 0 and are
    trained with the network, without weight decay, at a pace that λ_t leaves alone. The weights
    λ_t exp(-s_t) are positive; they start at λ_t and tend to λ_t / loss_t. A task without a label
    in a batch leaves its s_t.

    This is twice the paper's equation 7, whose weights start at 1/2. The paper gives classification
    twice that (equation 10): here losses of all kinds have been brought to one scale already.

    References
    ----------
    Kendall, Gal & Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene
    Geometry and Semantics", 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import UncertaintyWeights
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=UncertaintyWeights(), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        return nn.Scalarized(task_weight, nn.scalarization.UW(len(task_weight)), factor=2.0)
