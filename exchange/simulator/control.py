"""The controls: everything that tests or a person may do to the market, the account and the exchange.

Each verb takes a JSON object and answers one: `POST /_control/<verb>`. An invalid request answers 400 with the error.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import manual_controls, protocol
from exchange.simulator.config import CHOICES, Refusal
from exchange.simulator.faults import Faults
from exchange.simulator.instruments import decimal_text
from exchange.simulator.models import FeeRates, Position
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

Body = dict[str, Any]
RULE_FIELDS = ("kind", "method", "nth", "every", "probability", "times")


def run(exchange: Exchange, verb: str, body: Body) -> tuple[int, Body]:
    """(HTTP status, answer). The caller holds the lock."""
    action = VERBS.get(verb)
    if action is None:
        return 404, {"error": f"no control is called {verb}", "controls": sorted(VERBS)}
    try:
        return 200, action(exchange, body)
    except Refusal as refusal:
        return 400, {"error": str(refusal), "code": refusal.code, "result": refusal.result}
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        return 400, {"error": f"{type(error).__name__}: {error}"}


def price(exchange: Exchange, body: Body) -> Body:
    """instrument_name and one of price, percent; mark_gap (ratio of mark over last; null lets it move again);
    spread (ratio of the distance of best bid and ask over last; null for the usual one).
    """
    symbol = body["instrument_name"]
    if "spread" in body:
        spread = body["spread"]
        manual_controls.set_spread(exchange, symbol, None if spread is None else Decimal(str(spread)))
    if "mark_gap" in body:
        gap = body["mark_gap"]
        manual_controls.set_mark_gap(exchange, symbol, None if gap is None else Decimal(str(gap)))
    if "price" in body:
        manual_controls.set_price(exchange, symbol, Decimal(str(body["price"])))
    if "percent" in body:
        manual_controls.move(exchange, symbol, Decimal(str(body["percent"])))
    last, mark = exchange.prices.last(symbol, exchange.at_ms), exchange.prices.mark(symbol, exchange.at_ms)
    return {"instrument_name": symbol, "last": str(last), "mark": str(mark)}


def rules(exchange: Exchange, body: Body) -> Body:
    """instrument_name, and fields of its catalogue row: price_tick_size, qty_tick_size, tradable and the others."""
    symbol = body["instrument_name"]
    changes = {name: value for name, value in body.items() if name != "instrument_name"}
    manual_controls.change_rules(exchange, symbol, changes)
    found = exchange.instruments[symbol]
    return {
        "price_tick_size": str(found.price_tick),
        "qty_tick_size": str(found.lot),
        "tradable": found.tradable,
    }


def fill(exchange: Exchange, body: Body) -> Body:
    """order_id (either id), quantity? (default the remainder), price? (default the limit, else the market)."""
    quantity, at = body.get("quantity"), body.get("price")
    order = manual_controls.fill(
        exchange,
        str(body["order_id"]),
        quantity=None if quantity is None else Decimal(str(quantity)),
        price=None if at is None else Decimal(str(at)),
    )
    return {"order_id": order.order_id, "status": order.status, "executed": str(order.cumulative_quantity)}


def order(exchange: Exchange, body: Body) -> Body:
    """A manual order: method and params of any exchange method, without key, nonce or faults."""
    method = protocol.METHODS[body["method"]]
    call = Call(
        method=body["method"],
        params=body.get("params", {}),
        default_client_oid=f"hand-{exchange.at_ms}-{exchange.revision}",
    )
    return {"result": method(exchange, call)}


def market_order(exchange: Exchange, body: Body) -> Body:
    """instrument_name, side, amount_usd: a market order of somebody else, for whole lots worth that much."""
    symbol, side = str(body["instrument_name"]), str(body["side"])
    placed = manual_controls.market_order(exchange, symbol, side, Decimal(str(body["amount_usd"])))
    executed = placed.cumulative_quantity
    return {
        "order_id": placed.order_id,
        "status": placed.status,
        "quantity": decimal_text(executed),
        "value": decimal_text(placed.cumulative_value),
    }


def deposit(exchange: Exchange, body: Body) -> Body:
    """currency, amount."""
    exchange.deposit(body["currency"], Decimal(str(body["amount"])))
    return {"balance": str(exchange.ledger.balance_of(body["currency"]))}


def withdraw(exchange: Exchange, body: Body) -> Body:
    """currency, amount, force? (even if open orders reserve it)."""
    manual_controls.withdraw(
        exchange, body["currency"], Decimal(str(body["amount"])), force=bool(body.get("force"))
    )
    return {"balance": str(exchange.ledger.balance_of(body["currency"]))}


def clock(exchange: Exchange, body: Body) -> Body:
    """skew_ms: how far the exchange's clock is ahead of the machine's."""
    exchange.skew_ms = int(body.get("skew_ms", exchange.skew_ms))
    exchange.at_ms = exchange.now()
    return {"skew_ms": exchange.skew_ms, "now_ms": exchange.at_ms}


def behaviour(exchange: Exchange, body: Body) -> Body:
    """Any fields of BehaviourOptions. Answers all of them and their values."""
    exchange.behaviour = exchange.behaviour.with_changes(body)
    return {
        "quirks": exchange.behaviour.as_dict(),
        "choices": {name: list(values) for name, values in CHOICES.items()},
    }


def fees(exchange: Exchange, body: Body) -> Body:
    """maker_bps, taker_bps."""
    exchange.fees = FeeRates(**{name: Decimal(str(value)) for name, value in body.items()})
    return {"maker_bps": str(exchange.fees.maker_bps), "taker_bps": str(exchange.fees.taker_bps)}


def rate_limits(exchange: Exchange, body: Body) -> Body:
    """enabled."""
    exchange.limits.enabled = bool(body.get("enabled", exchange.limits.enabled))
    return {"enabled": exchange.limits.enabled}


def access(exchange: Exchange, body: Body) -> Body:
    """ip_allowed: false answers 40103; may_trade: false answers 40101 to orders; key and secret add a key."""
    exchange.ip_allowed = bool(body.get("ip_allowed", exchange.ip_allowed))
    exchange.may_trade = bool(body.get("may_trade", exchange.may_trade))
    if "key" in body:
        exchange.keys[str(body["key"])] = str(body["secret"])
    return {"ip_allowed": exchange.ip_allowed, "may_trade": exchange.may_trade, "keys": sorted(exchange.keys)}


def liquidity(exchange: Exchange, body: Body) -> Body:
    """instrument_name, quantity (null: unlimited): the depth within the collar, per order."""
    exchange.liquidity.pop(body["instrument_name"], None)
    if body.get("quantity") is not None:
        exchange.liquidity[body["instrument_name"]] = Decimal(str(body["quantity"]))
    return {"liquidity": {name: str(value) for name, value in exchange.liquidity.items()}}


def position(exchange: Exchange, body: Body) -> Body:
    """instrument_name of a perpetual, quantity (signed; 0 closes), entry_price."""
    name, quantity = body["instrument_name"], Decimal(str(body["quantity"]))
    exchange.positions.pop(name, None)
    if quantity:
        exchange.positions[name] = Position(
            instrument_name=name,
            quantity=quantity,
            entry_price=Decimal(str(body["entry_price"])),
            update_time_ms=exchange.at_ms,
        )
    exchange.account_feed.positions()
    exchange.revision += 1
    return {"positions": sorted(exchange.positions)}


def hide(exchange: Exchange, body: Body) -> Body:
    """order_id, seconds: the order works, reserves funds and blocks its client id, but cannot be read."""
    found = manual_controls.find_order(exchange, str(body["order_id"]))
    found.hidden_until_ms = exchange.at_ms + int(float(body["seconds"]) * 1000)
    return {"hidden_until_ms": found.hidden_until_ms}


def faults(exchange: Exchange, body: Body) -> Body:
    """kind and rule fields add a fault; clear, remove, seed. Answers the rules in force."""
    return change_faults(exchange.faults, body)


def stream_faults(exchange: Exchange, body: Body) -> Body:
    """The same for the streams; `method` is a channel without its instrument, or a method (stream_options)."""
    return change_faults(exchange.account_feed.faults, body)


def stream(exchange: Exchange, body: Body) -> Body:
    """options: fields of StreamOptions; close: a code, or reset: true, for every open stream. Answers what is open."""
    feed = exchange.account_feed
    feed.options = feed.options.with_changes(body.get("options", {}))
    code = int(body["close"]) if "close" in body else None
    for session in feed.sessions if "close" in body or body.get("reset") else []:
        session.drop(code, str(body.get("reason", "")))
    return {"options": feed.options.as_dict(), "sessions": [each.describe() for each in feed.sessions]}


def change_faults(rules: Faults, body: Body) -> Body:
    if body.get("clear"):
        rules.clear()
    if "remove" in body:
        rules.remove(int(body["remove"]))
    if "seed" in body:
        rules.reseed(int(body["seed"]))
    added: Body = {}
    if "kind" in body:
        detail = {name: value for name, value in body.items() if name not in (*RULE_FIELDS, "clear", "seed")}
        known = {name: body[name] for name in RULE_FIELDS if name in body}
        added = {"added": rules.add(**known, **detail)}
    return added | {"rules": rules.rows()}


def state(exchange: Exchange, body: Body) -> Body:
    return exchange.dump()


VERBS: dict[str, Callable[[Exchange, Body], Body]] = {
    "access": access,
    "clock": clock,
    "deposit": deposit,
    "faults": faults,
    "fees": fees,
    "fill": fill,
    "hide": hide,
    "liquidity": liquidity,
    "market_order": market_order,
    "order": order,
    "position": position,
    "price": price,
    "quirks": behaviour,
    "rate_limits": rate_limits,
    "rules": rules,
    "state": state,
    "stream": stream,
    "stream_faults": stream_faults,
    "withdraw": withdraw,
}
