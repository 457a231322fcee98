from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_mtl.nn._batches import Batch
from sklearn_mtl.nn.heads import GroupedHeads
from sklearn_mtl.nn.sharing import DependentSharingModule, Representation, SharingModule
from sklearn_mtl.nn.sharing._base import as_representation, own_rows


class InputScaler(nn.Module):
    """z = (x - mean) / scale in the precision that x comes in, then in that of the network.

    Kept in float64 where the device has it, so that features with a large mean lose no digits.

    Parameters
    ----------
    mean, scale : Tensor of shape (p,), or that of one input with 1 where it does not differ
    limit : float, default=None
        z becomes z / sqrt(1 + (z / limit)²), which is z near 0 and stays within ±limit
        (Holzmüller et al., "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data", 2024, section 3). None leaves it.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor, limit: float | None = None) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.limit = limit

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled rows."""
        scaled = (x - self.mean) / self.scale
        if self.limit is None:
            return scaled
        return scaled / (1 + (scaled / self.limit).square()).sqrt()


class MultiTaskModule(nn.Module):
    """Input scaling, a sharing scheme over trunks, and the heads of all tasks.

    Called on rows (B, p) it gives every output (B, n_outputs), in the units that the losses see:
    standardised values, log-odds, logits.
    """

    def __init__(self, scaler: InputScaler, sharing: nn.Module, heads: GroupedHeads) -> None:
        super().__init__()
        self.scaler = scaler
        self.sharing = sharing
        self.heads = heads

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the parameters."""
        return self.heads.weight.dtype

    def scale(self, x: Tensor) -> Tensor:
        """Return standardised rows in the network's precision."""
        return self.scaler(x).to(self.dtype)

    def represent(self, scaled: Tensor, task: Tensor | None = None) -> Representation:
        """Return what the heads read, from standardised rows.

        Parameters
        ----------
        scaled : Tensor of shape (B, ...)
        task : Tensor of shape (B,), int64, default=None
            The task of each row, where each row has one; the representation is then (B, h).
        """
        sharing: Any = self.sharing
        heads = (self.heads,) if isinstance(sharing, DependentSharingModule) else ()
        if task is None:
            return as_representation(sharing(scaled, *heads))
        if isinstance(sharing, SharingModule):
            return as_representation(sharing.own(scaled, task, *heads))
        return own_rows(as_representation(sharing(scaled)), task)

    def blocks(
        self, scaled: Tensor, task: Tensor | None, places: Sequence[Tensor] | None
    ) -> tuple[list[Tensor], Tensor | None]:
        """Return the outputs as a block for each group of tasks, and what is common to the tasks.

        Parameters
        ----------
        scaled : Tensor of shape (B, ...)
        task, places
            As in Batch: None where rows have labels of all tasks.
        """
        representation = self.represent(scaled, task)
        common = representation.common if places is None else None
        return self._read(representation, places), common

    def _read(
        self, representation: Representation, places: Sequence[Tensor] | None
    ) -> list[Tensor]:
        if places is None:
            return self.heads.blocks(self.outputs(representation))
        return self.heads.own_blocks(representation.values, places)

    def outputs(self, representation: Representation) -> Tensor:
        """Return every output (B, n_outputs)."""
        known = representation.outputs
        return self.heads(representation.values) if known is None else known

    def task_losses(
        self, batch: Batch, criterion: nn.Module, scale: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor | None]:
        """Return each task's loss on the batch (T,), and what all of them go through.

        Parameters
        ----------
        batch : Batch
        criterion : MultiTaskCriterion
        scale : list over groups of Tensor (T_g,) or None
            See `MultiTaskCriterion.batch_scale`.
        """
        return self.traced_losses(batch, criterion, scale)[:2]

    def traced_losses(
        self, batch: Batch, criterion: nn.Module, scale: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor | None, list[Tensor] | None]:
        """Return what `task_losses` does, and the outputs where the heads read `common` itself.

        The outputs are a block for each group of tasks; None elsewhere.
        """
        representation = self.represent(batch.X, batch.task)
        common = representation.common
        direct = representation.values is common and batch.places is None
        blocks = self._read(representation, batch.places)
        # losses are sums over rows, which 16 bits would round
        blocks = [block.to(criterion.unit.dtype) for block in blocks]  # type: ignore[arg-type]
        if batch.places is not None:
            common = None
        return criterion(blocks, batch, scale), common, blocks if direct else None

    def forward(self, X: Tensor) -> Tensor:
        """Return outputs (B, n_outputs) of rows X (B, ...) as the caller has them."""
        return self.outputs(self.represent(self.scale(X)))

    def own_outputs(self, X: Tensor, task: Tensor, places: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of each row's own task, (B, 1) or (B, 1, K) a group."""
        return self.blocks(self.scale(X), task, places)[0]

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that more than one task uses."""
        if isinstance(self.sharing, SharingModule):
            return list(self.sharing.shared_parameters())
        return list(self.sharing.parameters())

    def penalty(self) -> Tensor | None:
        """Return what the sharing scheme adds to the objective."""
        return self.sharing.penalty() if isinstance(self.sharing, SharingModule) else None

    def clip_gradients(self, longest: float) -> None:
        """Shorten the gradient of the network if it is longer than that."""
        nn.utils.clip_grad_norm_(self.parameters(), longest)
