"""
Which sharing, which balancing? Mostly: it does not matter
==========================================================

You will learn how to try every sharing scheme and every way of balancing losses on a data set of
your own against the honest baseline, ``sharing="separate"`` (networks that share nothing, each as
wide and trained as long as the one that shares), and how to tell a difference from the noise of
the seed.

By default the script trains on yeast (Elisseeff and Weston, 2001, as the package river ships it):
2,417 genes, 103 features, 14 labels that a gene has or has not, of which a part is used here. Or
name data sets: yeast, and ``.npz`` files with arrays X and Y (n, T), NaN in X imputed, or X, y and
school (one task a school). ``--whole`` uses all rows, five seeds, and crosses all schemes with all
of ``--balancing``:

    python examples/plot_sharing_and_balancing.py --whole yeast osales.npz scpf.npz school.npz

Each seed draws another split (3/4 train) and other starting weights; the same seeds serve both
sides, so that their difference is measured pair by pair.
"""

import argparse
import csv
import gzip
from importlib.resources import files
from itertools import product
from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from scipy.stats import t as student
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split

from sklearn_mtl import MultiTaskClassifier, MultiTaskRegressor
from sklearn_mtl.neural_network import SeparateNetworks
from sklearn_mtl.neural_network.sharing import SHARING

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"
BASELINE = ("separate", "equal")
# what "equal size" means is open: as much for each task as all would share, or as much in all
SCHEMES = {word: word for word in SHARING}
SCHEMES["separate, same total"] = SeparateNetworks(width_scale="equal_total")
# with a task a row the others compute every row for every task: 139 times the work on School
LONG_FORM = ("hard", "separate", "separate, same total", "soft", "mmoe", "cgc")

# %%
# The data
# --------


def read_yeast(n_rows):
    """Return features and up to 14 yes-or-no labels of the first rows."""
    with gzip.open(files("river.datasets") / "yeast.csv.gz", "rt") as text:
        rows = list(csv.DictReader(text))[:n_rows]
    labels = [name for name in rows[0] if name.startswith("Class")]
    X = np.array([[float(row[name]) for name in row if name not in labels] for row in rows])
    y = np.array([[row[name] == "1" for name in labels] for row in rows])
    return X, y[:, y.sum(axis=0) >= 10]  # among few rows the rarest label has no yes to learn


def read_file(path):
    """Return X, y, and the number of the column that says each row's task, or None."""
    with np.load(path) as arrays:
        found = {name.lower(): arrays[name] for name in arrays.files}
    if "school" in found:
        X = found["x"][:, found["x"].std(axis=0) > 0].astype(float)
        return np.column_stack([X, found["school"]]), found["y"].astype(float), X.shape[1]
    return found["x"].astype(float), found["y"].astype(float), None


# %%
# One fit
# -------
#
# All settings but the two at stake are the same. The error is the mean over tasks of the test
# error over that of the training mean: root mean squares of numbers, log-losses of classes.


def error(X, y, task_column, seed, **settings):
    """Return the test error of one network, 1 for predicting means and class frequencies."""
    task = None if task_column is None else X[:, task_column].astype(int)
    train, test = train_test_split(
        np.arange(len(X)), test_size=0.25, random_state=seed, stratify=task
    )
    imputer = SimpleImputer().fit(X[train])
    X = imputer.transform(X)
    common = {"random_state": seed, "task_feature": task_column, **settings}
    if y.dtype == bool:
        model = MultiTaskClassifier(**common).fit(X[train], y[train])
        chance = np.clip([part[:, 1] for part in model.predict_proba(X[test])], 1e-6, 1 - 1e-6).T
        return np.mean(log_loss(y[test], chance) / log_loss(y[test], y[train].mean(axis=0)))
    model = MultiTaskRegressor(**common).fit(X[train], y[train])
    residual = y[test] - model.predict(X[test])
    if task is None:
        base = y[test] - y[train].mean(axis=0)
        return np.mean(np.sqrt((residual**2).sum(axis=0) / (base**2).sum(axis=0)))
    means = np.bincount(task[train], y[train]) / np.bincount(task[train])
    base = y[test] - means[task[test]]
    return np.sqrt((residual**2).sum() / (base**2).sum())  # pooled: some schools have 5 test rows


