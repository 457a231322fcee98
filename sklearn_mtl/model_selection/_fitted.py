"""What a fitted pipeline or search holds, and the rows as it sees them."""

from typing import Any


def fitted_innermost(model: Any, X: Any = None) -> tuple[Any, Any]:
    """Return the estimator inside all fitted pipelines and searches, and X as it came there."""
    while True:
        if getattr(model, "steps", None):
            if X is not None and len(model.steps) > 1:
                X = model[:-1].transform(X)
            model = model.steps[-1][1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return model, X
