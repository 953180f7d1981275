"""Whether the exchange could take what is wished: the pair, the grid, the least worth."""

from decimal import Decimal

from django.utils.translation import gettext as _

from exchange.models import Instrument
from oco.models import Lot
from oco.pricing import Grid, is_placeable, whole_lots
from oco.services.refusal import NotPossible

SPOT = "CCY_PAIR"


def instrument_of(instrument_name: str) -> Instrument:
    """The tradable spot pair of this name. Raises NotPossible."""
    found = Instrument.objects.filter(symbol=instrument_name, inst_type=SPOT, tradable=True).first()
    if found is None:
        words = _("%(name)s is not a tradable spot pair.") % {"name": instrument_name}
        raise NotPossible(words, field="instrument_name")
    return found


def wish_check(*, instrument: Instrument, quantity: Decimal, stop: Decimal, target: Decimal | None) -> None:
    """On the grid, the target above the stop, and worth an order. Raises NotPossible with the field."""
    grid = Grid(price_tick=instrument.price_tick_size, quantity_tick=instrument.qty_tick_size, quote_usd=None)
    for field, value, tick in (
        ("quantity", quantity, grid.quantity_tick),
        ("stop_price", stop, grid.price_tick),
        ("take_profit_price", target, grid.price_tick),
    ):
        if value is not None and (value <= 0 or whole_lots(value, tick) != value):
            words = _("It must be a positive multiple of %(tick)s.") % {"tick": f"{tick:f}"}
            raise NotPossible(words, field=field)
    if target is not None and target <= stop:
        raise NotPossible(_("The target must lie above the stop."), field="take_profit_price")
    if instrument.quote_ccy == "USD":
        grid = Grid(price_tick=grid.price_tick, quantity_tick=grid.quantity_tick)
    if not is_placeable(quantity, stop, grid):
        raise NotPossible(_("The exchange takes no order below 1 USD."), field="quantity")


def held_check(*, instrument: Instrument, quantity: Decimal, held: Decimal) -> None:
    """Whether so many coins belong to no lot yet. Raises NotPossible."""
    owned = (lot.owned for lot in Lot.objects.filter(base_ccy=instrument.base_ccy, closed_at=None))
    free = max(held - sum(owned, Decimal(0)), Decimal(0))
    if quantity > free:
        words = _("Only %(free)s %(currency)s have no protection yet.")
        raise NotPossible(words % {"free": f"{free:f}", "currency": instrument.base_ccy}, field="quantity")
