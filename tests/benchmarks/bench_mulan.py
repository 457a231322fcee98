"""Every regressor of the package on Mulan's multi-target tables, beside the published columns.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_mulan.py FILE.npz ... [--shuffles 1] [--jobs 1]
        [--only FAMILY ...] [--out mulan.jsonl] [--report]

Files hold X (n, p) and Y (n, T) and are called andro, edm, slump, scpf, osales (Spyromitros-Xioufis
et al., "Multi-target regression via input space expansion: treating targets as inputs", Machine
Learning 104, 2016). It prints aRRMSE over 10 folds, 1 is predicting the training mean, lower is
better, twice: with errors pooled over the folds, and as the mean of each fold's aRRMSE, which is
how the published figures were made (Melki et al., "Multi-target support vector regression via
correlation regressor chains", Information Sciences 415-416, 2017).

In each of the ten folds every family (`_mulan_candidates`) predicts the training rows by inner
folds, the same for all, once for each of its settings. The setting with the least pooled inner
error is fitted to all training rows and predicts the fold. "chosen inside" is the family with the
least inner error of all, fold by fold; votes take part, an average of what fitted families predict,
as VotingTasks of them would. Test rows choose nothing.

A line of --out is a family in a fold; a run that finds its line there does not fit it again.
--report prints what is there. All five tables take some hours of one core.
"""

import argparse
import json
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from time import process_time

import numpy as np
from _mulan_candidates import VOTERS, families
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_val_predict

from sklearn_mtl import average_relative_rmse

FEW = 200  # rows up to which there are five inner folds
PUBLISHED = {
    "andro": {"MORF": 0.5097, "ST": 0.5979, "ERC": 0.5885, "SVRCC": 0.4455},
    "edm": {"MORF": 0.7337, "ST": 0.7442, "ERC": 0.7452, "SVRCC": 0.6978},
    "osales": {"MORF": 0.7596, "ST": 0.7471, "ERC": 0.7258, "SVRCC": 0.7811},
    "scpf": {"MORF": 0.8273, "ST": 0.8348, "ERC": 0.8105, "SVRCC": 0.8013},
    "slump": {"MORF": 0.6939, "ST": 0.6886, "ERC": 0.7022, "SVRCC": 0.5560},
}
VOTE, BEST_VOTE = "VotingTasks(network, kernel, forest)", "VotingTasks(best three inside)"


def outer_folds(n, shuffle):
    """Return the ten splits into training and test rows."""
    return list(KFold(10, shuffle=True, random_state=shuffle).split(np.empty((n, 1))))


def inner_folds(n, shuffle):
    """Return the splits of training rows that choose."""
    return list(
        KFold(5 if n <= FEW else 3, shuffle=True, random_state=shuffle).split(np.empty((n, 1)))
    )


def mean_predictions(y, folds):
    """Return the mean of the other folds' labels, for each row."""
    means = np.empty_like(y)
    for train, test in folds:
        means[test] = y[train].mean(axis=0)
    return means


def fit_family(X, y, table, shuffle, fold, family):
    """Return the record of one family in one fold."""
    warnings.simplefilter("ignore")  # ridges on ill-conditioned folds, ranks of few rows
    train, test = outer_folds(len(X), shuffle)[fold]
    folds = inner_folds(len(train), shuffle)
    means = mean_predictions(y[train], folds)
    started = process_time()
    best = None
    for setting, model in families(X[train], y[train], shuffle)[family]:
        inside = cross_val_predict(clone(model), X[train], y[train], cv=folds)
        error = average_relative_rmse(y[train], inside, baseline=means)
        if best is None or error < best[0]:
            best = error, setting, model, inside
    error, setting, model, inside = best
    searched = process_time()
    predicted = model.fit(X[train], y[train]).predict(X[test])
    return {
        "table": table, "shuffle": shuffle, "fold": fold, "family": family, "setting": setting,
        "inner_error": error, "inside": np.round(inside, 6).tolist(),
        "predicted": np.round(predicted, 6).tolist(),
        "search_seconds": searched - started, "fit_seconds": process_time() - searched,
    }  # fmt: skip


def read_records(path):
    """Return {(table, shuffle): {fold: {family: record}}} of the lines written so far."""
    found = defaultdict(lambda: defaultdict(dict))
    if path.exists():
        for line in path.read_text().splitlines():
            record = json.loads(line)
            runs = found[record["table"], record["shuffle"]]
            runs[record["fold"]][record["family"]] = record
    return found


def read_table(path):
    """Return X and y of a file."""
    with np.load(path) as arrays:
        return arrays["X"].astype(float), arrays["Y"].astype(float)


