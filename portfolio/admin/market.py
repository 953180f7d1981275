"""The watchlist in the admin, with the rules of its page, and the signals, read-only."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import ConditionFilter, ReadOnlyAdmin, RightsAdmin, display, format_to_second
from exchange.core.times import Timeframe
from exchange.services.permissions import Right
from portfolio.models import Signal, WatchlistItem
from portfolio.signals.selectors import reasons_text
from portfolio.signals.watchlist import (
    InvalidWatchlistItem,
    resolve_symbol,
    watchlist_add,
    watchlist_move,
    watchlist_remove,
    watchlist_set_note,
)

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[WatchlistItem]
else:
    ModelForm = forms.ModelForm  # not subscriptable when it runs


class WatchlistItemForm(ModelForm):
    def clean_instrument_name(self) -> str:
        try:
            return resolve_symbol(self.cleaned_data["instrument_name"])
        except InvalidWatchlistItem as refusal:
            raise forms.ValidationError(str(refusal)) from None


@admin.register(WatchlistItem)
class WatchlistItemAdmin(RightsAdmin):
    """Instruments are added and removed; only note and position can change."""

    form = WatchlistItemForm
    fields = ("instrument_name", "note")
    list_display = ("instrument_name", "note", "position", "changed_at")
    actions = ("move_up", "move_down")
    change_right = Right.TRADE

    def get_readonly_fields(self, request: HttpRequest, obj: WatchlistItem | None = None) -> tuple[str, ...]:
        return () if obj is None else ("instrument_name",)

    def save_model(self, request: HttpRequest, obj: WatchlistItem, form: Any, change: bool) -> None:
        now = timezone.now()
        if change:
            watchlist_set_note(item=obj, note=obj.note, now=now)
        else:
            created, _ = watchlist_add(instrument_name=obj.instrument_name, note=obj.note, now=now)
            obj.pk = created.pk

    def delete_model(self, request: HttpRequest, obj: WatchlistItem) -> None:
        watchlist_remove(instrument_name=obj.instrument_name)

    @admin.action(description=_("Move up"), permissions=["change"])
    def move_up(self, request: HttpRequest, queryset: QuerySet[WatchlistItem]) -> None:
        for item in queryset:
            watchlist_move(item=item, steps=-1, now=timezone.now())

    @admin.action(description=_("Move down"), permissions=["change"])
    def move_down(self, request: HttpRequest, queryset: QuerySet[WatchlistItem]) -> None:
        for item in reversed(queryset):
            watchlist_move(item=item, steps=1, now=timezone.now())


class LatestFilter(ConditionFilter):
    title = _("status")
    parameter_name = "what"
    options = (
        ("now", _("Latest"), Q(is_latest=True)),
        ("silent", _("No signal"), Q(is_latest=True, action="")),
        ("before", _("History"), Q(is_latest=False)),
    )


class TimeframeFilter(ConditionFilter):
    title = _("timeframe")
    parameter_name = "timeframe"
    options = tuple((str(one), str(one), Q(timeframe=one)) for one in Timeframe)


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    list_display = ("instrument_name", "timeframe", "action", "score", "reason_text", "candle", "computed")
    list_filter = (LatestFilter, TimeframeFilter, "action")
    search_fields = ("instrument_name",)

    @display(description=_("reason"))
    def reason_text(self, signal: Signal) -> str:
        return reasons_text(signal.reasons)

    @display(description=_("candle"))
    def candle(self, signal: Signal) -> str | None:
        return format_to_second(signal.candle_time)

    @display(description=_("calculated at"))
    def computed(self, signal: Signal) -> str | None:
        return format_to_second(signal.computed_at)
