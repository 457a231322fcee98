"""School: what learning from other schools buys, those seen in fit and those that come later.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_school.py FILE [--splits 5] [--draws 5]

FILE is what ``examples/plot_school.py`` reads: examination scores of 15,362 pupils in 139 schools.
Prints explained variance (pooled over all test rows) and RMSE of models that train on 75 % and
30 % of each school's pupils, the strengths of all but the Bayesian models chosen inside the
training rows; of schools left out, predicted from nothing but the population, and from their first
5, 10 and 20 pupils; and how often 50/80/95 % intervals cover. Takes about three minutes.
"""

import argparse
import sys
from copy import deepcopy
from pathlib import Path
from time import perf_counter

import numpy as np
from _coverage import HEADING, coverage, percents
from sklearn.linear_model import RidgeCV
from sklearn.metrics import explained_variance_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    BayesianMultiTaskRegressor,
    LowRankRegressorCV,
    MeanRegularizedRegressorCV,
    MultiTaskKFold,
    TaskRelationshipRegressor,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from plot_school import read_school, split

STRENGTHS = np.geomspace(0.1, 1e4, 16)
STRUCTURES = ("full", "diagonal", "spherical", "low_rank")
BAYESIAN = "BayesianMultiTaskRegressor()"
TUNED = "MeanRegularizedRegressorCV"
LONG = {"task_feature": 0, "task_weight": "n_samples"}
PUPILS = (0, 5, 10, 20)
ALL = "none"


def tuned_models():
    """Return models whose strengths are chosen by cross-validation, for standardised features."""
    relationship = TaskRelationshipRegressor(**LONG)
    search = GridSearchCV(
        relationship,
        {"gamma": np.geomspace(0.03, 1, 6)},
        cv=MultiTaskKFold(5, shuffle=True, random_state=0, task_feature=0),
        scoring="neg_mean_squared_error",
    )
    return {
        TUNED: MeanRegularizedRegressorCV(**LONG),
        "LowRankRegressorCV": LowRankRegressorCV(alphas=20, **LONG),
        "TaskRelationshipRegressor, defaults": relationship,
        "TaskRelationshipRegressor, searched": search,
    }


def ridge_by_school(y, rows, training, test, school):
    """Return predictions of one ridge a school for the test rows."""
    predicted = np.empty(len(y))
    for name in np.unique(school[test]):
        mine = school == name
        model = RidgeCV(STRENGTHS).fit(rows[mine & training], y[mine & training])
        predicted[mine & test] = model.predict(rows[mine & test])
    return predicted[test]


# -- schools that fit saw --------------------------------------------------------------------------


def predict_seen(X, y, school, training):
    """Yield each model's name, predictions of the test rows, their deviations and the seconds."""
    test = ~training
    rows = StandardScaler().fit(X[training]).transform(X)
    long = np.column_stack([school, rows])
    mean = np.bincount(school[training], y[training]) / np.bincount(school[training])
    yield "mean of the school", mean[school[test]], None, 0.0
    begin = perf_counter()
    pooled = RidgeCV(STRENGTHS).fit(rows[training], y[training]).predict(rows[test])
    yield "one ridge for all", pooled, None, perf_counter() - begin
    begin = perf_counter()
    single = ridge_by_school(y, rows, training, test, school)
    yield "one ridge a school", single, None, perf_counter() - begin
    for name, model in tuned_models().items():
        begin = perf_counter()
        predicted = model.fit(long[training], y[training]).predict(long[test])
        yield name, predicted, None, perf_counter() - begin
    raw = np.column_stack([school, X])  # the Bayesian models know scales themselves
    stats = BayesianMultiTaskRegressor(task_feature=0).statistics(raw[training], y[training])
    for word in STRUCTURES:
        model = BayesianMultiTaskRegressor(word, task_feature=0, precompute=stats)
        begin = perf_counter()
        predicted, std = model.fit(raw[training], y[training]).predict(raw[test], return_std=True)
        name = BAYESIAN if word == STRUCTURES[0] else f"  prior_covariance={word!r}"
        yield name, predicted, std, perf_counter() - begin


