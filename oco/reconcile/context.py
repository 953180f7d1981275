"""One cycle of protection at work: who asks, under which lease, what was read, and what time it is there.

What one cycle's reads prove (rule 11). A failed, partial or empty-by-error read proves nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchange.client.client import Client
from exchange.models import AccountBinding
from exchange.schemas import Order, Ticker
from exchange.services.lease import Held
from exchange.services.order_execution import why_no_create
from exchange.sync.fetch import Key, Mark, Snapshot
from oco.engine.types import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
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
    open_keys: frozenset[Key] = frozenset()
    told: Mapping[Key, Order] = field(default_factory=dict)
    tickers: Mapping[str, Ticker] = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)

    @property
    def can_add(self) -> bool:
        """Both open lists, trades and balance, all from this cycle. Rule 12, the start gate, is this as well."""
        return self.lists_read and self.trades_read and self.holdings is not None

    @property
    def can_remove(self) -> bool:
        """Both lists; whether the order itself was read is asked per order."""
        return self.lists_read


def facts_of(snapshot: Snapshot, *, started_ns: int, started_at: datetime, balance_believed: bool) -> Facts:
    """The facts of one pull."""
    balance = snapshot.balance.rows if balance_believed else None
    held = {row.instrument_name: row.quantity for row in balance.positions} if balance else None
    listed = [order for part in snapshot.open_orders.values() for order in part.rows or ()]
    looked_up = [order for order in snapshot.looked_up.values() if order is not None]
    seen_open = {(str(order.name_space), order.order_id): order for order in listed + looked_up}
    return Facts(
        started_ns=started_ns,
        started_at=started_at,
        lists_read=all(part.is_complete for part in snapshot.open_orders.values()),
        histories_read=all(part.is_complete for part in snapshot.histories.values()),
        trades_read=snapshot.trades.is_complete,
        holdings=held,
        open_keys=frozenset(seen_open),
        told=seen_open,
        tickers={row.instrument_name: row for row in snapshot.tickers.rows or ()},
        marks=snapshot.marks,
    )


@dataclass(slots=True)
class Watch:
    """`seen` are the orders seen open since the cycle began, `told` what was last written down of them;
    `lists_read` falls when a later list fails. `touched` are the groups for which anything changed.

    All moments are the exchange's: its orders and trades carry that clock, and ours may be a minute off.
    """

    client: Client
    held: Held
    facts: Facts
    clock: Callable[[], datetime]
    offset: timedelta
    started: datetime
    account: str
    seen: set[Key]
    told: dict[Key, Order]
    lists_read: bool
    marks: dict[str, Mark] = field(default_factory=dict)
    markets: dict[str, Market] = field(default_factory=dict)
    worst: dict[UUID, Market] = field(default_factory=dict)
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
    def no_create(self) -> str:
        """Asked anew each time: the switch binds at once (rule 13)."""
        return why_no_create()


def watch_begin(*, client: Client, held: Held, facts: Facts, clock: Callable[[], datetime]) -> Watch:
    offset = timedelta(milliseconds=client.clock_offset_ms or 0)
    return Watch(
        client=client,
        held=held,
        facts=facts,
        clock=clock,
        offset=offset,
        started=facts.started_at + offset,
        account=AccountBinding.objects.values_list("account_uuid", flat=True).first() or "",
        seen=set(facts.open_keys),
        told=dict(facts.told),
        marks=dict(facts.marks),
        lists_read=facts.lists_read,
    )
