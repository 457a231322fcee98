"""Predictive distributions of tasks that are drawn from the model: they hold what they promise."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

from sklearn_mtl import BayesianMultiTaskRegressor

LEVELS = np.array([0.50, 0.80, 0.95])
N_FEATURES, N_TEST = 3, 6
N_OLD, N_NEW = 600, 600  # tasks of fit, tasks that come later
# of tasks with one noise variance few labels are enough, also where that is not known before; where
# each has its own, many are needed until it is known so well that labels are normal, given it
N_LABELS = {"shared": 12, "alike": 12, "task": 100}
# where noise differs, labels of a task of which nobody knows it are not normal
CASES = [
    ("shared", "seen"),
    ("shared", "unseen"),
    ("shared", "added"),
    ("alike", "seen"),
    ("alike", "unseen"),
    ("alike", "added"),
    ("task", "seen"),
    ("task", "added"),
]


@dataclass(frozen=True)
class Outcome:
    """Labels of tasks (T, n), and what was said of them before."""

    true: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    noise: np.ndarray  # variance that was learned, (T, 1), or (1, 1) of a task never seen
    samples: np.ndarray  # of the first label of some tasks, and of its copy, (tasks, 2, draws)


def draw_tasks(rng, n_labels, noise):
    """Return X (T, n, p) and y (T, n) of tasks from a population whose weights are correlated."""
    shape = (len(noise), n_labels + N_TEST)
    root = 0.4 * np.tri(N_FEATURES)
    weights = rng.normal(size=N_FEATURES) + rng.normal(size=(len(noise), N_FEATURES)) @ root.T
    X = rng.normal(size=(*shape, N_FEATURES))
    expected = np.einsum("tnp,tp->tn", X, weights) + rng.normal(3.0, 0.7, size=(len(noise), 1))
    return X, expected + noise * rng.normal(size=shape)


def long_form(X, names):
    """Return the rows of tasks as one matrix, the name of each row's task in front."""
    return np.column_stack([np.repeat(names, X.shape[1]), X.reshape(-1, N_FEATURES)])


@cache
def outcomes(noise):
    """Return what a model of N_OLD tasks says of them and of N_NEW others, by group."""
    rng = np.random.default_rng(1)
    deviation = np.ones((N_OLD + N_NEW, 1))
    if noise == "task":
        deviation = np.exp(0.5 * rng.normal(size=deviation.shape))
    X, y = draw_tasks(rng, N_LABELS[noise], deviation)
    old, new = np.split(np.arange(N_OLD + N_NEW), [N_OLD])
    own = "shared" if noise == "shared" else "task"
    model = BayesianMultiTaskRegressor(task_feature=0, unseen_task="prior", noise=own)
    model.fit(long_form(X[old, N_TEST:], old), y[old, N_TEST:].ravel())

    def ask(tasks):
        rows = long_form(X[tasks, :N_TEST], tasks)
        mean, std = (part.reshape(-1, N_TEST) for part in model.predict(rows, return_std=True))
        some = tasks[:40]
        twice = long_form(np.repeat(X[some, :1], 2, axis=1), some)
        samples = model.sample_y(twice, 4000, random_state=0).reshape(len(some), 2, -1)
        known = model.noise_variance_[:, None]
        learned = known[tasks] if len(known) > tasks[-1] else known.mean(keepdims=True)
        return Outcome(y[tasks, :N_TEST], mean, std, learned, samples)

    found = {"seen": ask(old), "unseen": ask(new)}
    model.add_task(long_form(X[new, N_TEST:], new), y[new, N_TEST:].ravel())
    return found | {"added": ask(new)}


def excess(outcome, std):
    """Return how much too many labels each interval holds, in standard errors.

    Labels of one task err together and tasks do not: it is the error of the mean over tasks.
    """
    inside = np.abs(outcome.true - outcome.mean) / std < norm.ppf(0.5 + LEVELS / 2)[:, None, None]
    by_task = inside.mean(axis=2)
    return (by_task.mean(axis=1) - LEVELS) / (by_task.std(axis=1, ddof=1) / np.sqrt(N_OLD))


@pytest.mark.parametrize(("noise", "group"), CASES)
def test_intervals_hold_their_share_of_labels(noise, group):
    outcome = outcomes(noise)[group]
    # 3600 labels: a standard error is 0.4 (95 %) to 0.9 (50 %) points
    assert (np.abs(excess(outcome, outcome.std)) < 3.0).all()


