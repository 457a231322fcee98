import numpy as np

from sklearn_mtl.convex._problem import Problem
from sklearn_mtl.convex._rows import CoefRows
from sklearn_mtl.convex.datafits import CurvedDatafit
from sklearn_mtl.utils._validation import listing, plain


def check_no_free_direction(problem: Problem, rows: CoefRows, *, owner: str = "solve") -> None:
    """Raise a ValueError where the penalty of a classification loss leaves weights free.

    Separable classes draw free weights to infinity, so that there is no minimum to be found, and
    no bound that could certify one. With a norm of positive alpha no direction is free; squared
    losses alone have a minimum in any case.

    Parameters
    ----------
    problem : Problem
    rows : CoefRows
        What the rows of W are, for the tasks' names.
    owner : str, default="solve"
        Who asks, for the error.
    """
    if not isinstance(problem.datafit, CurvedDatafit) or problem.norm is not None:
        return
    values, vectors = problem.eigh
    free = values <= np.finfo(float).eps * len(values) * max(float(values[-1]), 0.0)
    if not free.any():
        return
    if values[-1] <= 0.0:
        where = "all weights of every task"
    else:
        # rows that move together in a free direction are tied, directly or through others
        projector = vectors[:, free] @ vectors[:, free].T
        first = int(np.argmax(np.diag(projector)))
        tied = np.abs(projector[first]) > 1e-8
        names = [rows.names[t] for t in np.unique(rows.task[tied])]
        if len(names) == 1:
            where = f"weights of task {plain(names[0])!r}"
        else:
            where = f"weights that the tasks {listing(names)} have in common"
    raise ValueError(
        f"The penalty of {owner} leaves {where} free, and classes that can be separated would "
        "draw them to infinity. Add Ridge(alpha) to the penalty, or set its alpha (alpha_shared "
        "and alpha_specific) above 0."
    )