def run(path, options):
    """Fit what is not in the records yet, and write it as it comes."""
    X, y = read_table(path)
    table, out = Path(path).stem, Path(options.out)
    done = read_records(out)
    names = options.only or list(families(X, y, 0))
    pending = [
        (shuffle, fold, family)
        for shuffle in range(options.shuffles)
        for family in names
        for fold in range(10)
        if family not in done[table, shuffle][fold]
    ]
    records = Parallel(options.jobs, return_as="generator_unordered")(
        delayed(fit_family)(X, y, table, *where) for where in pending
    )
    for record in records:
        with out.open("a") as file:
            file.write(json.dumps(record) + "\n")


def with_votes(records, y, train, folds):
    """Return the records of a fold with those of two votes, which fit nothing anew."""
    by_error = sorted(records, key=lambda name: records[name]["inner_error"])
    means = mean_predictions(y[train], folds)
    found = dict(records)
    for name, voters in ((VOTE, VOTERS), (BEST_VOTE, by_error[:3])):
        if set(voters) <= set(records):
            inside = np.mean([records[voter]["inside"] for voter in voters], axis=0)
            predicted = np.mean([records[voter]["predicted"] for voter in voters], axis=0)
            error = average_relative_rmse(y[train], inside, baseline=means)
            found[name] = {
                "predicted": predicted, "inner_error": error, "setting": " + ".join(voters),
                "fit_seconds": sum(records[voter]["fit_seconds"] for voter in voters),
            }  # fmt: skip
    return found


def errors_of(y, predicted, folds):
    """Return aRRMSE with errors pooled over the folds, and the mean of the folds' own."""
    means = mean_predictions(y, folds)
    each = [average_relative_rmse(y[t], predicted[t], baseline=means[t]) for _, t in folds]
    return average_relative_rmse(y, predicted, baseline=means), np.mean(each)


def shuffle_report(y, shuffle, runs):
    """Return {name: (pooled, mean of folds)}, settings, seconds, and what was chosen inside."""
    outer = outer_folds(len(y), shuffle)
    common = set.intersection(*(set(runs[fold]) for fold in range(10)))
    predicted = defaultdict(lambda: np.full_like(y, np.nan))
    settings, seconds, chosen = defaultdict(Counter), defaultdict(list), Counter()
    for fold, (train, test) in enumerate(outer):
        records = {name: record for name, record in runs[fold].items() if name in common}
        records = with_votes(records, y, train, inner_folds(len(train), shuffle))
        best = min(records, key=lambda name: records[name]["inner_error"])
        chosen[best] += 1
        for name, record in [*records.items(), ("chosen inside", records[best])]:
            predicted[name][test] = record["predicted"]
            settings[name][record["setting"]] += 1
            seconds[name].append(record["fit_seconds"])
    errors = {name: errors_of(y, values, outer) for name, values in predicted.items()}
    return errors, settings, seconds, chosen


def report(path, options):
    """Print the table of one file."""
    X, y = read_table(path)
    table = Path(path).stem
    done = read_records(Path(options.out))
    shuffles = [
        shuffle for shuffle in range(options.shuffles)
        if all(done[table, shuffle][fold] for fold in range(10))
    ]  # fmt: skip
    if not shuffles:
        print(f"{table}: no shuffle is complete")
        return
    runs = [shuffle_report(y, shuffle, done[table, shuffle]) for shuffle in shuffles]
    print(f"\n{table}: {X.shape[0]} rows, {X.shape[1]} features, {y.shape[1]} tasks; shuffles "
          f"{shuffles}")  # fmt: skip
    print(f"  {'':<40} {'mean of folds':>13} {'pooled':>8} {'fit, s':>8}   most often")
    for name, error in PUBLISHED.get(table, {}).items():
        print(f"  {'published ' + name:<40} {error:13.4f}")
    names = sorted(set.intersection(*(set(each[0]) for each in runs)))
    for name in sorted(names, key=lambda name: np.mean([each[0][name][1] for each in runs])):
        pooled, by_fold = np.mean([each[0][name] for each in runs], axis=0)
        setting, times = sum((each[1][name] for each in runs), Counter()).most_common(1)[0]
        fit = np.median([each[2][name] for each in runs])
        print(f"  {name:<40} {by_fold:13.4f} {pooled:8.4f} {fit:8.2f}   {setting} ({times})")
    for name, times in sum((each[3] for each in runs), Counter()).most_common():
        print(f"    chosen inside, {times} of {10 * len(runs)} folds: {name}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--shuffles", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="families to fit")
    parser.add_argument("--out", default="mulan.jsonl")
    parser.add_argument("--report", action="store_true", help="print what is there, fit nothing")
    options = parser.parse_args()
    for path in options.files:
        if not options.report:
            run(path, options)
        report(path, options)


if __name__ == "__main__":
    main()
