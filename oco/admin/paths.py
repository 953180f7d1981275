"""From a group to everything that was written down because of it."""

from uuid import UUID

from exchange.admin.base import DASH, far_list, list_link
from exchange.models import AuditEntry, ExchangeOrder, Trade
from oco.event import OcoEvent
from oco.group import OcoGroup
from oco.leg import OcoLeg

MOST = 50  # names in one address


def orders_of(group_id: UUID) -> str:
    return list_link(ExchangeOrder, "All of its orders", oco_group_id__exact=str(group_id))


def events_of(group_id: UUID) -> str:
    return list_link(OcoEvent, "Its journal", group__exact=str(group_id))


def alerts_of(group_id: UUID) -> str:
    return far_list("portfolio_alert", "What was told about it", oco_group_id__exact=str(group_id))


def trades_of(group: OcoGroup) -> str:
    """The fills of its entry and of its newest orders, by either id that an order can have."""
    legs = OcoLeg.objects.filter(group=group).order_by("-id").values_list("order_id", "exchange_order_id")
    ids = [group.entry_order_id, *(one for pair in legs[:MOST] for one in pair)]
    known = ",".join(dict.fromkeys(one for one in ids if one))
    return list_link(Trade, "The fills of its entry and its orders", order_id__in=known) if known else DASH


def audit_of(group_id: UUID) -> str:
    """Entries with the names under which its latest changes were begun: those of the same cycles, others' too."""
    events = OcoEvent.objects.filter(group_id=group_id).exclude(correlation_id="")
    names = dict.fromkeys(events.order_by("-id").values_list("correlation_id", flat=True)[: 10 * MOST])
    known = ",".join(list(names)[:MOST])
    return list_link(AuditEntry, "What was asked and sent then", correlation_id__in=known) if known else DASH
