"""What every entry of convex.solvers.SOLVERS must be, and the problems it is asked to solve."""

from functools import cache

import numpy as np
import pytest
from convex._references_covariance import minimise_smooth

from sklearn_mtl.convex import (
    L1,
    GramStats,
    GraphLaplacian,
    GroupL21,
    MeanRegularization,
    NuclearNorm,
    Ridge,
    TaskRelationship,
    coef_rows,
    make_problem,
)
from sklearn_mtl.convex.datafits import DesignQuadratic, classification_datafit
from sklearn_mtl.convex.solvers import SOLVERS, Solver, choose, solve
from sklearn_mtl.tasks import infer_layout

TOL = 1e-9
MOST = 50_000  # iterations, of the slowest method on the worst of these problems

PENALTIES = {
    "nuclear": NuclearNorm(0.05),
    "nuclear and ridge": NuclearNorm(0.05) + Ridge(0.02),
    "nuclear and graph": NuclearNorm(0.03) + GraphLaplacian("complete", 0.1),
    "l21": GroupL21(0.05),
    "l21 and ridge": GroupL21(0.05) + Ridge(0.02),
    "l21 and mean": GroupL21(0.05) + MeanRegularization(0.01, 0.1),
    "l1": L1(0.05),
    "l1 and graph": L1(0.03) + GraphLaplacian("complete", 0.1),
    "ridge": Ridge(0.05),
    "graph": GraphLaplacian("complete", 0.2) + Ridge(0.01),
    "mean": MeanRegularization(0.01, 0.1),
    "relationship": TaskRelationship(0.02) + Ridge(0.01),
    "relationship and prior": TaskRelationship(0.02, None, 0.3) + Ridge(0.01),
}


def _numbers(rng, n=24, p=4, missing=0.0):
    X = rng.normal(size=(n, p)) @ np.diag(np.geomspace(1.0, 0.2, p))
    Y = X @ rng.normal(size=(p, 3)) + 0.5 * rng.normal(size=(n, 3)) + 1.0
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def _squares(X, y, weight, *, design=False):
    layout = infer_layout(X, y, family="regression")
    data = layout.encode(X, y)
    rows = np.concatenate(list(X.values())) if isinstance(X, dict) else X
    weight = np.asarray(weight, dtype=float)
    if design:
        return DesignQuadratic(rows, data, weight), coef_rows(layout.tasks)
    return GramStats.from_data(rows, data).datafit(weight), coef_rows(layout.tasks)


def _classes(X, y, family):
    layout = infer_layout(X, y, family=family)
    datafit = classification_datafit(
        X, layout.encode(X, y), layout.tasks, np.ones(layout.n_tasks), fit_intercept=True
    )
    return datafit, coef_rows(layout.tasks)


def shared(rng):
    return _squares(*_numbers(rng), [1.0, 1.0, 1.0])


def weighted(rng):
    return _squares(*_numbers(rng), [0.3, 1.0, 4.0])


def missing(rng):
    return _squares(*_numbers(rng, missing=0.3), [1.0, 1.0, 1.0])


def own_rows(rng):
    X, y = {}, {}
    for name, n in (("u", 8), ("v", 15), ("w", 20)):
        X[name], Y = _numbers(rng, n)
        y[name] = Y[:, 0]
    return _squares(X, y, [1.0, 2.0, 1.0])


def wide(rng):
    return _squares(*_numbers(rng, n=8, p=12), [1.0, 1.0, 1.0])


def design(rng):
    return _squares(*_numbers(rng, n=10, p=14), [1.0, 1.0, 1.0], design=True)


def design_missing(rng):
    return _squares(*_numbers(rng, n=12, p=14, missing=0.3), [1.0, 2.0, 1.0], design=True)


def tiny_unit(rng):
    X, Y = _numbers(rng)
    return _squares(1e-3 * X, 1e-3 * Y, [1.0, 1.0, 1.0])


def binary(rng):
    X, Y = _numbers(rng, n=30)
    return _classes(X, {t: Y[:, t] > np.median(Y[:, t]) for t in range(3)}, "classification")


