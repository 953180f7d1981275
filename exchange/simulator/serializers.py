"""Orders and trades as they look on the wire, after the recorded answers (dossier 5.16, 5.19).

The USD account view of private/user-balance, with the recorded arithmetic (dossier 5.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import settlement
from exchange.simulator.instruments import ZERO, eight, normal, plain, short, with_step
from exchange.simulator.models import ADVANCED, NS, TRIGGERS, NameSpace, Order, Row, Trade, haircut

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


def order_row(x: Exchange, order: Order, name_space: NameSpace) -> Row:
    """Fields in recorded order. Open plain rows lack the fee rates and ref_price_type, ended ones have them."""
    instrument = x.instruments[order.instrument_name]
    row: Row = {
        "account_id": x.account_uuid,
        "order_id": x.stores[name_space].key(order),
        "client_oid": order.client_oid,
        "order_type": order.order_type if name_space == order.name_space else order.live_type,
        "time_in_force": order.time_in_force,
        "side": order.side,
        "exec_inst": list(order.exec_inst),
        "quantity": plain(with_step(order.quantity, instrument.lot)),
    }
    if order.limit_price is not None:
        row["limit_price"] = plain(with_step(order.limit_price, instrument.price_tick))
    row["order_value"] = plain(order.order_value)
    row |= {} if order.is_open else {"maker_fee_rate": "0", "taker_fee_rate": "0"}
    row |= {"avg_price": average(order, instrument.price_tick), **reference(order, instrument.price_tick)}
    row |= sums(x, order, instrument.lot)
    row |= {
        "status": shown_status(x, order),
        "update_user_id": x.user_uuid,
        "order_date": date_of(order.create_time_ns),
        "instrument_name": order.instrument_name,
        "fee_instrument_name": order.fee_instrument_name,
        "reason": order.reason if x.quirks.reason_type == "number" else str(order.reason),
    }
    if name_space == ADVANCED:
        row |= advanced_fields(x, order)
    return row | times(order)


def average(order: Order, tick: Decimal) -> str:
    """Cumulative value over quantity; on the tick where it fits, else six digits finer."""
    if not order.cumulative_quantity:
        return "0"
    value = order.cumulative_value / order.cumulative_quantity
    if value % tick == 0:
        return plain(with_step(value, tick))
    return plain(normal(with_step(value, tick / 1_000_000)))


def reference(order: Order, tick: Decimal) -> Row:
    if order.ref_price is not None:
        price = plain(with_step(order.ref_price, tick))
        return {"ref_price": price, "ref_price_type": order.ref_price_type}
    return {"ref_price": "0"} if order.is_open else {"ref_price": "0", "ref_price_type": "NULL_VAL"}


def sums(x: Exchange, order: Order, lot: Decimal) -> Row:
    """Executed so far. Advanced legs showed the fee with the other sign (D24)."""
    executed, fee = order.cumulative_quantity, order.cumulative_fee
    if order.name_space == ADVANCED and x.quirks.advanced_fee_sign == "negative":
        fee = -fee
    return {
        "cumulative_quantity": plain(with_step(executed, lot)) if executed else "0",
        "cumulative_value": plain(order.cumulative_value) if executed else "0",
        "cumulative_fee": short(fee),
    }


def shown_status(x: Exchange, order: Order) -> str:
    """A fresh order that is readable but not yet acknowledged shows PENDING or NEW (quirk)."""
    fresh = order.is_open and order.active_from_ms > x.at_ms
    return x.quirks.fresh_order if fresh and x.quirks.fresh_order != "unreadable" else order.status


def readable(x: Exchange, order: Order) -> bool:
    """Not hidden by a trouble, and not too fresh to be read (dossier 10.19)."""
    unborn = order.active_from_ms > x.at_ms and x.quirks.fresh_order == "unreadable"
    return not unborn and order.hidden_until_ms <= x.at_ms


def advanced_fields(x: Exchange, order: Order) -> Row:
    row: Row = {}
    if order.list_id:
        row |= {
            "list_id": order.list_id,
            "contingency_type": order.contingency_type,
            "leg_id": order.leg_id,
        }
    if order.exchange_order_id and x.quirks.exchange_order_id == "when_live":
        row["exchange_order_id"] = order.exchange_order_id
    if order.status == "REJECTED":
        row["reject_reason"] = str(order.reason)
    if order.order_type in TRIGGERS and order.limit_price is None:
        row["limit_price"] = "0"
    return row


def times(order: Order) -> Row:
    return {
        "create_time": order.create_time_ns // NS,
        "create_time_ns": str(order.create_time_ns),
        "update_time": order.update_time_ns // NS,
    }


def trade_row(x: Exchange, trade: Trade) -> Row:
    instrument = x.instruments[trade.instrument_name]
    row: Row = {
        "account_id": x.account_uuid,
        "event_date": date_of(trade.create_time_ns),
        "journal_type": "TRADING",
        "side": trade.side,
        "instrument_name": trade.instrument_name,
        "fees": short(trade.fee),
        "fee_credits": "0",
        "trade_id": trade.trade_id,
        "trade_match_id": trade.trade_match_id,
        "create_time": trade.create_time_ns // NS,
        "traded_price": plain(with_step(trade.price, instrument.price_tick)),
        "traded_quantity": plain(with_step(trade.quantity, instrument.lot)),
        "fee_instrument_name": trade.fee_instrument_name,
        "client_oid": trade.client_oid,
        "taker_side": trade.taker_side,
        "order_id": trade.order_id,
        "match_count": 1,
        "create_time_ns": str(trade.create_time_ns),
        "transact_time_ns": str(trade.create_time_ns - 80_603),
    }
    return row if trade.taker_side == "TAKER" else row | {"match_index": 0}


def date_of(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")


HALF, LIMIT_TIMES = Decimal("0.5"), 20
INITIAL = Decimal("0.05")  # of a derivative position's value: chosen, the dossier has no rate


@dataclass(frozen=True, slots=True)
class Holding:
    """One token: owned, locked, worth per unit, and what the answer admits of the lock."""

    currency: str
    quantity: Decimal
    locked: Decimal
    hidden_lock: Decimal
    shown_lock: Decimal
    usd: Decimal

    @property
    def free(self) -> Decimal:
        return self.quantity - self.hidden_lock - self.shown_lock

    @property
    def value(self) -> Decimal:
        return eight((self.quantity - self.hidden_lock) * self.usd)

    @property
    def cut(self) -> Decimal:
        return eight(self.value * haircut(self.currency))


def holdings(x: Exchange) -> list[Holding]:
    """Tokens that are owned; where a lock shows depends on quirks D28 and 11.16."""
    locked = settlement.reserved(x)
    sold = settlement.reserved_by(x, "SELL") if x.quirks.sell_reservation != "like_buys" else {}
    found = []
    for currency, quantity in x.ledger.balances.items():
        if quantity:
            lock, by_sells = locked.get(currency, ZERO), sold.get(currency, ZERO)
            hidden, shown = split_lock(x, lock, by_sells)
            found.append(Holding(currency, quantity, lock, hidden, shown, x.usd(currency)))
    return found


def split_lock(x: Exchange, lock: Decimal, by_sells: Decimal) -> tuple[Decimal, Decimal]:
    """(lock that only lowers values, lock that shows as reserved_qty)."""
    rest, shown = lock - by_sells, ZERO
    if x.quirks.sell_reservation == "reserved_qty":
        shown = by_sells
    return (ZERO, shown + rest) if x.quirks.reserved_qty == "amount" else (rest, shown)


def balance_row(x: Exchange) -> Row:
    owned = holdings(x)
    cash = sum((eight(each.quantity * each.usd) for each in owned), ZERO)
    margin = sum((each.value for each in owned), ZERO)
    cut = sum((each.cut for each in owned), ZERO)
    exposure = sum((each.value for each in owned if each.currency != "USD"), ZERO)
    needed = position_margin(x)
    return {
        "total_risk_exposure": short(exposure),
        "total_available_balance": short(margin - cut - needed),
        "total_margin_balance": short(margin),
        "total_initial_margin": short(cut + needed),
        "total_haircut": short(cut),
        "total_position_im": short(needed),
        "total_maintenance_margin": short((cut + needed) * HALF),
        "total_position_cost": short(position_cost(x)),
        "total_cash_balance": short(cash),
        "total_collateral_value": short(margin - cut),
        "total_session_unrealized_pnl": "0",
        "instrument_name": "USD",
        "total_session_realized_pnl": "0",
        "position_balances": [position_row(each) for each in owned],
        "credit_limits": [],
        "total_isolated_cash_balance": "0",
        "isolated_positions": [],
        "total_effective_leverage": leverage(exposure, margin),
        "position_limit": short(eight(LIMIT_TIMES * unrounded(owned))),
        "used_position_limit": short(exposure),
        "total_borrow": "0",
        "is_liquidating": False,
        "has_risk": False,
        "terminatable": is_idle(x),
    }


def position_margin(x: Exchange) -> Decimal:
    """What derivatives tie up; nothing on an account that has none, as in every recording."""
    held = x.positions.values()
    marks = (abs(each.quantity) * x.prices.mark(each.instrument_name, x.at_ms) for each in held)
    return eight(sum(marks, ZERO) * INITIAL)


def position_cost(x: Exchange) -> Decimal:
    return eight(sum((abs(each.quantity) * each.entry_price for each in x.positions.values()), ZERO))


def position_row(held: Holding) -> Row:
    return {
        "quantity": short(held.quantity),
        "reserved_qty": short(held.shown_lock),
        "collateral_amount": short(held.value - held.cut),
        "haircut": short(haircut(held.currency)),
        "collateral_eligible": True,
        "market_value": short(held.value),
        "max_withdrawal_balance": short(eight(max(held.free, ZERO))),
        "instrument_name": held.currency,
        "hourly_interest_rate": "0",
    }


def unrounded(owned: list[Holding]) -> Decimal:
    return sum(((each.quantity - each.hidden_lock) * each.usd for each in owned), ZERO)


def leverage(exposure: Decimal, margin: Decimal) -> str:
    return short((exposure / margin).quantize(Decimal("0.000001"))) if margin else "0"


def is_idle(x: Exchange) -> bool:
    """Turned false in the recordings while orders were open."""
    first: Order | None = next(iter(x.open_orders()), None)
    return first is None
