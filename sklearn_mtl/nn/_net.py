import dis
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from time import perf_counter
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.utils import TeeGenerator
from torch import Tensor
from torch.nn.utils import get_total_norm

from sklearn_mtl.nn._affinity_meter import AffinityMeter
from sklearn_mtl.nn._batches import Batch, RowBatches, TrainingRows, rows_at_once
from sklearn_mtl.nn._criterion import MultiTaskCriterion
from sklearn_mtl.nn._head_gradients import HeadGradients
from sklearn_mtl.nn._members import Members
from sklearn_mtl.nn._module import MultiTaskModule
from sklearn_mtl.nn._precision import Precision
from sklearn_mtl.nn.balancing import LossGraph, gradient_cosines

OWN_ROWS = "a layout in which each row has one task (own X or long form)"


class MultiTaskNet(NeuralNet):
    """A skorch net whose batches carry labels of many tasks, some of them missing.

    Differs from ``skorch.NeuralNet`` in four ways: batches are slices of tensors that already live
    on the device; losses stay on the device until the epoch ends; ``history`` has, for each epoch,
    the mean loss of each task (``train_task_losses``, ``valid_task_losses``) beside their weighted
    sum (``train_loss``, ``valid_loss``); Ctrl-C reaches the caller, while a callback that raises
    KeyboardInterrupt (as skorch's EarlyStopping does) still ends the training.

    Parameters
    ----------
    module : MultiTaskModule or Members
    criterion : MultiTaskCriterion
    scheme : str, default="the sharing scheme"
        The sharing scheme as its user knows it, for error messages.
    lower_precision : torch.dtype, default=None
        What matrix products of a training step are computed in; None for that of the weights.
    compiled : bool, default=False
        Whether torch.compile translates the sharing scheme, trunks included.
    accumulation_steps : int, default=1
    max_grad_norm : float, default=None
        As in the estimators.
    **kwargs
        As for ``skorch.NeuralNet``.
    """

    module_: MultiTaskModule | Members
    criterion_: MultiTaskCriterion
    base_rates_: list[float]
    shared_group_: int

    def __init__(
        self,
        module: MultiTaskModule | Members,
        criterion: MultiTaskCriterion,
        scheme: str = "the sharing scheme",
        lower_precision: torch.dtype | None = None,
        compiled: bool = False,
        accumulation_steps: int = 1,
        max_grad_norm: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.scheme = scheme
        self.lower_precision = lower_precision
        self.compiled = compiled
        self.accumulation_steps = accumulation_steps
        self.max_grad_norm = max_grad_norm
        super().__init__(module, criterion, **kwargs)

    @property
    def _default_callbacks(self) -> list[Any]:
        return []  # ours record an epoch at a time

    def initialize(self) -> "MultiTaskNet":
        """Initialise the parts; see skorch."""
        super().initialize()
        if self.compiled:
            self.module_.sharing.compile()  # in place: its parameters keep their names
        self.stop_requested_ = False
        self.inference_cache_: dict[torch.dtype, MultiTaskModule | Members] = {}
        self.precision_ = Precision(self.lower_precision, torch.device(self.device))
        self.shared_parameters_ = self.module_.shared_parameters()
        shared = set(self.shared_parameters_)
        learned = list(self.criterion_.losses.parameters())
        self.losses_learn_ = bool(learned)
        self.own_parameters_ = [p for p in self.module_.parameters() if p not in shared] + learned
        self.gradient_cosines_ = False
        self.task_affinity_: AffinityMeter | None = None
        # a pretrained module may come with layers that its owner froze for good
        self.trainable_ = [p for p in self.module_.sharing.parameters() if p.requires_grad]
        self.frozen_ = False
        self.n_own_groups_ = len(self.optimizer_.param_groups)
        return self

    def freeze(self, frozen: bool) -> None:
        """Leave what tasks share exactly as it is, or let it learn again."""
        self.frozen_ = frozen
        for parameter in self.trainable_:
            parameter.requires_grad_(not frozen)

    def _set_training(self, training: bool = True) -> None:
        super()._set_training(training)
        if self.frozen_:
            self.module_.sharing.eval()  # or BatchNorm would go on counting

    # -- the loop -----------------------------------------------------------------------------

    def partial_fit(
        self, X: TrainingRows, y: Any = None, classes: Any = None, **fit_params: Any
    ) -> "MultiTaskNet":
        """Train for ``max_epochs`` epochs on; see `fit_loop`."""
        if not isinstance(X, TrainingRows):
            raise TypeError(
                f"A MultiTaskNet trains on TrainingRows, found {type(X).__name__}; train through "
                "the estimator's fit or partial_fit, which make them."
            )
        if not self.initialized_:
            self.initialize()
        self.stop_requested_ = False
        self.inference_cache_ = {}
        self.notify("on_train_begin", X=X, y=y)
        try:
            self.fit_loop(X, y, **fit_params)
        finally:
            self.inference_cache_ = {}
        self.notify("on_train_end", X=X, y=y)
        return self

    def fit_loop(
        self,
        X: TrainingRows,
        y: TrainingRows | None = None,
        epochs: int | None = None,
        **fit_params: Any,
    ) -> "MultiTaskNet":
        """Train on the rows X and, where given, measure the loss on the held-out rows y."""
        self.check_training_readiness()
        datasets = {"dataset_train": X, "dataset_valid": y}
        self.watched_ = any(_watches_batches(callback) for _, callback in self.callbacks_)
        training = RowBatches(X, self.batch_size, shuffle=True)
        validation = None
        if y is not None:
            size = max(self.batch_size, min(8192, rows_at_once(y.rows.X.shape[1:])))
            validation = RowBatches(y, size, shuffle=False)
        for _ in range(self.max_epochs if epochs is None else epochs):
            started = perf_counter()
            self.notify("on_epoch_begin", **datasets)
            self.cosines_due_ = self.gradient_cosines_
            if not self.watched_:
                self.history.new_batch()  # skorch's Checkpoint formats names with the last one
            self.run_single_epoch(training, True, "train", self.train_step)
            self.run_single_epoch(validation, False, "valid", self.validation_step)
            self.history.record("dur", perf_counter() - started)
            self.notify("on_epoch_end", **datasets)
            if self.stop_requested_:
                break
        return self

    def run_single_epoch(
        self,
        iterator: RowBatches | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Any]],
        **fit_params: Any,
    ) -> None:
        """Go through all batches once and record the mean loss of each task."""
        if iterator is None:
            return
        data = iterator.data
        scale = self.criterion_.batch_scale(data)
        weight = self.criterion_.balancer.task_weight
        self._set_training(training)
        self.n_accumulated_ = 0
        total = torch.zeros_like(data.present, dtype=self.module_.dtype)
        losses: list[Tensor] = []
        weights: list[Tensor] = []
        n_batches = 0
        for batch in iterator:
            n_batches += 1
            if self.watched_:
                self.notify("on_batch_begin", batch=(batch.X, batch.labels), training=training)
            step = step_fn(batch, scale=scale)
            total.add_(step["losses"], alpha=len(batch) / len(data))
            if training:
                losses.append(step["losses"])
                weights.append(self.criterion_.balancer.weight)
            if self.watched_:
                step["loss"] = step["losses"] @ weight
                self.notify(
                    "on_batch_end", batch=(batch.X, batch.labels), training=training, **step
                )
        if training:
            if self.n_accumulated_ > 0:
                self.optimizer_step()
            self.criterion_.balancer.after_epoch(total.where(data.present, torch.nan))
            # over the steps in which the task had a weight
            mean_weights = torch.stack(weights).nanmean(0).where(data.present, torch.nan)
            self.history.record("task_weights", mean_weights.double().tolist())
            affinity = None if self.task_affinity_ is None else self.task_affinity_.take()
            if affinity is not None:
                self.history.record("task_affinity", affinity.tolist())
        loss = float(total @ weight)
        # the name and the meaning that skorch's Checkpoint and EarlyStopping know
        earlier = reversed(self.history[:-1])
        best = (epoch[prefix + "_loss"] for epoch in earlier if epoch.get(prefix + "_loss_best"))
        self.history.record(prefix + "_batch_count", n_batches)
        self.history.record(prefix + "_loss", loss)
        self.history.record(prefix + "_loss_best", loss < next(best, float("inf")))
        # a list, which skorch can write to a history file
        per_task = torch.where(data.present, total, torch.nan).double().tolist()
        self.history.record(prefix + "_task_losses", per_task)
        if training:
            # the last step may have broken weights that gave finite losses
            weights_are_finite = get_total_norm(list(self.module_.parameters())).isfinite()
            if not (torch.isfinite(total).all() and weights_are_finite):
                raise DivergedError(len(self.history), _first_to_diverge(torch.stack(losses)))

    def task_losses(
        self, batch: Batch, scale: list[Tensor | None]
    ) -> tuple[Tensor, Tensor | None, list[Tensor] | None]:
        """Return each task's loss on the batch (T,), and what all go through; see the module."""
        return self.module_.traced_losses(batch, self.criterion_, scale)

    def train_step(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Add the batch's gradients, and take an optimiser step if their number is reached."""
        balancer = self.criterion_.balancer
        if self.n_accumulated_ == 0:
            for group in self.optimizer_.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None  # zero_grad() does this through hooks that cost a layer
        scale = fit_params["scale"]
        observed = self.criterion_.observed(batch)
        if self.task_affinity_ is not None and self.task_affinity_.due():
            self.task_affinity_.measure(
                partial(self.losses_for_affinity, batch, scale),
                observed,
                self.module_,
                self.shared_parameters_,
                self.optimizer_,
            )
        with self.precision_.autocast():
            losses, common, outputs = self.task_losses(batch, scale)
        losses = self.precision_.scaled(losses)
        graph = LossGraph(
            common,
            self.shared_parameters_,
            partial(self.losses_now, batch, scale),
            self.own_parameters_,
            # backward passes that start at the outputs leave out what a loss itself learns
            None
            if outputs is None or common is None or self.losses_learn_
            else partial(HeadGradients, self.module_.heads, common, outputs),
            scheme=self.scheme if batch.places is None else OWN_ROWS,
            gradient_factor=self.precision_.factor,
        )
        if self.cosines_due_:  # on the first batch of an epoch
            cosines = gradient_cosines(losses, observed, graph)
            self.history.record("gradient_cosine", cosines.double().tolist())
            self.cosines_due_ = False
        balancer.backward(losses, observed, graph)
        self.n_accumulated_ += 1
        self.last_ = batch, graph
        if self.n_accumulated_ == self.accumulation_steps:
            self.optimizer_step()
        return {"losses": losses.detach()}

    def optimizer_step(self) -> None:
        """Take one optimiser step along the mean of the gradients accumulated."""
        batch, graph = self.last_
        if self.n_accumulated_ > 1:
            for group in self.optimizer_.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter.grad /= self.n_accumulated_
        penalty = self.module_.penalty()
        if penalty is not None and penalty.requires_grad:  # not where what it is of is frozen
            self.precision_.scaled(penalty).backward()
        self.precision_.unscale(self.optimizer_, self.criterion_.balancer)
        if self.watched_:
            self.notify(
                "on_grad_computed",
                named_parameters=TeeGenerator(self.get_all_learnable_params()),
                batch=(batch.X, batch.labels),
                training=True,
            )
        if self.max_grad_norm is not None:
            self.module_.clip_gradients(self.max_grad_norm)
        self.precision_.step(self.optimizer_)
        self.criterion_.balancer.after_step(graph)
        self.n_accumulated_ = 0
        del self.last_  # with the graph, which holds the batch's activations

    def losses_for_affinity(self, batch: Batch, scale: list[Tensor | None]) -> Tensor:
        """Return the losses on a batch (T,), with gradients, in the precision of a step."""
        with self.precision_.autocast():
            return self.task_losses(batch, scale)[0]

    @torch.no_grad()
    def losses_now(self, batch: Batch, scale: list[Tensor | None]) -> Tensor:
        """Return the losses on a batch (T,), without gradients."""
        return self.task_losses(batch, scale)[0]

    @torch.no_grad()
    def validation_step(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Return the losses on a batch, without gradients."""
        return {"losses": self.task_losses(batch, fit_params["scale"])[0]}

    # -- callbacks ----------------------------------------------------------------------------

    def on_batch_begin(
        self, net: Any, batch: Any = None, training: bool = False, **kw: Any
    ) -> None:
        """Open a row of the history for callbacks that record one a batch."""
        self.history.new_batch()

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the hook of every callback; one that raises KeyboardInterrupt ends the training."""
        getattr(self, method_name)(self, **cb_kwargs)
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **cb_kwargs)
            except KeyboardInterrupt as interrupt:
                if not _was_raised_by_code(interrupt):
                    raise
                self.stop_requested_ = True

    # -- inference ----------------------------------------------------------------------------

    def inference_module(self, dtype: torch.dtype) -> MultiTaskModule | Members:
        """Return the module in evaluation mode and in that precision; copies are kept."""
        # a copy is not compiled, which the next number of rows would have to be again
        if self.module_.dtype == dtype and not self.compiled:
            if self.module_.training:
                self.module_.eval()
            return self.module_
        if dtype not in self.inference_cache_:
            module = deepcopy(self.module_).eval()
            for part in (module.sharing, module.heads):  # the scaler keeps its digits
                part.to(dtype)
            self.inference_cache_[dtype] = module
        return self.inference_cache_[dtype]


class DivergedError(ArithmeticError):
    """The training loss of some tasks is no longer finite."""

    def __init__(self, epoch: int, tasks: list[int]) -> None:
        super().__init__(epoch, tasks)
        self.epoch = epoch
        self.tasks = tasks


def _first_to_diverge(losses: Tensor) -> list[int]:
    """Return the tasks whose loss, of shape (n_batches, T), was first to be no number.

    All tasks where the last step left none.
    """
    broken = ~torch.isfinite(losses)
    broken = torch.cat([broken, broken.new_ones(1, losses.shape[1])])
    first = int(broken.any(1).nonzero()[0])
    return broken[first].nonzero().flatten().tolist()


def _watches_batches(callback: Any) -> bool:
    hooks = ("on_batch_begin", "on_batch_end", "on_grad_computed")
    return any(getattr(type(callback), hook, None) is not getattr(Callback, hook) for hook in hooks)


def _was_raised_by_code(interrupt: KeyboardInterrupt) -> bool:
    """Return whether a `raise` statement, not a signal between two instructions, is the cause."""
    trace = interrupt.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    instruction = trace.tb_frame.f_code.co_code[trace.tb_lasti]
    return instruction == dis.opmap["RAISE_VARARGS"]
