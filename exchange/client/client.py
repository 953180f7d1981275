"""The exchange as about twenty typed methods (dossier 5): decimals in and out, one family of errors."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Self, TypeVar

from django.conf import settings

from exchange.client import typed_rows
from exchange.client.base import Params, TypedClient, UnreadableRow, drop_none
from exchange.client.errors import ExchangeError, NotFound, RequestKind, UnknownOutcome
from exchange.core.reasons import Problem, problem
from exchange.schemas import (
    METHOD_PREFIXES,
    AccountBalance,
    AccountInfo,
    Ack,
    Book,
    Candle,
    FeeRate,
    Instrument,
    NameSpace,
    NewOrder,
    Order,
    Position,
    PricePoint,
    Ticker,
    Trade,
    Valuation,
)

T = TypeVar("T")
MAX_NS = 2**63 - 1
PRICE_VALUATIONS = frozenset({"mark_price", "index_price", "settlement_price"})


class PrivateClient(TypedClient):
    """Signed reads, sent as POST. Times are nanoseconds, starts inclusive, ends exclusive."""

    def balance(self) -> AccountBalance:
        """The account's balances; they lag behind fills and cancels (dossier 5.6)."""
        return self._first_row("private/user-balance", {}, AccountBalance.from_row)

    def accounts(self) -> AccountInfo:
        """Whose key this is (dossier 5.8)."""
        return self._fetch_object("private/get-accounts", {}, AccountInfo.from_row)

    def fee_rate(self) -> FeeRate:
        """Fee rates in basis points (dossier 5.9)."""
        return self._fetch_object("private/get-fee-rate", {}, FeeRate.from_row)

    def positions(self) -> list[Position]:
        """Derivative positions; spot holdings are not among them (dossier 5.10)."""
        return self._fetch_rows("private/get-positions", {}, Position.from_row)

    def open_orders(self, name_space: NameSpace) -> list[Order]:
        """All open orders of one family; there are no pages (dossier 5.16, 5.29)."""
        return self._fetch_orders(f"{METHOD_PREFIXES[name_space]}/get-open-orders", {}, name_space)

    def _fetch_orders(
        self,
        method: str,
        params: Params,
        name_space: NameSpace,
        is_asked_for: Callable[[Order], bool] | None = None,
    ) -> list[Order]:
        return self._fetch_named_rows(
            method,
            params,
            partial(Order.from_row, name_space=name_space),
            id_field="order_id",
            decoder=typed_rows.ORDERS[name_space],
            is_asked_for=is_asked_for,
        )

    def order_detail(
        self, name_space: NameSpace, *, order_id: str | None = None, client_oid: str | None = None
    ) -> Order | None:
        """One order by one of its ids; None when unknown, which proves nothing for 2 s (dossier 5.17, 3.2)."""
        method = f"{METHOD_PREFIXES[name_space]}/get-order-detail"
        try:
            return self._fetch_object_or_none(
                method,
                order_id_params(order_id, client_oid),
                partial(Order.from_row, name_space=name_space),
            )
        except NotFound:
            self.last_error = None
            return None

    def order_history(
        self,
        name_space: NameSpace,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int = 100,
        instrument_name: str | None = None,
    ) -> list[Order]:
        """At most 100 finished orders, latest update first; a day by default (dossier 5.18, 5.30, 7).

        A row that was not asked for is unreadable.
        """
        params = _history_params(start_ns, end_ns, limit, instrument_name)
        method = f"{METHOD_PREFIXES[name_space]}/get-order-history"
        return self._fetch_orders(method, params, name_space, _asked_for(start_ns, end_ns, instrument_name))

    def trades(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int = 100,
        instrument_name: str | None = None,
    ) -> list[Trade]:
        """At most 100 executions of both families, newest first; at most 7 days wide (dossier 5.19, 7).

        A row that was not asked for is unreadable.
        """
        return self._fetch_named_rows(
            "private/get-trades",
            _history_params(start_ns, end_ns, limit, instrument_name),
            Trade.from_row,
            id_field="trade_id",
            decoder=typed_rows.TRADES,
            is_asked_for=_asked_for(start_ns, end_ns, instrument_name),
        )

    def order_list_detail(self, list_ids: Sequence[str]) -> list[Order]:
        """The legs of all these lists (dossier 5.31)."""
        method = "private/advanced/get-order-list-detail"
        return self._fetch_orders(method, {"list_id_list": list(list_ids)}, NameSpace.ADVANCED)


def order_id_params(order_id: str | None, client_oid: str | None) -> dict[str, object]:
    """The parameter that names an order."""
    if bool(order_id) == bool(client_oid):
        raise ValueError("name an order by exactly one of order_id and client_oid")
    return {"order_id": order_id} if order_id else {"client_oid": client_oid}


