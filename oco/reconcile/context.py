"""One cycle of protection at work: who asks, under which lease, what was read, and what time it is there.

What one cycle's reads prove (rule 11). A failed, partial or empty-by-error read proves nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchange.client.client import Client
from exchange.core.reasons import Reason
from exchange.models import AccountBinding
from exchange.schemas import Order, Ticker
from exchange.services.lease import Lease
from exchange.services.order_execution import create_blocked_reason
from exchange.sync.fetch import AccountSnapshot, MarkRequest, OrderKey
from oco.engine.types import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """`started_ns` is the exchange's time before the first read, `started_at` ours.

    `holdings` is None unless read and believed; `open_keys` are the orders seen open, in a list or one by one,
    `told` what was written down of them.
    """

    started_ns: int
    started_at: datetime
    lists_read: bool = True
    histories_read: bool = True
    trades_read: bool = True
    holdings: Mapping[str, Decimal] | None = None
    open_keys: frozenset[OrderKey] = frozenset()
    recorded: Mapping[OrderKey, Order] = field(default_factory=dict)
    tickers: Mapping[str, Ticker] = field(default_factory=dict)
    marks: Mapping[str, MarkRequest] = field(default_factory=dict)

    @property
    def can_add(self) -> bool:
        """Both open lists, trades and balance, all from this cycle. Rule 12, the start gate, is this as well."""
        return self.lists_read and self.trades_read and self.holdings is not None

    @property
    def can_remove(self) -> bool:
        """Both lists; whether the order itself was read is asked per order."""
        return self.lists_read


def read_result_of(
    snapshot: AccountSnapshot, *, started_ns: int, started_at: datetime, balance_accepted: bool
) -> ReadResult:
    """The facts of one pull."""
    balance = snapshot.balance.rows if balance_accepted else None
    holdings = {row.instrument_name: row.quantity for row in balance.positions} if balance else None
    listed = [order for part in snapshot.open_orders.values() for order in part.rows or ()]
    looked_up = [order for order in snapshot.looked_up.values() if order is not None]
    seen_open = {(str(order.name_space), order.order_id): order for order in listed + looked_up}
    return ReadResult(
        started_ns=started_ns,
        started_at=started_at,
        lists_read=all(part.is_complete for part in snapshot.open_orders.values()),
        histories_read=all(part.is_complete for part in snapshot.histories.values()),
        trades_read=snapshot.trades.is_complete,
        holdings=holdings,
        open_keys=frozenset(seen_open),
        recorded=seen_open,
        tickers={row.instrument_name: row for row in snapshot.tickers.rows or ()},
        marks=snapshot.marks,
    )


@dataclass(slots=True)
class CycleContext:
    """`seen` are the orders seen open since the cycle began, `told` what was last written down of them;
    `lists_read` falls when a later list fails. `touched` are the groups for which anything changed.

    All moments are the exchange's: its orders and trades carry that clock, and ours may be a minute off.
    """

    client: Client
    lease: Lease
    reads: ReadResult
    clock: Callable[[], datetime]
    offset: timedelta
    started: datetime
    account: str
    seen: set[OrderKey]
    recorded: dict[OrderKey, Order]
    lists_read: bool
    marks: dict[str, MarkRequest] = field(default_factory=dict)
    markets: dict[str, Market] = field(default_factory=dict)
    worst_mark: dict[UUID, Market] = field(default_factory=dict)
    touched: set[UUID] = field(default_factory=set)
    failed: set[UUID] = field(default_factory=set)
    sold: set[str] = field(default_factory=set)  # currencies of which our own orders took something
    sent: bool = False
    created: int = 0
    closed: int = 0
    errors: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock() + self.offset

    @property
    def no_create(self) -> Reason | None:
        """Asked anew each time: the switch binds at once (rule 13)."""
        return create_blocked_reason()


def cycle_context_build(
    *, client: Client, lease: Lease, reads: ReadResult, clock: Callable[[], datetime]
) -> CycleContext:
    offset = timedelta(milliseconds=client.clock_offset_ms or 0)
    return CycleContext(
        client=client,
        lease=lease,
        reads=reads,
        clock=clock,
        offset=offset,
        started=reads.started_at + offset,
        account=AccountBinding.objects.values_list("account_uuid", flat=True).first() or "",
        seen=set(reads.open_keys),
        recorded=dict(reads.recorded),
        marks=dict(reads.marks),
        lists_read=reads.lists_read,
    )
