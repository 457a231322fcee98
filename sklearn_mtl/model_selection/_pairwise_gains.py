from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.metrics._metric import TaskMetric
from sklearn_mtl.model_selection._paired_folds import Splits
from sklearn_mtl.model_selection._task_subsets import Subset, TaskSubsets


def pairwise_gains(
    subsets: TaskSubsets,
    splits: Splits,
    metrics: Sequence[TaskMetric | None],
    seed: int,
    n_jobs: int | None,
) -> np.ndarray:
    """Return how much less error each task has when learned with one other, (T, T).

        gain[i, j] = (e_j - e_j with i) / e_j

    with the mean test errors of the same splits and the same seeds. NaN on the diagonal, and where
    a task alone makes no error.
    """
    n_tasks = len(subsets.rows.names)
    alone: list[Subset] = [(t,) for t in range(n_tasks)]
    pairs = list(combinations(range(n_tasks), 2))
    n_splits = len(splits)
    wanted = [(subset, k) for subset in (*alone, *pairs) for k in range(n_splits)]
    errors = subset_errors(subsets, wanted, splits, metrics, seed, n_jobs)

    def mean_error(subset: Subset, place: int) -> float:
        known = [errors[subset, k][place] for k in range(n_splits)]
        return float(np.nanmean(known))

    gain = np.full((n_tasks, n_tasks), np.nan)
    for pair in pairs:
        for helper, helped, place in ((*pair, 1), (*pair[::-1], 0)):
            own = mean_error((helped,), 0)
            if own > 0:
                gain[helper, helped] = (own - mean_error(pair, place)) / own
    return gain


def subset_errors(
    subsets: TaskSubsets,
    wanted: Sequence[tuple[Subset, int]],
    splits: Splits,
    metrics: Sequence[TaskMetric | None],
    seed: int,
    n_jobs: int | None,
) -> dict[tuple[Subset, int], np.ndarray]:
    """Return the test errors (tasks of the subset,) of fits to subsets on numbered splits."""
    found: Any = Parallel(n_jobs=n_jobs)(
        delayed(subsets.errors)(subset, seed, splits[k], metrics) for subset, k in wanted
    )
    return dict(zip(wanted, found, strict=True))
