"""Splitters for labels of several tasks."""

from sklearn_mtl.model_selection._split import MultiTaskKFold

__all__ = ["MultiTaskKFold"]
