"""Only a holder of the lease talks to the exchange with our keys.

The lease is taken by one conditional update and lives 30 s; the holder renews it before each request. Its
token grows with every holder, so whoever slept through the end of its lease finds another number there.
Times are the database's, so that machines with different clocks agree.

A word from the program to its tasks at work: finish what you are doing, begin nothing new.

The lease for a command, which waits for the cycle at work instead of giving up at once.
"""

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from exchange.core.observability import correlated, name_new
from exchange.models import Lease

NAME = "cycle"
LIFE = timedelta(seconds=30)
SILENT = timedelta(seconds=12)  # longer than any request: whoever lives renews before each


class LeaseLost(RuntimeError):
    """The lease ran out and went to another holder: nothing more may be sent or written under it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that was ours when it was taken."""

    token: int
    holder: str

    @property
    def name(self) -> str:
        """For people: purpose, machine and process."""
        return self.holder.rpartition(" ")[0]

    def renew(self) -> None:
        """Live 30 s longer, or raise `LeaseLost`."""
        if not self._mine().update(expires_at=Now() + LIFE):
            raise LeaseLost(
                f"The lease of {self.holder} ran out and went to another holder; this cycle stops."
            )

    def release(self) -> None:
        """Let the next holder in at once; harmless when the lease is no longer ours."""
        self._mine().update(expires_at=Now(), holder="")

    def _mine(self) -> QuerySet[Lease]:
        return Lease.objects.filter(name=NAME, token=self.token, holder=self.holder)


def lease_take(*, purpose: str) -> Held | None:
    """Take the lease for `purpose` (shown to whoever finds it taken), or None while another holder has it."""
    holder = f"{purpose} {socket.gethostname()}:{os.getpid()} {uuid.uuid4().hex[:8]}"
    Lease.objects.get_or_create(name=NAME, defaults={"expires_at": Now()})
    free = Lease.objects.filter(name=NAME, expires_at__lte=Now())
    if not free.update(token=F("token") + 1, holder=holder, expires_at=Now() + LIFE):
        return None
    token = Lease.objects.filter(name=NAME, holder=holder).values_list("token", flat=True).first()
    return None if token is None else Held(token, holder)


def lease_holder() -> str:
    """Who holds the lease now, or nothing."""
    return (
        Lease.objects.filter(name=NAME, expires_at__gt=Now()).values_list("holder", flat=True).first() or ""
    )


def lease_is_silent() -> bool:
    """Whether it is held but was not renewed for so long that its holder was probably killed."""
    left = LIFE - SILENT
    return Lease.objects.filter(name=NAME, expires_at__gt=Now(), expires_at__lt=Now() + left).exists()


# Made when the module is loaded, so that the processes forked afterwards share it.
_asked = get_context("fork").Event()


def stop_ask() -> None:
    _asked.set()


def stop_is_asked() -> bool:
    """Whether the program wants to end; long work looks here between two requests."""
    return _asked.is_set()


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
