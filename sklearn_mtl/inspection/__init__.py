"""Pictures and measures of what a model learned, for a few tasks and for a hundred."""

from sklearn_mtl.inspection._loss_history import LossHistoryDisplay
from sklearn_mtl.inspection._permutation_importance import task_permutation_importance
from sklearn_mtl.inspection._prediction_error import PredictionErrorDisplay

__all__ = ["LossHistoryDisplay", "PredictionErrorDisplay", "task_permutation_importance"]
