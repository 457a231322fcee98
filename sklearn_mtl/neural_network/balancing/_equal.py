from typing import Any

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class EqualWeights(Balancing):
    """Minimise sum_t λ_t loss_t: ``balancing="equal"``.

    Published comparisons find nothing that reliably beats it.

    References
    ----------
    Kurin et al., "In Defense of the Unitary Scalarization for Deep Multi-Task Learning", 2022.
    Xin et al., "Do Current Multi-Task Optimization Methods in Deep Learning Even Help?", 2022.

    Examples
    --------
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import EqualWeights
    >>> model = MultiTaskRegressor(balancing=EqualWeights())
    """

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        return backend().WeightedSum(task_weight)
