"""The policies: the one thing about protection that is changed on a page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

from exchange.admin.base import AnyAdmin
from exchange.fields import plain
from oco.forms import NOT_OFFERED, PolicyForm
from oco.models import ProtectionPolicy
from oco.policies import policies_read, policy_note
from oco.preview import NOTHING, Holdings, Preview, policy_previews

LINE = "{}: {} held at {}. Stop {}, target {}. Down to the stop it loses ${}.{}"


class PolicyAdmin(AnyAdmin):
    """Registered by whoever knows what is held (`holdings`), which this app does not."""

    form = PolicyForm
    list_display = ("__str__", "side", "enabled", "stop_pct", "target_pct", "on_breach", "on_hand_cancel")
    readonly_fields = ("means",)
    actions = None

    def holdings(self) -> Holdings:
        return NOTHING

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        for side in ProtectionPolicy.Side.values:
            policies_read(
                side
            )  # the first time, the one for every other instrument is made from the settings
        return super().changelist_view(request, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("instrument_name", "side", "means") if _is_default(obj) else ("means",)

    def save_model(self, request: HttpRequest, obj: ProtectionPolicy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        policy_note(policy=obj, changed_by=request.user.get_username(), changed=form.changed_data)

    def delete_model(self, request: HttpRequest, obj: ProtectionPolicy) -> None:
        policy_note(policy=obj, changed_by=request.user.get_username(), changed=None)
        super().delete_model(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_default(obj)

    @admin.display(description="for what is held now")
    def means(self, policy: ProtectionPolicy) -> str:
        """As saved, had the coins just been bought; what is protected already keeps its prices."""
        if policy.pk is None:
            return "Save it first."
        if policy.side == ProtectionPolicy.Side.SELL:
            return str(NOT_OFFERED)
        shown = policy_previews(policy, self.holdings())
        if not shown:
            return "Nothing that is held and has a known price falls under it."
        lines = format_html_join("", f"<li>{LINE}</li>", (_texts(each) for each in shown))
        return format_html("<ul>{}</ul>For new entries; what is protected already keeps its prices.", lines)


def _is_default(policy: ProtectionPolicy | None) -> bool:
    return policy is not None and not policy.instrument_name


def _texts(each: Preview) -> tuple[str, ...]:
    return (
        each.instrument_name,
        plain(each.quantity),
        plain(each.price),
        plain(each.stop),
        "none" if each.target is None else plain(each.target),
        f"{each.loss_usd:,.2f}",
        "" if each.is_placeable else " Too little: the exchange takes no order below 1 USD.",
    )
