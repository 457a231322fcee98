from collections.abc import Hashable, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import Interval

from sklearn_mtl.convex import PenaltySum, Ridge, TaskRelationship
from sklearn_mtl.convex._reduce import Coordinates
from sklearn_mtl.convex.penalties._base import STRENGTH
from sklearn_mtl.linear_model._classifier import BaseLinearClassifier
from sklearn_mtl.linear_model._kernel import KernelClassifier, KernelMixin, KernelRegressor
from sklearn_mtl.tasks._chosen import ChosenTasks


class TaskRelationshipMixin(KernelMixin):
    """The penalty of a task covariance that is learned with the weights, and what it found."""

    gamma: Any
    alpha: Any
    prior_covariance: Any
    prior_strength: Any

    _parameter_constraints: dict[str, list[Any]] = {
        "gamma": STRENGTH,
        "alpha": STRENGTH,
        "prior_strength": [Interval(Real, 0, None, closed="both")],
    }

    def decoupled(self, task: Hashable, names: Sequence[Hashable]) -> Self:
        """Return the estimator to which C = I / T leaves the strength ``gamma * T``.

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
        return clone(self).set_params(
            gamma=self.gamma * len(names), prior_covariance=None, prior_strength=0.0
        )

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        own = {"prior_covariance": tasks.by_pair(self.prior_covariance)}
        return super()._parameters_for(tasks) | own

    def _penalty(self) -> PenaltySum:
        return PenaltySum([("relationship", self._relationship()), ("ridge", Ridge(self.alpha))])

    def _relationship(self) -> TaskRelationship:
        return TaskRelationship(self.gamma, self.prior_covariance, self.prior_strength)

    def _set_weights(self, W: np.ndarray, space: Coordinates, dtype: Any) -> None:
        super()._set_weights(W, space, dtype)
        if not self._is_linear:
            # coordinates are orthonormal: W has in them the covariance that it has in features
            self._set_covariance(self._relationship(), W, self._rows)


class TaskRelationshipRegressor(TaskRelationshipMixin, KernelRegressor):
    """Linear regression of tasks whose covariance is learned with their weights.

    Minimises, over W of shape (T, p), intercepts b and the task covariance C of shape (T, T),

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  gamma / 2  (tr(W' C⁺ W) + δ² (tr(C⁺ C_0²) - 1))  +  alpha / 2 ||W||_F²,

    with the sum over the n_t observed labels of task t, C positive semi-definite with trace 1, and
    W in its range. Tasks that go along get a covariance, positive or negative, and then learn from
    each other; unrelated ones get none. δ is the strength of a prior C_0, by default 0. The problem
    is convex.

    With a kernel k, rows x stand for features phi(x) whose inner products are k, and W for weights
    of those.

    Parameters
    ----------
    gamma : float, default=0.1
        Strength of what C asks for, in units of the loss per squared unit of W. T unrelated tasks
        have C = I / T, under which it is a ridge of strength ``gamma * T`` on each task; where one
        direction is all that tasks have, a ridge of strength gamma on their weights together.
    alpha : float, default=0.01
        Strength on the size of the weights, in the same units.
    prior_covariance : None, array (T, T), data frame or dict of dicts by task, default=None
        C_0: positive semi-definite, of any scale, an array in the order of the tasks. None is that
        of unrelated tasks, I / T. Eigenvalues of less than 1e-8 of the largest are raised to
        that, with a warning.
    prior_strength : float, default=0.0
        δ, in units of W: C is nearer to C_0 than to W W' where δ exceeds the singular values of W.
        0 is no prior, and infinity, like anything above 1e100, holds C = C_0 fixed.
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
    task_covariance_ : ndarray of shape (n_tasks, n_tasks)
        C, of trace 1; C_0 where all weights are 0.
    task_correlation_ : ndarray of shape (n_tasks, n_tasks)
        C with its variances scaled to 1; a task whose weights are 0 has correlation 0 with the
        others.
    rank_ : int
        Rank of ``coef_``. Without a prior that of C too, which is singular where it is less than
        the number of tasks: combinations of tasks without variance have no weights.
    objective_ : float
        The value reached, C at its best.
    dual_gap_ : float
        Bound on how far ``objective_`` is above the minimum.
    n_iter_ : int
    statistics_ : GramStats or None
        What was learned from X and y; None where X itself was used.
    layout_ : TaskLayout
    task_names_ : list
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    Given W, the best C is ``(W W' + δ² C_0²)^(1/2)`` over its trace. With that put in, the penalty
    is ``gamma / 2 (||[W, δ C_0]||_*² - δ²)``, a nuclear norm squared. So W has low rank without a
    prior, and one convex problem in W takes the place of the alternation between W and C of the
    paper, which crawls where C becomes singular.

    A kernel costs one eigendecomposition, O(n³) operations. Where tasks share all labels, that is
    most of a fit. Where labels are missing or rows are the tasks' own, a step takes O(n² T) more,
    and fits take ten steps or, at small gamma, hundreds: 10 s on one core for n = 2000 and T = 14.

    References
    ----------
    Y. Zhang and D.-Y. Yeung, "A convex formulation for learning task relationships in multi-task
    learning", UAI 2010, equations 8 and 13. The prior is an addition.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import TaskRelationshipRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, w, v = rng.normal(size=(60, 5)), rng.normal(size=5), rng.normal(size=5)
    >>> y = {"lungs": X @ w, "asthma": X @ (w + 0.1 * v), "age": X @ v, "youth": -X @ v}
    >>> y = {name: labels + rng.normal(size=60) for name, labels in y.items()}
    >>> model = TaskRelationshipRegressor().fit(X, y)
    >>> print(model.task_correlation_[2, 3].round(1))
    -1.0
    """

    _strengths = "gamma or alpha"

    _parameter_constraints: dict[str, list[Any]] = {
        **KernelRegressor._parameter_constraints,
        **TaskRelationshipMixin._parameter_constraints,
    }

    def __init__(
        self,
        gamma: Any = 0.1,
        *,
        alpha: Any = 0.01,
        prior_covariance: Any = None,
        prior_strength: Any = 0.0,
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
        self.gamma = gamma
        self.alpha = alpha
        self.prior_covariance = prior_covariance
        self.prior_strength = prior_strength
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


class TaskRelationshipClassifier(TaskRelationshipMixin, KernelClassifier, BaseLinearClassifier):
    """Logistic regression of tasks whose covariance is learned with their weights.

    Minimises, over W, intercepts b and a covariance C of the rows of W,

        sum_t  λ_t / n_t  sum_i log-loss(y_ti, x_ti · w_t + b_t)
        +  gamma / 2  (tr(W' C⁺ W) + δ² (tr(C⁺ C_0²) - 1))  +  alpha / 2 ||W||_F²,

    with the sum over the n_t observed labels of task t, C positive semi-definite with trace 1, and
    W in its range; a task of K > 2 classes has K rows in W and C, and the softmax log-loss. Tasks
    that go along get a covariance, positive or negative, and then learn from each other; unrelated
    ones get none. δ is the strength of a prior C_0, by default 0, in which rows of one class covary
    as their tasks do, and rows of different classes do not. The problem is convex.

    With a kernel k, rows x stand for features phi(x) whose inner products are k, and W for weights
    of those.

    Parameters
    ----------
    gamma : float, default=0.01
        Strength of what C asks for, in units of the loss per squared unit of W. T unrelated tasks
        have C = I / T, under which it is a ridge of strength ``gamma * T`` on each task; where one
        direction is all that tasks have, a ridge of strength gamma on their weights together.
    alpha : float, default=0.001
        Strength on the size of the weights, in the same units.
    prior_covariance : None, array (T, T), data frame or dict of dicts by task, default=None
        C_0: positive semi-definite, of any scale, an array in the order of the tasks. None is that
        of unrelated tasks, I / T. Eigenvalues of less than 1e-8 of the largest are raised to
        that, with a warning.
    prior_strength : float, default=0.0
        δ, in units of W: C is nearer to C_0 than to W W' where δ exceeds the singular values of W.
        0 is no prior, and infinity, like anything above 1e100, holds C = C_0 fixed.
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
    task_covariance_ : ndarray of shape (n_tasks, n_tasks)
        C, a row for each of ``coef_``, of trace 1; C_0 where all weights are 0.
    task_correlation_ : ndarray of shape (n_tasks, n_tasks)
        C with its variances scaled to 1; a task whose weights are 0 has correlation 0 with the
        others.
    rank_ : int
        Rank of ``coef_``. Without a prior that of C too, which is singular where it is less than
        the number of tasks: combinations of tasks without variance have no weights.
    objective_ : float
        The value reached, C at its best.
    dual_gap_ : float
        Bound on how far ``objective_`` is above the minimum.
    n_iter_ : int
    layout_ : TaskLayout
    task_names_ : list
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    Given W, the best C is ``(W W' + δ² C_0²)^(1/2)`` over its trace. With that put in, the penalty
    is ``gamma / 2 (||[W, δ C_0]||_*² - δ²)``, a nuclear norm squared. So W has low rank without a
    prior, and one convex problem in W takes the place of the alternation between W and C of the
    paper, which crawls where C becomes singular.

    References
    ----------
    Y. Zhang and D.-Y. Yeung, "A convex formulation for learning task relationships in multi-task
    learning", UAI 2010, equations 8 and 13. The prior is an addition.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import TaskRelationshipClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> y = {
    ...     "late": np.where(X[:, 0] > 0, "yes", "no"),
    ...     "size": np.digitize(X[:, 0] + X[:, 1], [-1, 1]),
    ... }
    >>> model = TaskRelationshipClassifier().fit(X, y)
    >>> model.task_covariance_.shape  # a row for "late", one for each class of "size"
    (4, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearClassifier._parameter_constraints,
        **KernelClassifier._parameter_constraints,
        **TaskRelationshipMixin._parameter_constraints,
    }

    def __init__(
        self,
        gamma: Any = 0.01,
        *,
        alpha: Any = 0.001,
        prior_covariance: Any = None,
        prior_strength: Any = 0.0,
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
        self.gamma = gamma
        self.alpha = alpha
        self.prior_covariance = prior_covariance
        self.prior_strength = prior_strength
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
