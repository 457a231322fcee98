from collections.abc import Callable

from torch import Tensor, nn


class Sharing(nn.Module):
    """Maps standardised inputs to what the heads read.

    Parameters
    ----------
    make_trunk : callable () -> nn.Module
        Makes a fresh trunk with attribute ``n_outputs``; called once for each trunk the scheme has.
    n_tasks : int

    Attributes
    ----------
    n_outputs : int
        Width of the representation.
    """

    n_outputs: int

    def __init__(self, make_trunk: Callable[[], nn.Module], n_tasks: int) -> None:
        super().__init__()
        self.n_tasks = n_tasks

    def forward(self, x: Tensor) -> Tensor:
        """Return the representation of rows x (B, p): shape (B, n_outputs), for all tasks."""
        raise TypeError(f"{type(self).__name__} must define forward(x).")
