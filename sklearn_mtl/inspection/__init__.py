"""Pictures and measures of what a model learned, for a few tasks and for a hundred."""

from sklearn_mtl.inspection._confusion_matrix import ConfusionMatrixDisplay
from sklearn_mtl.inspection._loss_history import LossHistoryDisplay
from sklearn_mtl.inspection._permutation_importance import task_permutation_importance
from sklearn_mtl.inspection._prediction_error import PredictionErrorDisplay
from sklearn_mtl.inspection._roc_curve import RocCurveDisplay

__all__ = [
    "ConfusionMatrixDisplay",
    "LossHistoryDisplay",
    "PredictionErrorDisplay",
    "RocCurveDisplay",
    "task_permutation_importance",
]
