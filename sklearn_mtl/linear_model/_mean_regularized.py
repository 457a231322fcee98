from collections.abc import Hashable, Sequence
from typing import Any, Self

from sklearn.base import clone

from sklearn_mtl.convex import MeanRegularization
from sklearn_mtl.convex.penalties._base import STRENGTH
from sklearn_mtl.convex.penalties._mean import NOTHING_SHARED
from sklearn_mtl.linear_model._classifier import BaseLinearClassifier
from sklearn_mtl.linear_model._kernel import KernelClassifier, KernelRegressor


class MeanRegularizedRegressor(KernelRegressor):
    """Linear regression whose tasks share a part of their weights.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  min  alpha_shared / 2 ||w_0||² + alpha_specific / 2  sum_t ||v_t||²,

    with the sum over the n_t observed labels of task t. The minimum is over w_0 + v_t = w_t:
    what all tasks share, and what is a task's own.

    With a kernel k, rows x stand for features phi(x) whose inner products are k, and W for weights
    of those.

    Parameters
    ----------
    alpha_shared : float, default=0.01
        Strength on w_0, in units of the loss per squared unit of W.
    alpha_specific : float, default=0.1
        Strength on each v_t, in the same units.
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
    shared_coef_ : ndarray of shape (n_features,)
        w_0, as long as the kernel is linear.
    specific_coef_ : ndarray of shape (n_tasks, n_features)
        v_t, so that ``coef_ = shared_coef_ + specific_coef_``.
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
    T. Evgeniou and M. Pontil, "Regularized multi-task learning", KDD 2004, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MeanRegularizedRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = {school: rng.normal(size=(20, 2)) for school in "abc"}
    >>> y = {school: X[school] @ [1.0, 2.0] + 0.1 * rng.normal(size=20) for school in X}
    >>> model = MeanRegularizedRegressor(alpha_shared=0.001).fit(X, y)
    >>> model.shared_coef_.round(1)
    array([1., 2.])
    >>> bool(np.allclose(model.coef_, model.shared_coef_ + model.specific_coef_))
    True
    """

    _strengths = "alpha_shared and alpha_specific"

    _parameter_constraints: dict[str, list[Any]] = {
        **KernelRegressor._parameter_constraints,
        "alpha_shared": STRENGTH,
        "alpha_specific": STRENGTH,
    }

    def __init__(
        self,
        alpha_shared: Any = 0.01,
        *,
        alpha_specific: Any = 0.1,
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
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific
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
        """Return the estimator with w_0 = 0, by a strength on it that nothing outweighs.

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
        return clone(self).set_params(alpha_shared=NOTHING_SHARED)

    def _penalty(self) -> MeanRegularization:
        return MeanRegularization(self.alpha_shared, self.alpha_specific)


class MeanRegularizedClassifier(KernelClassifier, BaseLinearClassifier):
    """Logistic regression whose tasks share a part of their weights.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / n_t  sum_i log-loss(y_ti, x_ti · w_t + b_t)
        +  min  alpha_shared / 2 ||w_0||² + alpha_specific / 2  sum_t ||v_t||²,

    with the sum over the n_t observed labels of task t; a task of K > 2 classes has K rows in W
    and the softmax log-loss. The minimum is over w_0 + v_t = w_t: what all tasks share, and
    what is a task's own.

    With a kernel k, rows x stand for features phi(x) whose inner products are k, and W for weights
    of those.

    Parameters
    ----------
    alpha_shared : float, default=0.001
        Strength on w_0, in units of the loss per squared unit of W.
    alpha_specific : float, default=0.01
        Strength on each v_t, in the same units.
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
    shared_coef_ : ndarray of shape (n_features,) or (n_sets, n_features)
        w_0: one for the binary tasks, and one for each class of tasks with the same classes, as
        long as the kernel is linear.
    specific_coef_ : ndarray of shape (n_tasks, n_features)
        v_t, what ``coef_`` adds to the w_0 of its row.
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
    T. Evgeniou and M. Pontil, "Regularized multi-task learning", KDD 2004, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MeanRegularizedClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> y = {
    ...     "late": np.where(X[:, 0] > 0, "yes", "no"),
    ...     "size": np.digitize(X[:, 0] + X[:, 1], [-1, 1]),
    ... }
    >>> model = MeanRegularizedClassifier().fit(X, y)
    >>> model.coef_.shape  # a row for "late", one for each class of "size"
    (4, 4)
    >>> model.shared_coef_.shape  # one for binary tasks, three for the classes
    (4, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearClassifier._parameter_constraints,
        **KernelClassifier._parameter_constraints,
        "alpha_shared": STRENGTH,
        "alpha_specific": STRENGTH,
    }

    def __init__(
        self,
        alpha_shared: Any = 0.001,
        *,
        alpha_specific: Any = 0.01,
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
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific
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
        """Return the estimator with w_0 = 0, by a strength on it that nothing outweighs.

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
        return clone(self).set_params(alpha_shared=NOTHING_SHARED)

    def _penalty(self) -> MeanRegularization:
        return MeanRegularization(self.alpha_shared, self.alpha_specific)
