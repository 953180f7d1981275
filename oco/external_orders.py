"""Orders placed by a user or another program: what they reserve and what they protect."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from exchange.core.instrument_names import is_derivative
from exchange.models import ExchangeOrder, Instrument
from exchange.schemas.orders import STOP_ORDER_TYPES
from oco.engine.allocation import ExternalOrder, ExternalReservation, reserve
from oco.models import OcoLeg

ZERO = Decimal(0)


def external_reservations_read(
    instruments: Mapping[str, Instrument] | None = None,
    open_order_rows: Iterable[ExchangeOrder] | None = None,
) -> dict[str, ExternalReservation]:
    """By currency, what the open orders that we did not send may spend, in either name space.

    Orders of derivatives spend no coins, and their stops cover none. `instruments` by symbol and
    `open_order_rows` of both name spaces save a query each.
    """
    origin = ExchangeOrder.Origin.FOREIGN
    if open_order_rows is None:
        open_order_rows = ExchangeOrder.objects.filter(is_open=True, is_mirror=False, origin=origin)
    found = [order for order in open_order_rows if order.origin == origin]
    external = [order for order in found if not is_derivative(order.instrument_name)]
    known = _own_names(external) | _advanced_names(external)
    orders = [order for order in external if not _is_duplicate_listing(order, known)]
    if instruments is None:
        instruments = Instrument.objects.in_bulk(
            {order.instrument_name for order in orders}, field_name="symbol"
        )
    pairs = {symbol: (row.base_ccy, row.quote_ccy) for symbol, row in instruments.items()}
    return reserve(_external_order(order, pairs) for order in orders)


def _own_names(orders: Iterable[ExchangeOrder]) -> set[tuple[str, str, str]]:
    oids = {order.client_oid for order in orders} - {""}
    legs = OcoLeg.objects.filter(client_oid__in=oids)
    return set(legs.values_list("client_oid", "group__instrument_name", "side")) if oids else set()


def _advanced_names(orders: Iterable[ExchangeOrder]) -> set[tuple[str, str, str]]:
    """Of orders that may be listed a second time in the plain name space, under an unrelated id (dossier 6.2)."""
    advanced = [order for order in orders if order.name_space == ExchangeOrder.NameSpace.ADVANCED]
    return {(order.client_oid, order.instrument_name, order.side) for order in advanced if order.client_oid}


def _is_duplicate_listing(order: ExchangeOrder, known: set[tuple[str, str, str]]) -> bool:
    """The plain listing of an advanced order, ours or not, with its client_oid (dossier 6.2)."""
    plain = order.name_space == ExchangeOrder.NameSpace.PLAIN
    return plain and (order.client_oid, order.instrument_name, order.side) in known


def _external_order(order: ExchangeOrder, pairs: Mapping[str, tuple[str, str]]) -> ExternalOrder:
    """A sell order spends its base; a buy order its quote, at its price (rule 10)."""
    base, _, quote = order.instrument_name.partition("_")
    base, quote = pairs.get(order.instrument_name, (base, quote))
    rest, sells = (order.quantity or ZERO) - order.filled_quantity, order.side == "SELL"
    price = order.price or order.trigger_price or ZERO
    return ExternalOrder(
        order_id=order.order_id,
        list_id=order.list_id,
        currency=base if sells else quote,
        quantity=max(rest if sells else rest * price, ZERO),
        is_stop=sells and order.order_type in STOP_ORDER_TYPES,
        trigger=order.trigger_price,
        limit=order.price,
        quote=quote,
    )
