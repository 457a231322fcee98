from collections.abc import Hashable, Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.convex import CoefRows
from sklearn_mtl.convex._kernel import Comparison
from sklearn_mtl.linear_model._blocks import refuse_dask
from sklearn_mtl.linear_model._checks import check_magnitudes
from sklearn_mtl.linear_model._outputs import linear_outputs, output_order
from sklearn_mtl.metrics._per_task import mean_task_score
from sklearn_mtl.tasks import TaskData, TaskLayout, infer_layout
from sklearn_mtl.tasks._exported import (
    AveragedLogistic,
    Exportable,
    Exported,
    LinearOutputs,
    feature_names,
)
from sklearn_mtl.tasks._outputs import OutputGroup, group_outputs
from sklearn_mtl.tasks._predictions import activate, encoded_predictions, probabilities
from sklearn_mtl.tasks._rows import read_rows


class BaseLinearModel(Exportable, BaseEstimator):
    """What all linear estimators share: containers in and out, predictions, scores.

    ``fit`` leaves `layout_`, `coef_`, `intercept_`, and `_rows`: whose weights the rows of `coef_`
    are.
    """

    _family: str  # "regression", "classification" or "mixed": see infer_layout
    _rows: CoefRows
    layout_: TaskLayout
    coef_: np.ndarray
    intercept_: np.ndarray

    _parameter_constraints: dict[str, list[Any]] = {
        "fit_intercept": ["boolean"],
        "task_feature": [None, str, Integral],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> Any:
        """Return what the estimator is for one task where tasks of these names share nothing.

        Fitted to the rows of that task alone, it penalises the task's weights as this estimator
        does beside tasks whose weights are orthogonal to them. What all tasks say together, such
        as a learned population, is said by the one task.

        Parameters
        ----------
        task : name
        names : sequence of T names
            With `task` among them.

        Returns
        -------
        estimator : estimator
            Not fitted.
        """
        return clone(self)

    # -- fit ----------------------------------------------------------------------------------

    def _read(
        self, X: Any, y: Any, sample_weight: Any, layout: TaskLayout | None = None
    ) -> tuple[TaskLayout, TaskData, Any]:
        """Return tasks, labels and the numbers of X; `layout` is that of an earlier call."""
        reset = layout is None
        if layout is None:
            layout = infer_layout(
                X,
                y,
                family=self._family,
                task_kinds=getattr(self, "task_kinds", None),
                task_feature=self.task_feature,
            )
        data = layout.encode(X, y, sample_weight)
        rows = read_rows(self, X, data, layout, reset=reset, accept_sparse="csr")
        check_magnitudes(rows, data, layout)
        return layout, data, rows

    # -- predict ------------------------------------------------------------------------------

    def predict(self, X: Any) -> Any:
        """Predict every task.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
            As in ``fit``.

        Returns
        -------
        y : the container that ``fit`` received
        """
        check_is_fitted(self)
        model = self._knowing(X)
        data = model.layout_.encode(X)
        return model.layout_.decode(model._encoded(X, data), data)

    def _knowing(self, X: Any, *, present: bool = False) -> Self:
        """Return the model that predicts the tasks of X: this one, where it knows none but its own.

        With `present`, tasks without a row in X may be left out.
        """
        return self

    def _outputs(self, X: Any, data: TaskData) -> np.ndarray:
        rows = read_rows(self, X, data, self.layout_, reset=False, accept_sparse="csr")
        return linear_outputs(
            rows if self._compare is None else self._compare(rows),
            data,
            self._weights,
            self.intercept_,
            self._rows,
            group_outputs(self.layout_.tasks),
        )

    def _values(self, X: Any, data: TaskData) -> np.ndarray:
        groups = group_outputs(self.layout_.tasks)
        return activate(self._outputs(X, data), groups, data.task_index)

    def _encoded(self, X: Any, data: TaskData) -> np.ndarray:
        n_tasks = self.layout_.n_tasks
        return encoded_predictions(
            self._values(X, data),
            data,
            group_outputs(self.layout_.tasks),
            np.zeros(n_tasks),
            np.ones(n_tasks),
        )

    def _predict_proba(self, X: Any) -> Any:
        check_is_fitted(self)
        model = self._knowing(X)
        layout, data = model.layout_, model.layout_.encode(X)
        blocks = probabilities(model._values(X, data), layout, data, group_outputs(layout.tasks))
        return layout.decode_proba(blocks, data)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean over tasks of R² (regression) or accuracy (classification).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
        y : the container that ``fit`` received
            Labels that are missing are left out, and so is a task without any.
        sample_weight : as in ``fit``, default=None

        Returns
        -------
        score : float
            At most 1, higher is better.
        """
        check_is_fitted(self)
        if y is None:
            raise ValueError("score needs labels, but y is None.")
        model = self._knowing(X, present=True)
        data = model.layout_.encode(X, y, sample_weight)
        return mean_task_score(model.layout_, data, model._encoded(X, data))

    def trim(self) -> Self:
        """Keep what predictions need, and forget the statistics of the training rows.

        `statistics_`, up to T p² numbers, are dropped where there are any. The model predicts what
        it did before; ``partial_fit`` cannot go on from it.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        self.__dict__.pop("statistics_", None)
        return self

    # -- in other programs ----------------------------------------------------------------------

    def _exported(self) -> Exported:
        """Return what predictions are made of; a ValueError where they cannot be told as data."""
        layout, n_tasks = self.layout_, self.layout_.n_tasks
        groups = group_outputs(layout.tasks)
        return Exported(
            layout,
            groups,
            self._exported_outputs(groups),
            (self._weights.shape[1],),
            np.zeros(n_tasks),
            np.ones(n_tasks),
            feature_names(self, layout),
        )

    def _exported_outputs(self, groups: Sequence[OutputGroup]) -> LinearOutputs | AveragedLogistic:
        if self._compare is not None:
            raise ValueError(
                f"{type(self).__name__} compares rows with those of fit by a kernel, which is not "
                "exported; fit it with kernel='linear', on features such as those of "
                "sklearn.kernel_approximation."
            )
        order = output_order(self._rows, groups)
        return LinearOutputs(self.coef_[order], self.intercept_[order])

    # -- fitted attributes ----------------------------------------------------------------------

    @property
    def task_names_(self) -> list[Any]:
        """Names of the tasks, in the order of the columns of y."""
        if "layout_" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'task_names_' before fit."
            )
        return list(self.layout_.names)

    # what a kernel makes of rows before weights apply; None where weights are of features
    _compare: Comparison | None = None

    @property
    def _weights(self) -> np.ndarray:
        """The weights that outputs are made of, shape (M, p)."""
        return self.coef_

    @property
    def _is_fitted(self) -> bool:
        return "intercept_" in vars(self)

    def __sklearn_is_fitted__(self) -> bool:
        return self._is_fitted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        tags.input_tags.sparse = True
        return tags


class BaseLinearRegression(RegressorMixin, BaseLinearModel):
    """What the linear estimators of numbers share."""

    _family = "regression"

    # RegressorMixin knows neither names nor missing labels
    score = BaseLinearModel.score

    def _read(
        self, X: Any, y: Any, sample_weight: Any, layout: TaskLayout | None = None
    ) -> tuple[TaskLayout, TaskData, Any]:
        refuse_dask(X, type(self).__name__)
        return super()._read(X, y, sample_weight, layout)


class HasClasses:
    """Estimators of which some tasks at least are of classes."""

    layout_: TaskLayout

    @property
    def classes_(self) -> Any:
        """Classes of each task."""
        if "layout_" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'classes_' before fit."
            )
        return self.layout_.classes


class BaseLinearClassification(HasClasses, ClassifierMixin, BaseLinearModel):
    """What the linear estimators of classes share."""

    _family = "classification"

    # ClassifierMixin takes one column of labels
    score = BaseLinearModel.score

    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities.

        Parameters
        ----------
        X : as in ``predict``

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes) for one task, a list of them over the
            columns of an array, or a dict name -> ndarray for named tasks. In long form the
            columns are those of ``classes_``.
        """
        return self._predict_proba(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
