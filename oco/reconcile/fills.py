"""Protects purchases from what the user stream says, before the account is read (protection 5, the stream).

It only ever adds cover, for purchases that are new and plain. What it stored and sent, the next complete cycle
checks; everything else it leaves to a cycle, and has then stored nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from exchange.core.reasons import reason
from exchange.schemas import Order, is_terminal
from exchange.services.order_execution import create_blocked_reason
from exchange.sync.orders import order_record_all
from oco.engine.lots import MAX_LOTS
from oco.engine.pricing import ExitSide
from oco.engine.reason_codes import ReasonCode
from oco.engine.rules import decide
from oco.engine.states import State
from oco.engine.types import Market, OrderKind, Place, Plan, PriceSample
from oco.models import Lot, OcoGroup, OcoLeg, Watermark
from oco.policies import policies_read
from oco.reconcile.allocation import allocations_read, lot_allowances
from oco.reconcile.context import CycleContext, order_key
from oco.reconcile.entries import Entry, draft_of_entry, is_protected, lot_open, new_entries_read
from oco.reconcile.execution import intent_record, intent_send
from oco.reconcile.journal import event_record, group_transition, groups_mark_active
from oco.reconcile.lookup import read_back_sent
from oco.reconcile.loop import GroupsSnapshot, desired_of, groups_snapshot_refresh, observed_of
from oco.reconcile.order_status import legs_update
from oco.reconcile.prices import grids_read


class LeftToCycle(RuntimeError):
    """Something is not as usual: a cycle has to look. Nothing was stored or sent."""


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """A new group with what was committed for it and is to be sent."""

    group: OcoGroup
    order: Place
    legs: Sequence[OcoLeg]


def fills_protect(
    *,
    context: CycleContext,
    trade_ids: Collection[str],
    samples: Mapping[str, PriceSample],
    store: Callable[[], None],
) -> list[PlannedOrder]:
    """Store what the stream said, open a lot and a group for each of these purchases, commit all of it with the
    intents in one transaction, then send. `samples`: a price of each instrument. Raises LeftToCycle, LeaseLost.
    """
    with transaction.atomic():
        context.lease.renew()
        store()
        groups = _open_groups(context, trade_ids)
        planned = _plan_orders(context, groups, samples)
    for each in planned:
        intent_send(context=context, group=each.group, legs=each.legs, order=each.order)
    return planned


def _open_groups(context: CycleContext, trade_ids: Collection[str]) -> list[OcoGroup]:
    since = Watermark.objects.values_list("since_ns", flat=True).first()
    if since is None or create_blocked_reason():
        raise LeftToCycle
    context.policies = policies_read()
    groups = []
    for entry in new_entries_read(context=context, since_ns=since):
        if not {trade.trade_id for trade in entry.trades} & set(trade_ids):
            continue
        draft = draft_of_entry(entry)
        if draft is None or not _is_plain_purchase(entry):
            raise LeftToCycle
        group = lot_open(context=context, entry=entry, lot_draft=draft)
        group.is_unaudited = True
        group.save(update_fields=["is_unaudited"])
        groups.append(group)
    if not groups:
        raise LeftToCycle
    return groups


def _is_plain_purchase(entry: Entry) -> bool:
    """Nothing but this lot has to change for it: none to merge with, and no small rests that wait for it."""
    if entry.exit_side is not ExitSide.SELL or not is_protected(entry.policy) or not entry.grid.quote_usd:
        return False
    of_order = Q(
        entry_order_id=entry.order_id,
        instrument_name=entry.instrument.symbol,
        side=entry.side,
        closed_at=None,
    )
    others = Lot.objects.filter(of_order | Q(waits=True, base_ccy=entry.instrument.base_ccy))
    rows = list(others.values_list("waits", "merging"))
    return len(rows) < MAX_LOTS and not any(waits or is_merging for waits, is_merging in rows)


def _plan_orders(
    context: CycleContext, groups: Sequence[OcoGroup], samples: Mapping[str, PriceSample]
) -> list[PlannedOrder]:
    grids_read(context=context, names={group.instrument_name for group in groups})
    context.allocations = allocations_read(context=context)
    snapshot = _snapshot(context, groups)
    planned = []
    for group in groups:
        context.markets[group.instrument_name] = Market(samples=(samples[group.instrument_name],))
        plan = _decide(context, group, snapshot)
        order = _only_order(plan)
        allowance = snapshot.allowances.get(group.lot_id)
        if order is None or allowance is None or allowance.has_shortfall or not allowance.is_confirmed:
            raise LeftToCycle
        event_record(group=group, at=context.now(), reason=reason(ReasonCode.FROM_STREAM))
        group_transition(context=context, group=group, plan=plan)
        planned.append(PlannedOrder(group, order, intent_record(context=context, group=group, order=order)))
    return planned


def _only_order(plan: Plan) -> Place | None:
    """The pair, or the stop, if placing it is all that the plan asks for."""
    order = plan.actions[0] if len(plan.actions) == 1 else None
    is_cover = isinstance(order, Place) and order.kind in (OrderKind.PAIR, OrderKind.STOP)
    return order if isinstance(order, Place) and is_cover else None


def _snapshot(context: CycleContext, groups: Sequence[OcoGroup]) -> GroupsSnapshot:
    return GroupsSnapshot(
        groups=list(groups),
        legs={},
        allowances=lot_allowances(context=context),
        no_create=create_blocked_reason(),
    )


def _decide(context: CycleContext, group: OcoGroup, snapshot: GroupsSnapshot) -> Plan:
    return decide(desired_of(group, snapshot, context), observed_of(group, snapshot, context))


def fills_confirm(
    *, context: CycleContext, planned: Sequence[PlannedOrder], reported: Sequence[Order]
) -> list[OcoGroup]:
    """Confirm the orders by what the stream `reported` of them, and by one read where it said nothing. Returns the
    groups that are covered now; a cycle goes on with the others.
    """
    groups = [each.group for each in planned]
    ids = {group.pk for group in groups}
    keys = _record(context, reported)
    legs_update(context=context, changed_keys=keys, groups=ids)
    if _are_unconfirmed(ids):
        legs_update(context=context, changed_keys=read_back_sent(context=context), groups=ids)
    snapshot, covered = _snapshot(context, groups), []
    for group in groups:
        groups_snapshot_refresh(snapshot, group)
        plan = _decide(context, group, snapshot)
        if plan.state is State.ACTIVE and not plan.actions:
            group_transition(context=context, group=group, plan=plan)
            covered.append(group)
    groups_mark_active(groups=covered, at=context.now())
    return covered


def _record(context: CycleContext, reported: Sequence[Order]) -> set[tuple[str, str]]:
    keys = {order_key(order) for order in reported}
    context.open_keys |= {order_key(order) for order in reported if not is_terminal(order.status)}
    context.report(reported)
    with transaction.atomic():
        context.lease.renew()
        order_record_all(orders=reported, now=context.clock())
    return keys


def _are_unconfirmed(groups: Collection[UUID]) -> bool:
    legs = OcoLeg.objects.filter(group__in=groups)
    return legs.filter(status__in=(OcoLeg.Status.SENT, OcoLeg.Status.ACCEPTED)).exists()


def fills_audit(*, context: CycleContext) -> None:
    """After a complete cycle: say in the journal whether it shows what was placed without one."""
    for group in OcoGroup.objects.filter(is_unaudited=True):
        is_covered = group.state == State.ACTIVE
        code = ReasonCode.STREAM_CONFIRMED if is_covered else ReasonCode.STREAM_NOT_CONFIRMED
        with transaction.atomic():
            context.lease.renew()
            group.is_unaudited = False
            group.save(update_fields=["is_unaudited"])
            event_record(group=group, at=context.now(), reason=reason(code))
