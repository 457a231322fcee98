"""Labels that are not observed take no part: not in losses, gradients, scales or base rates."""

import numpy as np
import pandas as pd
import pytest
import torch
from _plain import PLAIN
from _references import mean_task_losses
from sklearn.base import clone
from sklearn.metrics import r2_score

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.nn import WeightedSum
from sklearn_mtl.nn._batches import RowBatches, make_rows
from sklearn_mtl.nn._criterion import MultiTaskCriterion
from sklearn_mtl.tasks._outputs import group_outputs
from sklearn_mtl.tasks._spec import TaskSpec

SMALL = {
    **PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 4, "batch_size": 8, "random_state": 0
}  # fmt: skip


# what the plain settings leave out
DEFAULT = {"n_estimators": "auto", "numeric_embedding": "auto", "input_scaling": "smooth_clip"}


def make_data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    Y = X @ rng.normal(size=(3, 3)) + 0.1 * rng.normal(size=(n, 3))
    return X, Y, rng


# -- hidden, weightless, absent -------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, DEFAULT], ids=str)
def test_a_hidden_label_is_a_label_of_weight_zero(params):
    X, Y, rng = make_data()
    seen = rng.random(Y.shape) < 0.7
    model = MultiTaskRegressor(**{**SMALL, **params})
    hidden = clone(model).fit(X, np.where(seen, Y, np.nan))
    weightless = clone(model).fit(X, np.where(seen, Y, 1e6), sample_weight=seen.astype(float))
    one = clone(model).fit(X, np.where(seen, Y, np.nan), sample_weight=np.ones_like(Y))
    assert np.array_equal(one.predict(X), weightless.predict(X))
    # sums of the same numbers in another order: with weights scales are weighted means, without
    # they are plain ones
    np.testing.assert_allclose(hidden.predict(X), weightless.predict(X), rtol=1e-5, atol=1e-5)


def test_hidden_classes_are_labels_of_weight_zero():
    X, Y, rng = make_data()
    seen = rng.random(Y.shape) < 0.7
    y = np.where(Y > 0, "yes", "no").astype(object)
    for t in range(3):
        y[:2, t], seen[:2, t] = ["yes", "no"], True
    hidden = MultiTaskClassifier(**SMALL).fit(X, np.where(seen, y, None), np.ones_like(Y))
    weightless = MultiTaskClassifier(**SMALL).fit(X, y, sample_weight=seen.astype(float))
    for one, other in zip(hidden.predict_proba(X), weightless.predict_proba(X), strict=True):
        assert np.array_equal(one, other)


def test_in_long_form_a_hidden_label_is_a_label_of_weight_zero():
    X, Y, rng = make_data()
    rows = np.column_stack([X, rng.integers(2, size=len(X))])
    seen = rng.random(len(X)) < 0.7
    model = MultiTaskRegressor(**SMALL, task_feature=-1)
    hidden = clone(model).fit(rows, np.where(seen, Y[:, 0], np.nan), np.ones(len(X)))
    weightless = clone(model).fit(rows, Y[:, 0], sample_weight=seen.astype(float))
    assert np.array_equal(hidden.predict(rows), weightless.predict(rows))


@pytest.mark.parametrize("params", [{}, DEFAULT], ids=["plain", "default"])
@pytest.mark.parametrize("hide", ["label", "weight"])
def test_rows_without_any_label_do_not_change_the_fit(hide, params):
    X, Y, rng = make_data()
    rows = np.vstack([X[:20], 1e3 + X[:5], X[20:]])
    labels = np.vstack([Y[:20], Y[:5], Y[20:]])
    weights = np.ones(45)
    if hide == "label":
        labels[20:25] = np.nan
    else:
        weights[20:25] = 0.0
    expected = MultiTaskRegressor(**{**SMALL, **params}).fit(X, Y, np.ones(40))
    model = MultiTaskRegressor(**{**SMALL, **params}).fit(rows, labels, weights)
    assert np.array_equal(model.predict(X), expected.predict(X))


