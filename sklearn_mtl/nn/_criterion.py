from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sklearn_mtl.nn._batches import Batch, TrainingRows
from sklearn_mtl.nn.balancing import Balancer
from sklearn_mtl.nn.losses import make_loss
from sklearn_mtl.tasks._outputs import OutputGroup


class MultiTaskCriterion(nn.Module):
    """The losses of all tasks on a batch, and the balancer that makes a step of them.

    Parameters
    ----------
    groups : sequence of OutputGroup
    unit : Tensor of shape (T,)
        Each task's loss is divided by this, the loss of its best constant: 1 for the squared error
        of standardised labels, the entropy of the class frequencies for log-loss. A loss of 1 is
        then no better than the base rate, for every task.
    balancer : Balancer
    """

    unit: Tensor
    position: Tensor | None

    def __init__(self, groups: Sequence[OutputGroup], unit: Tensor, balancer: Balancer) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.losses = nn.ModuleList(make_loss(group) for group in groups).to(unit.dtype)
        self.balancer = balancer
        self.register_buffer("unit", unit)
        order = [int(task) for group in groups for task in group.tasks]
        # position of each task among the groups' tasks; None where they are in order already
        inverse = sorted(range(len(order)), key=order.__getitem__)
        self.register_buffer(
            "position", None if inverse == sorted(inverse) else torch.tensor(inverse)
        )

    def forward(
        self, blocks: Sequence[Tensor], batch: Batch, scale: Sequence[Tensor | None]
    ) -> Tensor:
        """Return the batch's estimate of each task's mean loss, shape (T,).

        Parameters
        ----------
        blocks : list over groups of Tensor (B, T_g) or, if wider than 1, (B, T_g, K)
            T_g is 1 where a row has one task.
        batch : Batch
        scale : list over groups of Tensor (T_g,) or None
            See `batch_scale`.
        """
        parts = []
        for g, (loss, outputs) in enumerate(zip(self.losses, blocks, strict=True)):
            element = loss.elements(outputs, batch.labels[g], batch.hidden[g])  # type: ignore[operator]
            weights = batch.weights[g]
            if weights is not None:
                element = element * weights
            if batch.places is None:
                mean = element.sum(0) / len(batch)
            else:
                total = element.new_zeros(len(self.groups[g].tasks))
                mean = total.index_add(0, batch.places[g], element[:, 0]) / len(batch)
            factor = scale[g]
            parts.append(mean if factor is None else mean * factor)
        losses = parts[0] if len(parts) == 1 else torch.cat(parts)
        return losses if self.position is None else losses[self.position]

    def batch_scale(self, data: TrainingRows) -> list[Tensor | None]:
        """Return what a batch's mean loss over rows is multiplied by.

        A Tensor (T_g,) for each group; None where all of it is 1.
        """
        factors = [
            # a copy of the task numbers: joblib may have mapped them from a file
            scale / self.unit[torch.tensor(group.tasks, device=scale.device)]
            for scale, group in zip(data.scale, self.groups, strict=True)
        ]
        return [None if bool((factor == 1).all()) else factor for factor in factors]

    def observed(self, batch: Batch) -> Tensor | None:
        """Return which tasks the batch has a label for, shape (T,); None where it is all."""
        if batch.places is None and all(hidden is None for hidden in batch.hidden):
            return None
        parts = []
        for g, group in enumerate(self.groups):
            hidden = batch.hidden[g]
            seen = torch.ones_like(batch.labels[g]).bool() if hidden is None else ~hidden
            if batch.places is None:
                parts.append(seen.any(0))
            else:
                count = torch.zeros(len(group.tasks), device=seen.device)
                count.index_add_(0, batch.places[g], seen[:, 0].to(count.dtype))
                parts.append(count > 0)
        together = torch.cat(parts)
        return together if self.position is None else together[self.position]
