"""Pipelines and searches seen through: the estimator of tasks that they hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.model_selection._search import BaseSearchCV

from sklearn_mtl.exceptions import TaskLayoutError


@dataclass(frozen=True, eq=False)
class Nested:
    """An estimator inside another.

    Attributes
    ----------
    estimator : estimator
    prefix : str
        What its parameters are called from outside begins with this: ``"estimator__"``.
    in_pipeline : bool
        Whether the steps of a pipeline come before it.
    """

    estimator: Any
    prefix: str
    in_pipeline: bool

    def set_in(self, outer: Any, replacement: Any) -> Any:
        """Return `outer`, changed to hold the replacement; the replacement if outermost."""
        if not self.prefix:
            return replacement
        return outer.set_params(**{self.prefix.removesuffix("__"): replacement})

    def parameter(self, name: str) -> Any:
        """Return the estimator's own parameter, None if it has no such one."""
        return own_parameters(self.estimator).get(name)


def levels(estimator: Any) -> Iterator[Nested]:
    """Yield the estimator, then what a search tries or the last step, and so on inwards."""
    prefix, in_pipeline = "", False
    while True:
        yield Nested(estimator, prefix, in_pipeline)
        steps = getattr(estimator, "steps", None)
        if steps:
            name, estimator = steps[-1]
            prefix, in_pipeline = f"{prefix}{name}__", in_pipeline or len(steps) > 1
        elif isinstance(estimator, BaseSearchCV):
            prefix, estimator = f"{prefix}estimator__", estimator.estimator
        else:
            return


def innermost(estimator: Any) -> Nested:
    """Return what is inside all pipelines and searches."""
    return list(levels(estimator))[-1]


def own_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator, without those of estimators in it."""
    return estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}


def search_space(search: BaseSearchCV) -> list[Mapping[str, Any]]:
    """Return what a search tries: lists or distributions by parameter, in one or several dicts."""
    params = own_parameters(search)
    space = params.get("param_grid", params.get("param_distributions", {}))
    return [space] if isinstance(space, Mapping) else list(space)


def find_task_feature(estimator: Any, X: Any) -> Any:
    """Return the task column of X that the estimator reads, None where it has no long form."""
    inner = innermost(estimator)
    feature = inner.parameter("task_feature")
    if feature is None or isinstance(X, Mapping):
        return None
    if inner.in_pipeline and feature not in list(getattr(X, "columns", ())):
        raise TaskLayoutError(
            f"The estimator at the end of the pipeline has task_feature={feature!r}, which is no "
            "column name of X; say where X has the task by task_feature=."
        )
    return feature


def called(estimator: Any) -> str:
    """Return the name of an estimator for a title, with what it is a pipeline or search of."""
    names = [type(level.estimator).__name__ for level in levels(estimator)]
    inner = innermost(estimator)
    wrapped, sharing = inner.parameter("estimator"), inner.parameter("sharing")
    if hasattr(wrapped, "fit"):
        names.append(called(wrapped))
    text = "(".join(names) + ("" if sharing is None else f"(sharing={sharing!r}")
    return text + ")" * (text.count("(") - text.count(")"))
