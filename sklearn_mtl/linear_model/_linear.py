from typing import Any

from sklearn.utils import ClassifierTags
from sklearn.utils.metaestimators import available_if

from sklearn_mtl.convex import Penalty
from sklearn_mtl.linear_model._classifier import BaseLinearClassifier, BaseLogLoss
from sklearn_mtl.linear_model._named_penalty import PENALTY, NamedPenalty, resolve_penalty
from sklearn_mtl.linear_model._regressor import BaseLinearRegressor
from sklearn_mtl.tasks._chosen import ChosenTasks
from sklearn_mtl.tasks._predictions import has_classes


class MultiTaskLinearRegressor(NamedPenalty, BaseLinearRegressor):
    """Linear regression of several tasks under any penalty.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / (2 n_t)  ||y_t - X_t w_t - b_t||²
        +  Omega(W),

    with the sum over the n_t observed labels of task t. Omega is any penalty of
    `sklearn_mtl.convex`, or a sum of one norm and quadratic ones.

    Parameters
    ----------
    penalty : {"group_l21", "graph", "l1", "mean", "nuclear", "relationship", "ridge"} or Penalty, \
            default="nuclear"
        What ties the tasks. A word is that penalty with its default strength; an object, or a
        sum such as ``NuclearNorm(0.1) + Ridge(0.01)``, can be searched: ``penalty__alpha``.
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
    rank_, shared_coef_, specific_coef_, task_covariance_, task_correlation_ : int, ndarray, ...
        As `LowRankRegressor`, `MeanRegularizedRegressor` and `TaskRelationshipRegressor` have,
        where the penalty is of that kind.
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
    A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
    problems", SIAM Journal on Imaging Sciences 2, 2009.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_mtl import MultiTaskLinearRegressor
    >>> from sklearn_mtl.convex import NuclearNorm, Ridge
    >>> X, y = load_linnerud(return_X_y=True, as_frame=True)
    >>> model = MultiTaskLinearRegressor(penalty=NuclearNorm(1.0) + Ridge(0.1))
    >>> search = GridSearchCV(model, {"penalty__nuclearnorm__alpha": [0.1, 10.0]}, cv=4).fit(X, y)
    >>> search.best_params_
    {'penalty__nuclearnorm__alpha': 10.0}
    >>> list(search.predict(X).columns)
    ['Weight', 'Waist', 'Pulse']
    """

    _strengths = "the strengths in penalty (or add a Ridge)"

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearRegressor._parameter_constraints,
        "penalty": PENALTY,
    }

    def __init__(
        self,
        penalty: Any = "nuclear",
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
        self.penalty = penalty
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.precompute = precompute

    def _penalty(self) -> Penalty:
        return resolve_penalty(self.penalty)


class MultiTaskLinearClassifier(NamedPenalty, BaseLinearClassifier):
    """Logistic regression of several tasks under any penalty.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / n_t  sum_i log-loss(y_ti, x_ti · w_t + b_t)
        +  Omega(W),

    with the sum over the n_t observed labels of task t; a task of K > 2 classes has K rows in W
    and the softmax log-loss. Omega is any penalty of `sklearn_mtl.convex`, or a sum of one norm
    and quadratic ones.

    Parameters
    ----------
    penalty : {"group_l21", "graph", "l1", "mean", "nuclear", "relationship", "ridge"} or Penalty, \
            default="nuclear"
        What ties the tasks. A word is that penalty with its default strength; an object, or a
        sum such as ``NuclearNorm(0.1) + Ridge(0.01)``, can be searched: ``penalty__alpha``.
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
    rank_, shared_coef_, specific_coef_, task_covariance_, task_correlation_ : int, ndarray, ...
        As `LowRankRegressor`, `MeanRegularizedRegressor` and `TaskRelationshipRegressor` have,
        where the penalty is of that kind.
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
    A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
    problems", SIAM Journal on Imaging Sciences 2, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import MultiTaskLinearClassifier
    >>> from sklearn_mtl.convex import L1
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> y = {
    ...     "late": np.where(X[:, 0] > 0, "yes", "no"),
    ...     "size": np.digitize(X[:, 0] + X[:, 1], [-1, 1]),
    ... }
    >>> model = MultiTaskLinearClassifier(penalty=L1(0.05)).fit(X, y)
    >>> model.coef_.shape  # a row for "late", one for each class of "size"
    (4, 4)
    >>> bool((model.coef_ == 0).any())
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLinearClassifier._parameter_constraints,
        "penalty": PENALTY,
    }

    def __init__(
        self,
        penalty: Any = "nuclear",
        *,
        fit_intercept: Any = True,
        task_weight: Any = None,
        task_feature: Any = None,
        solver: Any = "auto",
        tol: Any = 1e-6,
        max_iter: Any = 1000,
        warm_start: Any = False,
    ) -> None:
        self.penalty = penalty
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _penalty(self) -> Penalty:
        return resolve_penalty(self.penalty)


class MultiTaskLinearEstimator(NamedPenalty, BaseLogLoss):
    """Linear model of numbers and classes at once, under any penalty.

    Minimises, over W of shape (T, p) and intercepts b,

        sum_t  λ_t / n_t  sum_i loss_t(y_ti, x_ti · w_t + b_t)
        +  Omega(W),

    with half the squared error for regression tasks and the log-loss for classes, over the n_t
    observed labels of task t. Omega is any penalty of `sklearn_mtl.convex`, or a sum of one
    norm and quadratic ones. A regression task counts in units of its y²: standardise y, or
    choose λ, where tasks should weigh alike.

    Parameters
    ----------
    penalty : {"group_l21", "graph", "l1", "mean", "nuclear", "relationship", "ridge"} or Penalty, \
            default="nuclear"
        What ties the tasks. A word is that penalty with its default strength; an object, or a
        sum such as ``NuclearNorm(0.1) + Ridge(0.01)``, can be searched: ``penalty__alpha``.
    task_kinds : dict name -> {"regression", "classification"}, default=None
        Overrides what the labels say: floats are regression; booleans, integers, strings and
        categories are classes.
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
    rank_, shared_coef_, specific_coef_, task_covariance_, task_correlation_ : int, ndarray, ...
        As `LowRankRegressor`, `MeanRegularizedRegressor` and `TaskRelationshipRegressor` have,
        where the penalty is of that kind.
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
    A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
    problems", SIAM Journal on Imaging Sciences 2, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_mtl import MultiTaskLinearEstimator
    >>> from sklearn_mtl.convex import GroupL21
    >>> X, progression = load_diabetes(return_X_y=True, scaled=False)
    >>> X = (X - X.mean(axis=0)) / X.std(axis=0)
    >>> severe = np.where(progression > 140, "yes", "no")
    >>> y = {"progression": progression / progression.std(), "severe": severe}
    >>> model = MultiTaskLinearEstimator(penalty=GroupL21(0.05)).fit(X, y)
    >>> model.predict(X[:2])["severe"]
    array(['yes', 'no'], dtype='<U3')
    """

    _family = "mixed"

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseLogLoss._parameter_constraints,
        "penalty": PENALTY,
        "task_kinds": [None, dict],
    }

    def __init__(
        self,
        penalty: Any = "nuclear",
        *,
        task_kinds: Any = None,
        fit_intercept: Any = True,
        task_weight: Any = None,
        task_feature: Any = None,
        solver: Any = "auto",
        tol: Any = 1e-6,
        max_iter: Any = 1000,
        warm_start: Any = False,
    ) -> None:
        self.penalty = penalty
        self.task_kinds = task_kinds
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        return super()._parameters_for(tasks) | {"task_kinds": tasks.by_task(self.task_kinds)}

    def _penalty(self) -> Penalty:
        return resolve_penalty(self.penalty)

    @available_if(has_classes)
    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities.

        Parameters
        ----------
        X : as in ``predict``

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes) for one task, a list of them over the
            columns of an array, or a dict name -> ndarray for named tasks. In long form the
            columns are those of ``classes_``. Regression tasks are left out of a dict, and are None
            in a list.
        """
        return self._predict_proba(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # scikit-learn asks what has predict_proba for these tags, whatever its type
        tags.classifier_tags = ClassifierTags(multi_label=True)
        return tags
