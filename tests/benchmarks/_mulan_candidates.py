"""The families of models that bench_mulan compares, with the settings each searches.

A family is one class of the package over given features; a setting is a word for the report and an
estimator. Strengths are searched by the ``...CV`` estimators themselves, all else by settings.
"""

import numpy as np
from bench_kernel_tables import SKEWED, WIDTHS, Logarithm, kernel_candidates, table_pipeline
from scipy.stats import skew
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, ParameterGrid
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from sklearn_mtl import (
    BayesianMultiTaskRegressor,
    GraphRegressorCV,
    IndependentTasks,
    JointFeatureRegressorCV,
    LowRankRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskLinearRegressorCV,
    MultiTaskRegressor,
    PooledTasks,
    StackedTasks,
    TaskChain,
    TaskGrouping,
    TaskRelationshipRegressor,
)
from sklearn_mtl.convex import NuclearNorm, Ridge
from sklearn_mtl.neural_network import PeriodicEmbedding

FEW = 200  # rows up to which all kernels of bench_kernel_tables are tried
WIDE = 100  # features from which on a forest that tries all of them at every split is too slow
NETWORK, KERNEL, FOREST = (
    "MultiTaskRegressor",
    "MeanRegularizedRegressorCV(kernel)",
    "IndependentTasks(forest)",
)
VOTERS = (NETWORK, KERNEL, FOREST)


def families(X, y, seed):
    """Return {family: [(setting, estimator), …]} for training data such as these."""
    folds = KFold(5 if len(X) < 500 else 3, shuffle=True, random_state=seed)
    path = {"alphas": 15, "cv": folds}
    linear = {
        "LowRankRegressorCV": LowRankRegressorCV(**path),
        "GraphRegressorCV": GraphRegressorCV(cv=folds),
        "JointFeatureRegressorCV": JointFeatureRegressorCV(**path),
        "MeanRegularizedRegressorCV": MeanRegularizedRegressorCV(cv=folds),
        "MultiTaskLinearRegressorCV": MultiTaskLinearRegressorCV(
            NuclearNorm(1.0) + Ridge(0.01), **path
        ),
        "BayesianMultiTaskRegressor": BayesianMultiTaskRegressor(),
        "IndependentTasks(RidgeCV)": IndependentTasks(RidgeCV(np.logspace(-2, 4, 13))),
    }
    trees = forests(X.shape[1], seed)
    small = clone(next(iter(trees.values()))).set_params(n_estimators=50)
    # shuffled: rows that follow each other in time, as those of andro, predict one another
    chain = {"order": "random", "n_chains": 3, "cv": folds, "random_state": seed}
    return {
        NETWORK: networks(y, seed),
        **{name: on_scales({"": model}, y) for name, model in linear.items()},
        KERNEL: kernels(X, y, folds),
        "TaskRelationshipRegressor": on_scales(relationships(X.shape[1]), y),
        FOREST: on_scales({name: IndependentTasks(model) for name, model in trees.items()}, y),
        "IndependentTasks(SVR)": on_scales(machines(X.shape[1]), y),
        "IndependentTasks(boosting)": boosting(y, seed),
        "TaskGrouping(linear)": on_scales(groupings(seed), y),
        "PooledTasks(forest)": on_scales({"": PooledTasks(small)}, y),
        # on one scale: these take long
        "StackedTasks(forest)": on_scales({"": StackedTasks(small, cv=folds)}, y)[-1:],
        "TaskChain(forest)": on_scales({"": TaskChain(small, **chain)}, y)[-1:],
    }


def on_scales(models, y):
    """Return the models with standardised targets, and where one is skewed with logarithms too."""
    found = [(name, table_pipeline(model)) for name, model in models.items()]
    if y.min() < 0 or skew(y).max() < SKEWED:
        return found
    log = Pipeline([("log", Logarithm()), ("scale", StandardScaler())])
    logs = [
        (f"{name}, log targets".removeprefix(", "), clone(model).set_params(transformer=log))
        for name, model in found
    ]
    return found + logs


