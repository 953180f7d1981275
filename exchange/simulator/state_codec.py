"""The state of an exchange as JSON types, and back: decimals as text, everything else as it is.

The keys and field names are those of the files of version 0.1.0 (format 1 of persistence), and must stay readable.
"""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from exchange.simulator.config import BehaviourOptions
from exchange.simulator.models import (
    FeeRates,
    IdGenerator,
    Ledger,
    Order,
    OrderList,
    Position,
    Row,
    Trade,
    Transfer,
)

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

T = TypeVar("T")
_FIELD_NAMES: dict[type[Any], tuple[str, ...]] = {}
_DECIMAL_FIELDS: dict[type[Any], frozenset[str]] = {}


# The whole exchange


def to_state(exchange: Exchange) -> dict[str, Any]:
    return {
        "at_ms": exchange.at_ms,
        "skew_ms": exchange.skew_ms,
        "account_uuid": exchange.account_uuid,
        "keys": dict(exchange.keys),
        "ip_allowed": exchange.ip_allowed,
        "may_trade": exchange.may_trade,
        "rate_limits": exchange.limits.enabled,
        "quirks": exchange.behaviour.as_dict(),
        "fees": {"maker_bps": str(exchange.fees.maker_bps), "taker_bps": str(exchange.fees.taker_bps)},
        "ids": dict(exchange.ids.counts),
        "balances": encode_decimals(exchange.ledger.balances),
        "paid_in": encode_decimals(exchange.ledger.paid_in),
        "transfers": [encode(each) for each in exchange.ledger.transfers],
        "liquidity": encode_decimals(exchange.liquidity),
        "orders": [encode(order) for order in orders_to_restore(exchange)],
        "lists": [encode(each) for each in exchange.lists.values()],
        "trades": [encode(trade) for trade in exchange.trades.rows],
        "positions": [encode(each) for each in exchange.positions.values()],
    }


def orders_to_restore(exchange: Exchange) -> list[Order]:
    """Finished orders by time of their end, then open ones, so that ties are restored in the same order."""
    finished = [
        store.by_id[key]
        for name, store in exchange.stores.items()
        for _, _, key in store.by_update
        if store.by_id[key].name_space == name
    ]
    return finished + list(exchange.open_orders())


def restore(exchange: Exchange, state: dict[str, Any]) -> Exchange:
    exchange.at_ms, exchange.skew_ms = state["at_ms"], state["skew_ms"]
    exchange.account_uuid, exchange.keys, exchange.ip_allowed = (
        state["account_uuid"],
        dict(state["keys"]),
        state["ip_allowed"],
    )
    exchange.may_trade = state.get("may_trade", True)  # since 0.2.0
    exchange.limits.enabled = state["rate_limits"]
    exchange.behaviour = BehaviourOptions().with_changes(state["quirks"])
    exchange.fees = FeeRates(**{name: Decimal(value) for name, value in state["fees"].items()})
    exchange.ids = IdGenerator(dict(state["ids"]))
    exchange.ledger = Ledger(
        decode_decimals(state["balances"]),
        decode_decimals(state["paid_in"]),
        [decode(Transfer, row) for row in state.get("transfers", ())],
    )
    exchange.liquidity = decode_decimals(state["liquidity"])
    restore_records(exchange, state)
    return exchange


def restore_records(exchange: Exchange, state: dict[str, Any]) -> None:
    for row in state["orders"]:
        order = decode(Order, row)
        exchange.stores[order.name_space].add(order)
        if order.exchange_order_id and exchange.behaviour.triggered_in_plain == "shown":
            exchange.stores["plain"].add(order)
    exchange.lists = {row["list_id"]: decode(OrderList, row) for row in state["lists"]}
    for row in state["trades"]:
        exchange.trades.add(decode(Trade, row))
    exchange.positions = {row["instrument_name"]: decode(Position, row) for row in state["positions"]}


# Single records


def encode(record: Any) -> Row:
    return {name: _encode_value(getattr(record, name)) for name in _field_names(type(record))}


def decode(kind: type[T], row: Row) -> T:
    """A record of this dataclass; fields the row lacks keep their defaults."""
    decimals = _decimal_field_names(kind)
    return kind(
        **{name: _decode_decimal(value) if name in decimals else value for name, value in row.items()}
    )


def encode_decimals(values: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def decode_decimals(values: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in values.items()}


def _encode_value(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _decode_decimal(value: Any) -> Any:
    return None if value is None else Decimal(value)


def _field_names(kind: type[Any]) -> tuple[str, ...]:
    if kind not in _FIELD_NAMES:
        _FIELD_NAMES[kind] = tuple(each.name for each in fields(kind))
    return _FIELD_NAMES[kind]


def _decimal_field_names(kind: type[Any]) -> frozenset[str]:
    if kind not in _DECIMAL_FIELDS:
        hints = get_type_hints(kind).items()
        _DECIMAL_FIELDS[kind] = frozenset(
            name for name, hint in hints if hint is Decimal or Decimal in get_args(hint)
        )
    return _DECIMAL_FIELDS[kind]
