"""All reads of one cycle, no writes: what the account looks like now and what happened since the last read.

Each part is either complete or failed. A failed part proves nothing and changes nothing. What protection needs is
read first (`fetch_protective`), everything else after it has acted (`fetch_rest`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, Self, TypeVar

from exchange import schemas
from exchange.client.client import Client, PublicClient
from exchange.client.errors import AuthError, ExchangeError, NotTried, Unreachable, not_tried, timed_out
from exchange.core.instrument_names import is_derivative
from exchange.core.reasons import Sentence
from exchange.models.sync import Stream
from exchange.schemas import METHOD_PREFIXES, NameSpace, Trade
from exchange.schemas.parsing import received_count
from exchange.sync.history_sources import NAME_SPACES, order_source, trade_source
from exchange.sync.pagination import Gap, HistorySource, TimeWindow, paginate_history
from exchange.sync.read_budget import FETCH_WAIT_S, MAX_READ_S, REST_WAIT_S, ReadBudget

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
OrderKey = tuple[str, str]
Clock = Callable[[], datetime]

MAX_PAGES = 5  # requests of a cycle for one stream; the backfill between cycles reads the rest
MAX_MARK_PRICES = 10  # mark prices of a cycle that are requested in advance; the others when needed
MAX_LOOKUPS = 40  # orders of a cycle that are looked up one by one
FETCH_TIMEOUT = timedelta(seconds=45)  # after that, no more parts are requested in this cycle
MAX_UNANSWERED = 2  # parts in a row without an answer; after that, no more parts are requested
MAX_REFUSED = 2  # private parts refused for the key, none accepted; after that, the key itself is refused
TICKERS_WAIT_S = 1.0  # protection waits no longer for tickers that are read in the background
REST_TIMEOUT_S = 10.0  # after that, what is read after protection is not repeated
REST_MIN_TIME = timedelta(seconds=5)  # the rest gets at least this long, however long protection took


@dataclass(frozen=True, slots=True)
class FetchResult(Generic[T_co]):
    """One read of the cycle: what it returned when it is complete, else why it is not."""

    value: T_co | None = None
    error: str = ""

    @property
    def is_complete(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True)
class FetchedStream(Generic[T]):
    """What was read of one stream; the requested window is still to read up to `left_until_ns`.

    `unreadable`: how many rows more there were that nobody could read.
    """

    rows: Sequence[T]
    gaps: Sequence[Gap]
    left_until_ns: int
    unreadable: int = 0


Histories = Mapping[Stream, FetchResult[FetchedStream[schemas.Order]]]


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """The published mark price of one instrument (dossier 5.5), requested at `requested_at` by our clock."""

    requested_at: datetime
    published: Future[list[schemas.Valuation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """What the next cycle reads: windows per stream, orders believed open, and whether the daily parts are due.

    Of `open_keys`, protection does not depend on the `late_keys`: they are looked up after it has acted. Trades
    from `new_trades_since_ns` on are new; None: none of them is. `read_until_ns` are the cursors, if they are known,
    and `newest_trade_ns` is the time of the newest stored fill. `list_ids`: of open orders that belong to a list.
    """

    windows: Mapping[Stream, TimeWindow]
    open_keys: Sequence[OrderKey]
    late_keys: Collection[OrderKey] = frozenset()
    known_instruments: Collection[str] = ()
    with_catalogue: bool = False
    with_positions: bool = False
    new_trades_since_ns: int | None = None
    read_until_ns: Mapping[str, int] | None = None
    newest_trade_ns: int | None = None
    list_ids: Mapping[OrderKey, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """The answers of one cycle. `looked_up` holds None for an order that the exchange does not find.

    `positions` are derivatives; None when there was no sign of any, so that they were not requested. `marks` are
    the mark prices requested in advance, for fills that are about to be protected.
    """

    open_orders: Mapping[NameSpace, FetchResult[Sequence[schemas.Order]]]
    histories: Histories
    trades: FetchResult[FetchedStream[Trade]]
    balance: FetchResult[schemas.AccountBalance]
    positions: FetchResult[Sequence[schemas.Position]] | None = None
    tickers: FetchResult[Sequence[schemas.Ticker]]
    marks: Mapping[str, MarkRequest] = field(default_factory=dict)
    instruments: FetchResult[Sequence[schemas.Instrument]] | None
    looked_up: Mapping[OrderKey, schemas.Order | None]
    errors: Sequence[Sentence]

    @property
    def fetched_streams(self) -> dict[Stream, FetchResult[FetchedStream[Any]]]:
        """The three streams together."""
        return {**self.histories, Stream.TRADES: self.trades}

    @property
    def open_orders_read(self) -> bool:
        return all(fetched.value is not None for fetched in self.open_orders.values())

    @property
    def histories_read(self) -> bool:
        return bool(self.histories) and all(one.value is not None for one in self.histories.values())

    @property
    def reported_open(self) -> list[schemas.Order]:
        """The orders reported open, by a list or one by one."""
        listed = [order for fetched in self.open_orders.values() for order in fetched.value or ()]
        return listed + [order for order in self.looked_up.values() if order is not None]

    @property
    def ended_orders(self) -> list[schemas.Order]:
        """What the histories said of orders."""
        return [order for fetched in self.histories.values() if fetched.value for order in fetched.value.rows]

    @property
    def is_unanswered(self) -> bool:
        """Whether every read of the account failed. Tickers are public: that they came says nothing about it."""
        results: list[FetchResult[Any]] = [
            *self.open_orders.values(),
            *self.fetched_streams.values(),
            self.balance,
        ]
        return all(fetched.value is None for fetched in results)


@dataclass(slots=True)
class FetchRun:
    """The reads of one cycle while they run."""

    client: Client
    clock: Clock
    fetch_plan: FetchPlan
    until: datetime
    tickers: Future[list[schemas.Ticker]] | None
    budget: ReadBudget
    errors: list[Sentence] = field(default_factory=list)
    unanswered: int = 0
    is_accepted: bool = False
    has_rest: bool = False
    refused: int = 0

    @classmethod
    def start(cls, *, client: Client, clock: Clock, fetch_plan: FetchPlan, with_tickers: bool = True) -> Self:
        """With the tickers of all instruments, which are read in the background where possible."""
        tickers = client.start_read("public/get-tickers", PublicClient.tickers) if with_tickers else None
        budget = ReadBudget(client, FETCH_WAIT_S)
        return cls(client, clock, fetch_plan, clock() + FETCH_TIMEOUT, tickers, budget)

    @property
    def is_given_up(self) -> bool:
        return self.unanswered >= MAX_UNANSWERED or self.clock() > self.until

    def fetch(self, part: str, read: Callable[[], T], *, name: str = "") -> FetchResult[T]:
        """Try one read. Raises AuthError when the key itself is refused: every other part would be, too."""
        if self.is_given_up:
            return self.fail(not_tried(part, name=name))
        try:
            rows = read()
        except AuthError as error:
            self.refused += 1
            if self.refused >= MAX_REFUSED and not self.is_accepted:
                raise
            return self.fail(error.sentence(part, name=name))
        except NotTried as error:
            return self.fail(error.sentence(part, name=name))
        except ExchangeError as error:
            self.unanswered = self.unanswered + 1 if isinstance(error, Unreachable) else 0
            return self.fail(error.sentence(part, name=name))
        except TimeoutError:
            return self.fail(timed_out(part, name=name))
        self.unanswered = 0
        return FetchResult(rows)

    def fetch_private(self, part: str, read: Callable[[], T], *, name: str = "") -> FetchResult[T]:
        """The same for a read with the key: once one was answered, a refusal is about that part only."""
        result = self.fetch(part, read, name=name)
        self.is_accepted = self.is_accepted or result.is_complete
        return result

    def fail(self, text: Sentence) -> FetchResult[Any]:
        """A part that failed, its reason noted."""
        self.errors.append(text)
        return FetchResult(error=text)


def fetch_account(
    *, client: Client, fetch_plan: FetchPlan, clock: Clock, needs_mark: Callable[[Trade], bool] | None = None
) -> AccountSnapshot:
    """All reads of a cycle, where nothing has to happen between them."""
    fetch_run = FetchRun.start(client=client, clock=clock, fetch_plan=fetch_plan)
    return fetch_rest(
        fetch_run=fetch_run, snapshot=fetch_protective(fetch_run=fetch_run, needs_mark=needs_mark)
    )


def fetch_protective(
    *, fetch_run: FetchRun, needs_mark: Callable[[Trade], bool] | None = None
) -> AccountSnapshot:
    """What protection needs (rule 11): 1. open orders of both name spaces 2. trades 3. balance 4. orders believed
    open that no list named, as far as the budget for them lasts. Tickers only if they are there by now: a missing
    price has a second source.

    The balance comes after the trades that explain it. `needs_mark` picks the new trades whose mark price is
    requested in advance; without it none is.
    """
    client, fetch_plan = fetch_run.client, fetch_run.fetch_plan
    open_orders = {
        space: fetch_run.fetch_private(f"Open orders ({space.lower()})", partial(client.open_orders, space))
        for space in NameSpace
    }
    trades = fetch_run.fetch_private(
        "Trades",
        _stream_reader(trade_source(client, fetch_plan.known_instruments), fetch_plan.windows[Stream.TRADES]),
    )
    marks = _request_marks(fetch_run, trades, needs_mark) if needs_mark else {}
    balance = fetch_run.fetch_private("Balances", client.balance)
    early_keys = [key for key in fetch_plan.open_keys if key not in fetch_plan.late_keys]
    histories: Histories = {}
    missing = _missing_from_lists(early_keys, open_orders, histories)
    if len(missing) > MAX_LOOKUPS:  # the histories contain all of them at once
        histories = _fetch_histories(fetch_run, is_early=True)
        _reset_unanswered(fetch_run)
        missing = _missing_from_lists(early_keys, open_orders, histories)
    return AccountSnapshot(
        open_orders=open_orders,
        histories=histories,
        trades=trades,
        balance=balance,
        tickers=_early_tickers(fetch_run),
        marks=marks,
        instruments=None,
        looked_up=_look_up(fetch_run, missing),
        errors=fetch_run.errors,
    )


def fetch_rest(
    *, fetch_run: FetchRun, snapshot: AccountSnapshot, with_catalogue: bool = False
) -> AccountSnapshot:
    """`snapshot` with what no order waits for: 1. tickers 2. the catalogue when it is due or asked for 3. derivative
    positions, if there is a sign of one 4. histories 5. the orders believed open that are still missing.

    What fails here comes again with the next cycle, so nothing is repeated for long.
    """
    client, fetch_plan = fetch_run.client, fetch_run.fetch_plan
    fetch_run.has_rest = True
    fetch_run.budget.grant(REST_WAIT_S)
    fetch_run.until = max(fetch_run.until, fetch_run.clock() + REST_MIN_TIME)
    _reset_unanswered(fetch_run)
    with client.repeat_at_most(REST_TIMEOUT_S):
        tickers = snapshot.tickers
        if not tickers.is_complete and fetch_run.tickers is not None:
            tickers = fetch_run.fetch("Tickers", partial(fetch_run.tickers.result, REST_TIMEOUT_S))
        if (with_catalogue or fetch_plan.with_catalogue) and snapshot.instruments is None:
            snapshot = fetch_catalogue(fetch_run=fetch_run, snapshot=snapshot)
        has_derivatives = _may_hold_derivatives(fetch_plan, snapshot.balance, snapshot.trades)
        positions = fetch_run.fetch_private("Positions", client.positions) if has_derivatives else None
        histories = snapshot.histories or _fetch_histories(fetch_run)
        _reset_unanswered(fetch_run)
        missing = _missing_from_lists(fetch_plan.open_keys, snapshot.open_orders, histories)
        late = [key for key in missing if key not in snapshot.looked_up]
        found = _look_up(fetch_run, late[: MAX_LOOKUPS - len(snapshot.looked_up)])
    return replace(
        snapshot,
        histories=histories,
        positions=positions,
        tickers=tickers,
        looked_up={**snapshot.looked_up, **found},
    )


def _fetch_histories(fetch_run: FetchRun, *, is_early: bool = False) -> Histories:
    """Before protection within the budget, and both or none: then they are read after it."""
    found = {
        stream: fetch_run.fetch_private(
            f"Order history ({stream.label})", _history_reader(fetch_run, stream, is_early)
        )
        for stream in NAME_SPACES
    }
    return {} if is_early and not all(part.is_complete for part in found.values()) else found


def _history_reader(
    fetch_run: FetchRun, stream: Stream, is_early: bool
) -> Callable[[], FetchedStream[schemas.Order]]:
    source = order_source(fetch_run.client, stream, fetch_run.fetch_plan.known_instruments)
    read = _stream_reader(source, fetch_run.fetch_plan.windows[stream])
    method = f"{METHOD_PREFIXES[NAME_SPACES[stream]]}/get-order-history"
    return partial(fetch_run.budget.read, method, read, max_s=FETCH_WAIT_S) if is_early else read


def fetch_catalogue(*, fetch_run: FetchRun, snapshot: AccountSnapshot) -> AccountSnapshot:
    """`snapshot` with the catalogue, if that is there within the budget."""
    max_s = REST_WAIT_S if fetch_run.has_rest else MAX_READ_S
    read = partial(fetch_run.budget.instruments, max_s=max_s)
    return replace(snapshot, instruments=fetch_run.fetch("Instruments", read))


def _reset_unanswered(fetch_run: FetchRun) -> None:
    """Some parts failed, but the account has answered: count unanswered parts again from zero."""
    if fetch_run.is_accepted:
        fetch_run.unanswered = 0


def _early_tickers(fetch_run: FetchRun) -> FetchResult[Sequence[schemas.Ticker]]:
    """The tickers if they are there by now; the error is recorded only when they were waited for."""
    if fetch_run.tickers is None or fetch_run.is_given_up:
        return FetchResult()
    try:
        with fetch_run.client.repeat_at_most(TICKERS_WAIT_S):
            return FetchResult(fetch_run.tickers.result(TICKERS_WAIT_S))
    except (ExchangeError, TimeoutError):
        return FetchResult()


def _request_marks(
    fetch_run: FetchRun,
    trades: FetchResult[FetchedStream[Trade]],
    needs_mark: Callable[[Trade], bool],
) -> dict[str, MarkRequest]:
    since, rows = fetch_run.fetch_plan.new_trades_since_ns, trades.value.rows if trades.value else ()
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
    has_margin_in_use = balance.value is not None and balance.value.may_hold_derivatives
    traded = trades.value is not None and any(is_derivative(row.instrument_name) for row in trades.value.rows)
    return fetch_plan.with_positions or has_margin_in_use or traded


def _stream_reader(source: HistorySource[T], window: TimeWindow) -> Callable[[], FetchedStream[T]]:
    def read() -> FetchedStream[T]:
        rows: list[T] = []
        gaps: list[Gap] = []
        left, unreadable = window.end_ns, 0
        for count, page in enumerate(paginate_history(source, window), start=1):
            rows += page.rows
            gaps += page.gaps
            left = page.left_until_ns
            unreadable += received_count(page.rows) - len(page.rows)
            if count == MAX_PAGES:
                break
        return FetchedStream(rows, gaps, left, unreadable)

    return read


def _missing_from_lists(
    keys: Sequence[OrderKey],
    open_orders: Mapping[NameSpace, FetchResult[Sequence[schemas.Order]]],
    histories: Histories,
) -> list[OrderKey]:
    """Orders believed open that a complete list does not name and no history reports as ended."""
    reported = {
        (order.name_space, order.order_id)
        for fetched in open_orders.values()
        for order in fetched.value or ()
    }
    for fetched in histories.values():
        rows = fetched.value.rows if fetched.value else ()
        reported |= {
            (order.name_space, order.order_id) for order in rows if schemas.is_terminal(order.status)
        }
    complete = {space for space, fetched in open_orders.items() if fetched.is_complete}
    return [key for key in keys if key not in reported and key[0] in complete]


def _look_up(fetch_run: FetchRun, keys: Sequence[OrderKey]) -> dict[OrderKey, schemas.Order | None]:
    keys = keys[:MAX_LOOKUPS]
    found = _look_up_lists(fetch_run, keys)
    for space, order_id in (key for key in keys if key not in found):
        read = partial(_detail, fetch_run, NameSpace(space), order_id)
        fetched = fetch_run.fetch_private("Order", read, name=order_id)
        if fetched.value is not None:
            found[space, order_id] = fetched.value[0]
    return found


def _look_up_lists(fetch_run: FetchRun, keys: Sequence[OrderKey]) -> dict[OrderKey, schemas.Order | None]:
    """The orders of these that are both legs of a list, in one read; one that it does not name is looked up alone."""
    lists = Counter(fetch_run.fetch_plan.list_ids.get(key, "") for key in keys)
    pairs = sorted(list_id for list_id, count in lists.items() if list_id and count > 1)
    if not pairs:
        return {}
    try:
        legs = fetch_run.budget.order_list_detail(pairs)
    except ExchangeError:  # those who are looked up alone then say what is wrong
        return {}
    reported = {(str(order.name_space), order.order_id): order for order in legs}
    return {key: reported[key] for key in keys if key in reported}


def _detail(fetch_run: FetchRun, space: NameSpace, order_id: str) -> tuple[schemas.Order | None]:
    return (fetch_run.budget.order_detail(space, order_id=order_id),)
