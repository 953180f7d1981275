"""Only the holder of the lease sends requests to the exchange with our keys.

The lease is taken by one conditional update and lasts 30 s. The holder renews it in each of its transactions, before
each order or cancel, and at most a second before a read. Its token grows with every holder, so a process that was
suspended past the end of its lease finds another token.
Times are the database's, so clock differences between machines do not matter.
"""

import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Self

from django.db import Error
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from exchange.core.observability import correlated, new_correlation_id
from exchange.core.reasons import Sentence, SyncReason
from exchange.models import Lease as LeaseRow

logger = logging.getLogger(__name__)
LEASE_NAME = "cycle"
WANTED_NAME = "wanted"  # somebody waits for the lease whom a history slice should not keep waiting
HISTORY_PURPOSE, CHECK_PURPOSE = "history", "check"
STREAM_LEASE = "stream"  # of the worker that listens to the user stream; it sends nothing
LEASE_DURATION = timedelta(seconds=30)
WAIT_TIMEOUT_SECONDS = 90
STEP_SECONDS = 0.5
WANTED_DURATION = timedelta(seconds=5)  # should who asked for it be killed
READ_INTERVAL_S = 1.0  # reads this soon after a renewal do without one
SILENT_AFTER = timedelta(
    seconds=12
)  # longer than any request and READ_INTERVAL_S: a live holder renews more often
NO_TOKEN = 0  # the first holder has 1
READ_METHODS = ("/get-", "/user-balance")


class LeaseLost(RuntimeError):
    """The lease expired and has another holder: nothing more may be sent or written under it."""


class LeaseBusy(RuntimeError):
    """Another holder kept the lease."""


