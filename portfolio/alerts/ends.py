"""How the end of a group is told: of one that sold what it guarded, and of one that bought back."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oco.engine.pricing import Way
from oco.engine.states import State


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
