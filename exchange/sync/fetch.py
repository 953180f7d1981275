"""All reads of one cycle, no writes: what the account looks like now and what happened since the last read.

Each part is either complete or failed. A failed part proves nothing and changes nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from exchange import schemas
from exchange.client.client import Client, PublicClient
from exchange.client.errors import AuthError, ExchangeError, Unreachable
from exchange.core.instrument_names import is_derivative
from exchange.core.times import NS_PER_DAY, NS_PER_MS
from exchange.models.sync import Stream
from exchange.schemas import NameSpace, Order, Trade
from exchange.sync.pagination import PAGE_SIZE, Gap, HistorySource, TimeWindow, paginate_history

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
OrderKey = tuple[str, str]
Clock = Callable[[], datetime]

MAX_PAGES = 5  # requests of a cycle for one stream; the backfill between cycles reads the rest
MAX_MARK_PRICES = 10  # mark prices of a cycle that are requested in advance; the others when needed
MAX_LOOKUPS = 40  # orders of a cycle that are looked up one by one
FETCH_TIMEOUT = timedelta(seconds=45)  # after that, no more parts are requested in this cycle
MAX_UNANSWERED = 2  # parts in a row without an answer; after that, no more parts are requested
# The widest window of the order histories is not documented, that of trades is 7 days (dossier 7).
MAX_WINDOW_NS = {Stream.ORDERS: NS_PER_DAY, Stream.ADVANCED: NS_PER_DAY, Stream.TRADES: 7 * NS_PER_DAY}
NAME_SPACES = {Stream.ORDERS: NameSpace.PLAIN, Stream.ADVANCED: NameSpace.ADVANCED}


@dataclass(frozen=True, slots=True)
class FetchResult(Generic[T_co]):
    """One read of the cycle: its rows when it is complete, else why it is not."""

    rows: T_co | None = None
    error: str = ""

    @property
    def is_complete(self) -> bool:
        return self.rows is not None


@dataclass(frozen=True, slots=True)
class FetchedStream(Generic[T]):
    """What was read of one stream; the requested window is still to read up to `left_until_ns`."""

    rows: Sequence[T]
    gaps: Sequence[Gap]
    left_until_ns: int


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """The published mark price of one instrument (dossier 5.5), requested at `requested_at` by our clock."""

    requested_at: datetime
    published: Future[list[schemas.Valuation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """What the next cycle reads: windows per stream, orders believed open, and whether the daily parts are due.

    Trades from `new_trades_since_ns` on are new; None: none of them is.
    """

    windows: Mapping[Stream, TimeWindow]
    open_keys: Sequence[OrderKey]
    known_instruments: Collection[str] = ()
    with_catalogue: bool = False
    with_positions: bool = False
    new_trades_since_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """The answers of one cycle. `looked_up` holds None for an order that the exchange does not find.

    `positions` are derivatives; None when there was no sign of any, so that they were not requested. `marks` are
    the mark prices requested in advance, for fills that are about to be protected.
    """

    open_orders: Mapping[NameSpace, FetchResult[Sequence[schemas.Order]]]
    histories: Mapping[Stream, FetchResult[FetchedStream[schemas.Order]]]
    trades: FetchResult[FetchedStream[Trade]]
    balance: FetchResult[schemas.AccountBalance]
    positions: FetchResult[Sequence[schemas.Position]] | None = None
    tickers: FetchResult[Sequence[schemas.Ticker]]
    marks: Mapping[str, MarkRequest] = field(default_factory=dict)
    instruments: FetchResult[Sequence[schemas.Instrument]] | None
    looked_up: Mapping[OrderKey, schemas.Order | None]
    errors: Sequence[str]

    @property
    def fetched_streams(self) -> dict[Stream, FetchResult[FetchedStream[Any]]]:
        """The three streams together."""
        return {**self.histories, Stream.TRADES: self.trades}

    @property
    def open_orders_read(self) -> bool:
        return all(fetched.rows is not None for fetched in self.open_orders.values())

    @property
    def histories_read(self) -> bool:
        return all(fetched.rows is not None for fetched in self.histories.values())

    @property
    def reported_open(self) -> list[schemas.Order]:
        """The orders reported open, by a list or one by one."""
        listed = [order for fetched in self.open_orders.values() for order in fetched.rows or ()]
        return listed + [order for order in self.looked_up.values() if order is not None]

    @property
    def is_unanswered(self) -> bool:
        """Whether every read failed."""
        results: list[FetchResult[Any]] = [
            *self.open_orders.values(),
            *self.fetched_streams.values(),
            self.balance,
            self.tickers,
        ]
        return all(fetched.rows is None for fetched in results)


@dataclass(slots=True)
class FetchRun:
    """The reads of one cycle while they run."""

    client: Client
    clock: Clock
    until: datetime
    errors: list[str] = field(default_factory=list)
    unanswered: int = 0

    def fetched(self, name: str, read: Callable[[], T]) -> FetchResult[T]:
        """Try one read. Raises AuthError, which ends the cycle: every other part would be refused too."""
        if self.unanswered >= MAX_UNANSWERED or self.clock() > self.until:
            return self.failed(f"{name}: not tried, the exchange is too slow or does not answer.")
        try:
            rows = read()
        except AuthError:
            raise
        except ExchangeError as error:
            self.unanswered = self.unanswered + 1 if isinstance(error, Unreachable) else 0
            return self.failed(f"{name}: {error}")
        self.unanswered = 0
        return FetchResult(rows)

    def failed(self, text: str) -> FetchResult[Any]:
        """A part without rows, its reason noted."""
        self.errors.append(text)
        return FetchResult(error=text)


def fetch_account(
    *, client: Client, fetch_plan: FetchPlan, clock: Clock, needs_mark: Callable[[Trade], bool] | None = None
) -> AccountSnapshot:
    """Read the account: 1. open orders of both name spaces 2. histories 3. trades 4. balance 5. tickers
    6. the catalogue when it is due 7. orders believed open that no list named 8. derivative positions, if
    there is a sign of one.

    Open lists come before the histories, so that an order that ends in between is in one of them; the
    balance comes after the trades that explain it. Public reads run in parallel where possible.
    `needs_mark` picks the new trades whose mark price is requested in advance; without it none is.
    """
    fetch_run = FetchRun(client, clock, clock() + FETCH_TIMEOUT)
    tickers_future = client.start_read("public/get-tickers", PublicClient.tickers)
    open_orders = {
        space: fetch_run.fetched(f"Open orders ({space.lower()})", partial(client.open_orders, space))
        for space in NameSpace
    }
    histories = {
        stream: fetch_run.fetched(
            f"Order history ({stream.label})",
            _stream_reader(
                order_source(client, stream, fetch_plan.known_instruments), fetch_plan.windows[stream]
            ),
        )
        for stream in (Stream.ORDERS, Stream.ADVANCED)
    }
    trades = fetch_run.fetched(
        "Trades",
        _stream_reader(trade_source(client, fetch_plan.known_instruments), fetch_plan.windows[Stream.TRADES]),
    )
    marks = _request_marks(fetch_run, fetch_plan, trades, needs_mark) if needs_mark else {}
    balance = fetch_run.fetched("Balances", client.balance)
    tickers = fetch_run.fetched("Tickers", tickers_future.result)
    instruments = fetch_run.fetched("Instruments", client.instruments) if fetch_plan.with_catalogue else None
    looked_up = _look_up(fetch_run, _missing_from_lists(fetch_plan, open_orders, histories))
    positions = _positions(fetch_run) if _may_hold_derivatives(fetch_plan, balance, trades) else None
    return AccountSnapshot(
        open_orders=open_orders,
        histories=histories,
        trades=trades,
        balance=balance,
        positions=positions,
        tickers=tickers,
        marks=marks,
        instruments=instruments,
        looked_up=looked_up,
        errors=fetch_run.errors,
    )


def _request_marks(
    fetch_run: FetchRun,
    fetch_plan: FetchPlan,
    trades: FetchResult[FetchedStream[Trade]],
    needs_mark: Callable[[Trade], bool],
) -> dict[str, MarkRequest]:
    since, rows = fetch_plan.new_trades_since_ns, trades.rows.rows if trades.rows else ()
    if since is None:
        return {}
    names = {row.instrument_name for row in rows if row.create_time_ns >= since and needs_mark(row)}
    return {name: _request_mark(fetch_run, name) for name in sorted(names)[:MAX_MARK_PRICES]}


def _request_mark(fetch_run: FetchRun, name: str) -> MarkRequest:
    read_mark = partial(PublicClient.valuations, instrument_name=name, valuation_type="mark_price", count=1)
    return MarkRequest(fetch_run.clock(), fetch_run.client.start_read("public/get-valuations", read_mark))


def _may_hold_derivatives(
    fetch_plan: FetchPlan,
    balance: FetchResult[schemas.AccountBalance],
    trades: FetchResult[FetchedStream[Trade]],
) -> bool:
    """Known before, margin in use, or one traded: an account without derivatives is spared the request."""
    tied_up = balance.rows is not None and balance.rows.may_hold_derivatives
    traded = trades.rows is not None and any(is_derivative(row.instrument_name) for row in trades.rows.rows)
    return fetch_plan.with_positions or tied_up or traded


def _positions(fetch_run: FetchRun) -> FetchResult[Sequence[schemas.Position]]:
    """A key without permission for derivatives can still read everything else."""
    try:
        return fetch_run.fetched("Positions", fetch_run.client.positions)
    except AuthError as error:
        return fetch_run.failed(f"Positions: {error}")


def _stream_reader(source: HistorySource[T], window: TimeWindow) -> Callable[[], FetchedStream[T]]:
    def read() -> FetchedStream[T]:
        rows: list[T] = []
        gaps: list[Gap] = []
        left = window.end_ns
        for count, page in enumerate(paginate_history(source, window), start=1):
            rows += page.rows
            gaps += page.gaps
            left = page.left_until_ns
            if count == MAX_PAGES:
                break
        return FetchedStream(rows, gaps, left)

    return read


def _missing_from_lists(
    fetch_plan: FetchPlan,
    open_orders: Mapping[NameSpace, FetchResult[Sequence[schemas.Order]]],
    histories: Mapping[Stream, FetchResult[FetchedStream[schemas.Order]]],
) -> list[OrderKey]:
    """Orders believed open that a complete list does not name and no history reports as ended."""
    reported = {
        (order.name_space, order.order_id) for fetched in open_orders.values() for order in fetched.rows or ()
    }
    for fetched in histories.values():
        rows = fetched.rows.rows if fetched.rows else ()
        reported |= {
            (order.name_space, order.order_id) for order in rows if schemas.is_terminal(order.status)
        }
    complete = {space for space, fetched in open_orders.items() if fetched.is_complete}
    return [key for key in fetch_plan.open_keys if key not in reported and key[0] in complete][:MAX_LOOKUPS]


def _look_up(fetch_run: FetchRun, keys: Sequence[OrderKey]) -> dict[OrderKey, schemas.Order | None]:
    found: dict[OrderKey, schemas.Order | None] = {}
    for space, order_id in keys:
        fetched = fetch_run.fetched(f"Order {order_id}", partial(_detail, fetch_run.client, space, order_id))
        if fetched.rows is not None:
            found[space, order_id] = fetched.rows[0]
    return found


def _detail(client: Client, space: str, order_id: str) -> tuple[schemas.Order | None]:
    return (client.order_detail(NameSpace(space), order_id=order_id),)


def order_source(client: Client, stream: Stream, known: Collection[str] = ()) -> HistorySource[Order]:
    """The order history of one name space; that of plain orders is sorted by update time."""

    def fetch(window: TimeWindow) -> Sequence[Order]:
        return client.order_history(
            NAME_SPACES[stream],
            start_ns=window.start_ns,
            end_ns=window.end_ns,
            limit=PAGE_SIZE,
            instrument_name=window.instrument_name or None,
        )

    return HistorySource(
        fetch=fetch,
        timestamp_ns=lambda order: order.update_time_ms * NS_PER_MS,
        row_id=lambda order: order.order_id,
        instrument=lambda order: order.instrument_name,
        newest_first=stream is Stream.ORDERS,  # not documented for the advanced family (dossier 7)
        known_instruments=known,
    )


def trade_source(client: Client, known: Collection[str] = ()) -> HistorySource[Trade]:
    """Our fills, sorted by their booking time in nanoseconds."""

    def fetch(window: TimeWindow) -> Sequence[Trade]:
        return client.trades(
            start_ns=window.start_ns,
            end_ns=window.end_ns,
            limit=PAGE_SIZE,
            instrument_name=window.instrument_name or None,
        )

    return HistorySource(
        fetch=fetch,
        timestamp_ns=lambda trade: trade.create_time_ns,
        row_id=lambda trade: trade.trade_id,
        instrument=lambda trade: trade.instrument_name,
        has_ns=True,
        known_instruments=known,
    )
