"""One group: what is wrong, what it means in money, the price and its levels, its orders, its journal.

The price chart of a group as data: bars, levels and executions. A script draws it; a table says the same.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from exchange.core.times import Timeframe
from exchange.fields import plain
from exchange.selectors import CandleRow, candles_of, decimals_of
from oco.engine.types import Role
from oco.models import OcoGroup
from oco.presentation.group_detail import Story, group_story
from oco.presentation.risk_reward import Figures, realised_of
from portfolio.security.access import readers_only
from portfolio.status.sync_status import stamps_now, sync_state
from portfolio.views.protection.account import account_now, figures_now
from portfolio.web.page_context import Frame

BARS = 96
USUAL = Timeframe.H1
DECIMALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price worth a line. `is_placed`: an order for it was read back open, or it needs none."""

    kind: str
    label: str
    price: Decimal
    is_placed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars oldest first, prices in the quote currency. `data` is what the script is given."""

    timeframe: Timeframe
    bars: Sequence[CandleRow]
    levels: Sequence[Level]
    data: dict[str, Any]

    @property
    def timeframes(self) -> list[Timeframe]:
        return list(Timeframe)

    @property
    def newest_first(self) -> list[CandleRow]:
        return list(reversed(self.bars))

    @property
    def first(self) -> CandleRow:
        return self.bars[0]

    @property
    def last(self) -> CandleRow:
        return self.bars[-1]

    @property
    def low(self) -> Decimal:
        return min(bar.low for bar in self.bars)

    @property
    def high(self) -> Decimal:
        return max(bar.high for bar in self.bars)


def timeframe_asked(name: str | None) -> Timeframe:
    return Timeframe(name) if name in set(Timeframe) else USUAL


def chart_of(story: Story, figures: Figures, *, timeframe: Timeframe) -> Chart:
    """One query. Without bars there is nothing to draw, and the levels stay."""
    bars = candles_of(instrument_name=story.group.instrument_name, timeframe=timeframe, limit=BARS)
    levels = levels_of(story, figures)
    return Chart(timeframe=timeframe, bars=bars, levels=levels, data=_data(story, bars, levels))


def levels_of(story: Story, figures: Figures) -> list[Level]:
    """Target, entry, stop. One that should rest and does not is not placed; of an ended group none rests."""
    found = []
    if figures.target is not None:
        label = _("Target")
        found.append(
            _resting(story, Role.TAKE_PROFIT, "target", label, _("Target not placed"), figures.target)
        )
    if figures.paid is not None:
        found.append(
            Level(kind="entry", label=_paid_words(story, figures), price=figures.paid, is_placed=True)
        )
    found.append(_resting(story, Role.STOP_LOSS, "stop", _("Stop"), _("Stop not placed"), figures.stop))
    return found


def _paid_words(story: Story, figures: Figures) -> str:
    if story.buys_back:
        return _("Sold at")
    return _("Average cost") if figures.entry is None else _("Entry")


def _resting(story: Story, role: Role, kind: str, label: str, missing: str, wished: Decimal) -> Level:
    """At the price that rests on the exchange, which may be another than the wish (rule 3)."""
    leg = story.resting(role)
    price = (leg.trigger_price or leg.price) if leg else None
    is_placed = leg is not None or story.is_final
    return Level(kind=kind, label=label if is_placed else missing, price=price or wished, is_placed=is_placed)


def _data(story: Story, bars: Sequence[CandleRow], levels: Sequence[Level]) -> dict[str, Any]:
    tick = story.instrument.price_tick_size if story.instrument else None
    return {
        "decimals": decimals_of(tick) if tick else DECIMALS,
        "tick": plain(tick) if tick else "0.01",
        "bars": [
            [_seconds(bar.opened_at), *map(plain, (bar.open, bar.high, bar.low, bar.close))] for bar in bars
        ],
        "levels": [
            {"kind": one.kind, "label": one.label, "price": plain(one.price), "placed": one.is_placed}
            for one in levels
        ],
        "marks": _marks(story, bars),
    }


def _marks(story: Story, bars: Sequence[CandleRow]) -> list[dict[str, Any]]:
    """Each execution at the bar that it fell into; what is older than the first bar is left out."""
    opened = [bar.opened_at for bar in bars]
    found = []
    for trade in story.trades:
        place = bisect_right(opened, trade.traded_at) - 1
        if place >= 0:
            words = _("Bought %(quantity)s") if trade.side == "BUY" else _("Sold %(quantity)s")
            text = words % {"quantity": plain(trade.quantity)}
            found.append({"time": _seconds(opened[place]), "side": trade.side, "text": text})
    return found


def _seconds(moment: datetime) -> int:
    """As the script shows it: it knows one time zone, so it is given our wall clock."""
    here = timezone.localtime(moment)
    offset = here.utcoffset()
    return int(moment.timestamp()) + (int(offset.total_seconds()) if offset else 0)


@require_safe
@readers_only
def protection_group(request: HttpRequest, pk: object) -> HttpResponse:
    stamps = stamps_now()
    story = group_story(group_id=get_object_or_404(OcoGroup, pk=pk).pk)
    account, now = account_now(), timezone.now()
    figures = figures_now(story, account)
    story = replace(story, is_out_of_reach=figures.is_out_of_reach)
    context = {
        "story": story,
        "group": story.group,
        "figures": figures,
        "realised": realised_of(story.fills, paid=figures.entry, quote_usd=figures.quote_usd, way=story.way),
        "chart": chart_of(story, figures, timeframe=timeframe_asked(request.GET.get("chart"))),
        "frame": Frame(request, stamps=stamps),
        "sync": sync_state(now=now, stamps=stamps),
        "priced_at": account.read_at,
        "now": now,
    }
    return render(request, "oco/group.html", context)


@require_safe
@readers_only
def protection_sent(request: HttpRequest, pk: object) -> HttpResponse:
    """Step 3: what was written down, and what the worker made of it so far."""
    stamps = stamps_now()
    story = group_story(group_id=get_object_or_404(OcoGroup, pk=pk).pk)
    now = timezone.now()
    context = {
        "story": story,
        "frame": Frame(request, stamps=stamps),
        "sync": sync_state(now=now, stamps=stamps),
        "now": now,
    }
    return render(request, "oco/sent.html", context)
