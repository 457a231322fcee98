from typing import Any

from sklearn_mtl.tasks._nested import innermost, levels


def called(estimator: Any) -> str:
    """Return the name of an estimator for a title, with what it is a pipeline or search of."""
    names = [type(level.estimator).__name__ for level in levels(estimator)]
    inner = innermost(estimator)
    wrapped, sharing = inner.parameter("estimator"), inner.parameter("sharing")
    if hasattr(wrapped, "fit"):
        names.append(called(wrapped))
    text = "(".join(names) + ("" if sharing is None else f"(sharing={sharing!r}")
    return text + ")" * (text.count("(") - text.count(")"))
