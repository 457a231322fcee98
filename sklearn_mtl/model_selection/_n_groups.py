from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.metrics._metric import TaskMetric
from sklearn_mtl.model_selection._paired_folds import Splits
from sklearn_mtl.model_selection._pairwise_gains import subset_errors
from sklearn_mtl.model_selection._task_subsets import Subset, TaskSubsets


@dataclass(frozen=True, eq=False)
class GroupedScores:
    """What partitions gain over one group of all tasks.

    Attributes
    ----------
    partitions : list of list of tuple of task numbers
        From the fewest groups to the most; the first is one group.
    gains : ndarray of shape (n_partitions, n_splits)
        On each split the mean over tasks of (e_t in one group - e_t) / mean e_t in one group.
    """

    partitions: list[list[Subset]]
    gains: np.ndarray

    @property
    def chosen(self) -> int:
        """The partition of fewest groups within one standard error of the best.

        Of the differences to the best, split by split.
        """
        best = self.gains[np.argmax(self.gains.mean(axis=1))]
        behind = best - self.gains
        error = behind.std(axis=1, ddof=1) / np.sqrt(self.gains.shape[1])
        return int(np.argmax(behind.mean(axis=1) <= error))

    def table(self, subsets: TaskSubsets) -> dict[str, Any]:
        """Return the scores as ``cv_results_``."""
        n_splits = self.gains.shape[1]
        result: dict[str, Any] = {
            "n_groups": np.array([len(groups) for groups in self.partitions]),
            "groups": [[subsets.names(group) for group in groups] for groups in self.partitions],
            "mean_gain": self.gains.mean(axis=1),
            "std_gain": self.gains.std(axis=1),
        }
        return result | {f"split{k}_gain": self.gains[:, k] for k in range(n_splits)}


def score_partitions(
    subsets: TaskSubsets,
    partitions: Sequence[list[Subset]],
    splits: Splits,
    metrics: Sequence[TaskMetric | None],
    seed: int,
    n_jobs: int | None,
) -> GroupedScores:
    """Cross-validate partitions, each group of tasks fitted once a split wherever it appears."""
    n_tasks = len(subsets.rows.names)
    wanted = sorted({group for groups in partitions for group in groups})
    found = subset_errors(subsets, wanted, splits, metrics, seed, n_jobs)
    errors = np.full((len(partitions), n_tasks, len(splits)), np.nan)
    for k, groups in enumerate(partitions):
        for group in groups:
            errors[k, list(group)] = found[group]
    level = np.nanmean(errors[0], axis=1)[:, None]
    relative = (errors[0] - errors) / np.where(level > 0, level, np.nan)
    # a task without an error in one group, or without a label in a test part, has no say there
    known = ~np.isnan(relative[0])
    gains = np.where(known, relative, 0.0).sum(axis=1) / np.maximum(known.sum(axis=0), 1)
    return GroupedScores(list(partitions), gains)
