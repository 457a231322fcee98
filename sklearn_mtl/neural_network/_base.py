from copy import copy, deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.neural_network import _auto as auto
from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network._class_weight import resolve_class_weight, weigh_classes
from sklearn_mtl.neural_network._dataset import in_memory, opened
from sklearn_mtl.neural_network._epochs import EpochReport
from sklearn_mtl.neural_network._fitted import FittedNetwork
from sklearn_mtl.neural_network._holdout import hold_out
from sklearn_mtl.neural_network._losses import check_label_ranges, output_specs
from sklearn_mtl.neural_network._parameters import (
    CONSTRAINTS,
    FIXED,
    check_module,
    check_no_class,
    comparable,
    layer_sizes,
    resolve,
)
from sklearn_mtl.neural_network._parameters_by_task import parameters_by_task
from sklearn_mtl.neural_network._predictions import FittedPredictions
from sklearn_mtl.neural_network._statistics import (
    input_statistics,
    row_mass,
    scaled_labels,
    scaled_weights,
    target_statistics,
)
from sklearn_mtl.neural_network._training_rows import rows_at, sampling_temperature, training_rows
from sklearn_mtl.neural_network.balancing import BALANCING
from sklearn_mtl.neural_network.numeric_embedding import NUMERIC_EMBEDDINGS
from sklearn_mtl.neural_network.sharing import SHARING
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._chosen import ChosenTasks
from sklearn_mtl.tasks._outputs import OutputGroup, OutputSpec, group_outputs
from sklearn_mtl.tasks._weights import resolve_task_weight
from sklearn_mtl.utils._validation import draw_seed, listing

# bound of inputs that are clipped smoothly, in standard deviations
SMOOTH_LIMIT = 3.0


