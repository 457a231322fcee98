"""Callbacks: scikit-learn's by set_callbacks, skorch's by callbacks=[...], and both at once."""

import json
import pickle

import numpy as np
import pytest
import torch
from _plain import PLAIN
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, EpochTimer, LRScheduler, PrintLog

from sklearn_mtl import (
    MultiTaskClassifier,
    MultiTaskEstimator,
    MultiTaskRegressor,
    MultiTaskTarget,
    make_task_scorer,
)

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
PRICE = X[:, 0] + 0.5 * X[:, 1]
SOLD = np.where(X[:, 1] > 0, "yes", "no")
Y = np.column_stack([PRICE, X[:, 2]])
NETWORKS = {
    "regressor": (MultiTaskRegressor, {"price": PRICE, "cost": X[:, 2]}),
    "classifier": (MultiTaskClassifier, {"sold": SOLD, "late": X[:, 2] > 0}),
    "mixed": (MultiTaskEstimator, {"price": PRICE, "sold": SOLD}),
}
SMALL = {**PLAIN, "hidden_layer_sizes": (8,), "max_epochs": 4, "lr": 0.01, "random_state": 0}


class Recorder:
    """Notes each hook that scikit-learn calls, and what it was given."""

    def __init__(self):
        self.events = []
        self.models = []
        self.given = []

    def setup(self, estimator, context):
        self.events.append(("setup", context.task_name, context.task_id))

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.events.append(("begin", context.task_name, context.task_id))
        self.given.append((X, y, metadata))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.events.append(("end", context.task_name, context.task_id))
        self.given.append((X, y, metadata))
        self.models.append(fitted_estimator)

    def teardown(self, estimator, context):
        self.events.append(("teardown", context.task_name, context.task_id))


class Everywhere(Recorder):
    """Reaches the estimators inside pipelines and searches too."""

    max_propagation_depth = None


