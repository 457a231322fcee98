from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from sklearn_mtl.convex._graph import adjacency, row_adjacency
from sklearn_mtl.convex._graph_part import part_of_graph
from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.convex.penalties._base import STRENGTH, QuadraticPenalty
from sklearn_mtl.convex.penalties._ridge import Ridge
from sklearn_mtl.tasks._chosen import ChosenTasks


class GraphLaplacian(QuadraticPenalty):
    """Neighbours have close weights: ``gamma / 2 * sum_{(s,t) in E} a_st * ||w_s - w_t||^2``.

    Each edge counts once. Tasks of K > 2 classes have a row of weights for each class, and an edge
    joins the rows of each class; only tasks with the same classes can be neighbours.

    Parameters
    ----------
    graph : array, sparse matrix, data frame, edge list, networkx graph or str, default="complete"
        Which tasks are neighbours, and how strongly.

        * ndarray or scipy sparse matrix of shape (n_tasks, n_tasks): the weights a_st >= 0 in the
          order of the tasks, symmetric, with 0 on the diagonal;
        * pandas DataFrame: the same, its index and columns the names of the tasks;
        * list of (task, task) or (task, task, weight): edges by name, of weight 1 where none is
          given, each of them once;
        * undirected networkx graph whose nodes are names of tasks, edge attribute "weight", 1
          where there is none;
        * "complete": every task and every other one with comparable outputs; "chain": each task
          and the next; "ring": also the last and the first.
    gamma : float, default=0.1
        Strength, in units of the loss per squared unit of W.

    References
    ----------
    T. Evgeniou, C. Micchelli and M. Pontil, "Learning multiple tasks with kernel methods", Journal
    of Machine Learning Research 6, 2005, section 3.1.3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl.convex import CoefRows, GraphLaplacian
    >>> rows = CoefRows(["mon", "tue", "sun"], np.arange(3), np.zeros(3, int))
    >>> GraphLaplacian([("mon", "tue", 2.0)], gamma=1.0).task_matrix(rows)
    array([[ 2., -2.,  0.],
           [-2.,  2.,  0.],
           [ 0.,  0.,  0.]])
    """

    _parameter_constraints: dict[str, Any] = {"graph": "no_validation", "gamma": STRENGTH}

    def __init__(self, graph: Any = "complete", gamma: float = 0.1) -> None:
        self.graph = graph
        self.gamma = gamma

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> Ridge:
        """Return the ridge of strength gamma times the sum of the weights of the task's edges.

        ``||w_s - w_t||^2`` is ``||w_s||^2 + ||w_t||^2`` for orthogonal weights. "complete" counts
        all other tasks, whether their outputs are comparable or not.
        """
        rows = CoefRows(list(names), np.arange(len(names)), np.zeros(len(names), dtype=int))
        degree = adjacency(self.graph, rows)[list(names).index(task)].sum()
        return Ridge(self.gamma * float(degree))

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        return {"graph": part_of_graph(self.graph, tasks)}

    def task_matrix(self, rows: CoefRows) -> np.ndarray:
        """Return ``gamma * L``, with L the Laplacian of the graph."""
        weights = self.gamma * row_adjacency(self.graph, rows)
        degree = weights.sum(axis=1)
        return np.diag(degree) - weights

    def row_sums(self, rows: CoefRows) -> np.ndarray:
        """Return zeros: a Laplacian does not see what all tasks share."""
        return np.zeros(rows.n_rows)

    def scaled(self, factor: float) -> "GraphLaplacian":
        """Return the penalty ``factor * Omega``."""
        return GraphLaplacian(self.graph, factor * self.gamma)
