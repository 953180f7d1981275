"""What one cycle of protection works with, and what the reads of the cycle prove (rule 11).

A read that failed, is incomplete, or is empty because of an error proves nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchange.client.client import Client
from exchange.core.reasons import Sentence
from exchange.models import AccountBinding
from exchange.schemas import Order, Ticker
from exchange.services.lease import Lease
from exchange.sync.fetch import AccountSnapshot, MarkRequest, OrderKey
from exchange.sync.read_budget import PROTECT_WAIT_S, ReadBudget
from oco.engine.allocation import Sellable
from oco.engine.pricing import Grid
from oco.engine.types import Market
from oco.models import Lot, OcoGroup
from oco.policies import Policies

LotKey = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """`started_ns` is the exchange's time before the first read, `started_at` ours.

    `holdings` is None unless the balance was read and accepted; `open_keys` are the orders seen open, in a list
    or one by one, `stored_orders` what was stored of them. `listed_keys` are those in a list; `reports` are what all
    answers said of orders.
    """

    started_ns: int
    started_at: datetime
    lists_read: bool = True
    histories_read: bool = True
    trades_read: bool = True
    holdings: Mapping[str, Decimal] | None = None
    open_keys: frozenset[OrderKey] = frozenset()
    stored_orders: Mapping[OrderKey, Order] = field(default_factory=dict)
    listed_keys: frozenset[OrderKey] = frozenset()
    reports: Sequence[Order] = ()
    tickers: Mapping[str, Ticker] = field(default_factory=dict)
    marks: Mapping[str, MarkRequest] = field(default_factory=dict)

    @property
    def can_add(self) -> bool:
        """Both open lists, trades and balance were read in this cycle. This is rule 12, the start gate, as well."""
        return self.lists_read and self.trades_read and self.holdings is not None


def read_result_of(
    snapshot: AccountSnapshot, *, started_ns: int, started_at: datetime, balance_accepted: bool
) -> ReadResult:
    """What the reads of a cycle prove."""
    balance = snapshot.balance.value if balance_accepted else None
    holdings = {row.instrument_name: row.quantity for row in balance.positions} if balance else None
    reported_open, lists_read = snapshot.reported_open, snapshot.open_orders_read
    histories_read = snapshot.histories_read
    listed = [order for part in snapshot.open_orders.values() for order in part.value or ()]
    seen_open = {(str(order.name_space), order.order_id): order for order in reported_open}
    return ReadResult(
        started_ns=started_ns,
        started_at=started_at,
        lists_read=lists_read,
        histories_read=histories_read,
        trades_read=snapshot.trades.value is not None,
        holdings=holdings,
        open_keys=frozenset(seen_open),
        stored_orders=seen_open,
        listed_keys=frozenset(order_key(order) for order in listed),
        reports=(*reported_open, *snapshot.ended_orders),
        tickers={row.instrument_name: row for row in snapshot.tickers.value or ()},
        marks=snapshot.marks,
    )


def lot_key(lot: Lot) -> LotKey:
    """The same for a lot that was planned, rolled back and planned again."""
    return lot.entry_order_id, lot.first_trade_id, lot.first_generation


def order_key(order: Order) -> OrderKey:
    return str(order.name_space), order.order_id


@dataclass(frozen=True, slots=True)
class LotAllocation:
    """An open lot, what it owns in whole steps of its instrument, and how much of that its orders may be for.

    Of a lot that waits for the next purchase: all that it owns.
    """

    lot: Lot
    owned: Decimal
    sellable: Sellable


@dataclass(slots=True)
class CycleContext:
    """`open_keys` are the orders seen open since the cycle began, `stored_orders` what was last stored of them;
    `lists_read` becomes false when a later list fails. `changed_groups`: anything changed for them.

    `policies` and `allocations` are read once a round and are what the whole round decides on; `grids` once a
    cycle. Times are the exchange's: its orders and trades carry that clock, and ours may be a minute off.
    """

    client: Client
    budget: ReadBudget
    lease: Lease
    reads: ReadResult
    clock: Callable[[], datetime]
    offset: timedelta
    started: datetime
    account: str
    open_keys: set[OrderKey]
    stored_orders: dict[OrderKey, Order]
    listed_keys: set[OrderKey]
    lists_read: bool
    can_add: bool
    marks: dict[str, MarkRequest] = field(default_factory=dict)
    policies: Policies = field(default_factory=lambda: Policies({}))
    allocations: list[LotAllocation] = field(default_factory=list)
    grids: dict[str, Grid] = field(default_factory=dict)
    instruments_read: bool = (
        False  # the catalogue again, after a refusal or before a purchase is left unprotected
    )
    outdated_legs: set[int] = field(default_factory=set)  # refused for rules that turned out to have changed
    markets: dict[str, Market] = field(default_factory=dict)
    worst_mark: dict[UUID, Market] = field(default_factory=dict)
    changed_groups: set[UUID] = field(default_factory=set)
    failed_groups: set[UUID] = field(default_factory=set)
    sold_currencies: set[str] = field(default_factory=set)  # that orders of ours spent
    silent_sources: set[str] = field(default_factory=set)  # of prices, in this cycle
    waiting_looks: dict[int, bool] = field(
        default_factory=dict
    )  # by leg, until the histories are read: was healthy
    entries_confirmed: dict[LotKey, bool] = field(default_factory=dict)  # whether a second answer agrees
    has_unresolved_sales: bool = False
    # Pairs that the catalogue calls something else, and when their newest trade was first seen.
    not_spot: dict[str, datetime] = field(default_factory=dict)
    has_begun: bool = False
    has_sent: bool = False
    key_refused: bool = False  # an order or a cancel, for the key or its rights
    created_count: int = 0
    closed_count: int = 0
    new_groups: dict[str, OcoGroup] = field(
        default_factory=dict
    )  # by instrument, of purchases; nothing placed yet
    errors: list[Sentence] = field(default_factory=list)
    corrected_legs: set[int] = field(default_factory=set)  # that had executed more than was possible
    confirmed_keys: set[OrderKey] = field(default_factory=set)  # asked for once more
    reports: dict[OrderKey, list[Order]] = field(default_factory=dict)  # each answer of the cycle, in order

    def report(self, orders: Iterable[Order]) -> None:
        """Note what one more answer said of these orders."""
        for order in orders:
            self.reports.setdefault(order_key(order), []).append(order)

    def now(self) -> datetime:
        return self.clock() + self.offset


def cycle_context_build(
    *,
    client: Client,
    lease: Lease,
    reads: ReadResult,
    clock: Callable[[], datetime],
    offset_ms: int | None = None,
    budget: ReadBudget | None = None,
) -> CycleContext:
    """`offset_ms`: the exchange's clock minus ours; None: as the client has measured it in this cycle. `budget`: that
    of the reads before; None: there was none.
    """
    budget = budget or ReadBudget(client)
    budget.grant(PROTECT_WAIT_S)
    offset = timedelta(milliseconds=(client.clock_offset_ms or 0) if offset_ms is None else offset_ms)
    context = CycleContext(
        client=client,
        budget=budget,
        lease=lease,
        reads=reads,
        clock=clock,
        offset=offset,
        started=reads.started_at + offset,
        account=AccountBinding.objects.values_list("account_uuid", flat=True).first() or "",
        open_keys=set(reads.open_keys),
        stored_orders=dict(reads.stored_orders),
        marks=dict(reads.marks),
        listed_keys=set(reads.listed_keys),
        lists_read=reads.lists_read,
        can_add=reads.can_add,
    )
    context.report(reads.reports)
    return context
