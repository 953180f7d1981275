"""Carry out a plan: the order of safety is intent row, commit, lease renewed, sent once, answer stored (rules 4 and 6).

One action at a time; what comes next is decided again from what is then known.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from exchange.client.error_codes import KEY_CODES
from exchange.core.reasons import Reason, reason
from exchange.fields import format_decimal
from exchange.schemas import NameSpace, NewOrder
from exchange.services.order_execution import (
    Outcome,
    SubmitResult,
    TradingDisabled,
    create_blocked_reason,
    order_cancel,
    order_place,
    pair_cancel,
    pair_place,
)
from oco.engine.context import ROLES_BY_KIND
from oco.engine.pricing import ExitSide
from oco.engine.reason_codes import ReasonCode
from oco.engine.types import Cancel, OrderKind, Place, Role, client_oid
from oco.models import OcoGroup, OcoLeg
from oco.reconcile.context import CycleContext
from oco.reconcile.journal import event_record
from oco.reconcile.order_matching import identifying_price

Status = OcoLeg.Status
# A stop that buys is a stop-limit, and an exit a limit order that ends at once: the exchange's documents
# disagree on whether the others accept a quantity there (dossier 5.11, 5.21, 5.23), and a limit bounds what is paid.
ORDER_TYPES = {
    ExitSide.SELL: {Role.STOP_LOSS: "STOP_LOSS", Role.TAKE_PROFIT: "LIMIT", Role.EXIT: "MARKET"},
    ExitSide.BUY: {Role.STOP_LOSS: "STOP_LIMIT", Role.TAKE_PROFIT: "LIMIT", Role.EXIT: "LIMIT"},
}
INSUFFICIENT_FUNDS = 306
SETTLING_TIME = timedelta(seconds=10)  # after a cancel of ours or a fill, 306 means wait (rule 7)
TEXT_LENGTH = 255
STATUS_AFTER = {
    Outcome.ACCEPTED: Status.ACCEPTED,
    Outcome.EXISTS: Status.SENT,
    Outcome.UNKNOWN: Status.SENT,
    Outcome.REFUSED: Status.REFUSED,
    Outcome.NOT_SENT: Status.ABSENT,
    Outcome.TOO_LATE: Status.SENT,
}


def place_order(*, context: CycleContext, group: OcoGroup, order: Place) -> None:
    """Place a pair, a stop or an exit. Nothing is sent before its `client_oid` is committed (rules 4, 6, 15)."""
    if create_blocked_reason() and not order.bypass_kill_switch:  # the switch binds at once (rule 13)
        return
    legs = intent_record(context=context, group=group, order=order)
    if legs:
        intent_send(context=context, group=group, legs=legs, order=order)


def intent_send(*, context: CycleContext, group: OcoGroup, legs: Sequence[OcoLeg], order: Place) -> None:
    """Send once what was committed before, and store the answer."""
    context.has_sent = True
    context.changed_groups.add(group.pk)
    context.outdated_legs -= {leg.pk for leg in legs}
    try:
        result = _send(context, legs, order)
    except TradingDisabled as off:
        result = SubmitResult(outcome=Outcome.NOT_SENT, reason=off.reason)
    _record_result(context, group, legs, result)


def intent_record(*, context: CycleContext, group: OcoGroup, order: Place) -> list[OcoLeg]:
    """The legs as intended; none if a user requested the end meanwhile."""
    with transaction.atomic():
        context.lease.renew()
        current = OcoGroup.objects.select_for_update().get(pk=group.pk)
        if current.cancel_requested_at != group.cancel_requested_at:
            return []
        group.generation, group.quantity, group.grace_at, group.list_id = (
            order.generation,
            order.quantity,
            None,
            "",
        )
        group.save(update_fields=["generation", "quantity", "grace_at", "list_id"])
        now = context.now()
        legs = [
            leg_intent_record(account=context.account, group=group, role=role, order=order, now=now)
            for role in ROLES_BY_KIND[order.kind]
        ]
        event_record(group=group, at=now, reason=_intent_reason(order, group.lot.exit_side))
        return legs


def leg_intent_record(*, account: str, group: OcoGroup, role: Role, order: Place, now: datetime) -> OcoLeg:
    """A new row; for a re-send the absent row with its `client_oid`: then 204 means that the first order exists."""
    oid = client_oid(
        account=account,
        entry_order_id=group.lot.entry_order_id,
        first_trade_id=group.lot.first_trade_id,
        generation=order.generation,
        role=role,
    )
    exit_side = group.lot.exit_side
    price, trigger = _limit_and_trigger(role, order, exit_side)
    values = {"quantity": order.quantity, "price": price, "trigger_price": trigger}
    known = OcoLeg.objects.filter(client_oid=oid, status__in=(Status.ABSENT, Status.REFUSED), group=group)
    leg = known.first()
    if leg is not None:
        return _reuse_leg(leg, values, now)
    return OcoLeg.objects.create(
        group=group,
        generation=order.generation,
        order_role=role,
        name_space=NameSpace.PLAIN if role is Role.EXIT else NameSpace.ADVANCED,
        client_oid=oid,
        type=ORDER_TYPES[exit_side][role],
        side=exit_side,
        sent_at=now,
        **values,
    )


def _limit_and_trigger(
    role: Role, order: Place, exit_side: ExitSide
) -> tuple[Decimal | None, Decimal | None]:
    if role is Role.TAKE_PROFIT:
        return order.target, None
    limit = order.max_buy_price if exit_side is ExitSide.BUY else None
    return limit, order.stop if role is Role.STOP_LOSS else None


def _reuse_leg(leg: OcoLeg, values: Mapping[str, Decimal | None], now: datetime) -> OcoLeg:
    """The same row for what is sent now; what was sent under its `client_oid` before is kept in `earlier`."""
    before = identifying_price(leg)
    leg.earlier = [*leg.earlier, (format_decimal(leg.quantity), before and format_decimal(before))]
    for name, value in values.items():
        setattr(leg, name, value)
    leg.status, leg.sent_at, leg.looks, leg.looked_at = Status.INTENT, now, 0, None
    leg.save()
    return leg


def _intent_reason(order: Place, exit_side: ExitSide) -> Reason:
    if order.kind is OrderKind.EXIT:
        return reason(ReasonCode.PLACING_EXIT, side=exit_side, quantity=order.quantity)
    if order.kind is OrderKind.STOP:
        return reason(ReasonCode.PLACING_STOP, stop=order.stop, quantity=order.quantity)
    return reason(ReasonCode.PLACING_PAIR, stop=order.stop, target=order.target, quantity=order.quantity)


def _send(context: CycleContext, legs: Sequence[OcoLeg], order: Place) -> SubmitResult:
    orders = {leg.order_role: new_order(leg) for leg in legs}
    if order.kind is OrderKind.PAIR:
        return pair_place(
            client=context.client,
            lease=context.lease,
            target=orders[Role.TAKE_PROFIT],
            stop=orders[Role.STOP_LOSS],
            bypass_kill_switch=order.bypass_kill_switch,
        )
    return order_place(
        client=context.client,
        lease=context.lease,
        name_space=NameSpace(legs[0].name_space),
        order=orders[legs[0].order_role],
        bypass_kill_switch=order.bypass_kill_switch,
    )


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
        time_in_force="IMMEDIATE_OR_CANCEL" if _is_immediate_or_cancel(leg) else "",
    )


def _is_immediate_or_cancel(leg: OcoLeg) -> bool:
    return leg.order_role == Role.EXIT and leg.type == "LIMIT"


def _record_result(
    context: CycleContext, group: OcoGroup, legs: Sequence[OcoLeg], result: SubmitResult
) -> None:
    """Store what the answer proves of each leg. A code with ids, or no answer, proves nothing."""
    _report_key(context, result)
    for leg in legs:
        exists = result.outcome is Outcome.EXISTS and _may_exist(leg, legs)
        leg.status, leg.exists = _status_after(leg, result.outcome), leg.exists or exists
        leg.acknowledged |= exists or result.outcome is Outcome.ACCEPTED
        if result.outcome is not Outcome.ACCEPTED:
            leg.refused_code, leg.refused_text = result.code, (result.error or "")[:TEXT_LENGTH]
            leg.refused_reason = result.reason.stored if result.reason else None
        if len(legs) == 1 and result.outcome is Outcome.ACCEPTED:
            leg.order_id = result.order_id
    group.list_id = result.list_id
    with transaction.atomic():
        context.lease.renew()
        OcoLeg.objects.bulk_update(
            legs,
            [
                "status",
                "exists",
                "acknowledged",
                "refused_code",
                "refused_text",
                "refused_reason",
                "order_id",
            ],
        )
        if result.outcome is Outcome.REFUSED:
            count_failure(context=context, group=group, code=result.code)
        group.save(update_fields=["list_id", "failures"])
        if result.reason is not None:
            event_record(group=group, at=context.now(), reason=result.reason)


def _report_key(context: CycleContext, result: SubmitResult) -> None:
    """That the key may not trade is an error of the cycle, once: no group alone can tell that."""
    is_refused = result.code in KEY_CODES and result.outcome is Outcome.REFUSED
    if result.error is not None and is_refused and not context.key_refused:
        context.key_refused = True
        context.errors.append(result.error)


def _may_exist(leg: OcoLeg, legs: Sequence[OcoLeg]) -> bool:
    """204 names no leg: if only one of a pair was lost before, it is that one that exists."""
    return leg.was_lost or not any(each.was_lost for each in legs)


def _status_after(leg: OcoLeg, outcome: Outcome) -> str:
    """A refusal ends an order that never existed; of one that was lost before it proves nothing."""
    refused = outcome is Outcome.REFUSED
    return Status.ABSENT if refused and leg.was_lost else STATUS_AFTER[outcome]


def count_failure(*, context: CycleContext, group: OcoGroup, code: int | None) -> bool:
    """One per cycle at most; missing funds right after a cancel of ours or a fill are none (rule 7)."""
    if group.pk in context.failed_groups or (code == INSUFFICIENT_FUNDS and _is_settling(context, group)):
        return False
    context.failed_groups.add(group.pk)
    group.failures += 1
    return True


def _is_settling(context: CycleContext, group: OcoGroup) -> bool:
    cancels = group.legs.exclude(cancel_sent_at=None).values_list("cancel_sent_at", flat=True)
    moments = [*cancels, group.lot.entered_at]
    return any(moment is not None and context.now() - moment <= SETTLING_TIME for moment in moments)


def legs_cancel(*, context: CycleContext, group: OcoGroup, cancel: Cancel) -> None:
    """Request the cancel, both legs of a pair in one request. Only the order record proves it (rule 5)."""
    legs = list(OcoLeg.objects.filter(client_oid__in=cancel.client_oids, group=group).order_by("id"))
    context.has_sent = True
    context.changed_groups.add(group.pk)
    with transaction.atomic():
        context.lease.renew()
        OcoLeg.objects.filter(pk__in=[leg.pk for leg in legs]).update(cancel_sent_at=context.now())
        ids = [leg.order_id for leg in legs]
        event_record(group=group, at=context.now(), reason=reason(ReasonCode.CANCEL_SENT), order_ids=ids)
    for result, leg in _send_cancels(context, group, legs):
        _report_key(context, result)
        text = f"{result.outcome} {result.error or ''}"[:TEXT_LENGTH]
        why = result.reason.stored if result.reason else None
        OcoLeg.objects.filter(pk=leg.pk).update(cancel_answer=text, cancel_reason=why)


def _send_cancels(
    context: CycleContext, group: OcoGroup, legs: Sequence[OcoLeg]
) -> Iterator[tuple[SubmitResult, OcoLeg]]:
    client, lease = context.client, context.lease
    if len(legs) == 2 and group.list_id and {leg.generation for leg in legs} == {group.generation}:
        result = pair_cancel(client=client, lease=lease, list_id=group.list_id)
        yield from ((result, leg) for leg in legs)
        return
    for leg in legs:
        space = NameSpace(leg.name_space)
        yield order_cancel(client=client, lease=lease, name_space=space, order_id=leg.order_id), leg
