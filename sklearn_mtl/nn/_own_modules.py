"""What modules of the user's own give, and errors that say so."""

from typing import Any

import torch
from torch import Tensor


def check_is_tensor(output: Any, name: str, wanted: str) -> None:
    """Raise a TypeError for an output that is no tensor.

    Parameters
    ----------
    output : object
    name : str
        Of the module, for the message.
    wanted : str
        The shape that it must give.
    """
    if not isinstance(output, Tensor):
        raise TypeError(
            f"{name} gives {described(output)}; it must give one tensor of shape {wanted}. Wrap it "
            "in a module that returns that tensor."
        )


def check_dtype(output: Tensor, x: Tensor, name: str, owner: str) -> None:
    """Raise a TypeError for an output in another precision than that of the inputs x."""
    if not output.is_floating_point() or (
        output.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type)
    ):
        raise TypeError(
            f"{name} gives {output.dtype} for {x.dtype} inputs; it must give {x.dtype}, the dtype "
            f"that {owner} cast it to."
        )


def described(value: Any) -> str:
    """Return what an object is, in words."""
    if value is None:
        return "None"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
