"""Fitted models as files that others can run, or load without running anything."""

__all__: list[str] = []
