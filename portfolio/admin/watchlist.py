"""The watchlist, changed in the admin by the same rules as on its page."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from exchange.admin.base import AnyAdmin
from portfolio.models import WatchlistItem
from portfolio.signals.watchlist import (
    NotWatchable,
    symbol_of,
    watchlist_add,
    watchlist_move,
    watchlist_note,
    watchlist_remove,
)

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[WatchlistItem]
else:
    ModelForm = forms.ModelForm  # not subscriptable when it runs


class WatchForm(ModelForm):
    def clean_instrument_name(self) -> str:
        try:
            return symbol_of(self.cleaned_data["instrument_name"])
        except NotWatchable as refusal:
            raise forms.ValidationError(str(refusal)) from None


@admin.register(WatchlistItem)
class WatchlistItemAdmin(AnyAdmin):
    """An instrument is put on and taken off; what can change is its note and its place."""

    form = WatchForm
    fields = ("instrument_name", "note")
    list_display = ("instrument_name", "note", "position", "changed_at")
    actions = ("move_up", "move_down")

    def get_readonly_fields(self, request: HttpRequest, obj: WatchlistItem | None = None) -> tuple[str, ...]:
        return () if obj is None else ("instrument_name",)

    def save_model(self, request: HttpRequest, obj: WatchlistItem, form: Any, change: bool) -> None:
        now = timezone.now()
        if change:
            watchlist_note(item=obj, note=obj.note, now=now)
        else:
            made, _ = watchlist_add(instrument_name=obj.instrument_name, note=obj.note, now=now)
            obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: WatchlistItem) -> None:
        watchlist_remove(instrument_name=obj.instrument_name)

    @admin.action(description="One place up", permissions=["change"])
    def move_up(self, request: HttpRequest, queryset: QuerySet[WatchlistItem]) -> None:
        for item in queryset:
            watchlist_move(item=item, steps=-1, now=timezone.now())

    @admin.action(description="One place down", permissions=["change"])
    def move_down(self, request: HttpRequest, queryset: QuerySet[WatchlistItem]) -> None:
        for item in reversed(queryset):
            watchlist_move(item=item, steps=1, now=timezone.now())
