"""The price ladder: stop on the left, target on the right, entry and price between them, to scale.

What buys back has them the other way round: the lower price is on the left always.
"""

from dataclasses import dataclass
from decimal import Decimal

from portfolio.web.scale import HUNDRED, Scale, text

MARGIN = Decimal("0.15")
EDGE = Decimal(14)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Places in percent of the width; None is not drawn. `anchor` keeps the price's words inside.

    `down` is what lies below the entry, `up` what lies above it.
    """

    stop: str
    target: str | None
    entry: str | None
    now: str | None
    down_width: str
    up_start: str
    up_width: str
    anchor: str
    stop_away: Decimal | None
    target_away: Decimal | None


def ladder(
    *,
    stop: Decimal,
    target: Decimal | None,
    entry: Decimal | None,
    now: Decimal | None,
    is_mirrored: bool = False,
) -> Ladder:
    """Without a target it ends a little beyond the last price that is known on that side."""
    scale = _scale(stop, target, entry, now, is_mirrored=is_mirrored)
    split = scale.at(next(one for one in (entry, now, stop) if one is not None))
    here = None if now is None else scale.at(now)
    return Ladder(
        stop=text(scale.at(stop)),
        target=None if target is None else text(scale.at(target)),
        entry=None if entry is None else text(split),
        now=None if here is None else text(here),
        down_width=text(split),
        up_start=text(split),
        up_width=text(HUNDRED - split),
        anchor=_anchor(here),
        stop_away=_away(stop, now),
        target_away=_away(target, now),
    )


def _scale(*prices: Decimal | None, is_mirrored: bool) -> Scale:
    """Of stop, target, and the others."""
    known = [one for one in prices if one is not None]
    low, high, (_, target, *_rest) = min(known), max(known), prices
    beyond = ZERO if target is not None else (high - low or high) * MARGIN
    return Scale(low - beyond, high) if is_mirrored else Scale(low, high + beyond)


def _away(level: Decimal | None, now: Decimal | None) -> Decimal | None:
    """How far the price is from a level, in percent of the price."""
    return None if level is None or not now else (level - now) / now * HUNDRED


def _anchor(here: Decimal | None) -> str:
    if here is None or EDGE <= here <= HUNDRED - EDGE:
        return "middle"
    return "start" if here < EDGE else "end"