def test_what_a_missing_label_holds_is_never_read():
    X, Y, rng = make_data()
    seen = rng.random(Y.shape) < 0.7
    named = {f"t{t}": np.where(seen[:, t], Y[:, t], np.nan) for t in range(3)}
    expected = MultiTaskRegressor(**SMALL).fit(X, named)
    nones = pd.DataFrame(named).astype(object)
    nones = nones.where(seen, None)
    model = MultiTaskRegressor(**SMALL).fit(X, nones.convert_dtypes())
    for name in named:
        assert np.array_equal(model.predict(X)[name].to_numpy(float), expected.predict(X)[name])


# -- weights --------------------------------------------------------------------------------------


def test_a_weight_per_label_acts_on_its_task_alone():
    X, Y, rng = make_data(n=60)
    Y[:, 1] = Y[:, 0] = np.r_[np.zeros(30), np.ones(30)]  # nothing in X tells the halves apart
    X[:, :] = 1.0
    weights = np.ones_like(Y)
    weights[:30, 0], weights[30:, 1] = 9.0, 9.0
    model = MultiTaskRegressor(**SMALL).fit(X, Y, sample_weight=weights)
    # weighted means 30 / (270 + 30) and 270 / (270 + 30); the float32 network hardly moves from
    # its start, which is that mean
    np.testing.assert_allclose(model.predict(X)[0, :2], [0.1, 0.9], atol=0.02)
    np.testing.assert_allclose(model.target_mean_[:2], [0.1, 0.9], rtol=1e-12)


def test_the_scale_of_sample_weights_does_not_matter():
    X, Y, rng = make_data()
    weights = rng.uniform(0.5, 2.0, size=Y.shape)
    one = MultiTaskRegressor(**SMALL).fit(X, Y, sample_weight=weights)
    eight = MultiTaskRegressor(**SMALL).fit(X, Y, sample_weight=8 * weights)
    assert np.array_equal(one.predict(X), eight.predict(X))  # a power of 2: no rounding


def test_a_task_of_weight_zero_stays_at_its_mean_and_shapes_nothing():
    X, Y, _ = make_data()
    y = {"a": Y[:, 0], "b": Y[:, 1]}
    silent = MultiTaskRegressor(**SMALL, weight_decay=0.0, task_weight={"a": 0.0}).fit(X, y)
    assert np.ptp(silent.predict(X)["a"]) == 0.0
    assert silent.predict(X)["a"][0] == pytest.approx(Y[:, 0].mean())
    alone = MultiTaskRegressor(**SMALL, weight_decay=0.0).fit(X, {"b": Y[:, 1]})
    # float32 sums of one product more (by zero)
    np.testing.assert_allclose(silent.predict(X)["b"], alone.predict(X)["b"], rtol=1e-5, atol=1e-5)


def test_a_heavier_task_is_fitted_better():
    X, Y, rng = make_data(n=80)
    Y[:, 0], Y[:, 1] = np.sin(3 * X[:, 0]), np.cos(3 * X[:, 1])
    losses = {}
    for weight in (0.01, 1.0, 100.0):
        model = MultiTaskRegressor(
            hidden_layer_sizes=(4,), max_epochs=60, lr=1e-2, optimizer="adam",
            early_stopping=False, random_state=0, task_weight=[weight, 1.0, 1.0],
        ).fit(X, Y)  # fmt: skip
        losses[weight] = model.history_["train"]["task0"][-1]
    assert losses[100.0] < losses[1.0] < losses[0.01]


