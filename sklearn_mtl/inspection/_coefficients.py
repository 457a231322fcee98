from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np

from sklearn_mtl.inspection._coefficient_table import read_coefficients
from sklearn_mtl.inspection._heat_map import draw_heat_map, largest, size_of_panel, two_digits
from sklearn_mtl.inspection._matplotlib import require_matplotlib
from sklearn_mtl.inspection._panels import axes_grid, panels_of
from sklearn_mtl.inspection._task_labels import AxisNames, label_axes
from sklearn_mtl.inspection._values_in_cells import write_values
from sklearn_mtl.utils._validation import listing


class CoefficientDisplay:
    """Coefficients of tasks (rows) and features (columns) as a heat map.

    Where tasks have a part in common, ``coef = shared + specific``, both parts stand beside the
    whole in one scale of colours, so that they show how far tasks are alike. Coefficients of
    features on different scales do not compare: standardise X first.

    It is recommended to use `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    coef : array-like of shape (M, p)
        A row for each task; K rows for a task of K > 2 classes.
    row_names : sequence of M names, default=None
        None for ``task0 …``.
    feature_names : sequence of p names, default=None
        None for ``x0 …``.
    shared : array-like of shape (p,) or (n_shared, p), default=None
        What rows have in common; several rows where classes have parts of their own.
    specific : array-like of shape (M, p), default=None
        What is left; given with `shared`.
    shared_names : sequence of n_shared names, default=None

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        The coefficients and, where there are parts, the shared and the specific ones.
    ax_ : matplotlib Axes
        The first.
    images_ : list of matplotlib AxesImage
        One for each of ``axes_``.
    texts_ : list of matplotlib Text
        Numbers in the cells, where they fit.
    colorbar_ : matplotlib Colorbar
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError
        Shapes or names that do not fit.

    See Also
    --------
    TaskRelationDisplay : How alike the rows are.
    task_permutation_importance : What features matter, for models without coefficients.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import CoefficientDisplay, MeanRegularizedRegressor
    >>> X, y = load_linnerud(return_X_y=True, as_frame=True)
    >>> model = MeanRegularizedRegressor().fit(X, y)
    >>> CoefficientDisplay.from_estimator(model)
    <...>
    >>> plt.show()
    """

    def __init__(
        self,
        coef: Any,
        *,
        row_names: Sequence[Hashable] | None = None,
        feature_names: Sequence[Hashable] | None = None,
        shared: Any = None,
        specific: Any = None,
        shared_names: Sequence[Hashable] | None = None,
    ) -> None:
        self.coef = coef
        self.row_names = row_names
        self.feature_names = feature_names
        self.shared = shared
        self.specific = specific
        self.shared_names = shared_names

    def plot(self, ax: Any = None, *, limit: float | None = None) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes or array of 4 Axes, default=None
            None makes a figure. Parts share the place of one Axes, or take four: for the scale of
            colours, the shared part, the coefficients and the specific parts.
        limit : float, default=None
            The size of a coefficient that has the strongest colour; None for the largest.

        Returns
        -------
        self : CoefficientDisplay
        """
        require_matplotlib("CoefficientDisplay.plot")
        coef, shared, specific, rows, features, shared_names = self._checked()
        limit = largest(coef, shared, specific) if limit is None else limit
        if shared is None or specific is None:
            self._draw_whole(coef, limit, size_of_panel(rows, features), ax)
        else:
            self._draw_parts(coef, shared, specific, limit, size_of_panel(rows, features), ax)
        self.ax_ = self.axes_[0]
        named = [AxisNames(self.ax_.yaxis, rows), AxisNames(self.ax_.xaxis, features)]
        groups = [[self.ax_, self.colorbar_.ax]]
        if len(self.axes_) > 1:
            _, above, right = self.axes_
            groups = [[self.ax_], [above], [right], [self.colorbar_.ax]]
            named += [AxisNames(above.yaxis, shared_names), AxisNames(right.xaxis, features)]
        label_axes(named, groups)
        self.texts_ = [
            text
            for panel, image in zip(self.axes_, self.images_, strict=True)
            for text in write_values(panel, image, two_digits)
        ]
        return self

    def _draw_whole(
        self, coef: np.ndarray, limit: float, size: tuple[float, float], ax: Any
    ) -> None:
        width, height = size
        self.figure_, grid = axes_grid(1, ax, panel_size=(width + 1.0, height))
        self.axes_ = [grid[0, 0]]
        self.images_ = [draw_heat_map(grid[0, 0], coef, limit)]
        self.colorbar_ = self.figure_.colorbar(self.images_[0], ax=self.axes_, label="Coefficient")

    def _draw_parts(
        self,
        coef: np.ndarray,
        shared: np.ndarray,
        specific: np.ndarray,
        limit: float,
        size: tuple[float, float],
        ax: Any,
    ) -> None:
        strip = max(len(shared), len(coef) / 16)  # a row among a hundred is too thin to see
        width, height = size
        self.figure_, grid = axes_grid(
            4,
            ax,
            n_columns=2,
            panel_size=(width, height / 2 + 0.6),
            height_ratios=[strip, len(coef)],
        )
        scale, above, left, right = panels_of(grid)
        self.axes_ = [left, above, right]
        parts = [
            (coef, "Coefficients: shared + specific"),
            (shared, "Shared part"),
            (specific, "Specific parts"),
        ]
        self.images_ = []
        for panel, (values, title) in zip(self.axes_, parts, strict=True):
            self.images_.append(draw_heat_map(panel, values, limit))
            panel.set_title(title, fontsize="medium")
        above.set_xticks([])
        right.set_yticks([])  # the rows of its neighbour
        self.colorbar_ = self.figure_.colorbar(
            self.images_[0], cax=scale, orientation="horizontal", label="Coefficient"
        )

    @classmethod
    def from_estimator(cls, estimator: Any, *, limit: float | None = None, ax: Any = None) -> Self:
        """Show the coefficients of a fitted linear model.

        Parameters
        ----------
        estimator : fitted estimator
            With ``coef_``, of this package or scikit-learn's; also a pipeline or a search around
            it, or linear models that answer for some tasks each (`IndependentTasks`,
            `TaskGrouping`). The parts are ``shared_coef_`` of models whose tasks have a mean, and
            ``prior_mean_`` of a learned population.
        limit : float, default=None
            As in `plot`.
        ax : matplotlib Axes or array of 4 Axes, default=None
            As in `plot`.

        Returns
        -------
        display : CoefficientDisplay

        Raises
        ------
        NotFittedError
            Before ``fit``.
        TypeError
            A model without coefficients of features.
        """
        require_matplotlib("CoefficientDisplay.from_estimator")
        table = read_coefficients(estimator, cls.__name__)
        display = cls(
            table.coef,
            row_names=table.row_names,
            feature_names=table.feature_names,
            shared=table.shared,
            specific=table.specific,
            shared_names=table.shared_names,
        )
        return display.plot(ax, limit=limit)

    def _checked(self) -> tuple[Any, ...]:
        """Return arrays and names, after checking that they fit."""
        coef = np.asarray(self.coef, dtype=np.float64)
        if coef.ndim != 2:
            raise ValueError(
                f"coef must have a row for each task and a column for each feature, found shape "
                f"{coef.shape}."
            )
        n_rows, n_features = coef.shape
        rows = _named(self.row_names, "task", n_rows, "row_names", "rows of coef")
        features = _named(self.feature_names, "x", n_features, "feature_names", "columns of coef")
        if (self.shared is None) != (self.specific is None):
            raise ValueError("shared and specific belong together; pass both or neither.")
        if self.shared is None:
            return coef, None, None, rows, features, []
        shared = np.atleast_2d(np.asarray(self.shared, dtype=np.float64))
        specific = np.asarray(self.specific, dtype=np.float64)
        if specific.shape != coef.shape or shared.shape[1] != n_features:
            raise ValueError(
                f"specific must have the shape of coef, {coef.shape}, and shared {n_features} "
                f"columns; found shapes {specific.shape} and {shared.shape}."
            )
        names = _named(self.shared_names, "shared", len(shared), "shared_names", "rows of shared")
        return coef, shared, specific, rows, features, names


def _named(
    names: Sequence[Hashable] | None, prefix: str, count: int, parameter: str, what: str
) -> list[Hashable]:
    if names is None:
        return [f"{prefix}{number}" for number in range(count)]
    if len(names) != count:
        raise ValueError(
            f"{parameter} has {len(names)} names ({listing(names, 4)}) for {count} {what}; pass "
            "one for each."
        )
    return list(names)
