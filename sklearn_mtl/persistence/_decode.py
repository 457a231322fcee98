"""From values to what a caller reads: numbers in their units, labels, probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_mtl.persistence._graph import Graph
from sklearn_mtl.tasks._exported import Exported
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.tasks._spec import BINARY, REGRESSION, TaskSpec
from sklearn_mtl.utils._validation import listing, plain

PROBABILITIES = "_probabilities"  # what is added to the name of a task

# type of the labels of one task -> of their array
LABELS = {bool: np.bool_, int: np.int64, float: np.float64, str: object}


def output_names(exported: Exported) -> list[str]:
    """Return the name of each task's output, or raise a ValueError where two would be one."""
    names = [str(name) for name in exported.layout.names]
    owner: dict[str, Any] = {"X": "the input"}
    for task, name in zip(exported.layout.tasks, names, strict=True):
        mine = [name, name + PROBABILITIES] if task.is_classification else [name]
        for output in mine:
            if output in owner or not output:
                taken = f"that of {owner[output]}" if output else "empty"
                raise ValueError(
                    f"Task {plain(task.name)!r} would have the output {output!r}, which is "
                    f"{taken}; fit with task names that differ as text."
                )
            owner[output] = f"task {plain(task.name)!r}"
    return names


def inner_prefix(names: Sequence[str]) -> str:
    """Return what no output's name begins with, for the names of values inside the graph."""
    prefix = "/"
    while any(name.startswith(prefix) for name in names):
        prefix += "/"
    return prefix


def class_labels(task: TaskSpec) -> np.ndarray | None:
    """Return the classes of a task as ONNX holds them, None for regression.

    Raises
    ------
    ValueError
        Unsigned integers beyond what signed ones hold.
    """
    if task.classes is None:
        return None
    labels = task.classes.tolist()
    try:
        return np.array(labels, dtype=LABELS[type(labels[0])])
    except OverflowError:
        raise ValueError(
            f"Task {plain(task.name)!r} has the classes {listing(labels)}, some beyond the signed "
            "64-bit integers that labels are in the file; fit with smaller ones, or with text."
        ) from None


def decode(graph: Graph, blocks: Sequence[str], exported: Exported, dtype: np.dtype) -> None:
    """Declare the outputs of the graph, those of the first task first.

    Parameters
    ----------
    graph : Graph
    blocks : list of str
        The values of each group, (n, T_g) or (n, T_g, K).
    exported : Exported
    dtype : numpy dtype
        Of numbers and probabilities.
    """
    names, tasks = output_names(exported), exported.layout.tasks
    place = {
        int(t): (group, block, position)
        for group, block in zip(exported.groups, blocks, strict=True)
        for position, t in enumerate(group.tasks)
    }
    for t, (task, name) in enumerate(zip(tasks, names, strict=True)):
        group, block, position = place[t]
        values = graph.apply("Gather", block, np.array(position), axis=1)  # (n,) or (n, K)
        if group.kind == REGRESSION:
            units = graph.apply("Mul", values, np.array(exported.scale[t], dtype=float))
            numbers = graph.apply("Add", units, np.array(exported.mean[t], dtype=float))
            graph.output(graph.cast(numbers, dtype), name, dtype, "n")
        else:
            _decode_classes(graph, values, group, task, name, dtype)


def _decode_classes(
    graph: Graph, values: str, group: OutputGroup, task: TaskSpec, name: str, dtype: np.dtype
) -> None:
    classes: Any = class_labels(task)
    if group.kind == BINARY:
        likely = graph.apply("Greater", values, np.array(0.5))
        number = graph.cast(likely, np.dtype(np.int64))
        column = graph.apply("Unsqueeze", values, np.array([1]))
        other = graph.apply("Sub", np.array(1.0), column)
        probabilities = graph.apply("Concat", other, column, axis=1)
    else:
        number = graph.apply("ArgMax", values, axis=1, keepdims=0)
        probabilities = values
    graph.output(graph.apply("Gather", classes, number), name, classes.dtype, "n")
    shape = ("n", len(classes))
    graph.output(graph.cast(probabilities, dtype), name + PROBABILITIES, dtype, *shape)