class Watch(Recorder):
    """Predicts after each epoch."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.models.append(fitted_estimator)
        self.events.append(fitted_estimator.predict(X))


class StopAfter(Recorder):
    """Ends the training after so many epochs."""

    def __init__(self, n_epochs):
        super().__init__()
        self.n_epochs = n_epochs

    def on_fit_task_end(self, estimator, context):
        super().on_fit_task_end(estimator, context)
        return context.task_name == "epoch" and context.task_id + 1 == self.n_epochs


class Counter(Callback):
    """Counts the hooks that skorch calls."""

    def __init__(self):
        self.count = dict.fromkeys(
            [
                *("train_begin", "train_end", "epoch_begin", "epoch_end"),
                *("batch_begin", "batch_end", "grad_computed"),
            ],
            0,
        )
        self.in_training = 0

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.count["train_begin"] += 1

    def on_train_end(self, net, X=None, y=None, **kwargs):
        self.count["train_end"] += 1

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.count["epoch_begin"] += 1

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.count["epoch_end"] += 1

    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        self.count["batch_begin"] += 1

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        self.count["batch_end"] += 1
        self.in_training += training
        assert float(kwargs["loss"]) >= 0

    def on_grad_computed(self, net, named_parameters=None, batch=None, training=None, **kwargs):
        self.count["grad_computed"] += 1
        assert all(parameter.grad is not None for _, parameter in named_parameters)


def epochs(n):
    return [(what, "epoch", i) for i in range(n) for what in ("begin", "end")]


# -- scikit-learn's callbacks --------------------------------------------------------------------


@pytest.mark.parametrize("route", NETWORKS)
def test_each_epoch_is_told_once_and_begins_and_ends_in_pairs(route):
    network, y = NETWORKS[route]
    recorder = Recorder()
    network(**SMALL).set_callbacks(recorder).fit(X, y)
    assert recorder.events == [
        ("setup", "fit", 0),
        ("begin", "fit", 0),
        *epochs(4),
        ("end", "fit", 0),
        ("teardown", "fit", 0),
    ]


def test_a_callback_is_given_the_callers_own_data_and_weights():
    _, y = NETWORKS["regressor"]
    recorder, weight = Recorder(), np.ones(N)
    model = MultiTaskRegressor(**SMALL).set_callbacks(recorder)
    model.fit(X, y, sample_weight=weight)
    assert all(given[0] is X and given[1] is y for given in recorder.given)
    assert all(given[2]["sample_weight"] is weight for given in recorder.given)
    recorder.given.clear()
    model.fit(X, y)
    assert all(not given[2] for given in recorder.given)


@pytest.mark.parametrize("n_epochs", [1, 3])
def test_a_callback_that_returns_true_ends_the_training_after_that_epoch(n_epochs):
    stop, other = StopAfter(n_epochs), Recorder()
    model = MultiTaskRegressor(**SMALL).set_callbacks(stop, other).fit(X, Y)
    assert model.n_iter_ == n_epochs
    for recorder in (stop, other):
        assert recorder.events[2:-2] == epochs(n_epochs)
        assert recorder.events[-2:] == [("end", "fit", 0), ("teardown", "fit", 0)]


def test_a_training_that_was_stopped_has_the_weights_of_that_epoch():
    whole = Recorder()
    MultiTaskRegressor(**SMALL).set_callbacks(whole).fit(X, Y)
    stopped = MultiTaskRegressor(**SMALL).set_callbacks(StopAfter(2)).fit(X, Y)
    np.testing.assert_array_equal(stopped.predict(X), whole.models[1].predict(X))


@pytest.mark.parametrize("route", NETWORKS)
def test_the_model_of_an_epoch_predicts_and_later_training_leaves_it_alone(route):
    network, y = NETWORKS[route]

    watch = Watch()
    model = network(**SMALL).set_callbacks(watch).fit(X, y)
    told = [event for event in watch.events if isinstance(event, dict)]
    assert len(watch.models) == len(told) == 5  # four epochs and the whole
    for one, then in zip(watch.models, told, strict=True):
        now = one.predict(X)
        for name in y:
            np.testing.assert_array_equal(now[name], then[name])
    for name in y:
        np.testing.assert_array_equal(told[-1][name], model.predict(X)[name])
        assert told[-1][name].dtype == told[0][name].dtype
    losses = [one.history_["train_loss"] for one in watch.models]
    assert [len(loss) for loss in losses] == [1, 2, 3, 4, 4]
    again = pickle.loads(pickle.dumps(watch.models[1])).predict(X)
    assert all((again[name] == told[1][name]).all() for name in y)


def test_the_model_of_an_epoch_can_be_trained_on_without_the_first():
    recorder = Recorder()
    model = MultiTaskRegressor(**SMALL).set_callbacks(recorder).fit(X, Y)
    before = model.predict(X)
    copy = recorder.models[0].set_callbacks()
    copy.partial_fit(X, Y)
    assert copy.n_iter_ == 2
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("route", NETWORKS)
def test_a_progress_bar_counts_the_epochs(route, capsys):
    network, y = NETWORKS[route]
    network(**SMALL).set_callbacks(ProgressBar()).fit(X, y)
    shown = capsys.readouterr().out
    assert f"{network.__name__} - fit" in shown
    assert "100%" in shown


@pytest.mark.parametrize("route", NETWORKS)
@pytest.mark.parametrize("average", ["macro", None])
def test_a_scoring_monitor_logs_one_moving_score_an_epoch(route, average):
    network, y = NETWORKS[route]
    monitor = ScoringMonitor(scoring=make_task_scorer(average=average))
    model = network(**{**SMALL, "lr": 0.1}).set_callbacks(monitor).fit(X, y)
    rows = monitor.get_logs().data
    by_epoch = [row for row in rows if row["task_name"] == "epoch"]
    (root,) = [row for row in rows if row["task_name"] == "fit"]
    assert [row["task_id"] for row in by_epoch] == list(range(model.n_iter_))
    assert len(rows) == model.n_iter_ + 1
    for name in ["score"] if average == "macro" else y:
        scores = [row[name] for row in by_epoch]
        assert len(set(scores)) > 1
        assert scores[-1] == root[name]
    if average == "macro":
        assert root["score"] == pytest.approx(model.score(X, y))


def test_a_scoring_monitor_by_name_scores_as_scikit_learn_does():
    monitor = ScoringMonitor(scoring=["r2", "neg_mean_squared_error"])
    model = MultiTaskRegressor(**SMALL).set_callbacks(monitor).fit(X, Y)
    last = monitor.get_logs().data_as_pandas.query("task_name == 'fit'")
    assert last["r2"].item() == pytest.approx(model.score(X, Y))  # no label is missing


class Scaled(torch.nn.Module):
    """The squared error, with a scale that is learned."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.zeros(()))

    def forward(self, prediction, label):
        return (prediction - label).square() * self.scale.exp() - self.scale