def test_weights_of_tasks_multiply_the_objective():
    X, Y, _ = make_data()
    params = {**SMALL, "optimizer": "sgd", "weight_decay": 0.0, "dtype": "float64", "lr": 1e-2}
    one = MultiTaskRegressor(**params).fit(X, Y)
    params["lr"] /= 2
    doubled = MultiTaskRegressor(**params, task_weight=[2.0, 2.0, 2.0]).fit(X, Y)
    # twice the gradient, half the step: a factor of 2 rounds nothing
    assert np.array_equal(one.predict(X), doubled.predict(X))
    assert doubled.history_["train_loss"][0] == 2 * one.history_["train_loss"][0]
    assert np.array_equal(doubled.history_["train"]["task1"], one.history_["train"]["task1"])


@pytest.mark.parametrize("network", [MultiTaskRegressor, MultiTaskEstimator])
def test_n_samples_is_short_for_the_numbers(network):
    X, Y, rng = make_data()
    Y[:30, 0] = np.nan
    Y[:10, 1] = np.nan
    counted = network(**SMALL, task_weight="n_samples").fit(X, Y)
    counts = np.array([10, 30, 40])
    named = network(**SMALL, task_weight=(counts / counts.mean()).tolist()).fit(X, Y)
    assert np.array_equal(counted.predict(X), named.predict(X))
    assert not np.array_equal(counted.predict(X), network(**SMALL).fit(X, Y).predict(X))


# -- the criterion against a loop over tasks ------------------------------------------------------

KINDS = ["regression", "multiclass", "binary", "regression", "binary", "multiclass", "multiclass"]
N_CLASSES = [1, 3, 2, 1, 2, 4, 3]


def make_specs():
    return [
        TaskSpec(f"t{t}", kind, None if kind == "regression" else np.arange(k))
        for t, (kind, k) in enumerate(zip(KINDS, N_CLASSES, strict=True))
    ]


class Problem:
    """Random outputs and labels of tasks of all kinds, wide or with one task a row."""

    def __init__(self, dtype, *, tagged, weighted, n=50, seed=0):
        rng = np.random.default_rng(seed)
        n_tasks = len(KINDS)
        self.groups = group_outputs(make_specs())
        self.dtype = dtype
        self.labels = np.column_stack(
            [rng.normal(size=n) if k == 1 else rng.integers(k, size=n) for k in N_CLASSES]
        ).astype(float)
        self.task_index = rng.permutation(np.arange(n) % n_tasks) if tagged else None
        self.observed = rng.random((n, n_tasks)) < 0.6
        if tagged:
            self.observed &= self.task_index[:, None] == np.arange(n_tasks)
        self.weights = rng.uniform(0.2, 3.0, size=(n, n_tasks)) if weighted else None
        self.unit = rng.uniform(0.5, 2.0, size=n_tasks)
        n_outputs = sum(len(group.tasks) * group.width for group in self.groups)
        self.outputs = torch.tensor(rng.normal(size=(n, n_outputs)), dtype=dtype)
        self.outputs.requires_grad_()
        weight = torch.ones(n_tasks, dtype=dtype)
        unit = torch.tensor(self.unit, dtype=dtype)
        self.criterion = MultiTaskCriterion(self.groups, unit, WeightedSum(weight))
        self.rows = make_rows(
            np.arange(n, dtype=float)[:, None],  # the row number, to know which rows a batch has
            self.flat(self.labels),
            self.flat(self.observed),
            None if self.weights is None else self.flat(self.weights),
            self.task_index,
            self.groups,
            n_tasks,
            torch.nn.Identity(),
            dtype,
            torch.device("cpu"),
        )

    def flat(self, values):
        if self.task_index is None:
            return values
        return values[np.arange(len(values)), self.task_index]

    def by_task(self):
        """Return the outputs of each task, (n,) or (n, K)."""
        result = [None] * len(KINDS)
        for group in self.groups:
            block = self.outputs[:, group.columns]
            for place, t in enumerate(group.tasks):
                own = block[:, place * group.width : (place + 1) * group.width]
                result[t] = own[:, 0] if group.width == 1 else own
        return result

    def losses(self, batch=None):
        batch = self.rows.rows if batch is None else batch
        outputs = self.outputs[batch.X[:, 0].long()]
        blocks = []
        for g, group in enumerate(self.groups):
            block = outputs[:, group.columns].unflatten(1, (len(group.tasks), group.width))
            if batch.places is not None:
                block = block[torch.arange(len(batch)), batch.places[g]][:, None]
            blocks.append(block[..., 0] if group.width == 1 else block)
        return self.criterion(blocks, batch, self.criterion.batch_scale(self.rows))

    def expected(self):
        return mean_task_losses(
            KINDS, self.by_task(), self.labels, self.observed, self.weights, self.unit
        )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, 1e-6), (torch.float64, 1e-12)],  # some ten roundings of sums of 50 terms
)
def test_losses_are_means_over_observed_rows(dtype, tolerance, tagged, weighted):
    problem = Problem(dtype, tagged=tagged, weighted=weighted)
    losses, expected = problem.losses(), problem.expected()
    torch.testing.assert_close(losses, expected, rtol=tolerance, atol=tolerance)
    direction = torch.arange(1.0, len(KINDS) + 1, dtype=dtype)
    (ours,) = torch.autograd.grad(losses @ direction, problem.outputs)
    (theirs,) = torch.autograd.grad(expected @ direction, problem.outputs)
    torch.testing.assert_close(ours, theirs, rtol=10 * tolerance, atol=tolerance)


