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
    a task alone makes no error or has no label in any test part.
    """
    n_tasks = len(subsets.rows.names)
    alone: list[Subset] = [(t,) for t in range(n_tasks)]
    pairs = list(combinations(range(n_tasks), 2))
    errors = subset_errors(subsets, [*alone, *pairs], splits, metrics, seed, n_jobs)
    gain = np.full((n_tasks, n_tasks), np.nan)
    for pair in pairs:
        for helper, helped, place in ((0, 1, 1), (1, 0, 0)):
            own = errors[(pair[helped],)][0]
            if (mean := _mean(own)) > 0:
                gain[pair[helper], pair[helped]] = (mean - _mean(errors[pair][place])) / mean
    return gain


def subset_errors(
    subsets: TaskSubsets,
    wanted: Sequence[Subset],
    splits: Splits,
    metrics: Sequence[TaskMetric | None],
    seed: int,
    n_jobs: int | None,
) -> dict[Subset, np.ndarray]:
    """Return the test errors (n_tasks in it, n_splits) of the estimator fitted to each subset."""
    found: Any = Parallel(n_jobs=n_jobs)(
        delayed(subsets.errors)(subset, seed, split, metrics)
        for subset in wanted
        for split in splits
    )
    return {
        subset: np.array(found[k * len(splits) : (k + 1) * len(splits)]).T
        for k, subset in enumerate(wanted)
    }


def _mean(errors: np.ndarray) -> float:
    known = errors[~np.isnan(errors)]
    return float(known.mean()) if len(known) else np.nan
