"""Pictures and measures of what a model learned, for a few tasks and for a hundred."""

from sklearn_mtl.inspection._coefficients import CoefficientDisplay
from sklearn_mtl.inspection._confusion_matrix import ConfusionMatrixDisplay
from sklearn_mtl.inspection._loss_history import LossHistoryDisplay
from sklearn_mtl.inspection._permutation_importance import task_permutation_importance
from sklearn_mtl.inspection._prediction_error import PredictionErrorDisplay
from sklearn_mtl.inspection._regularization_path import RegularizationPathDisplay
from sklearn_mtl.inspection._roc_curve import RocCurveDisplay
from sklearn_mtl.inspection._task_relation import TaskRelationDisplay
from sklearn_mtl.inspection._transfer_gain import TransferGainDisplay

__all__ = [
    "CoefficientDisplay",
    "ConfusionMatrixDisplay",
    "LossHistoryDisplay",
    "PredictionErrorDisplay",
    "RegularizationPathDisplay",
    "RocCurveDisplay",
    "TaskRelationDisplay",
    "TransferGainDisplay",
    "task_permutation_importance",
]