@pytest.mark.parametrize("balancing", ["uncertainty", "famo", "dwa"])
def test_early_stopping_restores_what_losses_and_balancers_learned(balancing):
    parameters = {**SMALL, "early_stopping": True, "patience": 100, "lr": 0.05}
    parameters |= {"lr_schedule": "constant", "balancing": balancing, "loss": Scaled()}
    longer = MultiTaskRegressor(**{**parameters, "max_epochs": 30}).fit(X, Y)
    best = longer.best_epoch_
    assert best < longer.n_iter_
    until = MultiTaskRegressor(**{**parameters, "max_epochs": best}).fit(X, Y)
    learned = dict(longer.net_.criterion_.named_parameters())
    assert learned
    for name, parameter in until.net_.criterion_.named_parameters():
        torch.testing.assert_close(learned[name], parameter, rtol=0, atol=0)


def test_early_stopping_reports_the_epochs_that_were_run():
    recorder = Recorder()
    model = MultiTaskRegressor(
        **{**SMALL, "max_epochs": 200}, early_stopping=True, patience=2, lr_schedule="constant"
    )
    model.set_params(lr=0.05).set_callbacks(recorder).fit(X, Y)
    assert model.n_iter_ < 200
    assert recorder.events[2:-2] == epochs(model.n_iter_)
    # the whole has the restored weights, which are those of the best epoch
    best = recorder.models[model.best_epoch_ - 1]
    np.testing.assert_array_equal(best.predict(X), model.predict(X))
    np.testing.assert_array_equal(recorder.models[-1].predict(X), model.predict(X))


def test_partial_fit_reports_one_epoch_a_call():
    recorder = Recorder()
    model = MultiTaskRegressor(**SMALL).set_callbacks(recorder)
    for _ in range(2):
        model.partial_fit(X, Y)
        assert recorder.events[1:-1] == [("begin", "fit", 0), *epochs(1), ("end", "fit", 0)]
        recorder.events.clear()
    assert model.n_iter_ == 2


def test_warm_start_reports_only_the_epochs_of_this_fit():
    recorder = Recorder()
    model = MultiTaskRegressor(**SMALL, warm_start=True).fit(X, Y).set_callbacks(recorder)
    model.fit(X, Y)
    assert model.n_iter_ == 8
    assert recorder.events[2:-2] == epochs(4)


@pytest.mark.parametrize("when", ["before the first epoch", "in training"])
def test_a_callback_is_torn_down_where_fit_raises(when):
    recorder = Recorder()
    if when == "in training":
        model = MultiTaskRegressor(**{**SMALL, "lr": 1e30, "max_epochs": 20}, optimizer="sgd")
    else:
        model = MultiTaskRegressor(**SMALL, callbacks=["none"])
    with pytest.raises((ValueError, TypeError)):
        model.set_callbacks(recorder).fit(X, Y)
    assert recorder.events[0][0] == "setup"
    assert recorder.events[-1][0] == "teardown"
    assert not hasattr(model, "_callback_fit_ctx")


def test_a_callback_that_fails_in_an_epoch_ends_the_fit():
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise LookupError("no disk")

    failing = Failing()
    model = MultiTaskRegressor(**SMALL).set_callbacks(failing)
    with pytest.raises(LookupError, match="no disk"):
        model.fit(X, Y)
    assert failing.events[-1][0] == "teardown"
    assert model.set_callbacks().fit(X, Y).n_iter_ == 4


def test_callbacks_change_nothing_of_the_fit():
    plain = MultiTaskRegressor(**SMALL, dropout=0.2).fit(X, Y)
    watched = MultiTaskRegressor(**SMALL, dropout=0.2, callbacks=[Counter()])
    watched.set_callbacks(ScoringMonitor(scoring=make_task_scorer()), Recorder()).fit(X, Y)
    np.testing.assert_array_equal(plain.predict(X), watched.predict(X))


# -- through pipelines and searches --------------------------------------------------------------


def test_epochs_are_seen_from_outside_a_pipeline():
    recorder = Everywhere()
    model = make_pipeline(StandardScaler(), MultiTaskRegressor(**SMALL))
    model.set_callbacks(recorder).fit(X, Y)
    assert [event for event in recorder.events if event[1] == "epoch"] == epochs(4)
    begins = [event for event in recorder.events if event[0] == "begin"]
    ends = [event for event in recorder.events if event[0] == "end"]
    assert len(begins) == len(ends)


