"""Everything on one page.

The figures on top that are made of others.

The two divided bars: how much has a stop, and what the account is made of.

One line per position: how it is covered, what it has gained, what it would lose or gain, what to do.

One line per buy-back: how much of what was sold is still to be bought, at which prices, and how it stands.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from oco.engine.coverage import Cover, Covered, Unprotected
from oco.engine.pricing import Way
from oco.engine.states import State
from oco.presentation.positions import BuyBack, Position
from oco.selectors import GroupRow
from portfolio.accounting.pnl import CoinResult
from portfolio.accounting.snapshots import SPANS, span_of
from portfolio.dashboard.selectors import Dashboard, Holding, dashboard
from portfolio.security.access import readers_only
from portfolio.web.charts import Slice, divided
from portfolio.web.page_context import Frame

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


ZERO, ONE = Decimal(0), Decimal(1)
FALL = Decimal("0.1")
LADDERS = 2
LOOKS = {
    Cover.STOP_FAILED: "is-crit",
    Cover.UNKNOWN: "is-crit",
    Cover.UNPROTECTED: "is-warn",
    Cover.PARTLY: "is-warn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One group as a ladder. Prices are in the pair's own currency; `now` is None while it is not known."""

    group: GroupRow
    now: Decimal | None
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStop:
    """A stop that we did not send, and the target linked with it, as a ladder."""

    stop: Decimal
    target: Decimal | None
    now: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """`at_stop` and `at_target` in USD, None when not known; `is_limited`: every coin of it has a stop.

    `others` only where no group is at work.
    """

    covered: Covered
    look: str
    value_usd: Decimal | None
    result: CoinResult
    rungs: tuple[Rung, ...]
    others: tuple[OtherStop, ...]
    more: int
    price_decimals: int | None
    quantity_decimals: int | None
    at_stop: Decimal | None
    at_target: Decimal | None
    is_limited: bool
    fall_usd: Decimal | None

    @property
    def group(self) -> GroupRow | None:
        return self.rungs[0].group if self.rungs else None

    @property
    def may_be_protected(self) -> bool:
        return self.covered.may_be_protected

    @property
    def to_protect(self) -> Decimal:
        """What nobody has a claim on."""
        return sum((row.quantity for row in self.covered.bare if row.is_free), ZERO)

    @property
    def needs_fix(self) -> bool:
        return self.covered.cover is Cover.STOP_FAILED and self.group is not None


def position_lines(desk: Dashboard) -> list[PositionLine]:
    """In the order of the positions: the worst first."""
    held = {row.currency: row for row in desk.portfolio}
    usd = {row.currency: row.price_usd for row in desk.portfolio if row.price_usd is not None} | {"USD": ONE}
    return [
        _position_line(position, held.get(position.covered.currency), usd, desk.results)
        for position in desk.positions
    ]


def _position_line(
    position: Position,
    holding: Holding | None,
    usd: Mapping[str, Decimal],
    results: Mapping[str, CoinResult],
) -> PositionLine:
    covered, groups = position.covered, _worst_first(position.groups)
    bare_usd = covered.bare_usd
    return PositionLine(
        covered=covered,
        look=LOOKS.get(covered.cover, ""),
        value_usd=holding.market_value_usd if holding else bare_usd,
        result=results.get(covered.currency, CoinResult()),
        rungs=tuple(_rung(group, usd) for group in groups[:LADDERS]),
        others=() if groups else tuple(_others(position, usd))[:LADDERS],
        more=max(0, len(groups) - LADDERS),
        price_decimals=position.price_decimals,
        quantity_decimals=position.quantity_decimals,
        at_stop=_sum([_outcome(group, group.stop_price, usd) for group in groups]),
        at_target=_sum([_outcome(group, group.take_profit_price, usd) for group in groups]),
        is_limited=not covered.bare,
        fall_usd=None if bare_usd is None else bare_usd * FALL,
    )


def _worst_first(groups: Sequence[GroupRow]) -> list[GroupRow]:
    return sorted(groups, key=lambda group: (group.state == State.ACTIVE, -group.quantity))


def _rung(group: GroupRow, usd: Mapping[str, Decimal]) -> Rung:
    base, _, quote = group.instrument_name.partition("_")
    price, unit = usd.get(base), usd.get(quote)
    return Rung(
        group=group,
        now=None if price is None or not unit else price / unit,
        failed=group.state in (State.STOP_FAILED, State.UNKNOWN, State.PENDING, State.REPLACING),
    )


