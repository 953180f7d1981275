"""Listens to the user stream and wakes a cycle when something happened to the account: a thread of `run_worker`.

What the stream says is evidence of *when* to look, never of what is there: the cycle it wakes reads the account like
any other. One worker listens, the one that holds the stream's lease.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import Error, connections
from django.utils import timezone
from django_q.tasks import async_task

from exchange.client.auth import Credentials
from exchange.core.times import NS_PER_MS, exchange_time_ns
from exchange.models import SyncRun
from exchange.services.lease import STREAM_LEASE, Lease, LeaseLost, lease_take
from exchange.services.stream_records import stream_is_confirmed, stream_record, unannounced_trade
from exchange.stream.listener import StreamListener, StreamStatus, Subscribed
from exchange.stream.messages import Channel, StreamEvent
from exchange.stream.session import StreamSession

log = logging.getLogger("exchange_sync")

WAKING = frozenset({Channel.ORDERS, Channel.ADVANCED_ORDERS, Channel.TRADES})
STEP_S = 0.5
GATHER_S = 0.1  # one purchase is several messages
WAKE_INTERVAL_S = 5.0  # between two cycles that the stream wakes
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
        self._is_wake_due = False
        self._wake_at = self._record_at = 0.0
        self._recorded: StreamStatus | None = None
        self._announced: dict[str, None] = {}
        self._subscribed_ns = 0
        self._risk_at: list[float] = []
        self._refused_at: float | None = None

    def step(self) -> None:
        """Half a second of work. Raises LeaseLost."""
        self._note(self._gather())
        self._confirm()
        self._retry_refused()
        if self._is_wake_due and self._monotonic() >= self._wake_at:
            self._wake_at, self._is_wake_due = self._monotonic() + WAKE_INTERVAL_S, False
            async_task("portfolio.tasks.sync_stream", group="sync")
        if self._monotonic() >= self._record_at or self._listener.state.status is not self._recorded:
            self._record_at = self._monotonic() + RECORD_INTERVAL_S
            self._lease.renew()
            self.record()
            self._check_mute()

    def _confirm(self) -> None:
        """What happened before it listened has been read."""
        state = self._listener.state
        if state.status is StreamStatus.CATCHING_UP and stream_is_confirmed(since=state.since):
            self._listener.confirm_live(state.session)

    def _retry_refused(self) -> None:
        """A key that was refused is tried again after it has read the account, and not often."""
        state = self._listener.state
        if not state.needs_person:
            self._refused_at = None
        elif self._refused_at is None:
            self._refused_at = self._monotonic()
        elif self._monotonic() - self._refused_at > REFUSED_RETRY_S and stream_is_confirmed(
            since=state.since
        ):
            self._refused_at = None
            self._listener.reconnect()

    def record(self) -> None:
        state = self._listener.state
        stream_record(state=state, now=timezone.now())
        self._recorded = state.status

    def _gather(self) -> list[StreamEvent | Subscribed]:
        """What came, and what comes with it."""
        try:
            events = [self._inbox.get(timeout=STEP_S)]
        except Empty:
            return []
        time.sleep(GATHER_S)
        while not self._inbox.empty():
            events.append(self._inbox.get())
        return events

    def _note(self, events: Iterable[StreamEvent | Subscribed]) -> None:
        for event in events:
            if isinstance(event, Subscribed):
                self._announced.clear()
                self._risk_at.clear()
                self._subscribed_ns = self._exchange_now_ns()
                self._is_wake_due = True
                continue
            if event.channel is Channel.TRADES:
                self._announced |= {str(row.get("trade_id")): None for row in event.rows}
                for trade_id in list(self._announced)[:-MAX_ANNOUNCED]:
                    del self._announced[trade_id]
            elif event.channel is Channel.RISK:
                self._risk_at = [*self._risk_at[-SILENT_INTERVALS:], self._monotonic()]
            self._is_wake_due = self._is_wake_due or (event.channel in WAKING and bool(event.rows))

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
        offset = (
            SyncRun.objects.exclude(clock_offset_ms=None).values_list("clock_offset_ms", flat=True).first()
        )
        return exchange_time_ns(timezone.now(), offset)
