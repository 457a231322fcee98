"""Quadratic penalties: equal to one dense solve, of least norm, certified, and right in limits."""

import numpy as np
import pytest
from convex._references_convex import Part, solve_kronecker
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge as SklearnRidge

from sklearn_mtl.convex import (
    CoefRows,
    GramStats,
    GraphLaplacian,
    GroupL21,
    MeanRegularization,
    Ridge,
    coef_rows,
    make_problem,
    solve,
)
from sklearn_mtl.convex._coupling import Coupling
from sklearn_mtl.convex.datafits import GramQuadratic
from sklearn_mtl.convex.solvers import SOLVERS, _block_system
from sklearn_mtl.convex.solvers._closed_form import HessianInverse
from sklearn_mtl.tasks import TaskData, TaskSpec

CLOSED_FORM = SOLVERS["closed_form"]


def scalar_rows(n_tasks):
    return CoefRows(list(range(n_tasks)), np.arange(n_tasks), np.zeros(n_tasks, int))


def random_graph(rng, n_tasks, density=0.6):
    weights = np.triu(rng.uniform(0.5, 2, (n_tasks, n_tasks)), 1)
    weights *= rng.random(weights.shape) < density
    return weights + weights.T


PENALTIES = {
    "ridge": lambda rng, n_tasks: Ridge(0.1),
    "mean": lambda rng, n_tasks: MeanRegularization(0.05, 0.4),
    "mean, nothing on the shared part": lambda rng, n_tasks: MeanRegularization(0.0, 0.4),
    "complete": lambda rng, n_tasks: GraphLaplacian("complete", 0.2) + Ridge(0.01),
    "chain": lambda rng, n_tasks: GraphLaplacian("chain", 0.5) + Ridge(0.01),
    "graph": lambda rng, n_tasks: GraphLaplacian(random_graph(rng, n_tasks), 2.0) + Ridge(1e-3),
    "a sum of three": lambda rng, n_tasks: (
        GraphLaplacian(random_graph(rng, n_tasks), 0.3) + MeanRegularization(0.1, 0.2) + Ridge(0.01)
    ),
}


def random_fit(rng, n_tasks, p, n_grams, n, weight=None, constant=0.3):
    """Return a squared loss on Gram matrices of rank n - 1 at most, shared by tasks at random."""
    weight = np.ones(n_tasks) if weight is None else weight
    group = rng.permutation(np.append(np.arange(n_grams), rng.integers(0, n_grams, 99))[:n_tasks])
    group = np.unique(group, return_inverse=True)[1]
    inputs = rng.normal(size=(group.max() + 1, n, p))
    inputs[rng.random(len(inputs)) < constant, :, 0] = 0.0  # a constant column, centred
    inputs -= inputs.mean(axis=1, keepdims=True)
    labels = rng.normal(size=(n_tasks, n))
    return GramQuadratic(
        np.einsum("kni,knj->kij", inputs, inputs) / n,
        group,
        np.einsum("tni,tn->ti", inputs[group], labels) / n,
        np.square(labels).mean(axis=1),
        weight,
    )


def hessian(fit, matrix):
    """Return H = blockdiag(lambda_t G_t) + A x I, dense."""
    n_tasks, p = fit.shape
    dense = np.kron(matrix, np.eye(p))
    for t in range(n_tasks):
        here = slice(t * p, t * p + p)
        dense[here, here] += fit.task_weight[t] * fit.gram[fit.group[t]]
    return dense


def least_norm(fit, matrix):
    """Return the W of least norm among the minimisers, by the pseudo-inverse of the dense H."""
    # rank: the Grams here have eigenvalues of 0 and above 1e-8, and nothing between
    inverse = np.linalg.pinv(hessian(fit, matrix), rcond=1e-12, hermitian=True)
    return (inverse @ fit.linear.ravel()).reshape(fit.shape)


