"""What every form of a covariance must do."""

import numpy as np
from numpy.testing import assert_allclose
from scipy.optimize import minimize


def density(structure, covariance, scatter, n_tasks):
    """Return the expected log-density of weights that `Structure.maximise` makes most of."""
    size = np.linalg.slogdet(covariance)[1]
    of_tasks = -0.5 * (n_tasks * size + np.trace(np.linalg.solve(covariance, scatter)))
    return of_tasks + structure.log_density(covariance)


def some_scatter(p, n_tasks, rng):
    root = rng.standard_normal((p, n_tasks)) * np.arange(1, p + 1)[:, None]
    return root @ root.T


def assert_maximises(structure, scatter, n_tasks):
    """`maximise` is where a search over all covariances of the form ends."""
    found = structure.maximise(scatter, n_tasks)
    best = density(structure, found, scatter, n_tasks)

    def loss(vector):
        return -density(structure, structure.unpack(vector, len(scatter)), scatter, n_tasks)

    rng = np.random.default_rng(0)
    starts = [np.eye(len(scatter)), found + 0.3 * np.diag(rng.random(len(scatter)))]
    searched = [minimize(loss, structure.pack(start), method="L-BFGS-B") for start in starts]
    # differences for a gradient leave half the digits, and the score is flat at its top
    assert_allclose(-min(search.fun for search in searched), best, rtol=1e-6)
    assert all(-search.fun <= best + 1e-9 * abs(best) for search in searched)


def assert_hyper_prior_is_further_tasks(structure, scatter, n_tasks):
    """The hyper-prior adds `pseudo_tasks` tasks whose weights have the variance given."""
    more = structure.pseudo_tasks * structure.variance * np.eye(len(scatter))
    total = int(n_tasks + structure.pseudo_tasks)
    bare = type(structure)(**{**vars(structure), "pseudo_tasks": 0.0})
    assert_allclose(
        structure.maximise(scatter, n_tasks), bare.maximise(scatter + more, total), rtol=1e-8
    )


def assert_comes_back(structure, covariance):
    """A covariance of the form comes back from its vector, and any vector stands for one."""
    again = structure.unpack(structure.pack(covariance), len(covariance))
    assert_allclose(again, covariance, rtol=1e-9, atol=1e-12)
    p, shape = len(covariance), structure.pack(covariance).shape
    for seed in range(5):
        wild = 40.0 * np.random.default_rng(seed).standard_normal(shape)
        np.linalg.cholesky(structure.unpack(wild, p))
