"""The lease for a command, which waits for the cycle at work instead of giving up at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from exchange.core.observability import correlated, name_new
from exchange.services.lease import Held, lease_holder, lease_take

PATIENCE_SECONDS = 90
STEP_SECONDS = 0.5


class Busy(RuntimeError):
    """Another holder did not let the lease go."""


@contextmanager
def lease_for(purpose: str, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[Held]:
    """Held while the block runs. Raises Busy."""
    for _ in range(int(PATIENCE_SECONDS / STEP_SECONDS)):
        held = lease_take(purpose=purpose)
        if held is not None:
            break
        sleep(STEP_SECONDS)
    else:
        raise Busy(f"Another cycle is running ({lease_holder()}). Try again in a minute.")
    try:
        with correlated(name_new("cmd")):
            yield held
    finally:
        held.release()
