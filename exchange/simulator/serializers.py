"""Orders, trades and the account view as rows of the wire, after recorded answers (dossier 5.6, 5.16, 5.19)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import settlement
from exchange.simulator.instruments import (
    ZERO,
    decimal_text,
    normalized,
    on_grid,
    quantize_to_step,
    trimmed_text,
    truncate_to_8,
)
from exchange.simulator.models import ADVANCED, NS_PER_MS, TRIGGERS, NameSpace, Order, Row, Trade, haircut

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

HALF, POSITION_LIMIT_FACTOR = Decimal("0.5"), 20
INITIAL_MARGIN_RATE = Decimal("0.05")  # of a derivative position's value: chosen, the dossier has no rate


# Orders and trades


def order_row(exchange: Exchange, order: Order, name_space: NameSpace) -> Row:
    """Fields in recorded order. Only ended plain rows have the fee rates and ref_price_type."""
    instrument = exchange.instruments[order.instrument_name]
    row: Row = {
        "account_id": exchange.account_uuid,
        "order_id": exchange.stores[name_space].key(order),
        "client_oid": order.client_oid,
        "order_type": order.order_type if name_space == order.name_space else order.live_type,
        "time_in_force": order.time_in_force,
        "side": order.side,
        "exec_inst": list(order.exec_inst),
        "quantity": decimal_text(on_grid(order.quantity, instrument.lot)),
    }
    if order.limit_price is not None:
        row["limit_price"] = decimal_text(on_grid(order.limit_price, instrument.price_tick))
    row["order_value"] = decimal_text(order.order_value)
    row |= {} if order.is_open else {"maker_fee_rate": "0", "taker_fee_rate": "0"}
    row |= {
        "avg_price": average_price(order, instrument.price_tick),
        **reference_fields(order, instrument.price_tick),
    }
    row |= execution_fields(exchange, order, instrument.lot)
    row |= {
        "status": visible_status(exchange, order),
        "update_user_id": exchange.user_uuid,
        "order_date": date_text(order.create_time_ns),
        "instrument_name": order.instrument_name,
        "fee_instrument_name": order.fee_instrument_name,
        "reason": order.reason if exchange.behaviour.reason_type == "number" else str(order.reason),
    }
    if name_space == ADVANCED:
        row |= advanced_fields(exchange, order)
    return row | time_fields(order)


def average_price(order: Order, tick: Decimal) -> str:
    """Cumulative value over quantity; on the tick where it fits, else six digits finer."""
    if not order.cumulative_quantity:
        return "0"
    value = order.cumulative_value / order.cumulative_quantity
    if value % tick == 0:
        return decimal_text(quantize_to_step(value, tick))
    return decimal_text(normalized(quantize_to_step(value, tick / 1_000_000)))


def reference_fields(order: Order, tick: Decimal) -> Row:
    if order.ref_price is not None:
        price = decimal_text(on_grid(order.ref_price, tick))
        return {"ref_price": price, "ref_price_type": order.ref_price_type}
    return {"ref_price": "0"} if order.is_open else {"ref_price": "0", "ref_price_type": "NULL_VAL"}


def execution_fields(exchange: Exchange, order: Order, lot: Decimal) -> Row:
    """The executed amounts. Advanced legs showed the fee with the opposite sign (D24)."""
    executed, fee = order.cumulative_quantity, order.cumulative_fee
    if order.name_space == ADVANCED and exchange.behaviour.advanced_fee_sign == "negative":
        fee = -fee
    return {
        "cumulative_quantity": decimal_text(on_grid(executed, lot)) if executed else "0",
        "cumulative_value": decimal_text(order.cumulative_value) if executed else "0",
        "cumulative_fee": trimmed_text(fee),
    }


def advanced_fields(exchange: Exchange, order: Order) -> Row:
    row: Row = {}
    if order.list_id:
        row |= {
            "list_id": order.list_id,
            "contingency_type": order.contingency_type,
            "leg_id": order.leg_id,
        }
    if order.attach_order_id:
        row["attach_order_id"] = order.attach_order_id
    if order.exchange_order_id and exchange.behaviour.exchange_order_id == "when_live":
        row["exchange_order_id"] = order.exchange_order_id
    if order.status == "REJECTED":
        row["reject_reason"] = str(order.reason)
    if order.order_type in TRIGGERS and order.limit_price is None:
        row["limit_price"] = "0"
    return row


def time_fields(order: Order) -> Row:
    return {
        "create_time": order.create_time_ns // NS_PER_MS,
        "create_time_ns": str(order.create_time_ns),
        "update_time": order.update_time_ns // NS_PER_MS,
    }


def visible_status(exchange: Exchange, order: Order) -> str:
    """An order that is readable but not yet acknowledged shows PENDING or NEW (option fresh_order)."""
    fresh = order.is_open and order.active_from_ms > exchange.at_ms
    return (
        exchange.behaviour.fresh_order
        if fresh and exchange.behaviour.fresh_order != "unreadable"
        else order.status
    )


def is_readable(exchange: Exchange, order: Order) -> bool:
    """Whether reads show the order: not hidden by a fault, and not too new (dossier 10.19)."""
    too_fresh = order.active_from_ms > exchange.at_ms and exchange.behaviour.fresh_order == "unreadable"
    return not too_fresh and order.hidden_until_ms <= exchange.at_ms


def trade_row(exchange: Exchange, trade: Trade) -> Row:
    instrument = exchange.instruments[trade.instrument_name]
    row: Row = {
        "account_id": exchange.account_uuid,
        "event_date": date_text(trade.create_time_ns),
        "journal_type": "TRADING",
        "side": trade.side,
        "instrument_name": trade.instrument_name,
        "fees": trimmed_text(trade.fee),
        "fee_credits": "0",
        "trade_id": trade.trade_id,
        "trade_match_id": trade.trade_match_id,
        "create_time": trade.create_time_ns // NS_PER_MS,
        "traded_price": decimal_text(on_grid(trade.price, instrument.price_tick)),
        "traded_quantity": decimal_text(on_grid(trade.quantity, instrument.lot)),
        "fee_instrument_name": trade.fee_instrument_name,
        "client_oid": trade.client_oid,
        "taker_side": trade.taker_side,
        "order_id": trade.order_id,
        "match_count": 1,
        "create_time_ns": str(trade.create_time_ns),
        "transact_time_ns": str(trade.create_time_ns - 80_603),
    }
    return row if trade.taker_side == "TAKER" else row | {"match_index": 0}


def date_text(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")


# The account view, with the recorded arithmetic (dossier 5.6)


def balance_row(exchange: Exchange) -> Row:
    held_tokens = holdings(exchange)
    cash = sum((truncate_to_8(each.quantity * each.usd) for each in held_tokens), ZERO)
    margin = sum((each.value for each in held_tokens), ZERO)
    haircut_value = sum((each.haircut_value for each in held_tokens), ZERO)
    exposure = sum((each.value for each in held_tokens if each.currency != "USD"), ZERO)
    needed = position_margin(exchange)
    return {
        "total_risk_exposure": trimmed_text(exposure),
        "total_available_balance": trimmed_text(margin - haircut_value - needed),
        "total_margin_balance": trimmed_text(margin),
        "total_initial_margin": trimmed_text(haircut_value + needed),
        "total_haircut": trimmed_text(haircut_value),
        "total_position_im": trimmed_text(needed),
        "total_maintenance_margin": trimmed_text((haircut_value + needed) * HALF),
        "total_position_cost": trimmed_text(position_cost(exchange)),
        "total_cash_balance": trimmed_text(cash),
        "total_collateral_value": trimmed_text(margin - haircut_value),
        "total_session_unrealized_pnl": "0",
        "instrument_name": "USD",
        "total_session_realized_pnl": "0",
        "position_balances": [token_row(each) for each in held_tokens],
        "credit_limits": [],
        "total_isolated_cash_balance": "0",
        "isolated_positions": [],
        "total_effective_leverage": leverage(exposure, margin),
        "position_limit": trimmed_text(truncate_to_8(POSITION_LIMIT_FACTOR * unrounded_value(held_tokens))),
        "used_position_limit": trimmed_text(exposure),
        "total_borrow": "0",
        "is_liquidating": False,
        "has_risk": False,
        "terminatable": is_idle(exchange),
    }


def token_row(holding: Holding) -> Row:
    return {
        "quantity": trimmed_text(holding.quantity),
        "reserved_qty": trimmed_text(holding.shown_reserved),
        "collateral_amount": trimmed_text(holding.value - holding.haircut_value),
        "haircut": trimmed_text(haircut(holding.currency)),
        "collateral_eligible": True,
        "market_value": trimmed_text(holding.value),
        "max_withdrawal_balance": trimmed_text(truncate_to_8(max(holding.free, ZERO))),
        "instrument_name": holding.currency,
        "hourly_interest_rate": "0",
    }


@dataclass(frozen=True, slots=True)
class Holding:
    """One token: quantity, reserved amount, the part of it that the answer shows, and USD per unit."""

    currency: str
    quantity: Decimal
    reserved: Decimal
    hidden_reserved: Decimal
    shown_reserved: Decimal
    usd: Decimal

    @property
    def free(self) -> Decimal:
        return self.quantity - self.hidden_reserved - self.shown_reserved

    @property
    def value(self) -> Decimal:
        return truncate_to_8((self.quantity - self.hidden_reserved) * self.usd)

    @property
    def haircut_value(self) -> Decimal:
        return truncate_to_8(self.value * haircut(self.currency))


def holdings(exchange: Exchange) -> list[Holding]:
    """Tokens with a balance; options decide where the reservation shows (D28, 11.16)."""
    reserved = settlement.reserved(exchange)
    sold = (
        settlement.reserved(exchange, side="SELL")
        if exchange.behaviour.sell_reservation != "like_buys"
        else {}
    )
    found = []
    for currency, quantity in exchange.ledger.balances.items():
        if quantity:
            amount, by_sells = reserved.get(currency, ZERO), sold.get(currency, ZERO)
            hidden, shown = split_reserved(exchange, amount, by_sells)
            found.append(Holding(currency, quantity, amount, hidden, shown, exchange.usd(currency)))
    return found


def split_reserved(exchange: Exchange, amount: Decimal, by_sells: Decimal) -> tuple[Decimal, Decimal]:
    """(reserved amount that only lowers values, reserved amount shown as reserved_qty)."""
    rest, shown = amount - by_sells, ZERO
    if exchange.behaviour.sell_reservation == "reserved_qty":
        shown = by_sells
    return (ZERO, shown + rest) if exchange.behaviour.reserved_qty == "amount" else (rest, shown)


def unrounded_value(held_tokens: list[Holding]) -> Decimal:
    return sum(((each.quantity - each.hidden_reserved) * each.usd for each in held_tokens), ZERO)


def position_margin(exchange: Exchange) -> Decimal:
    """The margin of derivative positions; zero without any, as in every recording."""
    holding = exchange.positions.values()
    marks = (
        abs(each.quantity) * exchange.prices.mark(each.instrument_name, exchange.at_ms) for each in holding
    )
    return truncate_to_8(sum(marks, ZERO) * INITIAL_MARGIN_RATE)


def position_cost(exchange: Exchange) -> Decimal:
    return truncate_to_8(
        sum((abs(each.quantity) * each.entry_price for each in exchange.positions.values()), ZERO)
    )


def leverage(exposure: Decimal, margin: Decimal) -> str:
    return trimmed_text((exposure / margin).quantize(Decimal("0.000001"))) if margin else "0"


def is_idle(exchange: Exchange) -> bool:
    """False while orders are open, as in the recordings."""
    first: Order | None = next(iter(exchange.open_orders()), None)
    return first is None
