from collections.abc import Callable, Sequence
from typing import Any

from sklearn.base import BaseEstimator

from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.tasks._chosen import ChosenTasks


class Sharing(BaseEstimator):
    """Which part of a network tasks have in common; the base class of every scheme.

    A scheme holds parameters, which ``get_params`` lists and a grid searches as
    ``sharing__n_experts``, and makes the torch module that maps inputs to what the heads read.
    Subclass it for a scheme of your own: store the parameters in ``__init__`` and define `build`.

    Examples
    --------
    Every task reads the mean of two trunks:

    >>> from sklearn_mtl.neural_network import Sharing
    >>> class MeanOfTrunks(Sharing):
    ...     def __init__(self, n_trunks=2):
    ...         self.n_trunks = n_trunks
    ...
    ...     def build(self, make_trunk, tasks):
    ...         from torch import nn
    ...
    ...         class Module(nn.Module):
    ...             def __init__(self, trunks):
    ...                 super().__init__()
    ...                 self.trunks = trunks
    ...
    ...             def forward(self, x):
    ...                 return self.trunks(x).mean(0)
    ...
    ...         return Module(make_trunk(self.n_trunks))
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> X, y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskRegressor(sharing=MeanOfTrunks(3), max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {}

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        """Return the parameters that are of each task, for some of the tasks: none, as a rule."""
        return {}

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module of this scheme.

        Parameters
        ----------
        make_trunk : callable (copies=None) -> torch.nn.Module
            ``make_trunk()`` is one trunk: inputs (B, ...) to (B, h). ``make_trunk(n)`` is n trunks
            with weights of their own, computed at once: inputs (B, ...), or (n, B, ...) with an
            input for each, to (n, B, h).
        tasks : sequence of TaskSpec
            The T tasks.

        Returns
        -------
        module : torch.nn.Module
            Maps inputs (B, ...) to a representation (B, h) that all tasks read, or (T, B, h) with
            one for each task. A ``sklearn_mtl.nn.SharingModule`` can do more.
        """
        raise TypeError(f"{type(self).__name__} must define build(make_trunk, tasks).")