def excess(fit, matrix, W):
    """Return how far W is above the minimum, as a quadratic form: no two objectives cancel."""
    step = (W - least_norm(fit, matrix)).ravel()
    return 0.5 * step @ hessian(fit, matrix) @ step


def methods(problem):
    """Return the names of the methods that the closed form uses."""
    parts = HessianInverse(problem.coupling, problem.datafit, max_iter=1000).parts
    return {type(inverse).__name__ for _, inverse in parts}


# -- through statistics, against one dense solve ---------------------------------------------------


def data_of(parts, shared):
    if not shared:
        X = np.concatenate([part.X for part in parts])
        index = np.repeat(np.arange(len(parts)), [len(part.X) for part in parts])
        labels = np.concatenate([part.y for part in parts])
        weights = np.concatenate([part.weight for part in parts])
        data = TaskData(X, len(X), len(parts), index)
        return X, data.with_labels(labels, np.ones(len(X), bool), weights)
    X, labels, observed, weights = shared
    data = TaskData(X, len(X), len(parts))
    return X, data.with_labels(np.where(observed, labels, 0.0), observed, weights)


def random_parts(scenario, rng):
    """Return parts for the reference, data for statistics, and task weights."""
    n_tasks = {"one task": 1, "two tasks": 2}.get(scenario, 4)
    n, p = (5, 8) if scenario == "wide" else (30, 1 if scenario == "one feature" else 5)
    weight = rng.uniform(0.2, 3, n_tasks) if scenario == "task weights" else np.ones(n_tasks)

    def rows(n):
        X = rng.normal(size=(n, p)) + (1e6 if scenario == "offset" else 1.0)
        if scenario == "constant column":
            X[:, 0] = 3.0
        return X

    if scenario == "own rows":
        counts = rng.integers(6, 25, n_tasks)
        parts = [Part(rows(m), rng.normal(size=m), np.ones(m)) for m in counts]
        return (parts, *data_of(parts, None), weight)
    X = rows(n)
    labels = X[:, :1] + rng.normal(size=(n, n_tasks))
    observed, weights = np.ones((n, n_tasks), bool), None
    if scenario == "missing":
        observed = rng.random((n, n_tasks)) < 0.7
    if scenario == "weighted":
        weights = rng.uniform(0.1, 2, (n, n_tasks))
    each = np.ones((n, n_tasks)) if weights is None else weights
    parts = [
        Part(X[here], labels[here, t], each[here, t])
        for t, here in ((t, observed[:, t]) for t in range(n_tasks))
    ]
    return (parts, *data_of(parts, (X, labels, observed, weights)), weight)


SCENARIOS = [
    "complete",
    "missing",
    "own rows",
    "weighted",
    "task weights",
    "wide",
    "constant column",
    "offset",
    "one task",
    "two tasks",
    "one feature",
]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", PENALTIES)
def test_weights_equal_one_dense_solve_for_all_tasks(name, scenario):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        parts, X, data, weight = random_parts(scenario, rng)
        rows = scalar_rows(len(parts))
        penalty = PENALTIES[name](rng, len(parts))
        fit = GramStats.from_data(X, data).datafit(weight)
        problem = make_problem(fit, penalty, rows)
        solution = solve(problem)
        # only penalties on all weights determine what the rows do not
        if scenario in ("wide", "constant column") and "nothing" in name:
            expected = least_norm(fit, problem.matrix)
        else:
            expected = solve_kronecker(parts, weight, problem.matrix)
        # 1e6 + x has 10 digits of x, and centring keeps all but the last of them
        rtol = 1e-8 if scenario == "offset" else 1e-9
        assert_allclose(solution.coef, expected, rtol=rtol, atol=rtol * np.abs(expected).max())
        assert solution.converged
        # an error of 1e-10 in the norm of H, which refined direct solves are far below
        assert 0 <= solution.gap <= 1e-20 * problem.scale


# -- every method, where the solution is not unique too ------------------------------------------


