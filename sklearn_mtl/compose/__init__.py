"""Meta-estimators over any scikit-learn estimator."""

from sklearn_mtl.compose._independent import IndependentTasks

__all__ = ["IndependentTasks"]
