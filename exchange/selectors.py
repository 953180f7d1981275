"""Reads orders, fees, candles and the age of the data for pages and API."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet

from exchange.client.error_codes import KEY_CODES
from exchange.core.database import QUERY_BATCH, chunks
from exchange.models import AuditEntry, Candle, ExchangeOrder, Heartbeat, Instrument, SyncRun, Trade

UsdPrices = Mapping[str, Decimal]
"""USD value of one unit by currency; a missing currency has no known price."""

FEE_COLUMNS = ("resolved_order", "quantity", "fee", "fee_currency", "fee_usd", "create_time_ns")
UNKNOWN = "UNKNOWN"
"""Shown status of an order recorded as open that the exchange does not know."""


UNTRIGGERED_STATUSES = ("NEW", "PENDING")
"""Of a stop order that waits for its trigger price: it is active (dossier 6)."""

FILLED_MARKET_BUY = Q(order_type="MARKET", side="BUY", has_fills=True)
"""A market buy for an amount of money ends cancelled although it was filled (dossier 5.11.7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """The fee charged for an order: positive was paid. None is unknown, or not one currency."""

    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleRow:
    """One bar: it starts at `opened_at`, and may change until `is_closed`."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    is_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order, the same on pages, in the API and as CSV.

    `status` is what it means (`shown_status`), `fee` positive when paid. `price_decimals` and `quantity_decimals` are
    those of the instrument's grid, if known.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRow:
    """One fill, the same on pages, in the API and as CSV. `fee` and `fee_usd` are positive when paid.

    `taker_side` is TAKER or MAKER; `quote_usd` the rate of the quote currency when it was traded; `order` our order id.
    """

    id: int
    trade_id: str
    trade_match_id: str
    order_id: str
    client_oid: str
    instrument_name: str
    side: str
    taker_side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    quote_usd: Decimal | None
    fee_usd: Decimal | None
    traded_at: datetime
    order: int | None


def trade_row(trade: Trade) -> TradeRow:
    return TradeRow(
        id=trade.pk,
        trade_id=trade.trade_id,
        trade_match_id=trade.trade_match_id,
        order_id=trade.order_id,
        client_oid=trade.client_oid,
        instrument_name=trade.instrument_name,
        side=trade.side,
        taker_side=trade.taker_side,
        quantity=trade.quantity,
        price=trade.price,
        fee=_paid(trade.fee),
        fee_currency=trade.fee_currency,
        quote_usd=trade.quote_usd,
        fee_usd=None if trade.fee_usd is None else _paid(trade.fee_usd),
        traded_at=trade.traded_at,
        order=trade.resolved_order_id,
    )


def _paid(charged: Decimal) -> Decimal:
    # The exchange sends what it deducted as a negative number.
    return -charged if charged else charged


def shown_status(order: ExchangeOrder) -> str:
    """What the status of an order means. One that went missing is UNKNOWN, whatever its last status was."""
    if order.missing_since:
        return UNKNOWN
    if order.trigger_price is not None and order.status in UNTRIGGERED_STATUSES:
        return "ACTIVE"
    is_market_buy = (order.order_type, order.side, order.status) == ("MARKET", "BUY", "CANCELED")
    return "FILLED" if is_market_buy and order.has_fills else order.status


def has_shown_status(status: str) -> Q:
    """Orders whose `shown_status` it is."""
    if status == UNKNOWN:
        return Q(is_open=True, missing_since__isnull=False)
    found = Q(status=status)
    if status == "ACTIVE":
        found |= Q(status__in=UNTRIGGERED_STATUSES, trigger_price__isnull=False)
    elif status in UNTRIGGERED_STATUSES:
        found &= Q(trigger_price=None)
    elif status == "FILLED":
        found |= Q(status="CANCELED") & FILLED_MARKET_BUY
    elif status == "CANCELED":
        found &= ~FILLED_MARKET_BUY
    return found & Q(missing_since=None)


def order_row(
    order: ExchangeOrder, *, instrument: Instrument | None, usd_prices: UsdPrices, fee: Fee
) -> OrderRow:
    """`order` for display; blank text becomes None."""
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
        status=shown_status(order),
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
    """Decimals of the multiples of `tick`: 2 for 0.01, 1 for 0.50, 0 for 10000."""
    exponent = tick.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _value_usd(order: ExchangeOrder, instrument: Instrument | None, usd_prices: UsdPrices) -> Decimal | None:
    """Order value of an open order, filled value of a finished one; None while any factor is unknown."""
    value = _order_value(order) if order.is_open else _filled_value(order)
    price = usd_prices.get(instrument.quote_ccy) if instrument else None
    return None if value is None or price is None else value * price


def _order_value(order: ExchangeOrder) -> Decimal | None:
    """In the quote currency, at the limit price, or at the trigger price without one."""
    price = order.price or order.trigger_price
    use_reported = price is None or order.quantity is None
    value: Decimal | None = order.order_value if use_reported else price * order.quantity
    return value


def _filled_value(order: ExchangeOrder) -> Decimal | None:
    use_reported = order.filled_value is not None or order.average_price is None
    value: Decimal | None = (
        order.filled_value if use_reported else order.filled_quantity * order.average_price
    )
    return value


def orders_shown() -> QuerySet[ExchangeOrder]:
    """Every order once: the duplicate listing of an advanced order is left out (dossier 6.2)."""
    return ExchangeOrder.objects.filter(is_mirror=False)


def orders_named(ids: Collection[str]) -> QuerySet[ExchangeOrder]:
    """The orders with one of these ids, of both name spaces, in no order; by the index of the ids, which begins with
    the name space.
    """
    spaces = ExchangeOrder.NameSpace.values
    return ExchangeOrder.objects.filter(name_space__in=spaces, order_id__any_of=list(ids)).order_by()


def orders_named_second(ids: Collection[str]) -> QuerySet[ExchangeOrder]:
    """The orders with one of these as the second id, that of a triggered order (dossier 6.2); by its own index."""
    return (
        ExchangeOrder.objects.exclude(exchange_order_id="")
        .filter(exchange_order_id__any_of=list(ids))
        .order_by()
    )


def orders_open() -> QuerySet[ExchangeOrder]:
    """All open orders of both name spaces, newest first. Uses the index `orders_open` only."""
    return orders_shown().filter(is_open=True).order_by("-created_at", "-id")


def orders_executed() -> QuerySet[ExchangeOrder]:
    """Finished orders with fills, newest first. Uses the index `orders_executed`."""
    return orders_shown().filter(is_open=False, has_fills=True).order_by("-updated_at", "-id")


def reported_quantities(orders: Iterable[ExchangeOrder]) -> dict[int, Decimal]:
    """By order, the sum of its stored fills; an order without any is missing."""
    found: dict[int, Decimal] = {}
    for part in chunks([order.pk for order in orders], QUERY_BATCH):
        trades = Trade.objects.filter(resolved_order__in=part).order_by()
        for pk, quantity in trades.values_list("resolved_order", "quantity"):
            found[pk] = found.get(pk, Decimal()) + quantity
    return found


def order_rows(
    orders: Iterable[ExchangeOrder],
    *,
    usd_prices: UsdPrices,
    with_fees: bool = True,
    instruments: Mapping[str, Instrument] | None = None,
    trades: Iterable[Trade] | None = None,
) -> tuple[OrderRow, ...]:
    """`orders` as rows, in their order: a query each for the `instruments` and for the `trades`, unless given."""
    listed = list(orders)
    if instruments is None:
        instruments = _instruments({order.instrument_name for order in listed})
    fees = order_fees(listed, trades) if with_fees else {}
    return tuple(
        order_row(
            order,
            instrument=instruments.get(order.instrument_name),
            usd_prices=usd_prices,
            fee=fees.get(order.pk, Fee()),
        )
        for order in listed
    )


def trades_with_fees(*, orders: Sequence[ExchangeOrder], since_ns: int) -> list[Trade]:
    """The trades of `orders` and all since, for fees by order and of a day together. One query."""
    wanted = Q(resolved_order__in=[order.pk for order in orders]) | Q(create_time_ns__gte=since_ns)
    return list(Trade.objects.filter(wanted).order_by().only(*FEE_COLUMNS))


def order_fees(orders: Sequence[ExchangeOrder], trades: Iterable[Trade] | None = None) -> dict[int, Fee]:
    """The fee charged, by primary key: the sum over the trades of the order.

    Unknown while trades are missing, or if it was charged in two currencies.
    """
    if trades is None:
        found = Trade.objects.filter(resolved_order__in=[order.pk for order in orders])
        trades = found.only(*FEE_COLUMNS)
    by_order: dict[int | None, list[Trade]] = {}
    for trade in trades:
        by_order.setdefault(trade.resolved_order_id, []).append(trade)
    return {order.pk: _fee(order, by_order.get(order.pk, ())) for order in orders}


def _fee(order: ExchangeOrder, trades: Sequence[Trade]) -> Fee:
    currencies = {trade.fee_currency for trade in trades}
    traded = sum((trade.quantity for trade in trades), Decimal())
    if len(currencies) != 1 or traded < order.filled_quantity:
        return Fee()
    charged = sum((trade.fee for trade in trades), Decimal())
    return Fee(amount=_paid(charged), currency=currencies.pop())


def instruments_of(*, symbols: Iterable[str], currencies: Iterable[str]) -> dict[str, Instrument]:
    """By symbol: the named ones and every pair of `currencies`. One query."""
    found = Instrument.objects.filter(Q(symbol__in=set(symbols)) | Q(base_ccy__in=set(currencies)))
    return {row.symbol: row for row in found}


def _instruments(symbols: set[str]) -> Mapping[str, Instrument]:
    return {row.symbol: row for row in Instrument.objects.filter(symbol__in=symbols)}


def candles_of(*, instrument_name: str, timeframe: str, limit: int) -> tuple[CandleRow, ...]:
    """The newest `limit` bars, oldest first; the last may be unfinished. One query, along the index.

    Bars are missing after a downtime longer than the exchange keeps bars: check the times.
    """
    bars = Candle.objects.filter(instrument_name=instrument_name, timeframe=timeframe)
    newest = bars.order_by("-opened_at").values(*(field.name for field in fields(CandleRow)))[:limit]
    return tuple(CandleRow(**row) for row in reversed(newest))


def runs_finished() -> QuerySet[SyncRun]:
    """Cycles that have ended in any way, the newest first."""
    return SyncRun.objects.exclude(status=SyncRun.Status.RUNNING).order_by("-started_at", "-id")


def sync_last_success() -> datetime | None:
    """End of the newest complete cycle; a partial one does not count."""
    complete = SyncRun.objects.filter(status=SyncRun.Status.OK, finished_at__isnull=False)
    return complete.order_by("-finished_at").values_list("finished_at", flat=True).first()


def worker_last_beat() -> datetime | None:
    beats = Heartbeat.objects.filter(name__startswith="worker").order_by("-beat_at")
    return beats.values_list("beat_at", flat=True).first()


SENT_ACTIONS = (
    AuditEntry.Action.PAIR_PLACE,
    AuditEntry.Action.ORDER_PLACE,
    AuditEntry.Action.ORDER_CANCEL,
    AuditEntry.Action.PAIR_CANCEL,
    AuditEntry.Action.CANCEL_ALL,
)


def last_write_since(moment: datetime) -> AuditEntry | None:
    """The last order or cancel that was sent to the exchange since then, with its outcome."""
    newest = AuditEntry.objects.filter(what__in=SENT_ACTIONS).order_by("-id").first()
    return newest if newest is not None and newest.at >= moment else None


def key_refused_code(run: SyncRun) -> int | None:
    """The code with which the exchange refused the last order or cancel of this cycle for the key or its rights."""
    if not KEY_CODES.intersection(run.error_codes):
        return None
    write = last_write_since(run.started_at)
    return write.code if write is not None and write.code in KEY_CODES else None
