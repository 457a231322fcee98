"""Splitters for labels of several tasks, and comparisons on their splits."""

from sklearn_mtl.model_selection._affinity import TaskAffinity, task_affinity
from sklearn_mtl.model_selection._grouping import TaskGrouping
from sklearn_mtl.model_selection._shuffle_split import MultiTaskShuffleSplit
from sklearn_mtl.model_selection._split import MultiTaskKFold
from sklearn_mtl.model_selection._transfer import transfer_report
from sklearn_mtl.model_selection._transfer_report import TransferReport

__all__ = [
    "MultiTaskKFold",
    "MultiTaskShuffleSplit",
    "TaskAffinity",
    "TaskGrouping",
    "TransferReport",
    "task_affinity",
    "transfer_report",
]