def log_loss(y, chance):
    """Return the mean over rows of minus the log-likelihood."""
    return -np.where(y, np.log(chance), np.log(1 - chance)).mean(axis=0)


# %%
# A difference and its noise
# --------------------------


def compare(errors):
    """Return the mean difference to the baseline in per cent, and half its 95 % interval."""
    base = errors[BASELINE]
    result = {}
    for choice, values in errors.items():
        change = 100 * (values - base) / base.mean()
        half = student.ppf(0.975, len(change) - 1) * change.std(ddof=1) / np.sqrt(len(change))
        result[choice] = change.mean(), half
    return result


def table(name, errors):
    """Print a line for each choice."""
    print(
        f"\n{name}: error {errors[BASELINE].mean():.3f} ({errors[BASELINE].std(ddof=1):.3f}) apart"
    )
    for (sharing, balancing), (change, half) in sorted(
        compare(errors).items(), key=lambda entry: entry[1]
    ):
        clear = "" if abs(change) <= half else "better" if change < 0 else "worse"
        spread = errors[sharing, balancing].std(ddof=1)
        mean = errors[sharing, balancing].mean()
        print(
            f"  {sharing:<21} {balancing:<12} {mean:.3f} ({spread:.3f})"
            f"   {change:+6.1f} % ± {half:4.1f}  {clear}"
        )


def draw(results, path):
    """Save a row of panels, one a data set: differences to the baseline with their intervals."""
    height = 1.2 + 0.24 * max(map(len, results.values()))
    figure, panels = plt.subplots(
        1, len(results), figsize=(2.2 + 3.6 * len(results), height), layout="constrained",
        squeeze=False,
    )  # fmt: skip
    for axes, (name, errors) in zip(panels[0], results.items(), strict=True):
        found = {choice: at for choice, at in compare(errors).items() if choice != BASELINE}
        for place, (change, half) in enumerate(found.values()):
            clear = abs(change) > half
            axes.errorbar(
                change, place, xerr=half, fmt="o", color="#0072b2" if clear else "#999999", ms=4,
                lw=1.2, capsize=2,
            )  # fmt: skip
        axes.set_yticks(range(len(found)), [" + ".join(choice) for choice in found], fontsize=8)
        axes.axvline(0, color="black", lw=0.8)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("error against separate networks, %", fontsize=9)
        axes.invert_yaxis()
    figure.suptitle("Blue: a difference larger than the noise of the seed", fontsize=10)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


# %%
# Run
# ---


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("data", nargs="*", default=["yeast"], help="yeast, or .npz files")
    parser.add_argument("--whole", action="store_true", help="all rows, five seeds, all pairs")
    parser.add_argument("--balancing", default="equal,rlw,uncertainty,pcgrad")
    options = parser.parse_args()
    methods = options.balancing.split(",")
    if options.whole:
        choices = [BASELINE, *(pair for pair in product(SCHEMES, methods) if pair != BASELINE)]
        seeds, rows, epochs = 5, None, 20
    else:
        choices = [BASELINE, *((scheme, "equal") for scheme in SCHEMES if scheme != "separate")]
        choices += [("hard", method) for method in methods if method != "equal"]
        seeds, rows, epochs = 3, 400, 8
    data = {
        Path(path).stem: (*read_yeast(rows), None) if path == "yeast" else read_file(path)
        for path in options.data
    }
    # one small network each, as many as there are to train
    settings = {"n_estimators": 1, "numeric_embedding": None, "hidden_layer_sizes": (64, 64)}
    settings |= {"max_epochs": epochs, "early_stopping": False}
    results = {}
    for name, (X, y, task_column) in data.items():
        started = perf_counter()
        results[name] = {
            (sharing, balancing): np.array([
                error(
                    X, y, task_column, seed,
                    sharing=SCHEMES[sharing], balancing=balancing, **settings,
                )
                for seed in range(seeds)
            ])
            for sharing, balancing in choices
            if task_column is None or sharing in LONG_FORM
        }  # fmt: skip
        table(name, results[name])
        print(f"  {perf_counter() - started:.0f} s")
    draw(results, OUTPUT / "sharing_and_balancing.png")


if __name__ == "__main__":
    main()
