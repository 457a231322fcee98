"""Gradient balancing through the estimators: layouts, schemes, state, and the record of cosines."""

import pickle

import numpy as np
import pytest
import torch
import torchjd.aggregation as torchjd
from _plain import PLAIN
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_mtl import MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.neural_network import MGDA, Balancing, CAGrad, GradVac, NashMTL, PCGrad
from sklearn_mtl.neural_network.balancing import BALANCING, GradientBalancing
from sklearn_mtl.neural_network.sharing import SHARING

WORDS = [word for word, kind in BALANCING.items() if issubclass(kind, GradientBalancing)]
SMALL = {
    **PLAIN, "hidden_layer_sizes": (6,), "dropout": 0.0, "max_epochs": 2, "batch_size": 10,
    "early_stopping": False, "random_state": 0,
}  # fmt: skip


def mixed_tasks(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    values = X @ rng.normal(size=(3, 3)) + 0.3 * rng.normal(size=(n, 3))
    y = {
        "price": values[:, 0].astype(object),
        "good": np.where(values[:, 1] > 0, "yes", "no").astype(object),
        "stars": np.digitize(values[:, 2], [-0.5, 0.5]).astype(object),
    }
    for column in y.values():
        column[rng.choice(n, n // 4, replace=False)] = None
    return X, y


def own_X(X, y):
    rows = {name: np.array([label is not None for label in column]) for name, column in y.items()}
    return {name: X[rows[name]] for name in y}, {name: y[name][rows[name]] for name in y}


def long_form(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=(n, 3)), np.arange(n) % 3])
    return X, X[:, :3] @ [1.0, 2.0, -1.0] + X[:, 3]


def weights(model):
    """Return all weights of a fitted network as one vector."""
    return np.concatenate(
        [p.detach().numpy().ravel() for p in model.net_.module_.state_dict().values()]
    )


@pytest.mark.parametrize("word", WORDS)
def test_every_word_fits_every_layout(word):
    X, y = mixed_tasks()
    for rows, labels in ((X, y), own_X(X, y)):
        model = MultiTaskEstimator(**SMALL, balancing=word, dtype="float64").fit(rows, labels)
        assert all(np.isfinite(losses).all() for losses in model.history_["train"].values())
        assert set(model.predict(rows)) == set(y)
        recorded = np.array(list(model.history_["weight"].values()))
        if word != "graddrop":
            assert np.isfinite(recorded).all()
    X, y = long_form()
    model = MultiTaskRegressor(**SMALL, balancing=word, task_feature=3).fit(X, y)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("gradients", ["auto", "exact"])
@pytest.mark.parametrize("layout", ["shared rows", "own X"])
@pytest.mark.parametrize("scheme", SHARING)
def test_the_sum_of_the_gradients_is_the_plain_step_in_every_scheme(scheme, layout, gradients):
    X, y = mixed_tasks() if layout == "shared rows" else own_X(*mixed_tasks())
    plain = MultiTaskEstimator(**SMALL, sharing=scheme, optimizer="sgd", dtype="float64", lr=0.1)

    class SumOfGradients(GradientBalancing):
        def _method(self, nn, n_tasks):
            return torchjd.Sum()

    summed = clone(plain).set_params(balancing=SumOfGradients(gradients=gradients)).fit(X, y)
    # float64 sums in another order
    np.testing.assert_allclose(weights(summed), weights(plain.fit(X, y)), rtol=1e-8, atol=1e-11)


def test_gradients_are_compared_where_the_parameter_says():
    X, y = mixed_tasks()
    exact, there, auto = (
        weights(MultiTaskEstimator(**SMALL, balancing=MGDA(gradients=where)).fit(X, y))
        for where in ("exact", "representation", "auto")
    )
    np.testing.assert_array_equal(there, auto)
    assert not np.allclose(exact, there)


def test_a_scheme_or_layout_without_a_common_representation_is_named():
    X, y = long_form()
    model = MultiTaskRegressor(**SMALL, balancing=MGDA(gradients="representation"), task_feature=3)
    with pytest.raises(ValueError, match=r"each row has one task \(own X or long form\) has none"):
        model.fit(X, y)
    X, y = mixed_tasks()
    model = MultiTaskEstimator(**SMALL, balancing=MGDA(gradients="representation"))
    with pytest.raises(ValueError, match=r"sharing=PLE\(\) has none; set gradients='exact'"):
        model.set_params(sharing="ple").fit(X, y)


@pytest.mark.parametrize(
    "balancing",
    [GradVac(), NashMTL(update_weights_every=3), torchjd.GradVac(), torchjd.PCGrad()],
    ids=["GradVac", "NashMTL", "torchjd's GradVac", "torchjd's PCGrad"],
)
def test_training_goes_on_after_pickling_as_it_would_have(balancing):
    X, y = mixed_tasks()
    y = {name: column for name, column in y.items() if name != "stars"}
    model = MultiTaskEstimator(**SMALL, balancing=balancing, warm_start=True, dtype="float64")
    model.fit(X, y)
    other = pickle.loads(pickle.dumps(model))
    for one in (model, other):
        one.partial_fit(X, y)
        one.fit(X, y)
    np.testing.assert_array_equal(weights(model), weights(other))


def test_any_aggregator_of_torchjds_is_taken_and_left_as_it_was():
    X, y = mixed_tasks()
    given = torchjd.GradVac()
    first = MultiTaskEstimator(**SMALL, balancing=given).fit(X, y)
    assert given.gramian_weighting._phi_t is None
    second = MultiTaskEstimator(**SMALL, balancing=given).fit(X, y)
    np.testing.assert_array_equal(weights(first), weights(second))
    assert np.isfinite(np.array(list(first.history_["weight"].values()))).all()


@pytest.mark.parametrize("gradients", ["common", "parameters"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torchjd.Mean(), [1 / 3, 1 / 3, 1 / 3]),
        (torchjd.Sum(), [1.0, 1.0, 1.0]),
        (torchjd.Constant(torch.tensor([0.5, 2.0, 0.25])), [0.5, 2.0, 0.25]),
    ],
    ids=str,
)
def test_the_weights_of_a_weighted_aggregator_are_recorded_times_those_of_the_tasks(
    given, expected, gradients
):
    X = np.random.default_rng(0).normal(size=(40, 3))
    sharing = "hard" if gradients == "common" else "cross_stitch"
    task_weight = np.array([1.0, 3.0, 0.5])
    model = MultiTaskRegressor(
        **SMALL, balancing=given, sharing=sharing, task_weight=task_weight
    ).fit(X, X @ [[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    recorded = np.array(list(model.history_["weight"].values()))
    # float32 weights
    np.testing.assert_allclose(recorded, np.outer(expected * task_weight, [1, 1]), rtol=1e-6)


def test_random_weights_are_recorded_and_change():
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = MultiTaskRegressor(**SMALL, balancing=torchjd.Random()).fit(X, X)
    recorded = np.array(list(model.history_["weight"].values()))
    # float32 weights, which a softmax makes
    np.testing.assert_allclose(recorded.sum(axis=0), 1.0, rtol=1e-6)
    assert len(np.unique(recorded)) == recorded.size


class Doubled(torchjd.Mean):
    """Does more than its weights say."""

    def forward(self, matrix):
        return 2 * super().forward(matrix)


@pytest.mark.parametrize("given", [torchjd.TrimmedMean(0), Doubled()], ids=str)
def test_an_aggregator_that_is_more_than_its_weights_records_none(given):
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = MultiTaskRegressor(**SMALL, balancing=given).fit(X, X)
    assert np.isnan(np.array(list(model.history_["weight"].values()))).all()


class BuildsFour(Balancing):
    """A method whose `build` makes no balancer."""

    def build(self, task_weight):
        return 4


def test_a_method_that_builds_no_balancer_is_named():
    X = np.random.default_rng(0).normal(size=(40, 3))
    message = (
        r"build of balancing=BuildsFour\(\) must return a sklearn_mtl\.nn\.Balancer; .* an int"
    )
    with pytest.raises(TypeError, match=message):
        MultiTaskRegressor(**SMALL, balancing=BuildsFour()).fit(X, X)


def test_grids_reach_inside():
    X = np.random.default_rng(0).normal(size=(30, 2))
    y = X @ [[1.0, 2.0], [0.5, -1.0]]
    grid = {"balancing__c": [0.1, 0.9], "balancing__gradients": ["exact", "representation"]}
    model = MultiTaskRegressor(**SMALL, balancing=CAGrad())
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert set(search.best_params_) == set(grid)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores)) > 1  # the parameters count


@pytest.mark.parametrize(
    "balancing",
    [CAGrad(c=-1.0), NashMTL(max_norm=-1.0), GradVac(beta=2.0), PCGrad(gradients="some")],
)
def test_parameters_out_of_range_are_refused(balancing):
    X, y = mixed_tasks()
    with pytest.raises(ValueError, match=r"parameter of \w+ must be"):
        MultiTaskEstimator(**SMALL, balancing=balancing).fit(X, y)


@pytest.mark.parametrize("scheme", ["hard", "cross_stitch"])
def test_history_has_the_cosines_between_the_gradients(scheme):
    X, y = mixed_tasks()
    params = {**SMALL, "max_epochs": 3, "sharing": scheme, "dtype": "float64"}
    plain = MultiTaskEstimator(**params).fit(X, y)
    assert "gradient_cosine" not in plain.history_
    model = MultiTaskEstimator(**params, gradient_cosines=True).fit(X, y)
    np.testing.assert_array_equal(weights(plain), weights(model))  # it only looks
    cosines = model.history_["gradient_cosine"]
    assert cosines.shape == (3, 3, 3)
    if scheme == "hard":
        assert np.isnan(cosines[0]).all()  # heads start at zero
    later = cosines[1:]
    np.testing.assert_allclose(later, later.transpose(0, 2, 1))
    np.testing.assert_allclose(np.diagonal(later, axis1=1, axis2=2), 1.0)
    assert np.abs(later).max() <= 1 + 1e-12  # rounding
    model.set_params(gradient_cosines=False).partial_fit(X, y)
    assert np.isnan(model.history_["gradient_cosine"][3]).all()


def test_a_task_without_a_label_in_the_batch_has_no_cosine():
    X, y = mixed_tasks()
    model = MultiTaskEstimator(**{**SMALL, "batch_size": 40}, gradient_cosines=True).fit(X, y)
    y = {**y, "good": np.full(40, None)}
    cosines = model.partial_fit(X, y).history_["gradient_cosine"][-1]
    assert np.isnan(cosines[1]).all()
    assert np.isnan(cosines[:, 1]).all()
    assert np.isfinite(cosines[[0, 0, 2], [0, 2, 2]]).all()


def test_conflicting_tasks_take_a_common_descent():
    # two tasks of opposite sign in the first feature, alike in the second
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = np.column_stack([X @ [1.0, 1.0], 30 * X @ [-1.0, 1.0]])
    params = {**SMALL, "max_epochs": 8, "target_scaling": None, "lr": 1e-2}
    for word in ("mgda", "upgrad", "nash_mtl", "cagrad"):
        losses = MultiTaskRegressor(**params, balancing=word).fit(X, y).history_["train"]
        for name, loss in losses.items():
            assert loss[-1] < loss[0], (word, name)


def test_the_global_random_state_is_left_alone():
    X, y = mixed_tasks()
    before = torch.get_rng_state()
    MultiTaskEstimator(**SMALL, balancing="pcgrad").fit(X, y)
    assert torch.equal(torch.get_rng_state(), before)
