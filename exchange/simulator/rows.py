"""Orders and trades as they look on the wire, after the recorded answers (dossier 5.16, 5.19)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator.decimals import normal, plain, short, with_step
from exchange.simulator.records import ADVANCED, NS, TRIGGERS, NameSpace, Order, Row, Trade

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange


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
