from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch

# torch's generators belong to the process: two threads in such blocks would draw from one another's
_LOCK = RLock()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block; the caller's generators come back as they were.

    One thread at a time: others wait at the door.
    """
    cuda = [device] if device.type == "cuda" else []
    with _LOCK, torch.random.fork_rng(devices=cuda):
        # not torch.manual_seed, which would reseed devices that are not ours to restore
        torch.random.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
