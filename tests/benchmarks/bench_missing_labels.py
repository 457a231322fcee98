"""Hide half of the labels and learn from the rest.

    python tests/benchmarks/bench_missing_labels.py osales.npz

The argument is a file that ``numpy.load`` reads, with arrays X (n, p; NaN allowed) and Y (n, T):
for instance one of the Mulan multi-target regression sets (Spyromitros-Xioufis et al.,
"Multi-target regression via input space expansion", Machine Learning 104, 2016). Over 5 folds, half
of the labels of the training rows are hidden at random. Prints aRRMSE over all labels of the test
rows: 1 is predicting the mean of each task's observed labels.
"""

import argparse

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import IndependentTasks, MultiTaskRegressor, average_relative_rmse


def models():
    forest = RandomForestRegressor(n_jobs=-1, random_state=0)
    ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 5, 15)))
    return {
        "MultiTaskRegressor, defaults": MultiTaskRegressor(random_state=0),
        "IndependentTasks(RandomForestRegressor)": IndependentTasks(forest),
        "IndependentTasks(RidgeCV)": IndependentTasks(ridge),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="a .npz file with X and Y")
    parser.add_argument("--hidden", type=float, default=0.5, help="share of labels hidden")
    arguments = parser.parse_args()
    arrays = np.load(arguments.data)
    X, Y = arrays["X"].astype(float), arrays["Y"].astype(float)
    rng = np.random.default_rng(0)
    predicted = {name: np.empty_like(Y) for name in models()}
    baseline = np.empty_like(Y)
    for train, test in KFold(5, shuffle=True, random_state=0).split(X):
        labels = np.where(rng.random(Y[train].shape) < arguments.hidden, np.nan, Y[train])
        baseline[test] = np.nanmean(labels, axis=0)
        for name, model in models().items():
            pipeline = make_pipeline(SimpleImputer(keep_empty_features=True), model)
            predicted[name][test] = pipeline.fit(X[train], labels).predict(X[test])
    print(f"{X.shape[0]} rows, {Y.shape[1]} tasks, {arguments.hidden:.0%} of the labels hidden")
    for name, values in predicted.items():
        print(f"{name:<42} aRRMSE {average_relative_rmse(Y, values, baseline=baseline):.3f}")


if __name__ == "__main__":
    main()
