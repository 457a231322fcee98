from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.metrics._per_task import mean_task_score
from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network._dataset import is_dataset, readable
from sklearn_mtl.neural_network._epochs import task_history
from sklearn_mtl.neural_network._fitted import FittedNetwork
from sklearn_mtl.neural_network._parameters import check_tables
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._exported import Exportable, Exported, NetworkOutputs, feature_names
from sklearn_mtl.tasks._predictions import activate, encoded_predictions, probabilities
from sklearn_mtl.tasks._rows import read_rows
from sklearn_mtl.tasks._spec import REGRESSION


class FittedPredictions(Exportable):
    """What a network can say once it is fitted: predictions, scores, attributes."""

    layout_: TaskLayout
    target_mean_: np.ndarray
    target_scale_: np.ndarray
    module: Any
    _network: FittedNetwork

    def predict(self, X: Any) -> Any:
        """Predict every task.

        Parameters
        ----------
        X : array-like of shape (n, p), dict name -> array-like of shape (n_t, p), or Dataset
            As in ``fit``; the items of a Dataset may be x alone.

        Returns
        -------
        y : the container that ``fit`` received
        """
        check_is_fitted(self)
        with readable(X, self) as rows:
            data = self.layout_.encode(rows)
            return self.layout_.decode(self._encoded(self._values(rows, data), data), data)

    def _predict_with_std(self, X: Any) -> tuple[Any, Any]:
        check_is_fitted(self)
        if self._network.settings["n_estimators"] == 1:
            raise ValueError(
                "predict(X, return_std=True) gives the spread over the members of an ensemble, but "
                f"this {type(self).__name__} has one, n_estimators=1; fit it with several."
            )
        with readable(X, self) as rows:
            data = self.layout_.encode(rows)
            members = self._member_values(rows, data)
            encoded = self._encoded(members.mean(axis=0), data)
            std = np.std([self._encoded(values, data) for values in members], axis=0, ddof=1)
            is_number = np.array([task.kind == REGRESSION for task in self.layout_.tasks])
            known = np.broadcast_to(
                is_number if data.task_index is None else is_number[data.task_index], std.shape
            )
            decode = self.layout_.decode
            return decode(encoded, data), decode(np.where(known, std, 0.0), data, known)

    def _read_rows(self, X: Any, data: TaskData, layout: TaskLayout, *, reset: bool) -> Any:
        module = self.module if reset else self._network.settings["module"]
        shape = None if reset else tuple(self._network.settings["input_shape"])
        if module is None:
            check_tables(data.X, type(self).__name__)
        given = module is not None
        return read_rows(self, X, data, layout, reset=reset, allow_nd=given, input_shape=shape)

    def _outputs(self, X: Any, data: TaskData) -> np.ndarray:
        rows = self._read_rows(X, data, self.layout_, reset=False)
        with self._network.turn:
            return backend().predict_outputs(self._network.net, rows, data.task_index)

    def _values(self, X: Any, data: TaskData) -> np.ndarray:
        return self._member_values(X, data).mean(axis=0)

    def _member_values(self, X: Any, data: TaskData) -> np.ndarray:
        return activate(self._outputs(X, data), self._groups, data.task_index)

    def _encoded(self, values: np.ndarray, data: TaskData) -> np.ndarray:
        mean, scale = self.target_mean_, self.target_scale_
        return encoded_predictions(values, data, self._groups, mean, scale)

    def _predict_proba(self, X: Any) -> Any:
        check_is_fitted(self)
        with readable(X, self) as rows:
            data = self.layout_.encode(rows)
            blocks = probabilities(self._values(rows, data), self.layout_, data, self._groups)
            return self.layout_.decode_proba(blocks, data)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the mean over tasks of R² (regression) or accuracy (classification).

        Parameters
        ----------
        X : array-like of shape (n, p), dict name -> array-like of shape (n_t, p), or Dataset
        y : the container that ``fit`` received; of a Dataset None for the labels of its items
            Labels that are missing are left out, and so is a task without any.
        sample_weight : as in ``fit``, default=None

        Returns
        -------
        score : float
            At most 1, higher is better.
        """
        check_is_fitted(self)
        if is_dataset(X):
            return self._score_dataset(X, y, sample_weight)
        if y is None:
            raise ValueError("score needs labels, but y is None.")
        data = self.layout_.encode(X, y, sample_weight)
        return mean_task_score(self.layout_, data, self._encoded(self._values(X, data), data))

    def _score_dataset(self, dataset: Any, y: Any, sample_weight: Any) -> float:
        with readable(dataset, self, labelled=y is None) as rows:
            values = self._values(rows, self.layout_.encode(rows))  # reads the labels too
            labels = rows.columns.result() if y is None else y
            data = self.layout_.encode(rows, labels, sample_weight)
        return mean_task_score(self.layout_, data, self._encoded(values, data))

    def trim(self) -> Self:
        """Keep what predictions need, and forget how the network was trained.

        The state of the optimiser, mostly two numbers for each weight, and `history_` are dropped,
        here and in files that are made of the model. It predicts what it did before; it cannot be
        trained on by ``partial_fit`` or ``warm_start=True``.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        with self._network.turn:
            self._network.trim()
        return self

    # -- in other programs ----------------------------------------------------------------------

    def _exported(self) -> Exported:
        """Return what predictions are made of."""
        return Exported(
            self.layout_,
            self._groups,
            NetworkOutputs(self._network),
            tuple(self._network.settings["input_shape"]),
            self.target_mean_,
            self.target_scale_,
            feature_names(self, self.layout_),
        )

    # -- fitted attributes ----------------------------------------------------------------------

    @property
    def _groups(self) -> Any:
        return self._network.settings["groups"]

    @property
    def net_(self) -> Any:
        """The fitted skorch net."""
        return self._fitted("net_").net

    @property
    def history_(self) -> dict[str, Any]:
        """Mean loss of each task, for each epoch."""
        network = self._fitted("history_")
        if network.is_trimmed:
            raise AttributeError(
                f"This {type(self).__name__} has no attribute 'history_': trim() dropped it."
            )
        return task_history(self.layout_.names, network.history)

    @property
    def task_names_(self) -> list[Any]:
        """Names of the tasks, in the order of the columns of y."""
        self._fitted("task_names_")
        return list(self.layout_.names)

    def _fitted(self, attribute: str) -> FittedNetwork:
        if "_network" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {attribute!r} before fit."
            )
        return self._network

    def __sklearn_is_fitted__(self) -> bool:
        return "_network" in vars(self)
