"""The watchlist; changing it needs a login."""

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from exchange.services.permissions import Right, has_right
from portfolio.formatting import instrument_label
from portfolio.models import WatchlistItem
from portfolio.security.access import read_access_required, right_required
from portfolio.signals.watchlist import (
    InvalidWatchlistItem,
    tradable_symbols,
    watchlist_add,
    watchlist_move,
    watchlist_remove,
    watchlist_rows,
    watchlist_set_note,
)

STEPS = {"up": -1, "down": 1}


@require_http_methods(["GET", "HEAD", "POST"])
@read_access_required
def watchlist(request: HttpRequest) -> HttpResponse:
    """The list; POST adds an instrument."""
    if request.method != "POST":
        return _page(request)
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("watchlist"))
    submitted = {name: request.POST.get(name, "") for name in ("instrument_name", "note")}
    try:
        item, is_new = watchlist_add(
            instrument_name=submitted["instrument_name"], note=submitted["note"] or None, now=timezone.now()
        )
    except InvalidWatchlistItem as refusal:
        return _page(request, submitted=submitted, errors={refusal.field: str(refusal)}, status=422)
    name = instrument_label(item.instrument_name)
    said = _("%s added to the watchlist.") if is_new else _("%s is already on the watchlist.")
    messages.success(request, said % name)
    return redirect("watchlist")


@require_POST
@right_required(Right.TRADE)
def watchlist_item(request: HttpRequest, pk: int) -> HttpResponse:
    """One button: `do` is up, down, note or remove."""
    item = get_object_or_404(WatchlistItem, pk=pk)
    do, now = request.POST.get("do", ""), timezone.now()
    if do in STEPS:
        watchlist_move(item=item, steps=STEPS[do], now=now)
    elif do == "remove":
        watchlist_remove(instrument_name=item.instrument_name)
        messages.success(
            request, _("%s removed from the watchlist.") % instrument_label(item.instrument_name)
        )
    elif do == "note":
        _note(request, item)
    return redirect("watchlist")


def _note(request: HttpRequest, item: WatchlistItem) -> None:
    try:
        watchlist_set_note(item=item, note=request.POST.get("note", ""), now=timezone.now())
    except InvalidWatchlistItem as refusal:
        messages.error(request, str(refusal))


def _page(
    request: HttpRequest,
    *,
    submitted: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "rows": watchlist_rows(now=timezone.now()),
        "catalogue": tradable_symbols() if has_right(request.user, Right.TRADE) else [],
        "login_url": f"{reverse('login')}?next={reverse('watchlist')}",
        "submitted": submitted or {},
        "errors": errors or {},
    }
    return render(request, "watchlist/list.html", context, status=status)
