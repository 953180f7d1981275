"""Listens to the user stream: a thread of `run_worker`, in the one worker that holds the stream's lease.

A purchase is protected at once where that is safe (`fills`). Everything else wakes a cycle, for which the stream only
says when to look and at what: it reads the account like any other.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import Error, connections
from django.utils import timezone
from django_q.tasks import async_task

from exchange.client.auth import Credentials
from exchange.core.times import NS_PER_MS, exchange_time_ns
from exchange.schemas import Trade
from exchange.services.lease import STREAM_LEASE, Lease, LeaseLost, lease_take
from exchange.services.stream_records import (
    cycle_last_complete,
    last_clock_offset_ms,
    stream_record,
    unannounced_trade,
)
from exchange.stream.listener import StreamListener, StreamStatus, Subscribed
from exchange.stream.messages import Channel, StreamEvent
from exchange.stream.recent import RecentMessages, ended_orders
from exchange.stream.session import StreamSession
from exchange.sync.fetch import OrderKey
from portfolio.worker.fills import FillProtection

log = logging.getLogger("exchange_sync")

WAKING = frozenset({Channel.ORDERS, Channel.ADVANCED_ORDERS, Channel.TRADES})
STEP_S = 0.5
GATHER_S, MAX_GATHER_S = 0.03, 0.1  # one purchase is several messages: until none comes, and at most
WAKE_INTERVAL_S = 5.0  # between two cycles that the stream wakes
AFTER_FILL_S = 2.0  # before the cycle after a purchase that is protected already: others may follow
CYCLE_MARGIN = timedelta(
    seconds=5
)  # by which a message must be older than a cycle that has read what it says
RECORD_INTERVAL_S = 5.0
REFUSED_RETRY_S = 600.0  # after a refusal that only a person can help with
RETRY_S = 5.0  # while another worker listens, or the database cannot be used
MUTE_AFTER_S = 10  # a fill that the stream has not announced by then was not announced at all
MAX_ANNOUNCED = 10_000
# Of the messages that come by themselves: how many intervals of theirs, and seconds, may pass without one.
SILENT_INTERVALS, MIN_SILENCE_S = 4, 60.0


class StreamWatch:
    """`start` and `stop` are for the worker; everything else happens in the thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        last_error = None
        while not self._stop.is_set():
            try:
                self._listen()
                last_error = None
            except LeaseLost:
                log.warning("User stream: another worker listens now")
            except Error as error:
                if type(error) is not last_error:
                    log.warning("User stream: the database cannot be used (%s)", type(error).__name__)
                last_error = type(error)
            except Exception:
                log.exception("User stream: an unexpected error")
            finally:
                connections.close_all()
            self._stop.wait(RETRY_S)

    def _listen(self) -> None:
        """While this worker holds the lease. After an error the lease runs out, and a worker listens again."""
        lease = lease_take(purpose="stream", name=STREAM_LEASE)
        if lease is None:
            return
        inbox: SimpleQueue[StreamEvent | Subscribed] = SimpleQueue()
        listener = StreamListener(self._open_session, inbox, clock=timezone.now)
        consumer = StreamConsumer(lease, listener, inbox)
        listener.start()
        try:
            while not self._stop.is_set():
                consumer.step()
        finally:
            listener.stop()
            consumer.close()
        consumer.record()
        lease.release()

    def _open_session(self) -> StreamSession:
        """With the mode's address and keys."""
        credentials = Credentials(settings.CRYPTO_COM_API_KEY, settings.CRYPTO_COM_SECRET_KEY)
        return StreamSession(settings.CRYPTO_COM_WS_USER_URL, credentials, wait=self._stop.wait)