def softmax(rng):
    X, Y = _numbers(rng, n=30)
    levels = np.argsort(np.argsort(Y, axis=0), axis=0) * 3 // 30
    y = {t: levels[:, t].astype(str) for t in range(2)} | {2: levels[:, 2] > 0}
    return _classes(X, y, "classification")


def many_features(rng):
    X, Y = _numbers(rng, n=40, p=130)
    return _classes(X, {t: Y[:, t] > np.median(Y[:, t]) for t in range(3)}, "classification")


def mixed(rng):
    X, Y = _numbers(rng, n=30)
    return _classes(X, {"a": Y[:, 0], "b": Y[:, 1] > 1.0, "c": Y[:, 2]}, "mixed")


DATA = [
    shared,
    weighted,
    missing,
    own_rows,
    wide,
    design,
    design_missing,
    tiny_unit,
    binary,
    softmax,
    mixed,
]
LOSSES = {make.__name__: make for make in DATA}
# a third of all pairs: each loss meets several penalties, each penalty several losses
EVERY = [
    *(
        (loss, penalty)
        for i, loss in enumerate(LOSSES)
        for j, penalty in enumerate(PENALTIES)
        if (i + j) % 3 == 0
    ),
    *(("many_features", penalty) for penalty in ("l21", "l21 and ridge", "l1")),
]
LOSSES["many_features"] = many_features


def make_case(loss, penalty):
    """Return the problem of a loss and a penalty, and what the slow reference finds.

    The problem is a fresh one: losses may remember where intercepts were last.
    """
    return _make_problem(loss, penalty), _reference(loss, penalty)


def _make_problem(loss, penalty):
    datafit, rows = LOSSES[loss](np.random.default_rng(0))
    return make_problem(datafit, _in_unit_of(datafit, PENALTIES[penalty]), rows)


@cache
def _reference(loss, penalty):
    problem, fista = _make_problem(loss, penalty), SOLVERS["fista"]
    if fista.refusal(problem) is not None:
        return minimise_smooth(problem)
    found = fista.solve(problem, None, tol=1e-11, max_iter=MOST)
    assert found.converged
    return found


def _in_unit_of(datafit, penalty):
    """Scale a penalty to data in another unit, so that neither loss nor penalty rules."""
    slope = np.abs(datafit.at(np.zeros(datafit.shape)).gradient).max()
    return penalty.scaled(slope) if slope < 1e-3 else penalty


def cases(name):
    """Return the problems that the solver of that name does not refuse."""
    return [case for case in EVERY if SOLVERS[name].refusal(_make_problem(*case)) is None]


def assert_is_a_solver_of_some_problem(name):
    assert isinstance(SOLVERS[name], Solver)
    assert type(SOLVERS[name]).__doc__
    assert cases(name)


def assert_a_refusal_says_why(name):
    taken = cases(name)
    for case in EVERY:
        if case in taken:
            continue
        problem = _make_problem(*case)
        reason = SOLVERS[name].refusal(problem)
        assert isinstance(reason, str)
        assert reason
        with pytest.raises(ValueError, match=f"solver='{name}' of Me cannot solve") as caught:
            choose(problem, name, owner="Me")
        assert reason in str(caught.value)
        assert "'auto'" in str(caught.value)


def assert_it_agrees_with_the_reference_and_its_gap_is_true(name):
    for case in cases(name):
        problem, reference = make_case(*case)
        for tol in (1e-2, 1e-4, TOL):
            found = SOLVERS[name].solve(problem, None, tol=tol, max_iter=MOST)
            assert found.converged, case
            assert found.gap <= tol * problem.scale, case
            assert found.coef.shape == problem.datafit.shape
            value = problem.certify(found.coef).objective
            assert found.objective == pytest.approx(value, rel=1e-10), case
            # each gap bounds how far its own objective lies above the minimum
            rounding = 1e-13 * problem.scale
            assert found.objective - reference.objective <= found.gap + rounding, case
            assert reference.objective - found.objective <= reference.gap + rounding, case


