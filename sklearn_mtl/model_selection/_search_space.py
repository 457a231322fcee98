from collections.abc import Mapping
from typing import Any

from sklearn.model_selection._search import BaseSearchCV

from sklearn_mtl.tasks._nested import own_parameters


def search_space(search: BaseSearchCV) -> list[Mapping[str, Any]]:
    """Return what a search tries: lists or distributions by parameter, in one or several dicts."""
    params = own_parameters(search)
    space = params.get("param_grid", params.get("param_distributions", {}))
    return [space] if isinstance(space, Mapping) else list(space)
