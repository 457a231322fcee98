from torch import Tensor
from torchjd.scalarization import FAMO

from sklearn_mtl.nn.balancing._base import LossGraph
from sklearn_mtl.nn.balancing._scalarized import Scalarized


class ScalarizedAgain(Scalarized):
    """Minimise what torchjd's FAMO makes of the losses, and tell it what each step changed.

    A task without a label in the batch counts as unchanged.

    Parameters
    ----------
    task_weight : Tensor of shape (T,)
    famo : torchjd.scalarization.FAMO
    factor : float, default=1.0
        As for `Scalarized`.
    """

    def __init__(self, task_weight: Tensor, famo: FAMO, factor: float = 1.0) -> None:
        super().__init__(task_weight, famo, factor)
        self.observed: Tensor | None = None

    def backward(self, losses: Tensor, observed: Tensor | None, graph: LossGraph) -> None:
        """Differentiate the scalarizer, then the losses."""
        super().backward(losses, observed, graph)
        self.observed = observed  # until after_step

    def after_step(self, graph: LossGraph) -> None:
        """Measure the losses again."""
        self.method.update(self.values(self.losses.after(graph.losses_again(), self.observed)))
