"""What is told when a lot was sold, or bought back: how much, at what price, with what result, by which orders.

How the end of a group is told: of one that sold what it guarded, and of one that bought back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.models import ExchangeOrder, Instrument
from exchange.selectors import decimals_of
from oco.engine.pricing import Way
from oco.engine.states import State
from oco.models import OcoGroup, OcoLeg
from oco.presentation.group_detail import fills_of
from oco.presentation.risk_reward import gain_of, percent_from
from portfolio.dashboard.selectors import usd_prices
from portfolio.templatetags.formatting import amount_text, percent_text, signed, usd_text
from portfolio.templatetags.labels import instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """`how` by the state it ended in; the others say how much, with what result, and by which orders."""

    how: Mapping[State, Promise]
    unpriced: Promise
    priced: Promise
    no_result: Promise
    result: Promise
    beyond: Promise
    stop_alone: Promise
    both: Promise


SELLS = Words(
    how={
        State.CLOSED_BY_STOP: _("stop hit"),
        State.CLOSED_BY_TARGET: _("target hit"),
        State.CLOSED_BY_EXIT: _("sold at the market"),
    },
    unpriced=_("%(quantity)s %(coin)s sold; the price was not read yet."),
    priced=_("%(quantity)s %(coin)s sold at %(price)s on average."),
    no_result=_("Result not known yet. The entry was at %(entry)s."),
    result=_("Result %(usd)s (%(percent)s) from the entry at %(entry)s, before fees."),
    beyond=_("The price was beyond its stop at %(stop)s, so the desk sold it at the market."),
    stop_alone=_("It was protected by a stop at %(stop)s, without a target."),
    both=_("It was protected by a stop at %(stop)s and a target at %(target)s."),
)
BUYS = Words(
    how={
        State.CLOSED_BY_STOP: _("bought back at the stop"),
        State.CLOSED_BY_TARGET: _("bought back at the target"),
        State.CLOSED_BY_EXIT: _("bought back at the market"),
    },
    unpriced=_("%(quantity)s %(coin)s bought back; the price was not read yet."),
    priced=_("%(quantity)s %(coin)s bought back at %(price)s on average."),
    no_result=_("Result not known yet. The sale was at %(entry)s."),
    result=_("Result %(usd)s (%(percent)s) against the sale at %(entry)s, before fees."),
    beyond=_("The price was beyond its stop at %(stop)s, so the desk bought it back at the market."),
    stop_alone=_("Its buy-back had a stop at %(stop)s, without a target."),
    both=_("Its buy-back had a stop at %(stop)s and a target at %(target)s."),
)
WORDS = {Way.SELLS: SELLS, Way.BUYS: BUYS}


ZERO = Decimal(0)
SOLD = frozenset(SELLS.how)
"""The states of a group that one of its orders ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What the orders of `group` sold, or bought back. `average` in the quote currency; None while it was not read."""

    group: OcoGroup
    pair: Instrument | None
    quantity: Decimal
    average: Decimal | None
    quote_usd: Decimal | None

    @property
    def way(self) -> Way:
        way: Way = self.group.lot.way
        return way

    @property
    def words(self) -> Words:
        return WORDS[self.way]

    @property
    def result_usd(self) -> Decimal | None:
        """From the entry, before fees; None where the entry is not known: a person asked for the protection."""
        entry = self.group.entry_price
        if not entry or self.average is None or self.quote_usd is None:
            return None
        return Decimal(gain_of(self.way, self.average - entry) * self.quantity * self.quote_usd)

    @property
    def title(self) -> str:
        """As `CRO/USD: stop hit, −$1.20`."""
        name, how = instrument(self.group.instrument_name), self.words.how[State(self.group.state)]
        result = self.result_usd
        return f"{name}: {how}" + ("" if result is None else f", {signed(usd_text(result), result)}")

    @property
    def text(self) -> str:
        return "\n".join([self._what(), self._result(), self._guard()])

    def _what(self) -> str:
        values = {
            "quantity": self._coins(),
            "coin": self.group.lot.base_ccy,
            "price": self._price(self.average),
        }
        return str(self.words.unpriced if self.average is None else self.words.priced) % values

    def _result(self) -> str:
        entry, result = self.group.entry_price, self.result_usd
        if not entry:
            return gettext(
                "Result not known: protection was asked for by hand, so there is no entry to count from."
            )
        if result is None or self.average is None:
            return str(self.words.no_result) % {"entry": self._price(entry)}
        percent = gain_of(self.way, percent_from(entry, self.average))
        return str(self.words.result) % {
            "usd": signed(usd_text(result), result),
            "percent": signed(percent_text(percent), percent),
            "entry": self._price(entry),
        }

    def _guard(self) -> str:
        levels = {"stop": self._price(self.group.stop_price)}
        if self.group.state == State.CLOSED_BY_EXIT:
            return str(self.words.beyond) % levels
        if self.group.take_profit_price is None:
            return str(self.words.stop_alone) % levels
        levels["target"] = self._price(self.group.take_profit_price)
        return str(self.words.both) % levels

    def _coins(self) -> str:
        return amount_text(self.quantity, decimals_of(self.pair.qty_tick_size) if self.pair else None)

    def _price(self, price: Decimal | None) -> str:
        quote = self.group.instrument_name.partition("_")[2]
        return f"{amount_text(price, decimals_of(self.pair.price_tick_size) if self.pair else None)} {quote}"


def sale_of(group: OcoGroup) -> Sale:
    """Six queries."""
    pair = Instrument.objects.filter(symbol=group.instrument_name).first()
    legs = [leg for leg in OcoLeg.objects.filter(group=group) if leg.executed]
    executed = sum((leg.executed for leg in legs), ZERO)
    return Sale(
        group=group,
        pair=pair,
        quantity=executed,
        average=_by_trades(group, legs, executed) or _by_orders(legs, executed),
        quote_usd=usd_prices().get(pair.quote_ccy) if pair else None,
    )


def _by_trades(group: OcoGroup, legs: list[OcoLeg], executed: Decimal) -> Decimal | None:
    """None until the executions that were read add up to what the orders executed."""
    fills = [trade for trade in fills_of(group, legs) if trade.side == group.lot.way]
    whole = sum((trade.quantity for trade in fills), ZERO)
    value = sum((trade.quantity * trade.price for trade in fills), ZERO)
    return value / whole if whole and whole == executed else None


def _by_orders(legs: list[OcoLeg], executed: Decimal) -> Decimal | None:
    """The same by what the exchange says of the orders, under either id (dossier 6.2)."""
    ids = {name for leg in legs for name in (leg.order_id, leg.exchange_order_id) if name}
    orders = [row for row in ExchangeOrder.objects.filter(order_id__in=ids) if row.average_price is not None]
    whole = sum((row.filled_quantity for row in orders), ZERO)
    value = sum((row.filled_quantity * row.average_price for row in orders if row.average_price), ZERO)
    return value / whole if whole and whole == executed else None
