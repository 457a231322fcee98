"""Classes: modes, evidence and covariances against the joint density itself."""

import numpy as np
import pytest
from bayes._references_classes import Joint
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import approx_fprime
from scipy.special import log_expit
from sklearn.linear_model import LogisticRegression

from sklearn_mtl.bayes import (
    ClassRows,
    Logistic,
    Population,
    Prior,
    Softmax,
    Standardization,
    fit_laplace,
    learn_classes,
)
from sklearn_mtl.bayes._laplace import LaplaceModel, mean_and_spread
from sklearn_mtl.bayes._mode import Mode, approximate
from sklearn_mtl.bayes._new_class_tasks import fit_new_class_tasks
from sklearn_mtl.bayes._row_scales import standardize_rows
from sklearn_mtl.bayes._structure import STRUCTURES, LowRank, Spherical
from sklearn_mtl.tasks import TaskData

LIKELIHOODS = {"logistic": Logistic(), "softmax": Softmax(3)}


def standard(T, p, *, intercept=True):
    """Coordinates that are the caller's."""
    return Standardization(np.zeros(p), np.ones(p), np.zeros(T), np.ones(T), intercept)


def some_classes(likelihood, *, T=3, n=8, p=2, seed=0, intercept=True, weighted=False):
    """Return labelled rows of their own for each task, and X, labels, tasks and weights."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(T), n)
    X = rng.normal(size=(T * n, p))
    n_classes = max(likelihood.n_outputs, 2)
    scores = X @ rng.normal(size=(p, n_classes)) + rng.gumbel(size=(T * n, n_classes))
    labels = scores.argmax(axis=1).astype(float)
    weights = rng.uniform(0.2, 3.0, size=T * n) if weighted else np.ones(T * n)
    seen = np.ones(T * n, bool)
    data = TaskData(None, T * n, T, task, None, labels, seen, weights)
    rows = ClassRows.of(X, data, np.arange(T), likelihood, standard(T, p, intercept=intercept))
    return rows, X, labels, task, weights


def some_prior(d, *, seed=1, learn_mean=True, scale=1.0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d + 3))
    variance = np.full(d, 2.0) if learn_mean else np.zeros(d)
    return Prior(0.3 * rng.normal(size=d), variance, scale * root @ root.T / d)


def approximation(rows, prior):
    d = len(prior.center)
    return approximate(rows, prior, Mode(np.zeros((rows.n_tasks, d)), np.zeros(d)))


def joint_of(rows, X, labels, task, weights, prior):
    z = np.column_stack([X, np.ones(len(X))]) if rows.coordinates.fit_intercept else X
    return Joint(z, labels, task, weights, prior, rows.n_tasks, rows.likelihood.n_outputs)


# -- likelihoods ----------------------------------------------------------------------------------


@pytest.mark.parametrize("likelihood", LIKELIHOODS.values(), ids=LIKELIHOODS)
def test_derivatives_are_those_of_finite_differences(likelihood):
    rng = np.random.default_rng(0)
    K = likelihood.n_outputs
    root = rng.normal(size=(K, K))
    covariance = (root @ root.T)[:, :, None]
    for label in range(max(K, 2)):
        a, y = rng.normal(size=K), np.array([float(label)])

        def value(a, y=y):
            return likelihood.value(a[:, None], y)[0]

        def gradient(a, y=y):
            return likelihood.gradient(a[:, None], y)[:, 0]

        def spent(a):
            return float((covariance * likelihood.curvature(a[:, None])).sum())

        # forward differences err by the square root of rounding, 1e-8
        assert_allclose(gradient(a), approx_fprime(a, value), atol=1e-6)
        curvature = likelihood.curvature(a[:, None])[:, :, 0]
        assert_allclose(curvature, -approx_fprime(a, gradient).reshape(K, K), atol=1e-6)
        bend = likelihood.bend(a[:, None], covariance)[:, 0]
        assert_allclose(bend, approx_fprime(a, spent), atol=1e-6)


def test_certain_classes_have_finite_logarithms():
    far = np.array([[-800.0, 800.0]])
    assert_allclose(Logistic().value(far, np.array([1.0, 1.0])), [-800.0, 0.0])
    a = np.array([[-800.0], [0.0], [800.0]])
    assert_allclose(Softmax(3).value(a, np.array([0.0])), [-1600.0])


# -- modes and evidence ---------------------------------------------------------------------------

CASES = {
    "logistic": (Logistic(), {}),
    "softmax": (Softmax(3), {}),
    "weights": (Logistic(), {"weighted": True}),
    "softmax with weights and no intercept": (Softmax(3), {"weighted": True, "intercept": False}),
    "a known mean": (Softmax(3), {"learn_mean": False}),
}


@pytest.mark.parametrize("case", CASES)
def test_mode_covariance_and_evidence_are_those_of_the_joint_density(case):
    likelihood, options = CASES[case]
    learn_mean = options.get("learn_mean", True)
    others = {key: value for key, value in options.items() if key != "learn_mean"}
    rows, *rest = some_classes(likelihood, T=2, n=7, **others)
    prior = some_prior(rows.n_coefficients, learn_mean=learn_mean)
    joint = joint_of(rows, *rest, prior)
    mode = joint.mode()
    v, m = joint.split(mode)
    posterior = approximation(rows, prior)
    # finite differences of the reference's gradient err by 1e-10
    assert_allclose(posterior.mean, v, atol=1e-7)
    assert_allclose(posterior.population_mean, m, atol=1e-7)
    assert posterior.log_evidence == pytest.approx(joint.laplace(mode), rel=1e-9)
    covariance, d = np.linalg.inv(joint.hessian(mode)), joint.d
    for t in range(rows.n_tasks):
        own = slice(t * d, (t + 1) * d)
        assert_allclose(posterior.covariance[posterior.kind[t]], covariance[own, own], atol=1e-8)
    if learn_mean:
        of_mean = covariance[rows.n_tasks * d :, rows.n_tasks * d :]
        assert_allclose(posterior.population_covariance, of_mean, atol=1e-8)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("likelihood", LIKELIHOODS.values(), ids=LIKELIHOODS)
def test_the_mode_is_found_from_far_away_under_any_prior(likelihood, scale):
    rows, *_ = some_classes(likelihood, T=2, n=12)
    prior = some_prior(rows.n_coefficients, scale=scale)
    near = approximation(rows, prior)
    d = rows.n_coefficients
    far = Mode(np.full((2, d), 30.0), np.full(d, -30.0))
    again = approximate(rows, prior, far)
    assert again.log_evidence == pytest.approx(near.log_evidence, rel=1e-9)
    assert_allclose(again.mean, near.mean, rtol=1e-6, atol=1e-6)


def test_weights_repeat_labels():
    rows, X, labels, task, _ = some_classes(Softmax(3))
    count = np.arange(len(labels)) % 3
    prior = some_prior(rows.n_coefficients)
    seen = count > 0
    data = TaskData(None, len(X), 3, task, None, labels, seen, count.astype(float))
    weighted = ClassRows.of(X, data, np.arange(3), rows.likelihood, rows.coordinates)
    several = np.repeat(np.arange(len(X)), count)
    data = TaskData(
        None, len(several), 3, task[several], None, labels[several], np.ones(len(several), bool)
    )
    repeated = ClassRows.of(X[several], data, np.arange(3), rows.likelihood, rows.coordinates)
    one, other = approximation(weighted, prior), approximation(repeated, prior)
    assert one.log_evidence == pytest.approx(other.log_evidence, rel=1e-12)
    assert_allclose(one.mean, other.mean, rtol=1e-9)


def test_rows_that_tasks_share_are_rows_of_each():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(15, 2)), rng.integers(0, 2, size=(15, 3)).astype(float)
    seen = rng.random((15, 3)) > 0.3
    shared = ClassRows.of(
        X,
        TaskData(None, 15, 3, None, None, labels, seen),
        np.arange(3),
        Logistic(),
        standard(3, 2),
    )
    row, task = np.nonzero(seen)
    order = np.argsort(task, kind="stable")
    row, task = row[order], task[order]
    data = TaskData(None, len(row), 3, task, None, labels[row, task], np.ones(len(row), bool))
    own = ClassRows.of(X[row], data, np.arange(3), Logistic(), standard(3, 2))
    prior = some_prior(3)
    assert_allclose(approximation(shared, prior).mean, approximation(own, prior).mean, rtol=1e-10)


def test_sparse_rows_are_read_in_parts(monkeypatch):
    rows, X, *_ = some_classes(Softmax(3), n=20)
    X[np.abs(X) < 0.5] = 0.0
    coordinates = standardize_rows(X, np.ones(len(X)), 3, fit_intercept=True, each_feature=True)
    prior = some_prior(rows.n_coefficients)
    given = (coordinates, rows.rows, rows.labels, rows.weights, rows.likelihood)
    dense = approximation(ClassRows(X, *given), prior)
    monkeypatch.setattr("sklearn_mtl.bayes._class_rows.MOST_NUMBERS", 14)
    thin = approximation(ClassRows(sparse.csr_array(X), *given), prior)
    assert_allclose(thin.mean, dense.mean, rtol=1e-10)
    assert_allclose(thin.log_evidence, dense.log_evidence, rtol=1e-12)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_coordinates_have_the_moments_of_rows_as_often_as_they_count(make, fit_intercept):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3)) * [1.0, 5.0, 0.1] + [0.0, 3.0, 1.0]
    X[:, 0] *= rng.random(30) > 0.5
    X[:, 2] = 7.0
    count = rng.integers(1, 4, size=30)
    found = standardize_rows(
        make(X), count.astype(float), 2, fit_intercept=fit_intercept, each_feature=True
    )
    repeated = np.repeat(X, count, axis=0)
    if not fit_intercept:
        assert_allclose(found.x_mean, 0.0)
        assert_allclose(found.x_scale, np.sqrt(np.square(repeated).mean(axis=0)))
        return
    assert_allclose(found.x_mean, repeated.mean(axis=0))
    assert_allclose(found.x_scale[:2], repeated[:, :2].std(axis=0))
    # a constant column is divided by a typical scale, not by the rounding of its variance
    assert 0.1 < found.x_scale[2] < 10.0


def test_one_task_of_known_prior_is_logistic_regression():
    rows, X, labels, *_ = some_classes(Logistic(), T=1, n=60, p=3, intercept=False)
    prior = Prior(np.zeros(3), np.zeros(3), 0.7 * np.eye(3))
    ridge = LogisticRegression(C=0.7, fit_intercept=False, tol=1e-10).fit(X, labels)
    assert_allclose(approximation(rows, prior).mean, ridge.coef_, atol=1e-6)
    rows, X, labels, *_ = some_classes(Softmax(3), T=1, n=60, p=3, intercept=False)
    prior = Prior(np.zeros(9), np.zeros(9), 0.7 * np.eye(9))
    ridge = LogisticRegression(C=0.7, fit_intercept=False, tol=1e-10).fit(X, labels)
    assert_allclose(approximation(rows, prior).mean.reshape(3, 3), ridge.coef_, atol=1e-6)


def test_softmax_of_two_classes_is_logistic_where_differences_have_the_same_prior():
    rows, X, labels, task, weights = some_classes(Logistic(), n=12, weighted=True)
    d = rows.n_coefficients
    single = some_prior(d)
    # v = v_1 - v_0 of independent halves; nothing is known of their sum, nor does it matter
    zero = np.zeros((d, d))
    half = np.block([[single.covariance / 2, zero], [zero, single.covariance / 2]])
    double = Prior(
        np.concatenate([-single.center / 2, single.center / 2]),
        np.tile(single.variance / 2, 2),
        half,
    )
    data = TaskData(None, len(X), 3, task, None, labels, np.ones(len(X), bool), weights)
    both = ClassRows.of(X, data, np.arange(3), Softmax(2), rows.coordinates)
    one, two = approximation(rows, single), approximation(both, double)
    assert two.log_evidence == pytest.approx(one.log_evidence, rel=1e-10)
    assert_allclose(two.mean[:, d:] - two.mean[:, :d], one.mean, rtol=1e-8)


# -- the prior ------------------------------------------------------------------------------------


@pytest.mark.parametrize("likelihood", LIKELIHOODS.values(), ids=LIKELIHOODS)
def test_moments_make_the_derivative_of_laplaces_evidence(likelihood):
    rows, *_ = some_classes(likelihood, T=3, n=6)
    prior = some_prior(rows.n_coefficients)
    posterior = approximation(rows, prior)
    moved = mean_and_spread(rows, posterior)
    shift = moved.mean - posterior.mean
    apart = shift - (moved.population_mean - posterior.population_mean)
    # the derivative is of first order in the shift, the scatter has its square too
    scatter = moved.scatter - apart.T @ apart
    inverse = np.linalg.inv(prior.covariance)
    rng = np.random.default_rng(5)
    root = rng.normal(size=prior.covariance.shape)
    direction = root + root.T

    def evidence(step):
        return approximation(
            rows, Prior(prior.center, prior.variance, prior.covariance + step * direction)
        ).log_evidence

    step = 1e-4
    slope = (evidence(step) - evidence(-step)) / (2 * step)
    of_scatter = inverse @ direction @ inverse
    expected = 0.5 * np.vdot(of_scatter, scatter) - 0.5 * 3 * np.vdot(inverse, direction)
    # central differences err by step^2
    assert slope == pytest.approx(expected, abs=1e-5)
    at_mode = 0.5 * np.vdot(of_scatter, posterior.scatter) - 0.5 * 3 * np.vdot(inverse, direction)
    assert abs(slope - at_mode) > 1e-2


def test_the_mean_of_the_posterior_is_nearer_than_the_mode():
    rows, X, labels, *_ = some_classes(Logistic(), T=1, n=15, p=1, intercept=False)
    prior = Prior(np.zeros(1), np.zeros(1), np.array([[4.0]]))
    v = np.linspace(-20.0, 20.0, 40_001)  # a grid so fine that sums over it are integrals
    signs = 2 * labels - 1
    density = np.exp(log_expit(signs * np.outer(v, X[:, 0])).sum(axis=1) - v**2 / 8.0)
    mean = v @ density / density.sum()
    mode = approximation(rows, prior)
    moved = mean_and_spread(rows, mode)
    assert abs(mode.mean[0, 0] - mean) > 0.05
    # what is left is of second order in 1 / n
    assert abs(moved.mean[0, 0] - mean) < 0.3 * abs(mode.mean[0, 0] - mean)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("likelihood", LIKELIHOODS.values(), ids=LIKELIHOODS)
def test_scores_never_fall_and_end_higher(likelihood, structure):
    rows, *_ = some_classes(likelihood, T=6, n=10, p=3)
    options = {"rank": 1} if STRUCTURES[structure] is LowRank else {}
    form = STRUCTURES[structure](2.0, 0.3, **options)
    population = Population(form, 3, True, True, likelihood.n_outputs)
    fit = fit_laplace(rows, population, tol=1e-8, max_iter=200)
    assert fit.converged
    assert (np.diff(fit.scores) >= 0).all()
    assert fit.scores[-1] > fit.scores[0]
    model = LaplaceModel(rows, population)
    found = model.posterior(fit.prior)
    # modes are found to 1e-8, of which the evidence is a smooth function
    assert fit.scores[-1] == pytest.approx(model.score(fit.prior, found), rel=1e-9)
    better = model.update(fit.prior, found)
    gain = model.score(better, model.posterior(better)) - fit.scores[-1]
    assert gain <= 1e-8 * 60


def test_no_prior_nearby_has_more_evidence():
    rows, *_ = some_classes(Logistic(), T=8, n=12, p=2)
    population = Population(Spherical(1.0, 0.5), 2, True, True)
    model = LaplaceModel(rows, population)
    fit = fit_laplace(rows, population, tol=1e-10, max_iter=500)
    vector = model.pack(fit.prior)

    def score(vector):
        prior = model.unpack(vector)
        return model.score(prior, model.posterior(prior))

    for k in range(len(vector)):
        for step in (-0.3, 0.3):  # of a logarithm: a third more or less
            beside = vector.copy()
            beside[k] += step
            assert score(beside) < fit.scores[-1]


def test_a_population_of_many_tasks_is_recovered():
    rng = np.random.default_rng(0)
    T, n, p = 150, 40, 2
    true = np.array([[1.0, 0.6], [0.6, 0.8]])
    mean = np.array([1.0, -0.5])
    V = mean + rng.normal(size=(T, p)) @ np.linalg.cholesky(true).T
    task = np.repeat(np.arange(T), n)
    X = rng.normal(size=(T * n, p))
    labels = (np.einsum("ij,ij->i", X, V[task]) + rng.logistic(size=T * n) > 0).astype(float)
    data = TaskData(None, T * n, T, task, None, labels, np.ones(T * n, bool))
    fit = learn_classes(
        X,
        data,
        np.arange(T),
        Logistic(),
        structure="full",
        rank=1,
        pseudo_tasks="auto",
        fit_intercept=False,
        learn_mean=True,
        tol=1e-7,
        max_iter=200,
    )
    units = fit.coordinates.x_scale
    found = fit.prior.covariance / (units[:, None] * units)
    # standard errors of variances are about sqrt(2 / 150) = 12 %, Laplace's bias a few percent
    assert_allclose(found, true, atol=0.3)
    assert_allclose(fit.population_mean / units, mean, atol=0.25)


# -- tasks that come later ------------------------------------------------------------------------


def test_a_new_task_has_the_posterior_of_its_labels_under_the_population():
    rows, *_ = some_classes(Softmax(3), T=5)
    population = Population(Spherical(1.0, 0.5), 2, True, True, 3)
    fit = fit_laplace(rows, population, tol=1e-6, max_iter=50)
    new, *rest = some_classes(Softmax(3), T=1, n=5, seed=7)
    posterior = fit_new_class_tasks(fit, new)
    unseen = fit.tasks
    known = Prior(unseen.unseen_mean, np.zeros(9), unseen.unseen_covariance)
    joint = joint_of(new, *rest, known)
    mode = joint.mode()
    covariance = np.linalg.inv(joint.hessian(mode))
    sizes = [
        [np.linalg.slogdet(joint.hessian(mode + sign * step))[1] for sign in (1, -1)]
        for step in 1e-4 * np.eye(len(mode))
    ]
    slope = np.diff(sizes, axis=1)[:, 0] / -2e-4
    # central differences err by 1e-8, times covariances of up to 100
    assert_allclose(posterior.mean[0], mode - 0.5 * covariance @ slope, atol=1e-5)
    assert_allclose(posterior.covariance[0], covariance, atol=1e-7)
