"""Kernels on small tables with several targets, searched inside the training folds.

    python tests/benchmarks/bench_kernel_tables.py FILE.npz ... [--seeds 3]

with files that hold X (n, p) and Y (n, T), such as Mulan's multi-target sets (Spyromitros-Xioufis
et al., "Multi-target regression via input space expansion", Machine Learning 104, 2016). Rows are
imputed and standardised, and targets standardised, inside each training fold. For each kernel,
`MeanRegularizedRegressorCV` searches the strengths over 5 folds of the training rows; the kernel
with the least error held out there predicts the test rows. Prints aRRMSE over 10 folds, whose
errors are pooled: 1 is predicting the training mean, lower is better. Each seed draws other folds.
"""

import argparse
from collections import Counter
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import MeanRegularizedRegressorCV, average_relative_rmse

KERNELS = ("rbf", "laplacian")
WIDTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # gamma times the number of features
STRENGTHS = np.geomspace(1e-6, 1.0, 7)


def candidates(n_features, seed):
    """Yield the models to choose from: one a kernel, which searches its strengths itself."""
    folds = KFold(5, shuffle=True, random_state=seed)
    for kernel in KERNELS:
        for width in WIDTHS:
            search = MeanRegularizedRegressorCV(
                alphas_shared=STRENGTHS,
                alphas_specific=STRENGTHS,
                cv=folds,
                kernel=kernel,
                kernel_params={"gamma": width / n_features},
            )
            yield make_pipeline(
                SimpleImputer(keep_empty_features=True),
                StandardScaler(),
                TransformedTargetRegressor(search, transformer=StandardScaler()),
            )


def held_out_error(model):
    """Return the least error that a fitted model's search found on its held-out folds."""
    return model[-1].regressor_.mse_path_.mean(axis=2).min()


def searched(X, y, seed):
    """Return the fitted model with the least held-out error."""
    return min((model.fit(X, y) for model in candidates(X.shape[1], seed)), key=held_out_error)


def relative_error(X, y, seed, chosen):
    """Return the aRRMSE over 10 folds, errors pooled; counts the kernels chosen."""
    predicted, baseline = np.empty_like(y), np.empty_like(y)
    for train, test in KFold(10, shuffle=True, random_state=seed).split(X):
        model = searched(X[train], y[train], seed)
        predicted[test], baseline[test] = model.predict(X[test]), y[train].mean(axis=0)
        search = model[-1].regressor_
        chosen[search.kernel, round(search.kernel_params["gamma"] * X.shape[1], 4)] += 1
    return average_relative_rmse(y, predicted, baseline=baseline)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for path in options.files:
        with np.load(path) as arrays:
            X, y = arrays["X"].astype(float), arrays["Y"].astype(float)
        chosen, started = Counter(), perf_counter()
        errors = [relative_error(X, y, seed, chosen) for seed in range(options.seeds)]
        seconds = (perf_counter() - started) / (10 * options.seeds)
        each = " ".join(f"{error:.3f}" for error in errors)
        often = ", ".join(f"{kernel} {width} x{n}" for (kernel, width), n in chosen.most_common(3))
        print(f"{Path(path).stem:<8} {np.mean(errors):.4f}  ({each})  {seconds:.1f} s a search; "
              f"chosen: {often}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
