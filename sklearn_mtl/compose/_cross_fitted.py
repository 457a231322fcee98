"""What estimators share in which tasks read predictions of other tasks."""

from collections.abc import Collection, Sequence
from typing import Any

from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from sklearn_mtl.compose._folds import Fold, folds_of
from sklearn_mtl.compose._part import Part
from sklearn_mtl.compose._predicted_columns import PredictedColumns
from sklearn_mtl.compose._same_features import check_same_features
from sklearn_mtl.compose._taskwise import TaskwiseComposition
from sklearn_mtl.tasks import TaskLayout
from sklearn_mtl.tasks._column import is_dict_of_rows
from sklearn_mtl.utils._validation import check_option, plain

_METHODS = ("auto", "predict_proba", "predict")


class CrossFittedComposition(TaskwiseComposition):
    """Folds, metadata and predicted columns of estimators that read each other's predictions."""

    cv: Any

    def _check_X(self, X: Any, *, reset: bool) -> None:
        if is_dict_of_rows(X):
            check_same_features(X)
        super()._check_X(X, reset=reset)

    def _check_params(self, params: dict[str, Any]) -> None:
        """Raise for metadata that go nowhere."""
        _raise_for_params(params, self, "fit", allow=None if self.cv is None else ["groups"])

    def _predicted_columns(
        self, layout: TaskLayout, method: str, *, parameter: str
    ) -> list[PredictedColumns]:
        """Return in which columns each task is read."""
        check_option(method, _METHODS, parameter=parameter, owner=type(self).__name__)
        found = []
        for task in layout.tasks:
            estimator = self._estimator_of(task.name)
            able = hasattr(estimator, "predict_proba")
            if method == "predict_proba" and task.is_classification and not able:
                raise ValueError(
                    f"{parameter}='predict_proba', but task {plain(task.name)!r} is fitted by "
                    f"{type(estimator).__name__}, which has no predict_proba; choose an estimator "
                    f"that has it, or {parameter}='auto'."
                )
            found.append(PredictedColumns(task, method != "predict" and able))
        return found

    def _folds(
        self,
        cv: Any,
        parts: Sequence[Part],
        sample_weight: Any,
        params: dict[str, Any],
        *,
        read: Collection[int],
        reads_own: bool,
    ) -> list[list[Fold] | None]:
        """Return the folds of each task, None for those that need none.

        Parameters
        ----------
        read : collection of int
            The tasks that an estimator reads.
        reads_own : bool
            Whether estimators read their own task.
        """
        # a row that belongs to one task has no label that another task's prediction could show
        is_tagged = parts[0].data.task_index is not None
        if cv is None or (is_tagged and not reads_own):
            return [None] * len(parts)
        groups = self._groups(sample_weight, params)
        return [folds_of(part, cv, groups) if part.number in read else None for part in parts]

    def _fit_params(
        self,
        layout: TaskLayout,
        sample_weight: Any,
        params: dict[str, Any],
        parameter: str = "estimator",
    ) -> list[dict[str, Any]]:
        if not _routing_enabled():  # groups are the splitter's alone
            params = {key: value for key, value in params.items() if key != "groups"}
        return super()._fit_params(layout, sample_weight, params, parameter)

    def _groups(self, sample_weight: Any, params: dict[str, Any]) -> Any:
        """Return the groups that the splitter is given, None if it asks for none."""
        if not _routing_enabled():
            return params.get("groups")
        if not hasattr(self.cv, "split"):
            return None
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        return process_routing(self, "fit", **params)["splitter"]["split"].get("groups")

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata goes to which estimator, and to the splitter `cv`.

        Returns
        -------
        routing : MetadataRouter
        """
        router = super().get_metadata_routing()
        if hasattr(self.cv, "split"):
            mapping = MethodMapping().add(caller="fit", callee="split")
            router.add(splitter=self.cv, method_mapping=mapping)
        return router
