"""Every linear estimator there is, by what it fits; listing one in `__all__` tests it."""

from sklearn.base import is_classifier, is_regressor

from sklearn_mtl import linear_model

ESTIMATORS = {name: getattr(linear_model, name) for name in linear_model.__all__}
REGRESSORS = {name: kind for name, kind in ESTIMATORS.items() if is_regressor(kind())}
CLASSIFIERS = {name: kind for name, kind in ESTIMATORS.items() if is_classifier(kind())}
MIXED = {
    name: kind
    for name, kind in ESTIMATORS.items()
    if name not in REGRESSORS and name not in CLASSIFIERS
}
PATHS = {name: kind for name, kind in ESTIMATORS.items() if name.endswith("CV")}
# those with a penalty of their own strength
PLAIN = {name: kind for name, kind in ESTIMATORS.items() if name not in PATHS}
