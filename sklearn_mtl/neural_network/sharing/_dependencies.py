from collections.abc import Hashable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.utils._validation import check_tasks, plain


def parents_of(
    depends_on: Mapping[Any, Iterable[Any]] | None, names: Sequence[Hashable]
) -> list[list[int]]:
    """Return the numbers of the tasks that each task reads, in order.

    Parameters
    ----------
    depends_on : dict name -> list of names, or None
        None: each task reads all before it.
    names : sequence of T hashable

    Raises
    ------
    TaskLayoutError
        An unknown name, a task that reads itself, a cycle.
    """
    if depends_on is None:
        return [list(range(t)) for t in range(len(names))]
    check_tasks(depends_on, names, "depends_on")
    number = {name: t for t, name in enumerate(names)}
    parents: list[list[int]] = [[] for _ in names]
    for name, read in depends_on.items():
        where = f"depends_on[{plain(name)!r}]"
        if isinstance(read, str) or not isinstance(read, Iterable):
            advice = "[], or leave the task out" if read is None else f"[{read!r}]"
            raise TaskLayoutError(
                f"{where} must be a list of task names, found {read!r}; write {advice}."
            )
        read = list(read)
        check_tasks(read, names, where)
        if name in read:
            raise TaskLayoutError(
                f"{where} names {plain(name)!r} itself; a task can read others alone."
            )
        parents[number[name]] = sorted({number[other] for other in read})
    try:
        TopologicalSorter(dict(enumerate(parents))).prepare()
    except CycleError as error:
        cycle = " -> ".join(str(plain(names[t])) for t in error.args[1])
        raise TaskLayoutError(
            f"depends_on has a cycle, in which each task is read by the next: {cycle}; drop one "
            "of these dependencies."
        ) from None
    return parents
