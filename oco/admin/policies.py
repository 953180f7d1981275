"""The policies: the one thing about protection that is changed on a page.

What was bought and is owed protection, to read.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

from exchange.admin.base import AnyAdmin, ByIdAdmin, ReadOnlyAdmin, list_link, to_the_second
from exchange.admin.filters import QuestionFilter
from exchange.admin.sync import moment
from exchange.fields import plain
from exchange.models import Trade
from oco.admin.base import order_link
from oco.forms import BUYS_BACK, PolicyForm
from oco.models import Lot, LotTrade, OcoGroup, ProtectionPolicy, Watermark
from oco.policies import policies_read, policy_note
from oco.presentation.previews import NOTHING, Holdings, Preview, SalePreview, policy_previews, sale_previews

SOLD = ProtectionPolicy.Side.SELL
LINE = "{}: {} held at {}. Stop {}, target {}. Down to the stop it loses ${}.{}"
SALE_LINE = (
    "{}: {} held at {}. Had it just been sold, {} of it would be bought back: stop {} above, target {} below. At "
    "the stop that costs ${} more than the sale brought for them, ${} at most."
)
NONE_HELD = "Nothing that is held and has a known price falls under it."
TOO_LITTLE = (
    "{}: {} held at {}. What selling it brings is too little for an order: none below 1 USD is taken."
)


class PolicyAdmin(AnyAdmin):
    """Registered by whoever knows what is held (`holdings`), which this app does not."""

    form = PolicyForm
    list_display = ("__str__", "side", "enabled", "stop_pct", "target_pct", "on_breach", "on_hand_cancel")
    readonly_fields = ("means",)
    actions = None

    def holdings(self) -> Holdings:
        return NOTHING

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        policies_read()  # the first time, those for every other instrument are made from the settings
        return super().changelist_view(request, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("instrument_name", "side", "means") if _is_default(obj) else ("means",)

    def save_model(self, request: HttpRequest, obj: ProtectionPolicy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        policy_note(policy=obj, changed_by=request.user.get_username(), changed=form.changed_data)
        if obj.side == SOLD and obj.enabled:
            messages.warning(request, BUYS_BACK)

    def delete_model(self, request: HttpRequest, obj: ProtectionPolicy) -> None:
        policy_note(policy=obj, changed_by=request.user.get_username(), changed=None)
        super().delete_model(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_default(obj)

    @admin.display(description="for what is held now")
    def means(self, policy: ProtectionPolicy) -> str:
        """As saved, had the coins just been bought, or sold; what has its orders already keeps its prices."""
        if policy.pk is None:
            return "Save it first."
        if policy.side == SOLD:
            return _sales(sale_previews(policy, self.holdings()))
        shown = policy_previews(policy, self.holdings())
        if not shown:
            return NONE_HELD
        lines = format_html_join("", f"<li>{LINE}</li>", (_texts(each) for each in shown))
        return format_html("<ul>{}</ul>For new entries; what is protected already keeps its prices.", lines)


def _is_default(policy: ProtectionPolicy | None) -> bool:
    return policy is not None and not policy.instrument_name


def _sales(shown: list[SalePreview]) -> str:
    lines = format_html_join("", "<li>{}</li>", ((_sale(each),) for each in shown))
    words = "{}<ul>{}</ul>For new sales; what is bought back already keeps its prices."
    return format_html(words, BUYS_BACK, lines) if shown else f"{BUYS_BACK} {NONE_HELD}"


def _sale(each: SalePreview) -> str:
    held = (each.instrument_name, plain(each.quantity), plain(each.price))
    if not each.back:
        return TOO_LITTLE.format(*held)
    target = "none" if each.target is None else plain(each.target)
    money = (f"{each.more_usd:,.2f}", f"{each.most_usd:,.2f}")
    return SALE_LINE.format(*held, plain(each.back), plain(each.stop), target, *money)


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


class LotState(QuestionFilter):
    title = "state"
    parameter_name = "state"
    answers = (
        ("open", "Open", Q(closed_at=None)),
        (
            "short",
            "Open, and the balance does not show all of it",
            Q(closed_at=None, short_since__isnull=False),
        ),
        ("merging", "Open, and to be merged", Q(closed_at=None, merging=True)),
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
        "average_price",
        "opened",
    )
    list_filter = (LotState, "side", "by_person")
    search_fields = ("=instrument_name", "=entry_order_id")
    readonly_fields = ("groups", "entry")

    @admin.display(description="groups")
    def groups(self, lot: Lot) -> str:
        return list_link(OcoGroup, "Its protection, now and before", lot__exact=str(lot.pk))

    @admin.display(description="entry order", empty_value="Asked for by a person")
    def entry(self, lot: Lot) -> str | None:
        return order_link(lot.entry_order_id) if lot.entry_order_id else None

    @admin.display(description="opened at")
    def opened(self, lot: Lot) -> str | None:
        return to_the_second(lot.opened_at)


@admin.register(LotTrade)
class LotTradeAdmin(ByIdAdmin):
    list_display = ("trade_id", "lot", "trade")
    list_select_related = ("lot",)
    search_fields = ("trade_id",)
    ordering = ("-id",)

    def searches(self, term: str) -> list[Q]:
        return [Q(trade_id=term)]

    @admin.display(description="trade")
    def trade(self, row: LotTrade) -> str:
        return list_link(Trade, "The trade", q=row.trade_id)


@admin.register(Watermark)
class WatermarkAdmin(ReadOnlyAdmin):
    list_display = ("since",)

    @admin.display(description="bought since then is protected by itself")
    def since(self, watermark: Watermark) -> str:
        return moment(watermark.since_ns)
