"""Predictions that know how certain they are, of tasks seen, never seen and seen later."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import BayesianRidge
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import BayesianMultiTaskRegressor, MultiTaskTarget, TaskLayoutError, stack_tasks

FORMS = ["full", "diagonal", "spherical", "low_rank"]


def schools(n_tasks=12, n=15, p=3, seed=0, noise=0.5):
    """Tasks with rows of their own, whose weights are draws of one population."""
    rng = np.random.default_rng(seed)
    root = np.tril(rng.normal(size=(p, p))) * 0.4
    X = {f"s{t:02d}": rng.normal(size=(n, p)) + 0.5 for t in range(n_tasks)}
    W = {name: np.arange(1.0, p + 1) + root @ rng.normal(size=p) for name in X}
    y = {name: 2.0 + rows @ W[name] + noise * rng.normal(size=n) for name, rows in X.items()}
    return X, y, W


def in_long_form(X, y):
    frames = {name: (pd.DataFrame(rows, columns=list("abc")), y[name]) for name, rows in X.items()}
    return stack_tasks(frames, task_feature="school")


# -- standard deviations --------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_without_intercepts_the_variance_is_that_of_the_weights_and_the_noise(form):
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor(form, fit_intercept=False).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    for t, name in enumerate(X):
        np.testing.assert_allclose(mean[name], X[name] @ model.coef_[t], rtol=1e-10)
        spread = np.einsum("ni,ij,nj->n", X[name], model.coef_covariance_[t], X[name])
        np.testing.assert_allclose(std[name] ** 2, spread + model.noise_variance_[t], rtol=1e-9)


def test_one_task_without_a_population_mean_is_bayesian_ridge_for_the_same_hyper_parameters():
    X, y, _ = schools(n_tasks=1, n=40)
    (rows,), (labels,) = X.values(), y.values()
    model = BayesianMultiTaskRegressor(
        "spherical", prior_mean="zero", fit_intercept=False, tol=1e-12
    ).fit(X, y)
    noise, weight = 1.0 / model.noise_variance_[0], 1.0 / model.prior_covariance_[0, 0]
    # hyper-priors so narrow that the hyper-parameters stay where they are
    held = {"alpha_1": 1e12 * noise, "alpha_2": 1e12, "lambda_1": 1e12 * weight, "lambda_2": 1e12}
    ridge = BayesianRidge(
        fit_intercept=False, alpha_init=noise, lambda_init=weight, tol=1e-12, **held
    ).fit(rows, labels)
    ours, theirs = model.predict(X, return_std=True), ridge.predict(rows, return_std=True)
    # they are held to 1e-10 or so
    np.testing.assert_allclose(model.coef_covariance_[0], ridge.sigma_, rtol=1e-8)
    np.testing.assert_allclose(ours[0]["s00"], theirs[0], rtol=1e-8)
    np.testing.assert_allclose(ours[1]["s00"], theirs[1], rtol=1e-8)


@pytest.mark.parametrize(
    "container",
    [
        lambda y: y,
        lambda y: MultiTaskTarget(y),
        lambda y: pd.DataFrame(y),
        lambda y: np.column_stack(list(y.values())),
    ],
    ids=["dict", "target", "frame", "matrix"],
)
def test_deviations_come_in_the_container_of_predictions(container):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30, 3))
    y = {name: X @ rng.normal(size=3) + rng.normal(size=30) for name in "abcd"}
    y["b"][:12] = np.nan
    labels = container(y)
    mean, std = BayesianMultiTaskRegressor().fit(X, labels).predict(X, return_std=True)
    assert type(mean) is type(std) is type(labels)
    named = isinstance(std, dict | MultiTaskTarget)
    columns = [std[name] for name in "abcd"] if named else np.asarray(std).T
    reference = BayesianMultiTaskRegressor().fit(X, y).predict(X, return_std=True)[1]
    for name, column in zip("abcd", columns, strict=True):
        np.testing.assert_array_equal(column, reference[name])


def test_a_single_column_of_labels_gets_a_single_column_of_deviations():
    X, y, _ = schools(n_tasks=1)
    mean, std = BayesianMultiTaskRegressor().fit(X["s00"], y["s00"]).predict(X["s00"], True)
    assert mean.shape == std.shape == (15,)
    assert (std > 0).all()


def test_long_form_and_rows_of_their_own_tell_the_same():
    X, y, _ = schools()
    rows, labels = in_long_form(X, y)
    mean, std = BayesianMultiTaskRegressor().fit(X, y).predict(X, return_std=True)
    model = BayesianMultiTaskRegressor(task_feature="school").fit(rows, labels)
    found = model.predict(rows, return_std=True)
    np.testing.assert_allclose(found[0], np.concatenate(list(mean.values())), rtol=1e-10)
    np.testing.assert_allclose(found[1], np.concatenate(list(std.values())), rtol=1e-10)


def test_labels_far_from_the_others_are_less_certain():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor().fit(X, y)
    near = {name: rows.mean(axis=0, keepdims=True) for name, rows in X.items()}
    far = {name: rows + 100.0 for name, rows in near.items()}
    certain, doubtful = (model.predict(rows, return_std=True)[1] for rows in (near, far))
    assert all(doubtful[name] > 3.0 * certain[name] for name in X)


# -- tasks never seen -----------------------------------------------------------------------------


def test_a_task_never_seen_is_an_error_unless_the_prior_is_asked_for():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor().fit(X, y)
    with pytest.raises(TaskLayoutError, match=r"'new'.*never saw"):
        model.predict({**X, "new": X["s00"]})
    rows, labels = in_long_form(X, y)
    model = BayesianMultiTaskRegressor(task_feature="school").fit(rows, labels)
    with pytest.raises(TaskLayoutError, match=r"never saw.*'new'"):
        model.predict(rows.assign(school="new"))


def test_a_task_never_seen_is_predicted_from_the_population_and_less_certainly():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor(unseen_task="prior").fit(X, y)
    mean, std = model.predict({"s03": X["s03"], "new": X["s03"]}, return_std=True)
    assert list(mean) == ["s03", "new"]
    at_population = X["s03"] @ model.prior_mean_ + model.prior_intercept_mean_
    np.testing.assert_allclose(mean["new"], at_population, rtol=1e-10)
    assert (std["new"] > std["s03"]).all()
    np.testing.assert_array_equal(mean["s03"], model.predict(X)["s03"])


def test_the_variance_of_a_task_never_seen_is_that_of_the_population_and_of_its_mean():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor(
        unseen_task="prior", fit_intercept=False, noise="shared"
    ).fit(X, y)
    std = model.predict({"new": X["s00"]}, return_std=True)[1]["new"]
    whole = model.prior_covariance_ + model.prior_mean_covariance_
    spread = np.einsum("ni,ij,nj->n", X["s00"], whole, X["s00"])
    np.testing.assert_allclose(std**2, spread + model.noise_variance_[0], rtol=1e-9)


def test_folds_of_whole_tasks_are_scored_from_the_prior():
    X, y, _ = schools(n_tasks=20)
    rows, labels = in_long_form(X, y)
    model = BayesianMultiTaskRegressor(task_feature="school", unseen_task="prior")
    scores = cross_val_score(model, rows, labels, groups=rows["school"], cv=GroupKFold(4))
    assert (scores > 0.5).all()  # the population's mean explains most; nothing would score 0


def test_labels_in_units_of_their_own_say_nothing_of_tasks_never_seen():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor(target_scaling="standard", unseen_task="prior")
    with pytest.raises(ValueError, match=r"target_scaling='standard'.*unseen_task='error'"):
        model.fit(X, y)


# -- tasks that come later ------------------------------------------------------------------------


def test_a_task_added_with_many_rows_is_learned_and_leaves_the_others_alone():
    X, y, W = schools(n_tasks=13, n=400)
    last, *_ = reversed(X)
    old = {name: X[name] for name in X if name != last}
    model = BayesianMultiTaskRegressor().fit(old, {name: y[name] for name in old})
    before = model.predict(old)
    assert model.add_task({last: X[last]}, {last: y[last]}) is model
    assert model.task_names_ == [*old, last]
    after = model.predict(X)
    for name in old:
        np.testing.assert_array_equal(after[name], before[name])
    # 400 rows of noise 0.5: a weight has a standard error of 0.025
    np.testing.assert_allclose(model.coef_[-1], W[last], atol=0.1)
    assert model.noise_variance_[-1] == pytest.approx(0.25, rel=0.3)  # sd sqrt(2 / 400) = 7 %


def test_adding_a_task_is_near_to_fitting_with_it_where_there_are_many_others():
    X, y, _ = schools(n_tasks=80, n=8)
    *others, last = X
    old = {name: X[name] for name in others}
    model = BayesianMultiTaskRegressor(noise="shared").fit(old, {name: y[name] for name in others})
    whole = BayesianMultiTaskRegressor(noise="shared").fit(X, y)
    model.add_task({last: X[last]}, {last: y[last]})
    alone = np.linalg.lstsq(np.c_[X[last], np.ones(8)], y[last], rcond=None)[0][:3]
    # one task of 80 moves the population by about 1/80 of what tasks differ by
    near = np.abs(model.coef_[-1] - whole.coef_[-1]).max()
    assert near < 0.1 * np.abs(alone - whole.coef_[-1]).max()
    np.testing.assert_allclose(model.coef_covariance_[-1], whole.coef_covariance_[-1], rtol=0.1)


def test_every_row_of_a_new_task_makes_it_more_certain():
    X, y, _ = schools()
    rows = {"new": X["s00"]}
    fitted = BayesianMultiTaskRegressor(unseen_task="prior", noise="shared").fit(X, y)
    last = fitted.predict(rows, return_std=True)[1]["new"]
    for n in (1, 5, 15):
        model = pickle.loads(pickle.dumps(fitted))
        model.add_task({"new": X["s01"][:n]}, {"new": y["s01"][:n]})
        std = model.predict(rows, return_std=True)[1]["new"]
        assert (std < last).all()
        last = std


def test_columns_of_an_array_are_numbered_on_and_long_form_takes_new_names():
    X, y, _ = schools()
    rows = X["s00"]
    labels = np.column_stack([rows @ [1.0, 2.0, 3.0], rows @ [1.0, 2.0, 2.5], rows @ [0.5, 2, 3.0]])
    labels += 0.1 * np.random.default_rng(0).normal(size=labels.shape)
    model = BayesianMultiTaskRegressor().fit(rows, labels[:, :2]).add_task(rows, labels[:, 2])
    assert model.task_names_ == ["task0", "task1", "task2"]
    np.testing.assert_allclose(model.predict(rows), labels, atol=0.5)

    stacked, tags = in_long_form(X, y)
    model = BayesianMultiTaskRegressor(task_feature="school").fit(stacked, tags)
    model.add_task(stacked[:15].assign(school="new"), tags[:15])
    assert model.task_names_[-1] == "new"
    assert model.predict(stacked[:15].assign(school="new")).shape == (15,)


def test_a_frame_of_labels_grows_by_a_column():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(20, 2)), columns=["a", "b"])
    y = pd.DataFrame({"x": X["a"] + X["b"], "z": X["a"]})
    model = BayesianMultiTaskRegressor().fit(X, y).add_task(X, pd.DataFrame({"w": X["b"]}))
    assert list(model.predict(X).columns) == ["x", "z", "w"]


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        ({"s00": np.ones((2, 3))}, {"s00": [1.0, 2.0]}, "'s00'.*known already"),
        (np.ones((2, 3)), [1.0, 2.0], "rows for each task"),
        ({"new": np.ones((2, 3))}, {"new": [np.nan, np.nan]}, "'new' has no observed label"),
        ({"new": np.ones((2, 2))}, {"new": [1.0, 2.0]}, "'new'.*2 features.*expecting 3"),
    ],
    ids=["a known name", "another form", "no label", "other features"],
)
def test_a_task_that_cannot_be_added_is_refused_in_words(X, y, words):
    model = BayesianMultiTaskRegressor().fit(*schools()[:2])
    with pytest.raises(ValueError, match=words):
        model.add_task(X, y)
    assert len(model.task_names_) == 12


def test_one_column_without_a_name_takes_no_further_task():
    X, y, _ = schools(n_tasks=1)
    model = BayesianMultiTaskRegressor().fit(X["s00"], y["s00"])
    with pytest.raises(TaskLayoutError, match=r"one task without a name.*\(n, 1\)"):
        model.add_task(X["s00"], y["s00"])


def test_rows_that_come_after_a_task_was_added_are_learned_with_it():
    X, y, _ = schools()
    *others, last = X
    model = BayesianMultiTaskRegressor(tol=1e-10)
    model.fit({name: X[name] for name in others}, {name: y[name] for name in others})
    model.add_task({last: X[last][:7]}, {last: y[last][:7]})
    assert model.statistics_.count.tolist() == [15] * 11 + [7]
    later = {name: X[name][7:] for name in X}
    model.partial_fit(later, {name: y[name][7:] for name in X})
    halves = {name: np.concatenate([X[name], X[name][7:]]) for name in others} | {last: X[last]}
    labels = {name: np.concatenate([y[name], y[name][7:]]) for name in others} | {last: y[last]}
    whole = BayesianMultiTaskRegressor(tol=1e-10).fit(halves, labels)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-5, atol=1e-6)


def test_an_added_task_leaves_what_is_expected_of_others_alone():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor(unseen_task="prior").fit(X, y)
    before = model.predict({"new": X["s00"]}, return_std=True)
    model.add_task({"wild": X["s01"]}, {"wild": 1000.0 * y["s01"]})
    after = model.predict({"new": X["s00"]}, return_std=True)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one["new"], other["new"])


# -- what is said of data that the model is not for -----------------------------------------------


def test_labels_of_very_different_scales_are_told_of_with_the_tasks_and_the_remedy():
    X, y, _ = schools()
    y["s04"] = 1e4 * y["s04"]
    with pytest.warns(UserWarning, match=r"'s04'.*standard deviation.*target_scaling='standard'"):
        BayesianMultiTaskRegressor().fit(X, y)
    BayesianMultiTaskRegressor(target_scaling="standard").fit(X, y)  # warnings are errors here


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_errors_that_rows_have_in_common_are_told_of(missing):
    rng = np.random.default_rng(0)
    X, common = rng.normal(size=(80, 4)), rng.normal(size=(80, 1))
    Y = X @ rng.normal(size=(4, 6)) + rng.normal(size=(80, 6))
    hidden = rng.random(Y.shape) < missing
    BayesianMultiTaskRegressor().fit(X, np.where(hidden, np.nan, Y))  # warnings are errors here
    together = np.where(hidden, np.nan, Y + common)
    with pytest.warns(UserWarning, match=r"mean correlation of 0\.[45].*prior_mean='zero'"):
        BayesianMultiTaskRegressor().fit(X, together)
    BayesianMultiTaskRegressor(prior_mean="zero").fit(X, together)


def test_rows_of_no_task_and_draws_of_no_number_are_refused_in_words():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor(unseen_task="prior").fit(X, y)
    with pytest.raises(TaskLayoutError, match="without any task"):
        model.predict({})
    with pytest.raises(ValueError, match="n_samples"):
        model.sample_y(X, n_samples=0)
    with pytest.raises(TypeError, match="n_samples"):
        model.sample_y(X, n_samples=2.5)


# -- draws ----------------------------------------------------------------------------------------


def test_draws_have_the_mean_and_the_deviation_of_predictions():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor(unseen_task="prior").fit(X, y)
    rows = {"s00": X["s00"], "new": X["s00"]}
    mean, std = model.predict(rows, return_std=True)
    samples = model.sample_y(rows, n_samples=4000, random_state=0)
    for name in rows:
        assert samples[name].shape == (15, 4000)
        # of 4000 draws, a mean is off by sd / 63 and a deviation by 1.1 %: four and five of these
        np.testing.assert_allclose(
            samples[name].mean(axis=1), mean[name], atol=0.07 * std[name].max()
        )
        np.testing.assert_allclose(samples[name].std(axis=1), std[name], rtol=0.06)


def test_labels_of_one_draw_err_together():
    X, y, _ = schools(noise=0.05)
    model = BayesianMultiTaskRegressor(unseen_task="prior").fit(X, y)
    rows = np.array([[1.0, 1.0, 1.0], [1.01, 1.0, 1.0]])
    samples = model.sample_y({"new": rows}, n_samples=500)["new"]
    assert np.corrcoef(samples)[0, 1] > 0.9


def test_draws_have_the_shape_of_the_labels():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(9, 2)), rng.normal(size=(9, 3))
    assert BayesianMultiTaskRegressor().fit(X, Y).sample_y(X, 4).shape == (9, 3, 4)
    assert BayesianMultiTaskRegressor().fit(X, Y[:, 0]).sample_y(X, 4).shape == (9, 4)
    named = BayesianMultiTaskRegressor().fit(X, pd.DataFrame(Y, columns=list("abc"))).sample_y(X)
    assert {name: part.shape for name, part in named.items()} == dict.fromkeys("abc", (9, 1))
    model = BayesianMultiTaskRegressor().fit(X, Y)
    np.testing.assert_array_equal(
        model.sample_y(X, random_state=1), model.sample_y(X, random_state=1)
    )


# -- what is learned ------------------------------------------------------------------------------


def test_what_is_said_of_the_population_is_near_what_made_the_tasks():
    X, y, _ = schools(n_tasks=300, n=30, seed=3)
    model = BayesianMultiTaskRegressor(tol=1e-8).fit(X, y)
    rng = np.random.default_rng(3)
    root = np.tril(rng.normal(size=(3, 3))) * 0.4
    # 300 draws: a mean is off by its sd / 17, a covariance by 8 % of the variances
    np.testing.assert_allclose(model.prior_mean_, [1.0, 2.0, 3.0], atol=0.15)
    scale = np.trace(root @ root.T)
    np.testing.assert_allclose(model.prior_covariance_, root @ root.T, atol=0.15 * scale)
    np.testing.assert_allclose(model.noise_variance_.mean(), 0.25, rtol=0.05)
    assert model.prior_intercept_mean_ == pytest.approx(2.0, abs=0.15)


def test_the_evidence_prefers_a_form_that_made_the_tasks():
    rng = np.random.default_rng(0)
    X = {t: rng.normal(size=(20, 4)) for t in range(60)}
    y = {t: X[t] @ (np.array([3.0, 0.1, 0.1, 0.1]) * rng.normal(size=4)) for t in X}
    y = {t: labels + 0.3 * rng.normal(size=20) for t, labels in y.items()}
    evidence = {form: BayesianMultiTaskRegressor(form).fit(X, y).log_evidence_ for form in FORMS}
    assert evidence["diagonal"] > evidence["spherical"] + 10.0


def test_units_of_labels_and_features_change_nothing_but_units():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor().fit(X, y)
    scale = np.array([1e3, 1.0, 1e-3])
    moved = {name: rows * scale + 10.0 for name, rows in X.items()}
    other = BayesianMultiTaskRegressor().fit(moved, {name: 1e4 * part for name, part in y.items()})
    mean, std = model.predict(X, return_std=True)
    found = other.predict(moved, return_std=True)
    for name in X:
        # the path of the iterations is the same, up to rounding
        np.testing.assert_allclose(found[0][name], 1e4 * mean[name], rtol=1e-6)
        np.testing.assert_allclose(found[1][name], 1e4 * std[name], rtol=1e-6)
    change = -len(X) * 15 * np.log(1e4)
    assert other.log_evidence_ == pytest.approx(model.log_evidence_ + change, rel=1e-8)


def test_targets_in_different_units_are_learned_alike_where_each_is_standardised():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(25, 5))
    w = rng.normal(size=5)
    Y = np.column_stack(
        [X @ (w + 0.1 * rng.normal(size=5)) + rng.normal(size=25) for _ in range(4)]
    )
    units = np.array([1e-3, 1.0, 1e3, 1e6])
    model = BayesianMultiTaskRegressor(target_scaling="standard")
    plain = model.fit(X, Y).predict(X)
    np.testing.assert_allclose(clone(model).fit(X, Y * units).predict(X), plain * units, rtol=1e-6)


def test_a_weight_counts_repetitions_in_the_evidence_too():
    X, y, _ = schools(n_tasks=4)
    weight = {name: np.arange(15) % 3 for name in X}
    repeated = {name: np.repeat(rows, weight[name], axis=0) for name, rows in X.items()}
    labels = {name: np.repeat(part, weight[name]) for name, part in y.items()}
    one = BayesianMultiTaskRegressor(tol=1e-10).fit(X, y, sample_weight=weight)
    other = BayesianMultiTaskRegressor(tol=1e-10).fit(repeated, labels)
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-6)
    assert one.log_evidence_ == pytest.approx(other.log_evidence_, rel=1e-9)


def test_scores_never_fall_and_end_where_the_warning_says():
    X, y, _ = schools()
    model = BayesianMultiTaskRegressor().fit(X, y)
    assert (np.diff(model.scores_) >= -1e-9 * abs(model.scores_[-1])).all()
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        BayesianMultiTaskRegressor(max_iter=1).fit(X, y)


def test_it_drops_into_pipelines_and_searches():
    X, y, _ = schools()
    rows, labels = in_long_form(X, y)
    folds = list(StratifiedKFold(3).split(rows, rows["school"]))
    search = GridSearchCV(
        BayesianMultiTaskRegressor(task_feature="school"),
        {"prior_covariance": FORMS, "noise": ["task", "shared"]},
        cv=folds,
    ).fit(rows, labels)
    assert search.best_score_ > 0.5
    shared = np.random.default_rng(0).normal(size=(30, 3))
    Y = pd.DataFrame(shared @ np.ones((3, 2)), columns=["a", "b"])
    pipeline = make_pipeline(StandardScaler(), BayesianMultiTaskRegressor()).fit(shared, Y)
    mean, std = pipeline.predict(shared, return_std=True)
    assert list(mean.columns) == list(std.columns) == ["a", "b"]


def test_parts_of_the_rows_give_the_fit_of_all():
    X, y, _ = schools()
    whole = BayesianMultiTaskRegressor(tol=1e-10).fit(X, y)
    parts = BayesianMultiTaskRegressor(tol=1e-10)
    for part in (slice(0, 4), slice(4, 15)):
        parts.partial_fit(
            {name: rows[part] for name, rows in X.items()},
            {name: labels[part] for name, labels in y.items()},
        )
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-6)


def test_noise_counts_as_common_as_far_as_tasks_were_found_alike():
    X, y, _ = schools(n_tasks=40, n=30)
    alike = BayesianMultiTaskRegressor().fit(X, y)
    rng = np.random.default_rng(1)
    louder = {
        name: labels + rng.choice([0.0, 5.0]) * rng.normal(size=30) for name, labels in y.items()
    }
    apart = BayesianMultiTaskRegressor().fit(X, louder)
    assert apart.noise_pseudo_labels_ < 0.2 * alike.noise_pseudo_labels_
    assert apart.noise_pseudo_labels_ >= 2.0


def test_directions_that_the_hyper_prior_alone_keeps_are_counted():
    X, y, _ = schools(n_tasks=40, n=60, noise=0.1)
    assert BayesianMultiTaskRegressor().fit(X, y).n_singular_ == 0
    # the second weight of all tasks is the same
    same = {name: rows[:, 0] * rows[:, 0].mean() + rows[:, 1] for name, rows in X.items()}
    model = BayesianMultiTaskRegressor(pseudo_tasks=0.0, tol=1e-10).fit(X, same)
    assert model.n_singular_ >= 1
    assert np.isfinite(model.coef_).all()
