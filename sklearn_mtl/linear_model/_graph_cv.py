from collections.abc import Hashable, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from sklearn_mtl.convex import GraphLaplacian, PenaltySum, Ridge
from sklearn_mtl.linear_model._cv import STRENGTHS, BaseLinearRegressorCV
from sklearn_mtl.linear_model._graph_parameter import GraphMixin
from sklearn_mtl.linear_model._kernel import KernelRegression
from sklearn_mtl.linear_model._path import Scales


class GraphRegressorCV(GraphMixin, KernelRegression, BaseLinearRegressorCV):
    """Regression of tasks alike along a graph, its strengths chosen by cross-validation.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  gamma / 2  sum_{(s, t)}  a_st ||w_s - w_t||²  +  alpha / 2 ||W||_F²,

    as `GraphRegressor` does, for each gamma and alpha, on the training rows of each split.
    Statistics of the rows are formed once for all splits and strengths.

    The held-out error of a split is the mean over tasks, with weights λ_t, of the task's mean
    squared error; tasks without held-out labels are left out, and with intercepts those without
    training labels too. The strength chosen has the least mean over splits, the largest
    gamma and alpha where several do.

    With a kernel k, rows x stand for features phi(x) whose inner products are k, and W for weights
    of those.

    Parameters
    ----------
    graph : {"complete", "chain", "ring"}, array or sparse matrix (T, T), edges or networkx graph, \
            default="complete"
        Which tasks are alike. Edges are (name, name) or (name, name, weight). "chain" and "ring"
        follow the order of the tasks.
    gammas : int or array-like, default=10
        Strengths of the ties to try, or how many. As many fall evenly in logarithm from 100 times
        the mean curvature of the loss, over the mean degree of a task: the curvature is the mean
        eigenvalue of λ_t times the covariance of X_t.
    alphas : int or array-like, default=10
        Strengths on the size of the weights, or how many: from 100 times that curvature.
    eps : float, default=1e-3
        How far strengths fall where a number of them is asked for: the last is eps times the first
        with a norm, and eps² times it where only squared sizes are penalised.
    cv : int, splitter, iterable of (train, test) or None, default=None
        None is 5 folds, an int K is K: of the rows where tasks share them, else of each task's
        rows. A splitter gets the rows as they are, and each task's own where X is a dict; pairs of
        row numbers then count through the tasks, one after another.
        `MultiTaskKFold` spreads missing labels and long form evenly.
    n_jobs : int, default=None
        Paths solved at once, in threads; None is 1, -1 all cores.
    kernel : str or callable (x, z) -> float, default="linear"
        k: "linear" takes X as it is; other words are those of scikit-learn's `pairwise_kernels`
        ("rbf", "poly", "laplacian", ...); "precomputed" says that X is the kernel, of all rows with
        each other in ``fit``, and of new rows with those in ``predict``.
    kernel_params : dict, default=None
        Parameters of the kernel, such as ``{"gamma": 0.1}``.
    n_components : "auto", int or None, default="auto"
        How many rows, drawn at random, a function combines the kernels of (the Nyström method).
        None is all of them: exact, in O(n³) operations. "auto" is all up to 4000, else 1000.
    random_state : int, RandomState, Generator or None, default=None
        Draws those rows.
    fit_intercept : bool, default=True
        Whether each task has an intercept, which is not penalised.
    task_weight : None, "n_samples", array-like of shape (T,) or dict name -> float, default=None
        λ: None is 1 for each task, "n_samples" counts each label the same.
    task_feature : str or int, default=None
        Column of X that holds each row's task, for long form.
    solver : str, default="auto"
        Method; "auto" takes the first that fits the problem: "closed_form" (quadratic penalties),
        "group_newton" (L2,1), "taskwise_newton" (L1), "low_rank_newton" (nuclear norm), for the
        squared loss, "newton_cg" (quadratic), "active_features" (L1 and L2,1, many features) and
        "prox_newton", for the log-loss, "norm_strength" and "relationship_newton" (task covariance
        without and with a prior), and "fista", accelerated gradient.
    tol : float, default=1e-6
        The duality gap at which to stop, relative to the objective at W = 0.
    max_iter : int, default=1000
    warm_start : bool, default=False
        Whether ``fit`` starts from the weights at hand.

    Attributes
    ----------
    gamma_, alpha_ : float
        The strengths chosen.
    gammas_ : ndarray of shape (n_gammas,)
    alphas_ : ndarray of shape (n_alphas,)
        The strengths tried, falling.
    mse_path_ : ndarray of shape (n_gammas, n_alphas, n_splits)
        Held-out errors.
    coef_ : ndarray of shape (n_tasks, n_features)
        The fit of all rows with the strengths chosen.
    dual_coef_ : ndarray of shape (n_tasks, n_rows)
        In place of ``coef_`` with a kernel that is not linear: outputs are
        ``k(x, X_fit_) @ dual_coef_.T + intercept_``.
    X_fit_ : ndarray or sparse matrix of shape (n_rows, n_features)
        The rows that new ones are compared with; none where the kernel is precomputed.
    n_components_ : int
        How many rows functions combine the kernels of.
    intercept_ : ndarray of shape (n_tasks,)
    objective_ : float
        The value reached.
    dual_gap_ : float
        Bound on how far ``objective_`` is above the minimum.
    n_iter_ : int
        Of the fit of all rows.
    statistics_ : GramStats or None
        What was learned from X and y; None where X was wide and rotated.
    layout_ : TaskLayout
    task_names_ : list
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    T. Evgeniou, C. Micchelli and M. Pontil, "Learning multiple tasks with kernel methods", Journal
    of Machine Learning Research 6, 2005, section 3.1.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import GraphRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 3))
    >>> y = {month: X @ [1.0, 0.1 * i, 0.0] + rng.normal(size=30) for i, month in enumerate("abc")}
    >>> model = GraphRegressorCV("chain", gammas=[0.0, 0.1, 10.0]).fit(X, y)
    >>> model.gamma_, model.mse_path_.shape
    (10.0, (3, 10, 5))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearRegressorCV._parameter_constraints,
        **KernelRegression._parameter_constraints,
        "gammas": STRENGTHS,
    }

    def __init__(
        self,
        graph: Any = "complete",
        *,
        gammas: Any = 10,
        alphas: Any = 10,
        eps: Any = 1e-3,
        cv: Any = None,
        n_jobs: Any = None,
        kernel: Any = "linear",
        kernel_params: Any = None,
        n_components: Any = "auto",
        random_state: Any = None,
        fit_intercept: Any = True,
        task_weight: Any = None,
        task_feature: Any = None,
        solver: Any = "auto",
        tol: Any = 1e-6,
        max_iter: Any = 1000,
        warm_start: Any = False,
    ) -> None:
        self.graph = graph
        self.gammas = gammas
        self.alphas = alphas
        self.eps = eps
        self.cv = cv
        self.n_jobs = n_jobs
        self.kernel = kernel
        self.kernel_params = kernel_params
        self.n_components = n_components
        self.random_state = random_state
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> Self:
        """Return the estimator without edges, which searches strengths on size alone.

        They are alpha + gamma (sum of the task's a_st) for all pairs of strengths given; where a
        number of either is asked for, a path of as many.

        Parameters
        ----------
        task : name
        names : sequence of T names
            With `task` among them.

        Returns
        -------
        estimator : estimator
            Not fitted.
        """
        counts = [n for n in (self.alphas, self.gammas) if isinstance(n, Integral)]
        alphas: Any = counts[0] if counts else None
        if not counts:
            ties = GraphLaplacian(self.graph, 1.0).decoupled(task, names)
            alphas = np.unique(np.add.outer(self.alphas, ties.alpha * np.asarray(self.gammas)))
        return clone(self).set_params(graph=[], gammas=[0.0], alphas=alphas)

    def _penalty_at(self, alpha: Any, second: Any = 1.0) -> PenaltySum:
        ties = GraphLaplacian(self.graph, second)
        return PenaltySum([("graph", ties), ("ridge", Ridge(alpha))])

    def _seconds(self, scales: Scales) -> Sequence[float]:
        ties = GraphLaplacian(self.graph, 1.0)
        return scales.strengths(self.gammas, ties, self.eps, "gammas").tolist()

    def _alphas(self, scales: Scales, second: Any) -> np.ndarray:
        return scales.strengths(self.alphas, Ridge(1.0), self.eps, "alphas")

    def _set_choice(self, alphas: np.ndarray, seconds: Sequence[Any], s: int, a: int) -> None:
        self.gammas_, self.alphas_ = np.array(seconds), alphas[0]
        self.gamma_, self.alpha_ = seconds[s], float(alphas[s, a])

    def _penalty(self) -> PenaltySum:
        return self._penalty_at(self.alpha_, self.gamma_)
