from collections.abc import Callable

from torch import Tensor, nn

from sklearn_mtl.nn.sharing._base import Sharing


class HardSharing(Sharing):
    """One trunk for all tasks.

    References
    ----------
    Caruana, "Multitask Learning", Machine Learning 28, 1997.
    """

    def __init__(self, make_trunk: Callable[[], nn.Module], n_tasks: int) -> None:
        super().__init__(make_trunk, n_tasks)
        self.trunk = make_trunk()
        self.n_outputs = int(self.trunk.n_outputs)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the trunk's output."""
        return self.trunk(x)
