from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.utils._validation import check_tasks, did_you_mean, listing, plain

WORDS = ("complete", "chain", "ring")
ROUNDING = 1e-10  # by how much a_st and a_ts may differ, relative to the larger one


def adjacency(graph: Any, rows: CoefRows) -> np.ndarray:
    """Return the symmetric weights a_st of the edges between tasks, shape (T, T).

    Parameters
    ----------
    graph : array, sparse matrix, data frame, edge list, networkx graph or str
        As in `GraphLaplacian`.
    rows : CoefRows
        The tasks, in order. Only tasks with the same outputs can be neighbours.

    Raises
    ------
    TaskLayoutError
        Where a node is no task, the size is not the number of tasks, or an edge joins tasks whose
        outputs differ.
    ValueError
        Where a weight is negative or not finite, the matrix is not symmetric, a task is its own
        neighbour, an edge is there twice, or the word is unknown.
    """
    kind = np.array([rows.block[rows.of_task(t)[0]] for t in range(rows.n_tasks)])
    if isinstance(graph, str):
        weights = _from_word(graph, kind)
    elif issparse(graph) or isinstance(graph, np.ndarray):
        weights = _from_matrix(graph, rows)
    elif hasattr(graph, "columns") and hasattr(graph, "index"):
        weights = _from_frame(graph, rows)
    elif hasattr(graph, "nodes") and hasattr(graph, "edges"):
        weights = _from_networkx(graph, rows)
    else:
        weights = _from_edges(graph, rows)
    for s, t in np.argwhere((weights > 0) & (kind[:, None] != kind[None, :]))[:1]:
        raise TaskLayoutError(
            f"graph joins task {_name(rows, s)} and task {_name(rows, t)}, whose weights cannot be "
            "compared: a regression or binary task has one row of weights, a multiclass task one "
            "for each class. Leave that edge out."
        )
    return weights


def row_adjacency(graph: Any, rows: CoefRows) -> np.ndarray:
    """Return the weights of the edges between rows of W, shape (M, M).

    An edge between tasks of several classes joins the rows of each class.
    """
    weights = adjacency(graph, rows)
    if rows.n_rows == rows.n_tasks:
        return weights
    same = rows.block[:, None] == rows.block[None, :]
    return np.where(same, weights[np.ix_(rows.task, rows.task)], 0.0)


def _from_word(word: str, kind: np.ndarray) -> np.ndarray:
    n_tasks = len(kind)
    if word == "complete":
        weights = (kind[:, None] == kind[None, :]).astype(np.float64)
        np.fill_diagonal(weights, 0.0)
        return weights
    if word not in WORDS:
        raise ValueError(
            f"graph must be an array, a list of edges, a graph or one of {listing(WORDS)}. "
            f"Got {word!r} instead{did_you_mean(word, WORDS)}."
        )
    weights = np.zeros((n_tasks, n_tasks))
    before, after = np.arange(n_tasks - 1), np.arange(1, n_tasks)
    weights[before, after] = weights[after, before] = 1.0
    if word == "ring" and n_tasks > 2:
        weights[0, -1] = weights[-1, 0] = 1.0
    return weights


def _from_matrix(graph: Any, rows: CoefRows) -> np.ndarray:
    n_tasks = rows.n_tasks
    if graph.shape != (n_tasks, n_tasks):
        raise TaskLayoutError(
            f"graph has shape {tuple(graph.shape)}, but there are {n_tasks} tasks: an adjacency "
            f"has shape {(n_tasks, n_tasks)}, in the order {listing(rows.names)}."
        )
    dense = graph.toarray() if issparse(graph) else graph
    try:
        if np.iscomplexobj(dense):
            raise TypeError("it is complex")
        weights = np.array(dense, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"graph must hold real numbers, found {dense.dtype}: {error}.") from error
    for s, t in np.argwhere(~np.isfinite(weights) | (weights < 0))[:1]:
        raise ValueError(_bad_weight(rows, s, t, weights[s, t]))
    for s in np.flatnonzero(weights.diagonal())[:1]:
        raise ValueError(_own_neighbour(rows, s, weights[s, s]))
    uneven = np.abs(weights - weights.T) > ROUNDING * np.maximum(weights, weights.T)
    for s, t in np.argwhere(uneven)[:1]:
        raise ValueError(
            f"graph is not symmetric: the edge from task {_name(rows, s)} to task "
            f"{_name(rows, t)} has weight {plain(weights[s, t])}, the edge back "
            f"{plain(weights[t, s])}. Edges have no direction; (graph + graph.T) / 2 is symmetric."
        )
    return 0.5 * (weights + weights.T)


