from collections.abc import Hashable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._plotting import _validate_style_kwargs

from sklearn_mtl.inspection._matplotlib import require_matplotlib
from sklearn_mtl.inspection._palette import BLUE, ORANGE, neutral_color
from sklearn_mtl.inspection._panels import (
    MAX_PANELS,
    axes_grid,
    has_panel_per_task,
    label_edges,
    panels_of,
)
from sklearn_mtl.inspection._read_tasks import read_estimator, read_predictions, tasks_of_kind
from sklearn_mtl.inspection._task_labels import label_tasks, title_panels
from sklearn_mtl.utils._validation import check_option

ACTUAL, RESIDUAL = "actual_vs_predicted", "residual_vs_predicted"
LABELS = {ACTUAL: "actual", RESIDUAL: "actual − predicted"}
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


class PredictionErrorDisplay:
    """Labels against predictions of regression tasks: a panel a task, or one summary of many.

    With e = y - f the residuals of a task and s the standard deviation of its labels, panels show
    the points (f, y) or (f, e); the summary shows quantiles of e / s, tasks ordered by

        sqrt(mean e²) / s = sqrt(1 - R²).

    Parameters
    ----------
    y_true : sequence of T ndarrays of shape (n_t,)
        Observed labels of each task.
    y_pred : sequence of T ndarrays of shape (n_t,)
        Predictions for them.
    task_names : sequence of T names

    Attributes
    ----------
    r2_ : ndarray of shape (T,)
        R² of each task; NaN for fewer than two labels or constant ones.
    relative_error_ : ndarray of shape (T,)
        Root mean squared error in standard deviations of the labels (in units of labels that are
        constant); NaN without labels.
    axes_ : ndarray of Axes
        A panel a task, None in cells left over; of shape (1, 1) for the summary.
    figure_ : Figure
    scatter_ : list of PathCollection
        The points of each panel; the medians of the summary.
    line_ : list of Line2D
        Where predictions are exact.

    See Also
    --------
    score_per_task : Numbers for the same arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn_mtl import PredictionErrorDisplay
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> y = X @ [[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]]
    >>> display = PredictionErrorDisplay.from_estimator(LinearRegression().fit(X, y), X, y)
    >>> display.task_names, display.r2_.round(2)
    (['task0', 'task1', 'task2'], array([1., 1., 1.]))
    """

    def __init__(
        self,
        y_true: Sequence[np.ndarray],
        y_pred: Sequence[np.ndarray],
        *,
        task_names: Sequence[Hashable],
    ) -> None:
        self.y_true = y_true
        self.y_pred = y_pred
        self.task_names = task_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        kind: str = RESIDUAL,
        max_panels: int = MAX_PANELS,
        subsample: float | int | None = 1_000,
        random_state: Any = None,
        ax: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> "PredictionErrorDisplay":
        """Plot the errors of a fitted estimator, on rows that it was best not fitted on.

        Parameters
        ----------
        estimator : estimator
            Fitted; of several regression tasks, or of several kinds, of which regression tasks
            are shown.
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
        y : the container that ``fit`` received
            Labels that are not observed are left out.
        kind, max_panels, subsample, random_state, ax, scatter_kwargs, line_kwargs
            As for `plot`.

        Returns
        -------
        display : PredictionErrorDisplay

        Raises
        ------
        TaskLayoutError
            No regression task, or other tasks than ``fit`` saw.
        """
        owner = f"{cls.__name__}.from_estimator"
        require_matplotlib(owner)
        return cls._from_outputs(*read_estimator(estimator, X, y), owner).plot(
            ax,
            kind=kind,
            max_panels=max_panels,
            subsample=subsample,
            random_state=random_state,
            scatter_kwargs=scatter_kwargs,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        tasks: Any = None,
        task_kinds: Any = None,
        kind: str = RESIDUAL,
        max_panels: int = MAX_PANELS,
        subsample: float | int | None = 1_000,
        random_state: Any = None,
        ax: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> "PredictionErrorDisplay":
        """Plot the errors of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n,) or (n, T), frame, dict or MultiTaskTarget
            Labels that are not observed are left out.
        y_pred : any of those containers
        tasks : array-like of shape (n,), default=None
            Long form: the task of each row of a one-dimensional `y_true`.
        task_kinds : {"regression", "classification"} or dict name -> one of these, default=None
            As for :func:`score_per_task`; integer labels are classes unless it says otherwise.
        kind, max_panels, subsample, random_state, ax, scatter_kwargs, line_kwargs
            As for `plot`.

        Returns
        -------
        display : PredictionErrorDisplay

        Raises
        ------
        TaskLayoutError
            No regression task, or tasks that differ between `y_true` and `y_pred`.
        """
        owner = f"{cls.__name__}.from_predictions"
        require_matplotlib(owner)
        read = read_predictions(y_true, y_pred, tasks=tasks, task_kinds=task_kinds)
        return cls._from_outputs(*read, owner).plot(
            ax,
            kind=kind,
            max_panels=max_panels,
            subsample=subsample,
            random_state=random_state,
            scatter_kwargs=scatter_kwargs,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def _from_outputs(cls, outputs: Any, kinds: Any, owner: str) -> "PredictionErrorDisplay":
        chosen = tasks_of_kind(outputs, kinds, classification=False, owner=owner)
        shown = [outputs.true.tasks[t] for t in chosen]
        return cls(
            [np.asarray(task.labels, dtype=np.float64) for task in shown],
            [np.asarray(outputs.get("predict", t), dtype=np.float64) for t in chosen],
            task_names=[task.name for task in shown],
        )

    def plot(
        self,
        ax: Any = None,
        *,
        kind: str = RESIDUAL,
        max_panels: int = MAX_PANELS,
        subsample: float | int | None = 1_000,
        random_state: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> "PredictionErrorDisplay":
        """Draw the display.

        Parameters
        ----------
        ax : Axes or array of T Axes, default=None
            One Axes is replaced by a grid of panels in its place, best in a figure with
            ``layout="constrained"``, which makes room for names. None makes such a figure.
        kind : {"actual_vs_predicted", "residual_vs_predicted"}, \
default="residual_vs_predicted"
            What panels show.
        max_panels : int, default=16
            More tasks than these are summarised in one panel, and so are tasks whose panels would
            be too small in the place of one Axes; 0 always does.
        subsample : float, int or None, default=1000
            How many points of a task a panel shows at most, or the share of them; None for all.
            R² is that of all points.
        random_state : int, RandomState instance or None, default=None
            Which points those are.
        scatter_kwargs : dict, default=None
            Passed to ``Axes.scatter``.
        line_kwargs : dict, default=None
            Passed to ``Axes.plot`` for the line of exact predictions.

        Returns
        -------
        display : PredictionErrorDisplay
        """
        owner = f"{type(self).__name__}.plot"
        require_matplotlib(owner)
        check_option(kind, LABELS, parameter="kind", owner=owner)
        _check_subsample(subsample, owner)
        line = {"color": neutral_color(), "linestyle": "--", "linewidth": 1.0, "alpha": 0.7}
        self._line_style = _validate_style_kwargs(line, line_kwargs or {})
        self._set_scores()
        if has_panel_per_task(len(self.task_names), max_panels, owner, ax):
            self._plot_panels(ax, kind, subsample, random_state, scatter_kwargs)
        else:
            self._plot_summary(ax, scatter_kwargs)
        return self

    def _set_scores(self) -> None:
        errors, scales = [], []
        for labels, predicted in zip(self.y_true, self.y_pred, strict=True):
            errors.append(
                np.sqrt(np.mean((labels - predicted) ** 2)) if len(labels) else float("nan")
            )
            scales.append(np.std(labels) if len(labels) else float("nan"))
        scale = np.array(scales)
        varies = scale > 0
        self._scale = np.where(varies, scale, 1.0)
        self.relative_error_ = np.array(errors) / self._scale
        self.r2_ = np.where(varies, 1 - self.relative_error_**2, np.nan)

    def _plot_panels(
        self,
        ax: Any,
        kind: str,
        subsample: float | int | None,
        random_state: Any,
        scatter_kwargs: dict[str, Any] | None,
    ) -> None:
        generator = check_random_state(random_state)
        points = {"color": BLUE, "alpha": 0.6, "s": 14.0, "linewidths": 0.0}
        style = _validate_style_kwargs(points, scatter_kwargs or {})
        self.figure_, self.axes_ = axes_grid(len(self.task_names), ax)
        self.scatter_, self.line_ = [], []
        panels = panels_of(self.axes_)
        notes = [
            f"n = {len(labels)}" if np.isnan(r2) else f"R² = {r2:.2f}, n = {len(labels)}"
            for labels, r2 in zip(self.y_true, self.r2_, strict=True)
        ]
        title_panels(panels, self.task_names, notes)
        for panel, labels, predicted in zip(panels, self.y_true, self.y_pred, strict=True):
            panel.tick_params(labelsize=8)
            panel.locator_params(nbins=4)
            shown = _some(len(labels), subsample, generator)
            predicted, labels = predicted[shown], labels[shown]
            drawn = labels if kind == ACTUAL else labels - predicted
            self.scatter_.append(panel.scatter(predicted, drawn, **style))
            self.line_.append(self._exact(panel, kind))
        label_edges(self.axes_, xlabel="predicted", ylabel=LABELS[kind])

    def _exact(self, panel: Any, kind: str) -> Any:
        """Draw where predictions are exact, through the whole panel."""
        if kind == RESIDUAL:
            return panel.axhline(0.0, **self._line_style)
        limits = [*panel.get_xlim(), *panel.get_ylim()]
        ends = (min(limits), max(limits))
        panel.set(xlim=ends, ylim=ends)
        return panel.plot(ends, ends, **self._line_style)[0]

    def _plot_summary(self, ax: Any, scatter_kwargs: dict[str, Any] | None) -> None:
        n_tasks = len(self.task_names)
        height = float(np.clip(0.16 * n_tasks, 4.0, 11.0))
        self.figure_, self.axes_ = axes_grid(1, ax, panel_size=(7.0, height))
        panel = self.axes_.flat[0]
        # the greatest error on top, tasks without labels below
        order = np.argsort(-np.nan_to_num(self.relative_error_, nan=-np.inf), kind="stable")
        found = np.full((n_tasks, len(QUANTILES)), np.nan)
        for row, t in enumerate(order):
            if len(self.y_true[t]):
                residuals = (self.y_true[t] - self.y_pred[t]) / self._scale[t]
                found[row] = np.quantile(residuals, QUANTILES)
        rows = np.arange(n_tasks)
        thick = float(np.clip(300.0 / n_tasks, 1.5, 6.0))
        panel.hlines(rows, *found[:, [0, 4]].T, color=BLUE, linewidth=thick / 3, label="10–90 %")
        panel.hlines(rows, *found[:, [1, 3]].T, color=BLUE, linewidth=thick, label="25–75 %")
        points = {"color": ORANGE, "s": 3 * thick, "zorder": 3.0, "label": "median"}
        style = _validate_style_kwargs(points, scatter_kwargs or {})
        self.scatter_ = [panel.scatter(found[:, 2], rows, **style)]
        errors = self.relative_error_[order]
        panel.scatter(errors, rows, marker="|", color=neutral_color(), label="root mean square")
        self.line_ = [panel.axvline(0.0, **self._line_style)]
        panel.set(
            ylim=(n_tasks - 0.5, -0.5),
            xlabel="(actual − predicted) / standard deviation of the task's labels",
        )
        panel.set_title(f"Residuals of {n_tasks} tasks, greatest error on top", fontsize=10)
        panel.legend(loc="lower right", fontsize=8)
        label_tasks(panel.yaxis, [self.task_names[t] for t in order], title="task")


def _check_subsample(subsample: Any, owner: str) -> None:
    if subsample is None:
        return
    is_count = isinstance(subsample, Integral) and int(subsample) > 0
    is_share = not isinstance(subsample, Integral) and isinstance(subsample, Real)
    if not is_count and not (is_share and 0 < subsample < 1):
        raise ValueError(
            f"The 'subsample' parameter of {owner} must be None, an integer > 0 or a share "
            f"between 0 and 1, got {subsample!r}."
        )


def _some(n_points: int, subsample: Any, generator: np.random.RandomState) -> np.ndarray:
    """Return the places of the points that are drawn."""
    if subsample is None:
        return np.arange(n_points)
    most = int(subsample) if isinstance(subsample, Integral) else int(subsample * n_points)
    if most >= n_points:
        return np.arange(n_points)
    return generator.choice(n_points, size=most, replace=False)
