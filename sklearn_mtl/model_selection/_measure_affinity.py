"""What `task_affinity` and `TaskGrouping` share: the tasks, the splits, and the measures."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sklearn_mtl.metrics._metric import TaskMetric
from sklearn_mtl.model_selection._coefficient_cosines import coefficient_cosines
from sklearn_mtl.model_selection._comparison_rows import ComparisonRows
from sklearn_mtl.model_selection._gradient_affinity import gradient_affinity
from sklearn_mtl.model_selection._paired_folds import Splits, count_labels, make_splits
from sklearn_mtl.model_selection._pairwise_gains import pairwise_gains
from sklearn_mtl.model_selection._task_subsets import TaskSubsets
from sklearn_mtl.tasks._nested import find_task_feature

MEASURES_OF_ONE_FIT: dict[str, Callable[[TaskSubsets, int], np.ndarray]] = {
    "gradient": gradient_affinity,
    "coefficients": coefficient_cosines,
}
METHODS = ("pairwise", *MEASURES_OF_ONE_FIT)


def task_subsets(
    estimator: Any, X: Any, y: Any, sample_weight: Any, task_feature: Any
) -> TaskSubsets:
    """Return the tasks to choose from, in the long form of `task_feature` or of the estimator."""
    task_feature = find_task_feature(estimator, X, task_feature)
    return TaskSubsets(estimator, ComparisonRows.read(X, y, sample_weight, task_feature))


def labelled_splits(subsets: TaskSubsets, cv: Any, rng: np.random.Generator) -> Splits:
    """Return splits, after checks that every task has labels in their parts."""
    splits = make_splits(cv, 1, subsets.rows, None, subsets.estimator, rng)
    count_labels(subsets.rows, splits)
    return splits


def measure_affinity(
    subsets: TaskSubsets,
    method: str,
    splits: Splits,
    metrics: Sequence[TaskMetric | None],
    seed: int,
    n_jobs: int | None,
) -> np.ndarray:
    """Return what a method measures, (T, T); one fit looks at no splits."""
    if method in MEASURES_OF_ONE_FIT:
        return MEASURES_OF_ONE_FIT[method](subsets, seed)
    return pairwise_gains(subsets, splits, metrics, seed, n_jobs)
