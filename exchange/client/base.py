"""Every call of the client: limited, signed, sent and classified here; only reads are repeated.

Accepted answers become typed values: a result without what it promises is BadResponse, never a KeyError.
"""

import itertools
import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import requests

from exchange.client.auth import Credentials
from exchange.client.clock import ClockOffset
from exchange.client.errors import BadResponse, ExchangeError, RateLimited, RequestKind
from exchange.client.ratelimit import Limiter
from exchange.client.responses import (
    ApiRequest,
    Envelope,
    UnreadableResponse,
    classify_response,
    no_response_error,
    parse_envelope,
    typed_envelope,
    unreadable_response_error,
)
from exchange.client.retries import JITTER, READ_ATTEMPTS, is_retried, retry_delay_s
from exchange.client.transport import DEADLINE_S, NoResponse, RawResponse, Transport, new_session
from exchange.client.typed_rows import RowsDecoder, TypedRows
from exchange.core.reasons import Problem, problem, sentence_of
from exchange.schemas import parsing
from exchange.schemas.parsing import MissingField, Row, RowList, check_times

ORDER_METHODS = ("/create-", "/cancel-", "/get-open-orders", "/get-order-detail", "/get-order-list-detail")

MIN_ANSWER_S = 0.5  # that any request has for its answer
MAX_AHEAD_MS = 3_600_000  # later than now; clocks differ by a minute at most (dossier 2.2)
MAX_UNREADABLE_ROWS = 50  # kept of the answers of one cycle
MAX_RAW_LENGTH = 4000  # characters of each

