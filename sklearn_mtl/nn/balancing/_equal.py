from torch import Tensor

from sklearn_mtl.nn.balancing._base import Balancer, LossGraph


class EqualWeights(Balancer):
    """Minimise sum_t λ_t loss_t.

    Published comparisons find nothing that reliably beats it.

    References
    ----------
    Kurin et al., "In Defense of the Unitary Scalarization for Deep Multi-Task Learning", 2022.
    Xin et al., "Do Current Multi-Task Optimization Methods in Deep Learning Even Help?", 2022.
    """

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Differentiate the weighted sum."""
        losses.backward(self.task_weight)  # the gradient of losses @ task_weight, one step less
