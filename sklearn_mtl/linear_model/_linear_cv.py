from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_mtl.convex import Penalty
from sklearn_mtl.linear_model._cv import BaseLinearRegressorCV
from sklearn_mtl.linear_model._named_penalty import PENALTY, NamedPenalty, resolve_penalty


class MultiTaskLinearRegressorCV(NamedPenalty, BaseLinearRegressorCV):
    """Linear regression under any penalty, its strength chosen by cross-validation.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  alpha Omega(W),

    as `MultiTaskLinearRegressor` does, for each alpha of a path from strong to weak, on the
    training rows of each split. Omega is any penalty of `sklearn_mtl.convex`, or a sum of one norm
    and quadratic ones; alpha multiplies all of it. Statistics of the rows are formed once for all
    splits and strengths.

    The held-out error of a split is the mean over tasks, with weights λ_t, of the task's mean
    squared error; tasks without held-out labels are left out, and with intercepts those without
    training labels too. The strength chosen has the least mean over splits, the largest
    where several do.

    Parameters
    ----------
    penalty : {"group_l21", "graph", "l1", "mean", "nuclear", "relationship", "ridge"} or Penalty, \
            default="nuclear"
        What ties the tasks. A word is that penalty with its default strength, an object may be a
        sum such as ``NuclearNorm(1.0) + Ridge(0.1)``.
    alphas : int or array-like, default=50
        Factors of the penalty to try, or how many. As many fall evenly in logarithm: with a norm,
        from the smallest one for which W = 0 is optimal on all rows; without, from 100 times the
        mean curvature of the loss, over the mean of the penalty's diagonal.
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
        The factor chosen.
    penalty_ : Penalty
        The penalty times ``alpha_``.
    alphas_ : ndarray of shape (n_alphas,)
        The factors tried, falling.
    mse_path_ : ndarray of shape (n_alphas, n_splits)
        Held-out errors.
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
    A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
    problems", SIAM Journal on Imaging Sciences 2, 2009.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskLinearRegressorCV
    >>> from sklearn_mtl.convex import NuclearNorm, Ridge
    >>> X, y = load_linnerud(return_X_y=True, as_frame=True)
    >>> model = MultiTaskLinearRegressorCV(NuclearNorm(1.0) + Ridge(0.01), alphas=20).fit(X, y)
    >>> model.mse_path_.shape
    (20, 5)
    >>> list(model.predict(X).columns)
    ['Weight', 'Waist', 'Pulse']
    """

    _strengths = "all of alphas and the strengths in penalty (or add a Ridge)"

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearRegressorCV._parameter_constraints,
        "penalty": PENALTY,
    }

    def __init__(
        self,
        penalty: Any = "nuclear",
        *,
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
        self.penalty = penalty
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
        return resolve_penalty(self.penalty).scaled(alpha)

    def _set_choice(self, alphas: np.ndarray, seconds: Sequence[Any], s: int, a: int) -> None:
        self.alphas_, self.mse_path_ = alphas[0], self.mse_path_[0]
        self.alpha_ = float(alphas[0, a])
        self.penalty_ = self._penalty_at(self.alpha_)

    def _penalty(self) -> Penalty:
        return self.penalty_
