import numpy as np
import pytest
from convex import _references_convex as reference
from convex._references_features import KINDS, both_datafits, make_data, parts_of
from scipy.sparse import csr_array
from sklearn.linear_model import Lasso, MultiTaskElasticNet, MultiTaskLasso

from sklearn_mtl.convex import L1, GroupL21, Problem, solve
from sklearn_mtl.convex.datafits import DesignQuadratic, GramQuadratic
from sklearn_mtl.convex.solvers import SOLVERS
from sklearn_mtl.convex.solvers._bounded import iterate_bounded, solve_bounded
from sklearn_mtl.convex.solvers._first_steps import MOST_STEPS, first_steps, steps_pay
from sklearn_mtl.convex.solvers._group_newton import count_at_work, minimise, on_gram_matrix

EXACT = {"tol": 1e-12, "max_iter": 200}
SHAPES = [(60, 20, 4), (30, 50, 3), (40, 8, 1), (40, 1, 5)]


def make_problem(datafit, kind, share, matrix=None):
    """Return a problem whose alpha is a share of alpha_max."""
    return Problem(datafit, kind(share * kind().alpha_max(datafit.linear)), matrix)


def solver_of(kind):
    return SOLVERS["group_newton" if kind is GroupL21 else "taskwise_newton"]


# -- peers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("l1_ratio", [1.0, 0.6])
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
@pytest.mark.parametrize(("n", "p", "n_tasks"), [(60, 20, 4), (40, 60, 3), (50, 10, 1)])
def test_equals_multi_task_lasso_and_elastic_net(n, p, n_tasks, share, l1_ratio):
    X, data = make_data("complete", n, p, n_tasks)
    for datafit in both_datafits(X, data, np.ones(n_tasks)):
        alpha = share * GroupL21().alpha_max(datafit.linear)
        ridge = alpha * (1 - l1_ratio) * np.eye(n_tasks) if l1_ratio < 1 else None
        found = solve(Problem(datafit, GroupL21(alpha * l1_ratio), ridge), **EXACT)
        peer = MultiTaskElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-13, max_iter=100_000)
        if l1_ratio == 1:
            peer = MultiTaskLasso(alpha=alpha, tol=1e-13, max_iter=100_000)
        peer.fit(X, data.labels)
        # both gaps are at most 1e-12 of the objective; the weights go as their root
        np.testing.assert_allclose(found.coef, peer.coef_, atol=1e-6)
        np.testing.assert_array_equal(found.coef.any(axis=0), peer.coef_.any(axis=0))


def test_whole_weights_equal_repeated_rows():
    X, data = make_data("complete", 40, 12, 3)
    times = np.random.default_rng(1).integers(0, 4, size=40)
    weights = np.repeat(times[:, None].astype(float), 3, axis=1)
    weighted = data.with_labels(data.labels, weights > 0, weights)
    peer = MultiTaskLasso(alpha=0.2, tol=1e-13, max_iter=100_000)
    peer.fit(np.repeat(X, times, axis=0), np.repeat(data.labels, times, axis=0))
    for datafit in both_datafits(X, weighted, np.ones(3)):
        found = solve(Problem(datafit, GroupL21(0.2)), **EXACT)
        np.testing.assert_allclose(found.coef, peer.coef_, atol=1e-6)  # as above


@pytest.mark.parametrize("kind", [GroupL21, L1])
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_one_task_equals_lasso(share, kind):
    X, data = make_data("complete", 50, 20, 1)
    for datafit in both_datafits(X, data, np.ones(1)):
        problem = make_problem(datafit, kind, share)
        peer = Lasso(alpha=problem.norm.alpha, tol=1e-13, max_iter=100_000)
        peer.fit(X, data.labels[:, 0])
        found = solve(problem, **EXACT)
        np.testing.assert_allclose(found.coef[0], peer.coef_, atol=1e-6)  # as above


# -- cvxpy ---------------------------------------------------------------------------------------


def random_case(seed):
    rng = np.random.default_rng(seed)
    n, p, n_tasks = SHAPES[seed % len(SHAPES)]
    kind = KINDS[seed % len(KINDS)]
    if kind == "own rows":
        n *= n_tasks
    X, data = make_data(kind, n, p, n_tasks, seed, correlation=rng.choice([0.0, 0.8]))
    if seed % 3 == 0 and p > 4:
        X[:, 1], X[:, 3] = X[:, 0], 5.0  # equal columns, a constant one: singular
    task_weight = np.ones(n_tasks) if seed % 2 else rng.uniform(0.1, 3.0, size=n_tasks)
    return X, data, task_weight, rng.choice([0.7, 0.2, 0.03])


