"""One group: problems, risk in money, prices and levels, orders, event log; its chart as data; and its removal."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from exchange.core.numbers import number_format, number_text
from exchange.core.times import Timeframe
from exchange.fields import format_decimal
from exchange.selectors import CandleRow, candles_of, decimals_of
from exchange.services.permissions import Right
from oco.engine.types import Role
from oco.models import OcoGroup
from oco.presentation.group_detail import GroupDetail, group_detail
from oco.presentation.risk_reward import RiskReward, realised_of
from oco.services.confirmations import InvalidReview, Review, review_open, review_sign, review_use
from oco.services.groups import group_cancel
from oco.services.validation import NotPossible
from portfolio.security.access import read_access_required, right_required
from portfolio.security.sudo import sudo_required
from portfolio.status.sync_status import load_last_modified, sync_state
from portfolio.views.protection.account import load_account, load_figures, stale_data_reason
from portfolio.web.page_context import PageContext
from portfolio.worker.sync_requests import sync_request

MAX_BARS = 96
DEFAULT_TIMEFRAME = Timeframe.H1
DECIMALS = 2
KIND = "cancel"
NAME_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price level. `is_placed`: its order is confirmed open on the exchange, or it needs none."""

    kind: str
    label: str
    price: Decimal
    is_placed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Candles oldest first, prices in the quote currency. `data` is read by the script; a table shows the same."""

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


def requested_timeframe(name: str | None) -> Timeframe:
    return Timeframe(name) if name in set(Timeframe) else DEFAULT_TIMEFRAME


def build_chart(detail: GroupDetail, figures: RiskReward, *, timeframe: Timeframe) -> Chart:
    """One query. None without candles; the levels are shown anyway."""
    bars = candles_of(instrument_name=detail.group.instrument_name, timeframe=timeframe, limit=MAX_BARS)
    levels = build_levels(detail, figures)
    return Chart(timeframe=timeframe, bars=bars, levels=levels, data=_data(detail, bars, levels))


def build_levels(detail: GroupDetail, figures: RiskReward) -> list[Level]:
    """Take profit, entry, stop. A level whose order should be open and is not counts as not placed."""
    found = []
    if figures.target is not None:
        label = _("Take profit")
        found.append(
            _order_level(
                detail, Role.TAKE_PROFIT, "target", label, _("Take profit not placed"), figures.target
            )
        )
    if figures.basis_price is not None:
        found.append(
            Level(
                kind="entry", label=_entry_label(detail, figures), price=figures.basis_price, is_placed=True
            )
        )
    found.append(_order_level(detail, Role.STOP_LOSS, "stop", _("Stop"), _("Stop not placed"), figures.stop))
    return found


@require_safe
@read_access_required
def protection_detail(request: HttpRequest, pk: object) -> HttpResponse:
    last_modified = load_last_modified()
    detail = group_detail(group_id=get_object_or_404(OcoGroup, pk=pk).pk)
    account, now = load_account(), timezone.now()
    figures = load_figures(detail, account)
    detail = replace(detail, is_above_limit=figures.is_above_limit)
    context = {
        "detail": detail,
        "group": detail.group,
        "figures": figures,
        "realised": realised_of(
            detail.fills, basis_price=figures.entry, quote_usd=figures.quote_usd, exit_side=detail.exit_side
        ),
        "chart": build_chart(detail, figures, timeframe=requested_timeframe(request.GET.get("chart"))),
        "page_context": PageContext(request, last_modified=last_modified),
        "sync": sync_state(now=now, last_modified=last_modified),
        "priced_at": account.read_at,
        "now": now,
    }
    return render(request, "oco/group.html", context)


@require_safe
@read_access_required
def protection_result(request: HttpRequest, pk: object) -> HttpResponse:
    """Step 3: the stored request, and what the worker has done so far."""
    last_modified = load_last_modified()
    detail = group_detail(group_id=get_object_or_404(OcoGroup, pk=pk).pk)
    now = timezone.now()
    context = {
        "detail": detail,
        "page_context": PageContext(request, last_modified=last_modified),
        "sync": sync_state(now=now, last_modified=last_modified),
        "now": now,
    }
    return render(request, "oco/sent.html", context)


def _entry_label(detail: GroupDetail, figures: RiskReward) -> str:
    if detail.buys_back:
        return _("Sale price")
    return _("Average cost") if figures.entry is None else _("Entry")


def _order_level(
    detail: GroupDetail, role: Role, kind: str, label: str, missing: str, requested_price: Decimal
) -> Level:
    # At the price on the exchange, which may differ from the requested one (rule 3).
    leg = detail.resting(role)
    price = (leg.trigger_price or leg.price) if leg else None
    is_placed = leg is not None or detail.is_final
    return Level(
        kind=kind, label=label if is_placed else missing, price=price or requested_price, is_placed=is_placed
    )


def _data(detail: GroupDetail, bars: Sequence[CandleRow], levels: Sequence[Level]) -> dict[str, Any]:
    tick = detail.instrument.price_tick_size if detail.instrument else None
    return {
        "decimals": decimals_of(tick) if tick else DECIMALS,
        "tick": format_decimal(tick) if tick else "0.01",
        "signs": [number_format().decimal, number_format().group],
        "bars": [
            [_seconds(bar.opened_at), *map(format_decimal, (bar.open, bar.high, bar.low, bar.close))]
            for bar in bars
        ],
        "levels": [
            {
                "kind": one.kind,
                "label": one.label,
                "price": format_decimal(one.price),
                "placed": one.is_placed,
            }
            for one in levels
        ],
        "marks": _trade_markers(detail, bars),
    }


def _trade_markers(detail: GroupDetail, bars: Sequence[CandleRow]) -> list[dict[str, Any]]:
    # Each fill at its candle; fills older than the first candle are left out.
    opened = [bar.opened_at for bar in bars]
    found = []
    for trade in detail.trades:
        index = bisect_right(opened, trade.traded_at) - 1
        if index >= 0:
            template = _("Bought %(quantity)s") if trade.side == "BUY" else _("Sold %(quantity)s")
            text = template % {"quantity": number_text(trade.quantity)}
            found.append({"time": _seconds(opened[index]), "side": trade.side, "text": text})
    return found


def _seconds(moment: datetime) -> int:
    # The script knows one time zone only, so it gets our local time.
    here = timezone.localtime(moment)
    offset = here.utcoffset()
    return int(moment.timestamp()) + (int(offset.total_seconds()) if offset else 0)


# Remove protection: shows the consequences, and needs a confirmed password


@require_http_methods(["GET", "HEAD", "POST"])
@right_required(Right.MANAGE)
@sudo_required
def protection_cancel(request: HttpRequest, pk: object) -> HttpResponse:
    """GET is the review; POST removes the protection."""
    group = get_object_or_404(OcoGroup, pk=pk)
    detail = group_detail(group_id=group.pk)
    if request.method != "POST":
        return _page(request, detail)
    if detail.is_final or detail.group.cancel_requested_at is not None:
        return redirect("protection-sent", detail.group.pk)
    return _submit_cancel(request, detail)


def _submit_cancel(request: HttpRequest, detail: GroupDetail) -> HttpResponse:
    # Once for each review, and only while nothing has changed since.
    now, name = timezone.now(), request.user.get_username()[:NAME_LENGTH]
    try:
        opened = review_open(request.POST.get("token", ""), kind=KIND, user=str(request.user.pk))
    except InvalidReview:
        return _page(request, detail, notice=_("This review is not valid. Nothing was sent: review again."))
    reason = stale_data_reason(now=now) or opened.stale_reason(seen=_state_key(detail))
    if reason:
        return _page(request, detail, notice=reason)
    try:
        with transaction.atomic():
            if review_use(nonce=opened.review.nonce, now=now):
                group_cancel(group_id=detail.group.pk, requested_by=name, now=now)
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    sync_request(requested_by=name)
    return redirect("protection-sent", detail.group.pk)


def _page(request: HttpRequest, detail: GroupDetail, *, notice: str = "") -> HttpResponse:
    account, now = load_account(), timezone.now()
    review = Review(
        kind=KIND,
        user=str(request.user.pk),
        requested={"group": str(detail.group.pk)},
        seen=_state_key(detail),
    )
    context = {
        "detail": detail,
        "figures": load_figures(detail, account),
        "account": account,
        "refusal": stale_data_reason(now=now),
        "now": now,
        "token": review_sign(review),
        "notice": notice,
    }
    return render(request, "oco/cancel.html", context)


def _state_key(detail: GroupDetail) -> str:
    # Group, state and open orders at the time of the review.
    group = detail.group
    prices = (format_decimal(detail.stop), format_decimal(detail.owned))
    return " ".join(map(str, (group.pk, group.state, *prices, detail.has_stop, detail.has_target)))
