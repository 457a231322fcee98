from collections.abc import Callable, Mapping
from typing import Any

from sklearn.model_selection._search import BaseSearchCV

from sklearn_mtl.tasks._nested import own_parameters

SPACES = ("param_grid", "param_distributions")  # what searches call it


def search_space(search: BaseSearchCV) -> list[Mapping[str, Any]]:
    """Return what a search tries: lists or distributions by parameter, in one or several dicts."""
    params = own_parameters(search)
    space: Any = next((params[name] for name in SPACES if name in params), {})
    return [space] if isinstance(space, Mapping) else list(space)


def rename_space(
    search: BaseSearchCV, prefix: str, replacement: str, wrap: Callable[[Any], Any]
) -> None:
    """Change in place what a search tries, for an estimator that is now inside a wrapper.

    Parameters
    ----------
    search : search
    prefix : str
        What the names of the estimator's parameters begin with.
    replacement : str
        What they begin with now.
    wrap : callable
        For candidates that are the estimator itself, under the prefix's own name.
    """
    itself = prefix.removesuffix("__")

    def renamed(name: str, values: Any) -> tuple[str, Any]:
        if name == itself:
            return name, [wrap(value) for value in values]
        if name.startswith(prefix):
            return f"{replacement}{name.removeprefix(prefix)}", values
        return name, values

    spaces = [dict(renamed(*item) for item in space.items()) for space in search_space(search)]
    search.set_params(**{name: spaces for name in SPACES if name in own_parameters(search)})
