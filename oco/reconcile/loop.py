"""Observe, decide, write down, act: for every group, until nothing more is to be done in this cycle.

From rows to what `decide` takes: one query per table, however many groups there are.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from exchange.client.client import Client
from exchange.core.observability import correlated
from exchange.models import Instrument
from exchange.services.lease import Held, LeaseLost
from oco.engine.pricing import Grid
from oco.engine.rules import decide
from oco.engine.states import State
from oco.engine.types import AskPrice, Cancel, Desired, LookUp, Market, Observed, Place, Plan
from oco.models import OcoGroup, OcoLeg
from oco.policies import Policies, policies_read
from oco.reconcile.allocation import Due, lots_shrink, shares_read
from oco.reconcile.context import Facts, Watch, watch_begin
from oco.reconcile.entries import lot_open_all
from oco.reconcile.execution import legs_cancel, order_put
from oco.reconcile.journal import group_move, group_note, group_seen_active
from oco.reconcile.lookup import legs_look_up, sent_confirm
from oco.reconcile.lot_merge import lot_merge_all
from oco.reconcile.order_matching import leg_value
from oco.reconcile.order_status import legs_update
from oco.reconcile.prices import grid_of, market_look, worst_since

Status = OcoLeg.Status
DEAD = Q(status__in=(Status.REFUSED, Status.ABSENT), generation__lt=F("group__generation"))


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything about the groups at work, read at once."""

    groups: list[OcoGroup]
    legs: dict[object, list[OcoLeg]]
    due: Mapping[int, Due]
    grids: Mapping[str, Grid]
    policies: Policies
    no_create: str


def picture_read(*, watch: Watch, all_groups: bool = True) -> Picture:
    """The open groups, and ended ones behind which an order of ours is open again.

    Not `all_groups`: without those that are covered and for which nothing changed in this cycle.
    """
    at_work = Q(closed_at=None) | Q(pk__in=_groups_with_strays())
    if not all_groups:
        at_work &= ~Q(state=State.ACTIVE) | Q(pk__in=watch.touched)
    groups = list(OcoGroup.objects.filter(at_work).select_related("lot").order_by("created_at", "pk"))
    legs: dict[object, list[OcoLeg]] = defaultdict(list)
    for leg in OcoLeg.objects.filter(group__in=groups).exclude(DEAD):
        legs[leg.group_id].append(leg)
    names = {group.instrument_name for group in groups}
    instruments = Instrument.objects.filter(symbol__in=names)
    return Picture(
        groups=groups,
        legs=legs,
        due=shares_read(watch=watch),
        grids={row.symbol: grid_of(row, watch.facts.tickers) for row in instruments},
        policies=policies_read(),
        no_create=watch.no_create,
    )


def picture_renew(picture: Picture, group: OcoGroup) -> None:
    """The legs of one group and its lot again, after something was learned about them."""
    group.refresh_from_db(fields=["list_id", "failures", "cancel_requested_at", "cancel_requested_by"])
    group.lot.refresh_from_db()
    legs = OcoLeg.objects.filter(group=group).exclude(DEAD)
    picture.legs[group.pk] = list(legs)


def _groups_with_strays() -> list[object]:
    legs = OcoLeg.objects.filter(status__in=(Status.OPEN, Status.ACCEPTED, Status.INTENT, Status.SENT))
    return list(legs.exclude(group__closed_at=None).values_list("group_id", flat=True))


def desired_of(group: OcoGroup, picture: Picture) -> Desired:
    """What the lot is owed, from its prices and the policy of today."""
    lot = group.lot
    policy = picture.policies.of(group.instrument_name, lot.side)
    due = picture.due.get(lot.pk) or Due(lot.owned, is_short=False, is_settled=False)
    return Desired(
        way=lot.way,
        owned=lot.owned,
        cover=min(due.allowed, lot.owned),  # a look in this cycle may have found more sold since
        is_whole=lot.owned == lot.bought,
        is_short=due.is_short,
        is_settled=due.is_settled,
        stop=group.stop_price,
        target=group.take_profit_price,
        grid=picture.grids[group.instrument_name],
        distance_pct=policy.distance_pct,
        exits=policy.on_breach == policy.OnBreach.EXIT,
        respects_hand=policy.on_hand_cancel == policy.OnHandCancel.RESPECT,
        leave=_why_leave(group),
        entered_at=lot.entered_at,
    )


def _why_leave(group: OcoGroup) -> str:
    if group.cancel_requested_at is not None:
        return f"Released by {group.cancel_requested_by}."
    return "Merged with the other lots of its entry." if group.lot.merging else ""


