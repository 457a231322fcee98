from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.neural_network.sharing._base import Sharing
from sklearn_mtl.neural_network.sharing._dependencies import parents_of
from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.tasks._chosen import ChosenTasks


class Cascade(Sharing):
    """A task also reads what the tasks before it made of the row: ``sharing="cascade"``.

    Over one trunk with output z, the head of task t reads::

        r_t = z + W2_t act(W1_t [z, m_s for the tasks s that t reads] + b_t)

    with m_s the prediction or the representation r_s of task s. W2_t starts at 0, so that training
    starts from hard sharing; without any dependency it is `HardSharing`. Predictions, not labels,
    are read, in training too.

    Where each row has one task, every row still goes through all tasks.

    Methods that combine gradients (`GradientBalancing`) count a head as its own task's even where
    other tasks read its predictions: it gets the sum of the gradients of all λ_t loss_t.

    Parameters
    ----------
    depends_on : dict name -> list of names, default=None
        The tasks that a task reads; those left out read none. None is a chain: each task reads all
        before it, in the order of y, as in scikit-learn's RegressorChain. ``{}`` is no dependency.
    reads : {"prediction", "representation"}, default="prediction"
        What is read: a number in units of its task's standard deviation, the probabilities of
        classes; or r_s (tasks that are read then have a residual of z even if they read none).
    width : int, default=32
        Units of each residual.
    detach : bool, default=False
        Whether a task's loss leaves alone the tasks that it reads: they then learn as if nobody
        read them, the trunk excepted.

    Raises
    ------
    TaskLayoutError
        In ``fit``: `depends_on` names what is no task, a task that reads itself, or a cycle.

    References
    ----------
    Søgaard & Goldberg, "Deep Multi-Task Learning with Low Level Tasks Supervised at Lower Layers",
    ACL 2016.
    Read et al., "Classifier Chains for Multi-label Classification", Machine Learning 85, 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> from sklearn_mtl.neural_network import Cascade
    >>> X, y = load_linnerud(return_X_y=True, as_frame=True)
    >>> sharing = Cascade(depends_on={"Pulse": ["Weight", "Waist"]})
    >>> model = MultiTaskRegressor(sharing=sharing, max_epochs=2).fit(X, y)
    >>> model.predict(X).shape
    (20, 3)
    """

    _parameter_constraints = {
        "depends_on": [dict, None],
        "reads": [StrOptions({"prediction", "representation"})],
        "width": [Interval(Integral, 1, None, closed="left")],
        "detach": ["boolean"],
    }

    def __init__(
        self,
        depends_on: Any = None,
        reads: Any = "prediction",
        width: Any = 32,
        detach: Any = False,
    ) -> None:
        self.depends_on = depends_on
        self.reads = reads
        self.width = width
        self.detach = detach

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        read = tasks.by_task(self.depends_on)
        if read is None or read is self.depends_on:
            return {}
        new = tasks.renamed
        return {
            "depends_on": {
                name: [new[other] for other in others if other in new]
                for name, others in read.items()
            }
        }

    def build(self, make_trunk: Callable[..., Any], tasks: Sequence[TaskSpec]) -> Any:
        """Return the torch module; see `Sharing.build`."""
        parents = parents_of(self.depends_on, [task.name for task in tasks])
        return backend().CascadeModule(
            make_trunk, tasks, parents, self.reads, self.width, self.detach
        )
