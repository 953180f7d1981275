"""One cycle of protection: observe, decide, store and act for every group, until nothing more is to be done.

A round reads its inputs once; a further round follows only if orders were sent, with fresh inputs.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import F, Q

from exchange.core.observability import correlated
from exchange.core.reasons import Reason, Sentence, SyncReason, reason
from exchange.models import ExchangeOrder
from exchange.schemas import Order
from exchange.services.lease import LeaseLost
from exchange.services.order_execution import create_blocked_reason
from exchange.sync.order_rows import OrderRow
from oco.engine.pricing import round_towards_target
from oco.engine.reason_codes import ReasonCode
from oco.engine.rules import decide
from oco.engine.states import State
from oco.engine.types import (
    PREFIX,
    Cancel,
    ConfirmEntry,
    Desired,
    LookUp,
    Market,
    Observed,
    Place,
    Plan,
    ReadInstrument,
    RequestPrice,
)
from oco.models import POSSIBLY_OPEN, OcoGroup, OcoLeg
from oco.policies import policies_read
from oco.reconcile.allocation import (
    LotAllowance,
    allocations_read,
    coins_return,
    is_spent_lately,
    lot_allowances,
    names_left_unplaced,
    round_inputs_read,
    write_off_missing,
)
from oco.reconcile.context import CycleContext, lot_key
from oco.reconcile.entries import lot_open_all
from oco.reconcile.execution import legs_cancel, place_order
from oco.reconcile.journal import REASON_FIELDS, event_record, group_transition, groups_mark_active
from oco.reconcile.lookup import fills_to_confirm, legs_look_up, looks_complete, orders_agree, read_back_sent
from oco.reconcile.lot_merge import lot_merge_all, rests_join
from oco.reconcile.order_matching import leg_of
from oco.reconcile.order_status import legs_update
from oco.reconcile.prices import grids_read, rules_confirm, rules_read_again, sample_market, worst_mark_since

Status = OcoLeg.Status
# Of the refused ones, those right before the newest show when a pair was tried last.
NEVER_PLACED = Q(status=Status.ABSENT, generation__lt=F("group__generation")) | Q(
    status=Status.REFUSED, generation__lt=F("group__generation") - 1
)
logger = logging.getLogger("exchange_sync")
Question = (
    LookUp | ReadInstrument | ConfirmEntry | RequestPrice
)  # answered before the group is decided on again
MAX_ROUNDS = 4  # a decision, and up to three more after cancels (rule 7)
MAX_REQUESTS = 6  # price samples and look-ups before a group must act or wait


@dataclass(frozen=True, slots=True)
class CycleReport:
    created: int
    closed: int
    errors: tuple[Sentence, ...]
    key_refused: bool = False  # the exchange refused orders for the key or its rights


@dataclass(frozen=True, slots=True)
class GroupsSnapshot:
    """The groups of one round, read at once."""

    groups: list[OcoGroup]
    legs: dict[object, list[OcoLeg]]
    allowances: Mapping[int, LotAllowance]
    no_create: Reason | None


def reconcile(*, context: CycleContext) -> CycleReport:
    """1. update our legs from the stored orders 2. open lots for new trades 3. write off missing coins 4. decide and
    act per group, read back once what was sent, and decide again. Raises LeaseLost.
    """
    context.has_begun = True
    first_round_prepare(context=context)
    _run_rounds(context, all_groups=True)
    return cycle_report(context)


def reconcile_rest(
    *,
    context: CycleContext,
    histories_read: bool,
    changed: Sequence[OrderRow],
    has_new_trades: bool,
    reports: Sequence[Order] = (),
) -> CycleReport:
    """After protection has acted: what only the histories can show, for the groups that wait for it.

    `changed` are the orders that they changed, `reports` all that they said. Without news of our own nothing is read
    or decided again.
    """
    own = {(row.name_space, row.order_id) for row in changed if _is_own(row)}
    context.reads = replace(context.reads, histories_read=histories_read)
    context.report(reports)
    has_news = own or has_new_trades or context.waiting_looks or context.has_unresolved_sales
    if context.has_begun and has_news:
        legs_update(context=context, changed_keys=own)
        looks_complete(context=context)
        waiting = lot_open_all(context=context)
        round_inputs_read(context=context)
        rests_join(context=context, waiting=waiting)
        _run_rounds(context, all_groups=False)
    return cycle_report(context)


def _is_own(row: OrderRow) -> bool:
    return row.origin == ExchangeOrder.Origin.OURS or row.client_oid.startswith(PREFIX)


def cycle_report(context: CycleContext) -> CycleReport:
    errors = tuple(dict.fromkeys(context.errors))
    return CycleReport(context.created_count, context.closed_count, errors, context.key_refused)


def _run_rounds(context: CycleContext, *, all_groups: bool) -> None:
    groups: dict[UUID, OcoGroup] = {}
    for count in range(MAX_ROUNDS):
        if count:
            round_inputs_read(context=context)
        context.has_sent = False
        groups |= run_round(context=context, all_groups=all_groups and count == 0)
        merged = lot_merge_all(context=context)
        if context.has_sent:
            legs_update(context=context, changed_keys=read_back_sent(context=context))
        elif not merged:
            break
    if context.lists_read:
        active = [group for group in groups.values() if group.state == State.ACTIVE]
        groups_mark_active(groups=active, at=context.now())


def first_round_prepare(*, context: CycleContext) -> None:
    """All that comes before the first decision. The inputs are those of the first round."""
    legs_update(context=context)
    context.policies = policies_read()
    waiting = lot_open_all(context=context)
    context.allocations = allocations_read(context=context)  # of the new lots as well
    if rules_confirm(context=context, names=names_left_unplaced(context=context)):
        context.allocations = allocations_read(context=context)
    rests_join(context=context, waiting=waiting)
    write_off_missing(context=context)
    coins_return(context=context)


def run_round(*, context: CycleContext, all_groups: bool = True) -> dict[UUID, OcoGroup]:
    """Every group once, or those not settled yet. An exception of one group stops no other."""
    groups_snapshot = groups_snapshot_read(context=context, all_groups=all_groups)
    for group in groups_snapshot.groups:
        try:
            with correlated(group.correlation_id):
                reconcile_group(context=context, group=group, groups_snapshot=groups_snapshot)
        except LeaseLost:
            raise
        except Exception as error:
            logger.exception("Exchange sync: group %s could not be reconciled", group.pk)
            _record_error(context, group, error)
    return {group.pk: group for group in groups_snapshot.groups}


def reconcile_group(*, context: CycleContext, group: OcoGroup, groups_snapshot: GroupsSnapshot) -> None:
    """Decide, store the new state, then act."""
    plan = plan_group(context=context, group=group, groups_snapshot=groups_snapshot)
    group_transition(context=context, group=group, plan=plan)
    for action in plan.actions:
        if isinstance(action, Place):
            place_order(context=context, group=group, order=action)
        elif isinstance(action, Cancel):
            legs_cancel(context=context, group=group, cancel=action)


def plan_group(*, context: CycleContext, group: OcoGroup, groups_snapshot: GroupsSnapshot) -> Plan:
    """The decision, once the reads that it requested were made. Sends nothing but reads."""
    for _ in range(MAX_REQUESTS):
        plan = decide(
            desired_of(group, groups_snapshot, context), observed_of(group, groups_snapshot, context)
        )
        requests = [action for action in plan.actions if isinstance(action, Question)]
        for request in requests:
            _answer_request(context, group, groups_snapshot, request)
        if not requests:
            return plan
    return replace(plan, actions=())


def _answer_request(
    context: CycleContext, group: OcoGroup, groups_snapshot: GroupsSnapshot, request: Question
) -> None:
    if isinstance(request, LookUp):
        legs_look_up(context=context, group=group, action=request)
        legs_update(context=context)
        groups_snapshot_refresh(groups_snapshot, group)
    elif isinstance(request, ConfirmEntry):
        fills = fills_to_confirm(context=context, lot=group.lot)
        context.entries_confirmed[lot_key(group.lot)] = orders_agree(context=context, fills=fills)
    elif isinstance(request, ReadInstrument):
        rules_read_again(context=context)
        context.markets.pop(group.instrument_name, None)  # the price may be what was refused
    else:
        sample_price(context=context, group=group, request=request)


def sample_price(*, context: CycleContext, group: OcoGroup, request: RequestPrice) -> None:
    """One price sample for the group, and how near to the stop the mark was if that is requested."""
    name = group.instrument_name
    sample_market(context=context, name=name)
    if request.since is not None:
        worst_mark = worst_mark_since(
            context=context, name=name, since=request.since, exit_side=group.lot.exit_side
        )
        context.worst_mark[group.pk] = Market(worst_mark=worst_mark, worst_mark_read=True)


def _record_error(context: CycleContext, group: OcoGroup, error: Exception) -> None:
    """In the event log once, however many cycles it lasts."""
    name = type(error).__name__
    text = f"{group.instrument_name}: this group could not be processed: {name}. See the log."
    context.errors.append(Sentence(text, SyncReason.GROUP_FAILED, name=group.instrument_name, error=name))
    why, current = reason(ReasonCode.GROUP_ERROR, error=name), OcoGroup.objects.get(pk=group.pk)
    if current.stored_reason != why:
        current.stored_reason = why
        current.save(update_fields=REASON_FIELDS)
        event_record(group=group, at=context.now(), reason=why)


def groups_snapshot_read(*, context: CycleContext, all_groups: bool = True) -> GroupsSnapshot:
    """The open groups, and closed ones of which an order of ours is open again.

    Without `all_groups`, those that are covered and for which nothing changed in this cycle are left out.
    """
    at_work = Q(closed_at=None) | Q(pk__in=_closed_groups_with_open_orders())
    if not all_groups:
        at_work &= ~Q(state=State.ACTIVE) | Q(pk__in=context.changed_groups)
    groups = list(OcoGroup.objects.filter(at_work).select_related("lot").order_by("created_at", "pk"))
    legs: dict[object, list[OcoLeg]] = defaultdict(list)
    for leg in OcoLeg.objects.filter(group__in=groups).exclude(NEVER_PLACED):
        legs[leg.group_id].append(leg)
    grids_read(context=context, names={group.instrument_name for group in groups})
    allocated = {allocation.lot.pk for allocation in context.allocations}
    if any(group.closed_at is None and group.lot_id not in allocated for group in groups):
        context.allocations = allocations_read(context=context)  # a person asked for this lot just now
    allowances, no_create = lot_allowances(context=context), create_blocked_reason()
    return GroupsSnapshot(groups=groups, legs=legs, allowances=allowances, no_create=no_create)


def groups_snapshot_refresh(groups_snapshot: GroupsSnapshot, group: OcoGroup) -> None:
    """Read the legs of one group and its lot again, after a look-up."""
    group.refresh_from_db(fields=["list_id", "failures", "cancel_requested_at", "cancel_requested_by"])
    group.lot.refresh_from_db()
    legs = OcoLeg.objects.filter(group=group).exclude(NEVER_PLACED)
    groups_snapshot.legs[group.pk] = list(legs)


def _closed_groups_with_open_orders() -> list[object]:
    legs = OcoLeg.objects.filter(status__in=POSSIBLY_OPEN)
    return list(legs.exclude(group__closed_at=None).values_list("group_id", flat=True))


def desired_of(group: OcoGroup, groups_snapshot: GroupsSnapshot, context: CycleContext) -> Desired:
    """The protection that the lot should have, from its prices and the policy as it is now."""
    lot, owned, exit_side = group.lot, group.lot.owned, group.lot.exit_side
    policy, grid = context.policies.of(group.instrument_name, lot.side), context.grids[group.instrument_name]
    target = group.take_profit_price
    allowance = groups_snapshot.allowances.get(lot.pk) or LotAllowance(
        owned, has_shortfall=False, is_confirmed=False
    )
    return Desired(
        exit_side=exit_side,
        owned=owned,
        order_quantity=min(allowance.allowed, owned),  # a look-up in this cycle may have found more sold
        is_untouched=owned == lot.bought,
        has_shortfall=allowance.has_shortfall,
        is_confirmed=allowance.is_confirmed,
        stop=round_towards_target(group.stop_price, grid.price_tick, exit_side),  # the grid may have changed
        target=target and round_towards_target(target, grid.price_tick, exit_side),
        grid=grid,
        distance_pct=policy.distance_pct,
        exits_when_stop_crossed=policy.on_breach == policy.OnBreach.EXIT,
        respects_manual_cancel=policy.on_hand_cancel == policy.OnHandCancel.RESPECT,
        release_reason=_release_reason(group),
        is_merging=lot.merging and group.cancel_requested_at is None,
        entered_at=lot.entered_at,
        entry=group.entry_price or None,
    )


def _release_reason(group: OcoGroup) -> Reason | None:
    if group.cancel_requested_at is not None:
        return reason(ReasonCode.RELEASED_BY, name=group.cancel_requested_by)
    return reason(ReasonCode.MERGED) if group.lot.merging else None


def observed_of(group: OcoGroup, groups_snapshot: GroupsSnapshot, context: CycleContext) -> Observed:
    """What is known of the group now; its legs as the stored orders prove them."""
    legs = [
        leg_of(
            leg,
            started=context.started,
            seen=context.open_keys,
            lists_read=context.lists_read,
            outdated=context.outdated_legs,
        )
        for leg in groups_snapshot.legs.get(group.pk, [])
    ]
    ticker = context.reads.tickers.get(group.instrument_name)
    return Observed(
        now=context.now(),
        cycle_started=context.started,
        state=State(group.state),
        legs=tuple(legs),
        generation=group.generation,
        failures=group.failures,
        last_active_at=group.last_active_at,
        opened_at=group.created_at,
        grace_at=group.grace_at,
        can_add=context.lists_read and context.can_add,
        can_remove=context.lists_read and context.reads.lists_read,  # whether the order was read: per order
        no_create=groups_snapshot.no_create,
        replacement_begun=group.lot.first_generation > 0 and not legs,
        last_price=ticker.last if ticker else None,
        is_spent_lately=is_spent_lately(context=context, lot=group.lot, legs=legs),
        instrument_read=context.instruments_read,
        is_entry_confirmed=context.entries_confirmed.get(lot_key(group.lot)),
        market=_market(group, context),
    )


def _market(group: OcoGroup, context: CycleContext) -> Market:
    """The samples are of the instrument, the worst mark is of the group."""
    market, own = context.markets.get(group.instrument_name, Market()), context.worst_mark.get(group.pk)
    if own is None:
        return market
    return replace(market, worst_mark=own.worst_mark, worst_mark_read=True)
