from collections.abc import Hashable, Sequence
from typing import Any, Self

from sklearn.base import clone

from sklearn_mtl.convex import GraphLaplacian, PenaltySum, Ridge
from sklearn_mtl.convex.penalties._base import STRENGTH
from sklearn_mtl.linear_model._classifier import BaseLinearClassifier
from sklearn_mtl.linear_model._graph_parameter import GraphMixin
from sklearn_mtl.linear_model._kernel import KernelClassifier, KernelRegressor


class GraphRegressor(GraphMixin, KernelRegressor):
    """Linear regression of tasks that are alike along the edges of a graph.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  gamma / 2  sum_{(s, t)}  a_st ||w_s - w_t||²  +  alpha / 2 ||W||_F²,

    with the sum over the n_t observed labels of task t. Tasks that an edge of weight a_st ties
    have similar weights.

    With a kernel k, rows x stand for features phi(x) whose inner products are k, and W for weights
    of those.

    Parameters
    ----------
    graph : {"complete", "chain", "ring"}, array or sparse matrix (T, T), edges or networkx graph, \
            default="complete"
        Which tasks are alike. Edges are (name, name) or (name, name, weight). "chain" and "ring"
        follow the order of the tasks.
    gamma : float, default=0.1
        Strength of the ties, in units of the loss per squared unit of W.
    alpha : float, default=0.01
        Strength on the size of the weights, in the same units.
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
    precompute : "auto", bool or GramStats, default="auto"
        Statistics of these very X and y, from `statistics`, spare forming them again. True forms
        them, False works on X itself where the method can; "auto" decides by cost.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features)
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
    statistics_ : GramStats or None
        What was learned from X and y; None where X itself was used.
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
    >>> from sklearn_mtl import GraphRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 3))
    >>> y = {month: X @ [1.0, 0.1 * i, 0.0] + rng.normal(size=30) for i, month in enumerate("abc")}
    >>> model = GraphRegressor(graph=[("a", "b"), ("b", "c", 0.5)], gamma=1e6).fit(X, y)
    >>> bool(np.ptp(model.coef_, axis=0).max() < 1e-5)  # tied so strongly, tasks are one
    True

    A kernel makes functions of weights alike:

    >>> angle = np.linspace(0, 6, 40)[:, None]
    >>> y = {"sea": np.sin(angle[:, 0]), "land": 2 * np.sin(angle[:, 0]) + 1}
    >>> linear, curved = GraphRegressor(), GraphRegressor(kernel="rbf", alpha=1e-4, gamma=1e-3)
    >>> [round(model.fit(angle, y).score(angle, y), 1) for model in (linear, curved)]
    [0.6, 1.0]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **KernelRegressor._parameter_constraints,
        "gamma": STRENGTH,
        "alpha": STRENGTH,
    }

    def __init__(
        self,
        graph: Any = "complete",
        *,
        gamma: Any = 0.1,
        alpha: Any = 0.01,
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
        precompute: Any = "auto",
    ) -> None:
        self.graph = graph
        self.gamma = gamma
        self.alpha = alpha
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
        self.precompute = precompute

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> Self:
        """Return the estimator without edges, of strength alpha + gamma (sum of the task's a_st).

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
        ties = GraphLaplacian(self.graph, self.gamma).decoupled(task, names)
        return clone(self).set_params(graph=[], alpha=self.alpha + ties.alpha)

    def _penalty(self) -> PenaltySum:
        return PenaltySum(
            [("graph", GraphLaplacian(self.graph, self.gamma)), ("ridge", Ridge(self.alpha))]
        )


class GraphClassifier(GraphMixin, KernelClassifier, BaseLinearClassifier):
    """Logistic regression of tasks that are alike along the edges of a graph.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / n_t  sum_i log-loss(y_ti, x_ti · w_t + b_t)
        +  gamma / 2  sum_{(s, t)}  a_st ||w_s - w_t||²  +  alpha / 2 ||W||_F²,

    with the sum over the n_t observed labels of task t; a task of K > 2 classes has K rows in W
    and the softmax log-loss. Tasks that an edge of weight a_st ties have similar weights. Tasks
    can be tied if they are binary, or have the same classes.

    With a kernel k, rows x stand for features phi(x) whose inner products are k, and W for weights
    of those.

    Parameters
    ----------
    graph : {"complete", "chain", "ring"}, array or sparse matrix (T, T), edges or networkx graph, \
            default="complete"
        Which tasks are alike. Edges are (name, name) or (name, name, weight). "chain" and "ring"
        follow the order of the tasks.
    gamma : float, default=0.01
        Strength of the ties, in units of the loss per squared unit of W.
    alpha : float, default=0.001
        Strength on the size of the weights, in the same units.
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
    coef_ : ndarray of shape (n_tasks, n_features)
        A task of K > 2 classes has K rows, one after another.
    dual_coef_ : ndarray of shape (n_tasks, n_rows)
        In place of ``coef_`` with a kernel that is not linear: outputs are
        ``k(x, X_fit_) @ dual_coef_.T + intercept_``.
    X_fit_ : ndarray or sparse matrix of shape (n_rows, n_features)
        The rows that new ones are compared with; none where the kernel is precomputed.
    n_components_ : int
        How many rows functions combine the kernels of.
    intercept_ : ndarray of shape (n_tasks,)
        One for each row of ``coef_``.
    classes_ : ndarray, or list over tasks of ndarray
    objective_ : float
        The value reached.
    dual_gap_ : float
        Bound on how far ``objective_`` is above the minimum.
    n_iter_ : int
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
    >>> from sklearn_mtl import GraphClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> y = {
    ...     "late": np.where(X[:, 0] > 0, "yes", "no"),
    ...     "size": np.digitize(X[:, 0] + X[:, 1], [-1, 1]),
    ... }
    >>> model = GraphClassifier(gamma=0.01, alpha=0.001).fit(X, y)
    >>> model.coef_.shape  # a row for "late", one for each class of "size"
    (4, 4)
    >>> sorted(model.predict_proba(X[:1]))
    ['late', 'size']
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearClassifier._parameter_constraints,
        **KernelClassifier._parameter_constraints,
        "gamma": STRENGTH,
        "alpha": STRENGTH,
    }

    def __init__(
        self,
        graph: Any = "complete",
        *,
        gamma: Any = 0.01,
        alpha: Any = 0.001,
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
        self.gamma = gamma
        self.alpha = alpha
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
        """Return the estimator without edges, of strength alpha + gamma (sum of the task's a_st).

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
        ties = GraphLaplacian(self.graph, self.gamma).decoupled(task, names)
        return clone(self).set_params(graph=[], alpha=self.alpha + ties.alpha)

    def _penalty(self) -> PenaltySum:
        return PenaltySum(
            [("graph", GraphLaplacian(self.graph, self.gamma)), ("ridge", Ridge(self.alpha))]
        )
