"""Policies, the only protection records that can be changed, and the lots, read-only."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import (
    ByIdAdmin,
    ConditionFilter,
    ReadOnlyAdmin,
    RightsAdmin,
    display,
    format_to_second,
    list_link,
)
from exchange.admin.sync import format_ns
from exchange.core.numbers import cents, number_text
from exchange.models import Trade
from exchange.services.permissions import Right
from oco.admin.base import REQUESTED_BY_USER, order_link
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
PREVIEW_LINE = _(
    "{instrument}: {quantity} held at {price}. Stop {stop}, take profit {target}. Down to the stop it loses ${loss}."
)
NOT_PLACEABLE = _("Too little: the exchange takes no order below 1 USD.")
SALE_LINE = _(
    "{instrument}: {quantity} held at {price}. Had it just been sold, {bought_back} of it would be bought back: stop "
    "{stop} above, take profit {target} below. At the stop that costs ${extra} more than the sale brought for them, "
    "${most} at most."
)
NONE_HELD = _("Nothing that is held and has a known price falls under it.")
TOO_LITTLE = _(
    "{instrument}: {quantity} held at {price}. What selling it brings is too little for an order: none below 1 USD is "
    "taken."
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

    @display(description=_("for current holdings"))
    def means(self, policy: ProtectionPolicy) -> str:
        """As saved, as if the coins had just been bought, or sold; placed orders keep their prices."""
        if policy.pk is None:
            return gettext("Save it first.")
        if policy.side == SOLD:
            return _sales(sale_previews(policy, self.holdings()))
        shown = policy_previews(policy, self.holdings())
        if not shown:
            return str(NONE_HELD)
        lines = format_html_join("", "<li>{}</li>", ((_preview_line(each),) for each in shown))
        note = gettext("For new entries; what is protected already keeps its prices.")
        return format_html("<ul>{}</ul>{}", lines, note)


def _is_default(policy: ProtectionPolicy | None) -> bool:
    return policy is not None and not policy.instrument_name


def _sales(shown: list[SalePreview]) -> str:
    lines = format_html_join("", "<li>{}</li>", ((_sale(each),) for each in shown))
    if not shown:
        return f"{BUY_BACK_NOTICE} {NONE_HELD}"
    note = gettext("For new sales; what is bought back already keeps its prices.")
    return format_html("{}<ul>{}</ul>{}", BUY_BACK_NOTICE, lines, note)


def _sale(each: SalePreview) -> str:
    if not each.bought_back:
        return TOO_LITTLE.format(**_held(each))
    return SALE_LINE.format(
        **_held(each),
        bought_back=number_text(each.bought_back),
        extra=number_text(cents(each.extra_cost_usd)),
        most=number_text(cents(each.max_cost_usd)),
    )


def _preview_line(each: Preview) -> str:
    line = PREVIEW_LINE.format(**_held(each), loss=number_text(cents(each.loss_usd)))
    return line if each.is_placeable else f"{line} {NOT_PLACEABLE}"


def _held(each: Preview | SalePreview) -> dict[str, str]:
    return {
        "instrument": each.instrument_name,
        "quantity": number_text(each.quantity),
        "price": number_text(each.price),
        "stop": number_text(each.stop),
        "target": gettext("none") if each.target is None else number_text(each.target),
    }


class LotState(ConditionFilter):
    title = _("state")
    parameter_name = "state"
    options = (
        ("open", _("Open"), Q(closed_at=None)),
        (
            "short",
            _("Open, and the balance does not show all of it"),
            Q(closed_at=None, short_since__isnull=False),
        ),
        ("merging", _("Open, and to be merged"), Q(closed_at=None, merging=True)),
        ("waits", _("Closed, and the rest joins the next purchase"), Q(waits=True)),
    )


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    list_display = (
        "instrument_name",
        "side",
        "bought",
        "open_quantity",
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

    @display(description=_("open quantity"))
    def open_quantity(self, lot: Lot) -> str:
        return number_text(lot.owned)

    @display(description=_("groups"))
    def groups(self, lot: Lot) -> str:
        return list_link(OcoGroup, gettext("Its protection, now and before"), lot__exact=str(lot.pk))

    @display(description=_("entry order"), empty_value=REQUESTED_BY_USER)
    def entry(self, lot: Lot) -> str | None:
        return order_link(lot.entry_order_id) if lot.entry_order_id else None

    @display(description=_("opened at"))
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

    @display(description=_("trade"))
    def trade(self, row: LotTrade) -> str:
        return list_link(Trade, gettext("The trade"), q=row.trade_id)


@admin.register(Watermark)
class WatermarkAdmin(ReadOnlyAdmin):
    list_display = ("since",)

    @display(description=_("purchases since then are protected automatically"))
    def since(self, watermark: Watermark) -> str:
        return format_ns(watermark.since_ns)
