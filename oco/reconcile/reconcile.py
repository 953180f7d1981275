"""Observe, decide, write down, act: for every group, until nothing more is to be done in this cycle."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from exchange.client.client import Client
from exchange.core.observability import correlated
from exchange.services.lease import Held, LeaseLost
from oco.engine.rules import decide
from oco.engine.states import State
from oco.engine.types import AskPrice, Cancel, LookUp, Market, Place, Plan
from oco.models.group import OcoGroup
from oco.reconcile.allocation import lots_shrink
from oco.reconcile.apply import legs_cancel, order_put
from oco.reconcile.confirm import sent_confirm
from oco.reconcile.facts import Facts
from oco.reconcile.journal import group_move, group_note, group_seen_active
from oco.reconcile.lot_merge import lot_merge_all
from oco.reconcile.observe import Picture, desired_of, observed_of, picture_read, picture_renew
from oco.reconcile.oco_entries import lot_open_all
from oco.reconcile.order_status import legs_update
from oco.reconcile.prices import market_look, worst_since
from oco.reconcile.search import legs_look_up
from oco.reconcile.watch import Watch, watch_begin

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