def _others(position: Position, usd: Mapping[str, Decimal]) -> Iterator[OtherStop]:
    for stop in position.stops:
        price, unit = usd.get(position.covered.currency), usd.get(stop.quote)
        now = None if price is None or not unit else price / unit
        if stop.price is not None:
            yield OtherStop(stop=stop.price, target=stop.target, now=now)


def _outcome(group: GroupRow, price: Decimal | None, usd: Mapping[str, Decimal]) -> Decimal | None:
    """What the group gains from its entry at `price`; from the price now where the entry is not known."""
    base, _, quote = group.instrument_name.partition("_")
    unit = usd.get(quote)
    if price is None or unit is None:
        return None
    paid = usd.get(base) if group.entry_price is None else group.entry_price * unit
    return None if paid is None else (price * unit - paid) * group.quantity


def _sum(values: Sequence[Decimal | None]) -> Decimal | None:
    """None when one of them is not known, or there is none."""
    known = [value for value in values if value is not None]
    return sum(known, ZERO) if known and len(known) == len(values) else None


ONE, HUNDRED = Decimal(1), Decimal(100)
SAID_BY_COVER = frozenset({Cover.UNPROTECTED, Cover.PARTLY})
BARE = frozenset({State.STOP_FAILED, State.UNKNOWN, State.PENDING, State.REPLACING})


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyBackLine:
    """`now` is the price in the pair's own currency, `unit` what that currency is worth in USD. `failed`: no stop
    of it rests. What is won or lost counts from the sale, before fees, in USD; None where it is not known.
    """

    row: BuyBack
    look: str
    now: Decimal | None
    unit: Decimal | None
    failed: bool

    @property
    def way(self) -> Way:
        return Way.BUYS

    @property
    def called(self) -> Cover | None:
        """Where that says more than the state of the group."""
        return self.row.cover if self.row.cover in SAID_BY_COVER else None

    @property
    def result_usd(self) -> Decimal | None:
        """If it were bought back now."""
        return self._result(self.now)

    @property
    def result_pct(self) -> Decimal | None:
        entry = self.row.group.entry_price
        return (entry - self.now) / entry * HUNDRED if entry and self.now is not None else None

    @property
    def at_stop(self) -> Decimal | None:
        return self._result(self.row.group.stop_price)

    @property
    def at_target(self) -> Decimal | None:
        return self._result(self.row.group.take_profit_price)

    def _result(self, price: Decimal | None) -> Decimal | None:
        entry = self.row.group.entry_price
        if price is None or entry is None or self.unit is None:
            return None
        return (entry - price) * self.row.quantity * self.unit


def buyback_lines(desk: Dashboard) -> list[BuyBackLine]:
    """In the order of the buy-backs: the worst first."""
    usd = {row.currency: row.price_usd for row in desk.portfolio if row.price_usd} | {"USD": ONE}
    return [_buyback_line(row, desk, usd) for row in desk.buybacks]


def _buyback_line(row: BuyBack, desk: Dashboard, usd: Mapping[str, Decimal]) -> BuyBackLine:
    """The last price of the pair, or else what the account says that coin and money are worth."""
    price, unit = usd.get(row.base), usd.get(row.quote)
    reckoned = price / unit if price and unit else None
    return BuyBackLine(
        row=row,
        look=LOOKS.get(row.cover, ""),
        now=desk.prices.get(row.group.instrument_name, reckoned),
        unit=unit,
        failed=row.group.state in BARE,
    )


ORDERS_SHOWN = 8
SIGNALS_SHOWN = 3


@require_safe
@readers_only
def home(request: HttpRequest) -> HttpResponse:
    """Made of one object, the same that the API shows; the frame around it reads nothing twice."""
    desk = dashboard(span=span_of(request.GET))
    context = {
        "desk": desk,
        "frame": Frame(request, desk),
        "trading_mode": desk.mode,
        "figures": figures_of(desk),
        "lines": position_lines(desk),
        "buybacks": buyback_lines(desk),
        "coverage": coverage(desk),
        "allocation": allocation(desk.portfolio),
        "open_orders": desk.open_orders[:ORDERS_SHOWN],
        "executed_orders": desk.executed_orders[:ORDERS_SHOWN],
        "calls": desk.board.calls[:SIGNALS_SHOWN],
        "spans": list(SPANS),
        "on_home": True,
    }
    return render(request, "portfolio/dashboard.html", context)
