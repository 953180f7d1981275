"""Keeps a user stream alive: one thread that connects again, knows when it is deaf, and only queues what it hears.

No database in it: a thread that does not read is closed by its own library (additions A7).
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from queue import SimpleQueue
from typing import Any

from exchange.client.errors import AuthError, ExchangeError
from exchange.stream.messages import Channel, StreamEvent
from exchange.stream.session import SessionReport, StreamSession

log = logging.getLogger(__name__)

FIRST_DELAY_S, MAX_DELAY_S = 1.0, 60.0
STEADY_AFTER_S = 60.0  # a session that lasted as long makes the next delay short again


class StreamStatus(StrEnum):
    """As the state and `/health` name it (contract 8)."""

    LIVE = "live"
    CATCHING_UP = "catching_up"
    DOWN = "down"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """`session` counts the connections that were subscribed; `error` is why there is none. `needs_person`: it is not
    tried again before `reconnect`. `refused` and `unreadable`: what the session reports (SessionReport).
    """

    status: StreamStatus
    since: datetime
    last_message_at: datetime | None = None
    session: int = 0
    error: ExchangeError | None = None
    needs_person: bool = False
    refused: Mapping[Channel, ExchangeError] = field(default_factory=dict)
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A session has begun: what happened before it is read from the exchange, then it counts as live."""

    session: int


def reconnect_delay(failures: int, rng: random.Random) -> float:
    """Seconds before the next attempt after so many failures in a row, with jitter."""
    return float(min(FIRST_DELAY_S * 2 ** min(failures - 1, 16), MAX_DELAY_S) * rng.uniform(0.75, 1.25))


class StreamListener:
    """`open_session` makes a new session for each attempt; what it hears goes into `inbox`."""

    def __init__(
        self,
        open_session: Callable[[], StreamSession],
        inbox: "SimpleQueue[StreamEvent | Subscribed]",
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._open_session, self._inbox = open_session, inbox
        self._clock, self._monotonic = clock, monotonic
        self._rng = rng or random.Random()  # noqa: S311 - spreads attempts, guards nothing
        self._stop, self._wake, self._lock = threading.Event(), threading.Event(), threading.RLock()
        self._state = StreamState(status=StreamStatus.DOWN, since=clock())
        self._logged: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="user stream", daemon=True)

    @property
    def state(self) -> StreamState:
        with self._lock:
            return self._state

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(seconds)

    def confirm_live(self, session: int) -> bool:
        """The account was read completely after `session` began; no effect when that session is over."""
        with self._lock:
            is_current = self._state.session == session and self._state.status is StreamStatus.CATCHING_UP
            if is_current:
                self._change(status=StreamStatus.LIVE, since=self._clock())
            return is_current

    def reconnect(self) -> None:
        """End the session, if there is one, and try again at once: it is mute, or the cause of a refusal is gone."""
        self._wake.set()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            began = self._monotonic()
            self._wake.clear()
            try:
                self._run_session()
                failures = 0
            except ExchangeError as error:
                failures = 1 if self._monotonic() - began > STEADY_AFTER_S else failures + 1
                self._set_down(error)
            except Exception:
                # A bug must not leave the desk deaf for ever, and must be seen.
                log.exception("User stream: an unexpected error ended the session")
                failures += 1
                self._set_down(None)
            if not self._stop.is_set() and failures:
                self._wake.wait(None if self.state.needs_person else reconnect_delay(failures, self._rng))
        self._change(status=StreamStatus.OFF, since=self._clock())

    def _run_session(self) -> None:
        with self._open_session() as session:
            self._begin_session()
            while not self._stop.is_set() and not self._wake.is_set():
                event = session.receive()
                self._note_report(session.report)
                if event is not None:
                    self._change(last_message_at=self._clock())
                    self._inbox.put(event)
        if not self._stop.is_set():
            self._set_down(None)

    def _note_report(self, report: SessionReport) -> None:
        """Protection goes on without what is missing here; each thing is logged once."""
        state = self.state
        if len(report.refused) == len(state.refused) and report.unreadable == state.unreadable:
            return
        self._change(refused=dict(report.refused), unreadable=report.unreadable)
        for channel, error in report.refused.items():
            self._log_once(f"the exchange does not give {channel}: {error}")
        if report.unreadable:
            self._log_once("a message or a row cannot be read; how many there are is in the admin")

    def _log_once(self, text: str) -> None:
        if text not in self._logged:
            self._logged.add(text)
            log.warning("User stream: %s", text)

    def _begin_session(self) -> None:
        number = self.state.session + 1
        self._change(
            status=StreamStatus.CATCHING_UP,
            since=self._clock(),
            session=number,
            error=None,
            needs_person=False,
            refused={},
            unreadable=0,
        )
        self._inbox.put(Subscribed(number))

    def _set_down(self, error: ExchangeError | None) -> None:
        before = self.state
        since = before.since if before.status is StreamStatus.DOWN else self._clock()
        self._change(
            status=StreamStatus.DOWN, since=since, error=error, needs_person=isinstance(error, AuthError)
        )
        if error is not None:
            log.warning("User stream: %s", error)

    def _change(self, **changes: Any) -> None:
        with self._lock:
            self._state = replace(self._state, **changes)
