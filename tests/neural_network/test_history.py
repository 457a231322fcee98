"""What a fit recorded, which epoch it kept, which rows it held out, and the net it gives."""

from math import cos, pi

import numpy as np
import pytest
import skorch
from _plain import PLAIN
from _references import mean_task_losses
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_mtl import MultiTaskClassifier, MultiTaskEstimator, MultiTaskRegressor
from sklearn_mtl.neural_network import _auto
from sklearn_mtl.neural_network._holdout import hold_out
from sklearn_mtl.tasks import infer_layout

SMALL = {
    **PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 5, "batch_size": 8, "random_state": 0
}  # fmt: skip


def make_data(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    Y = X @ rng.normal(size=(3, 3)) + 0.5 * rng.normal(size=(n, 3))
    y = {
        "price": Y[:, 0],
        "good": np.where(Y[:, 1] > 0, "yes", "no").astype(object),
        "stars": np.digitize(Y[:, 2], [-0.5, 0.5]).astype(object),
    }
    for column in y.values():
        column[rng.choice(n, n // 5, replace=False)] = None
    return X, y


# -- the record -----------------------------------------------------------------------------------


def test_the_history_has_every_task_and_epoch():
    X, y = make_data()
    model = MultiTaskEstimator(**SMALL, early_stopping=True).fit(X, y)
    history = model.history_
    assert model.n_iter_ == 5
    for part in ("train", "validation"):
        assert list(history[part]) == list(y)
        for losses in history[part].values():
            assert losses.shape == (5,)
            assert np.isfinite(losses).all()
        # float32 sums
        total = np.sum(list(history[part].values()), axis=0)
        np.testing.assert_allclose(history[f"{part}_loss"], total, rtol=1e-5)
    assert (history["seconds"] > 0).all()
    assert len(history["lr"]) == 5
    alone = MultiTaskEstimator(**SMALL, early_stopping=False).fit(X, y).history_
    assert "validation" not in alone
    assert "validation_loss" not in alone


def test_the_objective_weighs_the_tasks():
    X, y = make_data()
    weight = {"price": 3.0, "good": 0.5}
    history = MultiTaskEstimator(**SMALL, task_weight=weight).fit(X, y).history_
    parts = history["train"]
    expected = 3.0 * parts["price"] + 0.5 * parts["good"] + parts["stars"]
    np.testing.assert_allclose(history["train_loss"], expected, rtol=1e-5)  # float32 sums


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_loss_of_1_is_that_of_the_base_rates(scale):
    X, y = make_data()
    y["price"] = y["price"] * scale + 7
    still = MultiTaskEstimator(**SMALL, lr_schedule=lambda epoch, epochs: 0.0, early_stopping=False)
    losses = still.fit(X, y).history_["train"]
    for name in y:
        # float32 means
        np.testing.assert_allclose(losses[name], 1.0, rtol=1e-5, err_msg=name)
    moving = MultiTaskEstimator(**SMALL, early_stopping=False).fit(X, y).history_["train"]
    for name in y:
        assert 0.9 < moving[name][0] < 1.1
        assert moving[name][-1] < moving[name][0]


def test_the_rate_follows_its_schedule():
    X, y = make_data()
    rate = MultiTaskEstimator(**SMALL, lr=0.02).fit(X, y).history_["lr"]
    np.testing.assert_allclose(rate, [0.01 * (1 + cos(pi * k / 5)) for k in range(5)], rtol=1e-12)
    rate = MultiTaskEstimator(**SMALL, lr=0.02, lr_schedule="constant").fit(X, y).history_["lr"]
    assert rate.tolist() == [0.02] * 5
    half = MultiTaskEstimator(**SMALL, lr=0.02, lr_schedule=lambda epoch, epochs: 0.5**epoch)
    assert half.fit(X, y).history_["lr"].tolist() == [0.02 * 0.5**k for k in range(5)]


# -- early stopping -------------------------------------------------------------------------------


def held_out_of(model, X, y):
    """Return the rows that a fit with this integer random_state held out."""
    layout = infer_layout(X, y, family=model._family)
    data = layout.encode(X, y)
    rows = np.flatnonzero(data.observed.any(axis=1))
    rng = np.random.default_rng(model.random_state)
    return layout, data, *hold_out(layout, data, rows, model.validation_fraction, rng)


def test_the_weights_of_the_best_epoch_come_back():
    X, y = make_data()
    model = MultiTaskEstimator(
        **PLAIN, hidden_layer_sizes=(64,), max_epochs=80, batch_size=8, lr=3e-2, patience=10,
        early_stopping=True, validation_fraction=0.3, dtype="float64", random_state=0,
    ).fit(X, y)  # fmt: skip
    losses = model.history_["validation_loss"]
    # this small problem overfits: the best epoch is neither the last nor the first
    assert 1 < model.best_epoch_ < model.n_iter_ < 80
    assert np.argmin(losses) + 1 == model.best_epoch_

    layout, data, training, validation = held_out_of(model, X, y)
    outputs = model.net_.forward(X[validation])
    labels = data.labels[validation].copy()
    labels[:, 0] = (labels[:, 0] - model.target_mean_[0]) / model.target_scale_[0]
    observed = data.observed[validation]
    units = [1.0]
    for t in (1, 2):
        codes = data.labels[training, t][data.observed[training, t]].astype(int)
        share = np.bincount(codes) / len(codes)
        units.append(-(share @ np.log(share)))
    by_task = [outputs[:, 0], outputs[:, 1], outputs[:, 2:]]
    by_hand = mean_task_losses(
        ["regression", "binary", "multiclass"], by_task, labels, observed, units=units
    )
    # float64 sums in another order
    assert float(by_hand.sum()) == pytest.approx(losses.min(), rel=1e-10)


def test_training_stops_when_patience_ends():
    X, y = make_data()
    params = {**SMALL, "max_epochs": 50, "early_stopping": True}
    model = MultiTaskEstimator(**params, patience=3, tol=1.0).fit(X, y)
    assert model.n_iter_ == 4  # no epoch halves its loss to nothing: three after the first
    model = MultiTaskEstimator(**params, patience=100).fit(X, y)
    assert model.n_iter_ == 50


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_the_held_out_part_has_its_size_and_shapes_no_scale(fraction):
    X, y = make_data(n=80)
    model = MultiTaskEstimator(**SMALL, early_stopping=True, validation_fraction=fraction)
    model.fit(X, y)
    layout, data, training, validation = held_out_of(model, X, y)
    rows = np.flatnonzero(data.observed.any(axis=1))
    assert len(validation) == round(fraction * len(rows))
    price = y["price"][training].astype(float)
    assert model.target_mean_[0] == pytest.approx(np.nanmean(price), rel=1e-12)
    scaler = model.net_.module_.scaler
    np.testing.assert_allclose(scaler.mean, X[training].mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(scaler.scale, X[training].std(axis=0), rtol=1e-10)


def test_auto_holds_rows_out_from_a_number_of_labelled_rows_on(monkeypatch):
    X, y = make_data(n=40)
    labelled = infer_layout(X, y).encode(X, y).observed.any(axis=1).sum()
    for threshold, expected in ((labelled, True), (labelled + 1, False)):
        monkeypatch.setattr(_auto, "EARLY_STOPPING_ROWS", threshold)
        model = MultiTaskEstimator(**SMALL).fit(X, y)
        assert ("validation" in model.history_) is expected
        assert hasattr(model, "best_epoch_") is expected


def test_early_stopping_without_a_row_to_spare_is_refused():
    with pytest.raises(ValueError, match=r"needs rows to hold out.*n_samples=1"):
        MultiTaskRegressor(**SMALL, early_stopping=True).fit([[0.0]], [1.0])
    X = np.arange(4.0)[:, None]
    with pytest.raises(ValueError, match=r"needs rows to hold out.*n_samples=4"):
        MultiTaskClassifier(**SMALL, early_stopping=True).fit(X, [0, 1, 2, 3])


@st.composite
def labelled_rows(draw):
    n_rows, n_tasks = draw(st.integers(2, 30)), draw(st.integers(1, 4))
    kinds = draw(st.lists(st.sampled_from(["real", "class"]), min_size=n_tasks, max_size=n_tasks))
    y = {}
    for t, kind in enumerate(kinds):
        values = st.sampled_from([0.5, 1.5] if kind == "real" else ["a", "b", "c"])
        column = draw(st.lists(st.none() | values, min_size=n_rows, max_size=n_rows))
        first = draw(st.permutations(range(n_rows)))[:2]
        column[first[0]], column[first[1]] = [0.5, 1.5] if kind == "real" else ["a", "b"]
        y[f"t{t}"] = column
    return np.zeros((n_rows, 1)), y


@st.composite
def tagged_rows(draw):
    n_rows = draw(st.integers(4, 30))
    tags = draw(st.lists(st.integers(0, 2), min_size=n_rows, max_size=n_rows))
    y = draw(st.lists(st.sampled_from(["a", "b", None]), min_size=n_rows, max_size=n_rows))
    for row, (tag, label) in enumerate([(0, "a"), (0, "b"), (1, "a"), (2, "b")]):
        tags[row], y[row] = tag, label
    return np.column_stack([np.zeros(n_rows), tags]), y


@settings(deadline=None, max_examples=60)
@given(
    rows=labelled_rows() | tagged_rows(),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_task_and_no_class_loses_its_last_training_row(rows, fraction, seed):
    X, y = rows
    layout = infer_layout(X, y, task_feature=1 if X.shape[1] == 2 else None)
    data = layout.encode(X, y)
    seen = data.observed if data.observed.ndim == 1 else data.observed.any(axis=1)
    labelled = np.flatnonzero(seen)
    training, validation = hold_out(layout, data, labelled, fraction, np.random.default_rng(seed))
    together = np.concatenate([training, validation])
    assert sorted(together) == labelled.tolist()
    assert len(validation) <= max(1, round(fraction * len(labelled)))
    for t, task in enumerate(layout.tasks):
        before = data.column(data.labels, t, data.rows(t))
        kept = np.intersect1d(data.rows(t), training)
        assert len(kept) > 0
        if task.is_classification:
            after = data.column(data.labels, t, kept)
            assert set(after) == set(before)


# -- the net --------------------------------------------------------------------------------------


def test_the_net_is_skorchs_and_gives_outputs_in_training_units():
    X, y = make_data()
    model = MultiTaskEstimator(**SMALL, dtype="float64").fit(X, y)
    assert isinstance(model.net_, skorch.NeuralNet)
    outputs = model.net_.forward(X).numpy()
    predicted = model.predict(X)
    # price, good, three stars; units of the labels, log-odds, logits. float64 roundings
    assert outputs.shape == (60, 5)
    np.testing.assert_allclose(
        outputs[:, 0] * model.target_scale_[0] + model.target_mean_[0],
        predicted["price"],
        rtol=1e-12,
    )
    assert np.where(outputs[:, 1] > 0, "yes", "no").tolist() == predicted["good"].tolist()
    assert outputs[:, 2:].argmax(axis=1).tolist() == predicted["stars"].tolist()
    assert len(model.net_.history) == model.n_iter_


def test_target_scaling_may_be_left_to_the_caller():
    X, _ = make_data()
    y = X @ [1.0, 2.0, 3.0]
    model = MultiTaskRegressor(**SMALL, target_scaling=None, dtype="float64").fit(X, y)
    assert (model.target_mean_, model.target_scale_) == (0.0, 1.0)
    np.testing.assert_allclose(model.net_.forward(X).numpy()[:, 0], model.predict(X), rtol=1e-12)


def test_verbose_prints_an_epoch_a_line(capsys):
    X, y = make_data()
    MultiTaskEstimator(**SMALL, early_stopping=True).fit(X, y)
    assert capsys.readouterr().out == ""
    MultiTaskEstimator(**SMALL, early_stopping=True, verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert "train_loss" in lines[0]
    assert "valid_loss" in lines[0]
    assert len(lines) == 2 + 5


def test_epochs_without_held_out_rows_have_no_validation_loss():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = X @ rng.standard_normal((3, 2))
    model = MultiTaskRegressor(max_epochs=2, early_stopping=True, random_state=0).fit(X, y)
    model.partial_fit(X, y)  # holds nothing out
    for losses in model.history_["validation"].values():
        assert np.isfinite(losses[:2]).all()
        assert np.isnan(losses[2])
    assert all(np.isfinite(losses).all() for losses in model.history_["train"].values())
