"""Measure kernel estimators, searched inside training folds, on small tables with several targets.

    python tests/benchmarks/bench_kernel_tables.py FILE.npz ... [--shuffles 3] [--jobs 2]

Files hold X (n, p) and Y (n, T), such as Mulan's multi-target sets (Spyromitros-Xioufis et al.,
"Multi-target regression via input space expansion", Machine Learning 104, 2016). It prints aRRMSE
over 10 folds, whose errors are pooled: 1 is predicting the training mean, lower is better. Each
shuffle draws other folds. Imputation, scales, kernels and strengths are all found in training rows.

The search: how features are scaled, the kernel and its width, in units that depend on nothing but
the number of features, then logarithms of targets where one is skewed, as counts and sales are.
Strengths are the estimator's own. SVR and KernelRidge search the same widths, and strengths. What
is searched was fixed before any of its test errors on Mulan's sets was seen; afterwards it was made
cheaper, with the same candidates. Another search, of narrower widths, had been tried on them too.
"""

import argparse
import warnings
from collections import Counter
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import skew
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import RidgeCV
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, KFold, RepeatedKFold, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVR

from sklearn_mtl import (
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    TaskRelationshipRegressor,
    average_relative_rmse,
)

FEW = 200  # rows up to which one split into folds chooses too noisily
SKEWED = 2.0  # the skewness of an exponential variable
WIDTHS = (0.05, 0.3, 1.5, 7.5)  # times 1 / n_features: from nearly linear to local
RELATIVE_ERROR = make_scorer(average_relative_rmse, greater_is_better=False)
NO_SHARING = [1e9]  # a strength of the shared part under which there is none


