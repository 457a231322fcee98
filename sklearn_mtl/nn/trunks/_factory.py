import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import torch
from torch import nn

from sklearn_mtl.nn.trunks._backbone import Backbone, BackboneFactory, Copies
from sklearn_mtl.nn.trunks._mlp import ACTIVATIONS, MLP
from sklearn_mtl.utils._validation import check_option


class TrunkFactory:
    """Makes trunks of one kind: ``make_trunk()`` one, ``make_trunk(n)`` n of them as one module.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one input, without the batch.
    hidden_layer_sizes, activation, dropout, input_dropout : see MLP
    embedding : NumericEmbedding or None
        Makes the first layer of an MLP.
    module : nn.Module class, instance, factory or None
        The user's own trunk; None for the MLP.
    module_params : dict or None
    dtype : torch.dtype
    owner : str

    Attributes
    ----------
    n_inputs : int
        Numbers in one input.
    n_outputs : int
        h, the width of a trunk's output.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        *,
        hidden_layer_sizes: Sequence[int],
        activation: str,
        dropout: float,
        input_dropout: float,
        embedding: Any,
        module: Any,
        module_params: Mapping[str, Any] | None,
        dtype: torch.dtype,
        owner: str,
    ) -> None:
        check_option(activation, ACTIVATIONS, parameter="activation", owner=owner)
        self.input_shape = tuple(input_shape)
        self.n_inputs = math.prod(self.input_shape)
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.embedding = embedding
        self.dtype = dtype
        self.owner = owner
        self.make_backbone: BackboneFactory | None = None
        self._spare: Backbone | None = None  # made to be measured, and the first to be used
        if module is None:
            with torch.random.fork_rng(devices=[]):
                self.n_outputs = int(self().n_outputs)  # type: ignore[arg-type]
        else:
            self.make_backbone = BackboneFactory(module, module_params, input_shape, dtype, owner)
            self._spare = self.make_backbone()
            self.n_outputs = self._spare.n_outputs

    def __call__(self, copies: int | None = None) -> nn.Module:
        """Return a trunk (B, ...) to (B, h), or n trunks (B, ...) or (n, B, ...) to (n, B, h)."""
        if self.make_backbone is not None:
            if copies is None:
                return self._backbone(self.make_backbone)
            members = [self._backbone(self.make_backbone) for _ in range(copies)]
            return Copies(members, len(self.input_shape))
        embedding = None
        if self.embedding is not None:
            embedding = self.embedding.build(self.n_inputs, copies)
        trunk = MLP(
            self.n_inputs,
            self.hidden_layer_sizes,
            self.activation,
            self.dropout,
            self.input_dropout,
            embedding,
            copies,
        )
        return trunk.to(self.dtype)

    def resized(self, scale: float) -> "TrunkFactory":
        """Return a maker of MLPs whose layers are that many times as wide, rounded, at least 1."""
        if self.make_backbone is not None:
            raise ValueError(
                f"The widths of {self.owner}'s own module cannot be changed; set width_scale=1 in "
                "its sharing, or give module_params that make it smaller."
            )
        other = copy(self)
        other.hidden_layer_sizes = [max(1, round(scale * size)) for size in self.hidden_layer_sizes]
        if other.hidden_layer_sizes:
            other.n_outputs = other.hidden_layer_sizes[-1]
        return other

    def _backbone(self, make_backbone: BackboneFactory) -> Backbone:
        made, self._spare = self._spare or make_backbone(), None
        return made