def test_a_progress_bar_passes_through_a_pipeline(capsys):
    model = make_pipeline(StandardScaler(), MultiTaskRegressor(**SMALL))
    model.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    shown = capsys.readouterr().out
    assert "Pipeline" in shown
    assert "MultiTaskRegressor" in shown


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_progress_bar_passes_through_a_search(n_jobs, capsys):
    search = GridSearchCV(
        make_pipeline(MultiTaskRegressor(**SMALL)),
        {"multitaskregressor__lr": [0.01, 0.1]},
        cv=KFold(2),
        n_jobs=n_jobs,
    )
    bar = ProgressBar(max_propagation_depth=None)
    search.set_callbacks(bar).fit(X, MultiTaskTarget({"price": PRICE, "cost": X[:, 2]}))
    shown = capsys.readouterr().out
    assert "GridSearchCV" in shown
    assert "MultiTaskRegressor" in shown
    assert "100%" in shown
    assert search.best_estimator_.predict(X)["price"].shape == (N,)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_scoring_monitor_inside_a_search_logs_every_epoch_of_every_fit(n_jobs):
    monitor = ScoringMonitor(scoring=make_task_scorer())
    model = MultiTaskRegressor(**{**SMALL, "max_epochs": 2}).set_callbacks(monitor)
    GridSearchCV(model, {"lr": [0.01, 0.1]}, cv=KFold(2), n_jobs=n_jobs).fit(X, Y)
    rows = [row for log in monitor.get_logs("all") for row in log.data]
    assert sum(row["task_name"] == "epoch" for row in rows) == 2 * (2 * 2 + 1)


# -- skorch's callbacks --------------------------------------------------------------------------


@pytest.mark.parametrize("route", NETWORKS)
def test_hooks_of_skorch_are_called_once_an_epoch_and_once_a_batch(route):
    network, y = NETWORKS[route]
    counter = Counter()
    network(**SMALL, batch_size=16, callbacks=[counter]).fit(X, y)
    batches = 4 * 4  # 60 rows by 16, four epochs
    assert counter.count == {
        "train_begin": 1,
        "train_end": 1,
        "epoch_begin": 4,
        "epoch_end": 4,
        "batch_begin": batches,
        "batch_end": batches,
        "grad_computed": batches,
    }


def test_hooks_of_skorch_see_the_batches_of_the_held_out_rows_too():
    counter = Counter()
    parameters = {**SMALL, "batch_size": 18, "early_stopping": True, "validation_fraction": 0.1}
    MultiTaskRegressor(**parameters, callbacks=[counter]).fit(X, Y)
    assert counter.in_training == 4 * 3  # 54 rows by 18
    assert counter.count["batch_end"] == 4 * (3 + 1)
    assert counter.count["grad_computed"] == 4 * 3


def test_both_kinds_of_callback_see_each_epoch_once():
    counter, recorder = Counter(), Recorder()
    MultiTaskRegressor(**SMALL, callbacks=[counter]).set_callbacks(recorder).fit(X, Y)
    assert counter.count["epoch_begin"] == counter.count["epoch_end"] == 4
    assert recorder.events[2:-2] == epochs(4)


def test_skorchs_early_stopping_on_held_out_rows():
    stop = EarlyStopping(monitor="valid_loss", patience=2, threshold=10.0, threshold_mode="abs")
    recorder = Recorder()
    model = MultiTaskRegressor(
        **{**SMALL, "max_epochs": 50}, early_stopping=True, patience=50, callbacks=[stop]
    )
    model.set_callbacks(recorder).fit(X, Y)
    assert model.n_iter_ == 3
    assert model.best_epoch_ <= 3
    assert recorder.events[2:-2] == epochs(3)


def test_skorchs_early_stopping_on_the_training_loss_and_its_best_weights():
    stop = EarlyStopping(monitor="train_loss", patience=3, load_best=True)
    model = MultiTaskRegressor(
        **{**SMALL, "max_epochs": 100}, lr_schedule="constant", callbacks=[stop]
    )
    model.set_params(lr=0.3, optimizer="sgd").fit(X, Y)
    assert model.n_iter_ <= 100
    assert np.isfinite(model.predict(X)).all()


def test_skorchs_checkpoint_writes_and_loads_the_best_epoch(tmp_path):
    checkpoint = Checkpoint(dirname=str(tmp_path), load_best=True)
    model = MultiTaskRegressor(**SMALL, early_stopping=True, callbacks=[checkpoint]).fit(X, Y)
    assert {path.name for path in tmp_path.iterdir()} >= {"params.pt", "history.json"}
    history = json.loads((tmp_path / "history.json").read_text())
    assert len(history[-1]["train_task_losses"]) == 2
    assert np.isfinite(model.predict(X)).all()
    unwatched = MultiTaskRegressor(**SMALL, early_stopping=True).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), unwatched.predict(X))


