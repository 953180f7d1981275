"""Orders and trades as the exchange reports them, and orders as we send them (dossier 5.11 to 5.31, 6)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Self

from msgspec import field
from msgspec.structs import force_setattr

from exchange.core.instrument_names import base_of, quote_of
from exchange.core.reasons import Problem
from exchange.schemas import parsing
from exchange.schemas.parsing import Row, WireStruct

CLIENT_OID_LENGTH = 36
NUMBER_PARAMS = ("quantity", "price", "notional", "ref_price")
TEXT_PARAMS = (
    "instrument_name",
    "side",
    "type",
    "client_oid",
    "ref_price_type",
    "time_in_force",
    "fee_instrument_name",
)
REASON_CODE = re.compile(r"-?[0-9]{1,18}")
NS_PER_MS = 1_000_000  # in a millisecond
MAX_TIME_DIFFERENCE_MS = 60_000  # between the two forms of one moment
WINDOW_TOLERANCE_NS = 60_000 * NS_PER_MS  # clocks differ by up to a minute (dossier 2.2)
# A fee in a third coin: that coin is worth more than a millionth of what is traded for it.
MAX_FEE_UNITS = Decimal(10**6)
MAX_ROUNDING = Decimal(2)  # an average price is rounded to the tick, which may be as large as the price
STOP_ORDER_TYPES = ("STOP_LOSS", "STOP_LIMIT")
TAKE_PROFIT_ORDER_TYPES = ("TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class NameSpace(StrEnum):
    """The two families of order methods; ids and listings of one are unknown to the other (dossier 8)."""

    PLAIN = "PLAIN"
    ADVANCED = "ADVANCED"


METHOD_PREFIXES = {NameSpace.PLAIN: "private", NameSpace.ADVANCED: "private/advanced"}
OPEN_STATUSES = frozenset({"NEW", "PENDING", "ACTIVE"})
TERMINAL_STATUSES = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED"})
SIDES = frozenset({"BUY", "SELL"})


def is_terminal(status: str) -> bool:
    """Whether an order with this status can never change again; an unknown status is not proof of an end."""
    return status in TERMINAL_STATUSES


class Order(WireStruct, frozen=True, kw_only=True):
    """One order. A price of "0" is None. `cumulative_fee` is as sent: sign and unit are unreliable.

    (dossier 5.16, 5.11.7)
    """

    WORDS: ClassVar[Mapping[str, Collection[str]]] = {
        "status": OPEN_STATUSES | TERMINAL_STATUSES,
        "side": SIDES,
    }
    AMOUNTS = ("quantity", "cumulative_quantity", "order_value", "cumulative_value")
    PRICES = ("limit_price", "avg_price", "ref_price")
    ZERO_IS_ABSENT = PRICES

    name_space: NameSpace = NameSpace.PLAIN  # not sent: it is that of the method
    order_id: str
    instrument_name: str
    side: str
    quantity: Decimal
    status: str
    create_time_ms: int = field(name="create_time")
    update_time_ms: int = field(name="update_time")
    client_oid: str = ""
    order_type: str = ""
    time_in_force: str = ""
    exec_inst: tuple[str, ...] = ()
    limit_price: Decimal | None = None
    order_value: Decimal | None = None
    avg_price: Decimal | None = None
    ref_price: Decimal | None = None
    ref_price_type: str = ""
    cumulative_quantity: Decimal = Decimal(0)
    cumulative_value: Decimal | None = None
    cumulative_fee: Decimal | None = None
    reason: int | None = None
    reject_reason: str = ""
    fee_instrument_name: str = ""
    account_id: str = ""
    update_user_id: str = ""
    create_time_ns: int | None = None
    order_date: str = ""
    list_id: str = ""
    contingency_type: str = ""
    leg_id: str = ""
    attach_order_id: str = ""
    exchange_order_id: str = ""
    isolation_id: str = ""
    isolation_type: str = ""
    leverage: str = ""
    maker_fee_rate: Decimal | None = None
    taker_fee_rate: Decimal | None = None

    def __post_init__(self) -> None:
        """What no order can be: see `parsing` for the bounds of a single number."""
        super().__post_init__()
        _check_identity(self, self.order_id, (self.create_time_ms, self.update_time_ms))
        if self.ref_price_type == "NULL_VAL":
            force_setattr(self, "ref_price_type", "")
        # A market buy by notional has no quantity, or one that is rounded (dossier 5.11.7).
        is_market_buy = (self.order_type, self.side) == ("MARKET", "BUY")
        if not is_market_buy and self.cumulative_quantity > self.quantity:
            raise self.impossible("cumulative_quantity", Problem.MORE_THAN_ORDERED)
        if is_market_buy and self._value_disagrees():
            raise self.impossible("cumulative_quantity", Problem.VALUE_DISAGREES)
        if self.status == "FILLED" and not self.cumulative_quantity:
            raise self.impossible("cumulative_quantity", Problem.NOTHING_FILLED)

    def _value_disagrees(self) -> bool:
        """Whether executed quantity, value and average price contradict each other by more than rounding can."""
        if not self.cumulative_quantity or not self.cumulative_value or not self.avg_price:
            return False
        ratio = self.cumulative_quantity * self.avg_price / self.cumulative_value
        return not 1 / MAX_ROUNDING <= ratio <= MAX_ROUNDING

    def is_within(self, start_ns: int, end_ns: int) -> bool:
        """Whether it may be in the history of that period, which may be by creation or by update time (dossier 7)."""
        created_ns, updated_ns = self.create_time_ms * NS_PER_MS, self.update_time_ms * NS_PER_MS
        return created_ns < end_ns + WINDOW_TOLERANCE_NS and updated_ns >= start_ns - WINDOW_TOLERANCE_NS

    @classmethod
    def from_row(cls, row: Row, name_space: NameSpace) -> Self:
        created_ms = _created_ms(row)
        reason, reject_reason = _reasons(row)
        return cls.parse(
            row,
            name_space=name_space,
            exec_inst=parsing.text_list(row, "exec_inst"),
            reason=reason,
            reject_reason=reject_reason,
            create_time=created_ms,
            update_time=parsing.milliseconds(row, "update_time") or created_ms,
            leverage=_plain(parsing.number(row, "leverage")),
        )


class Trade(WireStruct, frozen=True, kw_only=True):
    """One execution. `fee` in `fee_instrument_name`, signed as sent: negative was deducted (dossier 5.19)."""

    WORDS: ClassVar[Mapping[str, Collection[str]]] = {"side": SIDES}
    POSITIVE = ("quantity",)
    PRICES = ("price",)

    trade_id: str
    order_id: str
    instrument_name: str
    side: str
    quantity: Decimal = field(name="traded_quantity")
    price: Decimal = field(name="traded_price")
    fee: Decimal = field(name="fees")
    create_time_ms: int = field(name="create_time")
    create_time_ns: int
    trade_match_id: str = ""
    client_oid: str = ""
    taker_side: str = ""
    fee_credits: Decimal | None = None
    fee_instrument_name: str = ""
    transact_time_ns: int | None = None
    match_count: int | None = None
    match_index: int | None = None
    event_date: str = ""
    journal_type: str = ""
    account_id: str = ""
    isolation_id: str = ""
    isolation_type: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_identity(self, self.trade_id and self.order_id, (self.create_time_ms,))
        if abs(self.fee) > self._max_fee():
            raise self.impossible("fee", Problem.FEE_TOO_LARGE)

    def _max_fee(self) -> Decimal:
        """No fee, and no rebate, is more than all that was traded; in a third coin it is only bounded."""
        value = self.quantity * self.price
        if self.fee_instrument_name == base_of(self.instrument_name):
            return self.quantity
        if self.fee_instrument_name == quote_of(self.instrument_name):
            return value
        return MAX_FEE_UNITS * max(self.quantity, value)

    def is_within(self, start_ns: int, end_ns: int) -> bool:
        """Whether it may be among the trades of that period."""
        earliest, latest = start_ns - WINDOW_TOLERANCE_NS, end_ns + WINDOW_TOLERANCE_NS
        return earliest <= self.create_time_ns < latest

    @classmethod
    def from_row(cls, row: Row) -> Self:
        created_ms = _created_ms(row)
        created_ns = parsing.integer(row, "create_time_ns") or created_ms * NS_PER_MS
        return cls.parse(row, create_time=created_ms, create_time_ns=created_ns)


def _created_ms(row: Row) -> int:
    created_ms = parsing.milliseconds(row, "create_time")
    if created_ms is not None:
        return created_ms
    created_ns = parsing.required_integer(row, "create_time_ns")
    if not parsing.MIN_TIMESTAMP_MS <= created_ns // NS_PER_MS < parsing.MAX_TIMESTAMP_MS:
        raise parsing.bad_field(Problem.NO_TIME_NS, "create_time_ns")
    return created_ns // NS_PER_MS


def _reasons(row: Row) -> tuple[int | None, str]:
    """`reason` is a code, as number or text (dossier D25); anything else is kept as text."""
    reason, reject_reason = parsing.text(row, "reason"), parsing.text(row, "reject_reason")
    if REASON_CODE.fullmatch(reason):
        return int(reason), reject_reason
    return None, reject_reason or reason


def _check_identity(row: Order | Trade, row_id: str, times: Collection[int]) -> None:
    if not row_id or not row.instrument_name:
        raise parsing.bad_field(Problem.MISSING, "instrument_name" if row_id else "order_id")
    if not all(parsing.MIN_TIMESTAMP_MS <= at < parsing.MAX_TIMESTAMP_MS for at in times):
        raise parsing.bad_field(Problem.NO_TIME_MS, "create_time")
    created_ns = row.create_time_ns or row.create_time_ms * NS_PER_MS
    if abs(created_ns // NS_PER_MS - row.create_time_ms) > MAX_TIME_DIFFERENCE_MS:
        raise parsing.bad_field(Problem.NO_TIME_NS, "create_time_ns")


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order to place. `client_oid` is mandatory: else the exchange invents one (dossier 5.11.1)."""

    instrument_name: str
    side: str
    type: str
    client_oid: str
    quantity: Decimal | None = None
    price: Decimal | None = None
    notional: Decimal | None = None
    ref_price: Decimal | None = None
    ref_price_type: str = ""
    time_in_force: str = ""
    exec_inst: tuple[str, ...] = ()
    fee_instrument_name: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.client_oid) <= CLIENT_OID_LENGTH:
            raise ValueError(f"client_oid needs 1 to {CLIENT_OID_LENGTH} characters")
        if self.quantity is None and self.notional is None:
            raise ValueError("an order needs a quantity or a notional")

    def to_params(self) -> dict[str, str | list[str]]:
        """The request's parameters: numbers as plain decimal text, empty fields left out (dossier 1.2)."""
        params: dict[str, str | list[str]] = {name: getattr(self, name) for name in TEXT_PARAMS}
        params |= {name: plain_number(name, getattr(self, name)) for name in NUMBER_PARAMS}
        params |= {"exec_inst": list(self.exec_inst)}
        return {name: value for name, value in params.items() if value}


def plain_number(name: str, value: Decimal | None) -> str:
    """Positive decimal text without exponent; "" for None."""
    if value is None:
        return ""
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise ValueError(f"{name} must be a positive decimal number")
    return format(value, "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The exchange received a request. This does not prove that an order is active or cancelled (dossier 5)."""

    order_id: str
    client_oid: str
    code: int
    message: str


# The role an order plays, from its shape alone


def role_of(*, order_type: str, side: str, instrument_name: str, in_pair: bool, cash: Collection[str]) -> str:
    """ENTRY, EXIT, STOP_LOSS, TAKE_PROFIT; empty where cash is only exchanged for other cash.

    `in_pair` is true for a leg of an OCO list, whose LIMIT leg is the take profit (dossier 5.23).
    """
    if order_type in STOP_ORDER_TYPES:
        return "STOP_LOSS"
    if order_type in TAKE_PROFIT_ORDER_TYPES or (in_pair and side == "SELL"):
        return "TAKE_PROFIT"
    if base_of(instrument_name) in cash:
        return ""
    return "ENTRY" if side == "BUY" else "EXIT"
