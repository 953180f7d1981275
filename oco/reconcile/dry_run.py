"""What the next cycle would do: decided on a fresh read of the account, and nothing of it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from exchange.client.client import Client
from exchange.services.lease import Held
from exchange.services.runs import account_check
from exchange.sync.fetch import Clock, Snapshot, Wanted, pull
from exchange.sync.store import catalogue_record, one_picture, snapshot_draft, snapshot_record
from exchange.sync.windows import exchange_now_ns, wanted_next
from oco.engine.rules import decide
from oco.engine.types import AskPrice, Plan
from oco.models import OcoGroup
from oco.reconcile.allocation import lots_shrink
from oco.reconcile.context import Facts, Watch, facts_of, watch_begin
from oco.reconcile.entries import lot_open_all
from oco.reconcile.loop import QUESTIONS, Report, desired_of, observed_of, picture_read, price_ask, reconcile
from oco.reconcile.order_status import legs_update


@dataclass(frozen=True, slots=True)
class Account:
    """One read of the account, not yet written down."""

    wanted: Wanted
    snapshot: Snapshot
    facts: Facts


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A group as it is, or as it would be opened, and the first thing that would be done about it."""

    group: OcoGroup
    plan: Plan


def account_read(*, client: Client, clock: Clock) -> Account:
    """All reads of a cycle. A balance that names no coin at all is not believed here (rule 11)."""
    now = clock()
    wanted, started_ns = wanted_next(client=client, now=now), exchange_now_ns(client=client, now=now)
    snapshot = pull(client=client, wanted=wanted, clock=clock)
    believed = snapshot.balance.rows is not None and bool(snapshot.balance.rows.positions)
    facts = facts_of(snapshot, started_ns=started_ns, started_at=now, balance_believed=believed)
    return Account(wanted, snapshot, facts)


def rehearse(*, client: Client, held: Held, account: Account, clock: Clock) -> list[Rehearsed]:
    """The plan for every group. Prices that a decision asks for are read in between, outside the transaction."""
    watch = watch_begin(client=client, held=held, facts=account.facts, clock=clock)
    for _ in range(QUESTIONS):
        found = _decided(watch, account, held, clock)
        questions = _questions(found)
        for group, question in questions:
            price_ask(watch=watch, group=group, question=question)
        if not questions:
            break
    return found


def _decided(watch: Watch, account: Account, held: Held, clock: Clock) -> list[Rehearsed]:
    """The first beats of a cycle up to its decisions, all undone."""
    with transaction.atomic():
        _record(account, held, clock)
        legs_update(watch=watch)
        lots_shrink(watch=watch)
        lot_open_all(watch=watch)
        picture = picture_read(watch=watch)
        found = [
            Rehearsed(group, decide(desired_of(group, picture), observed_of(group, picture, watch)))
            for group in picture.groups
        ]
        transaction.set_rollback(True)
    return found


def _questions(found: Sequence[Rehearsed]) -> list[tuple[OcoGroup, AskPrice]]:
    """What is to be asked next; one look at a market is enough for all its groups."""
    asked = [
        (each.group, action) for each in found for action in each.plan.actions if isinstance(action, AskPrice)
    ]
    return list(
        {(group.instrument_name, question.since): (group, question) for group, question in asked}.values()
    )


def perform(*, client: Client, held: Held, account: Account, clock: Clock) -> Report:
    """One cycle's protection in earnest: write down what was read, then decide and act."""
    account_check(client=client, now=clock())
    _record(account, held, clock)
    return reconcile(client=client, held=held, facts=account.facts, clock=clock)


def _record(account: Account, held: Held, clock: Clock) -> None:
    now = clock()
    catalogue_record(snapshot=account.snapshot, now=now)
    draft = snapshot_draft(snapshot=account.snapshot, now=now)
    with one_picture(draft):
        held.renew()
        snapshot_record(snapshot=account.snapshot, draft=draft, wanted=account.wanted, now=now)
