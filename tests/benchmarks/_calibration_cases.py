"""Simulated tasks: drawn from the model, and from what violates it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _coverage import HEADING, coverage, percents, spread

from sklearn_mtl import BayesianMultiTaskRegressor

N_LATER, N_TEST = 20, 20  # tasks that come later, and test labels of each task


def spherical(rng, n_tasks, p):
    """Return weights of equal variance, independent."""
    return rng.normal(size=(n_tasks, p)) * 0.4


def unequal(rng, n_tasks, p):
    """Return independent weights, some of which hardly vary."""
    return rng.normal(size=(n_tasks, p)) * np.geomspace(0.02, 1.0, p)


def few_directions(rng, n_tasks, p):
    """Return weights that vary along two directions, and little along others."""
    directions = rng.normal(size=(2, p)) * 0.5
    return rng.normal(size=(n_tasks, 2)) @ directions + 0.05 * rng.normal(size=(n_tasks, p))


def two_groups(rng, n_tasks, p):
    """Return weights of tasks of two kinds: no normal population."""
    apart = np.where(rng.random(n_tasks) < 0.5, 1.0, -1.0)[:, None]
    return 1.6 * apart / np.sqrt(p) + 0.1 * rng.normal(size=(n_tasks, p))


def normal(rng, task):
    """Return noise of variance 1."""
    return rng.normal(size=len(task))


def by_task(rng, task):
    """Return noise whose standard deviation differs between tasks: e^N(0, 0.5²)."""
    return np.exp(0.5 * rng.normal(size=task.max() + 1))[task] * rng.normal(size=len(task))


def heavy_tailed(rng, task):
    """Return noise of Student's t with 3 degrees of freedom, of variance 1."""
    return rng.standard_t(3, size=len(task)) / np.sqrt(3)


@dataclass(frozen=True)
class Case:
    """How to draw tasks: T of n labels, p features, and those of tasks that come later.

    Attributes
    ----------
    population : callable (rng, n_tasks, p) -> (n_tasks, p)
        Weights without what is common to all.
    noise : callable (rng, task) -> noise of each row
    options : dict
        Of the estimator.
    """

    name: str
    T: int = 40
    p: int = 6
    n: int = 15
    later: int = 10
    population: Any = spherical
    noise: Any = normal
    options: dict = field(default_factory=dict)

    def draw(self, rng):
        """Return X in long form, y, and which rows train, are given later, and test."""
        sizes = np.full(self.T + N_LATER, self.n + N_TEST)
        sizes[self.T :] = self.later + N_TEST
        task = np.repeat(np.arange(len(sizes)), sizes)
        X = rng.normal(size=(len(task), self.p))
        weights = rng.normal(size=self.p) + self.population(rng, len(sizes), self.p)
        intercept = 2.0 + rng.normal(size=len(sizes))
        y = np.einsum("ij,ij->i", X, weights[task]) + intercept[task] + self.noise(rng, task)
        place = np.arange(len(task)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.column_stack([task, X]), y, task, place < N_TEST

    def coverage(self, rng):
        """Return the coverage of seen tasks, unseen ones, and those added, shape (3, levels)."""
        X, y, task, test = self.draw(rng)
        seen = task < self.T
        model = BayesianMultiTaskRegressor(task_feature=0, unseen_task="prior", **self.options)
        model.fit(X[seen & ~test], y[seen & ~test])
        later = ~seen & test
        before = [
            coverage(y[rows], *model.predict(X[rows], return_std=True))
            for rows in (seen & test, later)
        ]
        model.add_task(X[~seen & ~test], y[~seen & ~test])
        return np.array([*before, coverage(y[later], *model.predict(X[later], return_std=True))])


SHARED = {"noise": "shared"}
CASES = [
    Case("40 tasks, 6 features, 15 labels"),
    Case("  noise='shared'", options=SHARED),
    Case("  60 labels, 60 later", n=60, later=60),
    Case("5 tasks", T=5),
    Case("150 tasks of 5 labels", T=150, n=5),
    Case("  noise='shared'", T=150, n=5, options=SHARED),
    Case("30 features, 15 labels", p=30),
    Case("  noise='shared'", p=30, options=SHARED),
    Case("  'spherical'", p=30, options={"prior_covariance": "spherical"}),
    Case("unequal variances", p=12, population=unequal, options={"prior_covariance": "diagonal"}),
    Case("  'full'", p=12, population=unequal),
    Case("  'spherical'", p=12, population=unequal, options={"prior_covariance": "spherical"}),
    Case(
        "two directions, 'low_rank'",
        p=12,
        population=few_directions,
        options={"prior_covariance": "low_rank", "prior_rank": 2},
    ),
    Case("  'full'", p=12, population=few_directions),
    Case("noise differs by task", noise=by_task, n=30, later=30),
    Case("  noise='shared'", noise=by_task, n=30, later=30, options=SHARED),
    Case("heavy-tailed noise, t(3)", noise=heavy_tailed),
    Case("tasks of two kinds", population=two_groups),
]


def main(n_repeats):
    """Print the coverage of each case."""
    print(f"Simulated: {HEADING}, mean over {n_repeats} draws (standard error of the 95 %);")
    print(f"{N_LATER} tasks come later, with 10 labels unless said")
    print(f"{'':34s}{'seen':^28s}{'unseen':^28s}{'added':^28s}")
    for case in CASES:
        values = np.array([case.coverage(np.random.default_rng(s)) for s in range(n_repeats)])
        mean, error = values.mean(axis=0), spread(values)
        cells = [f"{percents(mean[j])} ({100 * error[j, -1]:.1f})" for j in range(3)]
        print(f"{case.name:34s}" + "".join(f"{cell:^28s}" for cell in cells), flush=True)
