"""What the user stream has said since the last complete cycle, checked row by row like an answer of the exchange.

Together with what that cycle stored it is the account as it is now (protection 5, the stream).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from exchange.client.base import MAX_AHEAD_MS
from exchange.schemas import AccountBalance, NameSpace, Order, Trade, is_terminal
from exchange.schemas.parsing import Row, check_times
from exchange.stream.messages import Channel, StreamEvent

NAME_SPACES = {Channel.ORDERS: NameSpace.PLAIN, Channel.ADVANCED_ORDERS: NameSpace.ADVANCED}
MAX_ROWS = 5_000
OrderKey = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Received(Generic[T]):
    """One row, and when it came by our clock."""

    at: datetime
    row: T


class RecentMessages:
    """`is_doubtful` when a row could not be read or there were too many: then only a complete cycle knows."""

    def __init__(self) -> None:
        self._orders: list[Received[Order]] = []
        self._trades: dict[str, Received[Trade]] = {}
        self._balance: Received[AccountBalance] | None = None
        self._doubtful_at: datetime | None = None

    @property
    def orders(self) -> list[Order]:
        """Every report, in the order in which they came."""
        return [received.row for received in self._orders]

    @property
    def trades(self) -> list[Trade]:
        return [received.row for received in self._trades.values()]

    @property
    def balance(self) -> AccountBalance | None:
        return self._balance.row if self._balance else None

    def has_balance_of(self, trade_ids: Collection[str], *, within: timedelta) -> bool:
        """Whether a balance came after these fills, or at most so long before them."""
        last = max((self._trades[one].at for one in trade_ids if one in self._trades), default=None)
        return last is None or (self._balance is not None and self._balance.at >= last - within)

    @property
    def is_doubtful(self) -> bool:
        return self._doubtful_at is not None

    def add(self, event: StreamEvent, *, at: datetime, now_ms: int) -> list[Trade]:
        """Note what a message says; `now_ms` is the exchange's time. Returns the fills not noted before."""
        new: list[Trade] = []
        if event.unreadable:
            self._doubtful_at = at
        for row in event.rows:
            try:
                new += self._add_row(event.channel, row, at, now_ms + MAX_AHEAD_MS)
            except ValueError:
                self._doubtful_at = at
        if len(self._orders) + len(self._trades) > MAX_ROWS:
            self.clear()
            self._doubtful_at = at
        return new

    def _add_row(self, channel: Channel, row: Row, at: datetime, latest_ms: int) -> list[Trade]:
        if channel in NAME_SPACES:
            order = check_times(Order.from_row(row, name_space=NAME_SPACES[channel]), latest_ms)
            self._orders.append(Received(at, order))
        elif channel is Channel.BALANCE:
            self._balance = Received(at, AccountBalance.from_row(row))
        elif channel is Channel.TRADES:
            trade = check_times(Trade.from_row(_as_read(row)), latest_ms)
            if trade.trade_id not in self._trades:
                self._trades[trade.trade_id] = Received(at, trade)
                return [trade]
        return []

    def forget_before(self, moment: datetime) -> None:
        """A complete cycle that began later has read all of it."""
        self._orders = [one for one in self._orders if one.at >= moment]
        self._trades = {name: one for name, one in self._trades.items() if one.at >= moment}
        if self._balance is not None and self._balance.at < moment:
            self._balance = None
        if self._doubtful_at is not None and self._doubtful_at < moment:
            self._doubtful_at = None

    def clear(self) -> None:
        """A new session: what came before it may have gaps."""
        self._orders, self._trades, self._balance, self._doubtful_at = [], {}, None, None


def ended_orders(event: StreamEvent) -> set[OrderKey]:
    """The orders that this message reports as ended."""
    space = NAME_SPACES.get(event.channel)
    if space is None:
        return set()
    ended = (row for row in event.rows if is_terminal(str(row.get("status"))))
    return {(str(space), str(row.get("order_id"))) for row in ended}


def _as_read(row: Row) -> Row:
    """A fill as REST shows it: one field has another name (additions A2)."""
    return {"transact_time_ns": row.get("transaction_time"), **row}
