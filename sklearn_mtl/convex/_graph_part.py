from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from sklearn_mtl.tasks._chosen import ChosenTasks


def part_of_graph(graph: Any, tasks: ChosenTasks) -> Any:
    """Return the edges of a graph among some of its tasks.

    Parameters
    ----------
    graph : array, sparse matrix, data frame, edge list, networkx graph or str
        As in `GraphLaplacian`; what is none of these is left for ``fit`` to refuse.
    tasks : ChosenTasks
    """
    if isinstance(graph, str):
        return _part_of_word(graph, tasks)
    if hasattr(graph, "nodes") and hasattr(graph, "edges"):
        graph = list(graph.edges(data="weight", default=1.0))
    if hasattr(graph, "shape") or not isinstance(graph, Iterable) or isinstance(graph, Iterator):
        return tasks.by_pair(graph)
    new, known = tasks.renamed, set(tasks.all_names)
    edges = list(graph)
    if not all(isinstance(edge, (tuple, list)) and set(edge[:2]) <= known for edge in edges):
        return graph
    return [
        (new[first], new[second], *weight)
        for first, second, *weight in edges
        if first in new and second in new
    ]


def _part_of_word(word: str, tasks: ChosenTasks) -> Any:
    # among some tasks, "chain" and "ring" would join tasks that were no neighbours
    names, new = tasks.all_names, tasks.renamed
    if word not in ("chain", "ring"):
        return word
    edges = list(pairwise(names))
    if word == "ring" and len(names) > 2:
        edges.append((names[-1], names[0]))
    return [(new[s], new[t]) for s, t in edges if s in new and t in new]
