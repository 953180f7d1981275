"""The whole exchange as one object: market feed, account, orders, lists, trades, and the rules' settings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain
from threading import RLock
from typing import Any

from exchange.simulator import audit, dump, matching, snapshot
from exchange.simulator.accounts import Ledger
from exchange.simulator.faults import Faults
from exchange.simulator.feed import Feed
from exchange.simulator.fees import FeeRates
from exchange.simulator.ids import Ids
from exchange.simulator.instruments import Instrument, from_row, usd_price
from exchange.simulator.limits import RateLimits
from exchange.simulator.orders import OrderStore
from exchange.simulator.quirks import Quirks
from exchange.simulator.records import NAME_SPACES, NameSpace, Order, OrderList, Position, Trade
from exchange.simulator.trades import TradeStore

ACCOUNT_UUID = "5c2d3f39-b193-4eb9-9d60-e98f2fc17707"
USER_UUID = "8a7f1b52-0c4e-4d6a-8b1e-6f0a2c9d4e11"


class Exchange:
    """Nothing here reads a clock by itself: `now_ms` is asked once per request, and `advance` walks there.

    Hold `lock` around anything that reads or changes it from another thread. `revision` grows with every
    change of orders, trades, balances or settings.
    """

    def __init__(
        self,
        prices: Feed,
        *,
        now_ms: Callable[[], int],
        quirks: Quirks | None = None,
        account_uuid: str = ACCOUNT_UUID,
        key: str = "simulator-key",
        secret: str = "simulator-secret",  # noqa: S107
        fees: FeeRates | None = None,
    ) -> None:
        self.prices = prices
        self.now_ms = now_ms
        self.quirks = quirks or Quirks()
        self.fees = fees or FeeRates()
        self.account_uuid, self.user_uuid = account_uuid, USER_UUID
        self.keys = {key: secret}
        self.ip_allowed = True
        self.instruments: dict[str, Instrument] = {
            row["symbol"]: from_row(row) for row in prices.instruments_rows()
        }
        self.ledger = Ledger()
        self.stores: dict[NameSpace, OrderStore] = {name: OrderStore(name) for name in NAME_SPACES}
        self.trades = TradeStore()
        self.lists: dict[str, OrderList] = {}
        self.positions: dict[str, Position] = {}
        self.liquidity: dict[str, Decimal] = {}
        self.ids = Ids({})
        self.limits = RateLimits()
        self.faults = Faults()
        self.nonces: deque[int] = deque(maxlen=2000)
        self.skew_ms = 0
        self.cancels_ignored = False
        self.later: list[tuple[int, Callable[[], object]]] = []
        self.at_ms = now_ms()
        self.revision = 0
        self.lock = RLock()

    def now(self) -> int:
        """The exchange's own clock in ms, wrong by `skew_ms` when a trouble says so."""
        return self.now_ms() + self.skew_ms

    def time_ns(self) -> int:
        return self.ids.time_ns(self.at_ms, coarse=self.quirks.ns_resolution == "ms")

    def advance(self, to_ms: int | None = None) -> None:
        """Walk every instrument with open orders along its prices up to this moment (default now)."""
        to_ms = self.now() if to_ms is None else to_ms
        for due_ms, act in [each for each in self.later if each[0] <= to_ms]:
            self.later.remove((due_ms, act))
            matching.walk(self, due_ms)
            act()
        matching.walk(self, to_ms)

    def do_later(self, due_ms: int, act: Callable[[], object]) -> None:
        """Have something done when the exchange's time reaches this moment. Not part of the saved state."""
        self.later = sorted([*self.later, (due_ms, act)], key=lambda each: each[0])

    def settle(self) -> None:
        """Look at every open order again at this very moment, after a price was set by hand."""
        matching.settle(self)

    def open_orders(self) -> Iterator[Order]:
        """Of both name spaces, each once."""
        plain, advanced = self.stores["plain"].open, self.stores["advanced"].open
        own = (order for order in plain.values() if order.name_space == "plain")
        return chain(own, advanced.values())

    def all_orders(self) -> Iterator[Order]:
        for name, store in self.stores.items():
            yield from (order for order in store.by_id.values() if order.name_space == name)

    def usd(self, currency: str) -> Decimal:
        """What one unit is worth in USD now."""
        return usd_price(self.prices, self.instruments, currency, self.at_ms)

    def deposit(self, currency: str, amount: Decimal) -> None:
        """Money in; negative amounts take it out without asking what is locked."""
        self.ledger.pay_in(currency, amount)
        self.revision += 1

    def add_order(self, order: Order) -> None:
        """Put an order on record as it is. It moves no money and is not matched until time passes."""
        self.stores[order.name_space].add(order)
        self.revision += 1

    def add_trade(self, trade: Trade) -> None:
        """Put an execution on record and move the money it says, fee included."""
        instrument, sign = self.instruments[trade.instrument_name], 1 if trade.side == "BUY" else -1
        self.ledger.add(instrument.base, sign * trade.quantity)
        self.ledger.add(instrument.quote, -sign * trade.quantity * trade.price)
        self.ledger.add(trade.fee_instrument_name, trade.fee)
        self.trades.add(trade)
        self.revision += 1

    def dump(self) -> dict[str, Any]:
        """Everything a test may want to know, as plain JSON types."""
        return dump.dump(self)

    def audit(self) -> list[str]:
        """What does not add up, in words; empty when the books are right."""
        return audit.differences(self)

    def to_state(self) -> dict[str, Any]:
        """The whole state as JSON types; prices keep their own."""
        return snapshot.to_state(self)

    @classmethod
    def from_state(cls, state: dict[str, Any], *, prices: Feed, now_ms: Callable[[], int]) -> Exchange:
        """The exchange as it was saved; time between then and now is walked at the first request."""
        return snapshot.restore(cls(prices, now_ms=now_ms), state)
