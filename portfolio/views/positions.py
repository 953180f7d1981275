"""One line per position: how it is covered, what it has gained, what it would lose or gain, what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from oco.engine.coverage import Cover, Covered
from oco.engine.states import State
from oco.presentation.positions import Position
from oco.selectors import GroupRow
from portfolio.accounting.pnl import CoinResult
from portfolio.dashboard.selectors import Dashboard, Holding

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
        _line(position, held.get(position.covered.currency), usd, desk.results) for position in desk.positions
    ]


def _line(
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