METHODS = {
    # shared Gram, uniform weights, graph of the penalty
    "TwoCurvatures": (True, True, "complete"),
    "Elimination": (False, False, "complete"),
    "TaskSpectrum": (True, False, "random"),
    "Banded": (False, False, "random"),
    "ConjugateGradient": (False, False, "random"),
    "Separate": (False, False, "none"),
}


def problem_for(
    method, rng, n_tasks, p, n, *, ridge=0.0, gamma=0.7, weight=None, graph=None, constant=0.3
):
    """Return a problem that the closed form solves by this method."""
    shared, uniform, kind = METHODS[method]
    if weight is None:
        weight = np.ones(n_tasks) if uniform else rng.uniform(0.2, 3, n_tasks)
    fit = random_fit(rng, n_tasks, p, 1 if shared else n_tasks, n, weight, constant)
    if graph is None:
        graph = {
            "complete": "complete",
            "random": random_graph(rng, n_tasks, 0.9),
            "none": np.zeros((n_tasks, n_tasks)),
        }[kind]
    penalty = GraphLaplacian(graph, gamma) + Ridge(ridge)
    return make_problem(fit, penalty, scalar_rows(n_tasks))


@pytest.fixture(params=METHODS)
def method(request, monkeypatch):
    if request.param == "ConjugateGradient":
        monkeypatch.setattr(_block_system, "MOST_OPERATIONS", 0)
    return request.param