def quadratic_terms(word, n_tasks):
    """Return a quadratic part as terms for the reference and as a matrix."""
    if word == "ridge":
        return [("ridge", 0.05)], 0.05 * np.eye(n_tasks)
    if word == "graph":
        edges = [(s, s + 1, 0.3) for s in range(n_tasks - 1)]
        matrix = 0.02 * np.eye(n_tasks)
        for s, t, weight in edges:
            ends = np.zeros(n_tasks)
            ends[s], ends[t] = 1.0, -1.0
            matrix += weight * np.outer(ends, ends)
        return [("graph", edges, 1.0), ("ridge", 0.02)], matrix
    return [], None


@pytest.mark.parametrize(
    ("word", "quadratic"),
    [("l21", "none"), ("l21", "ridge"), ("l1", "none"), ("l1", "graph")],
)
@pytest.mark.parametrize("seed", range(30))
def test_objective_and_gap_against_cvxpy(seed, word, quadratic):
    X, data, task_weight, share = random_case(seed)
    terms, matrix = quadratic_terms(quadratic, data.n_tasks)
    datafit = both_datafits(X, data, task_weight)[seed // 3 % 2]
    problem = make_problem(datafit, GroupL21 if word == "l21" else L1, share, matrix)
    found = solve(problem, tol=1e-9, max_iter=5000)
    assert found.converged
    parts, terms = parts_of(X, data), [(word, problem.norm.alpha), *terms]
    W, b = reference.minimise(parts, task_weight, terms)
    least = reference.objective(parts, task_weight, terms, W, b)
    for tol, solution in ((1e-9, found), (1e-2, solve(problem, tol=1e-2, max_iter=5000))):
        means = [
            part.weight @ (part.y - part.X @ w) / part.weight.sum()
            for part, w in zip(parts, solution.coef, strict=True)
        ]
        reached = reference.objective(parts, task_weight, terms, solution.coef, np.array(means))
        assert solution.objective == pytest.approx(reached, rel=1e-10)  # sums in another order
        assert reached <= least + max(1e-7 * least, tol * problem.scale)
        # CLARABEL's point is feasible, so it is above the minimum: no allowance for its error
        assert solution.gap >= reached - least


# -- properties ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GroupL21, L1])
@pytest.mark.parametrize("ridge", [None, 0.1])
@pytest.mark.parametrize("data_kind", KINDS)
@pytest.mark.parametrize(("n", "p", "n_tasks"), [(60, 20, 4), (30, 60, 3)])
def test_rows_and_gram_matrices_agree_to_the_last_tolerance(n, p, n_tasks, data_kind, ridge, kind):
    X, data = make_data(data_kind, n, p, n_tasks, correlation=0.5)
    matrix = None if ridge is None else ridge * np.eye(n_tasks)
    for share in (0.99, 0.2, 0.002):
        found = []
        for datafit in both_datafits(X, data, np.linspace(0.5, 2.0, n_tasks)):
            problem = make_problem(datafit, kind, share, matrix)
            found.append(solver_of(kind).solve(problem, None, **EXACT))
            assert found[-1].converged
        assert found[0].objective == pytest.approx(found[1].objective, rel=1e-10)  # 1e-12 a gap


@pytest.mark.parametrize("kind", [GroupL21, L1])
@pytest.mark.parametrize("data_kind", KINDS)
def test_alpha_max_is_where_weights_vanish(data_kind, kind):
    X, data = make_data(data_kind, 60, 10, 3)
    for datafit in both_datafits(X, data, np.array([1.0, 2.0, 0.5])):
        for share in (1.0, 1.5):
            assert not solve(make_problem(datafit, kind, share), tol=1e-10).coef.any()
        assert solve(make_problem(datafit, kind, 0.99), tol=1e-10).coef.any()


@pytest.mark.parametrize("kind", [GroupL21, L1])
def test_a_task_of_weight_zero_and_a_constant_feature_get_no_weights(kind):
    X, data = make_data("complete", 40, 10, 3)
    X[:, 4] = 7.0
    for datafit in both_datafits(X, data, np.array([1.0, 0.0, 1.0])):
        start = np.ones(datafit.shape)
        for begin in (None, start):
            found = solver_of(kind).solve(make_problem(datafit, kind, 0.1), begin, **EXACT)
            assert found.converged
            # the statistics of a constant column are 0 up to 1e-16
            np.testing.assert_allclose(found.coef[[1]], 0.0, atol=1e-12)
            np.testing.assert_array_equal(found.coef[:, 4], 0.0)


@pytest.mark.parametrize("kind", [GroupL21, L1])
@pytest.mark.parametrize("share", [0.1, 1e-3, 1e-5])
def test_hard_problems_do_not_stall(share, kind):
    # correlation 0.99, columns of scales 1e-3 to 1e3, equal columns, and fewer rows than features
    X, data = make_data("complete", 30, 50, 2, correlation=0.99)
    X = X * np.logspace(-3, 3, 50)
    X[:, 10:20] = X[:, :10]
    for datafit in both_datafits(X, data, np.ones(2)):
        found = solver_of(kind).solve(
            make_problem(datafit, kind, share), None, tol=1e-9, max_iter=300
        )
        assert found.converged


def test_warm_starts_take_fewer_steps_along_a_path():
    X, data = make_data("complete", 100, 60, 5, correlation=0.5)
    datafit = both_datafits(X, data, np.ones(5))[0]
    start, warm, cold = None, 0, 0
    for share in np.geomspace(0.5, 0.02, 12):
        problem = make_problem(datafit, GroupL21, share)
        found = solve(problem, start=start, tol=1e-8)
        warm, start = warm + found.n_iter, found.coef
        cold += solve(problem, tol=1e-8).n_iter
        assert found.converged
    assert warm < cold


def test_a_solution_as_start_takes_no_step():
    X, data = make_data("complete", 60, 20, 4)
    problem = make_problem(both_datafits(X, data, np.ones(4))[0], GroupL21, 0.1)
    found = solve(problem, tol=1e-9)
    again = solve(problem, start=found.coef, tol=1e-9)
    assert again.n_iter == 0
    np.testing.assert_allclose(again.coef, found.coef, atol=1e-4)


@pytest.mark.parametrize("kind", [GroupL21, L1])
def test_max_iter_is_kept_and_reported(kind):
    X, data = make_data("complete", 60, 40, 4, correlation=0.9)
    problem = make_problem(both_datafits(X, data, np.ones(4))[0], kind, 0.01)
    found = solver_of(kind).solve(problem, None, tol=1e-12, max_iter=2)
    assert found.n_iter == 2
    assert not found.converged
    assert found.gap == problem.certify(found.coef).gap


def test_few_steps_reach_what_first_order_methods_take_hundreds_for():
    X, data = make_data("complete", 200, 40, 5, correlation=0.9)
    datafit = both_datafits(X, data, np.ones(5))[0]
    problem = make_problem(datafit, GroupL21, 0.05)
    assert solve(problem, tol=1e-10).n_iter <= 12
    assert SOLVERS["fista"].solve(problem, None, tol=1e-10, max_iter=5000).n_iter > 50


def test_one_step_solves_uncorrelated_features():
    # 1 / ||v_j|| is linear in eta_j there; the second step only sees that nothing is left
    rng = np.random.default_rng(0)
    linear = rng.uniform(0.5, 2.0, size=(3, 6))
    datafit = GramQuadratic(
        np.diag(rng.uniform(1, 9, size=6))[None],
        np.zeros(3, int),
        linear,
        np.full(3, 99.0),
        np.ones(3),
    )
    problem = make_problem(datafit, GroupL21, 0.5)
    found = minimise(problem, None, goal=1e-12 * problem.scale, max_iter=10)
    assert found.converged
    assert found.n_iter == 1


# -- first steps ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [None, 0.1])
@pytest.mark.parametrize("task_weight", [1.0, 3.0])
def test_first_steps_reach_what_newton_reaches(task_weight, ridge):
    X, data = make_data("complete", 600, 60, 3)
    matrix = None if ridge is None else ridge * np.eye(3)
    weights = task_weight * np.array([1.0, 2.0, 1.0])
    problem = make_problem(both_datafits(X, data, weights)[0], GroupL21, 0.01, matrix)
    goal = 1e-7 * problem.scale
    found, n_iter = first_steps(problem, goal=goal)
    assert found is not None
    assert found.n_iter == n_iter <= MOST_STEPS
    assert found.gap == problem.certify(found.coef).gap <= goal
    exact = minimise(problem, None, goal=1e-13 * problem.scale, max_iter=50)
    assert found.objective - exact.objective <= found.gap
    # the loss is strongly convex: weights go as the root of the gap
    np.testing.assert_allclose(found.coef, exact.coef, atol=1e-3 * np.abs(exact.coef).max())
    assert solve(problem, tol=1e-7).n_iter == n_iter
    assert solve(problem, tol=1e-7, start=0.9 * found.coef).n_iter < 5  # Newton's from a start


def test_first_steps_give_up_early_where_features_are_correlated():
    X, data = make_data("complete", 600, 60, 3, correlation=0.95)
    problem = make_problem(both_datafits(X, data, np.ones(3))[0], GroupL21, 0.01)
    found, n_iter = first_steps(problem, goal=1e-6 * problem.scale)
    assert found is None
    assert 0 < n_iter <= 10
    solution = solve(problem, tol=1e-6)
    assert solution.converged
    alone = minimise(problem, None, goal=1e-6 * problem.scale, max_iter=50)
    assert solution.n_iter == n_iter + alone.n_iter  # the steps in vain count
    np.testing.assert_array_equal(solution.coef, alone.coef)


def test_first_steps_are_for_many_features_at_work():
    # what the docstring says was measured
    assert steps_pay(500, 500, 5)
    assert not steps_pay(20, 200, 100)
    assert steps_pay(1, 20, 3)  # whatever Newton's method costs at least


def test_rows_give_way_to_the_gram_matrix_where_most_features_are_at_work():
    X, data = make_data("complete", 200, 40, 3)
    rows = DesignQuadratic(X, data, np.array([1.0, 2.0, 0.0]))
    for share, gives_way in ((0.9, False), (0.001, True)):
        problem = make_problem(rows, GroupL21, share, 0.1 * np.eye(3))
        n_at_work = count_at_work(problem, None)
        other = on_gram_matrix(problem, n_at_work)
        assert isinstance(other.datafit, GramQuadratic) == gives_way
        W = np.random.default_rng(0).normal(size=rows.shape)
        # rounding of sums in another order
        assert other.certify(W).objective == pytest.approx(problem.certify(W).objective, rel=1e-12)
        assert other.certify(W).gap == pytest.approx(problem.certify(W).gap, rel=1e-12)
        assert count_at_work(problem, W) == 40  # all that are in count
    wide = DesignQuadratic(*make_data("complete", 30, 40, 3), np.ones(3))
    thin = DesignQuadratic(csr_array(X), data, np.ones(3))
    assert wide.on_gram_matrix() is None
    assert thin.on_gram_matrix() is None


# -- parts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_bounded_quadratic_programs_meet_their_bounds_and_lower_the_model(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(30, 20))
    system, target = root.T @ root + np.eye(20), rng.normal(size=20) * 10
    least = -rng.uniform(0, 0.3, size=20)

    def model(y):
        return 0.5 * y @ system @ y - target @ y

    by_factor = solve_bounded(system, target, least)
    by_steps = iterate_bounded(system.__matmul__, system.diagonal(), target, least)
    clipped = np.maximum(np.linalg.solve(system, target), least)
    for y in (by_factor, by_steps):
        assert (y >= least).all()
        assert model(y) < model(clipped)
    # conjugate gradients stop at 1e-2 of the residual, which the model sees squared
    assert model(by_steps) == pytest.approx(model(by_factor), rel=1e-2)


@pytest.mark.parametrize("name", ["group_newton", "taskwise_newton"])
def test_refusals_say_why(name):
    X, data = make_data("complete", 30, 5, 3)
    datafit = both_datafits(X, data, np.ones(3))[0]
    own, other = (GroupL21, L1) if name == "group_newton" else (L1, GroupL21)
    assert "the norm is not" in SOLVERS[name].refusal(Problem(datafit, other(0.1)))
    assert "ties tasks" in SOLVERS[name].refusal(Problem(datafit, own(0.1), np.ones((3, 3))))
    assert SOLVERS[name].refusal(Problem(datafit, own(0.1), np.eye(3))) is None
