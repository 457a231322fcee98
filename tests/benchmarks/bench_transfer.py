"""Is `transfer_report` honest? False flags where nothing is gained, true ones where much is.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_transfer.py [SCHOOL] [--simulations 200]

Simulates six tasks of 60 rows and 10 features, noise of variance 1, each scenario with rows of
their own and with rows in common:

    same model   a random tree a task against the same with another seed: nothing to gain
    unrelated    orthogonal weights, so that all tasks gain the same by symmetry
    related      weights that differ by a tenth of what they share, on 20 rows

and prints how often a task is flagged, how often any task of a report is, the true gain (errors
on 2000 fresh rows, of fits on the training share of the rows), and how often intervals cover it.
Of tasks that gain nothing, at most level / 2 = 2.5 % should be flagged helped. SCHOOL is what
``examples/plot_school.py`` reads; for it, prints the report. Takes about ten minutes on two cores.
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
    IndependentTasks,
    LowRankRegressorCV,
    MeanRegularizedRegressorCV,
    stack_tasks,
    transfer_report,
)

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
    options = parser.parse_args()
    print(
        f"{'tasks':11s}{'estimator':28s}{'rows':10s}{'true gain':>10s}{'found':>10s}{'helped':>9s}"
        f"{'hurt':>9s}{'any helped':>12s}{'covered':>9s}"
    )
    for scenario in SCENARIOS:
        for own in (True, False):
            show(scenario, options.simulations, options.jobs, own=own)
    if options.school:
        show_school(options.school, options.jobs)


if __name__ == "__main__":
    main()
