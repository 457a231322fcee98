"""Every loss, sharing scheme and balancer keeps its contract: listing a new one tests it."""

import pytest
from _contracts import _balancer, _loss, _sharing

from sklearn_mtl import MultiTaskEstimator
from sklearn_mtl.neural_network.balancing import BALANCING
from sklearn_mtl.neural_network.sharing import SHARING


def assertions(module):
    return [value for name, value in sorted(vars(module).items()) if name.startswith("assert_")]


def names(value):
    return getattr(value, "__name__", str(value)).removeprefix("assert_")


@pytest.mark.parametrize("check", assertions(_loss), ids=names)
@pytest.mark.parametrize(("group", "loss"), list(_loss.cases()))
def test_losses(group, loss, check):
    check(loss, group)


@pytest.mark.parametrize("check", assertions(_sharing), ids=names)
@pytest.mark.parametrize("name", SHARING)
def test_sharing_schemes(name, check):
    check(SHARING[name])


@pytest.mark.parametrize("check", assertions(_balancer), ids=names)
@pytest.mark.parametrize("name", BALANCING)
def test_balancers(name, check):
    check(BALANCING[name])


@pytest.mark.parametrize(
    "choice",
    [*({"sharing": name} for name in SHARING), *({"balancing": name} for name in BALANCING)],
)
def test_every_name_is_an_option_of_the_estimators(choice):
    X = [[0.0], [1.0], [2.0], [3.0]]
    y = {"price": [1.0, None, 3.0, 4.0], "good": ["no", "no", None, "yes"]}
    model = MultiTaskEstimator(**choice, max_epochs=2, random_state=0).fit(X, y)
    assert list(model.predict(X)) == ["price", "good"]