@pytest.mark.parametrize("n", [3, 40])
@pytest.mark.parametrize("ridge", [0.0, 0.01])
def test_each_method_finds_the_least_of_all_solutions(method, ridge, n):
    for seed in range(6):
        problem = problem_for(method, np.random.default_rng(seed), 6, 5, n, ridge=ridge)
        if method != "TwoCurvatures" or ridge > 0:  # that one needs a positive definite A
            assert methods(problem) == {method}
        expected = least_norm(problem.datafit, problem.matrix)
        solution = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000)
        assert_allclose(solution.coef, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
        assert solution.converged


def test_tasks_of_no_weight_follow_their_neighbours_or_are_zero(method):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        weight = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 0.0])
        graph = random_graph(rng, 6, 0.5)
        problem = problem_for(method, rng, 6, 4, 20, weight=weight, graph=graph)
        expected = least_norm(problem.datafit, problem.matrix)
        solution = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000)
        assert_allclose(solution.coef, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
        isolated = ~graph.any(axis=1) & (weight == 0)
        assert not solution.coef[isolated].any()


@pytest.mark.parametrize("n_grams", [1, 3, 5])
def test_with_no_penalty_each_task_is_its_least_squares_of_least_norm(n_grams):
    rng = np.random.default_rng(0)
    weight = np.array([1.0, 0.3, 0.0, 2.0, 1.0])
    fit = random_fit(rng, 5, 8, n_grams, 5, weight)
    solution = solve(make_problem(fit, Ridge(0.0), scalar_rows(5)))
    for t in range(5):
        gram, cross = fit.gram[fit.group[t]], fit.linear[t] / max(weight[t], 1e-300)
        expected = np.linalg.lstsq(gram, cross, rcond=1e-12)[0]
        assert_allclose(solution.coef[t], expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    assert solution.gap <= 1e-20 * fit.energy


def test_labels_that_nothing_explains_give_zero_weights():
    fit = random_fit(np.random.default_rng(0), 3, 4, 3, 20)
    silent = GramQuadratic(fit.gram, fit.group, np.zeros((3, 4)), np.zeros(3), np.ones(3))
    solution = solve(make_problem(silent, MeanRegularization(), scalar_rows(3)))
    assert not solution.coef.any()
    assert solution.gap == 0.0
    assert solution.converged


def test_eigenvectors_at_hand_give_the_answer_of_two_cholesky_factors():
    problem = problem_for("TwoCurvatures", np.random.default_rng(0), 5, 4, 30, ridge=0.1)
    first = solve(problem).coef
    _ = problem.datafit.spectrum
    assert methods(problem) == {"Elimination"}
    assert_allclose(solve(problem).coef, first, rtol=1e-11)  # two direct methods


# -- certificates --------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [0.0, 1e-8, 0.1])
def test_the_gap_bounds_the_excess_at_any_point(method, ridge):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        problem = problem_for(method, rng, 6, 5, 3 if seed % 2 else 30, ridge=ridge)
        best = least_norm(problem.datafit, problem.matrix)
        for size in (1e-5, 1e-2, 1.0):
            W = best + size * rng.normal(size=best.shape)
            exact = excess(problem.datafit, problem.matrix, W)
            gap = problem.certify(W).gap
            assert np.isfinite(gap)
            # the dense solve is exact to 1e-15 / ridge, and g at distance 1e-5 to 1e-10
            assert gap >= exact * (1 - 1e-6)
            if method == "Separate":
                # nothing is split; a rounding of the gradient counts 1 / ridge times
                assert gap <= exact * (1 + 1e-3)


def test_the_bound_is_the_excess_along_what_a_laplacian_does_not_see():
    rng = np.random.default_rng(0)
    problem = problem_for("Banded", rng, 6, 5, 30)
    shift = np.tile(rng.normal(size=5), (6, 1))
    best = least_norm(problem.datafit, problem.matrix)
    exact = excess(problem.datafit, problem.matrix, best + shift)
    # all of g is in g_1, so that the splitting loses nothing
    assert_allclose(problem.certify(best + shift).gap, exact, rtol=1e-9)


def test_the_inverse_measures_the_excess_exactly(method):
    rng = np.random.default_rng(0)
    problem = problem_for(method, rng, 6, 5, 30, ridge=0.01)
    W = rng.normal(size=(6, 5))
    gradient = problem.smooth_part(W)[1]
    inverse = HessianInverse(problem.coupling, problem.datafit, max_iter=1000)
    exact = excess(problem.datafit, problem.matrix, W)
    assert_allclose(0.5 * np.vdot(gradient, inverse(gradient)), exact, rtol=1e-9)


def test_the_inverse_inverts_for_tasks_of_no_weight_too(method):
    rng = np.random.default_rng(0)
    weight = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 0.0])
    problem = problem_for(method, rng, 6, 4, 30, weight=weight, ridge=0.1, constant=0.0)
    W = rng.normal(size=(6, 4))
    product = problem.datafit.hessian_product(W) + problem.matrix @ W
    inverse = HessianInverse(problem.coupling, problem.datafit, max_iter=1000)
    assert_allclose(inverse(product), W, rtol=0, atol=1e-9)  # iterations stop at 1e-12


def test_a_gap_is_never_above_the_objective():
    problem = problem_for("Banded", np.random.default_rng(0), 6, 5, 30, ridge=1e-8)
    W = np.random.default_rng(1).normal(size=(6, 5)) * 1e3
    certificate = problem.certify(W)
    # what rounding may have taken off the objective counts
    assert certificate.gap <= certificate.objective * (1 + 1e-14)


def test_iterations_that_are_cut_short_say_so_with_an_honest_gap(monkeypatch):
    monkeypatch.setattr(_block_system, "MOST_OPERATIONS", 0)
    problem = problem_for("ConjugateGradient", np.random.default_rng(0), 8, 6, 30)
    for max_iter in (1, 2, 4, 8):
        solution = CLOSED_FORM.solve(problem, None, tol=1e-16, max_iter=max_iter)
        assert not solution.converged
        assert solution.n_iter == max_iter
        assert solution.gap >= excess(problem.datafit, problem.matrix, solution.coef)


