"""All reads of a cycle, no writes: what the account looks like now and what happened since the last look.

Each part says whether it is complete. A failed part is no news: it proves nothing and changes nothing.

The three histories of the exchange as sources for `walk`, and how wide a window each takes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from django.conf import settings

from exchange import schemas
from exchange.client.client import Client, Later, PublicCalls
from exchange.client.errors import AuthError, ExchangeError, Unreachable
from exchange.core.instrument_names import base_of, is_derivative
from exchange.core.times import NS_PER_DAY, NS_PER_MS
from exchange.models.sync import Stream
from exchange.schemas import NameSpace, Order, Trade
from exchange.sync.pagination import PAGE, Gap, Source, Span, walk

# The widest window of the order histories is not documented, that of trades is 7 days (dossier 7).
WIDTH_NS = {Stream.ORDERS: NS_PER_DAY, Stream.ADVANCED: NS_PER_DAY, Stream.TRADES: 7 * NS_PER_DAY}
SPACES = {Stream.ORDERS: NameSpace.PLAIN, Stream.ADVANCED: NameSpace.ADVANCED}


def order_source(client: Client, stream: Stream, known: Collection[str] = ()) -> Source[Order]:
    """The order history of one name space; that of plain orders is sorted by update time."""

    def fetch(span: Span) -> Sequence[Order]:
        return client.order_history(
            SPACES[stream],
            start_ns=span.start_ns,
            end_ns=span.end_ns,
            limit=PAGE,
            instrument_name=span.instrument_name or None,
        )

    return Source(
        fetch=fetch,
        stamp_ns=lambda order: order.update_time_ms * NS_PER_MS,
        identity=lambda order: order.order_id,
        instrument=lambda order: order.instrument_name,
        newest_first=stream is Stream.ORDERS,  # not documented for the advanced family (dossier 7)
        known_instruments=known,
    )


def trade_source(client: Client, known: Collection[str] = ()) -> Source[Trade]:
    """Our fills, sorted by their booking time in nanoseconds."""

    def fetch(span: Span) -> Sequence[Trade]:
        return client.trades(
            start_ns=span.start_ns,
            end_ns=span.end_ns,
            limit=PAGE,
            instrument_name=span.instrument_name or None,
        )

    return Source(
        fetch=fetch,
        stamp_ns=lambda trade: trade.create_time_ns,
        identity=lambda trade: trade.trade_id,
        instrument=lambda trade: trade.instrument_name,
        has_ns=True,
        known_instruments=known,
    )


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Key = tuple[str, str]
Clock = Callable[[], datetime]

PAGES = 5  # a stream may take this many requests of a cycle; the rest is left to the slices between cycles
MARKS = 10  # prices of one cycle that are asked for ahead; the others when they are needed
LOOKUPS = 40  # orders of one cycle that are looked up one by one
PATIENCE = timedelta(seconds=45)  # after that a slow exchange is not asked for more parts in this cycle
SILENT = 2  # parts in a row without any answer, and the rest of the cycle is not tried


@dataclass(frozen=True, slots=True)
class Part(Generic[T_co]):
    """One read of the cycle: its rows when it is complete, else why it is not."""

    rows: T_co | None = None
    error: str = ""

    @property
    def is_complete(self) -> bool:
        return self.rows is not None


@dataclass(frozen=True, slots=True)
class Heard(Generic[T]):
    """What one stream told; [left_start, left_until) of the asked window is still to read."""

    rows: Sequence[T]
    gaps: Sequence[Gap]
    left_until_ns: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark price of one instrument as published (dossier 5.5), asked for at `asked_at` by our clock."""

    asked_at: datetime
    published: Later[list[schemas.Valuation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the next pull should read: windows per stream, orders believed open, and whether the daily parts are due.

    Who buys from `bought_since_ns` on will need a mark price; None: nobody will.
    """

    spans: Mapping[Stream, Span]
    open_keys: Sequence[Key]
    known_instruments: Collection[str] = ()
    with_catalogue: bool = False
    with_positions: bool = False
    bought_since_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The answers of one pull. `looked_up` holds None for an order that the exchange does not find.

    `positions` are derivatives, None where nothing hinted at any: then it was not asked. `marks` are on their
    way for what was just bought.
    """

    open_orders: Mapping[NameSpace, Part[Sequence[schemas.Order]]]
    histories: Mapping[Stream, Part[Heard[schemas.Order]]]
    trades: Part[Heard[schemas.Trade]]
    balance: Part[schemas.AccountBalance]
    positions: Part[Sequence[schemas.Position]] | None = None
    tickers: Part[Sequence[schemas.Ticker]]
    marks: Mapping[str, Mark] = field(default_factory=dict)
    instruments: Part[Sequence[schemas.Instrument]] | None
    looked_up: Mapping[Key, schemas.Order | None]
    errors: Sequence[str]

    @property
    def heard(self) -> dict[Stream, Part[Heard[Any]]]:
        """The three streams together."""
        return {**self.histories, Stream.TRADES: self.trades}

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all was heard."""
        parts: list[Part[Any]] = [
            *self.open_orders.values(),
            *self.heard.values(),
            self.balance,
            self.tickers,
        ]
        return not any(part.is_complete for part in parts)


@dataclass(slots=True)
class Pull:
    """One pull at work."""

    client: Client
    clock: Clock
    until: datetime
    errors: list[str] = field(default_factory=list)
    silent: int = 0

    def part(self, name: str, read: Callable[[], T]) -> Part[T]:
        """Try one read. A refused key ends the cycle: every other part would be refused too."""
        if self.silent >= SILENT or self.clock() > self.until:
            return self.failed(f"{name}: not tried, the exchange is too slow or does not answer.")
        try:
            rows = read()
        except AuthError:
            raise
        except ExchangeError as error:
            self.silent = self.silent + 1 if isinstance(error, Unreachable) else 0
            return self.failed(f"{name}: {error}")
        self.silent = 0
        return Part(rows)

    def failed(self, text: str) -> Part[Any]:
        """A part without rows, its reason noted."""
        self.errors.append(text)
        return Part(error=text)


def pull(*, client: Client, wanted: Wanted, clock: Clock) -> Snapshot:
    """Read the account: 1. open orders of both name spaces 2. histories 3. trades 4. balance 5. tickers
    6. the catalogue when it is due 7. orders believed open that no list named 8. derivative positions, where
    anything hints at one.

    Open lists come before the histories, so that an order that ends in between is in one of them; the
    balance comes after the trades that explain it. Public reads go on beside, where that is possible.
    """
    at_work = Pull(client, clock, clock() + PATIENCE)
    tickers_later = client.begin("public/get-tickers", PublicCalls.tickers)
    open_orders = {
        space: at_work.part(f"Open orders ({space.lower()})", partial(client.open_orders, space))
        for space in NameSpace
    }
    histories = {
        stream: at_work.part(
            f"Order history ({stream.label})",
            _reader(order_source(client, stream, wanted.known_instruments), wanted.spans[stream]),
        )
        for stream in (Stream.ORDERS, Stream.ADVANCED)
    }
    trades = at_work.part(
        "Trades", _reader(trade_source(client, wanted.known_instruments), wanted.spans[Stream.TRADES])
    )
    marks = {name: _mark(at_work, name) for name in _bought(wanted, trades)}
    balance = at_work.part("Balances", client.balance)
    tickers = at_work.part("Tickers", tickers_later.answer)
    instruments = at_work.part("Instruments", client.instruments) if wanted.with_catalogue else None
    looked_up = _look_up(at_work, _unaccounted(wanted, open_orders, histories))
    positions = _positions(at_work) if _hint_at_derivatives(wanted, balance, trades) else None
    return Snapshot(
        open_orders=open_orders,
        histories=histories,
        trades=trades,
        balance=balance,
        positions=positions,
        tickers=tickers,
        marks=marks,
        instruments=instruments,
        looked_up=looked_up,
        errors=at_work.errors,
    )


def _bought(wanted: Wanted, trades: Part[Heard[schemas.Trade]]) -> list[str]:
    """The spot pairs of new buys, which are about to be protected."""
    since, rows = wanted.bought_since_ns, trades.rows.rows if trades.rows else ()
    if since is None:
        return []
    names = {row.instrument_name for row in rows if row.side == "BUY" and row.create_time_ns >= since}
    wanted_names = {
        name for name in names if not is_derivative(name) and base_of(name) not in settings.CASH_CURRENCIES
    }
    return sorted(wanted_names)[:MARKS]


def _mark(at_work: Pull, name: str) -> Mark:
    ask = partial(PublicCalls.valuations, instrument_name=name, valuation_type="mark_price", count=1)
    return Mark(at_work.clock(), at_work.client.begin("public/get-valuations", ask))


def _hint_at_derivatives(
    wanted: Wanted, balance: Part[schemas.AccountBalance], trades: Part[Heard[schemas.Trade]]
) -> bool:
    """Known before, margin in use, or one traded: who has none should not pay a request a cycle for them."""
    tied_up = balance.rows is not None and balance.rows.may_hold_derivatives
    traded = trades.rows is not None and any(is_derivative(row.instrument_name) for row in trades.rows.rows)
    return wanted.with_positions or tied_up or traded


def _positions(at_work: Pull) -> Part[Sequence[schemas.Position]]:
    """A key that may not ask for derivatives is still good for everything else."""
    try:
        return at_work.part("Positions", at_work.client.positions)
    except AuthError as error:
        return at_work.failed(f"Positions: {error}")


def _reader(source: Source[T], span: Span) -> Callable[[], Heard[T]]:
    def read() -> Heard[T]:
        rows: list[T] = []
        gaps: list[Gap] = []
        left = span.end_ns
        for count, page in enumerate(walk(source, span), start=1):
            rows += page.rows
            gaps += page.gaps
            left = page.left_until_ns
            if count == PAGES:
                break
        return Heard(rows, gaps, left)

    return read


def _unaccounted(
    wanted: Wanted,
    open_orders: Mapping[NameSpace, Part[Sequence[schemas.Order]]],
    histories: Mapping[Stream, Part[Heard[schemas.Order]]],
) -> list[Key]:
    """Orders believed open that a complete open list does not name and no history ends."""
    told = {(order.name_space, order.order_id) for part in open_orders.values() for order in part.rows or ()}
    for part in histories.values():
        rows = part.rows.rows if part.rows else ()
        told |= {(order.name_space, order.order_id) for order in rows if schemas.is_terminal(order.status)}
    complete = {space for space, part in open_orders.items() if part.is_complete}
    return [key for key in wanted.open_keys if key not in told and key[0] in complete][:LOOKUPS]


def _look_up(at_work: Pull, keys: Sequence[Key]) -> dict[Key, schemas.Order | None]:
    found: dict[Key, schemas.Order | None] = {}
    for space, order_id in keys:
        part = at_work.part(f"Order {order_id}", partial(_detail, at_work.client, space, order_id))
        if part.rows is not None:
            found[space, order_id] = part.rows[0]
    return found


def _detail(client: Client, space: str, order_id: str) -> tuple[schemas.Order | None]:
    return (client.order_detail(NameSpace(space), order_id=order_id),)
