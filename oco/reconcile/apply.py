"""From a plan to requests: the intent is committed under the lease, then sent, then the answer is noted.

One action at a time; what comes next is decided anew from what is then known.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from django.db import transaction

from exchange.schemas import NameSpace
from exchange.services.order_execution import (
    Answer,
    Outcome,
    TradingOff,
    order_cancel,
    order_place,
    pair_cancel,
    pair_place,
)
from oco.engine.context import ROLES
from oco.engine.pricing import Way
from oco.engine.types import Cancel, Order, Place, Role
from oco.models.group import OcoGroup
from oco.models.leg import OcoLeg
from oco.reconcile.intents import leg_intend, new_order
from oco.reconcile.journal import group_note
from oco.reconcile.watch import Watch

Status = OcoLeg.Status
NO_FUNDS = 306
SETTLING = timedelta(seconds=10)  # after a cancel of ours or a fill, 306 means wait (rule 7)
TEXT_LENGTH = 255
AFTER = {
    Outcome.ACCEPTED: Status.ACCEPTED,
    Outcome.EXISTS: Status.SENT,
    Outcome.UNKNOWN: Status.SENT,
    Outcome.REFUSED: Status.REFUSED,
    Outcome.NOT_SENT: Status.ABSENT,
    Outcome.TOO_LATE: Status.SENT,
}


def order_put(*, watch: Watch, group: OcoGroup, order: Place) -> None:
    """Place a pair, a stop or a sale. Nothing leaves before its names are committed (rules 4, 6, 15)."""
    if watch.no_create and not order.finishing:
        return
    legs = _intend(watch, group, order)
    if not legs:
        return
    watch.sent = True
    watch.touched.add(group.pk)
    try:
        answer = _send(watch, legs, order)
    except TradingOff as off:
        answer = Answer(outcome=Outcome.NOT_SENT, text=str(off))
    _note_answer(watch, group, legs, answer)


def _intend(watch: Watch, group: OcoGroup, order: Place) -> list[OcoLeg]:
    """The intent, unless a person asked for the end meanwhile."""
    with transaction.atomic():
        watch.held.renew()
        fresh = OcoGroup.objects.select_for_update().get(pk=group.pk)
        if fresh.cancel_requested_at != group.cancel_requested_at:
            return []
        group.generation, group.quantity, group.grace_at, group.list_id = (
            order.generation,
            order.quantity,
            None,
            "",
        )
        group.save(update_fields=["generation", "quantity", "grace_at", "list_id"])
        legs = [leg_intend(watch=watch, group=group, role=role, order=order) for role in ROLES[order.what]]
        group_note(group=group, at=watch.now(), reason=_words(order, group.lot.way))
        return legs


def _words(order: Place, way: Way) -> str:
    what = {
        Order.PAIR: f"Stop {order.stop:f} and target {order.target or Decimal(0):f}",
        Order.STOP: f"A stop alone at {order.stop:f}",
        Order.EXIT: f"A {way.order} at the market",
    }
    return f"{what[order.what]} for {order.quantity:f} is placed."


def _send(watch: Watch, legs: Sequence[OcoLeg], order: Place) -> Answer:
    orders = {leg.order_role: new_order(leg) for leg in legs}
    if order.what is Order.PAIR:
        return pair_place(
            client=watch.client,
            held=watch.held,
            target=orders[Role.TAKE_PROFIT],
            stop=orders[Role.STOP_LOSS],
            finishing=order.finishing,
        )
    return order_place(
        client=watch.client,
        held=watch.held,
        name_space=NameSpace(legs[0].name_space),
        order=orders[legs[0].order_role],
        finishing=order.finishing,
    )


def _note_answer(watch: Watch, group: OcoGroup, legs: Sequence[OcoLeg], answer: Answer) -> None:
    """What the answer proves of each leg: a code with ids, or none at all, proves nothing."""
    for leg in legs:
        exists = answer.outcome is Outcome.EXISTS and _may_be_meant(leg, legs)
        leg.status, leg.exists = _status_after(leg, answer.outcome), leg.exists or exists
        leg.acknowledged |= exists or answer.outcome is Outcome.ACCEPTED
        if answer.outcome is not Outcome.ACCEPTED:
            leg.refused_code, leg.refused_text = answer.code, answer.text[:TEXT_LENGTH]
        if len(legs) == 1 and answer.outcome is Outcome.ACCEPTED:
            leg.order_id = answer.order_id
    group.list_id = answer.list_id
    with transaction.atomic():
        watch.held.renew()
        OcoLeg.objects.bulk_update(
            legs, ["status", "exists", "acknowledged", "refused_code", "refused_text", "order_id"]
        )
        if answer.outcome is Outcome.REFUSED:
            failure_count(watch=watch, group=group, code=answer.code)
        group.save(update_fields=["list_id", "failures"])
        if answer.outcome is not Outcome.ACCEPTED:
            group_note(group=group, at=watch.now(), reason=answer.text, code=answer.code)


def _may_be_meant(leg: OcoLeg, legs: Sequence[OcoLeg]) -> bool:
    """204 names no leg: where only one of a pair was lost before, it is that one that lives."""
    return leg.was_lost or not any(each.was_lost for each in legs)


def _status_after(leg: OcoLeg, outcome: Outcome) -> str:
    """A refusal ends an order that never was; of one that was lost before it says nothing."""
    refused = outcome is Outcome.REFUSED
    return Status.ABSENT if refused and leg.was_lost else AFTER[outcome]


def failure_count(*, watch: Watch, group: OcoGroup, code: int | None) -> bool:
    """One per cycle at most; missing funds right after a cancel of ours or a fill are none (rule 7)."""
    if group.pk in watch.failed or (code == NO_FUNDS and _is_settling(watch, group)):
        return False
    watch.failed.add(group.pk)
    group.failures += 1
    return True


def _is_settling(watch: Watch, group: OcoGroup) -> bool:
    cancels = group.legs.exclude(cancel_sent_at=None).values_list("cancel_sent_at", flat=True)
    moments = [*cancels, group.lot.entered_at]
    return any(moment is not None and watch.now() - moment <= SETTLING for moment in moments)


def legs_cancel(*, watch: Watch, group: OcoGroup, cancel: Cancel) -> None:
    """Ask to cancel, both legs of a pair in one request. Asked is not done: the record tells (rule 5)."""
    legs = list(OcoLeg.objects.filter(client_oid__in=cancel.client_oids, group=group).order_by("id"))
    watch.sent = True
    watch.touched.add(group.pk)
    with transaction.atomic():
        watch.held.renew()
        OcoLeg.objects.filter(pk__in=[leg.pk for leg in legs]).update(cancel_sent_at=watch.now())
        ids = [leg.order_id for leg in legs]
        group_note(group=group, at=watch.now(), reason="A cancel is sent.", order_ids=ids)
    for answer, leg in _cancels(watch, group, legs):
        text = f"{answer.outcome} {answer.text}"[:TEXT_LENGTH]
        OcoLeg.objects.filter(pk=leg.pk).update(cancel_answer=text)


def _cancels(watch: Watch, group: OcoGroup, legs: Sequence[OcoLeg]) -> Iterator[tuple[Answer, OcoLeg]]:
    client, held = watch.client, watch.held
    if len(legs) == 2 and group.list_id and {leg.generation for leg in legs} == {group.generation}:
        answer = pair_cancel(client=client, held=held, list_id=group.list_id)
        yield from ((answer, leg) for leg in legs)
        return
    for leg in legs:
        space = NameSpace(leg.name_space)
        yield order_cancel(client=client, held=held, name_space=space, order_id=leg.order_id), leg
