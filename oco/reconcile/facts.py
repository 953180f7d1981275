"""What one cycle's reads prove (rule 11). A failed, partial or empty-by-error read proves nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from exchange.schemas import Order, Ticker
from exchange.sync.fetch import Key, Mark, Snapshot


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
