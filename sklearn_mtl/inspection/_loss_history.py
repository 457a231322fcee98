from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.inspection._matplotlib import require_matplotlib
from sklearn_mtl.inspection._palette import (
    BLUE,
    CATEGORIES,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILION,
    category_color,
    neutral_color,
)
from sklearn_mtl.inspection._panels import axes_grid, check_most, is_laid_out, panels_of
from sklearn_mtl.inspection._task_labels import short_names
from sklearn_mtl.tasks._nested import find_owner
from sklearn_mtl.utils._validation import check_tasks, listing

# as many lines as there are colours to tell them apart by
MAX_LINES = len(CATEGORIES)
TRAIN, VALIDATION, WEIGHT = "train", "validation", "weight"
# of many tasks
N_WORST, N_BEST = 3, 1
BANDS = {TRAIN: ORANGE, VALIDATION: BLUE, WEIGHT: GREY}
NAMED = (VERMILION, PURPLE, SKY_BLUE, GREEN)


class LossHistoryDisplay:
    """Losses of each task by epoch, with the weights of the tasks below.

    A few tasks are a line each. Of many, each part (train, validation) shows the median over tasks
    and the bands that hold the middle 50 % and 80 % of them; the tasks that end worst and best
    are named.

    Parameters
    ----------
    train : ndarray of shape (T, n_epochs)
        Mean training loss of each task in each epoch.
    validation : ndarray of shape (T, n_epochs), default=None
        The same on rows held out.
    weight : ndarray of shape (T, n_epochs), default=None
        What each task's loss was multiplied by.
    task_names : sequence of T names
    best_epoch : int, default=None
        The epoch whose weights were kept; the first is 1.

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (2, 1), or (1, 1) without weights
        The panel of losses, and that of weights.
    figure_ : Figure
    lines_ : dict {"train", "validation", "weight"} -> list of Line2D
        A line a task; for many tasks the median, and lines of tasks that are named.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import LossHistoryDisplay, MultiTaskRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 3))
    >>> model = MultiTaskRegressor(max_epochs=3, random_state=0).fit(X, X @ rng.normal(size=(3, 2)))
    >>> display = LossHistoryDisplay.from_estimator(model)
    >>> display.train.shape, display.task_names
    ((2, 3), ['task0', 'task1'])
    """

    def __init__(
        self,
        train: np.ndarray,
        validation: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        *,
        task_names: Sequence[Hashable],
        best_epoch: int | None = None,
    ) -> None:
        self.train = train
        self.validation = validation
        self.weight = weight
        self.task_names = task_names
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, max_lines: int = MAX_LINES, ax: Any = None
    ) -> "LossHistoryDisplay":
        """Plot the ``history_`` of a fitted network.

        Parameters
        ----------
        estimator : MultiTaskRegressor, MultiTaskClassifier or MultiTaskEstimator
            Fitted, or inside a fitted pipeline or search.
        max_lines, ax
            As for `plot`.

        Returns
        -------
        display : LossHistoryDisplay

        Raises
        ------
        NotFittedError
            No ``history_``: not fitted, or no network.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        network = find_owner(estimator, "history_")
        if network is None:
            raise NotFittedError(
                f"{cls.__name__}.from_estimator needs a fitted network, whose history_ it shows; "
                f"{type(estimator).__name__} has none and contains none."
            )
        display = cls._from_parts(network.history_, getattr(network, "best_epoch_", None))
        return display.plot(ax, max_lines=max_lines)

    @classmethod
    def from_history(
        cls, history: Mapping[str, Any], *, max_lines: int = MAX_LINES, ax: Any = None
    ) -> "LossHistoryDisplay":
        """Plot what the ``history_`` of a network holds.

        Parameters
        ----------
        history : dict
            "train", and where known "validation" and "weight": dict task name -> (n_epochs,).
            The epoch of the least "validation_loss" is marked, if that is there.
        max_lines, ax
            As for `plot`.

        Returns
        -------
        display : LossHistoryDisplay

        Raises
        ------
        TaskLayoutError
            No "train", or entries whose tasks or epochs differ.
        """
        require_matplotlib(f"{cls.__name__}.from_history")
        total = np.asarray(history.get("validation_loss", []), dtype=np.float64)
        best = int(np.nanargmin(total)) + 1 if np.isfinite(total).any() else None
        return cls._from_parts(history, best).plot(ax, max_lines=max_lines)

    @classmethod
    def _from_parts(
        cls, history: Mapping[str, Any], best_epoch: int | None
    ) -> "LossHistoryDisplay":
        if TRAIN not in history:
            raise TaskLayoutError(
                f"history must have '{TRAIN}', the losses of each task; it has {listing(history)}."
            )
        names = list(history[TRAIN])
        tables = {key: _table(history, key, names) for key in (TRAIN, VALIDATION, WEIGHT)}
        shapes = {table.shape for table in tables.values() if table is not None}
        if len(shapes) > 1:
            found = {key: table.shape[1] for key, table in tables.items() if table is not None}
            raise TaskLayoutError(
                f"The entries of history must be of the same epochs, found numbers of them {found}."
            )
        return cls(
            *tables.values(),  # type: ignore[arg-type]
            task_names=names,
            best_epoch=best_epoch,
        )

    def plot(self, ax: Any = None, *, max_lines: int = MAX_LINES) -> "LossHistoryDisplay":
        """Draw the display.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            One Axes is replaced by two panels in its place (one if there are no weights), or pass
            both. None makes a figure.
        max_lines : int, default=6
            More tasks than these are shown by bands; 0 always does.

        Returns
        -------
        display : LossHistoryDisplay
        """
        owner = f"{type(self).__name__}.plot"
        require_matplotlib(owner)
        check_most(max_lines, "max_lines", owner)
        parts = {TRAIN: self.train, VALIDATION: self.validation}
        losses = {key: table for key, table in parts.items() if table is not None}
        weight = np.array([]) if self.weight is None else self.weight
        has_weights = np.isfinite(weight).any()
        self.figure_, self.axes_ = axes_grid(
            1 + has_weights,
            ax,
            n_columns=1,
            panel_size=(7.5, 2.4 if has_weights else 4.0),
            height_ratios=(2.0, 1.0) if has_weights else None,
        )
        panels = panels_of(self.axes_)
        draw = self._draw_lines if len(self.task_names) <= max_lines else self._draw_bands
        self.lines_: dict[str, list[Any]] = {}
        _write_legend(panels[0], draw(panels[0], losses))
        panels[0].set_ylabel("loss")
        if has_weights:
            draw(panels[1], {WEIGHT: weight})  # in the colours of the losses
            panels[1].set_ylabel("weight")
            panels[0].tick_params(labelbottom=False)
        for panel in panels:
            panel.set_xlim(panels[0].get_xlim())
            panel.xaxis.get_major_locator().set_params(integer=True)
            if self.best_epoch is not None:
                panel.axvline(self.best_epoch, color=neutral_color(), linewidth=1.0, linestyle=":")
        if self.best_epoch is not None:
            panels[0].set_title(f"best epoch (dotted): {self.best_epoch}", fontsize=9)
        panels[-1].set_xlabel("epoch")
        return self

    def _draw_lines(self, panel: Any, tables: Mapping[str, np.ndarray]) -> list[tuple[Any, str]]:
        """Draw a line a task: a colour each, training losses dashed beside those of validation.

        Returns
        -------
        entries : list of (Line2D, str)
            For a legend: a task each, and the parts where there are two.
        """
        from matplotlib.lines import Line2D

        epochs = np.arange(1, self.train.shape[1] + 1)
        styles: dict[str, Any] = {}
        if VALIDATION in tables:
            styles = {TRAIN: "--", VALIDATION: "-"}
        for part, table in tables.items():
            style = styles.get(part, "-")
            self.lines_[part] = [
                panel.plot(epochs, row, style, color=category_color(t), **_marked(epochs))[0]
                for t, row in enumerate(table)
            ]
        of_tasks = [
            (Line2D([], [], color=category_color(t)), name)
            for t, name in enumerate(short_names(self.task_names))
        ]
        of_parts = [
            (Line2D([], [], color=GREY, linestyle=style), part) for part, style in styles.items()
        ]
        return of_tasks + of_parts

    def _draw_bands(self, panel: Any, tables: Mapping[str, np.ndarray]) -> list[tuple[Any, str]]:
        """Draw quantiles over tasks, and lines of the tasks that end worst and best.

        Returns
        -------
        entries : list of (Line2D, str)
            For a legend.
        """
        epochs = np.arange(1, self.train.shape[1] + 1)
        entries = []
        for part, table in tables.items():
            low, lower, median, upper, high = _quantiles(table)
            panel.fill_between(epochs, low, high, color=BANDS[part], alpha=0.2, linewidth=0)
            panel.fill_between(epochs, lower, upper, color=BANDS[part], alpha=0.35, linewidth=0)
            self.lines_[part] = panel.plot(epochs, median, color=BANDS[part], **_marked(epochs))
            entries.append((self.lines_[part][0], f"{part}: median, 50 %, 80 %"))
        part = VALIDATION if VALIDATION in tables else next(iter(tables))
        texts = short_names(self.task_names)
        for t, color in zip(self._extremes(), NAMED, strict=False):
            row = tables[part][t]
            (line,) = panel.plot(epochs, row, color=color, linewidth=0.9, **_marked(epochs))
            self.lines_[part].append(line)
            entries.append((line, f"{part}: {texts[t]}"))
        return entries

    def _extremes(self) -> np.ndarray:
        """Return the tasks with the greatest and the least loss at the end that was kept."""
        table = self.train if self.validation is None else self.validation
        last = table.shape[1] if self.best_epoch is None else self.best_epoch
        order = np.argsort(-table[:, last - 1], kind="stable")
        return np.concat([order[:N_WORST], order[N_WORST:][-N_BEST:]])


def _table(history: Mapping[str, Any], key: str, names: Sequence[Hashable]) -> np.ndarray | None:
    """Return an entry of history as an array (T, n_epochs), None where there is none."""
    if key not in history:
        return None
    check_tasks(history[key], names, f"history[{key!r}]")
    absent = [name for name in names if name not in history[key]]
    if absent:
        raise TaskLayoutError(
            f"history[{key!r}] lacks the task(s) {listing(absent)} of history['{TRAIN}']."
        )
    rows = [np.asarray(history[key][name], dtype=np.float64) for name in names]
    if len({row.shape for row in rows}) != 1 or rows[0].ndim != 1:
        raise TaskLayoutError(
            f"history[{key!r}] must have one number an epoch for each task, found shapes "
            f"{listing({row.shape for row in rows})}."
        )
    return np.stack(rows)


def _quantiles(table: np.ndarray) -> np.ndarray:
    """Return 10, 25, 50, 75 and 90 % quantiles over tasks; NaN in epochs that know none."""
    found = np.full((5, table.shape[1]), np.nan)
    known = np.isfinite(table).any(axis=0)
    if known.any():
        found[:, known] = np.nanquantile(table[:, known], (0.1, 0.25, 0.5, 0.75, 0.9), axis=0)
    return found


def _marked(epochs: np.ndarray) -> dict[str, Any]:
    # a line of one point is invisible
    return {"marker": "o", "markersize": 4.0} if len(epochs) == 1 else {}


def _write_legend(panel: Any, entries: Sequence[tuple[Any, str]]) -> None:
    """Write a legend beside the panel where a layout makes room, else inside."""
    place: dict[str, Any] = {"loc": "best"}
    if is_laid_out(panel):
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    lines, words = zip(*entries, strict=True)
    # matplotlib refuses entries that begin with an underscore, as a task's name may
    legend = panel.legend(lines, ["-"] * len(lines), fontsize=8, **place)
    for text, word in zip(legend.get_texts(), words, strict=True):
        text.set_text(word)
