"""The state of an exchange as JSON types, and back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator.accounts import Ledger
from exchange.simulator.codec import amounts, decode, encode, exact
from exchange.simulator.fees import FeeRates
from exchange.simulator.ids import Ids
from exchange.simulator.quirks import Quirks
from exchange.simulator.records import Order, OrderList, Position, Trade

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange


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
