from bisect import bisect_right
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sklearn_mtl.nn.sharing._base import Representation, SharingModule
from sklearn_mtl.nn.sharing._own_trunks import own_trunks
from sklearn_mtl.nn.trunks import TrunkFactory


class SeparateNetworksModule(SharingModule):
    """A trunk of its own for each task, as batched matrix products.

    Parameters
    ----------
    make_trunk : TrunkFactory
    n_tasks : int
    width_scale : float or "equal_total", default=1.0
        What the widths of the layers are multiplied by; see `of_equal_total`.
    """

    def __init__(
        self, make_trunk: TrunkFactory, n_tasks: int, width_scale: float | str = 1.0
    ) -> None:
        super().__init__()
        if isinstance(width_scale, str):
            make_trunk = of_equal_total(make_trunk, n_tasks)
        elif width_scale != 1:
            make_trunk = make_trunk.resized(width_scale)
        self.trunks = make_trunk(n_tasks)
        self.n_tasks = n_tasks
        self.n_outputs = make_trunk.n_outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of each trunk, shape (T, B, h)."""
        return self.trunks(x)

    def own(self, x: Tensor, task: Tensor) -> Representation:
        """Return the output of each row's own trunk; see `SharingModule.own`."""
        return Representation(own_trunks(self.trunks, x, task, self.n_tasks)[:, 0], None)

    def shared_parameters(self) -> Iterator[nn.Parameter]:
        """Yield nothing: no parameter is used by two tasks."""
        return iter(())


def of_equal_total(make_trunk: TrunkFactory, copies: int) -> TrunkFactory:
    """Return a maker of the widest trunks that have, all copies together, the size of one.

    Widths keep their proportions; the narrowest trunk has one unit a layer, whatever its size.
    """
    widest = max(make_trunk.hidden_layer_sizes, default=1)

    def size(width: int) -> int:
        trunk = make_trunk.resized(width / widest)()
        return sum(parameter.numel() for parameter in trunk.parameters())

    with torch.random.fork_rng(devices=[]):  # initial weights that nobody keeps
        fitting = bisect_right(range(1, widest + 1), size(widest) // copies, key=size)
    return make_trunk.resized(max(fitting, 1) / widest)
