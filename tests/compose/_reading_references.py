"""Stacking and chains written out row by row: slow, obvious, and without any class of ours."""

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv


def columns_of(fitted, X):
    """Return what others read of a fitted estimator: values, or probabilities."""
    if not is_classifier(fitted):
        return fitted.predict(X)[:, None]
    probabilities = fitted.predict_proba(X)
    return probabilities[:, 1:] if probabilities.shape[1] == 2 else probabilities


def fit_on(estimator, X, y, rows, weights=None):
    more = {} if weights is None else {"sample_weight": weights[rows]}
    labels = y[rows].astype(int) if is_classifier(estimator) else y[rows]
    return clone(estimator).fit(X[rows], labels, **more)


def read_columns(estimator, X, y, cv, weights=None):
    """Return the columns of each row, from a fit that did not see the row's own label.

    y is NaN where it is not known; with cv=None known labels are the columns themselves.
    """
    known = np.flatnonzero(~np.isnan(y))
    whole = fit_on(estimator, X, y, known, weights)
    if cv is not None:
        labels = y[known].astype(int) if is_classifier(estimator) else y[known]
        splitter = check_cv(cv, labels, classifier=is_classifier(estimator))
        folds = list(splitter.split(X[known], labels))
    columns = []
    for i in range(len(X)):
        if np.isnan(y[i]):
            columns.append(columns_of(whole, X[[i]])[0])
        elif cv is None:
            indicators = np.arange(int(np.nanmax(y)) + 1) == y[i]
            multi = len(indicators) > 2
            of_class = indicators if multi else indicators[1:]
            columns.append(of_class.astype(float) if is_classifier(estimator) else [y[i]])
        else:
            train = next(train for train, test in folds if i in known[test])
            without = fit_on(estimator, X, y, known[train], weights)
            columns.append(columns_of(without, X[[i]])[0])
    return np.array(columns)


def stacked_predictions(estimators, finals, X, Y, X_new, *, cv, read, passthrough, weights=None):
    """Return (n_new, T): what the second estimators predict. ``read(s, t)``: does t read s?"""
    n_tasks = Y.shape[1]
    weighted = [None if weights is None else weights[:, t] for t in range(n_tasks)]
    seen = [read_columns(estimators[t], X, Y[:, t], cv, weighted[t]) for t in range(n_tasks)]
    new = []
    for t in range(n_tasks):
        known = np.flatnonzero(~np.isnan(Y[:, t]))
        new.append(columns_of(fit_on(estimators[t], X, Y[:, t], known, weighted[t]), X_new))
    predicted = []
    for t in range(n_tasks):
        own = [s for s in range(n_tasks) if read(s, t)]
        wide = np.hstack([X[:, : X.shape[1] * passthrough], *(seen[s] for s in own)])
        wide_new = np.hstack([X_new[:, : X.shape[1] * passthrough], *(new[s] for s in own)])
        known = np.flatnonzero(~np.isnan(Y[:, t]))
        predicted.append(fit_on(finals[t], wide, Y[:, t], known, weighted[t]).predict(wide_new))
    return np.column_stack(predicted)


def chain_predictions(estimators, X, Y, X_new, *, cv, order, weights=None):
    """Return (n_new, T): what the estimators of one chain predict."""
    predicted = np.empty((len(X_new), Y.shape[1]))
    wide, wide_new = X, X_new
    for t in order:
        own = None if weights is None else weights[:, t]
        known = np.flatnonzero(~np.isnan(Y[:, t]))
        fitted = fit_on(estimators[t], wide, Y[:, t], known, own)
        predicted[:, t] = fitted.predict(wide_new)
        seen = read_columns(estimators[t], wide, Y[:, t], cv, own)
        wide_new = np.hstack([wide_new, columns_of(fitted, wide_new)])
        wide = np.hstack([wide, seen])
    return predicted
