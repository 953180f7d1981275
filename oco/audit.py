"""Our rows as the invariants see them: the checks of protection chapter 3, in production as alarms."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import QuerySet

from exchange.models import ExchangeOrder, Instrument
from oco import invariants
from oco.evidence import AFTER_PREFIX
from oco.models import Lot, OcoGroup, OcoLeg
from oco.oids import PREFIX
from oco.plan import Role
from oco.selectors import groups_open
from oco.states import State

ZERO = Decimal(0)


def invariants_broken() -> list[str]:
    """The invariants over our own rows: an alarm when one does not hold."""
    own = ExchangeOrder.objects.filter(
        client_oid__gte=PREFIX, client_oid__lt=AFTER_PREFIX, oco_group_id__in=groups_open().values("pk")
    )
    orders = [
        invariants.OrderFact(
            client_oid=order.client_oid,
            is_open=order.is_open,
            status=order.status,
            quantity=order.quantity or ZERO,
            executed=order.filled_quantity,
        )
        for order in own
    ]
    return invariants.broken(books(orders=orders, groups=groups_open()))


def books(
    *,
    orders: Sequence[invariants.OrderFact],
    groups: QuerySet[OcoGroup],
    held: dict[str, Decimal] | None = None,
) -> invariants.Books:
    """Our rows about `groups` beside a record of orders."""
    listed = list(groups)
    lots = Lot.objects.filter(groups__in=listed).distinct()
    ticks = dict(Instrument.objects.values_list("symbol", "qty_tick_size"))
    legs = OcoLeg.objects.filter(group__in=listed)
    return invariants.Books(
        lots=[_lot_fact(lot, ticks[lot.instrument_name]) for lot in lots],
        groups=[
            invariants.GroupFact(id=str(group.pk), lot_id=group.lot_id, state=State(group.state))
            for group in listed
        ],
        legs=[_leg_fact(leg) for leg in legs],
        orders=orders,
        held=held,
    )


def _lot_fact(lot: Lot, tick: Decimal) -> invariants.LotFact:
    return invariants.LotFact(
        id=lot.pk,
        currency=lot.base_ccy,
        bought=lot.bought,
        owned=lot.owned,
        sold=lot.sold,
        tick=tick,
        is_closed=lot.closed_at is not None,
    )


def _leg_fact(leg: OcoLeg) -> invariants.LegFact:
    return invariants.LegFact(
        group_id=str(leg.group_id),
        client_oid=leg.client_oid,
        role=Role(leg.order_role),
        status=leg.status,
        executed=leg.executed,
    )