def assert_tighter_tolerances_bring_weights_together(name):
    for case in cases(name):
        problem, reference = make_case(*case)
        found = SOLVERS[name].solve(problem, None, tol=1e-11, max_iter=MOST)
        assert found.converged, case
        # all these problems are strongly convex at the minimum, with a modulus of 1e-3 or more of
        # the largest curvature, but where W is free; predictions then agree, and the gradient
        at = problem.datafit.at(found.coef).gradient - problem.datafit.at(reference.coef).gradient
        slope = np.abs(problem.datafit.at(np.zeros(found.coef.shape)).gradient).max()
        assert np.abs(at).max() <= 1e-4 * slope, case


def assert_max_iter_is_respected_and_the_gap_is_true_all_the_same(name):
    for case in cases(name):
        problem, reference = make_case(*case)
        for most in (1, 2):
            found = SOLVERS[name].solve(problem, None, tol=1e-13, max_iter=most)
            assert found.n_iter <= most, case
            assert found.converged == (found.gap <= 1e-13 * problem.scale), case
            rounding = 1e-13 * problem.scale
            assert found.objective - reference.objective <= found.gap + rounding, case
            assert np.isfinite(found.coef).all(), case


def assert_the_optimum_is_left_at_once_and_as_it_was(name):
    for case in cases(name):
        problem = _make_problem(*case)
        found = SOLVERS[name].solve(problem, None, tol=1e-8, max_iter=MOST)
        start = found.coef.copy()
        again = SOLVERS[name].solve(problem, start, tol=1e-7, max_iter=MOST)
        assert np.array_equal(start, found.coef), case  # the caller's array
        assert again.n_iter <= 1, case
        assert again.converged, case
        assert abs(again.objective - found.objective) <= 2e-7 * problem.scale, case


def assert_any_start_leads_to_the_minimum(name):
    rng = np.random.default_rng(0)
    for case in cases(name):
        problem, reference = make_case(*case)
        size = 10 * np.abs(reference.coef).max()
        for start in (size * rng.normal(size=problem.datafit.shape), -reference.coef):
            found = SOLVERS[name].solve(problem, start, tol=1e-8, max_iter=MOST)
            assert found.converged, case
            assert abs(found.objective - reference.objective) <= 2e-8 * problem.scale, case


def assert_nothing_is_remembered_that_harms_the_next_solve(name):
    rng = np.random.default_rng(0)
    for case in cases(name):
        problem, reference = make_case(*case)
        far = 1e3 * rng.normal(size=problem.datafit.shape)
        SOLVERS[name].solve(problem, far, tol=1e-8, max_iter=1)
        found = SOLVERS[name].solve(problem, None, tol=1e-8, max_iter=MOST)
        assert found.converged, case
        assert abs(found.objective - reference.objective) <= 2e-8 * problem.scale, case


def assert_two_runs_are_the_same(name):
    for case in cases(name)[::5]:
        problem, _ = make_case(*case)
        one, other = (SOLVERS[name].solve(problem, None, tol=1e-6, max_iter=MOST) for _ in range(2))
        # kernels may add in another order where memory is aligned otherwise
        np.testing.assert_allclose(one.coef, other.coef, rtol=1e-9, atol=1e-11)
        assert one.n_iter == other.n_iter, case


def assert_a_problem_solved_at_zero_takes_no_step(name):
    for case in cases(name):
        problem = _make_problem(*case)
        found = SOLVERS[name].solve(problem, None, tol=2.0, max_iter=MOST)
        assert found.converged, case
        assert found.n_iter <= 1, case


def assert_auto_takes_what_does_not_refuse(loss, penalty):
    problem, reference = make_case(loss, penalty)
    method = choose(problem, "auto")
    assert method.refusal(problem) is None
    found = solve(problem, tol=TOL, max_iter=MOST)
    assert found.converged
    assert abs(found.objective - reference.objective) <= 2 * TOL * problem.scale
