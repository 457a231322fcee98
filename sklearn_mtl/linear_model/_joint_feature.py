from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval

from sklearn_mtl.convex import GroupL21, Penalty, Ridge
from sklearn_mtl.convex.penalties._base import STRENGTH
from sklearn_mtl.linear_model._classifier import BaseLinearClassifier
from sklearn_mtl.linear_model._regressor import BaseLinearRegressor


def joint_penalty(alpha: float, l1_ratio: float) -> Penalty:
    """Return the norm, and the squared size where it has a share."""
    norm = GroupL21(alpha * l1_ratio)
    return norm if l1_ratio == 1 else norm + Ridge(alpha * (1 - l1_ratio))


class JointFeatureRegressor(BaseLinearRegressor):
    """Linear regression of several tasks that select features together.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  alpha l1_ratio ||W||_{2,1}  +  alpha (1 - l1_ratio) / 2 ||W||_F²,

    with the sum over the n_t observed labels of task t. The norm is the sum over features of
    the size of a feature's weights in all tasks, so that a feature is used by all tasks or by
    none. On complete data this is the objective of scikit-learn's ``MultiTaskElasticNet``, and
    of ``MultiTaskLasso`` for ``l1_ratio=1``.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, in units of the loss per unit of W.
    l1_ratio : float in [0, 1], default=1.0
        Share of the norm in the penalty; the rest is the squared size.
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
    G. Obozinski, B. Taskar and M. Jordan, "Joint covariate selection and joint subspace selection
    for multiple classification problems", Statistics and Computing 20, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import JointFeatureRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 6))
    >>> y = X[:, :2] @ rng.normal(size=(2, 3)) + 0.1 * rng.normal(size=(100, 3))
    >>> y[:50, 1] = np.nan
    >>> model = JointFeatureRegressor(alpha=0.2).fit(X, y)
    >>> (model.coef_ != 0).any(axis=0)
    array([ True,  True, False, False, False, False])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearRegressor._parameter_constraints,
        "alpha": STRENGTH,
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        alpha: Any = 0.1,
        *,
        l1_ratio: Any = 1.0,
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
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.precompute = precompute

    def _penalty(self) -> Penalty:
        return joint_penalty(self.alpha, self.l1_ratio)


class JointFeatureClassifier(BaseLinearClassifier):
    """Logistic regression of several tasks that select features together.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / n_t  sum_i log-loss(y_ti, x_ti · w_t + b_t)
        +  alpha l1_ratio ||W||_{2,1}  +  alpha (1 - l1_ratio) / 2 ||W||_F²,

    with the sum over the n_t observed labels of task t; a task of K > 2 classes has K rows in W
    and the softmax log-loss. The norm is the sum over features of the size of a feature's
    weights in all tasks, so that a feature is used by all tasks or by none.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength of the penalty, in units of the loss per unit of W.
    l1_ratio : float in [0, 1], default=1.0
        Share of the norm in the penalty; the rest is the squared size.
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
    G. Obozinski, B. Taskar and M. Jordan, "Joint covariate selection and joint subspace selection
    for multiple classification problems", Statistics and Computing 20, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import JointFeatureClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> y = {
    ...     "late": np.where(X[:, 0] > 0, "yes", "no"),
    ...     "size": np.digitize(X[:, 0] + X[:, 1], [-1, 1]),
    ... }
    >>> model = JointFeatureClassifier(alpha=0.1).fit(X, y)
    >>> model.coef_.shape  # a row for "late", one for each class of "size"
    (4, 4)
    >>> (model.coef_ != 0).any(axis=0)
    array([ True,  True, False, False])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearClassifier._parameter_constraints,
        "alpha": STRENGTH,
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        alpha: Any = 0.01,
        *,
        l1_ratio: Any = 1.0,
        fit_intercept: Any = True,
        task_weight: Any = None,
        task_feature: Any = None,
        solver: Any = "auto",
        tol: Any = 1e-6,
        max_iter: Any = 1000,
        warm_start: Any = False,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _penalty(self) -> Penalty:
        return joint_penalty(self.alpha, self.l1_ratio)