class BaseMultiTaskNetwork(CallbackSupportMixin, FittedPredictions, BaseEstimator):
    """What the three networks share: everything but which kinds of task they take."""

    _family: str  # "regression", "classification" or "mixed": see infer_layout
    _class_weight: dict[int, np.ndarray]

    _parameter_constraints: dict[str, list[Any]] = CONSTRAINTS

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        return parameters_by_task(self.get_params(deep=False), tasks)

    # -- fit ----------------------------------------------------------------------------------

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "BaseMultiTaskNetwork":
        """Fit the network.

        Parameters
        ----------
        X : array-like of shape (n, p), dict name -> array-like of shape (n_t, p), or Dataset
            With ``task_feature`` set, one of the columns says each row's task. A map-style torch
            Dataset of pairs (x, {task: label}) is read by ``num_workers`` processes: once for the
            labels, which are kept, and the mean and standard deviation of x, once more for what a
            numeric embedding looks at (at most 16,384 items), then a batch at a time in every
            epoch. Labels that are None, NaN or left out of the dict are not observed.
        y : array, DataFrame, dict or MultiTaskTarget, default=None
            Labels; NaN, None or NA where not observed. See the README's table of containers. None
            where X is a Dataset.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
            Weight of each row, or of each label. A label of weight 0 is one not observed. Items
            of a Dataset have one weight each, (n,).

        Returns
        -------
        self

        Raises
        ------
        TaskLayoutError
            Labels that make no task, names or lengths that differ; the message names the task.
        ValueError
            A parameter out of range, an absent device, infinite or missing values in X, labels that
            a loss or activation is not for. A training loss that is not finite: the network after
            the last epoch that was finite is kept, or that of before where ``fit`` goes on.
        """
        self._validate_params()
        going_on = self.warm_start and hasattr(self, "_network")
        seed = draw_seed(self.random_state)
        given = opened(X, y, self, seed=seed, weights=sample_weight, going_on=going_on)
        with given as (rows, labels):
            layout = self._read_layout(rows, labels)
            if going_on and not layout.same_tasks(self.layout_):
                raise TaskLayoutError(
                    "warm_start=True goes on training, so fit needs the tasks and classes it saw "
                    f"before, {listing(self.layout_.names)}; found {listing(layout.names)}. Set "
                    "warm_start=False to start anew."
                )
            return self._train(
                rows,
                labels,
                sample_weight,
                layout,
                given=(X, labels),
                seed=seed,
                going_on=going_on,
            )

    def _partial_fit(
        self, X: Any, y: Any, sample_weight: Any, classes: Any = None
    ) -> "BaseMultiTaskNetwork":
        self._validate_params()
        going_on = hasattr(self, "_network")
        seed = draw_seed(self.random_state)
        given = opened(X, y, self, seed=seed, weights=sample_weight, going_on=going_on)
        with given as (rows, labels):
            layout = self.layout_ if going_on else self._read_layout(rows, labels, classes)
            return self._train(
                rows,
                labels,
                sample_weight,
                layout,
                given=(X, labels),
                seed=seed,
                going_on=going_on,
                streaming=True,
            )

    def _validate_params(self) -> None:
        check_no_class(self)
        super()._validate_params()

    def _read_layout(self, X: Any, y: Any, classes: Any = None) -> TaskLayout:
        return infer_layout(
            X,
            y,
            family=self._family,
            task_kinds=getattr(self, "task_kinds", None),
            task_feature=self.task_feature,
            classes=classes,
        )

    def _train(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        layout: TaskLayout,
        *,
        given: tuple[Any, Any],
        seed: int,
        going_on: bool,
        streaming: bool = False,
    ) -> "BaseMultiTaskNetwork":
        if going_on and self._network.is_trimmed:
            raise ValueError(
                "partial_fit and warm_start=True go on training, but trim() dropped the state of "
                "the optimizer; start anew with a clone or with warm_start=False, or train before "
                "trim()."
            )
        temperature = sampling_temperature(self.task_sampling, layout)
        data = layout.encode(X, y, sample_weight)
        rows = self._read_rows(X, data, layout, reset=not going_on)
        if going_on:
            groups, class_weight = self._groups, self._class_weight
        else:
            groups = group_outputs(layout.tasks, self._output_specs(layout))
            class_weight = resolve_class_weight(getattr(self, "class_weight", None), layout, data)
        check_label_ranges(layout, data, groups)
        data = weigh_classes(data, class_weight)
        mass = row_mass(data)
        if not going_on:
            layout.check_observed(data)
        elif not mass.any():
            raise TaskLayoutError(
                f"No task has a label to learn from among {data.n_rows} rows: each is missing or "
                "has zero sample_weight; skip these rows."
            )
        # the first call's seed: rows once trained on must not judge when to stop
        first = self._network.settings["seed"] if going_on else seed
        training, validation = self._split(layout, data, np.flatnonzero(mass), first, streaming)
        batch_size = auto.batch_size(self.batch_size, len(training))
        epochs = 1
        if not streaming:
            rows_a_step = batch_size * int(self.accumulation_steps)
            held_out = len(validation) > 0
            epochs = auto.max_epochs(self.max_epochs, len(training), rows_a_step, held_out=held_out)

        if going_on:
            self._go_on(layout, data.per_task(data.observed))  # type: ignore[arg-type]
        else:
            self._start(layout, groups, rows, data, mass, training, seed)
            self._class_weight = class_weight
        self._network.apply(self._settings(batch_size, epochs))

        context = self._init_callback_context(max_subtasks=epochs)
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        report = {"X": given[0], "y": given[1], "metadata": metadata}
        context.call_on_fit_task_begin(estimator=self, **report)
        hooks = EpochReport(self, context, report)
        nn = backend()
        scaled = self._scaled(data)
        n_before = len(self._network.history)
        try:
            best = nn.train(
                self._network.net,
                training_rows(rows, scaled, training, temperature=temperature),
                training_rows(rows, scaled, validation) if len(validation) else None,
                epochs=epochs,
                batch_size=batch_size,
                accumulation_steps=int(self.accumulation_steps),
                max_grad_norm=self.max_grad_norm,
                lr_schedule="constant" if streaming else self.lr_schedule,
                freeze_epochs=int(self.freeze_epochs),
                patience=self.patience,
                tol=self.tol,
                gradient_cosines=self.gradient_cosines,
                task_affinity_every=self.task_affinity_every,
                callbacks=self.callbacks or [],
                verbose=int(self.verbose),
                # the training after k epochs has the same seed however it was cut into calls
                seed=(seed + 1 + len(self._network.history)) % 2**63,
                begin_epoch=hooks.begin,
                end_epoch=hooks.end,
                owner=type(self).__name__,
            )
        except nn.DivergedError as error:
            raise self._diverged(error, error.epoch - 1 > n_before, going_on) from None
        self.n_iter_ = len(self._network.history)
        self.__dict__.pop("best_epoch_", None)  # of an earlier fit that held rows out
        if best is not None:
            self.best_epoch_ = self.n_iter_ - hooks.n_epochs + best
        context.call_on_fit_task_end(estimator=self, reconstruction_attributes=dict, **report)
        return self

    def _diverged(self, error: Any, has_trained: bool, going_on: bool) -> ValueError:
        """Keep the last finite state, where there is one, and return the error that says so."""
        self.__dict__.pop("best_epoch_", None)
        self.n_iter_ = error.epoch - 1
        if has_trained:
            kept = f"The network after epoch {self.n_iter_}, the last that was finite, is kept"
        elif going_on:
            kept = "The network is kept as it was before this call"
        else:
            del self._network
            kept = "No epoch was finite, and no network is kept"
        tasks = listing(self.layout_.names[t] for t in error.tasks)
        return ValueError(
            f"The training loss of task(s) {tasks} is not finite after epoch {error.epoch}; lower "
            f"lr (now {self.lr}), or look for extreme values in X and y, or at their loss. {kept}."
        )

    def _start(
        self,
        layout: TaskLayout,
        groups: list[OutputGroup],
        rows: np.ndarray,
        data: TaskData,
        mass: np.ndarray,
        training: np.ndarray,
        seed: int,
    ) -> None:
        """Set what later calls build upon: scales, base rates and an untrained network."""
        learned = rows_at(data, training)
        embedding = auto.numeric_embedding(self.numeric_embedding, rows.shape[1], self.module)
        check_module(self.module, self.module_params, embedding, type(self).__name__)
        if self.input_scaling is None:
            channels = (rows.shape[1], *[1] * (rows.ndim - 2))
            mean, scale = np.zeros(channels), np.ones(channels)
        else:
            mean, scale = input_statistics(rows[training], mass[training])
        scaling = getattr(self, "target_scaling", None)
        target = target_statistics(layout, learned, groups, scaled=scaling is not None)
        n_observed = learned.per_task(learned.observed.astype(float))  # type: ignore[union-attr]
        owner = type(self).__name__
        settings = {
            "tasks": list(layout.tasks),
            "groups": groups,
            "input_shape": rows.shape[1:],
            "input_mean": mean,
            "input_scale": scale,
            "input_limit": SMOOTH_LIMIT if self.input_scaling == "smooth_clip" else None,
            "output_bias": target.bias,
            "loss_unit": target.unit,
            "task_weight": resolve_task_weight(self.task_weight, layout.names, n_observed),
            "hidden_layer_sizes": layer_sizes(self.hidden_layer_sizes),
            "activation": self.activation,
            "dropout": float(self.dropout),
            "input_dropout": float(self.input_dropout),
            "numeric_embedding": self._embedding(
                embedding, rows, training, mass, (mean, scale), seed
            ),
            # copies: what the caller does to an instance later must not reach what was fitted
            "module": backend().copied(self.module),
            "module_params": deepcopy(self.module_params),
            "sharing": resolve(self.sharing, SHARING, "sharing", owner),
            "balancing": resolve(self.balancing, BALANCING, "balancing", owner),
            "n_estimators": auto.n_estimators(
                self.n_estimators, len(training), self.module, compiled=self.compile
            ),
            "optimizer": self.optimizer,
            "net_params": self.net_params,
            "precision": self.precision,
            "compile": bool(self.compile),
            "device": str(self.device),
            "dtype": self.dtype,
            "seed": seed,
            "owner": owner,
            **self._settings(1, 1),
        }
        self._network = FittedNetwork(settings, self._fixed())
        self.layout_ = layout
        self.target_mean_, self.target_scale_ = target.mean, target.scale

    def _output_specs(self, layout: TaskLayout) -> list[OutputSpec]:
        return output_specs(
            layout.tasks,
            loss=self.loss,
            output_activation=getattr(self, "output_activation", None),
            label_smoothing=getattr(self, "label_smoothing", None),
            owner=type(self).__name__,
        )

    def _embedding(
        self,
        embedding: Any,
        rows: Any,
        training: np.ndarray,
        mass: np.ndarray,
        statistics: tuple[np.ndarray, np.ndarray],
        seed: int,
    ) -> Any:
        if embedding is None:
            return None
        owner = type(self).__name__
        embedding = resolve(embedding, NUMERIC_EMBEDDINGS, "numeric_embedding", owner)
        X, numbers = in_memory(rows, training, seed)
        mean, scale = statistics
        return embedding.prepare((X - mean) / scale, mass[numbers])

    def _fixed(self) -> dict[str, Any]:
        """Return the parameters that a network at hand was made with and keeps."""
        fixed = {name: comparable(getattr(self, name, None)) for name in FIXED}
        return {"hidden_layer_sizes": layer_sizes(self.hidden_layer_sizes), **fixed}

    def _go_on(self, layout: TaskLayout, n_observed: np.ndarray) -> None:
        """Give the network at hand what may change, and refuse what may not."""
        for name, value in self._fixed().items():
            before = self._network.made_with[name]
            if value != before:
                now = "another such object" if repr(value) == repr(before) else repr(value)
                raise ValueError(
                    f"{name} is now {now}, but the network at hand was made with {before!r}: "
                    "partial_fit and warm_start=True go on training it. Set the parameter back, or "
                    "start anew with a clone or with warm_start=False."
                )
        if str(self.device) != self._network.settings["device"]:
            self._network.move(str(self.device))
        if not isinstance(self.task_weight, str):  # "n_samples" stays what the first call made it
            weight = resolve_task_weight(self.task_weight, layout.names, n_observed)
            self._network.set_task_weight(weight)

    def _settings(self, batch_size: int, epochs: int) -> dict[str, Any]:
        """Return the arguments of the net that a later call may change."""
        return {
            "lr": float(self.lr),
            "weight_decay": float(self.weight_decay),
            "module_lr": self.module_lr,
            "module_weight_decay": self.module_weight_decay,
            "batch_size": batch_size,
            "max_epochs": epochs,
        }

    def _split(
        self, layout: TaskLayout, data: TaskData, rows: np.ndarray, seed: int, streaming: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        if streaming or not auto.early_stopping(self.early_stopping, len(rows)):
            return rows, rows[:0]
        training, validation = hold_out(
            layout, data, rows, self.validation_fraction, np.random.default_rng(seed)
        )
        if len(validation) == 0:
            raise ValueError(
                "early_stopping=True needs rows to hold out, but each labelled row "
                f"(n_samples={len(rows)}) is the last of its task or class; add rows or set "
                "early_stopping=False."
            )
        return training, validation

    def _scaled(self, data: TaskData) -> TaskData:
        labels = scaled_labels(data, self.target_mean_, self.target_scale_, self.dtype)
        return replace(data, labels=labels, weights=scaled_weights(data))

    def __sklearn_clone__(self) -> Any:
        # clone cannot copy a module with lazily shaped buffers
        bare = copy(self)
        bare.module = None
        clone = super(BaseMultiTaskNetwork, bare).__sklearn_clone__()
        if self.module is not None:
            clone.module = backend().copied(self.module)
        return clone

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags
