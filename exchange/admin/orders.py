"""Orders and trades in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import (
    ByIdAdmin,
    OrderStateFilter,
    OrderStatusFilter,
    RecentFilter,
    RecentTradesFilter,
    SideFilter,
    UnprocessedFilter,
    display,
    format_to_second,
    list_link,
)
from exchange.labels import ORDER_STATUS_LABELS, label_of
from exchange.models import ExchangeOrder, Trade
from exchange.selectors import shown_status

NOT_IN_A_LIST: Any = _("Not part of a list")


class ExchangeOrderAdmin(ByIdAdmin):
    """Registered by `oco`, which knows what an order protects."""

    change_list_template = "admin/sync_now_list.html"
    list_display = (
        "order_id",
        "instrument_name",
        "side",
        "order_type",
        "shown_status",
        "quantity",
        "filled_quantity",
        "price",
        "trigger_price",
        "order_role",
        "origin_label",
        "updated",
        "on_desk",
    )
    search_fields = ("order_id",)
    list_filter = (
        OrderStateFilter,
        "order_role",
        "origin",
        SideFilter,
        RecentFilter,
        OrderStatusFilter,
        "name_space",
    )
    exclude = ("status",)
    readonly_fields: ClassVar[tuple[str, ...]] = (
        "shown_status",
        "exchange_status",
        "trades",
        "list_siblings",
    )

    def view_on_site(self, order: ExchangeOrder) -> str:
        return reverse("order", args=[order.pk])

    def search_conditions(self, term: str) -> list[Q]:
        """The unique index starts with the name space; the index of second ids leaves out empty ones."""
        return [
            Q(name_space__in=ExchangeOrder.NameSpace.values, order_id=term),
            Q(exchange_order_id=term) & ~Q(exchange_order_id=""),
            Q(client_oid=term),
            Q(list_id=term),
            Q(instrument_name=term),
        ]

    @display(description=_("status"))
    def shown_status(self, order: ExchangeOrder) -> str:
        """As the pages and the API call it."""
        label = label_of(ORDER_STATUS_LABELS, shown_status(order))
        if not order.missing_since:
            return label
        before = label_of(ORDER_STATUS_LABELS, order.status)
        return gettext("{label} (was: {before})").format(label=label, before=before)

    @display(description=_("status on the exchange"))
    def exchange_status(self, order: ExchangeOrder) -> str:
        return order.status

    @display(description=_("updated at"))
    def updated(self, order: ExchangeOrder) -> str | None:
        return format_to_second(order.updated_at)

    @display(description=_("origin"))
    def origin_label(self, order: ExchangeOrder) -> str:
        return str(order.get_origin_display())

    @display(description=_("trades"))
    def trades(self, order: ExchangeOrder) -> str:
        ids = [id for id in (order.order_id, order.exchange_order_id) if id]
        return list_link(Trade, gettext("Its trades"), order_id__in=",".join(ids))

    @display(description=_("list"), empty_value=NOT_IN_A_LIST)
    def list_siblings(self, order: ExchangeOrder) -> str | None:
        if not order.list_id:
            return None
        text = gettext("All legs of list {list_id}").format(list_id=order.list_id)
        return list_link(ExchangeOrder, text, list_id=order.list_id)


@admin.register(Trade)
class TradeAdmin(ByIdAdmin):
    list_display = (
        "trade_id",
        "instrument_name",
        "side",
        "quantity",
        "price",
        "fee",
        "fee_currency",
        "order_link",
        "traded",
    )
    list_filter = (SideFilter, RecentTradesFilter, UnprocessedFilter)
    search_fields = ("trade_id",)
    readonly_fields = ("order_link",)

    def search_conditions(self, term: str) -> list[Q]:
        return [Q(trade_id=term), Q(order_id=term), Q(instrument_name=term)]

    @display(description=_("order"))
    def order_link(self, trade: Trade) -> str:
        return list_link(ExchangeOrder, trade.order_id, q=trade.order_id)

    @display(description=_("traded at"))
    def traded(self, trade: Trade) -> str | None:
        return format_to_second(trade.traded_at)
