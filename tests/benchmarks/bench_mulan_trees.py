"""Published columns of Mulan's multi-target tables, from compositions over the same trees.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_mulan_trees.py FILE.npz ... [--shuffles 5]
        [--only ST ...] [--cv 10]

Melki et al. ("Multi-target support vector regression via correlation regressor chains", Information
Sciences 415-416, 2017) give ST and ERC (Spyromitros-Xioufis et al., "Multi-target regression via
input space expansion: treating targets as inputs", Machine Learning 104, 2016) with 100 bagged
REPTrees of WEKA, which prune themselves, not with random forests; ten folds of shuffled rows, and
the mean of the folds' aRRMSE; ERC is ten chains of labels. Here the same with IndependentTasks,
StackedTasks and TaskChain over BaggingRegressor(PrunedTreeRegressor()), and ST over random forests
of WEKA's and of scikit-learn's defaults; with --cv chains read predictions of so many folds in
place of labels. Each shuffle is other folds and other trees. Missing features are imputed in the
training rows.
"""

import argparse
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
from _pruned_tree import PrunedTreeRegressor
from bench_mulan import PUBLISHED, errors_of, outer_folds, read_table
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

from sklearn_mtl import IndependentTasks, StackedTasks, TaskChain


def methods(p, shuffle, cv):
    """Return the models to compare, by the names they are published under."""
    options = {"n_estimators": 100, "random_state": shuffle}
    inner = KFold(cv or 10, shuffle=True, random_state=shuffle)
    bagged = BaggingRegressor(PrunedTreeRegressor(), **options)
    forest = partial(RandomForestRegressor, **options)
    return {
        "ST": IndependentTasks(bagged),
        "SST": StackedTasks(bagged, cv=inner, reads="all"),
        "ERC": TaskChain(
            bagged, cv=cv and inner, order="random", n_chains=10, random_state=shuffle
        ),
        "ST, WEKA's forest": IndependentTasks(forest(max_features=int(np.log2(p)) + 1)),
        "ST, scikit-learn's forest": IndependentTasks(forest()),
    }


def errors(X, y, name, shuffle, cv):
    """Return aRRMSE as the mean of ten folds and pooled, and the seconds of processor time."""
    started = process_time()
    folds, predicted = outer_folds(len(X), shuffle), np.empty_like(y)
    for train, test in folds:
        model = methods(X.shape[1], shuffle, cv)[name]
        model = make_pipeline(SimpleImputer(keep_empty_features=True), model)
        predicted[test] = model.fit(X[train], y[train]).predict(X[test])
    pooled, by_fold = errors_of(y, predicted, folds)
    return by_fold, pooled, process_time() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--shuffles", type=int, default=5)
    parser.add_argument("--cv", type=int)
    parser.add_argument("--only", nargs="+", default=list(methods(1, 0, None)))
    options = parser.parse_args()
    for path in options.files:
        X, y = read_table(path)
        table = Path(path).stem
        for name in options.only:
            runs = range(options.shuffles)
            found = np.array([errors(X, y, name, shuffle, options.cv) for shuffle in runs])
            mean, spread = found.mean(axis=0), found.std(axis=0, ddof=min(1, len(runs) - 1))
            published = PUBLISHED.get(table, {}).get(name.split(",")[0], np.nan)
            print(
                f"{table:<7} {name:<26} mean of folds {mean[0]:.4f} ({spread[0]:.4f}), pooled "
                f"{mean[1]:.4f} ({spread[1]:.4f}), published {published:.4f}, {mean[2]:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
