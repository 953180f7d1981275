"""Store every change of a group with its reason (rule 14), only while the lease is ours (rule 15)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from exchange.core.reasons import Reason, reason
from oco.engine.pricing import ExitSide
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import CLOSED, CLOSED_BY_ORDER, FINAL, State, advance
from oco.engine.types import Plan
from oco.models import Lot, OcoEvent, OcoGroup
from oco.reconcile.context import CycleContext

REASON_FIELDS = ["reason", "reason_code", "reason_params", "exchange_code"]
FIELDS = ["state", *REASON_FIELDS, "state_since", "uncovered_since", "last_active_at", "grace_at", "failures"]


def event_record(*, group: OcoGroup, at: datetime, reason: Reason, order_ids: Sequence[str] = ()) -> OcoEvent:
    """Something happened that did not change the state."""
    return OcoEvent.record(group=group, at=at, old=group.state, reason=reason, order_ids=order_ids)


def group_transition(*, context: CycleContext, group: OcoGroup, plan: Plan) -> None:
    """Move the group into the state of `plan`. Nothing is stored when nothing changed."""
    old, now = group.state, context.now()
    new = advance(old, plan.state)
    if not _apply_plan(group, new, plan, now):
        return
    with transaction.atomic():
        context.lease.renew()
        group.save(update_fields=FIELDS)
        if new != old and plan.reason is not None:
            OcoEvent.record(group=group, at=now, old=old, reason=plan.reason, order_ids=_order_ids(group))
        if new != old:
            _close(context, group, now)


def group_reopen_corrected(*, context: CycleContext, group: OcoGroup, lot: Lot) -> None:
    """Open a group again that closed as executed on an untrue record, if its lot still has something to protect.

    Call it in a transaction. Not when a user protected the coins meanwhile.
    """
    if group.state not in CLOSED_BY_ORDER or lot.owned <= lot.dust:
        return
    others = Lot.objects.filter(closed_at=None, base_ccy=lot.base_ccy, opened_at__gt=group.closed_at)
    if others.exists() or OcoGroup.objects.filter(lot=lot, closed_at=None).exists():
        return
    group_reopen(context=context, group=group, why=reason(ReasonCode.CLOSED_WITHOUT_EVIDENCE))


def group_reopen(*, context: CycleContext, group: OcoGroup, why: Reason) -> None:
    """Open a closed group and its lot again. Call it in a transaction."""
    old, now = group.state, context.now()
    group.state, group.closed_at = State.REPLACING, None
    group.state_since = group.uncovered_since = now
    group.stored_reason = why
    group.save(update_fields=[*FIELDS, "closed_at"])
    Lot.objects.filter(pk=group.lot_id).update(closed_at=None, waits=False)
    OcoEvent.record(group=group, at=now, old=old, reason=why, order_ids=_order_ids(group))


def groups_mark_active(*, groups: Sequence[OcoGroup], at: datetime) -> None:
    """Cover was observed again. One statement for all groups."""
    OcoGroup.objects.filter(pk__in=[group.pk for group in groups], state=State.ACTIVE).update(
        last_active_at=at
    )


def _apply_plan(group: OcoGroup, new: State, plan: Plan, now: datetime) -> bool:
    """Set the values of `plan`; returns whether any changed."""
    before = [getattr(group, name) for name in FIELDS]
    if new != group.state:
        group.state_since = now
    if new is State.ACTIVE:
        group.failures, group.uncovered_since = 0, None
        group.last_active_at = now if group.state != new else group.last_active_at
    else:
        group.uncovered_since = None if new in FINAL else group.uncovered_since or now
    if plan.grace:
        group.grace_at = group.grace_at or now
    elif new is State.ACTIVE:
        group.grace_at = None
    group.state = new
    if plan.reason is not None:
        group.stored_reason = plan.reason
    return before != [getattr(group, name) for name in FIELDS]


def _close(context: CycleContext, group: OcoGroup, now: datetime) -> None:
    """A final state closes the group, and the lot too unless that is to be merged. What is left of a purchase is too
    small for an order: it waits, unless a person removed the protection.
    """
    if group.state not in FINAL:
        return
    context.closed_count += 1
    group.closed_at = now
    group.save(update_fields=["closed_at"])
    lot = group.lot
    is_purchase = lot.exit_side is ExitSide.SELL and not lot.by_person
    waits = is_purchase and group.state in CLOSED and lot.owned > 0
    Lot.objects.filter(pk=lot.pk, merging=False, closed_at=None).update(closed_at=now, waits=waits)


def _order_ids(group: OcoGroup) -> list[str]:
    legs = group.legs.filter(generation=group.generation).exclude(order_id="")
    return list(legs.values_list("order_id", flat=True))
