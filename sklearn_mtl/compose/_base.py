"""What estimators made of estimators share: the caller's containers in and out, and scores."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.metrics._per_task import mean_task_score
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._nested import find_owner


class BaseComposition(MetaEstimatorMixin, BaseEstimator):
    """Predictions and scores of several tasks, from encoded predictions of any origin.

    A subclass sets `layout_` in ``fit`` and defines `_predict`, and, where its classification
    tasks have probabilities, `_has_probabilities` and `_probabilities`.
    """

    layout_: TaskLayout
    estimators_: Any  # a list, or a dict by task; a subclass without defines `_parts`

    def _predict(self, data: TaskData) -> np.ndarray:
        """Return encoded predictions in the shape of labels: (n, T), or (n,) for tagged rows."""
        raise TypeError(f"{type(self).__name__} must define _predict(data).")

    def _has_probabilities(self) -> bool:
        """Return whether there is a `predict_proba`; an AttributeError may say why not."""
        return False

    def _probabilities(self, data: TaskData) -> Sequence[np.ndarray | None]:
        """Return an array (n_t, n_classes_t) for each classification task, None for others."""
        raise TypeError(f"{type(self).__name__} must define _probabilities(data).")

    def predict(self, X: Any) -> Any:
        """Return predictions in the container that ``fit`` received.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)

        Returns
        -------
        y : ndarray of shape (n,) or (n, T), frame, dict or MultiTaskTarget
        """
        check_is_fitted(self)
        data = self._encode(X)
        return self.layout_.decode(self._predict(data), data)

    @available_if(lambda self: self._has_probabilities())
    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities; available if the classification tasks' estimators have it.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes), or list or dict of them
            An array for one column of labels, a list over tasks for several unnamed columns (None
            for regression tasks), a dict over the classification tasks for named ones. Columns
            follow the classes of the task in ``layout_`` (in long form ``classes_``); a class that
            the task's estimator never saw has probability 0.
        """
        check_is_fitted(self)
        data = self._encode(X)
        return self.layout_.decode_proba(self._probabilities(data), data)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean over tasks of R² (regression) or accuracy (classification).

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
        y : the container that ``fit`` received
            Labels that are not observed do not count.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None

        Returns
        -------
        score : float
        """
        check_is_fitted(self)
        if y is None:
            raise ValueError("score needs labels, but y is None.")
        data = self._encode(X, y, sample_weight)
        return mean_task_score(self.layout_, data, self._predict(data))

    def trim(self) -> Self:
        """Keep what predictions need, and forget how the estimators were trained.

        Fitted estimators that have a ``trim`` of their own, in pipelines and searches too, are
        trimmed by it: networks drop the state of their optimisers, linear models their statistics.
        Others stay as they are. All predict what they did before.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        for part in self._parts():
            owner = find_owner(part, "trim")
            if owner is not None:
                owner.trim()
        return self

    def _parts(self) -> Iterable[Any]:
        """Return the fitted estimators that predictions are made of."""
        found = self.estimators_
        return found.values() if isinstance(found, Mapping) else found

    def _check_X(self, X: Any, *, reset: bool) -> None:
        if isinstance(X, Mapping):
            if reset:  # what an earlier fit saw
                for attribute in ("n_features_in_", "feature_names_in_"):
                    self.__dict__.pop(attribute, None)
            return
        if not reset and hasattr(self, "n_features_in_") and getattr(X, "ndim", 2) == 1:
            check_array(X, dtype=None)  # raises, with scikit-learn's advice on reshaping
        validate_data(self, X, reset=reset, skip_check_array=True)

    def _encode(self, X: Any, y: Any = None, sample_weight: Any = None) -> TaskData:
        X = sliceable(X)
        self._check_X(X, reset=False)
        return self.layout_.encode(X, y, sample_weight)

    def _set_layout(self, layout: TaskLayout) -> None:
        """Set the fitted attributes that tell of the tasks."""
        self.layout_ = layout
        self.task_names_ = list(layout.names)
        self.__dict__.pop("classes_", None)  # of an earlier fit
        if any(task.is_classification for task in layout.tasks):
            self.classes_ = layout.classes


def place(found: Mapping[int, np.ndarray], data: TaskData) -> np.ndarray:
    """Put each task's predictions where labels are: (n, T), or (n,) for tagged rows.

    Parameters
    ----------
    found : dict from task number to ndarray
        Encoded predictions for all of the task's rows in data; 0 for tasks that it lacks.
    data : TaskData
    """
    shape = (data.n_rows, data.n_tasks) if data.task_index is None else (data.n_rows,)
    values = np.zeros(shape)
    for t, block in found.items():
        rows = data.rows(t, observed=False)
        values[(rows, t) if values.ndim == 2 else rows] = block
    return values


def require_probabilities(estimators: Sequence[Any]) -> bool:
    """Return whether there are estimators; raise an AttributeError if one has no probabilities."""
    for estimator in estimators:
        # its own error says why there is none
        estimator.predict_proba  # noqa: B018
    return bool(estimators)
