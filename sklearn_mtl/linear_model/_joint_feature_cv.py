from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval

from sklearn_mtl.convex import Penalty
from sklearn_mtl.linear_model._cv import BaseLinearRegressorCV
from sklearn_mtl.linear_model._joint_feature import joint_penalty
from sklearn_mtl.linear_model._path import Scales
from sklearn_mtl.utils._validation import plain


class JointFeatureRegressorCV(BaseLinearRegressorCV):
    """Joint feature selection whose strength is chosen by cross-validation.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  alpha l1_ratio ||W||_{2,1}  +  alpha (1 - l1_ratio) / 2 ||W||_F²,

    as `JointFeatureRegressor` does, for each alpha of a path from strong to weak, on the training
    rows of each split. Statistics of the rows are formed once for all splits and strengths. On
    complete data, paths and errors are those of scikit-learn's ``MultiTaskLassoCV`` and
    ``MultiTaskElasticNetCV``.

    The held-out error of a split is the mean over tasks, with weights λ_t, of the task's mean
    squared error; tasks without held-out labels are left out, and with intercepts those without
    training labels too. The strength chosen has the least mean over splits, the largest
    where several do.

    Parameters
    ----------
    l1_ratio : float in [0, 1] or list of them, default=1.0
        Share of the norm in the penalty; the rest is the squared size. Of a list, the best is
        chosen.
    alphas : int or array-like, default=50
        Strengths to try, or how many. As many fall evenly in logarithm from the smallest one for
        which W = 0 is optimal on all rows; with ``l1_ratio=0``, from 100 times the mean curvature
        of the loss.
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
    alpha_ : float
        The strength chosen.
    l1_ratio_ : float
        The share chosen.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
        The strengths tried, falling; for each share, where a number of them was asked for.
    mse_path_ : ndarray of shape (n_alphas, n_splits) or (n_l1_ratios, n_alphas, n_splits)
        Held-out errors; for each share of a list.
    coef_ : ndarray of shape (n_tasks, n_features)
        The fit of all rows with the strengths chosen.
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
    G. Obozinski, B. Taskar and M. Jordan, "Joint covariate selection and joint subspace selection
    for multiple classification problems", Statistics and Computing 20, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import JointFeatureRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 6))
    >>> y = X[:, :2] @ rng.normal(size=(2, 3)) + 0.1 * rng.normal(size=(60, 3))
    >>> y[:20, 1] = np.nan
    >>> model = JointFeatureRegressorCV(l1_ratio=[0.5, 1.0], alphas=20).fit(X, y)
    >>> model.mse_path_.shape, model.l1_ratio_
    ((2, 20, 5), 1.0)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearRegressorCV._parameter_constraints,
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like"],
    }

    def __init__(
        self,
        *,
        l1_ratio: Any = 1.0,
        alphas: Any = 50,
        eps: Any = 1e-3,
        cv: Any = None,
        n_jobs: Any = None,
        fit_intercept: Any = True,
        task_weight: Any = None,
        task_feature: Any = None,
        solver: Any = "auto",
        tol: Any = 1e-6,
        max_iter: Any = 1000,
        warm_start: Any = False,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.alphas = alphas
        self.eps = eps
        self.cv = cv
        self.n_jobs = n_jobs
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _penalty_at(self, alpha: Any, second: Any = 1.0) -> Penalty:
        return joint_penalty(alpha, second)

    def _seconds(self, scales: Scales) -> Sequence[float]:
        ratios = np.atleast_1d(np.asarray(self.l1_ratio, dtype=np.float64))
        bad = np.flatnonzero(~((ratios >= 0) & (ratios <= 1))) if ratios.ndim == 1 else [0]
        if ratios.ndim != 1 or len(ratios) == 0 or len(bad):
            found = plain(ratios[bad[0]]) if ratios.ndim == 1 and len(bad) else self.l1_ratio
            raise ValueError(
                f"l1_ratio must be a number from 0 to 1 or a list of them, found {found!r}."
            )
        return ratios.tolist()

    def _set_choice(self, alphas: np.ndarray, seconds: Sequence[Any], s: int, a: int) -> None:
        one = isinstance(self.l1_ratio, Real)
        given = not isinstance(self.alphas, Integral)
        self.alphas_ = alphas[0] if one or given else alphas
        self.mse_path_ = self.mse_path_[0] if one else self.mse_path_
        self.alpha_, self.l1_ratio_ = float(alphas[s, a]), seconds[s]

    def _penalty(self) -> Penalty:
        return self._penalty_at(self.alpha_, self.l1_ratio_)
