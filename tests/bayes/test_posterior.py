"""Posteriors and evidence: those of one big Gaussian."""

import numpy as np
import pytest
from bayes._references_bayes import dense
from bayes._task_data import LAYOUTS, layout, own_rows, related, shared_rows
from numpy.testing import assert_allclose
from sklearn.linear_model import BayesianRidge

from sklearn_mtl.bayes import (
    Population,
    Prior,
    QuadraticLikelihood,
    Standardization,
    fit_gaussian,
    infer,
)
from sklearn_mtl.bayes._conditionals import Factored, Spectral
from sklearn_mtl.bayes._gaussian import GaussianModel, Hyperparameters
from sklearn_mtl.bayes._structure import Spherical

# a thousand roundings of 1e-16 in matrices whose condition is below 1e4
EXACT = 1e-8


def model_of(labels, *, fit_intercept=True, learn_mean=True, shared_noise=False):
    """Return the model of these labels, and its coordinates."""
    coordinates = Standardization.of(
        labels.stats, fit_intercept=fit_intercept, each_feature=True, each_task=False
    )
    p = labels.X.shape[1]
    population = Population(Spherical(1.0, 1.0 / p), p, fit_intercept, learn_mean)
    moments = coordinates.moments(labels.stats)
    center = np.zeros(population.n_coefficients)
    return GaussianModel(moments, population, center, shared_noise), coordinates


def some_prior(d, rng, *, learn_mean=True, intercept=True):
    root = rng.standard_normal((d, d + 2))
    covariance = root @ root.T / d
    variance = np.full(d, 0.3 if learn_mean else 0.0)
    if intercept:
        covariance[-1, :-1] = covariance[:-1, -1] = 0.0
        variance[-1] = 100.0
    return Prior(rng.standard_normal(d), variance, covariance)


def standard(labels, coordinates):
    """Return rows, labels and tasks in standard coordinates, repeated as often as they count."""
    t = np.repeat(labels.task, labels.repeats)
    y = np.repeat(labels.y, labels.repeats)
    rows = coordinates.rows(np.repeat(labels.X, labels.repeats, axis=0))
    return rows, (y - coordinates.y_mean[t]) / coordinates.y_scale[t], t


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("learn_mean", [True, False])
@pytest.mark.parametrize("shared_noise", [True, False])
def test_posterior_and_evidence_are_those_of_one_big_gaussian(
    name, fit_intercept, learn_mean, shared_noise
):
    labels, rng = layout(name), np.random.default_rng(1)
    model, coordinates = model_of(labels, fit_intercept=fit_intercept)
    prior = some_prior(
        model.population.n_coefficients, rng, learn_mean=learn_mean, intercept=fit_intercept
    )
    noise = rng.uniform(0.2, 0.6, labels.n_tasks)
    noise = np.full_like(noise, 0.4) if shared_noise else noise
    found = infer(model.moments.likelihood(noise), prior)
    truth = dense(*standard(labels, coordinates), noise, prior, labels.n_tasks)
    of_task = (found.mean, found.covariance[found.kind])
    ours = (*of_task, found.population_mean, found.population_covariance, found.scatter)
    for one, other in zip((*ours, found.log_evidence), truth, strict=True):
        assert_allclose(one, other, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize(("n_groups", "n_tasks"), [(1, 12), (2, 18), (3, 5), (4, 4)])
def test_what_labels_resolve_is_the_trace_of_gram_and_covariance(n_groups, n_tasks):
    rng, d = np.random.default_rng(0), 4
    root = rng.standard_normal((n_groups, d, 3))
    gram = root @ np.swapaxes(root, 1, 2)
    group, scale = np.arange(n_tasks) % n_groups, rng.uniform(0.5, 2.0, n_tasks)
    linear = rng.standard_normal((n_tasks, d))
    likelihood = QuadraticLikelihood(gram, group, scale, linear, np.zeros(n_tasks))
    found = infer(likelihood, some_prior(d, rng))
    own = found.covariance[found.kind]
    truth = scale * np.trace(gram[group] @ own, axis1=1, axis2=2)
    assert_allclose(found.resolved, truth, rtol=EXACT)
    assert_allclose(found.total_resolved, truth.sum(), rtol=EXACT)


def test_one_eigendecomposition_serves_tasks_that_share_rows():
    rng, d, T = np.random.default_rng(0), 3, 24
    root = rng.standard_normal((2, d, 2))
    gram, linear = root @ np.swapaxes(root, 1, 2), rng.standard_normal((T, d))
    prior, scale = some_prior(d, rng), rng.uniform(0.5, 2.0, T)
    args = (np.zeros(T, int), scale, linear, np.zeros(T))
    shared = infer(QuadraticLikelihood(gram[:1], *args), prior)
    apart = infer(
        QuadraticLikelihood(np.repeat(gram[:1], T, axis=0), np.arange(T), *args[1:]), prior
    )
    assert isinstance(shared.conditionals, Spectral)
    assert isinstance(apart.conditionals, Factored)
    assert_allclose(shared.mean, apart.mean, rtol=EXACT, atol=EXACT)
    assert_allclose(shared.log_evidence, apart.log_evidence, rtol=EXACT)


def test_tasks_of_several_outputs_are_tasks_of_longer_vectors():
    # two outputs of each task, independent given m and S: their rows are (z, 0) and (0, z)
    rng, p, T = np.random.default_rng(0), 2, 3
    population = Population(Spherical(1.0, 0.5), p, True, True, n_outputs=2)
    d = population.n_coefficients
    z = rng.standard_normal((T * 8, d))
    z[::2, : p + 1], z[1::2, p + 1 :] = 0.0, 0.0
    y, task = rng.standard_normal(len(z)), np.repeat(np.arange(T), 8)
    prior = population.start(np.zeros(d))
    gram = np.array([z[task == t].T @ z[task == t] for t in range(T)])
    linear = np.array([z[task == t].T @ y[task == t] for t in range(T)])
    energy = np.array([y[task == t] @ y[task == t] for t in range(T)])
    constant = -0.5 * (8 * np.log(2 * np.pi) + energy)
    found = infer(QuadraticLikelihood(gram, np.arange(T), np.ones(T), linear, constant), prior)
    mean, _, _, _, scatter, log_evidence = dense(z, y, task, np.ones(T), prior, T)
    assert_allclose(found.mean, mean, rtol=EXACT, atol=EXACT)
    assert_allclose(found.log_evidence, log_evidence, rtol=EXACT)
    # what is learned has blocks of weights, and no covariance between them
    learned = population.maximise(found, prior.center).covariance
    assert_allclose(learned[p, p], (scatter[p, p] + 1.0) / (T + 1.0), rtol=EXACT)
    off = learned - np.diag(learned.diagonal())
    assert (off == 0).all()
    packed = population.unpack(population.pack(prior), prior.center)
    assert_allclose(packed.covariance, prior.covariance, rtol=EXACT)
    assert_allclose(packed.variance, prior.variance, rtol=EXACT)


def test_one_task_whose_mean_is_zero_is_bayesian_ridge():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4))
    y = X @ [1.0, -2.0, 0.0, 0.5] + 0.7 * rng.standard_normal(30)
    peer = BayesianRidge(fit_intercept=False, tol=1e-12, max_iter=1000).fit(X, y)
    labels = own_rows(X, y, np.zeros(30, int))
    units = Standardization(np.zeros(4), np.ones(4), np.zeros(1), np.ones(1), False)
    population = Population(Spherical(1.0, 1.0), 4, False, False)
    model = GaussianModel(units.moments(labels.stats), population, np.zeros(4), True)
    prior = Prior(np.zeros(4), np.zeros(4), np.eye(4) / peer.lambda_)
    found = model.posterior(Hyperparameters(prior, np.array([1.0 / peer.alpha_])))
    assert_allclose(found.mean[0], peer.coef_, rtol=EXACT)
    assert_allclose(found.covariance[0], peer.sigma_, rtol=EXACT)


