from typing import Any

from sklearn.utils._param_validation import StrOptions

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.balancing._base import Balancing


class GradientBalancing(Balancing):
    """Combine the gradients of λ_t loss_t into one, where tasks share; the base of such methods.

    What a task has for itself, its head, always gets the gradient of λ_t loss_t; a head that other
    tasks read, as in a Cascade of predictions, that of the sum over tasks. A task without a
    label in a batch takes no part in it. While all gradients are zero, as in the first step, since
    heads start at zero, the step is that of equal weights.

    Parameters
    ----------
    gradients : {"auto", "exact", "representation"}, default="auto"
        Where gradients are compared. "exact": by the parameters that tasks share, one pass through
        the trunk for each task, batched. "representation": at what the heads of all tasks read,
        which takes one pass through the trunk whatever the number of tasks (MGDA-UB of Sener &
        Koltun 2018). "auto" is "representation" where the losses of all tasks go through one
        place, else "exact": own X, long form, schemes that mix the tasks in every layer.

    Examples
    --------
    >>> from sklearn_mtl.neural_network import PCGrad
    >>> from sklearn_mtl.neural_network.balancing import GradientBalancing
    >>> issubclass(PCGrad, GradientBalancing)
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "gradients": [StrOptions({"auto", "exact", "representation"})],
    }

    def __init__(self, gradients: Any = "auto") -> None:
        self.gradients = gradients

    def build(self, task_weight: Any) -> Any:
        """Return the balancer; see `Balancing.build`."""
        nn = backend()
        return nn.GradientBalancer(task_weight, self._method(nn, len(task_weight)), self.gradients)

    def _method(self, nn: Any, n_tasks: int) -> Any:
        """Return what combines the gradients: nn.GramianWeights or a torchjd Aggregator."""
        raise TypeError(f"{type(self).__name__} must define _method(nn, n_tasks).")
