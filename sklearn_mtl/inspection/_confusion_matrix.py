from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.inspection._confusion_summary import plot_recalls
from sklearn_mtl.inspection._make_room import settle
from sklearn_mtl.inspection._matplotlib import require_matplotlib
from sklearn_mtl.inspection._palette import SEQUENTIAL
from sklearn_mtl.inspection._panels import (
    MAX_PANELS,
    axes_grid,
    has_panel_per_task,
    is_laid_out,
    label_edges,
    panels_of,
)
from sklearn_mtl.inspection._read_tasks import read_estimator, read_predictions, tasks_of_kind
from sklearn_mtl.inspection._task_labels import AxisNames, label_axes, title_panels
from sklearn_mtl.inspection._values_in_cells import write_values
from sklearn_mtl.utils._validation import check_option

# what the counts of a matrix are divided by: the axes that are summed over
NORMALIZATIONS: dict[str, tuple[int, ...]] = {"true": (1,), "pred": (0,), "all": (0, 1)}


class ConfusionMatrixDisplay:
    """Confusion matrices of classification tasks: a panel a task, or one summary of many.

    Entry (i, j) of a matrix counts the rows of class i that are predicted as class j. The
    summary is a table of tasks, lowest accuracy on top, with the recall of each class,

        counts[i, i] / sum_j counts[i, j].

    Parameters
    ----------
    confusion_matrices : sequence of T ndarrays of shape (n_classes_t, n_classes_t)
        Counts, or sums of weights.
    classes : sequence of T ndarrays of shape (n_classes_t,)
        What their rows and columns stand for.
    task_names : sequence of T names

    Attributes
    ----------
    accuracy_ : ndarray of shape (T,)
        NaN for tasks without labels.
    axes_ : ndarray of Axes
        A panel a task, None in cells left over; of shape (1, 1) for the summary.
    figure_ : Figure
    im_ : list of AxesImage
        The matrix of each panel, or the table of the summary.
    text_ : list of lists of Text
        The numbers written in each of those; none where they do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import ConfusionMatrixDisplay
    >>> y_true = {"rain": ["no", "yes", None, "no"], "wind": [0, 1, 2, 2]}
    >>> y_pred = {"rain": ["no", "no", "no", "no"], "wind": [0, 1, 2, 1]}
    >>> display = ConfusionMatrixDisplay.from_predictions(y_true, y_pred)
    >>> display.task_names, display.accuracy_.round(2)
    (['rain', 'wind'], array([0.67, 0.75]))
    >>> display.confusion_matrices[0]
    array([[2, 0],
           [1, 0]])
    """

    def __init__(
        self,
        confusion_matrices: Sequence[np.ndarray],
        *,
        classes: Sequence[np.ndarray],
        task_names: Sequence[Hashable],
    ) -> None:
        self.confusion_matrices = confusion_matrices
        self.classes = classes
        self.task_names = task_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        normalize: str | None = None,
        max_panels: int = MAX_PANELS,
        include_values: bool = True,
        cmap: Any = SEQUENTIAL,
        colorbar: bool = True,
        ax: Any = None,
    ) -> "ConfusionMatrixDisplay":
        """Plot what a fitted estimator predicts, on rows that it was best not fitted on.

        Parameters
        ----------
        estimator : estimator
            Fitted; of several classification tasks, or of several kinds, of which classification
            tasks are shown.
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
        y : the container that ``fit`` received
            Labels that are not observed are left out.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict, default=None
        normalize, max_panels, include_values, cmap, colorbar, ax
            As for `plot`.

        Returns
        -------
        display : ConfusionMatrixDisplay

        Raises
        ------
        TaskLayoutError
            No classification task, or other tasks than ``fit`` saw.
        """
        owner = f"{cls.__name__}.from_estimator"
        require_matplotlib(owner)
        read = read_estimator(estimator, X, y, sample_weight)
        return cls._from_outputs(*read, owner).plot(
            ax,
            normalize=normalize,
            max_panels=max_panels,
            include_values=include_values,
            cmap=cmap,
            colorbar=colorbar,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        tasks: Any = None,
        task_kinds: Any = None,
        classes: Any = None,
        normalize: str | None = None,
        max_panels: int = MAX_PANELS,
        include_values: bool = True,
        cmap: Any = SEQUENTIAL,
        colorbar: bool = True,
        ax: Any = None,
    ) -> "ConfusionMatrixDisplay":
        """Plot predicted classes against true ones.

        Parameters
        ----------
        y_true : array-like of shape (n,) or (n, T), frame, dict or MultiTaskTarget
            Labels that are not observed are left out.
        y_pred : any of those containers
        sample_weight : array-like of shape (n,) or (n, T), frame or dict, default=None
        tasks : array-like of shape (n,), default=None
            Long form: the task of each row of a one-dimensional `y_true`.
        task_kinds : {"regression", "classification"} or dict name -> one of these, default=None
            As for :func:`score_per_task`; float labels are no classes unless it says otherwise.
        classes : array, list of arrays or dict name -> array, default=None
            All classes of each task; None for those in `y_true` and `y_pred`.
        normalize, max_panels, include_values, cmap, colorbar, ax
            As for `plot`.

        Returns
        -------
        display : ConfusionMatrixDisplay

        Raises
        ------
        TaskLayoutError
            No classification task, or tasks that differ between `y_true` and `y_pred`.
        """
        owner = f"{cls.__name__}.from_predictions"
        require_matplotlib(owner)
        read = read_predictions(
            y_true,
            y_pred,
            sample_weight=sample_weight,
            tasks=tasks,
            task_kinds=task_kinds,
            classes=classes,
        )
        return cls._from_outputs(*read, owner).plot(
            ax,
            normalize=normalize,
            max_panels=max_panels,
            include_values=include_values,
            cmap=cmap,
            colorbar=colorbar,
        )

    @classmethod
    def _from_outputs(cls, outputs: Any, kinds: Any, owner: str) -> "ConfusionMatrixDisplay":
        chosen = tasks_of_kind(outputs, kinds, classification=True, owner=owner)
        shown = [outputs.true.tasks[t] for t in chosen]
        counted = [
            _count(task, outputs.get("predict", t), kinds[t].classes)
            for t, task in zip(chosen, shown, strict=True)
        ]
        matrices, classes = zip(*counted, strict=True)
        return cls(list(matrices), classes=list(classes), task_names=[task.name for task in shown])

    def plot(
        self,
        ax: Any = None,
        *,
        normalize: str | None = None,
        max_panels: int = MAX_PANELS,
        include_values: bool = True,
        cmap: Any = SEQUENTIAL,
        colorbar: bool = True,
    ) -> "ConfusionMatrixDisplay":
        """Draw the display.

        Parameters
        ----------
        ax : Axes or array of T Axes, default=None
            One Axes is replaced by a grid of panels in its place, best in a figure with
            ``layout="constrained"``, which makes room for names. None makes such a figure.
        normalize : {"true", "pred", "all"}, default=None
            Whether panels show shares of true classes (rows), of predicted ones (columns) or of
            all labels; None for counts.
        max_panels : int, default=16
            More tasks than these are summarised in one panel, and so are tasks whose panels would
            be too small in the place of one Axes; 0 always does.
        include_values : bool, default=True
            Whether numbers are written in cells, where they fit.
        cmap : str or Colormap, default="cividis"
        colorbar : bool, default=True
            Whether colours are explained beside cells without numbers.

        Returns
        -------
        display : ConfusionMatrixDisplay
        """
        owner = f"{type(self).__name__}.plot"
        require_matplotlib(owner)
        if normalize is not None:
            check_option(normalize, NORMALIZATIONS, parameter="normalize", owner=owner)
        self.accuracy_ = np.array(
            [_share(np.trace(matrix), matrix.sum()) for matrix in self.confusion_matrices]
        )
        if has_panel_per_task(len(self.task_names), max_panels, owner, ax):
            self._plot_panels(ax, normalize, include_values, cmap, colorbar)
        else:
            self._plot_summary(ax, include_values, cmap, colorbar)
        return self

    def _plot_panels(
        self, ax: Any, normalize: str | None, include_values: bool, cmap: Any, colorbar: bool
    ) -> None:
        self.figure_, self.axes_ = axes_grid(len(self.task_names), ax)
        panels = panels_of(self.axes_)
        notes = [
            "no label" if np.isnan(accuracy) else f"accuracy {accuracy:.2f}, n = {matrix.sum():g}"
            for accuracy, matrix in zip(self.accuracy_, self.confusion_matrices, strict=True)
        ]
        title_panels(panels, self.task_names, notes)
        self.im_, requests = [], []
        label_edges(self.axes_, xlabel="predicted class", ylabel="true class")
        for panel, matrix, own in zip(panels, self.confusion_matrices, self.classes, strict=True):
            shown = normalized(matrix, normalize)
            # shares have one scale, so that panels can be compared
            top = max(float(shown.max(initial=0.0)), 1e-300) if normalize is None else 1.0
            self.im_.append(panel.imshow(shown, cmap=cmap, vmin=0.0, vmax=top, aspect="auto"))
            requests += [
                AxisNames(panel.xaxis, list(own), title=panel.get_xlabel(), most=10),
                AxisNames(panel.yaxis, list(own), title=panel.get_ylabel(), most=10),
            ]
        label_axes(requests)
        self._write_values(panels, include_values, colorbar)

    def _plot_summary(self, ax: Any, include_values: bool, cmap: Any, colorbar: bool) -> None:
        self.figure_, self.axes_, image = plot_recalls(
            ax, self.confusion_matrices, self.classes, self.task_names, self.accuracy_, cmap
        )
        self.im_ = [image]
        self._write_values([self.axes_.flat[0]], include_values, colorbar)

    def _write_values(self, panels: Sequence[Any], include_values: bool, colorbar: bool) -> None:
        self.text_ = []
        for panel, image in zip(panels, self.im_, strict=True):
            self.text_.append(write_values(panel, image) if include_values else [])
            if colorbar and not self.text_[-1]:
                # a panel that was moved is in no grid any more
                scale = self.figure_.colorbar(image, ax=panel, use_gridspec=is_laid_out(panel))
                settle(self.figure_, [[panel, scale.ax]])


def normalized(counts: np.ndarray, normalize: str | None) -> np.ndarray:
    """Return counts as shares; those of a class that never occurs are 0."""
    if normalize is None:
        return counts
    totals = counts.sum(axis=NORMALIZATIONS[normalize], keepdims=True)
    return np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _count(task: Any, predicted: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the confusion matrix of a task and its classes, with those found beside them."""
    if {_family(part) for part in (task.labels, predicted) if len(part)} - {_family(classes)}:
        raise TaskLayoutError(
            f"Task {task.name!r} has labels of other types than its classes or predictions; pass "
            "labels and predictions of one type."
        )
    found = np.unique(np.concatenate([task.labels, predicted]))
    if not np.isin(found, classes).all():
        classes = np.unique(np.concatenate([classes, found]))
    if len(task.labels) == 0:
        return np.zeros((len(classes), len(classes)), dtype=int), classes
    counts = confusion_matrix(task.labels, predicted, labels=classes, sample_weight=task.weights)
    return counts, classes


def _family(labels: np.ndarray) -> str:
    return "number" if np.asarray(labels).dtype.kind in "biuf" else "text"