def seconds() -> float:
    """A clock that nobody sets, and that also counts while the whole machine is suspended (Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(slots=True)
class Lease:
    """A lease that was ours when it was taken. For `idle_ms` before, nobody sent requests; None: nobody ever did."""

    token: int
    holder: str
    idle_ms: int | None = None
    row_name: str = LEASE_NAME
    _renewed_at: float = 0.0  # by `seconds`; 0: not yet

    @property
    def name(self) -> str:
        """For display: purpose, machine and process."""
        return self.holder.rpartition(" ")[0]

    def renew(self) -> None:
        """Extend it to 30 s from now, or raise `LeaseLost`."""
        if not self._own_row().update(expires_at=Now() + LEASE_DURATION):
            text = f"The lease of {self.holder} ran out and went to another holder; this cycle stops."
            raise LeaseLost(Sentence(text, SyncReason.LEASE_LOST, holder=self.holder))
        self._renewed_at = seconds()

    def before_request(self, method: str) -> None:
        """The hook that a client calls before each request (rule 15): `renew`, unless a read follows a renewal."""
        is_read = any(part in method for part in READ_METHODS)
        if not is_read or seconds() - self._renewed_at > READ_INTERVAL_S:
            self.renew()

    def release(self) -> None:
        """Free it at once; no effect if the lease is no longer ours."""
        self._own_row().update(expires_at=Now(), holder="")

    def record(self, write: Callable[[], object]) -> None:
        """Write down what was done under it. Raises an Error of the database."""
        write()

    def _own_row(self) -> QuerySet[LeaseRow]:
        return LeaseRow.objects.filter(name=self.row_name, token=self.token, holder=self.holder)


class OptionalLease(Lease):
    """For what goes on without it: a person who cancels everything, or tests the connection.

    It is given up when another holder takes it or the database cannot be used; from then on nothing is fenced.
    """

    _can_record = True

    @classmethod
    def take(cls, *, purpose: str, seconds: float) -> Self:
        """Taken, or without a token when it is not free within so many seconds or the database cannot be used: then
        another process may have sent a request just now.
        """
        lease = cls(token=NO_TOKEN, holder=_holder(purpose), idle_ms=0)
        try:
            taken = lease_take_soon(purpose=purpose, seconds=seconds)
        except Error as error:
            lease._give_up(error)
            return lease
        return lease if taken is None else cls(taken.token, taken.holder, taken.idle_ms)

    def renew(self) -> None:
        """Extend it while it is held."""
        if self.token == NO_TOKEN:
            return
        try:
            super().renew()
        except LeaseLost:
            self.token = NO_TOKEN
        except Error as error:
            self._give_up(error)

    def release(self) -> None:
        """Free it at once if it is held."""
        if self.token == NO_TOKEN:
            return
        try:
            super().release()
        except Error as error:
            self._give_up(error)

    def record(self, write: Callable[[], object]) -> None:
        """Write it down while the database can be used."""
        if not self._can_record:
            return
        try:
            super().record(write)
        except Error as error:
            self._give_up(error)

    def _give_up(self, error: Error) -> None:
        self.token, self._can_record = NO_TOKEN, False
        logger.warning("The database cannot be used (%s): it goes on without", type(error).__name__)


def lease_take(*, purpose: str, name: str = LEASE_NAME) -> Lease | None:
    """Take the lease for `purpose` (shown to other processes), or None while it has another holder."""
    holder = _holder(purpose)
    before, is_first = LeaseRow.objects.get_or_create(name=name, defaults={"expires_at": Now()})
    free = LeaseRow.objects.filter(name=name, token=before.token, expires_at__lte=Now())
    if not free.update(token=F("token") + 1, holder=holder, expires_at=Now() + LEASE_DURATION):
        return None
    taken = LeaseRow.objects.filter(name=name, holder=holder).annotate(at=Now())
    row = taken.values_list("token", "at").first()
    if row is None:
        return None
    token, at = row
    return Lease(token, holder, None if is_first else _idle_ms(before, at), name)


def _holder(purpose: str) -> str:
    return f"{purpose} {socket.gethostname()}:{os.getpid()} {uuid.uuid4().hex[:8]}"


def _idle_ms(before: LeaseRow, taken_at: datetime) -> int:
    """Since the last holder's last request at the latest; one that was killed left the lease to run out."""
    idle = taken_at - before.expires_at + (LEASE_DURATION if before.holder else timedelta(0))
    return max(idle // timedelta(milliseconds=1), 0)


def lease_holder() -> str:
    """Name of the current holder; empty when it is free."""
    return (
        LeaseRow.objects.filter(name=LEASE_NAME, expires_at__gt=Now())
        .values_list("holder", flat=True)
        .first()
        or ""
    )


def lease_is_silent() -> bool:
    """Whether it is held but was not renewed for so long that its holder was probably killed."""
    left = LEASE_DURATION - SILENT_AFTER
    return LeaseRow.objects.filter(
        name=LEASE_NAME, expires_at__gt=Now(), expires_at__lt=Now() + left
    ).exists()


def lease_take_soon(
    *,
    purpose: str,
    seconds: float,
    step_s: float = STEP_SECONDS,
    may_wait: Callable[[str], bool] = lambda holder: True,
) -> Lease | None:
    """Take it as soon as it is free, within so many seconds; a history slice gives it up on request.

    None after that time, or at once where `may_wait` says no to the holder.
    """
    until, is_requested = time.monotonic() + seconds, False
    while (lease := lease_take(purpose=purpose)) is None:
        holder = lease_holder()
        if time.monotonic() > until or not may_wait(holder):
            break
        if holder.startswith(HISTORY_PURPOSE) and not is_requested:
            is_requested = True
            _want(WANTED_DURATION)
        time.sleep(step_s)
    if is_requested:
        _want(timedelta(0))
    return lease


def lease_is_wanted() -> bool:
    """Whether its holder should give it up when it can."""
    return LeaseRow.objects.filter(name=WANTED_NAME, expires_at__gt=Now()).exists()


def _want(duration: timedelta) -> None:
    LeaseRow.objects.update_or_create(name=WANTED_NAME, defaults={"expires_at": Now() + duration})


@contextmanager
def lease_try(purpose: str, *, seconds: float) -> Iterator[OptionalLease]:
    """Hold the lease while the block runs, if it is free within so many seconds; the block runs in any case."""
    lease = OptionalLease.take(purpose=purpose, seconds=seconds)
    try:
        with correlated(new_correlation_id("cmd")):
            yield lease
    finally:
        lease.release()


@contextmanager
def lease_wait(purpose: str) -> Iterator[Lease]:
    """Wait for the lease and hold it while the block runs. Raises LeaseBusy."""
    lease = lease_take_soon(purpose=purpose, seconds=WAIT_TIMEOUT_SECONDS)
    if lease is None:
        raise LeaseBusy(f"Another cycle is running ({lease_holder()}). Try again in a minute.")
    try:
        with correlated(new_correlation_id("cmd")):
            yield lease
    finally:
        lease.release()


_stop_event = Event()


def request_stop() -> None:
    _stop_event.set()


def is_stop_requested() -> bool:
    """Whether the program is stopping; long work checks this between two requests."""
    return _stop_event.is_set()
