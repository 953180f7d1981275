"""A buy-back whose coin costs more than it pays: its stop has fired or will, rests below the market, and buys nothing.

Its orders are in place, so that no state says so. The price tells.
"""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from exchange.models import Instrument
from exchange.selectors import decimals_of
from oco.engine.pricing import ceiling_of
from oco.engine.states import State
from oco.models import Lot, OcoGroup
from oco.selectors import groups_open
from portfolio.alerts.conditions import Trouble, trouble_begin, trouble_end
from portfolio.models import Alert
from portfolio.signals.watchlist import prices_fresh, quotes_of
from portfolio.templatetags.money import amount_text
from portfolio.templatetags.words import instrument

PREFIX = "dear "


def dear_note_all(*, now: datetime) -> None:
    """Begin and end the alert of each; while no fresh price is known, neither."""
    groups = list(groups_open().filter(state=State.ACTIVE, lot__side=Lot.Side.SELL))
    names = {group.instrument_name for group in groups}
    pairs = {row.symbol: row for row in Instrument.objects.filter(symbol__in=names)} if names else {}
    prices = prices_fresh(quotes_of(names).values(), at=now) if names else {}
    for group in groups:
        pair, price = pairs.get(group.instrument_name), prices.get(group.instrument_name)
        if pair is None or price is None:
            continue
        if price > ceiling_of(group.stop_price, pair.price_tick_size):
            trouble_begin(trouble=_trouble(group, pair), now=now)
        else:
            text = _("The price is back where it buys.")
            trouble_end(condition=f"{PREFIX}{group.pk}", text=text, now=now)
    _end_others({f"{PREFIX}{group.pk}" for group in groups}, now)


def _end_others(known: set[str], now: datetime) -> None:
    """Its orders do not rest any more: another alert says what became of it."""
    for condition in _open_conditions():
        if condition not in known:
            text = _("Its orders do not rest any more; its page says what became of it.")
            trouble_end(condition=condition, text=text, now=now)


def _open_conditions() -> Iterator[str]:
    opened = Alert.objects.filter(kind=Alert.Kind.UNPROTECTED, ended_at=None, condition__startswith=PREFIX)
    yield from opened.values_list("condition", flat=True)


def _trouble(group: OcoGroup, pair: Instrument) -> Trouble:
    ceiling = amount_text(
        ceiling_of(group.stop_price, pair.price_tick_size), decimals_of(pair.price_tick_size)
    )
    text = _(
        "It pays %(ceiling)s at most for one, and the price is above that: nothing is bought until it comes back. "
        "Wait, take it away, or buy by hand."
    )
    return Trouble(
        condition=f"{PREFIX}{group.pk}",
        kind=Alert.Kind.UNPROTECTED,
        title=_("%(name)s: costs more than its buy-back pays") % {"name": instrument(group.instrument_name)},
        text=text % {"ceiling": f"{ceiling} {pair.quote_ccy}"},
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )
