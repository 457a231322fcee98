from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np

from sklearn_mtl.bayes import learn_classes
from sklearn_mtl.convex import coef_rows
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.linear_model._class_family import Family, families, family_of, likelihood_of
from sklearn_mtl.linear_model._model import BaseLinearClassification
from sklearn_mtl.linear_model._population import BasePopulationModel
from sklearn_mtl.tasks import TaskData, TaskLayout, TaskSpec, infer_layout
from sklearn_mtl.tasks._containers import read_labels
from sklearn_mtl.tasks._exported import AveragedLogistic
from sklearn_mtl.tasks._layout import LONG
from sklearn_mtl.tasks._outputs import OutputGroup, group_outputs
from sklearn_mtl.tasks._predictions import output_columns
from sklearn_mtl.tasks._rows import read_rows
from sklearn_mtl.utils._validation import listing, plain


class BayesianMultiTaskClassifier(BasePopulationModel, BaseLinearClassification):
    """Logistic regression of tasks whose weights are draws of one population, which is learned.

    The model of the weights w_t, of shape (p,), and of the labels of each binary task t is

        w_t ~ N(μ, Σ),    b_t ~ N(μ_b, s_b²),    P(y_ti = 1) = 1 / (1 + exp(-x_ti · w_t - b_t)),

    where b_t is the log-odds at the mean of all rows. A task of K > 2 classes has weights, and the
    population a μ and a Σ, for each class, and probabilities are their softmax. All binary tasks
    have one population, as have multiclass tasks with the same classes. Σ and s_b² maximise the
    evidence, the probability of all labels with every w_t, b_t and μ integrated out, in Laplace's
    approximation, times weak hyper-priors. There is no strength to tune. A task with few labels is
    drawn towards the population as far as tasks were found to be alike, even one that saw a single
    class (in long form, or with rows of its own). Probabilities are averages over the posterior:
    they know how uncertain weights are.

    Hyper-priors, for features of variance 1: μ ~ N(0, τ² I), where τ² is learned and counts one
    further weight of variance 1 / p; μ_b ~ N(0, 100). Σ counts `pseudo_tasks` further tasks, and
    s_b² one, whose weights and intercept have the variances that a first fit with a spherical Σ
    finds, where one weight of variance 1 / p and one intercept of variance 1 are added.

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

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features)
        Posterior means of the w_t. A task of K > 2 classes has K rows, one after another.
    coef_covariance_ : ndarray of shape (n_tasks, n_features, n_features)
        Posterior covariances of the rows of ``coef_``, computed when asked for.
    intercept_ : ndarray of shape (n_tasks,)
        One for each row of ``coef_``.
    classes_ : ndarray, or list over tasks of ndarray
    prior_mean_ : ndarray of shape (n_features,) or (n_sets, n_features)
        Posterior mean of μ: one for the binary tasks, and one for each class of tasks with the same
        classes. The same holds of all that is said of the population.
    prior_mean_covariance_ : ndarray of shape (n_features, n_features) or (n_sets, ...)
        Posterior covariance of μ: how little the tasks tell about it.
    prior_covariance_ : ndarray of shape (n_features, n_features) or (n_sets, ...)
        Σ.
    prior_intercept_mean_ : float or ndarray of shape (n_sets,)
        Posterior mean of μ_b.
    prior_intercept_variance_ : float or ndarray of shape (n_sets,)
        s_b².
    log_evidence_ : float
        In Laplace's approximation.
    scores_ : list of float
        Log evidence plus log hyper-priors, before each iteration and after the last. They never
        fall. Of the fit of Σ in its form, which a fit with one variance precedes. Of several
        populations, which are learned side by side, the sum.
    n_iter_ : int
        Of both fits.
    n_singular_ : int
        Directions in which the weights of tasks hardly differ, so that the hyper-prior alone keeps
        their variance in Σ from 0.
    layout_ : TaskLayout
    task_names_ : list
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    A sample weight counts repetitions of a label. An iteration costs a few steps of Newton's
    method, each O(n p² + T p³) operations for n labels, and T p² numbers of memory; for K classes
    K² p² takes the place of p². The posterior is a Gaussian about its mean, which is the mode and
    how far the skewness of the posterior moves the mean from there, to first order. Averages over
    it are exact to 1e-9 for two classes; for more they are of 1024 fixed points, with errors of
    about 1e-3.

    References
    ----------
    B. Bakker and T. Heskes, "Task clustering and gating for Bayesian multitask learning", Journal
    of Machine Learning Research 4, 2003, section 2. There labels are numbers, and the evidence is
    maximised over μ, which is integrated out here.

    D. MacKay, "The evidence framework applied to classification networks", Neural Computation 4,
    1992, for Laplace's approximation and averages over the posterior.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mtl import BayesianMultiTaskClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = {clinic: rng.normal(size=(30, 3)) for clinic in range(20)}
    >>> w = {clinic: [1.0, 2.0, 0.0] + 0.3 * rng.normal(size=3) for clinic in X}
    >>> y = {
    ...     clinic: np.where(X[clinic] @ w[clinic] + rng.logistic(size=30) > 0, "ill", "well")
    ...     for clinic in X
    ... }
    >>> model = BayesianMultiTaskClassifier(unseen_task="prior").fit(X, y)
    >>> model.predict_proba({0: np.eye(3)})[0].shape
    (3, 2)

    A clinic never seen is predicted from the population, until some of its patients are known,
    even if all of them are well:

    >>> rows = rng.normal(size=(4, 3))
    >>> before = model.predict_proba({"new": rows})["new"]
    >>> model = model.add_task({"new": rows}, {"new": ["well"] * 4})
    >>> after = model.predict_proba({"new": rows})["new"]
    >>> bool((after[:, 1] > before[:, 1]).all())
    True
    """

    def __init__(
        self,
        prior_covariance: Any = "full",
        *,
        prior_rank: Any = 5,
        pseudo_tasks: Any = "auto",
        prior_mean: Any = "learned",
        unseen_task: Any = "error",
        fit_intercept: Any = True,
        task_feature: Any = None,
        tol: Any = 1e-6,
        max_iter: Any = 1000,
    ) -> None:
        self.prior_covariance = prior_covariance
        self.prior_rank = prior_rank
        self.pseudo_tasks = pseudo_tasks
        self.prior_mean = prior_mean
        self.unseen_task = unseen_task
        self.fit_intercept = fit_intercept
        self.task_feature = task_feature
        self.tol = tol
        self.max_iter = max_iter

    # -- fit ----------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn the populations of tasks and the weights of all tasks.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p), or dict name -> (n_t, p)
            With ``task_feature`` set, one of the columns says each row's task.
        y : array, DataFrame, dict or MultiTaskTarget
            Labels; NaN, None or NA where not observed. See the README's table of containers.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
            Weight of each row, or of each label. A label of weight 0 is one not observed.

        Returns
        -------
        self

        Raises
        ------
        TaskLayoutError
            Labels that make no task, names or lengths that differ; the message names the task.
        ValueError
            A parameter out of range, infinite or missing values in X.
        """
        self._validate_params()
        layout, data, rows = self._read(X, y, sample_weight)
        layout.check_observed(data)
        learned = {}
        for key, tasks in families(layout.tasks).items():
            likelihood = likelihood_of(layout.tasks[tasks[0]])
            fit = learn_classes(
                rows,
                data,
                tasks,
                likelihood,
                structure=self.prior_covariance,
                rank=self.prior_rank,
                pseudo_tasks=self.pseudo_tasks,
                fit_intercept=self.fit_intercept,
                learn_mean=self.prior_mean == "learned",
                tol=self.tol,
                max_iter=self.max_iter,
            )
            self._warn_unless_converged(fit)
            learned[key] = Family.of(tasks, likelihood, fit)
        self.layout_, self._rows = layout, coef_rows(layout.tasks)
        self._dtype = rows.dtype.type
        self._set_families([*learned.values()], layout.tasks)
        self._set_populations()
        fits = [family.fit for family in self._families]
        self.log_evidence_ = sum(fit.log_evidence for fit in fits)
        self.n_iter_ = max(fit.n_iter for fit in fits)
        self.n_singular_ = sum(fit.n_singular for fit in fits)
        longest = max(len(fit.scores) for fit in fits)
        paths = [fit.scores + fit.scores[-1:] * (longest - len(fit.scores)) for fit in fits]
        self.scores_ = [float(total) for total in np.sum(paths, axis=0)]
        return self

    def _set_families(self, learned: list[Family], tasks: Any) -> None:
        """Set what is known of tasks, which are those of all families together."""
        self._families = learned
        rows = coef_rows(tasks)
        coef, intercept = np.empty((rows.n_rows, self._n_weights)), np.empty(rows.n_rows)
        for family in learned:
            weights = family.coef(family.known.mean)
            offsets = family.intercept(family.known.mean)
            for place, t in enumerate(family.tasks):
                mine = rows.of_task(int(t))
                coef[mine], intercept[mine] = weights[place], offsets[place]
        self.coef_ = coef.astype(self._dtype)
        self.intercept_ = intercept.astype(self._dtype)

    @property
    def _n_weights(self) -> int:
        return len(self._families[0].fit.coordinates.x_scale)

    def _set_populations(self) -> None:
        """Set what is known of populations, one after another; without an axis where one is all."""

        def together(parts: list[np.ndarray]) -> Any:
            whole = np.concatenate(parts)
            return whole if len(whole) > 1 else whole[0]

        members = self._families
        self.prior_mean_ = together([f.coef(f.fit.population_mean) for f in members])
        self.prior_mean_covariance_ = together(
            [f.weight_covariance(f.fit.population_covariance) for f in members]
        )
        self.prior_covariance_ = together(
            [f.weight_covariance(f.fit.prior.covariance) for f in members]
        )
        self.prior_intercept_mean_ = together([f.intercept(f.fit.population_mean) for f in members])
        self.prior_intercept_variance_ = together(
            [f.intercept_variance(f.fit.prior.covariance) for f in members]
        )

    @property
    def coef_covariance_(self) -> np.ndarray:
        """Posterior covariances of the rows of ``coef_``, shape (M, n_features, n_features)."""
        if "_families" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'coef_covariance_' before fit."
            )
        p = self._n_weights
        covariance = np.empty((self._rows.n_rows, p, p))
        for family in self._families:
            of_kinds = family.weight_covariance(family.known.covariance)
            for kind, t in zip(family.known.kind, family.tasks, strict=True):
                covariance[self._rows.of_task(int(t))] = of_kinds[kind]
        return covariance

    # -- other tasks --------------------------------------------------------------------------

    def _select(self, layout: TaskLayout, known: np.ndarray) -> None:
        """Set what predictions need to that of some tasks; -1 in `known` is a task never seen."""
        learned = self._by_key
        chosen = [
            learned[key].select(tasks, known[tasks])
            for key, tasks in families(layout.tasks).items()
        ]
        self._set_families(chosen, layout.tasks)

    def _infer_added(self, X: Any, y: Any) -> TaskLayout:
        """Return what the tasks in labels of a later call are.

        Where all tasks have the same classes, so have new ones, whatever labels they saw.
        """
        classes: Any = None
        if len(self._class_sets) == 1:
            known, long = self._class_sets[0], self.layout_.rows == LONG
            classes = known if long else dict.fromkeys(read_labels(y).names, known)
        return infer_layout(
            X, y, family=self._family, task_feature=self.task_feature, classes=classes
        )

    def _learn_tasks(self, data: TaskData, rows: np.ndarray, added: TaskLayout) -> None:
        """Append what predictions need of new tasks."""
        before = self.layout_.n_tasks
        learned = self._by_key
        for key, numbers in families(added.tasks).items():
            if key not in learned:
                raise TaskLayoutError(self._told_of(added.tasks[numbers[0]]))
            learned[key] = learned[key].append(before + numbers, rows, data, numbers)
        self._set_families([*learned.values()], (*self.layout_.tasks, *added.tasks))

    @property
    def _by_key(self) -> dict[Hashable, Family]:
        """The families by what tells them apart; see `families`."""
        tasks = self.layout_.tasks
        return {family_of(tasks[int(family.tasks[0])]): family for family in self._families}

    @property
    def _class_sets(self) -> list[np.ndarray]:
        sets = [task.classes for task in self.layout_.tasks if task.classes is not None]
        return list({tuple(classes.tolist()): classes for classes in sets}.values())

    def _told_of(self, task: TaskSpec) -> str:
        known = " or ".join(f"({listing(classes)})" for classes in self._class_sets)
        return (
            f"Task {plain(task.name)!r} has the classes ({listing(task.classes)}), of which there "  # type: ignore[arg-type]
            f"is no population: the tasks of fit have {known}. Fit again, with this task."
        )

    # -- predict ------------------------------------------------------------------------------

    def _values(self, X: Any, data: TaskData) -> np.ndarray:
        rows = read_rows(self, X, data, self.layout_, reset=False, accept_sparse="csr")
        groups = group_outputs(self.layout_.tasks)
        shared = data.task_index is None
        width = sum(len(group.tasks) * group.width for group in groups)
        values = np.zeros((data.n_rows, width if shared else max(g.width for g in groups)))
        start = {t: column for _, t, column in output_columns(groups)}
        for family in self._families:
            for place, t in enumerate(family.tasks):
                mine = slice(None) if shared else data.groups[t]
                block = family.probabilities(rows[mine], place)
                first = start[int(t)] if shared else 0
                values[mine, first : first + block.shape[1]] = block
        return values

    # -- in other programs ----------------------------------------------------------------------

    def _exported_outputs(self, groups: Sequence[OutputGroup]) -> AveragedLogistic:
        wide = [task for task in self.layout_.tasks if task.n_outputs > 1]
        if wide:
            raise ValueError(
                f"Task {plain(wide[0].name)!r} has {wide[0].n_outputs} classes. "
                "BayesianMultiTaskClassifier averages their probabilities over 1024 points for "
                "each row, which is not exported; export another classifier, or fit a task for "
                "each class."
            )
        (family,) = self._families  # all binary tasks have one population
        return family.averaged()
