"""A regression tree that prunes itself on rows it did not grow on, as WEKA's REPTree does."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_random_state


class PrunedTreeRegressor(RegressorMixin, BaseEstimator):
    """Grow on two thirds of the rows, prune on the other third, then let all rows set the leaves.

    Reduced-error pruning (Quinlan, "Simplifying decision trees", International Journal of
    Man-Machine Studies 27, 1987): bottom up, a split stays where the leaves below it have a smaller
    squared error on the rows kept back than the node's own mean. A row of weight w is w rows, all
    of them on the same side: BaggingRegressor then draws bags as WEKA does.

    Parameters
    ----------
    min_leaf : float, default=2
        The least weight of a leaf.
    random_state : int, RandomState or None, default=None
    """

    def __init__(self, min_leaf=2, random_state=None):
        self.min_leaf = min_leaf
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """Fit the tree; rows of weight 0 are no rows."""
        rng = check_random_state(self.random_state)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float)
        rows = rng.permutation(np.flatnonzero(weight))
        n_kept_back = len(rows) // 3
        prune, grow = rows[:n_kept_back], rows[n_kept_back:]
        self.tree_ = DecisionTreeRegressor(
            min_weight_fraction_leaf=min(0.5, self.min_leaf / weight[grow].sum()),
            random_state=rng.randint(2**31 - 1),
        ).fit(X[grow], y[grow], weight[grow])
        self.values_ = self._pruned_values(X[prune], y[prune], weight[prune])
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        """Return the mean of each row's leaf."""
        return self.values_[self.tree_.apply(X)]

    def _pruned_values(self, X, y, weight):
        """Return what a row that reaches each node is predicted."""
        tree = self.tree_.tree_
        left, right = tree.children_left, tree.children_right
        grown = tree.value[:, 0, 0]
        reached = self.tree_.decision_path(X).T
        kept_back, total = reached @ weight, reached @ (weight * y)
        error = reached @ (weight * y**2) - 2 * grown * total + grown**2 * kept_back
        is_leaf, least = left < 0, error.copy()
        for node in range(tree.node_count)[::-1]:  # children have larger numbers than parents
            if not is_leaf[node]:
                below = least[left[node]] + least[right[node]]
                is_leaf[node] = error[node] <= below
                least[node] = min(error[node], below)
        size = tree.weighted_n_node_samples
        values = (grown * size + total) / (size + kept_back)
        for node in range(tree.node_count):
            if is_leaf[node] and left[node] >= 0:
                is_leaf[left[node]] = is_leaf[right[node]] = True
                values[left[node]] = values[right[node]] = values[node]
        return values
