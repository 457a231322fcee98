"""Every penalty and every solver keeps its contract: listing a new one tests it."""

import pytest
from _contracts import _penalty, _solver

from sklearn_mtl import MultiTaskLinearRegressor
from sklearn_mtl.convex import NormPenalty, QuadraticPenalty
from sklearn_mtl.convex.penalties import PENALTIES
from sklearn_mtl.convex.solvers import SOLVERS
from sklearn_mtl.convex.solvers._auto import PREFERENCE

NORMS = {name: kind for name, kind in PENALTIES.items() if issubclass(kind, NormPenalty)}
QUADRATIC = {name: kind for name, kind in PENALTIES.items() if issubclass(kind, QuadraticPenalty)}


def assertions(module, prefix):
    return [value for name, value in sorted(vars(module).items()) if name.startswith(prefix)]


def names(value):
    return getattr(value, "__name__", str(value)).split("assert_")[-1]


@pytest.mark.parametrize("check", assertions(_penalty, "assert_"), ids=names)
@pytest.mark.parametrize("name", PENALTIES)
def test_penalties(name, check):
    check(PENALTIES[name])


@pytest.mark.parametrize("check", assertions(_penalty, "norm_assert_"), ids=names)
@pytest.mark.parametrize("name", NORMS)
def test_norms(name, check):
    check(NORMS[name])


@pytest.mark.parametrize("check", assertions(_penalty, "quadratic_assert_"), ids=names)
@pytest.mark.parametrize("name", QUADRATIC)
def test_quadratic_penalties(name, check):
    check(QUADRATIC[name])


SOLVER_CHECKS = [check for check in assertions(_solver, "assert_") if "auto" not in names(check)]


@pytest.mark.parametrize("check", SOLVER_CHECKS, ids=names)
@pytest.mark.parametrize("name", SOLVERS)
def test_solvers(name, check):
    check(name)


@pytest.mark.parametrize(("loss", "penalty"), _solver.EVERY)
def test_auto_solves_every_problem(loss, penalty):
    _solver.assert_auto_takes_what_does_not_refuse(loss, penalty)


def test_auto_knows_every_solver_and_ends_with_one_that_takes_whatever_has_a_prox():
    assert sorted(PREFERENCE) == sorted(SOLVERS)
    smooth = _solver.cases("relationship_newton")
    assert _solver.cases(PREFERENCE[-1]) == [case for case in _solver.EVERY if case not in smooth]


@pytest.mark.parametrize("name", PENALTIES)
def test_every_name_is_an_option_of_the_estimators(name):
    X, y = [[0.0], [1.0], [2.0], [4.0]], {"a": [0.0, 1.0, 2.0, 5.0], "b": [1.0, 0.0, 3.0, 2.0]}
    model = MultiTaskLinearRegressor(name).fit(X, y)
    expected = MultiTaskLinearRegressor(PENALTIES[name]()).fit(X, y)
    assert (model.coef_ == expected.coef_).all()
    assert list(model.predict(X)) == ["a", "b"]
