"""Sharing schemes as they are built, a user's own among them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_mtl.nn._own_modules import check_dtype, check_is_tensor, described
from sklearn_mtl.nn.sharing._base import DependentSharingModule, Representation
from sklearn_mtl.nn.trunks import TrunkFactory
from sklearn_mtl.tasks import TaskSpec


def build_scheme(
    sharing: Any, make_trunk: TrunkFactory, tasks: Sequence[TaskSpec]
) -> tuple[nn.Module, int]:
    """Return the module of a sharing scheme, and h of what it gives.

    Parameters
    ----------
    sharing : Sharing
    make_trunk : TrunkFactory
    tasks : sequence of TaskSpec

    Raises
    ------
    TypeError, ValueError
        What `build` returns is no module, or fails, or gives neither (B, h) nor (T, B, h).
    """
    name = f"sharing={sharing!r} of {make_trunk.owner}"
    scheme = sharing.build(make_trunk, tasks)
    if not isinstance(scheme, nn.Module):
        raise TypeError(
            f"build of {name} must return a torch.nn.Module; it gives {described(scheme)}."
        )
    scheme = scheme.to(make_trunk.dtype)
    if isinstance(scheme, DependentSharingModule):
        # its forward needs the heads, which are made for the width
        return scheme, int(getattr(scheme, "n_outputs", make_trunk.n_outputs))
    # as many rows as tasks would not tell (T, B, h) from (B, T, h)
    x = torch.zeros(3 if len(tasks) == 2 else 2, *make_trunk.input_shape, dtype=make_trunk.dtype)
    values = _values(scheme, x, name)
    wanted = f"(B, h), which all tasks read, or (T, B, h) with one for each task, T = {len(tasks)}"
    check_is_tensor(values, name, wanted)
    shape = tuple(values.shape)
    if shape[:-1] not in ((len(x),), (len(tasks), len(x))) or shape[-1] == 0:
        raise ValueError(
            f"{name} gives shape {shape} for a batch of shape {tuple(x.shape)}; it must give "
            f"{wanted}."
        )
    check_dtype(values, x, name, make_trunk.owner)
    return scheme, shape[-1]


@torch.no_grad()
def _values(scheme: nn.Module, x: Tensor, name: str) -> Any:
    scheme.eval()  # no running statistic moves
    try:
        given = scheme(x)
    except Exception as error:
        raise ValueError(
            f"{name} fails on a batch of shape {tuple(x.shape)}: {type(error).__name__}: {error}"
        ) from error
    scheme.train()
    return given.values if isinstance(given, Representation) else given
