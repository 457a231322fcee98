"""Fitted models as files that others can run, or load without running anything."""

from sklearn_mtl.persistence._onnx import to_onnx

__all__ = ["to_onnx"]
