from collections.abc import Callable, Hashable, Mapping, Sequence
from math import factorial
from typing import Any, Self

import numpy as np
from sklearn.utils import metadata_routing
from sklearn.utils.metadata_routing import _raise_for_params
from sklearn.utils.parallel import Parallel, delayed

from sklearn_mtl.compose._cross_fitted import CrossFittedComposition, check_same_features
from sklearn_mtl.compose._fit_one import predict_one, predict_proba_one
from sklearn_mtl.compose._out_of_fold import (
    Beside,
    Learner,
    ask_everywhere,
    fit_all,
    fit_out_of_fold,
)
from sklearn_mtl.compose._part import sliceable
from sklearn_mtl.compose._predicted_columns import PredictedColumns
from sklearn_mtl.compose._taskwise import place
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskData
from sklearn_mtl.utils._validation import check_tasks, draw_seed, listing


class TaskChain(CrossFittedComposition):
    """A chain of one estimator a task, in which each reads the predictions of those before it.

    For the tasks s_1, s_2, … in the order of the chain

        f_k = clone(estimator).fit([X, z_1, …, z_{k-1}], y_{s_k})    on the rows labelled for s_k
        z_k = what f_k predicts

    Parameters
    ----------
    estimator : estimator, or dict from task name to estimator
    """

    # its own `fit` hands sample_weight on to the estimators, who request it
    __metadata_request__fit = {"sample_weight": metadata_routing.UNUSED}

    def __init__(
        self,
        estimator: Any,
        *,
        order: Sequence[Hashable] | str | None = None,
        cv: Any = 5,
        n_chains: int = 1,
        chain_method: str = "auto",
        task_kinds: Mapping[Hashable, str] | None = None,
        task_feature: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.order = order
        self.cv = cv
        self.n_chains = n_chains
        self.chain_method = chain_method
        self.task_kinds = task_kinds
        self.task_feature = task_feature
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit the estimators, in the order of the chain.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, p), or dict name -> (n_t, p)
        y : array-like of shape (n,) or (n, T), frame, dict name -> labels, or MultiTaskTarget
            NaN, None and NA mark labels that nobody observed.
        sample_weight : array-like of shape (n,) or (n, T), frame or dict by task, default=None
        **params : dict
            ``groups`` for the splitter `cv`; other metadata with metadata routing enabled.

        Returns
        -------
        self : TaskChain
        """
        _raise_for_params(params, self, "fit", allow=["groups"])
        self._check_cv()
        X = sliceable(X)
        layout, parts = self._prepare(X, y, sample_weight, params)
        data = parts[0].data
        check_same_features(layout, data)
        predicted = self._predicted_columns(layout, self.chain_method, parameter="chain_method")
        orders = self._draw_orders(layout.names)
        # the last task of a chain is read by none
        folds = (
            self._folds(parts, self._groups(sample_weight, params))
            if layout.n_tasks > 1
            else [None]
        )

        reads = [Beside(np.empty((data.n_rows, 0)), []) for _ in orders]
        chains: list[dict[Hashable, Any]] = [{} for _ in orders]
        # all chains a step at a time: their fits are independent
        for step in zip(*orders, strict=True):
            learners = [
                Learner(self._estimator_of(layout.names[t]), parts[t], read)
                for t, read in zip(step, reads, strict=True)
            ]
            if len(chains[0]) == layout.n_tasks - 1:
                fitted = fit_all(learners, self.n_jobs)
            else:
                here = [predicted[t] for t in step]
                fitted, columns = fit_out_of_fold(
                    learners, here, [folds[t] for t in step], self.n_jobs
                )
                reads = [
                    read.and_then(*new) for read, *new in zip(reads, columns, here, strict=True)
                ]
            for chain, t, estimator in zip(chains, step, fitted, strict=True):
                chain[layout.names[t]] = estimator
        self._set_layout(layout)
        self.chains_ = chains
        self.orders_ = [list(chain) for chain in chains]
        self._predicted = predicted
        return self

    def _draw_orders(self, names: list[Hashable]) -> list[list[int]]:
        """Return task numbers in the order of each chain."""
        if self.n_chains < 1:
            raise ValueError(f"n_chains must be at least 1, got {self.n_chains}.")
        if isinstance(self.order, str) and self.order == "random":
            most = factorial(len(names))
            generator = np.random.RandomState(draw_seed(self.random_state))
            found: dict[tuple[int, ...], None] = {}
            while len(found) < min(self.n_chains, most):
                found[tuple(generator.permutation(len(names)).tolist())] = None
            return [list(order) for order in found]
        if self.n_chains > 1:
            raise ValueError(
                f"n_chains={self.n_chains} chains of one order would be {self.n_chains} times the "
                "same chain; pass order='random', or n_chains=1."
            )
        if self.order is None:
            return [list(range(len(names)))]
        order = list(self.order)
        check_tasks(order, names, "order")
        if sorted(map(str, order)) != sorted(map(str, names)):
            raise TaskLayoutError(
                f"order must have each task once; it has {listing(order)}, the tasks are "
                f"{listing(names)}."
            )
        return [[names.index(name) for name in order]]

    # -- how ------------------------------------------------------------------------------------

    def _answering(self) -> Mapping[Hashable, Any]:
        return self.chains_[0]

    def _predict(self, data: TaskData) -> np.ndarray:
        tasks = self.layout_.tasks
        if len(self.chains_) == 1:
            return place(self._ask(data, predict_one, [True] * data.n_tasks)[0], data)
        probable = [
            task.is_classification and hasattr(self.chains_[0][task.name], "predict_proba")
            for task in tasks
        ]
        found: dict[int, np.ndarray] = {}
        if any(probable):
            for t, probabilities in _means(self._ask(data, predict_proba_one, probable)).items():
                found[t] = probabilities.argmax(axis=1)
        if not all(probable):
            answers = self._ask(data, predict_one, [not one for one in probable])
            for t, mean in _means(answers).items():
                found[t] = mean
                classes = tasks[t].classes
                if classes is not None:
                    votes = [(answer[t][:, None] == np.arange(len(classes))) for answer in answers]
                    found[t] = np.sum(votes, axis=0).argmax(axis=1)
        return place(found, data)

    def _probabilities(self, data: TaskData) -> list[np.ndarray | None]:
        tasks = self.layout_.tasks
        wanted = [task.is_classification for task in tasks]
        found = _means(self._ask(data, predict_proba_one, wanted))
        return [
            # a task without a row here was not asked
            found.get(t, np.empty((0, len(task.classes)))) if task.classes is not None else None
            for t, task in enumerate(tasks)
        ]

    def _ask(
        self, data: TaskData, question: Callable[..., np.ndarray], wanted: list[bool]
    ) -> list[dict[int, np.ndarray]]:
        """Return each chain's answers for the wanted tasks that have rows in data."""
        check_same_features(self.layout_, data)
        # threads: a process would be sent every fitted estimator
        return Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(_follow)(chain, self.layout_.names, self._predicted, data, question, wanted)
            for chain in self.chains_
        )


def _follow(
    chain: Mapping[Hashable, Any],
    names: list[Hashable],
    predicted: Sequence[PredictedColumns],
    data: TaskData,
    question: Callable[..., np.ndarray],
    wanted: Sequence[bool],
) -> dict[int, np.ndarray]:
    """Return one chain's answers by task number."""
    read = Beside(np.empty((data.n_rows, 0)), [])
    found = {}
    for k, (name, estimator) in enumerate(chain.items()):
        t = names.index(name)
        rows = data.rows(t, observed=False)
        # without a single row an estimator raises; where rows are shared, its error is the answer
        if wanted[t] and (len(rows) or data.task_index is None):
            found[t] = question(estimator, read.features(data, t, rows), predicted[t].task)
        if k < len(chain) - 1:
            columns = ask_everywhere(estimator, predicted[t], data, np.arange(data.n_rows), read)
            read = read.and_then(columns, predicted[t])
    return found


def _means(answers: Sequence[Mapping[int, np.ndarray]]) -> dict[int, np.ndarray]:
    return {t: np.mean([answer[t] for answer in answers], axis=0) for t in answers[0]}
