"""The whole exchange as one object: market, account, orders, trades and settings; its bookkeeping check and dump."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain
from threading import RLock
from types import TracebackType
from typing import Any

from exchange.simulator import matching, settlement, state_codec
from exchange.simulator.access import RateLimits
from exchange.simulator.config import BehaviourOptions
from exchange.simulator.faults import Faults
from exchange.simulator.instruments import ZERO, Feed, Instrument, instrument_from_row, usd_price
from exchange.simulator.models import (
    NAME_SPACES,
    NS_PER_MS,
    FeeRates,
    IdGenerator,
    Ledger,
    NameSpace,
    Order,
    OrderList,
    OrderStore,
    Position,
    Trade,
    TradeStore,
    Transfer,
)
from exchange.simulator.state_codec import encode, encode_decimals
from exchange.simulator.stream_feed import AccountFeed

ACCOUNT_UUID = "5c2d3f39-b193-4eb9-9d60-e98f2fc17707"
USER_UUID = "8a7f1b52-0c4e-4d6a-8b1e-6f0a2c9d4e11"


class ReportingLock:
    """A reentrant lock; whoever lets go of it reports before others may have it."""

    def __init__(self, report: Callable[[], None]) -> None:
        self._lock, self._report, self._depth = RLock(), report, 0

    def __enter__(self) -> ReportingLock:
        self._lock.acquire()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._depth == 1:
                self._report()
        finally:
            self._depth -= 1
            self._lock.release()


class Exchange:
    """One account on one market. The clock is `now_ms`, read once per request; `advance` matches up to then.

    Hold `lock` around any access from another thread. `revision` grows with every change of orders, trades,
    balances or settings; the saver saves when it has.
    """

    def __init__(
        self,
        prices: Feed,
        *,
        now_ms: Callable[[], int],
        behaviour: BehaviourOptions | None = None,
        account_uuid: str = ACCOUNT_UUID,
        key: str = "simulator-key",
        secret: str = "simulator-secret",  # noqa: S107
        fees: FeeRates | None = None,
    ) -> None:
        self.prices = prices
        self.now_ms = now_ms
        self.behaviour = behaviour or BehaviourOptions()
        self.fees = fees or FeeRates()
        self.account_uuid, self.user_uuid = account_uuid, USER_UUID
        self.keys = {key: secret}
        self.ip_allowed = self.may_trade = True
        self.instruments: dict[str, Instrument] = {
            row["symbol"]: instrument_from_row(row) for row in prices.instruments_rows()
        }
        self.ledger = Ledger()
        self.stores: dict[NameSpace, OrderStore] = {name: OrderStore(name) for name in NAME_SPACES}
        self.trades = TradeStore()
        self.lists: dict[str, OrderList] = {}
        self.positions: dict[str, Position] = {}
        self.liquidity: dict[str, Decimal] = {}
        self.ids = IdGenerator({})
        self.limits = RateLimits()
        self.faults = Faults()
        self.nonces: deque[int] = deque(maxlen=2000)
        self.skew_ms = 0
        self.cancels_ignored = False
        self.scheduled: list[tuple[int, Callable[[], object]]] = []
        self.at_ms = now_ms()
        self.revision = 0
        self.account_feed = AccountFeed()
        self.lock = ReportingLock(lambda: self.account_feed.flush(self))

    def now(self) -> int:
        """The exchange's own clock in ms, which a control can set wrong by `skew_ms`."""
        return self.now_ms() + self.skew_ms

    def time_ns(self) -> int:
        return self.ids.time_ns(self.at_ms, whole_ms=self.behaviour.ns_resolution == "ms")

    def advance(self, to_ms: int | None = None) -> None:
        """Match open orders along the price paths up to this moment (default now), running scheduled actions."""
        to_ms = self.now() if to_ms is None else to_ms
        for due_ms, action in [each for each in self.scheduled if each[0] <= to_ms]:
            self.scheduled.remove((due_ms, action))
            matching.match_until(self, due_ms)
            action()
        matching.match_until(self, to_ms)

    def schedule(self, due_ms: int, action: Callable[[], object]) -> None:
        """Run `action` when the exchange's time reaches `due_ms`. Not part of the saved state."""
        self.scheduled = sorted([*self.scheduled, (due_ms, action)], key=lambda each: each[0])

    def match_now(self) -> None:
        matching.match_now(self)

    def open_orders(self) -> Iterator[Order]:
        """Those of both name spaces, each once."""
        plain, advanced = self.stores["plain"].open, self.stores["advanced"].open
        own = (order for order in plain.values() if order.name_space == "plain")
        return chain(own, advanced.values())

    def all_orders(self) -> Iterator[Order]:
        for name, store in self.stores.items():
            yield from (order for order in store.by_id.values() if order.name_space == name)

    def usd(self, currency: str) -> Decimal:
        return usd_price(self.prices, self.instruments, currency, self.at_ms)

    def deposit(self, currency: str, amount: Decimal) -> None:
        """A deposit; a negative amount is withdrawn, even if open orders reserve it."""
        self.ledger.pay_in(currency, amount)
        transfer = Transfer(
            journal_id=self.ids.next("journal"),
            currency=currency,
            amount=amount,
            time_ns=self.at_ms * NS_PER_MS,
        )
        self.ledger.transfers.append(transfer)
        self.account_feed.transfer(transfer)
        self.revision += 1

    def add_order(self, order: Order) -> None:
        """Record an order as it is. It moves no money and is not matched until time passes."""
        self.stores[order.name_space].add(order)
        self.order_changed(order)

    def order_changed(self, order: Order) -> None:
        """Call this after every change of an order that a read would show."""
        self.account_feed.order(order)
        self.revision += 1

    def add_trade(self, trade: Trade) -> None:
        """Record an execution and move its money, fee included."""
        instrument, sign = self.instruments[trade.instrument_name], 1 if trade.side == "BUY" else -1
        self.ledger.add(instrument.base, sign * trade.quantity)
        self.ledger.add(instrument.quote, -sign * trade.quantity * trade.price)
        self.ledger.add(trade.fee_instrument_name, trade.fee)
        self.trades.add(trade)
        self.account_feed.trade(trade)
        self.revision += 1

    def dump(self) -> dict[str, Any]:
        """Everything in the exchange as JSON types, regardless of faults and behaviour options."""
        return dump(self)

    def audit(self) -> list[str]:
        """The errors of the bookkeeping check; empty when everything adds up."""
        return bookkeeping_errors(self)

    def to_state(self) -> dict[str, Any]:
        """The whole state as JSON types; prices keep their own."""
        return state_codec.to_state(self)

    @classmethod
    def from_state(cls, state: dict[str, Any], *, prices: Feed, now_ms: Callable[[], int]) -> Exchange:
        """The exchange as it was saved; the time since then is matched at the first request."""
        return state_codec.restore(cls(prices, now_ms=now_ms), state)


