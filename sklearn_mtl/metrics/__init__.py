"""Scores that keep tasks apart and skip labels nobody observed."""

from sklearn_mtl.metrics._per_task import score_per_task
from sklearn_mtl.metrics._relative import average_relative_rmse
from sklearn_mtl.metrics._scorer import make_task_scorer

__all__ = ["average_relative_rmse", "make_task_scorer", "score_per_task"]
