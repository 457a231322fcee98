from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from sklearn_mtl.bayes._gaussian import GaussianFit, Hyperparameters, fit_gaussian
from sklearn_mtl.bayes._laplace import LaplaceFit
from sklearn_mtl.bayes._noise_prior import LEAST_PSEUDO_LABELS, pseudo_labels
from sklearn_mtl.bayes._population import Population
from sklearn_mtl.bayes._standardization import Standardization
from sklearn_mtl.bayes._structure import STRUCTURES, LowRank, Spherical, Structure
from sklearn_mtl.convex import GramStats

# without a hyper-prior, covariances may end up singular, and searches for them without an end
LEAST_PSEUDO_TASKS = 1e-3
# of a weight and of an intercept that the first hyper-prior adds. Their variances are those of
# labels, which may be much the same in all tasks: the share was chosen on simulations of 2 to 30
# tasks, whose intercepts have standard deviations of a third to 7 times that of their weights, for
# intervals that hold their share of the labels of tasks never seen
FIRST_SHARE = 0.05

Fit = TypeVar("Fit", GaussianFit, LaplaceFit)


def make_structure(
    word: str, variance: float, n_features: int, *, rank: int, pseudo_tasks: Any
) -> Structure:
    """Return the form of covariances of that name, and its hyper-prior.

    Parameters
    ----------
    word : str
        A key of STRUCTURES.
    variance : float
        That of weights, as far as one number tells it.
    n_features : int
        p.
    rank : int
        Of ``"low_rank"``.
    pseudo_tasks : "auto" or float
        "auto" is `Structure.default_pseudo_tasks`. At least LEAST_PSEUDO_TASKS.
    """
    kind = STRUCTURES[word]
    if pseudo_tasks == "auto":
        pseudo_tasks = kind.default_pseudo_tasks(n_features)
    pseudo_tasks = max(float(pseudo_tasks), LEAST_PSEUDO_TASKS)
    if kind is LowRank:
        return LowRank(pseudo_tasks, variance, rank)
    return kind(pseudo_tasks, variance)


def one_variance(
    n_features: int, fit_intercept: bool, learn_mean: bool, *, share: float, n_outputs: int = 1
) -> Population:
    """Return the population that is learned first, in which all weights have one variance.

    In standard coordinates, p weights of variance 1 / p, or an intercept of variance 1, make labels
    of variance 1. A `share` of such a weight, and of such an intercept, keeps what is learned from
    0, and decides where there is nothing to learn.
    """
    p = n_features
    structure = Spherical(share / p, 1.0 / p)
    return Population(structure, p, fit_intercept, learn_mean, n_outputs, pseudo_intercepts=share)


def from_one_variance(
    fit: Callable[[Population, int, Fit | None], Fit],
    population: Population,
    *,
    structure: str,
    rank: int,
    pseudo_tasks: Any,
    max_iter: int,
) -> Fit:
    """Return the fit with covariances of a form, about what one variance of weights finds at first.

    The hyper-priors of the second fit are centred on the variances of weights and intercepts of
    the first.

    Parameters
    ----------
    fit : callable (Population, max_iter, first) -> GaussianFit or LaplaceFit
        Given the first fit, where it is the second.
    population : Population
        See `one_variance`.
    structure : str
        A key of STRUCTURES.
    rank : int
    pseudo_tasks : "auto" or float
    max_iter : int
        Of both fits together.
    """
    first = fit(population, max_iter, None)
    left = max_iter - first.n_iter
    if left < 1:
        return replace(first, converged=False)
    of_weights, of_intercepts = population.typical_variances(first.prior)
    asked = make_structure(
        structure, of_weights, population.n_features, rank=rank, pseudo_tasks=pseudo_tasks
    )
    second = fit(population.with_center(asked, of_intercepts), left, first)
    return replace(second, n_iter=first.n_iter + second.n_iter)


def learn(
    stats: GramStats,
    *,
    structure: str,
    rank: int,
    pseudo_tasks: Any,
    shared_noise: bool,
    fit_intercept: bool,
    learn_mean: bool,
    each_task: bool,
    tol: float,
    max_iter: int,
) -> GaussianFit:
    """Learn the population of tasks, first with one variance for all weights.

    That fit tells the centers of the hyper-priors of the covariance that is asked for, and how much
    the noise of tasks differs then decides how much the hyper-prior of noise variances counts for.

    Parameters
    ----------
    stats : GramStats
    structure : str
        A key of STRUCTURES.
    rank : int
    pseudo_tasks : "auto" or float
    shared_noise, fit_intercept, learn_mean : bool
    each_task : bool
        Whether the labels of each task have their own scale.
    tol : float
    max_iter : int
        Of both fits together.
    """
    coordinates = Standardization.of(
        stats,
        fit_intercept=fit_intercept,
        each_feature=STRUCTURES[structure] is not Spherical,
        each_task=each_task,
    )

    def fit(population: Population, most: int, first: GaussianFit | None) -> GaussianFit:
        return fit_gaussian(
            stats,
            coordinates,
            population,
            shared_noise=shared_noise,
            pseudo_labels=LEAST_PSEUDO_LABELS if first is None else alike(first),
            start=None if first is None else Hyperparameters(first.prior, first.noise),
            tol=tol,
            max_iter=most,
        )

    def alike(first: GaussianFit) -> float:
        moments = coordinates.moments(stats)
        errors = moments.squared_errors(first.tasks.mean)
        return pseudo_labels(errors, moments.mass - first.resolved)

    return from_one_variance(
        fit,
        one_variance(stats.n_features, fit_intercept, learn_mean, share=FIRST_SHARE),
        structure=structure,
        rank=rank,
        pseudo_tasks=pseudo_tasks,
        max_iter=max_iter,
    )
