from collections.abc import Callable, Sequence
from typing import Any

import torch
from skorch.callbacks import (
    BatchScoring,
    Callback,
    EpochScoring,
    InputShapeSetter,
    LRScheduler,
    PrintLog,
)

from sklearn_mtl.nn._affinity_meter import AffinityMeter
from sklearn_mtl.nn._batches import make_rows
from sklearn_mtl.nn._callbacks import (
    SCHEDULES,
    BestWeights,
    EpochHooks,
    Freezing,
    LearningRateSchedule,
)
from sklearn_mtl.nn._finite_state import FiniteState
from sklearn_mtl.nn._net import DivergedError, MultiTaskNet
from sklearn_mtl.nn._random import seeded
from sklearn_mtl.utils._validation import check_option

_NEEDS_ROWS = (EpochScoring, BatchScoring, InputShapeSetter)


def train(
    net: MultiTaskNet,
    rows: dict[str, Any],
    held_out: dict[str, Any] | None,
    *,
    epochs: int,
    batch_size: int,
    accumulation_steps: int,
    max_grad_norm: float | None,
    lr_schedule: Any,
    freeze_epochs: int,
    patience: int,
    tol: float,
    gradient_cosines: bool,
    task_affinity_every: int | None,
    callbacks: Sequence[Any],
    verbose: int,
    seed: int,
    begin_epoch: Callable[[], None] | None,
    end_epoch: Callable[[], bool] | None,
    owner: str,
) -> int | None:
    """Train the net further; return the best epoch where there is a held-out part.

    Parameters
    ----------
    rows, held_out : dict with X (n, p), labels, observed, weights, task_index
        As in TaskData; X an ndarray.
    begin_epoch, end_epoch : callable or None
        See EpochHooks.

    The other parameters are those of the estimators.
    """
    if not callable(lr_schedule):
        check_option(lr_schedule, SCHEDULES, parameter="lr_schedule", owner=owner)
        lr_schedule = SCHEDULES[lr_schedule]
    _check_callbacks(callbacks, lr_schedule, owner)
    module, where = net.module_, torch.device(net.device)
    training, validation = (
        None
        if part is None
        else make_rows(
            **part,
            groups=net.criterion_.groups,
            n_tasks=len(net.criterion_.unit),
            scaler=module.scaler,
            dtype=module.dtype,
            device=where,
        )
        for part in (rows, held_out)
    )
    assert training is not None
    own: list[Any] = [("lr_schedule", LearningRateSchedule(lr_schedule, epochs))]
    own.append(("freezing", Freezing(freeze_epochs)))
    own.append(("finite_state", FiniteState()))
    if held_out is not None:
        own.append(("best_weights", BestWeights(patience, tol)))
    last: list[Any] = []
    if begin_epoch is not None and end_epoch is not None:
        last.append(("epoch_hooks", EpochHooks(begin_epoch, end_epoch)))
    if verbose:
        keys = ("train_task_losses", "valid_task_losses", "gradient_cosine", "task_affinity")
        last.append(("print_log", PrintLog(keys_ignored=list(keys))))
    net.batch_size, net.verbose = batch_size, verbose
    net.accumulation_steps, net.max_grad_norm = accumulation_steps, max_grad_norm
    net.gradient_cosines_ = gradient_cosines
    net.task_affinity_ = None
    if task_affinity_every is not None:
        _check_shares(net, owner)
        net.task_affinity_ = AffinityMeter(task_affinity_every)
    net.callbacks = [*own, *callbacks, *last]
    net._initialize_callbacks()
    try:
        with seeded(seed, where):
            net.partial_fit(training, validation, epochs=epochs)
        best = dict(net.callbacks_).get("best_weights")
    except DivergedError:
        dict(net.callbacks_)["finite_state"].restore(net)
        raise
    except KeyError as error:
        if held_out is None and str(error.args[0]).startswith("Key 'valid_"):  # skorch's History
            raise ValueError(
                f"A callback of {owner} reads a validation loss ({error.args[0]}), but no rows are "
                "held out; set early_stopping=True, or let it monitor 'train_loss'."
            ) from error
        raise
    finally:
        # callbacks hold closures over the estimator; what they recorded is in the history
        net.callbacks, net.callbacks_ = [], []
    return None if best is None else best.best_epoch_


def _check_shares(net: MultiTaskNet, owner: str) -> None:
    if not net.shared_parameters_:
        raise ValueError(
            f"task_affinity_every looks ahead along what tasks share, but {net.scheme} of {owner} "
            "gives no parameter to two tasks; choose another scheme, such as sharing='hard', or "
            "set task_affinity_every=None."
        )


def _check_callbacks(callbacks: Sequence[Any], lr_schedule: Any, owner: str) -> None:
    for entry in callbacks:
        callback = entry[1] if isinstance(entry, tuple) and len(entry) == 2 else entry
        if not isinstance(callback, Callback) and not (
            isinstance(callback, type) and issubclass(callback, Callback)
        ):
            raise TypeError(
                f"The 'callbacks' parameter of {owner} takes skorch callbacks or pairs "
                f"(name, callback), got {entry!r}; for scikit-learn's callbacks use set_callbacks."
            )
        if isinstance(callback, _NEEDS_ROWS) or callback in _NEEDS_ROWS:
            raise TypeError(
                f"callbacks holds {callback!r}, which reads rows and predictions of skorch's own "
                f"data sets; {owner} keeps tensors of many tasks. Use scikit-learn's "
                "ScoringMonitor through set_callbacks, or monitor 'train_loss' or 'valid_loss'."
            )
        is_scheduler = isinstance(callback, LRScheduler) or callback is LRScheduler
        if is_scheduler and lr_schedule is not SCHEDULES["constant"]:
            raise ValueError(
                "callbacks holds an LRScheduler, but lr_schedule sets the learning rate of each "
                f"epoch too; give {owner} lr_schedule='constant' to leave the rate to the callback."
            )
