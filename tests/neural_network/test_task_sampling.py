"""``task_sampling`` of the networks: where it applies, what it leaves alone, what it helps."""

import pickle

import numpy as np
import pytest
from _plain import PLAIN
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

from sklearn_mtl import MultiTaskEstimator, MultiTaskRegressor, stack_tasks

SMALL = {
    **PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 3, "batch_size": 16, "random_state": 0,
}  # fmt: skip


def own_rows(counts=(4, 60), seed=0):
    rng = np.random.default_rng(seed)
    X = {f"t{t}": rng.normal(size=(n, 3)) for t, n in enumerate(counts)}
    return X, {name: part @ [1.0, -1.0, 0.5] for name, part in X.items()}


def long_form(X, y):
    return stack_tasks({name: (X[name], y[name]) for name in X})


def together(prediction):
    return np.concatenate(list(prediction.values()))


@pytest.mark.parametrize(
    ("word", "number"), [("proportional", 1.0), ("temperature", 2.0), ("uniform", np.inf)]
)
def test_a_word_is_its_temperature(word, number):
    X, y = own_rows()
    by_word, by_number = (
        MultiTaskRegressor(task_sampling=sampling, **SMALL).fit(X, y).predict(X)
        for sampling in (word, number)
    )
    assert np.array_equal(together(by_word), together(by_number))


def test_each_sampling_trains_another_network():
    X, y = own_rows()
    found = [
        together(MultiTaskRegressor(task_sampling=sampling, **SMALL).fit(X, y).predict(X))
        for sampling in ("proportional", "temperature", "uniform", 4)
    ]
    assert len({prediction.tobytes() for prediction in found}) == 4


def test_own_rows_are_long_form():
    X, y = own_rows()
    params = {**SMALL, "task_sampling": "uniform", "dtype": "float64"}
    stacked, labels = long_form(X, y)
    own = MultiTaskRegressor(**params).fit(X, y)
    long = MultiTaskRegressor(task_feature=3, **params).fit(stacked, labels)
    # the same steps on the same rows in float64
    np.testing.assert_allclose(together(own.predict(X)), long.predict(stacked), rtol=1e-12)


@pytest.mark.parametrize("sampling", ["uniform", "temperature", 1.5])
@pytest.mark.parametrize("streaming", [False, True])
def test_shared_rows_are_told_where_sampling_applies(sampling, streaming):
    X, y = np.zeros((4, 2)), np.ones((4, 2))
    model = MultiTaskRegressor(task_sampling=sampling, **SMALL)
    with pytest.raises(ValueError, match=r"task_sampling=.* dict .*long form.*task_feature"):
        (model.partial_fit if streaming else model.fit)(X, y)


@pytest.mark.parametrize("sampling", ["even", 0.5, -1.0, np.nan, None])
def test_what_is_no_sampling_is_refused(sampling):
    X, y = own_rows()
    with pytest.raises(ValueError, match="'task_sampling' parameter of MultiTaskRegressor"):
        MultiTaskRegressor(task_sampling=sampling, **SMALL).fit(X, y)


def test_rows_of_no_weight_are_rows_that_are_not_there():
    X, y = own_rows((5, 40))
    more = {name: np.vstack([part, part[:3] + 9.0]) for name, part in X.items()}
    labels = {name: np.append(part, [50.0, 60.0, 70.0]) for name, part in y.items()}
    weights = {name: np.append(np.ones(len(part)), np.zeros(3)) for name, part in y.items()}
    params = {**SMALL, "task_sampling": "temperature", "dtype": "float64"}
    without = MultiTaskRegressor(**params).fit(X, y)
    with_zeros = MultiTaskRegressor(**params).fit(more, labels, weights)
    # the same steps in float64, but for weights of 1 beside none
    np.testing.assert_allclose(
        together(with_zeros.predict(X)), together(without.predict(X)), rtol=1e-10
    )


@pytest.mark.parametrize("early_stopping", [False, True])
def test_kinds_single_rows_and_held_out_rows_go_with_sampling(early_stopping):
    X, y = own_rows((1, 40, 30))
    y["t1"] = np.where(y["t1"] > 0, "yes", "no")
    y["t2"] = np.array(["a", "b", "c"])[np.arange(30) % 3]
    params = {**SMALL, "early_stopping": early_stopping, "task_sampling": "uniform"}
    model = MultiTaskEstimator(**params).fit(X, y)
    assert np.isfinite(list(model.history_["train"].values())).all()
    assert ("validation" in model.history_) == early_stopping
    again = pickle.loads(pickle.dumps(clone(model).fit(X, y)))
    for name in y:
        assert np.array_equal(model.predict(X)[name], again.predict(X)[name])


def test_training_goes_on_where_a_task_is_absent():
    X, y = own_rows((5, 40, 40))
    model = MultiTaskRegressor(task_sampling="uniform", **SMALL)
    model.partial_fit(X, y)
    y["t1"] = np.full(40, np.nan)
    model.partial_fit(X, y)
    assert np.isnan(model.history_["train"]["t1"][1])
    assert np.isfinite(model.history_["train"]["t0"]).all()


def test_a_grid_searches_over_sampling():
    stacked, labels = long_form(*own_rows((12, 60)))
    model = MultiTaskRegressor(task_feature=3, **SMALL)
    grid = {"task_sampling": ["proportional", "uniform", 3.0]}
    search = GridSearchCV(model, grid, cv=KFold(2, shuffle=True, random_state=0)).fit(
        stacked, labels
    )
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_task_of_few_rows_is_learned_sooner_beside_one_of_many():
    gains, losses = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        mix = rng.normal(size=(6, 8)) / np.sqrt(6)
        large, other = rng.normal(size=(2, 8))
        small = 0.5 * large + other  # tasks that are related
        X = {"small": rng.normal(size=(22, 6)), "large": rng.normal(size=(1100, 6))}
        y = {name: np.tanh(X[name] @ mix) @ v for name, v in (("small", small), ("large", large))}
        test = rng.normal(size=(300, 6))
        truth = {"small": np.tanh(test @ mix) @ small, "large": np.tanh(test @ mix) @ large}
        params = {
            **PLAIN, "hidden_layer_sizes": (32,), "dropout": 0.0, "max_epochs": 10,
            "batch_size": 64, "early_stopping": False, "random_state": seed,
        }  # fmt: skip
        score = {
            sampling: MultiTaskRegressor(task_sampling=sampling, **params)
            .fit(X, y)
            .predict({"small": test, "large": test})
            for sampling in ("proportional", "uniform")
        }
        explained = {
            sampling: {n: 1 - np.var(p[n] - truth[n]) / np.var(truth[n]) for n in truth}
            for sampling, p in score.items()
        }
        gains.append(explained["uniform"]["small"] - explained["proportional"]["small"])
        losses.append(explained["proportional"]["large"] - explained["uniform"]["large"])
    # a short training, in which the small task's gradient is mostly noise unless it is sampled;
    # trained for long at a high rate both samplings end alike
    assert np.mean(gains) > 0.1
    assert np.mean(losses) < 0.05