def _asked_for(
    start_ns: int | None, end_ns: int | None, instrument_name: str | None
) -> Callable[[Order | Trade], bool]:
    """Whether a row belongs to the period, and to the instrument, that were asked for."""

    def is_asked_for(row: Order | Trade) -> bool:
        is_named = instrument_name is None or row.instrument_name == instrument_name
        return is_named and row.is_within(start_ns or 0, end_ns or MAX_NS)

    return is_asked_for


def _history_params(
    start_ns: int | None, end_ns: int | None, limit: int, name: str | None
) -> dict[str, object]:
    """Times as text, `limit` as a JSON number: text is answered with 40003 (dossier 1.2)."""
    return drop_none(
        start_time=None if start_ns is None else str(start_ns),
        end_time=None if end_ns is None else str(end_ns),
        limit=limit,
        instrument_name=name,
    )


class PublicClient(TypedClient):
    """Unsigned reads, sent as GET."""

    def instruments(self) -> list[Instrument]:
        """Every instrument; rows of a kind we cannot read are left out (dossier 5.1)."""
        return self._readable_rows("public/get-instruments", {}, Instrument.from_row, id_field="symbol")

    def tickers(self, instrument_name: str | None = None) -> list[Ticker]:
        """The last 24 hours of one or all instruments; unreadable rows are left out (dossier 5.2)."""
        query = drop_none(instrument_name=instrument_name)
        return self._readable_rows("public/get-tickers", query, Ticker.from_row, id_field="i")

    def candles(
        self,
        instrument_name: str,
        timeframe: str,
        count: int = 300,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Candle]:
        """At most 300 bars, oldest first, the newest unfinished; `end_ms` is exclusive (dossier 5.3)."""
        query = drop_none(
            instrument_name=instrument_name,
            timeframe=timeframe,
            count=count,
            start_ts=start_ms,
            end_ts=end_ms,
        )
        return self._fetch_rows("public/get-candlestick", query, Candle.from_row)

    def book(self, instrument_name: str, depth: int = 10) -> Book:
        """Both sides of the order book, best price first (dossier 5.4)."""
        query = drop_none(instrument_name=instrument_name, depth=depth)
        return self._fetch_object("public/get-book", query, Book.from_row)

    def valuations(
        self, instrument_name: str, valuation_type: str = "mark_price", count: int = 1
    ) -> list[Valuation]:
        """Mark, index or funding values; spot pairs have only `mark_price` (dossier 5.5)."""
        query = drop_none(instrument_name=instrument_name, valuation_type=valuation_type, count=count)
        is_price = valuation_type in PRICE_VALUATIONS
        build = (PricePoint if is_price else Valuation).from_row
        return self._fetch_rows("public/get-valuations", query, build)


class TradingClient(TypedClient):
    """Sent once; every method raises UnknownOutcome when it may have been executed: look it up, never repeat."""

    def order_create(self, name_space: NameSpace, order: NewOrder) -> Ack:
        """Place one order; trigger orders belong to the ADVANCED family (dossier 5.11, 5.21)."""
        method = f"{METHOD_PREFIXES[name_space]}/create-order"
        ack = self._call_for_ack(method, order.to_params(), RequestKind.CREATE)
        if not ack.order_id:
            raise self._unknown_outcome(method, problem(Problem.NO_ORDER_ID), order)
        if ack.client_oid != order.client_oid:
            raise self._unknown_outcome(method, problem(Problem.OTHER_ORDER), order)
        return ack

    def order_cancel(
        self, name_space: NameSpace, *, order_id: str | None = None, client_oid: str | None = None
    ) -> Ack:
        """Ask to cancel one order by one of its ids; NotActive when it is too late (dossier 5.13, 5.27)."""
        params = order_id_params(order_id, client_oid)
        return self._call_for_ack(f"{METHOD_PREFIXES[name_space]}/cancel-order", params, RequestKind.CANCEL)

    def orders_cancel_all(
        self, name_space: NameSpace, *, instrument_name: str | None = None, kind: str | None = None
    ) -> None:
        """Ask to cancel a family's orders; `kind` LIMIT, ALL or, advanced, TRIGGER (dossier 5.14, 5.28)."""
        params = drop_none(instrument_name=instrument_name, type=kind)
        self._call(f"{METHOD_PREFIXES[name_space]}/cancel-all-orders", params, RequestKind.CANCEL)

    def oco_create(self, first: NewOrder, second: NewOrder) -> str:
        """Place a LIMIT and a trigger leg of which one cancels the other; the list's id (dossier 5.23).

        Legs with `exec_inst` are a ValueError: how their signature is built is disputed (dossier 2.3).
        """
        if first.exec_inst or second.exec_inst:
            raise ValueError("the legs of a list cannot carry exec_inst")
        params = {"order_list": [first.to_params(), second.to_params()]}
        method = "private/advanced/create-oco"
        list_id = self._call(method, params, RequestKind.CREATE).list_id
        if not list_id:
            raise self._unknown_outcome(method, problem(Problem.NO_LIST_ID), first)
        return list_id

    def oco_cancel(self, list_id: str) -> None:
        """Ask to cancel both legs (dossier 5.24)."""
        self._call("private/advanced/cancel-oco", {"list_id": list_id}, RequestKind.CANCEL)

    def _call_for_ack(self, method: str, params: Params, kind: RequestKind) -> Ack:
        """The receipt; ids the answer leaves out are those that were sent."""
        envelope = self._call(method, params, kind)
        return Ack(
            order_id=envelope.order_id or str(params.get("order_id", "")),
            client_oid=envelope.client_oid or str(params.get("client_oid", "")),
            code=envelope.code or 0,
            message=envelope.exchange_message,
        )

    def _unknown_outcome(self, method: str, message: str, order: NewOrder) -> ExchangeError:
        return self._remember_error(
            UnknownOutcome(method=method, message=message, client_oid=order.client_oid)
        )


