"""Policies, the only protection records that can be changed, and the lots, read-only."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

from exchange.admin.base import ByIdAdmin, ReadOnlyAdmin, RightsAdmin, format_to_second, list_link
from exchange.admin.filters import ConditionFilter
from exchange.admin.sync import format_ns
from exchange.core.decimals import cents
from exchange.core.numbers import number_text
from exchange.models import Trade
from exchange.services.permissions import Right
from oco.admin.base import order_link
from oco.forms import BUY_BACK_NOTICE, PolicyForm
from oco.models import Lot, LotTrade, OcoGroup, ProtectionPolicy, Watermark
from oco.policies import policies_read, policy_audit
from oco.presentation.previews import (
    NO_HOLDINGS,
    Holdings,
    Preview,
    SalePreview,
    policy_previews,
    sale_previews,
)

SOLD = ProtectionPolicy.Side.SELL
PREVIEW_LINE = "{}: {} held at {}. Stop {}, target {}. Down to the stop it loses ${}.{}"
SALE_LINE = (
    "{}: {} held at {}. Had it just been sold, {} of it would be bought back: stop {} above, target {} below. At "
    "the stop that costs ${} more than the sale brought for them, ${} at most."
)
NONE_HELD = "Nothing that is held and has a known price falls under it."
TOO_LITTLE = (
    "{}: {} held at {}. What selling it brings is too little for an order: none below 1 USD is taken."
)


class PolicyAdmin(RightsAdmin):
    """Registered by the app that provides `holdings`; this app does not know them."""

    form = PolicyForm
    list_display = ("__str__", "side", "enabled", "stop_pct", "target_pct", "on_breach", "on_hand_cancel")
    readonly_fields = ("means",)
    actions = None
    change_right = Right.MANAGE

    def holdings(self) -> Holdings:
        return NO_HOLDINGS

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        policies_read()  # creates the default policies from the settings the first time
        return super().changelist_view(request, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("instrument_name", "side", "means") if _is_default(obj) else ("means",)

    def save_model(self, request: HttpRequest, obj: ProtectionPolicy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        policy_audit(policy=obj, changed_by=request.user.get_username(), changed=form.changed_data)
        if obj.side == SOLD and obj.enabled:
            messages.warning(request, BUY_BACK_NOTICE)

    def delete_model(self, request: HttpRequest, obj: ProtectionPolicy) -> None:
        policy_audit(policy=obj, changed_by=request.user.get_username(), changed=None)
        super().delete_model(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_default(obj)

    @admin.display(description="for current holdings")
    def means(self, policy: ProtectionPolicy) -> str:
        """As saved, as if the coins had just been bought, or sold; placed orders keep their prices."""
        if policy.pk is None:
            return "Save it first."
        if policy.side == SOLD:
            return _sales(sale_previews(policy, self.holdings()))
        shown = policy_previews(policy, self.holdings())
        if not shown:
            return NONE_HELD
        lines = format_html_join("", f"<li>{PREVIEW_LINE}</li>", (_preview_cells(each) for each in shown))
        return format_html("<ul>{}</ul>For new entries; what is protected already keeps its prices.", lines)


def _is_default(policy: ProtectionPolicy | None) -> bool:
    return policy is not None and not policy.instrument_name


def _sales(shown: list[SalePreview]) -> str:
    lines = format_html_join("", "<li>{}</li>", ((_sale(each),) for each in shown))
    words = "{}<ul>{}</ul>For new sales; what is bought back already keeps its prices."
    return format_html(words, BUY_BACK_NOTICE, lines) if shown else f"{BUY_BACK_NOTICE} {NONE_HELD}"


def _sale(each: SalePreview) -> str:
    held = (each.instrument_name, number_text(each.quantity), number_text(each.price))
    if not each.bought_back:
        return TOO_LITTLE.format(*held)
    target = "none" if each.target is None else number_text(each.target)
    money = (number_text(cents(each.extra_cost_usd)), number_text(cents(each.max_cost_usd)))
    return SALE_LINE.format(*held, number_text(each.bought_back), number_text(each.stop), target, *money)


def _preview_cells(each: Preview) -> tuple[str, ...]:
    return (
        each.instrument_name,
        number_text(each.quantity),
        number_text(each.price),
        number_text(each.stop),
        "none" if each.target is None else number_text(each.target),
        number_text(cents(each.loss_usd)),
        "" if each.is_placeable else " Too little: the exchange takes no order below 1 USD.",
    )


class LotState(ConditionFilter):
    title = "state"
    parameter_name = "state"
    options = (
        ("open", "Open", Q(closed_at=None)),
        (
            "short",
            "Open, and the balance does not show all of it",
            Q(closed_at=None, short_since__isnull=False),
        ),
        ("merging", "Open, and to be merged", Q(closed_at=None, merging=True)),
        ("waits", "Closed, and the rest joins the next purchase", Q(waits=True)),
    )


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    list_display = (
        "instrument_name",
        "side",
        "bought",
        "owned",
        "sold",
        "gone",
        "dust",
        "waits",
        "average_price",
        "opened",
    )
    list_filter = (LotState, "side", "by_person")
    search_fields = ("=instrument_name", "=entry_order_id")
    readonly_fields = ("groups", "entry")

    @admin.display(description="groups")
    def groups(self, lot: Lot) -> str:
        return list_link(OcoGroup, "Its protection, now and before", lot__exact=str(lot.pk))

    @admin.display(description="entry order", empty_value="Requested by a user")
    def entry(self, lot: Lot) -> str | None:
        return order_link(lot.entry_order_id) if lot.entry_order_id else None

    @admin.display(description="opened at")
    def opened(self, lot: Lot) -> str | None:
        return format_to_second(lot.opened_at)


@admin.register(LotTrade)
class LotTradeAdmin(ByIdAdmin):
    list_display = ("trade_id", "lot", "trade")
    list_select_related = ("lot",)
    search_fields = ("trade_id",)
    ordering = ("-id",)

    def search_conditions(self, term: str) -> list[Q]:
        return [Q(trade_id=term)]

    @admin.display(description="trade")
    def trade(self, row: LotTrade) -> str:
        return list_link(Trade, "The trade", q=row.trade_id)


@admin.register(Watermark)
class WatermarkAdmin(ReadOnlyAdmin):
    list_display = ("since",)

    @admin.display(description="purchases since then are protected automatically")
    def since(self, watermark: Watermark) -> str:
        return format_ns(watermark.since_ns)