def test_best_epochs_are_marked_as_skorch_marks_them():
    class Marks(Callback):
        def __init__(self):
            self.rows = []

        def on_epoch_end(self, net, **kwargs):
            self.rows.append(net.history[-1, ("train_loss", "train_loss_best")])

    marks = Marks()
    parameters = {**SMALL, "max_epochs": 12, "lr": 0.5, "lr_schedule": "constant"}
    MultiTaskRegressor(**parameters, callbacks=[marks]).fit(X, Y)
    losses = [loss for loss, _ in marks.rows]
    expected = [loss < min([np.inf, *losses[:i]]) for i, loss in enumerate(losses)]
    assert [best for _, best in marks.rows] == expected


@pytest.mark.parametrize("step_every", ["epoch", "batch"])
def test_skorchs_scheduler_sets_the_rate_where_ours_is_constant(step_every):
    scheduler = LRScheduler("StepLR", step_size=1, gamma=0.5, step_every=step_every)
    parameters = {**SMALL, "batch_size": 30, "lr": 0.08, "lr_schedule": "constant"}
    model = MultiTaskRegressor(**parameters, callbacks=[scheduler]).fit(X, Y)
    steps = np.arange(4) * (1 if step_every == "epoch" else 2)
    np.testing.assert_allclose(model.history_["lr"], 0.08 * 0.5**steps)
    plain = MultiTaskRegressor(**parameters).fit(X, Y)
    assert not np.array_equal(plain.predict(X), model.predict(X))


def test_skorchs_plateau_scheduler_reads_our_losses():
    scheduler = LRScheduler("ReduceLROnPlateau", monitor="train_loss", patience=0, threshold=0.9)
    model = MultiTaskRegressor(**SMALL, lr_schedule="constant", callbacks=[scheduler]).fit(X, Y)
    assert model.history_["lr"][-1] < model.history_["lr"][0]


def test_callbacks_may_be_named_pairs_and_classes(capsys):
    model = MultiTaskRegressor(
        **SMALL, callbacks=[("timer", EpochTimer()), EpochTimer, PrintLog()], verbose=1
    ).fit(X, Y)
    assert "train_loss" in capsys.readouterr().out
    assert model.n_iter_ == 4


def test_verbose_prints_a_line_an_epoch(capsys):
    MultiTaskRegressor(**SMALL, early_stopping=True, verbose=1).fit(X, Y)
    shown = capsys.readouterr().out.splitlines()
    assert "train_loss" in shown[0]
    assert "valid_loss" in shown[0]
    assert len(shown) == 2 + 4


def test_a_callback_may_change_the_network():
    class Freeze(Callback):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            for parameter in net.module_.sharing.parameters():
                parameter.requires_grad_(False)

    class Weights(Callback):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, net, **kwargs):
            trunk = [p.detach().clone() for p in net.module_.sharing.parameters()]
            self.seen.append(trunk)

    weights = Weights()
    MultiTaskRegressor(**SMALL, callbacks=[Freeze(), weights], weight_decay=0.0).fit(X, Y)
    first, *rest = weights.seen
    assert all(bool((a == b).all()) for later in rest for a, b in zip(first, later, strict=True))


# -- clones and pickles --------------------------------------------------------------------------


def test_clones_keep_both_kinds_of_callback():
    monitor = ScoringMonitor(scoring=make_task_scorer())
    model = MultiTaskRegressor(**SMALL, callbacks=[EpochTimer()]).set_callbacks(monitor)
    model.fit(X, Y)
    copy = clone(model)
    assert isinstance(copy.callbacks[0], EpochTimer)
    assert copy.callbacks[0] is not model.callbacks[0]
    with pytest.raises(NotFittedError):
        copy.predict(X)
    copy.fit(X, Y)
    assert len(monitor.get_logs("all")) == 2
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))


def test_pickles_keep_both_kinds_of_callback():
    monitor = ScoringMonitor(scoring=make_task_scorer())
    model = MultiTaskRegressor(**SMALL, callbacks=[EpochTimer()]).set_callbacks(monitor)
    model.fit(X, Y)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert isinstance(loaded.callbacks[0], EpochTimer)
    loaded.fit(X, Y)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_the_fitted_net_holds_on_to_no_callback():
    model = MultiTaskRegressor(**SMALL, callbacks=[EpochTimer()]).set_callbacks(Recorder())
    model.fit(X, Y)
    assert model.net_.callbacks_ == []
    assert not hasattr(model, "_callback_fit_ctx")
