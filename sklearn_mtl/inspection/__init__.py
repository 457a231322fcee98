"""Pictures and measures of what a model learned, for a few tasks and for a hundred."""

__all__: list[str] = []
