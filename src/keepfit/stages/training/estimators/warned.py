"""What a library warns of while it fits. A process has one list of filters and hears all its threads by it: one fit at a time."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_ALONE = threading.RLock()


@contextmanager
def heard() -> Iterator[list[warnings.WarningMessage]]:
    """Yield the list of what is warned of, which shows nothing."""
    with _ALONE, warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found
