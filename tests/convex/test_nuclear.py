import numpy as np
import pytest
from convex import _references_nuclear as reference

from sklearn_mtl.convex import GroupL21, NuclearNorm, Problem, solve
from sklearn_mtl.convex.datafits import Datafit, Point
from sklearn_mtl.convex.solvers import SOLVERS, Fista, choose
from sklearn_mtl.convex.solvers import _low_rank_newton as module
from sklearn_mtl.convex.solvers._factor_model import FactorModel, FactorPoint
from sklearn_mtl.convex.solvers._low_rank_alternating import AlternatingDirections
from sklearn_mtl.convex.solvers._low_rank_steps import LowRankQuadratic

NEWTON = SOLVERS["low_rank_newton"]
SHAPES = [(1, 1), (1, 7), (6, 1), (5, 9), (20, 12), (30, 40), (90, 70), (70, 200)]

# -- the norm ------------------------------------------------------------------------------------


def low_rank_plus_noise(shape, seed=0, noise=0.01):
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(shape[0], 3)) @ rng.normal(size=(3, shape[1]))
    return W + noise * rng.normal(size=shape)


@pytest.mark.parametrize("share", [1e-6, 1e-3, 0.05, 0.5, 1.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_prox_thresholds_the_singular_values(shape, share):
    W = low_rank_plus_noise(shape)
    left, sizes, right = np.linalg.svd(W, full_matrices=False)
    threshold = share * sizes[0]
    expected = (left * np.maximum(sizes - threshold, 0)) @ right
    found = NuclearNorm(2.0).prox(W, threshold / 2.0)
    # squares of W are used down to 1e-4 of its norm, where they leave 1e-16 / 1e-4
    np.testing.assert_allclose(found, expected, atol=2e-12 * sizes[0])


@pytest.mark.parametrize("shape", SHAPES)
def test_prox_factors_are_orthonormal_and_positive(shape):
    W = low_rank_plus_noise(shape)
    left, sizes, right = NuclearNorm(1.0).prox_factors(W, 0.01 * np.linalg.norm(W, 2))
    assert (sizes > 0).all()
    np.testing.assert_allclose(left.T @ left, np.eye(len(sizes)), atol=1e-10)
    np.testing.assert_allclose(right @ right.T, np.eye(len(sizes)), atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_prox_step_is_in_the_subdifferential(shape):
    W = low_rank_plus_noise(shape, noise=0.3)
    norm, step = NuclearNorm(1.0), 0.1 * np.linalg.norm(W, 2)
    P = norm.prox(W, step)
    assert norm.subdiff_distance(P, (P - W) / step) < 1e-10


@pytest.mark.parametrize("factor", [1.0, 1e-200, 1e200])
@pytest.mark.parametrize("shape", SHAPES)
def test_dual_norm_is_the_largest_singular_value(shape, factor):
    V = low_rank_plus_noise(shape)
    expected = factor * np.linalg.norm(V, 2)
    assert NuclearNorm(1.0).dual_norm(factor * V) == pytest.approx(expected, rel=1e-13)


def test_dual_norm_of_zero_is_zero():
    assert NuclearNorm(1.0).dual_norm(np.zeros((3, 4))) == 0.0


# -- the problem in factors ----------------------------------------------------------------------


def factor_model(kind, ties, seed=0):
    rng = np.random.default_rng(seed)
    p = 5
    group = {
        "shared": np.zeros(6, int),
        "groups": np.array([1, 0, 2, 1, 0, 0]),
        "own": np.array([3, 1, 0, 2, 5, 4]),
    }[kind]
    weight = np.ones(6) if ties == "equal" else rng.uniform(0.2, 2.0, size=6)
    datafit = reference.quadratic(rng, group, p, n=4, weight=weight)
    root = rng.normal(size=(6, 6))
    matrix = {"equal": np.full(6, 0.3), "diagonal": rng.uniform(size=6), "full": root @ root.T}
    return FactorModel(datafit, matrix[ties], 0.4), rng.normal(size=(p, 2)), rng


@pytest.mark.parametrize("ties", ["equal", "diagonal", "full"])
@pytest.mark.parametrize("kind", ["shared", "groups", "own"])
def test_factor_derivatives_are_those_of_finite_differences(kind, ties):
    model, V, rng = factor_model(kind, ties)
    D, h = rng.normal(size=V.shape), 1e-5
    here = FactorPoint(model, V)
    ahead, behind = FactorPoint(model, V + h * D), FactorPoint(model, V - h * D)
    # central differences are good to h^2, and to 1e-16 / h in rounding
    slope = (ahead.value - behind.value) / (2 * h)
    assert np.vdot(here.gradient, D) == pytest.approx(slope, rel=1e-6, abs=1e-8)
    change = (ahead.gradient - behind.gradient) / (2 * h)
    np.testing.assert_allclose(here.hessian_product(D), change, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(
        here.hessian() @ D.ravel(), here.hessian_product(D).ravel(), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("ties", ["equal", "diagonal", "full"])
@pytest.mark.parametrize("kind", ["shared", "groups", "own"])
def test_factor_value_bounds_the_objective_and_balancing_attains_it(kind, ties):
    model, V, _ = factor_model(kind, ties)
    matrix = model.matrix if ties == "full" else np.diag(model.matrix)
    problem = Problem(model.datafit, NuclearNorm(model.alpha), matrix)

    def objective(point):
        return problem.certify(point.U @ point.V.T).objective

    point = FactorPoint(model, V)
    balanced = point.balanced()
    assert point.value > objective(point) > 0
    assert balanced.value <= point.value
    for _ in range(500):
        balanced = balanced.balanced()
    assert balanced.value == pytest.approx(objective(balanced), rel=1e-9)


# -- the solver ----------------------------------------------------------------------------------

CASES = [
    (name, seed) for seed, name in enumerate(list(reference.CONDITIONS) * 3, start=1)
]  # 12 conditions, three draws of each


@pytest.mark.parametrize(("condition", "seed"), CASES)
def test_objective_is_the_minimum_that_cvxpy_finds(condition, seed):
    parts, weight, terms, problem = reference.draw(condition, seed)
    solution = solve(problem, solver="low_rank_newton", tol=1e-9)
    theirs = reference.minimum(parts, weight, terms, problem)
    assert solution.converged
    assert abs(solution.objective - theirs) <= 1e-7 * problem.scale
    # their point is feasible, so it is no lower than the bound
    assert solution.objective - solution.gap <= theirs + 1e-13 * problem.scale
    assert reference.value(parts, weight, terms, solution.coef) == pytest.approx(
        solution.objective, rel=1e-9, abs=1e-12 * problem.scale
    )


@pytest.mark.parametrize("max_iter", [0, 1, 2, 4, 7])
@pytest.mark.parametrize("condition", ["own rows", "shared rows", "graph on own rows"])
def test_gap_bounds_the_suboptimality_of_an_early_stop(condition, max_iter):
    parts, weight, terms, problem = reference.draw(condition, 5)
    early = solve(problem, solver="low_rank_newton", tol=1e-12, max_iter=max_iter)
    best = solve(problem, solver="low_rank_newton", tol=1e-12)
    assert early.n_iter <= max_iter
    assert early.objective - early.gap <= best.objective + 1e-13 * problem.scale
    assert early.converged == (early.gap <= 1e-12 * problem.scale)


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("kind", ["shared", "groups", "own"])
def test_agrees_with_accelerated_gradient_at_any_tolerance(kind, tol):
    problem = reference.wide_problem(kind)
    ours = solve(problem, solver="low_rank_newton", tol=tol)
    assert ours.converged
    theirs = Fista().solve(problem, None, tol=1e-11, max_iter=20_000)
    assert theirs.converged
    assert abs(ours.objective - theirs.objective) <= (tol + 1e-11) * problem.scale


@pytest.mark.parametrize("kind", ["shared", "groups", "own"])
def test_rank_is_exact(kind):
    problem = reference.wide_problem(kind)
    sizes = np.linalg.svd(solve(problem, solver="low_rank_newton", tol=1e-9).coef, compute_uv=False)
    rank = int((sizes > 1e-6 * sizes[0]).sum())
    assert 1 < rank < 6
    assert sizes[rank:].max() < 1e-14 * sizes[0]
    assert np.linalg.matrix_rank(np.diag(sizes)) == rank


@pytest.mark.parametrize("kind", ["shared", "groups", "own"])
def test_weights_are_zero_from_alpha_max_on(kind):
    datafit = reference.wide_problem(kind).datafit
    largest = NuclearNorm().alpha_max(-datafit.linear)
    above = solve(Problem(datafit, NuclearNorm(largest * (1 + 1e-12))), tol=1e-9)
    assert not above.coef.any()
    assert above.n_iter == 0
    assert solve(Problem(datafit, NuclearNorm(0.99 * largest)), tol=1e-9).coef.any()


@pytest.mark.parametrize("kind", ["shared", "groups", "own"])
def test_a_start_at_the_solution_ends_at_once(kind):
    problem = reference.wide_problem(kind)
    cold = solve(problem, solver="low_rank_newton", tol=1e-9)
    assert solve(problem, solver="low_rank_newton", start=cold.coef, tol=1e-8).n_iter == 0
    wrong = np.random.default_rng(0).normal(size=cold.coef.shape)
    moved = solve(problem, solver="low_rank_newton", start=wrong, tol=1e-9)
    assert moved.converged
    assert abs(moved.objective - cold.objective) <= 2e-9 * problem.scale


CHAIN = 2.0 * np.eye(20) - np.eye(20, k=1) - np.eye(20, k=-1)


@pytest.mark.parametrize("matrix", [None, 0.01 * np.eye(20), 0.01 * CHAIN])
def test_ill_conditioned_tasks_need_few_steps(matrix):
    problem = reference.ill_conditioned_problem(matrix)
    ours = solve(problem, solver="low_rank_newton", tol=1e-9, max_iter=150)
    assert ours.converged
    theirs = Fista().solve(problem, None, tol=1e-9, max_iter=150)
    assert theirs.gap > 1e3 * ours.gap


@pytest.mark.parametrize("share", [0.003, 0.001])
@pytest.mark.parametrize(
    ("matrix", "weighted"), [(None, False), (None, True), (0.01 * CHAIN, True)]
)
def test_one_ill_conditioned_gram_matrix_needs_few_steps(matrix, weighted, share):
    problem = reference.ill_conditioned_shared_problem(share, matrix, weighted=weighted)
    ours = solve(problem, solver="low_rank_newton", tol=1e-9, max_iter=300)
    assert ours.converged
    theirs = Fista().solve(problem, None, tol=1e-9, max_iter=300)
    assert theirs.gap > 1e6 * ours.gap


@pytest.mark.parametrize("share", [0.001, 0.0001])
def test_tasks_tied_to_their_mean_need_few_steps_at_ranks_beyond_newton_steps(share):
    rng, n_tasks = np.random.default_rng(2), 110
    datafit = reference.quadratic(rng, np.arange(n_tasks), 25, n=30, weight=np.ones(n_tasks))
    spread = 10.0 ** rng.uniform(-1.0, 1.0, size=25)
    datafit.gram *= spread[:, None] * spread
    datafit.linear *= spread
    alpha = share * np.linalg.norm(datafit.linear, 2)
    mean = 0.1 * (np.eye(n_tasks) - 1.0 / n_tasks)
    problem = Problem(datafit, NuclearNorm(alpha), mean)
    ours = solve(problem, solver="low_rank_newton", tol=1e-6, max_iter=100)
    assert ours.converged
    assert not FactorModel(datafit, mean, alpha).is_small(np.linalg.matrix_rank(ours.coef))
    theirs = Fista().solve(problem, None, tol=1e-6, max_iter=100)
    assert theirs.gap > 1e2 * ours.gap


def alternating_problem(kind):
    """Return 24 tasks of 30 features, and whether A ties them."""
    group, _, tie = kind.partition(" ")
    problem = reference.wide_problem(group)
    T = problem.datafit.shape[0]
    matrix = {
        "": 0.01 * np.eye(T),
        "tied to the mean": 0.1 * (np.eye(T) - 1.0 / T),
        "some tied": 0.1 * np.pad(np.eye(9) - 1.0 / 9, (0, T - 9)),
        "tied in a ring": 0.1
        * (2 * np.eye(T) - np.roll(np.eye(T), 1, 0) - np.roll(np.eye(T), -1, 0)),
    }[tie]
    if tie == "tied in a ring":
        datafit = problem.datafit
        datafit.task_weight = np.linspace(0.5, 2.0, T)
        datafit.linear = datafit.task_weight[:, None] * datafit.linear
        datafit.energy = float(datafit.task_weight @ datafit.task_energy)
    return Problem(problem.datafit, problem.norm, matrix)


ALTERNATING = [
    "shared",
    "groups",
    "own",
    "own tied to the mean",
    "groups some tied",
    "shared tied in a ring",
]


@pytest.mark.parametrize("kind", ALTERNATING)
def test_alternating_directions_alone_converge(kind):
    problem = alternating_problem(kind)
    quadratic = LowRankQuadratic(problem.datafit, problem.matrix, problem.norm)
    assert AlternatingDirections.suits(quadratic)
    enough = 1e-9 * problem.scale
    end, n_iter = AlternatingDirections(quadratic).run(
        quadratic.zero(), enough=enough, n_steps=300, check_every=5
    )
    assert n_iter < 300
    assert problem.certify(end.coef).gap <= 1.01 * enough  # but for rounding of another sum


def test_alternating_directions_leave_graphs_on_own_rows_to_accelerated_steps():
    datafit, norm = reference.wide_problem("own").datafit, NuclearNorm(1.0)
    chain = 2.0 * np.eye(24) - np.eye(24, k=1) - np.eye(24, k=-1)
    assert not AlternatingDirections.suits(LowRankQuadratic(datafit, chain, norm))


@pytest.mark.parametrize("kind", ALTERNATING)
def test_alternating_directions_go_on_where_they_left_off(kind):
    problem = alternating_problem(kind)
    quadratic = LowRankQuadratic(problem.datafit, problem.matrix, problem.norm)
    once, twice = AlternatingDirections(quadratic), AlternatingDirections(quadratic)
    steps = {"enough": 0.0, "check_every": 5}
    whole, _ = once.run(quadratic.zero(), n_steps=40, **steps)
    half, _ = twice.run(quadratic.zero(), n_steps=15, **steps)
    other, _ = twice.run(half, n_steps=25, **steps)
    np.testing.assert_array_equal(whole.coef, other.coef)


def test_alternating_directions_are_kept_while_they_gain():
    problem = reference.wide_problem("shared")
    quadratic = LowRankQuadratic(problem.datafit, None, problem.norm)
    search = module._Search(quadratic, None)
    search._newton_fits = lambda: False
    search.run(1e-12 * problem.scale, 1000)
    assert search.best.gap <= 1e-12 * problem.scale
    assert search.alternates
    assert search.patience == module.ALTERNATING


def test_a_start_that_is_good_enough_decomposes_nothing():
    datafit = reference.wide_problem("shared").datafit
    problem = Problem(datafit, NuclearNorm(1.01 * NuclearNorm().alpha_max(datafit.linear)))
    assert solve(problem, solver="low_rank_newton").converged
    assert not datafit.matrices.is_decomposed


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_more_iterations_never_end_with_a_larger_gap(kind):
    problem = reference.wide_problem(kind)
    start = 10.0 * np.random.default_rng(0).normal(size=problem.datafit.shape)
    gaps = [
        solve(problem, solver="low_rank_newton", start=start, tol=0.0, max_iter=k).gap
        for k in range(0, 40, 3)
    ]
    assert (np.diff(gaps) <= 1e-14 * problem.scale).all()


@pytest.mark.parametrize("broken", ["newton", "alternating"])
@pytest.mark.parametrize("kind", ["shared", "own"])
def test_converges_where_a_method_does_not_pay(kind, broken, monkeypatch):
    problem = reference.wide_problem(kind)
    if broken == "newton":
        monkeypatch.setattr(
            module, "minimise_factors", lambda model, V, **_: (FactorPoint(model, 0.5 * V), 1)
        )
    else:
        monkeypatch.setattr(
            AlternatingDirections, "run", lambda self, current, *, n_steps, **_: (current, n_steps)
        )
    solution = solve(problem, solver="low_rank_newton", tol=1e-9, max_iter=5000)
    assert solution.converged


def test_tasks_of_no_weight_and_features_that_are_constant_have_no_weights():
    rng = np.random.default_rng(0)
    datafit = reference.quadratic(
        rng, np.array([0, 1, 1, 2]), 4, n=6, weight=np.array([1.0, 0.0, 2.0, 0.5]), constant=2
    )
    W = solve(Problem(datafit, NuclearNorm(0.01)), tol=1e-9).coef
    np.testing.assert_allclose(W[1], 0.0, atol=1e-14)
    np.testing.assert_allclose(W[:, 2], 0.0, atol=1e-14)
    assert W[[0, 2, 3]].any(axis=1).all()


def test_a_loss_of_zero_has_zero_weights():
    datafit = reference.quadratic(
        np.random.default_rng(0), np.zeros(3, int), 4, n=6, weight=np.zeros(3)
    )
    for matrix in (None, np.eye(3)):
        solution = solve(Problem(datafit, NuclearNorm(0.1), matrix), tol=1e-9)
        assert solution.converged
        assert not solution.coef.any()


class OtherLoss(Datafit):
    shape = (2, 3)

    def at(self, W):
        return Point(0.0, np.zeros(self.shape), lambda kappa: 0.0)

    def lipschitz(self):
        return 1.0


def test_auto_takes_it_for_squared_losses_with_a_nuclear_norm_alone():
    problem = reference.wide_problem("own")
    assert choose(problem, "auto") is NEWTON
    assert "nuclear" in NEWTON.refusal(Problem(problem.datafit, GroupL21(0.1)))
    assert "nuclear" in NEWTON.refusal(Problem(problem.datafit))
    assert "Gram" in NEWTON.refusal(Problem(OtherLoss(), NuclearNorm(0.1)))
