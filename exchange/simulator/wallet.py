"""Deposits, withdrawals and the journal of all movements (additions D1), and sub-accounts, of which there are none."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.core.times import from_ms
from exchange.simulator import parameters
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import ZERO, trimmed_text
from exchange.simulator.models import NS_PER_MS, Row, Trade, Transfer
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 200, 20
ADDRESS = "0x0000000000000000000000000000000000000000"
ARRIVED, COMPLETED = "1", "5"  # status of a deposit, and of a withdrawal


def deposit_history(exchange: Exchange, call: Call) -> Row:
    return {"deposit_list": [transfer_row(each, ARRIVED) for each in transfers(exchange, call, sign=1)]}


def withdrawal_history(exchange: Exchange, call: Call) -> Row:
    rows = [transfer_row(each, COMPLETED) for each in transfers(exchange, call, sign=-1)]
    return {"withdrawal_list": [row | {"client_wid": "", "txid": row["id"]} for row in rows]}


def transfers(exchange: Exchange, call: Call, *, sign: int) -> list[Transfer]:
    """Newest first. A key without the right to withdraw cannot read them (option, additions K11)."""
    if exchange.behaviour.wallet_history == "refused":
        raise Refusal(40101)
    params = call.params
    currency = parameters.text_param(params, "currency")
    start = parameters.time_param_ns(params, "start_ts") or 0
    end = parameters.time_param_ns(params, "end_ts")
    size = whole_number(params, "page_size", DEFAULT_PAGE_SIZE)
    first = whole_number(params, "page", 0) * size
    found = [
        each
        for each in reversed(exchange.ledger.transfers)
        if each.amount * sign > 0
        and currency in (None, each.currency)
        and start <= each.time_ns
        and (end is None or each.time_ns < end)
    ]
    return found[first : first + min(size, MAX_PAGE_SIZE)]


def whole_number(params: Row, name: str, default: int) -> int:
    value = parameters.text_param(params, name) or str(default)
    if not value.isdigit():
        raise Refusal(40003)
    return int(value)


def transfer_row(transfer: Transfer, status: str) -> Row:
    ms = transfer.time_ns // NS_PER_MS
    return {
        "currency": transfer.currency,
        "fee": 0,
        "create_time": ms,
        "id": transfer.journal_id,
        "update_time": ms,
        "amount": float(abs(transfer.amount)),
        "address": ADDRESS,
        "status": status,
    }


def transactions(exchange: Exchange, call: Call) -> Row:
    """One row for each currency that moved, newest first: base, quote and fee of a trade, deposits, withdrawals."""
    size = parameters.page_size(exchange, call.params)
    start, end = parameters.time_window(exchange, call.params, "any")
    wanted = (call.params.get("instrument_name"), call.params.get("journal_type"))
    rows = [row for trade in exchange.trades.between(start, end) for row in trade_rows(exchange, trade)]
    rows += [
        journal_row(exchange, each.journal_id, each.currency, each.amount, each.time_ns, kind_of(each))
        for each in exchange.ledger.transfers
        if start <= each.time_ns < end
    ]
    rows.sort(key=lambda row: int(row["event_timestamp_ns"]), reverse=True)
    found = [
        row
        for row in rows
        if all(
            value in (None, row[name])
            for value, name in zip(wanted, ("instrument_name", "journal_type"), strict=True)
        )
    ]
    return {"data": found[:size]}


def kind_of(transfer: Transfer) -> str:
    return "ONCHAIN_DEPOSIT" if transfer.amount > 0 else "ONCHAIN_WITHDRAWAL"


def trade_rows(exchange: Exchange, trade: Trade) -> Iterator[Row]:
    instrument, sign = exchange.instruments[trade.instrument_name], 1 if trade.side == "BUY" else -1
    value = trade.quantity * trade.price
    moved = (
        (instrument.base, sign * trade.quantity, "TRADING"),
        (instrument.quote, -sign * value, "TRADING"),
        (trade.fee_instrument_name, trade.fee, "TRADE_FEE"),
    )
    ids = {
        "order_id": trade.order_id,
        "trade_id": trade.trade_id,
        "trade_match_id": trade.trade_match_id,
        "client_oid": trade.client_oid,
        "taker_side": trade.taker_side,
    }
    for place, (currency, amount, kind) in enumerate(moved, start=1):
        if not amount:
            continue
        journal_id = str(int(trade.trade_id) * len(moved) + place)
        row = journal_row(exchange, journal_id, currency, amount, trade.create_time_ns, kind) | ids
        side = "NULL_VAL" if kind == "TRADE_FEE" else "BUY" if amount > 0 else "SELL"
        yield row | {"side": side, "transaction_cost": trimmed_text(sign * value if place == 1 else amount)}


def journal_row(
    exchange: Exchange, journal_id: str, currency: str, amount: Decimal, time_ns: int, kind: str
) -> Row:
    ms = time_ns // NS_PER_MS
    return {
        "account_id": exchange.account_uuid,
        "event_date": f"{from_ms(ms):%Y-%m-%d}",
        "journal_type": kind,
        "journal_id": journal_id,
        "transaction_qty": trimmed_text(amount),
        "transaction_cost": trimmed_text(ZERO),
        "realized_pnl": "0",
        "order_id": "0",
        "trade_id": "0",
        "trade_match_id": "0",
        "event_timestamp_ms": str(ms),
        "event_timestamp_ns": str(time_ns),
        "client_oid": "",
        "taker_side": "",
        "side": "NULL_VAL",
        "instrument_name": currency,
    }


def subaccount_balances(exchange: Exchange, call: Call) -> Row:
    """A master account without sub-accounts."""
    return {"data": []}
