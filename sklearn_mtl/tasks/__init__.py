"""What a task is, said once for every family of estimators."""

from sklearn_mtl.tasks._data import TaskData
from sklearn_mtl.tasks._infer import infer_layout
from sklearn_mtl.tasks._layout import TaskLayout
from sklearn_mtl.tasks._spec import TaskSpec
from sklearn_mtl.tasks._stack import stack_tasks, unstack_tasks
from sklearn_mtl.tasks._target import MultiTaskTarget

__all__ = [
    "MultiTaskTarget",
    "TaskData",
    "TaskLayout",
    "TaskSpec",
    "infer_layout",
    "stack_tasks",
    "unstack_tasks",
]
