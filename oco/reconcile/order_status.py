"""Update our legs from the stored orders, the only proof that a leg has ended (rules 5 and 6)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from exchange.core.reasons import reason
from exchange.core.times import NS_PER_MS, from_ms, to_ms
from exchange.models import ExchangeOrder, Trade
from exchange.schemas import is_terminal
from exchange.selectors import orders_named
from exchange.services.order_execution import create_blocked_reason
from exchange.sync.fetch import OrderKey
from exchange.sync.trades import reported_values
from oco.engine.lots import merged_price, net_of_fee
from oco.engine.pricing import ExitSide
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State
from oco.engine.types import PREFIX, PREFIX_END
from oco.models import Lot, LotTrade, OcoLeg
from oco.reconcile.context import CycleContext
from oco.reconcile.execution import count_failure
from oco.reconcile.journal import event_record, group_reopen_corrected
from oco.reconcile.lookup import confirm_ends
from oco.reconcile.order_matching import FINAL_STATUSES, EndProof, is_ours, status_of

Status = OcoLeg.Status
LEG_FIELDS = ["order_id", "exchange_order_id", "status", "executed", "end_code", "refused_code", "looks"]
UNSETTLED = (Status.INTENT, Status.SENT, Status.ACCEPTED)
UNFINISHED = tuple(status for status in Status if status not in FINAL_STATUSES.values())
IDENTITY = ("instrument_name", "side")  # of a fill: in another one it belongs to another lot
ABSENT_RECHECK_AGE = timedelta(days=1)  # until then, a leg that counts as absent may still prove to exist
ORDER_FIELDS = ("name_space", "order_id", "exchange_order_id", "status", "reason", "filled_quantity")
# A user may change them on the exchange while the order keeps its id.
AMENDABLE_FIELDS = ["quantity", "price", "trigger_price"]


def legs_update(
    *,
    context: CycleContext,
    changed_keys: Collection[OrderKey] | None = None,
    groups: Collection[UUID] | None = None,
) -> None:
    """Link orders and trades that carry our client_oids, then update every leg that has not ended.

    With `changed_keys`, legs whose order did not change are left out; with `groups`, those of all others.
    """
    legs_correct(context=context, legs=link_own_orders())
    link_own_trades(context=context)
    unfinished = _unfinished() if groups is None else _unfinished().filter(group__in=groups)
    legs = list(unfinished if changed_keys is None else unfinished.filter(_affected_by(changed_keys)))
    orders = _orders_of(legs)
    traded = _executed_by_leg(legs)
    if confirm_ends(context=context, legs=legs, orders=orders, traded=traded):
        orders = _orders_of(legs)
    open_before = {leg.pk: _resting_price(leg) for leg in legs if leg.status == Status.OPEN}
    changed = [
        leg for leg in legs if _apply_record(leg, orders.get((leg.name_space, leg.order_id)), traded, context)
    ]
    _store(context, changed, LEG_FIELDS + AMENDABLE_FIELDS)
    _count_rejections(context, changed)
    _record_moved(context, changed, open_before)


def _resting_price(leg: OcoLeg) -> Decimal | None:
    """The price that decides when it executes: the trigger of a stop, the limit of a take profit."""
    price: Decimal | None = leg.price if leg.trigger_price is None else leg.trigger_price
    return price


def _record_moved(
    context: CycleContext, changed: Sequence[OcoLeg], open_before: Mapping[int, Decimal | None]
) -> None:
    """An order that was confirmed open and has another price now: somebody moved it on the exchange."""
    for leg in changed:
        before, after = open_before.get(leg.pk), _resting_price(leg)
        if before is None or after is None or before == after or leg.status != Status.OPEN:
            continue
        why = reason(ReasonCode.MOVED_ON_EXCHANGE, role=leg.order_role, before=before, after=after)
        with transaction.atomic():
            context.lease.renew()
            event_record(group=leg.group, at=context.now(), reason=why, order_ids=[leg.order_id])


def _count_rejections(context: CycleContext, changed: Sequence[OcoLeg]) -> None:
    """An order that was accepted and then rejected counts as a failure like a refused one (rule 7)."""
    for leg in changed:
        rejected = leg.status == Status.REJECTED
        if rejected and count_failure(context=context, group=leg.group, code=leg.end_code):
            with transaction.atomic():
                context.lease.renew()
                leg.group.save(update_fields=["failures"])


def _store(context: CycleContext, legs: Sequence[OcoLeg], columns: list[str]) -> None:
    """The legs and what their lots have sold, together."""
    if not legs:
        return
    context.changed_groups |= {leg.group_id for leg in legs}
    with transaction.atomic():
        context.lease.renew()
        OcoLeg.objects.bulk_update(legs, columns)
        _update_lots_sold(legs, context)


def link_own_orders() -> list[OcoLeg]:
    """An external order whose client_oid and values are those of a leg becomes ours (rule 6).

    Returns the legs that it belonged to before: their record was corrected, and they have to be as well.
    """
    external_orders = ExchangeOrder.objects.filter(
        origin=ExchangeOrder.Origin.FOREIGN,
        client_oid__gte=PREFIX,
        client_oid__lt=PREFIX_END,
        is_mirror=False,
    )
    by_client_oid = {(order.client_oid, order.name_space): order for order in external_orders}
    if not by_client_oid:
        return []
    client_oids, corrected = {client_oid for client_oid, _ in by_client_oid}, []
    for leg in OcoLeg.objects.filter(client_oid__in=client_oids).select_related("group"):
        order = by_client_oid.get(
            (leg.client_oid, leg.name_space)
        )  # its plain listing may carry the same client_oid (6.2)
        if order is None:
            continue
        if order.oco_group_id == leg.group_id and order.order_id == leg.order_id:
            corrected.append(leg)
            _link(leg, order)
        elif is_ours(leg, order):
            _link(leg, order)
    return corrected


def _link(leg: OcoLeg, order: ExchangeOrder) -> None:
    with transaction.atomic():
        order.origin, order.order_role = ExchangeOrder.Origin.OURS, leg.order_role
        order.oco_group_id = leg.group_id
        order.save(update_fields=["origin", "order_role", "oco_group_id"])
        leg.order_id, leg.exchange_order_id = order.order_id, order.exchange_order_id
        leg.acknowledged = True
        leg.save(update_fields=["order_id", "exchange_order_id", "acknowledged"])
        if order.list_id and leg.generation == leg.group.generation and leg.group.list_id != order.list_id:
            type(leg.group).objects.filter(pk=leg.group_id).update(list_id=order.list_id)


def link_own_trades(*, context: CycleContext) -> None:
    """A trade with the client_oid of a leg without an order proves that it exists, and what it executed."""
    recent = Q(sent_at__gt=context.started - ABSENT_RECHECK_AGE) | Q(status__in=UNSETTLED)
    legs = {leg.client_oid: leg for leg in _without_order_id().filter(recent).select_related("group")}
    if not legs:
        return
    since = to_ms(min(leg.executes_from for leg in legs.values())) * NS_PER_MS
    sold: dict[str, Decimal] = {}
    for trade in Trade.objects.filter(create_time_ns__gte=since, client_oid__in=legs):
        leg = legs[trade.client_oid]
        if (trade.side, trade.instrument_name) == (leg.side, leg.group.instrument_name):
            sold[trade.client_oid] = sold.get(trade.client_oid, Decimal(0)) + trade.quantity
    found = [
        legs[client_oid] for client_oid, quantity in sold.items() if quantity > legs[client_oid].executed
    ]
    for leg in found:
        leg.executed, leg.exists = sold[leg.client_oid], True
        leg.status = Status.SENT if leg.status in (Status.ABSENT, Status.REFUSED) else leg.status
    _store(context, found, ["executed", "exists", "status"])


def _without_order_id() -> QuerySet[OcoLeg]:
    return OcoLeg.objects.filter(order_id="", status__in=UNFINISHED)


def _affected_by(changed_keys: Collection[OrderKey]) -> Q:
    reported = Q(order_id__in={order_id for _, order_id in changed_keys})
    return reported | ~Q(status=Status.OPEN) | Q(looks__gt=0)


def _unfinished() -> QuerySet[OcoLeg]:
    """Without their groups: most of them only rest, and need no more than this row."""
    return OcoLeg.objects.filter(status__in=UNFINISHED).exclude(order_id="")


def _orders_of(legs: Sequence[OcoLeg]) -> dict[tuple[str, str], ExchangeOrder]:
    ids = {leg.order_id for leg in legs}
    rows = orders_named(ids).only(*ORDER_FIELDS, *AMENDABLE_FIELDS) if ids else ()
    return {(row.name_space, row.order_id): row for row in rows}


def _executed_by_leg(legs: Sequence[OcoLeg]) -> dict[str, Decimal]:
    """Executed quantity by client_oid. Fills carry either id of a triggered order, with its client_oid or its
    second id (dossier 6.2).

    An order id alone proves nothing: both name spaces may number alike (dossier 5.31). Each trade counts once.
    """
    ids = {one for leg in legs for one in (leg.order_id, leg.exchange_order_id)} - {""}
    rows = list(Trade.objects.filter(order_id__in=ids)) if ids else []
    reported = {row.order_id for row in rows}
    affected = [leg for leg in legs if leg.order_id in reported or leg.exchange_order_id in reported]
    by_id = {(one, leg.group.instrument_name, leg.side): leg for leg in affected for one in _ids_of(leg)}
    found: dict[str, Decimal] = {}
    for row in rows:
        leg = by_id.get((row.client_oid, row.instrument_name, row.side))
        if leg is not None and row.order_id in (leg.order_id, leg.exchange_order_id):
            found[leg.client_oid] = found.get(leg.client_oid, Decimal(0)) + row.quantity
    return found


def _ids_of(leg: OcoLeg) -> set[str]:
    return {leg.client_oid, leg.exchange_order_id} - {""}


def _apply_record(
    leg: OcoLeg, order: ExchangeOrder | None, traded: dict[str, Decimal], context: CycleContext
) -> bool:
    if order is None:
        return False
    before = [getattr(leg, name) for name in LEG_FIELDS + AMENDABLE_FIELDS]
    for name in AMENDABLE_FIELDS:
        reported = getattr(order, name)
        setattr(leg, name, getattr(leg, name) if reported is None else reported)
    leg.exchange_order_id = order.exchange_order_id
    key = leg.name_space, leg.order_id
    if leg.executed > max(leg.quantity, order.quantity or leg.quantity):
        leg.executed = Decimal(0)  # believed by an earlier version
        context.corrected_legs.add(leg.pk)
    proof = EndProof.of(leg, order, traded, context)
    if is_terminal(order.status) and all(is_terminal(each.status) for each in context.reports.get(key, ())):
        context.open_keys.discard(key)  # said to have ended, if not proved yet: it was not seen open
    seen = key in context.open_keys
    leg.status = status_of(order, leg.status, seen=seen, is_proved=proof.has_ended)
    leg.looks = 0 if seen else leg.looks
    leg.executed = max(leg.executed, proof.executed)
    leg.end_code = order.reason or 0
    leg.refused_code = order.reason if leg.status == Status.REJECTED else leg.refused_code
    return before != [getattr(leg, name) for name in LEG_FIELDS + AMENDABLE_FIELDS]


def legs_correct(*, context: CycleContext, legs: Sequence[OcoLeg]) -> None:
    """The record of these orders was untrue and is corrected: their legs follow, and what was sold may fall.

    A group that had closed on it is opened again while its lot has something left.
    """
    orders, traded = _orders_of(legs), _executed_by_leg(legs)
    for leg in legs:
        order = orders[leg.name_space, leg.order_id]
        seen = (leg.name_space, leg.order_id) in context.open_keys
        leg.status = status_of(order, Status.ACCEPTED, seen=seen, is_proved=True)
        leg.executed = max(order.filled_quantity, traded.get(leg.client_oid, Decimal(0)))
        leg.end_code = order.reason or 0
        context.changed_groups.add(leg.group_id)
        with transaction.atomic():
            context.lease.renew()
            leg.save(update_fields=LEG_FIELDS)
            lot = Lot.objects.get(pk=leg.group.lot_id)
            lot.sold = sum(
                OcoLeg.objects.filter(group__lot=lot).values_list("executed", flat=True), Decimal(0)
            )
            lot.save(update_fields=["sold"])
            group_reopen_corrected(context=context, group=leg.group, lot=lot)


def _update_lots_sold(changed: Sequence[OcoLeg], context: CycleContext) -> None:
    """What our orders sold of a lot, or bought back, is the sum over all its legs, and never falls."""
    sellers = [leg for leg in changed if leg.executed or leg.pk in context.corrected_legs]
    for lot in Lot.objects.filter(pk__in={leg.group.lot_id for leg in sellers}):
        legs = OcoLeg.objects.filter(group__lot=lot).values_list("executed", flat=True)
        sold = sum(legs, Decimal(0))
        if sold > lot.sold or lot.sold > lot.bought:
            lot.sold = sold
            lot.save(update_fields=["sold"])
            context.sold_currencies.add(lot.spent_currency)


def trades_follow(*, context: CycleContext, trades: Sequence[Trade]) -> set[str]:
    """Lots and legs follow fills that the exchange reports otherwise now. Returns the ids of those that are decided:
    the others are looked at like new ones.
    """
    lots = dict(
        LotTrade.objects.filter(trade_id__in=[row.trade_id for row in trades]).values_list("trade_id", "lot")
    )
    decided: set[str] = set()
    for trade in trades:
        now = vars(trade)
        before = now | reported_values(trade.reports[-1])
        is_another = _is_another(before, now)
        own = list(_legs_named(now))
        legs = {leg.pk: leg for leg in (*_legs_named(before), *own)}
        if own or not trade.quantity or (trade.trade_id in lots and not is_another):
            decided.add(trade.trade_id)
        legs_correct(context=context, legs=list(legs.values()))
        with transaction.atomic():
            context.lease.renew()
            if is_another:
                LotTrade.objects.filter(trade_id=trade.trade_id).delete()
            if lots.get(trade.trade_id) is not None:
                _lot_follow(context, Lot.objects.get(pk=lots[trade.trade_id]), before, now)
            if trade.trade_id in decided:
                Trade.objects.filter(pk=trade.pk).update(is_new=False)
    return decided


def _is_another(reported: Mapping[str, Any], corrected: Mapping[str, Any]) -> bool:
    return any(reported[name] != corrected[name] for name in IDENTITY)


def _legs_named(fill: Mapping[str, Any]) -> Iterator[OcoLeg]:
    """The legs of ours that this fill may have been counted for, if their order is known."""
    ids = Q(order_id=fill["order_id"]) | Q(exchange_order_id=fill["order_id"])
    if fill["client_oid"]:
        ids |= Q(client_oid=fill["client_oid"])
    legs = OcoLeg.objects.filter(ids, side=fill["side"], group__instrument_name=fill["instrument_name"])
    found = list(legs.exclude(order_id="").select_related("group"))
    known = _orders_of(found)
    return (leg for leg in found if (leg.name_space, leg.order_id) in known)


def _lot_follow(
    context: CycleContext, lot: Lot, reported: Mapping[str, Any], corrected: Mapping[str, Any]
) -> None:
    """What was never bought is gone, what was left out is added; a fill of another side or instrument has left the
    lot. Another price places the orders again, unless nothing may be placed now.
    """
    has_left = _is_another(reported, corrected)
    before = _net(reported, lot.base_ccy)
    after = Decimal(0) if has_left else _net(corrected, lot.base_ccy)
    groups = list(lot.groups.filter(closed_at=None))
    if after < before:
        lot.gone += min(before - after, lot.owned)
        lot.waits = lot.waits and lot.owned > 0
    elif lot.exit_side is ExitSide.SELL:
        lot.bought += after - before
        was_released = lot.groups.filter(state=State.RELEASED).exists()
        lot.waits = lot.waits or (lot.closed_at is not None and not was_released)
    for group in groups if after != before else ():
        why = reason(ReasonCode.TRADE_CORRECTED, before=before, after=after, coin=lot.base_ccy)
        event_record(group=group, at=context.now(), reason=why)
    average, entered_at = _average_and_time(lot)
    is_repriced = has_left or reported["price"] != corrected["price"]
    if average is not None and is_repriced and average != lot.average_price:
        lot.average_price = average
        lot.merging = lot.merging or bool(groups and lot.owned and not create_blocked_reason())
        for group in groups:
            event_record(group=group, at=context.now(), reason=reason(ReasonCode.TRADE_REPRICED))
    if has_left or reported["create_time_ns"] != corrected["create_time_ns"]:
        lot.entered_at = entered_at or lot.entered_at
    lot.save(update_fields=["gone", "bought", "waits", "average_price", "merging", "entered_at"])


def _net(values: Mapping[str, Any], base: str) -> Decimal:
    """Of a stored fill, or of what was reported of it before."""
    quantity, fee = values["quantity"], values["fee"]
    return net_of_fee(quantity, fee=fee, fee_currency=values["fee_currency"], base=base)


def _average_and_time(lot: Lot) -> tuple[Decimal | None, datetime | None]:
    """The average price of its fills and the time of the last one; None without one."""
    fills = Trade.objects.filter(trade_id__in=lot.trades.values("trade_id")).order_by("create_time_ns")
    rows = [row for row in fills.values_list("quantity", "price", "create_time_ns") if row[0]]
    if not rows:
        return None, None
    return merged_price([row[:2] for row in rows]), from_ms(rows[-1][2] // NS_PER_MS)
