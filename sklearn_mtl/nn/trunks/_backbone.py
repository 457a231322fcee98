"""Trunks made of the user's own module."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sklearn_mtl.nn._copied import copied
from sklearn_mtl.nn._own_modules import check_dtype, check_is_tensor, described


class Backbone(nn.Module):
    """A module of the user's as a trunk: inputs (B, ...) to (B, h), or an error saying what came.

    Parameters
    ----------
    module : nn.Module
    input_shape : tuple of int
        Shape of one input, without the batch.
    dtype : torch.dtype
        What the module is cast to.
    owner : str
        Name of the estimator, for error messages.

    Attributes
    ----------
    n_outputs : int
        h.
    """

    def __init__(
        self, module: nn.Module, input_shape: Sequence[int], dtype: torch.dtype, owner: str
    ) -> None:
        super().__init__()
        self.module = module.to("cpu", dtype)
        self.owner = owner
        self.n_outputs = 0  # until it is measured
        self.n_outputs = self._width(tuple(input_shape), dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Return the module's output, shape (B, h)."""
        if self.training and x.shape[0] == 1:
            return self._checked(self._forward_one_row(x), x)
        return self._checked(self.module(x), x)

    def _forward_one_row(self, x: Tensor) -> Tensor:
        # one row has no variance to normalise by: batch normalisation uses the running one
        norms = [part for part in self.module.modules() if isinstance(part, _BatchNorm)]
        for norm in norms:
            norm.eval()
        try:
            return self.module(x)
        finally:
            for norm in norms:
                norm.train()

    def _width(self, input_shape: tuple[int, ...], dtype: torch.dtype) -> int:
        """Return h, after lazily shaped layers took their shapes; no running statistic moves."""
        self.eval()
        widths = []
        with torch.no_grad():
            for n_rows in (2, 3):  # two sizes, to tell h from what depends on the batch
                x = torch.zeros(n_rows, *input_shape, dtype=dtype)
                try:
                    output = self.module(x)
                except Exception as error:
                    raise ValueError(
                        f"{self._name} fails on a batch of shape {tuple(x.shape)}: "
                        f"{type(error).__name__}: {error}. X has inputs of shape {input_shape}; "
                        "pass X in the shape that the module reads, or a module that reads these."
                    ) from error
                widths.append(self._checked(output, x).shape[1])
        if widths[0] != widths[1]:
            raise ValueError(
                f"{self._name} gives shape (2, {widths[0]}) for 2 rows and (3, {widths[1]}) for 3: "
                "its width depends on the batch; it must give (B, h), h the same for every batch."
            )
        self.train()
        return widths[0]

    @property
    def _name(self) -> str:
        return f"module={type(self.module).__name__} of {self.owner}"

    def _checked(self, output: Any, x: Tensor) -> Tensor:
        wanted = "(B, h), h numbers for each of the B rows, which the heads of the tasks read"
        check_is_tensor(output, self._name, wanted)
        shape = tuple(output.shape)
        width = (self.n_outputs,) if self.n_outputs else shape[-1:]
        if shape != (x.shape[0], *width) or width == (0,):
            here = f", h = {self.n_outputs} as found before" if self.n_outputs else ""
            advice = " Flatten it, or average over positions." if len(shape) > 2 else ""
            raise ValueError(
                f"{self._name} gives shape {shape} for a batch of shape {tuple(x.shape)}; it must "
                f"give {wanted}{here}.{advice}"
            )
        check_dtype(output, x, self._name, self.owner)
        return output


class BackboneFactory:
    """Makes backbones of a ``module`` parameter.

    A class or callable is called for each; of an instance each is a copy, with its weights, so that
    several start equal and the caller's object is left as it is.

    Parameters
    ----------
    module : nn.Module class, instance, or callable that returns one
    module_params : dict or None
        What a class or callable is called with.
    input_shape : tuple of int
    dtype : torch.dtype
    owner : str
    """

    def __init__(
        self,
        module: Any,
        module_params: Mapping[str, Any] | None,
        input_shape: Sequence[int],
        dtype: torch.dtype,
        owner: str,
    ) -> None:
        if isinstance(module, type) and not issubclass(module, nn.Module):
            raise TypeError(
                f"The 'module' parameter of {owner} must be a torch.nn.Module class, an instance "
                f"of one, or a callable that returns one; got the class {module.__name__}, which "
                "is no torch.nn.Module."
            )
        if isinstance(module, nn.Module) and module_params:
            raise ValueError(
                f"module_params={dict(module_params)!r} are arguments for a class or callable, but "
                f"the module of {owner} is an instance of {type(module).__name__}, which is made "
                f"already; pass module={type(module).__name__}, or drop module_params."
            )
        self.module = module
        self.params = dict(module_params or {})
        self.input_shape = tuple(input_shape)
        self.dtype = dtype
        self.owner = owner

    def __call__(self) -> Backbone:
        """Return a backbone."""
        return Backbone(self._module(), self.input_shape, self.dtype, self.owner)

    def _module(self) -> nn.Module:
        if isinstance(self.module, nn.Module):
            return copied(self.module)
        name = getattr(self.module, "__name__", repr(self.module))
        try:
            # copies: an argument may be a module of the caller's
            made = self.module(**copied(self.params))
        except TypeError as error:
            raise TypeError(
                f"{self.owner} cannot call module={name} with module_params={self.params!r}: "
                f"{error}"
            ) from error
        if not isinstance(made, nn.Module):
            raise TypeError(
                f"module={name} of {self.owner} must return a torch.nn.Module; it returned "
                f"{described(made)}."
            )
        # a callable may return one object of the caller's each time
        return made if isinstance(self.module, type) else copied(made)


class Copies(nn.Module):
    """n modules with weights of their own, run one after another.

    Parameters
    ----------
    modules : list of nn.Module
        Each maps (B, ...) to (B, h).
    n_dimensions : int
        Of one input, without the batch.
    """

    def __init__(self, modules: Sequence[nn.Module], n_dimensions: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(modules)
        self.n_dimensions = n_dimensions

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, B, h) of x (B, ...), or (n, B, ...) with an input for each module."""
        own = x.ndim == self.n_dimensions + 2
        inputs = x.unbind() if own else [x] * len(self.members)
        return torch.stack(
            [member(part) for member, part in zip(self.members, inputs, strict=True)]
        )


def start_equal(one: nn.Module, other: nn.Module) -> bool:
    """Return whether two modules of one form have parameters, and have the same."""
    pairs = list(zip(one.parameters(), other.parameters(), strict=True))
    return len(pairs) > 0 and all(torch.equal(a, b) for a, b in pairs)
