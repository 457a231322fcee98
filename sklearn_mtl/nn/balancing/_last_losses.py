import torch
from torch import Tensor, nn


class LastLosses(nn.Module):
    """The losses of all tasks at a step whose batch has labels of only some.

    A task without a label in the batch keeps the loss it had last, as a constant; 1, that of the
    base rates, before its first.

    A batch's estimate of a mean loss is right on average over all batches, those without a label
    counted as 0: where a share s_t of them has one, it is 1 / s_t times too large in these. What
    methods compare is s_t times the estimate.

    Parameters
    ----------
    like : Tensor of shape (T,)
    """

    last: Tensor
    times_seen: Tensor
    n_steps: Tensor

    def __init__(self, like: Tensor) -> None:
        super().__init__()
        self.register_buffer("last", torch.ones_like(like))
        self.register_buffer("times_seen", torch.zeros_like(like))
        self.register_buffer("n_steps", like.new_zeros(()))

    def forward(self, losses: Tensor, observed: Tensor | None) -> Tensor:
        """Return the losses (T,) that this step has, detached, and remember them."""
        if observed is not None:
            self.n_steps += 1
            self.times_seen += observed
        self.last = self.after(losses, observed)
        return self.last

    def after(self, losses: Tensor, observed: Tensor | None) -> Tensor:
        """Return the losses (T,) of the same batch measured again."""
        losses = losses.detach()
        if observed is None:
            return losses
        return torch.where(observed, losses * self.share(), self.last)

    def share(self) -> Tensor:
        """Return s_t, shape (T,)."""
        return self.times_seen / self.n_steps
