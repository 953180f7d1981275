"""The invariants of protection chapter 3 checked on our own rows, as alerts in production."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from exchange.models import ExchangeOrder, Instrument
from oco.engine import invariants
from oco.engine.states import State
from oco.engine.types import PREFIX, PREFIX_END, Role
from oco.models import Lot, OcoGroup, OcoLeg
from oco.selectors import groups_open

ZERO = Decimal(0)
ORDER = ("client_oid", "is_open", "status", "quantity", "filled_quantity")
GROUP = ("pk", "lot_id", "state")
LEG = ("group_id", "client_oid", "order_role", "status", "executed")


def invariant_violations() -> list[str]:
    """One text per invariant that does not hold."""
    own = ExchangeOrder.objects.filter(
        client_oid__gte=PREFIX, client_oid__lt=PREFIX_END, oco_group_id__in=groups_open().values("pk")
    )
    orders = [
        invariants.OrderFact(
            client_oid=client_oid,
            is_open=is_open,
            status=status,
            quantity=quantity or ZERO,
            executed=executed,
        )
        for client_oid, is_open, status, quantity, executed in own.values_list(*ORDER)
    ]
    return invariants.violations(invariant_data(orders=orders, groups=groups_open()))


def invariant_data(
    *,
    orders: Sequence[invariants.OrderFact],
    groups: QuerySet[OcoGroup],
    held: dict[str, Decimal] | None = None,
) -> invariants.InvariantData:
    """Our rows about `groups`, with the orders to compare them to."""
    facts = [
        invariants.GroupFact(id=str(pk), lot_id=lot_id, state=State(state))
        for pk, lot_id, state in groups.values_list(*GROUP)
    ]
    lots = list(Lot.objects.filter(groups__in=groups).distinct())
    names = {lot.instrument_name for lot in lots}
    ticks = dict(Instrument.objects.filter(symbol__in=names).values_list("symbol", "qty_tick_size"))
    return invariants.InvariantData(
        lots=[_lot_fact(lot, ticks[lot.instrument_name]) for lot in lots],
        groups=facts,
        legs=[_leg_fact(*row) for row in OcoLeg.objects.filter(group__in=groups).values_list(*LEG)],
        orders=orders,
        held=held,
    )


def _lot_fact(lot: Lot, tick: Decimal) -> invariants.LotFact:
    return invariants.LotFact(
        id=lot.pk,
        currency=lot.spent_currency,
        spent_per_coin=lot.spent_per_coin,
        bought=lot.bought,
        owned=lot.owned,
        sold=lot.sold,
        tick=tick,
        is_closed=lot.closed_at is not None,
    )


def _leg_fact(
    group_id: UUID, client_oid: str, role: str, status: str, executed: Decimal
) -> invariants.LegFact:
    return invariants.LegFact(
        group_id=str(group_id), client_oid=client_oid, role=Role(role), status=status, executed=executed
    )
