from typing import Any

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class IMTLL(Balancing):
    """Learn a scale for each loss that makes all alike: ``balancing="imtl_l"``.

    The network minimises sum_t λ_t exp(s_t) loss_t, and the scales s minimise
    sum_t (exp(s_t) loss_t - s_t): one objective of both where λ_t = 1. They start at 0 and are
    trained with the network, without weight decay, at a pace that λ_t leaves alone. The weights
    are λ_t exp(s_t). With s_t for -s_t this is "uncertainty" as written here: the two train alike.

    References
    ----------
    Liu et al., "Towards Impartial Multi-task Learning", 2021, section 3.2.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import IMTLL
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=IMTLL(), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        return nn.Scalarized(task_weight, nn.scalarization.IMTLL(len(task_weight)))
