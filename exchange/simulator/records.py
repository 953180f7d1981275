"""What the exchange remembers: orders, trades, lists of linked orders, positions."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

NameSpace = Literal["plain", "advanced"]
Row = dict[str, Any]

PLAIN: NameSpace = "plain"
ADVANCED: NameSpace = "advanced"
NAME_SPACES: tuple[NameSpace, NameSpace] = (PLAIN, ADVANCED)
OPEN = ("PENDING", "NEW", "ACTIVE")
BELOW = {("SELL", "STOP_LOSS"), ("SELL", "STOP_LIMIT"), ("BUY", "TAKE_PROFIT"), ("BUY", "TAKE_PROFIT_LIMIT")}
MARKET_TRIGGERS = ("STOP_LOSS", "TAKE_PROFIT")
LIMIT_TRIGGERS = ("STOP_LIMIT", "TAKE_PROFIT_LIMIT")
TRIGGERS = MARKET_TRIGGERS + LIMIT_TRIGGERS
NS = 1_000_000


@dataclass(slots=True, kw_only=True)
class Order:
    """One order of either name space.

    `cumulative_fee` is as shown, in a token that depends (dossier 5.11.7). `hold_price` is what a market buy
    locks per unit, fixed when it reaches the engine.
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
    exchange_order_id: str = ""
    triggered: bool = False
    entered: bool = False
    active_from_ms: int = 0
    cancel_at_ms: int | None = None
    hidden_until_ms: int = 0
    looked_at_ms: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.cumulative_quantity

    @property
    def waits_for_trigger(self) -> bool:
        return self.order_type in TRIGGERS and not self.triggered

    @property
    def live_type(self) -> str:
        """What works on the book: a triggered stop-loss is a MARKET, a triggered stop-limit a LIMIT order."""
        if self.order_type in TRIGGERS:
            return "MARKET" if self.order_type in MARKET_TRIGGERS else "LIMIT"
        return self.order_type

    @property
    def fires_below(self) -> bool:
        return (self.side, self.order_type) in BELOW


@dataclass(slots=True, kw_only=True)
class Trade:
    """One execution. `fee` is signed as on the wire: negative is taken from the account.

    `owner` is name space and order id of the order it truly belongs to, whatever the wire says; "" is plain.
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
class OrderList:
    """Linked orders. `winner` executed first; its siblings may still fill until `siblings_end_at_ms` (oco_race)."""

    list_id: str
    contingency_type: str
    order_ids: list[str]
    winner: str = ""
    siblings_end_at_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class Position:
    """A perpetual holding that a control request put there; the simulator does not trade perpetuals."""

    instrument_name: str
    quantity: Decimal
    entry_price: Decimal
    update_time_ms: int
