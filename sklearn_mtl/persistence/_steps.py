"""What stands before an estimator in a pipeline, as nodes of a graph."""

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils._missing import is_scalar_nan

from sklearn_mtl.persistence._graph import Graph
from sklearn_mtl.tasks._nested import levels


def unwrap(estimator: Any) -> tuple[list[Any], Any]:
    """Return the steps before an estimator, and the estimator, of pipelines and searches.

    Raises
    ------
    ValueError
        A step that is not exported.
    """
    *outer, inner = levels(estimator, fitted=True)
    steps = [
        step
        for level in outer
        if isinstance(level.estimator, Pipeline)
        for _, step in level.estimator.steps[:-1]
        if step is not None and step != "passthrough"
    ]
    for step in steps:
        if type(step) not in STEPS:
            known = ", ".join(kind.__name__ for kind in STEPS)
            raise ValueError(
                f"The step {step!r} of the pipeline is not exported ({known} are); apply it to X "
                "before the pipeline, here and where the exported model runs."
            )
        _check(step)
    return steps, inner.estimator


def _check(step: Any) -> None:
    """Raise a ValueError where an imputer does more than to fill in numbers."""
    if not isinstance(step, SimpleImputer):
        return
    # numbers, or objects where a constant fills in; NaN for a column that is dropped
    numbers = all(isinstance(value, Real) and value == value for value in step.statistics_)
    if not numbers or step.add_indicator or not is_scalar_nan(step.missing_values):
        raise ValueError(
            f"The step {step!r} of the pipeline adds or drops columns, or fills in what is not "
            "NaN; only the filling in of NaN by numbers is exported. Apply it to X before the "
            "pipeline."
        )


def write_step(graph: Graph, rows: str, step: Any) -> str:
    """Return what a step makes of rows (n, p), both in double precision."""
    return STEPS[type(step)](graph, rows, step)


def _standardised(graph: Graph, rows: str, step: StandardScaler) -> str:
    if step.mean_ is not None and step.with_mean:
        rows = graph.apply("Sub", rows, step.mean_)
    return rows if step.scale_ is None else graph.apply("Div", rows, step.scale_)


def _in_range(graph: Graph, rows: str, step: MinMaxScaler) -> str:
    rows = graph.apply("Add", graph.apply("Mul", rows, step.scale_), step.min_)
    if not step.clip:
        return rows
    least, most = (np.array(float(bound)) for bound in step.feature_range)
    return graph.apply("Clip", rows, least, most)


def _filled_in(graph: Graph, rows: str, step: SimpleImputer) -> str:
    return graph.apply("Where", graph.apply("IsNaN", rows), step.statistics_.astype(float), rows)


STEPS: dict[type, Callable[[Graph, str, Any], str]] = {
    StandardScaler: _standardised,
    MinMaxScaler: _in_range,
    SimpleImputer: _filled_in,
}
