from typing import Any

from sklearn_mtl.convex._graph_part import part_of_graph
from sklearn_mtl.linear_model._base import BaseLinear
from sklearn_mtl.tasks._chosen import ChosenTasks


class GraphMixin(BaseLinear):
    """A parameter `graph` that says which tasks are neighbours."""

    graph: Any

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        return super()._parameters_for(tasks) | {"graph": part_of_graph(self.graph, tasks)}
