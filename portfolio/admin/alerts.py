"""Alerts, and the messages they were sent in."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from exchange.admin.base import (
    ByIdAdmin,
    ConditionFilter,
    ReadOnlyAdmin,
    display,
    format_to_second,
    group_link,
    uuid_of,
)
from exchange.admin.market import correlation_link
from exchange.services.permissions import Right, has_right
from portfolio.alerts.services import alert_acknowledge
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert, AlertDismissal, AlertMessage

NAME_LENGTH = 64


class OngoingFilter(ConditionFilter):
    title = _("status")
    parameter_name = "over"
    options = (
        ("no", _("Open"), ~Q(condition="") & Q(ended_at=None)),
        ("yes", _("Resolved"), ~Q(condition="") & Q(ended_at__isnull=False)),
    )


class AcknowledgedFilter(ConditionFilter):
    title = _("acknowledged")
    parameter_name = "seen"
    options = (
        ("no", _("Not yet"), Q(acknowledged_at=None)),
        ("yes", _("Yes"), Q(acknowledged_at__isnull=False)),
    )


class DeliveryFilter(ConditionFilter):
    title = _("delivered")
    parameter_name = "delivered"
    options = (
        ("no", _("Not delivered: failed, or queued"), Q(state__in=["DUE", "SENDING", "FAILED"])),
        ("tried", _("Failed at least once"), Q(state__in=["DUE", "SENDING", "FAILED"], attempts__gt=0)),
    )


@admin.register(Alert)
class AlertAdmin(ByIdAdmin):
    list_display = (
        "raised",
        "kind",
        "title_shown",
        "text_shown",
        "group",
        "over",
        "state",
        "delivery_error",
        "acknowledged_by",
        "on_desk",
    )
    list_filter = (AcknowledgedFilter, OngoingFilter, DeliveryFilter, "kind", "state")
    exclude = ("refused_by", "last_error")
    readonly_fields = ("delivery_error", "title_shown", "text_shown", "group", "began")
    ordering = ("-id",)  # as they were raised: by the primary key
    search_fields = ("title",)
    search_help_text = _("An instrument, the id of a group or a correlation id, exactly as shown")
    actions = ("acknowledge",)

    def search_conditions(self, term: str) -> list[Q]:
        found = [Q(instrument_name=term), Q(correlation_id=term)]
        return [*found, Q(oco_group_id=group)] if (group := uuid_of(term)) else found

    def view_on_site(self, alert: Alert) -> str:
        return reverse("alerts") + ("?show=all" if alert.acknowledged_at else "")

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, Right.TRADE)

    @admin.action(description=_("Acknowledge"), permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        name, now = request.user.get_username()[:NAME_LENGTH], timezone.now()
        done = [alert_acknowledge(alert=alert, acknowledged_by=name, now=now) for alert in queryset]
        text = ngettext("{count} alert acknowledged.", "{count} alerts acknowledged.", sum(done))
        messages.success(request, text.format(count=sum(done)))

    @display(description=_("last error"))
    def delivery_error(self, alert: Alert) -> str:
        return alert.delivery_error

    @display(description=_("title"))
    def title_shown(self, alert: Alert) -> str:
        return alert_title(alert)

    @display(description=_("text"))
    def text_shown(self, alert: Alert) -> SafeString:
        return linebreaksbr(alert_text(alert))

    @display(description=_("raised at"))
    def raised(self, alert: Alert) -> str | None:
        return format_to_second(alert.raised_at)

    @display(description=_("resolved at"))
    def over(self, alert: Alert) -> str | None:
        return format_to_second(alert.ended_at)

    @display(description=_("group"))
    def group(self, alert: Alert) -> str | None:
        if alert.oco_group_id is None:
            return None
        return group_link(alert.oco_group_id, alert.instrument_name)

    @display(description=_("caused by"))
    def began(self, alert: Alert) -> str | None:
        return correlation_link(alert.correlation_id)


@admin.register(AlertDismissal)
class AlertDismissalAdmin(ReadOnlyAdmin):
    list_display = ("alert", "user", "exposed_usd", "moment")

    @display(description=_("at"))
    def moment(self, dismissal: AlertDismissal) -> str | None:
        return format_to_second(dismissal.dismissed_at)


@admin.register(AlertMessage)
class AlertMessageAdmin(ReadOnlyAdmin):
    list_display = ("number", "moment", "alerts", "took", "refused")

    @display(description=_("at"))
    def moment(self, message: AlertMessage) -> str | None:
        return format_to_second(message.at)
