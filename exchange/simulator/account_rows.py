"""The account methods that no order changes: identity, fee rates, positions, networks, balance history."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import calls, history
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal
from exchange.simulator.decimals import ZERO, eight, plain, short
from exchange.simulator.instruments import usd_price
from exchange.simulator.records import Position, Row

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
TEN_DIGITS = Decimal("0.0000000001")
DERIVATIVE_BPS = (Decimal("1.1"), Decimal(3))


def accounts(x: Exchange, call: Call) -> Row:
    """A master account without sub-accounts and without access to derivatives."""
    master = {
        "uuid": x.account_uuid,
        "hierarchy": "MASTER",
        "master_account_uuid": x.account_uuid,
        "margin_account_uuid": x.account_uuid,
        "enabled": True,
        "tradable": True,
        "name": "",
        "email": "",
        "margin_access": "DISABLED",
        "derivatives_access": "DISABLED",
        "create_time": 1620962543792,
        "update_time": 1622019525960,
        "two_fa_enabled": True,
        "kyc_level": "ADVANCED",
        "suspended": False,
        "terminated": False,
    }
    identity = {"uuid": x.account_uuid, "hierarchy": "MASTER"}
    return {"this_account": identity, "master_account": master, "sub_account_list": []}


def fee_rate(x: Exchange, call: Call) -> Row:
    maker, taker = DERIVATIVE_BPS
    return {
        "spot_tier": "1",
        "deriv_tier": "1",
        "effective_spot_maker_rate_bps": bps(x.fees.maker_bps),
        "effective_spot_taker_rate_bps": bps(x.fees.taker_bps),
        "effective_deriv_maker_rate_bps": bps(maker),
        "effective_deriv_taker_rate_bps": bps(taker),
    }


def instrument_fee_rate(x: Exchange, call: Call) -> Row:
    instrument = x.instruments.get(str(call.params.get("instrument_name")))
    if instrument is None:
        raise Refusal(209)
    maker, taker = (x.fees.maker_bps, x.fees.taker_bps) if instrument.is_spot else DERIVATIVE_BPS
    return {
        "instrument_name": instrument.symbol,
        "effective_maker_rate_bps": bps(maker),
        "effective_taker_rate_bps": bps(taker),
    }


def bps(rate: Decimal) -> str:
    return plain(rate.quantize(TEN_DIGITS))


def positions(x: Exchange, call: Call) -> Row:
    wanted = call.params.get("instrument_name")
    return {
        "data": [
            position_row(x, each) for each in x.positions.values() if wanted in (None, each.instrument_name)
        ]
    }


def position_row(x: Exchange, position: Position) -> Row:
    """Cost at the entry price; profit against mark."""
    cost = position.quantity * position.entry_price
    profit = position.quantity * x.prices.mark(position.instrument_name, x.at_ms) - cost
    return {
        "account_id": x.account_uuid,
        "quantity": short(position.quantity),
        "cost": short(cost),
        "open_pos_cost": short(cost),
        "open_position_pnl": short(profit),
        "session_pnl": "0",
        "update_timestamp_ms": position.update_time_ms,
        "instrument_name": position.instrument_name,
        "type": "PERPETUAL_SWAP",
    }


def currency_networks(x: Exchange, call: Call) -> Row:
    """One invented network for every token; wallet methods answer in strings (dossier 0)."""
    tokens = sorted({each for row in x.instruments.values() for each in (row.base, row.quote)})
    return {"update_time": str(x.at_ms), "currency_map": {token: network(token) for token in tokens}}


def network(token: str) -> Row:
    only = {
        "network_id": "ETH",
        "withdrawal_fee": "1.00000000",
        "withdraw_enabled": True,
        "min_withdrawal_amount": "2.0",
        "deposit_enabled": True,
        "confirmation_required": "32",
    }
    return {"full_name": token, "default_network": "ETH", "network_list": [only]}


def balance_history(x: Exchange, call: Call) -> Row:
    """What the present holdings were worth at each past full hour or day, newest last."""
    frame = calls.one_of(call.params, "timeframe", ("H1", "D1"), 40003, "D1")
    step, most = (HOUR_MS, 120) if frame == "H1" else (DAY_MS, 30)
    if isinstance(call.params.get("end_time"), str):
        raise Refusal(40003)
    end_ns = history.to_ns(call.params, "end_time")
    newest = (x.at_ms if end_ns is None else end_ns // 1_000_000 - 1) // step * step
    count = history.page_size(x, call.params, most=most)
    moments = [newest - step * back for back in reversed(range(count))]
    return {"instrument_name": "USD", "data": [{"t": ms, "c": short(worth(x, ms))} for ms in moments]}


def worth(x: Exchange, ms: int) -> Decimal:
    owned = [(token, amount) for token, amount in x.ledger.balances.items() if amount]
    return eight(
        sum((amount * usd_price(x.prices, x.instruments, token, ms) for token, amount in owned), ZERO)
    )
