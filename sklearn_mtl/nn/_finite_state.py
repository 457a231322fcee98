from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor


class FiniteState(Callback):
    """Keeps the state of a net after the last epoch that ended with finite losses and weights.

    One copy of weights, balancer and optimiser state, on the device, written over each epoch.
    """

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Keep the state to go back to should the first epoch fail."""
        self.kept_: list[Tensor] = []
        self._keep(net)

    def on_epoch_end(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Keep the state of an epoch: one that diverges does not come to its end."""
        self._keep(net)

    @torch.no_grad()
    def _keep(self, net: Any) -> None:
        tensors = list(_tensors(net))
        if len(tensors) != len(self.kept_):
            self.kept_ = [tensor.clone() for tensor in tensors]
        else:
            for kept, tensor in zip(self.kept_, tensors, strict=True):
                kept.copy_(tensor)
        self.n_states_ = len(net.optimizer_.state)

    @torch.no_grad()
    def restore(self, net: Any) -> None:
        """Put the state back, and take the epoch that failed from the history."""
        state = net.optimizer_.state
        for parameter in list(state)[self.n_states_ :]:  # first stepped in the epoch that failed
            del state[parameter]
        for kept, tensor in zip(self.kept_, _tensors(net), strict=True):
            tensor.copy_(kept)
        del net.history[-1]


def _tensors(net: Any) -> Iterator[Tensor]:
    for part in (net.module_, net.criterion_):
        yield from chain(part.parameters(), part.buffers())
    for state in net.optimizer_.state.values():
        yield from (value for value in state.values() if isinstance(value, Tensor))
