"""Every sharing scheme inside the estimators: containers, missing labels, kinds, searches."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from _plain import PLAIN
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from torch import nn

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.neural_network import (
    CGC,
    PLE,
    Cascade,
    CrossStitch,
    HardSharing,
    MMoE,
    SeparateNetworks,
    Sharing,
    SoftSharing,
)
from sklearn_mtl.neural_network.sharing import SHARING
from sklearn_mtl.nn.sharing._build import build_scheme
from sklearn_mtl.nn.trunks import TrunkFactory
from sklearn_mtl.tasks import TaskSpec
from sklearn_mtl.tasks._spec import REGRESSION

SMALL = {"hidden_layer_sizes": (6, 4), "max_epochs": 3, "random_state": 0}
FULL = {
    **PLAIN, **SMALL, "activation": "tanh", "dropout": 0.0, "dtype": "float64",
    "batch_size": 10_000, "early_stopping": False,
}  # fmt: skip
VARIANTS = [
    *SHARING,
    SeparateNetworks("equal_total"),
    SoftSharing("trace_norm"),
    PLE(3, 2, 3),
    Cascade({"task1": ["task0"]}, reads="representation"),
]


def make_data(n=40, n_tasks=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, X @ rng.normal(size=(4, n_tasks)) + 0.1 * rng.normal(size=(n, n_tasks)), rng


def mixed_labels(Y):
    return pd.DataFrame(
        {
            "task0": np.where(np.arange(len(Y)) % 5 == 0, np.nan, Y[:, 0]),
            "task1": pd.array(np.where(Y[:, 1] > 0, "yes", "no"), dtype="string"),
            "task2": np.digitize(Y[:, 2], [-0.5, 0.5]),
        }
    )


@pytest.mark.parametrize("sharing", VARIANTS, ids=str)
def test_tasks_of_all_kinds_with_missing_labels_are_learned(sharing):
    X, Y, _ = make_data(n=120)
    y = mixed_labels(Y)
    y.loc[3:20, "task1"] = pd.NA
    model = MultiTaskEstimator(
        **PLAIN, sharing=sharing, hidden_layer_sizes=(16,), lr=1e-2, max_epochs=40, random_state=0
    ).fit(X, y)
    predicted = model.predict(X)
    assert list(predicted.columns) == list(y.columns)
    assert model.score(X, y) > 0.7  # linear in the inputs; means and frequencies have below 0.35
    assert all(np.isfinite(block).all() for block in model.history_["train"].values())


@pytest.mark.parametrize("sharing", VARIANTS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_unlabelled_row_of_one_task_changes_nothing_for_it(sharing, dtype):
    X, Y, _ = make_data()
    Y[:10] = np.nan
    model = MultiTaskRegressor(**{**FULL, "dtype": dtype}, sharing=sharing)
    with_rows, without = clone(model).fit(X, Y), clone(model).fit(X[10:], Y[10:])
    np.testing.assert_allclose(
        # sums over the same rows, three steps of the training precision
        with_rows.predict(X),
        without.predict(X),
        rtol=1e-9 if dtype == "float64" else 1e-4,
        atol=1e-9 if dtype == "float64" else 1e-5,
    )


@pytest.mark.parametrize("sharing", VARIANTS, ids=str)
def test_long_form_and_own_rows_are_one_training(sharing):
    X, Y, _ = make_data(n=30)
    names = [f"task{t}" for t in range(3)]
    tags = np.repeat(names, 10)
    rows = pd.DataFrame(X, columns=list("abcd")).assign(school=tags)
    y = Y[:, 0] + np.repeat([0.0, 1.0, 2.0], 10)
    stacked = MultiTaskRegressor(**FULL, sharing=sharing, task_feature="school").fit(rows, y)
    own = MultiTaskRegressor(**FULL, sharing=sharing).fit(
        {name: X[tags == name] for name in names}, {name: y[tags == name] for name in names}
    )
    predicted = own.predict({name: X[tags == name] for name in names})
    together = stacked.predict(rows)
    for name in names:
        # the same rows in the same batch
        np.testing.assert_allclose(predicted[name], together[tags == name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sharing", [name for name in SHARING if name != "cascade"])
def test_full_batches_in_long_form_are_the_same_training_as_labels_that_miss(sharing):
    X, Y, _ = make_data(n=30)
    task = np.arange(30) % 3
    holes = np.where(task[:, None] == np.arange(3), Y, np.nan)
    wide = MultiTaskRegressor(**{**FULL, "input_scaling": None}, sharing=sharing).fit(X, holes)
    stacked = np.column_stack([X, task])
    long = MultiTaskRegressor(
        **{**FULL, "input_scaling": None}, sharing=sharing, task_feature=-1
    ).fit(stacked, Y[np.arange(30), task])
    # the same sums in another order; rows of one task alone go through its networks
    np.testing.assert_allclose(
        long.predict(stacked), wide.predict(X)[np.arange(30), task], rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize("sharing", ["hard", "mmoe", Cascade({})], ids=str)
def test_the_order_of_tasks_is_the_order_of_predictions(sharing):
    X, Y, _ = make_data(n_tasks=4)
    order = [2, 0, 3, 1]
    model = MultiTaskRegressor(**FULL, sharing=sharing).fit(X, Y)
    permuted = MultiTaskRegressor(**FULL, sharing=sharing).fit(X, Y[:, order])
    # the sums over tasks in another order
    np.testing.assert_allclose(permuted.predict(X), model.predict(X)[:, order], atol=1e-9)


def test_a_dependency_acts_whatever_the_order_of_tasks():
    X, Y, _ = make_data()
    names, order = ["a", "b", "c"], ["c", "a", "b"]
    y = pd.DataFrame(Y, columns=names)
    sharing = Cascade({"b": ["c"], "a": ["c"]})
    predicted = [
        MultiTaskRegressor(**{**FULL, "max_epochs": 1}, sharing=sharing).fit(X, y[list(columns)])
        for columns in (names, order)
    ]
    reading = [model.net_.module_.sharing.towers[0].columns.tolist() for model in predicted]
    assert reading[0] == reading[1] == [1]
    assert [model.net_.module_.sharing.bare for model in predicted] == [[2], [0]]


def make_backbone():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU()),
        nn.Sequential(nn.Flatten(), nn.Linear(32, 5), nn.Tanh()),
    )


@pytest.mark.parametrize("sharing", VARIANTS, ids=str)
def test_images_go_through_a_backbone_of_the_users(sharing):
    if isinstance(sharing, SeparateNetworks):
        sharing = SeparateNetworks()  # a module keeps its widths
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 1, 4, 4))
    Y = X.mean((1, 2, 3))[:, None] * [1.0, -1.0, 2.0]
    Y[rng.random(Y.shape) < 0.2] = np.nan
    params = {"module": make_backbone, "sharing": sharing, "max_epochs": 2, "random_state": 0}
    model = MultiTaskRegressor(**params).fit(X, Y)
    assert model.predict(X).shape == (30, 3)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


# -- in scikit-learn ------------------------------------------------------------------------------


@pytest.mark.parametrize("sharing", VARIANTS, ids=str)
def test_a_model_travels_and_goes_on(sharing):
    X, Y, _ = make_data()
    model = MultiTaskRegressor(**SMALL, sharing=sharing, warm_start=True).fit(X, Y)
    expected = model.predict(X)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(other.predict(X), expected)
    twin = pickle.loads(pickle.dumps(model))
    model.fit(X, Y)
    twin.fit(X, Y)
    assert model.n_iter_ == 6
    # the second training continues from the same weights and moments
    assert np.array_equal(model.predict(X), twin.predict(X))
    assert not np.array_equal(model.predict(X), expected)
    model.partial_fit(X, Y)
    assert model.n_iter_ == 7


def test_a_search_reaches_the_parameters_of_a_scheme():
    X, Y, _ = make_data()
    model = MultiTaskRegressor(**{**FULL, "max_epochs": 1}, sharing=MMoE())
    grid = {"sharing__n_experts": [1, 3]}
    search = GridSearchCV(model, grid, cv=KFold(2)).fit(X, Y)
    experts = search.best_params_["sharing__n_experts"]
    gates = search.best_estimator_.net_.module_.sharing.gates
    assert gates.weight.shape == (3, experts, 4)
    assert model.sharing.n_experts == 4
    grid = {"sharing": ["hard", CGC(1, 1), Cascade(detach=True)]}
    assert len(GridSearchCV(model, grid, cv=KFold(2)).fit(X, Y).cv_results_["params"]) == 3


def test_a_fit_leaves_the_callers_object_alone():
    X, Y, _ = make_data()
    sharing = MMoE(n_experts=2)
    model = MultiTaskRegressor(**FULL, sharing=sharing).fit(X, Y)
    assert model.sharing is sharing
    model.set_params(sharing__n_experts=3, warm_start=True)
    with pytest.raises(ValueError, match=r"sharing is now .* start anew"):
        model.fit(X, Y)
    model.set_params(warm_start=False).fit(X, Y)
    assert model.net_.module_.sharing.gates.weight.shape[1] == 3


# -- penalties reach the training -----------------------------------------------------------------


def penalised(model):
    """Return what the penalty is a multiple of."""
    sharing = model.net_.module_.sharing
    layers = [stage[0] for stage in sharing.trunks.stages]
    return sum(float(sharing.distance(W.detach())) for layer in layers for W in layer.parameters())


@pytest.mark.parametrize("balancing", ["equal", "uncertainty", "dwa"])
@pytest.mark.parametrize("penalty", ["l2", "trace_norm"])
def test_a_penalty_draws_networks_together_whatever_the_balancing(penalty, balancing):
    X, Y, _ = make_data()
    params = {**FULL, "max_epochs": 60, "lr": 1e-2, "weight_decay": 0.0, "balancing": balancing}
    free, tied = (
        MultiTaskRegressor(**params, sharing=SoftSharing(penalty, strength)).fit(X, Y)
        for strength in (0.0, 1.0)
    )
    assert penalised(tied) < 0.7 * penalised(free)


def test_no_penalty_is_separate_networks():
    X, Y, _ = make_data()
    soft, apart = (
        MultiTaskRegressor(**FULL, sharing=sharing).fit(X, Y)
        for sharing in (SoftSharing(strength=0.0), SeparateNetworks())
    )
    assert np.array_equal(soft.predict(X), apart.predict(X))


def test_separate_networks_do_not_see_the_labels_of_others():
    X, Y, _ = make_data()
    params = {**FULL, "sharing": "separate", "max_epochs": 20}
    before = MultiTaskRegressor(**params).fit(X, Y).predict(X)
    Y[:, 1] = Y[::-1, 1]
    after = MultiTaskRegressor(**params).fit(X, Y).predict(X)
    # batched products of the same numbers
    np.testing.assert_allclose(after[:, [0, 2]], before[:, [0, 2]], rtol=1e-10)
    assert not np.allclose(after[:, 1], before[:, 1], rtol=1e-2)


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [MultiTaskRegressor, MultiTaskClassifier, MultiTaskEstimator])
def test_an_unknown_word_is_told_the_nearest(network):
    with pytest.raises(ValueError, match=r"'sharing' parameter of .*did you mean 'mmoe'"):
        network(sharing="mmoee").fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize(
    ("sharing", "name"),
    [
        *((MMoE(n), "n_experts") for n in (0, -1, 2.5, "four", None)),
        *((PLE(n_shared_experts=n), "n_shared_experts") for n in (0, 1.0)),
        (PLE(n_specific_experts=-1), "n_specific_experts"),
        (PLE(n_levels=0), "n_levels"),
        (CGC(n_shared_experts=0), "n_shared_experts"),
        (SoftSharing(penalty="l1"), "penalty"),
        (SoftSharing(strength=-0.1), "strength"),
        (SeparateNetworks(0.0), "width_scale"),
        (SeparateNetworks("equal"), "width_scale"),
        (CrossStitch(1.5), "own_weight"),
        (Cascade(reads="label"), "reads"),
        (Cascade(width=0), "width"),
        (Cascade(depends_on=["a"]), "depends_on"),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_named(sharing, name):
    X, Y, _ = make_data()
    match = f"'sharing' parameter .* '{name}' parameter of {type(sharing).__name__} must be"
    with pytest.raises(ValueError, match=match):
        MultiTaskRegressor(**SMALL, sharing=sharing).fit(X, Y)


@pytest.mark.parametrize(
    ("depends_on", "message"),
    [
        ({"a": ["b"], "b": ["a"]}, r"cycle, .*: (a -> b -> a|b -> a -> b); drop"),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, r"cycle, .*: \w -> \w -> \w -> \w; drop"),
        ({"a": ["a"]}, r"depends_on\['a'\] names 'a' itself"),
        ({"a": ["bb"]}, r"depends_on\['a'\] names 'bb', .*did you mean 'b'"),
        ({"aa": ["b"]}, "depends_on names 'aa', .*did you mean 'a'"),
        ({"a": "b"}, r"depends_on\['a'\] must be a list of task names, found 'b'; write \['b'\]"),
        ({"a": None}, r"depends_on\['a'\] .*, found None; write \[\], or leave the task out"),
        ({"a": 3}, r"depends_on\['a'\] must be a list of task names, found 3"),
    ],
)
def test_a_dependency_that_cannot_be_is_named(depends_on, message):
    X, Y, _ = make_data()
    y = pd.DataFrame(Y, columns=list("abc"))
    with pytest.raises(ValueError, match=message):
        MultiTaskRegressor(**SMALL, sharing=Cascade(depends_on)).fit(X, y)


def test_a_cross_stitched_module_needs_stages():
    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 3)

        def forward(self, x):
            return self.linear(x)

    X, Y, _ = make_data()
    match = r"sharing='cross_stitch' mixes .* nn.Sequential; the module .* is a Whole"
    with pytest.raises(ValueError, match=match):
        MultiTaskRegressor(**SMALL, module=Whole, sharing="cross_stitch").fit(X, Y)


class Gives(Sharing):
    """Gives a function of what one trunk makes of two tasks' inputs."""

    def __init__(self, function=None):
        self.function = function

    def build(self, make_trunk, tasks):
        class Module(nn.Module):
            def __init__(self, trunk, function):
                super().__init__()
                self.trunk = trunk
                self.norm = nn.BatchNorm1d(4)
                self.function = function

            def forward(self, x):
                return self.function(self.norm(self.trunk(x)))

        return Module(make_trunk(), self.function)


