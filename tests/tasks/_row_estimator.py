"""An estimator that does nothing but insist on its containers; importable by worker processes."""

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_mtl import MultiTaskTarget
from sklearn_mtl.tasks import infer_layout


class FirstLabels(BaseEstimator):
    """Predicts the first observed label of each task, plus `shift` for tasks of numbers."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        assert isinstance(y, MultiTaskTarget), f"fit received {type(y).__name__}"
        assert len(X) == len(y)
        self.layout_ = infer_layout(X, y)
        data = self.layout_.encode(X, y)
        self.first_ = [data.labels[data.rows(t)[0], t] for t in range(self.layout_.n_tasks)]
        return self

    def predict(self, X):
        data = self.layout_.encode(X)
        values = np.tile(np.asarray(self.first_, dtype=float), (data.n_rows, 1))
        for t, task in enumerate(self.layout_.tasks):
            if not task.is_classification:
                values[:, t] += self.shift
        return self.layout_.decode(values, data)

    def score(self, X, y):
        assert isinstance(y, MultiTaskTarget), f"score received {type(y).__name__}"
        predicted = self.predict(X)
        assert isinstance(predicted, MultiTaskTarget)
        assert predicted.keys() == y.keys()
        return -abs(self.shift - 1.0)
