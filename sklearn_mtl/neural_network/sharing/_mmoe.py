from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.tasks import TaskSpec


class MMoE(Sharing):
    """Experts that all tasks share, weighed by a gate for each task: ``sharing="mmoe"``.

    Task t reads sum_e softmax(V_t x)_e f_e(x). The experts f_e are trunks, the gates V_t are linear
    in the inputs and start at 0, where every expert weighs the same. One expert is `HardSharing`.

    Parameters
    ----------
    n_experts : int, default=4

    References
    ----------
    Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate
    Mixture-of-Experts", KDD 2018, eq. 5-7.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import MMoE
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(sharing=MMoE(n_experts=3), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    >>> model.set_params(sharing__n_experts=2).sharing
    MMoE(n_experts=2)
    """

    _parameter_constraints = {"n_experts": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, n_experts: Any = 4) -> None:
        self.n_experts = n_experts

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module; see `Sharing.build`."""
        return backend().MMoEModule(make_trunk, len(tasks), self.n_experts)
