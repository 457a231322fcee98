from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from sklearn.utils._plotting import _validate_style_kwargs

from sklearn_mtl.inspection._matplotlib import require_matplotlib
from sklearn_mtl.inspection._palette import BLUE, GREY, VERMILION, neutral_color
from sklearn_mtl.inspection._panels import (
    MAX_PANELS,
    axes_grid,
    has_panel_per_task,
    label_edges,
    panels_of,
)
from sklearn_mtl.inspection._read_tasks import (
    class_scores,
    read_estimator,
    read_predictions,
    tasks_of_kind,
)
from sklearn_mtl.inspection._roc_points import rates_at, roc_points
from sklearn_mtl.inspection._task_labels import CHARACTER, POINTS, label_tasks, title_panels

LETTER = 2 * CHARACTER * 10.0  # points of a panel for each of a name, in letters of 10 points
FALSE_POSITIVES, TRUE_POSITIVES = "false positive rate", "true positive rate"


class RocCurveDisplay:
    """ROC curves of classification tasks: a panel a task, or one summary of many.

    Of two classes the greater is the positive one. Tasks of several classes show the mean of the
    curves of each class against the rest. The summary has the curves of all tasks, with their
    median and the band of the middle 80 %, beside the areas of all tasks in order.

    Parameters
    ----------
    fpr : sequence of T ndarrays of shape (n_points_t,)
        False positive rates, ascending; empty for a task without a curve.
    tpr : sequence of T ndarrays of shape (n_points_t,)
        True positive rates.
    roc_auc : sequence of T floats
        Areas under the curves; NaN for a task without one, whose labels are all of one class.
    task_names : sequence of T names

    Attributes
    ----------
    axes_ : ndarray of Axes
        A panel a task, None in cells left over; of shape (1, 2) for the summary: curves, areas.
    figure_ : Figure
    line_ : list of Line2D
        The curve of each task that has one.
    chance_level_ : list of Line2D
        The curve of scores that know nothing, in each panel of curves.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import RocCurveDisplay
    >>> y_true = {"rain": ["no", "yes", None, "no"], "wind": [0, 1, 0, 1]}
    >>> y_score = {"rain": [0.1, 0.8, 0.5, 0.2], "wind": [0.2, 0.3, 0.6, 0.7]}
    >>> display = RocCurveDisplay.from_predictions(y_true, y_score)
    >>> display.task_names, display.roc_auc
    (['rain', 'wind'], [1.0, 0.75])
    """

    def __init__(
        self,
        fpr: Sequence[np.ndarray],
        tpr: Sequence[np.ndarray],
        roc_auc: Sequence[float],
        *,
        task_names: Sequence[Hashable],
    ) -> None:
        self.fpr = fpr
        self.tpr = tpr
        self.roc_auc = roc_auc
        self.task_names = task_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        max_panels: int = MAX_PANELS,
        curve_kwargs: dict[str, Any] | None = None,
        ax: Any = None,
    ) -> "RocCurveDisplay":
        """Plot the curves of a fitted estimator, on rows that it was best not fitted on.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``predict_proba`` or ``decision_function``; of several classification
            tasks, or of several kinds, of which classification tasks are shown.
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
        y : the container that ``fit`` received
            Labels that are not observed are left out.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict, default=None
        max_panels, curve_kwargs, ax
            As for `plot`.

        Returns
        -------
        display : RocCurveDisplay

        Raises
        ------
        TaskLayoutError
            No classification task, or other tasks than ``fit`` saw.
        ValueError
            An estimator without probabilities and decision values.
        """
        owner = f"{cls.__name__}.from_estimator"
        require_matplotlib(owner)
        read = read_estimator(estimator, X, y, sample_weight)
        return cls._from_outputs(*read, owner).plot(
            ax, max_panels=max_panels, curve_kwargs=curve_kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_score: Any,
        *,
        sample_weight: Any = None,
        tasks: Any = None,
        task_kinds: Any = None,
        classes: Any = None,
        max_panels: int = MAX_PANELS,
        curve_kwargs: dict[str, Any] | None = None,
        ax: Any = None,
    ) -> "RocCurveDisplay":
        """Plot the curves of scores.

        Parameters
        ----------
        y_true : array-like of shape (n,) or (n, T), frame, dict or MultiTaskTarget
            Labels that are not observed are left out.
        y_score : array, list of arrays or dict name -> array
            Probabilities of shape (n_t, n_classes_t), or scores of the greater class of shape
            (n_t,), for each classification task.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict, default=None
        tasks : array-like of shape (n,), default=None
            Long form: the task of each row of a one-dimensional `y_true`.
        task_kinds : {"regression", "classification"} or dict name -> one of these, default=None
            As for :func:`score_per_task`; float labels are no classes unless it says otherwise.
        classes : array, list of arrays or dict name -> array, default=None
            The classes that the columns of `y_score` stand for; None for the sorted labels.
        max_panels, curve_kwargs, ax
            As for `plot`.

        Returns
        -------
        display : RocCurveDisplay

        Raises
        ------
        TaskLayoutError
            No classification task, or tasks that differ between `y_true` and `y_score`.
        """
        owner = f"{cls.__name__}.from_predictions"
        require_matplotlib(owner)
        read = read_predictions(
            y_true,
            y_score=y_score,
            sample_weight=sample_weight,
            tasks=tasks,
            task_kinds=task_kinds,
            classes=classes,
        )
        return cls._from_outputs(*read, owner).plot(
            ax, max_panels=max_panels, curve_kwargs=curve_kwargs
        )

    @classmethod
    def _from_outputs(cls, outputs: Any, kinds: Any, owner: str) -> "RocCurveDisplay":
        chosen = tasks_of_kind(outputs, kinds, classification=True, owner=owner)
        shown = [outputs.true.tasks[t] for t in chosen]
        curves = [
            roc_points(
                task.labels, class_scores(outputs, kinds, t, owner), kinds[t].classes, task.weights
            )
            for t, task in zip(chosen, shown, strict=True)
        ]
        fpr, tpr, areas = zip(*curves, strict=True)
        return cls(list(fpr), list(tpr), list(areas), task_names=[task.name for task in shown])

    def plot(
        self,
        ax: Any = None,
        *,
        max_panels: int = MAX_PANELS,
        curve_kwargs: dict[str, Any] | None = None,
    ) -> "RocCurveDisplay":
        """Draw the display.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            One Axes is replaced by panels in its place; an array has one for each task, or two for
            the summary. None makes a figure.
        max_panels : int, default=16
            More tasks than these are summarised in two panels, and so are tasks whose panels would
            be too small in the place of one Axes; 0 always does.
        curve_kwargs : dict, default=None
            Passed to ``Axes.plot`` for the curves.

        Returns
        -------
        display : RocCurveDisplay
        """
        owner = f"{type(self).__name__}.plot"
        require_matplotlib(owner)
        self.line_: list[Any] = []
        self.chance_level_: list[Any] = []
        if has_panel_per_task(len(self.task_names), max_panels, owner, ax):
            self._plot_panels(ax, curve_kwargs or {})
        else:
            self._plot_summary(ax, curve_kwargs or {})
        return self

    def _plot_panels(self, ax: Any, curve_kwargs: dict[str, Any]) -> None:
        self.figure_, self.axes_ = axes_grid(len(self.task_names), ax)
        panels = panels_of(self.axes_)
        notes = [
            "one class: no curve" if np.isnan(area) else f"AUC = {area:.2f}"
            for area in self.roc_auc
        ]
        title_panels(panels, self.task_names, notes)
        style = _validate_style_kwargs({"color": BLUE, "linewidth": 1.5}, curve_kwargs)
        for panel, fpr, tpr in zip(panels, self.fpr, self.tpr, strict=True):
            self._draw_chance(panel)
            panel.tick_params(labelsize=8)
            if len(fpr):
                self.line_ += panel.plot(fpr, tpr, **style)
        label_edges(self.axes_, xlabel=FALSE_POSITIVES, ylabel=TRUE_POSITIVES)

    def _plot_summary(self, ax: Any, curve_kwargs: dict[str, Any]) -> None:
        height = float(np.clip(0.16 * len(self.task_names), 4.5, 11.0))
        self.figure_, self.axes_ = axes_grid(2, ax, n_columns=2, panel_size=(5.0, height))
        curves, areas = panels_of(self.axes_)
        self._draw_chance(curves)
        self._draw_curves(curves, curve_kwargs)
        curves.set_box_aspect(1)  # chance is a diagonal
        curves.set_anchor("N")
        self._draw_areas(areas)

    def _draw_chance(self, panel: Any) -> None:
        self.chance_level_ += panel.plot(
            [0, 1], [0, 1], color=neutral_color(), linestyle="--", linewidth=1.0
        )
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))

    def _draw_curves(self, panel: Any, curve_kwargs: dict[str, Any]) -> None:
        """Draw every curve, thin, and their median and spread at each false positive rate."""
        thin = {"color": GREY, "linewidth": 0.5, "alpha": 0.5}
        style = _validate_style_kwargs(thin, curve_kwargs)
        pairs = [pair for pair in zip(self.fpr, self.tpr, strict=True) if len(pair[0])]
        for pair in pairs:
            self.line_ += panel.plot(*pair, **style)
        panel.set(xlabel=FALSE_POSITIVES, ylabel=TRUE_POSITIVES)
        panel.set_title(f"{len(pairs)} tasks", fontsize=10)
        if not pairs:
            return
        grid = np.linspace(0, 1, 201)
        rates = np.array([rates_at(grid, *pair) for pair in pairs])
        low, median, high = np.quantile(rates, (0.1, 0.5, 0.9), axis=0)
        panel.fill_between(grid, low, high, color=BLUE, alpha=0.25, linewidth=0, label="10–90 %")
        panel.plot(grid, median, color=BLUE, linewidth=2.0, label="median")
        panel.legend(loc="lower right", fontsize=8)

    def _draw_areas(self, panel: Any) -> None:
        """Draw the areas in order, the smallest on top; below, tasks without a curve."""
        areas = np.asarray(self.roc_auc, dtype=np.float64)
        order = np.argsort(areas, kind="stable")  # NaN last
        rows = np.arange(len(areas))
        worse = areas[order] < 0.5
        colors = np.where(worse, VERMILION, BLUE)
        panel.hlines(rows, 0.5, areas[order], colors=colors, linewidth=0.8)
        panel.scatter(areas[order], rows, c=colors, s=float(np.clip(900 / len(areas), 6, 30)))
        panel.axvline(0.5, color=neutral_color(), linestyle="--", linewidth=1.0)
        panel.set(ylim=(len(areas) - 0.5, -0.5), xlabel="area under the curve")
        undefined = np.isnan(areas).sum()
        note = f", {undefined} without a curve last" if undefined else ""
        panel.set_title(f"smallest area on top{note}", fontsize=10)
        # names beside the curves take no more room than half of a panel
        points = panel.get_window_extent().width * POINTS / panel.figure.dpi
        most = int(np.clip(points / LETTER, 8, 24))
        label_tasks(panel.yaxis, [self.task_names[t] for t in order], title="task", most=most)
