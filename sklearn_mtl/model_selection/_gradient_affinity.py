import numpy as np
from sklearn.base import clone

from sklearn_mtl.model_selection._task_subsets import TaskSubsets
from sklearn_mtl.tasks._nested import innermost

# a measured step has 2 T more passes: one in ten keeps ten tasks within a few times the training
EVERY = 10
_PARAMETER = "task_affinity_every"


def gradient_affinity(subsets: TaskSubsets, seed: int) -> np.ndarray:
    """Return what a network measured while it was fitted, averaged over epochs, (T, T).

    NaN for pairs without a batch that has labels of both.
    """
    inner = innermost(subsets.estimator)
    name = type(inner.estimator).__name__
    key = f"{inner.prefix}{_PARAMETER}"
    if _PARAMETER not in inner.estimator.get_params(deep=False):
        raise ValueError(
            "method='gradient' asks a network how steps for one task change the losses of others, "
            f"but {name} has no parameter {_PARAMETER!r}; pass a MultiTaskRegressor, "
            "MultiTaskClassifier or MultiTaskEstimator, alone or at the end of a pipeline or in a "
            "search, or use method='pairwise'."
        )
    every = inner.parameter(_PARAMETER) or EVERY
    asking = TaskSubsets(clone(subsets.estimator).set_params(**{key: every}), subsets.rows)
    model = asking.fit(tuple(range(len(subsets.rows.names))), seed)
    history = innermost(model, fitted=True).estimator.history_
    if "task_affinity" not in history:
        raise ValueError(
            f"The training of {name} ended before step {every}, the first to be measured; set "
            f"{_PARAMETER}=1."
        )
    measured = history["task_affinity"]
    count = np.isfinite(measured).sum(axis=0)
    return np.nansum(measured, axis=0) / np.where(count > 0, count, np.nan)
