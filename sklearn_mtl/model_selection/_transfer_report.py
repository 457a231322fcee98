from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sklearn_mtl.metrics._gain import HELPED, HURT, UNDECIDED, flags
from sklearn_mtl.utils._pandas import require_pandas
from sklearn_mtl.utils._validation import plain

MOST_SHOWN = 24  # tasks in the printed table; of more, those with the greatest and least gains
N_HEAD = 12  # of them with the greatest


@dataclass(frozen=True, eq=False, repr=False)
class TransferReport:
    """Whom sharing helps and whom it hurts, as :func:`transfer_report` found.

    Prints as a table, the greatest gain first.

    Attributes
    ----------
    task_names : list of T names
    n_observed : ndarray of shape (T,)
        Observed labels.
    baseline_scores, multitask_scores : ndarray of shape (T, n_splits)
        In the units of `scoring`: greater is better, so errors are negative. NaN where a task has
        no label in the test part of a split, or its score is not defined there.
    gain : ndarray of shape (T,)
        Relative to the baseline's mean error: 0.1 is 10 % less error. NaN for tasks on which the
        baseline makes no error, or that are scored on fewer than two splits.
    low, high : ndarray of shape (T,)
        The interval of `gain`.
    level : float
        One minus the confidence of intervals; a task without gain is flagged "helped" with
        probability level / 2, and "hurt" with as much.
    delta_m : float
        The mean of `gain` over tasks.
    delta_m_interval : tuple (low, high)
    fit_time_ratio : float
        Seconds of a multi-task fit over those of a baseline fit: medians over splits, in one run.
    title : str
        What was compared, on how many splits and by which scores.
    flag : list of T str
        "helped" where low > 0, "hurt" where high < 0, else "undecided".
    share_helped, share_hurt : float
        Shares of tasks with that flag.
    mean_rank : float
        Mean over tasks of the multi-task estimator's rank by mean score, among the two: 1 where
        it is better, 2 where the baseline is, 1.5 for ties. Tasks without a score do not count.

    See Also
    --------
    transfer_report : Makes it.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import LowRankRegressor, transfer_report
    >>> X, y = load_linnerud(return_X_y=True)
    >>> report = transfer_report(LowRankRegressor(alpha=10.0), X, y, random_state=0)
    >>> report.flag
    ['undecided', 'undecided', 'undecided']
    >>> list(report.to_frame().columns)
    ['n_observed', 'baseline', 'multitask', 'gain', 'low', 'high', 'flag']
    """

    task_names: list[Hashable]
    n_observed: np.ndarray
    baseline_scores: np.ndarray
    multitask_scores: np.ndarray
    gain: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float
    delta_m: float
    delta_m_interval: tuple[float, float]
    fit_time_ratio: float
    title: str = field(default="")

    @property
    def flag(self) -> list[str]:
        """What is said of each task."""
        return flags(self.low, self.high)

    @property
    def share_helped(self) -> float:
        """Share of tasks flagged "helped"."""
        return self.flag.count(HELPED) / len(self.task_names)

    @property
    def share_hurt(self) -> float:
        """Share of tasks flagged "hurt"."""
        return self.flag.count(HURT) / len(self.task_names)

    @property
    def mean_rank(self) -> float:
        """Mean rank of the multi-task estimator."""
        better = _means(self.multitask_scores - self.baseline_scores)
        return float(np.nanmean(1.5 - 0.5 * np.sign(better)))

    def to_frame(self) -> Any:
        """Return a row a task.

        Returns
        -------
        frame : pandas.DataFrame
            Index: task names. Columns: n_observed, baseline and multitask (mean scores), gain,
            low, high, flag.
        """
        pd = require_pandas("TransferReport.to_frame")
        return pd.DataFrame(
            {
                "n_observed": self.n_observed,
                "baseline": _means(self.baseline_scores),
                "multitask": _means(self.multitask_scores),
                "gain": self.gain,
                "low": self.low,
                "high": self.high,
                "flag": self.flag,
            },
            index=pd.Index(self.task_names, name="task", tupleize_cols=False),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw each task's gain with its interval.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : TransferGainDisplay
        """
        from sklearn_mtl.inspection import TransferGainDisplay

        return TransferGainDisplay.from_report(self, ax=ax)

    # -- as text --------------------------------------------------------------------------------

    def __repr__(self) -> str:
        n_tasks, n_flags = len(self.task_names), self.flag.count
        low, high = self.delta_m_interval
        lines = [self.title, "", *self._table(), ""]
        lines.append(
            f"mean gain (delta_m) {_percent(self.delta_m)} "
            f"[{_percent(low)}, {_percent(high)}]; {n_flags(HELPED)} helped, {n_flags(HURT)} hurt, "
            f"{n_flags(UNDECIDED)} undecided of {n_tasks} task(s)"
        )
        lines.append(
            f"mean rank {self.mean_rank:.2f} (1: always better than the baseline, 2: worse); "
            f"fit time {self.fit_time_ratio:.2g} x baseline"
        )
        lines.append(
            f"By luck alone, {n_tasks * self.level / 2:.2g} of {n_tasks} task(s) without any gain "
            "would be flagged helped, and as many hurt."
        )
        return "\n".join(lines)

    def _table(self) -> list[str]:
        confidence = f"{100 * (1 - self.level):g} % interval"
        heads = ("task", "observed", "baseline (sd)", "multi-task (sd)", "gain", confidence, "flag")
        # NaN gains, of tasks that cannot be compared, come last
        order = np.argsort(-self.gain, kind="stable")
        cells = [heads, *(self._cells(t) for t in order[:N_HEAD])]
        tail = order[N_HEAD:]
        if len(order) > MOST_SHOWN:
            n_tail = MOST_SHOWN - N_HEAD
            cells.append(("…", "", "", "", "", "", f"({len(order) - MOST_SHOWN} more)"))
            tail = order[-n_tail:]
        cells += [self._cells(t) for t in tail]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return ["  ".join(_align(row, widths)).rstrip() for row in cells]

    def _cells(self, t: int) -> tuple[str, ...]:
        return (
            str(plain(self.task_names[t])),
            str(int(self.n_observed[t])),
            _mean_and_spread(self.baseline_scores[t]),
            _mean_and_spread(self.multitask_scores[t]),
            _percent(self.gain[t]),
            f"[{_percent(self.low[t])}, {_percent(self.high[t])}]",
            self.flag[t],
        )


def _means(scores: np.ndarray) -> np.ndarray:
    """Return the mean score of each task, NaN for a task without any."""
    told = ~np.isnan(scores)
    counts = told.sum(axis=1)
    sums = np.where(told, scores, 0.0).sum(axis=1)
    return np.divide(sums, counts, out=np.full(len(scores), np.nan), where=counts > 0)


def _align(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """Text to the left, numbers to the right."""
    last = len(row) - 1
    return [
        cell.ljust(width) if j in (0, last) else cell.rjust(width)
        for j, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _percent(share: float) -> str:
    return f"{100 * share:+.1f} %"


def _mean_and_spread(scores: np.ndarray) -> str:
    told = scores[~np.isnan(scores)]
    if len(told) < 2:
        return f"{told[0]:.4g}" if len(told) else "nan"
    return f"{told.mean():.4g} ({told.std(ddof=1):.2g})"
