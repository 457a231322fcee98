from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.tasks import TaskSpec

_EXPERTS = {
    "n_shared_experts": [Interval(Integral, 1, None, closed="left")],
    "n_specific_experts": [Interval(Integral, 0, None, closed="left")],
}


class PLE(Sharing):
    """Levels of experts, some shared and some of one task: ``sharing="ple"``.

    In each level task t weighs, by a gate of its own, its own experts and the shared ones; another
    gate weighs the experts of all tasks and the shared ones, for what the shared experts of the
    next level read. Experts of the first level are trunks, those of higher levels one layer as
    wide as a trunk's output. Gates start at equal weights.

    One level is `CGC`; one level without specific experts is `MMoE`.

    Parameters
    ----------
    n_shared_experts : int, default=2
    n_specific_experts : int, default=1
        For each task.
    n_levels : int, default=2

    References
    ----------
    Tang et al., "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for
    Personalized Recommendations", RecSys 2020, eq. 1-6.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import PLE
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(sharing=PLE(n_specific_experts=2), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        **_EXPERTS,
        "n_levels": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, n_shared_experts: Any = 2, n_specific_experts: Any = 1, n_levels: Any = 2
    ) -> None:
        self.n_shared_experts = n_shared_experts
        self.n_specific_experts = n_specific_experts
        self.n_levels = n_levels

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module; see `Sharing.build`."""
        return backend().PLEModule(
            make_trunk, len(tasks), self.n_shared_experts, self.n_specific_experts, self.n_levels
        )


class CGC(Sharing):
    """Customized gate control, `PLE` with one level: ``sharing="cgc"``.

    Parameters
    ----------
    n_shared_experts : int, default=2
    n_specific_experts : int, default=1
        For each task.

    References
    ----------
    Tang et al., "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for
    Personalized Recommendations", RecSys 2020, eq. 1-3.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import CGC
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(sharing=CGC(n_shared_experts=3), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = _EXPERTS

    def __init__(self, n_shared_experts: Any = 2, n_specific_experts: Any = 1) -> None:
        self.n_shared_experts = n_shared_experts
        self.n_specific_experts = n_specific_experts

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module; see `Sharing.build`."""
        return backend().PLEModule(
            make_trunk, len(tasks), self.n_shared_experts, self.n_specific_experts, 1
        )