@pytest.mark.parametrize(("noise", "group"), CASES)
@pytest.mark.parametrize("fault", ["a tenth less", "a tenth more", "noise left out"])
def test_intervals_that_are_wrong_are_noticed(noise, group, fault):
    outcome = outcomes(noise)[group]
    faulty = {
        "a tenth less": 0.9 * outcome.std,
        "a tenth more": 1.1 * outcome.std,
        "noise left out": np.sqrt(np.square(outcome.std) - outcome.noise),
    }
    assert (np.abs(excess(outcome, faulty[fault])) > 3.0).any()


@pytest.mark.parametrize(("noise", "group"), CASES)
def test_samples_have_the_quantiles_of_predictions(noise, group):
    outcome = outcomes(noise)[group]
    mean, std = outcome.mean[:40, 0], outcome.std[:40, 0]
    drawn = (outcome.samples[:, 0] - mean[:, None]) / std[:, None]
    shares = np.array([0.025, 0.10, 0.25, 0.50, 0.75, 0.90, 0.975])
    expected = norm.ppf(shares)
    # asymptotic standard error of a quantile, of 40 tasks that are drawn independently
    error = np.sqrt(shares * (1 - shares) / drawn.size) / norm.pdf(expected)
    assert (np.abs(np.quantile(drawn, shares) - expected) < 4.0 * error).all()


@pytest.mark.parametrize("group", ["seen", "unseen", "added"])
def test_samples_of_a_task_err_together_as_far_as_its_weights_are_unknown(group):
    outcome = outcomes("shared")[group]
    std = outcome.std[:40, 0]
    standard = (outcome.samples - outcome.mean[:40, :1, None]) / std[:, None, None]
    together = (standard[:, 0] * standard[:, 1]).mean(axis=1)
    expected = 1.0 - outcome.noise[0] / np.square(std)  # noise is each label's own
    error = np.sqrt((1.0 + np.square(expected)) / standard.shape[2])  # of a mean of products
    assert (np.abs(together - expected) < 4.0 * error).all()


@pytest.mark.parametrize("spread", [0.1, 1.0])
@pytest.mark.parametrize("n_tasks", [3, 10])
def test_tasks_never_seen_are_as_uncertain_as_few_tasks_let_them_be(n_tasks, spread):
    """What the tasks have in common makes most of the labels, and no part of the intervals."""
    std, error = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        mean = 2.0 * rng.normal(size=4)

        def draw(rng=rng, mean=mean):
            X = rng.normal(size=(20, 4))
            weights = mean + 0.3 * rng.normal(size=4)
            return X, X @ weights + spread * rng.normal() + 0.5 * rng.normal(size=20)

        tasks = {f"old {t}": draw() for t in range(n_tasks)}
        model = BayesianMultiTaskRegressor(unseen_task="prior")
        model.fit({t: X for t, (X, _) in tasks.items()}, {t: y for t, (_, y) in tasks.items()})
        new = {f"new {t}": draw() for t in range(5)}
        found = model.predict({t: X for t, (X, _) in new.items()}, return_std=True)
        std += [found[1][t] for t in new]
        error += [new[t][1] - found[0][t] for t in new]
    ratio = np.sqrt(np.mean(np.square(std)) / np.mean(np.square(error)))
    # 30 populations: a standard error of 5 %. One further intercept as variable as all labels made
    # it 2.5 to 4.2 with 3 tasks, 1.6 to 2.2 with 10
    assert 0.85 < ratio < 1.45


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_tasks", [1, 2, 3])
def test_one_label_a_task_makes_no_tasks_alike(n_tasks, seed):
    rng = np.random.default_rng(seed)
    X = {f"t{t}": rng.normal(size=(1, 3)) for t in range(n_tasks)}
    y = {t: rows @ [1.0, 2.0, 0.0] for t, rows in X.items()}
    model = BayesianMultiTaskRegressor(unseen_task="prior").fit(X, y)
    spread = np.std([label[0] for label in y.values()]) or 1.0  # one label has a scale of 1
    # without the first hyper-prior, 0.01 of that and less
    assert np.sqrt(model.prior_intercept_variance_) > 0.2 * spread
    _, std = model.predict({"new": np.eye(3)}, return_std=True)
    assert (std["new"] > 0.5 * spread).all()
