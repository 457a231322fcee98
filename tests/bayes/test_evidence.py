"""Hyper-parameters: those of greatest evidence, whatever the units and the order of tasks."""

from dataclasses import replace

import numpy as np
import pytest
from bayes._task_data import layout, own_rows, related, shared_rows
from numpy.testing import assert_allclose
from sklearn.linear_model import BayesianRidge

from sklearn_mtl.bayes import STRUCTURES, Population, Prior, Standardization, learn
from sklearn_mtl.bayes._gaussian import LEVEL, LEVEL_LABELS, GaussianModel, Hyperparameters
from sklearn_mtl.bayes._learn import make_structure
from sklearn_mtl.bayes._maximise import maximise
from sklearn_mtl.bayes._structure import Spherical

# gains below it are rounding: the search goes on as long as scores tell points apart
TO_THE_END = 1e-15
# the score is flat to a gain of 1e-11, at a curvature of at most some hundreds
FLAT = 1e-3


def evidence_model(labels, word="full", *, shared_noise=False, learn_mean=True):
    coordinates = Standardization.of(
        labels.stats, fit_intercept=True, each_feature=True, each_task=False
    )
    p = labels.X.shape[1]
    structure = make_structure(word, 1.0 / p, p, rank=1, pseudo_tasks="auto")
    population = Population(structure, p, True, learn_mean)
    return GaussianModel(
        coordinates.moments(labels.stats), population, np.zeros(p + 1), shared_noise
    )


def learned(labels, word="full", **options):
    settings = {
        "structure": word, "rank": 1, "pseudo_tasks": "auto", "shared_noise": False,
        "fit_intercept": True, "learn_mean": True, "each_task": False, "tol": 1e-12,
        "max_iter": 1000, **options,
    }  # fmt: skip
    return learn(labels.stats, **settings)


def predictions(fit, X):
    there = fit.coordinates
    return there.rows(X) @ fit.tasks.mean.T * there.y_scale + there.y_mean


@pytest.mark.parametrize("word", STRUCTURES)
@pytest.mark.parametrize("shared_noise", [True, False])
@pytest.mark.parametrize("learn_mean", [True, False])
def test_the_gradient_of_the_score_is_zero_at_the_solution(word, shared_noise, learn_mean):
    labels = own_rows(*related())
    model = evidence_model(labels, word, shared_noise=shared_noise, learn_mean=learn_mean)
    found = maximise(model, model.start(), tol=TO_THE_END, max_iter=2000)
    assert found.converged

    def score(vector):
        at = model.unpack(vector)
        return model.score(at, model.posterior(at))

    def gradient(vector, step=1e-4):
        sides = [score(vector + sign * step * e) for e in np.eye(len(vector)) for sign in (1, -1)]
        return np.subtract(sides[::2], sides[1::2]) / (2 * step)

    assert np.abs(gradient(model.pack(model.start()))).max() > 1.0
    assert np.abs(gradient(model.pack(found.at))).max() < FLAT


def test_no_direction_of_a_cholesky_factor_raises_the_score():
    model = evidence_model(own_rows(*related()))
    at = maximise(model, model.start(), tol=TO_THE_END, max_iter=2000).at
    root = np.linalg.cholesky(at.prior.covariance[:3, :3])

    def score(factor):
        covariance = at.prior.covariance.copy()
        covariance[:3, :3] = factor @ factor.T
        there = replace(at, prior=replace(at.prior, covariance=covariance))
        return model.score(there, model.posterior(there))

    for i, j in zip(*np.tril_indices(3), strict=True):
        step = np.zeros((3, 3))
        step[i, j] = 1e-4 * root[i, i]
        assert abs(score(root + step) - score(root - step)) / 2e-4 < FLAT


@pytest.mark.parametrize("word", STRUCTURES)
@pytest.mark.parametrize("name", ["own rows", "missing labels", "more features than rows"])
def test_scores_never_fall(word, name):
    fit = learned(layout(name), word)
    assert fit.converged
    assert (np.diff(fit.scores) >= 0).all()
    assert fit.n_iter >= len(fit.scores) - 1  # the fit with one variance came before


@pytest.mark.parametrize("word", STRUCTURES)
def test_an_update_does_not_lower_the_score_from_anywhere(word):
    model, rng = evidence_model(own_rows(*related()), word), np.random.default_rng(0)
    for _ in range(20):
        vector = model.pack(model.start()) + rng.standard_normal(model.pack(model.start()).shape)
        at = model.unpack(vector)
        before = model.posterior(at)
        after = model.update(at, before)
        # rounding, in scores of about a hundred
        assert model.score(after, model.posterior(after)) >= model.score(at, before) - 1e-9


def test_a_posterior_an_iteration():
    model, calls = evidence_model(own_rows(*related())), []

    class Counted(GaussianModel):
        def posterior(self, at):
            calls.append(at)
            return super().posterior(at)

    counted = Counted(**vars(model))
    found = maximise(counted, model.start(), tol=1e-10, max_iter=500)
    assert len(calls) == found.n_iter + 1 == len(found.scores)
    short = maximise(model, model.start(), tol=1e-10, max_iter=5)
    assert (short.n_iter, short.converged) == (5, False)
    assert short.scores == found.scores[:6]


def test_where_labels_are_few_plain_steps_are_far_behind():
    model = evidence_model(own_rows(*related(n_tasks=20, n=3, p=6, noise=1.0)))
    found = maximise(model, model.start(), tol=1e-12, max_iter=2000)
    at = model.start()
    for _ in range(2 * found.n_iter):
        at = model.update(at, model.posterior(at))
    assert model.score(at, model.posterior(at)) < found.scores[-1] - 0.01


