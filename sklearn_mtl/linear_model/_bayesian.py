from numbers import Integral
from typing import Any, Self, cast

import numpy as np
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.bayes import GaussianFit, TaskPosteriors, fit_new_tasks, learn
from sklearn_mtl.convex import GramStats, coef_rows
from sklearn_mtl.linear_model._blocks import is_dask
from sklearn_mtl.linear_model._population import BasePopulationModel
from sklearn_mtl.linear_model._population_checks import warn_of_common_errors, warn_of_scales
from sklearn_mtl.linear_model._statistics import BaseStatisticsRegressor
from sklearn_mtl.tasks import TaskData, TaskLayout
from sklearn_mtl.tasks._rows import read_rows


class BayesianMultiTaskRegressor(BasePopulationModel, BaseStatisticsRegressor):
    """Linear regression of tasks whose weights are draws of one population, which is learned.

    The model of the weights w_t, of shape (p,), and of the labels of each task t is

        w_t ~ N(μ, Σ),    b_t ~ N(μ_b, s_b²),    y_ti ~ N(x_ti · w_t + b_t, σ_t²),

    where b_t is the label expected at the mean of all rows. Σ, s_b² and σ_t² maximise the
    evidence, the probability of all labels with every w_t, b_t and μ integrated out, times weak
    hyper-priors. There is no strength to tune. A task with few labels is drawn towards the
    population as far as tasks were found to be alike, and predictions know how uncertain they are.

    Hyper-priors, for labels of variance 1 and features of variance 1: μ ~ N(0, τ² I), where τ² is
    learned and counts one further weight of variance 1 / p; μ_b ~ N(mean of the labels, 100). Σ
    counts `pseudo_tasks` further tasks, and s_b² one, whose weights and intercept have the
    variances that a first fit with a spherical Σ finds, where a twentieth of a weight of variance
    1 / p and of an intercept of variance 1 is added; σ_t² counts `noise_pseudo_labels_` further
    labels with the noise that is typical of all tasks, 2 of them or more, as alike as tasks were
    found to be in that fit; and that noise one label more with noise of variance 0.2. They keep
    three tasks, or fewer labels than features, from a Σ or a σ_t² of 0.

    Parameters
    ----------
    prior_covariance : {"full", "diagonal", "spherical", "low_rank"}, default="full"
        The form of Σ. "spherical" is one variance for weights in the units of X; the others do
        not depend on these units. "low_rank" is `prior_rank` directions and one variance for the
        rest.
    prior_rank : int, default=5
        Directions of "low_rank".
    pseudo_tasks : "auto" or float, default="auto"
        How many tasks the hyper-prior of Σ counts for; "auto" is twice the number of features for
        "full", that number for "low_rank", 2 for "diagonal", and for "spherical", where each weight
        tells of the one variance, 1 by that number.
    prior_mean : {"learned", "zero"}, default="learned"
        Whether μ is learned; with "zero", weights are drawn towards 0.
    noise : {"task", "shared"}, default="task"
        Whether each task has a σ_t² of its own.
    target_scaling : {None, "standard"}, default=None
        "standard" learns one population of weights for labels of mean 0 and variance 1 in each
        task: for targets that are measured in different units.
    unseen_task : {"error", "prior"}, default="error"
        What to predict for a task that ``fit`` never saw, in long form or with rows of its own:
        an error, or what the population lets expect. With "prior", a dict X may also have fewer
        tasks than ``fit`` saw.
    fit_intercept : bool, default=True
        Whether tasks have intercepts b_t.
    task_feature : str or int, default=None
        Column of X that holds each row's task, for long form.
    tol : float, default=1e-6
        Where to stop: the gain in log evidence that is left, for each label.
    max_iter : int, default=1000
    precompute : "auto", bool or GramStats, default="auto"
        Statistics of these very X and y, from `statistics`, spare forming them again. True forms
        them, False works on X itself where the method can; "auto" decides by cost.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features)
        Posterior means of the w_t.
    coef_covariance_ : ndarray of shape (n_tasks, n_features, n_features)
        Posterior covariances, computed when asked for.
    intercept_ : ndarray of shape (n_tasks,)
    prior_mean_ : ndarray of shape (n_features,)
        Posterior mean of μ. With ``target_scaling="standard"``, all that is said of the population
        is in units of the standardised labels.
    prior_mean_covariance_ : ndarray of shape (n_features, n_features)
        Posterior covariance of μ: how little the tasks tell about it.
    prior_covariance_ : ndarray of shape (n_features, n_features)
        Σ.
    prior_intercept_mean_ : float
        Posterior mean of μ_b.
    prior_intercept_variance_ : float
        s_b².
    noise_variance_ : ndarray of shape (n_tasks,)
        σ_t², in squared units of the labels.
    noise_pseudo_labels_ : float
        Labels that the hyper-prior of σ_t² counts for; of no meaning where noise is shared.
    log_evidence_ : float
    scores_ : list of float
        Log evidence plus log hyper-priors, before each iteration and after the last. They never
        fall. Of the fit of Σ in its form, which a fit with one variance precedes.
    n_iter_ : int
        Of both fits.
    n_singular_ : int
        Directions in which the weights of tasks hardly differ, so that the hyper-prior alone keeps
        their variance in Σ from 0.
    statistics_ : GramStats
        What was learned from X and y.
    layout_ : TaskLayout
    task_names_ : list
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    Labels are independent, given the weights. Where tasks are different targets of the same rows
    and their errors go together, as those of months of sales do, that is wrong: a warning says so,
    μ is believed too readily (``prior_mean="zero"`` is better there), and intervals are too narrow.

    A sample weight counts repetitions of a label. An iteration works on statistics alone. For tasks
    with rows of their own it costs about 5 T p³ operations, as many as 15 Cholesky factorisations
    for each task, and T p² numbers of memory six times over, of which ``fit`` keeps them once. For
    T tasks of the same rows there is one eigendecomposition, and p² + T p numbers are kept. It
    does not cost less where rows are fewer than features: for more than some 500 features, X is
    better reduced before.

    References
    ----------
    G. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
    microarray experiments", Statistical Applications in Genetics and Molecular Biology 3, 2004,
    section 6.2, for the noise.

    B. Bakker and T. Heskes, "Task clustering and gating for Bayesian multitask learning", Journal
    of Machine Learning Research 4, 2003, section 2. There the evidence is maximised over μ, which
    is integrated out here.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import BayesianMultiTaskRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = {school: rng.normal(size=(8, 3)) for school in range(20)}
    >>> w = {school: [1.0, 2.0, 0.0] + 0.3 * rng.normal(size=3) for school in X}
    >>> y = {school: X[school] @ w[school] + rng.normal(size=8) for school in X}
    >>> model = BayesianMultiTaskRegressor(unseen_task="prior").fit(X, y)
    >>> model.prior_mean_.round(1)
    array([ 0.9,  2. , -0.1])

    A school never seen is predicted from the population, and less certainly:

    >>> rows = np.eye(3)
    >>> mean, std = model.predict({0: rows, "new": rows}, return_std=True)
    >>> bool((std["new"] > std[0]).all())
    True

    until some of its pupils are known:

    >>> pupils = rng.normal(size=(5, 3))
    >>> model = model.add_task({"new": pupils}, {"new": pupils @ [0.0, 2.0, 1.0]})
    >>> bool((model.predict({"new": rows}, return_std=True)[1]["new"] < std["new"]).all())
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseStatisticsRegressor._parameter_constraints,
        **BasePopulationModel._parameter_constraints,
        "noise": [StrOptions({"task", "shared"})],
        "target_scaling": [None, StrOptions({"standard"})],
    }

    def __init__(
        self,
        prior_covariance: Any = "full",
        *,
        prior_rank: Any = 5,
        pseudo_tasks: Any = "auto",
        prior_mean: Any = "learned",
        noise: Any = "task",
        target_scaling: Any = None,
        unseen_task: Any = "error",
        fit_intercept: Any = True,
        task_feature: Any = None,
        tol: Any = 1e-6,
        max_iter: Any = 1000,
        precompute: Any = "auto",
    ) -> None:
        self.prior_covariance = prior_covariance
        self.prior_rank = prior_rank
        self.pseudo_tasks = pseudo_tasks
        self.prior_mean = prior_mean
        self.noise = noise
        self.target_scaling = target_scaling
        self.unseen_task = unseen_task
        self.fit_intercept = fit_intercept
        self.task_feature = task_feature
        self.tol = tol
        self.max_iter = max_iter
        self.precompute = precompute

    # -- fit ----------------------------------------------------------------------------------

    def _fit_statistics(
        self, stats: GramStats, layout: TaskLayout, *, dtype: Any, growing: bool = False
    ) -> Self:
        if self.target_scaling is not None and self.unseen_task == "prior":
            raise ValueError(
                f"target_scaling={self.target_scaling!r} measures each task in units of its own "
                "labels, which nobody knows of a task never seen: set unseen_task='error', or "
                "target_scaling=None."
            )
        fit = learn(
            stats,
            structure=self.prior_covariance,
            rank=self.prior_rank,
            pseudo_tasks=self.pseudo_tasks,
            shared_noise=self.noise == "shared",
            fit_intercept=self.fit_intercept,
            learn_mean=self.prior_mean == "learned",
            each_task=self.target_scaling is not None,
            tol=self.tol,
            max_iter=self.max_iter,
        )
        self._warn_unless_converged(fit)
        if self.target_scaling is None:
            warn_of_scales(stats, layout)
        scale, mean = fit.coordinates.y_scale, fit.coordinates.y_mean
        self.layout_, self._rows, self._fit = layout, coef_rows(layout.tasks), fit
        # what is expected of a task never seen, whatever tasks are added
        self._unseen_noise = float(fit.noise.mean())
        self._dtype = np.dtype(dtype).type
        self._set_tasks(fit.tasks, fit.noise, mean, scale)
        self._set_population(fit)
        # densities of labels in their own units
        units = float(stats.task_mass @ np.log(scale))
        self.log_evidence_ = fit.log_evidence - units
        self.scores_ = [score - units for score in fit.scores]
        self.n_iter_, self.n_singular_ = fit.n_iter, fit.n_singular
        self.noise_pseudo_labels_ = fit.pseudo_labels
        return self

    def _fit_rows(self, rows: Any, data: TaskData, layout: TaskLayout) -> GramStats | None:
        stats = super()._fit_rows(rows, data, layout)
        if data.task_index is None and self.prior_mean == "learned":
            errors = data.labels - (rows @ self.coef_.T + self.intercept_)
            relative = errors / np.sqrt(self.noise_variance_)
            warn_of_common_errors(relative, np.asarray(data.observed), type(self).__name__)
        return stats

    def _set_tasks(
        self, tasks: TaskPosteriors, noise: np.ndarray, y_mean: np.ndarray, y_scale: np.ndarray
    ) -> None:
        """Set what is known of tasks; all but the last two in standard coordinates."""
        self._tasks, self._y_mean, self._y_scale = tasks, y_mean, y_scale
        coordinates = self._fit.coordinates
        self.coef_ = coordinates.coef(tasks.mean, y_scale).astype(self._dtype)
        offset = coordinates.intercept(tasks.mean, y_mean, y_scale)
        self.intercept_ = offset.astype(self._dtype)
        self.noise_variance_ = noise * np.square(y_scale)

    def _set_population(self, fit: GaussianFit) -> None:
        """Set what is known of the population, in units of labels where these are those of all."""
        coordinates = fit.coordinates
        p, one_unit = len(coordinates.x_scale), self.target_scaling is None
        scale = coordinates.y_scale[:1] if one_unit else np.ones(1)
        mean = coordinates.y_mean[:1] if one_unit else np.zeros(1)
        units = scale / coordinates.x_scale
        outer = units[:, None] * units
        center = fit.population_mean
        self.prior_mean_ = center[:p] * units
        self.prior_mean_covariance_ = fit.population_covariance[:p, :p] * outer
        self.prior_covariance_ = fit.prior.covariance[:p, :p] * outer
        self.prior_intercept_mean_ = float(coordinates.intercept(center[None], mean, scale)[0])
        variance = fit.prior.covariance[p, p] if self.fit_intercept else 0.0
        self.prior_intercept_variance_ = float(variance * scale[0] ** 2)

    @property
    def coef_covariance_(self) -> np.ndarray:
        """Posterior covariances of the weights, shape (n_tasks, n_features, n_features)."""
        if "_tasks" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'coef_covariance_' before fit."
            )
        units = self._y_scale[:, None] / self._fit.coordinates.x_scale
        p = units.shape[1]
        covariance = self._tasks.covariance[self._tasks.kind, :p, :p]
        return covariance * units[:, :, None] * units[:, None, :]

    # -- other tasks --------------------------------------------------------------------------

    def _select(self, layout: TaskLayout, known: np.ndarray) -> None:
        """Set what predictions need to that of some tasks; -1 in `known` is a task never seen."""
        unseen = known < 0
        scale = np.where(unseen, self._y_scale[0], self._y_scale[known])
        mean = np.where(unseen, self._y_mean[0], self._y_mean[known])
        noise = self.noise_variance_ / np.square(self._y_scale)
        noise = np.where(unseen, self._unseen_noise, noise[known])
        self._set_tasks(self._tasks.select(known), noise, mean, scale)

    def _learn_tasks(self, data: TaskData, rows: np.ndarray, added: TaskLayout) -> None:
        """Append what predictions need of new tasks."""
        stats = GramStats.from_data(rows, data)
        new = fit_new_tasks(
            self._fit,
            stats,
            shared_noise=self.noise == "shared",
            each_task=self.target_scaling is not None,
        )
        if "statistics_" in vars(self):  # not after trim
            self.statistics_ = cast(GramStats, self.statistics_).join(stats)
        noise = self.noise_variance_ / np.square(self._y_scale)
        self._set_tasks(
            self._tasks.append(new.mean, new.covariances, new.kind),
            np.concatenate([noise, new.noise]),
            np.concatenate([self._y_mean, new.y_mean]),
            np.concatenate([self._y_scale, new.y_scale]),
        )

    # -- predict ------------------------------------------------------------------------------

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict every task.

        Parameters
        ----------
        X : array-like, sparse matrix or dask array of shape (n, p), or dict name -> (n_t, p)
            As in ``fit``; with ``unseen_task="prior"``, of any tasks.
        return_std : bool, default=False
            Whether to return standard deviations too.

        Returns
        -------
        y : the container that ``fit`` received
            Of a dask array X, where ``fit`` received an array of labels: a dask array, computed
            when asked.
        std : the same container
            Standard deviations of new labels, noise included. Only where `return_std` is True.
        """
        check_is_fitted(self)
        model = self._knowing(X)
        labels = BaseStatisticsRegressor.predict(model, X)
        if not return_std:
            return labels
        if is_dask(X):
            raise TypeError(
                "return_std=True takes X in memory, found a dask collection; pass X.compute()."
            )
        return labels, model._deviations(X)

    def _deviations(self, X: Any) -> Any:
        """Return standard deviations of new labels, in the container that ``fit`` received."""
        data = self.layout_.encode(X)
        variance = np.empty(
            data.n_rows if data.task_index is not None else (data.n_rows, data.n_tasks)
        )
        for t, here, rows in self._standard_rows(X, data):
            of_mean = self._tasks.variance(rows, t) * np.square(self._y_scale[t])
            variance[here] = of_mean + self.noise_variance_[t]
        return self.layout_.decode(np.sqrt(variance), data)

    def _standard_rows(self, X: Any, data: TaskData) -> Any:
        """Yield each task's number, where its values go, and its rows in standard coordinates."""
        rows = read_rows(self, X, data, self.layout_, reset=False, accept_sparse="csr")
        dense = rows if isinstance(rows, np.ndarray) else rows.toarray()
        standard = self._fit.coordinates.rows(dense)
        for t in range(data.n_tasks):
            if data.task_index is None:
                yield t, (slice(None), t), standard
            else:
                yield t, data.groups[t], standard[data.groups[t]]

    def sample_y(self, X: Any, n_samples: int = 1, random_state: Any = 0) -> Any:
        """Draw labels from what the model expects of them, noise included.

        A draw has one set of weights for all rows of a task, so that its labels err together.
        Tasks are drawn independently, given what was learned.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
            As in ``predict``.
        n_samples : int, default=1
            Number of draws, S.
        random_state : int, RandomState instance or None, default=0

        Returns
        -------
        samples : ndarray of shape (n, S) for one column of labels, (n, T, S) for an array of T,
            or dict name -> ndarray of shape (n_t, S) for named tasks
        """
        check_is_fitted(self)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        model, random_state = self._knowing(X), check_random_state(random_state)
        data = model.layout_.encode(X)
        shape = (data.n_rows,) if data.task_index is not None else (data.n_rows, data.n_tasks)
        samples = np.empty((*shape, n_samples))
        for t, here, rows in model._standard_rows(X, data):
            values = rows @ model._tasks.draw(t, n_samples, random_state)
            values = model._y_mean[t] + model._y_scale[t] * values
            deviation = np.sqrt(model.noise_variance_[t])
            samples[here] = values + deviation * random_state.standard_normal(values.shape)
        return model.layout_.decode_draws(samples, data)