class Logarithm(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """log(1 + (y - least) / (mean - least)); its inverse stays within the range of training."""

    def fit(self, y):
        self.least_ = y.min(axis=0)
        self.scale_ = y.mean(axis=0) - self.least_
        self.largest_ = self.transform(y).max(axis=0)
        return self

    def transform(self, y):
        return np.log1p((y - self.least_) / self.scale_)

    def inverse_transform(self, values):
        return np.expm1(np.clip(values, 0, self.largest_)) * self.scale_ + self.least_


def unit_variance(ranks):
    """Return ranks, uniform in [0, 1], with the variance of standardised features."""
    return ranks * np.sqrt(12)


def kernel_candidates(shape):
    """Return grids of the pipeline's settings to try for X of this shape."""
    n, p = shape
    ranks = QuantileTransformer(n_quantiles=n // 2)
    smooth = SplineTransformer(degree=2)
    features = {
        "standard": StandardScaler(),
        "ranks": Pipeline([("quantiles", ranks), ("ranks", FunctionTransformer(unit_variance))]),
        "splines": Pipeline([("quantiles", ranks), ("splines", smooth)]),
    }
    widths = [{"gamma": width / p} for width in WIDTHS]
    polynomials = [{"gamma": 1 / p, "degree": degree} for degree in (1, 2, 3)]
    grids = [
        {"features": [features["standard"], features["ranks"]],
         "model__kernel": ["rbf", "laplacian"], "model__kernel_params": widths},
        {"features": [features["standard"], features["splines"]],
         "model__kernel": ["poly"], "model__kernel_params": polynomials},
    ]  # fmt: skip
    return [{f"regressor__{name}": values for name, values in grid.items()} for grid in grids]


def table_pipeline(model):
    """Return imputation, features and a model of standardised targets."""
    return TransformedTargetRegressor(
        Pipeline(
            [
                ("impute", SimpleImputer(keep_empty_features=True)),
                ("features", StandardScaler()),
                ("model", model),
            ]
        ),
        transformer=StandardScaler(),
        check_inverse=False,
    )


def inner_folds(n, seed):
    """Return the splits that choose: the fewer rows, the more of them."""
    if n <= FEW:
        return RepeatedKFold(n_splits=5, n_repeats=2, random_state=seed)
    return KFold(3, shuffle=True, random_state=seed)


def held_out_score(model, X, y, seed):
    """Return minus the aRRMSE on held-out rows, all steps refitted but for the strengths."""
    searched = model.regressor_["model"]
    fixed = MeanRegularizedRegressor(
        searched.alpha_shared_,
        alpha_specific=searched.alpha_specific_,
        kernel=searched.kernel,
        kernel_params=searched.kernel_params,
    )
    model = clone(model).set_params(regressor__model=fixed)
    folds = inner_folds(len(X), seed)
    return cross_val_score(model, X, y, cv=folds, scoring=RELATIVE_ERROR).mean()


def search(model, grid, X, seed):
    """Return a search of models that search their strengths: one fit of all rows for each."""
    rows = np.arange(len(X))
    score = partial(held_out_score, seed=seed)
    return GridSearchCV(model, grid, cv=[(rows, rows)], scoring=score)


def kernel_search(X, y, seed):
    """Return the best model found: its kernel, then the scale of targets; each its strengths."""
    few = len(X) <= FEW
    strengths = KFold(5 if few else 3, shuffle=True, random_state=seed)
    model = MeanRegularizedRegressorCV(alphas_shared=3, alphas_specific=8, cv=strengths)
    found = search(table_pipeline(model), kernel_candidates(X.shape), X, seed).fit(X, y)
    if y.min() < 0 or skew(y).max() < SKEWED:
        return found.best_estimator_
    log = Pipeline([("log", Logarithm()), ("scale", StandardScaler())])
    scales = {"transformer": [StandardScaler(), log]}
    return search(found.best_estimator_, scales, X, seed).fit(X, y).best_estimator_


def without_sharing(found):
    """Return the model found, each task on its own."""
    model = clone(found)
    return model.set_params(regressor__model__alphas_shared=NO_SHARING)


def relationship_search(found, X, seed):
    """Return a search of strengths under the kernel found, the covariance of tasks learned."""
    chosen = found.regressor_["model"]
    model = TaskRelationshipRegressor(kernel=chosen.kernel, kernel_params=chosen.kernel_params)
    strength = chosen.alpha_specific_ / len(chosen.layout_.names)
    model = clone(found).set_params(
        regressor__model=model, regressor__model__alpha=1e-3 * chosen.alpha_specific_
    )
    grid = {"regressor__model__gamma": strength * np.logspace(-2, 2, 5)}
    return GridSearchCV(model, grid, cv=inner_folds(len(X), seed), scoring=RELATIVE_ERROR)


def peers(X, seed):
    """Return what to compare with, by name."""
    p = X.shape[1]
    gammas = [width / p for width in WIDTHS]
    folds = inner_folds(len(X), seed)
    each = GridSearchCV(SVR(epsilon=0.03), {"C": [1, 10, 100], "gamma": gammas}, cv=folds)
    ridge = {
        "regressor__model__kernel": ["rbf", "laplacian"],
        "regressor__model__gamma": gammas,
        "regressor__model__alpha": np.logspace(-4, 1, 6),
    }
    ridge = GridSearchCV(table_pipeline(KernelRidge()), ridge, cv=folds, scoring=RELATIVE_ERROR)
    forest = RandomForestRegressor(random_state=seed)
    return {
        "SVR, one search a task": table_pipeline(MultiOutputRegressor(each)),
        "KernelRidge, searched": ridge,
        "random forest": table_pipeline(forest).set_params(regressor__features="passthrough"),
        "ridge": table_pipeline(MultiOutputRegressor(RidgeCV(np.logspace(-2, 4, 13)))),
        "training mean": DummyRegressor(),
    }


def words(found):
    """Return what a search chose, in a few words."""
    model, features = found.regressor_["model"], found.regressor_["features"]
    scale = "standard" if isinstance(features, StandardScaler) else features.steps[-1][0]
    chosen = model.kernel_params
    width = chosen.get("degree") or f"{chosen['gamma'] * found.n_features_in_:.2g}/p"
    log = ", log targets" if isinstance(found.transformer, Pipeline) else ""
    return f"{model.kernel} {width} of {scale}{log}"


def one_fold(X, y, train, test, seed):
    """Return predictions of every model, seconds of processor time, and what was chosen."""
    warnings.simplefilter("ignore")  # ridges on ill-conditioned folds, ranks of few rows
    predicted, seconds = {}, {}

    def measure(name, fit):
        started = process_time()
        fitted = fit(X[train], y[train])
        predicted[name] = fitted.predict(X[test])
        seconds[name] = process_time() - started
        return fitted

    best = measure("mean-regularised, searched", partial(kernel_search, seed=seed))
    measure("  the same, no sharing", without_sharing(best).fit)
    measure("  the same, covariance learned", relationship_search(best, X[train], seed).fit)
    for name, model in peers(X[train], seed).items():
        measure(name, model.fit)
    chosen = best.regressor_["model"]
    tie = chosen.alpha_specific_ / (chosen.alpha_specific_ + chosen.alpha_shared_)
    return test, predicted, seconds, words(best), tie


def shuffle_errors(X, y, seed, jobs):
    """Return the aRRMSE of every model over 10 folds, and what the folds say of it."""
    splits = KFold(10, shuffle=True, random_state=seed).split(X)
    folds = Parallel(jobs)(delayed(one_fold)(X, y, *split, seed) for split in splits)
    names = folds[0][1]
    pooled = {name: np.empty_like(y) for name in names}
    for test, predicted, *_ in folds:
        for name in names:
            pooled[name][test] = predicted[name]
    base = pooled["training mean"]
    errors = {name: average_relative_rmse(y, pooled[name], baseline=base) for name in names}
    return errors, folds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--shuffles", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="number of the first shuffle")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    for path in options.files:
        with np.load(path) as arrays:
            X, y = arrays["X"].astype(float), arrays["Y"].astype(float)
        print(f"{Path(path).stem}: {X.shape[0]} rows, {X.shape[1]} features, {y.shape[1]} targets")
        seeds = range(options.first, options.first + options.shuffles)
        runs = [shuffle_errors(X, y, seed, options.jobs) for seed in seeds]
        folds = [fold for _, each in runs for fold in each]
        for name in runs[0][0]:
            errors = np.array([run[0][name] for run in runs])
            spread = " ".join(f"{error:.4f}" for error in errors)
            seconds = np.median([fold[2][name] for fold in folds])
            print(f"  {name:<30} {errors.mean():.4f}  ({spread})  {seconds:.2f} s a fit")
        for choice, times in Counter(fold[3] for fold in folds).most_common(6):
            print(f"    {times:>3} of {len(folds)} folds: {choice}")
        ties = np.array([fold[4] for fold in folds])
        print(f"    correlation of tasks: {np.round(np.quantile(ties, [0.25, 0.5, 0.75]), 2)}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
