import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.callback import ScoringMonitor
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    check_scoring,
    f1_score,
    log_loss,
    make_scorer,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    MultiTaskKFold,
    MultiTaskTarget,
    TaskLayoutError,
    make_task_scorer,
    score_per_task,
    stack_tasks,
)
from sklearn_mtl.tasks import infer_layout
from sklearn_mtl.tasks._nested import find_layout

IRIS, SPECIES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"], dtype=object)


class PerTask(BaseEstimator):
    """Ridge or logistic regression on each task's rows; shows what our estimators show."""

    def __init__(self, alpha=1.0, task_feature=None):
        self.alpha = alpha
        self.task_feature = task_feature

    def fit(self, X, y, sample_weight=None):
        self.layout_ = infer_layout(X, y, task_feature=self.task_feature)
        data = self.layout_.encode(X, y, sample_weight)
        self.models_ = []
        for t, task in enumerate(self.layout_.tasks):
            rows = data.rows(t)
            model = LogisticRegression() if task.is_classification else Ridge(alpha=self.alpha)
            model.fit(data.inputs(t, rows), data.column(data.labels, t, rows))
            self.models_.append(model)
        return self

    def predict(self, X):
        data = self.layout_.encode(X)
        shape = (data.n_rows, data.n_tasks) if data.task_index is None else (data.n_rows,)
        values = np.empty(shape)
        for t, model in enumerate(self.models_):
            rows = data.rows(t, observed=False)
            place = (rows, t) if len(shape) == 2 else rows
            if len(rows):
                values[place] = model.predict(data.inputs(t, rows))
        return self.layout_.decode(values, data)

    def predict_proba(self, X):
        data = self.layout_.encode(X)
        blocks = [
            model.predict_proba(data.inputs(t, data.rows(t, observed=False)))
            if task.is_classification
            else None
            for t, (task, model) in enumerate(zip(self.layout_.tasks, self.models_, strict=True))
        ]
        return self.layout_.decode_proba(blocks, data)


def mixed_labels(seed=0, share=0.3):
    """Width (regression), species (three classes) and size (two), with holes."""
    rng = np.random.default_rng(seed)
    y = {
        "width": IRIS[:, 3].copy(),
        "species": NAMES[SPECIES],
        "size": np.where(IRIS[:, 2] > 4, "big", "small").astype(object),
    }
    for name, labels in y.items():
        labels[rng.random(150) < share] = np.nan if name == "width" else None
    return y


X = IRIS[:, :2]
SPLITS = MultiTaskKFold(4, shuffle=True, random_state=0)


# -- what the number is -----------------------------------------------------------------------


def test_complete_regression_equals_scikit_learns_uniform_average():
    features, y = make_regression(80, 4, n_targets=3, noise=20, random_state=0)
    expected = cross_val_score(Ridge(), features, y, cv=3, scoring="r2")
    assert cross_val_score(Ridge(), features, y, cv=3, scoring=make_task_scorer()) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("name", ["neg_mean_absolute_error", "neg_mean_squared_error"])
def test_named_errors_equal_scikit_learns_on_complete_data(name):
    features, y = make_regression(80, 4, n_targets=3, noise=20, random_state=0)
    expected = cross_val_score(LinearRegression(), features, y, scoring=name)
    found = cross_val_score(LinearRegression(), features, y, scoring=make_task_scorer(name))
    assert found == pytest.approx(expected)


def test_one_column_equals_the_named_scorer():
    for name in ("accuracy", "f1_macro", "neg_log_loss", "roc_auc_ovr"):
        model = GaussianNB()
        expected = cross_val_score(model, IRIS, SPECIES, scoring=name)
        found = cross_val_score(model, IRIS, SPECIES, scoring=make_task_scorer(name))
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("average", ["macro", "worst", "weighted", "size"])
def test_averages_summarise_score_per_task(average):
    y = MultiTaskTarget(mixed_labels())
    model = PerTask().fit(X, y)
    scores = score_per_task(y, model.predict(X))
    observed = [sum(label == label and label is not None for label in y[name]) for name in y]
    expected = {
        "macro": np.mean(list(scores.values())),
        "worst": min(scores.values()),
        "weighted": np.average(list(scores.values()), weights=observed),
        "size": scores["size"],
    }
    found = make_task_scorer(average=average)(model, X, y)
    assert found == pytest.approx(expected[average])
    assert type(found) is float


