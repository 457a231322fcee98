import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from sklearn_mtl.nn.sharing._separate import SeparateNetworksModule
from sklearn_mtl.nn.trunks import Copies, StackedLinear, TrunkFactory


class SoftSharingModule(SeparateNetworksModule):
    """A trunk of its own for each task, and a penalty on what differs between them.

    Parameters
    ----------
    make_trunk : TrunkFactory
    n_tasks : int
    penalty : {"l2", "trace_norm"}
    strength : float
    """

    def __init__(
        self, make_trunk: TrunkFactory, n_tasks: int, penalty: str, strength: float
    ) -> None:
        super().__init__(make_trunk, n_tasks)
        self.distance = PENALTIES[penalty]
        self.strength = strength

    def penalty(self) -> Tensor | None:
        """Return strength * the sum over the parameters of a trunk of their penalty."""
        parts = [self.distance(tensor) for tensor in self._aligned()]
        return self.strength * torch.stack(parts).sum() if parts else None

    def _aligned(self) -> Iterator[Tensor]:
        """Yield each parameter of a trunk for all tasks, shape (T, ...)."""
        if isinstance(self.trunks, Copies):
            members = (member.parameters() for member in self.trunks.members)
            yield from (torch.stack(same) for same in zip(*members, strict=True))
            return
        for layer in self.trunks.modules():
            if isinstance(layer, StackedLinear):
                yield from layer.parameters()


def l2(W: Tensor) -> Tensor:
    """Return mean_t ||W_t - mean_s W_s||², which is sum_{s,t} ||W_s - W_t||² / (2 T²)."""
    # the mean is a constant to differentiation: distances from it add up to 0
    mean = W.detach().mean(0).expand_as(W)
    return functional.mse_loss(W, mean, reduction="sum") / len(W)


def trace_norm(W: Tensor) -> Tensor:
    """Return ||[vec W_1, ..., vec W_T]||_* / sqrt(T): that of one W, if all are the same."""
    return torch.linalg.svdvals(W.flatten(1)).sum() / math.sqrt(len(W))


PENALTIES: dict[str, Callable[[Tensor], Tensor]] = {"l2": l2, "trace_norm": trace_norm}
