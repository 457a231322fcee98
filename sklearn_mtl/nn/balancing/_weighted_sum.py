from torch import Tensor

from sklearn_mtl.nn.balancing._base import Balancer, LossGraph


class WeightedSum(Balancer):
    """Minimise sum_t λ_t loss_t."""

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Differentiate the weighted sum."""
        losses.backward(self.task_weight)  # the gradient of losses @ task_weight, one step less
        self.weight = self.task_weight