def test_a_penalty_beyond_the_digits_of_a_float_is_not_certified_falsely(monkeypatch):
    # gamma L swamps the Gram matrices: 1e17 * 1e-16 = 10
    for operations in (_block_system.MOST_OPERATIONS, 0):
        monkeypatch.setattr(_block_system, "MOST_OPERATIONS", operations)
        for seed in range(5):
            rng = np.random.default_rng(seed)
            problem = problem_for("Banded", rng, 30, 4, 30, gamma=1e17)
            solution = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=100)
            pooled = pooled_weights(problem.datafit)
            best = problem.datafit.at(np.tile(pooled, (30, 1))).value
            rounding = 1e-12 * problem.scale
            assert solution.gap >= problem.datafit.at(solution.coef).value - best - rounding


def test_a_norm_is_refused_by_name():
    fit = random_fit(np.random.default_rng(0), 3, 4, 1, 20)
    problem = make_problem(fit, GroupL21(0.3) + Ridge(0.1), scalar_rows(3))
    with pytest.raises(ValueError, match=r"closed_form.*GroupL21\(alpha=0.3\) is not quadratic"):
        solve(problem, solver="closed_form")


def test_the_answer_does_not_depend_on_the_start():
    problem = problem_for("Elimination", np.random.default_rng(0), 4, 3, 20)
    start = np.full((4, 3), 1e3)
    assert_array_equal(solve(problem, start=start).coef, solve(problem).coef)


# -- limits --------------------------------------------------------------------------------------


def pooled_weights(fit):
    gram = np.tensordot(fit.task_weight, fit.gram[fit.group], 1)
    return np.linalg.solve(gram, fit.linear.sum(axis=0))


def separate_weights(fit, alpha):
    return np.array(
        [
            np.linalg.solve(w * fit.gram[k] + alpha * np.eye(fit.shape[1]), c)
            for w, k, c in zip(fit.task_weight, fit.group, fit.linear, strict=True)
        ]
    )


@pytest.mark.parametrize("gamma", [1e6, 1e9, 1e12])
def test_a_large_gamma_is_the_pooled_fit(method, gamma):
    rng = np.random.default_rng(0)
    # where the method is for tasks apart, a graph is what makes them one
    graph = "chain" if method == "Separate" else None
    problem = problem_for(method, rng, 12, 4, 60, gamma=gamma, graph=graph)
    solution = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000)
    pooled = pooled_weights(problem.datafit)
    # tasks differ by G / (gamma * the smallest eigenvalue of L), which is above 1 here
    expected = np.broadcast_to(pooled, (12, 4))
    atol = (100 / gamma + 1e-12) * np.abs(pooled).max()
    assert_allclose(solution.coef, expected, rtol=0, atol=atol)
    assert solution.gap <= 1e-18 * problem.scale