class BuildsThree(Sharing):
    """A scheme whose `build` makes no module."""

    def build(self, make_trunk, tasks):
        return 3


@pytest.mark.parametrize("layout", ["shared rows", "long form"])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda z: z.expand(3, *z.shape), r"shape \(3, 3, 4\) .*or \(T, B, h\) .*, T = 2"),
        (lambda z: z.expand(2, *z.shape).mT, r"shape \(2, 4, 3\)"),
        (lambda z: z.expand(2, *z.shape).transpose(0, 1), r"shape \(3, 2, 4\)"),
        (lambda z: z.mean(0, keepdim=True), r"shape \(1, 4\) for a batch of shape \(3, "),
        (lambda z: z[:, :0], r"shape \(3, 0\)"),
        (lambda z: z[: len(z) // 2], r"shape \(1, 4\)"),
        (lambda z: z.sum(), r"shape \(\)"),
        (lambda z: None, r"gives None; it must give one tensor"),
        (lambda z: (z, z), r"gives a tuple of 2; it must give one tensor"),
        (lambda z: z.double(), r"gives torch.float64 for torch.float32 inputs"),
        (lambda z: z @ z, r"fails on a batch of shape \(3, [34]\): RuntimeError: mat1"),
    ],
)
def test_a_scheme_of_the_users_that_gives_no_representation_is_named(function, message, layout):
    X, Y, _ = make_data(n_tasks=2)
    parameters = {**PLAIN, **SMALL, "sharing": Gives(function)}
    if layout == "long form":
        X[:, 3] = np.arange(40) % 2
        parameters["task_feature"], Y = 3, Y[:, 0]
    with pytest.raises((ValueError, TypeError), match=rf"sharing=Gives\(.*(\n.*)*{message}"):
        MultiTaskRegressor(**parameters).fit(X, Y)


