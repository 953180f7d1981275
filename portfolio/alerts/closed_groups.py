"""What an alert reports of a group that one of its own orders closed: quantity, price, result and levels."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exchange.core.reasons import Reason, reason
from exchange.models import ExchangeOrder, Instrument
from exchange.selectors import decimals_of
from oco.engine.pricing import ExitSide
from oco.engine.states import State
from oco.models import OcoGroup, OcoLeg
from oco.presentation.group_detail import fill_of, fills_of
from oco.presentation.risk_reward import percent_from, rate_of, signed_gain
from portfolio.dashboard.selectors import usd_prices

ZERO = Decimal(0)
CLOSED_BY_FILL = frozenset({State.CLOSED_BY_STOP, State.CLOSED_BY_TARGET, State.CLOSED_BY_EXIT})
"""The states of a group that one of its orders closed."""


def closing_reason(group: OcoGroup) -> Reason:
    """The reason of its alert. Six queries.

    The fill price is in the quote currency, and None until it was read. The result is in USD, before fees, and None
    without an entry price: then a user requested the protection.
    """
    pair = Instrument.objects.filter(symbol=group.instrument_name).first()
    legs = [leg for leg in OcoLeg.objects.filter(group=group) if leg.executed]
    executed = sum((leg.executed for leg in legs), ZERO)
    price = _average_from_trades(group, legs, executed) or _average_from_orders(legs, executed)
    params: dict[str, Any] = {
        "instrument": group.instrument_name,
        "side": group.lot.exit_side,
        "coin": group.lot.base_ccy,
        "quantity": executed,
        "quantity_decimals": decimals_of(pair.qty_tick_size) if pair else None,
        "price": price,
        "price_decimals": decimals_of(pair.price_tick_size) if pair else None,
        "entry": group.entry_price,
        "stop": group.stop_price,
        "target": group.take_profit_price,
    }
    quote_usd = usd_prices().get(pair.quote_ccy) if pair else None
    if group.entry_price and price is not None and quote_usd is not None:
        exit_side: ExitSide = group.lot.exit_side
        entered, left = _rates(group, legs, exit_side, quote_usd)
        params["usd"] = signed_gain(exit_side, price * left - group.entry_price * entered) * executed
        params["percent"] = signed_gain(exit_side, percent_from(group.entry_price, price))
    lines = (_fill_line(price), _result_line(group, params), _levels_line(group))
    return sum((reason(code) for code in lines), reason(group.state, **params))


def _rates(
    group: OcoGroup, legs: Sequence[OcoLeg], exit_side: ExitSide, quote_usd: Decimal
) -> tuple[Decimal, Decimal]:
    # What the quote currency was worth when the position was entered, and when it was left.
    fills = [fill_of(trade) for trade in fills_of(group, legs)]
    entries = [fill for fill in fills if fill.side != exit_side]
    exits = [fill for fill in fills if fill.side == exit_side]
    return rate_of(entries, present=quote_usd) or quote_usd, rate_of(exits, present=quote_usd) or quote_usd


def _fill_line(price: Decimal | None) -> str:
    return "FILL_WITHOUT_PRICE" if price is None else "FILL"


def _result_line(group: OcoGroup, params: dict[str, Any]) -> str:
    if not group.entry_price:
        return "NO_ENTRY_PRICE"
    return "RESULT" if "usd" in params else "RESULT_UNKNOWN"


def _levels_line(group: OcoGroup) -> str:
    if group.state == State.CLOSED_BY_EXIT:
        return "STOP_CROSSED"
    return "STOP_ONLY" if group.take_profit_price is None else "STOP_AND_TARGET"


def _average_from_trades(group: OcoGroup, legs: Sequence[OcoLeg], executed: Decimal) -> Decimal | None:
    """None until the recorded fills add up to what the orders executed."""
    fills = [trade for trade in fills_of(group, legs) if trade.side == group.lot.exit_side]
    total = sum((trade.quantity for trade in fills), ZERO)
    value = sum((trade.quantity * trade.price for trade in fills), ZERO)
    return value / total if total and total == executed else None


def _average_from_orders(legs: Sequence[OcoLeg], executed: Decimal) -> Decimal | None:
    """The same from the average prices of the orders, found by either id (dossier 6.2)."""
    ids = {name for leg in legs for name in (leg.order_id, leg.exchange_order_id) if name}
    orders = [row for row in ExchangeOrder.objects.filter(order_id__in=ids) if row.average_price is not None]
    total = sum((row.filled_quantity for row in orders), ZERO)
    value = sum((row.filled_quantity * row.average_price for row in orders if row.average_price), ZERO)
    return value / total if total and total == executed else None
