"""The state of an exchange as JSON types, and back.

Records to and from plain JSON types: decimals as text, everything else as it is.
"""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from exchange.simulator.config import Quirks
from exchange.simulator.models import FeeRates, Ids, Ledger, Order, OrderList, Position, Row, Trade

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


T = TypeVar("T")
_NAMES: dict[type[Any], tuple[str, ...]] = {}
_DECIMALS: dict[type[Any], frozenset[str]] = {}


def encode(record: Any) -> Row:
    return {name: _plain(getattr(record, name)) for name in _names(type(record))}


def decode(kind: type[T], row: Row) -> T:
    """A record of this dataclass; fields the row lacks keep their defaults."""
    decimals = _decimal_names(kind)
    return kind(**{name: _exact(value) if name in decimals else value for name, value in row.items()})


def amounts(values: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def exact(values: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _exact(value: Any) -> Any:
    return None if value is None else Decimal(value)


def _names(kind: type[Any]) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(each.name for each in fields(kind))
    return _NAMES[kind]


def _decimal_names(kind: type[Any]) -> frozenset[str]:
    if kind not in _DECIMALS:
        hints = get_type_hints(kind).items()
        _DECIMALS[kind] = frozenset(
            name for name, hint in hints if hint is Decimal or Decimal in get_args(hint)
        )
    return _DECIMALS[kind]


def to_state(x: Exchange) -> dict[str, Any]:
    return {
        "at_ms": x.at_ms,
        "skew_ms": x.skew_ms,
        "account_uuid": x.account_uuid,
        "keys": dict(x.keys),
        "ip_allowed": x.ip_allowed,
        "rate_limits": x.limits.enabled,
        "quirks": x.quirks.as_dict(),
        "fees": {"maker_bps": str(x.fees.maker_bps), "taker_bps": str(x.fees.taker_bps)},
        "ids": dict(x.ids.counts),
        "balances": amounts(x.ledger.balances),
        "paid_in": amounts(x.ledger.paid_in),
        "liquidity": amounts(x.liquidity),
        "orders": [encode(order) for order in in_order(x)],
        "lists": [encode(each) for each in x.lists.values()],
        "trades": [encode(trade) for trade in x.trades.rows],
        "positions": [encode(each) for each in x.positions.values()],
    }


def in_order(x: Exchange) -> list[Order]:
    """Finished ones in the order of their ends, then open ones, so that ties restore as they were."""
    finished = [
        store.by_id[key]
        for name, store in x.stores.items()
        for _, _, key in store.by_update
        if store.by_id[key].name_space == name
    ]
    return finished + list(x.open_orders())


def restore(x: Exchange, state: dict[str, Any]) -> Exchange:
    x.at_ms, x.skew_ms = state["at_ms"], state["skew_ms"]
    x.account_uuid, x.keys, x.ip_allowed = state["account_uuid"], dict(state["keys"]), state["ip_allowed"]
    x.limits.enabled = state["rate_limits"]
    x.quirks = Quirks().with_changes(state["quirks"])
    x.fees = FeeRates(**{name: Decimal(value) for name, value in state["fees"].items()})
    x.ids = Ids(dict(state["ids"]))
    x.ledger = Ledger(exact(state["balances"]), exact(state["paid_in"]))
    x.liquidity = exact(state["liquidity"])
    restore_records(x, state)
    return x


def restore_records(x: Exchange, state: dict[str, Any]) -> None:
    for row in state["orders"]:
        order = decode(Order, row)
        x.stores[order.name_space].add(order)
        if order.exchange_order_id and x.quirks.triggered_in_plain == "shown":
            x.stores["plain"].add(order)
    x.lists = {row["list_id"]: decode(OrderList, row) for row in state["lists"]}
    for row in state["trades"]:
        x.trades.add(decode(Trade, row))
    x.positions = {row["instrument_name"]: decode(Position, row) for row in state["positions"]}
