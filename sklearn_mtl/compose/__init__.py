"""Meta-estimators over any scikit-learn estimator."""

from sklearn_mtl.compose._chain import TaskChain
from sklearn_mtl.compose._independent import IndependentTasks
from sklearn_mtl.compose._pooled import PooledTasks
from sklearn_mtl.compose._stacked import StackedTasks
from sklearn_mtl.compose._voting import VotingTasks

__all__ = ["IndependentTasks", "PooledTasks", "StackedTasks", "TaskChain", "VotingTasks"]