def dump(exchange: Exchange) -> dict[str, Any]:
    return {
        "time_ms": exchange.at_ms,
        "balances": encode_decimals(exchange.ledger.balances),
        "paid_in": encode_decimals(exchange.ledger.paid_in),
        "reserved": encode_decimals(settlement.reserved(exchange)),
        "orders": [encode(order) for order in exchange.all_orders()],
        "lists": [encode(each) for each in exchange.lists.values()],
        "trades": [encode(trade) for trade in exchange.trades.rows],
        "positions": [encode(each) for each in exchange.positions.values()],
        "quirks": exchange.behaviour.as_dict(),
        "faults": exchange.faults.rows(),
        "rate_limits": exchange.limits.enabled,
        "skew_ms": exchange.skew_ms,
    }


# The bookkeeping check


def bookkeeping_errors(exchange: Exchange) -> list[str]:
    return [
        *balance_errors(exchange),
        *reservation_errors(exchange),
        *fill_errors(exchange),
        *order_index_errors(exchange),
    ]


def balance_errors(exchange: Exchange) -> list[str]:
    """Balances are net deposits plus trades minus fees, and never below zero."""
    sums: dict[str, Decimal] = {}
    for currency, amount in exchange.ledger.paid_in.items():
        _add(sums, currency, amount)
    for trade in exchange.trades.rows:
        instrument, sign = exchange.instruments[trade.instrument_name], 1 if trade.side == "BUY" else -1
        _add(sums, instrument.base, sign * trade.quantity)
        _add(sums, instrument.quote, -sign * trade.quantity * trade.price)
        _add(sums, trade.fee_instrument_name, trade.fee)
    currencies = {*sums, *exchange.ledger.balances}
    wrong = [each for each in sorted(currencies) if _total(sums, each) != exchange.ledger.balance_of(each)]
    negative = [each for each in sorted(currencies) if exchange.ledger.balance_of(each) < 0]
    errors = [
        f"{each}: balance {exchange.ledger.balance_of(each)}, trades give {_total(sums, each)}"
        for each in wrong
    ]
    return errors + [f"{each}: balance {exchange.ledger.balance_of(each)} is below zero" for each in negative]


def reservation_errors(exchange: Exchange) -> list[str]:
    """Open orders reserve no more than the balance."""
    return [
        f"{name}: {amount} reserved of {exchange.ledger.balance_of(name)}"
        for name, amount in settlement.reserved(exchange).items()
        if amount > exchange.ledger.balance_of(name)
    ]


def fill_errors(exchange: Exchange) -> list[str]:
    """The executed quantity of every order is the sum of its trades, whichever id they carry."""
    quantities: dict[str, Decimal] = {}
    for trade in exchange.trades.rows:
        _add(quantities, trade.owner or f"plain/{trade.order_id}", trade.quantity)
    found = []
    for order in exchange.all_orders():
        total = _total(quantities, f"{order.name_space}/{order.order_id}")
        if total != order.cumulative_quantity:
            found.append(f"order {order.order_id}: executed {order.cumulative_quantity}, trades give {total}")
    return found


def order_index_errors(exchange: Exchange) -> list[str]:
    """Open orders are in the index of open orders, ended ones in the history."""
    found = []
    for store in exchange.stores.values():
        ended = {key for _, _, key in store.by_update}
        for key, order in store.by_id.items():
            if order.is_open != (key in store.open) or order.is_open == (key in ended):
                found.append(f"order {key} is {order.status} but kept elsewhere")
    return found


def _add(sums: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    sums[currency] = _total(sums, currency) + amount


def _total(sums: dict[str, Decimal], currency: str) -> Decimal:
    return sums.get(currency, ZERO)
