"""Solvers of classification and mixed losses, against cvxpy, scikit-learn and each other."""

import numpy as np
import pytest
from convex._classification_data import LAYOUTS, MIXED, make_case
from convex._references_convex import minimise, objective
from sklearn.linear_model import LogisticRegression

from sklearn_mtl.convex import (
    L1,
    GraphLaplacian,
    GroupL21,
    MeanRegularization,
    NuclearNorm,
    Ridge,
    make_problem,
    solve,
)
from sklearn_mtl.convex.solvers import SOLVERS, check_no_free_direction, choose

BINARY = ("binary", "binary", "binary")
SOFTMAX = ("multiclass", "multiclass")

SCENARIOS = {
    "binary, complete": {"kinds": BINARY},
    "binary, missing, weighted": {"kinds": BINARY, "layout": "missing", "weighted": True},
    "binary, own rows": {"kinds": BINARY, "layout": "own", "n": 12},
    "binary, n < p": {"kinds": BINARY, "n": 12, "p": 16},
    "binary, separable": {"kinds": BINARY, "separable": True},
    "binary, one task, one feature": {"kinds": ("binary",), "p": 1},
    "binary, no intercept": {"kinds": BINARY, "fit_intercept": False},
    "binary, features from 0.01 to 100": {"kinds": BINARY, "scales": np.logspace(-2, 2, 4)},
    "softmax, complete": {"kinds": SOFTMAX},
    "softmax, own rows, weighted": {"kinds": SOFTMAX, "layout": "own", "n": 14, "weighted": True},
    "softmax, n < p": {"kinds": ("multiclass",), "n": 10, "p": 12},
    "softmax, separable, four classes": {"kinds": SOFTMAX, "separable": True, "n_classes": 4},
    "mixed, complete": {"kinds": MIXED},
    "mixed, missing, weighted": {"kinds": MIXED, "layout": "missing", "weighted": True},
    "mixed, own rows, no intercept": {
        "kinds": MIXED,
        "layout": "own",
        "n": 14,
        "fit_intercept": False,
    },
}
NORMS = {"nuclear": NuclearNorm, "l21": GroupL21, "l1": L1}


def terms_of(name, case, scale):
    """Return a penalty and the same as the reference says it."""
    if name in NORMS:
        start = case.datafit().at(np.zeros((case.n_rows, case.X.shape[1]))).gradient
        alpha = scale * NORMS[name](1.0).alpha_max(start)
        return NORMS[name](alpha), [(name, alpha)]
    if name == "ridge":
        return Ridge(0.1 * scale), [("ridge", 0.1 * scale)]
    if name == "mean":
        return MeanRegularization(0.01, 0.3 * scale), [("mean", 0.01, 0.3 * scale)]
    edges = [(0, t, 1.0) for t in range(1, len(case.tasks)) if case.tasks[t] == case.tasks[0]]
    binary = [t for t, task in enumerate(case.tasks) if task.n_outputs == 1]
    softmax = [t for t, task in enumerate(case.tasks) if task.n_outputs > 1]
    edges = [(mine[0], t, 1.0 + t) for mine in (binary, softmax) for t in mine[1:]]
    named = [(case.tasks[s].name, case.tasks[t].name, weight) for s, t, weight in edges]
    if not named:
        return Ridge(0.02), [("ridge", 0.02)]
    graph = [("graph", edges, 0.2 * scale), ("ridge", 0.02)]
    if name == "graph":
        return GraphLaplacian(graph=named, gamma=0.2 * scale) + Ridge(0.02), graph
    smooth = GraphLaplacian(graph=named, gamma=0.2 * scale) + Ridge(0.02)
    return NuclearNorm(0.02) + smooth, [("nuclear", 0.02), *graph]


def problem_of(case, penalty):
    return make_problem(case.datafit(), penalty, case.rows)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
@pytest.mark.parametrize("name", ["nuclear", "l21", "l1", "ridge", "mean", "graph", "both"])
def test_the_objective_equals_that_of_a_cone_solver(name, scenario):
    case = make_case(3, **{"n": 30, **scenario})
    penalty, terms = terms_of(name, case, 0.1)
    problem = problem_of(case, penalty)
    found = solve(problem, tol=1e-9, max_iter=20_000)
    assert found.converged
    b = problem.datafit.intercept(found.coef)
    ours = objective(case.parts, case.task_weight, terms, found.coef, b)
    np.testing.assert_allclose(ours, found.objective, rtol=1e-12)  # rounding
    W, b = minimise(case.parts, case.task_weight, terms, fit_intercept=case.fit_intercept)
    theirs = objective(case.parts, case.task_weight, terms, W, b)
    # CLARABEL comes to about 1e-8 of the minimum on exponential cones, from above
    np.testing.assert_allclose(ours, theirs, rtol=1e-7)
    assert ours - theirs <= found.gap + 1e-12 * theirs


