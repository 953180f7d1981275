"""One group: what is wrong, what it means in money, the price and its levels, its orders, its journal."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from oco.models import OcoGroup
from oco.presentation.group_detail import group_story
from oco.presentation.risk_reward import realised_of
from portfolio.security.access import readers_only
from portfolio.status.freshness import sync_state
from portfolio.status.stamps import stamps_now
from portfolio.views.protection.chart import chart_of, timeframe_asked
from portfolio.views.protection.money import figures_now
from portfolio.views.protection.protection_account import account_now
from portfolio.web.frame import Frame


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
