from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_mtl.metrics._metric import TaskMetric
from sklearn_mtl.model_selection._paired_folds import Splits
from sklearn_mtl.model_selection._pairwise_gains import subset_errors
from sklearn_mtl.model_selection._task_subsets import Subset, TaskSubsets


@dataclass(frozen=True, eq=False)
class GroupedScores:
    """What numbers of groups gain over one group of all tasks.

    Attributes
    ----------
    n_groups : list of int
        Ascending; the first is 1.
    gains : ndarray of shape (n_candidates, n_splits)
        On each split the mean over tasks of (e_t in one group - e_t) / mean e_t in one group.
    """

    n_groups: list[int]
    gains: np.ndarray

    @property
    def chosen(self) -> int:
        """The place of the fewest groups within one standard error of the best.

        Of the differences to the best, split by split (the rule of Breiman et al., "Classification
        and Regression Trees", 1984, section 3.4.3).
        """
        best = self.gains[np.argmax(self.gains.mean(axis=1))]
        behind = best - self.gains
        error = behind.std(axis=1, ddof=1) / np.sqrt(self.gains.shape[1])
        return int(np.argmax(behind.mean(axis=1) <= error))

    def table(self) -> dict[str, np.ndarray]:
        """Return the scores as ``cv_results_``."""
        result = {
            "n_groups": np.array(self.n_groups),
            "mean_gain": self.gains.mean(axis=1),
            "std_gain": self.gains.std(axis=1),
        }
        return result | {f"split{k}_gain": gains for k, gains in enumerate(self.gains.T)}


def score_numbers(
    subsets: TaskSubsets,
    candidates: Sequence[Sequence[list[Subset]]],
    splits: Splits,
    metrics: Sequence[TaskMetric | None],
    seed: int,
    n_jobs: int | None,
) -> GroupedScores:
    """Cross-validate numbers of groups; each group of tasks is fitted once a split.

    Parameters
    ----------
    candidates : list over splits of list over numbers of groups of partition
        The first of each is one group.
    """
    n_tasks, n_candidates = len(subsets.rows.names), len(candidates[0])
    groups = [{group for groups in own for group in groups} for own in candidates]
    wanted = [(group, k) for k, own in enumerate(groups) for group in sorted(own)]
    found = subset_errors(subsets, wanted, splits, metrics, seed, n_jobs)
    errors = np.full((n_candidates, n_tasks, len(splits)), np.nan)
    for k, own in enumerate(candidates):
        for c, partition in enumerate(own):
            for group in partition:
                errors[c, list(group), k] = found[group, k]
    level = np.nanmean(errors[0], axis=1)[:, None]
    relative = (errors[0] - errors) / np.where(level > 0, level, np.nan)
    # a task without an error in one group, or without a label in a test part, has no say there
    known = ~np.isnan(relative[0])
    gains = np.where(known, relative, 0.0).sum(axis=1) / np.maximum(known.sum(axis=0), 1)
    return GroupedScores([len(partition) for partition in candidates[0]], gains)
