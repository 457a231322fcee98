"""Calibration: how many labels the 50/80/95 % intervals of BayesianMultiTaskRegressor hold.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_calibration.py [--school FILE] [--osales FILE]

Simulated tasks, drawn from the model and from what violates it. FILE of ``--school`` is what
``examples/plot_school.py`` reads: coverage by the size of a school and by the score that is
expected. FILE of ``--osales`` holds X (n, p; NaN allowed) and Y (n, T), the sales of products in
each of twelve months after their launch (Spyromitros-Xioufis et al., "Multi-target regression via
input space expansion", Machine Learning 104, 2016): a set on which intervals are too narrow, and
why. Takes two minutes and, with both files, five more.
"""

import argparse
import sys
from pathlib import Path

import _calibration_cases
import numpy as np
from _coverage import HEADING, coverage, percents, spread
from scipy import stats
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from sklearn_mtl import BayesianMultiTaskRegressor

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from plot_school import read_school, split

# -- school ----------------------------------------------------------------------------------------


def show_parts(true, mean, std, school, parts):
    """Print coverage in each part of the rows, with its standard error over schools."""
    for name, here in parts.items():
        by_school = [
            coverage(true[mine], mean[mine], std[mine])
            for number in np.unique(school[here])
            if (mine := here & (school == number)).any()
        ]
        shares = coverage(true[here], mean[here], std[here])
        deviation = ((true[here] - mean[here]) / std[here]).std()
        print(f"  {name:36s}{percents(shares)}   (95 %: ± {100 * spread(by_school)[-1]:.1f})"
              f"   sd of errors / std {deviation:.2f}")  # fmt: skip


def school_by_parts(path):
    """Print coverage of seen schools, by their size and by what is expected of a pupil."""
    X, y, school = read_school(path)
    rows = np.column_stack([school, X])
    for noise in ("task", "shared"):
        model = BayesianMultiTaskRegressor(task_feature=0, noise=noise)
        found = []
        for seed in range(5):
            training = split(school, 0.3, seed)
            size = np.bincount(school[training])[school[~training]]
            fit = model.fit(rows[training], y[training])
            mean, std = fit.predict(rows[~training], return_std=True)
            found.append([y[~training], mean, std, school[~training], size])
        true, mean, std, of, size = np.concatenate(found, axis=1)
        small, large = np.quantile(size, [1 / 3, 2 / 3])
        low, high = np.quantile(mean, [1 / 3, 2 / 3])
        print(f"\nSchool, 30 % train, 5 splits, noise={noise!r}: {HEADING} (its standard error)")
        parts = {
            "all": np.ones(len(true), dtype=bool),
            f"schools of up to {small:.0f} training pupils": size <= small,
            f"schools of more than {large:.0f}": size > large,
            f"expected score below {low:.0f}": mean < low,
            f"expected score from {low:.0f} to {high:.0f}": (mean >= low) & (mean <= high),
            f"expected score above {high:.0f}": mean > high,
        }
        show_parts(true, mean, std, of, parts)


# -- sales -----------------------------------------------------------------------------------------


def one_label_a_row(y, rng):
    """Return labels of which each row keeps one, at random."""
    kept = np.full(y.shape, np.nan)
    at = np.arange(len(y)), rng.integers(y.shape[1], size=len(y))
    kept[at] = y[at]
    return kept


def months_alone(rows, y, rows_test):
    """Return predictions and deviations of a model for each task."""
    model = BayesianMultiTaskRegressor("spherical")
    fits = [model.fit(rows, labels).predict(rows_test, return_std=True) for labels in y.T]
    return np.array(fits).transpose(1, 2, 0)


def month_unseen(rows, y, rows_test, month):
    """Return prediction and deviation of a task that is left out of fit, shape (2, n, 1)."""
    others = [t for t in range(y.shape[1]) if t != month]
    model = BayesianMultiTaskRegressor("spherical", unseen_task="prior")
    model.fit(dict.fromkeys(others, rows), {t: y[:, t] for t in others})
    found = model.predict({month: rows_test}, return_std=True)
    return np.array([part[month] for part in found])[:, :, None]


def describe(name, true, mean, std):
    """Print coverage, and what the errors look like."""
    errors = (true - mean) / std
    line = f"  {name:44s}{percents(coverage(true.ravel(), mean.ravel(), std.ravel()))}"
    line += f"{errors.std():8.2f}{stats.kurtosis(errors.ravel()):12.1f}"
    if true.shape[1] > 1:
        line += f"{np.corrcoef((true - mean).T)[np.triu_indices(true.shape[1], 1)].mean():14.2f}"
    print(line, flush=True)


def predict_sales(X, raw, train, test, fold):
    """Yield names, and labels, predictions and deviations of the test rows of one fold."""
    plain = SimpleImputer(keep_empty_features=True).fit(X[train])
    normal = QuantileTransformer(n_quantiles=200, output_distribution="normal")
    ranks = make_pipeline(clone(plain), normal).fit(X[train])
    logs = np.log1p(raw)
    hidden = one_label_a_row(logs[train], np.random.default_rng(fold))

    def fit(structure, y, before=ranks):
        model = BayesianMultiTaskRegressor(structure, target_scaling="standard")
        model.fit(before.transform(X[train]), y)
        return model.predict(before.transform(X[test]), return_std=True)

    yield "labels as they are", raw[test], *fit("full", raw[train])
    yield "log(1 + labels)", logs[test], *fit("full", logs[train])
    yield "  features as they are", logs[test], *fit("full", logs[train], plain)
    yield "  'spherical'", logs[test], *fit("spherical", logs[train])
    yield "  'spherical', one label kept of each row", logs[test], *fit("spherical", hidden)
    rows, rows_test = ranks.transform(X[train]), ranks.transform(X[test])
    yield "  a model for each month", logs[test], *months_alone(rows, logs[train], rows_test)
    month = 2 * fold
    unseen = month_unseen(rows, logs[train], rows_test, month)
    yield "  a month left out, unseen", logs[test][:, [month]], *unseen


def sales_by_model(path):
    """Print coverage of raw labels and of their logarithms, of months seen and left out."""
    with np.load(path, allow_pickle=True) as arrays:
        X, raw = arrays["X"].astype(float), arrays["Y"].astype(float)
    found = {}
    for fold, (train, test) in enumerate(KFold(5, shuffle=True, random_state=0).split(X)):
        for name, *outcome in predict_sales(X, raw, train, test, fold):
            found.setdefault(name, []).append(outcome)
    n, p = X.shape
    print(f"\nSales, {n} rows, {p} features as normal ranks, {raw.shape[1]} tasks, 5 folds")
    print(f"{'':46s}{HEADING}   sd of errors / std, their excess kurtosis, correlation")
    for name, parts in found.items():
        describe(name, *np.concatenate(parts, axis=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--school")
    parser.add_argument("--osales")
    parser.add_argument("--repeats", type=int, default=20, help="draws of simulated tasks, 0: none")
    options = parser.parse_args()
    if options.repeats:
        _calibration_cases.main(options.repeats)
    if options.school:
        school_by_parts(options.school)
    if options.osales:
        sales_by_model(options.osales)


if __name__ == "__main__":
    main()
