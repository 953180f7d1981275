"""The controls: everything that tests or a person may do to the market, the account and the exchange.

Each verb takes a JSON object and answers one: `POST /_control/<verb>`. An invalid request answers 400 with the error.
The actions below the verbs are for use in process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import matching, order_entry, protocol, settlement
from exchange.simulator.config import CHOICES, Refusal
from exchange.simulator.faults import Faults
from exchange.simulator.instruments import decimal_text, instrument_from_row, quantity_for_value
from exchange.simulator.models import FeeRates, NameSpace, Order, Position
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
        set_spread(exchange, symbol, None if spread is None else Decimal(str(spread)))
    if "mark_gap" in body:
        gap = body["mark_gap"]
        set_mark_gap(exchange, symbol, None if gap is None else Decimal(str(gap)))
    if "price" in body:
        set_price(exchange, symbol, Decimal(str(body["price"])))
    if "percent" in body:
        move_price(exchange, symbol, Decimal(str(body["percent"])))
    last, mark = exchange.prices.last(symbol, exchange.at_ms), exchange.prices.mark(symbol, exchange.at_ms)
    return {"instrument_name": symbol, "last": str(last), "mark": str(mark)}


def rules(exchange: Exchange, body: Body) -> Body:
    """instrument_name, and fields of its catalogue row: price_tick_size, qty_tick_size, tradable and the others."""
    symbol = body["instrument_name"]
    changes = {name: value for name, value in body.items() if name != "instrument_name"}
    change_rules(exchange, symbol, changes)
    found = exchange.instruments[symbol]
    return {
        "price_tick_size": str(found.price_tick),
        "qty_tick_size": str(found.lot),
        "tradable": found.tradable,
    }


def fill(exchange: Exchange, body: Body) -> Body:
    """order_id (either id), quantity? (default the remainder), price? (default the limit, else the market)."""
    quantity, at = body.get("quantity"), body.get("price")
    order = fill_order(
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
    placed = place_market_order(exchange, symbol, side, Decimal(str(body["amount_usd"])))
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
    withdraw_funds(exchange, body["currency"], Decimal(str(body["amount"])), force=bool(body.get("force")))
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
    """enabled. Answers how many calls were refused so far, too."""
    exchange.limits.enabled = bool(body.get("enabled", exchange.limits.enabled))
    return {"enabled": exchange.limits.enabled, "refused": exchange.limits.refused}


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
    found = find_order(exchange, str(body["order_id"]))
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


# Price changes, fills and withdrawals made outside the order protocol


def set_price(exchange: Exchange, symbol: str, price: Decimal) -> None:
    exchange.prices.set_price(symbol, exchange.at_ms, price)
    price_changed(exchange)


def move_price(exchange: Exchange, symbol: str, percent: Decimal) -> None:
    exchange.prices.move(symbol, exchange.at_ms, percent)
    price_changed(exchange)


def set_mark_gap(exchange: Exchange, symbol: str, ratio: Decimal | None) -> None:
    exchange.prices.set_mark_gap(symbol, ratio)
    price_changed(exchange)


def set_spread(exchange: Exchange, symbol: str, ratio: Decimal | None) -> None:
    exchange.prices.set_spread(symbol, ratio)
    exchange.revision += 1


def change_rules(exchange: Exchange, symbol: str, changes: Mapping[str, Any]) -> None:
    """New rules of an instrument, in the catalogue and for every order from now on; resting orders stay as they are."""
    exchange.prices.change_rules(symbol, changes)
    rows = {row["symbol"]: row for row in exchange.prices.instruments_rows()}
    exchange.instruments[symbol] = instrument_from_row(rows[symbol])
    exchange.revision += 1


def price_changed(exchange: Exchange) -> None:
    exchange.match_now()
    exchange.revision += 1


def find_order(exchange: Exchange, order_id: str) -> Order:
    """By either id, in either name space; the advanced order where both name spaces use the same id."""
    names: tuple[NameSpace, NameSpace] = ("advanced", "plain")
    for name in names:
        found = exchange.stores[name].by_id.get(order_id)
        if found is not None:
            return found
    for order in exchange.stores["advanced"].by_id.values():
        if order.exchange_order_id == order_id:
            return order
    raise ValueError(f"no order {order_id}")


def fill_order(
    exchange: Exchange, which: str | Order, *, quantity: Decimal | None, price: Decimal | None
) -> Order:
    """Execute a quantity (default the remainder) of an open order against a counterparty; untriggered ones trigger.

    Where both name spaces use the same ids (option order_id_ranges), pass the order itself.
    """
    order = find_order(exchange, which) if isinstance(which, str) else which
    if not order.is_open:
        raise ValueError(f"order {order.order_id} is {order.status}")
    requested = order.remaining if quantity is None else quantity
    at = price or order.limit_price or matching.taker_price(exchange, order)
    if not 0 < requested <= order.remaining:
        raise ValueError(f"{requested} is not within the remaining {order.remaining}")
    funded = not order.waits_for_trigger or settlement.can_afford(exchange, order)
    if not funded or not matching.can_pay(exchange, order, requested, at):
        raise Refusal(306)
    order.triggered = order.triggered or order.waits_for_trigger
    order.status = "ACTIVE"
    settlement.enter_book(exchange, order)
    settlement.fill(exchange, order, requested, at, taker=False)
    return order


def place_market_order(exchange: Exchange, symbol: str, side: str, amount_usd: Decimal) -> Order:
    """A market order by another program of the same account, for the whole lots that are worth `amount_usd`."""
    if side not in ("BUY", "SELL"):
        raise ValueError(f"{side} is neither BUY nor SELL")
    instrument = exchange.instruments[symbol]
    price = (exchange.prices.ask if side == "BUY" else exchange.prices.bid)(symbol, exchange.at_ms)
    value = price * exchange.usd(instrument.quote)
    quantity = quantity_for_value(amount_usd, value, instrument) if value and amount_usd > 0 else Decimal(0)
    if not quantity:
        raise Refusal(213, "the amount is less than the smallest quantity")
    call = Call(
        method="private/create-order",
        params={
            "instrument_name": symbol,
            "side": side,
            "type": "MARKET",
            "quantity": decimal_text(quantity),
        },
        default_client_oid=f"hand-{exchange.at_ms}-{exchange.revision}",
    )
    order_id = order_entry.create_plain(exchange, call)["order_id"]
    return exchange.stores["plain"].by_id[order_id]


def withdraw_funds(exchange: Exchange, currency: str, amount: Decimal, *, force: bool) -> None:
    """30024 when it exceeds the available balance, or with `force` the whole balance."""
    maximum = exchange.ledger.balance_of(currency) if force else settlement.available(exchange, currency)
    if amount > maximum:
        raise Refusal(30024)
    exchange.deposit(currency, -amount)
