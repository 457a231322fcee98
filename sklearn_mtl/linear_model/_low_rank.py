from typing import Any

from sklearn_mtl.convex import NuclearNorm
from sklearn_mtl.convex.penalties._base import STRENGTH
from sklearn_mtl.linear_model._classifier import BaseLinearClassifier
from sklearn_mtl.linear_model._regressor import BaseLinearRegressor


class LowRankRegressor(BaseLinearRegressor):
    """Linear regression of several tasks whose weights have low rank.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  alpha ||W||_*,

    with the sum over the n_t observed labels of task t. The nuclear norm is the sum of the
    singular values of W: tasks become combinations of a few common directions.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, in units of the loss per unit of W.
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
    intercept_ : ndarray of shape (n_tasks,)
    rank_ : int
        Rank of ``coef_``.
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
    S. Ji and J. Ye, "An accelerated gradient method for trace norm minimization", ICML 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import LowRankRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 8))
    >>> y = X @ rng.normal(size=(8, 2)) @ rng.normal(size=(2, 5)) + 0.1 * rng.normal(size=(100, 5))
    >>> model = LowRankRegressor(alpha=0.1).fit(X, y)
    >>> model.coef_.shape, model.rank_
    ((5, 8), 2)
    >>> bool(model.dual_gap_ <= 1e-6 * y.var(axis=0).sum() / 2)
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearRegressor._parameter_constraints,
        "alpha": STRENGTH,
    }

    def __init__(
        self,
        alpha: Any = 0.1,
        *,
        fit_intercept: Any = True,
        task_weight: Any = None,
        task_feature: Any = None,
        solver: Any = "auto",
        tol: Any = 1e-6,
        max_iter: Any = 1000,
        warm_start: Any = False,
        precompute: Any = "auto",
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.precompute = precompute

    def _penalty(self) -> NuclearNorm:
        return NuclearNorm(self.alpha)


class LowRankClassifier(BaseLinearClassifier):
    """Logistic regression of several tasks whose weights have low rank.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / n_t  sum_i log-loss(y_ti, x_ti · w_t + b_t)
        +  alpha ||W||_*,

    with the sum over the n_t observed labels of task t; a task of K > 2 classes has K rows in W
    and the softmax log-loss. The nuclear norm is the sum of the singular values of W: tasks
    become combinations of a few common directions.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength of the penalty, in units of the loss per unit of W.
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
    intercept_ : ndarray of shape (n_tasks,)
        One for each row of ``coef_``.
    classes_ : ndarray, or list over tasks of ndarray
    rank_ : int
        Rank of ``coef_``.
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
    S. Ji and J. Ye, "An accelerated gradient method for trace norm minimization", ICML 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import LowRankClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> y = {
    ...     "late": np.where(X[:, 0] > 0, "yes", "no"),
    ...     "size": np.digitize(X[:, 0] + X[:, 1], [-1, 1]),
    ... }
    >>> model = LowRankClassifier(alpha=0.01).fit(X, y)
    >>> model.coef_.shape  # a row for "late", one for each class of "size"
    (4, 4)
    >>> sorted(model.predict_proba(X[:1]))
    ['late', 'size']
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearClassifier._parameter_constraints,
        "alpha": STRENGTH,
    }

    def __init__(
        self,
        alpha: Any = 0.01,
        *,
        fit_intercept: Any = True,
        task_weight: Any = None,
        task_feature: Any = None,
        solver: Any = "auto",
        tol: Any = 1e-6,
        max_iter: Any = 1000,
        warm_start: Any = False,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _penalty(self) -> NuclearNorm:
        return NuclearNorm(self.alpha)
