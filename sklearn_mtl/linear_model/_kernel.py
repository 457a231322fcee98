"""Kernels for linear estimators whose penalty does not change under rotations of the features."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_mtl.convex import Penalty
from sklearn_mtl.convex._kernel import PRECOMPUTED, WORDS, Kernel
from sklearn_mtl.convex._kernel_features import (
    EXACT_ROWS,
    LANDMARKS,
    KernelCoordinates,
    kernel_features,
)
from sklearn_mtl.convex._reduce import Coordinates
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.linear_model._base import BaseLinear
from sklearn_mtl.linear_model._classifier import BaseLogLoss
from sklearn_mtl.linear_model._regressor import BaseLinearRegressor, BaseSquaredLoss
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._layout import SHARED
from sklearn_mtl.utils._validation import draw_seed

LINEAR = "linear"  # X's own features, whose weights are `coef_`


class KernelMixin(BaseLinear):
    """Linear estimators with a kernel: functions ``sum_i c_ti k(x, x_i) + b_t`` of rows x.

    With ``kernel="linear"`` an estimator is what it is without this mixin. Other kernels give
    coordinates to work in, and leave `dual_coef_` and `X_fit_` in place of `coef_`.
    """

    kernel: Any
    kernel_params: Any
    n_components: Any
    random_state: Any
    dual_coef_: np.ndarray

    _parameter_constraints: dict[str, list[Any]] = {
        "kernel": [StrOptions(WORDS), callable],
        "kernel_params": [dict, None],
        "n_components": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "random_state": ["random_state", np.random.Generator],
    }

    @property
    def _is_linear(self) -> bool:
        return self.kernel == LINEAR

    def _read(
        self, X: Any, y: Any, sample_weight: Any, layout: TaskLayout | None = None
    ) -> tuple[TaskLayout, TaskData, Any]:
        Kernel.of(self.kernel, self.kernel_params)  # an error, before any work
        layout, data, rows = super()._read(X, y, sample_weight, layout)
        if self.kernel == PRECOMPUTED:
            if layout.rows != SHARED:
                raise TaskLayoutError(
                    "kernel='precomputed' takes X of shape (n, n), the kernel of all rows with "
                    "each other, so tasks must share rows; pass a column of y for each task, NaN "
                    "where a row has no label of it."
                )
            if rows.shape[0] != rows.shape[1]:
                raise ValueError(
                    "kernel='precomputed' takes X of shape (n, n) in fit, the kernel of all rows "
                    f"with each other (Precomputed matrix must be square); found {rows.shape}."
                )
        return layout, data, rows

    def _kernel_coordinates(self, rows: Any, data: TaskData) -> KernelCoordinates:
        n, asked = data.n_rows, self.n_components
        if asked == "auto":
            asked = None if n <= EXACT_ROWS else LANDMARKS
        elif asked is not None and asked > n:
            raise ValueError(
                f"n_components={asked} asks for more landmarks than the {n} rows of X "
                f"(n_samples={n}); lower it, or pass None for all rows."
            )
        return kernel_features(
            rows,
            data,
            Kernel.of(self.kernel, self.kernel_params),
            centre=self.fit_intercept,
            n_landmarks=asked,
            random_state=check_random_state(draw_seed(self.random_state)),
        )

    def _set_weights(self, W: np.ndarray, space: Coordinates, dtype: Any) -> None:
        for name in ("coef_", "dual_coef_", "X_fit_", "n_components_", "_compare"):
            self.__dict__.pop(name, None)  # of an earlier fit with another kernel
        if not isinstance(space, KernelCoordinates):
            super()._set_weights(W, space, dtype)
            return
        # sums over rows cancel: float64, whatever the dtype of X
        self.dual_coef_ = space.outward(W)
        self._compare = space.compare
        self.n_components_ = space.n_components
        if space.compare.reference is not None:
            self.X_fit_ = space.compare.reference
        self._forget_structure()

    @property
    def _weights(self) -> np.ndarray:
        return self.coef_ if self._compare is None else self.dual_coef_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == PRECOMPUTED
        return tags


class KernelRegression(KernelMixin, BaseSquaredLoss):
    """Kernels for the squared loss."""

    def _coordinates(
        self, rows: Any, data: TaskData, penalty: Penalty, precompute: Any
    ) -> tuple[Coordinates, bool]:
        if self._is_linear:
            return super()._coordinates(rows, data, penalty, precompute)
        # on rows: tasks' Gram matrices of as many features as rows would be too many numbers
        return self._kernel_coordinates(rows, data), True


class KernelRegressor(KernelRegression, BaseLinearRegressor):
    """Kernels for linear regressors, which learn from statistics where the kernel is linear."""

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearRegressor._parameter_constraints,
        **KernelMixin._parameter_constraints,
    }

    def _check_statistics(self, what: str) -> bool:
        if not self._is_linear:
            raise ValueError(
                f"{what} needs statistics of features that all rows share, which kernel="
                f"{self.kernel!r} has not: its features are those of the rows of one fit. Pass "
                "all rows to fit in memory, with precompute='auto', or kernel='linear'."
            )
        return True


class KernelClassifier(KernelMixin, BaseLogLoss):
    """Kernels for the log-loss."""

    def _coordinates(self, rows: Any, data: TaskData, penalty: Penalty) -> Coordinates:
        if self._is_linear:
            return super()._coordinates(rows, data, penalty)
        return self._kernel_coordinates(rows, data)