def networks(y, seed):
    """Return the default, and a network that bends less."""
    slow = MultiTaskRegressor(
        numeric_embedding=PeriodicEmbedding(frequency_scale=0.03), dropout=0.1,
        input_scaling="standard", input_dropout=0.0, activation="silu", random_state=seed,
    )  # fmt: skip
    default = on_scales({"default": MultiTaskRegressor(random_state=seed)}, y)
    return [*default, ("slow frequencies", table_pipeline(slow))]


def kernels(X, y, folds):
    """Return a model of each kernel, width and scale of the features."""
    model = MeanRegularizedRegressorCV(alphas_shared=3, alphas_specific=8, cv=folds)
    grid = kernel_candidates(X.shape)
    if len(X) > FEW:
        widths = [{"gamma": width / X.shape[1]} for width in WIDTHS[:3]]
        kinds = ["rbf", "laplacian"]
        grid = {"regressor__model__kernel": kinds, "regressor__model__kernel_params": widths}
    return [
        (kernel_words(found, scale), found)
        for parameters in ParameterGrid(grid)
        for scale, pipeline in on_scales({"": model}, y)
        for found in [clone(pipeline.set_params(**parameters))]
    ]


def kernel_words(pipeline, scale):
    """Return what is set, in a few words."""
    model, features = pipeline.regressor["model"], pipeline.regressor["features"]
    steps = features.steps[-1][0] if isinstance(features, Pipeline) else "standardised"
    bend = model.kernel_params.get("degree") or f"{model.kernel_params['gamma']:.2g}"
    return f"{model.kernel} {bend} of {steps} features {scale}".strip()


def relationships(p):
    """Return linear models of three strengths, and kernels of three."""
    found = {f"linear {gamma:g}": TaskRelationshipRegressor(gamma) for gamma in (0.003, 0.03, 0.3)}
    kernel = {"kernel": "laplacian", "kernel_params": {"gamma": 0.3 / p}, "alpha": 1e-5}
    for gamma in (1e-4, 1e-3, 1e-2):
        found[f"laplacian {gamma:g}"] = TaskRelationshipRegressor(gamma, **kernel)
    return found


def groupings(seed):
    """Return linear models of two groups of tasks, of three strengths."""
    options = {"n_groups": 2, "affinity": "coefficients", "random_state": seed}
    return {
        f"{alpha:g}": TaskGrouping(MeanRegularizedRegressor(alpha, alpha_specific=alpha), **options)
        for alpha in (0.03, 0.3, 3.0)
    }


def forests(p, seed):
    """Return forests and extremely randomised trees."""
    few, many = (1 / 3, 1.0) if p < WIDE else (0.1, 0.2)
    options = {"random_state": seed, "n_estimators": 100}
    return {
        "forest": RandomForestRegressor(max_features=few, **options),
        "forest, 5 rows a leaf": RandomForestRegressor(
            max_features=few, min_samples_leaf=5, **options
        ),
        "extra trees": ExtraTreesRegressor(max_features=few, **options),
        f"extra trees, max_features={many}": ExtraTreesRegressor(max_features=many, **options),
    }


def machines(p):
    """Return support vector machines of some strengths and widths."""
    grid = ParameterGrid({"C": [1, 10, 100], "gamma": [0.3 / p, 1.5 / p]})
    return {
        f"C={chosen['C']}, gamma={chosen['gamma']:.2g}": IndependentTasks(
            SVR(epsilon=0.03, **chosen)
        )
        for chosen in grid
    }


def boosting(y, seed):
    """Return boosted trees, and for counts and sales those of a Poisson deviance."""
    slow = HistGradientBoostingRegressor(
        learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=min(10, len(y) // 8),
        random_state=seed,
    )  # fmt: skip
    found = on_scales({"8 leaves": IndependentTasks(slow)}, y)[-1:]
    if y.min() >= 0:
        poisson = clone(slow).set_params(loss="poisson")
        found.append(("Poisson", IndependentTasks(poisson)))
    return found