def observed_of(group: OcoGroup, picture: Picture, watch: Watch) -> Observed:
    """What is known of the group now; its legs as their records prove them."""
    legs = [
        leg_value(leg, started=watch.started, seen=watch.seen, lists_read=watch.lists_read)
        for leg in picture.legs.get(group.pk, [])
    ]
    return Observed(
        now=watch.now(),
        cycle_started=watch.started,
        state=State(group.state),
        legs=tuple(legs),
        generation=group.generation,
        failures=group.failures,
        last_active_at=group.last_active_at,
        grace_at=group.grace_at,
        can_add=watch.facts.can_add and watch.lists_read,
        can_remove=watch.facts.can_remove and watch.lists_read,
        no_create=picture.no_create,
        begun=group.lot.first_generation > 0 and not legs,
        market=_market(group, watch),
    )


def _market(group: OcoGroup, watch: Watch) -> Market:
    """The looks are the instrument's, the worst mark is the group's own."""
    market, own = watch.markets.get(group.instrument_name, Market()), watch.worst.get(group.pk)
    if own is None:
        return market
    return replace(market, worst=own.worst, worst_asked=True)


logger = logging.getLogger("exchange_sync")

ROUNDS = 4  # a decision, and up to three more after what it took away (rule 7)
QUESTIONS = 6  # price looks and look-ups before a group must act or wait


@dataclass(frozen=True, slots=True)
class Report:
    """What one cycle did."""

    created: int
    closed: int
    errors: tuple[str, ...]


def reconcile(*, client: Client, held: Held, facts: Facts, clock: Callable[[], datetime]) -> Report:
    """1. bring our legs up to their records 2. make lots of new trades 3. believe who shrank 4. decide and act
    per group, read back what was sent, once for all, and decide again. Raises LeaseLost.
    """
    watch = watch_begin(client=client, held=held, facts=facts, clock=clock)
    legs_update(watch=watch)
    lot_open_all(watch=watch)
    lots_shrink(watch=watch)
    groups: dict[UUID, OcoGroup] = {}
    for count in range(ROUNDS):
        watch.sent = False
        groups |= round_run(watch=watch, all_groups=count == 0)
        merged = lot_merge_all(watch=watch)
        if watch.sent:
            legs_update(watch=watch, news=sent_confirm(watch=watch))
        elif not merged:
            break
    if watch.lists_read:
        active = [group for group in groups.values() if group.state == State.ACTIVE]
        group_seen_active(groups=active, at=watch.now())
    return Report(watch.created, watch.closed, tuple(watch.errors))


def round_run(*, watch: Watch, all_groups: bool = True) -> dict[UUID, OcoGroup]:
    """Every group once, or those that concern us still. What one of them raises stops only that one."""
    picture = picture_read(watch=watch, all_groups=all_groups)
    for group in picture.groups:
        try:
            with correlated(group.correlation_id):
                group_reconcile(watch=watch, group=group, picture=picture)
        except LeaseLost:
            raise
        except Exception as error:
            logger.exception("Exchange sync: group %s could not be reconciled", group.pk)
            _note_trouble(watch, group, error)
    return {group.pk: group for group in picture.groups}


def group_reconcile(*, watch: Watch, group: OcoGroup, picture: Picture) -> None:
    """Decide; answer what the decision asks for; then write the state down and act."""
    plan = plan_of(watch=watch, group=group, picture=picture)
    group_move(watch=watch, group=group, plan=plan)
    for action in plan.actions:
        if isinstance(action, Place):
            order_put(watch=watch, group=group, order=action)
        elif isinstance(action, Cancel):
            legs_cancel(watch=watch, group=group, cancel=action)


def plan_of(*, watch: Watch, group: OcoGroup, picture: Picture) -> Plan:
    """The decision, after its questions were put to the exchange. Sends nothing but reads."""
    for _ in range(QUESTIONS):
        plan = decide(desired_of(group, picture), observed_of(group, picture, watch))
        questions = [action for action in plan.actions if isinstance(action, AskPrice | LookUp)]
        for question in questions:
            _ask(watch, group, picture, question)
        if not questions:
            return plan
    return replace(plan, actions=())


def _ask(watch: Watch, group: OcoGroup, picture: Picture, question: AskPrice | LookUp) -> None:
    if isinstance(question, LookUp):
        legs_look_up(watch=watch, group=group, action=question)
        legs_update(watch=watch)
        picture_renew(picture, group)
    else:
        price_ask(watch=watch, group=group, question=question)


def price_ask(*, watch: Watch, group: OcoGroup, question: AskPrice) -> None:
    """One look at the market for the group, and how near to the stop it was if that is asked."""
    name = group.instrument_name
    market_look(watch=watch, name=name)
    if question.since is not None:
        worst = worst_since(watch=watch, name=name, since=question.since, way=group.lot.way)
        watch.worst[group.pk] = Market(worst=worst, worst_asked=True)


def _note_trouble(watch: Watch, group: OcoGroup, error: Exception) -> None:
    """In the journal once, however many cycles it lasts."""
    text = f"This group could not be looked after: {type(error).__name__}. The log has the details."
    watch.errors.append(f"{group.instrument_name}: {text}")
    if OcoGroup.objects.filter(pk=group.pk).exclude(reason=text).update(reason=text):
        group_note(group=group, at=watch.now(), reason=text)
