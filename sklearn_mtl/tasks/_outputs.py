from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.tasks._spec import BINARY, MULTICLASS, REGRESSION, TaskSpec

# kind of task -> loss
DEFAULT_LOSS = {REGRESSION: "squared_error", BINARY: "log_loss", MULTICLASS: "log_loss"}


@dataclass(frozen=True, eq=False)
class LossFunction:
    """A caller's own loss, for one task.

    Attributes
    ----------
    function : callable (outputs, labels) -> Tensor of shape (B,)
        A function or a torch module.
    task : hashable
        Name of the task.
    """

    function: Callable[..., Any]
    task: Hashable


@dataclass(frozen=True)
class OutputSpec:
    """How the outputs of one task are read. Tasks of equal specs are learned as one block.

    Attributes
    ----------
    loss : str or LossFunction
    activation : str
        A key of ACTIVATIONS; "identity" for classes.
    smoothing : float
        Share of each label that is spread evenly over the classes.
    """

    loss: str | LossFunction
    activation: str = "identity"
    smoothing: float = 0.0


@dataclass(frozen=True, eq=False)
class OutputGroup:
    """Tasks of one kind, width and loss, which a head computes and a loss reads as one block.

    Attributes
    ----------
    kind : {"regression", "binary", "multiclass"}
    tasks : ndarray of shape (T_g,)
        Task numbers.
    width : int
        Outputs a task, K.
    start : int
        First output column of the block, which has T_g * K columns.
    spec : OutputSpec
    """

    kind: str
    tasks: np.ndarray
    width: int
    start: int
    spec: OutputSpec

    @property
    def columns(self) -> slice:
        """The block's columns among all outputs."""
        return slice(self.start, self.start + len(self.tasks) * self.width)


def group_outputs(
    tasks: Sequence[TaskSpec], specs: Sequence[OutputSpec] | None = None
) -> list[OutputGroup]:
    """Return the tasks as blocks of one kind, width and loss, in order of first appearance.

    Parameters
    ----------
    tasks : sequence of T TaskSpec
    specs : sequence of T OutputSpec, default=None
        None is squared error for numbers and log-loss for classes.
    """
    if specs is None:
        specs = [OutputSpec(DEFAULT_LOSS[task.kind]) for task in tasks]
    members: dict[tuple[str, int, OutputSpec], list[int]] = {}
    for t, (task, spec) in enumerate(zip(tasks, specs, strict=True)):
        members.setdefault((task.kind, task.n_outputs, spec), []).append(t)
    groups, start = [], 0
    for (kind, width, spec), numbers in members.items():
        groups.append(OutputGroup(kind, np.array(numbers), width, start, spec))
        start += len(numbers) * width
    return groups