def test_one_task_whose_mean_is_zero_has_the_hyper_parameters_of_bayesian_ridge():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    y = X @ [1.0, -2.0, 0.0, 0.5] + 0.7 * rng.standard_normal(60)
    # the hyper-prior of noise as scikit-learn has it, and none of weights
    shape, rate = LEVEL_LABELS / 2, LEVEL_LABELS * LEVEL / 2
    none = {"alpha_1": shape, "alpha_2": rate, "lambda_1": 0, "lambda_2": 0}
    peer = BayesianRidge(fit_intercept=False, tol=1e-10, max_iter=10_000, **none).fit(X, y)
    units = Standardization(np.zeros(4), np.ones(4), np.zeros(1), np.ones(1), False)
    population = Population(Spherical(0.0, 1.0), 4, False, False)
    stats = own_rows(X, y, np.zeros(60, int)).stats
    model = GaussianModel(units.moments(stats), population, np.zeros(4), True)
    at = maximise(model, model.start(), tol=TO_THE_END, max_iter=1000).at
    # evidence is flat at its top: hyper-parameters have half the digits of scores
    assert_allclose(at.prior.covariance, np.eye(4) / peer.lambda_, rtol=1e-5)
    assert_allclose(at.noise[0], 1.0 / peer.alpha_, rtol=1e-5)


@pytest.mark.parametrize("word", ["full", "diagonal", "low_rank"])
@pytest.mark.parametrize("each_task", [True, False])
def test_units_and_origins_of_features_do_not_matter(word, each_task):
    X, y, task = related()
    plain = learned(own_rows(X, y, task), word, each_task=each_task)
    scale, shift = np.array([1000.0, 1.0, 1e-3]), np.array([0.0, 1e6, 5.0])
    other = learned(own_rows(X * scale + shift, y, task), word, each_task=each_task)
    # 1e6 takes six digits of the sixteen; the search ends where a gain is 1e-12 a label
    assert_allclose(predictions(other, X * scale + shift), predictions(plain, X), rtol=1e-6)
    assert_allclose(other.scores[-1], plain.scores[-1], rtol=0, atol=1e-6)


def test_units_of_labels_do_not_matter():
    X, y, task = related()
    plain = learned(own_rows(X, y, task))
    for unit in (1e-8, 1e8):
        other = learned(own_rows(X, y * unit, task))
        assert_allclose(predictions(other, X) / unit, predictions(plain, X), rtol=1e-6)


@pytest.mark.parametrize("name", ["shared rows", "own rows"])
def test_the_order_of_tasks_does_not_matter(name):
    X, y, task = related()
    order = np.random.default_rng(0).permutation(6)
    if name == "own rows":
        one, other = own_rows(X, y, task), own_rows(X, y, np.argsort(order)[task])
    else:
        Y = y.reshape(6, -1).T
        one, other = shared_rows(X[:12], Y), shared_rows(X[:12], Y[:, order])
    first, second = learned(one), learned(other)
    # sums in another order, and a top of the evidence that is flat: half the digits of a score
    assert_allclose(second.tasks.mean, first.tasks.mean[order], rtol=1e-5, atol=1e-7)
    assert_allclose(second.noise, first.noise[order], rtol=1e-5)


def test_a_mean_that_is_known_stays_zero():
    fit = learned(own_rows(*related()), learn_mean=False)
    assert (fit.population_mean[:-1] == 0).all()
    assert fit.population_mean[-1] != 0  # that of intercepts is always learned


def test_hyper_parameters_come_back_from_their_vector():
    rng = np.random.default_rng(0)
    for shared_noise in (True, False):
        model = evidence_model(own_rows(*related()), shared_noise=shared_noise)
        root = rng.standard_normal((3, 5))
        covariance = np.zeros((4, 4))
        covariance[:3, :3], covariance[3, 3] = root @ root.T, 0.7
        prior = Prior(np.zeros(4), np.array([0.2, 0.2, 0.2, 100.0]), covariance)
        noise = np.full(6, 0.3) if shared_noise else rng.uniform(0.1, 0.5, 6)
        back = model.unpack(model.pack(Hyperparameters(prior, noise)))
        # a logarithm and an exponential of a matrix, some digits off the sixteen
        assert_allclose(back.prior.covariance, covariance, rtol=1e-10, atol=1e-12)
        assert_allclose(back.prior.variance, prior.variance, rtol=1e-12)
        assert_allclose(back.noise, noise, rtol=1e-12)


def test_iterations_that_end_before_the_form_asked_for_are_too_few():
    labels = own_rows(*related())
    needed = learned(labels, "full", tol=1e-6).n_iter
    assert learned(labels, "full", tol=1e-6, max_iter=needed).converged
    for fewer in range(1, needed):
        assert not learned(labels, "full", tol=1e-6, max_iter=fewer).converged


def test_an_extrapolation_that_cannot_be_computed_is_one_that_failed():
    model, calls = evidence_model(own_rows(*related())), []

    class Failing(GaussianModel):
        def posterior(self, at):
            calls.append(at)
            if len(calls) == 6:  # an extrapolation, which the search without a failure takes
                raise np.linalg.LinAlgError
            return super().posterior(at)

    found = maximise(Failing(**vars(model)), model.start(), tol=1e-10, max_iter=500)
    whole = maximise(model, model.start(), tol=1e-10, max_iter=500).scores
    assert whole[5] > whole[4] == found.scores[4] == found.scores[5]
    best = whole[-1]
    # two searches, each to a gain of 1e-10 a label
    assert_allclose(found.scores[-1], best, rtol=0, atol=1e-6)