@pytest.mark.parametrize("name", ["nuclear", "l21", "l1", "ridge", "both"])
@pytest.mark.parametrize("kinds", [BINARY, SOFTMAX, MIXED], ids=["binary", "softmax", "mixed"])
def test_the_gap_bounds_the_suboptimality_at_any_point(name, kinds):
    case = make_case(5, kinds=kinds, weighted=True)
    problem = problem_of(case, terms_of(name, case, 0.2)[0])
    best = solve(problem, tol=1e-11, max_iter=20_000)
    assert best.converged
    rng = np.random.default_rng(0)
    for distance in (10.0, 1.0, 1e-2, 1e-4):
        W = best.coef + distance * rng.standard_normal(best.coef.shape)
        certificate = problem.certify(W)
        assert 0 < certificate.objective - best.objective <= certificate.gap
    assert problem.certify(best.coef).gap <= 1e-11 * problem.scale


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_ridge_equals_logistic_regression_for_each_task(kind, weighted, layout):
    alpha, n = 0.01, 25 if layout == "own" else 80
    case = make_case(1, n=n, kinds=(kind, kind), layout=layout, weighted=weighted)
    problem = problem_of(case, Ridge(alpha))
    found = solve(problem, tol=1e-15)
    intercept = problem.datafit.intercept(found.coef)
    for t, part in enumerate(case.parts):
        # C * sum_i d_i loss_i + ||w||^2 / 2
        C = case.task_weight[t] / (alpha * part.weight.sum())
        peer = LogisticRegression(C=C, tol=1e-10, max_iter=10_000, solver="newton-cg")
        peer.fit(part.X, part.y, sample_weight=part.weight)
        rows = case.rows.of_task(t)
        np.testing.assert_allclose(found.coef[rows], peer.coef_, atol=1e-6)
        np.testing.assert_allclose(intercept[rows], peer.intercept_, atol=1e-6)


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("kinds", [BINARY, SOFTMAX, MIXED], ids=["binary", "softmax", "mixed"])
def test_weights_are_zero_from_alpha_max_on(name, kinds):
    case = make_case(2, kinds=kinds)
    for factor in (1.0001, 0.99):
        penalty, _ = terms_of(name, case, factor)
        found = solve(problem_of(case, penalty), tol=1e-9)
        assert found.converged
        assert (factor > 1) == (not found.coef.any())


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("kinds", [BINARY, SOFTMAX, MIXED], ids=["binary", "softmax", "mixed"])
def test_proximal_newton_agrees_with_proximal_gradient(name, kinds):
    case = make_case(4, kinds=kinds, weighted=True, layout="missing", n=60)
    problem = problem_of(case, terms_of(name, case, 0.05)[0] + Ridge(0.01))
    newton, gradient = (
        solve(problem, solver=solver, tol=1e-12, max_iter=20_000)
        for solver in ("prox_newton", "fista")
    )
    assert newton.converged
    assert gradient.converged
    # strongly convex: ||W - W*||^2 <= 2 gap / 0.01
    np.testing.assert_allclose(newton.coef, gradient.coef, atol=2e-4)
    np.testing.assert_allclose(newton.objective, gradient.objective, rtol=2e-12)
    assert newton.n_iter < 20 < gradient.n_iter


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("kinds", [BINARY, SOFTMAX], ids=["binary", "softmax"])
def test_features_of_any_scale_take_few_newton_steps(name, kinds):
    case = make_case(6, n=100, p=7, kinds=kinds, scales=np.logspace(-3, 3, 7))
    problem = problem_of(case, terms_of(name, case, 0.01)[0])
    found = solve(problem, tol=1e-8)
    assert found.converged
    assert found.n_iter < 40
    smooth = solve(problem_of(case, Ridge(1e-6)), tol=1e-10)
    assert smooth.converged
    assert smooth.n_iter < 15


