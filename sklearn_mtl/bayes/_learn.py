from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from sklearn_mtl.bayes._gaussian import GaussianFit, fit_gaussian
from sklearn_mtl.bayes._laplace import LaplaceFit
from sklearn_mtl.bayes._noise_prior import LEAST_PSEUDO_LABELS, pseudo_labels
from sklearn_mtl.bayes._population import Population
from sklearn_mtl.bayes._standardization import Standardization
from sklearn_mtl.bayes._structure import STRUCTURES, LowRank, Spherical, Structure
from sklearn_mtl.convex import GramStats

# without a hyper-prior, covariances may end up singular, and searches for them without an end
LEAST_PSEUDO_TASKS = 1e-3

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


def one_variance(n_features: int) -> Spherical:
    """Return the form in which all weights have one variance, the first to be learned.

    In standard coordinates, p weights of variance 1 / p make labels of variance 1; one such weight
    more keeps the variance of all from 0.
    """
    return Spherical(1.0 / n_features, 1.0 / n_features)


def from_one_variance(
    fit: Callable[[Population, int, Fit | None], Fit],
    population: Population,
    *,
    structure: str,
    rank: int,
    pseudo_tasks: Any,
    max_iter: int,
    again: bool = False,
) -> Fit:
    """Return the fit with covariances of a form, about the variance that all weights have at first.

    Parameters
    ----------
    fit : callable (Population, max_iter, first) -> GaussianFit or LaplaceFit
        Given the first fit, where it is the second.
    population : Population
        With `one_variance`.
    structure : str
        A key of STRUCTURES.
    rank : int
    pseudo_tasks : "auto" or float
    max_iter : int
        Of both fits together.
    again : bool, default=False
        Whether there are two fits also where one variance is what is asked for.
    """
    first = fit(population, max_iter, None)
    left = max_iter - first.n_iter
    asked = population.structure
    if STRUCTURES[structure] is not Spherical:
        variance = first.prior.covariance[0, 0]
        asked = make_structure(
            structure, variance, population.n_features, rank=rank, pseudo_tasks=pseudo_tasks
        )
    elif not again:
        return first
    if left < 1:
        return replace(first, converged=False)
    second = fit(population.with_structure(asked), left, first)
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

    That variance is the center of the hyper-prior of the covariance that is asked for, and how much
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
    p = stats.n_features
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
            tol=tol,
            max_iter=most,
        )

    def alike(first: GaussianFit) -> float:
        moments, found = coordinates.moments(stats), first.posterior
        return pseudo_labels(moments.squared_errors(found.mean), moments.mass - found.resolved)

    return from_one_variance(
        fit,
        Population(one_variance(p), p, fit_intercept, learn_mean),
        structure=structure,
        rank=rank,
        pseudo_tasks=pseudo_tasks,
        max_iter=max_iter,
        again=not shared_noise,
    )
