"""Pictures and measures of what a model learned, for a few tasks and for a hundred."""

from sklearn_mtl.inspection._permutation_importance import task_permutation_importance

__all__ = ["task_permutation_importance"]