@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e30])
def test_an_infinite_output_where_no_label_is_leaks_nowhere(value, tagged):
    problem = Problem(torch.float64, tagged=tagged, weighted=False)
    expected = problem.losses().detach()
    with torch.no_grad():
        for group in problem.groups:
            for place, t in enumerate(group.tasks):
                start = group.start + place * group.width
                unseen = torch.as_tensor(~problem.observed[:, t])
                problem.outputs[unseen, start : start + group.width] = value
    losses = problem.losses()
    assert torch.equal(losses, expected)
    losses.sum().backward()
    gradient = problem.outputs.grad
    assert torch.isfinite(gradient).all()
    hidden = ~torch.isfinite(problem.outputs) | (problem.outputs == 1e30)
    assert hidden.any()
    assert (gradient[hidden] == 0).all()


@pytest.mark.parametrize("tagged", [False, True])
def test_the_mean_over_batches_is_the_objective(tagged):
    problem = Problem(torch.float64, tagged=tagged, weighted=True)
    batches = RowBatches(problem.rows, 10, shuffle=True)
    assert batches.sizes == [10] * 5
    mean = torch.stack([problem.losses(batch) for batch in batches]).mean(0)
    torch.testing.assert_close(mean, problem.losses(), rtol=1e-12, atol=0)  # order of a sum
    torch.testing.assert_close(mean, problem.expected(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("tagged", [False, True])
def test_the_criterion_says_which_tasks_a_batch_has_labels_of(tagged):
    problem = Problem(torch.float64, tagged=tagged, weighted=False)
    for batch in RowBatches(problem.rows, 6, shuffle=True):
        rows = batch.X[:, 0].long().numpy()
        expected = problem.observed[rows].any(axis=0)
        assert problem.criterion.observed(batch).tolist() == expected.tolist()
        losses = problem.losses(batch).detach().numpy()
        assert (losses[~expected] == 0).all()


# -- what it is for -------------------------------------------------------------------------------


def test_half_the_labels_are_enough_to_beat_the_means():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    Y = np.tanh(X @ rng.normal(size=(5, 3))) @ rng.normal(size=(3, 4))
    labels = np.where(rng.random(Y.shape) < 0.5, np.nan, Y)
    model = MultiTaskRegressor(
        hidden_layer_sizes=(32,), max_epochs=40, lr=1e-2, early_stopping=True, random_state=0
    ).fit(X[:300], labels[:300])
    scores = r2_score(Y[300:], model.predict(X[300:]), multioutput="raw_values")
    assert (scores > 0.5).all()  # task means have 0 at best
