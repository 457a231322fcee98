from collections.abc import Collection, Hashable, Iterable
from difflib import get_close_matches
from numbers import Integral
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the closest known word, or an empty string."""
    # 'MMoE' is 'mmoe' to whoever writes it
    options = {str(option).lower(): str(option) for option in known}
    close = get_close_matches(str(word).lower(), options, n=1)
    return f" (did you mean {options[close[0]]!r}?)" if close else ""


def listing(items: Iterable[object], most: int = 8) -> str:
    """Return the items as text for an error message, cut after `most`."""
    items = list(items)
    shown = ", ".join(repr(plain(item)) for item in items[:most])
    return shown + (f", … ({len(items)} in all)" if len(items) > most else "")


def plain(value: Any) -> Any:
    """Return a numpy scalar as the Python object that prints without its type."""
    return value.item() if isinstance(value, np.generic) else value


def check_tasks(given: Iterable[Hashable], known: Collection[Hashable], what: str) -> None:
    """Raise a TaskLayoutError for the first name in `what` that is no task."""
    for name in given:
        if name not in known:
            raise TaskLayoutError(
                f"{what} names {plain(name)!r}, which is no task; the tasks are {listing(known)}"
                f"{did_you_mean(name, known)}."
            )


def check_option(value: object, options: Iterable[str], *, parameter: str, owner: str) -> None:
    """Raise a ValueError that lists the options unless `value` is one of them."""
    options = list(options)
    if value not in options:
        raise ValueError(
            f"The {parameter!r} parameter of {owner} must be one of {listing(options)}. "
            f"Got {value!r} instead{did_you_mean(value, options)}."
        )


def check_count(value: object, least: int, *, parameter: str, owner: str, advice: str = "") -> int:
    """Return `value` as an int; raise a ValueError unless it is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(
            f"The {parameter!r} parameter of {owner} must be an integer of at least {least}, got "
            f"{value!r}{advice}."
        )
    return int(value)


def draw_seed(random_state: Any) -> int:
    """Return a seed for one fit and leave numpy's global random state as it was found.

    ``None`` takes fresh entropy from the operating system (scikit-learn would advance numpy's
    global generator), an integer is used as it is, a RandomState or Generator is advanced.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, Integral):
        if not 0 <= int(random_state) < 2**32:
            raise ValueError(f"random_state must be in [0, 2**32 - 1], got {random_state}.")
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    raise ValueError(
        f"{random_state!r} cannot be used as random_state; pass None, an integer, a "
        "numpy.random.RandomState or a numpy.random.Generator."
    )
