from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from sklearn_mtl.convex import MeanRegularization, Ridge
from sklearn_mtl.convex.penalties._mean import NOTHING_SHARED
from sklearn_mtl.linear_model._cv import STRENGTHS, BaseLinearRegressorCV
from sklearn_mtl.linear_model._kernel import KernelRegression
from sklearn_mtl.linear_model._path import Scales


class MeanRegularizedRegressorCV(KernelRegression, BaseLinearRegressorCV):
    """Regression with a shared part of the weights, its strengths chosen by cross-validation.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  min  alpha_shared / 2 ||w_0||² + alpha_specific / 2  sum_t ||v_t||²,

    over w_0 + v_t = w_t, as `MeanRegularizedRegressor` does, for each pair of strengths, on the
    training rows of each split. Statistics of the rows are formed once for all splits and
    strengths.

    The held-out error of a split is the mean over tasks, with weights λ_t, of the task's mean
    squared error; tasks without held-out labels are left out, and with intercepts those without
    training labels too. The strength chosen has the least mean over splits, the largest
    strengths where several do.

    With a kernel k, rows x stand for features phi(x) whose inner products are k, and W for weights
    of those.

    Parameters
    ----------
    alphas_shared : int or array-like, default=10
        Strengths on w_0 to try, or how many. As many fall evenly in logarithm from 100 T times the
        mean curvature of the loss, the mean eigenvalue of λ_t times the covariance of X_t: w_0
        answers for T tasks.
    alphas_specific : int or array-like, default=10
        Strengths on each v_t, or how many: from 100 times that curvature.
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
    alpha_shared_, alpha_specific_ : float
        The strengths chosen.
    alphas_shared_ : ndarray of shape (n_shared,)
    alphas_specific_ : ndarray of shape (n_specific,)
        The strengths tried, falling.
    mse_path_ : ndarray of shape (n_shared, n_specific, n_splits)
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
    shared_coef_ : ndarray of shape (n_features,)
        w_0, as long as the kernel is linear.
    specific_coef_ : ndarray of shape (n_tasks, n_features)
        v_t, so that ``coef_ = shared_coef_ + specific_coef_``.
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
    T. Evgeniou and M. Pontil, "Regularized multi-task learning", KDD 2004, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MeanRegularizedRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = {school: rng.normal(size=(20, 2)) for school in "abc"}
    >>> y = {school: X[school] @ [1.0, 2.0] + 0.1 * rng.normal(size=20) for school in X}
    >>> model = MeanRegularizedRegressorCV(alphas_shared=4, alphas_specific=6).fit(X, y)
    >>> model.mse_path_.shape, model.shared_coef_.round(1)
    ((4, 6, 5), array([1., 2.]))
    """

    _strengths = "all of alphas_shared and alphas_specific"

    _parameter_constraints: dict[str, list[Any]] = {
        **{
            name: constraint
            for name, constraint in BaseLinearRegressorCV._parameter_constraints.items()
            if name != "alphas"
        },
        **KernelRegression._parameter_constraints,
        "alphas_shared": STRENGTHS,
        "alphas_specific": STRENGTHS,
    }

    def __init__(
        self,
        *,
        alphas_shared: Any = 10,
        alphas_specific: Any = 10,
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
        self.alphas_shared = alphas_shared
        self.alphas_specific = alphas_specific
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
        """Return the estimator with w_0 = 0, which searches `alphas_specific` alone.

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
        return clone(self).set_params(alphas_shared=[NOTHING_SHARED])

    def _penalty_at(self, alpha: Any, second: Any = 1.0) -> MeanRegularization:
        return MeanRegularization(second, alpha)

    def _seconds(self, scales: Scales) -> Sequence[float]:
        return scales.strengths(
            self.alphas_shared, Ridge(1.0), self.eps, "alphas_shared", scales.rows.n_tasks
        ).tolist()

    def _alphas(self, scales: Scales, second: Any) -> np.ndarray:
        return scales.strengths(self.alphas_specific, Ridge(1.0), self.eps, "alphas_specific")

    def _set_choice(self, alphas: np.ndarray, seconds: Sequence[Any], s: int, a: int) -> None:
        self.alphas_shared_, self.alphas_specific_ = np.array(seconds), alphas[0]
        self.alpha_shared_, self.alpha_specific_ = seconds[s], float(alphas[s, a])

    def _penalty(self) -> MeanRegularization:
        return self._penalty_at(self.alpha_specific_, self.alpha_shared_)