def test_a_small_gamma_is_ridge_for_each_task(method):
    rng = np.random.default_rng(0)
    problem = problem_for(method, rng, 6, 4, 30, gamma=1e-12, ridge=0.3)
    expected = separate_weights(problem.datafit, 0.3)
    # ties of 1e-12 move weights by about as much
    assert_allclose(solve(problem).coef, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("n_grams", [1, 5])
def test_mean_regularization_in_its_limits(n_grams):
    fit = random_fit(np.random.default_rng(0), 5, 4, n_grams, 40)

    def weights(shared, specific):
        problem = make_problem(fit, MeanRegularization(shared, specific), scalar_rows(5))
        return solve(problem).coef

    near = {"rtol": 0, "atol": 1e-6}  # strengths of 1e8 or 1e-8 leave about that of the rest
    assert_allclose(weights(1e8, 0.3), separate_weights(fit, 0.3), **near)
    assert_allclose(weights(0.3, 1e-8), weights(0.3, 0.0), **near)
    assert_allclose(weights(0.3, 0.0), least_norm(fit, np.zeros((5, 5))), **near)
    assert_allclose(weights(0.0, 1e8), np.tile(weights(0.0, 1e8)[0], (5, 1)), **near)
    ridge = np.linalg.solve(
        fit.gram[fit.group].sum(axis=0) + 0.3 * np.eye(4), fit.linear.sum(axis=0)
    )
    assert_allclose(weights(0.3, 1e8), np.tile(ridge, (5, 1)), **near)


def test_mean_regularization_is_the_least_over_the_shared_part():
    tasks = [TaskSpec(name, "multiclass", np.arange(3)) for name in "ab"]
    rows = coef_rows([*tasks, TaskSpec("c", "regression"), TaskSpec("d", "regression")])
    W = np.random.default_rng(0).normal(size=(8, 2))
    penalty = MeanRegularization(0.3, 0.7)

    def value(shared):
        apart = W - shared[rows.block]
        return 0.15 * np.square(shared).sum() + 0.35 * np.square(apart).sum()

    best = np.array([penalty.shared(W[block]) for block in rows.blocks])
    assert best.shape == (4, 2)
    assert_allclose(penalty.value(W, rows), value(best), rtol=1e-13)
    for step in np.random.default_rng(1).normal(size=(20, 4, 2)):
        assert value(best + 1e-3 * step) > penalty.value(W, rows)
    assert not MeanRegularization(0.0, 0.0).task_matrix(rows).any()
    assert not MeanRegularization(0.3, 0.0).shared(W).any()


def test_one_task_is_scikit_learns_ridge():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 1))
    data = TaskData(X, 40, 1).with_labels(y, np.ones((40, 1), bool))
    fit = GramStats.from_data(X, data).datafit(np.ones(1))
    # ||y - Xw||^2 / (2 n) + alpha ||w||^2 / 2, and w_0 and v_t in a row are 1 / (1/0.3 + 1/0.6)
    for penalty, alpha in [(Ridge(0.2), 0.2), (MeanRegularization(0.3, 0.6), 0.2)]:
        expected = SklearnRidge(alpha=40 * alpha).fit(X, y[:, 0]).coef_
        found = solve(make_problem(fit, penalty, scalar_rows(1))).coef[0]
        assert_allclose(found, expected, rtol=1e-10)  # two direct methods


