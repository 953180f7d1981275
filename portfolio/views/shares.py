"""The two divided bars: how much has a stop, and what the account is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oco.engine.coverage import Unprotected
from oco.engine.states import State
from portfolio.dashboard.selectors import Dashboard, Holding
from portfolio.web.bar import Slice, divided

ZERO = Decimal(0)
COINS_SHOWN = 5
ALARMING = frozenset({State.STOP_FAILED, State.UNKNOWN})
WORDS = {
    "f-ok": gettext_lazy("Protected"),
    "f-crit": gettext_lazy("Stop failed"),
    "f-warn": gettext_lazy("Unprotected"),
    "f-wait": gettext_lazy("Sent, waiting"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`bare_usd` of `total_usd` has no working stop; what has no known price is not counted."""

    total_usd: Decimal
    bare_usd: Decimal
    slices: list[Slice]


def coverage(desk: Dashboard) -> Coverage | None:
    """None while nothing that is held has a price."""
    price = {row.currency: row.price_usd or ZERO for row in desk.portfolio}
    worth = dict.fromkeys(("f-ok", "f-crit", "f-warn", "f-wait"), ZERO)
    for position in desk.positions:
        covered = position.covered
        worth["f-ok"] += covered.protected * price.get(covered.currency, ZERO)
        for row in covered.bare:
            worth[_look(row)] += row.market_value_usd or ZERO
    total = sum(worth.values(), ZERO)
    shares = [(str(WORDS[look]), look, value) for look, value in worth.items()]
    bare = desk.summary.unprotected_usd or ZERO
    return Coverage(total_usd=total, bare_usd=bare, slices=divided(shares)) if total else None


def _look(row: Unprotected) -> str:
    """Of each lot by itself: one that failed says nothing of the others of its coin."""
    if row.state in ALARMING:
        return "f-crit"
    return "f-wait" if row.is_sent else "f-warn"


def allocation(holdings: Sequence[Holding]) -> list[Slice]:
    """The largest coins, the rest of them, and cash, by value."""
    coins = [row for row in holdings if row.currency not in settings.CASH_CURRENCIES and row.market_value_usd]
    cash = [row for row in holdings if row.currency in settings.CASH_CURRENCIES]
    shown = [(row.currency, f"a{place}", row.market_value_usd or ZERO) for place, row in enumerate(coins, 1)]
    shares, rest = shown[:COINS_SHOWN], shown[COINS_SHOWN:]
    if rest:
        *shares, last = shares
        rest = [last, *rest]
        shares.append((_("Other coins"), f"a{COINS_SHOWN}", sum((value for *_rest, value in rest), ZERO)))
    return divided([*shares, (_("Cash"), "a6", sum((row.market_value_usd or ZERO for row in cash), ZERO))])