class StreamConsumer:
    """What is done with what the listener heard."""

    def __init__(
        self,
        lease: Lease,
        listener: StreamListener,
        inbox: "SimpleQueue[StreamEvent | Subscribed]",
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease, self._listener, self._inbox, self._monotonic = lease, listener, inbox, monotonic
        self.recent = RecentMessages()
        self._fills = FillProtection(self.recent, self._receive, monotonic=monotonic)
        self._new_fills: list[Trade] = []
        self._ended: set[OrderKey] = set()
        self._is_wake_due = self._is_cycle_due = False
        self._wake_at = self._record_at = 0.0
        self._recorded: StreamStatus | None = None
        self._announced: dict[str, None] = {}
        self._subscribed_ns = 0
        self._offset_ms = last_clock_offset_ms()
        self._risk_at: list[float] = []
        self._refused_at: float | None = None

    def step(self) -> None:
        """Half a second of work. Raises LeaseLost."""
        self._gather()
        self._protect()
        self._confirm()
        self._retry_refused()
        self._wake()
        if self._monotonic() >= self._record_at or self._listener.state.status is not self._recorded:
            self._record_at = self._monotonic() + RECORD_INTERVAL_S
            self._lease.renew()
            self.record()
            self._check_mute()
            self._follow_cycles()

    def close(self) -> None:
        self._fills.close()

    def _protect(self) -> None:
        fills, self._new_fills = self._new_fills, []
        if not fills or self._listener.state.status is not StreamStatus.LIVE:
            return
        if self._fills.protect(fills):
            self._wake_at = max(self._wake_at, self._monotonic() + AFTER_FILL_S)

    def _wake(self) -> None:
        if self._is_cycle_due:
            self._is_cycle_due = self._is_wake_due = False
            async_task("portfolio.tasks.sync_subscribed", group="sync")
        elif self._is_wake_due and self._monotonic() >= self._wake_at:
            self._wake_at, self._is_wake_due = self._monotonic() + WAKE_INTERVAL_S, False
            ended, self._ended = sorted(self._ended), set()
            async_task("portfolio.tasks.sync_stream", ended, group="sync")

    def _confirm(self) -> None:
        """What happened before it listened has been read."""
        state = self._listener.state
        if state.status is StreamStatus.CATCHING_UP and _was_read_since(state.since):
            self._listener.confirm_live(state.session)

    def _retry_refused(self) -> None:
        """A key that was refused is tried again after it has read the account, and not often."""
        state = self._listener.state
        if not state.needs_person:
            self._refused_at = None
        elif self._refused_at is None:
            self._refused_at = self._monotonic()
        elif self._monotonic() - self._refused_at > REFUSED_RETRY_S and _was_read_since(state.since):
            self._refused_at = None
            self._listener.reconnect()

    def record(self) -> None:
        state = self._listener.state
        stream_record(state=state, now=timezone.now())
        self._recorded = state.status

    def _gather(self) -> None:
        """Take what comes, and what comes with it."""
        if not self._receive(STEP_S):
            return
        until = self._monotonic() + MAX_GATHER_S
        while self._receive(GATHER_S) and self._monotonic() < until:
            continue

    def _receive(self, seconds: float) -> bool:
        """Note the next message and those that came with it; whether one came within so many seconds."""
        try:
            self._note(self._inbox.get(timeout=seconds))
        except Empty:
            return False
        while not self._inbox.empty():
            self._note(self._inbox.get())
        return True

    def _note(self, event: StreamEvent | Subscribed) -> None:
        if isinstance(event, Subscribed):
            self._begin_session()
            return
        now_ms = self._exchange_now_ns() // NS_PER_MS
        self._new_fills += self.recent.add(event, at=timezone.now(), now_ms=now_ms)
        if event.channel is Channel.TRADES:
            self._announced |= {str(row.get("trade_id")): None for row in event.rows}
            for trade_id in list(self._announced)[:-MAX_ANNOUNCED]:
                del self._announced[trade_id]
        elif event.channel is Channel.RISK:
            self._risk_at = [*self._risk_at[-SILENT_INTERVALS:], self._monotonic()]
        self._ended |= ended_orders(event)
        self._is_wake_due = self._is_wake_due or (event.channel in WAKING and bool(event.rows))

    def _begin_session(self) -> None:
        self._announced.clear()
        self._risk_at.clear()
        self.recent.clear()
        self._new_fills = []
        self._subscribed_ns = self._exchange_now_ns()
        self._is_cycle_due = True

    def _follow_cycles(self) -> None:
        """The exchange's clock as they measured it, and what a complete one has read since it was said."""
        self._offset_ms = last_clock_offset_ms()
        began = cycle_last_complete()
        if began is not None:
            self.recent.forget_before(began - CYCLE_MARGIN)

    def _check_mute(self) -> None:
        """A connection that lives and says nothing is worth less than none: it is made again."""
        if self._listener.state.status is not StreamStatus.LIVE:
            return
        if trade_id := unannounced_trade(
            announced=self._announced,
            since_ns=self._subscribed_ns,
            until_ns=self._exchange_now_ns() - MUTE_AFTER_S * 1000 * NS_PER_MS,
        ):
            log.warning("User stream: it did not announce fill %s; connecting again", trade_id)
            self._listener.reconnect()
        elif self._is_silent():
            log.warning("User stream: its regular messages have stopped; connecting again")
            self._listener.reconnect()

    def _is_silent(self) -> bool:
        """By the interval of the regular messages so far, which no document gives (additions A2)."""
        if len(self._risk_at) <= SILENT_INTERVALS:
            return False
        usual = (self._risk_at[-1] - self._risk_at[0]) / (len(self._risk_at) - 1)
        return self._monotonic() - self._risk_at[-1] > max(SILENT_INTERVALS * usual, MIN_SILENCE_S)

    def _exchange_now_ns(self) -> int:
        return exchange_time_ns(timezone.now(), self._offset_ms)


def _was_read_since(moment: datetime) -> bool:
    """Whether a cycle that began later has read the whole account."""
    began = cycle_last_complete()
    return began is not None and began > moment
