from collections.abc import Callable

from torch import Tensor, nn

from sklearn_mtl.nn.sharing._base import SharingModule


class HardSharingModule(SharingModule):
    """One trunk for all tasks.

    Parameters
    ----------
    make_trunk : callable (copies=None) -> nn.Module
    """

    def __init__(self, make_trunk: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.trunk = make_trunk()

    def forward(self, x: Tensor) -> Tensor:
        """Return the trunk's output, shape (B, h)."""
        return self.trunk(x)
