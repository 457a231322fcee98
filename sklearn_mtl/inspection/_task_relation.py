from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.inspection._coefficient_table import read_coefficients, row_names
from sklearn_mtl.inspection._heat_map import draw_heat_map, largest, size_of_panel, two_digits
from sklearn_mtl.inspection._matplotlib import require_matplotlib
from sklearn_mtl.inspection._panels import axes_grid
from sklearn_mtl.inspection._task_labels import AxisNames, label_axes
from sklearn_mtl.inspection._values_in_cells import write_values
from sklearn_mtl.tasks._nested import find_owner
from sklearn_mtl.utils._validation import listing


class TaskRelationDisplay:
    """How tasks are related, as a heat map in which related tasks stand side by side.

    Tasks are put in the order of the leaves of a hierarchical clustering (average linkage) by
    ``max(S) - S``, with S the mean of the matrix and its transpose, turned so that neighbours are
    as alike as the tree allows. The matrix shown is the one given, symmetric or not.

    It is recommended to use `from_estimator` or `from_affinity`. All parameters are stored as
    attributes.

    Parameters
    ----------
    matrix : array-like of shape (T, T)
        Greater is more related; NaN where unknown.
    task_names : sequence of T names
    measure : str, default="relation"
        What the numbers are, for the scale of colours.
    row_title, column_title : str, default=""
        What rows and columns are, where the matrix is not symmetric.

    Attributes
    ----------
    order_ : ndarray of shape (T,)
        The task in each row of the heat map.
    image_ : matplotlib AxesImage
    texts_ : list of matplotlib Text
        Numbers in the cells, where they fit.
    colorbar_ : matplotlib Colorbar
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError
        A matrix that is not square, or names that do not fit.

    References
    ----------
    Z. Bar-Joseph, D. Gifford and T. Jaakkola, "Fast optimal leaf ordering for hierarchical
    clustering", Bioinformatics 17, 2001.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_mtl import TaskRelationDisplay
    >>> matrix = [[1.0, -0.2, 0.9], [-0.2, 1.0, 0.1], [0.9, 0.1, 1.0]]
    >>> display = TaskRelationDisplay(matrix, task_names=["spring", "winter", "summer"]).plot()
    >>> display.order_
    array([0, 2, 1])
    >>> plt.show()
    """

    def __init__(
        self,
        matrix: Any,
        *,
        task_names: Sequence[Hashable],
        measure: str = "relation",
        row_title: str = "",
        column_title: str = "",
    ) -> None:
        self.matrix = matrix
        self.task_names = task_names
        self.measure = measure
        self.row_title = row_title
        self.column_title = column_title

    def plot(self, ax: Any = None, *, limit: float | None = None) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.
        limit : float, default=None
            The size of a number that has the strongest colour. None for 1 where the diagonal is 1,
            as that of a correlation, else for the largest off the diagonal.

        Returns
        -------
        self : TaskRelationDisplay
        """
        require_matplotlib("TaskRelationDisplay.plot")
        matrix, names = self._checked()
        self.order_ = related_order(matrix)
        shown = matrix[np.ix_(self.order_, self.order_)]
        width, _ = size_of_panel(names, names)
        self.figure_, grid = axes_grid(1, ax, panel_size=(width + 1.0, width))
        self.ax_ = grid[0, 0]
        limit = _limit(matrix) if limit is None else limit
        self.image_ = draw_heat_map(self.ax_, shown, limit)
        self.colorbar_ = self.figure_.colorbar(
            self.image_, ax=self.ax_, label=self.measure, extend=_beyond(shown, limit)
        )
        ordered = [names[t] for t in self.order_]
        label_axes(
            [
                AxisNames(self.ax_.yaxis, ordered, title=self.row_title),
                AxisNames(self.ax_.xaxis, ordered, title=self.column_title),
            ],
            [[self.ax_, self.colorbar_.ax]],
        )
        self.texts_ = write_values(self.ax_, self.image_, two_digits)
        return self

    @classmethod
    def from_estimator(cls, estimator: Any, *, limit: float | None = None, ax: Any = None) -> Self:
        """Show how the tasks of a fitted model are related.

        Parameters
        ----------
        estimator : fitted estimator
            The correlation that it learned (``task_correlation_``, or that of
            ``task_covariance_``), else cosines of the angles between rows of ``coef_``. Also a
            pipeline or a search around it. A task of K > 2 classes has K rows.
        limit : float, default=None
            As in `plot`.
        ax : matplotlib Axes, default=None

        Returns
        -------
        display : TaskRelationDisplay

        Raises
        ------
        NotFittedError
            Before ``fit``.
        TypeError
            A model without covariance and coefficients.
        """
        require_matplotlib("TaskRelationDisplay.from_estimator")
        check_is_fitted(estimator)
        model = find_owner(estimator, "task_covariance_")
        if model is not None:
            matrix, names = _correlation(model.task_covariance_), row_names(model.layout_)
            measure = "Learned correlation of tasks"
        else:
            table = read_coefficients(estimator, cls.__name__)
            matrix, names = _cosines(table.coef), table.row_names
            measure = "Cosine similarity of coefficients"
        return cls(matrix, task_names=names, measure=measure).plot(ax, limit=limit)

    @classmethod
    def from_affinity(cls, affinity: Any, *, limit: float | None = None, ax: Any = None) -> Self:
        """Show what `task_affinity` found: how much the task of a row helps that of a column.

        Parameters
        ----------
        affinity : TaskAffinity
        limit : float, default=None
            As in `plot`.
        ax : matplotlib Axes, default=None

        Returns
        -------
        display : TaskRelationDisplay
        """
        require_matplotlib("TaskRelationDisplay.from_affinity")
        display = cls(
            affinity.matrix,
            task_names=affinity.task_names,
            measure=f"Affinity ({affinity.method})",
            row_title="Task that helps",
            column_title="Task that is helped",
        )
        return display.plot(ax, limit=limit)

    def _checked(self) -> tuple[np.ndarray, list[Hashable]]:
        matrix, names = np.asarray(self.matrix, dtype=np.float64), list(self.task_names)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(
                f"matrix must be square, a row and a column for each task; found shape "
                f"{matrix.shape}."
            )
        if len(names) != len(matrix):
            raise ValueError(
                f"task_names has {len(names)} names ({listing(names, 4)}) for a matrix of "
                f"{len(matrix)} tasks; pass one for each row."
            )
        return matrix, names


def related_order(matrix: np.ndarray) -> np.ndarray:
    """Return tasks in an order in which related ones stand side by side, shape (T,)."""
    n_tasks = len(matrix)
    if n_tasks < 3:
        return np.arange(n_tasks)
    # one direction where the other is unknown
    both = np.where(np.isnan(matrix), matrix.T, matrix)
    similarity = (both + np.where(np.isnan(both.T), both, both.T)) / 2
    pairs = similarity[~np.eye(n_tasks, dtype=bool)]
    known = pairs[np.isfinite(pairs)]
    if not len(known):
        return np.arange(n_tasks)
    # pairs of which nothing is known are neither near nor far
    similarity = np.where(np.isfinite(similarity), similarity, known.mean())
    distance = known.max() - similarity
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    order = leaves_list(tree).astype(np.intp)
    return order if order[0] < order[-1] else order[::-1]  # as good in either direction


def _correlation(covariance: np.ndarray) -> np.ndarray:
    """Return the covariance with variances scaled to 1; a task of variance 0 has correlation 0."""
    deviation = np.sqrt(np.diag(covariance))
    units = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    correlation = covariance * units[:, None] * units
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _cosines(coef: np.ndarray) -> np.ndarray:
    return _correlation(coef @ coef.T)


def _limit(matrix: np.ndarray) -> float:
    if np.allclose(np.diag(matrix), 1.0):
        return 1.0
    return largest(matrix[~np.eye(len(matrix), dtype=bool)])


def _beyond(matrix: np.ndarray, limit: float) -> str:
    """Return at which ends of the scale numbers go on, in matplotlib's words."""
    edge = limit * (1 + 1e-9)  # correlations of 1 within rounding are no more than 1
    above, below = bool((matrix > edge).any()), bool((matrix < -edge).any())
    return {(0, 0): "neither", (1, 0): "max", (0, 1): "min", (1, 1): "both"}[above, below]
