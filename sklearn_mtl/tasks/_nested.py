"""Pipelines and searches seen through: the estimator of tasks that they hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._column import column_names, is_frame
from sklearn_mtl.tasks._layout import LONG, TaskLayout


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


def levels(estimator: Any, *, fitted: bool = False) -> Iterator[Nested]:
    """Yield the estimator, then what a search tries or the last step, and so on inwards.

    Nothing else is looked into: what other estimators hold under names such as ``estimator_`` may
    be of other rows, columns or tasks.

    Parameters
    ----------
    estimator : estimator
    fitted : bool, default=False
        Follow searches to the best estimator that they refitted, and end at one without.
    """
    prefix, in_pipeline = "", False
    while True:
        yield Nested(estimator, prefix, in_pipeline)
        if isinstance(estimator, Pipeline):
            in_pipeline = in_pipeline or len(estimator.steps) > 1
            name, estimator = estimator.steps[-1]
            prefix = f"{prefix}{name}__"
        elif isinstance(estimator, BaseSearchCV) and (
            not fitted or hasattr(estimator, "best_estimator_")
        ):
            estimator = estimator.best_estimator_ if fitted else estimator.estimator
            prefix = f"{prefix}estimator__"
        else:
            return


def innermost(estimator: Any, *, fitted: bool = False) -> Nested:
    """Return what is inside all pipelines and searches."""
    return list(levels(estimator, fitted=fitted))[-1]


def own_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator, without those of estimators in it."""
    return estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}


def find_owner(estimator: Any, attribute: str) -> Any:
    """Return the outermost level of a fitted estimator that has an attribute, None without one."""
    found = (level.estimator for level in levels(estimator, fitted=True))
    return next((owner for owner in found if hasattr(owner, attribute)), None)


def find_layout(estimator: Any) -> tuple[TaskLayout | None, bool]:
    """Return the TaskLayout that a fitted estimator shows, or the one inside it.

    Returns
    -------
    layout : TaskLayout or None
    in_pipeline : bool
        Whether a pipeline may have changed X before the layout's owner saw it.
    """
    in_pipeline = False
    for level in levels(estimator, fitted=True):
        in_pipeline = level.in_pipeline
        layout = getattr(level.estimator, "layout_", None)
        if isinstance(layout, TaskLayout):
            return layout, in_pipeline
    return None, in_pipeline


def find_task_feature(
    estimator: Any, X: Any, given: Any = None, *, fitted: bool = False
) -> str | int | None:
    """Return the column of X that holds each row's task, None where there is no long form.

    Parameters
    ----------
    estimator : estimator
    X : what it is to be given
    given : str or int, default=None
        The caller's own word, which comes before the estimator's.
    fitted : bool, default=False
        Ask what the estimator was fitted to, instead of its parameter.

    Raises
    ------
    TaskLayoutError
        The estimator stands behind the steps of a pipeline, and X has no column of that name.
    """
    if given is not None:
        return given
    if fitted:
        layout, in_pipeline = find_layout(estimator)
        feature = layout.task_feature if layout is not None and layout.rows == LONG else None
    else:
        inner = innermost(estimator)
        feature, in_pipeline = inner.parameter("task_feature"), inner.in_pipeline
    if feature is None or isinstance(X, Mapping):
        return None
    if in_pipeline and not (is_frame(X) and feature in column_names(X)):
        raise TaskLayoutError(
            f"The estimator at the end of the pipeline has task_feature={feature!r}, which is no "
            "column name of X; say where X has the task by task_feature=, for scorers by "
            "make_task_scorer(task_feature=...)."
        )
    return feature
