"""Only a holder of the lease talks to the exchange with our keys.

The lease is taken by one conditional update and lives 30 s; the holder renews it before each request. Its
token grows with every holder, so whoever slept through the end of its lease finds another number there.
Times are the database's, so that machines with different clocks agree.
"""

import os
import socket
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, QuerySet
from django.db.models.functions import Now

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