def test_weighted_weighs_by_the_weights_of_observed_labels():
    y = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, np.nan], [3.0, 7.0]])
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    model = PerTask().fit(np.arange(4.0)[:, None], y)
    rows = np.arange(4.0)[:, None]
    scores = score_per_task(y, model.predict(rows), sample_weight=weight)
    expected = np.average(list(scores.values()), weights=[10.0, 7.0])
    found = make_task_scorer(average="weighted")(model, rows, y, sample_weight=weight)
    assert found == pytest.approx(expected)


# -- containers and estimators ----------------------------------------------------------------


@pytest.mark.parametrize("container", [MultiTaskTarget, pd.DataFrame])
def test_cross_validate_gives_a_column_a_task(container):
    y = container(mixed_labels())
    found = cross_validate(PerTask(), X, y, cv=SPLITS, scoring=make_task_scorer(average=None))
    for name in ("width", "species", "size"):
        assert found[f"test_{name}"].shape == (4,)
        assert np.isfinite(found[f"test_{name}"]).all()


def test_probabilities_of_mixed_tasks_with_holes():
    labels = mixed_labels()
    y = MultiTaskTarget(labels)
    model = PerTask().fit(X, y)
    metric = {"species": "neg_log_loss", "size": "roc_auc"}
    scores = make_task_scorer(metric, average=None)(model, X, y)
    proba = model.predict_proba(X)
    rows = [label is not None for label in labels["species"]]
    expected = -log_loss(labels["species"][rows].tolist(), proba["species"][rows])
    assert scores["species"] == pytest.approx(expected)
    rows = [label is not None for label in labels["size"]]
    expected = roc_auc_score(labels["size"][rows].tolist(), proba["size"][rows, 1])
    assert scores["size"] == pytest.approx(expected)
    assert scores["width"] == score_per_task(y, model.predict(X))["width"]


