"""Quadratic penalties where features or strengths are many decades apart."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge as SklearnRidge

from sklearn_mtl.convex import CoefRows, GraphLaplacian, MeanRegularization, Ridge, make_problem
from sklearn_mtl.convex._spectrum import semidefinite_eigh
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.solvers import SOLVERS
from sklearn_mtl.linear_model import (
    GraphRegressor,
    LowRankRegressor,
    MeanRegularizedRegressor,
    MultiTaskLinearRegressor,
)

CLOSED_FORM = SOLVERS["closed_form"]
UNIT = np.ones(10)
SCALES = {
    "12 decades": 10.0 ** np.linspace(-6, 6, 10),
    "8 decades": 10.0 ** np.linspace(-4, 4, 10),
    "two features apart": np.where(np.arange(10) == 2, 1e-3, UNIT)
    * np.where(np.arange(10) == 8, 1e7, UNIT),
}


@pytest.fixture(scope="module")
def diabetes():
    rng = np.random.default_rng(0)
    X, y = load_diabetes(return_X_y=True)
    X = 20 * X
    return X, np.c_[y, y + 50 * rng.normal(size=442), 100 * X[:, 2] + rng.normal(size=442)]


def task_rows(n_tasks):
    return CoefRows(list(range(n_tasks)), np.arange(n_tasks), np.zeros(n_tasks, int))


def squared_loss(X, labels):
    """Return the squared loss of tasks on rows X, shape (K, n, p), K = 1 or the tasks."""
    n_tasks, n = labels.shape
    X = X - X.mean(axis=1, keepdims=True)
    group = np.arange(n_tasks) if len(X) > 1 else np.zeros(n_tasks, int)
    return GramQuadratic(
        np.matmul(X.transpose(0, 2, 1), X) / n,
        group,
        np.einsum("tni,tn->ti", X[group], labels) / n,
        np.square(labels).mean(axis=1),
        np.ones(n_tasks),
    )


def exact_excess(problem, W):
    """Return how far W is above the minimum, in rational numbers.

    A is a Laplacian of its entries off the diagonal, and what its rows sum to.
    """
    fit = problem.datafit
    n_tasks, p = fit.shape
    H = [[Fraction(0)] * (n_tasks * p) for _ in range(n_tasks * p)]
    for s in range(n_tasks):
        for j in range(p):
            H[s * p + j][s * p + j] += Fraction(float(problem.row_sums[s]))
            for k in range(p):
                curved = Fraction(float(fit.task_weight[s] * fit.gram[fit.group[s], j, k]))
                H[s * p + j][s * p + k] += curved
            for t in set(range(n_tasks)) - {s}:
                edge = Fraction(float(problem.matrix[s, t]))
                H[s * p + j][t * p + j] += edge
                H[s * p + j][s * p + j] -= edge
    weights, linear = ([Fraction(float(v)) for v in a.ravel()] for a in (W, fit.linear))
    slope = [sum(map(Fraction.__mul__, row, weights)) - c for row, c in zip(H, linear, strict=True)]
    system = [[*row, g] for row, g in zip(H, slope, strict=True)]
    half = Fraction(0)
    for i, pivot in enumerate(system):  # elimination leaves g' H^-1 g as a sum of squares
        half += pivot[-1] ** 2 / pivot[i] / 2
        for row in system[i + 1 :]:
            factor = row[i] / pivot[i]
            row[i:] = [a - factor * b for a, b in zip(row[i:], pivot[i:], strict=True)]
    return float(half)


# -- features of different units -----------------------------------------------------------------


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    "model",
    [
        LowRankRegressor(alpha=0),
        MultiTaskLinearRegressor(penalty=Ridge(0)),
        GraphRegressor(alpha=0, gamma=0),
        MeanRegularizedRegressor(alpha_shared=0, alpha_specific=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_without_a_penalty_units_do_not_matter(diabetes, model, scale):
    X, Y = diabetes
    plain = model.fit(X, Y)
    objective, predicted = plain.objective_, plain.predict(X)
    scaled = model.fit(X * SCALES[scale], Y)
    # a direct solve, whatever the units
    assert_allclose(scaled.objective_, objective, rtol=1e-11)
    assert_allclose(scaled.predict(X * SCALES[scale]), predicted, rtol=1e-9)
    assert 0 <= scaled.dual_gap_ <= 1e-20 * objective


def test_a_feature_of_tiny_units_is_used():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2)) * [1, 1e-8]
    y = X @ [1, 1e8] + 0.1 * rng.normal(size=100)
    assert LowRankRegressor(alpha=0).fit(X, y).score(X, y) > 0.98


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("alpha", [1e-9, 1e-6, 1e-3])
def test_a_small_ridge_is_scikit_learns(diabetes, scale, alpha):
    X, Y = diabetes
    X = (X - X.mean(axis=0)) * SCALES[scale]
    gram = X.T @ X / 442
    unit = np.sqrt(gram.diagonal() + alpha)
    # Cholesky of the scaled normal equations does not depend on units
    inner = gram / unit / unit[:, None] + np.diag(alpha / unit**2)
    expected = np.linalg.solve(inner, (X.T @ (Y - Y.mean(axis=0)) / 442) / unit[:, None]).T / unit
    found = MultiTaskLinearRegressor(penalty=Ridge(alpha)).fit(X, Y)
    # in units of features; correlations of the data have a condition of 500
    assert_allclose(found.coef_ * unit, expected * unit, rtol=0, atol=1e-9 * np.abs(Y).max())
    reference = SklearnRidge(alpha=442 * alpha, solver="svd").fit(X, Y)
    # singular vectors of X mix units: digits of small features are lost there
    assert_allclose(found.score(X, Y), reference.score(X, Y), atol=1e-6 if alpha > 1e-9 else 1.0)


def own_features(rng, n_tasks=4, n=200, p=6, decades=7):
    scale = 10.0 ** rng.uniform(-decades, decades, p)
    return rng.normal(size=(n_tasks, n, p)) * scale, rng.normal(size=(n_tasks, n))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    "penalty",
    [
        MeanRegularization(),
        MeanRegularization(1e-6, 1e-6),
        GraphLaplacian("complete", 1e-4) + Ridge(1e-4),
        GraphLaplacian("chain", 1e-4) + Ridge(1e-4),
        Ridge(1e-4),
    ],
    ids=str,
)
def test_answers_are_exact_on_features_of_14_decades(penalty, shared):
    for seed in range(2):
        rng = np.random.default_rng(seed)
        X, labels = own_features(rng, n_tasks=3, n=30, p=6)
        X += X[:, :, :1] / np.abs(X[:, :, :1]).max() * np.abs(X).max(axis=(0, 1)) * 10  # correlated
        problem = make_problem(squared_loss(X[:1] if shared else X, labels), penalty, task_rows(3))
        solution = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000)
        assert solution.converged
        # of entries that cancel to 1e-3
        assert exact_excess(problem, solution.coef) <= 1e-12 * problem.scale


def test_no_answer_is_worse_than_none():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(200, 20)) * 10.0 ** rng.uniform(-7, 7, 20)
        Y = rng.normal(size=(200, 4))
        model = MeanRegularizedRegressor().fit(X, Y)
        scale = 0.5 * Y.var(axis=0).sum()
        assert model.objective_ <= scale * (1 + 1e-14)
        assert 0 <= model.dual_gap_ <= 1e-15 * scale


def test_wide_features_of_16_decades_are_fitted_and_certified():
    for seed in (6, 46, 106):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(10, 60)) * 10.0 ** rng.uniform(-8, 8, 60)
        Y = rng.normal(size=(10, 3))
        model = MeanRegularizedRegressor(alpha_shared=1e-6, alpha_specific=1e-6).fit(X, Y)
        scale = 0.5 * Y.var(axis=0).sum()
        assert abs(model.objective_) <= 1e-4 * scale
        assert 0 <= model.dual_gap_ <= 1e-12 * scale


def test_the_least_of_all_solutions_is_in_the_units_of_the_features():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)) * [1.0, 1.0, 1e5]
    X = np.c_[X, 1e3 * X[:, 0]]  # w_0 and w_3 multiply one direction
    y = rng.normal(size=40)
    found = MultiTaskLinearRegressor(penalty=Ridge(0)).fit(X, y).coef_.ravel()
    assert_allclose(found[3], 1e3 * found[0], rtol=1e-6)  # w_0 is 1e-7 of w_1
    reduced = MultiTaskLinearRegressor(penalty=Ridge(0)).fit(X[:, :3], y).coef_.ravel()
    # least norm: (w_0, w_3) along (1, 1e3)
    assert_allclose(found[:3], reduced / [1 + 1e6, 1, 1], rtol=1e-6)


# -- eigenvalues -----------------------------------------------------------------------------------


def test_each_eigenvalue_has_digits_of_its_own():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(8, 8)) + 3 * np.eye(8)
    scale = 10.0 ** np.linspace(-7, 7, 8)
    matrix = (root @ root.T) * scale * scale[:, None]
    values, vectors, doubt = semidefinite_eigh(matrix)
    assert (np.diff(values) > 0).all()
    assert_allclose(vectors.T @ vectors, np.eye(8), atol=1e-13)
    inverse = (vectors / values) @ vectors.T
    # entry by entry, in units of its row and column
    expected = np.linalg.inv(root @ root.T) / scale / scale[:, None]
    error = np.abs(inverse - expected) * scale * scale[:, None]
    assert error.max() <= 1e-11 * np.abs(expected * scale * scale[:, None]).max()
    assert doubt <= 1e-11


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_what_the_rank_leaves_out_of_the_gradient_is_in_the_gap(scale):
    # two features apart by less than rounding, and labels that only their difference explains
    gram = np.array([[1.0, 1.0], [1.0, 1.0]]) * [1, scale] * np.array([[1], [scale]])
    cross = np.array([[1e-3, -1e-3 * scale]])
    fit = GramQuadratic(gram[None], np.zeros(1, int), cross, np.ones(1), np.ones(1))
    problem = make_problem(fit, Ridge(0), task_rows(1))
    solution = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000)
    assert not solution.converged
    assert solution.gap >= 0.1 * problem.scale
    assert problem.bound(-fit.linear) == np.inf


@pytest.mark.parametrize("graph", [None, "complete", "chain"])
def test_the_bound_is_never_below_the_excess(graph):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, labels = own_features(rng, n_tasks=3, n=12, p=3)
        # an eigenvalue of 1e-14, a few roundings above what counts as 0
        X[:, :, 1] = X[:, :, 0] * 10.0 ** rng.uniform(-3, 3) * (1 + 1e-7 * X[:, :, 1])
        penalty = Ridge(0) if graph is None else GraphLaplacian(graph, 0.3) + Ridge(0)
        problem = make_problem(squared_loss(X, labels), penalty, task_rows(3))
        best = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000).coef
        W = best * (1 + 1e-3 * rng.normal(size=best.shape))
        gradient = problem.smooth_part(W)[1]
        # rounding of the gradient itself, 1e-16 of terms that are 1e3 times as large
        assert problem.bound(gradient) >= exact_excess(problem, W) * (1 - 1e-9)


# -- large strengths -------------------------------------------------------------------------------


def pooled_objective(X, Y, alpha):
    """Return the least objective where all tasks have one w, and alpha each."""
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    n, n_tasks = Y.shape
    w = np.linalg.solve(n_tasks * X.T @ X / n + alpha * np.eye(X.shape[1]), X.T @ Y.sum(axis=1) / n)
    return 0.5 * (np.square(Y - (X @ w)[:, None]).mean(axis=0).sum() + alpha * w @ w)


@pytest.mark.parametrize("gamma", [1e10, 1e12, 1e14, 1e16])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("graph", ["complete", "chain"])
def test_a_graph_of_large_gamma_keeps_its_small_ridge(diabetes, graph, weighted, gamma):
    X, Y = diabetes
    weight = np.array([0.5, 2.0, 0.5]) if weighted else np.ones(3)
    model = GraphRegressor(graph, alpha=0.01, gamma=gamma, task_weight=weight).fit(X, Y)
    total = weight.sum()
    mean = Y @ weight / total
    # sum_t weight_t |y_t - X w|^2 is total |mean - X w|^2 and the spread about the mean
    spread = np.square(Y - Y.mean(axis=0) - (mean - mean.mean())[:, None]).mean(axis=0) @ weight
    expected = total * pooled_objective(X, mean[:, None], 0.03 / total) + spread / 2
    assert_allclose(model.objective_, expected, rtol=1e-7)
    # gamma (1e-16 |W|)^2
    assert 0 <= model.dual_gap_ <= 1e-12 * expected


@pytest.mark.parametrize("specific", [1e10, 1e12, 1e14, 1e16])
def test_a_large_specific_strength_keeps_the_small_shared_one(diabetes, specific):
    X, Y = diabetes
    model = MeanRegularizedRegressor(alpha_shared=0.01, alpha_specific=specific).fit(X, Y)
    assert_allclose(model.objective_, pooled_objective(X, Y, 0.01), rtol=1e-7)
    assert 0 <= model.dual_gap_ <= 1e-12 * model.objective_


@pytest.mark.parametrize("graph", ["ring", "chain"])
@pytest.mark.parametrize("ridge", [1e-6, 1e-2])
def test_tasks_with_rows_of_their_own_are_pooled_by_a_large_gamma(graph, ridge):
    for seed in range(3):
        X, labels = own_features(np.random.default_rng(seed), n_tasks=4, n=20, p=3, decades=3)
        penalty = GraphLaplacian(graph, 1e14) + Ridge(ridge)
        problem = make_problem(squared_loss(X, labels), penalty, task_rows(4))
        solution = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000)
        assert solution.converged
        assert exact_excess(problem, solution.coef) <= 1e-9 * problem.scale


@pytest.mark.parametrize(
    ("whole", "real"),
    [
        (MeanRegularization(1, 10), MeanRegularization(1.0, 10.0)),
        (Ridge(2), Ridge(2.0)),
        (GraphLaplacian("chain", 2), GraphLaplacian("chain", 2.0)),
    ],
    ids=str,
)
def test_whole_strengths_are_numbers(whole, real):
    rows = task_rows(3)
    for found, expected in [
        (whole.task_matrix(rows), real.task_matrix(rows)),
        (whole.row_sums(rows), real.row_sums(rows)),
    ]:
        assert found.dtype == np.float64
        assert_allclose(found, expected, rtol=0)


@pytest.mark.parametrize(
    "penalty",
    [MeanRegularization(0.3, 0.7), MeanRegularization(0, 0), Ridge(0.2), GraphLaplacian("ring")],
    ids=str,
)
def test_sums_of_rows_are_those_of_the_matrix(penalty):
    rows = task_rows(4)
    matrix = penalty.task_matrix(rows)
    assert_allclose(penalty.row_sums(rows), matrix.sum(axis=1), atol=1e-15)
