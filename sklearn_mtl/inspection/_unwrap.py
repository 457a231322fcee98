from typing import Any


def find_owner(estimator: Any, attribute: str) -> Any:
    """Return the estimator that has a fitted attribute: this one, or one it wraps.

    Pipelines are followed to their last step, searches to their best estimator.

    Returns
    -------
    owner : estimator or None
    """
    while estimator is not None and not hasattr(estimator, attribute):
        steps = getattr(estimator, "steps", None)
        if steps:
            estimator = steps[-1][1]
        else:
            inner = getattr(estimator, "estimator_", None)
            estimator = getattr(estimator, "best_estimator_", inner)
    return estimator
