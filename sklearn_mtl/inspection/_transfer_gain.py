from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np

from sklearn_mtl.inspection._make_room import settle
from sklearn_mtl.inspection._matplotlib import require_matplotlib
from sklearn_mtl.inspection._name_some import name_some_tasks
from sklearn_mtl.inspection._paired_gain import paired_gain
from sklearn_mtl.inspection._palette import BLUE, GREY, VERMILION, neutral_color
from sklearn_mtl.inspection._panels import axes_grid
from sklearn_mtl.inspection._read_tasks import read_predictions
from sklearn_mtl.inspection._task_labels import POINTS, AxisNames, label_axes
from sklearn_mtl.metrics._gain import HELPED, HURT, UNDECIDED, check_level, flags
from sklearn_mtl.utils._validation import check_option, listing

# shapes say what colours say: triangles point where errors went
STYLES = {HELPED: ("^", BLUE), UNDECIDED: ("o", GREY), HURT: ("v", VERMILION)}
EXTREMES = 20  # tasks named where not all can be, and all that are flagged
FEW = 40  # tasks whose bars are thick, and all within the axis
INTERVALS_SHOWN = 0.95  # of the intervals of more tasks; the longest would squeeze the others
PERCENTAGE = 50.0  # points from one on the axis to the next
LABELS = "Observed labels"
ARROWS = ("<", ">")  # where a bar goes on beyond the left, or the right, end of the axis


