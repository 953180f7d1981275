"""The names and rows of our orders, written before a byte leaves (rules 4 and 6)."""

from collections.abc import Mapping
from decimal import Decimal

from exchange.fields import plain
from exchange.schemas import NameSpace, NewOrder
from oco.engine.pricing import Way
from oco.engine.types import Place, Role
from oco.models.group import OcoGroup
from oco.models.leg import OcoLeg
from oco.reconcile.oids import client_oid
from oco.reconcile.order_matching import key_price
from oco.reconcile.watch import Watch

Status = OcoLeg.Status
# A stop that buys is a stop-limit, and an exit a limit order that ends at once: the exchange's papers disagree
# whether the others take a quantity there (dossier 5.11, 5.21, 5.23), and a limit bounds what is paid.
TYPES = {
    Way.SELLS: {Role.STOP_LOSS: "STOP_LOSS", Role.TAKE_PROFIT: "LIMIT", Role.EXIT: "MARKET"},
    Way.BUYS: {Role.STOP_LOSS: "STOP_LIMIT", Role.TAKE_PROFIT: "LIMIT", Role.EXIT: "LIMIT"},
}


def leg_intend(*, watch: Watch, group: OcoGroup, role: Role, order: Place) -> OcoLeg:
    """A new row, or for a re-send the absent one under its old name: then 204 means that the first one lives."""
    oid = client_oid(
        account=watch.account,
        entry_order_id=group.lot.entry_order_id,
        first_trade_id=group.lot.first_trade_id,
        generation=order.generation,
        role=role,
    )
    way = group.lot.way
    price, trigger = _prices(role, order, way)
    asked = {"quantity": order.quantity, "price": price, "trigger_price": trigger}
    known = OcoLeg.objects.filter(client_oid=oid, status__in=(Status.ABSENT, Status.REFUSED), group=group)
    leg = known.first()
    if leg is not None:
        return _again(watch, leg, asked)
    return OcoLeg.objects.create(
        group=group,
        generation=order.generation,
        order_role=role,
        name_space=NameSpace.PLAIN if role is Role.EXIT else NameSpace.ADVANCED,
        client_oid=oid,
        type=TYPES[way][role],
        side=way,
        sent_at=watch.now(),
        **asked,
    )


def _prices(role: Role, order: Place, way: Way) -> tuple[Decimal | None, Decimal | None]:
    """Limit and trigger."""
    if role is Role.TAKE_PROFIT:
        return order.target, None
    limit = order.ceiling if way is Way.BUYS else None
    return limit, order.stop if role is Role.STOP_LOSS else None


def _again(watch: Watch, leg: OcoLeg, asked: Mapping[str, Decimal | None]) -> OcoLeg:
    """The row under its old name, for what is asked now; what was asked before is kept beside it."""
    before = key_price(leg)
    leg.earlier = [*leg.earlier, (plain(leg.quantity), before and plain(before))]
    for name, value in asked.items():
        setattr(leg, name, value)
    leg.status, leg.sent_at, leg.looks, leg.looked_at = Status.INTENT, watch.now(), 0, None
    leg.save()
    return leg


def new_order(leg: OcoLeg) -> NewOrder:
    """The leg as it is sent (dossier 5.11, 5.21, 5.23)."""
    return NewOrder(
        instrument_name=leg.group.instrument_name,
        side=leg.side,
        type=leg.type,
        client_oid=leg.client_oid,
        quantity=leg.quantity,
        price=leg.price,
        ref_price=leg.trigger_price,
        ref_price_type="MARK_PRICE" if leg.trigger_price else "",
        time_in_force="IMMEDIATE_OR_CANCEL" if _ends_at_once(leg) else "",
    )


def _ends_at_once(leg: OcoLeg) -> bool:
    return leg.order_role == Role.EXIT and leg.type == "LIMIT"
