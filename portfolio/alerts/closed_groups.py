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
from oco.engine.pricing import ExitSide
from oco.engine.states import State
from oco.models import OcoGroup, OcoLeg
from oco.presentation.group_detail import fills_of
from oco.presentation.risk_reward import percent_from, signed_gain
from portfolio.dashboard.selectors import usd_prices
from portfolio.formatting import amount_text, instrument_label, percent_text, signed, usd_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingTexts:
    """`how` by the state it ended in; the others say how much, with what result, and by which orders."""

    outcome: Mapping[State, Promise]
    fill_without_price: Promise
    fill: Promise
    result_unknown: Promise
    result: Promise
    stop_crossed: Promise
    stop_only: Promise
    stop_and_target: Promise


SELL_TEXTS = ClosingTexts(
    outcome={
        State.CLOSED_BY_STOP: _("stop hit"),
        State.CLOSED_BY_TARGET: _("take profit hit"),
        State.CLOSED_BY_EXIT: _("sold at market"),
    },
    fill_without_price=_("%(quantity)s %(coin)s sold; price not available yet."),
    fill=_("%(quantity)s %(coin)s sold at an average price of %(price)s."),
    result_unknown=_("P&L not known yet. Entry price: %(entry)s."),
    result=_("P&L %(usd)s (%(percent)s) from the entry at %(entry)s, before fees."),
    stop_crossed=_("The price was past its stop at %(stop)s, so Exchange Desk sold it at market."),
    stop_only=_("It was protected by a stop at %(stop)s, without a take profit."),
    stop_and_target=_("It was protected by a stop at %(stop)s and a take profit at %(target)s."),
)
BUY_TEXTS = ClosingTexts(
    outcome={
        State.CLOSED_BY_STOP: _("bought back at the stop"),
        State.CLOSED_BY_TARGET: _("bought back at the take profit"),
        State.CLOSED_BY_EXIT: _("bought back at market"),
    },
    fill_without_price=_("%(quantity)s %(coin)s bought back; price not available yet."),
    fill=_("%(quantity)s %(coin)s bought back at an average price of %(price)s."),
    result_unknown=_("P&L not known yet. Sale price: %(entry)s."),
    result=_("P&L %(usd)s (%(percent)s) vs. the sale at %(entry)s, before fees."),
    stop_crossed=_("The price was past its stop at %(stop)s, so Exchange Desk bought it back at market."),
    stop_only=_("Its buy-back had a stop at %(stop)s, without a take profit."),
    stop_and_target=_("Its buy-back had a stop at %(stop)s and a take profit at %(target)s."),
)
CLOSING_TEXTS = {ExitSide.SELL: SELL_TEXTS, ExitSide.BUY: BUY_TEXTS}


ZERO = Decimal(0)
FILLED_STATES = frozenset(SELL_TEXTS.outcome)
"""The states of a group that one of its orders ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingTrade:
    """What the orders of `group` sold, or bought back. `average` in the quote currency; None while it was not read."""

    group: OcoGroup
    pair: Instrument | None
    quantity: Decimal
    fill_price: Decimal | None
    quote_usd: Decimal | None

    @property
    def exit_side(self) -> ExitSide:
        exit_side: ExitSide = self.group.lot.exit_side
        return exit_side

    @property
    def texts(self) -> ClosingTexts:
        return CLOSING_TEXTS[self.exit_side]

    @property
    def result_usd(self) -> Decimal | None:
        """From the entry, before fees; None where the entry is not known: a person asked for the protection."""
        entry = self.group.entry_price
        if not entry or self.fill_price is None or self.quote_usd is None:
            return None
        return Decimal(signed_gain(self.exit_side, self.fill_price - entry) * self.quantity * self.quote_usd)

    @property
    def title(self) -> str:
        """As `CRO/USD: stop hit, −$1.20`."""
        name, outcome = (
            instrument_label(self.group.instrument_name),
            self.texts.outcome[State(self.group.state)],
        )
        result = self.result_usd
        return f"{name}: {outcome}" + ("" if result is None else f", {signed(usd_text(result), result)}")

    @property
    def text(self) -> str:
        return "\n".join([self._fill_text(), self._result_text(), self._levels_text()])

    def _fill_text(self) -> str:
        values = {
            "quantity": self._quantity_text(),
            "coin": self.group.lot.base_ccy,
            "price": self._price_text(self.fill_price),
        }
        return str(self.texts.fill_without_price if self.fill_price is None else self.texts.fill) % values

    def _result_text(self) -> str:
        entry, result = self.group.entry_price, self.result_usd
        if not entry:
            return gettext(
                "P&L not available: protection was requested manually, so there is no entry price."
            )
        if result is None or self.fill_price is None:
            return str(self.texts.result_unknown) % {"entry": self._price_text(entry)}
        percent = signed_gain(self.exit_side, percent_from(entry, self.fill_price))
        return str(self.texts.result) % {
            "usd": signed(usd_text(result), result),
            "percent": signed(percent_text(percent), percent),
            "entry": self._price_text(entry),
        }

    def _levels_text(self) -> str:
        levels = {"stop": self._price_text(self.group.stop_price)}
        if self.group.state == State.CLOSED_BY_EXIT:
            return str(self.texts.stop_crossed) % levels
        if self.group.take_profit_price is None:
            return str(self.texts.stop_only) % levels
        levels["target"] = self._price_text(self.group.take_profit_price)
        return str(self.texts.stop_and_target) % levels

    def _quantity_text(self) -> str:
        return amount_text(self.quantity, decimals_of(self.pair.qty_tick_size) if self.pair else None)

    def _price_text(self, price: Decimal | None) -> str:
        quote = self.group.instrument_name.partition("_")[2]
        return f"{amount_text(price, decimals_of(self.pair.price_tick_size) if self.pair else None)} {quote}"


def load_closing_trade(group: OcoGroup) -> ClosingTrade:
    """Six queries."""
    pair = Instrument.objects.filter(symbol=group.instrument_name).first()
    legs = [leg for leg in OcoLeg.objects.filter(group=group) if leg.executed]
    executed = sum((leg.executed for leg in legs), ZERO)
    return ClosingTrade(
        group=group,
        pair=pair,
        quantity=executed,
        fill_price=_average_from_trades(group, legs, executed) or _average_from_orders(legs, executed),
        quote_usd=usd_prices().get(pair.quote_ccy) if pair else None,
    )


def _average_from_trades(group: OcoGroup, legs: list[OcoLeg], executed: Decimal) -> Decimal | None:
    """None until the executions that were read add up to what the orders executed."""
    fills = [trade for trade in fills_of(group, legs) if trade.side == group.lot.exit_side]
    total = sum((trade.quantity for trade in fills), ZERO)
    value = sum((trade.quantity * trade.price for trade in fills), ZERO)
    return value / total if total and total == executed else None


def _average_from_orders(legs: list[OcoLeg], executed: Decimal) -> Decimal | None:
    """The same by what the exchange says of the orders, under either id (dossier 6.2)."""
    ids = {name for leg in legs for name in (leg.order_id, leg.exchange_order_id) if name}
    orders = [row for row in ExchangeOrder.objects.filter(order_id__in=ids) if row.average_price is not None]
    total = sum((row.filled_quantity for row in orders), ZERO)
    value = sum((row.filled_quantity * row.average_price for row in orders if row.average_price), ZERO)
    return value / total if total and total == executed else None
