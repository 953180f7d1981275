"""What the exchange stores: orders, trades, lists of linked orders, positions, balances, ids and fee rates.

Orders, lists, trades and positions are saved field by field (state_codec), so their field names must not change.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from exchange.simulator.instruments import ZERO, Instrument, truncate_to_8

NameSpace = Literal["plain", "advanced"]
Row = dict[str, Any]
TimeKey = tuple[int, int, str]
PLAIN: NameSpace = "plain"
ADVANCED: NameSpace = "advanced"
NAME_SPACES: tuple[NameSpace, NameSpace] = (PLAIN, ADVANCED)
OPEN_STATUSES = ("PENDING", "NEW", "ACTIVE")
FIRES_BELOW = {
    ("SELL", "STOP_LOSS"),
    ("SELL", "STOP_LIMIT"),
    ("BUY", "TAKE_PROFIT"),
    ("BUY", "TAKE_PROFIT_LIMIT"),
}
MARKET_TRIGGERS = ("STOP_LOSS", "TAKE_PROFIT")
LIMIT_TRIGGERS = ("STOP_LIMIT", "TAKE_PROFIT_LIMIT")
ATTACHED = "SPOT_ATTACH"
TRIGGERS = MARKET_TRIGGERS + LIMIT_TRIGGERS
NS_PER_MS = 1_000_000
HAIRCUTS = {"USD": "0", "USDT": "0.04", "USDC": "0.04", "BTC": "0.1", "ETH": "0.1", "LTC": "0.2"}
FIRST_IDS = {
    "plain": 4989988582751289512,
    "advanced": 5755600460443882762,
    "list": 6498090546073120100,
    "trade": 4989988731789005166,
    "match": 4611686018483154586,
    "journal": 18707800000000,
}
BPS = Decimal("0.0001")


# Saved records


@dataclass(slots=True, kw_only=True)
class Order:
    """One order of either name space.

    `cumulative_fee` is as reported; its token varies (dossier 5.11.7). `hold_price` is what a market buy reserves
    per unit, fixed when it reaches the book. `entered`: it has reached the book. `waits_for`: the order whose complete
    execution makes this trigger take effect.
    """

    name_space: NameSpace
    order_id: str
    client_oid: str
    instrument_name: str
    side: str
    order_type: str
    quantity: Decimal
    fee_instrument_name: str
    create_time_ns: int
    update_time_ns: int
    limit_price: Decimal | None = None
    notional: Decimal | None = None
    ref_price: Decimal | None = None
    ref_price_type: str = ""
    time_in_force: str = "GOOD_TILL_CANCEL"
    exec_inst: list[str] = field(default_factory=list)
    order_value: Decimal = Decimal(0)
    hold_price: Decimal | None = None
    status: str = "ACTIVE"
    reason: int = 0
    cumulative_quantity: Decimal = Decimal(0)
    cumulative_value: Decimal = Decimal(0)
    cumulative_fee: Decimal = Decimal(0)
    fills: int = 0
    list_id: str = ""
    leg_id: str = ""
    contingency_type: str = ""
    attach_order_id: str = ""
    waits_for: str = ""
    exchange_order_id: str = ""
    triggered: bool = False
    entered: bool = False
    active_from_ms: int = 0
    cancel_at_ms: int | None = None
    hidden_until_ms: int = 0
    looked_at_ms: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.cumulative_quantity

    @property
    def waits_for_trigger(self) -> bool:
        return self.order_type in TRIGGERS and not self.triggered

    @property
    def live_type(self) -> str:
        """The type on the book: a triggered stop-loss is a MARKET, a triggered stop-limit a LIMIT order."""
        if self.order_type in TRIGGERS:
            return "MARKET" if self.order_type in MARKET_TRIGGERS else "LIMIT"
        return self.order_type

    @property
    def fires_below(self) -> bool:
        return (self.side, self.order_type) in FIRES_BELOW


@dataclass(slots=True, kw_only=True)
class Trade:
    """One execution. `fee` is signed as on the wire: negative is taken from the account.

    `owner` is "name space/order id" of the order that executed, whichever id the wire shows; "" is a plain order.
    """

    trade_id: str
    trade_match_id: str
    order_id: str
    client_oid: str
    instrument_name: str
    side: str
    taker_side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_instrument_name: str
    create_time_ns: int
    owner: str = ""


@dataclass(slots=True, kw_only=True)
class Transfer:
    """A deposit, or a withdrawal when `amount` is negative."""

    journal_id: str
    currency: str
    amount: Decimal
    time_ns: int


@dataclass(slots=True, kw_only=True)
class OrderList:
    """Linked orders. `winner` executed first; its siblings may still fill until `siblings_end_at_ms` (oco_race)."""

    list_id: str
    contingency_type: str
    order_ids: list[str]
    winner: str = ""
    siblings_end_at_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class Position:
    """A perpetual position, set by a control; the simulator does not trade perpetuals."""

    instrument_name: str
    quantity: Decimal
    entry_price: Decimal
    update_time_ms: int


# Stores


class OrderStore:
    """The orders of one name space, by id, client id, openness and time of their end.

    A triggered advanced order may also be in the plain store under its exchange id (option triggered_in_plain).
    """

    def __init__(self, name_space: NameSpace) -> None:
        self.name_space = name_space
        self.by_id: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.by_client_oid: dict[str, list[Order]] = {}
        self.by_update: list[TimeKey] = []
        self.by_create: list[TimeKey] = []

    def key(self, order: Order) -> str:
        return order.order_id if order.name_space == self.name_space else order.exchange_order_id

    def add(self, order: Order) -> None:
        self.by_id[self.key(order)] = order
        self.by_client_oid.setdefault(order.client_oid, []).append(order)
        if order.is_open:
            self.open[self.key(order)] = order
        else:
            self.archive(order)

    def archive(self, order: Order) -> None:
        key = self.key(order)
        self.open.pop(key, None)
        sequence = len(self.by_update)
        insort(self.by_update, (order.update_time_ns, sequence, key))
        insort(self.by_create, (order.create_time_ns, sequence, key))

    def change_client_oid(self, order: Order, client_oid: str) -> None:
        self.by_client_oid[order.client_oid].remove(order)
        order.client_oid = client_oid
        self.by_client_oid.setdefault(client_oid, []).append(order)

    def find(self, order_id: str | None, client_oid: str | None) -> Order | None:
        """By order id if given, else the newest order with this client id."""
        if order_id is not None:
            return self.by_id.get(order_id)
        return next(reversed(self.by_client_oid.get(client_oid or "", [])), None)

    def ended_between(self, start_ns: int, end_ns: int, *, by_create_time: bool) -> Iterator[Order]:
        """Finished orders with start <= time < end, newest first."""
        ended = self.by_create if by_create_time else self.by_update
        at = bisect_left(ended, (end_ns, -1, ""))
        while at > 0 and ended[at - 1][0] >= start_ns:
            at -= 1
            yield self.by_id[ended[at][2]]


class TradeStore:
    """All executions, found by time."""

    def __init__(self) -> None:
        self.rows: list[Trade] = []
        self._times: list[tuple[int, int]] = []

    def add(self, trade: Trade) -> None:
        insort(self._times, (trade.create_time_ns, len(self.rows)))
        self.rows.append(trade)

    def between(self, start_ns: int, end_ns: int) -> Iterator[Trade]:
        """Trades with start <= time < end, newest first."""
        at = bisect_left(self._times, (end_ns, -1))
        while at > 0 and self._times[at - 1][0] >= start_ns:
            at -= 1
            yield self.rows[self._times[at][1]]


@dataclass(slots=True)
class Ledger:
    """Balances, the net deposits, from which the bookkeeping check recomputes them, and each deposit by itself."""

    balances: dict[str, Decimal] = field(default_factory=dict)
    paid_in: dict[str, Decimal] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)

    def balance_of(self, currency: str) -> Decimal:
        return self.balances.get(currency, ZERO)

    def add(self, currency: str, amount: Decimal) -> None:
        self.balances[currency] = self.balance_of(currency) + amount

    def pay_in(self, currency: str, amount: Decimal) -> None:
        """A deposit, or a withdrawal when negative."""
        self.add(currency, amount)
        self.paid_in[currency] = self.paid_in.get(currency, ZERO) + amount


def haircut(currency: str) -> Decimal:
    """Recorded for USD, USDT, BTC, LTC and CRO (dossier 5.6); a half for all others."""
    return Decimal(HAIRCUTS.get(currency, "0.5"))


# Ids and times


@dataclass(slots=True)
class IdGenerator:
    """Ids beyond 2^53, in the recorded ranges, and nanosecond times.

    `overlap` lets both name spaces count from one start (option order_id_ranges).
    """

    counts: dict[str, int]
    last_ms: int = 0
    ns_in_ms: int = 0

    def next(self, kind: str, *, overlap: bool = False) -> str:
        following = self.peek(kind, overlap=overlap)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return following

    def peek(self, kind: str, *, overlap: bool = False) -> str:
        start = FIRST_IDS["plain"] if overlap and kind == "advanced" else FIRST_IDS[kind]
        return str(start + self.counts.get(kind, 0) + 1)

    def time_ns(self, ms: int, *, whole_ms: bool) -> int:
        """A time within the millisecond, later than the previous one unless the clock went back."""
        if whole_ms:
            return ms * NS_PER_MS
        self.ns_in_ms = (
            min(self.ns_in_ms + 211, NS_PER_MS - 1) if ms == self.last_ms else 301_000 + self._ns_offset(ms)
        )
        self.last_ms = ms
        return ms * NS_PER_MS + self.ns_in_ms

    def _ns_offset(self, ms: int) -> int:
        return (ms * 7919) % 99_991


# Fees (dossier 5.9, 5.11.4)


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Basis points charged on spot fills."""

    maker_bps: Decimal = Decimal("24.25")
    taker_bps: Decimal = Decimal("48.5")

    def ratio(self, *, taker: bool) -> Decimal:
        return ((self.taker_bps if taker else self.maker_bps) * BPS).normalize()


def default_fee_token(instrument: Instrument, side: str) -> str:
    return instrument.base if side == "BUY" else instrument.quote


def allowed_fee_tokens(instrument: Instrument, side: str) -> set[str]:
    tokens = {instrument.quote, "USD", "USDT", "EUR"}
    return tokens | {instrument.base} if side == "BUY" else tokens


def round_fee(fee: Decimal, rounding: str) -> Decimal:
    return truncate_to_8(fee) if rounding == "eight_decimals" else fee
