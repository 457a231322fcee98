from typing import Any

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class RandomLossWeights(Balancing):
    """Draw new weights for every step: ``balancing="rlw"``.

    Minimises sum_t λ_t w_t loss_t with w = T softmax(z), z standard normal: without λ the weights
    are positive and sum to T. A baseline: what does no better than this has not found a balance.

    References
    ----------
    Lin et al., "Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task
    Learning", 2022, algorithm 2. Its weights sum to 1, so that its steps are T times shorter.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import RandomLossWeights
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(balancing=RandomLossWeights(), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        return nn.Scalarized(task_weight, nn.scalarization.Random(), factor=float(len(task_weight)))
