"""From a plan to requests: the intent is committed under the lease, then sent, then the answer is noted.

One action at a time; what comes next is decided anew from what is then known.

Names for our orders that two workers, or one before and after a crash, make alike (pure, rule 4).

The names and rows of our orders, written before a byte leaves (rules 4 and 6).
"""

import re
from base64 import b32encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

from django.db import transaction

from exchange.fields import plain
from exchange.schemas import NameSpace, NewOrder
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
from oco.models import OcoGroup, OcoLeg
from oco.reconcile.context import Watch
from oco.reconcile.journal import group_note
from oco.reconcile.order_matching import key_price

PREFIX = "xd"
DIGEST_BYTES = 20  # 32 letters; with the prefix 34 of the 36 that the exchange takes (dossier 5.11)
NAME = re.compile(PREFIX + "[a-z2-7]{32}")


def is_name(text: str) -> bool:
    """Whether it has the shape of our names; a stranger's by chance has not."""
    return NAME.fullmatch(text) is not None


def client_oid(*, account: str, entry_order_id: str, first_trade_id: str, generation: int, role: str) -> str:
    """The one name of this leg: whoever sends it again sends the same name, and is answered 204."""
    what = "/".join((account, entry_order_id, first_trade_id, str(generation), role))
    digest = sha256(what.encode()).digest()[:DIGEST_BYTES]
    return PREFIX + b32encode(digest).decode().lower()


LegStatus = OcoLeg.Status
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
    known = OcoLeg.objects.filter(
        client_oid=oid, status__in=(LegStatus.ABSENT, LegStatus.REFUSED), group=group
    )
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
    leg.status, leg.sent_at, leg.looks, leg.looked_at = LegStatus.INTENT, watch.now(), 0, None
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
