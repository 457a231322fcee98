"""A parameter `estimators` that is a list of (name, estimator) pairs."""

from typing import Any, Self

from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import _BaseComposition

from sklearn_mtl.compose._tags import join_tags


class NamedEstimators(_BaseComposition):
    """Parameters, tags, routing and display for `estimators`, some of which may be "drop".

    ``forest`` is the estimator of that name and ``forest__max_depth`` a parameter of it, for
    `get_params`, `set_params` and so for every search.
    """

    estimators: Any

    def _kept(self) -> list[tuple[str, Any]]:
        """Return (name, estimator) pairs without those that are dropped."""
        return [(name, est) for name, est in self.estimators if not is_dropped(est)]

    def _check_estimators(self) -> None:
        """Raise unless there are estimators, with names of their own."""
        given = self.estimators
        pairs = isinstance(given, (list, tuple)) and all(
            isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str)
            for pair in given
        )
        if not pairs:
            raise TypeError(
                "estimators must be a list of pairs (name, estimator), such as "
                f"[('ridge', IndependentTasks(Ridge()))]; got {given!r}."
            )
        if not given:
            raise ValueError("estimators is an empty list; pass at least one (name, estimator).")
        self._validate_names([name for name, _ in given])
        if not self._kept():
            raise ValueError("All estimators are 'drop'; keep at least one.")
        for name, est in self._kept():
            absent = [m for m in ("fit", "predict", "get_params") if not hasattr(est, m)]
            if absent or isinstance(est, type):
                raise TypeError(
                    f"Estimator {name!r} must be an instance with fit, predict and get_params, or "
                    f"'drop'; got {est!r}."
                )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with the estimators and their parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the estimators' own parameters.

        Returns
        -------
        params : dict
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``<name>`` is an estimator (or "drop"), ``<name>__<parameter>`` its own.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : object
        """
        self._set_params("estimators", **params)
        return self

    def __sklearn_tags__(self) -> Any:
        try:
            estimators = [est for _, est in self._kept()]
        except (TypeError, ValueError):  # no list of pairs, which fit tells of
            estimators = []
        return join_tags(super().__sklearn_tags__(), estimators)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata goes to which estimator.

        Returns
        -------
        routing : MetadataRouter
            Metadata of ``fit`` go to the ``fit`` of the estimators that request them;
            `sample_weight` of ``score`` is this estimator's own.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        for name, est in self._kept():
            router.add(
                method_mapping=MethodMapping().add(caller="fit", callee="fit"), **{name: est}
            )
        return router

    def _sk_visual_block_(self) -> _VisualBlock:
        names, estimators = zip(*self.estimators, strict=True)
        return _VisualBlock("parallel", estimators, names=names)


def is_dropped(estimator: Any) -> bool:
    """Return whether an entry says to leave its estimator out."""
    return isinstance(estimator, str) and estimator == "drop"
