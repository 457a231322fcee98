"""Parameters that hold one estimator for all tasks, or a dict with one for each."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from sklearn_mtl.compose._tags import join_tags
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks._chosen import ChosenTasks
from sklearn_mtl.utils._validation import did_you_mean, listing, plain


class OneOrDictOfEstimators(BaseEstimator):
    """Parameters, tags, routing and display for an `estimator` that may be a dict by task name.

    In the dict form ``estimator__quality`` is the estimator of task "quality" and
    ``estimator__quality__max_depth`` a parameter of it, for `get_params`, `set_params` and so for
    every search. A subclass with further such parameters names them in `_estimator_parameters`;
    those may be None.
    """

    estimator: Any
    _estimator_parameters: tuple[str, ...] = ("estimator",)

    # -- the estimators -------------------------------------------------------------------------

    def _given(self, parameter: str = "estimator") -> list[tuple[Hashable, Any]]:
        """Return (task name, estimator) pairs; the name is None for the one estimator of all."""
        given = getattr(self, parameter)
        if isinstance(given, Mapping):
            return list(given.items())
        return [] if given is None and parameter != "estimator" else [(None, given)]

    def _all_given(self) -> list[tuple[str, Hashable, Any]]:
        """Return (parameter, task name or None, estimator) of every parameter."""
        return [
            (parameter, *pair)
            for parameter in self._estimator_parameters
            for pair in self._given(parameter)
        ]

    def _estimator_of(self, name: Hashable, parameter: str = "estimator") -> Any:
        given = getattr(self, parameter)
        return given[name] if isinstance(given, Mapping) else given

    def _check_estimators(self) -> None:
        """Raise unless every estimator can be cloned, fitted and asked for predictions."""
        for parameter in self._dicts():
            if not getattr(self, parameter):
                raise TaskLayoutError(
                    f"{parameter} is an empty dict; pass one estimator for all tasks, or one a "
                    "task."
                )
        for parameter, name, estimator in self._all_given():
            where = parameter if name is None else f"{parameter}[{plain(name)!r}]"
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
        """Raise unless every dict of estimators has exactly the tasks that y has."""
        for parameter in self._dicts():
            self._check_names_of(parameter, names)

    def _dicts(self) -> list[str]:
        """Return the parameters that are dicts of estimators by task."""
        given = self._estimator_parameters
        return [name for name in given if isinstance(getattr(self, name), Mapping)]

    def _check_names_of(self, parameter: str, names: Sequence[Hashable]) -> None:
        given = [plain(name) for name in getattr(self, parameter)]
        unknown = [name for name in given if name not in names]
        if unknown:
            raise TaskLayoutError(
                f"{parameter} has an entry for {listing(unknown)}, which is no task of y; the "
                f"tasks are {listing(names)}{did_you_mean(unknown[0], names)}."
            )
        absent = [name for name in names if name not in given]
        if absent:
            raise TaskLayoutError(
                f"{parameter} has no entry for the task(s) {listing(absent)}; it has "
                f"{listing(given)}. Give every task an estimator, or pass one for all of them."
            )

    def _parameters_for(self, tasks: ChosenTasks) -> dict[str, Any]:
        """Return the parameters that are of each task, for some of the tasks."""
        return {name: tasks.by_task(getattr(self, name)) for name in self._dicts()}

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
        for parameter in self._dicts() if deep else ():
            for name, estimator in getattr(self, parameter).items():
                params[f"{parameter}__{name}"] = estimator
                if hasattr(estimator, "get_params") and not isinstance(estimator, type):
                    for key, value in estimator.get_params(deep=True).items():
                        params[f"{parameter}__{name}__{key}"] = value
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
        for parameter in self._estimator_parameters:
            if parameter in params:  # before what is nested in it
                setattr(self, parameter, params.pop(parameter))
        for parameter in self._dicts():
            prefix = f"{parameter}__"
            nested = {key: params.pop(key) for key in list(params) if key.startswith(prefix)}
            self._set_nested(parameter, nested)
        super().set_params(**params)
        return self

    def _set_nested(self, parameter: str, params: dict[str, Any]) -> None:
        inner: dict[Hashable, dict[str, Any]] = {}
        for key, value in params.items():
            name, rest = self._split(key, parameter)
            if rest:
                inner.setdefault(name, {})[rest] = value
            else:
                # a new dict: a clone's caller may hold the old one
                setattr(self, parameter, {**getattr(self, parameter), name: value})
        for name, values in inner.items():
            getattr(self, parameter)[name].set_params(**values)

    def _split(self, key: str, parameter: str) -> tuple[Hashable, str]:
        """Return the task and the parameter that "estimator__<task>__<parameter>" means."""
        rest = key.removeprefix(f"{parameter}__")
        given = getattr(self, parameter)
        # the longest name first: a name may itself contain "__"
        for name in sorted(given, key=lambda name: len(str(name)), reverse=True):
            if rest == str(name) or rest.startswith(f"{name}__"):
                return name, rest[len(str(name)) + 2 :]
        found = rest.partition("__")[0]
        raise ValueError(
            f"Invalid parameter {key!r} for {type(self).__name__}: {parameter} has no entry for "
            f"task {found!r}; it has {listing(given)}{did_you_mean(found, given)}."
        )

    # -- what scikit-learn asks -----------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        given = [estimator for _, _, estimator in self._all_given()]
        return join_tags(super().__sklearn_tags__(), given)

    def _routed_names(self, parameter: str = "estimator") -> Iterator[tuple[Hashable, str, Any]]:
        """Yield (task name or None, name in the router, estimator)."""
        for name, estimator in self._given(parameter):
            yield name, parameter if name is None else f"{parameter}__{name}", estimator

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata goes to which estimator.

        Returns
        -------
        routing : MetadataRouter
            Metadata of ``fit`` go to the ``fit`` of the estimators that request them;
            `sample_weight` of ``score`` is this estimator's own.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        mapping = MethodMapping().add(caller="fit", callee="fit")
        for parameter in self._estimator_parameters:
            for _, key, estimator in self._routed_names(parameter):
                router.add(method_mapping=mapping, **{key: estimator})
        return router

    def _sk_visual_block_(self) -> _VisualBlock:
        names = [
            type(estimator).__name__
            if name is None
            else f"{plain(name)}: {type(estimator).__name__}"
            for _, name, estimator in self._all_given()
        ]
        estimators = [estimator for _, _, estimator in self._all_given()]
        return _VisualBlock(
            "parallel", estimators, names=names, name_details=[str(est) for est in estimators]
        )
