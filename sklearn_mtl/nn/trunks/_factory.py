import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from sklearn_mtl.nn.trunks._backbone import Copies, make_backbone
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
        self.module = module
        self.module_params = module_params
        self.dtype = dtype
        self.owner = owner
        self.n_outputs = self._width()

    def __call__(self, copies: int | None = None) -> nn.Module:
        """Return a trunk (B, ...) to (B, h), or n trunks (B, ...) or (n, B, ...) to (n, B, h)."""
        if self.module is not None:
            if copies is None:
                return self._backbone()
            return Copies([self._backbone() for _ in range(copies)])
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

    def _backbone(self) -> nn.Module:
        made = make_backbone(self.module, self.module_params).to(self.dtype)
        with torch.no_grad():  # lazy layers take their shapes
            made.eval()(torch.zeros(2, *self.input_shape, dtype=self.dtype))
        return made.train()

    def _width(self) -> int:
        if self.module is None:
            with torch.random.fork_rng(devices=[]):
                return int(self().n_outputs)  # type: ignore[arg-type]
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            made = self._backbone().eval()
            return int(made(torch.zeros(2, *self.input_shape, dtype=self.dtype)).shape[1])
