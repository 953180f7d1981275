"""Whether what is wished makes sense: the pair, the grid, the least worth, the price now, what is free.

Pages, API and admin ask here, so that they refuse the same in the same words.

How a wish is refused.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from exchange.fields import plain
from exchange.models import Instrument
from exchange.selectors import decimals_of
from oco.engine.allocation import Committed
from oco.engine.pricing import HIGHEST_TARGET, Grid, is_placeable, is_too_near, whole_lots
from oco.external_orders import foreign_read
from oco.models import Lot
from oco.policies import policy_for


class NotPossible(ValueError):
    """What was asked cannot be done; the words are for the person. `field` names what to change."""

    def __init__(self, words: str, *, field: str = "") -> None:
        super().__init__(words)
        self.field = field


SPOT = "CCY_PAIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a wish is held against: what the account has of the coin, and mark now in the quote currency.

    `stale` says why neither can be relied on, or nothing. A mark of None is not known.
    """

    held: Decimal
    mark: Decimal | None
    stale: str = ""


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


def standing_check(
    *, instrument: Instrument, quantity: Decimal, stop: Decimal, target: Decimal | None, standing: Standing
) -> None:
    """Whether it suits the account as it stands. Raises NotPossible with the field."""
    if standing.stale:
        raise NotPossible(standing.stale)
    price_check(instrument=instrument, stop=stop, target=target, mark=standing.mark)
    free_check(
        instrument=instrument, quantity=quantity, free=free_of(instrument=instrument, held=standing.held)
    )


def price_check(
    *, instrument: Instrument, stop: Decimal, target: Decimal | None, mark: Decimal | None
) -> None:
    """The stop below mark and the target above it, with room for both. Raises NotPossible with the field."""
    if not mark:
        raise NotPossible(_("No price is known for it, so no order can be weighed."))
    known = {"mark": plain(mark)}
    if stop >= mark:
        words = _("The price now is %(mark)s. A stop at or above it would sell at once.")
        raise NotPossible(words % known, field="stop_price")
    if target is None:
        return
    if target <= mark:
        words = _("The price now is %(mark)s. A target must lie above it.")
        raise NotPossible(words % known, field="take_profit_price")
    distance = policy_for(instrument.symbol).distance_pct
    if is_too_near(mark, stop, distance):
        words = _(
            "The price now is %(mark)s, and a stop less than %(distance)s %% below it goes without a target. "
            "Lower the stop, or leave the target out."
        )
        raise NotPossible(words % {**known, "distance": plain(distance)}, field="stop_price")
    if target > mark * HIGHEST_TARGET:
        words = _("The price now is %(mark)s. The exchange takes no target above ten times that.")
        raise NotPossible(words % known, field="take_profit_price")


def free_of(*, instrument: Instrument, held: Decimal) -> Decimal:
    """What of it is in no lot, and behind no order that we did not send, which comes first (rule 2); on the grid."""
    lots = Lot.objects.filter(side=Lot.Side.BUY, base_ccy=instrument.base_ccy, closed_at=None)
    owned = (lot.owned for lot in lots)
    taken = foreign_read().get(instrument.base_ccy, Committed()).total
    return whole_lots(held - sum(owned, Decimal(0)) - taken, instrument.qty_tick_size)


def free_check(*, instrument: Instrument, quantity: Decimal, free: Decimal) -> None:
    """Whether so many coins are free. Raises NotPossible."""
    if quantity > free:
        words = _("Only %(free)s %(currency)s are free: the rest is protected, or behind another order.")
        amount = f"{free:.{decimals_of(instrument.qty_tick_size)}f}"
        raise NotPossible(words % {"free": amount, "currency": instrument.base_ccy}, field="quantity")
