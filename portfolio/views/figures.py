"""The figures on top that are made of others."""

from dataclasses import dataclass
from decimal import Decimal

from portfolio.dashboard.selectors import Dashboard

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """In USD; None is not known. `at_stops` is what the account would gain if every stop hit: less than nothing."""

    cash_free: Decimal | None
    at_stops: Decimal | None
    unrealised_pct: Decimal | None
    results_known: int
    results_unknown: int


def figures_of(desk: Dashboard) -> Figures:
    known = [one for one in desk.results.values() if one.unrealised_usd is not None]
    cash, reserved = desk.summary.cash_usd, desk.summary.cash_in_orders_usd
    loss = desk.summary.loss_if_all_stops_hit_usd
    return Figures(
        cash_free=None if cash is None else cash - (reserved or Decimal()),
        at_stops=None if loss is None else -loss,
        unrealised_pct=_percent(desk),
        results_known=len(known),
        results_unknown=desk.summary.unrealised_unknown,
    )


def _percent(desk: Dashboard) -> Decimal | None:
    """Of what was paid for the positions whose result is known."""
    paid, gained = Decimal(), Decimal()
    for row in desk.portfolio:
        result = desk.results.get(row.currency)
        if result and result.average_cost_usd is not None and result.unrealised_usd is not None:
            paid += result.average_cost_usd * row.quantity
            gained += result.unrealised_usd
    return (gained / paid * HUNDRED).quantize(Decimal("0.01")) if paid > 0 else None