@pytest.mark.parametrize("kinds", [BINARY, SOFTMAX, MIXED], ids=["binary", "softmax", "mixed"])
@pytest.mark.parametrize(
    "penalty", [Ridge(1e-8), NuclearNorm(1e-5), GroupL21(1e-5), L1(1e-5)], ids=str
)
def test_separable_classes_converge(kinds, penalty):
    case = make_case(8, n=60, kinds=kinds, separable=True)
    found = solve(problem_of(case, penalty), tol=1e-6)
    assert found.converged
    assert found.n_iter < 60


@pytest.mark.parametrize("kinds", [BINARY, SOFTMAX], ids=["binary", "softmax"])
@pytest.mark.parametrize("penalty", [Ridge(1e-4), NuclearNorm(1e-3)], ids=str)
def test_a_class_of_one_row_among_thousands_converges(kinds, penalty):
    case = make_case(9, n=3000, kinds=kinds)
    case.data.labels[:, 0] = 0.0
    case.data.labels[:2, 0] = [1.0, len(case.tasks[0].classes) - 1.0]
    found = solve(problem_of(case, penalty), tol=1e-9)
    assert found.converged
    assert found.n_iter < 40


def test_newton_converges_quadratically():
    case = make_case(10, n=200, p=5, kinds=MIXED, weighted=True)
    problem = problem_of(case, MeanRegularization(0.001, 0.01))
    counts = [solve(problem, tol=10.0**-digits).n_iter for digits in (4, 8, 14)]
    assert counts[-1] <= counts[0] + 4


def test_newton_takes_fewest_steps_from_the_solution():
    case = make_case(10, kinds=MIXED)
    for penalty in (Ridge(0.01), NuclearNorm(0.02)):
        problem = problem_of(case, penalty)
        found = solve(problem, tol=1e-8)
        assert found.n_iter > 0
        assert solve(problem, start=found.coef, tol=1e-8).n_iter == 0


@pytest.mark.parametrize("kinds", [BINARY, SOFTMAX], ids=["binary", "softmax"])
def test_newton_finds_back_from_a_start_where_all_is_saturated(kinds):
    # the Hessian is nearly 0 there: a whole Newton step goes many times too far
    case = make_case(10, kinds=kinds)
    problem = problem_of(case, Ridge(1e-4))
    best = solve(problem, tol=1e-10)
    start = 30.0 * np.random.default_rng(1).standard_normal(best.coef.shape)
    found = solve(problem, start=start, tol=1e-10, max_iter=60)
    assert found.converged
    np.testing.assert_allclose(found.objective, best.objective, rtol=1e-9)


@pytest.mark.parametrize("penalty", [Ridge(1e-3), NuclearNorm(0.01)], ids=str)
def test_too_few_iterations_are_reported_with_a_true_gap(penalty):
    case = make_case(11, kinds=MIXED, weighted=True)
    problem = problem_of(case, penalty)
    early, late = (solve(problem, tol=1e-9, max_iter=count) for count in (1, 1000))
    assert not early.converged
    assert early.n_iter == 1
    assert 0 < early.objective - late.objective <= early.gap


def test_auto_takes_newton_where_it_pays():
    few = make_case(0, kinds=BINARY)
    assert choose(problem_of(few, Ridge(0.1)), "auto") is SOLVERS["newton_cg"]
    assert choose(problem_of(few, NuclearNorm(0.1)), "auto") is SOLVERS["prox_newton"]
    assert (
        choose(problem_of(make_case(0, kinds=SOFTMAX), L1(0.1)), "auto") is SOLVERS["prox_newton"]
    )
    wide = make_case(0, p=301, kinds=BINARY)
    assert choose(problem_of(wide, L1(0.1)), "auto") is SOLVERS["active_features"]
    assert choose(problem_of(wide, NuclearNorm(0.1)), "auto") is SOLVERS["fista"]
    many = make_case(0, p=251, n_classes=4, kinds=SOFTMAX)
    assert choose(problem_of(many, NuclearNorm(0.1)), "auto") is SOLVERS["fista"]


