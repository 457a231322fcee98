"""
What do the first pupils of a new school tell?
==============================================

You will learn how to predict for a task that was not there when the model was fitted, from what
other tasks have in common (``unseen_task="prior"``), how to let it learn from the first few labels
(``add_task``) without fitting the others again, and how to check whether the standard deviations
that come with predictions are honest.

``BayesianMultiTaskRegressor`` takes the weights of tasks for draws of one population, which it
learns: its mean is what to expect of a new school, its covariance how far a school may be from
that. A few pupils of a school then go a long way. There is nothing to tune.

The schools are drawn at random. The examination scores of 139 London schools (Bakker and Heskes,
"Task clustering and gating for Bayesian multitask learning", JMLR 4, 2003) cannot be shipped here;
``school.mat`` comes with MALSAR. With

    python examples/plot_new_task.py path/to/school.mat

(or a ``.npz`` with arrays X, y and school) the same is done for them.
"""

import sys
from copy import deepcopy
from pathlib import Path

import matplotlib
import numpy as np
from scipy.io import loadmat
from scipy.stats import norm
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import BayesianMultiTaskRegressor

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUTPUT = Path(__file__).parent / "output"
PUPILS = (0, 5, 10, 20)  # known of a new school
N_DRAWS = 5  # of which pupils these are
STRENGTHS = np.geomspace(0.1, 1e4, 16)

# %%
# The data
# --------


def read_school(path):
    """Return features without the constant one, scores, and the number of each pupil's school."""
    if path.endswith(".mat"):
        cells = loadmat(path)
        X = np.concatenate([np.asarray(cell, dtype=float) for cell in cells["X"].ravel()])
        scores = [np.asarray(cell, dtype=float).ravel() for cell in cells["Y"].ravel()]
        y, school = np.concatenate(scores), np.repeat(np.arange(len(scores)), [*map(len, scores)])
    else:
        with np.load(path) as arrays:
            X, y, school = arrays["X"].astype(float), arrays["y"].astype(float), arrays["school"]
    return X[:, X.std(axis=0) > 0], y, school


def draw_school(n_schools=80, n_features=27, seed=0):
    """Return schools with 40 to 159 pupils whose weights lie around common ones."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(n_schools), rng.integers(40, 160, size=n_schools))
    X = (rng.random((len(school), n_features)) < rng.uniform(0.1, 0.5, n_features)).astype(float)
    common = rng.normal(scale=3.0, size=n_features)
    own = common + rng.normal(scale=2.0, size=(n_schools, n_features))
    intercept = rng.normal(20.0, 3.0, size=n_schools)
    expected = intercept[school] + np.einsum("ij,ij->i", X, own[school])
    return X, expected + rng.normal(scale=10.0, size=len(X)), school


def place_in_school(school, rng):
    """Return each pupil's place among those of the same school, in random order, from 0."""
    place = np.empty(len(school), dtype=int)
    for number in np.unique(school):
        mine = np.flatnonzero(school == number)
        place[rng.permutation(mine)] = np.arange(len(mine))
    return place


# %%
# Schools that come later
# -----------------------
# The model is fitted on two schools in three. ``predict`` then takes rows of the others as they
# are, and ``add_task`` what is known of them: it costs what one task costs each, and leaves the
# rest of the model alone. Pupils from the 21st on are predicted, whatever the number known.


def ridge_by_school(rows, y, school, known, test):
    """Return predictions of a ridge for each new school, of its known pupils alone."""
    predicted = np.empty(len(y))
    for number in np.unique(school[test]):
        mine = school == number
        ridge = RidgeCV(STRENGTHS).fit(rows[mine & known], y[mine & known])
        predicted[mine & test] = ridge.predict(rows[mine & test])
    return predicted[test]


def compare(model, X, y, school, training, later):
    """Return RMSE by model, (counts, draws), and true, mean, std and school by the number known."""
    long = np.column_stack([school, X])  # the first column says which school a row belongs to
    rows = StandardScaler().fit(X[training]).transform(X)
    pooled = RidgeCV(STRENGTHS).fit(rows[training], y[training]).predict(rows)
    names = ("the school's pupils alone: ridge", "all other schools: ridge", "both: add_task")
    errors = {name: np.full((len(PUPILS), N_DRAWS), np.nan) for name in names}
    outcomes = {count: [] for count in PUPILS}
    for draw in range(N_DRAWS):
        place = place_in_school(school, np.random.default_rng(draw))
        test = later & (place >= PUPILS[-1])
        for row, count in enumerate(PUPILS):
            known = later & (place < count)
            guesses = dict.fromkeys(names)
            if count:
                learned = deepcopy(model).add_task(long[known], y[known])
                guesses[names[0]] = ridge_by_school(rows, y, school, known, test)
            else:
                learned = model
            mean, std = learned.predict(long[test], return_std=True)
            outcomes[count].append([y[test], mean, std, school[test]])
            guesses[names[1]], guesses[names[2]] = pooled[test], mean
            for name, guess in guesses.items():
                if guess is not None:
                    errors[name][row, draw] = root_mean_squared_error(y[test], guess)
    return errors, {count: np.concatenate(parts, axis=1) for count, parts in outcomes.items()}