def test_a_scheme_that_builds_no_module_is_named():
    X, Y, _ = make_data()
    message = r"build of sharing=BuildsThree\(\) of .* must return a torch\.nn\.Module; .* an int"
    with pytest.raises(TypeError, match=message):
        MultiTaskRegressor(**SMALL, sharing=BuildsThree()).fit(X, Y)


def test_the_check_of_a_scheme_leaves_its_statistics_and_the_callers_generator():
    settings = {"hidden_layer_sizes": (4,), "activation": "relu", "dropout": 0.5}
    make_trunk = TrunkFactory((3,), **settings, input_dropout=0.0, embedding=None, module=None,
                              module_params=None, dtype=torch.float32, owner="test")  # fmt: skip
    tasks = [TaskSpec("a", REGRESSION), TaskSpec("b", REGRESSION)]
    torch.manual_seed(0)
    made = Gives(nn.Identity()).build(make_trunk, tasks)
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    drawn = torch.get_rng_state()
    torch.manual_seed(0)
    scheme, width = build_scheme(Gives(nn.Identity()), make_trunk, tasks)
    assert width == 4
    assert all(module.training for module in scheme.modules())
    assert torch.equal(torch.get_rng_state(), drawn)
    for name, tensor in scheme.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("sharing", ["mmoe", "ple"])
def test_experts_that_start_equal_are_refused(sharing):
    X, Y, _ = make_data()
    module = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    with pytest.raises(ValueError, match="experts that start apart"):
        MultiTaskRegressor(**SMALL, module=module, sharing=sharing).fit(X, Y)
    MultiTaskRegressor(**SMALL, module=module, sharing="separate").fit(X, Y)


@pytest.mark.parametrize("width_scale", ["equal_total", 0.5])
def test_a_module_keeps_its_widths(width_scale):
    X, Y, _ = make_data()
    sharing = SeparateNetworks(width_scale)
    with pytest.raises(ValueError, match="width_scale=1"):
        MultiTaskRegressor(module=lambda: nn.Linear(4, 3), sharing=sharing).fit(X, Y)


def test_hard_sharing_has_no_parameters():
    assert HardSharing().get_params() == {}
