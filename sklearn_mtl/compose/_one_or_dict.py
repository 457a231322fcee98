"""A parameter `estimator` that is one estimator for all tasks, or a dict with one for each."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from sklearn_mtl.compose._tags import join_tags
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.utils._validation import did_you_mean, listing, plain

_PREFIX = "estimator__"


class OneOrDictOfEstimators(BaseEstimator):
    """Parameters, tags, routing and display for an `estimator` that may be a dict by task name.

    In the dict form ``estimator__quality`` is the estimator of task "quality" and
    ``estimator__quality__max_depth`` a parameter of it, for `get_params`, `set_params` and so for
    every search.
    """

    estimator: Any

    # -- the estimators -------------------------------------------------------------------------

    def _given(self) -> list[tuple[Hashable, Any]]:
        """Return (task name, estimator) pairs; the name is None for the one estimator of all."""
        if isinstance(self.estimator, Mapping):
            return list(self.estimator.items())
        return [(None, self.estimator)]

    def _estimator_of(self, name: Hashable) -> Any:
        return self.estimator[name] if isinstance(self.estimator, Mapping) else self.estimator

    def _check_estimators(self) -> None:
        """Raise unless every estimator can be cloned, fitted and asked for predictions."""
        if isinstance(self.estimator, Mapping) and not self.estimator:
            raise TaskLayoutError(
                "estimator is an empty dict; pass one estimator for all tasks, or one a task."
            )
        for name, estimator in self._given():
            where = "estimator" if name is None else f"estimator[{plain(name)!r}]"
            if isinstance(estimator, type):
                raise TypeError(
                    f"{where} is the class {estimator.__name__}; pass an instance: "
                    f"{estimator.__name__}()."
                )
            absent = [m for m in ("fit", "predict", "get_params") if not hasattr(estimator, m)]
            if absent:
                raise TypeError(
                    f"{where} must be a scikit-learn estimator with fit, predict and get_params; "
                    f"found {estimator!r} ({type(estimator).__name__}), which has no "
                    f"{' and no '.join(absent)}."
                )

    def _check_estimator_names(self, names: Sequence[Hashable]) -> None:
        """Raise unless the dict form has exactly the tasks that y has."""
        if not isinstance(self.estimator, Mapping):
            return
        given = [plain(name) for name in self.estimator]
        unknown = [name for name in given if name not in names]
        if unknown:
            raise TaskLayoutError(
                f"estimator has an entry for {listing(unknown)}, which is no task of y; the tasks "
                f"are {listing(names)}{did_you_mean(unknown[0], names)}."
            )
        absent = [name for name in names if name not in given]
        if absent:
            raise TaskLayoutError(
                f"estimator has no entry for the task(s) {listing(absent)}; it has "
                f"{listing(given)}. Give every task an estimator, or pass one for all of them."
            )

    # -- nested parameters ------------------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with ``estimator__<task>__<parameter>`` for a dict.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the estimators' own parameters.

        Returns
        -------
        params : dict
        """
        params = super().get_params(deep=deep)
        if deep and isinstance(self.estimator, Mapping):
            for name, estimator in self.estimator.items():
                params[f"{_PREFIX}{name}"] = estimator
                if hasattr(estimator, "get_params") and not isinstance(estimator, type):
                    for key, value in estimator.get_params(deep=True).items():
                        params[f"{_PREFIX}{name}__{key}"] = value
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``estimator__<task>`` and what follows it reach into a dict.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : object
        """
        if "estimator" in params:  # before what is nested in it
            self.estimator = params.pop("estimator")
        if isinstance(self.estimator, Mapping):
            nested = {key: params.pop(key) for key in list(params) if key.startswith(_PREFIX)}
            self._set_nested(nested)
        super().set_params(**params)
        return self

    def _set_nested(self, params: dict[str, Any]) -> None:
        inner: dict[Hashable, dict[str, Any]] = {}
        for key, value in params.items():
            name, parameter = self._split(key)
            if parameter:
                inner.setdefault(name, {})[parameter] = value
            else:
                # a new dict: a clone's caller may hold the old one
                self.estimator = {**self.estimator, name: value}
        for name, values in inner.items():
            self.estimator[name].set_params(**values)

    def _split(self, key: str) -> tuple[Hashable, str]:
        """Return the task and the parameter that "estimator__<task>__<parameter>" means."""
        rest = key.removeprefix(_PREFIX)
        # the longest name first: a name may itself contain "__"
        for name in sorted(self.estimator, key=lambda name: len(str(name)), reverse=True):
            if rest == str(name) or rest.startswith(f"{name}__"):
                return name, rest[len(str(name)) + 2 :]
        found = rest.partition("__")[0]
        raise ValueError(
            f"Invalid parameter {key!r} for {type(self).__name__}: estimator has no entry for task "
            f"{found!r}; it has {listing(self.estimator)}{did_you_mean(found, self.estimator)}."
        )

    # -- what scikit-learn asks -----------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        return join_tags(super().__sklearn_tags__(), [est for _, est in self._given()])

    def _routed_names(self) -> Iterator[tuple[Hashable, str, Any]]:
        """Yield (task name or None, name in the router, estimator)."""
        for name, estimator in self._given():
            yield name, "estimator" if name is None else f"{_PREFIX}{name}", estimator

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata goes to which estimator.

        Returns
        -------
        routing : MetadataRouter
            Metadata of ``fit`` go to the ``fit`` of the estimators that request them;
            `sample_weight` of ``score`` is this estimator's own.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        for _, key, estimator in self._routed_names():
            mapping = MethodMapping().add(caller="fit", callee="fit")
            router.add(method_mapping=mapping, **{key: estimator})
        return router

    def _sk_visual_block_(self) -> _VisualBlock:
        names = [
            type(estimator).__name__
            if name is None
            else f"{plain(name)}: {type(estimator).__name__}"
            for name, estimator in self._given()
        ]
        estimators = [estimator for _, estimator in self._given()]
        return _VisualBlock(
            "parallel", estimators, names=names, name_details=[str(est) for est in estimators]
        )
