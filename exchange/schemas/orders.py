"""Orders and trades as the exchange reports them (dossier 5.16 to 5.31 and chapter 6).

What we send when we place an order, and what the exchange answers at once (dossier 5.11, 5.21, 5.23).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

from exchange.schemas import parsing
from exchange.schemas.parsing import Row

NS_PER_MS = 1_000_000  # in a millisecond


class NameSpace(StrEnum):
    """The two families of order methods; ids and listings of one are unknown to the other (dossier 8)."""

    PLAIN = "PLAIN"
    ADVANCED = "ADVANCED"


OPEN_STATUSES = frozenset({"NEW", "PENDING", "ACTIVE"})
TERMINAL_STATUSES = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED"})


def is_terminal(status: str) -> bool:
    """Whether an order with this status can never change again; an unknown status is not proof of an end."""
    return status in TERMINAL_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order. A price of "0" is None. `cumulative_fee` is as sent: sign and unit are unreliable.

    (dossier 5.16, 5.11.7)
    """

    name_space: NameSpace
    order_id: str
    client_oid: str
    instrument_name: str
    side: str
    order_type: str
    time_in_force: str
    exec_inst: tuple[str, ...]
    quantity: Decimal
    limit_price: Decimal | None
    order_value: Decimal | None
    avg_price: Decimal | None
    ref_price: Decimal | None
    ref_price_type: str
    cumulative_quantity: Decimal
    cumulative_value: Decimal | None
    cumulative_fee: Decimal | None
    status: str
    reason: int | None
    reject_reason: str
    fee_instrument_name: str
    account_id: str
    update_user_id: str
    create_time_ms: int
    update_time_ms: int
    create_time_ns: int | None
    order_date: str
    list_id: str
    contingency_type: str
    leg_id: str
    attach_order_id: str
    exchange_order_id: str
    isolation_id: str
    isolation_type: str
    leverage: str
    maker_fee_rate: Decimal | None
    taker_fee_rate: Decimal | None

    @classmethod
    def from_row(cls, row: Row, name_space: NameSpace) -> Self:
        created_ms = _created_ms(row)
        reason, reject_reason = _reasons(row)
        return cls(
            name_space=name_space,
            order_id=parsing.required_text(row, "order_id"),
            client_oid=parsing.text(row, "client_oid"),
            instrument_name=parsing.required_text(row, "instrument_name"),
            side=parsing.required_text(row, "side"),
            order_type=parsing.text(row, "order_type"),
            time_in_force=parsing.text(row, "time_in_force"),
            exec_inst=parsing.text_list(row, "exec_inst"),
            quantity=parsing.required_number(row, "quantity"),
            limit_price=parsing.price(row, "limit_price"),
            order_value=parsing.number(row, "order_value"),
            avg_price=parsing.price(row, "avg_price"),
            ref_price=parsing.price(row, "ref_price"),
            ref_price_type=_unless_null(parsing.text(row, "ref_price_type")),
            cumulative_quantity=parsing.number(row, "cumulative_quantity") or Decimal(0),
            cumulative_value=parsing.number(row, "cumulative_value"),
            cumulative_fee=parsing.number(row, "cumulative_fee"),
            status=parsing.required_text(row, "status"),
            reason=reason,
            reject_reason=reject_reason,
            fee_instrument_name=parsing.text(row, "fee_instrument_name"),
            account_id=parsing.text(row, "account_id"),
            update_user_id=parsing.text(row, "update_user_id"),
            create_time_ms=created_ms,
            update_time_ms=parsing.milliseconds(row, "update_time") or created_ms,
            create_time_ns=parsing.integer(row, "create_time_ns"),
            order_date=parsing.text(row, "order_date"),
            list_id=parsing.text(row, "list_id"),
            contingency_type=parsing.text(row, "contingency_type"),
            leg_id=parsing.text(row, "leg_id"),
            attach_order_id=parsing.text(row, "attach_order_id"),
            exchange_order_id=parsing.text(row, "exchange_order_id"),
            isolation_id=parsing.text(row, "isolation_id"),
            isolation_type=parsing.text(row, "isolation_type"),
            leverage=_plain(parsing.number(row, "leverage")),
            maker_fee_rate=parsing.number(row, "maker_fee_rate"),
            taker_fee_rate=parsing.number(row, "taker_fee_rate"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One execution. `fee` in `fee_instrument_name`, signed as sent: negative was deducted (dossier 5.19)."""

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
    fee_credits: Decimal | None
    fee_instrument_name: str
    create_time_ms: int
    create_time_ns: int
    transact_time_ns: int | None
    match_count: int | None
    match_index: int | None
    event_date: str
    journal_type: str
    account_id: str
    isolation_id: str
    isolation_type: str

    @classmethod
    def from_row(cls, row: Row) -> Self:
        created_ms = _created_ms(row)
        return cls(
            trade_id=parsing.required_text(row, "trade_id"),
            trade_match_id=parsing.text(row, "trade_match_id"),
            order_id=parsing.required_text(row, "order_id"),
            client_oid=parsing.text(row, "client_oid"),
            instrument_name=parsing.required_text(row, "instrument_name"),
            side=parsing.required_text(row, "side"),
            taker_side=parsing.text(row, "taker_side"),
            quantity=parsing.required_number(row, "traded_quantity"),
            price=parsing.required_number(row, "traded_price"),
            fee=parsing.required_number(row, "fees"),
            fee_credits=parsing.number(row, "fee_credits"),
            fee_instrument_name=parsing.text(row, "fee_instrument_name"),
            create_time_ms=created_ms,
            create_time_ns=parsing.integer(row, "create_time_ns") or created_ms * NS_PER_MS,
            transact_time_ns=parsing.integer(row, "transact_time_ns"),
            match_count=parsing.integer(row, "match_count"),
            match_index=parsing.integer(row, "match_index"),
            event_date=parsing.text(row, "event_date"),
            journal_type=parsing.text(row, "journal_type"),
            account_id=parsing.text(row, "account_id"),
            isolation_id=parsing.text(row, "isolation_id"),
            isolation_type=parsing.text(row, "isolation_type"),
        )


def _created_ms(row: Row) -> int:
    created_ms = parsing.milliseconds(row, "create_time")
    if created_ms is not None:
        return created_ms
    return parsing.required_integer(row, "create_time_ns") // NS_PER_MS


def _reasons(row: Row) -> tuple[int | None, str]:
    """`reason` is a code, as number or text (dossier D25); anything else is kept as words."""
    reason, words = parsing.text(row, "reason"), parsing.text(row, "reject_reason")
    if reason.lstrip("-").isdecimal():
        return int(reason), words
    return None, words or reason


def _unless_null(word: str) -> str:
    return "" if word == "NULL_VAL" else word


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


CLIENT_OID_LENGTH = 36


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


def plain_number(name: str, value: Decimal | None) -> str:
    """Positive decimal text without exponent; "" for None."""
    if value is None:
        return ""
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise ValueError(f"{name} must be a positive decimal number")
    return format(value, "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The exchange received a request. It does not say that an order is active or cancelled (dossier 5)."""

    order_id: str
    client_oid: str
    code: int
    message: str
