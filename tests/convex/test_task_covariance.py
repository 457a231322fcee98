"""A task covariance that is learned with the weights: the penalty, its bounds and its solvers."""

from dataclasses import replace

import numpy as np
import pytest
from convex._references_covariance import best_covariance, penalty_at

from sklearn_mtl.convex import CoefRows, NuclearNorm, Problem, Ridge, TaskRelationship
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.penalties._learned_covariance import (
    AnchoredNuclearNorm,
    SquaredNuclearNorm,
)
from sklearn_mtl.convex.solvers import SOLVERS, solve
from sklearn_mtl.convex.solvers._relationship_newton import _Bend

ROWS = CoefRows(list("abcd"), np.arange(4), np.zeros(4, int))
PRIOR = np.array(
    [[4.0, 1.0, 0.0, 0.0], [1.0, 2.0, -0.5, 0.0], [0.0, -0.5, 1.0, 0.2], [0.0, 0.0, 0.2, 1.0]]
)


def weights(seed, p=3, n_tasks=4):
    return np.random.default_rng(seed).normal(size=(n_tasks, p))


def anchored(gamma=0.7, delta=0.5):
    return AnchoredNuclearNorm(gamma, delta * PRIOR / PRIOR.trace())


def quadratic(seed, n_tasks, p, n=15):
    """Return tasks with rows of their own and weights along three common directions."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_tasks, n, p)) * np.geomspace(1.0, 0.03, p)
    W = rng.normal(size=(n_tasks, 3)) @ rng.normal(size=(3, p))
    Y = np.einsum("tij,tj->ti", X, W) + rng.normal(size=(n_tasks, n))
    gram, cross = np.einsum("tij,tik->tjk", X, X) / n, np.einsum("tij,ti->tj", X, Y) / n
    return GramQuadratic(
        gram, np.arange(n_tasks), cross, np.square(Y).mean(axis=1), np.ones(n_tasks)
    )


# -- the penalty -----------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", [0.0, 0.3, 3.0])
@pytest.mark.parametrize("p", [2, 3, 9])
def test_the_value_is_the_least_over_covariances_and_is_reached_at_the_closed_form(delta, p):
    penalty = TaskRelationship(0.7, PRIOR, delta)
    prior, rng = PRIOR / PRIOR.trace(), np.random.default_rng(0)
    W = weights(1, p)
    best = penalty.covariance(W, ROWS)
    # scipy's square root of a singular matrix keeps half of the digits
    np.testing.assert_allclose(best, best_covariance(W, delta * prior), atol=1e-7)
    assert best.trace() == pytest.approx(1.0, rel=1e-14)
    least = penalty.value(W, ROWS)
    assert penalty_at(W, best, 0.7, delta, prior) == pytest.approx(least, rel=1e-9)
    for size in (1e-3, 0.1, 10.0):
        root = np.linalg.cholesky(best + 1e-12 * np.eye(4)) + size * rng.normal(size=(4, 4))
        other = root @ root.T / np.square(root).sum()
        assert penalty_at(W, other, 0.7, delta, prior) > least


def test_a_prior_without_end_is_the_quadratic_penalty_of_its_inverse():
    W, prior = weights(0), PRIOR / PRIOR.trace()
    fixed = TaskRelationship(0.7, PRIOR, np.inf)
    expected = 0.35 * np.trace(W.T @ np.linalg.inv(prior) @ W)
    assert fixed.value(W, ROWS) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(fixed.covariance(W, ROWS), prior, rtol=1e-12)
    # the next term of the expansion in 1 / delta is quadratic
    for delta, off in ((1e2, 0.03), (1e4, 3e-6), (1e9, 1e-12)):
        near = TaskRelationship(0.7, PRIOR, delta)
        assert near.value(W, ROWS) == pytest.approx(expected, rel=off)
        np.testing.assert_allclose(near.covariance(W, ROWS), prior, atol=off)


def test_without_weights_the_covariance_is_the_prior():
    zero = np.zeros((4, 3))
    for delta in (0.0, 1.0, np.inf):
        C = TaskRelationship(0.7, PRIOR, delta).covariance(zero, ROWS)
        np.testing.assert_allclose(C, PRIOR / PRIOR.trace(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(TaskRelationship().covariance(zero, ROWS), np.eye(4) / 4)


def test_a_sum_holds_one_covariance_or_norm():
    (TaskRelationship() + Ridge(0.1)).check()
    for other in (NuclearNorm(0.1), TaskRelationship()):
        with pytest.raises(ValueError, match="one norm, or one TaskRelationship"):
            (TaskRelationship() + other).check()


# -- bounds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("term", [SquaredNuclearNorm(0.7), anchored(), anchored(delta=1e-3)])
@pytest.mark.parametrize("p", [2, 7])
def test_the_conjugate_bounds_every_linear_function_and_is_tight_at_its_maximum(term, p):
    rng = np.random.default_rng(0)
    for seed in range(5):
        W, slope = weights(seed, p), rng.normal(size=(4, p))
        kappa, conjugate = term.dual(W, -slope)
        assert kappa == 1.0
        for other in range(20):
            V = 10.0 ** rng.uniform(-3, 1) * weights(100 + other, p)
            # Fenchel and Young
            assert np.vdot(V, slope) - term.value(V) <= conjugate + 1e-12
        left, sizes, right = np.linalg.svd(W, full_matrices=False)
        slope = term.gamma * sizes.sum() * left @ right
        if isinstance(term, AnchoredNuclearNorm):
            slope = _Bend(term, W).gradient
        reached = np.vdot(W, slope) - term.value(W)
        assert term.dual(W, -slope)[1] == pytest.approx(reached, rel=1e-9)


@pytest.mark.parametrize("step", [0.01, 1.0, 100.0])
def test_the_prox_of_the_squared_norm_is_its_argmin(step):
    term, rng = SquaredNuclearNorm(0.7), np.random.default_rng(0)
    for seed in range(5):
        W = weights(seed, p=6)
        minimum = term.prox(W, step)
        least = 0.5 * np.square(minimum - W).sum() + step * term.value(minimum)
        for size in (1e-3, 0.1, 1.0):
            V = minimum + size * rng.normal(size=W.shape)
            value = 0.5 * np.square(V - W).sum() + step * term.value(V)
            # strong convexity
            assert value >= least + 0.5 * np.square(V - minimum).sum() - 1e-12


@pytest.mark.parametrize("delta", [0.05, 2.0])
def test_gradient_and_hessian_are_those_of_the_value(delta):
    term, W, E = anchored(delta=delta), weights(0), weights(1)
    bend, step = _Bend(term, W), 1e-5
    ahead, behind = _Bend(term, W + step * E), _Bend(term, W - step * E)
    slope = (term.value(W + step * E) - term.value(W - step * E)) / (2 * step)
    # central differences: an error of step^2 times third derivatives of about 1 / delta^2
    assert np.vdot(bend.gradient, E) == pytest.approx(slope, rel=1e-6)
    bent = (ahead.gradient - behind.gradient) / (2 * step)
    np.testing.assert_allclose(bend.product(E), bent, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(bend.majoriser() @ W, bend.gradient, rtol=1e-10, atol=1e-12)


# -- solvers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [0.0, 0.1])
@pytest.mark.parametrize("delta", [0.0, 1e-6, 1e-2, 1.0, 100.0])
@pytest.mark.parametrize("gamma", [1e-4, 0.1, 100.0])
def test_more_tasks_than_features_and_any_strengths_are_solved(gamma, delta, ridge):
    datafit = quadratic(0, n_tasks=30, p=8)
    rows = CoefRows(list(range(30)), np.arange(30), np.zeros(30, int))
    term = TaskRelationship(gamma, None, delta).of_rows(rows)
    problem = Problem(datafit, term, ridge * np.eye(30))
    found = solve(problem, tol=1e-8)
    assert found.converged
    # with C held the objective is quadratic, and falls to its minimum by no more than the gap
    C = TaskRelationship(gamma, None, delta).covariance(found.coef, rows)
    values, vectors = np.linalg.eigh(C)
    kept = values > 1e-6 * values[-1]
    gradient = datafit.at(found.coef).gradient + ridge * found.coef
    left = vectors[:, kept].T @ gradient
    left += gamma * (vectors[:, kept].T @ found.coef) / values[kept, None]
    curvature = datafit.lipschitz() + ridge + gamma / values[kept]
    assert 0.5 * (np.square(left).sum(axis=1) / curvature).sum() <= found.gap * (1 + 1e-6)


def test_newton_steps_never_raise_the_objective():
    datafit = quadratic(1, n_tasks=12, p=6)
    anchor = 0.3 * np.eye(12) / 12
    problem = Problem(datafit, AnchoredNuclearNorm(0.05, anchor), 0.01 * np.eye(12))
    free = replace(problem, norm=SquaredNuclearNorm(0.05))
    start = solve(free, tol=1e-12).coef  # which the search for a first guess leaves as it is
    values = [problem.certify(start).objective]
    for most in range(1, 8):
        found = SOLVERS["relationship_newton"].solve(problem, start, tol=1e-13, max_iter=most)
        values.append(found.objective)
    assert (np.diff(values) <= 1e-14 * values[0]).all()
    assert values[-1] < values[0] - 1e-6 * problem.scale


def test_the_strength_of_the_norm_is_found_where_weights_are_next_to_nothing():
    datafit = quadratic(2, n_tasks=5, p=4)
    for gamma in (1e3, 1e6, 1e9):
        problem = Problem(datafit, SquaredNuclearNorm(gamma))
        found = SOLVERS["norm_strength"].solve(problem, None, tol=1e-18, max_iter=1000)
        # to first order in 1 / gamma, W = u v' s / gamma for the first singular triplet of the
        # slope; the gap of W = 0, of which the bound is a share, is s^2 / (2 gamma)
        left, sizes, right = np.linalg.svd(datafit.linear, full_matrices=False)
        expected = sizes[0] * np.outer(left[:, 0], right[0]) / gamma
        assert found.gap <= 1e-3 * sizes[0] ** 2 / gamma + 1e-15 * problem.scale
        np.testing.assert_allclose(found.coef * gamma, expected * gamma, rtol=0.1, atol=0.05)
