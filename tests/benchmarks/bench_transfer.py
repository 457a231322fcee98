"""Is `transfer_report` honest? False flags where nothing is gained, true ones where much is.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_transfer.py [SCHOOL] [--simulations 200] \\
        [--only default]

Simulates six tasks of 60 rows and 10 features, noise of variance 1, each scenario with rows of
their own and with rows in common:

    same model   a random tree a task against the same with another seed: nothing to gain
    unrelated    orthogonal weights, so that all tasks gain the same by symmetry
    related      weights that differ by a tenth of what they share, on 20 rows

and prints how often a task is flagged, how often any task of a report is, the true gain (errors
on 2000 fresh rows, of fits on the training share of the rows), and how often intervals cover it.
Of tasks that gain nothing, at most level / 2 = 2.5 % should be flagged helped.

    default      every family of the package against ``baseline=None`` on ten tasks of 40 rows and
                 20 features of their own, weights drawn for each, noise of variance 36

by a tenth as many simulations: a baseline that is less penalised than tasks are beside others from
which they learn nothing would lose. SCHOOL is what ``examples/plot_school.py`` reads; for it,
prints the report. Takes about half an hour on two cores, a third of it without the default.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import RidgeCV
from sklearn.tree import ExtraTreeRegressor

from sklearn_mtl import (
    BayesianMultiTaskClassifier,
    BayesianMultiTaskRegressor,
    GraphClassifier,
    GraphRegressor,
    GraphRegressorCV,
    IndependentTasks,
    JointFeatureClassifier,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LowRankClassifier,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskClassifier,
    MultiTaskLinearRegressor,
    MultiTaskRegressor,
    PooledTasks,
    StackedTasks,
    TaskChain,
    TaskGrouping,
    TaskRelationshipClassifier,
    TaskRelationshipRegressor,
    stack_tasks,
    transfer_report,
)
from sklearn_mtl.convex import GraphLaplacian, GroupL21

N_TASKS, N_FEATURES, N_FRESH = 6, 10, 2000
DIRECTIONS = np.linalg.qr(np.random.default_rng(0).normal(size=(N_FEATURES, N_TASKS)))[0].T
UNRELATED = 1.5 * DIRECTIONS
RELATED = 1.5 * DIRECTIONS[:1] + 0.15 * DIRECTIONS

RIDGE = IndependentTasks(RidgeCV(np.geomspace(0.01, 1000, 20)))
MEAN = MeanRegularizedRegressorCV(alphas_shared=3, alphas_specific=4, cv=3)
LOW_RANK = LowRankRegressorCV(alphas=6, cv=3)


@dataclass
class Scenario:
    """What is compared, on which tasks."""

    name: str
    weights: np.ndarray
    n_rows: int
    estimator: Any
    baseline: Any


SCENARIOS = [
    Scenario(
        "same model",
        UNRELATED,
        60,
        IndependentTasks(ExtraTreeRegressor(random_state=1)),
        IndependentTasks(ExtraTreeRegressor(random_state=2)),
    ),
    Scenario("unrelated", UNRELATED, 60, MEAN, RIDGE),
    Scenario("unrelated", UNRELATED, 60, LOW_RANK, RIDGE),
    Scenario("related", RELATED, 20, MEAN, RIDGE),
    Scenario("related", RELATED, 20, LOW_RANK, RIDGE),
]


def draw(weights, n_rows, rng, *, own, noise=1.0):
    """Return X and y: dicts of rows of their own, or arrays of rows in common."""
    if own:
        X = {f"task{t}": rng.normal(size=(n_rows, N_FEATURES)) for t in range(N_TASKS)}
        y = {
            name: rows @ w + noise * rng.normal(size=n_rows)
            for (name, rows), w in zip(X.items(), weights, strict=True)
        }
        return X, y
    X = rng.normal(size=(n_rows, N_FEATURES))
    return X, X @ weights.T + noise * rng.normal(size=(n_rows, N_TASKS))


def true_errors(model, scenario, rng, *, own):
    """Return each task's root mean squared error on fresh rows, after a fit of a fold's size."""
    train = draw(scenario.weights, scenario.n_rows * 4 // 5, rng, own=own)
    X, expected = draw(scenario.weights, N_FRESH, rng, own=own, noise=0.0)
    predicted = model.fit(*train).predict(X)
    if own:
        predicted, expected = (
            np.column_stack([values[name] for name in X]) for values in (predicted, expected)
        )
    return np.sqrt(np.mean((predicted - expected) ** 2, axis=0) + 1.0)


def simulate(scenario, seed, *, own):
    """Return gain, low and high of one report, and true errors of both sides."""
    X, y = draw(scenario.weights, scenario.n_rows, np.random.default_rng(seed), own=own)
    report = transfer_report(
        scenario.estimator, X, y, baseline=scenario.baseline, random_state=seed
    )
    truth = [
        true_errors(side, scenario, np.random.default_rng([seed, 1]), own=own)
        for side in (scenario.baseline, scenario.estimator)
    ]
    return np.array([report.gain, report.low, report.high]), np.array(truth)


def show(scenario, n_simulations, n_jobs, *, own):
    """Print what flags there were."""
    found = Parallel(n_jobs=n_jobs)(
        delayed(simulate)(scenario, seed, own=own) for seed in range(n_simulations)
    )
    gain, low, high = np.stack([intervals for intervals, _ in found], axis=1)
    baseline, multitask = np.mean([truth for _, truth in found], axis=(0, 2))
    true_gain = 1 - multitask / baseline
    helped, hurt = low > 0, high < 0
    covers = (low <= true_gain) & (true_gain <= high)
    rows = "own" if own else "in common"
    print(
        f"{scenario.name:11s}{type(scenario.estimator).__name__:28s}{rows:10s}"
        f"{true_gain:10.1%}{gain.mean():10.1%}{helped.mean():9.1%}{hurt.mean():9.1%}"
        f"{helped.any(axis=1).mean():12.1%}{covers.mean():9.1%}",
        flush=True,
    )


# what they fit, and with which hyper-parameters
RIDGES = RidgeCV(np.geomspace(0.1, 1e4, 12))
FAMILIES = {
    "numbers": [
        MeanRegularizedRegressor(),
        MeanRegularizedRegressorCV(alphas_shared=4, alphas_specific=6, cv=3),
        TaskRelationshipRegressor(),
        GraphRegressor(),
        GraphRegressor("chain", gamma=0.3),
        GraphRegressorCV(gammas=4, alphas=6, cv=3),
        LowRankRegressor(),
        LowRankRegressorCV(alphas=8, cv=3),
        JointFeatureRegressor(),
        JointFeatureRegressorCV(alphas=8, cv=3),
        MultiTaskLinearRegressor(GroupL21(0.1) + GraphLaplacian("ring", 0.1)),
        BayesianMultiTaskRegressor(),
        BayesianMultiTaskRegressor(prior_covariance="diagonal"),
        StackedTasks(RIDGES, cv=3),
        TaskChain(RIDGES, cv=3),
        PooledTasks(RIDGES),
        TaskGrouping(MeanRegularizedRegressor(), n_groups=3, affinity="coefficients"),
        MultiTaskRegressor(hidden_layer_sizes=(8,), max_epochs=20, n_estimators=1),
    ],
    "classes": [
        MeanRegularizedClassifier(),
        TaskRelationshipClassifier(),
        GraphClassifier(),
        LowRankClassifier(),
        JointFeatureClassifier(),
        BayesianMultiTaskClassifier(),
        MultiTaskClassifier(hidden_layer_sizes=(8,), max_epochs=20, n_estimators=1),
    ],
}


def simulate_default(estimator, kind, seed):
    """Return the mean gain found on unrelated tasks, shares flagged, and whether it is above 0."""
    rng = np.random.default_rng(seed)
    X = {f"task{t}": rng.normal(size=(40, 20)) for t in range(10)}
    y = {name: rows @ rng.normal(size=20) + 6.0 * rng.normal(size=40) for name, rows in X.items()}
    if kind == "classes":
        y = {name: labels > 0 for name, labels in y.items()}
    report = transfer_report(estimator, X, y, n_repeats=1, random_state=seed)
    is_above = report.delta_m_interval[0] > 0
    return report.delta_m, report.share_helped, report.share_hurt, is_above


def show_default(kind, estimator, n_simulations, n_jobs):
    """Print what is said of unrelated tasks with ``baseline=None``."""
    found = Parallel(n_jobs=n_jobs)(
        delayed(simulate_default)(estimator, kind, seed) for seed in range(n_simulations)
    )
    gain, helped, hurt, above = np.mean(found, axis=0)
    print(
        f"{kind:11s}{type(estimator).__name__:38s}{gain:20.1%}{helped:9.1%}{hurt:9.1%}{above:12.1%}",
        flush=True,
    )


def show_school(path, n_jobs):
    """Print the report on School, each school against a ridge of its own."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
    from plot_school import read_school

    X, y, school = read_school(path)
    parts = {name: (X[school == name], y[school == name]) for name in np.unique(school)}
    rows, labels = stack_tasks(parts)
    report = transfer_report(
        MeanRegularizedRegressorCV(task_feature=-1, task_weight="n_samples"),
        rows,
        labels,
        baseline=IndependentTasks(RidgeCV(np.geomspace(0.1, 1e4, 16)), task_feature=-1),
        random_state=0,
        n_jobs=n_jobs,
    )
    print(f"\n{report!r}")
    flags = report.to_frame()["flag"]
    for flag in ("helped", "hurt"):
        print(f"{flag}: {flags.index[flags == flag].tolist()}")


def main():
    """Run all scenarios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("school", nargs="?")
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=["default"])
    options = parser.parse_args()
    print(
        f"{'tasks':11s}{'estimator':28s}{'rows':10s}{'true gain':>10s}{'found':>10s}{'helped':>9s}"
        f"{'hurt':>9s}{'any helped':>12s}{'covered':>9s}"
    )
    for scenario in SCENARIOS if options.only is None else []:
        for own in (True, False):
            show(scenario, options.simulations, options.jobs, own=own)
    print(
        f"\n{'default':11s}{'estimator':38s}{'found':>20s}{'helped':>9s}{'hurt':>9s}"
        f"{'mean above 0':>14s}"
    )
    for kind, estimators in FAMILIES.items():
        for estimator in estimators:
            show_default(kind, estimator, max(2, options.simulations // 10), options.jobs)
    if options.school:
        show_school(options.school, options.jobs)


if __name__ == "__main__":
    main()
