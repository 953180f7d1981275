"""Price ticks and quantity lots of an instrument (dossier 5.11.5)."""

from decimal import Decimal

from exchange.simulator.codes import Refusal
from exchange.simulator.decimals import ceil_to, floor_to, on_grid
from exchange.simulator.instruments import Instrument


def on_tick(price: Decimal | None, instrument: Instrument, code: int) -> Decimal:
    """The price, or a refusal: 40004 when missing, `code` when off the tick."""
    if price is None:
        raise Refusal(40004, "Missing price")
    if not on_grid(price, instrument.price_tick):
        raise Refusal(code)
    return price


def on_lot(quantity: Decimal | None, instrument: Instrument) -> Decimal:
    """The quantity, or a refusal: 40004 when missing, 213 when off the lot."""
    if quantity is None:
        raise Refusal(40004, "Missing quantity")
    if not on_grid(quantity, instrument.lot):
        raise Refusal(213, "Invalid quantity format")
    return quantity


def down(price: Decimal, instrument: Instrument) -> Decimal:
    return floor_to(price, instrument.price_tick)


def up(price: Decimal, instrument: Instrument) -> Decimal:
    return ceil_to(price, instrument.price_tick)


def lots_for(value: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """The whole lots that a quote amount buys, rounded down."""
    return floor_to(value / price, instrument.lot)
