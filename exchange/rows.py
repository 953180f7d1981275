"""An order as it is shown: the same row on the page and in the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from exchange.models import ExchangeOrder, Instrument

UsdPrices = Mapping[str, Decimal]
"""What one unit of a currency is worth in USD; a currency that is not in it has no known price."""

UNKNOWN = "UNKNOWN"
"""The status shown for an order that we believed open and that the exchange does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What was charged for an order: positive was paid. None is not known, or not one currency."""

    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleRow:
    """One bar: it began at `opened_at`, and may still change until `is_closed`."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    is_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order. `price_decimals` and `quantity_decimals` are those of the instrument's grid, if known."""

    id: int
    order_id: str
    exchange_order_id: str | None
    client_oid: str | None
    instrument_name: str
    side: str
    order_type: str
    order_role: str | None
    origin: str
    status: str
    price: Decimal | None
    trigger_price: Decimal | None
    quantity: Decimal | None
    filled_quantity: Decimal
    average_price: Decimal | None
    value_usd: Decimal | None
    oco_group_id: UUID | None
    created_at: datetime
    updated_at: datetime
    fee: Decimal | None
    fee_currency: str | None
    price_decimals: int | None
    quantity_decimals: int | None


def order_row(
    order: ExchangeOrder, *, instrument: Instrument | None, usd_prices: UsdPrices, fee: Fee
) -> OrderRow:
    """`order` with what belongs beside it; blank text becomes None."""
    return OrderRow(
        id=order.pk,
        order_id=order.order_id,
        exchange_order_id=order.exchange_order_id or None,
        client_oid=order.client_oid or None,
        instrument_name=order.instrument_name,
        side=order.side,
        order_type=order.order_type,
        order_role=order.order_role or None,
        origin=order.origin,
        status=UNKNOWN if order.missing_since else order.status,
        price=order.price,
        trigger_price=order.trigger_price,
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        average_price=order.average_price,
        value_usd=_value_usd(order, instrument, usd_prices),
        oco_group_id=order.oco_group_id,
        created_at=order.created_at,
        updated_at=order.updated_at,
        fee=fee.amount,
        fee_currency=fee.currency,
        price_decimals=decimals_of(instrument.price_tick_size) if instrument else None,
        quantity_decimals=decimals_of(instrument.qty_tick_size) if instrument else None,
    )


def decimals_of(tick: Decimal) -> int:
    """Digits after the point of the multiples of `tick`: 2 for 0.01, 1 for 0.50, 0 for 10000."""
    exponent = tick.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _value_usd(order: ExchangeOrder, instrument: Instrument | None, usd_prices: UsdPrices) -> Decimal | None:
    """What an open order is for and what a finished one moved; None while any factor is unknown."""
    value = _whole_value(order) if order.is_open else _filled_value(order)
    price = usd_prices.get(instrument.quote_ccy) if instrument else None
    return None if value is None or price is None else value * price


def _whole_value(order: ExchangeOrder) -> Decimal | None:
    """In the quote currency, at the limit, or at the trigger of an order without one."""
    price = order.price or order.trigger_price
    counted = price is None or order.quantity is None
    value: Decimal | None = order.order_value if counted else price * order.quantity
    return value


def _filled_value(order: ExchangeOrder) -> Decimal | None:
    counted = order.filled_value is not None or order.average_price is None
    value: Decimal | None = order.filled_value if counted else order.filled_quantity * order.average_price
    return value