def _from_frame(graph: Any, rows: CoefRows) -> np.ndarray:
    order = []
    for names, what in ((list(graph.index), "index"), (list(graph.columns), "columns")):
        check_tasks(names, rows.names, f"The {what} of graph")
        missing = [name for name in rows.names if name not in names]
        if missing or len(names) != rows.n_tasks:
            raise TaskLayoutError(
                f"The {what} of graph must name every task once; it has {len(names)} names for "
                f"{rows.n_tasks} tasks"
                + (f", and none for {listing(missing)}." if missing else ".")
            )
        order.append([names.index(name) for name in rows.names])
    return _from_matrix(graph.to_numpy()[np.ix_(*order)], rows)


def _from_networkx(graph: Any, rows: CoefRows) -> np.ndarray:
    if graph.is_directed():
        raise ValueError(
            "graph is directed, but edges between tasks have no direction; pass "
            "graph.to_undirected()."
        )
    check_tasks(graph.nodes, rows.names, "graph")
    return _from_edges(graph.edges(data="weight", default=1.0), rows)


def _from_edges(edges: Any, rows: CoefRows) -> np.ndarray:
    if not isinstance(edges, Iterable):
        raise ValueError(
            "graph must be an array, a list of edges, a graph or one of "
            f"{listing(WORDS)}, found {edges!r}."
        )
    if isinstance(edges, Iterator):
        raise ValueError("graph is an iterator, which one fit uses up; pass list(graph).")
    if _is_square(edges, rows.n_tasks) and not rows.n_tasks == 2:
        raise ValueError(
            f"graph is a list of {rows.n_tasks} lists of {rows.n_tasks} numbers: pass an adjacency "
            "as a numpy array, since a list holds edges."
        )
    number = {name: t for t, name in enumerate(rows.names)}
    weights = np.full((rows.n_tasks, rows.n_tasks), np.nan)
    for edge in edges:
        if isinstance(edge, str) or not hasattr(edge, "__len__") or len(edge) not in (2, 3):
            raise ValueError(
                f"Each edge of graph must be (task, task) or (task, task, weight), found {edge!r}. "
                "An adjacency is passed as a numpy array."
            )
        check_tasks(edge[:2], rows.names, f"The edge {tuple(edge)!r} of graph")
        s, t = number[edge[0]], number[edge[1]]
        try:
            weight = float(edge[2]) if len(edge) == 3 else 1.0
        except (TypeError, ValueError):
            raise ValueError(
                f"The edge {tuple(edge)!r} of graph must have a number as its weight, found "
                f"{edge[2]!r}."
            ) from None
        if not np.isfinite(weight) or weight < 0:
            raise ValueError(_bad_weight(rows, s, t, weight))
        if s == t:
            raise ValueError(_own_neighbour(rows, s, weight))
        if not np.isnan(weights[s, t]):
            raise ValueError(
                f"graph has two edges between task {_name(rows, s)} and task {_name(rows, t)}, "
                f"of weights {plain(weights[s, t])} and {weight}; edges have no direction, so "
                "keep one of them."
            )
        weights[s, t] = weights[t, s] = weight
    return np.nan_to_num(weights)


def _is_square(edges: Iterable, n_tasks: int) -> bool:
    """Return whether these are lists in a list, as an adjacency is written."""
    return (
        isinstance(edges, list)
        and len(edges) == n_tasks
        and all(isinstance(row, list) and len(row) == n_tasks for row in edges)
        and all(isinstance(entry, (int, float)) for row in edges for entry in row)
    )


def _name(rows: CoefRows, task: int) -> str:
    return repr(plain(rows.names[task]))


def _bad_weight(rows: CoefRows, s: int, t: int, weight: float) -> str:
    return (
        f"The edge of graph between task {_name(rows, s)} and task {_name(rows, t)} has weight "
        f"{plain(weight)}; weights must be finite and at least 0."
    )


def _own_neighbour(rows: CoefRows, s: int, weight: float) -> str:
    return (
        f"graph joins task {_name(rows, s)} to itself, with weight {plain(weight)}: no weights "
        "differ along such an edge, so it means nothing; leave it out, or set the diagonal to 0."
    )
