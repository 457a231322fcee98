from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_mtl.model_selection._measure_affinity import (
    MEASURES_OF_ONE_FIT,
    METHODS,
    labelled_splits,
    measure_affinity,
    task_subsets,
)
from sklearn_mtl.model_selection._task_errors import check_scoring
from sklearn_mtl.utils._pandas import require_pandas
from sklearn_mtl.utils._validation import check_option, draw_seed, plain


@dataclass(frozen=True, eq=False)
class TaskAffinity:
    """How much each task helps each other one.

    Attributes
    ----------
    matrix : ndarray of shape (n_tasks, n_tasks)
        [i, j]: how much task i helps task j; NaN where that could not be measured.
    task_names : list of T names
    method : {"pairwise", "gradient", "coefficients", "given"}
        What was measured, see :func:`task_affinity`; "given" for a matrix of the caller's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import TaskAffinity
    >>> affinity = TaskAffinity(np.array([[np.nan, 0.2], [-0.1, np.nan]]), ["a", "b"], "pairwise")
    >>> affinity
    TaskAffinity(method='pairwise'): how much the task of a row helps that of a column
        a    b
    a       0.2
    b -0.1
    >>> float(affinity.to_frame().loc["a", "b"])
    0.2
    """

    matrix: np.ndarray
    task_names: list[Hashable]
    method: str

    def to_frame(self) -> Any:
        """Return a pandas DataFrame: rows are the tasks that help, columns those helped."""
        pd = require_pandas("TaskAffinity.to_frame")
        names = pd.Index(self.task_names, tupleize_cols=False)
        return pd.DataFrame(self.matrix, index=names, columns=names)

    def __repr__(self) -> str:
        head = f"{type(self).__name__}(method={self.method!r}): how much the task of a row helps "
        names = [str(plain(name)) for name in self.task_names]
        if len(names) > MOST_SHOWN:
            return f"{head}that of a column, {len(names)} tasks; to_frame() has them all"
        cells = [["" if np.isnan(v) else f"{v:.2g}" for v in row] for row in self.matrix]
        width = max(map(len, names))
        widths = [max(4, len(n), *(len(row[j]) for row in cells)) for j, n in enumerate(names)]
        lines = [["", *names], *([n, *row] for n, row in zip(names, cells, strict=True))]
        table = [
            " ".join([line[0].ljust(width), *map(str.rjust, line[1:], widths)]).rstrip()
            for line in lines
        ]
        return "\n".join([f"{head}that of a column", *table])


MOST_SHOWN = 20  # tasks whose table still reads as one


def task_affinity(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    method: str = "pairwise",
    cv: Any = 5,
    scoring: Any = None,
    sample_weight: Any = None,
    task_feature: Any = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> TaskAffinity:
    """Measure how much each task helps each other one.

    Parameters
    ----------
    estimator : estimator
        Of several tasks, or a pipeline that ends with one, or a search over either. It is cloned.
    X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p_t)
    y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
        NaN, None and NA mark labels that nobody observed.
    method : {"pairwise", "gradient", "coefficients"}, default="pairwise"
        "pairwise": the relative gain of j from learning with i, (e_j - e_j with i) / e_j, with the
        test errors of j learned alone and of i and j learned together, on the same splits from
        the same seeds (Standley et al.). Any estimator; NaN on the diagonal. It costs
        T (T + 1) / 2 cross-validations.

        "gradient": by how much a step for task i lowers the loss of j,
        1 - L_j(θ_s - η ∇_θs L_i, θ_j) / L_j(θ_s, θ_j), with θ_s what tasks share, averaged over
        training (Fifty et al., eq. 1). Of networks, whose `task_affinity_every` says in which
        steps to measure, by default every tenth; the diagonal is what a task's own steps do. It
        costs one fit, in which a step that is measured has 2 T more passes; a search measures in
        all its fits and shows that of the last.

        "coefficients": the cosine of the tasks' coefficients for features of standard deviation
        1, so that units do not matter. Of models with ``coef_`` of shape (T, p), also
        `IndependentTasks` of such; 1 on the diagonal. Tasks of three or more classes have a row
        for each: where tasks have the same classes these make one long vector, less the mean over
        classes; else the value has no sign. Learned covariances (``task_covariance_``) are
        not read: they are of the weights before features are scaled. It costs one fit.
    cv : int, splitter or iterable of (train, test), default=5
        For "pairwise". An integer K: ``MultiTaskKFold(K, shuffle=True)``. Where X is a dict, splits
        are of each task's rows, as in :func:`transfer_report`.
    scoring : None, str, callable or dict name -> one of these, default=None
        For "pairwise". None: root mean squared error for regression tasks; for classification
        tasks log loss, or accuracy for an estimator without ``predict_proba``. Scores must have
        an error, as in :func:`transfer_report`.
    sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
    task_feature : str or int, default=None
        Long form: the column of X that holds each row's task. None: the estimator's own.
    random_state : int, RandomState, Generator or None, default=None
        Draws splits, and the one seed of everything in the estimator that has none.
    n_jobs : int, default=None
        For "pairwise": fits at a time; None is 1, -1 all processors.

    Returns
    -------
    affinity : TaskAffinity

    Raises
    ------
    TaskLayoutError
        "pairwise": a task without labels in a training part, or in all but one test part.
    ValueError
        An unknown method, or an estimator that is not for it; an estimator that cannot be fitted
        to some of the tasks, named by the message.

    See Also
    --------
    TaskGrouping : Fits one model to each group of tasks that help one another.
    transfer_report : What learning all tasks together gains.

    Notes
    -----
    *Parameters by task.* To fit some of the tasks, what the parameters of this package's
    estimators say of each task (`task_weight`, `loss`, `graph`, a dict of estimators, …) is cut to
    these.

    *"gradient"* looks ahead along plain gradient descent with the learning rate of the step,
    whatever the optimiser, and without task weights; pairs count in batches with labels of both,
    and are NaN where there are none. Of ``n_estimators`` networks the losses are means over them.

    References
    ----------
    T. Standley et al., "Which Tasks Should Be Learned Together in Multi-task Learning?", ICML 2020.

    C. Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MeanRegularizedRegressor, task_affinity
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 10))
    >>> alike = X @ rng.normal(size=10)
    >>> y = {name: alike + rng.normal(size=40) for name in ("north", "south")}
    >>> y["other"] = -alike + rng.normal(size=40)
    >>> model = MeanRegularizedRegressor(alpha_shared=0.1, alpha_specific=1.0)
    >>> matrix = task_affinity(model, X, y, random_state=0).matrix
    >>> bool(matrix[0, 1] > 0), bool(matrix[2, 0] < 0)
    (True, True)
    """
    check_option(method, METHODS, parameter="method", owner="task_affinity")
    subsets = task_subsets(estimator, X, y, sample_weight, task_feature)
    names = subsets.rows.names
    metrics = check_scoring(scoring, names, "task_affinity")
    rng = np.random.default_rng(draw_seed(random_state))
    splits = [] if method in MEASURES_OF_ONE_FIT else labelled_splits(subsets, cv, rng)
    matrix = measure_affinity(subsets, method, splits, metrics, draw_seed(rng), n_jobs)
    return TaskAffinity(matrix, names, method)