@pytest.mark.parametrize("each_task", [True, False])
def test_coefficients_in_the_callers_units_make_the_same_predictions(each_task):
    X, y, task = related()
    stats = own_rows(X * [1.0, 100.0, 1e-3], y * 5 - 40, task).stats
    there = Standardization.of(stats, fit_intercept=True, each_feature=True, each_task=each_task)
    v = np.random.default_rng(0).standard_normal((stats.n_tasks, 4))
    rows = X[:5] * [1.0, 100.0, 1e-3]
    W, b = there.coef(v, there.y_scale), there.intercept(v, there.y_mean, there.y_scale)
    straight = (there.rows(rows) @ v.T) * there.y_scale + there.y_mean
    assert_allclose(rows @ W.T + b, straight, rtol=EXACT)


@pytest.mark.parametrize("each_task", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_standard_coordinates_have_moments_of_standard_rows(each_task, fit_intercept):
    X, y, task = related()
    stats = own_rows(X, y, task).stats
    there = Standardization.of(
        stats, fit_intercept=fit_intercept, each_feature=True, each_task=each_task
    )
    found, z = there.moments(stats), there.rows(X)
    labels = (y - there.y_mean[task]) / there.y_scale[task]
    for t in range(stats.n_tasks):
        mine = task == t
        assert_allclose(found.gram[found.group[t]], z[mine].T @ z[mine], rtol=EXACT, atol=EXACT)
        assert_allclose(found.cross[t], z[mine].T @ labels[mine], rtol=EXACT, atol=EXACT)
        assert_allclose(found.energy[t], labels[mine] @ labels[mine], rtol=EXACT)
    if fit_intercept:
        assert_allclose(z.mean(axis=0), [0, 0, 0, 1], atol=EXACT)
        assert_allclose(z.std(axis=0), [1, 1, 1, 0], atol=EXACT)
        assert_allclose(labels.mean(), 0.0, atol=EXACT)
        assert_allclose(np.mean(labels**2), 1.0, rtol=EXACT)


def test_a_label_that_counts_twice_is_two_labels():
    X, y, task = related(n_tasks=3)
    Y = y.reshape(3, -1).T
    rows = X[:12]
    twice = shared_rows(rows, Y, repeats=np.full(Y.shape, 2.0))
    again = shared_rows(np.vstack([rows, rows]), np.vstack([Y, Y]))
    fits = []
    for labels in (twice, again):
        model, coordinates = model_of(labels)
        fits.append(
            fit_gaussian(
                labels.stats, coordinates, model.population,
                shared_noise=False, tol=1e-9, max_iter=200,
            )
        )  # fmt: skip
    assert_allclose(fits[0].scores[-1], fits[1].scores[-1], rtol=EXACT)
    assert_allclose(fits[0].tasks.mean, fits[1].tasks.mean, rtol=1e-6)  # as `tol` allows
