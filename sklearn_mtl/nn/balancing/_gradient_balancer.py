from math import isfinite

import numpy as np
import torch
from torch import Tensor
from torchjd.aggregation import Aggregator

from sklearn_mtl.nn._gradient import add_gradient
from sklearn_mtl.nn._head_gradients import HeadGradients
from sklearn_mtl.nn.balancing._base import LossGraph
from sklearn_mtl.nn.balancing._graddrop import GradDropAggregator
from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights
from sklearn_mtl.nn.balancing._jacobian import common_jacobian, shared_jacobian
from sklearn_mtl.nn.balancing._torchjd import TorchjdBalancer
from sklearn_mtl.nn.balancing._torchjd_weights import is_weighted_sum, of_the_gramian


class GradientBalancer(TorchjdBalancer):
    """Combines the gradients of λ_t loss_t into one where tasks share, and nowhere else.

    What a task has for itself always gets the gradient of λ_t loss_t. What tasks share gets the
    combination of the rows of a Jacobian J, a row for each task with a label in the batch:

    * at the representation that the losses of all tasks go through, J is (T, B h) and its
      combination goes back through the trunk in one pass (MGDA-UB);
    * exactly, J holds the gradients by the shared parameters, T passes through the trunk as one
      batched pass.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
    method : GramianWeights, or torchjd Aggregator
    gradients : {"auto", "exact", "representation"}, default="auto"
        "auto" is "representation" where the sharing scheme has one, else "exact".

    References
    ----------
    Sener & Koltun, "Multi-Task Learning as Multi-Objective Optimization", 2018, section 3.3.
    """

    def __init__(
        self,
        task_weight: Tensor,
        method: GramianWeights | Aggregator,
        gradients: str = "auto",
    ) -> None:
        super().__init__(task_weight, of_the_gramian(method))
        self.gradients = gradients

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Add the step's gradients to the parameters, and set `weight`."""
        tasks = np.arange(len(losses))
        if observed is not None:
            tasks = np.flatnonzero(observed.cpu().numpy())
        common = graph.common
        if self.gradients == "representation" and common is None:
            raise ValueError(
                f"balancing with gradients='representation' needs a representation that the losses "
                f"of all tasks go through, but {graph.scheme} has none; set gradients='exact' or "
                "'auto', or choose sharing='hard'."
            )
        # nothing to combine: one task, or a loss that is no number, which the training reports
        if len(tasks) < 2 or not isfinite(losses.detach().sum().item()):
            self.backward_weighted(losses, observed, self.task_weight)
        elif self.gradients == "exact" or common is None or not common.requires_grad:
            self._through_parameters(losses, observed, tasks, graph)
        else:
            self._through_common(losses, tasks, graph)

    def _through_common(self, losses: Tensor, tasks: np.ndarray, graph: LossGraph) -> None:
        if graph.common_gradients is not None:
            gradients = graph.common_gradients(losses, self.task_weight)
            gradients.backward(self._combined(gradients, tasks, graph.gradient_factor))
            return
        common: Tensor = graph.common  # type: ignore[assignment]
        jacobian = common_jacobian(losses, graph, self.task_weight, tasks)
        (vector,) = self._combine([jacobian.flatten(1)], tasks, graph.gradient_factor)
        combined = vector.view_as(common).to(common.dtype)
        # one backward pass gives the heads their plain gradients and the trunk the combined one
        handle = common.register_hook(lambda gradient: combined)
        losses.backward(self.task_weight)
        handle.remove()

    def _combined(
        self, gradients: HeadGradients, tasks: np.ndarray, factor: Tensor | None
    ) -> Tensor:
        """Return the combination (B, h) of the gradients by what linear heads read."""
        if isinstance(self.method, GramianWeights):
            gramian = gradients.gramian()
            if len(tasks) < len(gramian):
                gramian = gramian[tasks.tolist()][:, tasks.tolist()]
            weights = self._weights(gramian, tasks, factor)
            return gradients.combined(self._spread(weights, tasks, 0.0))
        positive = None
        if isinstance(self.method, GradDropAggregator):
            positive = gradients.positive_sum()
        if positive is None:
            rows = gradients.rows()
            (vector,) = self._combine([rows[tasks.tolist()].flatten(1)], tasks, factor)
            return vector.view_as(rows[0])
        self.weight = torch.full_like(self.task_weight, torch.nan)
        return self.method.of_sums(gradients.combined(torch.ones_like(self.weight)), positive)

    def _through_parameters(
        self, losses: Tensor, observed: Tensor | None, tasks: np.ndarray, graph: LossGraph
    ) -> None:
        shared = shared_jacobian(losses, graph, self.task_weight, tasks)
        if not shared:  # a scheme that shares nothing, or what is shared is frozen
            self.backward_weighted(losses, observed, self.task_weight)
            return
        own = [p for p in graph.own_parameters if p.requires_grad]
        if own:
            torch.autograd.backward(losses, self.task_weight, inputs=own)
        blocks = [rows.flatten(1) for _, rows in shared]
        combined = self._combine(blocks, tasks, graph.gradient_factor)
        for (parameter, _), vector in zip(shared, combined, strict=True):
            add_gradient(parameter, vector.view_as(parameter))

    def _combine(
        self, blocks: list[Tensor], tasks: np.ndarray, factor: Tensor | None
    ) -> list[Tensor]:
        """Return a vector (n,) for each block (S, n) of the Jacobian's columns; set `weight`."""
        if isinstance(self.method, GramianWeights):
            gramian = torch.stack([block @ block.T for block in blocks]).sum(0)
            weights = self._weights(gramian.to(self.task_weight.dtype), tasks, factor)
            return [weights.to(block.dtype) @ block for block in blocks]
        self.weight = torch.full_like(self.task_weight, torch.nan)
        matrix = blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=1)
        try:
            vector = self._combination(matrix, tasks, factor)
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"balancing={self.method!r} cannot combine the gradients of {len(tasks)} of "
                f"{len(self.task_weight)} tasks, those with a label in the batch: {error}"
            ) from error
        return list(vector.split([block.shape[1] for block in blocks]))

    def _combination(self, matrix: Tensor, tasks: np.ndarray, factor: Tensor | None) -> Tensor:
        """Return what the aggregator makes of the rows (S, n), and set `weight` if it has any."""
        seen = matrix if factor is None else matrix / factor
        if not is_weighted_sum(self.method):
            vector = self.method(seen)
            return vector if factor is None else vector * factor
        weights = self.method.weighting(seen)
        self.weight = self._spread(weights.detach(), tasks, torch.nan) * self.task_weight
        return weights @ matrix

    def _weights(self, gramian: Tensor, tasks: np.ndarray, factor: Tensor | None) -> Tensor:
        """Return the weights (S,) of the rows with these inner products; set `weight`."""
        if factor is not None:
            gramian = gramian / factor**2
        scale = gramian.trace().item()
        if scale == 0.0 or not isfinite(scale):  # heads start at zero: so do all gradients
            weights = torch.ones_like(gramian[0])
        else:
            weights = self.method(gramian, tasks)
        self.weight = self._spread(weights, tasks, torch.nan) * self.task_weight
        return weights

    def _spread(self, weights: Tensor, tasks: np.ndarray, absent: float) -> Tensor:
        """Return weights of these tasks (S,) as weights of all, (T,)."""
        if len(tasks) == len(self.task_weight):
            return weights
        spread = torch.full_like(self.task_weight, absent)
        spread[tasks.tolist()] = weights
        return spread