Params = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that was not believed, as it came. `row_id` is "" where the whole answer was unreadable."""

    method: str
    row_id: str
    problem: str
    raw: str


def system_ms() -> int:
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def do_nothing(method: str) -> None:
    """The default for `before_request`."""


class BaseClient:
    """State shared by all calls of one key. Not for use by several threads at once.

    `last_error` is the last call's failure or None, and a client with `background` set leaves the share of
    each limit that is reserved for orders untouched.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        secret: str,
        *,
        session: requests.Session | None = None,
        now_ms: Callable[[], int] = system_ms,
        sleep: Callable[[float], None] = time.sleep,
        limiter: Limiter | None = None,
        timeout: tuple[float, float] = (5.0, 10.0),
        before_request: Callable[[str], None] | None = None,
        read_attempts: int = READ_ATTEMPTS,
        rng: random.Random | None = None,
    ) -> None:
        self._transport = Transport(base_url, session or new_session(), timeout)
        self._credentials = Credentials(key, secret)
        self.now_ms = now_ms
        self._sleep = sleep
        self._limiter = limiter or Limiter(monotonic_ms, sleep)
        self._before_request = before_request or do_nothing
        self._read_attempts = read_attempts
        self._rng = rng or random.Random()  # noqa: S311 - spreads repetitions, guards nothing
        self._request_ids = itertools.count(now_ms())
        self._nonce = 0
        self._clock = ClockOffset()
        self.background = False
        self._repeat_until_ms: int | None = None
        self._answer_until_ms: int | None = None
        self._requests_sent = 0
        self.last_error: ExchangeError | None = None
        self.unreadable_rows: list[UnreadableRow] = []
        self._error_codes: dict[int, None] = {}  # each once, in the order of the answers

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"

    @property
    def base_url(self) -> str:
        return self._transport.base_url

    @property
    def requests(self) -> int:
        """HTTP requests sent so far."""
        return self._requests_sent

    @property
    def error_codes(self) -> list[int]:
        """The codes with which the exchange refused requests so far, each once."""
        return list(self._error_codes)

    @property
    def clock_offset_ms(self) -> int | None:
        """The exchange's clock minus ours, measured from its answers; None before the first."""
        return self._clock.ms

    def assume_idle(self, ms: int | None) -> None:
        """Another process sent requests with this key until `ms` ago; None: nobody did for long."""
        if ms is not None:
            self._limiter.assume_idle(ms)

    def close(self) -> None:
        """Close the kept connections; the client stays usable."""
        self._transport.close()

    @contextmanager
    def repeat_at_most(self, seconds: float) -> Iterator[None]:
        """No read is repeated later than `seconds` from now: what it brings has another source, or comes again."""
        before = self._repeat_until_ms
        self._repeat_until_ms = self._until_ms(seconds, before)
        try:
            yield
        finally:
            self._repeat_until_ms = before

    @contextmanager
    def answer_within(self, seconds: float) -> Iterator[None]:
        """No read is repeated, or waits for its answer, later than `seconds` from now. Writes wait as always."""
        before = self._answer_until_ms
        self._answer_until_ms = self._until_ms(seconds, before)
        try:
            with self.repeat_at_most(seconds):
                yield
        finally:
            self._answer_until_ms = before

    def _until_ms(self, seconds: float, outer_ms: int | None) -> int:
        """`seconds` from now, but no later than the limit of the block around."""
        until_ms = self.now_ms() + int(seconds * 1000)
        return until_ms if outer_ms is None else min(outer_ms, until_ms)

    def _answer_limit_s(self, kind: RequestKind) -> float:
        if kind is not RequestKind.READ or self._answer_until_ms is None:
            return DEADLINE_S
        return max((self._answer_until_ms - self.now_ms()) / 1000, MIN_ANSWER_S)

    def _may_repeat(self, delay: float) -> bool:
        return self._repeat_until_ms is None or self.now_ms() + delay * 1000 <= self._repeat_until_ms

    def _call(
        self,
        method: str,
        params: Params,
        kind: RequestKind = RequestKind.READ,
        decoder: RowsDecoder[Any] | None = None,
    ) -> Envelope:
        """Ask once, or for reads up to `read_attempts` times. Raises an ExchangeError."""
        for attempt in itertools.count(1):
            try:
                envelope = self._attempt(method, params, kind, decoder)
            except ExchangeError as exc:
                self._remember_error(exc)
                delay = self._retry_delay(exc, attempt)
                is_due = is_retried(exc, kind, attempt=attempt, attempts=self._read_attempts)
                if not is_due or not self._may_repeat(delay):
                    raise
            else:
                self.last_error = None
                return envelope
            self._sleep(delay)
        raise AssertionError("unreachable")

    def _remember_error(self, error: ExchangeError) -> ExchangeError:
        """The same failure, remembered as the last one."""
        self.last_error = error
        if error.code is not None:
            self._error_codes[error.code] = None
        return error

    def _retry_delay(self, exc: ExchangeError, attempt: int) -> float:
        """Seconds before a repetition. After 42901 the whole method is held back as long."""
        delay = retry_delay_s(exc, attempt=attempt, jitter=self._rng.uniform(*JITTER))
        if isinstance(exc, RateLimited):
            self._limiter.penalise(exc.method, delay)
        return delay

    def _attempt(
        self, method: str, params: Params, kind: RequestKind, decoder: RowsDecoder[Any] | None
    ) -> Envelope:
        self._limiter.acquire(method, not self.background and any(part in method for part in ORDER_METHODS))
        request = self._new_request(method, params, kind)
        response = self._send(request, params)
        envelope = self._read_response(request, response, decoder)
        error = classify_response(request, envelope, self._clock.ms)
        if error is not None:
            raise error
        return envelope

    def _new_request(self, method: str, params: Params, kind: RequestKind) -> ApiRequest:
        request_id = next(self._request_ids) if method.startswith("private/") else None
        return ApiRequest(
            method=method,
            kind=kind,
            request_id=request_id,
            order_id=str(params.get("order_id", "")),
            client_oid=str(params.get("client_oid", "")),
        )

    def _send(self, request: ApiRequest, params: Params) -> RawResponse:
        """Signed before the lease is renewed: a process suspended from there on wakes up with an expired nonce."""
        send = self._prepare_call(request, params)
        self._before_request(request.method)
        self._requests_sent += 1
        sent_ms = self.now_ms()
        try:
            response = send(within_s=self._answer_limit_s(request.kind))
        except NoResponse as no_response:
            error = no_response_error(request, no_response.reason, sent=no_response.sent)
            self._limiter.answered(request.method)
        else:
            self._limiter.answered(request.method)
            self._clock.measure(response.date, sent_ms, self.now_ms())
            return response
        raise error

    def _prepare_call(self, request: ApiRequest, params: Params) -> Callable[..., RawResponse]:
        """Public methods are GET with a query, private ones POST with a signed body (dossier 1)."""
        method = request.method
        if request.request_id is None:
            query = {name: str(value) for name, value in params.items()}
            return partial(self._transport.get, method, query)
        body = self._credentials.body(method, params, id=request.request_id, nonce=self._next_nonce())
        return partial(self._transport.post, method, body)

    def _next_nonce(self) -> int:
        """Our time, and always a later one than before: whether it may repeat is not documented (dossier 11.7)."""
        self._nonce = max(self.now_ms(), self._nonce + 1)
        return self._nonce

    def _read_response(
        self, request: ApiRequest, response: RawResponse, decoder: RowsDecoder[Any] | None
    ) -> Envelope:
        typed = decoder.decode(response.body, self._latest_ms()) if decoder else None
        if typed is not None:
            return typed_envelope(typed)
        try:
            return parse_envelope(response.body, self._credentials.redact)
        except UnreadableResponse as exc:
            error = unreadable_response_error(request, sentence_of(exc), response.status)
        raise error

    def _latest_ms(self) -> int:
        """Nothing has happened later than this, by the exchange's own clock."""
        return self.now_ms() + (self._clock.ms or 0) + MAX_AHEAD_MS


T = TypeVar("T")
log = logging.getLogger(__name__)


def drop_none(**values: object) -> dict[str, object]:
    """Those parameters that have a value."""
    return {name: value for name, value in values.items() if value is not None}