@pytest.mark.parametrize("norm", [GroupL21, L1])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("share", [0.5, 0.02])
def test_rounds_over_features_in_use_reach_the_same_minimum(norm, layout, share):
    kinds = ("binary", "multiclass", "regression")
    case = make_case(13, n=40, p=130, kinds=kinds, layout=layout, weighted=True)
    start = case.datafit().at(np.zeros((case.n_rows, 130))).gradient
    penalty = norm(share * norm(1.0).alpha_max(start)) + Ridge(1e-3)
    problem = problem_of(case, penalty)
    assert choose(problem, "auto") is SOLVERS["active_features"]
    rounds, whole = (
        solve(problem, solver=solver, tol=1e-9, max_iter=20_000)
        for solver in ("active_features", "fista")
    )
    assert rounds.converged
    assert whole.converged
    np.testing.assert_allclose(rounds.objective, whole.objective, rtol=2e-9)
    used = rounds.coef.any(axis=0).sum()
    assert 0 < used < 130
    # the gap counts the features that were left out
    certificate = problem.certify(rounds.coef)
    np.testing.assert_allclose(certificate.gap, rounds.gap, rtol=1e-5)  # the last of 16 digits
    again = solve(problem, solver="active_features", start=rounds.coef, tol=1e-9)
    assert again.n_iter == 0


def test_rounds_over_features_stop_where_iterations_end():
    case = make_case(13, p=130, kinds=BINARY)
    found = solve(problem_of(case, L1(1e-3)), solver="active_features", tol=1e-12, max_iter=2)
    assert not found.converged
    assert found.n_iter == 2


def test_newton_says_what_it_cannot_solve():
    case = make_case(0, kinds=BINARY)
    with pytest.raises(ValueError, match="norm, which is not smooth"):
        choose(problem_of(case, NuclearNorm(0.1)), "newton_cg")
    with pytest.raises(ValueError, match="leaves directions of the weights free"):
        choose(problem_of(case, Ridge(0.0)), "newton_cg")
    with pytest.raises(ValueError, match="4 features are dealt with at once"):
        choose(problem_of(case, L1(0.1)), "active_features")
    with pytest.raises(ValueError, match="no norm that leaves features out"):
        choose(problem_of(case, NuclearNorm(0.1)), "active_features")
    with pytest.raises(ValueError, match="there is no norm"):
        choose(problem_of(case, Ridge(0.1)), "prox_newton")


def test_a_task_without_labels_follows_the_tasks_it_is_tied_to():
    case = make_case(12, kinds=MIXED)
    case.data.observed[:, 3] = False  # binary, tied to the other binary and the regression task
    graph = GraphLaplacian(graph=[("task0", "task3"), ("task0", "task2")], gamma=0.5) + Ridge(0.01)
    for penalty in (graph, graph + NuclearNorm(1e-4)):
        found = solve(problem_of(case, penalty), tol=1e-10)
        assert found.converged
        # gamma (w_3 - w_0) + alpha w_3 = 0
        if penalty is graph:
            np.testing.assert_allclose(found.coef[-1], found.coef[0] * 0.5 / 0.51, atol=1e-4)
        assert np.linalg.norm(found.coef[-1]) > 0.5 * np.linalg.norm(found.coef[0])


def test_free_directions_are_named():
    case = make_case(0, kinds=("binary", "binary", "multiclass", "regression"))
    edges = [("task0", "task1")]
    with pytest.raises(ValueError, match=r"all weights of every task.*Add Ridge"):
        check_no_free_direction(problem_of(case, Ridge(0.0)), case.rows)
    tied = make_case(0, kinds=BINARY)
    graph = GraphLaplacian(graph=[*edges, ("task1", "task2")], gamma=1.0)
    with pytest.raises(
        ValueError, match=r"that the tasks 'task0', 'task1', 'task2' have in common"
    ):
        check_no_free_direction(problem_of(tied, graph), tied.rows, owner="GraphClassifier")
    with pytest.raises(ValueError, match=r"^The penalty of GraphClassifier leaves"):
        check_no_free_direction(problem_of(tied, graph), tied.rows, owner="GraphClassifier")
    alone = GraphLaplacian(graph=[("task1", "task2")], gamma=1.0)
    with pytest.raises(ValueError, match=r"weights of task 'task0' free"):
        check_no_free_direction(problem_of(tied, alone), tied.rows)
    shared = MeanRegularization(alpha_shared=0.0, alpha_specific=1.0)
    with pytest.raises(ValueError, match=r"'task0', 'task1', 'task2' have in common"):
        check_no_free_direction(problem_of(tied, shared), tied.rows)


def test_what_is_not_free_is_not_refused():
    case = make_case(0, kinds=BINARY)
    for penalty in (
        Ridge(1e-8),
        NuclearNorm(0.1),
        GraphLaplacian(graph="complete", gamma=1e3) + Ridge(1e-6),
        GraphLaplacian(graph="complete", gamma=1.0) + L1(0.1),
        MeanRegularization(1e-6, 1.0),
    ):
        check_no_free_direction(problem_of(case, penalty), case.rows)
