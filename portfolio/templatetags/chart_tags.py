"""The small charts as SVG: geometry in attributes, style in classes, and the same as text for screen readers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from oco.engine.pricing import ExitSide
from portfolio.formatting import amount_text, percent_text, signed
from portfolio.web import charts
from portfolio.web.preferences import current_preferences

register = template.Library()

NOTHING: SafeString = mark_safe("")
TWO_DAYS, YEAR = timedelta(days=2), timedelta(days=366)
TIME_LABEL, DAY_LABEL, MONTH_LABEL = "H:i", "j M", "M Y"


@register.inclusion_tag("_ladder.html", name="ladder")
def ladder(
    name: str,
    stop: Decimal,
    target: Decimal | None = None,
    entry: Decimal | None = None,
    now: Decimal | None = None,
    decimals: int | None = None,
    failed: bool = False,
    exit_side: str = ExitSide.SELL,
) -> dict[str, Any]:
    """Stop, entry, current price and take profit, to scale. Prices are in the quote currency.

    A buy-back has its stop above and its take profit below. `failed`: the stop is not on the exchange.
    """
    is_mirrored = exit_side == ExitSide.BUY
    drawn = charts.ladder(stop=stop, target=target, entry=entry, now=now, is_mirrored=is_mirrored)
    return {
        "drawn": drawn,
        "is_mirrored": is_mirrored,
        "stop": stop,
        "target": target,
        "now": now,
        "decimals": decimals,
        "failed": failed,
        "words": " ".join(_ladder_sentences(name, drawn, (now, entry, stop, target), decimals, failed)),
    }


def _ladder_sentences(
    name: str,
    drawn: charts.Ladder,
    prices: tuple[Decimal | None, ...],
    decimals: int | None,
    failed: bool,
) -> list[str]:
    now, entry, stop, target = (None if price is None else amount_text(price, decimals) for price in prices)
    sentences = [
        _("%(name)s now %(price)s.") % {"name": name, "price": now} if now else "",
        _("Entry %s.") % entry if entry else "",
        _("Stop loss %(price)s%(away)s%(missing)s.")
        % {
            "price": stop,
            "away": _away(drawn.stop_away),
            "missing": _(", not on the exchange") if failed else "",
        },
        _("Take profit %(price)s%(away)s.") % {"price": target, "away": _away(drawn.target_away)}
        if target
        else _("No take profit."),
    ]
    return [sentence for sentence in sentences if sentence]


def _away(percent: Decimal | None) -> str:
    return "" if percent is None else _(", %s away") % signed(percent_text(percent), percent)


@register.simple_tag
def sparkline(values: Sequence[Decimal]) -> SafeString:
    """A curve without axes, next to a text with the same content. Empty for fewer than two values."""
    path = charts.sparkline(values)
    box = 'viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"'
    html = f'<svg class="spark" {box}><path d="{{}}"></path></svg>'
    return format_html(html, path) if path else NOTHING


@register.inclusion_tag("_line_chart.html")
def line_chart(
    points: Sequence[tuple[datetime, Decimal | None]],
    title: str,
    name: str = "line",
    height: int = 190,
) -> dict[str, Any]:
    """USD values over time with axes, a sentence and a table. `name` makes its ids unique on the page."""
    drawn = charts.line(points)
    return {
        "line": drawn,
        "labels": _labels(drawn) if drawn else (),
        "hidden": current_preferences().hides_amounts,
        "title": title,
        "name": name,
        "height": height,
        "plot": height - 22,
        "base": height - 5,
    }


def _labels(line: charts.Line) -> tuple[str, ...]:
    """First, middle and last moment: the time within two days, else the day, with the year beyond one."""
    length = line.ends - line.starts
    style = TIME_LABEL if length <= TWO_DAYS else DAY_LABEL if length <= YEAR else MONTH_LABEL
    moments = (line.starts, line.middle, line.ends)
    return tuple(dateformat.format(timezone.localtime(moment), style) for moment in moments)


@register.simple_tag
def meter(value: int | Decimal | None, maximum: int | Decimal = 100) -> SafeString:
    """A thin bar of `value` out of `maximum`, next to its number."""
    percent = min(max(Decimal(value or 0) / maximum, Decimal(0)), Decimal(1)) * 100
    html = (
        '<svg class="bar" aria-hidden="true"><rect class="t" width="100%" height="100%" rx="2"></rect>'
        '<rect class="v" width="{}%" height="100%" rx="2"></rect></svg>'
    )
    return format_html(html, f"{percent:.1f}")