class TypedClient(BaseClient):
    """Reads of the three shapes the exchange answers with: one object, a list, a list that may hold surprises."""

    def _fetch_object(self, method: str, params: Params, build: Callable[[Row], T]) -> T:
        """The whole `result` as one value."""
        return self._fetch_parsed(method, params, lambda result: build(parsing.as_row("result", result)))

    def _fetch_object_or_none(self, method: str, params: Params, build: Callable[[Row], T]) -> T | None:
        """The same, where an empty `result` means that there is none (dossier 5.17)."""
        return self._fetch_parsed(
            method,
            params,
            lambda result: None if _is_empty(result) else build(parsing.as_row("result", result)),
        )

    def _first_row(self, method: str, params: Params, build: Callable[[Row], T]) -> T:
        """The only row of `result.data`."""
        return self._fetch_parsed(method, params, lambda result: build(_first_row(_data_rows(result))))

    def _fetch_rows(self, method: str, params: Params, build: Callable[[Row], T]) -> list[T]:
        """Every row of `result.data`. One unreadable row fails the read."""
        return self._fetch_parsed(method, params, lambda result: [build(row) for row in _data_rows(result)])

    def _fetch_named_rows(
        self,
        method: str,
        params: Params,
        build: Callable[[Row], T],
        *,
        id_field: str,
        decoder: RowsDecoder[T],
        is_asked_for: Callable[[T], bool] | None = None,
    ) -> RowList[T]:
        """Every readable row of `result.data`. One that is not readable, or was not asked for, is put aside under its
        id, and says nothing about what it names; one without an id fails the read: a missing order is not a closed one.
        """

        def build_rows(result: object) -> RowList[T]:
            if isinstance(result, TypedRows):
                return RowList.of(result.data, received=len(result.data))
            found, received, latest_ms = [], _data_rows(result), self._latest_ms()
            for row in received:
                try:
                    value = check_times(build(row), latest_ms)
                    if is_asked_for is not None and not is_asked_for(value):
                        raise ValueError(problem(Problem.NOT_ASKED_FOR))
                    found.append(value)
                except ValueError as exc:
                    if not _row_id(row, id_field):
                        raise
                    self._put_aside(method, row, _row_id(row, id_field), sentence_of(exc))
            return RowList.of(found, received=len(received))

        usual = decoder.where(is_asked_for) if is_asked_for is not None else decoder
        return self._fetch_parsed(method, params, build_rows, usual)

    def _readable_rows(
        self, method: str, params: Params, build: Callable[[Row], T], *, id_field: str
    ) -> list[T]:
        """The readable rows of `result.data`: market data of one new kind must not hide all others.

        What cannot be is put aside; a row that lacks fields is only of another kind.
        """

        def build_rows(result: object) -> list[T]:
            found, received, latest_ms = [], _data_rows(result), self._latest_ms()
            for row in received:
                try:
                    found.append(check_times(build(row), latest_ms))
                except MissingField as exc:
                    log.debug("row left out: %s", exc)
                except ValueError as exc:
                    self._put_aside(method, row, _row_id(row, id_field), sentence_of(exc))
            if received and not found:
                raise ValueError(problem(Problem.NO_ROW_READABLE))
            if len(found) < len(received):
                left_out = len(received) - len(found)
                log.warning("%s: %d of %d rows left out as unreadable", method, left_out, len(received))
            return found

        return self._fetch_parsed(method, params, build_rows)

    def _put_aside(self, method: str, row: object, row_id: str, what: str) -> None:
        if len(self.unreadable_rows) < MAX_UNREADABLE_ROWS:
            raw = self._credentials.redact(json.dumps(row, default=str))[:MAX_RAW_LENGTH]
            self.unreadable_rows.append(UnreadableRow(method, row_id, what, raw))

    def _fetch_parsed(
        self,
        method: str,
        params: Params,
        build: Callable[[Any], T],
        decoder: RowsDecoder[Any] | None = None,
    ) -> T:
        envelope = self._call(method, params, decoder=decoder)
        try:
            return check_times(build(envelope.result), self._latest_ms())
        except ValueError as exc:
            reason = sentence_of(exc)
            self._put_aside(method, envelope.result, "", reason)
        raise self._remember_error(BadResponse(method=method, message=reason, request_id=envelope.request_id))


def _row_id(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value) if type(value) in (str, int) else ""


def _is_empty(result: object) -> bool:
    """An object or list without content; a `result` that is absent or null proves nothing."""
    return isinstance(result, dict | list) and not result


def _first_row(rows: list[Row]) -> Row:
    if not rows:
        raise parsing.bad_field(Problem.EMPTY, "data")
    return rows[0]


def _data_rows(result: object) -> list[Row]:
    rows = parsing.as_row("result", result)
    if rows.get("data") is None:
        raise parsing.bad_field(Problem.MISSING, "data")
    return parsing.rows(rows, "data")