# %%
# Are deviations honest?
# ----------------------
# An interval of 80 % is to hold 80 % of the labels, for pupils of schools that were seen and of
# schools that were not. Errors of pupils of one school go together, so that schools are what chance
# draws: shaded are two standard errors of the mean over them.

LEVELS = np.linspace(0.05, 0.95, 19)


def coverage(true, mean, std, school):
    """Return the share of labels inside the central interval of each of LEVELS, and its error."""
    inside = np.abs(true - mean) / std < norm.ppf(0.5 + LEVELS / 2)[:, None]
    by_school = [inside[:, school == number].mean(axis=1) for number in np.unique(school)]
    return inside.mean(axis=1), np.std(by_school, axis=0) / np.sqrt(len(by_school))


def draw(errors, covered, title):
    """Draw errors against pupils known, and the coverage of intervals."""
    figure, axes = plt.subplot_mosaic(
        [["errors", "curve"], ["errors", "gap"]],
        figsize=(12, 5.5),
        height_ratios=[2.2, 1],
        layout="constrained",
    )
    left, curve, gap = axes["errors"], axes["curve"], axes["gap"]
    styles = zip(errors.items(), ("#d55e00", "#0072b2", "#009e73"), "s^o", strict=True)
    for (name, values), color, marker in styles:
        mean, spread = values.mean(axis=1), values.std(axis=1)
        left.errorbar(PUPILS, mean, spread, color=color, marker=marker, capsize=3, label=name)
    left.set(xticks=PUPILS, xlabel="pupils known of a new school", ylabel="RMSE of the others")
    left.set_title(f"{title}; bars: sd over draws of pupils")
    left.grid(axis="y", alpha=0.3)
    left.legend()
    curve.plot([0, 100], [0, 100], color="0.6", lw=1)
    gap.axhline(0, color="0.6", lw=1)
    styles = zip(covered.items(), ("#7b3294", "#56b4e9", "#009e73"), "Dvo", strict=True)
    for (name, (shares, error)), color, marker in styles:
        form = {"color": color, "marker": marker, "ms": 4, "lw": 1}
        curve.plot(100 * LEVELS, 100 * shares, label=name, **form)
        gap.plot(100 * LEVELS, 100 * (shares - LEVELS), **form)
        low, high = shares - LEVELS - 2 * error, shares - LEVELS + 2 * error
        gap.fill_between(100 * LEVELS, 100 * low, 100 * high, color=color, alpha=0.15, lw=0)
    curve.set(ylabel="labels inside (%)", title="Predictive intervals", xlim=(0, 100))
    curve.tick_params(labelbottom=False)
    curve.legend()
    gap.set(xlabel="nominal coverage (%)", ylabel="excess (points)", xlim=(0, 100))
    gap.grid(axis="y", alpha=0.3)
    OUTPUT.mkdir(exist_ok=True)
    figure.savefig(OUTPUT / "new_task.png", dpi=110)


def main(arguments):
    """Compare on the file given, or on drawn schools."""
    if arguments:
        X, y, school = read_school(arguments[0])
        title = "ILEA schools"
    else:
        print("No path to school.mat given: these schools are drawn at random.\n")
        X, y, school = draw_school()
        title = "drawn schools, not real ones"
    rng = np.random.default_rng(0)
    later = np.isin(school, rng.permutation(np.unique(school))[::3])
    kept = ~later & (rng.random(len(y)) < 0.3)  # pupils of seen schools, not trained on
    training = ~later & ~kept
    long = np.column_stack([school, X])
    model = BayesianMultiTaskRegressor(task_feature=0, unseen_task="prior")
    model.fit(long[training], y[training])
    print(f"Fitted on {training.sum()} pupils of {len(model.task_names_)} schools.")
    errors, outcomes = compare(model, X, y, school, training, later)
    print(f"\n{'RMSE, pupils known:':34s}" + "".join(f"{count:8d}" for count in PUPILS))
    for name, values in errors.items():
        cells = ["       -" if np.isnan(x) else f"{x:8.2f}" for x in values.mean(axis=1)]
        print(f"{name:34s}" + "".join(cells))
    covered = {
        "schools seen in fit": coverage(
            y[kept], *model.predict(long[kept], return_std=True), school[kept]
        ),
        "new schools, nothing known": coverage(*outcomes[0]),
        f"new schools, {PUPILS[-1]} pupils known": coverage(*outcomes[PUPILS[-1]]),
    }
    shown = [9, 15, 18]
    print(f"\n{'labels inside intervals of:':34s}" + "".join(f"{x:8.0%}" for x in LEVELS[shown]))
    for name, (shares, error) in covered.items():
        cells = "".join(f"{share:8.1%}" for share in shares[shown])
        print(f"{name:34s}{cells}   (95 %: ± {error[-1]:.1%})")
    draw(errors, covered, title)


if __name__ == "__main__":
    main(sys.argv[1:])
