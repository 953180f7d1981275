"""Instruments, candles, quotes and the audit log in the admin."""

from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import (
    ActorFilter,
    ByIdAdmin,
    ConditionFilter,
    ReadOnlyAdmin,
    display,
    format_to_second,
    group_link,
    list_link,
    uuid_of,
)
from exchange.core.times import Timeframe
from exchange.models import AuditEntry, Candle, ExchangeOrder, Instrument, Quote


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "inst_type", "price_tick_size", "qty_tick_size", "tradable", "read_at")
    list_filter = ("inst_type", "tradable", "quote_ccy")
    search_fields = ("symbol", "base_ccy")


class CandleTimeframe(ConditionFilter):
    title = _("timeframe")
    parameter_name = "timeframe"
    options = tuple((str(one), str(one), Q(timeframe=one)) for one in Timeframe)


@admin.register(Candle)
class CandleAdmin(ByIdAdmin):
    list_display = (
        *("instrument_name", "timeframe", "opened_at", "open", "high", "low", "close", "volume"),
        *("is_closed", "read_at"),
    )
    list_filter = (CandleTimeframe, "is_closed")
    search_fields = ("instrument_name",)

    def search_conditions(self, term: str) -> list[Q]:
        return [Q(instrument_name=term)]


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    list_display = ("instrument_name", "price", "change_24h", "read_at")
    search_fields = ("instrument_name",)


class AuditEntryAdmin(ByIdAdmin):
    """Registered by `oco`, which knows the texts of reasons."""

    list_display = (
        "moment",
        "actor_link",
        "from_address",
        "what",
        "result",
        "code",
        "text",
        "reason_sentence",
        "affected_objects",
        "began",
    )
    list_filter = (ActorFilter, "what")
    exclude = ("reason_code", "reason_params")
    readonly_fields = ("reason_sentence", "affected_objects", "began")
    search_fields = ("correlation_id",)
    search_help_text = _("The actor or a correlation id, exactly as shown")

    def search_conditions(self, term: str) -> list[Q]:
        return [Q(correlation_id=term), Q(actor=term)]

    def view_on_site(self, entry: AuditEntry) -> str:
        return f"{reverse('audit')}?{urlencode({'name': entry.correlation_id or entry.actor})}"

    @display(description=_("at"))
    def moment(self, entry: AuditEntry) -> str | None:
        return format_to_second(entry.at)

    @display(description=_("actor"))
    def actor_link(self, entry: AuditEntry) -> str:
        return list_link(AuditEntry, entry.actor, actor__exact=entry.actor)

    @display(description=_("caused by"))
    def began(self, entry: AuditEntry) -> str | None:
        return correlation_link(entry.correlation_id)

    @display(description=_("groups and orders"))
    def affected_objects(self, entry: AuditEntry) -> str:
        what = AuditEntry.Action
        if entry.what in (what.POLICY, what.TOKEN_MADE, what.TOKEN_REVOKED):
            return ", ".join(map(str, entry.object_ids))
        return object_links(entry.object_ids)


def correlation_link(name: str) -> str | None:
    """To all audit entries with this correlation id; None without one."""
    return list_link(AuditEntry, name, correlation_id__exact=name) if name else None


def object_links(ids: list[str]) -> str:
    """Each id as a link to its group or order."""
    return format_html_join(", ", "{}", ((_id_link(str(one)),) for one in ids))


def _id_link(text: str) -> str:
    if len(text) == len("00000000-0000-0000-0000-000000000000") and uuid_of(text):
        return group_link(text)
    return list_link(ExchangeOrder, text, q=text)