class TransferGainDisplay:
    """What each task gains from sharing, with intervals, the tasks of fewest labels on top.

    A gain of 10 % is 10 % less error than the single-task baseline makes; tasks left of 0 are
    better off alone. Tasks whose interval excludes 0 are flagged. Of more than 40 tasks the axis
    leaves out the ends of the longest intervals; their bars end in arrow heads.

    It is recommended to use `from_estimator` or `from_report`. All parameters are stored as
    attributes.

    Parameters
    ----------
    gain, low, high : array-like of shape (T,)
        Relative gains and the ends of their intervals: 0.1 is 10 %. NaN where there is none.
    task_names : sequence of T names
    n_observed : array-like of shape (T,), default=None
        Labels of each task, to sort by. None keeps the order of tasks.
    flag : sequence of T of {"helped", "hurt", "undecided"}, default=None
        None for what the intervals say.

    Attributes
    ----------
    order_ : ndarray of shape (T,)
        Tasks from top to bottom.
    points_ : dict from flag to matplotlib PathCollection
    bars_ : dict from flag to matplotlib LineCollection
    arrows_ : list of two matplotlib PathCollection
        Heads of bars that go beyond the left, and the right, end of the axis.
    line_ : matplotlib Line2D
        No gain.
    legend_ : matplotlib Legend
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError
        Lengths that differ, or an unknown flag.

    See Also
    --------
    transfer_report : The numbers.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_mtl import TransferGainDisplay
    >>> display = TransferGainDisplay(
    ...     [0.2, -0.1], [0.05, -0.3], [0.35, 0.1], task_names=["north", "south"]
    ... )
    >>> display.plot()
    <...>
    >>> plt.show()
    """

    def __init__(
        self,
        gain: Any,
        low: Any,
        high: Any,
        *,
        task_names: Sequence[Hashable],
        n_observed: Any = None,
        flag: Sequence[str] | None = None,
    ) -> None:
        self.gain = gain
        self.low = low
        self.high = high
        self.task_names = task_names
        self.n_observed = n_observed
        self.flag = flag

    def plot(self, ax: Any = None) -> Self:
        """Draw gains and intervals.

        Where not all names fit, those of flagged tasks are shown first, then those of the largest
        gains and losses.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        self : TransferGainDisplay
        """
        require_matplotlib("TransferGainDisplay.plot")
        from matplotlib.ticker import PercentFormatter

        gain, low, high, counts, flags = self._checked()
        n_tasks = len(gain)
        self.order_ = np.arange(n_tasks) if counts is None else np.argsort(counts, kind="stable")
        place = np.argsort(self.order_)
        self.figure_, grid = axes_grid(
            1, ax, panel_size=(6.4, float(np.clip(1.4 + 0.3 * n_tasks, 2.4, 10.0)))
        )
        self.ax_ = ax = grid[0, 0]
        self.line_ = ax.axvline(0.0, color=neutral_color(), linewidth=1.0)
        few = n_tasks <= FEW
        self.points_, self.bars_ = {}, {}
        for name, (marker, color) in STYLES.items():
            here = np.flatnonzero(flags == name)
            self.bars_[name] = ax.hlines(
                place[here], low[here], high[here], color=color, linewidth=2.0 if few else 0.8
            )
            self.points_[name] = ax.scatter(
                gain[here],
                place[here],
                s=36 if few else 14,
                marker=marker,
                color=color,
                zorder=3,
                label=f"{name} ({len(here)})",
            )
        ax.set_xlim(_limits(gain, low, high))
        ax.set_ylim(n_tasks - 0.4, -0.6)
        left, right = ax.get_xlim()
        colors = np.array([STYLES[flag][1] for flag in flags])
        self.arrows_ = [
            ax.scatter(
                np.full(beyond.sum(), end),
                place[beyond],
                s=36 if few else 14,
                marker=marker,
                color=colors[beyond],
                clip_on=False,
            )
            for marker, end, beyond in zip(
                ARROWS, (left, right), (low < left, high > right), strict=True
            )
        ]
        wide = np.ptp(ax.get_xlim()) > 0.1
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if wide else None))
        ax.set_xlabel("Gain: less error than the baseline")
        ax.spines[["top", "right"]].set_visible(False)
        self.legend_ = ax.legend(
            loc="lower right",  # above the names too, where the axes are narrow
            bbox_to_anchor=(1.0, 1.0),
            ncols=len(STYLES),
            columnspacing=1.0,
            handletextpad=0.2,
            fontsize="small",
            frameon=False,
        )
        self._name_tasks(gain, counts, flags)
        return self

    def _name_tasks(self, gain: np.ndarray, counts: np.ndarray | None, flags: np.ndarray) -> None:
        from matplotlib.ticker import MaxNLocator

        ordered = [list(self.task_names)[t] for t in self.order_]
        named, group = [AxisNames(self.ax_.yaxis, ordered)], [self.ax_]
        if counts is not None:
            beside = self.ax_.twinx()
            beside.set_ylim(self.ax_.get_ylim())
            beside.spines[["top", "right"]].set_visible(False)
            beside.tick_params(length=0)
            words = [f"{counts[t]:g}" for t in self.order_]
            named.append(AxisNames(beside.yaxis, words, title=LABELS))
            group.append(beside)
        shown = label_axes(named, [group])[0]
        if counts is not None:
            beside.set_ylabel(LABELS)  # that some are left out goes without saying
        if len(shown) < len(ordered):
            size = np.abs(np.nan_to_num(gain))
            flagged = flags != UNDECIDED
            name_some_tasks(
                self.ax_.yaxis,
                ordered,
                np.where(flagged, 1.0 + size.max() + size, size)[self.order_],
                most=max(EXTREMES, int(flagged.sum())),
            )
            settle(self.figure_, [group])
        width = self.ax_.get_window_extent().width * POINTS / self.figure_.dpi
        most = int(np.clip(width / PERCENTAGE, 2, 6))
        self.ax_.xaxis.set_major_locator(MaxNLocator(most))

    @classmethod
    def from_report(cls, report: Any, ax: Any = None) -> Self:
        """Show a report.

        Parameters
        ----------
        report : TransferReport
            What `transfer_report` returned.
        ax : matplotlib Axes, default=None

        Returns
        -------
        display : TransferGainDisplay
        """
        require_matplotlib("TransferGainDisplay.from_report")
        return cls(
            report.gain,
            report.low,
            report.high,
            task_names=report.task_names,
            n_observed=report.n_observed,
            flag=report.flag,
        ).plot(ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        baseline: Any = None,
        cv: Any = 5,
        n_repeats: int | None = None,
        scoring: Any = None,
        level: float = 0.05,
        random_state: Any = None,
        n_jobs: int | None = None,
        ax: Any = None,
    ) -> Self:
        """Compare an estimator with its single-task baseline by `transfer_report`, and show it.

        Parameters
        ----------
        estimator : estimator
            Need not be fitted: clones of it are.
        X, y : what its ``fit`` takes
        baseline, cv, n_repeats, scoring, level, random_state, n_jobs : as in `transfer_report`
            Which has more options; show its report by `from_report`.
        ax : matplotlib Axes, default=None

        Returns
        -------
        display : TransferGainDisplay
        """
        require_matplotlib("TransferGainDisplay.from_estimator")
        from sklearn_mtl.model_selection import transfer_report

        report = transfer_report(
            estimator,
            X,
            y,
            baseline=baseline,
            cv=cv,
            n_repeats=n_repeats,
            scoring=scoring,
            level=level,
            random_state=random_state,
            n_jobs=n_jobs,
        )
        return cls.from_report(report, ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        y_pred_baseline: Any,
        *,
        level: float = 0.05,
        tasks: Any = None,
        task_kinds: Any = None,
        ax: Any = None,
    ) -> Self:
        """Compare two sets of predictions of the same held-out labels.

        Root mean squared errors are compared for regression tasks, shares of wrong labels for
        classification tasks. Intervals are those of a paired t-test over labels: they say how
        the two models at hand would do on other rows, if rows are independent, and nothing of
        models fitted to other rows. `from_estimator` does.

        Parameters
        ----------
        y_true : array-like of shape (n,) or (n, T), DataFrame, dict or MultiTaskTarget
            Labels that are missing do not count.
        y_pred, y_pred_baseline : any of those containers
            Predictions of the multi-task model and of the baseline.
        level : float, default=0.05
            One minus the confidence of intervals.
        tasks : array-like of shape (n,), default=None
            Long form: the task of each row of a one-dimensional `y_true`.
        task_kinds : {"regression", "classification"} or dict name -> one of these, default=None
            For tasks whose labels say otherwise.
        ax : matplotlib Axes, default=None

        Returns
        -------
        display : TransferGainDisplay
        """
        require_matplotlib("TransferGainDisplay.from_predictions")
        check_level(level)
        shared, kinds = read_predictions(y_true, y_pred, tasks=tasks, task_kinds=task_kinds)
        alone, _ = read_predictions(y_true, y_pred_baseline, tasks=tasks, task_kinds=task_kinds)
        found = [
            paired_gain(
                labels.labels, shared.get("predict", t), alone.get("predict", t), kind, level
            )
            for t, (labels, kind) in enumerate(zip(shared.true.tasks, kinds, strict=True))
        ]
        gain, low, high = np.array(found).T
        counts = [len(labels.rows) for labels in shared.true.tasks]
        return cls(gain, low, high, task_names=shared.true.names, n_observed=counts).plot(ax)

    def _checked(self) -> tuple[Any, ...]:
        """Return gains, ends, counts (or None) and flags as arrays of one length."""
        names = list(self.task_names)
        columns = {
            name: np.asarray(getattr(self, name), dtype=np.float64)
            for name in ("gain", "low", "high", "n_observed")
            if getattr(self, name) is not None
        }
        for name, values in columns.items():
            if values.shape != (len(names),):
                raise ValueError(
                    f"{name} must have one number for each of {len(names)} tasks "
                    f"({listing(names, 4)}), found shape {values.shape}."
                )
        gain, low, high = columns["gain"], columns["low"], columns["high"]
        if self.flag is None:
            said = flags(low, high)
        else:
            said = list(self.flag)
            for word in said:
                check_option(word, STYLES, parameter="flag", owner="TransferGainDisplay")
            if len(said) != len(names):
                raise ValueError(f"flag has {len(said)} words for {len(names)} tasks.")
        return gain, low, high, columns.get("n_observed"), np.array(said, dtype=object)


def _limits(gain: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Return ends of the axis that show all gains, 0, and all intervals of few tasks."""
    points = np.append(gain[np.isfinite(gain)], 0.0)
    lows, highs = low[np.isfinite(low)], high[np.isfinite(high)]
    shown = 1.0 if len(gain) <= FEW else INTERVALS_SHOWN
    left = min([points.min(), *np.quantile(lows, [1 - shown])] if len(lows) else points)
    right = max([points.max(), *np.quantile(highs, [shown])] if len(highs) else points)
    room = 0.05 * (right - left) or 0.05
    return float(left - room), float(right + room)