def test_components_of_a_graph_decouple():
    rng = np.random.default_rng(0)
    for n_grams in (1, 7):
        fit = random_fit(rng, 7, 4, n_grams, 30, rng.uniform(0.5, 2, 7))
        graph = np.zeros((7, 7))
        parts = [np.array([0, 2, 5, 6]), np.array([1, 4]), np.array([3])]
        for part in parts:
            graph[np.ix_(part, part)] = random_graph(rng, len(part), 1.0)
        together = solve(make_problem(fit, GraphLaplacian(graph, 0.5), scalar_rows(7))).coef
        for part in parts:
            alone = GramQuadratic(
                fit.gram[fit.group[part]],
                np.arange(len(part)),
                fit.linear[part] / fit.task_weight[part, None],
                np.ones(len(part)),
                fit.task_weight[part],
            )
            penalty = GraphLaplacian(graph[np.ix_(part, part)], 0.5)
            expected = solve(make_problem(alone, penalty, scalar_rows(len(part)))).coef
            # on a shared Gram another method than on Grams of their own
            assert_allclose(together[part], expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_the_order_of_tasks_does_not_matter(method):
    rng = np.random.default_rng(0)
    problem = problem_for(method, rng, 6, 4, 30, ridge=0.01)
    fit, order = problem.datafit, rng.permutation(6)
    shuffled = GramQuadratic(
        fit.gram,
        fit.group[order],
        fit.linear[order] / fit.task_weight[order, None],
        np.full(6, fit.energy / fit.task_weight.sum()),
        fit.task_weight[order],
    )
    turned = type(problem)(shuffled, None, problem.matrix[np.ix_(order, order)])
    expected = solve(problem).coef[order]
    assert_allclose(solve(turned).coef, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


# -- how A ties tasks ----------------------------------------------------------------------------


def test_products_with_a_large_laplacian_keep_small_differences():
    rng = np.random.default_rng(0)
    graph = random_graph(rng, 9)
    common, small = rng.normal(size=3), rng.integers(-8, 9, (9, 3)) * 2.0**-40
    W = common + small  # exact but for rounding of 1e-16, 1e-4 of the differences
    matrix = GraphLaplacian(graph, 1e12).task_matrix(scalar_rows(9))
    apart = W[:, None, :] - W[None, :, :]
    expected = 1e12 * np.einsum("st,stj->sj", graph, apart)
    found = Coupling(matrix).product(W)
    assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    assert np.abs(matrix @ W - expected).max() > 1e-6 * np.abs(expected).max()


def test_only_rank_one_ties_are_eliminated():
    rng = np.random.default_rng(0)
    rows = scalar_rows(5)
    u = rng.uniform(0.5, 2, 5)
    product = np.outer(u, u) * (1 - np.eye(5))
    random = random_graph(rng, 5, 1.0)
    for penalty, expected in [
        (MeanRegularization(0.2, 0.7), True),
        (GraphLaplacian("complete", 3.0), True),
        (GraphLaplacian(product), True),
        (GraphLaplacian(random), False),
        (GraphLaplacian((1 - np.eye(5)) * (1 + 1e-9 * (random + 1))), False),
        (GraphLaplacian("ring"), False),
    ]:
        (component,) = Coupling(penalty.task_matrix(rows)).components
        assert (component.rank_one is not None) is expected, penalty
        if expected:
            d, f = component.rank_one
            assert (d > 0).all()
            # each entry is a few roundings
            assert_allclose(np.diag(d) - np.outer(f, f), component.matrix, rtol=1e-14, atol=1e-15)


def test_any_positive_semi_definite_matrix_is_solved():
    rng = np.random.default_rng(0)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        root = rng.normal(size=(6, 2))
        for n_grams in (1, 6):
            fit = random_fit(rng, 6, 4, n_grams, 3)
            problem = type(make_problem(fit, Ridge(), scalar_rows(6)))(fit, None, root @ root.T)
            expected = least_norm(fit, problem.matrix)
            found = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000)
            assert_allclose(found.coef, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
            W = expected + rng.normal(size=expected.shape)
            assert problem.certify(W).gap >= excess(fit, problem.matrix, W) * (1 - 1e-8)


# -- iterations ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [0.0, 1e-3])
@pytest.mark.parametrize("gamma", [1e-4, 1e-2, 1.0, 1e2, 1e4])
def test_iterations_stay_few_whatever_gamma_and_however_the_grams_are_scaled(
    monkeypatch, gamma, ridge
):
    monkeypatch.setattr(_block_system, "MOST_OPERATIONS", 0)
    rng = np.random.default_rng(0)
    fit = random_fit(rng, 40, 10, 40, 30)
    scale = 10.0 ** rng.uniform(-2, 2, 10)
    fit = GramQuadratic(
        fit.gram * scale * scale[:, None], fit.group, fit.linear * scale, np.ones(40), np.ones(40)
    )
    penalty = GraphLaplacian(random_graph(rng, 40, 0.1), gamma) + Ridge(ridge)
    problem = make_problem(fit, penalty, scalar_rows(40))
    solution = CLOSED_FORM.solve(problem, None, tol=1e-6, max_iter=1000)
    assert "ConjugateGradient" in methods(problem)
    assert solution.gap <= 1e-20 * problem.scale
    # of 400 unknowns; one preconditioner alone takes thousands at one end of the range
    assert solution.n_iter <= 400


def test_many_tasks_on_a_chain_are_solved_in_one_band():
    fit = random_fit(np.random.default_rng(0), 400, 4, 400, 12)
    problem = make_problem(fit, GraphLaplacian("chain", 5.0), scalar_rows(400))
    assert methods(problem) == {"Banded"}
    solution = solve(problem)
    gradient = fit.hessian_product(solution.coef) + problem.matrix @ solution.coef - fit.linear
    assert np.abs(gradient).max() <= 1e-11 * np.abs(fit.linear).max()