def take_all(rows: list[UnreadableRow]) -> list[UnreadableRow]:
    """The rows, which are removed from the list; another thread may add some meanwhile."""
    taken = rows[:]
    del rows[: len(taken)]
    return taken


class LazyRead(Future[T]):
    """Reads when the result is first wanted, in the thread that wants it."""

    def __init__(self, read: Callable[[], T]) -> None:
        super().__init__()
        self._read = read

    def result(self, timeout: float | None = None) -> T:
        if not self.done():
            try:
                self.set_result(self._read())
            except Exception as error:  # noqa: BLE001 - raised by `result`, each time
                self.set_exception(error)
        return super().result()


class BackgroundReads:
    """Public reads, one after the other, in one thread with a connection of its own and without keys.

    Signed requests never run in parallel: whether nonces may overtake each other is not documented
    (dossier 11.7). Public reads carry none, have limits of their own (dossier 4), and need no lease.
    """

    def __init__(self, public_client: PublicClient) -> None:
        self._public_client = public_client
        self._executor: ThreadPoolExecutor | None = None

    @classmethod
    def for_url(cls, base_url: str) -> Self:
        return cls(PublicClient(base_url, "", ""))

    @property
    def sent(self) -> int:
        return self._public_client.requests

    def take_unreadable_rows(self) -> list[UnreadableRow]:
        return take_all(self._public_client.unreadable_rows)

    def start_read(self, read: Callable[[PublicClient], T]) -> Future[T]:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="public reads")
        return self._executor.submit(read, self._public_client)

    def close(self) -> None:
        """A read under way finishes, later ones are cancelled; the next `start_read` begins a new thread."""
        if self._executor is not None:
            # The interpreter waits for the thread at exit, so it must not go on through a queue of reads.
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
            self._public_client.close()


class Client(PublicClient, PrivateClient, TradingClient):
    """One key at one exchange, `Client(base_url, key, secret)`; `base_url` ends in `/exchange/v1`.

    Reads are repeated a few times and then raise Unreachable, BadResponse, RateLimited, AuthError, Refused,
    TryLater or NotFound. Writes are sent once and may also raise UnknownOutcome, NotSent and NotActive.
    """

    background_reads: BackgroundReads | None = None

    def start_read(self, method: str, read: Callable[[PublicClient], T]) -> Future[T]:
        """A public read in the background; without `background_reads` it is read when its result is wanted."""
        if self.background_reads is None:
            return LazyRead(lambda: read(self))
        self._before_request(method)
        return self.background_reads.start_read(read)

    @property
    def requests(self) -> int:
        return super().requests + (self.background_reads.sent if self.background_reads else 0)

    def take_unreadable_rows(self) -> list[UnreadableRow]:
        """What was not believed since the last call."""
        own = take_all(self.unreadable_rows)
        return own + (self.background_reads.take_unreadable_rows() if self.background_reads else [])

    def close(self) -> None:
        super().close()
        if self.background_reads:
            self.background_reads.close()


def client_from_settings(*, before_request: Callable[[str], None] | None = None) -> Client:
    """A client for the mode's address and keys; `before_request` gets each method before it is sent."""
    client = Client(
        settings.CRYPTO_COM_REST_URL,
        settings.CRYPTO_COM_API_KEY,
        settings.CRYPTO_COM_SECRET_KEY,
        before_request=before_request,
    )
    client.background_reads = BackgroundReads.for_url(settings.CRYPTO_COM_REST_URL)
    return client
