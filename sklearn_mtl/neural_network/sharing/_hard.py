from collections.abc import Callable, Sequence
from typing import Any

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.tasks import TaskSpec


class HardSharing(Sharing):
    """One trunk for all tasks: ``sharing="hard"``.

    References
    ----------
    Caruana, "Multitask Learning", Machine Learning 28, 1997.

    Examples
    --------
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import HardSharing
    >>> model = MultiTaskRegressor(sharing=HardSharing())
    """

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module; see `Sharing.build`."""
        return backend().HardSharingModule(make_trunk)