def test_probabilities_of_float_classes_in_an_array_with_nan():
    y = np.column_stack([SPECIES == 0, SPECIES == 2]).astype(object)
    y[::5, 0] = None
    model = PerTask().fit(X, y)
    scores = make_task_scorer("average_precision", average=None)(model, X, y)
    assert list(scores) == ["task0", "task1"]
    assert min(scores.values()) > 0.3


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(n_estimators=5, random_state=0),
        MultiOutputClassifier(LogisticRegression()),
        make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=5, random_state=0)),
        GridSearchCV(
            RandomForestClassifier(n_estimators=5, random_state=0), {"max_depth": [2]}, cv=KFold(2)
        ),
        MLPClassifier((5,), max_iter=20, random_state=0),
    ],
    ids=["forest", "multi-output", "pipeline", "search", "multilabel network"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_probabilities_of_scikit_learns_multi_output_classifiers(model):
    y = np.column_stack([SPECIES > 0, SPECIES > 1]).astype(int)
    order = np.random.default_rng(0).permutation(150)
    model.fit(X[order], y[order])
    proba = model.predict_proba(X)
    scores = make_task_scorer("roc_auc", average=None)(model, X, y)
    for t, score in enumerate(scores.values()):
        positive = proba[t][:, 1] if isinstance(proba, list) else proba[:, t]
        assert score == pytest.approx(roc_auc_score(y[:, t], positive))
    labels = make_task_scorer(average=None)(model, X, y)
    assert labels["task1"] == accuracy_score(y[:, 1], model.predict(X)[:, 1])


def test_regressors_score_integer_labels_by_r2_and_classifiers_float_labels_by_accuracy():
    y = np.column_stack([SPECIES, SPECIES])
    forest = MultiOutputRegressor(Ridge()).fit(IRIS, y)
    assert make_task_scorer()(forest, IRIS, y) == pytest.approx(r2_score(y, forest.predict(IRIS)))
    model = GaussianNB().fit(IRIS, SPECIES.astype(float))
    score = make_task_scorer()(model, IRIS, SPECIES.astype(float))
    assert score == model.score(IRIS, SPECIES.astype(float))


def test_what_the_estimator_says_is_overridden_by_task_kinds():
    y = np.column_stack([SPECIES, SPECIES])
    model = RandomForestClassifier(5, random_state=0).fit(X, y)
    scorer = make_task_scorer(task_kinds="regression")
    assert scorer(model, X, y) == pytest.approx(r2_score(y, model.predict(X)))


def test_a_class_that_the_test_fold_lacks_does_not_stop_log_loss():
    y = {"species": NAMES[SPECIES]}
    model = PerTask().fit(X, y)
    rows = SPECIES < 2
    score = make_task_scorer("neg_log_loss")(model, X[rows], {"species": y["species"][rows]})
    proba = model.predict_proba(X[rows])["species"]
    labels = y["species"][rows].tolist()
    assert score == pytest.approx(-log_loss(labels, proba, labels=sorted(NAMES)))


def test_tasks_with_x_of_their_own():
    rows = {"a": X[:50], "b": X[50:]}
    y = {"a": IRIS[:50, 3], "b": NAMES[SPECIES[50:]]}
    model = PerTask().fit(rows, y)
    scores = make_task_scorer(average=None)(model, rows, y)
    assert scores["b"] == accuracy_score(y["b"].tolist(), model.predict(rows)["b"].tolist())
    proba = make_task_scorer({"b": "roc_auc"}, average="b")(model, rows, y)
    expected = roc_auc_score(SPECIES[50:], model.predict_proba(rows)["b"][:, 1])
    assert proba == pytest.approx(expected)


# -- long form --------------------------------------------------------------------------------


def long_form(frame):
    parts = {}
    for t, name in enumerate(["x", "y", "z"]):
        part = X[t::3]
        rows = pd.DataFrame(part, columns=["length", "breadth"]) if frame else part
        parts[name if frame else t] = (rows, IRIS[t::3, 3])
    return stack_tasks(parts)


@pytest.mark.parametrize("frame", [True, False])
def test_long_form_scores_each_task_on_its_own_rows(frame):
    stacked, y = long_form(frame)
    feature = "task" if frame else -1
    model = PerTask(task_feature=feature).fit(stacked, y)
    tags = stacked["task"].to_numpy() if frame else stacked[:, -1]
    expected = score_per_task(y, model.predict(stacked), tasks=tags)
    assert make_task_scorer(average=None)(model, stacked, y) == expected


def test_long_form_names_the_column_for_estimators_that_do_not():
    stacked, y = long_form(frame=False)
    model = Ridge().fit(stacked, y)
    scores = make_task_scorer(average=None, task_feature=-1)(model, stacked, y)
    assert scores == score_per_task(y, model.predict(stacked), tasks=stacked[:, -1])


def test_long_form_has_an_entry_for_tasks_that_the_rows_lack():
    stacked, y = long_form(frame=True)
    model = PerTask(task_feature="task").fit(stacked, y)
    rows = (stacked["task"] != "y").to_numpy()
    with pytest.warns(UndefinedMetricWarning, match="'y'"):
        scores = make_task_scorer(average=None)(model, stacked[rows], y[rows])
    assert list(scores) == ["x", "y", "z"]
    assert np.isnan(scores["y"])


def test_long_form_probabilities_are_the_columns_of_each_tasks_classes():
    parts = {
        "first": (X[:100], NAMES[SPECIES[:100]]),
        "second": (X[50:], NAMES[SPECIES[50:]]),
    }
    stacked, y = stack_tasks(parts)
    model = PerTask(task_feature=-1).fit(stacked, y)
    scores = make_task_scorer("roc_auc", average=None)(model, stacked, y)
    for t, (name, (rows, labels)) in enumerate(parts.items()):
        positive = model.models_[t].predict_proba(rows.astype(object))[:, 1]
        assert scores[name] == pytest.approx(roc_auc_score(labels.tolist(), positive))


def test_long_form_in_a_pipeline_reads_the_column_of_the_pipelines_x():
    stacked, y = long_form(frame=True)
    scale = ColumnTransformer(
        [("scale", StandardScaler(), ["length", "breadth"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    model = make_pipeline(scale, PerTask(task_feature="task")).fit(stacked, y)
    scores = make_task_scorer(average=None)(model, stacked, y)
    assert scores == score_per_task(y, model.predict(stacked), tasks=stacked["task"])
    numbered = make_pipeline("passthrough", PerTask(task_feature=-1)).fit(stacked, y)
    with pytest.raises(TaskLayoutError, match="make_task_scorer"):
        make_task_scorer()(numbered, stacked, y)
    assert make_task_scorer(average=None, task_feature="task")(numbered, stacked, y).keys() == (
        scores.keys()
    )


def test_long_form_cross_validates_with_a_column_a_task():
    stacked, y = long_form(frame=True)
    cv = MultiTaskKFold(3, task_feature="task")
    found = cross_validate(
        PerTask(task_feature="task"), stacked, y, cv=cv, scoring=make_task_scorer(average=None)
    )
    assert {"test_x", "test_y", "test_z"} < set(found)


# -- scikit-learn's machinery -----------------------------------------------------------------


def test_grid_search_picks_by_the_scorer_and_finds_the_layout_inside():
    y = MultiTaskTarget(mixed_labels())
    search = GridSearchCV(
        make_pipeline(StandardScaler(), PerTask()),
        {"pertask__alpha": [0.1, 1e6]},
        cv=SPLITS,
        scoring=make_task_scorer(),
    ).fit(X, y)
    assert search.best_params_ == {"pertask__alpha": 0.1}
    assert find_layout(search)[0] is search.best_estimator_[-1].layout_
    assert search.score(X, y) == make_task_scorer()(search, X, y)


def test_grid_search_refits_on_one_task_of_many():
    y = MultiTaskTarget(mixed_labels())
    search = GridSearchCV(
        PerTask(),
        {"alpha": [0.1, 1e6]},
        cv=SPLITS,
        scoring=make_task_scorer(average=None),
        refit="width",
    ).fit(X, y)
    assert search.best_params_ == {"alpha": 0.1}
    assert "mean_test_species" in search.cv_results_


def test_several_task_scorers_side_by_side_predict_once():
    class Counting(RegressorMixin, PerTask):
        calls = 0

        def predict(self, X):
            Counting.calls += 1
            return super().predict(X)

    _, y = make_regression(150, 2, n_targets=2, random_state=0)
    model = Counting().fit(X, y)
    scoring = {name: make_task_scorer(average=name) for name in ("macro", "worst")}
    found = check_scoring(model, scoring)(model, X, y)
    assert found["worst"] <= found["macro"]
    assert Counting.calls == 1


@pytest.mark.parametrize("average", ["macro", None])
def test_scorers_survive_pickle_and_clone(average):
    scorer = make_task_scorer({"width": mean_absolute_error_score}, average=average)
    y = MultiTaskTarget(mixed_labels())
    model = PerTask().fit(X, y)
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer)):
        assert copy is not scorer
        assert repr(copy) == repr(scorer)
        assert copy(model, X, y) == scorer(model, X, y)


def mean_absolute_error_score(y_true, y_pred):
    return -mean_absolute_error(y_true, y_pred)


def test_scorers_print_as_they_were_made():
    assert repr(make_task_scorer()) == "make_task_scorer()"
    assert repr(make_task_scorer("r2", average=None)) == "make_task_scorer('r2', average=None)"
    assert repr(make_task_scorer(f1_score, average="worst", task_feature=-1)) == (
        "make_task_scorer(f1_score, average='worst', task_feature=-1)"
    )


@pytest.mark.parametrize("average", ["macro", None])
def test_sample_weight_is_routed_where_requested(average):
    y = MultiTaskTarget(mixed_labels())
    weight = np.random.default_rng(0).random(150) + 0.1
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_task_scorer(average=average).set_score_request(sample_weight=True)
        model = PerTask().set_fit_request(sample_weight=True)
        found = cross_validate(
            model,
            X,
            y,
            cv=SPLITS,
            scoring=scorer,
            params={"sample_weight": weight},
            return_estimator=True,
            return_indices=True,
        )
    test = found["indices"]["test"][0]
    scores = score_per_task(
        y[test], found["estimator"][0].predict(X[test]), sample_weight=weight[test]
    )
    if average is None:
        assert found["test_width"][0] == scores["width"]
    else:
        assert found["test_score"][0] == pytest.approx(np.mean(list(scores.values())))


def test_unrequested_weights_are_refused_by_routing():
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(sklearn.exceptions.UnsetMetadataPassedError),
    ):
        cross_validate(
            PerTask().set_fit_request(sample_weight=True),
            X,
            IRIS[:, 2:],
            scoring=make_task_scorer(),
            params={"sample_weight": np.ones(150)},
        )


@pytest.mark.parametrize("average", ["macro", None])
def test_scoring_monitor_takes_task_scorers(average):
    monitor = ScoringMonitor(scoring=make_task_scorer(average=average))
    LogisticRegression(C=0.01).set_callbacks(monitor).fit(IRIS, SPECIES)
    assert ("score" if average else "task0") in monitor.get_logs().data[-1]


def test_errors_of_the_estimator_come_through_as_they_are():
    class Failing(PerTask):
        def predict(self, X):
            raise ValueError("the estimator's own words")

    model = Failing().fit(X, IRIS[:, 2:])
    with pytest.raises(ValueError, match=r"^the estimator's own words$"):
        make_task_scorer()(model, X, IRIS[:, 2:])


def test_an_estimator_without_tags_is_scored_by_the_labels():
    class Bare:
        def predict(self, X):
            return np.zeros((len(X), 2))

    y = np.column_stack([np.arange(4.0), np.zeros(4)]).astype(object)
    y[:, 1] = [0, 0, 1, 0]
    scores = make_task_scorer(average=None)(Bare(), np.zeros((4, 1)), y)
    assert scores == {"task0": r2_score([0, 1, 2, 3], [0] * 4), "task1": 0.75}


# -- errors -----------------------------------------------------------------------------------


def test_a_misspelt_average_offers_the_closest_task():
    y = MultiTaskTarget(mixed_labels())
    model = PerTask().fit(X, y)
    with pytest.raises(TaskLayoutError, match="did you mean 'species'"):
        make_task_scorer(average="specie")(model, X, y)
    with pytest.raises(TypeError, match="got list"):
        make_task_scorer(average=["width"])


def test_a_misspelt_metric_is_refused_when_the_scorer_is_made():
    with pytest.raises(ValueError, match="did you mean 'neg_mean_squared_error'"):
        make_task_scorer({"width": "mean_squared_error"})


def test_losses_are_refused_because_scorers_are_maximised():
    with pytest.raises(ValueError, match="greater_is_better=False"):
        make_task_scorer(mean_squared_error)
    made = make_scorer(mean_squared_error, greater_is_better=False)
    model = Ridge().fit(X, IRIS[:, 2:])
    expected = -mean_squared_error(IRIS[:, 2:], model.predict(X))
    assert make_task_scorer(made)(model, X, IRIS[:, 2:]) == pytest.approx(expected)


def test_a_metric_for_no_task_is_an_error():
    model = Ridge().fit(X, IRIS[:, 2:])
    with pytest.raises(TaskLayoutError, match="metric names 'width'"):
        make_task_scorer({"width": "r2"})(model, X, IRIS[:, 2:])


def test_other_tasks_than_fit_saw_are_an_error():
    labels = mixed_labels()
    model = PerTask().fit(X, MultiTaskTarget(labels))
    del labels["size"]
    with pytest.raises(TaskLayoutError, match="'size'"):
        make_task_scorer()(model, X, MultiTaskTarget(labels))


def test_an_estimator_without_probabilities_is_named_as_the_cause():
    model = Ridge().fit(X, SPECIES > 1)
    with pytest.raises(ValueError, match="needs decision_function or predict_proba"):
        make_task_scorer("roc_auc")(model, X, SPECIES > 1)


def test_a_regression_task_has_no_probabilities():
    y = MultiTaskTarget(mixed_labels())
    model = PerTask().fit(X, y)
    with pytest.raises(TaskLayoutError, match=r"'width' has nothing in .*predict_proba"):
        make_task_scorer({"width": "roc_auc"})(model, X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_no_task_with_a_score_is_an_error():
    model = Ridge().fit(X, IRIS[:, 2:])
    with pytest.raises(ValueError, match="No task has a score"):
        make_task_scorer()(model, X[:3], np.full((3, 2), np.nan))


def test_tasks_without_labels_in_a_fold_are_left_out_of_the_mean():
    model = Ridge().fit(X, IRIS[:, 2:])
    y = np.column_stack([IRIS[:, 2], np.full(150, np.nan)])
    for average in ("macro", "worst", "weighted"):
        with pytest.warns(UndefinedMetricWarning, match="'task1'"):
            score = make_task_scorer(average=average)(model, X, y)
        assert score == pytest.approx(r2_score(IRIS[:, 2], model.predict(X)[:, 0]))


def test_cross_val_predict_and_score_per_task_agree_on_every_fold_pooled():
    y = pd.DataFrame(mixed_labels())
    predicted = cross_val_predict(PerTask(), X, y, cv=SPLITS)
    scores = score_per_task(y, predicted)
    assert set(scores) == {"width", "species", "size"}
