from collections.abc import Callable
from copy import deepcopy
from math import cos, isfinite, pi
from numbers import Real
from typing import Any

from skorch.callbacks import Callback

SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "constant": lambda epoch, max_epochs: 1.0,
    # half a cosine from 1 to 0 (Loshchilov & Hutter, "SGDR", 2017, eq. 5, no restart)
    "cosine": lambda epoch, max_epochs: 0.5 * (1.0 + cos(pi * epoch / max_epochs)),
}


class LearningRateSchedule(Callback):
    """Sets each group's rate to its own times ``factor(epoch, max_epochs)`` where that changes.

    A constant factor thus leaves the rates to other callbacks, such as skorch's LRScheduler.
    """

    def __init__(self, factor: Callable[[int, int], float], max_epochs: int) -> None:
        self.factor = factor
        self.max_epochs = max_epochs

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Count epochs from here."""
        self.epoch_ = 0
        self.last_ = float("nan")

    def on_epoch_begin(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Set and record the epoch's rates."""
        factor = self._factor()
        groups, rates = net.optimizer_.param_groups, net.base_rates_
        if factor != self.last_:
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate * factor
        self.last_ = factor
        net.history.record("lr", float(groups[0]["lr"]))
        if rates[net.shared_group_] != rates[0]:
            net.history.record("module_lr", float(groups[net.shared_group_]["lr"]))
        self.epoch_ += 1

    def _factor(self) -> float:
        factor: Any = self.factor(self.epoch_, self.max_epochs)
        if not isinstance(factor, Real) or not isfinite(factor) or factor < 0:
            raise ValueError(
                f"lr_schedule({self.epoch_}, {self.max_epochs}) returned {factor!r}; it must "
                "return what lr is multiplied by in that epoch, a finite number that is not "
                "negative."
            )
        return float(factor)


class Freezing(Callback):
    """Leaves what tasks share as it is for the network's first `epochs` epochs, over all calls."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_begin(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Freeze or unfreeze where the epoch, whose row the history has by now, asks for it."""
        frozen = len(net.history) <= self.epochs
        if frozen != net.frozen_:
            net.freeze(frozen)


class BestWeights(Callback):
    """Stops when the validation loss has not improved for `patience` epochs; restores the best.

    These are the weights of the network, and what its losses and its balancer learned with them.
    Running means and counters of a balancer go on, as the optimiser's do.

    Epochs in which what tasks share is frozen do not wait: the training proper is still to come.
    """

    def __init__(self, patience: int, tol: float) -> None:
        self.patience = patience
        self.tol = tol

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Forget earlier trainings."""
        self.best_loss_ = float("inf")
        self.best_epoch_ = 0
        self.best_state_: tuple[dict[str, Any], dict[str, Any]] | None = None
        self.reference_, self.waited_, self.epoch_ = float("inf"), 0, 0

    def on_epoch_end(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Keep the weights if they are the best so far, else count towards the patience."""
        self.epoch_ += 1
        loss = net.history[-1]["valid_loss"]
        if loss < self.best_loss_:
            self.best_loss_, self.best_epoch_ = loss, self.epoch_
            self.best_state_ = deepcopy((net.module_.state_dict(), _learned(net.criterion_)))
        if loss < self.reference_ - self.tol * abs(self.reference_) or self.epoch_ == 1:
            self.reference_, self.waited_ = loss, 0
        elif not net.frozen_:
            self.waited_ += 1
        if self.waited_ >= self.patience:
            net.stop_requested_ = True

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Put the best weights back."""
        if self.best_state_ is not None:
            module, learned = self.best_state_
            net.module_.load_state_dict(module)
            net.criterion_.load_state_dict(learned, strict=False)
        self.best_state_ = None


def _learned(criterion: Any) -> dict[str, Any]:
    """Return the part of a criterion's state that belongs with the weights of one epoch."""
    return {**criterion.losses.state_dict(prefix="losses."), **dict(criterion.named_parameters())}


class EpochHooks(Callback):
    """Calls functions around each epoch: how skorch's loop drives scikit-learn's callbacks.

    Parameters
    ----------
    begin : callable ()
    end : callable () -> bool
        True ends the training.
    """

    def __init__(self, begin: Callable[[], None], end: Callable[[], bool]) -> None:
        self.begin = begin
        self.end = end

    def on_epoch_begin(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Announce the epoch."""
        self.begin()

    def on_epoch_end(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Report the epoch."""
        if self.end():
            net.stop_requested_ = True
