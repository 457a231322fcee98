"""Multi-task learning with scikit-learn's habits.

Every public name is imported on first use (PEP 562), so ``import sklearn_mtl`` costs nothing and
torch is loaded only when a network is fitted or used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0.dev0"

# public name -> the module that defines it
_PUBLIC = {
    "BayesianMultiTaskClassifier": "linear_model",
    "BayesianMultiTaskRegressor": "linear_model",
    "CoefficientDisplay": "inspection",
    "ConfusionMatrixDisplay": "inspection",
    "GraphClassifier": "linear_model",
    "GraphRegressor": "linear_model",
    "GraphRegressorCV": "linear_model",
    "IndependentTasks": "compose",
    "JointFeatureClassifier": "linear_model",
    "JointFeatureRegressor": "linear_model",
    "JointFeatureRegressorCV": "linear_model",
    "LossHistoryDisplay": "inspection",
    "LowRankClassifier": "linear_model",
    "LowRankRegressor": "linear_model",
    "LowRankRegressorCV": "linear_model",
    "MeanRegularizedClassifier": "linear_model",
    "MeanRegularizedRegressor": "linear_model",
    "MeanRegularizedRegressorCV": "linear_model",
    "MissingBackendError": "exceptions",
    "MultiTaskClassifier": "neural_network",
    "MultiTaskEstimator": "neural_network",
    "MultiTaskKFold": "model_selection",
    "MultiTaskLinearClassifier": "linear_model",
    "MultiTaskLinearEstimator": "linear_model",
    "MultiTaskLinearRegressor": "linear_model",
    "MultiTaskLinearRegressorCV": "linear_model",
    "MultiTaskRegressor": "neural_network",
    "MultiTaskShuffleSplit": "model_selection",
    "MultiTaskTarget": "tasks",
    "PooledTasks": "compose",
    "PredictionErrorDisplay": "inspection",
    "RegularizationPathDisplay": "inspection",
    "RocCurveDisplay": "inspection",
    "StackedTasks": "compose",
    "TaskChain": "compose",
    "TaskAffinity": "model_selection",
    "TaskData": "tasks",
    "TaskGrouping": "model_selection",
    "TaskLayout": "tasks",
    "TaskLayoutError": "exceptions",
    "TaskRelationDisplay": "inspection",
    "TaskRelationshipClassifier": "linear_model",
    "TaskRelationshipRegressor": "linear_model",
    "TaskSpec": "tasks",
    "TransferGainDisplay": "inspection",
    "TransferReport": "model_selection",
    "VotingTasks": "compose",
    "average_relative_rmse": "metrics",
    "infer_layout": "tasks",
    "make_task_scorer": "metrics",
    "score_per_task": "metrics",
    "skops_trusted_types": "persistence",
    "stack_tasks": "tasks",
    "task_permutation_importance": "inspection",
    "to_onnx": "persistence",
    "task_affinity": "model_selection",
    "transfer_report": "model_selection",
    "unstack_tasks": "tasks",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
