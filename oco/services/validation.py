"""Whether a request is valid: pair, grid, minimum value, current price, available quantity.

Pages, API and admin share these checks, so that they refuse the same requests with the same texts.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from exchange.core.numbers import rounded, sentence_number
from exchange.models import Instrument
from exchange.schemas.market import SPOT
from exchange.selectors import decimals_of
from oco.engine.allocation import ExternalReservation
from oco.engine.pricing import (
    MAX_TARGET_FACTOR,
    Grid,
    is_placeable,
    is_within_min_distance,
    round_to_lot_size,
)
from oco.models import Lot
from oco.policies import policy_for
from oco.selectors import external_reservations_read


class NotPossible(ValueError):
    """The request cannot be done; the message is for the user. `field` names the input to change."""

    def __init__(self, words: str, *, field: str = "") -> None:
        super().__init__(words)
        self.field = field


class Blocked(NotPossible):
    """No order can be placed now, whatever the request says: trading is off, say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountContext:
    """The account data a request is checked against: the holdings of the coin, and mark in the quote currency.

    A mark of None is unknown. `stale` is why neither can be relied on, `blocked` why no order can be placed now.
    """

    held: Decimal
    mark: Decimal | None
    stale: str = ""
    blocked: str = ""


def tradable_instrument(instrument_name: str) -> Instrument:
    """The tradable spot pair of this name. Raises NotPossible."""
    found = Instrument.objects.filter(symbol=instrument_name, inst_type=SPOT, tradable=True).first()
    if found is None:
        words = _("%(name)s is not a tradable spot pair.") % {"name": instrument_name}
        raise NotPossible(words, field="instrument_name")
    return found


def request_validate(
    *, instrument: Instrument, quantity: Decimal, stop: Decimal, target: Decimal | None
) -> None:
    """On the grid, target above the stop, value above the minimum. Raises NotPossible with the field."""
    grid = Grid.of(instrument, Decimal(1) if instrument.quote_ccy == "USD" else None)
    for field, value, tick in (
        ("quantity", quantity, grid.quantity_tick),
        ("stop_price", stop, grid.price_tick),
        ("take_profit_price", target, grid.price_tick),
    ):
        if value is not None and (value <= 0 or round_to_lot_size(value, tick) != value):
            words = _("Must be a positive multiple of %(tick)s.") % {"tick": sentence_number(tick)}
            raise NotPossible(words, field=field)
    if target is not None and target <= stop:
        raise NotPossible(_("The take profit must be above the stop."), field="take_profit_price")
    if not is_placeable(quantity, stop, grid):
        raise NotPossible(_("The minimum order on the exchange is 1 USD."), field="quantity")


def account_validate(
    *,
    instrument: Instrument,
    quantity: Decimal,
    stop: Decimal,
    target: Decimal | None,
    account_context: AccountContext,
) -> None:
    """Checks the request against the account. Raises NotPossible with the field."""
    if account_context.stale:
        raise NotPossible(account_context.stale)
    if account_context.blocked:
        raise Blocked(account_context.blocked)
    prices_validate(instrument=instrument, stop=stop, target=target, mark=account_context.mark)
    available_validate(
        instrument=instrument,
        quantity=quantity,
        free=available_quantity(instrument=instrument, held=account_context.held),
    )


def prices_validate(
    *, instrument: Instrument, stop: Decimal, target: Decimal | None, mark: Decimal | None
) -> None:
    """Stop below mark and target above it, at the minimum distance. Raises NotPossible with the field."""
    if not mark:
        raise NotPossible(_("Its price is unknown, so the order cannot be checked."))
    known = {"mark": sentence_number(mark)}
    if stop >= mark:
        words = _("The current price is %(mark)s. A stop at or above it would sell immediately.")
        raise NotPossible(words % known, field="stop_price")
    if target is None:
        return
    if target <= mark:
        words = _("The current price is %(mark)s. The take profit must be above it.")
        raise NotPossible(words % known, field="take_profit_price")
    distance = policy_for(instrument.symbol).distance_pct
    if is_within_min_distance(mark, stop, distance):
        words = _(
            "The current price is %(mark)s, and a stop less than %(distance)s %% below it "
            "cannot have a take profit. Lower the stop, or leave the take profit empty."
        )
        raise NotPossible(words % {**known, "distance": sentence_number(distance)}, field="stop_price")
    if target > mark * MAX_TARGET_FACTOR:
        words = _("The current price is %(mark)s. The exchange accepts no take profit above ten times that.")
        raise NotPossible(words % known, field="take_profit_price")


def available_quantity(*, instrument: Instrument, held: Decimal) -> Decimal:
    """The quantity in no lot and not reserved by an external order (rule 2), rounded to lot size."""
    lots = Lot.objects.filter(side=Lot.Side.BUY, base_ccy=instrument.base_ccy, closed_at=None)
    owned = (lot.owned for lot in lots)
    reserved = external_reservations_read().get(instrument.base_ccy, ExternalReservation()).total
    return round_to_lot_size(held - sum(owned, Decimal(0)) - reserved, instrument.qty_tick_size)


def available_validate(*, instrument: Instrument, quantity: Decimal, free: Decimal) -> None:
    """Raises NotPossible if the quantity is not available."""
    if quantity > free:
        words = _("Only %(free)s %(currency)s available: the rest is protected or in an open order.")
        amount = sentence_number(rounded(free, decimals_of(instrument.qty_tick_size)))
        raise NotPossible(words % {"free": amount, "currency": instrument.base_ccy}, field="quantity")