def compare_seen(X, y, school, share, n_splits):
    """Print scores of all models, and the coverage of the Bayesian ones."""
    print(f"\n{share:.0%} of each school's pupils train, {n_splits} splits: mean (sd)")
    results = {}
    for seed in range(n_splits):
        training = split(school, share, seed)
        true = y[~training]
        for name, predicted, std, seconds in predict_seen(X, y, school, training):
            score = 100 * explained_variance_score(true, predicted)
            error = root_mean_squared_error(true, predicted)
            covered = np.full(3, np.nan) if std is None else coverage(true, predicted, std)
            results.setdefault(name, []).append([score, error, seconds, *covered])
    print(f"{'':38s}explained %      RMSE           seconds   {HEADING}")
    for name, values in results.items():
        mean, spread = np.mean(values, axis=0), np.std(values, axis=0)
        line = f"{name:38s}{mean[0]:5.1f} ({spread[0]:.1f})   {mean[1]:5.2f} ({spread[1]:.2f})"
        line += f"{mean[2]:12.2f}"
        print(line + ("" if np.isnan(mean[3]) else "     " + percents(mean[3:])), flush=True)
    gain = np.array(results[BAYESIAN])[:, 0] - np.array(results[TUNED])[:, 0]
    above = (gain > 0).sum()
    print(f"{BAYESIAN}: {gain.mean():.2f} above {TUNED}, above in {above} of {n_splits} splits")


# -- schools that come later -----------------------------------------------------------------------


def first_pupils(school, rng):
    """Return the place of each pupil among those of the same school, in random order, from 0."""
    place = np.empty(len(school), dtype=int)
    for name in np.unique(school):
        mine = np.flatnonzero(school == name)
        place[rng.permutation(mine)] = np.arange(len(mine))
    return place


def predict_later(X, y, school, held, places):
    """Yield a name, how many pupils are known, which are predicted, predictions and deviations.

    Parameters
    ----------
    held : ndarray of shape (n,), bool
        Pupils of the schools that come later.
    places : list of ndarray of shape (n,)
        Orders in which pupils get known; those from place PUPILS[-1] on are predicted.
    """
    long = np.column_stack([school, X])
    model = BayesianMultiTaskRegressor(task_feature=0, unseen_task="prior")
    model.fit(long[~held], y[~held])
    rows = StandardScaler().fit(X[~held]).transform(X)
    pooled = RidgeCV(STRENGTHS).fit(rows[~held], y[~held])
    expected = pooled.predict(rows)
    yield "one ridge for all", ALL, held, expected[held], None
    yield BAYESIAN, ALL, held, *model.predict(long[held], return_std=True)
    for place in places:
        test = held & (place >= PUPILS[-1])
        for count in PUPILS:
            known = held & (place < count)
            yield "one ridge for all", count, test, expected[test], None
            learned = deepcopy(model).add_task(long[known], y[known]) if count else model
            yield BAYESIAN, count, test, *learned.predict(long[test], return_std=True)
            if count:
                given = rows, known, test, school
                yield "ridge on these pupils", count, test, ridge_by_school(y, *given), None
                more = expected[test] + ridge_by_school(y - expected, *given)
                yield "ridge for all + ridge on the rest", count, test, more, None


def compare_later(X, y, school, n_draws):
    """Print scores of schools left out, in ten parts, by the number of their pupils known."""
    results = {}
    for seed, (_, here) in enumerate(GroupKFold(10).split(X, groups=school)):
        held = np.zeros(len(y), dtype=bool)
        held[here] = True
        rng = np.random.default_rng(seed)
        places = [first_pupils(school, rng) for _ in range(n_draws)]
        for name, count, test, predicted, std in predict_later(X, y, school, held, places):
            std = np.full(len(predicted), np.nan) if std is None else std
            results.setdefault((name, count), []).append([y[test], predicted, std])
    print(f"\nSchools never seen, 10 folds over schools; {ALL}: all pupils are predicted; else "
          f"all but {PUPILS[-1]}, of {n_draws} draws")  # fmt: skip
    print(f"{'':36s}pupils known   explained %    RMSE   {HEADING}")
    for (name, count), parts in sorted(results.items(), key=lambda item: str(item[0][0])):
        true, predicted, std = np.concatenate(parts, axis=1)
        score = 100 * explained_variance_score(true, predicted)
        error = root_mean_squared_error(true, predicted)
        line = f"{name:36s}{count!s:>12s}{score:14.1f}{error:8.2f}"
        covered = "" if np.isnan(std).any() else percents(coverage(true, predicted, std))
        print(f"{line}   {covered}".rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    data = read_school(options.file)
    compare_later(*data, options.draws)
    for share in (0.75, 0.3):
        compare_seen(*data, share, options.splits)


if __name__ == "__main__":
    main()
