import torch
from torch import Tensor
from torchjd.scalarization import FAMO, IMTLL, UW, GeometricMean, Scalarizer

from sklearn_mtl.nn._gradient import add_gradient
from sklearn_mtl.nn.balancing._base import LossGraph
from sklearn_mtl.nn.balancing._last_losses import LastLosses
from sklearn_mtl.nn.balancing._slopes import slopes
from sklearn_mtl.nn.balancing._torchjd import TorchjdBalancer

# a factor on a loss changes nothing but the length of the step that these make for it
SCALE_FREE = (UW, IMTLL, GeometricMean, FAMO)


class Scalarized(TorchjdBalancer):
    """Minimise what a torchjd scalarizer S makes of the losses.

    The weight of task t is ``factor * dS / dloss_t`` at ``S(λ_1 loss_1, ..., λ_T loss_T)``. Methods
    that undo the scale of a loss would undo λ_t too: they see loss_t, and λ_t multiplies the weight
    they give.

    A task without a label in the batch enters with its last loss as a constant, and what the
    scalarizer learns for it alone (one number a task) gets no gradient.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
    scalarizer : torchjd Scalarizer
    factor : float, default=1.0
        By which the total is multiplied, so that steps have a length known from equal weights.
    """

    def __init__(self, task_weight: Tensor, scalarizer: Scalarizer, factor: float = 1.0) -> None:
        super().__init__(task_weight, scalarizer)
        self.factor = factor
        self.losses = LastLosses(task_weight)
        self.scale_free = isinstance(scalarizer, SCALE_FREE)
        self.least = torch.finfo(task_weight.dtype).eps

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Differentiate the scalarizer, then the losses."""
        slope, learned = slopes(self.method, self.values(self.losses(losses, observed)))
        for parameter, gradient in learned:
            if observed is not None and gradient.shape == observed.shape:
                gradient = gradient.masked_fill(~observed, 0.0)
            add_gradient(parameter, self.factor * gradient)
        self.backward_weighted(losses, observed, self.factor * self.task_weight * slope)

    def values(self, losses: Tensor) -> Tensor:
        """Return what the scalarizer sees of losses (T,)."""
        if self.scale_free:
            # these take logarithms, or learn a scale that would grow without end
            return losses.clamp(min=self.least)
        return self.task_weight * losses
