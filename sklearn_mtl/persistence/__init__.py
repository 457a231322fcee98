"""Fitted models as files that others can run, or load without running anything."""

from sklearn_mtl.persistence._onnx import to_onnx
from sklearn_mtl.persistence._skops import skops_trusted_types

__all__ = ["skops_trusted_types", "to_onnx"]
